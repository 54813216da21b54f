// The page: what is asked, who answers, and what is shown. Who answers is all that differs
// between a page that `trainer serve` gives and one that stands alone.

// The network in this page.
class Alone {
    constructor(data) {
        this.model = new Network.Model(data);
        this.weights = this.model.layers[0];
        this.form = data.form;
        this.where = "computed in this page";
    }

    async card() {
        return this.model.data.card;
    }

    async ask(question) {
        const { model } = this;
        if (question.row) return model.predict(model.row(question.row));
        if (question.features) return model.predict(Float32Array.from(question.features));
        const seen = model.picture(question.picture);
        if (!seen) throw new Error("nothing stands out from the paper: draw or choose a digit");
        return { ...model.predict(seen.features), image: seen.image };
    }
}

// The server that this page came from.
class Server {
    constructor() {
        this.where = `computed by ${location.host}`;
        this.weights = null;
    }

    async fetch(path, options) {
        let response;
        try {
            response = await fetch(path, options);
        } catch {
            throw new Error("the server does not answer: is trainer serve still running?");
        }
        const answer = await response.json().catch(() => null);
        if (!response.ok || !answer) {
            throw new Error(answer?.error ?? `the server answers ${response.status}`);
        }
        return answer;
    }

    card() {
        return this.fetch("api/model");
    }

    async ask(question) {
        const post = (type, body) =>
            this.fetch("api/predict?layers=1", {
                method: "POST",
                headers: { "Content-Type": type },
                body,
            });
        const { row, features, picture } = question;
        if (row) return post("application/json", JSON.stringify({ rows: [row] }));
        if (features) return post("application/json", JSON.stringify({ rows: [features] }));
        return post("image/png", await png(picture));
    }
}

function png({ rows, cols, values }) {
    const image = new ImageData(cols, rows);
    values.forEach((grey, at) => image.data.set([grey, grey, grey, 255], 4 * at));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [cols, rows];
    canvas.getContext("2d").putImageData(image, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

// A file as grey levels. Of a large one the browser makes a smaller picture first.
async function decoded(file) {
    let bitmap;
    try {
        bitmap = await createImageBitmap(file);
    } catch {
        const name = file.name ? `${file.name}: ` : "";
        throw new Error(`${name}this is no picture that your browser reads: choose a PNG or JPEG`);
    }
    const scale = Math.min(1, 1600 / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [bitmap.width, bitmap.height].map((side) =>
        Math.max(Math.round(side * scale), 1),
    );
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, width, height);
    return Pictures.grey(context.getImageData(0, 0, width, height));
}

// Asks one question at a time, the newest next, at most one a frame. Answers to a drawing that
// is no more there are dropped.
class Asker {
    constructor(server, question, show) {
        Object.assign(this, { server, question, show, waiting: false, busy: false, age: 0 });
    }

    changed(fresh) {
        if (fresh) this.age++;
        this.waiting = true;
        if (!this.busy) this.next();
    }

    async next() {
        this.busy = true;
        while (this.waiting) {
            await new Promise(requestAnimationFrame);
            this.waiting = false;
            const age = this.age;
            const question = this.question();
            let [answer, trouble] = [null, null];
            try {
                if (question) answer = await this.server.ask(question);
            } catch (error) {
                trouble = error.message;
            }
            if (age === this.age) this.show(answer, trouble);
        }
        this.busy = false;
    }
}

const by = (id) => document.getElementById(id);
const percent = (part) => `${(100 * part).toFixed(1)} %`;

// The bars, the words and the image of an answer.
class Answer {
    // More classes than these are not shown all.
    static MOST = 12;

    constructor(card) {
        this.card = card;
        const { input, classes, task } = card;
        this.count = Math.min(classes?.length ?? 0, Answer.MOST);
        by("answer").classList.toggle("brief", this.count < 4);
        by("bars").hidden = this.count === 0;
        const long = (classes ?? []).some((name) => name.length > 3);
        by("bars").classList.toggle("wide", long);
        by("said").classList.toggle("long", long || task === "labels");
        if (input.kind === "image") {
            by("seen").hidden = false;
            [by("image").width, by("image").height] = [input.width, input.height];
            by("image").style.aspectRatio = `${input.width} / ${input.height}`;
            const how = input.deskew ? "upright and centred" : input.centred ? "cut out and centred" : "scaled";
            by("seen-caption").textContent =
                `What the network sees: ${input.width} × ${input.height} pixels, ${how}`;
            this.image(null);
        }
        for (let i = 0; i < this.count; i++) by("bars").append(bar());
        this.show(null, null);
    }

    show(answer, trouble) {
        this.trouble(trouble);
        const prediction = answer?.predictions[0] ?? null;
        if (answer?.image || this.card.input.kind === "image") this.image(answer?.image ?? null);
        if (prediction && "value" in prediction) this.value(prediction.value);
        else this.classes(prediction);
    }

    trouble(text) {
        by("trouble").hidden = !text;
        if (by("trouble").textContent !== (text ?? "")) by("trouble").textContent = text ?? "";
    }

    value(value) {
        const { input } = this.card;
        const words = [value].flat().map((value) => String(Number(value.toPrecision(5))));
        by("said").textContent = words.join("  ").replaceAll("-", "−");
        by("how-sure").textContent = input.target ?? "";
        this.speak(`${input.target ?? "The value"}: ${words.join(", ")}`);
    }

    classes(prediction) {
        const { classes, task } = this.card;
        const ranked = [...(prediction?.probabilities ?? [])];
        ranked.sort((a, b) => b.probability - a.probability);
        const share = new Map(ranked.map((each) => [each.class, each.probability]));
        // A few stay in their order, so that bars move and names do not.
        const all = (classes ?? []).length <= Answer.MOST;
        const shown = all ? (classes ?? []) : ranked.map((each) => each.class);
        [...by("bars").children].forEach((item, at) => {
            const name = shown[at] ?? (all ? "" : classes[at]);
            fill(item, name, share.get(name) ?? (prediction ? 0 : null), name === prediction?.class);
        });
        const rest = (classes ?? []).length - this.count;
        by("rest").hidden = rest <= 0;
        by("rest").textContent = `and ${rest} other classes`;
        if (!prediction) {
            by("said").textContent = "–";
            by("how-sure").textContent = "";
            return this.speak("");
        }
        if (task === "labels") {
            const on = ranked.filter((each) => each.probability >= 0.5).map((each) => each.class);
            by("said").textContent = on.join(", ") || "none";
            by("how-sure").textContent = "the labels with at least 50 %";
            return this.speak(`Labels: ${on.join(", ") || "none"}`);
        }
        const second = ranked[1];
        by("said").textContent = prediction.class;
        by("how-sure").textContent =
            percent(prediction.probability) +
            (second?.probability > 5e-4 ? `, then ${second.class} with ${percent(second.probability)}` : "");
        this.speak(`${prediction.class}, ${percent(prediction.probability)}`);
    }

    // Readers hear an answer when it stays.
    speak(text) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
            if (by("spoken").textContent !== text) by("spoken").textContent = text;
        }, 500);
    }

    image(bytes) {
        const canvas = by("image");
        const context = canvas.getContext("2d");
        if (!bytes) {
            context.fillStyle = this.card.input.ink === "dark-on-light" ? "#fff" : "#000";
            context.fillRect(0, 0, canvas.width, canvas.height);
            return;
        }
        const image = new ImageData(canvas.width, canvas.height);
        bytes.forEach((grey, at) => image.data.set([grey, grey, grey, 255], 4 * at));
        context.putImageData(image, 0, 0);
    }
}

function bar() {
    const item = document.createElement("li");
    for (const name of ["name", "track", "share"]) {
        const part = item.appendChild(document.createElement("span"));
        part.className = name;
    }
    item.children[1].append(document.createElement("i"));
    item.children[1].setAttribute("aria-hidden", "true");
    return item;
}

function fill(item, name, part, top) {
    const [label, track, share] = item.children;
    if (label.textContent !== name) {
        label.textContent = name;
        label.title = name;
    }
    track.firstChild.style.transform = `scaleX(${part ?? 0})`;
    share.textContent = part === null ? "" : percent(part);
    item.classList.toggle("top", top);
}

// The question of each kind of input: a function that gives it, or null where there is none.
function imageQuestion(card, asker, answer) {
    const { width, height, ink } = card.input;
    const size = { rows: height, cols: width, darkInk: ink === "dark-on-light" };
    const digits = isDigits(card);
    const hint = digits ? "Draw a digit here" : "Draw here, or drop a picture";
    const pad = new Pad(size, hint, (fresh) => asker.changed(fresh));
    let age = 0;
    const open = async (file) => {
        const own = ++age;
        try {
            const picture = await decoded(file);
            if (own === age) pad.show(picture);
        } catch (error) {
            answer.trouble(error.message);
        }
    };
    by("file").addEventListener("change", (event) => {
        if (event.target.files.length > 0) open(event.target.files[0]);
        event.target.value = "";
    });
    const body = document.body;
    const dropping = (event, on) => {
        event.preventDefault();
        body.classList.toggle("dropping", on);
    };
    body.addEventListener("dragover", (event) => dropping(event, true));
    body.addEventListener("dragleave", (event) => dropping(event, false));
    body.addEventListener("drop", (event) => {
        dropping(event, false);
        if (event.dataTransfer.files.length > 0) open(event.dataTransfer.files[0]);
    });
    document.addEventListener("paste", (event) => {
        const file = [...event.clipboardData.files][0];
        if (file) open(file);
    });
    return () => (pad.empty ? null : { picture: pad.picture });
}

function isDigits({ classes, input }) {
    return input.centred && classes?.length === 10 && classes.every((name, i) => name === String(i));
}

function titles(card, where) {
    const { input, name } = card;
    const title = {
        image: isDigits(card) ? "Draw a digit" : "Draw, or drop a picture",
        table: input.target ? `Predict ${input.target}` : "Predict",
        features: "Ask the network",
    }[input.kind];
    by("title").textContent = title;
    by("question-title").textContent = { image: "Your drawing", table: "A row", features: "Features" }[input.kind];
    const parameters = card.parameters.toLocaleString("en-US");
    const shape = card.layers.join("–");
    by("about").textContent =
        `${name} · ${shape}, ${card.activation} · ${parameters} parameters · ${where}`;
    document.title = `${title} – ${name}`;
}

async function start() {
    const data = by("model");
    const server = data ? new Alone(JSON.parse(data.textContent)) : new Server();
    let card;
    try {
        card = await server.card();
    } catch (error) {
        by("trouble").hidden = false;
        by("trouble").textContent = error.message;
        return;
    }
    const { input } = card;
    titles(card, server.where);
    document.body.classList.toggle("of-table", input.kind !== "image");
    const template = { image: "drawing", table: "form", features: "features" }[input.kind];
    by("input").append(by(template).content.cloneNode(true));

    const answer = new Answer(card);
    const form = input.kind === "image" ? { rows: input.height, cols: input.width } : null;
    const inside = new Inside(card, server.weights, form);
    const asker = new Asker(server, null, (found, trouble) => {
        answer.show(found, trouble);
        inside.show(found?.layers ?? null);
    });
    const changed = (fresh) => asker.changed(fresh);
    if (input.kind === "image") {
        asker.question = imageQuestion(card, asker, answer);
    } else if (input.kind === "table") {
        const row = new RowForm(input, changed);
        asker.question = () => row.row && { row: row.row };
    } else {
        const numbers = new FeaturesForm(input, changed);
        asker.question = () => {
            const { features } = numbers;
            return features && { features };
        };
    }
    asker.changed(true);
}

start();
