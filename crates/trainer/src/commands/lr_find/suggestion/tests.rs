//! Curves whose rate is known, with what real ones have: noise, spikes, plateaus.

use super::*;
use crate::commands::lr_find::curve::Watch;

const STEPS: usize = 400;
const FROM: f64 = -7.0;
const TO: f64 = 1.0;

/// A loss of 2.3 that falls to 0.3 around the rate 10^`middle`, and rises from
/// 10^(`middle` + 1.5) on.
fn loss(middle: f64) -> impl Fn(usize, f64) -> f64 {
    move |_, x| {
        let fall = 2.0 / (1.0 + (-4.0 * (x - middle)).exp());
        let rise = (6.0 * (x - middle - 1.5)).exp();
        2.3 - fall + rise.min(1e6)
    }
}

/// The range test of a network with this loss, of the step and the logarithm of its rate.
fn curve(loss: impl Fn(usize, f64) -> f64) -> Curve {
    let mut watch = Watch::new(STEPS);
    for step in 0..STEPS {
        let x = FROM + (TO - FROM) * step as f64 / (STEPS - 1) as f64;
        if watch.add(10f64.powf(x), loss(step, x)).is_break() {
            return watch.end(true);
        }
    }
    watch.end(false)
}

/// Noise of mean 0 and about this deviation.
fn noise(step: usize, deviation: f64) -> f64 {
    let mut state = step as u32;
    let mut sum = 0.0;
    for _ in 0..4 {
        // Bits of Numerical Recipes' generator, mixed.
        state = (state ^ 0x9e37_79b9).wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state ^= state >> 15;
        sum += f64::from(state) / f64::from(u32::MAX) - 0.5;
    }
    // Four uniform numbers have the variance 1/3.
    sum * deviation * 3f64.sqrt()
}

/// Checks that the suggestion is within half a decade of 10^`middle`.
fn check(what: &str, middle: f64, curve: &Curve) -> Suggestion {
    let found = find(curve).unwrap_or_else(|error| panic!("{what}: {error}"));
    let off = found.learning_rate.log10() - middle;
    assert!(off.abs() <= 0.5, "{what} at {middle}: {found:?}");
    found
}

#[test]
fn the_rate_is_where_the_loss_falls() {
    for middle in [-5.0, -4.0, -3.0, -2.0, -1.0] {
        let loss = loss(middle);
        let found = check("clean", middle, &curve(&loss));
        assert!(!found.still_falling && found.lowest > found.learning_rate);
        for deviation in [0.02, 0.1, 0.3] {
            let noisy = |step, x| (loss(step, x) + noise(step, deviation)).max(0.01);
            check(&format!("noise {deviation}"), middle, &curve(noisy));
        }
    }
}

#[test]
fn spikes_do_not_move_it() {
    let clean = |step, x| loss(-2.0)(step, x) + noise(step, 0.05);
    let spike = |from: usize, len: usize, height: f64| {
        let curve = curve(move |step, x| match (from..from + len).contains(&step) {
            true => clean(step, x) + height,
            false => clean(step, x),
        });
        check(&format!("{len} steps of {height} from {from}"), -2.0, &curve)
    };
    for from in [0, 5, 40, 100, 150] {
        spike(from, 1, 50.0);
        spike(from, 2, 1e6);
        // Too long for the median: the slope after it is as steep as the fall, or steeper.
        spike(from, 12, 2.0);
        spike(from, 30, 1.0);
    }
    // Some batches that happen to be easy.
    spike(60, 3, -1.5);
    spike(60, 8, -0.8);
    // In the middle of the fall.
    spike(240, 6, 1.5);
}

#[test]
fn a_slow_fall_and_a_plateau() {
    // Two steps down: most of the fall is at 10^-3.
    let two = |_: usize, x: f64| {
        let step = |middle: f64| 1.0 / (1.0 + (-6.0 * (x - middle)).exp());
        2.3 - 1.4 * step(-3.0) - 0.4 * step(-1.0) + (6.0 * (x - 0.5)).exp()
    };
    let found = find(&curve(two)).unwrap();
    assert!((-3.5..=-1.5).contains(&found.learning_rate.log10()), "{found:?}");
    // Falls by the same for each decade, from 10^-4 to 1.
    let slow = |_: usize, x: f64| 2.3 - 0.5 * (x + 4.0).clamp(0.0, 4.0) + (8.0 * (x - 0.5)).exp();
    let found = find(&curve(slow)).unwrap();
    assert!((-4.0..=-0.5).contains(&found.learning_rate.log10()), "{found:?}");
}

#[test]
fn a_range_that_is_too_low() {
    // Cut off while it falls.
    let falls = |_: usize, x: f64| 2.3 - 0.2 * (x + 7.0);
    let found = find(&curve(falls)).unwrap();
    assert!(found.still_falling, "{found:?}");
    let lines = found.lines(&curve(falls));
    assert!(lines.contains("a larger --to"), "{lines}");
}

#[test]
fn curves_without_a_rate() {
    let refused = |loss: &dyn Fn(usize, f64) -> f64| find(&curve(loss)).unwrap_err();
    let flat = refused(&|step, _| 2.3 + noise(step, 0.1));
    assert!(flat.contains("did not fall from 1e-7 to 10: name a wider range"), "{flat}");
    assert!(refused(&|_, _| 0.5).contains("did not fall"));
    assert!(refused(&|_, _| 0.0).contains("did not fall"));
    let rises = refused(&|_, x| 1.0 + 10f64.powf(x + 5.0));
    assert!(rises.contains("did not fall before it rose") && rises.contains("--from"), "{rises}");
    let mut watch = Watch::new(STEPS);
    let _ = (watch.add(1.0, 2.0), watch.add(1.1, 1e30));
    let soon = find(&watch.end(true)).unwrap_err();
    assert!(soon.contains("after 2 steps: begin lower with --from"), "{soon}");
}

#[test]
fn the_falling_curve_is_the_nearest() {
    let of = |losses: &[f64]| falling(losses.iter().copied());
    assert_eq!(of(&[3.0, 2.0, 1.0]), [3.0, 2.0, 1.0]);
    assert_eq!(of(&[3.0, 1.0, 2.0, 0.0]), [3.0, 1.5, 1.5, 0.0]);
    assert_eq!(of(&[1.0, 2.0, 3.0]), [2.0, 2.0, 2.0]);
    assert_eq!(of(&[]), [0.0; 0]);
}

#[test]
fn rates_as_people_write_them() {
    for (rate, expected) in [(0.0031, "0.0031"), (1.0, "1"), (10.0, "10"), (4.7e-6, "4.7e-6")] {
        assert_eq!(digits(two_digits(rate * 1.001)), expected);
    }
    // As `--lr` takes it.
    assert_eq!(digits(two_digits(1.04e-4)).parse(), Ok(1e-4));
}
