"""Prints the constants of exp.rs.

    pip install mpmath
    python exp.py

    n = round(x / ln 2),  r = x − n·ln 2,  eˣ = 2ⁿ · (1 + r + r²·P(r))

P approximates (eʳ − 1 − r)/r² on |r| ≤ ln 2 / 2 so that the relative error of
eʳ is least. The errors printed are those of the polynomials with their f32
coefficients, before any rounding of the evaluation; an ULP is 2⁻²³ of 1.

With a fused multiply-add, x − n·LN2_HI is exact though all 24 bits of LN2_HI
are in use: for n ≠ 0 the result is less than 1/2, and both x and n·LN2_HI are
multiples of 2⁻²⁵. Without one, n·LN2_HI itself has to fit in 24 bits, which
takes an LN2_HI of at most 16.
"""

from mpmath import mp, mpf

from minimax import f32, fit, literal

# n is rounded from x · f32(1 / ln 2), itself rounded, so |r| can be a little greater.
BOUND = mp.ln2 / 2 * (1 + mpf(2) ** -15)


for degree in 3, 4, 5:
    coefficients, error = fit(
        lambda r: (mp.expm1(r) - r) / r**2,
        lambda r: r**2 / mp.exp(r),
        -BOUND,
        BOUND,
        degree,
    )
    print(f"// degree {degree}: {mp.nstr(error, 3)} = {mp.nstr(error * 2**23, 3)} ULP")
    print(f"const P: [f32; {degree + 1}] = [{', '.join(map(literal, coefficients))}];")

print(f"const LOG2_E: f32 = {literal(f32(1 / mp.ln2))};")
for title, bits in ("with", 24), ("without", 16):
    hi = mp.nint(mp.ln2 * 2**bits) / 2**bits
    lo = f32(mp.ln2 - hi)
    print(f"// {title} a fused multiply-add: ln 2 − hi − lo = {mp.nstr(mp.ln2 - hi - lo, 3)}")
    print(f"const LN2_HI: f32 = {literal(hi)};\nconst LN2_LO: f32 = {literal(lo)};")
