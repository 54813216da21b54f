"""Training in burn on its CPU backend burn-flex, by the Rust program in ../burn."""

import json
import tempfile
import tomllib
from pathlib import Path

import numpy

from trainers import cargo

FOLDER = Path(__file__).resolve().parent.parent / "burn"


def train(task):
    """Writes down what is to be done, and runs the program."""
    cargo.build(FOLDER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "numbers"
        with path.open("wb") as file:
            for weights, biases in task.parameters():
                # burn keeps weights as inputs × units.
                file.write(weights.T.astype("<f4").tobytes())
                file.write(biases.astype("<f4").tobytes())
            for order, rates in task.epochs():
                file.write(order.astype("<u4").tobytes())
                file.write(numpy.asarray(rates, "<f8").tobytes())
        settings = {"data": str(task.data.resolve()), "numbers": str(path)}
        settings["layers"] = task.layers()
        result = cargo.run(FOLDER, given=json.dumps(task.settings | settings))
    manifest = tomllib.loads((FOLDER / "Cargo.toml").read_text())
    version = manifest["dependencies"]["burn"]["version"].removeprefix("=")
    return task.result(version, result["seconds"], result["test_accuracy"])
