"""Prints the tables of gelu.rs.

    pip install mpmath
    python gelu.py [degree]

For t = |z|, u = t + 1 selects one of 16 intervals by its exponent and its two
leading fraction bits, as in tanh.py. On each, with d = t − center,

    M(t) = Φ(−t)·e^(t²/2)             half of erfcx(t/√2)
    G(t) = M(t) − t/√(2π)

are polynomials in d. The error printed for an interval is that of the
polynomial with its f32 coefficients, before any rounding of the evaluation; for
G in ULPs of the larger of its two terms, because G itself has a zero.
"""

import sys

from mpmath import mp, mpf

from minimax import f32, fit, literal, ulp

DEGREE = int(sys.argv[1]) if len(sys.argv) > 1 else 5
EDGES = [mpf(2) ** (i // 4) * (4 + i % 4) / 4 - 1 for i in range(17)]
# Rounding t + 1 can take t across an edge.
MARGIN = mpf(2) ** -20


def mills(t):
    return mp.erfc(t / mp.sqrt(2)) * mp.exp(t * t / 2) / 2


def slope(t):
    return t / mp.sqrt(2 * mp.pi)


def entry(j, f, size):
    """c0, c1, …, cD of interval j, and the error in ULPs of size."""
    lo, hi = EDGES[j], EDGES[j + 1]
    center = (lo + hi) / 2
    return fit(
        lambda d: f(center + d),
        lambda d: 1 / ulp(size(center + d)),
        lo - MARGIN - center,
        hi + MARGIN - center,
        DEGREE,
    )


def table(name, column):
    print(f"const {name}: Table = [")
    for row in range(0, 16, 4):
        print("    " + " ".join(literal(x) + "," for x in column[row : row + 4]))
    print("];")


table("CENTER", [(EDGES[j] + EDGES[j + 1]) / 2 for j in range(16)])
for name, f, size in [
    ("M", mills, mills),
    ("G", lambda t: mills(t) - slope(t), lambda t: max(mills(t), slope(t))),
]:
    entries, errors = zip(*(entry(j, f, size) for j in range(16)))
    for j, error in enumerate(errors):
        print(f"// {name} [{float(EDGES[j]):5.2f}, {float(EDGES[j + 1]):5.2f}): {mp.nstr(error, 3)} ULP")
    for k, column in enumerate(zip(*entries)):
        table(f"{name}{k}", column)
