//! Whether the kernels compute on this CPU what plain arithmetic says, on every instruction
//! set that it has.

use kernels::{
    Exp, Identity, Isa, MatMut, MatRef, PanelsRef, Start, Tanh, Zeros, map, matmul, matmul_panels,
    pack, packed_len,
};

use super::check::Check;

const NAME: &str = "kernels";

/// Rows of A, its columns, and columns of B: below, at and above the edges of tiles, vectors
/// and blocks.
const SHAPES: [(usize, usize, usize); 6] =
    [(1, 1, 1), (3, 5, 7), (8, 16, 16), (13, 33, 49), (64, 100, 48), (33, 300, 17)];

/// A prime: some hundred thousand of all bit patterns, spread over all of them.
const STEP: usize = 40_009;

/// A function of one variable, and the largest error that its documentation allows, in units
/// in the last place (ULP) of the exact value.
struct Function {
    name: &'static str,
    kernel: fn(Isa, &mut [f32]),
    exact: fn(f64) -> f64,
    bound: f64,
}

const FUNCTIONS: [Function; 2] = [
    Function { name: "tanh", kernel: |isa, xs| map(isa, Tanh, xs), exact: f64::tanh, bound: 0.68 },
    Function { name: "exp", kernel: |isa, xs| map(isa, Exp, xs), exact: f64::exp, bound: 0.90 },
];

pub(super) fn check() -> Check {
    let all = Isa::available();
    let names: Vec<_> = all.iter().map(|isa| isa.name()).collect();
    match faults(&all) {
        Ok(errors) => {
            let errors: Vec<_> = FUNCTIONS
                .iter()
                .zip(errors)
                .map(|(function, error)| format!("{} within {error:.2} ULP", function.name))
                .collect();
            let (names, errors) = (names.join(", "), errors.join(", "));
            Check::ok(NAME, format!("agree with plain arithmetic on {names}: {errors}"))
        }
        Err(fault) => Check::fail(
            NAME,
            fault,
            "this CPU or this build computes wrongly: try KERNELS_ISA=scalar, and report it with \
             this line and the line of the CPU",
        ),
    }
}

/// The largest error of each function, or the first result that is wrong.
fn faults(all: &[Isa]) -> Result<[f64; FUNCTIONS.len()], String> {
    let mut errors = [0f64; FUNCTIONS.len()];
    for isa in all {
        for shape in SHAPES {
            products(*isa, shape)?;
        }
    }
    for (function, largest) in FUNCTIONS.iter().zip(&mut errors) {
        let xs: Vec<f32> = (0..=u32::MAX).step_by(STEP).map(f32::from_bits).collect();
        let exact: Vec<f64> = xs.iter().map(|x| (function.exact)((*x).into())).collect();
        let mut before: Option<(Isa, Vec<f32>)> = None;
        for isa in all {
            let mut ys = xs.clone();
            (function.kernel)(*isa, &mut ys);
            let error = worst(&xs, &ys, &exact);
            if error.0 > function.bound {
                let (error, x) = error;
                let Function { name, bound, .. } = function;
                return Err(format!(
                    "{name} {x:e} on {isa} is wrong by {error:.2} ULP: expected at most {bound}"
                ));
            }
            *largest = largest.max(error.0);
            // Those that round a multiply-add once have the same bits.
            if isa.fuses() {
                if let Some((other, same)) = &before {
                    same_bits(function.name, (*other, same), (*isa, &ys))?;
                }
                before = Some((*isa, ys));
            }
        }
    }
    Ok(errors)
}

/// Compares products of one shape with their chains of multiply-adds, bit for bit: with B as
/// it is, and with B in panels, a bias and zeros in A.
fn products(isa: Isa, (m, k, n): (usize, usize, usize)) -> Result<(), String> {
    let values = |len: usize, step: usize| -> Vec<f32> {
        // A third is 0.
        let value = |i: usize| if i % 3 == 1 { 0.0 } else { (i * step % 253) as f32 / 97.0 - 1.3 };
        (0..len).map(value).collect()
    };
    let (a, b, bias) = (values(m * k, 31), values(k * n, 57), values(n, 13));
    let multiply_add = |a: f32, b: f32, c: f32| match isa.fuses() {
        true => a.mul_add(b, c),
        false => (f64::from(a) * f64::from(b) + f64::from(c)) as f32,
    };
    let chain = |i: usize, j: usize, start: f32| {
        (0..k).fold(start, |sum, p| multiply_add(a[i * k + p], b[p * n + j], sum))
    };
    let check = |what: &str, found: &[f32], start: &dyn Fn(usize) -> f32| {
        for (at, found) in found.iter().enumerate() {
            let expected = chain(at / n, at % n, start(at % n));
            if found.to_bits() != expected.to_bits() {
                let (i, j) = (at / n, at % n);
                return Err(format!(
                    "{what} of {m} × {k} and {k} × {n} on {isa}: element {i}, {j} is {found:e}: \
                     expected {expected:e}"
                ));
            }
        }
        Ok(())
    };

    let (left, right) = (MatRef::new(&a, m, k), MatRef::new(&b, k, n));
    let mut c = vec![f32::NAN; m * n];
    matmul(isa, 1.0, left, right, 0.0, MatMut::new(&mut c, m, n));
    check("the product", &c, &|_| 0.0)?;

    let mut panels = vec![0.0; packed_len(k, n)];
    pack(isa, right, &mut panels);
    let panels = PanelsRef::packed(&panels, k, n);
    let mut row = vec![0.0; packed_len(1, n)];
    pack(isa, MatRef::new(&bias, 1, n), &mut row);
    let row = PanelsRef::packed(&row, 1, n);
    c.fill(f32::NAN);
    let c_view = MatMut::new(&mut c, m, n);
    matmul_panels(isa, left, panels, Start::Row(row), c_view, Identity, Zeros::Skip);
    // `Zeros::Skip` starts from `bias + 0`, which is not −0.
    check("the product with a bias", &c, &|j| bias[j] + 0.0)
}

/// The largest error in ULPs, and where it is; infinite where one of both is no number.
fn worst(xs: &[f32], ys: &[f32], exact: &[f64]) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for ((x, y), exact) in xs.iter().zip(ys).zip(exact) {
        let error = error(*y, *exact);
        if error > worst.0 {
            worst = (error, *x);
        }
    }
    worst
}

fn error(found: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    // Also NaN, infinities, and what rounds to them.
    if found == rounded || (found.is_nan() && exact.is_nan()) {
        return if exact.is_finite() && rounded.is_finite() {
            (f64::from(found) - exact).abs() / ulp(exact)
        } else {
            0.0
        };
    }
    let error = (f64::from(found) - exact).abs() / ulp(exact);
    if error.is_nan() { f64::INFINITY } else { error }
}

/// The distance between neighbouring `f32`s around a value.
fn ulp(value: f64) -> f64 {
    let exponent = (value.abs().to_bits() >> 52) as i32 - 1023;
    2f64.powi(exponent.clamp(-126, 127) - 23)
}

fn same_bits(name: &str, a: (Isa, &[f32]), b: (Isa, &[f32])) -> Result<(), String> {
    let differs = |(a, b): &(&f32, &f32)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan());
    match a.1.iter().zip(b.1).find(differs) {
        None => Ok(()),
        Some((x, y)) => {
            Err(format!("{name} is {x:e} on {} and {y:e} on {}: expected the same bits", a.0, b.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Mark;
    use super::*;

    #[test]
    fn the_kernels_of_this_machine_agree() {
        let check = check();
        assert_eq!(check.mark, Mark::Ok, "{}", check.text);
        let errors = faults(&Isa::available()).unwrap();
        // Rounding alone is half a unit.
        assert!(errors.iter().all(|error| *error > 0.4), "{errors:?}");
    }

    #[test]
    fn a_wrong_result_is_found() {
        let (xs, exact) = ([1.0, 2.0], [0.5, 0.25]);
        assert_eq!(worst(&xs, &[0.5, 0.25], &exact), (0.0, 0.0));
        let next = f32::from_bits(0.25f32.to_bits() + 1);
        assert_eq!(worst(&xs, &[0.5, next], &exact), (1.0, 2.0));
        assert_eq!(worst(&xs, &[f32::NAN, 0.25], &exact), (f64::INFINITY, 1.0));
        assert_eq!(error(f32::INFINITY, 1e300), 0.0);
        assert_eq!(error(f32::INFINITY, 1.0), f64::INFINITY);
        assert_eq!(error(f32::NAN, f64::NAN), 0.0);
        assert!(error(1.0, f64::NAN).is_infinite() && error(f32::MAX, 1e39) > 1e6);

        let isa = Isa::active().unwrap();
        let same = |a: f32, b: f32| same_bits("f", (isa, &[1.0, a]), (isa, &[1.0, b]));
        assert!(same(2.0, 2.0).is_ok() && same(f32::NAN, -f32::NAN).is_ok());
        assert!(same(0.0, -0.0).unwrap_err().starts_with("f is 0e0 on "));
    }
}
