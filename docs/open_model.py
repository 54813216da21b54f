"""Opens a saved model with the safetensors package and prints what it holds.

    pip install safetensors numpy
    python open_model.py runs/NAME/model.safetensors

Fails if the file is not what formats.md promises. Each layer must have a weight
and a bias that torch.nn.Linear takes, with the sizes that the metadata names. A
hidden layer of maxout has several maps for each unit, so its weight has
pieces × units rows: all units of the first piece, then all of the second, and so
on. The value of unit i is the largest of the rows i, units + i, 2·units + i, ...
"""

import json
import sys

import numpy as np
from safetensors import safe_open


def pieces(activation):
    """Affine maps for each hidden unit: k for `maxout:k`, else 1."""
    name, _, parameter = activation.partition(":")
    return int(parameter) if name == "maxout" else 1


with safe_open(sys.argv[1], framework="numpy") as file:
    metadata = file.metadata()
    tensors = {name: file.get_tensor(name) for name in file.keys()}

# Version 2 has a head; without one it is softmax.
head = metadata.get("head", "softmax")
version = "1" if head == "softmax" else "2"
assert (metadata["format"], metadata["version"]) == ("nn.mlp", version), metadata
architecture = json.loads(metadata["architecture"])
activation = architecture["activation"]
sizes = [architecture["inputs"], *architecture["hidden"], architecture["outputs"]]

# The shapes of nn.Linear(inputs, rows), which computes x @ weight.T + bias.
expected = {}
for layer, (inputs, units) in enumerate(zip(sizes, sizes[1:])):
    hidden = layer < len(architecture["hidden"])
    rows = units * pieces(activation) if hidden else units
    expected[f"layer.{layer}.weight"] = (rows, inputs)
    expected[f"layer.{layer}.bias"] = (rows,)
found = {name: tensor.shape for name, tensor in tensors.items()}
assert found == expected, f"found {found}, expected {expected}"
assert all(tensor.dtype == np.float32 for tensor in tensors.values())
assert all(np.isfinite(tensor).all() for tensor in tensors.values())

names = metadata.get("class_names")
if names is not None:
    names = json.loads(names)
    count = 2 if head == "logistic" else sizes[-1]
    assert len(names) == len(set(names)) == count, names

print("-".join(map(str, sizes)), activation, head)
print("bytes are multiplied by", metadata["pixel_scale"])
print("preparation of the images:", metadata.get("preparation", "none"))
print("classes:", ", ".join(names) if names else "without names")
for name in expected:
    tensor = tensors[name]
    print(f"{name:16} {str(tensor.shape):12} from {tensor.min():.4f} to {tensor.max():.4f}")
