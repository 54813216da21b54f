"""Writes what `cargo bench` measured last into docs/performance.md.

    cargo bench -p kernels && cargo bench -p nn && cargo bench -p mnist-io && python3 benches/table.py

    cargo bench -p kernels --bench rivals | python3 benches/table.py avx2

The second form writes what `rivals` prints for an instruction set. Needs Python's standard
library alone. The text between two markers, such as `<!-- measured -->` and
`<!-- /measured -->`, is replaced; nothing else is.
"""

import datetime
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ["gemm", "matrixmultiply"]


def measured():
    """{(group, function): (nanoseconds, elements)} of criterion's last runs."""
    found = {}
    for file in sorted((ROOT / "target/criterion").glob("*/*/new/benchmark.json")):
        bench = json.loads(file.read_text())
        estimates = json.loads(file.with_name("estimates.json").read_text())
        name = bench["function_id"] or bench["value_str"]
        elements = (bench["throughput"] or {}).get("Elements", 1)
        found[bench["group_id"], name] = estimates["median"]["point_estimate"], elements
    return found


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def products(found):
    """GFLOP/s of each shape, as share of the peak and beside the best peer."""
    rate = {key: elements / ns for key, (ns, elements) in found.items()}
    peak = max(rate["peak", name] for group, name in rate if group == "peak")
    rows = []
    for shape in sorted({group for group, name in rate if name == "gemm"}, key=volume):
        ours, kept = rate[shape, "kernels"], rate[shape, "kernels, B kept in panels"]
        peers = [rate[shape, peer] for peer in PEERS]
        rows.append(
            [shape.replace("x", " × "), f"{ours:.1f}", f"{kept:.1f}"]
            + [f"{peer:.1f}" for peer in peers]
            + [f"{ours / max(peers):.2f}", f"{kept / max(peers):.2f}", f"{100 * ours / peak:.0f} %"]
        )
    head = ["m × k × n", "kernels", "B kept", *PEERS, "ratio", "ratio, kept", "of peak"]
    peaks = ", ".join(f"{name} {rate['peak', name]:.1f}" for group, name in rate if group == "peak")
    return f"Peak of fused multiply-adds, GFLOP/s: {peaks}.\n\n" + table(head, rows)


def volume(shape):
    """Sorts shapes by m, k, n as numbers."""
    return [int(size) for size in shape.split()[0].split("x")]


def threads(found):
    """Two threads over one."""
    names = [name for group, name in found if group == "threads"]
    rows = []
    for size in sorted({int(name.split(",")[0]) for name in names}):
        one, two = (found["threads", f"{size}, {n}"][0] for n in ("one", "two"))
        rows.append([f"{size}³", f"{one / two:.2f}"])
    return table(["product", "two threads over one"], rows)


def elements(found):
    """Nanoseconds an element of what is not a product."""
    groups = ["tanh", "sigmoid", "exp"]
    for name in "GELU", "SiLU", "ELU", "leaky ReLU":
        groups += [name, f"{name}, derivative"]
    groups += ["rows of 10", "rows of 512", "dropout mask", "Gaussian numbers"]
    rows = [
        [group, name, f"{ns / count:.3f}"]
        for (group, name), (ns, count) in sorted(found.items(), key=lambda row: groups.index(row[0][0]) if row[0][0] in groups else 99)
        if group in groups
    ]
    return table(["what", "path", "ns an element"], rows)


def steps(found):
    """Samples a second of whole training steps."""
    rows = [
        [name, f"{1e9 * count / ns:,.0f}"]
        for (group, name), (ns, count) in found.items()
        if group == "training step"
    ]
    return table(["network, on one thread", "samples/s"], rows)


def predictions(found):
    """Time of predicting an image, and how many that is a second."""
    rows = [
        [name, f"{ns / count / 1000:.2f}", f"{1e9 * count / ns:,.0f}"]
        for (group, name), (ns, count) in found.items()
        if group == "prediction, 784-30-10"
    ]
    return table(["prediction, 784-30-10, on one thread", "µs an image", "images/s"], rows)


def images(found):
    """Nanoseconds of augmenting an image."""
    rows = [
        [*name.rsplit(", ", 1), f"{ns:,.0f}"]
        for (group, name), (ns, _) in found.items()
        if group == "augmented image"
    ]
    return table(["augmentation of 28 × 28 pixels", "path", "ns an image"], rows)


def conditions():
    """Date, CPU and commit."""
    def say(*command):
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    cpu = next(
        (line.split(":")[1].strip() for line in say("lscpu").splitlines() if "Model name" in line),
        "unknown CPU",
    )
    commit = say("git", "rev-parse", "--short", "HEAD").strip()
    return f"{datetime.date.today()}, {cpu}, commit {commit}."


def write(name, text):
    """Replaces what is between the markers of this name."""
    path = ROOT / "docs/performance.md"
    before, rest = path.read_text().split(f"<!-- {name} -->\n")
    _, after = rest.split(f"<!-- /{name} -->\n")
    path.write_text(f"{before}<!-- {name} -->\n\n{text}\n\n<!-- /{name} -->\n{after}")


if len(sys.argv) > 1:
    write(sys.argv[1], conditions() + "\n\n" + sys.stdin.read().strip())
else:
    found = measured()
    parts = [conditions(), products(found), threads(found), elements(found), steps(found)]
    parts += [predictions(found), images(found)]
    write("measured", "\n\n".join(parts))
