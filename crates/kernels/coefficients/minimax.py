"""Minimax polynomials with f32 coefficients, for the other scripts of this folder.

Needs mpmath.
"""

import struct

from mpmath import mp, mpf

mp.dps = 40


def f32(x):
    """x rounded to the nearest f32."""
    return mpf(struct.unpack("<f", struct.pack("<f", float(x)))[0])


def ulp(x):
    """The distance between the floats around x > 0, a normal f32."""
    return mpf(2) ** (mp.frexp(x)[1] - 24)


def grid(lo, hi, n=200):
    """n Chebyshev points of [lo, hi], without 0, both ends among them."""
    points = [(lo + hi) / 2 - (hi - lo) / 2 * mp.cospi(mpf(i) / (n - 1)) for i in range(n)]
    return [x for x in points if x != 0]


def evaluate(coefficients, x):
    """c[0] + c[1]·x + c[2]·x² + …"""
    return mp.polyval(coefficients[::-1], x)


def remez(xs, ys, ws, degree):
    """The polynomial with the least maximum of w·|y − P(x)| over the points."""
    n = degree + 2
    extrema = [i * (len(xs) - 1) // (n - 1) for i in range(n)]
    for _ in range(30):
        # The polynomial whose weighted errors there are +e, −e, +e, …
        rows = [[xs[i] ** k for k in range(degree + 1)] + [(-1) ** j / ws[i]] for j, i in enumerate(extrema)]
        solution = list(mp.lu_solve(mp.matrix(rows), mp.matrix([ys[i] for i in extrema])))
        coefficients, level = solution[:-1], abs(solution[-1])
        errors = [w * (y - evaluate(coefficients, x)) for x, y, w in zip(xs, ys, ws)]
        if max(map(abs, errors)) <= level * (1 + mpf(10) ** -6):
            break
        # Go where the error is greatest, once for each run of equal signs.
        extrema = [0]
        for i in range(1, len(xs)):
            if (errors[i] > 0) != (errors[extrema[-1]] > 0):
                extrema.append(i)
            elif abs(errors[i]) > abs(errors[extrema[-1]]):
                extrema[-1] = i
        size = lambda j: abs(errors[extrema[j]])
        while len(extrema) > n:
            least = min(range(len(extrema)), key=size)
            if len(extrema) == n + 1 or least in (0, len(extrema) - 1):
                del extrema[0 if size(0) < size(-1) else -1]
            else:  # two neighbours, so that the signs still alternate
                other = min(least - 1, least + 1, key=size)
                del extrema[min(least, other) : max(least, other) + 1]
    return coefficients


def fit(f, weight, lo, hi, degree):
    """The f32 coefficients, lowest order first, of a P of this degree that makes
    weight·|f − P| small on [lo, hi], and the maximum of that error.

    They are rounded one by one, lowest order first; after each rounding, the higher ones
    are fitted again, which compensates for it.
    """
    xs = grid(lo, hi)
    ys = [f(x) for x in xs]
    ws = [weight(x) for x in xs]
    rounded = []
    for k in range(degree + 1):
        rest = [(y - evaluate(rounded, x)) / x**k for x, y in zip(xs, ys)]
        weights = [w * abs(x) ** k for x, w in zip(xs, ws)]
        rounded.append(f32(remez(xs, rest, weights, degree - k)[0]))
    return rounded, max(w * abs(y - evaluate(rounded, x)) for x, y, w in zip(xs, ys, ws))


def literal(x):
    """The shortest Rust literal that reads back as the f32 x."""
    text = next(t for t in (f"{float(x):.{p}g}" for p in range(1, 10)) if f32(t) == x)
    mantissa, _, exponent = text.partition("e")
    whole, _, digits = mantissa.partition(".")
    digits = "_".join(digits[i : i + 3] for i in range(0, len(digits), 3))
    return f"{whole}.{digits or 0}" + (f"e{int(exponent)}" if exponent else "")
