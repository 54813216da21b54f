"""Compares the trainer's default for tables with scikit-learn's MLP, on five small tables.

    python tables.py [--splits 10]

The tables are scikit-learn's own: iris, wine, breast cancer, digits and diabetes. In each
split, 30 % of the rows are tested on. Both train one layer of 100 ReLU units, each in its
own way: the trainer with its recipe for tables, scikit-learn with its defaults, but with
enough epochs to converge and, as one would, with standardised numbers. A split is also the
seed. The figures are accuracies, and R² for diabetes; after ± is the standard error of the
mean. The seconds are of one training with its test; the trainer's are those of the whole
process.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

ROOT = Path(__file__).resolve().parents[2]
TABLES = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}


def trained_here(trainer, folder, train, test, seed):
    """The figure of `trainer train` on tables that pandas wrote."""
    paths = [str(folder / name) for name in ("train.csv", "test.csv")]
    for path, rows in zip(paths, (train, test)):
        rows.to_csv(path, index=False)
    flags = ["--target", "target", "--test", paths[1], "--set", f"training.seed={seed}"]
    flags += ["--out", str(folder / f"run{seed}"), "--quiet", "--json"]
    began = time.perf_counter()
    command = [trainer, "train", paths[0], *flags]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds = time.perf_counter() - began
    summary = json.loads(text)
    return summary.get("test_r2", summary.get("test_accuracy")), seconds


def trained_there(train, test, seed, numbers):
    """The same of scikit-learn."""
    x, z = (part.drop(columns="target").to_numpy() for part in (train, test))
    y, t = train["target"].to_numpy(), test["target"].to_numpy()
    began = time.perf_counter()
    scaler = StandardScaler().fit(x)
    kind = MLPRegressor if numbers else MLPClassifier
    # Its rates suit a target near 0; R² is the same in any unit.
    mean, deviation = (y.mean(), y.std()) if numbers else (0, 1)
    model = kind(hidden_layer_sizes=(100,), random_state=seed, max_iter=500)
    model.fit(scaler.transform(x), (y - mean) / deviation if numbers else y)
    score = model.score(scaler.transform(z), (t - mean) / deviation if numbers else t)
    return score, time.perf_counter() - began


def mean(values):
    """The mean and its standard error, as text."""
    error = statistics.stdev(values) / len(values) ** 0.5
    return f"{statistics.fmean(values):7.4f} ± {error:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--trainer", default=str(ROOT / "target/release/trainer"))
    args = parser.parse_args()
    if args.splits < 2:
        parser.error("--splits: expected at least 2")
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{'':14}{'trainer':18}{'scikit-learn':18}{'difference':18}seconds of each")
    for name, load in TABLES.items():
        rows, numbers = load(as_frame=True).frame, name == "diabetes"
        ours, theirs = [], []
        for seed in range(args.splits):
            classes = None if numbers else rows["target"]
            train, test = train_test_split(
                rows, test_size=0.3, random_state=seed, stratify=classes
            )
            with tempfile.TemporaryDirectory() as folder:
                ours.append(trained_here(args.trainer, Path(folder), train, test, seed))
            theirs.append(trained_there(train, test, seed, numbers))
        here, there = ([score for score, _ in all] for all in (ours, theirs))
        apart = mean([a - b for a, b in zip(here, there)])
        seconds = (statistics.fmean(s for _, s in all) for all in (ours, theirs))
        times = " ".join(f"{s:6.2f}" for s in seconds)
        print(f"{name:14}{mean(here):18}{mean(there):18}{apart:18}{times}", flush=True)


if __name__ == "__main__":
    main()
