//! The bar of an epoch: a line that says how far it is, and how well and how fast it goes.

use crate::words::percent;

/// Columns of the bar between its brackets.
const LEAST: usize = 5;
const MOST: usize = 30;

/// What the line says.
pub(super) struct Bar<'a> {
    /// The current epoch, from 1, and all epochs.
    pub(super) epoch: [usize; 2],
    /// Steps of the epoch that are done, and all of its steps.
    pub(super) steps: [u64; 2],
    /// Mean loss of the epoch so far.
    pub(super) loss: f64,
    /// Share of the epoch's samples that were predicted exactly; `None` without classes.
    pub(super) accuracy: Option<f64>,
    /// Samples per second, once it is known.
    pub(super) speed: Option<f64>,
    /// What is said of the time that the run still takes, once it is known.
    pub(super) left: Option<&'a str>,
}

impl Bar<'_> {
    /// The line for `cols` columns. Where they are few, less is said.
    pub(super) fn line(&self, cols: usize) -> String {
        let [epoch, epochs] = self.epoch;
        let head = format!("epoch {epoch}/{epochs}");
        let share = format!("{:>3} %", self.percent());
        let loss = format!("loss {}", loss_text(self.loss));
        let accuracy = self.accuracy.map(|accuracy| format!("acc {}", percent(accuracy)));
        let speed = self.speed.map(|speed| format!("{}/s", count(speed)));
        let long = self.speed.map(|speed| format!("{} samples/s", count(speed)));
        let left = self.left.map(ToOwned::to_owned);

        let [share, loss] = [Some(share), Some(loss)];
        // From the most that is said to the least. The bar comes before them.
        let choices: [&[&Option<String>]; 6] = [
            &[&share, &loss, &accuracy, &long, &left],
            &[&share, &loss, &accuracy, &speed, &left],
            &[&share, &loss, &accuracy, &left],
            &[&share, &loss, &left],
            &[&share, &left],
            &[&share],
        ];
        let brackets = "  []".len();
        for (which, parts) in choices.into_iter().enumerate() {
            let parts: Vec<_> = parts.iter().filter_map(|part| part.as_deref()).collect();
            let parts = parts.join("  ");
            let width = head.len() + "  ".len() + parts.len();
            let room = cols.saturating_sub(width + brackets);
            if room >= LEAST {
                return format!("{head}  [{}]  {parts}", self.bar(room.min(MOST)));
            }
            // The speed is worth less than a bar, all else is worth more.
            if which > 0 && width <= cols {
                return format!("{head}  {parts}");
            }
        }
        head.chars().take(cols).collect()
    }

    /// The same as a sentence, for where nothing can be drawn.
    pub(super) fn sentence(&self) -> String {
        let ([epoch, epochs], [step, steps]) = (self.epoch, self.steps);
        let mut text = format!(
            "epoch {epoch}/{epochs}, step {step}/{steps} ({} %): loss {}",
            self.percent(),
            loss_text(self.loss)
        );
        if let Some(accuracy) = self.accuracy {
            text += &format!(", acc {}", percent(accuracy));
        }
        if let Some(speed) = self.speed {
            text += &format!(", {}/s", count(speed));
        }
        if let Some(left) = self.left {
            text += &format!(", {left}");
        }
        text
    }

    /// Rounded down: 100 % is all of it.
    fn percent(&self) -> u64 {
        let [step, steps] = self.steps;
        (u128::from(step) * 100 / u128::from(steps.max(1))) as u64
    }

    fn bar(&self, width: usize) -> String {
        let [step, steps] = self.steps;
        let done = (u128::from(step) * width as u128 / u128::from(steps.max(1))) as usize;
        let head = if done < width { ">" } else { "" };
        format!("{:<width$}", "=".repeat(done) + head)
    }
}

/// A loss in at most seven columns.
pub(super) fn loss_text(loss: f64) -> String {
    if loss.abs() < 100.0 { format!("{loss:.4}") } else { format!("{loss:.1e}") }
}

/// A speed in at most four columns, up to ten million.
fn count(speed: f64) -> String {
    if speed < 1e4 { format!("{speed:.0}") } else { format!("{:.0}k", speed / 1e3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAR: Bar<'static> = Bar {
        epoch: [3, 30],
        steps: [5, 8],
        loss: 0.12345,
        accuracy: Some(0.9821),
        speed: Some(30_748.6),
        left: Some("4m 12s left"),
    };

    #[test]
    fn less_is_said_where_there_is_less_room() {
        for (cols, expected) in [
            (
                119,
                "epoch 3/30  [==================>           ]   62 %  loss 0.1235  acc 98.21 %  \
                 31k samples/s  4m 12s left",
            ),
            (79, "epoch 3/30  [=======>    ]   62 %  loss 0.1235  acc 98.21 %  31k/s  4m 12s left"),
            (71, "epoch 3/30   62 %  loss 0.1235  acc 98.21 %  31k/s  4m 12s left"),
            (59, "epoch 3/30   62 %  loss 0.1235  acc 98.21 %  4m 12s left"),
            (39, "epoch 3/30  [===> ]   62 %  4m 12s left"),
            (26, "epoch 3/30  [===> ]   62 %"),
            (20, "epoch 3/30   62 %"),
            (8, "epoch 3/"),
            (0, ""),
        ] {
            assert_eq!(BAR.line(cols), expected, "{cols}");
        }
    }

    #[test]
    fn no_line_is_wider_than_it_may_be() {
        let widest = Bar {
            epoch: [99_999, 99_999],
            steps: [u64::MAX, u64::MAX],
            loss: f64::MAX,
            accuracy: Some(1.0),
            speed: Some(9e6),
            left: Some("up to 999d 23h left"),
        };
        let first = Bar { steps: [0, 0], accuracy: None, speed: None, left: None, ..BAR };
        for cols in 0..200 {
            for bar in [&widest, &first, &BAR] {
                let line = bar.line(cols);
                assert!(line.len() <= cols, "{cols}: {line}");
            }
        }
    }

    #[test]
    fn a_sentence() {
        assert_eq!(
            BAR.sentence(),
            "epoch 3/30, step 5/8 (62 %): loss 0.1235, acc 98.21 %, 31k/s, 4m 12s left"
        );
        let first = Bar { accuracy: None, speed: None, left: None, ..BAR };
        assert_eq!(first.sentence(), "epoch 3/30, step 5/8 (62 %): loss 0.1235");
    }
}
