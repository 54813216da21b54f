"""Training in scikit-learn, by MLPClassifier."""

import sys
import time
import warnings

import numpy
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from task import Skipped


def train(task):
    """Trains by one call of `fit`, which draws the order itself."""
    settings = task.settings
    if settings["dropout"] > 0 or settings["input_dropout"] > 0:
        raise Skipped("MLPClassifier has no dropout; try --dropout 0 --input-dropout 0")
    schedule = settings["schedule"]["kind"]
    if schedule != "constant":
        print(f"scikit-learn has no rate that is {schedule}: it stays", file=sys.stderr)
    activation = settings["activation"]
    model = MLPClassifier(
        hidden_layer_sizes=settings["hidden"],
        activation={"sigmoid": "logistic"}.get(activation, activation),
        solver="sgd",
        learning_rate="constant",
        learning_rate_init=settings["lr"],
        momentum=settings["momentum"],
        nesterovs_momentum=False,
        # Its penalty is ½ alpha ‖W‖² over the size of the batch.
        alpha=settings["l2"] * settings["batch_size"],
        batch_size=settings["batch_size"],
        tol=0,
        n_iter_no_change=settings["epochs"] + 1,
        max_iter=1,
        random_state=settings["seed"],
        warm_start=True,
    )
    # All epochs that it is told to take are taken: it does not converge.
    warnings.simplefilter("ignore", ConvergenceWarning)
    images, labels = task.train

    # An image of each class, so that it makes its arrays. Then they begin as
    # everybody's do: `fit` goes on from them, with its momentum at 0.
    first = numpy.unique(labels, return_index=True)[1]
    warnings.filterwarnings("ignore", "Got `batch_size`")
    model.fit(images[first], labels[first])
    for i, (weights, biases) in enumerate(task.parameters()):
        model.coefs_[i][...] = weights.T
        model.intercepts_[i][...] = biases

    model.set_params(max_iter=settings["epochs"])
    started = time.perf_counter()
    model.fit(images, labels)
    seconds = time.perf_counter() - started
    assert model.n_iter_ == settings["epochs"]
    return task.result(sklearn.__version__, seconds, model.score(*task.test))
