//! What GELU, SiLU, ELU, leaky ReLU and their derivatives do at the edges, the
//! derivatives that are functions of the output, and that all functions of one
//! variable have the same bits everywhere. `accuracy.rs` has the errors.

use kernels::{
    Binary, Elu, EluGradient, Exp, Gelu, GeluGradient, Isa, LeakyRelu, LeakyReluGradient, Sigmoid,
    Silu, SiluGradient, Tanh, Unary, map, zip,
};

/// So that 0 and −0 differ, and NaN is itself.
fn bits(xs: &[f32]) -> Vec<u32> {
    xs.iter().map(|x| x.to_bits()).collect()
}

/// f of each, on all lanes of a vector.
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

/// `eᶻ − 1` of a small z is z and little more, where `eᶻ` has lost most of it.
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

#[test]
fn derivatives_of_elu_and_leaky_relu_are_functions_of_the_output() {
    const ALPHA: f32 = 0.75;
    for isa in Isa::available() {
        let z = [-12.0, -3.0, -0.5, -1e-3, -0.0, 0.0, 1e-3, 2.0];
        let h = of(isa, Elu { alpha: ALPHA }, z);
        let dz = of_two(isa, EluGradient { alpha: ALPHA }, [-2.0; 8], h);
        for (z, dz) in z.iter().zip(dz) {
            let slope = if *z > 0.0 { 1.0 } else { ALPHA * z.exp() };
            assert!((dz + 2.0 * slope).abs() < 1e-6, "{isa}: at {z}, {dz}");
        }
        let h = of(isa, LeakyRelu { slope: 0.25 }, z);
        let dz = of_two(isa, LeakyReluGradient { slope: 0.25 }, [-2.0; 8], h);
        assert_eq!(dz, [-0.5, -0.5, -0.5, -0.5, -0.5, -0.5, -2.0, -2.0], "{isa}");
    }
}

/// Each vector instruction set that the CPU has, bit for bit. (The scalar one has no
/// fused multiply-add, and is as near as `accuracy.rs` says.)
#[test]
fn vector_instruction_sets_agree() {
    type Function = (&'static str, fn(Isa, &mut [f32], &[f32]));
    let functions: [Function; 9] = [
        ("tanh", |isa, y, _| map(isa, Tanh, y)),
        ("sigmoid", |isa, y, _| map(isa, Sigmoid, y)),
        ("exp", |isa, y, _| map(isa, Exp, y)),
        ("GELU", |isa, y, _| map(isa, Gelu, y)),
        ("GELU′", |isa, y, x| zip(isa, GeluGradient, y, x)),
        ("SiLU", |isa, y, _| map(isa, Silu, y)),
        ("SiLU′", |isa, y, x| zip(isa, SiluGradient, y, x)),
        ("ELU", |isa, y, _| map(isa, Elu { alpha: 0.7 }, y)),
        ("leaky ReLU", |isa, y, _| map(isa, LeakyRelu { slope: 0.1 }, y)),
    ];
    // NaN may have any bits.
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
                bits(&y)
            })
            .collect();
        for (isa, result) in vectors.iter().zip(&results) {
            let differs = result.iter().zip(&results[0]).position(|(y, first)| y != first);
            assert_eq!(differs.map(|at| x[at]), None, "{name}, {isa} and {}", vectors[0]);
        }
    }
}
