"""Trains the networks of the trainer's recipes in PyTorch and JAX, on the CPU.

    python train.py
    python train.py --hidden 512,512 --batch-size 128 --input-dropout 0 --dropout 0

Recipe and flags mean what they mean to the trainer. The whole data set is one
tensor, and a step takes its rows by their shuffled numbers: no loader.
"""

import argparse
import math
import os
import sys
import time
import tomllib
from pathlib import Path

import common

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPES = ROOT / "crates" / "trainer" / "recipes"


def read_idx(numpy, path):
    """The array of unsigned bytes in an IDX file."""
    data = path.read_bytes()
    if data[:3] != b"\0\0\x08":
        sys.exit(f"{path} is no IDX file of unsigned bytes")
    shape = numpy.frombuffer(data, ">u4", count=data[3], offset=4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(shape)


def read_part(numpy, folder, part):
    """Pixels in [0, 1], a row an image, and labels."""
    images = read_idx(numpy, folder / f"{part}-images-idx3-ubyte")
    labels = read_idx(numpy, folder / f"{part}-labels-idx1-ubyte")
    pixels = images.reshape(len(images), -1).astype(numpy.float32) / 255
    return pixels, labels.astype(numpy.int32)


def momentum(optimizer):
    """The momentum of a recipe's optimizer, which is to be SGD."""
    if optimizer["kind"] != "sgd":
        sys.exit(f"the recipe trains with {optimizer['kind']}: expected sgd")
    return optimizer.get("momentum", 0.0)


def read_settings(args):
    """The recipe's settings, where no flag replaces them."""
    recipe = tomllib.loads((RECIPES / f"{args.recipe}.toml").read_text())
    network, training = recipe["network"], recipe["training"]
    dropout = training["dropout"]
    settings = {
        "hidden": network["hidden"],
        "activation": network["activation"],
        "init": network["init"],
        "epochs": training["epochs"],
        "batch_size": training["batch-size"],
        "lr": training["lr"],
        "schedule": training["schedule"],
        "momentum": momentum(training["optimizer"]),
        "l2": training["l2"],
        "input_dropout": dropout["input"],
        "dropout": dropout["hidden"],
        "seed": training["seed"],
    }
    flags = {name: value for name, value in vars(args).items() if value is not None}
    return {name: flags.get(name, value) for name, value in settings.items()}


def learning_rate(settings, epoch):
    """The rate of an epoch, counted from 0."""
    lr, progress = settings["lr"], epoch / settings["epochs"]
    decay = settings["schedule"].get("decay", 0)
    return {
        "constant": lambda: lr,
        "linear": lambda: lr * (1 - progress),
        "cosine": lambda: lr * (1 + math.cos(math.pi * progress)) / 2,
        "inverse-time": lambda: lr / (1 + decay * epoch),
        "compounding": lambda: lr / math.prod(1 + decay * i for i in range(epoch + 1)),
    }[settings["schedule"]["kind"]]()


def initial_parameters(numpy, settings, inputs, outputs):
    """Weights, units × inputs, and biases of each layer."""
    random = numpy.random.default_rng(settings["seed"])
    sizes = [inputs, *settings["hidden"], outputs]
    parameters = []
    for below, units in zip(sizes, sizes[1:]):
        bound = {
            "uniform": 1,
            "xavier": math.sqrt(6 / (below + units)),
            "he": math.sqrt(6 / below),
        }[settings["init"]]
        weights = random.uniform(-bound, bound, (units, below))
        biases = numpy.zeros(units)
        if settings["init"] == "uniform":
            biases = random.uniform(-bound, bound, units)
        parameters.append((weights.astype(numpy.float32), biases.astype(numpy.float32)))
    return parameters


def orders(numpy, settings, samples):
    """The order of the samples in each epoch."""
    random = numpy.random.default_rng(settings["seed"] + 1)
    for _ in range(settings["epochs"]):
        yield random.permutation(samples)


def train_torch(torch, settings, parameters, epochs, train, test):
    """Seconds of each epoch's steps, and the share of the test set that is right."""
    functional = torch.nn.functional
    activation = getattr(torch, settings["activation"])
    images, labels = (torch.from_numpy(array) for array in train)
    labels = labels.long()
    torch.manual_seed(settings["seed"])

    def begin():
        """The network before its first step, and its optimizer."""
        layers = [
            [torch.tensor(array, requires_grad=True) for array in layer] for layer in parameters
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

    def steps(layers, sgd, order):
        """Takes a step for each batch of the order."""
        for rows in order.split(settings["batch_size"]):
            logits = forward(layers, images[rows], True)
            loss = functional.cross_entropy(logits, labels[rows])
            sgd.zero_grad()
            loss.backward()
            sgd.step()

    layers, sgd = begin()
    steps(layers, sgd, torch.arange(10 * settings["batch_size"]))  # warms up

    layers, sgd = begin()
    seconds = []
    for epoch, order in enumerate(epochs):
        for group in sgd.param_groups:
            group["lr"] = learning_rate(settings, epoch)
        order = torch.from_numpy(order)
        started = time.perf_counter()
        steps(layers, sgd, order)
        seconds.append(time.perf_counter() - started)

    images, labels = (torch.from_numpy(array) for array in test)
    with torch.no_grad():
        right = forward(layers, images, False).argmax(1) == labels
    return seconds, right.double().mean().item()


def train_jax(jax, settings, parameters, epochs, train, test):
    """The same in JAX, where a whole epoch is one compiled function."""
    activation = {"relu": jax.nn.relu, "tanh": jax.numpy.tanh, "sigmoid": jax.nn.sigmoid}[
        settings["activation"]
    ]
    batch_size, momentum, l2 = (settings[name] for name in ("batch_size", "momentum", "l2"))
    images, labels = (jax.device_put(array) for array in train)

    def dropout(x, rate, key):
        """Drops a share of x and scales up the rest."""
        kept = jax.random.bernoulli(key, 1 - rate, x.shape)
        return jax.numpy.where(kept, x / (1 - rate), 0)

    def forward(layers, x, key):
        """Logits; without a key, those of a trained network."""
        for i, (w, b) in enumerate(layers):
            if i > 0:
                x = activation(x)
            rate = settings["dropout" if i > 0 else "input_dropout"]
            if key is not None and rate > 0:
                x = dropout(x, rate, jax.random.fold_in(key, i))
            x = x @ w.T + b
        return x

    def loss(layers, x, y, key):
        """Mean cross-entropy."""
        losses = -jax.nn.log_softmax(forward(layers, x, key))
        return jax.numpy.take_along_axis(losses, y[:, None], 1).mean()

    def step(state, rows, images, labels, lr):
        """One step with these rows of the data set."""
        layers, velocities, key = state
        key, of_step = jax.random.split(key)
        gradients = jax.grad(loss)(layers, images[rows], labels[rows], of_step)
        gradients = [(dw + l2 * w, db) for (dw, db), (w, _) in zip(gradients, layers)]
        velocities = jax.tree.map(lambda v, g: momentum * v + g, velocities, gradients)
        layers = jax.tree.map(lambda w, v: w - lr * v, layers, velocities)
        return layers, velocities, key

    def steps(state, order, *rest):
        """Takes a step for each batch of the order; the last one may be smaller."""
        whole = len(order) // batch_size * batch_size
        batches = order[:whole].reshape(-1, batch_size)
        state, _ = jax.lax.scan(lambda *given: (step(*given, *rest), None), state, batches)
        return step(state, order[whole:], *rest) if whole < len(order) else state

    layers = jax.device_put(parameters)
    velocities = jax.tree.map(jax.numpy.zeros_like, layers)
    state = layers, velocities, jax.random.key(settings["seed"])
    compiled = None
    seconds = []
    for epoch, order in enumerate(epochs):
        order, lr = jax.device_put((order.astype("int32"), learning_rate(settings, epoch)))
        given = state, order, images, labels, lr
        if compiled is None:
            compiled = jax.jit(steps, donate_argnums=0).lower(*given).compile()
        started = time.perf_counter()
        state = jax.block_until_ready(compiled(*given))
        seconds.append(time.perf_counter() - started)

    images, labels = (jax.device_put(array) for array in test)
    right = forward(state[0], images, None).argmax(1) == labels
    return seconds, float(right.mean())


TRAINERS = {"torch": train_torch, "jax": train_jax}


def hidden(text):
    """The value of --hidden: numbers of units with commas between them, or none."""
    return [] if text == "none" else [int(part) for part in text.split(",")]


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--recipe", metavar="NAME", default="plain", help="where the other settings come from")
    add("--hidden", metavar="UNITS", type=hidden, help="such as 512,512, or none")
    add("--activation", choices=["tanh", "sigmoid", "relu"])
    add("--init", choices=["uniform", "xavier", "he"])
    add("--epochs", metavar="N", type=int)
    add("--batch-size", metavar="N", type=int)
    add("--lr", metavar="RATE", type=float)
    add("--momentum", metavar="FACTOR", type=float)
    add("--l2", metavar="FACTOR", type=float)
    add("--dropout", metavar="RATE", type=float, help="of hidden units")
    add("--input-dropout", metavar="RATE", type=float, help="of pixels")
    add("--seed", metavar="N", type=int)
    add("--data", metavar="DIR", type=Path, default=ROOT / "data", help="the IDX files")
    add("--threads", metavar="N", type=int, default=os.cpu_count())
    common.add_arguments(parser, TRAINERS)
    return parser.parse_args()


def main():
    """Trains with each library, prints the table and writes the file."""
    args = arguments()
    settings = read_settings(args)
    common.limit_threads(args.threads)
    import numpy

    libraries = common.import_libraries(args.libraries, args.threads)
    train, test = (read_part(numpy, args.data, part) for part in ("train", "t10k"))
    samples, inputs = train[0].shape
    parameters = initial_parameters(numpy, settings, inputs, int(train[1].max()) + 1)

    runs = {}
    for name, library in libraries.items():
        epochs = orders(numpy, settings, samples)
        seconds, accuracy = TRAINERS[name](library, settings, parameters, epochs, train, test)
        runs[name] = {
            "samples_per_second": samples * len(seconds) / sum(seconds),
            "epoch_seconds": seconds,
            "test_accuracy": accuracy,
        }

    sizes = "-".join(str(size) for size in [inputs, *(len(b) for _, b in parameters)])
    print(f"{sizes}, epochs: {settings['epochs']}, threads: {args.threads}\n")
    rows = [
        [
            f"{name} {libraries[name].__version__}",
            f"{run['samples_per_second']:.0f}",
            f"{100 * run['test_accuracy']:.2f} %",
        ]
        for name, run in runs.items()
    ]
    print(common.table(["", "samples/s", "test accuracy"], rows))
    if args.json:
        results = common.circumstances(libraries)
        results |= {"settings": settings, "threads": args.threads, "runs": runs}
        common.write_json(args.json, results)


if __name__ == "__main__":
    main()
