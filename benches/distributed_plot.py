"""Draws docs/distributed-efficiency.svg for distributed.py. Needs the standard library alone."""

from html import escape
from pathlib import Path

from plot import PAGE, scale, text

FILE = Path(__file__).resolve().parent.parent / "docs/distributed-efficiency.svg"

# The picture; a panel's rectangle between the axes; where the first panel is, and how far it
# is to the next. All in pixels.
WIDTH, HEIGHT = 800, 640
ACROSS, UP = 320, 190
LEFT, TOP = 60, 126
NEXT_X, NEXT_Y = 384, 266

# The colour of each network, by Gb/s, on a light and on a dark background.
COLOURS = {10: ("#c2500b", "#ff9248"), 100: ("#1f6fc4", "#58a6ff"), 400: ("#23803c", "#56d364")}


def colours(dark):
    """The rules with colours."""
    back, ink, soft, grid = PAGE[dark]
    rules = [f".back {{ fill: {back} }} text {{ fill: {soft} }} .title, .name {{ fill: {ink} }}"]
    rules.append(f".grid {{ stroke: {grid} }} .half {{ stroke: {soft} }} .key {{ stroke: {soft} }}")
    for gigabits, both in COLOURS.items():
        rules.append(f".g{gigabits} polyline, .g{gigabits} line {{ stroke: {both[dark]} }}")
        rules.append(f".g{gigabits} text {{ fill: {both[dark]} }}")
    return "\n".join(rules)


STYLE = f"""
text {{ font: 13px system-ui, "Helvetica Neue", Arial, sans-serif }}
.title {{ font-size: 16px; font-weight: 600 }} .name {{ font-weight: 600 }}
g text {{ font-weight: 600 }} .half {{ stroke-dasharray: 2 3 }}
polyline, line {{ fill: none; stroke-width: 2 }} .many {{ stroke-dasharray: 6 4 }}
{colours(False)}
@media (prefers-color-scheme: dark) {{
{colours(True)}
}}
"""


def legend(cores):
    """Which line is what."""
    parts, x = [], LEFT
    for gigabits in COLOURS:
        parts.append(f'<g class="g{gigabits}"><line x1="{x}" y1="73" x2="{x + 26}" y2="73"/>')
        parts.append(text(x + 32, 77, f"{gigabits} Gb/s") + "</g>")
        x += 112
    for kind, what in ("", "a rank has one core"), (" many", f"{cores} cores"):
        if kind and cores == 1:
            continue
        parts.append(f'<line class="key{kind}" x1="{x}" y1="73" x2="{x + 26}" y2="73"/>')
        parts.append(text(x + 32, 77, what))
        x += 172
    return parts


def panel(left, top, title, ranks, lines):
    """A network: efficiency in percent over ranks, which have a logarithmic axis."""
    x = scale(ranks, left, left + ACROSS)

    def y(efficiency):
        return top + UP * (1 - efficiency)

    parts = [text(left, top - 12, title, kind="name")]
    for percent in range(0, 101, 25):
        kind = "half" if percent == 50 else "grid"
        height = y(percent / 100)
        parts.append(f'<path class="{kind}" d="M{left} {height:.1f}h{ACROSS}"/>')
        parts.append(text(left - 8, height + 4, f"{percent} %", "end"))
    for tick in ranks[::2]:
        parts.append(f'<path class="grid" d="M{x(tick):.1f} {top}v{UP}"/>')
        parts.append(text(x(tick), top + UP + 18, f"{tick}", "middle"))
    for (gigabits, cores), found in lines.items():
        many = ' class="many"' if cores > 1 else ""
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(ranks, found))
        tip = f"{gigabits} Gb/s, {cores} core{'s' if cores > 1 else ''} a rank: " + ", ".join(
            f"{a} ranks {100 * b:.0f} %" for a, b in zip(ranks, found)
        )
        parts.append(f'<g class="g{gigabits}"><polyline{many} points="{points}">')
        parts.append(f"<title>{escape(tip)}</title></polyline></g>")
    return parts


def draw(ranks, panels, below_title):
    """The SVG: a panel for each (network, {(Gb/s, cores): efficiencies})."""
    title = "Efficiency by ranks: how many times as fast as one, divided by the ranks"
    cores = max(cores for _, lines in panels for _, cores in lines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        text(16, 26, title, kind="title"),
        text(16, 46, below_title),
        *legend(cores),
    ]
    for i, (name, lines) in enumerate(panels):
        left, top = LEFT + NEXT_X * (i % 2), TOP + NEXT_Y * (i // 2)
        parts += panel(left, top, name, ranks, lines)
    for left in LEFT, LEFT + NEXT_X:
        parts.append(text(left + ACROSS / 2, HEIGHT - 14, "ranks", "middle"))
    return "\n".join([*parts, "</svg>"]) + "\n"
