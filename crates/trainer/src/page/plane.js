// Planes, and what pictures and digits both do with them. A plane is { rows, cols, values },
// row-major; of a picture the values are grey levels, 0 is black.
//
// This file and the next two bring a picture to the form that a network takes, as `trainer
// predict` does: the steps, their order and their numbers are those of the crate mnist-io, in
// doubles as there, so that both make the same bytes. Names are those of its functions.
const Planes = (() => {
    const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
    const toByte = (value) => clamp(Math.floor(value + 0.5), 0, 255);
    const sorted = (values) => Float64Array.from(values).sort();

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

    return { clamp, toByte, sorted, inside, window, resize, inverted, paperOf };
})();
