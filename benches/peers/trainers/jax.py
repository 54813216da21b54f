"""Training in JAX, where a whole epoch is one compiled function."""

import time

import jax


def train(task):
    """Trains; time to compile does not count."""
    settings = task.settings
    # Every call is waited for, and to hand it to another thread takes time.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    activation = getattr(jax.nn, settings["activation"])
    batch_size, momentum = settings["batch_size"], settings["momentum"]
    l2 = settings["l2"]
    images, labels = (jax.device_put(array) for array in task.train)

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

    def step(state, batch, images, labels):
        """One step with some rows of the data set, at a learning rate."""
        rows, lr = batch
        layers, velocities, key = state
        key, of_step = jax.random.split(key)
        gradients = jax.grad(loss)(layers, images[rows], labels[rows], of_step)
        gradients = [(dw + l2 * w, db) for (dw, db), (w, _) in zip(gradients, layers)]
        velocities = jax.tree.map(lambda v, g: momentum * v + g, velocities, gradients)
        layers = jax.tree.map(lambda w, v: w - lr * v, layers, velocities)
        return layers, velocities, key

    def steps(state, order, rates, *data):
        """Takes a step for each batch of the order; the last one may be smaller."""
        whole = len(order) // batch_size
        rows = order[: whole * batch_size].reshape(whole, batch_size)
        batches = rows, rates[:whole]
        state, _ = jax.lax.scan(
            lambda *given: (step(*given, *data), None), state, batches
        )
        rest = order[whole * batch_size :]
        return step(state, (rest, rates[-1]), *data) if len(rest) > 0 else state

    layers = jax.device_put(task.parameters())
    velocities = jax.tree.map(jax.numpy.zeros_like, layers)
    state = layers, velocities, jax.random.key(settings["seed"])
    compiled = None
    seconds = 0
    for order, rates in task.epochs():
        order = jax.device_put(order.astype("int32"))
        given = state, order, jax.numpy.asarray(rates, "float32"), images, labels
        if compiled is None:
            compiled = jax.jit(steps, donate_argnums=0).lower(*given).compile()
        started = time.perf_counter()
        state = jax.block_until_ready(compiled(*given))
        seconds += time.perf_counter() - started

    images, labels = (jax.device_put(array) for array in task.test)
    right = forward(state[0], images, None).argmax(1) == labels
    return task.result(jax.__version__, seconds, float(right.mean()))
