//! Activations and their derivatives: special values, the derivatives that are functions
//! of the output, and equal bits on all vector instruction sets. `accuracy.rs` measures
//! their errors.

use kernels::{
    Binary, Elu, EluGradient, Exp, Gelu, GeluGradient, Isa, Larger, LeakyRelu, LeakyReluGradient,
    Relu, ReluGradient, Sigmoid, SigmoidGradient, Silu, SiluGradient, Softplus, Tanh, TanhGradient,
    Unary, map, zip,
};

/// To compare with: unlike floats, the bits of 0 and −0 differ, and NaN equals itself.
fn bits(xs: &[f32]) -> Vec<u32> {
    xs.iter().map(|x| x.to_bits()).collect()
}

/// f of each element, which must be equal in all lanes of a vector.
fn of<const N: usize>(isa: Isa, f: impl Unary, xs: [f32; N]) -> [f32; N] {
    xs.map(|x| {
        let mut row = [x; 17];
        map(isa, f, &mut row);
        assert_eq!(bits(&row), vec![row[0].to_bits(); 17], "{isa}: at {x}");
        row[0]
    })
}

fn of_two<const N: usize>(isa: Isa, f: impl Binary, mut xs: [f32; N], ys: [f32; N]) -> [f32; N] {
    zip(isa, f, &mut xs, &ys);
    xs
}

const INF: f32 = f32::INFINITY;

#[test]
fn gelu_and_silu_at_the_edges() {
    let z = [0.0, -0.0, INF, -INF, f32::MAX, f32::MIN, 1e-38, -1e-38, 300.0, -300.0, -1e-45];
    let expected = [0.0, -0.0, INF, -0.0, f32::MAX, -0.0, 5e-39, -5e-39, 300.0, -0.0, -0.0];
    for isa in Isa::available() {
        assert_eq!(bits(&of(isa, Gelu, z)), bits(&expected), "GELU on {isa}");
        assert_eq!(bits(&of(isa, Silu, z)), bits(&expected), "SiLU on {isa}");
        assert!(of(isa, Gelu, [f32::NAN])[0].is_nan(), "{isa}");
        assert!(of(isa, Silu, [f32::NAN])[0].is_nan(), "{isa}");
    }
}

#[test]
fn derivatives_of_gelu_and_silu_at_the_edges() {
    fn check(name: &str, isa: Isa, f: impl Binary) {
        let z = [0.0, -0.0, INF, -INF, f32::MAX, f32::MIN, 1e-38, -1e-38, 300.0, -300.0];
        let expected = [1.0, 1.0, 2.0, -0.0, 2.0, -0.0, 1.0, 1.0, 2.0, -0.0];
        assert_eq!(bits(&of_two(isa, f, [2.0; 10], z)), bits(&expected), "{name} on {isa}");
        let nan = of_two(isa, f, [1.0, f32::NAN], [f32::NAN, 1.0]);
        assert!(nan[0].is_nan() && nan[1].is_nan(), "{name} on {isa}");
        // Both rise above 1, and fall below 0.
        let [above, below] = of_two(isa, f, [1.0; 2], [2.0, -2.0]);
        assert!(above > 1.05 && below < -0.05, "{name} on {isa}: {above}, {below}");
    }
    for isa in Isa::available() {
        check("GELU′", isa, GeluGradient);
        check("SiLU′", isa, SiluGradient);
    }
}

#[test]
fn elu_and_leaky_relu_at_the_edges() {
    let z = [0.0, -0.0, INF, -INF, f32::MAX, f32::MIN, 1e-40, -1e-40, 2.5, -30.0];
    for isa in Isa::available() {
        let expected = [0.0, -0.0, INF, -0.5, f32::MAX, -0.5, 1e-40, -5e-41, 2.5, -0.5];
        assert_eq!(bits(&of(isa, Elu { alpha: 0.5 }, z)), bits(&expected), "ELU on {isa}");
        let expected = [0.0, -0.0, INF, -INF, f32::MAX, f32::MIN / 2.0, 1e-40, -5e-41, 2.5, -15.0];
        let found = of(isa, LeakyRelu { slope: 0.5 }, z);
        assert_eq!(bits(&found), bits(&expected), "leaky ReLU on {isa}");
        assert!(of(isa, Elu { alpha: 1.0 }, [f32::NAN])[0].is_nan(), "{isa}");
        assert!(of(isa, LeakyRelu { slope: 0.1 }, [f32::NAN])[0].is_nan(), "{isa}");
    }
}

/// For a small z, `eᶻ − 1` is nearly z, while `eᶻ` in `f32` has lost most bits of z.
#[test]
fn elu_keeps_small_numbers() {
    for isa in Isa::available() {
        let z = [-1e-3, -1e-6, -1e-20];
        let found = of(isa, Elu { alpha: 1.0 }, z);
        for (z, found) in z.iter().zip(found) {
            let exact = f64::from(*z).exp_m1();
            assert!((f64::from(found) / exact - 1.0).abs() < 1e-7, "{isa}: at {z}, {found}");
        }
    }
}

/// Of some z: `dz` from the output h and a `da` of −2, against the exact slope.
fn check_slope(isa: Isa, f: impl Unary, gradient: impl Binary, slope: impl Fn(f64) -> f64) {
    let z = [-12.0, -3.0, -0.5, -1e-3, -0.0, 0.0, 1e-3, 2.0, 9.5];
    let dz = of_two(isa, gradient, [-2.0; 9], of(isa, f, z));
    for (z, dz) in z.iter().zip(dz) {
        let exact = -2.0 * slope(f64::from(*z));
        assert!((f64::from(dz) - exact).abs() < 1e-6, "{isa}: at {z}, {dz}, not {exact}");
    }
}

#[test]
fn derivatives_of_the_output_are_slopes() {
    const ALPHA: f32 = 0.75;
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    for isa in Isa::available() {
        check_slope(isa, Tanh, TanhGradient, |z| 1.0 - z.tanh().powi(2));
        check_slope(isa, Sigmoid, SigmoidGradient, |z| sigmoid(z) * sigmoid(-z));
        check_slope(isa, Relu, ReluGradient, |z| if z > 0.0 { 1.0 } else { 0.0 });
        check_slope(isa, Elu { alpha: ALPHA }, EluGradient { alpha: ALPHA }, |z| {
            if z > 0.0 { 1.0 } else { f64::from(ALPHA) * z.exp() }
        });
        check_slope(isa, LeakyRelu { slope: 0.25 }, LeakyReluGradient { slope: 0.25 }, |z| {
            if z > 0.0 { 1.0 } else { 0.25 }
        });
    }
}

#[test]
fn derivatives_at_the_ends_of_the_range() {
    for isa in Isa::available() {
        let h = [-1.0, 1.0, 0.0, f32::NAN];
        let found = of_two(isa, TanhGradient, [2.0; 4], h);
        assert_eq!(found[..3], [0.0, 0.0, 2.0], "tanh′ on {isa}");
        assert!(found[3].is_nan(), "tanh′ on {isa}");

        let h = [0.0, 1.0, 0.5, f32::NAN];
        let found = of_two(isa, SigmoidGradient, [2.0; 4], h);
        assert_eq!(found[..3], [0.0, 0.0, 0.5], "sigmoid′ on {isa}");
        assert!(found[3].is_nan(), "sigmoid′ on {isa}");
    }
}

#[test]
fn of_two_values_the_larger() {
    for isa in Isa::available() {
        let x = [1.0, -3.0, INF, -INF, 1e-45, 5.0];
        let y = [2.0, -4.0, 0.0, 0.0, 0.0, 5.0];
        assert_eq!(of_two(isa, Larger, x, y), [2.0, -3.0, INF, 0.0, 1e-45, 5.0], "{isa}");
        for (x, y) in [(5.0, f32::NAN), (f32::NAN, 5.0), (f32::NAN, -INF)] {
            assert!(of_two(isa, Larger, [x], [y])[0].is_nan(), "{isa}: {x}, {y}");
        }
    }
}

/// Bit for bit, on each vector instruction set of the CPU. (The scalar one has no fused
/// multiply-add; `accuracy.rs` says how close it is.)
#[test]
fn vector_instruction_sets_agree() {
    type Function = (&'static str, fn(Isa, &mut [f32], &[f32]));
    let functions: [Function; 16] = [
        ("tanh", |isa, y, _| map(isa, Tanh, y)),
        ("sigmoid", |isa, y, _| map(isa, Sigmoid, y)),
        ("exp", |isa, y, _| map(isa, Exp, y)),
        ("GELU", |isa, y, _| map(isa, Gelu, y)),
        ("GELU′", |isa, y, x| zip(isa, GeluGradient, y, x)),
        ("SiLU", |isa, y, _| map(isa, Silu, y)),
        ("SiLU′", |isa, y, x| zip(isa, SiluGradient, y, x)),
        ("ELU", |isa, y, _| map(isa, Elu { alpha: 0.7 }, y)),
        ("leaky ReLU", |isa, y, _| map(isa, LeakyRelu { slope: 0.1 }, y)),
        ("ReLU", |isa, y, _| map(isa, Relu, y)),
        ("softplus", |isa, y, _| map(isa, Softplus, y)),
        ("tanh′", |isa, y, x| zip(isa, TanhGradient, y, x)),
        ("sigmoid′", |isa, y, x| zip(isa, SigmoidGradient, y, x)),
        ("ReLU′", |isa, y, x| zip(isa, ReluGradient, y, x)),
        ("ELU′", |isa, y, x| zip(isa, EluGradient { alpha: 0.7 }, y, x)),
        ("leaky ReLU′", |isa, y, x| zip(isa, LeakyReluGradient { slope: 0.1 }, y, x)),
    ];
    // A NaN may have any bits.
    let x: Vec<f32> =
        (0..u32::MAX).step_by(9973).map(f32::from_bits).filter(|x| !x.is_nan()).collect();
    let vectors: Vec<Isa> =
        Isa::available().into_iter().filter(|isa| isa.name() != "scalar").collect();
    for (name, kernel) in functions {
        let results: Vec<Vec<u32>> = vectors
            .iter()
            .map(|isa| {
                let mut y = x.clone();
                kernel(*isa, &mut y, &x);
                // What came out as NaN may have any bits too.
                y.iter_mut().filter(|y| y.is_nan()).for_each(|y| *y = f32::NAN);
                bits(&y)
            })
            .collect();
        for (isa, result) in vectors.iter().zip(&results) {
            let differs = result.iter().zip(&results[0]).position(|(y, first)| y != first);
            assert_eq!(differs.map(|at| x[at]), None, "{name}, {isa} and {}", vectors[0]);
        }
    }
}
