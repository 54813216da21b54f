// The row of a table, or the features of a network that does not say what they are.
class RowForm {
    constructor(input, changed) {
        this.input = input;
        this.changed = changed;
        this.form = document.getElementById("row");
        this.fields = input.columns.map((column, at) => new Field(column, at, changed));
        document.getElementById("fields").append(...this.fields.map((field) => field.element));
        this.form.addEventListener("submit", (event) => event.preventDefault());
        this.form.addEventListener("reset", (event) => {
            event.preventDefault();
            this.fields.forEach((field) => field.reset());
            changed(true);
        });
    }

    // An object with a cell for each column, null where it is missing; or null where a field
    // has no number.
    get row() {
        // Without a prototype, because a column may have any name.
        const row = Object.create(null);
        for (const field of this.fields) {
            const cell = field.cell;
            if (cell === undefined) return null;
            row[field.column.name] = cell;
        }
        return row;
    }
}

// A number with few digits, near enough for a field to start with.
function rounded(value, step) {
    const digits = Math.min(Math.max(-Math.floor(Math.log10(step)), 0), 20);
    return (Math.round(value / step) * step).toFixed(digits);
}

// What a number mostly is. Where its ends are not known none are said: two deviations below the
// mean may be a number that cannot be.
function usual({ mean, deviation, min, max }, step) {
    const text = (value) => rounded(value, step).replace("-", "−");
    if (min == null || max == null) return `around ${text(mean)} ± ${text(deviation)}`;
    return `from ${text(min)} to ${text(max)}`;
}

class Field {
    constructor(column, at, changed) {
        this.column = column;
        this.element = document.createElement("div");
        this.element.className = "field";
        const label = document.createElement("label");
        label.htmlFor = `field-${at}`;
        label.textContent = column.name;
        this.element.append(label);
        if (column.kind === "category") this.category(column);
        else this.number(column, at, changed);
        this.control.id = label.htmlFor;
        this.control.addEventListener("input", () => {
            this.follow();
            changed(false);
        });
        this.reset();
    }

    category(column) {
        this.control = this.element.appendChild(document.createElement("select"));
        column.categories.forEach((value, at) => this.control.add(new Option(value, String(at))));
        this.control.add(new Option("(missing)", ""));
    }

    number(column, at, changed) {
        const { mean, deviation, min, max } = column;
        const range = [min ?? mean - 3 * deviation, max ?? mean + 3 * deviation];
        // A hundred steps or a few more, of 1, 0.1, 0.01 …
        const size = Math.max(range[1] - range[0], 1e-30);
        this.step = 10 ** Math.floor(Math.log10(size / 40));
        this.control = this.element.appendChild(document.createElement("input"));
        Object.assign(this.control, { type: "number", inputMode: "decimal", step: this.step });
        // For a pointer alone: keys and readers have the field.
        this.slider = this.element.appendChild(document.createElement("input"));
        Object.assign(this.slider, { type: "range", tabIndex: -1, step: "any" });
        [this.slider.min, this.slider.max] = range.map(String);
        this.slider.setAttribute("aria-hidden", "true");
        this.slider.addEventListener("input", () => {
            this.control.value = rounded(this.slider.valueAsNumber, this.step);
            this.follow();
            changed(false);
        });
        const hint = this.element.appendChild(document.createElement("div"));
        hint.className = "quiet";
        hint.id = `hint-${at}`;
        hint.textContent = usual(column, this.step);
        this.control.setAttribute("aria-describedby", hint.id);
    }

    reset() {
        if (this.slider) this.control.value = rounded(this.column.mean, this.step);
        else this.control.selectedIndex = 0;
        this.follow();
    }

    follow() {
        if (!this.slider) return;
        const number = this.control.valueAsNumber;
        this.slider.value = String(Number.isNaN(number) ? this.column.mean : number);
        this.control.setAttribute("aria-invalid", String(this.cell === undefined));
    }

    // `undefined` for what is no number.
    get cell() {
        const { value } = this.control;
        if (!this.slider) return value === "" ? null : this.column.categories[Number(value)];
        if (this.control.validity.badInput) return undefined;
        return value === "" ? null : Number(value);
    }
}

class FeaturesForm {
    constructor({ width }, changed) {
        this.width = width;
        this.field = document.getElementById("numbers");
        document.getElementById("features-label").textContent =
            `${width} numbers, with spaces or commas between them`;
        this.field.value = Array(width).fill("0").join(" ");
        this.field.addEventListener("input", () => changed(false));
        document.getElementById("row").addEventListener("submit", (e) => e.preventDefault());
    }

    // The numbers, or null where they are not what the network takes.
    get features() {
        const words = this.field.value.split(/[\s,;]+/).filter((word) => word !== "");
        const wrong = words.find((word) => !Number.isFinite(Number(word)));
        const right = wrong === undefined && words.length === this.width;
        this.field.setAttribute("aria-invalid", String(!right));
        document.getElementById("count").textContent =
            wrong === undefined
                ? `${words.length} of ${this.width} numbers`
                : `“${wrong}” is no number`;
        return right ? words.map(Number) : null;
    }
}
