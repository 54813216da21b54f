// The drawing area: strokes by mouse, finger, pen or keys, or a picture from a file. It keeps
// what was drawn as lists of points, and the ink of them as the pixels that the network is asked
// about. `changed` is called after each change, with true where the drawing is a new one.
class Pad {
    // The longer side of the ink, in pixels, and the width of the pen as a part of it. MNIST's
    // strokes are about that wide.
    static SIDE = 280;
    static PEN = 1 / 13;
    // The steps of the cursor on a side.
    static STEPS = 28;

    constructor({ rows, cols, darkInk }, hint, changed) {
        const scale = Pad.SIDE / Math.max(rows, cols);
        this.rows = Math.max(Math.round(rows * scale), 1);
        this.cols = Math.max(Math.round(cols * scale), 1);
        this.darkInk = darkInk;
        this.changed = changed;
        this.radius = (Pad.SIDE * Pad.PEN) / 2;
        // What undo goes back to, the last of it what is on the pad.
        this.states = [];
        this.cursor = [this.cols / 2, this.rows / 2];
        this.penDown = false;
        this.keys = new Set();
        this.element = document.getElementById("pad");
        this.canvas = document.getElementById("paper");
        this.hint = document.getElementById("pad-hint");
        this.hint.textContent = hint;
        this.element.style.aspectRatio = `${this.cols} / ${this.rows}`;
        this.clearInk();
        this.listen();
        this.draw();
    }

    get state() {
        return this.states.at(-1) ?? { strokes: [], picture: null };
    }

    get empty() {
        return this.state.strokes.length === 0 && !this.state.picture;
    }

    // The picture on the pad: grey levels.
    get picture() {
        const { picture } = this.state;
        if (picture) return picture;
        const ink = { rows: this.rows, cols: this.cols, values: this.ink.values };
        return this.darkInk ? Pictures.inverted(ink) : ink;
    }

    clearInk() {
        const { rows, cols } = this;
        this.ink = { rows, cols, values: new Uint8Array(rows * cols) };
    }

    // What is drawn after a picture takes its place.
    begin(point) {
        const { strokes, picture } = this.state;
        if (picture) this.clearInk();
        this.states.push({ strokes: [...(picture ? [] : strokes), [point]], picture: null });
        Pictures.line(this.ink, point, point, this.radius);
        this.update(picture !== null);
    }

    extend(point) {
        const stroke = this.state.strokes.at(-1);
        Pictures.line(this.ink, stroke.at(-1), point, this.radius);
        stroke.push(point);
        this.update(false);
    }

    show(picture) {
        this.lift();
        this.states.push({ strokes: [], picture });
        this.clearInk();
        this.update(true);
    }

    undo() {
        if (this.states.length === 0) return;
        this.lift();
        this.states.pop();
        this.clearInk();
        for (const stroke of this.state.strokes) {
            stroke.forEach((point, i) =>
                Pictures.line(this.ink, stroke[Math.max(i - 1, 0)], point, this.radius),
            );
        }
        this.update(true);
    }

    clear() {
        this.lift();
        if (this.empty) return;
        this.states.push({ strokes: [], picture: null });
        this.clearInk();
        this.update(true);
    }

    update(fresh) {
        document.getElementById("undo").disabled = this.states.length === 0;
        document.getElementById("clear").disabled = this.empty;
        this.draw();
        this.changed(fresh);
    }

    say(text) {
        document.getElementById("pad-said").textContent = text;
    }

    lift() {
        if (this.penDown) this.say("Pen up.");
        this.penDown = false;
        this.pointer = null;
    }

    listen() {
        const pad = this.element;
        const points = (event) => {
            const box = this.canvas.getBoundingClientRect();
            const all = event.getCoalescedEvents?.() ?? [];
            return (all.length > 0 ? all : [event]).map(({ clientX, clientY }) => [
                ((clientX - box.left) / box.width) * this.cols,
                ((clientY - box.top) / box.height) * this.rows,
            ]);
        };
        pad.addEventListener("pointerdown", (event) => {
            if (event.button !== 0 || this.pointer != null) return;
            event.preventDefault();
            pad.focus({ preventScroll: true });
            this.lift();
            pad.setPointerCapture(event.pointerId);
            this.pointer = event.pointerId;
            this.keyboard = false;
            pad.classList.add("pointed");
            this.begin(points(event).at(-1));
        });
        pad.addEventListener("pointermove", (event) => {
            if (event.pointerId !== this.pointer) return;
            for (const point of points(event)) this.extend(point);
        });
        for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
            pad.addEventListener(end, (event) => {
                if (event.pointerId === this.pointer) this.pointer = null;
            });
        }
        pad.addEventListener("keydown", (event) => this.key(event));
        pad.addEventListener("keyup", (event) => this.keys.delete(event.key));
        pad.addEventListener("focus", () => {
            this.keyboard = pad.matches(":focus-visible");
            this.draw();
        });
        pad.addEventListener("blur", () => {
            this.keys.clear();
            this.lift();
            this.keyboard = false;
            pad.classList.remove("pointed");
            this.draw();
        });
        document.getElementById("undo").addEventListener("click", () => this.undo());
        document.getElementById("clear").addEventListener("click", () => this.clear());
        new ResizeObserver(() => this.draw()).observe(pad);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    }

    key(event) {
        if (event.altKey || event.metaKey) return;
        const undo = event.key === "z" || event.key === "Z" || event.key === "Backspace";
        if (event.ctrlKey && event.key !== "z") return;
        if (event.key.startsWith("Arrow")) {
            this.keys.add(event.key);
            this.move(event.shiftKey ? 4 : 1);
        } else if (event.key === " " || event.key === "Enter") {
            if (event.repeat) return;
            this.toggle();
        } else if (undo) {
            this.undo();
        } else if (event.key === "c" || event.key === "C" || event.key === "Delete") {
            this.clear();
        } else if (event.key === "Escape") {
            this.lift();
        } else {
            return;
        }
        event.preventDefault();
        this.keyboard = true;
        this.element.classList.remove("pointed");
        this.draw();
    }

    // Two arrows at a time go aslant.
    move(steps) {
        const step = (steps * Pad.SIDE) / Pad.STEPS;
        const way = (more, less) => this.keys.has(more) - this.keys.has(less);
        const within = (at, most) => Math.min(Math.max(at, 0), most);
        this.cursor = [
            within(this.cursor[0] + step * way("ArrowRight", "ArrowLeft"), this.cols),
            within(this.cursor[1] + step * way("ArrowDown", "ArrowUp"), this.rows),
        ];
        if (this.penDown) this.extend([...this.cursor]);
    }

    toggle() {
        if (this.penDown) return this.lift();
        this.begin([...this.cursor]);
        this.penDown = true;
        const step = Pad.SIDE / Pad.STEPS;
        const [column, row] = this.cursor.map((at) => Math.round(at / step));
        this.say(`Pen down at row ${row}, column ${column}.`);
    }

    // Points come faster than frames.
    draw() {
        this.frame ??= requestAnimationFrame(() => {
            this.frame = null;
            this.paint();
        });
    }

    // What a person sees, in the colours of the page.
    paint() {
        const width = this.element.clientWidth;
        if (width === 0) return;
        const scale = (width * devicePixelRatio) / this.cols;
        const { canvas } = this;
        canvas.width = Math.round(this.cols * scale);
        canvas.height = Math.round(this.rows * scale);
        const context = canvas.getContext("2d");
        context.scale(scale, scale);
        const { strokes, picture } = this.state;
        const colours = getComputedStyle(this.element);
        this.hint.hidden = !this.empty || this.keyboard;
        if (picture) this.drawPicture(context, picture);
        context.strokeStyle = colours.color;
        context.lineWidth = 2 * this.radius;
        context.lineCap = context.lineJoin = "round";
        for (const stroke of strokes) {
            context.beginPath();
            context.moveTo(...stroke[0]);
            for (const point of stroke) context.lineTo(...point);
            context.stroke();
        }
        if (this.keyboard) this.drawCursor(context, colours);
    }

    drawPicture(context, { rows, cols, values }) {
        const image = new ImageData(cols, rows);
        values.forEach((grey, at) => image.data.set([grey, grey, grey, 255], 4 * at));
        const own = document.createElement("canvas");
        [own.width, own.height] = [cols, rows];
        own.getContext("2d").putImageData(image, 0, 0);
        const scale = Math.min(this.cols / cols, this.rows / rows);
        const [width, height] = [cols * scale, rows * scale];
        context.imageSmoothingEnabled = scale < 2;
        context.drawImage(own, (this.cols - width) / 2, (this.rows - height) / 2, width, height);
    }

    drawCursor(context, colours) {
        const accent = colours.getPropertyValue("--accent");
        const [x, y] = this.cursor;
        context.lineWidth = 2;
        context.strokeStyle = colours.getPropertyValue("--card");
        context.fillStyle = accent;
        context.beginPath();
        context.arc(x, y, this.penDown ? this.radius : this.radius * 0.7, 0, 7);
        if (this.penDown) context.fill();
        context.lineWidth = 5;
        context.stroke();
        context.strokeStyle = accent;
        context.lineWidth = 2.5;
        context.stroke();
    }
}
