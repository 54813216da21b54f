"""Loads a file of `trainer export --pytorch` into torch.nn.Sequential.

    pip install torch safetensors
    python load_in_pytorch.py model.safetensors

`load` returns the network and the metadata of the file. The network takes features and
gives logits, or standardised values: the metadata has what comes before it (`pixel_scale`,
`preparation`) and after it (`head`).
"""

import json
import sys

from safetensors import safe_open
from torch import nn


class Maxout(nn.Module):
    """The largest of the pieces of each unit; the first pieces of all units come first."""

    def __init__(self, pieces):
        super().__init__()
        self.pieces = pieces

    def forward(self, z):
        return z.unflatten(-1, (self.pieces, -1)).amax(-2)


def load(path):
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    sizes = json.loads(about["layers"])
    name, _, parameter = about["activation"].partition(":")
    pieces = int(parameter) if name == "maxout" else 1
    activation = {
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "relu": nn.ReLU,
        "leaky-relu": lambda: nn.LeakyReLU(float(parameter)),
        "elu": lambda: nn.ELU(float(parameter)),
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "maxout": lambda: Maxout(pieces),
    }[name]
    modules = []
    for inputs, units in zip(sizes, sizes[1:-1]):
        modules += [nn.Linear(inputs, units * pieces), activation()]
    network = nn.Sequential(*modules, nn.Linear(sizes[-2], sizes[-1]))
    network.load_state_dict(tensors)
    return network.eval(), about


if __name__ == "__main__":
    network, about = load(sys.argv[1])
    print(network)
    for key, value in about.items():
        print(f"{key}: {value}")
