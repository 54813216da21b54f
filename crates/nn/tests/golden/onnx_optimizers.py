"""Ten steps of ONNX's optimizers, to compare this crate's with.

    pip install -r requirements.txt
    python onnx_optimizers.py

writes onnx_{adagrad,adam,momentum,nesterov}.safetensors beside this file, the same
bytes each time. What is in them is what is in those of optimizers.py, and the
`rates` [10] of the steps as this crate is to be told them. Gradients are
PyTorch's, and each step is the operator Adagrad, Adam or Momentum of
ai.onnx.preview.training, version 1, run by ONNX's reference implementation.

ONNX says of itself R (learning rate), T (count of updates), norm_coefficient (l2),
and more. Where its definitions differ from this crate's, which are PyTorch's, the
operators are given what maps:

- Adagrad has a decay of the rate, R/(1 + T·decay_factor), T from 0. Here that is a
  schedule (inverse-time, by the epoch), so the test takes each step at its rate.
- Adam corrects the bias of both averages in its rate, R·√(1 − βᵀ)/(1 − αᵀ), so that
  its ε is added to an uncorrected root: what is ε here is ε·√(1 − βᵀ) there, and is
  given to it anew in each step. T is 1 in the first step; with T = 0, ONNX corrects
  nothing. norm_coefficient_post, which shrinks weights by a share of themselves
  after the step and whatever the rate, has no counterpart: AdamW's decay is lr·λ,
  of the weights before the step. It is 0.
- Momentum has a factor β of the gradient, but for the first step. It is 1, as this
  crate has it (PyTorch's dampening of 0).
"""

import json

import numpy as np
import torch
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from torch import nn

from trajectories import parameters, write

DOMAIN = "ai.onnx.preview.training"
SEED, L2 = 20, 1e-2
STEPS, BATCH, SIZES = 10, 16, [12, 9, 5]
DECAY = 0.1
BETA, EPSILON = 0.95, 1e-3
# Name: operator, what it is told, number of states, learning rate, first T, and
# the optimizer here.
OPTIMIZERS = {
    "adagrad": (
        "Adagrad",
        {"epsilon": EPSILON, "decay_factor": DECAY},
        1,
        0.05,
        0,
        {"kind": "adagrad", "epsilon": EPSILON},
    ),
    "adam": (
        "Adam",
        {"alpha": 0.8, "beta": BETA, "norm_coefficient_post": 0.0},
        2,
        0.02,
        1,
        {"kind": "adam", "beta1": 0.8, "beta2": BETA, "epsilon": EPSILON},
    ),
    "momentum": (
        "Momentum",
        {"alpha": 0.8, "beta": 1.0, "mode": "standard"},
        1,
        0.1,
        0,
        {"kind": "sgd", "momentum": 0.8},
    ),
    "nesterov": (
        "Momentum",
        {"alpha": 0.8, "beta": 1.0, "mode": "nesterov"},
        1,
        0.1,
        0,
        {"kind": "nesterov", "momentum": 0.8},
    ),
}


def operator(kind, attributes, states, shape):
    """The operator on one tensor of that shape, as a model to be run."""
    inputs = ["R", "T", "X", "G"] + [f"S{i}" for i in range(states)]
    outputs = ["X_new"] + [f"S{i}_new" for i in range(states)]
    node = helper.make_node(kind, inputs, outputs, domain=DOMAIN, **attributes)

    def value(name, kind=TensorProto.FLOAT, shape=shape):
        return helper.make_tensor_value_info(name, kind, shape)

    scalars = [value("R", shape=[]), value("T", TensorProto.INT64, [])]
    graph = helper.make_graph(
        [node], kind, scalars + [value(name) for name in inputs[2:]], map(value, outputs)
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(DOMAIN, 1)]
    return ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))


def trajectory(kind, attributes, states, lr, first):
    """All tensors of a run, by name."""
    torch.manual_seed(SEED)
    x = torch.rand(STEPS, BATCH, SIZES[0])
    y = torch.randint(SIZES[-1], (STEPS, BATCH))
    layers = [nn.Linear(inputs, units) for inputs, units in zip(SIZES, SIZES[1:])]
    tensors = {"x": x, "y": y.int()} | parameters(layers)

    rules = []
    for layer in layers:
        for parameter, l2 in ((layer.weight, L2), (layer.bias, 0.0)):
            kept = [np.zeros(parameter.shape, np.float32) for _ in range(states)]
            rules.append((parameter, l2, kept))

    losses, rates = [], []
    for step in range(STEPS):
        loss = nn.functional.cross_entropy(layers[1](torch.tanh(layers[0](x[step]))), y[step])
        for parameter, _, _ in rules:
            parameter.grad = None
        loss.backward()
        for parameter, l2, kept in rules:
            told = attributes | {"norm_coefficient": l2}
            if kind == "Adam":
                told["epsilon"] = EPSILON * (1 - BETA ** (first + step)) ** 0.5
            rule = operator(kind, told, states, list(parameter.shape))
            given = {
                "R": np.float32(lr),
                "T": np.int64(first + step),
                "X": parameter.detach().numpy(),
                "G": parameter.grad.numpy(),
            }
            given |= {f"S{i}": state for i, state in enumerate(kept)}
            after, *kept[:] = [np.asarray(out, np.float32) for out in rule.run(None, given)]
            parameter.data = torch.from_numpy(after.copy())
        losses.append(loss.item())
        rates.append(lr / (1 + step * attributes.get("decay_factor", 0.0)))
        if step + 1 in (1, STEPS):
            tensors |= parameters(layers, f"step{step + 1}.")
    return tensors | {"loss": torch.tensor(losses), "rates": torch.tensor(rates)}


for name, (kind, attributes, states, lr, first, ours) in OPTIMIZERS.items():
    metadata = {
        "activation": "tanh",
        "optimizer": json.dumps(ours),
        "l2": L2,
        "seed": SEED,
    }
    write(f"onnx_{name}", trajectory(kind, attributes, states, lr, first), metadata)
