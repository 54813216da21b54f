//! Cross-entropy as the article writes it, of probabilities and one-hot targets.

/// One-hot labels: labels × classes, row-major; row i is 1 at `labels[i]` and 0
/// elsewhere. (The article's matrix is this one transposed.)
///
/// `None` where a label is not below `classes`, or there is no memory for the matrix.
///
/// ```
/// assert_eq!(nn::one_hot(&[1, 0], 3).unwrap(), [0., 1., 0., 1., 0., 0.]);
/// ```
#[must_use]
pub fn one_hot(labels: &[usize], classes: usize) -> Option<Vec<f32>> {
    let len = labels.len().checked_mul(classes)?;
    let mut rows = Vec::new();
    rows.try_reserve_exact(len).ok()?;
    rows.resize(len, 0.0);
    for (i, &label) in labels.iter().enumerate() {
        if label >= classes {
            return None;
        }
        rows[i * classes + label] = 1.0;
    }
    Some(rows)
}

/// Mean of `−Σⱼ targetᵢⱼ · ln probabilityᵢⱼ` over the rows i, in nats; both
/// slices are rows × classes, row-major. A target of 0 adds nothing, even where
/// the probability is 0.
///
/// `None` where the slices differ in length or are no whole rows.
///
/// ```
/// let loss = nn::cross_entropy(&[0.7, 0.2, 0.1], &[1.0, 0.0, 0.0], 3).unwrap();
/// assert!((loss - 0.357).abs() < 1e-3);
/// // The article prints 0.15: its logarithm has base 10.
/// assert!((loss / 10f64.ln() - 0.155).abs() < 1e-3);
/// ```
#[must_use]
pub fn cross_entropy(probabilities: &[f32], targets: &[f32], classes: usize) -> Option<f64> {
    let whole = classes > 0 && !targets.is_empty() && targets.len().is_multiple_of(classes);
    if !whole || probabilities.len() != targets.len() {
        return None;
    }
    let terms = probabilities.iter().zip(targets).filter(|(_, target)| **target != 0.0);
    let sum: f64 = terms.map(|(p, target)| -f64::from(*target) * f64::from(*p).ln()).sum();
    Some(sum / (targets.len() / classes) as f64)
}

#[cfg(test)]
mod tests {
    use super::{cross_entropy, one_hot};

    #[test]
    fn labels_out_of_range_have_no_row() {
        assert_eq!(one_hot(&[3], 3), None);
        assert_eq!(one_hot(&[], 3), Some(vec![]));
        // The article's example, one row a label.
        let y = one_hot(&[0, 1, 8, 7, 4, 5, 0, 1, 4], 9).unwrap();
        assert_eq!(y.iter().sum::<f32>(), 9.0);
        assert_eq!(y[2 * 9 + 8], 1.0);
    }

    #[test]
    fn the_articles_two_examples() {
        let label = one_hot(&[0], 3).unwrap();
        let first = cross_entropy(&[0.2, 0.7, 0.1], &label, 3).unwrap();
        assert!((first - 1.609).abs() < 1e-3);
        // It prints 0.70, which is the logarithm to base 10.
        assert!((first / 10f64.ln() - 0.70).abs() < 1e-2);
        assert_eq!(cross_entropy(&[0.5], &label, 3), None);
    }
}
