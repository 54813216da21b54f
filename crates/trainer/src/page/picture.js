// Pictures as a network takes them, and drawings as pictures.
const Pictures = (() => {
    const { clamp, toByte, inside, resize, inverted, paperOf } = Planes;

    const MAX_LEAN = 1;

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

    // A picture in the size that the network takes: 255 for full ink, 0 for paper. `null` if a
    // digit is looked for and there is none.
    function prepared(picture, form) {
        if (form.centred && Math.min(form.rows, form.cols) >= 4) return Digits.digit(picture, form);
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
