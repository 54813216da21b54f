"""Prints the coefficients of gaussian.rs.

    pip install mpmath
    python gaussian.py

    u = 2ᵏ·(1 + m) with √½ ≤ 1 + m ≤ √2,  −2 ln u = −2 ln 2·k + m·LOG(m)
    sin πv/2 = v·SIN(v²),  cos πv/2 = COS(v²)       0 ≤ v ≤ 1

LOG is fitted for the least relative error, SIN and COS for the least absolute one.
Their degrees are the least that bring it under 2⁻²³, which is finer than the input
values. The errors printed are those of the polynomials with their
f32 coefficients, before any rounding of the evaluation.
"""

from mpmath import mp, mpf

from minimax import f32, fit, literal

MARGIN = mpf(2) ** -20


def least(name, f, weight, lo, hi):
    for degree in range(2, 12):
        coefficients, error = fit(f, weight, lo, hi, degree)
        if error * 2**23 < 1:
            break
    print(f"// degree {degree}: {mp.nstr(error, 3)} = {mp.nstr(error * 2**23, 3)} · 2⁻²³")
    print(f"const {name}: [f32; {degree + 1}] = [{', '.join(map(literal, coefficients))}];")


least(
    "LOG",
    lambda m: -2 * mp.log1p(m) / m,
    lambda m: abs(m / (2 * mp.log1p(m))),
    mp.sqrt(0.5) - 1 - MARGIN,
    mp.sqrt(2) - 1 + MARGIN,
)
# In t = v², from a little above 0, where the quotients have no value.
least("SIN", lambda t: mp.sinpi(mp.sqrt(t) / 2) / mp.sqrt(t), mp.sqrt, MARGIN, mpf(1))
least("COS", lambda t: mp.cospi(mp.sqrt(t) / 2), lambda t: mpf(1), MARGIN, mpf(1))
print(f"const MINUS_2_LN_2: f32 = {literal(f32(-2 * mp.ln2))};")
