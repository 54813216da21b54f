"""Prints the constants of sigmoid.rs.

    pip install mpmath
    python sigmoid.py

    t = r − c_j − n·ln 2  with n ≤ 0 and 0 ≤ j < 16
    eᵗ = 2⁻ⁿ·T_j·(1 + r·G(r)),  T_j = e^(−c_j)

c_j is near j·ln 2/16 − SHIFT, and a multiple of 2⁻¹⁷, so that its sum with a
multiple of LN2_HI, which has 16 bits, is exact; of all such, the nearest with a
T_j that is a float to within 1/64 ULP. The error printed is that of 1 + r·G(r),
before any rounding of its evaluation; an ULP is 2⁻²³ of 1. The table of T_j is of
2²⁴·T_j.
"""

from mpmath import mp, mpf

from minimax import f32, fit, literal, ulp

STEP = mpf(2) ** -17
# So that T_0 is at least half of 1 + e^t, for every t that goes with it.
SHIFT = mp.ln2 / 63


def entry(j):
    """c_j and T_j."""
    start = mp.nint((j * mp.ln2 / 16 - SHIFT) / STEP)
    for k in range(200):
        for c in ((start + k) * STEP, (start - k) * STEP):
            t = mp.exp(-c)
            if abs(t - f32(t)) < ulp(t) / 64:
                return c, f32(t)
    raise ArithmeticError(f"no center near {j}")


cs, ts = zip(*map(entry, range(16)))
offsets = [c - j * mp.ln2 / 16 for j, c in enumerate(cs)]
low, high = min(offsets) - mp.ln2 / 32, max(offsets) + mp.ln2 / 32
print(f"// {mp.nstr(low, 4)} ≤ r ≤ {mp.nstr(high, 4)}")
coefficients, error = fit(lambda r: mp.expm1(r) / r, lambda r: abs(r) / mp.exp(r), low, high, 2)
print(f"// {mp.nstr(error * 2**23, 3)} ULP")
print(f"const G: [f32; 3] = [{', '.join(map(literal, coefficients))}];")
for name, column in ("C", cs), ("T", [t * 2**24 for t in ts]):
    print(f"const {name}: [f32; 16] = [")
    for row in range(0, 16, 4):
        print("    " + " ".join(literal(x) + "," for x in column[row : row + 4]))
    print("];")
hi = mp.nint(mp.ln2 * 2**16) / 2**16
# In sixteenths, because 16·n is what there is.
print(f"const LN2_HI: f32 = {literal(hi / 16)};\nconst LN2_LO: f32 = {literal(f32((mp.ln2 - hi) / 16))};")
