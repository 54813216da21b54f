// What each layer does: a sentence, a cell for each hidden unit, and of the first layer of a
// network of images, where the weights are in the page, the patterns of the loudest units.
class Inside {
    // `weights` is the first layer, or null; `form` is the size of the image, or null.
    constructor(card, weights, form) {
        this.weights = weights;
        this.form = form;
        this.strips = card.layers
            .slice(1, -1)
            .map((units, l) => new Strip(card, l, units, weights && form && l === 0));
        const list = document.getElementById("layers");
        list.append(...this.strips.map((strip) => strip.element), lastLayer(card));
        document.getElementById("inside").hidden = this.strips.length === 0;
        // Weights, which the patterns are of, may be negative anyway.
        const patterns = this.strips.some((strip) => strip.patterns);
        document.getElementById("key-negative").hidden = !patterns && !canBeNegative(card.activation);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
        new ResizeObserver(() => this.paint()).observe(list);
    }

    // `layers` are the activations of the hidden units; null clears them.
    show(layers) {
        this.strips.forEach((strip, l) => strip.show(layers?.[l] ?? null));
        const first = this.strips[0];
        if (first?.patterns) this.showPatterns(first);
        this.paint();
    }

    paint() {
        this.strips.forEach((strip) => strip.paint());
    }

    showPatterns({ values, patterns }) {
        const loudest = values
            ? values
                  .map((value, unit) => ({ value, unit }))
                  .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
                  .slice(0, 8)
            : [];
        while (patterns.children.length > loudest.length) patterns.lastChild.remove();
        loudest.forEach(({ value, unit }, at) => {
            const item = patterns.children[at] ?? patterns.appendChild(pattern());
            const [canvas, text] = item.children;
            text.textContent = `${unit}: ${short(value)}`;
            canvas.setAttribute("aria-label", `The weights of unit ${unit}`);
            this.paintWeights(canvas, unit);
        });
    }

    paintWeights(canvas, unit) {
        const { rows, cols } = this.form;
        const own = this.weights.weights.subarray(unit * rows * cols, (unit + 1) * rows * cols);
        const most = own.reduce((most, w) => Math.max(most, Math.abs(w)), 1e-30);
        const mix = palette();
        const image = new ImageData(cols, rows);
        own.forEach((weight, at) => image.data.set([...mix(weight / most), 255], 4 * at));
        [canvas.width, canvas.height] = [cols, rows];
        canvas.getContext("2d").putImageData(image, 0, 0);
    }
}

function pattern() {
    const item = document.createElement("li");
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    item.append(canvas, document.createElement("span"));
    return item;
}

// A number with three digits.
function short(value) {
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
    return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0).replace("-", "−");
}

// From −1 to 1: the colour of a value as red, green and blue.
function palette() {
    const style = getComputedStyle(document.documentElement);
    const [negative, zero, positive] = ["--negative", "--zero", "--positive"].map((name) => {
        const hex = style.getPropertyValue(name).trim();
        return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    });
    return (value) => {
        const part = Math.min(Math.abs(value), 1);
        const end = value < 0 ? negative : positive;
        return zero.map((from, i) => Math.round(from + (end[i] - from) * part));
    };
}

const BENT = {
    tanh: "tanh bends the sum to between −1 and 1",
    sigmoid: "a sigmoid bends the sum to between 0 and 1",
    relu: "a sum below 0 becomes 0",
    "leaky-relu": "a sum below 0 counts little",
    elu: "a sum below 0 is bent to a small negative number",
    gelu: "a sum well below 0 becomes 0",
    silu: "a sum well below 0 becomes 0",
    maxout: "it keeps the largest of several such sums",
};

// Whether a unit may be below 0.
function canBeNegative(activation) {
    return activation !== "relu" && activation !== "sigmoid";
}

function layerWords(card, l, units) {
    const inputs = card.layers[0];
    const bent = BENT[card.activation.split(":")[0]] ?? `then comes ${card.activation}`;
    const what =
        card.input.kind === "image" ? `${inputs} pixels` : `${inputs} features of the input`;
    const first = `Each unit weighs the ${what} in its own way and adds them up; ${bent}. It is loud where the input has the pattern of its weights.`;
    const later = `Each unit weighs the ${card.layers[l]} answers of layer ${l} and adds them up; ${bent}. It is loud where patterns come together.`;
    return l === 0 ? first : later;
}

function lastLayer(card) {
    const [inputs, outputs] = [card.layers.at(-2), card.layers.at(-1)];
    const first = card.layers.length === 2 ? `${inputs} inputs` : `${inputs} answers`;
    const text = {
        classes:
            outputs === 1
                ? `The ${first} are weighed once more; a sigmoid makes the sum a probability.`
                : `Each of ${outputs} classes weighs the ${first} and adds them up; softmax makes shares of 100 % of the sums.`,
        labels: `Each of ${outputs} labels weighs the ${first}; a sigmoid makes each sum a probability of its own.`,
        value: `The ${first} are weighed once more; their sum, in the units of the target, is the value.`,
    }[card.task];
    const element = document.createElement("div");
    element.className = "layer";
    const title = document.createElement("h3");
    title.textContent = `Output · ${outputs}`;
    const words = document.createElement("p");
    words.className = "quiet";
    words.textContent = text;
    element.append(title, words);
    return element;
}

// The units of a layer. As a slider it can be read by keys: its value is the unit.
class Strip {
    constructor(card, l, units, withPatterns) {
        this.l = l;
        this.units = units;
        this.values = null;
        this.unit = null;
        this.bounded = /^(tanh|sigmoid)/.test(card.activation);
        const make = (name, parent, className, text) => {
            const element = parent.appendChild(document.createElement(name));
            element.className = className;
            element.textContent = text ?? "";
            return element;
        };
        this.element = document.createElement("div");
        this.element.className = "layer";
        const about = make("div", this.element, "about");
        make("h3", about, "", `Layer ${l + 1} · ${units} units`);
        make("p", about, "quiet", layerWords(card, l, units));
        this.count = make("p", about, "quiet read");
        const side = make("div", this.element, "side");
        this.strip = make("div", side, "strip");
        this.canvas = make("canvas", this.strip, "");
        this.read = make("p", side, "quiet read");
        if (withPatterns) {
            this.patterns = make("ul", side, "loudest");
            this.patterns.setAttribute("aria-label", "The loudest units and their weights");
        }
        this.listen();
        this.choose(null);
    }

    listen() {
        const { strip } = this;
        strip.tabIndex = 0;
        strip.setAttribute("role", "slider");
        strip.setAttribute("aria-label", `Unit of layer ${this.l + 1}`);
        strip.setAttribute("aria-valuemin", "0");
        strip.setAttribute("aria-valuemax", String(this.units - 1));
        strip.addEventListener("pointermove", (event) => {
            const box = this.canvas.getBoundingClientRect();
            const [x, y] = [event.clientX - box.left, event.clientY - box.top];
            const cell = box.width / this.columns;
            const column = Math.min(Math.max(Math.floor(x / cell), 0), this.columns - 1);
            const unit = Math.max(Math.floor(y / cell), 0) * this.columns + column;
            this.choose(unit < this.units ? unit : null);
        });
        strip.addEventListener("pointerleave", () => this.choose(null));
        strip.addEventListener("blur", () => this.choose(null));
        strip.addEventListener("focus", () => {
            if (strip.matches(":focus-visible")) this.choose(this.unit ?? 0);
        });
        strip.addEventListener("keydown", (event) => {
            const steps = {
                ArrowRight: 1,
                ArrowLeft: -1,
                ArrowDown: this.columns,
                ArrowUp: -this.columns,
                Home: -this.units,
                End: this.units,
            };
            const step = steps[event.key];
            if (step === undefined) return;
            event.preventDefault();
            this.choose(Math.min(Math.max((this.unit ?? 0) + step, 0), this.units - 1));
        });
    }

    choose(unit) {
        this.unit = unit;
        this.write();
        this.paint();
    }

    show(values) {
        this.values = values;
        this.write();
    }

    write() {
        const { values, unit, strip } = this;
        const of = (at) => `Unit ${at}: ${values ? short(values[at]) : "nothing yet"}`;
        strip.setAttribute("aria-valuenow", String(unit ?? 0));
        strip.setAttribute("aria-valuetext", of(unit ?? 0));
        const loudest = this.patterns && values ? "The loudest, and the weights that they have:" : "";
        this.read.textContent = unit === null ? loudest : of(unit);
        const loud = (values ?? []).filter((value) => Math.abs(value) > this.most() / 2).length;
        this.count.textContent = values ? `Now ${loud} of ${this.units} are loud.` : "";
    }

    // What counts as full colour.
    most() {
        if (this.bounded || !this.values) return 1;
        return this.values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
    }

    paint() {
        const width = this.strip.clientWidth;
        if (width === 0) return;
        // Cells of about 12 pixels; larger where there are few units, smaller where many.
        const size = this.units <= 64 ? 22 : this.units <= 1024 ? 12 : 7;
        const rows = Math.ceil(this.units / Math.max(Math.floor(width / size), 1));
        // The last row is about as long as the others; few units are no larger than others.
        this.columns = rows > 1 ? Math.ceil(this.units / rows) : Math.floor(width / size);
        const { canvas } = this;
        const cell = Math.max(Math.floor((width * devicePixelRatio) / this.columns), 2);
        [canvas.width, canvas.height] = [cell * this.columns, cell * rows];
        const context = canvas.getContext("2d");
        const [mix, most] = [palette(), this.most()];
        for (let unit = 0; unit < this.units; unit++) {
            const [x, y] = [(unit % this.columns) * cell, Math.floor(unit / this.columns) * cell];
            context.fillStyle = `rgb(${mix((this.values?.[unit] ?? 0) / most)})`;
            context.fillRect(x, y, cell - 1, cell - 1);
        }
        if (this.unit !== null) {
            const style = getComputedStyle(this.strip);
            const [x, y] = [this.unit % this.columns, Math.floor(this.unit / this.columns)];
            context.strokeStyle = style.color;
            context.lineWidth = 2;
            context.strokeRect(x * cell + 0.5, y * cell + 0.5, cell - 2, cell - 2);
        }
    }
}
