"""Measures whole training steps over batch sizes and over widths, for ../plot.py.

    python sizes.py --json sizes.json
    python sizes.py --plots batch --threads 1 --rounds 1 --json sizes.json

Each point is a run of train.py, with as many images as give it some steps.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import common
from task import ROOT, read_idx

# (hidden layers, batch size) of the points of each plot.
PLOTS = {
    "batch": [([512, 512], 2**i) for i in range(13)],
    "width": [([2**i, 2**i], 128) for i in range(9, 13)],
}
TRAIN = Path(__file__).parent / "train.py"
# A small rate, so that nothing saturates or diverges even with batches of one.
RECIPE = "--recipe article --init xavier --lr 0.001 --epochs 1".split()


def flops(hidden):
    """Floating-point operations of a step, for each sample, as if no pixel were 0.

    Forward and the gradient of weights have a product for each layer, and all but
    the first layer have one more for the gradient of their inputs.
    """
    sizes = [784, *hidden, 10]
    products = [a * b for a, b in zip(sizes, sizes[1:])]
    return 2 * (3 * sum(products) - products[0])


def steps(hidden, batch_size, work):
    """How many steps a point takes: about `work` GFLOP, but neither very few nor many."""
    enough = math.ceil(1e9 * work / (batch_size * flops(hidden)))
    return max(1, min(max(enough, 16), 4000, 60_000 // batch_size))


def write_head(part, count, source, folder):
    """Writes the first images and labels of a part of the data set."""
    for kind in "images-idx3", "labels-idx1":
        name = f"{part}-{kind}-ubyte"
        shape = read_idx(source / name).shape
        start = 4 + 4 * len(shape)
        size = count * math.prod(shape[1:])
        data = (source / name).read_bytes()
        header = data[:4] + count.to_bytes(4, "big") + data[8:start]
        (folder / name).write_bytes(header + data[start : start + size])


def measure(hidden, batch_size, threads, args):
    """The samples per second of each library in each round, and their versions."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        count = batch_size * steps(hidden, batch_size, args.work)
        write_head("train", count, args.data, folder)
        write_head("t10k", 100, args.data, folder)
        command = [sys.executable, TRAIN, *RECIPE, "--data", folder]
        command += ["--hidden", ",".join(map(str, hidden))]
        command += ["--batch-size", batch_size, "--threads", threads]
        command += ["--libraries", ",".join(args.libraries)]
        command += ["--rounds", args.rounds, "--json", folder / "runs.json"]
        subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL, check=True)
        result = json.loads((folder / "runs.json").read_text())
    speeds = {
        name: [run["samples_per_second"] for run in runs]
        for name, runs in result["runs"].items()
        if runs
    }
    return speeds, result["versions"]


def parts(text):
    """The value of a flag that is a list."""
    return text.split(",")


def numbers(text):
    """The value of a flag that is a list of numbers."""
    return [int(part) for part in parts(text)]


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--plots", type=parts, default=list(PLOTS), help=f"some of {','.join(PLOTS)}")
    add("--libraries", type=parts, default=["trainer", "jax"], help="as of train.py")
    every = sorted({1, os.cpu_count()})
    add("--threads", type=numbers, default=every, help="numbers of threads, 1,2 say")
    add("--rounds", type=int, default=3, help="turns of each library at each point")
    add("--work", type=float, default=100, help="GFLOP of a point, roughly")
    add("--data", type=Path, default=ROOT / "data", help="the IDX files")
    add("--json", type=Path, required=True, help="the results; earlier ones stay there")
    args = parser.parse_args()
    for plot in args.plots:
        if plot not in PLOTS:
            parser.error(f"`{plot}` is none of {', '.join(PLOTS)}")
    return args


def main():
    """Measures point after point, and writes them down after each."""
    args = arguments()
    points, versions = [], {}
    if args.json.exists():
        earlier = json.loads(args.json.read_text())
        points, versions = earlier["points"], earlier["versions"]
    wanted = []
    for plot in args.plots:
        wanted += [point for point in PLOTS[plot] if point not in wanted]
    for hidden, batch_size in wanted:
        for threads in args.threads:
            speeds, of_point = measure(hidden, batch_size, threads, args)
            versions |= of_point
            key = {"hidden": hidden, "batch_size": batch_size, "threads": threads}
            point = {"flops_per_sample": flops(hidden), "samples_per_second": speeds}
            # It replaces an earlier measurement of the same point.
            points = [other for other in points if not key.items() <= other.items()]
            points.append(key | point)
            results = common.circumstances(versions) | {"points": points}
            common.write_json(args.json, results)


if __name__ == "__main__":
    main()
