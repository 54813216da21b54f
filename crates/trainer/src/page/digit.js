// A digit as people draw it or take its picture, brought into the form of MNIST's images: its
// ink is found, specks are left out, and it is scaled, brightened and centred.
const Digits = (() => {
    const { clamp, toByte, sorted, inside, window, resize, inverted, paperOf } = Planes;

    const MOST = 800;
    const FULL = [3, 4];
    const BOX = [20, 28];
    const DEVIATIONS = 4;
    const LEVELS = 8;
    const STROKE = 0.4;
    const EDGE = [0.15, 0.85];
    const COARSE = 96;
    const BAND = 8;
    const DUST = 0.01;
    const SPECK = 0.05;
    const FAR = 0.25;
    const AT_BORDER = 0.2;

    // The first index of a sorted list where `holds` is false.
    function partitionPoint(values, holds) {
        let [low, high] = [0, values.length];
        while (low < high) {
            const middle = (low + high) >> 1;
            if (holds(values[middle])) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    // Ink: what differs from the paper, and which of it is the digit.

    function flat(grey) {
        const { rows, cols } = grey;
        const median = (rowFrom, rowTo, colFrom, colTo) => {
            const band = new Float64Array((rowTo - rowFrom) * (colTo - colFrom));
            let at = 0;
            for (let row = rowFrom; row < rowTo; row++) {
                for (let col = colFrom; col < colTo; col++) {
                    band[at++] = grey.values[row * cols + col];
                }
            }
            return band.sort()[band.length >> 1];
        };
        const [high, wide] = [Math.ceil(rows / BAND), Math.ceil(cols / BAND)];
        const [top, bottom] = [median(0, high, 0, cols), median(rows - high, rows, 0, cols)];
        const [left, right] = [median(0, rows, 0, wide), median(0, rows, cols - wide, cols)];
        const level = (top + bottom + left + right) / 4;
        const steps = (len, band) => Math.max(len - band, 1);
        const slope = [(bottom - top) / steps(rows, high), (right - left) / steps(cols, wide)];
        const fromMiddle = (index, len) => index - (len - 1) / 2;
        const values = Float64Array.from(grey.values);
        for (let row = 0; row < rows; row++) {
            const down = fromMiddle(row, rows);
            for (let col = 0; col < cols; col++) {
                const across = fromMiddle(col, cols);
                values[row * cols + col] -= level + down * slope[0] + across * slope[1];
            }
        }
        return { rows, cols, values };
    }

    function isLight({ values }) {
        let sum = 0;
        for (const difference of values) sum += difference * difference * difference;
        return sum > 0;
    }

    function eachLine({ rows, cols, values }, line) {
        const result = new Float64Array(rows * cols);
        for (let row = 0; row < rows; row++) {
            result.set(line(values.subarray(row * cols, (row + 1) * cols)), row * cols);
        }
        const column = new Float64Array(rows);
        for (let col = 0; col < cols; col++) {
            for (let row = 0; row < rows; row++) column[row] = result[row * cols + col];
            const changed = line(column);
            for (let row = 0; row < rows; row++) result[row * cols + col] = changed[row];
        }
        return { rows, cols, values: result };
    }

    // A function of each element and its neighbours up to `radius` away.
    const around = (radius, of) => (line) => {
        const result = new Float64Array(line.length);
        for (let at = 0; at < line.length; at++) {
            const [from, to] = [Math.max(at - radius, 0), Math.min(at + radius + 1, line.length)];
            result[at] = of(line, from, to);
        }
        return result;
    };
    const mean = (line, from, to) => {
        let sum = 0;
        for (let at = from; at < to; at++) sum += line[at];
        return sum / (to - from);
    };
    const extreme = (which) => (line, from, to) => {
        let found = line[from];
        for (let at = from + 1; at < to; at++) found = which(found, line[at]);
        return found;
    };

    // The paper under dark ink: a morphological closing of a coarse picture.
    function paperUnder(grey) {
        const { rows, cols } = grey;
        const coarse = { rows: COARSE, cols: COARSE };
        const size = Math.max(rows, cols) > COARSE ? inside(grey, coarse) : { rows, cols };
        const radius = Math.max(Math.floor(Math.min(size.rows, size.cols) / 5), 2);
        let plane = eachLine(resize(grey, size), around(1, mean));
        plane = eachLine(plane, around(radius, extreme(Math.max)));
        plane = eachLine(plane, around(radius, extreme(Math.min)));
        return resize(eachLine(plane, around(radius >> 1, mean)), grey);
    }

    function otsu(values) {
        const total = values.reduce((sum, value) => sum + value, 0);
        let [below, best, most] = [0, 0, -Infinity];
        for (let index = 0; index + 1 < values.length; index++) {
            below += values[index];
            const counts = [index + 1, values.length - index - 1];
            const difference = below / counts[0] - (total - below) / counts[1];
            const variance = counts[0] * counts[1] * difference * difference;
            if (variance > most) [most, best] = [variance, values[index]];
        }
        return best;
    }

    // `null` if nothing stands out from the paper.
    function findInk(grey) {
        let plane = flat(grey);
        if (isLight(plane)) plane = flat(inverted(grey));
        const under = paperUnder(plane).values;
        const values = plane.values.map((value, at) => under[at] - value);
        const levels = sorted(values);
        const at = (part) => levels[Math.trunc(part * (levels.length - 1))];
        const [level, deviation] = [at(0.35), at(0.5) - at(0.16)];
        for (let i = 0; i < values.length; i++) values[i] = Math.max(values[i] - level, 0);
        const floor = Math.max(LEVELS, DEVIATIONS * deviation);
        const inked = levels.subarray(partitionPoint(levels, (value) => value - level <= floor));
        const between = otsu(inked);
        const full = inked.subarray(partitionPoint(inked, (value) => value <= between));
        const sum = full.reduce((sum, value) => sum + value, 0);
        const found = sum / Math.max(full.length, 1) - level;
        if (full.length === 0 || found < 1.5 * floor) return null;
        const threshold = Math.max(floor, STROKE * found);
        return { rows: grey.rows, cols: grey.cols, values, full: found, threshold, floor };
    }

    function eachNeighbour(pixel, { rows, cols }, then) {
        const [row, col] = [Math.floor(pixel / cols), pixel % cols];
        for (let r = Math.max(row - 1, 0); r < Math.min(row + 2, rows); r++) {
            for (let c = Math.max(col - 1, 0); c < Math.min(col + 2, cols); c++) {
                then(r * cols + c);
            }
        }
    }

    // Strokes: pixels of ink that touch each other.
    function connected(ink) {
        const { rows, cols, values, threshold } = ink;
        const isInk = Uint8Array.from(values, (value) => (value >= threshold ? 1 : 0));
        const strokes = [];
        for (let first = 0; first < isInk.length; first++) {
            if (!isInk[first]) continue;
            isInk[first] = 0;
            const pixels = [first];
            const area = { rows: [Infinity, 0], cols: [Infinity, 0] };
            for (let next = 0; next < pixels.length; next++) {
                const [row, col] = [Math.floor(pixels[next] / cols), pixels[next] % cols];
                area.rows = [Math.min(area.rows[0], row), Math.max(area.rows[1], row + 1)];
                area.cols = [Math.min(area.cols[0], col), Math.max(area.cols[1], col + 1)];
                eachNeighbour(pixels[next], ink, (near) => {
                    if (isInk[near]) {
                        isInk[near] = 0;
                        pixels.push(near);
                    }
                });
            }
            const atBorder =
                area.rows[0] === 0 ||
                area.cols[0] === 0 ||
                area.rows[1] === rows ||
                area.cols[1] === cols;
            strokes.push({ area, pixels, atBorder });
        }
        return strokes;
    }

    function gap(a, b) {
        const along = ([first, after], [otherFirst, otherAfter]) =>
            Math.max(otherFirst - after, first - otherAfter, 0);
        return Math.max(along(a.area.rows, b.area.rows), along(a.area.cols, b.area.cols));
    }

    function belongs(stroke, largest) {
        const part = stroke.pixels.length / largest.pixels.length;
        const sides = [largest.area.rows, largest.area.cols].map(([first, after]) => after - first);
        const far = gap(stroke, largest) > FAR * Math.max(...sides);
        const foreign = stroke.atBorder && !largest.atBorder;
        return part >= DUST && !(far && (part < SPECK || foreign));
    }

    function findStrokes(ink) {
        const strokes = connected(ink);
        const weight = ({ pixels, atBorder }) => pixels.length * (atBorder ? AT_BORDER : 1);
        const leftOut = new Uint8Array(ink.values.length);
        if (strokes.length === 0) {
            return { area: { rows: [0, ink.rows], cols: [0, ink.cols] }, leftOut };
        }
        // The last of equals, as in Rust.
        const largest = strokes.reduce((best, stroke) =>
            weight(stroke) >= weight(best) ? stroke : best,
        );
        const area = { rows: largest.area.rows, cols: largest.area.cols };
        const join = (a, b) => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
        for (const stroke of strokes) {
            if (belongs(stroke, largest)) {
                area.rows = join(area.rows, stroke.area.rows);
                area.cols = join(area.cols, stroke.area.cols);
            } else {
                for (const pixel of stroke.pixels) {
                    eachNeighbour(pixel, ink, (near) => (leftOut[near] = 1));
                }
            }
        }
        return { area, leftOut };
    }

    // The share of ink of each pixel, 0 to 1.
    function amounts(ink, leftOut) {
        const low = Math.max(Math.min(ink.floor, ink.threshold / 2), EDGE[0] * ink.full);
        const range = Math.max(EDGE[1] * ink.full - low, 1);
        const share = (value, at) => (leftOut[at] ? 0 : clamp((value - low) / range, 0, 1));
        return { rows: ink.rows, cols: ink.cols, values: ink.values.map(share) };
    }

    // The form of MNIST's images.

    const digitBox = (size) => {
        const side = (pixels) => Math.max(Math.floor((pixels * BOX[0]) / BOX[1]), 1);
        return { rows: side(size.rows), cols: side(size.cols) };
    };
    const middle = (side) => side >> 1;

    // Where pixels are not 0, and the row and the column of their centre of mass.
    function mass({ cols, values }) {
        const sums = [0, 0, 0];
        const area = { rows: [Infinity, 0], cols: [Infinity, 0] };
        for (let at = 0; at < values.length; at++) {
            const [row, col, value] = [Math.floor(at / cols), at % cols, values[at]];
            if (!(value > 0)) continue;
            sums[0] += value;
            sums[1] += value * row;
            sums[2] += value * col;
            area.rows = [Math.min(area.rows[0], row), row + 1];
            area.cols = [Math.min(area.cols[0], col), Math.max(area.cols[1], col + 1)];
        }
        return sums[0] > 0 ? { area, centre: [sums[1] / sums[0], sums[2] / sums[0]] } : null;
    }

    function hasForm(picture, size) {
        if (picture.rows !== size.rows || picture.cols !== size.cols) return false;
        const found = paperOf(picture) === 0 && mass(picture);
        if (!found) return false;
        const most = digitBox(size);
        const rows = found.area.rows[1] - found.area.rows[0];
        const cols = found.area.cols[1] - found.area.cols[0];
        const fits = rows <= most.rows && cols <= most.cols;
        const fills = rows + 2 >= most.rows || cols + 2 >= most.cols;
        const [row, col] = found.centre;
        const near = (side, at) => Math.abs(at - middle(side)) <= 1;
        return fits && fills && near(size.rows, row) && near(size.cols, col);
    }

    function scale(ink, area, most) {
        const found = {
            rows: area.rows[1] - area.rows[0],
            cols: area.cols[1] - area.cols[0],
        };
        const size = inside(found, most);
        const step = Math.max(found.rows / most.rows, found.cols / most.cols);
        const span = ([first, after], count) => ({
            start: (first + after) / 2 - (step * count) / 2,
            step,
            count,
        });
        const plane = window(ink, span(area.rows, size.rows), span(area.cols, size.cols));
        const bright = sorted(plane.values.filter((value) => value > 0));
        const full = bright[Math.floor((bright.length * FULL[0]) / FULL[1])] ?? 1;
        plane.values = plane.values.map((value) => Math.min((value * 255) / full, 255));
        return plane;
    }

    function centre(digit, size) {
        const image = new Uint8Array(size.rows * size.cols);
        const found = mass(digit);
        if (!found) return image;
        const offset = (side, own, at) => clamp(Math.round(middle(side) - at), 0, side - own);
        const top = offset(size.rows, digit.rows, found.centre[0]);
        const left = offset(size.cols, digit.cols, found.centre[1]);
        for (let row = 0; row < digit.rows; row++) {
            for (let col = 0; col < digit.cols; col++) {
                const value = digit.values[row * digit.cols + col];
                image[(top + row) * size.cols + left + col] = toByte(value);
            }
        }
        return image;
    }

    // The digit in a picture as light ink on black; `null` if nothing stands out.
    function digit(picture, size) {
        if (hasForm(picture, size)) return Uint8Array.from(picture.values);
        const other = inverted(picture);
        if (hasForm(other, size)) return Uint8Array.from(other.values);
        const { rows, cols } = picture;
        const most = { rows: MOST, cols: MOST };
        const size800 = Math.max(rows, cols) > MOST ? inside(picture, most) : { rows, cols };
        const ink = findInk(resize(picture, size800));
        if (!ink) return null;
        const { area, leftOut } = findStrokes(ink);
        return centre(scale(amounts(ink, leftOut), area, digitBox(size)), size);
    }

    return { digit };
})();
