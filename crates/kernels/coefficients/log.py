"""Prints the coefficients of the natural logarithm in f32.

    pip install mpmath
    python log.py

    x = 2ᵏ·(1 + m) with √½ ≤ 1 + m ≤ √2,  ln x = k·ln 2 + m − m²/2 + m³·Q(m)

Q approximates (ln(1 + m) − m + m²/2)/m³ so that the relative error of
ln(1 + m) is least; its degree is the least that brings this under 0.1 · 2⁻²⁴.
An ULP is between 2⁻²⁴ and 2⁻²³ of the value. The errors printed are those of
the polynomials with their f32 coefficients, before any rounding of the
evaluation.
"""

from mpmath import mp, mpf

from minimax import fit, literal

MARGIN = mpf(2) ** -20
LO = mp.sqrt(0.5) - 1 - MARGIN
HI = mp.sqrt(2) - 1 + MARGIN

for degree in range(4, 12):
    coefficients, error = fit(
        lambda m: (mp.log1p(m) - m + m**2 / 2) / m**3,
        lambda m: abs(m**3 / mp.log1p(m)),
        LO,
        HI,
        degree,
    )
    print(f"// degree {degree}: {mp.nstr(error, 3)} = {mp.nstr(error * 2**24, 3)} · 2⁻²⁴")
    if error * 2**24 < 0.1:
        break
print(f"const Q: [f32; {degree + 1}] = [{', '.join(map(literal, coefficients))}];")
