//! The random numbers of a step: functions of seed, step, layer, row and unit.

use kernels::{Isa, Product, Stream};

use super::{Batch, Pass};

/// What the random numbers of a row are for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Dropout,
    Noise,
}

/// Random numbers for row `row` of the batch in node `node`, from unit `unit`.
pub(super) fn stream(
    batch: &Batch<'_>,
    purpose: Purpose,
    node: usize,
    row: usize,
    unit: usize,
) -> Stream {
    // A batch has fewer than 2³² rows and a network fewer than 2³¹ layers. The upper
    // half of the step, which takes years to reach, is left out.
    let node = node as u32 | (purpose as u32) << 31;
    Stream { seed: batch.seed, counter: [row as u32, batch.step as u32, node], first: unit }
}

/// Adds the noise of node `node` to row `row` of the batch, from unit `unit`.
pub(super) fn add_noise<E>(
    pass: &Pass<'_, E>,
    node: usize,
    row: usize,
    unit: usize,
    values: &mut [f32],
) {
    let sigma = pass.cx.layout.nodes[node].noise;
    if sigma > 0.0 {
        let stream = stream(pass.batch, Purpose::Noise, node, row, unit);
        kernels::add_gaussian(pass.cx.isa, stream, sigma, values);
    }
}

/// `a ← a·mask`, where the mask has the mean and the variance of one that drops the
/// share `rate`.
pub(super) fn gaussian_dropout(
    isa: Isa,
    stream: Stream,
    rate: f32,
    mask: &mut [f32],
    a: &mut [f32],
) {
    kernels::gaussian_mask(isa, stream, (rate / (1.0 - rate)).sqrt(), mask);
    kernels::zip(isa, Product, a, mask);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gaussian_mask_has_the_moments_of_one_that_drops_a_share() {
        for isa in Isa::available() {
            for rate in [0.2, 0.6] {
                let stream = Stream { seed: 1, counter: [0; 3], first: 0 };
                let (mut mask, mut a) = (vec![0.0; 100_000], vec![2.0; 100_000]);
                gaussian_dropout(isa, stream, rate, &mut mask, &mut a);
                let n = mask.len() as f32;
                let mean = mask.iter().sum::<f32>() / n;
                let variance = mask.iter().map(|m| (m - 1.0) * (m - 1.0)).sum::<f32>() / n;
                // A mask of 0 and 1/(1 − rate) has this variance.
                let expected = rate / (1.0 - rate);
                assert!((mean - 1.0).abs() < 0.02, "{isa}: {mean} at {rate}");
                assert!((variance / expected - 1.0).abs() < 0.03, "{isa}: {variance} at {rate}");
                assert!(a.iter().zip(&mask).all(|(a, mask)| *a == 2.0 * mask));
            }
        }
    }
}
