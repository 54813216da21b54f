// What the form of a page says, and its legend, under node without the page.
//
//   node words.cjs FOLDER        FOLDER has the scripts of the page
"use strict";
const assert = require("assert");
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const context = vm.createContext({});
for (const name of ["form.js", "inside.js"]) {
    vm.runInContext(fs.readFileSync(path.join(process.argv[2], name), "utf8"), context);
}
const { usual, canBeNegative } = context;

// A width of petals, of which two deviations below the mean are no width.
const petals = { mean: 1.2, deviation: 0.76, min: null, max: null };
assert.strictEqual(usual(petals, 0.1), "around 1.2 ± 0.8");
assert.strictEqual(usual({ ...petals, mean: -0.5 }, 0.1), "around −0.5 ± 0.8");
assert.strictEqual(usual({ ...petals, min: -1, max: 2.5 }, 0.1), "from −1.0 to 2.5");

for (const activation of ["relu", "sigmoid"]) assert.ok(!canBeNegative(activation), activation);
for (const activation of ["tanh", "leaky-relu", "elu", "gelu", "silu", "maxout:2"]) {
    assert.ok(canBeNegative(activation), activation);
}
