"""Ten steps of each other optimizer in PyTorch, to compare this crate's with.

    pip install -r requirements.txt
    python optimizers.py

writes {nesterov,adagrad,rmsprop,adadelta,adam,adamw}.safetensors beside this
file, the same bytes each time. Each holds a 12-9-5 network with tanh in its
hidden layer, trained by softmax cross-entropy and that optimizer in f32:

    x [10, 16, 12] f32, y [10, 16] i32    a batch of 16 for each step
    w0 b0 w1 b1                           parameters at the start; w is [out, in]
    loss [10]                             mean loss of each batch before its step,
                                          without the penalty
    step1.w0 … step1.b1, step10.w0 … step10.b1
                                          parameters after these steps

Data and initial parameters are the same in all. l2 is PyTorch's weight decay,
which is decoupled in adamw and l2/2·|w|² on the cost elsewhere; biases bear
none. The metadata's `optimizer` is JSON as this crate reads it. No parameter has
its default, so that one that is not read shows; and ε is large, so that its
place does.
"""

import json

import torch
from torch import nn

from trajectories import parameters, write

SEED, L2 = 20, 1e-2
STEPS, BATCH, SIZES = 10, 16, [12, 9, 5]
# Name: PyTorch's class, learning rate, and the parameters as either calls them.
OPTIMIZERS = {
    "nesterov": (
        torch.optim.SGD,
        0.1,
        {"momentum": 0.8, "nesterov": True},
        {"momentum": 0.8},
    ),
    "adagrad": (torch.optim.Adagrad, 0.05, {"eps": 1e-3}, {"epsilon": 1e-3}),
    "rmsprop": (
        torch.optim.RMSprop,
        0.01,
        {"alpha": 0.9, "eps": 1e-3, "momentum": 0.7},
        {"alpha": 0.9, "epsilon": 1e-3, "momentum": 0.7},
    ),
    "adadelta": (
        torch.optim.Adadelta,
        1.5,
        {"rho": 0.8, "eps": 1e-4},
        {"rho": 0.8, "epsilon": 1e-4},
    ),
    "adam": (
        torch.optim.Adam,
        0.02,
        {"betas": (0.8, 0.95), "eps": 1e-3},
        {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3},
    ),
    "adamw": (
        torch.optim.AdamW,
        0.02,
        {"betas": (0.8, 0.95), "eps": 1e-3},
        {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3},
    ),
}


def trajectory(rule, lr, arguments):
    """All tensors of a run, by name."""
    torch.manual_seed(SEED)
    x = torch.rand(STEPS, BATCH, SIZES[0])
    y = torch.randint(SIZES[-1], (STEPS, BATCH))
    layers = [nn.Linear(inputs, units) for inputs, units in zip(SIZES, SIZES[1:])]
    tensors = {"x": x, "y": y.int()} | parameters(layers)

    optimizer = rule(
        [
            {"params": [layer.weight for layer in layers], "weight_decay": L2},
            {"params": [layer.bias for layer in layers], "weight_decay": 0.0},
        ],
        lr=lr,
        **arguments,
    )
    losses = []
    for step in range(STEPS):
        a = x[step]
        for layer in layers[:-1]:
            a = torch.tanh(layer(a))
        loss = nn.functional.cross_entropy(layers[-1](a), y[step])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step + 1 in (1, STEPS):
            tensors |= parameters(layers, f"step{step + 1}.")
    return tensors | {"loss": torch.tensor(losses)}


for name, (rule, lr, arguments, ours) in OPTIMIZERS.items():
    metadata = {
        "activation": "tanh",
        "optimizer": json.dumps({"kind": name} | ours),
        "lr": lr,
        "l2": L2,
        "seed": SEED,
    }
    write(name, trajectory(rule, lr, arguments), metadata)
