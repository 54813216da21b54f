"""Training in candle, by the Rust program in ../candle."""

import json
import tempfile
import tomllib
from pathlib import Path

import numpy

from trainers import cargo

FOLDER = Path(__file__).resolve().parent.parent / "candle"


def train(task):
    """Writes down what is to be done, and runs the program."""
    cargo.build(FOLDER)
    arrays = {}
    for i, (weights, biases) in enumerate(task.parameters()):
        arrays |= {f"weights.{i}": weights, f"biases.{i}": biases}
    for epoch, (order, rates) in enumerate(task.epochs()):
        arrays |= {f"order.{epoch}": order.astype("uint32"), f"rates.{epoch}": rates}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.npz"
        numpy.savez(path, **arrays)
        settings = {"data": str(task.data.resolve()), "arrays": str(path)}
        result = cargo.run(FOLDER, given=json.dumps(task.settings | settings))
    manifest = tomllib.loads((FOLDER / "Cargo.toml").read_text())
    version = manifest["dependencies"]["candle-core"].removeprefix("=")
    return task.result(version, result["seconds"], result["test_accuracy"])
