// Pictures, brought to the form that a network takes, as `trainer predict` brings them: the
// steps, their order and their numbers are those of the crate mnist-io, in doubles as there, so
// that both make the same bytes. Names are those of its functions.
const Pictures = (() => {
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
    const MAX_LEAN = 1;

    const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
    const toByte = (value) => clamp(Math.floor(value + 0.5), 0, 255);
    const sorted = (values) => Float64Array.from(values).sort();

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

    // Sizes and pictures. A plane is { rows, cols, values }, row-major; of a picture the values
    // are grey levels, 0 is black.

    function inside(picture, frame) {
        const scale = Math.min(frame.rows / picture.rows, frame.cols / picture.cols);
        const scaled = (from, most) => clamp(Math.round(from * scale), 1, most);
        return {
            rows: scaled(picture.rows, frame.rows),
            cols: scaled(picture.cols, frame.cols),
        };
    }

    // For each pixel of the result: the first pixel of the line that it is made of, and weights.
    function taps({ start: origin, step, count }, len) {
        const last = len - 1;
        const pixel = (position) => Math.min(Math.trunc(Math.max(position, 0)), last);
        const result = [];
        for (let index = 0; index < count; index++) {
            const start = origin + index * step;
            if (step < 1) {
                const centre = start + 0.5 * step - 0.5;
                const part = centre - Math.floor(centre);
                const first = pixel(Math.floor(centre));
                const second = pixel(Math.floor(centre) + 1);
                result.push({ first, weights: first === second ? [1] : [1 - part, part] });
                continue;
            }
            const end = start + step;
            const [first, after] = [pixel(start), pixel(end) + 1];
            const weights = [];
            for (let at = first; at < after; at++) {
                const from = at === 0 ? start : Math.max(start, at);
                const to = at === last ? end : Math.min(end, at + 1);
                weights.push(Math.max(to - from, 0) / step);
            }
            result.push({ first, weights });
        }
        return result;
    }

    function window({ rows, cols, values }, rowSpan, colSpan) {
        const [rowTaps, colTaps] = [taps(rowSpan, rows), taps(colSpan, cols)];
        const result = new Float64Array(rowSpan.count * colSpan.count);
        const line = new Float64Array(cols);
        let at = 0;
        for (const { first, weights } of rowTaps) {
            line.fill(0);
            for (let i = 0; i < weights.length; i++) {
                const [weight, from] = [weights[i], (first + i) * cols];
                for (let col = 0; col < cols; col++) line[col] += weight * values[from + col];
            }
            for (const { first, weights } of colTaps) {
                let sum = 0;
                for (let i = 0; i < weights.length; i++) sum += weights[i] * line[first + i];
                result[at++] = sum;
            }
        }
        return { rows: rowSpan.count, cols: colSpan.count, values: result };
    }

    function resize(plane, to) {
        const span = (from, count) => ({ start: 0, step: from / count, count });
        return window(plane, span(plane.rows, to.rows), span(plane.cols, to.cols));
    }

    const inverted = ({ rows, cols, values }) => ({
        rows,
        cols,
        values: values.map((value) => 255 - value),
    });

    // The grey of the paper: the median of the pixels at the border.
    function paperOf({ rows, cols, values }) {
        const border = [];
        for (let row = 0; row < rows; row++) {
            for (let col = 0; col < cols; col++) {
                const edge = row === 0 || row + 1 === rows || col === 0 || col + 1 === cols;
                if (edge) border.push(values[row * cols + col]);
                // A picture of one column has both of its ends in it.
                if (edge && cols === 1 && row > 0 && row + 1 < rows) {
                    border.push(values[row]);
                }
            }
        }
        return sorted(border)[border.length >> 1];
    }

    // The whole picture, scaled to the largest that fits into `size` and centred on `paper`.
    function fit(picture, size, paper) {
        if (picture.rows === size.rows && picture.cols === size.cols) {
            return Uint8Array.from(picture.values);
        }
        const scaled = resize(picture, inside(picture, size));
        const top = (size.rows - scaled.rows) >> 1;
        const left = (size.cols - scaled.cols) >> 1;
        const image = new Uint8Array(size.rows * size.cols).fill(paper);
        for (let row = 0; row < scaled.rows; row++) {
            for (let col = 0; col < scaled.cols; col++) {
                const value = scaled.values[row * scaled.cols + col];
                image[(top + row) * size.cols + left + col] = toByte(value);
            }
        }
        return image;
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

    // A picture in the size that the network takes: 255 for full ink, 0 for paper. `null` if a
    // digit is looked for and there is none.
    function prepared(picture, form) {
        if (form.centred && Math.min(form.rows, form.cols) >= 4) return digit(picture, form);
        const range = form.ink - form.paper;
        const darkInk = range < 0;
        const onPaper = darkInk
            ? form.paper >= -range * 0.9
            : Math.abs(form.paper) <= range * 0.1;
        const inked = (grey) => (darkInk ? grey.map((value) => 255 - value) : grey);
        const paper = paperOf(picture);
        if (onPaper && paper > 127 !== darkInk) {
            const other = inverted(picture);
            return inked(fit(other, form, paperOf(other)));
        }
        return inked(fit(picture, form, paper));
    }

    // The picture as the values of the training data: bytes, or real numbers.
    function levels(picture, form) {
        const inked = prepared(picture, form);
        if (!inked) return null;
        const f = Math.fround;
        const range = f(form.ink - form.paper);
        const level = (grey) => f(form.paper + f(f(grey / 255) * range));
        const values = Float32Array.from(inked, level);
        return form.real ? values : values.map((value) => clamp(Math.round(value), 0, 255));
    }

    // Shears the ink of an image upright and centres it, in place; `values` are f32. The sums of
    // a column are f32, one after another, as the vectors of the crate have them.
    function deskew(values, { rows, cols }, { level, darkInk }) {
        const f = Math.fround;
        const toInk = (value) => f(darkInk ? level - value : value - level);
        const image = Float32Array.from(values, toInk);
        const [x_x, x_y, x_0, y_0] = upright(image, rows, cols);
        const at = (row, col) =>
            row < 0 || col < 0 || row >= rows || col >= cols ? 0 : image[row * cols + col];
        const fma = (a, b, c) => f(a * b + c);
        for (let row = 0; row < rows; row++) {
            const from = fma(x_y, row, x_0);
            const down = clamp(fma(1, row, y_0), -1, rows);
            for (let col = 0; col < cols; col++) {
                const across = clamp(fma(x_x, col, from), -1, cols);
                const [left, top] = [Math.floor(across), Math.floor(down)];
                const [right, below] = [f(across - left), f(down - top)];
                const between = (a, b) => fma(right, f(b - a), a);
                const upper = between(at(top, left), at(top, left + 1));
                const lower = between(at(top + 1, left), at(top + 1, left + 1));
                const ink = fma(below, f(lower - upper), upper);
                values[row * cols + col] = f(darkInk ? level - ink : level + ink);
            }
        }
    }

    function upright(image, rows, cols) {
        const f = Math.fround;
        const [centerX, centerY] = [(cols - 1) / 2, (rows - 1) / 2];
        let [ink, x, y, xy, yy] = [0, 0, 0, 0, 0];
        for (let col = 0; col < cols; col++) {
            let [own, ofY, ofYy] = [0, 0, 0];
            for (let row = 0; row < rows; row++) {
                const [pixel, down] = [image[row * cols + col], f(row - centerY)];
                own = f(own + pixel);
                ofY = f(ofY + f(down * pixel));
                ofYy = f(ofYy + f(f(down * down) * pixel));
            }
            const across = col - centerX;
            ink += own;
            x += across * own;
            y += ofY;
            xy += across * ofY;
            yy += ofYy;
        }
        [x, y] = [x / ink, y / ink];
        if (!(ink > 0 && Math.abs(x) <= centerX && Math.abs(y) <= centerY)) return [1, 0, 0, 0];
        const [covariance, variance] = [xy / ink - x * y, yy / ink - y * y];
        const lean = variance > 1e-3 ? clamp(covariance / variance, -MAX_LEAN, MAX_LEAN) : 0;
        return [1, f(lean), f(x - lean * centerY), f(y)];
    }

    // Bytes of red, green, blue and alpha as grey levels; what is transparent is paper.
    function grey({ width, height, data }) {
        const values = new Uint8Array(width * height);
        let [drawn, light] = [0, 0];
        for (let at = 0; at < values.length; at++) {
            const [r, g, b, a] = data.subarray(4 * at, 4 * at + 4);
            values[at] = Math.floor((299 * r + 587 * g + 114 * b + 500) / 1000);
            drawn += a;
            light += values[at] * a;
        }
        const mostlyTransparent = drawn < Math.floor((values.length * 255) / 2);
        const paper = mostlyTransparent && light > 128 * drawn ? 0 : 255;
        for (let at = 0; at < values.length; at++) {
            const alpha = data[4 * at + 3];
            values[at] = Math.floor((values[at] * alpha + paper * (255 - alpha) + 127) / 255);
        }
        return { rows: height, cols: width, values };
    }

    // Draws a line with round ends from a to b into a plane of ink, 0 to 255. Not by a canvas:
    // some browsers give its pixels with noise.
    function line({ rows, cols, values }, [ax, ay], [bx, by], radius) {
        const [dx, dy] = [bx - ax, by - ay];
        const length = dx * dx + dy * dy;
        const reach = radius + 1;
        const range = (a, b, most) => [
            clamp(Math.floor(Math.min(a, b) - reach), 0, most),
            clamp(Math.ceil(Math.max(a, b) + reach), 0, most),
        ];
        const [top, bottom] = range(ay, by, rows);
        const [left, right] = range(ax, bx, cols);
        for (let row = top; row < bottom; row++) {
            for (let col = left; col < right; col++) {
                const [x, y] = [col + 0.5 - ax, row + 0.5 - ay];
                const part = length > 0 ? clamp((x * dx + y * dy) / length, 0, 1) : 0;
                const distance = Math.hypot(x - part * dx, y - part * dy);
                const ink = toByte(255 * clamp(radius + 0.5 - distance, 0, 1));
                const at = row * cols + col;
                if (ink > values[at]) values[at] = ink;
            }
        }
    }

    return { levels, deskew, grey, line, inverted };
})();
