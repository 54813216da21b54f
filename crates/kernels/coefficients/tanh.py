"""Prints the table of tanh.rs.

    pip install mpmath
    python tanh.py [degree]

For y = |x|, u = y + 1 selects one of 16 intervals by its exponent and its two
leading fraction bits: four to each of [1, 2), [2, 4), [4, 8), [8, 16). On each,
with d = y − center,

    tanh y ≈ base + d·(c1 + c2·d + … + cD·dᴰ⁻¹)

where base is c0 = tanh(center), except on the first: there center is 0 and base
is y, so that the polynomial stands for tanh(y)/y − 1 and tiny y are exact. From
y = 9 on, tanh y is 1 to within 0.52 ULP, and so is the table.

The error printed for an interval is that of the polynomial with its f32
coefficients, before any rounding of the evaluation.
"""

import sys

from mpmath import mp, mpf

from minimax import f32, fit, literal, ulp

DEGREE = int(sys.argv[1]) if len(sys.argv) > 1 else 6
EDGES = [mpf(2) ** (i // 4) * (4 + i % 4) / 4 - 1 for i in range(17)]
ONE_FROM = 9
# Rounding y + 1 can take y across an edge.
MARGIN = mpf(2) ** -20


def center_near(y):
    """The f32 nearest to y whose tanh is an f32 to within 1/256 ULP, and that tanh."""
    start = f32(mp.tanh(y))
    for k in range(2000):
        for c0 in (start + k * ulp(start), start - k * ulp(start)):
            center = f32(mp.atanh(c0))
            if abs(mp.tanh(center) - c0) < ulp(c0) / 256:
                return center, c0
    raise ArithmeticError(f"no center near {y}")


def entry(j):
    """center, c0, c1, …, cD of interval j, and the error in ULPs."""
    lo, hi = EDGES[j], EDGES[j + 1]
    if lo >= ONE_FROM:
        return [hi, mpf(1)] + [mpf(0)] * DEGREE, (1 - mp.tanh(lo)) * 2**24
    if j == 0:
        center, c0 = mpf(0), mpf(0)
        slope = lambda d: mp.tanh(d) / d - 1
        weight = lambda d: mpf(2) ** 24
        lo = mpf(2) ** -20
    else:
        # Rounding P costs |d|·2⁻²⁵. From 1/4 to 1/2 the ULP doubles, so that a
        # center nearer the lower edge shares this out evenly.
        center, c0 = center_near(lo + (hi - lo) * (mpf(1) / 3 if j == 1 else mpf(1) / 2))
        slope = lambda d: (mp.tanh(center + d) - c0) / d
        weight = lambda d: abs(d) / ulp(mp.tanh(center + d))
    coefficients, error = fit(slope, weight, lo - MARGIN - center, hi + MARGIN - center, DEGREE - 1)
    return [center, c0] + coefficients, error


entries, errors = zip(*map(entry, range(16)))
for j, error in enumerate(errors):
    print(f"// [{float(EDGES[j]):5.2f}, {float(EDGES[j + 1]):5.2f}): {mp.nstr(error, 3)} ULP")
for name, column in zip(["center"] + [f"c{k}" for k in range(DEGREE + 1)], zip(*entries)):
    print(f"const {name.upper()}: [f32; 16] = [")
    for row in range(0, 16, 4):
        print("    " + " ".join(literal(x) + "," for x in column[row : row + 4]))
    print("];")
