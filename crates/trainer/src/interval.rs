//! How sure a share is that was counted in some samples.

/// The interval in which a share is with a probability of 95 %, if it was found in `count`
/// samples (E. B. Wilson, "Probable inference, the law of succession, and statistical
/// inference", 1927).
pub(crate) fn wilson(share: f64, count: usize) -> [f64; 2] {
    const Z: f64 = 1.959_963_984_540_054;
    let n = count as f64;
    let middle = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    [(middle - spread) / scale, (middle + spread) / scale].map(|end| end.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of R's `prop.test(x, n, correct = FALSE)`.
    #[test]
    fn intervals_are_those_of_wilson() {
        for (right, count, expected) in [
            (9820, 10_000, [0.9792, 0.9844]),
            (10, 10, [0.7225, 1.0]),
            (0, 10, [0.0, 0.2775]),
            (5, 10, [0.2366, 0.7634]),
        ] {
            let found = wilson(f64::from(right) / f64::from(count), count as usize);
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 5e-5, "{right} of {count}: {found}");
            }
        }
    }
}
