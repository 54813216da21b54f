// Runs the network of an exported page under node, without its page.
//
//   node ask.cjs PAGE < questions        a line of JSON for each: the answer to it
//   node ask.cjs PAGE IMAGES             CSV of the images of an IDX file: class, probability
"use strict";
const fs = require("fs");
const vm = require("vm");

const page = fs.readFileSync(process.argv[2], "utf8");
const part = (type) => page.split(`<script type="${type}">`)[1].split("</script>")[0];
const context = vm.createContext({ atob });
vm.runInContext(part("text/javascript"), context);
const text = part('application/json" id="model');
const model = vm.runInContext("(text) => new Network.Model(JSON.parse(text))", context)(text);

function answer(question) {
    if (question.row) return model.predict(model.row(question.row));
    if (question.features) return model.predict(Float32Array.from(question.features));
    const seen = question.picture
        ? model.picture(question.picture)
        : model.image(Float32Array.from(question.image));
    return seen && { ...model.predict(seen.features), image: seen.image };
}

const lines = [];
if (process.argv[3]) {
    const bytes = fs.readFileSync(process.argv[3]);
    const [rows, cols] = [bytes.readUInt32BE(8), bytes.readUInt32BE(12)];
    for (let at = 16; at < bytes.length; at += rows * cols) {
        const { predictions } = answer({ image: bytes.subarray(at, at + rows * cols) });
        lines.push(`${predictions[0].class},${predictions[0].probability}`);
    }
} else {
    for (const line of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
        lines.push(JSON.stringify(answer(JSON.parse(line))));
    }
}
console.log(lines.join("\n"));
