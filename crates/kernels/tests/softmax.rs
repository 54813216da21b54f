//! Softmax and cross-entropy against `f64`, for rows of every length around a vector, and
//! for rows that have no softmax.

use kernels::{Isa, MatMut, MatRef, RowLoss, cross_entropy, cross_entropy_gradient, softmax_rows};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// `ln softmax(z)`, in `f64`.
fn log_softmax(z: &[f32]) -> Vec<f64> {
    let max = z.iter().fold(f64::NEG_INFINITY, |max, z| max.max(f64::from(*z)));
    let sum: f64 = z.iter().map(|z| (f64::from(*z) - max).exp()).sum();
    z.iter().map(|z| f64::from(*z) - max - sum.ln()).collect()
}

fn rows(count: usize, width: usize, spread: f32, seed: u64) -> Vec<f32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..count * width).map(|_| (2.0 * rng.random::<f32>() - 1.0) * spread).collect()
}

#[test]
fn every_width_and_spread() {
    const ROWS: usize = 19;
    for isa in Isa::available() {
        for width in (1..=70).chain([512]) {
            for spread in [1e-3, 1.0, 30.0, 1e4] {
                let z = rows(ROWS, width, spread, width as u64);
                let mut p = z.clone();
                softmax_rows(isa, MatMut::new(&mut p, ROWS, width));
                for (p, z) in p.chunks_exact(width).zip(z.chunks_exact(width)) {
                    for (p, exact) in p.iter().zip(log_softmax(z)) {
                        // The differences of large logits are themselves rounded.
                        let tolerance = 3e-6 + f64::from(spread) * 7.5e-7;
                        let exact = exact.exp();
                        assert!(
                            (f64::from(*p) - exact).abs() <= tolerance * exact + 1e-37,
                            "{isa}, {width} wide, spread {spread}: {p}, not {exact}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn gaps_between_rows_stay() {
    for isa in Isa::available() {
        let mut data = vec![0.5; 5 * 13];
        softmax_rows(isa, MatMut::strided(&mut data, 5, 10, 13, 1));
        for row in data.chunks_exact(13) {
            assert!(row[..10].iter().all(|p| (p - 0.1).abs() < 1e-7), "{isa}: {row:?}");
            assert_eq!(row[10..], [0.5; 3], "{isa}");
        }
    }
}

#[test]
fn the_largest_finite_elements_do_not_overflow() {
    for isa in Isa::available() {
        let mut p = [f32::MAX, f32::MAX, f32::MIN, 0.0];
        softmax_rows(isa, MatMut::new(&mut p, 1, 4));
        assert_eq!(p, [0.5, 0.5, 0.0, 0.0], "{isa}");
    }
}

#[test]
fn rows_without_a_softmax_are_nan_and_the_others_are_not() {
    const WIDTH: usize = 19;
    let spoilers: [fn(&mut [f32]); 4] = [
        |row| row[0] = f32::NAN,
        |row| row[WIDTH - 1] = f32::NAN,
        |row| row[7] = f32::INFINITY,
        |row| row.fill(f32::NEG_INFINITY),
    ];
    for isa in Isa::available() {
        for spoil in spoilers {
            let mut z = rows(40, WIDTH, 1.0, 3);
            spoil(&mut z[WIDTH..2 * WIDTH]);
            softmax_rows(isa, MatMut::new(&mut z, 40, WIDTH));
            for (i, row) in z.chunks_exact(WIDTH).enumerate() {
                assert!(row.iter().all(|p| p.is_nan() == (i == 1)), "{isa}: row {i}: {row:?}");
            }
        }
        // A −∞ beside finite elements is a class of probability 0.
        let mut z = [f32::NEG_INFINITY, 0.0, 0.0];
        softmax_rows(isa, MatMut::new(&mut z, 1, 3));
        assert_eq!(z, [0.0, 0.5, 0.5], "{isa}");
    }
}

#[test]
fn cross_entropy_and_its_gradient() {
    for isa in Isa::available() {
        for width in [1, 2, 10, 16, 17, 100] {
            for count in [1, 7, 16, 33] {
                let z = rows(count, width, 4.0, 11);
                let labels: Vec<u32> = (0..count).map(|i| (i * 7 % width) as u32).collect();
                let mut dz = z.clone();
                let mut losses = vec![RowLoss::default(); count];
                let factor = 1.0 / count as f32;
                let view = MatMut::new(&mut dz, count, width);
                cross_entropy_gradient(isa, view, &labels, factor, &mut losses);
                for i in 0..count {
                    let range = i * width..(i + 1) * width;
                    let (z, dz, label) = (&z[range.clone()], &dz[range], labels[i] as usize);
                    let exact = log_softmax(z);
                    let loss = f64::from(losses[i].loss);
                    assert!((loss + exact[label]).abs() < 2e-6, "{isa}: {loss}");
                    let best = z.iter().all(|other| *other <= z[label]);
                    assert_eq!(losses[i].correct, best, "{isa}");
                    for (j, (found, exact)) in dz.iter().zip(exact).enumerate() {
                        let target = if j == label { 1.0 } else { 0.0 };
                        let exact = f64::from(factor) * (exact.exp() - target);
                        let error = (f64::from(*found) - exact).abs();
                        assert!(error < 1e-6 * f64::from(factor), "{isa}: {found}, not {exact}");
                    }
                }
            }
        }
    }
}

#[test]
fn of_equal_logits_the_first_is_the_answer() {
    for isa in Isa::available() {
        for width in [3, 32, 33, 50, 70] {
            for first in [0, 1, width / 2, width - 2] {
                // The largest elements stand at `first` and after it.
                let mut row = vec![1.0; width];
                row[first..].fill(2.0);
                let labels: Vec<u32> = (0..width as u32).collect();
                let mut losses = vec![RowLoss::default(); width];
                let mut z = row.repeat(width);
                let view = MatMut::new(&mut z, width, width);
                cross_entropy_gradient(isa, view, &labels, 1.0, &mut losses);
                let correct = losses.iter().map(|row| row.correct);
                assert!(correct.eq((0..width).map(|label| label == first)), "{isa}, {width}");
            }
        }
    }
}

/// A label is right where the probabilities say so, with and without the gradient: logits
/// that differ by less than a rounding error are a tie, which the first one wins.
#[test]
fn the_answer_goes_by_the_probabilities() {
    let (mut ties, mut others) = (0, 0);
    for isa in Isa::available() {
        for width in (2..=70).chain([512]) {
            for gap in [0.0, 1e-9, 1e-8, 3e-8, 6e-8, 1.2e-7, 1e-6, 1e-3] {
                for (first, second) in [(0, 1), (width / 2, width - 1), (0, width - 1)] {
                    let mut z = vec![-1.0; width];
                    (z[first], z[second]) = (0.0, gap);
                    let mut p = z.clone();
                    softmax_rows(isa, MatMut::new(&mut p, 1, width));
                    let best = (0..width).rev().max_by(|i, j| p[*i].total_cmp(&p[*j])).unwrap();
                    ties += usize::from(best == first && gap > 0.0);
                    others += usize::from(best == second);
                    for label in [first, second] {
                        let mut losses = [RowLoss::default(); 2];
                        let (found, labels) = losses.split_at_mut(1);
                        let view = MatRef::new(&z, 1, width);
                        cross_entropy(isa, view, &[label as u32], found);
                        let mut dz = z.clone();
                        let view = MatMut::new(&mut dz, 1, width);
                        cross_entropy_gradient(isa, view, &[label as u32], 0.3, labels);
                        let right = losses.map(|row| row.correct);
                        assert_eq!(right, [label == best; 2], "{isa}, {width} wide, {gap}");
                    }
                }
            }
        }
    }
    assert!(ties > 500 && others > 500, "{ties} ties, {others} others");
}

#[test]
fn a_row_with_nan_has_a_loss_of_nan_and_is_wrong() {
    for isa in Isa::available() {
        let mut losses = [RowLoss::default(); 2];
        let mut z = [f32::NAN, 0.0, 1.0, 0.0];
        let view = MatMut::new(&mut z, 2, 2);
        cross_entropy_gradient(isa, view, &[0, 0], 1.0, &mut losses);
        assert!(losses[0].loss.is_nan() && !losses[0].correct, "{isa}");
        assert!(losses[1].loss.is_finite() && losses[1].correct, "{isa}");
    }
}

/// The losses of [`cross_entropy_gradient`], as bits.
fn expected(isa: Isa, z: &[f32], width: usize, labels: &[u32]) -> Vec<(u32, bool)> {
    let mut dz = z.to_vec();
    let mut losses = vec![RowLoss::default(); labels.len()];
    let view = MatMut::new(&mut dz, labels.len(), width);
    cross_entropy_gradient(isa, view, labels, 0.1, &mut losses);
    bits(&losses)
}

fn bits(losses: &[RowLoss]) -> Vec<(u32, bool)> {
    // A NaN may have any bits.
    let loss = |row: &RowLoss| if row.loss.is_nan() { f32::NAN } else { row.loss };
    losses.iter().map(|row| (loss(row).to_bits(), row.correct)).collect()
}

/// Rows of every kind: random ones, equal elements, no softmax, and a label that is right.
#[test]
fn cross_entropy_without_its_gradient_has_the_same_bits() {
    for isa in Isa::available() {
        for width in (1..=70).chain([512]) {
            for count in [1, 15, 16, 17, 40] {
                let mut z = rows(count, width, 4.0, width as u64);
                let mut labels: Vec<u32> = (0..count).map(|i| (i * 7 % width) as u32).collect();
                for (i, row) in z.chunks_exact_mut(width).enumerate() {
                    match i % 6 {
                        1 => row.fill(2.5),
                        2 => row[width / 2] = f32::NAN,
                        3 => row[width - 1] = f32::NEG_INFINITY,
                        4 => row[labels[i] as usize] = 5.0,
                        5 => labels[i] = 0,
                        _ => {}
                    }
                }
                let mut losses = vec![RowLoss::default(); count];
                cross_entropy(isa, MatRef::new(&z, count, width), &labels, &mut losses);
                let expected = expected(isa, &z, width, &labels);
                assert_eq!(bits(&losses), expected, "{isa}, {count} × {width}");
            }
        }
    }
}

#[test]
fn cross_entropy_skips_gaps_between_rows() {
    for isa in Isa::available() {
        for (width, stride) in [(10, 13), (40, 47)] {
            let z = rows(17, width, 4.0, 5);
            let mut apart = vec![f32::NAN; 17 * stride];
            for (apart, z) in apart.chunks_exact_mut(stride).zip(z.chunks_exact(width)) {
                apart[..width].copy_from_slice(z);
            }
            let labels: Vec<u32> = (0..17).map(|i| i % 10).collect();
            let mut losses = vec![RowLoss::default(); 17];
            let view = MatRef::strided(&apart, 17, width, stride, 1);
            cross_entropy(isa, view, &labels, &mut losses);
            assert_eq!(bits(&losses), expected(isa, &z, width, &labels), "{isa}, {width}");
        }
    }
}

#[test]
#[should_panic = "a label of 3 or more"]
fn a_label_without_a_column_panics() {
    let mut losses = [RowLoss::default(); 2];
    cross_entropy(Isa::available()[0], MatRef::new(&[0.0; 6], 2, 3), &[2, 3], &mut losses);
}

#[test]
#[should_panic = "2 rows, 2 labels, 1 losses"]
fn a_row_without_a_loss_panics() {
    let mut losses = [RowLoss::default(); 1];
    cross_entropy(Isa::available()[0], MatRef::new(&[0.0; 6], 2, 3), &[0, 1], &mut losses);
}
