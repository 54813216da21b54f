"""Training in NumPy: the step written out, gradients and all."""

import time

import numpy

# Each function, and its derivative as a function of its value.
ACTIVATIONS = {
    "relu": (lambda z: numpy.maximum(z, 0), lambda a: a > 0),
    "tanh": (numpy.tanh, lambda a: 1 - a * a),
    "sigmoid": (lambda z: 1 / (1 + numpy.exp(-z)), lambda a: a * (1 - a)),
}


def train(task):
    """Trains."""
    settings = task.settings
    random = numpy.random.default_rng(settings["seed"])
    activation, derivative = ACTIVATIONS[settings["activation"]]
    images, labels = task.train
    layers = task.parameters()
    velocities = [[numpy.zeros_like(array) for array in layer] for layer in layers]

    def dropout(shape, rate):
        """0 for the share that is dropped, and what scales up the rest."""
        kept = random.random(shape, numpy.float32) >= rate
        return kept * numpy.float32(1 / (1 - rate))

    def forward(x, training):
        """Logits; and each layer's inputs, with their slopes where they are units."""
        inputs, slopes = [], []
        for i, (w, b) in enumerate(layers):
            slope = None
            if i > 0:
                x = activation(x)
                slope = derivative(x) if training else None
            rate = settings["dropout" if i > 0 else "input_dropout"]
            if training and rate > 0:
                mask = dropout(x.shape, rate)
                x = x * mask
                slope = slope * mask if i > 0 else None
            inputs.append(x)
            slopes.append(slope)
            x = x @ w.T + b
        return x, inputs, slopes

    def move(array, velocity, gradient, lr):
        """Moves weights or biases against the gradient, with momentum."""
        velocity *= settings["momentum"]
        velocity += gradient
        array -= lr * velocity

    def step(x, y, lr):
        """One step with these samples."""
        logits, inputs, slopes = forward(x, True)
        dz = numpy.exp(logits - logits.max(axis=1, keepdims=True))
        dz /= dz.sum(axis=1, keepdims=True)
        dz[numpy.arange(len(y)), y] -= 1
        dz /= len(y)
        for i in reversed(range(len(layers))):
            (w, b), (of_w, of_b) = layers[i], velocities[i]
            dw, db = dz.T @ inputs[i], dz.sum(axis=0)
            if settings["l2"] > 0:
                dw += settings["l2"] * w
            if i > 0:
                dz = (dz @ w) * slopes[i]
            move(w, of_w, dw, lr)
            move(b, of_b, db, lr)

    size = settings["batch_size"]
    seconds = 0
    for order, rates in task.epochs():
        started = time.perf_counter()
        for i, lr in enumerate(rates):
            rows = order[i * size : (i + 1) * size]
            step(images[rows], labels[rows], lr)
        seconds += time.perf_counter() - started

    images, labels = task.test
    right = forward(images, False)[0].argmax(axis=1) == labels
    return task.result(numpy.__version__, seconds, float(right.mean()))
