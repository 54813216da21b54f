"""Matrix products and elementwise functions of NumPy, PyTorch and JAX, on one
thread: the same work as in ../matmul.rs and ../elementwise.rs.

    python kernels.py
    python kernels.py --only 128x784x30 --libraries numpy,torch --json FILE
"""

import argparse
import math
import sys
import time

import common

# m, k, n, and whether A is stored transposed, as activations are for the
# gradient of weights.
SHAPES = [
    (128, 784, 30, False),
    (128, 784, 100, False),
    (128, 784, 512, False),
    (128, 512, 512, False),
    (128, 512, 10, False),
    (784, 128, 30, True),
    (784, 128, 100, True),
    (784, 128, 512, True),
    (128, 10, 512, False),
    (256, 256, 256, False),
    (512, 512, 512, False),
    (1024, 1024, 1024, False),
    (2048, 2048, 2048, False),
]

# What is computed, rows and columns; each stays in the first-level cache.
ELEMENTWISE = [
    ("tanh", 1, 4096),
    ("sigmoid", 1, 4096),
    ("exp", 1, 4096),
    ("softmax, rows of 10", 400, 10),
    ("softmax, rows of 512", 8, 512),
]

ROUNDS = 7
ROUND_SECONDS = 0.3


def numpy_product(numpy, a, b):
    """A call that computes A·B into the same C each time."""
    c = numpy.empty((a.shape[0], b.shape[1]), numpy.float32)
    return lambda: numpy.matmul(a, b, out=c)


def torch_product(torch, a, b):
    """The same in PyTorch; from_numpy keeps the order in which A is stored."""
    a, b = torch.from_numpy(a), torch.from_numpy(b)
    c = torch.empty(a.shape[0], b.shape[1])
    return lambda: torch.mm(a, b, out=c)


def jax_product(jax, a, b):
    """The same in JAX, where each call makes a C of its own."""
    transposed = not a.flags.c_contiguous
    stored, b = jax.device_put(a.T if transposed else a), jax.device_put(b)
    product = jax.jit(lambda a, b: (a.T if transposed else a) @ b)
    return lambda: product(stored, b).block_until_ready()


PRODUCTS = {"numpy": numpy_product, "torch": torch_product, "jax": jax_product}


def numpy_function(numpy, name, x):
    """A call that computes the function of x into the same y each time."""
    y = numpy.empty_like(x)
    row = numpy.empty((x.shape[0], 1), numpy.float32)

    def sigmoid():
        numpy.negative(x, out=y)
        numpy.exp(y, out=y)
        numpy.add(y, 1, out=y)
        return numpy.reciprocal(y, out=y)

    def softmax():
        numpy.max(x, axis=1, keepdims=True, out=row)
        numpy.subtract(x, row, out=y)
        numpy.exp(y, out=y)
        numpy.sum(y, axis=1, keepdims=True, out=row)
        return numpy.divide(y, row, out=y)

    return {
        "tanh": lambda: numpy.tanh(x, out=y),
        "sigmoid": sigmoid,
        "exp": lambda: numpy.exp(x, out=y),
        "softmax": softmax,
    }[name]


def torch_function(torch, name, x):
    """The same in PyTorch."""
    x = torch.from_numpy(x)
    y = torch.empty_like(x)
    if name == "softmax":
        return lambda: torch.softmax(x, 1, out=y)
    function = getattr(torch, name)
    return lambda: function(x, out=y)


def jax_function(jax, name, x):
    """The same in JAX, where each call makes a y of its own."""
    function = {
        "tanh": jax.numpy.tanh,
        "sigmoid": jax.nn.sigmoid,
        "exp": jax.numpy.exp,
        "softmax": jax.nn.softmax,
    }[name]
    x, function = jax.device_put(x), jax.jit(function)
    return lambda: function(x).block_until_ready()


FUNCTIONS = {"numpy": numpy_function, "torch": torch_function, "jax": jax_function}


def exact_function(numpy, name, x):
    """The function in float64."""
    x = x.astype(numpy.float64)
    if name == "sigmoid":
        return 1 / (1 + numpy.exp(-x))
    if name == "softmax":
        powers = numpy.exp(x - x.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    return {"tanh": numpy.tanh, "exp": numpy.exp}[name](x)


def check(numpy, what, call, exact, absolute, relative):
    """Stops the program if the answer is wrong: nobody is timed who is."""
    error = numpy.abs(numpy.asarray(call(), numpy.float64) - exact)
    excess = error - (absolute + relative * numpy.abs(exact))
    if not excess.max() <= 0:
        sys.exit(f"{what} is wrong: off by up to {error.max():.3g}")


def seconds_of(call, repeats):
    """Seconds of so many calls."""
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - started


def repeats_of(call):
    """Calls that fill a round, found by doubling; warms up meanwhile."""
    repeats = 1
    while (seconds := seconds_of(call, repeats)) < ROUND_SECONDS / 4:
        repeats *= 2
    return max(1, round(repeats * ROUND_SECONDS / seconds))


def best_seconds(calls):
    """Seconds of each library's call: the best of the rounds, which take turns."""
    repeats = {name: repeats_of(call) for name, call in calls.items()}
    best = dict.fromkeys(calls, math.inf)
    for _ in range(ROUNDS):
        for name, call in calls.items():
            seconds = seconds_of(call, repeats[name]) / repeats[name]
            best[name] = min(best[name], seconds)
    return best


def product_name(m, k, n, transposed):
    """As ../matmul.rs names it."""
    return f"{m}x{k}x{n}{' A transposed' if transposed else ''}"


def measure_products(numpy, libraries, only):
    """GFLOP/s by shape and library."""
    random = numpy.random.default_rng(1)
    gflops = {}
    for m, k, n, transposed in SHAPES:
        name = product_name(m, k, n, transposed)
        if only not in name:
            continue
        a = random.random((k, m) if transposed else (m, k), numpy.float32) - 0.5
        b = random.random((k, n), numpy.float32) - 0.5
        a = a.T if transposed else a
        exact = a.astype(numpy.float64) @ b.astype(numpy.float64)
        calls = {}
        for who, library in libraries.items():
            calls[who] = PRODUCTS[who](library, a, b)
            check(numpy, f"{name} by {who}", calls[who], exact, 1e-4, 0)
        best = best_seconds(calls)
        gflops[name] = {who: 2e-9 * m * k * n / best[who] for who in best}
    return gflops


def measure_functions(numpy, libraries, only):
    """Nanoseconds an element by function and library."""
    random = numpy.random.default_rng(1)
    ns = {}
    for name, rows, columns in ELEMENTWISE:
        if only not in name:
            continue
        x = 8 * random.random((rows, columns), numpy.float32) - 4
        function = name.split(",")[0]
        exact = exact_function(numpy, function, x)
        calls = {}
        for who, library in libraries.items():
            calls[who] = FUNCTIONS[who](library, function, x)
            check(numpy, f"{name} by {who}", calls[who], exact, 1e-9, 1e-5)
        best = best_seconds(calls)
        ns[name] = {who: 1e9 * best[who] / x.size for who in best}
    return ns


def print_table(title, libraries, results, digits):
    """Prints one table, unless nothing of it was asked for."""
    if not results:
        return
    versions = {name: library.__version__ for name, library in libraries.items()}
    head = [title, *(f"{name} {version}" for name, version in versions.items())]
    rows = [
        [what, *(f"{by_library[name]:.{digits}f}" for name in libraries)]
        for what, by_library in results.items()
    ]
    print(common.table(head, rows) + "\n")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--only", metavar="SUBSTRING", default="", help="only what has this in its name"
    )
    common.add_arguments(parser, PRODUCTS)
    return parser.parse_args()


def main():
    """Measures, prints the tables and writes the file."""
    args = arguments()
    common.limit_threads(1)
    import numpy

    libraries = common.import_libraries(args.libraries, 1)
    versions = {name: library.__version__ for name, library in libraries.items()}
    results = common.circumstances(versions)
    results["gflops"] = measure_products(numpy, libraries, args.only)
    results["ns"] = measure_functions(numpy, libraries, args.only)
    if not results["gflops"] and not results["ns"]:
        sys.exit(f"nothing has `{args.only}` in its name")
    print_table("GFLOP/s", libraries, results["gflops"], 1)
    print_table("ns an element", libraries, results["ns"], 3)
    if args.json:
        common.write_json(args.json, results)


if __name__ == "__main__":
    main()
