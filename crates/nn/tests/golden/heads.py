"""Ten steps with each head but softmax in PyTorch, to compare this crate's steps with.

    pip install -r requirements.txt
    python heads.py

writes head_{…}.safetensors beside this file, one for each row of CASES, the same bytes
each time. Each holds a network of 12 inputs and 9 hidden units with tanh, trained by SGD
with momentum in f32:

    x [10, 16, 12] f32                    a batch of 16 for each step
    y [10, 16, outputs] f32               its targets; for logistic y [10, 16] i32
    sample_weights [10, 16] f32           in the cases of that name
    w0 b0 w1 b1                           parameters at the start; w is [out, in]
    loss [10]                             loss of each batch before its step, without
                                          the penalty
    step1.w0 … step1.b1, step10.w0 … step10.b1
                                          parameters after these steps

The metadata's `head` and `fit` are as this crate reads them. Weighted means are PyTorch's
`reduction="none"`, averaged over the outputs, times the weights, over their sum. Label
smoothing and class weights of the logistic head are those of `F.cross_entropy` on two
logits, 0 and z.
"""

import json

import torch
from torch import nn
from torch.nn import functional as F

from trajectories import parameters, write

SEED, LR, MOMENTUM, L2 = 21, 0.1, 0.8, 1e-2
STEPS, BATCH, INPUTS, HIDDEN = 10, 16, 12, 9
CLASS_WEIGHTS, SMOOTHING = [0.5, 2.0], 0.2


def squared(z, y):
    return F.mse_loss(z, y, reduction="none").mean(1)


def huber(z, y):
    return F.huber_loss(z, y, reduction="none", delta=0.5).mean(1)


def binary(z, y):
    return F.binary_cross_entropy_with_logits(z, y, reduction="none").mean(1)


def logistic(z, y):
    return binary(z, y[:, None].float())


def real(outputs):
    return 2 * torch.randn(STEPS, BATCH, outputs)


def yes_or_no(*shape):
    return torch.randint(2, (STEPS, BATCH, *shape))


# Name: head by name, outputs, targets, and the loss of each row.
CASES = {
    "squared": ("squared", 3, lambda: real(3), squared),
    "squared_sample_weights": ("squared", 3, lambda: real(3), squared),
    "huber": ("huber:0.5", 3, lambda: real(3), huber),
    "logistic": ("logistic", 1, lambda: yes_or_no(), logistic),
    "logistic_weights": ("logistic", 1, lambda: yes_or_no(), None),
    "multilabel": ("multilabel", 5, lambda: yes_or_no(5).float(), binary),
    "multilabel_sample_weights": ("multilabel", 5, lambda: yes_or_no(5).float(), binary),
}


def trajectory(name, outputs, targets, loss_of_rows):
    """All tensors of a run, by name."""
    torch.manual_seed(SEED)
    x, y = torch.rand(STEPS, BATCH, INPUTS), targets()
    layers = [nn.Linear(INPUTS, HIDDEN), nn.Linear(HIDDEN, outputs)]
    tensors = {"x": x, "y": y.int() if y.dtype == torch.int64 else y} | parameters(layers)
    weights = torch.ones(STEPS, BATCH)
    if name.endswith("sample_weights"):
        weights = (3 * torch.rand(STEPS, BATCH) - 1).clamp(min=0)
        tensors["sample_weights"] = weights
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
        z, w = layers[1](torch.tanh(layers[0](x[step]))), weights[step]
        if loss_of_rows is None:
            logits = torch.cat([torch.zeros_like(z), z], 1)
            of_classes = torch.tensor(CLASS_WEIGHTS)
            loss = F.cross_entropy(
                logits, y[step], weight=of_classes, label_smoothing=SMOOTHING
            )
        else:
            loss = (w * loss_of_rows(z, y[step])).sum() / w.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step + 1 in (1, STEPS):
            tensors |= parameters(layers, f"step{step + 1}.")
    return tensors | {"loss": torch.tensor(losses)}


for name, (head, outputs, targets, loss_of_rows) in CASES.items():
    fit = {"lr": LR, "l2": L2, "optimizer": {"kind": "sgd", "momentum": MOMENTUM}}
    if loss_of_rows is None:
        fit |= {"class-weights": CLASS_WEIGHTS, "label-smoothing": SMOOTHING}
    metadata = {"activation": "tanh", "head": head, "fit": json.dumps(fit), "seed": SEED}
    write(f"head_{name}", trajectory(name, outputs, targets, loss_of_rows), metadata)
