"""Prints the coefficients of softplus.rs.

    pip install mpmath
    python softplus.py

    y = e^(−|z|),  0 ≤ y ≤ 1,  ln(1 + y) = y + y²·Q(y)

Q approximates (ln(1 + y) − y)/y² so that the relative error of ln(1 + y) is
least; its degree is the least that brings this under 0.1 · 2⁻²⁴. An ULP is
between 2⁻²⁴ and 2⁻²³ of the value. The errors printed are those of the
polynomials with their f32 coefficients, before any rounding of the evaluation.
"""

from mpmath import mp, mpf

from minimax import fit, literal

# y is rounded, so it can be a little greater than 1.
HI = 1 + mpf(2) ** -20

for degree in range(4, 12):
    coefficients, error = fit(
        lambda y: (mp.log1p(y) - y) / y**2,
        lambda y: y**2 / mp.log1p(y),
        mpf(0),
        HI,
        degree,
    )
    print(f"// degree {degree}: {mp.nstr(error, 3)} = {mp.nstr(error * 2**24, 3)} · 2⁻²⁴")
    if error * 2**24 < 0.1:
        break
print(f"const Q: [f32; {degree + 1}] = [{', '.join(map(literal, coefficients))}];")
