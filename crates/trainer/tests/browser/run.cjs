// Drives an exported page, or a served one, in Chromium as a person does.
//
//   node run.cjs FOLDER [PICTURE]
//
// FOLDER has digits.html and rows.html, the pages of two models; digit.jpg and digit.json, a
// picture and what `trainer predict --json` says of it; and, where a server was started,
// served.txt with its address. With PICTURE, the picture of the documents is written there.
"use strict";
const assert = require("assert");
const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");
const puppeteer = require("puppeteer-core");

const [folder, picture] = process.argv.slice(2);
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const page_of = (name) => pathToFileURL(path.resolve(folder, name)).href;

// Points of a digit, from 0 to 1 on both sides of the pad.
const SEVEN = [[0.28, 0.2], [0.7, 0.2], [0.55, 0.48], [0.45, 0.82]];
const TWO = [
    [0.3, 0.32], [0.36, 0.22], [0.5, 0.18], [0.64, 0.24], [0.67, 0.38], [0.58, 0.52],
    [0.44, 0.66], [0.3, 0.8], [0.46, 0.79], [0.72, 0.79],
];

// What the page must not do: a note for each.
let faults = [];

async function open(browser, address, { width = 1280, scheme = "light", touch = false } = {}) {
    const page = await browser.newPage();
    page.on("console", (message) => faults.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
    page.on("request", (request) => {
        const url = request.url();
        const own = url.startsWith("data:") || url.startsWith("blob:") || url === address;
        const api = address.startsWith("http:") && url.startsWith(`${address}api/`);
        if (!own && !api) faults.push(`a request: ${url}`);
    });
    await page.setViewport({ width, height: 900, hasTouch: touch, isMobile: touch });
    await page.emulateMediaFeatures([
        { name: "prefers-color-scheme", value: scheme },
        { name: "prefers-reduced-motion", value: "reduce" },
    ]);
    await page.goto(address);
    await page.waitForSelector("#input > *");
    return page;
}

const text = (page, selector) => page.$eval(selector, (element) => element.textContent);

// Waits until `selector` has a text that `wanted`, a regular expression, matches.
async function says(page, selector, wanted) {
    try {
        await page.waitForFunction(
            (selector, wanted) =>
                new RegExp(wanted).test(document.querySelector(selector).textContent),
            { timeout: 10000 },
            selector,
            wanted.source,
        );
    } catch {
        assert.fail(`${selector} says “${await text(page, selector)}”, expected ${wanted}`);
    }
}

async function points(page, of) {
    const box = await (await page.$("#pad")).boundingBox();
    return of.map(([x, y]) => [box.x + box.width * x, box.y + box.height * y]);
}

async function draw(page, of, steps = 5) {
    const [first, ...rest] = await points(page, of);
    await page.mouse.move(...first);
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...point, { steps });
    await page.mouse.up();
}

async function byMouse(browser, address) {
    const page = await open(browser, address);
    await says(page, "#said", /^–$/);
    await draw(page, SEVEN);
    await says(page, "#said", /^7$/);
    await says(page, "#spoken", /^7, \d/);
    await says(page, "#how-sure", /^\d+\.\d %/);
    const bars = await page.$$eval("#bars li", (all) => all.map((item) => item.textContent));
    assert.strictEqual(bars.length, 10);
    assert.match(bars[7], /^7\d+\.\d %$/);
    const [ink, sum] = await page.$eval("#image", (canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const grey = data.filter((_, at) => at % 4 === 0);
        return [grey.filter((value) => value > 127).length, canvas.width * canvas.height];
    });
    assert.ok(ink > 40 && ink < 250 && sum === 784, `${ink} of ${sum} pixels are ink`);
    assert.match(await text(page, ".layer .read"), /^Now \d+ of \d+ are loud\.$/);

    // A unit under the pointer.
    await (await page.$(".strip")).hover();
    await says(page, ".side .read", /^Unit \d+: −?\d/);
    // Back to nothing, and again.
    await page.click("#undo");
    await says(page, "#said", /^–$/);
    await draw(page, TWO);
    await says(page, "#said", /^2$/);
    await page.click("#clear");
    await says(page, "#said", /^–$/);
    assert.ok(await page.$eval("#clear", (button) => button.disabled));
    await page.click("#undo");
    await says(page, "#said", /^2$/);
    await page.close();
}

async function byKeys(browser, address) {
    const page = await open(browser, address);
    const at = () => page.evaluate(() => document.activeElement.id || document.activeElement.role);
    const press = async (key, times = 1) => {
        for (let i = 0; i < times; i++) await page.keyboard.press(key);
    };
    await press("Tab");
    assert.strictEqual(await at(), "pad");
    await press("ArrowUp", 10);
    await press("Space");
    await says(page, "#pad-said", /^Pen down at row 4, column 14\.$/);
    await press("ArrowDown", 20);
    await press("Space");
    await says(page, "#pad-said", /^Pen up\.$/);
    await says(page, "#said", /^1$/);
    // What it lifted does not draw. The answer to the last step may still be on its way.
    await page.waitForNetworkIdle({ idleTime: 300 });
    const before = await text(page, "#how-sure");
    await press("ArrowRight", 5);
    await page.waitForNetworkIdle({ idleTime: 300 });
    assert.strictEqual(await text(page, "#how-sure"), before);

    await press("Tab");
    assert.strictEqual(await at(), "undo");
    await press("Tab", 3);
    assert.strictEqual(await at(), "slider");
    await press("ArrowRight", 3);
    await says(page, ".side .read", /^Unit 3: /);
    const value = await page.$eval(".strip", (strip) => strip.getAttribute("aria-valuetext"));
    assert.match(value, /^Unit 3: −?\d/);
    await page.keyboard.down("Shift");
    await press("Tab", 4);
    await page.keyboard.up("Shift");
    assert.strictEqual(await at(), "pad");
    await press("c");
    await says(page, "#said", /^–$/);
    await press("z");
    await says(page, "#said", /^1$/);
    await page.close();
}

async function byFinger(browser, address) {
    const page = await open(browser, address, { width: 400, touch: true });
    const [first, ...rest] = await points(page, SEVEN);
    await page.touchscreen.touchStart(...first);
    let [x, y] = first;
    for (const [toX, toY] of rest) {
        for (let i = 1; i <= 8; i++) {
            await page.touchscreen.touchMove(x + ((toX - x) * i) / 8, y + ((toY - y) * i) / 8);
        }
        [x, y] = [toX, toY];
    }
    await page.touchscreen.touchEnd();
    await says(page, "#said", /^7$/);
    assert.strictEqual(await page.evaluate(() => scrollY), 0, "a finger scrolls while it draws");
    await page.close();
}

async function byPicture(browser, address) {
    const page = await open(browser, address);
    const expected = JSON.parse(fs.readFileSync(path.join(folder, "digit.json"), "utf8"));
    const close = async () => {
        await says(page, "#said", new RegExp(`^${expected.class}$`));
        const found = parseFloat(await text(page, "#how-sure")) / 100;
        // Another decoder of JPEG.
        assert.ok(Math.abs(found - expected.probability) < 0.02, `${found}`);
    };
    await (await page.$("#file")).uploadFile(path.join(folder, "digit.jpg"));
    await close();
    await page.click("#clear");
    await says(page, "#said", /^–$/);

    const bytes = fs.readFileSync(path.join(folder, "digit.jpg")).toString("base64");
    const drop = (bytes, name, type) =>
        page.evaluate(
            (bytes, name, type) => {
                const data = new DataTransfer();
                const all = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
                data.items.add(new File([all], name, { type }));
                const event = { dataTransfer: data, bubbles: true, cancelable: true };
                document.getElementById("pad").dispatchEvent(new DragEvent("drop", event));
            },
            bytes,
            name,
            type,
        );
    await drop(bytes, "digit.jpg", "image/jpeg");
    await close();
    await drop(Buffer.from("no picture").toString("base64"), "a.png", "image/png");
    await says(page, "#trouble", /^a\.png: this is no picture/);
    // A drawing takes the place of a picture.
    await draw(page, SEVEN);
    await says(page, "#said", /^7$/);
    await says(page, "#trouble", /^$/);
    await page.close();
}

async function byRow(browser, address) {
    const page = await open(browser, address);
    await says(page, "#said", /^versicolor$/);
    const set = async (label, value) => {
        const field = await page.waitForSelector(`aria/${label}[role="spinbutton"]`);
        await field.click({ count: 3 });
        await page.keyboard.press("Backspace");
        await page.keyboard.type(value);
    };
    await set("petal length", "1.4");
    await set("petal width", "0.2");
    await says(page, "#said", /^setosa$/);
    await set("petal length", "6.5");
    await set("petal width", "2.4");
    await says(page, "#said", /^virginica$/);
    // Missing is another value.
    const before = (await text(page, "#how-sure")).replaceAll(".", "\\.");
    await set("petal width", "");
    await says(page, "#how-sure", new RegExp(`^(?!${before}$).*%`));
    await page.click("#reset");
    await says(page, "#said", /^versicolor$/);
    await page.close();
}

// An accessibility checker, empty and with an answer, at two widths, in light and in dark.
async function checked(browser, address, drawing) {
    for (const width of [400, 1280]) {
        for (const scheme of ["light", "dark"]) {
            const page = await open(browser, address, { width, scheme });
            const check = async (what) => {
                const { violations } = await page.evaluate(`${AXE}; axe.run()`);
                const found = violations.map(
                    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html)}`,
                );
                assert.deepStrictEqual(found, [], `axe, ${what}, ${width} pixels, ${scheme}`);
                const wide = await page.evaluate(() => document.documentElement.scrollWidth);
                assert.ok(wide <= width, `${wide} pixels are wider than ${width}`);
            };
            await check("empty");
            if (drawing) {
                await draw(page, SEVEN);
                await says(page, "#said", /^7$/);
                await check("with an answer");
            }
            await page.close();
        }
    }
}

// Points of a curve through the points of a hand (Catmull and Rom 1974).
function smooth(points) {
    const at = (i) => points[Math.min(Math.max(i, 0), points.length - 1)];
    return points.slice(1).flatMap((_, i) =>
        [0.2, 0.4, 0.6, 0.8, 1].map((t) =>
            [0, 1].map((axis) => {
                const [a, b, c, d] = [-1, 0, 1, 2].map((step) => at(i + step)[axis]);
                const cubic = 3 * (b - c) + d - a;
                return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * cubic));
            }),
        ),
    );
}

async function shot(browser, address) {
    const page = await open(browser, address);
    await page.setViewport({ width: 1280, height: 860 });
    await draw(page, smooth(TWO), 1);
    await says(page, "#said", /^2$/);
    await page.mouse.move(0, 0);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewport({ width: 1280, height });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await page.screenshot({ path: picture });
    await page.close();
}

async function main() {
    const browser = await puppeteer.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
        args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"],
    });
    const served = path.join(folder, "served.txt");
    const digits = [page_of("digits.html")];
    if (fs.existsSync(served)) digits.push(fs.readFileSync(served, "utf8").split("\n")[0]);
    const rows = page_of("rows.html");
    const steps = [[byRow, rows], [checked, rows, false]];
    for (const address of digits) {
        for (const step of [byMouse, byKeys, byFinger, byPicture]) steps.push([step, address]);
        steps.push([checked, address, true]);
    }
    if (picture) steps.push([shot, digits[0]]);
    try {
        for (const [step, address, ...rest] of steps) {
            faults = [];
            await step(browser, address, ...rest);
            assert.deepStrictEqual(faults, [], step.name);
            console.log(`${step.name}: ${path.basename(address) || address}`);
        }
    } finally {
        await browser.close();
    }
}

main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
