//! The learning rate of each step: the properties of the curves, and PyTorch's rates.

use nn::{Curve, Progress, Schedule};
use proptest::prelude::*;
use serde_json::Value;

/// The rates of all steps of a run.
fn rates(schedule: Schedule, lr: f64, epochs: usize, steps_per_epoch: u64) -> Vec<f64> {
    let steps = epochs as u64 * steps_per_epoch;
    let rate = |step| {
        let epoch = (step / steps_per_epoch) as usize;
        schedule.rate(lr, Progress { step, steps, epoch, epochs })
    };
    (0..steps).map(rate).collect()
}

/// Any curve, with parameters in their ranges.
fn curve() -> impl Strategy<Value = Curve> {
    let one_cycle = (0.0f32..=1.0, 1.0f32..100.0, 1.0f32..1e5);
    prop_oneof![
        Just(Curve::Constant),
        (0.0f32..2.0).prop_map(|decay| Curve::Compounding { decay }),
        (0.0f32..2.0).prop_map(|decay| Curve::InverseTime { decay }),
        (1..9u32, 0.01f32..=1.0).prop_map(|(every, factor)| Curve::Step { every, factor }),
        (0.01f32..=1.0).prop_map(|factor| Curve::Exponential { factor }),
        (0.0f32..1.0).prop_map(|from| Curve::Linear { from }),
        Just(Curve::Cosine),
        one_cycle.prop_map(|(pct_start, div_factor, final_div_factor)| {
            Curve::OneCycle { pct_start, div_factor, final_div_factor }
        }),
    ]
}

fn warmup() -> impl Strategy<Value = f32> {
    prop_oneof![Just(0.0), 0.0f32..1.0]
}

/// Whether the curve changes with every step, and not with every epoch.
fn by_step(curve: Curve) -> bool {
    matches!(curve, Curve::Linear { .. } | Curve::Cosine | Curve::OneCycle { .. })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_rate_is_never_negative_nor_above_the_given_rate(
        (curve, warmup) in (curve(), warmup()),
        (epochs, steps) in (1..12usize, 1..12u64),
    ) {
        for rate in rates(Schedule { curve, warmup }, 0.5, epochs, steps) {
            prop_assert!((0.0..=0.5 + 1e-15).contains(&rate), "{rate}");
        }
    }

    #[test]
    fn without_a_warm_up_a_run_starts_with_the_given_rate(
        (curve, epochs, steps) in (curve(), 1..12usize, 4..12u64),
    ) {
        let first = rates(curve.into(), 0.5, epochs, steps)[0];
        let expected = match curve {
            // A rise of less than a step is over before the first step.
            Curve::OneCycle { pct_start, .. }
                if f64::from(pct_start) * (epochs as u64 * steps) as f64 <= 1.0 => return Ok(()),
            Curve::OneCycle { div_factor, .. } => 0.5 / f64::from(div_factor),
            _ => 0.5,
        };
        prop_assert!((first - expected).abs() < 1e-12, "{first}, expected {expected}");
    }

    /// From 0 up in equal steps, times the first rate of the curve.
    #[test]
    fn a_warm_up_climbs_a_straight_line_to_the_curve(
        (warm, steps, kind) in (1..40u64, 41..200u64, 0..3usize),
    ) {
        let curve = [Curve::Constant, Curve::Cosine, Curve::Linear { from: 0.0 }][kind];
        let warmup = warm as f32 / steps as f32;
        let found = rates(Schedule { curve, warmup }, 0.5, 1, steps);
        for t in 0..=warm {
            let expected = 0.5 * (t + 1) as f64 / (warm + 1) as f64;
            let found = found[t as usize];
            // `warmup` is an f32, so it is exact only to 2⁻²⁴.
            prop_assert!((found - expected).abs() < 1e-5, "{t}: {found}, expected {expected}");
        }
    }

    /// A curve by step changes little from one step to the next; a curve by epoch is
    /// constant within an epoch.
    #[test]
    fn curves_are_continuous_or_constant_within_an_epoch(
        (curve, warmup) in (curve(), 0.1f32..0.5),
    ) {
        let (epochs, steps) = (10, 1000);
        // Leave out the steepest curves, such as a cycle that rises in nearly all steps
        // and falls in the rest.
        let within = !matches!(curve, Curve::OneCycle { pct_start, .. }
            if !(0.1..0.9).contains(&pct_start));
        let within = within && !matches!(curve, Curve::Linear { from } if from > 0.9);
        let found = rates(curve.into(), 0.5, epochs, steps);
        for (t, pair) in found.windows(2).enumerate() {
            if !by_step(curve) {
                let boundary = (t as u64 + 1).is_multiple_of(steps);
                prop_assert!(boundary || pair[0] == pair[1], "{t}: {pair:?}");
            } else if within {
                prop_assert!((pair[0] - pair[1]).abs() < 1e-3, "{t}: {pair:?}");
            }
        }
        // There is no jump either where a warm-up ends.
        if by_step(curve) && within {
            let found = rates(Schedule { curve, warmup }, 0.5, epochs, steps);
            for (t, pair) in found.windows(2).enumerate() {
                prop_assert!((pair[0] - pair[1]).abs() < 2e-3, "{t}: {pair:?}");
            }
        }
    }
}

#[test]
fn curves_end_at_their_last_rate() {
    let last =
        |curve: Curve, warmup| *rates(Schedule { curve, warmup }, 1.0, 10, 10).last().unwrap();
    let close = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-7 * expected, "{found}, expected {expected}");
    };
    for warmup in [0.0, 0.25] {
        close(last(Curve::Constant, warmup), 1.0);
        close(last(Curve::InverseTime { decay: 1.0 }, warmup), 0.1);
        close(last(Curve::Step { every: 4, factor: 0.5 }, warmup), 0.25);
        close(last(Curve::Exponential { factor: 0.5 }, warmup), 1.0 / 512.0);
        let (pct_start, div_factor, final_div_factor) = (0.5, 4.0, 32.0);
        close(
            last(Curve::OneCycle { pct_start, div_factor, final_div_factor }, warmup),
            1.0 / 128.0,
        );
    }
    // A cycle that only rises ends at its peak.
    close(
        last(Curve::OneCycle { pct_start: 1.0, div_factor: 4.0, final_div_factor: 8.0 }, 0.0),
        1.0,
    );
    // The last step is one step before the rate would be 0.
    close(last(Curve::Linear { from: 0.0 }, 0.0), 1.0 / 100.0);
    close(last(Curve::Linear { from: 0.0 }, 0.25), 1.0 / 75.0);
    close(last(Curve::Linear { from: 0.5 }, 0.25), 1.0 / 50.0);
    close(last(Curve::Cosine, 0.0), (1.0 - (std::f64::consts::PI / 100.0).cos()) / 2.0);
}

#[test]
fn a_cycle_rises_to_the_given_rate_and_then_only_falls() {
    let curve = Curve::OneCycle { pct_start: 0.25, div_factor: 10.0, final_div_factor: 100.0 };
    let found = rates(curve.into(), 1.0, 4, 20);
    // It rises for a quarter of the eighty steps; the last of these is the peak.
    let (up, down) = found.split_at(20);
    assert!(up.is_sorted() && down.is_sorted_by(|a, b| a > b), "{found:?}");
    assert!((up[19] - 1.0).abs() < 1e-12, "{found:?}");
    assert!(up[0] > down[59], "{found:?}");
}

#[test]
fn runs_of_one_to_three_steps_have_a_positive_rate() {
    for curve in [
        Curve::Linear { from: 0.0 },
        Curve::Cosine,
        Curve::OneCycle { pct_start: 0.5, div_factor: 2.0, final_div_factor: 2.0 },
        Curve::OneCycle { pct_start: 0.0, div_factor: 2.0, final_div_factor: 2.0 },
        Curve::OneCycle { pct_start: 1.0, div_factor: 2.0, final_div_factor: 2.0 },
    ] {
        for (steps, warmup) in [(1, 0.0), (1, 0.5), (2, 0.0), (2, 0.9), (3, 0.3)] {
            for rate in rates(Schedule { curve, warmup }, 1.0, 1, steps) {
                assert!((0.0..=1.0).contains(&rate) && rate > 0.0, "{curve:?}, {steps}: {rate}");
            }
        }
    }
}

/// The loop of the article, written out.
/// Also where a product of so many factors would take for ever, and at the end of `u64`.
#[test]
fn a_rate_of_any_epoch_is_computed_at_once() {
    for decay in [0.0, 1e-38, 1e-20, 1e-12, 1e-9, 0.1, 1e30, f32::MAX] {
        for curve in [Curve::Compounding { decay }, Curve::InverseTime { decay }] {
            let schedule = Schedule::from(curve);
            for epoch in [1 << 20, (1 << 20) + 1, 1 << 40, usize::MAX] {
                let at = Progress { step: u64::MAX, steps: u64::MAX, epoch, epochs: usize::MAX };
                let rate = schedule.rate(0.1, at);
                assert!((0.0..=0.1).contains(&rate), "{curve:?}, epoch {epoch}: {rate}");
            }
        }
    }
    // The closed form beside the factors themselves.
    for decay in [1e-9f32, 1e-11, 1e-13] {
        let epochs = 3_000_000;
        let factors = |rate: f64, i| rate / (1.0 + f64::from(decay) * f64::from(i));
        let expected = (0..=epochs).fold(0.1, factors);
        let epoch = epochs as usize;
        let at = Progress { step: 0, steps: 1, epoch, epochs: epoch + 1 };
        let found = Schedule::from(Curve::Compounding { decay }).rate(0.1, at);
        let error = (found - expected).abs() / expected.max(1e-300);
        assert!(error < 1e-9, "{decay}: {found}, {expected}");
    }
}

#[test]
fn compounding_divides_the_current_rate() {
    let found = rates(Curve::Compounding { decay: 0.125 }.into(), 1.0, 5, 2);
    let mut rate = 1.0;
    for (i, epoch) in found.chunks(2).enumerate() {
        rate /= 1.0 + 0.125 * i as f64;
        assert_eq!(epoch, [rate; 2]);
    }
}

#[test]
fn rates_match_pytorch() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../golden/schedules.json")).unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let schedule: Schedule = serde_json::from_value(case["schedule"].clone()).unwrap();
        let (epochs, steps) = (case["epochs"].as_u64().unwrap(), case["steps"].as_u64().unwrap());
        let lr = case["lr"].as_f64().unwrap();
        let found = rates(schedule, lr, epochs as usize, steps / epochs);
        let expected: Vec<f64> = serde_json::from_value(case["rates"].clone()).unwrap();
        // Measured: 1.7·10⁻¹⁶, and 1.9·10⁻⁸ with a parameter such as 0.3, which is
        // rounded to f32.
        let bound = if case["exact"] == true { 5e-16 } else { 6e-8 };
        for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = (found - expected).abs();
            assert!(error < bound, "{schedule:?}, step {step}: off by {error:e}");
        }
        assert_eq!(found.len(), expected.len());
    }
}

#[test]
fn schedules_are_written_without_defaults_and_read_with_them() {
    let read = serde_json::from_str::<Schedule>;
    for (schedule, json) in [
        (Schedule::default(), r#"{"kind":"constant"}"#),
        (Curve::Step { every: 3, factor: 0.5 }.into(), r#"{"kind":"step","every":3,"factor":0.5}"#),
        (Curve::Linear { from: 0.25 }.into(), r#"{"kind":"linear","from":0.25}"#),
        (Schedule { curve: Curve::Cosine, warmup: 0.5 }, r#"{"kind":"cosine","warmup":0.5}"#),
        (
            Curve::OneCycle { pct_start: 0.5, div_factor: 2.0, final_div_factor: 4.0 }.into(),
            r#"{"kind":"one-cycle","pct-start":0.5,"div-factor":2.0,"final-div-factor":4.0}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&schedule).unwrap(), json);
        assert_eq!(read(json).unwrap(), schedule);
    }
    // Parameters that are left out have their defaults.
    assert_eq!(read(r#"{"kind":"linear"}"#).unwrap(), Curve::Linear { from: 0.0 }.into());
    let one_cycle = Curve::OneCycle { pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 };
    assert_eq!(read(r#"{"kind":"one-cycle"}"#).unwrap(), one_cycle.into());
    for (json, expected) in [
        (r#"{"kind":"cosine","decay":1}"#, "unknown field `decay`"),
        (r#"{"kind":"linear","form":1}"#, "unknown field `form`"),
        (r#"{"kind":"step"}"#, "missing field `every`"),
        (r#"{"kind":"stair"}"#, "unknown variant `stair`"),
        (r#"{"warmup":0.5}"#, "missing field `kind`"),
    ] {
        let error = read(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{json}: {error}");
    }
}
