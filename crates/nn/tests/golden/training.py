"""Ten steps of everything else in PyTorch, to compare this crate's steps with.

    pip install -r requirements.txt
    python training.py

writes training_{…}.safetensors beside this file, one for each row of CASES, the
same bytes each time. Each holds a 12-9-5 network trained by cross-entropy and SGD
with momentum in f32:

    x [10, 16, 12] f32, y [10, 16] i32    a batch of 16 for each step
    sample_weights [10, 16] f32           in sample_weights alone
    w0 b0 w1 b1                           parameters at the start; w is [out, in]
    loss [10]                             loss of each batch before its step, without
                                          the penalty
    step1.w0 … step1.b1, step10.w0 … step10.b1
                                          parameters after these steps

Data and initial parameters are the same in all but maxout, which has three times
the rows in its hidden layer. The metadata's `fit` is JSON as this crate reads it.
No parameter has its default.

What PyTorch has no module for is written out in its operations:

- maxout, the largest of three affine maps;
- ghost batch normalisation: `batch_norm` on one shard of rows after the other,
  and their statistics averaged before they go into the running averages, once a
  step. With one shard a step that is `BatchNorm1d`, whose own running averages are
  taken there, with the plain average over the steps (`momentum=None`) that this
  crate begins with too. Like it, this crate has the running variance unbiased
  and that of the batch biased. A case has the averages folded into its
  parameters, gain/√(σ² + ε) times the weights and so on, as it is handed out;
- sample weights, as scikit-learn means them: PyTorch's `reduction="none"`, times
  the weights, over the sum that `reduction="mean"` divides by, of weighted samples.

Noise and dropout draw other random numbers here than in PyTorch, and are not
compared.
"""

import json

import torch
from torch import nn
from torch.nn import functional as F

from trajectories import parameters, write

SEED, LR, MOMENTUM, L2 = 20, 0.1, 0.8, 1e-2
STEPS, BATCH, SIZES = 10, 16, [12, 9, 5]
PIECES = 3
CLASS_WEIGHTS = [0.5, 2.0, 0.0, 1.25, 3.0]
PLAIN = {}


def maxout(z):
    """The largest of each unit's pieces, which are as far apart as there are units."""
    return z.unflatten(1, (PIECES, -1)).max(dim=1).values


# Name: activation by name and in PyTorch, and what of the settings is not plain.
CASES = {
    "leaky_relu": ("leaky-relu:0.2", lambda z: F.leaky_relu(z, 0.2), PLAIN),
    "elu": ("elu:0.75", lambda z: F.elu(z, 0.75), PLAIN),
    "gelu": ("gelu", lambda z: F.gelu(z, approximate="none"), PLAIN),
    "silu": ("silu", F.silu, PLAIN),
    "maxout": (f"maxout:{PIECES}", maxout, PLAIN),
    "label_smoothing": ("tanh", torch.tanh, {"label-smoothing": 0.2}),
    "class_weights": ("tanh", torch.tanh, {"class-weights": CLASS_WEIGHTS}),
    "smoothed_weights": (
        "tanh",
        torch.tanh,
        {"label-smoothing": 0.2, "class-weights": CLASS_WEIGHTS},
    ),
    "sample_weights": (
        "tanh",
        torch.tanh,
        {"label-smoothing": 0.2, "class-weights": CLASS_WEIGHTS},
    ),
    "batch_norm": (
        "tanh",
        torch.tanh,
        {"batch-norm": {"rows": BATCH, "momentum": 0.01, "epsilon": 1e-2}},
    ),
    "ghost_batch_norm": (
        "relu",
        torch.relu,
        # Shards of 6, 6 and 4 rows.
        {"batch-norm": {"rows": 6, "momentum": 0.3, "epsilon": 1e-2}},
    ),
}


class Norm(nn.Module):
    """Batch normalisation behind a layer, whose bias it takes over."""

    def __init__(self, layer, rows, momentum, epsilon):
        super().__init__()
        units = len(layer.bias)
        self.layer, self.rows, self.momentum, self.epsilon = layer, rows, momentum, epsilon
        self.gain = nn.Parameter(torch.ones(units))
        self.mean, self.variance = torch.zeros(units), torch.ones(units)
        self.steps = 0
        # PyTorch's own, where a shard is a batch.
        self.whole = None
        if rows == BATCH:
            self.whole = nn.BatchNorm1d(units, eps=epsilon, momentum=None)
            self.whole.weight, self.whole.bias = self.gain, layer.bias

    def forward(self, x):
        u = F.linear(x, self.layer.weight)
        if self.whole is not None:
            z = self.whole(u)
            self.mean, self.variance = self.whole.running_mean, self.whole.running_var
            return z
        shards = u.split(self.rows)
        self.steps += 1
        share = max(self.momentum, 1 / self.steps)
        with torch.no_grad():
            mean = torch.stack([shard.mean(0) for shard in shards]).mean(0)
            variance = torch.stack([shard.var(0) for shard in shards]).mean(0)
            self.mean = (1 - share) * self.mean + share * mean
            self.variance = (1 - share) * self.variance + share * variance
        return torch.cat(
            [
                F.batch_norm(
                    shard,
                    None,
                    None,
                    self.gain,
                    self.layer.bias,
                    training=True,
                    eps=self.epsilon,
                )
                for shard in shards
            ]
        )

    def folded(self):
        scale = self.gain / torch.sqrt(self.variance + self.epsilon)
        layer = nn.Linear(self.layer.in_features, self.layer.out_features)
        layer.weight.data = scale[:, None] * self.layer.weight
        layer.bias.data = self.layer.bias - scale * self.mean
        return layer


def trajectory(name, activation, settings):
    """All tensors of a run, by name."""
    torch.manual_seed(SEED)
    x = torch.rand(STEPS, BATCH, SIZES[0])
    y = torch.randint(SIZES[-1], (STEPS, BATCH))
    sizes = list(zip(SIZES, SIZES[1:]))
    if name == "maxout":
        sizes[0] = (SIZES[0], PIECES * SIZES[1])
    layers = [nn.Linear(inputs, units) for inputs, units in sizes]
    tensors = {"x": x, "y": y.int()} | parameters(layers)
    w = torch.ones(STEPS, BATCH)
    if name == "sample_weights":
        w = (3 * torch.rand(STEPS, BATCH) - 1).clamp(min=0)
        tensors["sample_weights"] = w

    modules = layers
    if norm := settings.get("batch-norm"):
        modules = [Norm(layer, *norm.values()) for layer in layers]
    gains = [module.gain for module in modules if norm]
    weights = settings.get("class-weights")
    weights = torch.tensor(weights) if weights else None
    smoothing = settings.get("label-smoothing", 0.0)

    optimizer = torch.optim.SGD(
        [
            {"params": [layer.weight for layer in layers], "weight_decay": L2},
            {"params": [layer.bias for layer in layers] + gains, "weight_decay": 0.0},
        ],
        lr=LR,
        momentum=MOMENTUM,
    )
    losses = []
    for step in range(STEPS):
        logits = modules[1](activation(modules[0](x[step])))
        arguments = {"weight": weights, "label_smoothing": smoothing}
        if name == "sample_weights":
            terms = F.cross_entropy(logits, y[step], reduction="none", **arguments)
            loss = (w[step] * terms).sum() / (w[step] * weights[y[step]]).sum()
        else:
            loss = F.cross_entropy(logits, y[step], **arguments)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step + 1 in (1, STEPS):
            done = [module.folded() for module in modules] if norm else layers
            tensors |= parameters(done, f"step{step + 1}.")
    return tensors | {"loss": torch.tensor(losses)}


for name, (ours, activation, settings) in CASES.items():
    fit = {"lr": LR, "l2": L2, "optimizer": {"kind": "sgd", "momentum": MOMENTUM}}
    metadata = {
        "activation": ours,
        "fit": json.dumps(fit | settings),
        "seed": SEED,
    }
    write(f"training_{name}", trajectory(name, activation, settings), metadata)
