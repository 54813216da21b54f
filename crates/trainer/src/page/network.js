// The network of this page, in plain JavaScript: the sums of `nn`, in its order. A sum is one
// chain of multiply-adds from the bias on, each rounded to 32 bits, so its bits are those of
// `nn` but for one in 2²⁹, where a double rounds first. Functions are within an ULP or two.
const Network = (() => {
    const f = Math.fround;

    const sigmoid = (z) => (z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z)));

    // 1 − erf(x) for x ≥ 0: a series of positive terms, and a continued fraction where that would
    // cancel.
    function erfc(x) {
        if (x < 3) {
            let [term, sum] = [x, x];
            for (let n = 1; term > 1e-17 * sum; n++) {
                term *= (2 * x * x) / (2 * n + 1);
                sum += term;
            }
            return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
        }
        let fraction = x;
        for (let n = 40; n > 0; n--) fraction = x + n / 2 / fraction;
        return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
    }

    // z·Φ(z)
    function gelu(z) {
        if (z === -Infinity) return -0;
        const below = erfc(Math.abs(z) / Math.SQRT2) / 2;
        return z * (z < 0 ? below : 1 - below);
    }

    const ACTIVATIONS = {
        tanh: () => Math.tanh,
        sigmoid: () => sigmoid,
        relu: () => (z) => Math.max(0, z),
        "leaky-relu": (slope) => (z) => (z < 0 ? z * f(slope) : z),
        elu: (alpha) => (z) => (z < 0 ? f(Math.expm1(z)) * f(alpha) : z),
        gelu: () => gelu,
        silu: () => (z) => (z === -Infinity ? -0 : z * sigmoid(z)),
    };

    // Base64 of f32, little-endian.
    function numbers(text) {
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const view = new DataView(bytes.buffer);
        return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
    }

    // z = W·x + b; W is rows × inputs.
    function affine({ rows, inputs, weights, biases }, x) {
        // Adding a product with 0 changes no bit.
        const used = [];
        for (let i = 0; i < inputs; i++) if (x[i] !== 0) used.push(i);
        const z = new Float32Array(rows);
        for (let row = 0; row < rows; row++) {
            let sum = biases[row];
            const first = row * inputs;
            for (let k = 0; k < used.length; k++) {
                const i = used[k];
                sum = f(weights[first + i] * x[i] + sum);
            }
            z[row] = sum;
        }
        return z;
    }

    function softmax(z) {
        const most = z.reduce((a, b) => Math.max(a, b), -Infinity);
        const powers = Float64Array.from(z, (value) => Math.exp(value - most));
        const sum = powers.reduce((a, b) => a + b, 0);
        return Float32Array.from(powers, (power) => power / sum);
    }

    // Ranked classes, the first of equals before the others.
    function classes(names, probabilities) {
        const ranked = names.map((name, i) => ({ class: name, probability: probabilities[i] }));
        return [...ranked].sort((a, b) => b.probability - a.probability);
    }

    class Model {
        // `data` is the JSON of the page.
        constructor(data) {
            this.data = data;
            // Of a table there is none.
            if (data.form) {
                const { paper, ink } = data.form;
                this.form = { ...data.form, paper: f(paper), ink: f(ink) };
            }
            const all = numbers(data.weights);
            let at = 0;
            const take = (count) => all.subarray(at, (at += count));
            this.layers = data.layers.map(({ inputs, rows }) => ({
                inputs,
                rows,
                weights: take(inputs * rows),
                biases: take(rows),
            }));
            const [name, parameter] = data.card.activation.split(":");
            this.pieces = name === "maxout" ? Number(parameter) : 1;
            this.activation = name === "maxout" ? null : ACTIVATIONS[name](Number(parameter));
        }

        // The features of a picture and the bytes that the network sees; `null` if there is no
        // digit on it.
        picture(picture) {
            const values = Pictures.levels(picture, this.form);
            return values && this.image(values);
        }

        // The same of an image of the right size, as the training data are.
        image(values) {
            const { form } = this;
            const { pixelScale, deskew } = this.data;
            const darkInk = form.ink < form.paper;
            if (deskew === "bytes") {
                Pictures.deskew(values, form, { level: form.paper, darkInk });
                // Deskewed bytes are bytes again.
                values.forEach((value, at) => (values[at] = Math.floor(f(value + 0.5))));
            }
            const scale = form.real ? 1 : f(pixelScale);
            const [paper, ink] = [f(form.paper * scale), f(form.ink * scale)];
            const features = values.map((value) => f(value * scale));
            if (deskew === "features") Pictures.deskew(features, form, { level: paper, darkInk });
            const image = Array.from(features, (value) => {
                const part = Math.min(Math.max((value - paper) / (ink - paper), 0), 1);
                return Math.round(255 * (darkInk ? 1 - part : part));
            });
            return { features, image };
        }

        // The features of a row: an object with a number, a category or null for each column.
        row(row) {
            const features = [];
            for (const [at, column] of this.data.card.input.columns.entries()) {
                const cell = row[column.name] ?? null;
                if (column.kind === "category") {
                    features.push(...column.categories.map((value) => (value === cell ? 1 : 0)));
                } else {
                    const { mean, deviation } = column;
                    features.push(cell === null ? 0 : f((f(cell) - mean) / deviation));
                }
                if (this.data.marked[at]) features.push(cell === null ? 1 : 0);
            }
            return Float32Array.from(features);
        }

        // What the network says of features: its answer, and what each hidden unit says.
        outputs(features) {
            let x = features;
            const hidden = [];
            this.layers.forEach((layer, l) => {
                const z = affine(layer, x);
                x = l + 1 < this.layers.length ? this.activate(z) : z;
                if (l + 1 < this.layers.length) hidden.push(x);
            });
            return { z: x, hidden };
        }

        activate(z) {
            if (this.activation) return z.map(this.activation);
            const units = z.length / this.pieces;
            const h = z.slice(0, units);
            for (let at = units; at < z.length; at++) {
                h[at % units] = Math.max(h[at % units], z[at]);
            }
            return h;
        }

        predict(features) {
            const { z, hidden } = this.outputs(features);
            return { predictions: [this.prediction(z)], layers: hidden.map((h) => Array.from(h)) };
        }

        prediction(z) {
            const { output, card } = this.data;
            const ranked = (of) => {
                const probabilities = classes(card.classes, of);
                return { ...probabilities[0], probabilities };
            };
            if (output.kind === "classes") return ranked(softmax(z));
            if (output.kind === "yes-no") {
                const p = f(sigmoid(z[0]));
                return ranked([f(1 - p), p]);
            }
            if (output.kind === "labels") {
                const of = Array.from(z, (value) => f(sigmoid(value)));
                const labels = of.map((probability, i) => ({
                    class: card.classes[i],
                    probability,
                }));
                return { probabilities: labels };
            }
            const { mean, deviation } = output;
            const values = Array.from(z, (value) => f(value * deviation + mean));
            return { value: values.length === 1 ? values[0] : values };
        }
    }

    return { Model };
})();
