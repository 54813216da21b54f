"""What the scripts that write trajectories share: the parameters by name, and a
file of the same bytes each time."""

import json
from pathlib import Path

import torch
from safetensors.torch import save

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def parameters(layers, prefix=""):
    """Copies of the weights and biases, by name."""
    return {
        f"{prefix}{letter}{i}": parameter.detach().clone()
        for i, layer in enumerate(layers)
        for letter, parameter in (("w", layer.weight), ("b", layer.bias))
    }


def write(name, tensors, metadata):
    """Writes name.safetensors beside this file, PyTorch's version in its metadata."""
    metadata = {"torch": torch.__version__.partition("+")[0]} | metadata
    file = save(tensors, {key: str(value) for key, value in metadata.items()})
    # safetensors leaves the order of the metadata to chance.
    size = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + size])
    header = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    file = file[:8] + header.ljust(size) + file[8 + size :]
    Path(__file__).with_name(f"{name}.safetensors").write_bytes(file)
