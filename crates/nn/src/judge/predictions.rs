//! Figures of predicted probabilities.

use serde::{Deserialize, Serialize};

use super::{Confusion, ratio};
use crate::head::{area_under_curve, argmax};
use crate::{Error, Labels};

/// Predicted probabilities of samples, with their labels.
///
/// It borrows the result of [`Mlp::predict_proba`](crate::Mlp::predict_proba), or of any other
/// classifier, and checks it once.
///
/// ```
/// // Three samples, two classes.
/// let probabilities = [0.9, 0.1, 0.4, 0.6, 0.7, 0.3];
/// let predictions = nn::Predictions::new(&probabilities, 2, &[0u8, 1, 1])?;
/// assert_eq!(predictions.predicted(), [0, 1, 0]);
/// assert_eq!(predictions.top_k_accuracy(1), 2.0 / 3.0);
/// // Both samples of class 1 have a higher probability of it than the sample of class 0.
/// assert_eq!(predictions.auc(1), Some(1.0));
/// let worst = predictions.mistakes()[0];
/// assert_eq!((worst.sample, worst.label, worst.predicted), (2, 1, 0));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Predictions<'a> {
    /// samples × classes.
    probabilities: &'a [f32],
    classes: usize,
    /// One per sample, each below `classes`.
    labels: Labels<'a>,
}

/// A sample whose most probable class is not its label.
///
/// ```
/// let predictions = nn::Predictions::new(&[0.75, 0.25, 0.5, 0.5], 2, &[1u8, 0])?;
/// let mistakes = predictions.mistakes();
/// assert_eq!(mistakes.len(), 1);
/// let first = mistakes[0];
/// assert_eq!((first.sample, first.label, first.predicted), (0, 1, 0));
/// assert_eq!((first.probability, first.label_probability), (0.75, 0.25));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Mistake {
    /// Index of the sample.
    pub sample: usize,
    /// Its class.
    pub label: usize,
    /// The predicted class: its most probable one.
    pub predicted: usize,
    /// The probability of `predicted`, in `[0, 1]`.
    pub probability: f32,
    /// The probability of `label`, at most that of `predicted`.
    pub label_probability: f32,
}

/// The samples whose confidence, the probability of the most probable class, is in one interval:
/// a point of a [reliability diagram](Predictions::reliability).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reliability {
    /// Index of the interval, from 0. Its upper end is in it.
    pub bin: usize,
    /// Number of samples, at least 1.
    pub samples: usize,
    /// Mean confidence, in `[0, 1]`.
    pub confidence: f64,
    /// Share of the samples whose most probable class is their label, in `[0, 1]`.
    pub accuracy: f64,
}

impl<'a> Predictions<'a> {
    /// Pairs `probabilities` (samples × classes, row-major, each in `[0, 1]`)
    /// with `labels` (one per sample, each below `classes`). It does not check that a row
    /// sums to 1.
    ///
    /// # Errors
    /// [`Error::Zero`] where `classes` is 0, [`Error::Empty`] where there are no samples,
    /// [`Error::Label`] for a label that is not below `classes`, [`Error::Length`] where the
    /// number of probabilities is not samples × classes, and [`Error::Probability`] for a
    /// probability that is not in `[0, 1]`.
    pub fn new(
        probabilities: &'a [f32],
        classes: usize,
        labels: impl Into<Labels<'a>>,
    ) -> Result<Self, Error> {
        let labels = labels.into();
        labels.check(classes)?;
        let (found, expected) = (probabilities.len(), labels.len().saturating_mul(classes));
        if found != expected {
            return Err(Error::Length { what: "list of probabilities".into(), found, expected });
        }
        match probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            None => Ok(Self { probabilities, classes, labels }),
            Some(at) => Err(Error::Probability {
                sample: at / classes,
                class: at % classes,
                value: probabilities[at],
            }),
        }
    }

    /// Number of samples, at least 1.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.labels.len()
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Each sample's probabilities and label.
    fn rows(&self) -> impl Iterator<Item = (&'a [f32], usize)> {
        let labels = self.labels;
        self.probabilities.chunks_exact(self.classes).zip((0..).map(move |i| labels.get(i)))
    }

    /// The most probable class of each sample; the first of equally probable ones.
    ///
    /// ```
    /// // The classes of the first sample are equally probable.
    /// let predictions = nn::Predictions::new(&[0.5, 0.5, 0.25, 0.75], 2, &[1u8, 1])?;
    /// assert_eq!(predictions.predicted(), [0, 1]);
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[must_use]
    pub fn predicted(&self) -> Vec<usize> {
        self.rows().map(|(row, _)| argmax(row)).collect()
    }

    /// The confusion matrix of the most probable classes.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for more classes than [`Confusion::new`] takes.
    pub fn confusion(&self) -> Result<Confusion, Error> {
        Confusion::new(self.labels, &self.predicted(), self.classes)
    }

    /// Share of the samples whose label is among their `k` most probable classes,
    /// in `[0, 1]`. Equally probable classes are ranked by their index, so for `k` = 1 this is
    /// the accuracy. It is 0 for `k` = 0, and 1 if `k` is the number of classes or more.
    ///
    /// ```
    /// let probabilities = [0.5, 0.25, 0.25, 0.125, 0.5, 0.375];
    /// let predictions = nn::Predictions::new(&probabilities, 3, &[0u8, 2])?;
    /// assert_eq!(predictions.top_k_accuracy(1), 0.5);
    /// assert_eq!(predictions.top_k_accuracy(2), 1.0);
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[must_use]
    pub fn top_k_accuracy(&self, k: usize) -> f64 {
        let before = |row: &[f32], label: usize| {
            let p = row[label];
            row.iter().enumerate().filter(|&(j, q)| *q > p || (*q == p && j < label)).count()
        };
        let hits = self.rows().filter(|&(row, label)| before(row, label) < k).count();
        ratio(hits as f64, self.samples() as f64)
    }

    /// Area under the ROC curve of class `class` against all others, in `[0, 1]`. This is the
    /// chance that a random sample of the class has a higher predicted probability of the
    /// class than a random sample of another class. A tie counts half.
    ///
    /// It is (R − n₁·(n₁ + 1)/2) / (n₁·n₀), where n₁ is the number of samples of the class,
    /// n₀ that of the others, and R is the sum of the ranks of the n₁ samples among all; equal
    /// probabilities share the mean of their ranks (Mann and Whitney 1947; Fawcett, *An
    /// introduction to ROC analysis*, 2006).
    ///
    /// It is `None` if no sample or every sample is of the class, or if there is no such
    /// class.
    ///
    /// ```
    /// // The last two are of class 1, with probabilities 0.75 and 0.25 of it. The first two
    /// // have 0.25 and 0.5.
    /// let probabilities = [0.75, 0.25, 0.5, 0.5, 0.25, 0.75, 0.75, 0.25];
    /// let predictions = nn::Predictions::new(&probabilities, 2, &[0u8, 0, 1, 1])?;
    /// assert_eq!(predictions.auc(1), Some((1.0 + 1.0 + 0.5 + 0.0) / 4.0));
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[must_use]
    pub fn auc(&self, class: usize) -> Option<f64> {
        if class >= self.classes {
            return None;
        }
        area_under_curve(self.rows().map(|(row, label)| (row[class], label == class)).collect())
    }

    /// Unweighted mean of [`auc`](Self::auc) over the classes that have one; `None` if none
    /// has. (scikit-learn's `multi_class="ovr"` with `average="macro"`, except that
    /// scikit-learn reports an error if a class has no samples.)
    #[must_use]
    pub fn macro_auc(&self) -> Option<f64> {
        let areas: Vec<f64> = (0..self.classes).filter_map(|class| self.auc(class)).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }

    /// The cross-entropy in nats, at least 0: the mean of −ln p over the samples, where p is
    /// the probability of the label.
    ///
    /// It is infinite if a p is 0. A probability in `f32` is rounded to 0 where −ln p is above
    /// about 104 nats. [`Mlp::evaluate`](crate::Mlp::evaluate) does not have this limit,
    /// because it computes the logarithm from the logits.
    ///
    /// ```
    /// let predictions = nn::Predictions::new(&[0.25, 0.75, 0.5, 0.5], 2, &[1u8, 0])?;
    /// let expected = -(0.75f64.ln() + 0.5f64.ln()) / 2.0;
    /// assert!((predictions.log_loss() - expected).abs() < 1e-12);
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[must_use]
    pub fn log_loss(&self) -> f64 {
        // Adding 0.0 turns −0 into 0, where every p is 1.
        let sum: f64 = self.rows().map(|(row, label)| -f64::from(row[label]).ln()).sum();
        ratio(sum, self.samples() as f64) + 0.0
    }

    /// Expected calibration error, in `[0, 1]`: the mean difference between confidence and
    /// accuracy, where the confidence is the probability of the most probable class.
    ///
    /// The confidences are divided into `bins` intervals of equal width, (0, 1/bins],
    /// (1/bins, 2/bins] and so on; a confidence of 0 is in the first. The error is
    /// Σ |B|/n · |acc(B) − conf(B)| over the intervals B, where acc(B) and conf(B) are the
    /// means over the samples in B (Guo, Pleiss, Sun and Weinberger, *On Calibration of Modern
    /// Neural Networks*, 2017, eq. 3). The paper uses 15 bins; 10 is common too.
    ///
    /// # Errors
    /// [`Error::Zero`] where `bins` is 0.
    ///
    /// ```
    /// // The confidence is 0.75, but the accuracy only 0.5.
    /// let predictions = nn::Predictions::new(&[0.25, 0.75, 0.25, 0.75], 2, &[1u8, 0])?;
    /// assert_eq!(predictions.calibration_error(15)?, 0.25);
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn calibration_error(&self, bins: usize) -> Result<f64, Error> {
        let samples = self.by_confidence(bins)?;
        let mut error = 0.0;
        for bin in samples.chunk_by(|(a, ..), (b, ..)| a == b) {
            let confidence: f64 = bin.iter().map(|(_, confidence, _)| confidence).sum();
            let hits = bin.iter().filter(|(.., correct)| *correct).count();
            error += (hits as f64 - confidence).abs();
        }
        Ok(ratio(error, self.samples() as f64))
    }

    /// The intervals of [`calibration_error`](Self::calibration_error) that have samples, lowest
    /// first: the points of a reliability diagram.
    ///
    /// # Errors
    /// [`Error::Zero`] where `bins` is 0.
    ///
    /// ```
    /// let predictions = nn::Predictions::new(&[0.25, 0.75, 0.0, 1.0], 2, &[0u8, 1])?;
    /// let [low, high] = predictions.reliability(10)?[..] else { panic!() };
    /// assert_eq!((low.bin, low.samples, low.confidence, low.accuracy), (7, 1, 0.75, 0.0));
    /// assert_eq!((high.bin, high.samples, high.confidence, high.accuracy), (9, 1, 1.0, 1.0));
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn reliability(&self, bins: usize) -> Result<Vec<Reliability>, Error> {
        let samples = self.by_confidence(bins)?;
        let of_bin = |bin: &[(u64, f64, bool)]| {
            let count = bin.len() as f64;
            let confidence: f64 = bin.iter().map(|(_, confidence, _)| confidence).sum();
            let hits = bin.iter().filter(|(.., correct)| *correct).count();
            Reliability {
                bin: bin[0].0 as usize - 1,
                samples: bin.len(),
                confidence: confidence / count,
                accuracy: hits as f64 / count,
            }
        };
        Ok(samples.chunk_by(|(a, ..), (b, ..)| a == b).map(of_bin).collect())
    }

    /// Each sample's interval of confidence (from 1), its confidence, and whether it is predicted
    /// right, sorted by interval.
    fn by_confidence(&self, bins: usize) -> Result<Vec<(u64, f64, bool)>, Error> {
        if bins == 0 {
            return Err(Error::Zero { what: "number of bins".into() });
        }
        // Sort by bin instead of allocating bins: the caller may pass a huge number.
        let mut samples: Vec<(u64, f64, bool)> = self
            .rows()
            .map(|(row, label)| {
                let best = argmax(row);
                let confidence = f64::from(row[best]);
                // A bin includes its upper end. The product is exact for up to 2²⁹ bins, so
                // rounding does not move a confidence across an edge.
                let bin = (confidence * bins as f64).ceil().max(1.0);
                (bin as u64, confidence, best == label)
            })
            .collect();
        samples.sort_by_key(|(bin, ..)| *bin);
        Ok(samples)
    }

    /// The samples whose label is probably wrong, most doubtful first: those with the lowest
    /// probability of their label. `predicted` is the class that they probably are of.
    ///
    /// A sample is listed if it has a probability of another class that is at least the mean
    /// probability which the samples of that class have of it (the confident joint of Northcutt,
    /// Jiang and Chuang, *Confident Learning: Estimating Uncertainty in Dataset Labels*, 2021,
    /// section 3), and that is above the one of its label. So a class of which a network is
    /// never sure does not fill the list, and neither does one that it is always sure of.
    ///
    /// The probabilities should be those of a network that was not trained on the samples, as in
    /// cross-validation. One that was trained on them has learned some of the wrong labels, and
    /// finds fewer.
    ///
    /// ```
    /// // Four samples of two classes; the third is said to be of class 0.
    /// let probabilities = [0.9, 0.1, 0.8, 0.2, 0.1, 0.9, 0.2, 0.8];
    /// let predictions = nn::Predictions::new(&probabilities, 2, &[0u8, 0, 0, 1])?;
    /// let doubtful = predictions.doubtful_labels();
    /// assert_eq!(doubtful.len(), 1);
    /// assert_eq!((doubtful[0].sample, doubtful[0].label, doubtful[0].predicted), (2, 0, 1));
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[must_use]
    pub fn doubtful_labels(&self) -> Vec<Mistake> {
        let (mut sums, mut counts) = (vec![0.0; self.classes], vec![0usize; self.classes]);
        for (row, label) in self.rows() {
            sums[label] += f64::from(row[label]);
            counts[label] += 1;
        }
        // A class without samples has none to be taken for it.
        let thresholds: Vec<f64> = (sums.iter().zip(&counts))
            .map(|(sum, count)| if *count == 0 { f64::INFINITY } else { sum / *count as f64 })
            .collect();
        let of_sample = |(sample, (row, label)): (usize, (&[f32], usize))| {
            let label_probability = row[label];
            let is_other = |class: &usize| {
                *class != label
                    && row[*class] > label_probability
                    && f64::from(row[*class]) >= thresholds[*class]
            };
            // The first of equals.
            let others = (0..self.classes).filter(is_other).rev();
            let predicted = others.max_by(|a, b| row[*a].total_cmp(&row[*b]))?;
            let probability = row[predicted];
            Some(Mistake { sample, label, predicted, probability, label_probability })
        };
        let mut doubtful: Vec<_> = self.rows().enumerate().filter_map(of_sample).collect();
        doubtful.sort_by(|a, b| a.label_probability.total_cmp(&b.label_probability));
        doubtful
    }

    /// The samples whose most probable class is not their label. They are sorted by the
    /// probability of the predicted class, highest first; equal ones keep their order.
    ///
    /// ```
    /// let predictions = nn::Predictions::new(&[0.25, 0.75, 0.125, 0.875], 2, &[0u8, 0])?;
    /// let samples: Vec<_> = predictions.mistakes().iter().map(|m| m.sample).collect();
    /// assert_eq!(samples, [1, 0]);
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let rows = self.rows().enumerate().map(|(sample, (row, label))| {
            let predicted = argmax(row);
            let (probability, label_probability) = (row[predicted], row[label]);
            Mistake { sample, label, predicted, probability, label_probability }
        });
        let mut mistakes: Vec<_> = rows.filter(|m| m.predicted != m.label).collect();
        mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calibration_error_is_the_mean_gap_of_the_diagram() {
        let probabilities: Vec<f32> =
            (0..200u32).map(|i| (i * 37 % 101) as f32 / 100.0).flat_map(|p| [p, 1.0 - p]).collect();
        let labels: Vec<u8> = (0..200).map(|i| u8::from(i % 3 == 0)).collect();
        let predictions = Predictions::new(&probabilities, 2, &labels).unwrap();
        let diagram = predictions.reliability(15).unwrap();
        assert_eq!(diagram.iter().map(|point| point.samples).sum::<usize>(), 200);
        assert!(diagram.windows(2).all(|pair| pair[0].bin < pair[1].bin));
        let gap = |p: &Reliability| p.samples as f64 * (p.accuracy - p.confidence).abs();
        let expected = diagram.iter().map(gap).sum::<f64>() / 200.0;
        assert!((predictions.calibration_error(15).unwrap() - expected).abs() < 1e-12);
        for point in diagram {
            let [low, high] = [point.bin, point.bin + 1].map(|edge| edge as f64 / 15.0);
            assert!(point.confidence > low - 1e-6 && point.confidence <= high + 1e-6);
        }
        assert!(predictions.reliability(0).is_err());
    }

    #[test]
    fn a_label_is_doubtful_where_another_class_is_as_sure_as_usual() {
        // Class 2 has no samples; class 1 is never more probable than 0.6.
        let probabilities = [
            [0.9, 0.1, 0.0],
            [0.3, 0.6, 0.1], // said to be 0, as probably 1 as the samples of 1 are
            [0.4, 0.5, 0.1], // said to be 0, less probably so
            [0.1, 0.1, 0.8], // said to be 0, and of a class without samples
            [0.4, 0.6, 0.0],
            [0.95, 0.05, 0.0], // said to be 1
        ];
        let predictions = Predictions::new(probabilities.as_flattened(), 3, &[0u8, 0, 0, 0, 1, 1]);
        let doubtful = predictions.unwrap().doubtful_labels();
        let found: Vec<_> = doubtful.iter().map(|m| (m.sample, m.label, m.predicted)).collect();
        // The threshold of class 1 is 0.325, that of class 0 is 0.425.
        assert_eq!(found, [(5, 1, 0), (1, 0, 1), (2, 0, 1)]);
        assert_eq!((doubtful[0].probability, doubtful[0].label_probability), (0.95, 0.05));
    }
}
