"""Training in PyTorch, eager or compiled."""

import time

import torch
from torch.nn import functional

from task import Skipped


def train(task):
    """Each operation by itself, as PyTorch does without further ado."""
    return train_by(task, lambda loss: loss)


def train_compiled(task):
    """Forward, loss and gradients compiled, for each size of batch."""
    from torch._inductor.exc import InductorError

    try:
        return train_by(task, lambda loss: torch.compile(loss, dynamic=False))
    except InductorError as error:  # such as that there is no C++ compiler
        raise Skipped(str(error).splitlines()[0]) from None


def train_by(task, compiled):
    """Trains with what `compiled` makes of the loss."""
    settings, parameters = task.settings, task.parameters()
    torch.set_num_threads(task.threads)
    # Some CPUs are slow with subnormal numbers, which the momentum of weights of
    # dark pixels becomes. The trainer's optimizers and XLA flush them too.
    torch.set_flush_denormal(True)
    torch.manual_seed(settings["seed"])
    activation = getattr(torch, settings["activation"])
    images, labels = (torch.from_numpy(array) for array in task.train)
    labels = labels.long()

    def begin():
        """The network before its first step, and its optimizer."""
        layers = [
            [torch.tensor(array, requires_grad=True) for array in layer]
            for layer in parameters
        ]
        groups = [
            {"params": [w for w, _ in layers], "weight_decay": settings["l2"]},
            {"params": [b for _, b in layers], "weight_decay": 0},
        ]
        sgd = torch.optim.SGD(
            groups, lr=settings["lr"], momentum=settings["momentum"], fused=True
        )
        return layers, sgd

    def forward(layers, x, training):
        """Logits."""
        for i, (w, b) in enumerate(layers):
            if i > 0:
                x = activation(x)
            rate = settings["dropout" if i > 0 else "input_dropout"]
            if training and rate > 0:
                x = functional.dropout(x, rate)
            x = functional.linear(x, w, b)
        return x

    @compiled
    def loss(layers, images, labels, rows):
        """Mean cross-entropy of these rows of the data set."""
        logits = forward(layers, images[rows], True)
        return functional.cross_entropy(logits, labels[rows])

    def steps(layers, sgd, order, rates):
        """Takes a step for each batch of the order."""
        for rows, rate in zip(order.split(settings["batch_size"]), rates):
            for group in sgd.param_groups:
                group["lr"] = rate
            sgd.zero_grad()
            loss(layers, images, labels, rows).backward()
            sgd.step()

    # Warms up with ten batches and one of the size of the last.
    layers, sgd = begin()
    size = settings["batch_size"]
    warm_up = torch.arange(min(10 * size + len(images) % size, len(images)))
    steps(layers, sgd, warm_up, [settings["lr"]] * 11)

    layers, sgd = begin()
    seconds = 0
    for order, rates in task.epochs():
        order = torch.from_numpy(order)
        started = time.perf_counter()
        steps(layers, sgd, order, rates)
        seconds += time.perf_counter() - started

    images, labels = (torch.from_numpy(array) for array in task.test)
    with torch.no_grad():
        right = forward(layers, images, False).argmax(1) == labels
    return task.result(torch.__version__, seconds, right.double().mean().item())
