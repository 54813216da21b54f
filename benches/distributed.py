"""Measures steps that two ranks share, fits a cost model to them, and predicts many ranks.

    python3 benches/distributed.py all --trainer target/release/trainer --json FILE

    python3 benches/distributed.py check                       # counts against a plain walk
    python3 benches/distributed.py account                     # operations, bytes, messages
    python3 benches/distributed.py measure --trainer BIN --json FILE
    python3 benches/distributed.py fit --json FILE
    python3 benches/distributed.py predict --json FILE         # tables, and the picture

BIN is the trainer with its feature `mpi`. `all` does the rest, and draws
docs/distributed-efficiency.svg. Needs mpirun and Python's standard library alone.
docs/distributed.md explains the model; the counts are in distributed_cost.py.
"""

import argparse
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path

import distributed_cost as cost
import distributed_plot

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benches/peers"))
import common  # noqa: E402

# What is measured: hidden layers × batch sizes × ranks.
HIDDEN = [[30], [256, 256], [512, 512], [1024, 1024], [2048, 2048]]
BATCHES = [32, 128, 512]
RANKS = [1, 2]
RECIPE = "--recipe article --init xavier --lr 0.001 --threads 1".split()
# They are short, so that on a machine that others use too some of them are undisturbed. The
# first one also pays for memory that is touched for the first time.
EPOCHS = 8

# What is predicted.
NETWORKS = [
    (784, 30, 10),
    (784, 512, 512, 10),
    (784, 2500, 2000, 1500, 1000, 500, 10),
    (784, 8192, 8192, 10),
]
MANY = [2**i for i in range(11)]
# Gb/s of a network, and an assumption: the time of a small message in it, in µs.
LINKS = [(10, 15.0), (100, 5.0), (400, 2.0)]


def name(sizes):
    """A network as people write it."""
    return "-".join(map(str, sizes))


# --- measure ------------------------------------------------------------------------------


def head(part, count, source, folder):
    """Writes the first images and labels of a part of the data set."""
    for kind, start, of_sample in ("images-idx3", 16, 784), ("labels-idx1", 8, 1):
        file = f"{part}-{kind}-ubyte"
        with open(source / file, "rb") as data:
            header, body = data.read(start), data.read(count * of_sample)
        header = header[:4] + count.to_bytes(4, "big") + header[8:]
        (folder / file).write_bytes(header + body)


def seconds_of_a_step(hidden, batch, ranks, args):
    """The seconds of a step in each epoch of a run but the first."""
    step = cost.Step((784, *hidden, 10), batch)
    wanted = math.ceil(1e9 * args.work / cost.units(step).operations)
    steps = max(1, min(max(wanted, 8), 60_000 // batch))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        head("train", steps * batch, args.data, folder)
        head("t10k", 100, args.data, folder)
        command = [*shlex.split(args.mpirun), "-n", ranks, Path(args.trainer).resolve()]
        command += [*RECIPE, "--hidden", ",".join(map(str, hidden)), "--batch-size", batch]
        command += ["--epochs", EPOCHS, "--data", folder, "--out", folder / "run"]
        command += ["--no-test", "--no-report", "--quiet", "--checkpoint-every", "none"]
        root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        # Open MPI allows root to run it only if told twice; others do not read this.
        environment = os.environ | (root if os.getuid() == 0 else {})
        command = list(map(str, command))
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        lines = (folder / "run/metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["seconds"] / steps for line in lines[1:]]


def version(command):
    """The name of a program and its version, as it says them."""
    found = subprocess.run([*command, "--version"], check=True, capture_output=True, text=True)
    program, _, number = found.stdout.splitlines()[0].rpartition(" ")
    return program, number


def measure(args):
    """Measures each point in each round, in turn, and writes all after each round."""
    programs = [Path(args.trainer).resolve()], shlex.split(args.mpirun)[:1]
    versions = dict(map(version, programs))
    points = [
        {"hidden": hidden, "batch_size": batch, "ranks": ranks, "seconds": []}
        for hidden in HIDDEN
        for batch in BATCHES
        for ranks in RANKS
    ]
    for turn in range(args.rounds):
        for point in points:
            measured = seconds_of_a_step(point["hidden"], point["batch_size"], point["ranks"], args)
            point["seconds"] += measured
        common.write_json(args.json, common.circumstances(versions) | {"points": points})
        print(f"round {turn + 1} of {args.rounds}", file=sys.stderr)


# --- fit ----------------------------------------------------------------------------------

# Each term of the model, and how its coefficient is printed: unit, and what it is from
# seconds for one.
TERMS = {
    "operations of the first layer": ("GFLOP/s", lambda s: 1e-9 / s),
    "operations of the others": ("GFLOP/s", lambda s: 1e-9 / s),
    "weights that are updated": ("ns each", lambda s: 1e9 * s),
    "samples of a batch": ("ns each", lambda s: 1e9 * s),
    "a step": ("µs", lambda s: 1e6 * s),
    "messages": ("µs each", lambda s: 1e6 * s),
    "bytes received": ("GB/s", lambda s: 1e-9 / s),
}
COMPUTES = 5


def terms(step):
    """How much of each term a step has, for two ranks or fewer."""
    found = cost.units(step)
    # After each step, rank 0 tells the others whether to go on.
    messages = found.messages + (step.ranks > 1)
    compute = [found.first, found.others, found.updated, step.batch, 1]
    return [*compute, messages, found.received]


def solve(matrix, right):
    """Solves a small system of equations; None if it has no single solution."""
    rows = [list(row) + [value] for row, value in zip(matrix, right)]
    n = len(rows)
    for i in range(n):
        pivot = max(range(i, n), key=lambda row: abs(rows[row][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        if abs(rows[i][i]) < 1e-12:
            return None
        for row in range(n):
            if row != i:
                factor = rows[row][i] / rows[i][i]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[i])]
    return [row[n] / row[i] for i, row in enumerate(rows)]


def least_squares(rows, right):
    """The coefficients of at least 0 with the least sum of squares.

    There are few of them, so every choice of those that are not 0 is tried.
    """
    count = len(rows[0])
    # Columns of the same length, so that one bound finds all that depend on each other.
    norms = [math.sqrt(sum(row[i] ** 2 for row in rows)) or 1.0 for i in range(count)]
    rows = [[x / norm for x, norm in zip(row, norms)] for row in rows]
    best, least = [0.0] * count, math.inf
    for size in range(1, count + 1):
        for chosen in combinations(range(count), size):
            squares = [[sum(row[i] * row[j] for row in rows) for j in chosen] for i in chosen]
            found = solve(squares, [sum(r[i] * y for r, y in zip(rows, right)) for i in chosen])
            if found is None or min(found) < 0:
                continue
            full = [0.0] * count
            for i, value in zip(chosen, found):
                full[i] = value
            rest = sum((sum(map(float.__mul__, r, full)) - y) ** 2 for r, y in zip(rows, right))
            if rest < least * (1 - 1e-9):
                best, least = full, rest
    return [value / norm for value, norm in zip(best, norms)]


def fit(results):
    """The coefficients, in seconds, that fit the best step of each point.

    Other programs make some points slow, so the sum of the errors is least and not that of
    their squares: each is weighted by its size in the fit before. Errors are relative, or the
    largest network alone would count.
    """
    rows = []
    for point in results["points"]:
        best = min(point["seconds"])
        rows.append([float(x / best) for x in terms(step_of(point))])
    fitted, weights = [], [1.0] * len(rows)
    for _ in range(30):
        weighted = [[x * weight for x in row] for row, weight in zip(rows, weights)]
        fitted = least_squares(weighted, weights)
        errors = [abs(sum(map(float.__mul__, row, fitted)) - 1) for row in rows]
        weights = [1 / math.sqrt(max(error, 0.02)) for error in errors]
    return fitted


def step_of(point):
    """The step that was measured."""
    return cost.Step((784, *point["hidden"], 10), point["batch_size"], point["ranks"])


def modelled(step, fitted):
    """Seconds of a step."""
    return sum(a * b for a, b in zip(terms(step), fitted))


def print_fit(results, fitted):
    """The coefficients and what is left over."""
    versions = [f"{program} {number}" for program, number in results["versions"].items()]
    print(f"{', '.join([results['cpu'], *versions, results['date'][:10]])}\n")
    rows = []
    for (term, (unit, convert)), seconds in zip(TERMS.items(), fitted):
        rows.append([term, f"{convert(seconds):.3g} {unit}" if seconds else "none that shows"])
    print(common.table(["term", "fitted"], rows) + "\n")
    rows, errors = {}, []
    for point in results["points"]:
        step, best = step_of(point), min(point["seconds"])
        model = modelled(step, fitted)
        errors.append(abs(model / best - 1))
        row = rows.setdefault((name(step.sizes), f"{step.batch}"), [])
        row += [f"{1e6 * best:.0f}", f"{100 * (model / best - 1):+.0f} %"]
    head = ["network", "batch"]
    for ranks in RANKS:
        head += [f"{ranks} rank{'s' if ranks > 1 else ''}, µs", "model"]
    for row in rows.values():
        row.append(f"{int(row[0]) / int(row[-2]):.2f}")
    head.append("speed-up")
    print(common.table(head, [[*key, *row] for key, row in rows.items()]))
    middle, most = sorted(errors)[len(errors) // 2], max(errors)
    print(f"\nerror of the model: {100 * middle:.0f} % in the middle, {100 * most:.0f} % at most")
    if middle > 0.1:
        print("The machine was busy, or is not what the model knows: measure again when it is idle.")


# --- predict ------------------------------------------------------------------------------


def predicted(step, fitted, link, args, cores):
    """Seconds of a step over a network, where each rank has some cores."""
    gigabits, latency = link
    found = terms(step)
    messages, received = found[COMPUTES:]
    # A byte comes over the network, and is then copied as one in shared memory is.
    work = [*found[:COMPUTES], received], [*fitted[:COMPUTES], fitted[-1]]
    seconds = sum(a * b for a, b in zip(*work)) / cores
    if step.ranks == 1:
        return seconds
    rounds = step.ranks - 1 if args.ring else math.ceil(math.log2(step.ranks))
    return seconds + messages * rounds * 1e-6 * latency + received * 8e-9 / gigabits


def efficiencies(sizes, fitted, link, args, cores):
    """The speed-up over one rank divided by the ranks, for each number of ranks."""
    share_from = cores * cost.SHARE_FROM
    steps = [cost.Step(sizes, args.batch_size, ranks, share_from=share_from) for ranks in MANY]
    seconds = [predicted(step, fitted, link, args, cores) for step in steps]
    return [seconds[0] / (ranks * took) for ranks, took in zip(MANY, seconds)]


def pays(found):
    """The largest number of ranks with an efficiency of at least a half."""
    return max(ranks for ranks, efficiency in zip(MANY, found) if efficiency >= 0.5)


def predict(results, fitted, args):
    """Prints the tables, and draws the picture."""
    panels = []
    for sizes in NETWORKS:
        lines = {}
        for cores in dict.fromkeys([1, args.cores]):
            for link in LINKS:
                lines[link[0], cores] = efficiencies(sizes, fitted, link, args, cores)
        panels.append((name(sizes), lines))
    for cores in dict.fromkeys([1, args.cores]):
        what = "one core" if cores == 1 else f"{cores} cores and is {cores} times as fast"
        print(f"Efficiency in percent, batch {args.batch_size}, a rank has {what}:\n")
        rows = []
        for network, lines in panels:
            for gigabits, _ in LINKS:
                found = lines[gigabits, cores]
                percents = [f"{100 * efficiency:.0f}" for efficiency in found[1:]]
                rows.append([network, f"{gigabits}", *percents, f"{pays(found)}"])
        print(common.table(["network", "Gb/s", *map(str, MANY[1:]), "pays up to"], rows) + "\n")
    below = f"batch {args.batch_size}; predicted from steps on one and two cores, "
    below += f"{results['cpu']}, {results['date'][:10]}"
    svg = distributed_plot.draw(MANY, panels, below)
    args.svg.write_text(svg)
    print(f"drawn: {args.svg}", file=sys.stderr)


def account(args):
    """Prints what the three ways cost."""
    sizes = (784, 8192, 8192, 10)
    alone = cost.units(cost.Step(sizes, args.batch_size))
    step = cost.Step(sizes, args.batch_size, args.ranks)
    ways = {
        "one rank": alone,
        "units, as built": cost.units(step),
        "rows, all-gathered": cost.rows(step),
        "rows, gradients all-reduced": cost.reduced(step),
    }
    rows = []
    for way, found in ways.items():
        row = [way, f"{1e-9 * found.operations:.2f}", f"{1e-6 * found.received:.1f}"]
        rows.append([*row, f"{found.messages}", f"{1e-6 * found.streamed:.0f}"])
    print(f"{name(sizes)}, batch {args.batch_size}, a step of one of {args.ranks} ranks:\n")
    print(common.table(["way", "GFLOP", "MB received", "messages", "MB of memory"], rows) + "\n")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    tasks = ["check", "account", "measure", "fit", "predict", "all"]
    add("task", choices=tasks, help="what to do; all is everything in this order")
    add("--trainer", metavar="BIN", help="the trainer with the feature mpi")
    add("--json", metavar="FILE", help="what was measured, which fit and predict read")
    add("--mpirun", metavar="COMMAND", default="mpirun --bind-to none", help="starts the ranks")
    add("--rounds", type=int, default=5, help="turns of each point")
    add("--work", type=float, default=3, help="GFLOP of an epoch, roughly")
    add("--data", type=Path, default=ROOT / "data", help="MNIST's IDX files, not compressed")
    add("--batch-size", type=int, default=128, help="that of predictions and the account")
    add("--ranks", type=int, default=16, help="those of the account")
    add("--cores", type=int, default=64, help="an assumption: a second prediction for such nodes")
    add("--ring", action="store_true", help="an all-gather takes R − 1 rounds, not log2 R")
    add("--svg", type=Path, default=distributed_plot.FILE, help="the picture of predict")
    args = parser.parse_args()
    if args.task in ("measure", "fit", "predict", "all") and not args.json:
        parser.error(f"`{args.task}` needs --json FILE")
    if args.task in ("measure", "all") and not args.trainer:
        parser.error(f"`{args.task}` needs --trainer BIN, built with --features mpi")
    if args.trainer and not Path(args.trainer).is_file():
        parser.error(f"--trainer {args.trainer} is no file: build it with --features mpi")
    return args


def main():
    """Does what the command line says."""
    args = arguments()
    if args.task in ("check", "all"):
        cost.check()
        print("the counts are those of a plain walk\n")
    if args.task in ("account", "all"):
        account(args)
    if args.task in ("measure", "all"):
        measure(args)
    if args.task in ("fit", "predict", "all"):
        results = json.loads(Path(args.json).read_text())
        fitted = fit(results)
    if args.task in ("fit", "all"):
        print_fit(results, fitted)
        print()
    if args.task in ("predict", "all"):
        predict(results, fitted, args)


if __name__ == "__main__":
    main()
