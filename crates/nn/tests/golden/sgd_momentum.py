"""Ten steps of training in PyTorch, to compare this crate's steps with.

    pip install -r requirements.txt
    python sgd_momentum.py

writes sgd_momentum_{tanh,sigmoid,relu}.safetensors beside this file, the same
bytes each time. Each holds a 20-16-12-5 network with that activation in its
hidden layers, trained by softmax cross-entropy and SGD with momentum in f32:

    x [10, 32, 20] f32, y [10, 32] i32    a batch of 32 for each step
    w0 b0 w1 b1 w2 b2                     parameters at the start; w is [out, in]
    loss [10]                             mean loss of each batch before its step,
                                          without the penalty
    step1.w0 … step1.b2, step10.w0 … step10.b2
                                          parameters after these steps

Data and initial parameters are the same in all three. The penalty on the cost
is l2/2·|w|², which PyTorch calls weight decay; biases bear none. The velocity
is v ← momentum·v + gradient, starting at 0, and the step is −lr·v.
"""

import torch
from torch import nn

from trajectories import parameters, write

SEED, LR, MOMENTUM, L2 = 20, 0.1, 0.9, 1e-3
STEPS, BATCH, SIZES = 10, 32, [20, 16, 12, 5]
ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}


def trajectory(activation):
    """All tensors of a run, by name."""
    torch.manual_seed(SEED)
    x = torch.rand(STEPS, BATCH, SIZES[0])
    y = torch.randint(SIZES[-1], (STEPS, BATCH))
    layers = [nn.Linear(inputs, units) for inputs, units in zip(SIZES, SIZES[1:])]
    tensors = {"x": x, "y": y.int()} | parameters(layers)

    optimizer = torch.optim.SGD(
        [
            {"params": [layer.weight for layer in layers], "weight_decay": L2},
            {"params": [layer.bias for layer in layers], "weight_decay": 0.0},
        ],
        lr=LR,
        momentum=MOMENTUM,
    )
    losses = []
    for step in range(STEPS):
        a = x[step]
        for layer in layers[:-1]:
            a = activation(layer(a))
        loss = nn.functional.cross_entropy(layers[-1](a), y[step])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step + 1 in (1, STEPS):
            tensors |= parameters(layers, f"step{step + 1}.")
    return tensors | {"loss": torch.tensor(losses)}


for name, activation in ACTIVATIONS.items():
    metadata = {
        "activation": name,
        "lr": LR,
        "momentum": MOMENTUM,
        "l2": L2,
        "seed": SEED,
    }
    write(f"sgd_momentum_{name}", trajectory(activation), metadata)
