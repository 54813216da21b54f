"""What every library is given to do: settings, data, initial weights, the order of
the samples and the learning rate of each step."""

import math
import sys
import tomllib
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPES = ROOT / "crates" / "trainer" / "recipes"

# The keys of a recipe's table `training` that the peers know.
TRAINING = set("epochs batch-size lr schedule optimizer l2 dropout seed".split())


class Skipped(Exception):
    """A library that cannot take part, and why."""


def read_idx(path):
    """The array of unsigned bytes in an IDX file."""
    import numpy

    data = path.read_bytes()
    if data[:3] != b"\0\0\x08":
        sys.exit(f"{path} is no IDX file of unsigned bytes")
    shape = numpy.frombuffer(data, ">u4", count=data[3], offset=4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(shape)


def check(recipe):
    """Stops the program if the recipe has what the peers do not do."""
    training = recipe["training"]
    optimizer, schedule = training["optimizer"], training["schedule"]
    more = [name for name in ("augment",) if name in recipe]
    more += sorted(set(training) - TRAINING)
    if optimizer["kind"] != "sgd":
        more.append(optimizer["kind"])
    if set(schedule) - {"kind", "decay"} or schedule["kind"] not in SCHEDULES:
        more.append(f"the schedule {schedule}")
    if more:
        sys.exit(f"the recipe has {', '.join(more)}: the peers do not")


def read_settings(args):
    """The recipe's settings, where no flag replaces them."""
    recipe = tomllib.loads((RECIPES / f"{args.recipe}.toml").read_text())
    check(recipe)
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
        "momentum": training["optimizer"].get("momentum", 0.0),
        "l2": training["l2"],
        "input_dropout": dropout["input"],
        "dropout": dropout["hidden"],
        "seed": training["seed"],
    }
    flags = {name: value for name, value in vars(args).items() if value is not None}
    return {name: flags.get(name, value) for name, value in settings.items()}


# The rate over the first one, given the decay, the epoch from 0 and the share of
# all steps that have been taken, as in crates/nn/src/schedule.rs.
SCHEDULES = {
    "constant": lambda decay, epoch, progress: 1,
    "linear": lambda decay, epoch, progress: 1 - progress,
    "cosine": lambda decay, epoch, progress: (1 + math.cos(math.pi * progress)) / 2,
    "inverse-time": lambda decay, epoch, progress: 1 / (1 + decay * epoch),
    "compounding": lambda decay, epoch, progress: (
        1 / math.prod(1 + decay * i for i in range(epoch + 1))
    ),
}


class Task:
    """The settings, and what follows from them; data are read when asked for."""

    def __init__(self, args):
        self.recipe = args.recipe
        self.data = args.data
        self.threads = args.threads
        self.settings = read_settings(args)

    def read_part(self, part):
        """Pixels in [0, 1], a row an image, and labels."""
        images = read_idx(self.data / f"{part}-images-idx3-ubyte")
        labels = read_idx(self.data / f"{part}-labels-idx1-ubyte")
        pixels = images.reshape(len(images), -1).astype("float32") / 255
        return pixels, labels.astype("int32")

    @cached_property
    def train(self):
        """The training set."""
        return self.read_part("train")

    @cached_property
    def test(self):
        """The test set."""
        return self.read_part("t10k")

    def layers(self):
        """The number of inputs, and of units in each layer."""
        images, labels = self.train
        return [images.shape[1], *self.settings["hidden"], int(labels.max()) + 1]

    def parameters(self):
        """Initial weights, units × inputs, and biases of each layer."""
        import numpy

        random = numpy.random.default_rng(self.settings["seed"])
        sizes = self.layers()
        parameters = []
        for below, units in zip(sizes, sizes[1:]):
            bound = {
                "uniform": 1,
                "xavier": math.sqrt(6 / (below + units)),
                "he": math.sqrt(6 / below),
            }[self.settings["init"]]
            weights = random.uniform(-bound, bound, (units, below))
            biases = numpy.zeros(units)
            if self.settings["init"] == "uniform":
                biases = random.uniform(-bound, bound, units)
            parameters.append((weights.astype("float32"), biases.astype("float32")))
        return parameters

    def epochs(self):
        """The order of the samples in each epoch, and the rate of each of its steps."""
        import numpy

        settings = self.settings
        samples = len(self.train[0])
        steps = math.ceil(samples / settings["batch_size"])
        schedule = settings["schedule"]
        factor, decay = SCHEDULES[schedule["kind"]], schedule.get("decay", 0)
        random = numpy.random.default_rng(settings["seed"] + 1)
        for epoch in range(settings["epochs"]):
            done = [(epoch + i / steps) / settings["epochs"] for i in range(steps)]
            rates = [settings["lr"] * factor(decay, epoch, share) for share in done]
            yield random.permutation(samples), rates

    def result(self, version, seconds, test_accuracy):
        """What a library hands back: seconds are those of all epochs' steps."""
        samples = len(self.train[0]) * self.settings["epochs"]
        return {
            "version": version,
            "layers": self.layers(),
            "seconds": seconds,
            "samples_per_second": samples / seconds,
            "test_accuracy": test_accuracy,
        }
