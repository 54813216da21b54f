//! Gaussian random values: each against its definition, and many against their
//! distribution. The seeds are fixed, so a bound that holds once always holds.

use kernels::{Isa, Stream, add_gaussian, gaussian_mask};

const STREAM: Stream = Stream { seed: 7 << 33 | 5, counter: [1, 2, 3], first: 0 };

/// Philox4x32-10, one counter.
fn philox(mut x: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let p0 = 0xD251_1F53 * u64::from(x[0]);
        let p1 = 0xCD9E_8D57 * u64::from(x[2]);
        x = [
            (p1 >> 32) as u32 ^ x[1] ^ key[0],
            p1 as u32,
            (p0 >> 32) as u32 ^ x[3] ^ key[1],
            p0 as u32,
        ];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    x
}

/// The value at a position, by the formulas and in `f64`.
fn exact(stream: Stream, position: usize) -> f64 {
    let (group, word, lane) = (position / 64, position / 16 % 4, position % 16);
    let [a, b, c] = stream.counter;
    let counter = [(16 * group + lane) as u32, a, b, c];
    let words = philox(counter, [stream.seed as u32, (stream.seed >> 32) as u32]);
    let fraction = |word: u32| f64::from(word & 0x7FFF_FFFF);
    let u = (fraction(words[word & 2]) + 0.5) / 2f64.powi(31);
    let angle = std::f64::consts::FRAC_PI_2 * fraction(words[word | 1]) / 2f64.powi(31);
    let size = if word & 1 == 0 { angle.cos() } else { angle.sin() };
    let sign = if words[word] >> 31 == 1 { -1.0 } else { 1.0 };
    sign * (-2.0 * u.ln()).sqrt() * size
}

/// `rows` rows of values, each from a stream of its own.
fn draw(rows: u32, width: usize) -> Vec<f32> {
    let isa = Isa::available()[0];
    let mut values = vec![0.0; rows as usize * width];
    for (row, values) in values.chunks_exact_mut(width).enumerate() {
        add_gaussian(isa, Stream { seed: 11, counter: [row as u32, 0, 0], first: 0 }, 1.0, values);
    }
    values
}

/// Distribution function of N(0, 1) for |x| < 7, by its power series.
fn normal(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (x, 0.0, 1.0);
    while f64::abs(term) > 1e-18 {
        sum += term;
        n += 2.0;
        term *= x * x / n;
    }
    0.5 + sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

/// Sine and cosine have a small absolute error, not a small relative one near 0; so the
/// bound is an absolute one.
#[test]
fn each_value_is_what_the_formulas_say() {
    for isa in Isa::available() {
        let mut found = vec![0.0; 10_000];
        add_gaussian(isa, STREAM, 1.0, &mut found);
        for (position, found) in found.iter().enumerate() {
            let exact = exact(STREAM, position);
            let error = (f64::from(*found) - exact).abs();
            assert!(error <= 1e-6, "{isa}, {position}: {found}, {exact}");
        }
    }
}

#[test]
fn a_row_is_equal_on_every_isa_and_a_prefix_of_a_longer_one() {
    let mut expected = vec![0.0; 400];
    add_gaussian(Isa::by_name("scalar").unwrap(), STREAM, 1.0, &mut expected);
    let expected: Vec<u32> = expected.iter().map(|x| x.to_bits()).collect();
    for isa in Isa::available() {
        for len in (0..140).chain([191, 192, 193, 400]) {
            let mut found = vec![0.0; len];
            add_gaussian(isa, STREAM, 1.0, &mut found);
            let found: Vec<u32> = found.iter().map(|x| x.to_bits()).collect();
            assert_eq!(found, expected[..len], "{isa}, {len}");
        }
    }
}

#[test]
fn a_row_gets_sigma_times_the_value_and_a_mask_has_mean_one() {
    for isa in Isa::available() {
        for len in [0, 1, 63, 64, 65, 200] {
            let mut row: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let mut mask = vec![f32::NAN; len];
            add_gaussian(isa, STREAM, 0.5, &mut row);
            gaussian_mask(isa, STREAM, 0.25, &mut mask);
            for (position, (row, mask)) in row.iter().zip(mask).enumerate() {
                let exact = exact(STREAM, position);
                let added = f64::from(*row) - position as f64;
                assert!((added - 0.5 * exact).abs() <= 2e-5, "{isa}, {position}: {added}, {exact}");
                let factor = f64::from(mask);
                assert!((factor - 1.0 - 0.25 * exact).abs() <= 1e-6, "{isa}, {position}: {factor}");
            }
            let mut row = vec![3.0; len];
            add_gaussian(isa, STREAM, 0.0, &mut row);
            assert_eq!(row, vec![3.0; len], "{isa}");
        }
    }
}

#[test]
fn a_sigma_that_is_negative_or_not_finite_panics() {
    let isa = Isa::available()[0];
    for sigma in [-1.0, f32::NAN, f32::INFINITY] {
        let panics = std::panic::catch_unwind(|| add_gaussian(isa, STREAM, sigma, &mut [0.0]));
        assert!(panics.is_err(), "{sigma}");
        let panics = std::panic::catch_unwind(|| gaussian_mask(isa, STREAM, sigma, &mut [0.0]));
        assert!(panics.is_err(), "{sigma}");
    }
}

/// Each moment is within five of its standard deviations.
#[test]
fn moments() {
    let values = draw(1000, 1000);
    for (power, expected, variance) in
        [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0), (6, 15.0, 10_170.0)]
    {
        let sum: f64 = values.iter().map(|x| f64::from(*x).powi(power)).sum();
        let mean = sum / values.len() as f64;
        let sigma = f64::sqrt(variance / values.len() as f64);
        assert!((mean - expected).abs() <= 5.0 * sigma, "power {power}: {mean}, not {expected}");
    }
}

/// The test of Kolmogorov and Smirnov: one set of random values in 1000 exceeds a
/// distance of 1.95 / √n, and this is one set.
#[test]
fn distribution() {
    let mut values = draw(1000, 1000);
    values.sort_by(f32::total_cmp);
    let n = values.len() as f64;
    let distance = values.iter().enumerate().fold(0.0, |most, (i, x)| {
        let p = normal(f64::from(*x));
        f64::max(most, f64::max(p - i as f64 / n, (i + 1) as f64 / n - p))
    });
    assert!(distance * n.sqrt() < 1.95, "{}", distance * n.sqrt());
}

#[test]
fn tails() {
    let values = draw(4096, 4096);
    for limit in [3.0, 4.0, 4.5] {
        let expected = values.len() as f64 * normal(-limit);
        for sign in [1.0, -1.0] {
            let beyond = values.iter().filter(|x| sign * f64::from(**x) > limit).count() as f64;
            let deviation = (beyond - expected) / expected.sqrt();
            assert!(deviation.abs() < 4.0, "{beyond} beyond {}, not {expected}", sign * limit);
        }
    }
    // The largest value that 32 bits give.
    assert!(values.iter().all(|x| x.abs() < 6.67));
}

/// Neither the values nor their squares are correlated. The two values of a pair are 16
/// positions apart and share a radius; their signs and angles make them independent.
#[test]
fn positions_and_streams_are_independent() {
    const WIDTH: usize = 1024;
    let values = draw(1024, WIDTH);
    let n = values.len() as f64;
    let bound = 5.0 / n.sqrt();
    for distance in [1, 2, 15, 16, 17, 32, 48, 64, WIDTH] {
        let pairs =
            || values.iter().zip(&values[distance..]).map(|(x, y)| (f64::from(*x), f64::from(*y)));
        let of_values = pairs().map(|(x, y)| x * y).sum::<f64>() / n;
        let of_squares = pairs().map(|(x, y)| (x * x - 1.0) * (y * y - 1.0) / 2.0).sum::<f64>() / n;
        assert!(of_values.abs() < bound, "distance {distance}: {of_values}");
        assert!(of_squares.abs() < bound, "distance {distance}, squares: {of_squares}");
    }
}
