"""Checks the files of `trainer export` against `trainer predict`, on whole data.

    python check_export.py --model runs/NAME data/t10k-images-idx3-ubyte
    python check_export.py --model runs/NAME table.csv

Exports the model as ONNX, for PyTorch and for NumPy, runs each with its own library on all
rows of the data, and prints the largest difference from the probabilities, or from the
values relative to the largest of them. Above --most it fails. The ONNX file also passes
onnx.checker. A library that is not installed is skipped, and a line says so.

The data are IDX images as the model takes them, neither transposed nor deskewed, or a CSV
file with a header and commas. Models of several labels are refused by `trainer predict`.
"""

import argparse
import csv
import gzip
import importlib
import io
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))


def images(path):
    """The images of an IDX file of bytes, a row each."""
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    assert raw[:4] == b"\x00\x00\x08\x03", f"{path} is no IDX file of images of bytes"
    count = int.from_bytes(raw[4:8], "big")
    return np.frombuffer(raw, np.uint8, offset=16).reshape(count, -1).astype(np.float32)


def cells(path, about):
    """The rows of a table as cells: numbers, indices of values, NaN where missing."""
    names = json.loads(about["column_names"])
    values = json.loads(about["category_values"])
    missing = {"", "na", "n/a", "nan", "null", "none", "?"}

    def cell(name, text):
        text = text.strip()
        if name in values:
            return values[name].index(text) if text in values[name] else np.nan
        return np.nan if text.lower() in missing else float(text)

    with open(path, newline="") as file:
        rows = [[cell(name, row[name]) for name in names] for row in csv.DictReader(file)]
    return np.array(rows, np.float32)


def is_of_values(about):
    """Whether the model predicts numbers, and not classes."""
    return about["head"].partition(":")[0] in ("squared", "huber")


def predicted(trainer, model, data, about):
    """What the trainer says: rows × outputs."""
    classes = [] if is_of_values(about) else ["--proba"]
    command = [trainer, "predict", "--model", model, "--csv", *classes, str(data)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = list(csv.reader(io.StringIO(text)))[1:]
    first = 3 if classes else 1
    return np.array([row[first:] for row in rows], np.float32)


def features(raw, about):
    """The preparation, for the files that have weights alone."""
    if "column_names" not in about:
        return raw * np.float32(about.get("pixel_scale", 1))
    parts = []
    for column, x in zip(json.loads(about["preparation"])["columns"]["columns"], raw.T):
        gone = np.isnan(x)
        if "number" in column["kind"]:
            by = column["kind"]["number"]
            x = (x.astype(np.float64) - by["mean"]) / by["deviation"]
            parts.append(np.where(gone, 0, x))
        else:
            parts += [x == i for i in range(len(column["kind"]["category"]))]
        if column.get("missing"):
            parts.append(gone)
    return np.stack(parts, 1).astype(np.float32)


def linked(z, about):
    """From the values of the last layer to what the trainer says."""
    z = np.asarray(z, np.float64)
    head = about["head"]
    if head == "softmax":
        e = np.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)
    if head == "logistic":
        p = 1 / (1 + np.exp(-z))
        return np.hstack([1 - p, p])
    columns = json.loads(about.get("preparation", "{}")).get("columns", {})
    by = columns.get("target", {}).get("standard") or {"mean": 0, "deviation": 1}
    return z * by["deviation"] + by["mean"]


def numpy_layers(path, x, about):
    """The network in NumPy, in float64."""
    name, _, parameter = about["activation"].partition(":")
    erf = np.vectorize(math.erf)
    f = {
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "relu": lambda z: np.maximum(z, 0),
        "leaky-relu": lambda z: np.where(z > 0, z, float(parameter) * z),
        "elu": lambda z: np.where(z > 0, z, float(parameter) * np.expm1(np.minimum(z, 0))),
        "gelu": lambda z: z * 0.5 * (1 + erf(z / np.sqrt(2))),
        "silu": lambda z: z / (1 + np.exp(-z)),
        "maxout": lambda z: z.reshape(len(z), int(parameter), -1).max(1),
    }[name]
    with np.load(path) as file:
        x, last = x.astype(np.float64), len(json.loads(about["layers"])) - 2
        for layer in range(last + 1):
            x = x @ file[f"W{layer}"].astype(np.float64).T + file[f"b{layer}"]
            x = x if layer == last else f(x)
    return x


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--trainer", default=str(ROOT / "target/release/trainer"))
    parser.add_argument("--most", type=float, default=1e-5)
    args = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        [onnx_file, pytorch, npz] = (f"{folder}/m.{end}" for end in ("onnx", "safetensors", "npz"))
        flags = ["--onnx", onnx_file, "--pytorch", pytorch, "--npz", npz]
        export = [args.trainer, "export", "--model", args.model, *flags]
        subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
        with np.load(npz) as file:
            about = json.loads(file["model.json"])
        raw = cells(args.data, about) if "column_names" in about else images(args.data)
        expected = predicted(args.trainer, args.model, args.data, about)
        size = np.abs(expected).max() if is_of_values(about) else 1.0

        def report(name, found, wrong=None):
            nonlocal worst
            difference = np.abs(np.asarray(found, np.float64) - expected).max() / size
            worst = max(worst, difference)
            classes = "" if wrong is None else f", {wrong} other classes"
            print(f"{name:24} {len(raw)} rows, largest difference {difference:.2e}{classes}")

        def library(name):
            try:
                return importlib.import_module(name)
            except ImportError as error:
                print(f"{name} is skipped: {error}", file=sys.stderr)
                return None

        if onnx := library("onnx"):
            onnx.checker.check_model(onnx_file, full_check=True)
            print(f"onnx {onnx.__version__:19} the checker finds nothing wrong")
        if runtime := library("onnxruntime"):
            session = runtime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
            names = [output.name for output in session.get_outputs()]
            found = dict(zip(names, session.run(None, {"input": raw})))
            wrong = None
            if "class" in found:
                wrong = int((found["class"] != expected.argmax(1)).sum())
            outputs = found.get("probabilities", found.get("value"))
            report(f"onnxruntime {runtime.__version__}", outputs, wrong)
        if torch := library("torch"):
            network, of_file = importlib.import_module("load_in_pytorch").load(pytorch)
            with torch.no_grad():
                z = network(torch.from_numpy(features(raw, of_file))).numpy()
            report(f"torch {torch.__version__}", linked(z, of_file))
        x = features(raw, about)
        report(f"numpy {np.__version__}", linked(numpy_layers(npz, x, about), about))
    if worst > args.most:
        sys.exit(f"the largest difference is {worst:.2e}: expected at most {args.most:.0e}")


if __name__ == "__main__":
    main()
