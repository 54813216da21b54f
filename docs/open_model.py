"""Opens a saved model with the safetensors package, and says what is in it.

    pip install safetensors numpy
    python open_model.py runs/NAME/model.safetensors

Fails if it is not what formats.md promises: layers that torch.nn.Linear would
take, in the shape that the metadata name.
"""

import json
import sys

import numpy as np
from safetensors import safe_open

with safe_open(sys.argv[1], framework="numpy") as file:
    metadata = file.metadata()
    tensors = {name: file.get_tensor(name) for name in file.keys()}

assert (metadata["format"], metadata["version"]) == ("nn.mlp", "1"), metadata
architecture = json.loads(metadata["architecture"])
sizes = [architecture["inputs"], *architecture["hidden"], architecture["outputs"]]

# As nn.Linear(inputs, units) has them, which computes x @ weight.T + bias.
expected = {}
for l, (inputs, units) in enumerate(zip(sizes, sizes[1:])):
    expected[f"layer.{l}.weight"] = (units, inputs)
    expected[f"layer.{l}.bias"] = (units,)
assert {name: tensor.shape for name, tensor in tensors.items()} == expected, expected
assert all(tensor.dtype == np.float32 for tensor in tensors.values())
assert all(np.isfinite(tensor).all() for tensor in tensors.values())

names = metadata.get("class_names")
if names is not None:
    names = json.loads(names)
    assert len(names) == len(set(names)) == sizes[-1], names

print("-".join(map(str, sizes)), architecture["activation"])
print("a byte is multiplied by", metadata["pixel_scale"])
print("images before that:", metadata.get("preparation", "as they are"))
print("classes:", ", ".join(names) if names else "without names")
for name in expected:
    tensor = tensors[name]
    print(f"{name:16} {str(tensor.shape):12} from {tensor.min():.4f} to {tensor.max():.4f}")
