"""Trains one network in the trainer, PyTorch, JAX, NumPy, scikit-learn, candle and burn.

    python train.py
    python train.py --hidden 512,512 --batch-size 128 --input-dropout 0 --dropout 0

Recipe and flags mean what they mean to the trainer. The libraries take turns, each
in a process of its own, so that no pool of threads is in another's way. The data
set is one array, and a step takes its rows by their shuffled numbers: no loader.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import common
from task import ROOT, Skipped, Task

# The module of each library in `trainers`, and its function.
TRAINERS = {
    "trainer": ("trainer", "train"),
    "torch": ("torch", "train"),
    "torch-compiled": ("torch", "train_compiled"),
    "jax": ("jax", "train"),
    "numpy": ("numpy", "train"),
    "scikit-learn": ("scikit_learn", "train"),
    "candle": ("candle", "train"),
    "burn": ("burn", "train"),
}


def train(name, task):
    """Trains with one library; what came of it, or why nothing did."""
    module, function = TRAINERS[name]
    try:
        return getattr(importlib.import_module(f"trainers.{module}"), function)(task)
    except (ImportError, Skipped) as error:
        return {"skipped": str(error)}


def turn(name):
    """What `train` says, in a process with the flags of this one."""
    command = [sys.executable, __file__, *sys.argv[1:], "--one", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} failed")
    # A library may have printed something before.
    return json.loads(done.stdout.splitlines()[-1])


def take_turns(names, rounds):
    """The results of each library, a round each; a line on stderr for each turn."""
    runs = {name: [] for name in names}
    for number in range(1, rounds + 1):
        for name in list(runs):
            result = turn(name)
            if "skipped" in result:
                print(f"{name} is skipped: {result['skipped']}", file=sys.stderr)
                del runs[name]
                continue
            runs[name].append(result)
            speed = result["samples_per_second"]
            print(f"round {number}: {name} {speed:.0f} samples/s", file=sys.stderr)
    return runs


def span(values, digits):
    """The lowest and the highest, or the one that they all are."""
    low, high = (f"{end:.{digits}f}" for end in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def row(name, runs, ours):
    """The row of the table: how fast a library was, how good, and beside ours."""
    speeds = [run["samples_per_second"] for run in runs]
    accuracies = [100 * run["test_accuracy"] for run in runs]
    cells = [f"{name} {runs[0]['version']}", f"{max(speeds):.0f}", span(speeds, 0)]
    cells.append(f"{span(accuracies, 2)} %")
    if not ours:
        return [*cells, "", ""]
    ours = [run["samples_per_second"] for run in ours]
    ratios = [our / speed for our, speed in zip(ours, speeds)]
    return [*cells, f"{max(ours) / max(speeds):.2f}", span(ratios, 2)]


def hidden(text):
    """The value of --hidden: numbers of units with commas between them, or none."""
    return [] if text == "none" else [int(part) for part in text.split(",")]


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--recipe", metavar="NAME", default="plain", help="of what no flag says")
    add("--hidden", metavar="UNITS", type=hidden, help="such as 512,512, or none")
    add("--activation", choices=["tanh", "sigmoid", "relu"])
    add("--init", choices=["uniform", "xavier", "he"])
    add("--epochs", metavar="N", type=int)
    add("--batch-size", metavar="N", type=int)
    add("--lr", metavar="RATE", type=float)
    add("--momentum", metavar="FACTOR", type=float)
    add("--l2", metavar="FACTOR", type=float)
    add("--dropout", metavar="RATE", type=float, help="of hidden units")
    add("--input-dropout", metavar="RATE", type=float, help="of pixels")
    add("--seed", metavar="N", type=int)
    add("--data", metavar="DIR", type=Path, default=ROOT / "data", help="the IDX files")
    add("--threads", metavar="N", type=int, default=os.cpu_count())
    add("--rounds", metavar="N", type=int, default=3, help="turns of each library")
    add("--one", metavar="NAME", choices=TRAINERS, help="train once, print JSON")
    common.add_arguments(parser, TRAINERS)
    return parser.parse_args()


def main():
    """Lets the libraries train in turn, prints the table and writes the file."""
    args = arguments()
    task = Task(args)
    common.limit_threads(args.threads)
    if args.one:
        print(json.dumps(train(args.one, task)))
        return

    runs = take_turns(args.libraries, args.rounds)
    if not runs:
        sys.exit("no library trained")
    sizes = "-".join(map(str, next(iter(runs.values()))[0]["layers"]))
    rounds = f"epochs: {task.settings['epochs']}, rounds: {args.rounds}"
    print(f"{sizes}, {rounds}, threads: {args.threads}\n")
    ours = runs.get("trainer")
    head = ["", "samples/s", "in all rounds", "test accuracy", "trainer over it"]
    rows = [row(name, of_name, ours) for name, of_name in runs.items()]
    print(common.table([*head, "in all rounds"], rows))
    if args.json:
        versions = {name: of_name[0]["version"] for name, of_name in runs.items()}
        results = common.circumstances(versions)
        results |= {"settings": task.settings, "threads": args.threads, "runs": runs}
        common.write_json(args.json, results)


if __name__ == "__main__":
    main()
