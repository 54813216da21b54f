"""Draws what `peers/run sizes` measured, as docs/step-time.svg and docs/step-speed.svg.

    python3 benches/plot.py benches/peers/sizes.json

Needs Python's standard library alone. step-time.svg is the time of a sample over the
batch size; step-speed.svg is GFLOP/s of whole steps over the width. Each point is the
best round. The pictures have a background of their own, light or dark as the reader
prefers.
"""

import json
import math
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"

# The picture, and in it the rectangle between the axes, in pixels.
WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 590, 70, 400

# The colour of each library on a light and on a dark background.
COLOURS = {
    "trainer": ("#1f6fc4", "#58a6ff"),
    "jax": ("#c2500b", "#ff9248"),
    "torch": ("#23803c", "#56d364"),
    "torch-compiled": ("#8250df", "#bc8cff"),
    "numpy": ("#9a6700", "#e3b341"),
    "scikit-learn": ("#59636e", "#9198a1"),
    "candle": ("#bf3989", "#ff7ac6"),
    "burn": ("#cf222e", "#ff7b72"),
}
# Those of the background, the title, other text and the grid.
PAGE = ("#ffffff", "#1f2328", "#59636e", "#dfe3e8"), ("#0d1117", "#e6edf3", "#9198a1", "#2b3138")


def colours(dark, names):
    """The rules with colours. They name each colour, since few renderers know variables."""
    back, ink, soft, grid = PAGE[dark]
    rules = [f".back {{ fill: {back} }} text {{ fill: {soft} }} .title {{ fill: {ink} }}"]
    rules.append(f".grid {{ stroke: {grid} }}")
    for name in sorted(names):
        colour = COLOURS[name][dark]
        rules.append(f".{name} text, .{name} circle {{ fill: {colour} }}")
        rules.append(f".{name} polyline, .{name} circle {{ stroke: {colour} }}")
        rules.append(f".{name}.one circle {{ fill: {back} }}")
    return "\n".join(rules)


def style(names):
    """The style sheet; light unless the reader prefers dark."""
    return f"""
text {{ font: 13px system-ui, "Helvetica Neue", Arial, sans-serif }}
.title {{ font-size: 16px; font-weight: 600 }}
g text {{ font-weight: 600 }}
polyline {{ fill: none; stroke-width: 2 }} circle {{ stroke-width: 2 }}
.one polyline {{ stroke-dasharray: 5 4 }}
{colours(False, names)}
@media (prefers-color-scheme: dark) {{
{colours(True, names)}
}}
"""


@dataclass
class Series:
    """A library with a number of threads."""

    library: str
    threads: int
    points: list


def series(points, x, y):
    """The lines of a plot; x takes a point, y a point and its samples per second."""
    lines = {}
    for point in sorted(points, key=x):
        for library, speeds in point["samples_per_second"].items():
            line = lines.setdefault((library, point["threads"]), [])
            line.append((x(point), y(point, max(speeds))))
    return [Series(*key, points) for key, points in lines.items()]


def ticks(low, high):
    """Round values from the last that is not above `low` to the first not below `high`."""
    digits = (1, 2, 5) if high > 8 * low else (1, 1.5, 2, 3, 4, 5, 6, 8)
    values = [d * 10.0**e for e in range(-3, 7) for d in digits]
    first = max(i for i, value in enumerate(values) if value <= low)
    last = min(i for i, value in enumerate(values) if value >= high)
    return values[first : last + 1]


def scale(marks, start, end):
    """The function from a value to pixels: marks[0] at `start`, marks[-1] at `end`."""
    low, high = math.log(marks[0]), math.log(marks[-1])
    return lambda value: start + (math.log(value) - low) / (high - low) * (end - start)


def spread(heights, gap):
    """The heights, moved until neighbours have the gap between them."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    moved = list(heights)
    for _ in range(100):
        for above, below in zip(order, order[1:]):
            missing = gap - (moved[below] - moved[above])
            if missing > 0:
                moved[above] -= missing / 2
                moved[below] += missing / 2
    return moved


def text(x, y, what, anchor="start", kind=None):
    """A line of text."""
    kind = f' class="{kind}"' if kind else ""
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {where}{kind}>{escape(what)}</text>"


def axes(across, up, x, y, label):
    """Grid, ticks and the name of the x axis."""
    parts = []
    for tick in up:
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{RIGHT}"/>')
        parts.append(text(LEFT - 8, y(tick) + 4, f"{tick:g}", "end"))
    for tick in across:
        parts.append(f'<path class="grid" d="M{x(tick):.1f} {TOP}V{BOTTOM}"/>')
        parts.append(text(x(tick), BOTTOM + 20, f"{tick:g}", "middle"))
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 44, label, "middle"))
    return parts


def draw(title, below_title, label, lines):
    """The SVG of the lines; both axes are logarithmic."""
    across = sorted({x for line in lines for x, _ in line.points})
    values = [y for line in lines for _, y in line.points]
    # At least a factor of four, so that noise is not drawn as large as a cliff.
    up = ticks(min(*values, max(values) / 4), max(values))
    x, y = scale(across, LEFT, RIGHT), scale(up, BOTTOM, TOP)
    sheet = style({line.library for line in lines})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{sheet}</style>",
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        text(16, 26, title, kind="title"),
        text(16, 46, below_title),
        *axes(across, up, x, y, label),
    ]
    ends = spread([y(line.points[-1][1]) for line in lines], 17)
    most = max(line.threads for line in lines)
    for line, end in zip(lines, ends):
        few = " one" if line.threads < most else ""
        parts.append(f'<g class="{escape(line.library)}{few}">')
        at = [(x(a), y(b)) for a, b in line.points]
        parts.append(f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in at)}"/>')
        for (a, b), (_, value) in zip(at, line.points):
            tip = f"<title>{value:.3g}</title>"
            parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3">{tip}</circle>')
        threads = f"{line.threads} thread" + ("s" if line.threads > 1 else "")
        parts.append(text(RIGHT + 14, end + 4, f"{line.library}, {threads}"))
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def main():
    """Reads the results and writes both pictures."""
    if len(sys.argv) != 2:
        sys.exit("usage: plot.py FILE, which `peers/run sizes` has written")
    results = json.loads(Path(sys.argv[1]).read_text())
    points = results["points"]
    versions = [f"{name} {of}" for name, of in results["versions"].items()]
    made = ", ".join([results["cpu"], *versions, results["date"][:10]])

    batches = [point for point in points if point["hidden"] == [512, 512]]
    if batches:
        title = "784-512-512-10: µs a sample by batch size"
        lines = series(batches, lambda p: p["batch_size"], lambda _, speed: 1e6 / speed)
        svg = draw(title, made, "batch size", lines)
        (DOCS / "step-time.svg").write_text(svg)

    widths = [point for point in points if point["batch_size"] == 128]
    if len(widths) > 1:
        title = "784-h-h-10, batches of 128: GFLOP/s of whole steps by h"
        lines = series(
            widths,
            lambda p: p["hidden"][0],
            lambda p, speed: 1e-9 * p["flops_per_sample"] * speed,
        )
        svg = draw(title, made, "h, units in each hidden layer", lines)
        (DOCS / "step-speed.svg").write_text(svg)


if __name__ == "__main__":
    main()
