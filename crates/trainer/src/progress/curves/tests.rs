//! The plots as they are on a screen.

use super::*;

const ALL: Abilities = Abilities { color: false, braille: true };
const SIZE: Size = Size { rows: 24, cols: 80 };

/// A run of `epochs` epochs whose losses fall and whose accuracies rise.
fn curves(epochs: usize, validation: bool, classes: bool) -> Curves {
    let mut curves = Curves::default();
    for epoch in 1..=epochs {
        let part = 1.0 / epoch as f64;
        let accuracy = |best: f64| classes.then_some(best - 0.5 * part);
        curves.add(&EpochLine {
            epoch,
            step: 0,
            lr: 0.1,
            train_loss: 0.5 * part,
            train_accuracy: accuracy(1.0),
            val_loss: validation.then_some(0.2 + 0.1 * part + 0.003 * epoch as f64),
            val_accuracy: if validation { accuracy(0.95) } else { None },
            seconds: 1.0,
        });
    }
    curves
}

/// Columns that a line takes on the screen.
fn width(line: &str) -> usize {
    let mut parts = line.split('\x1b');
    let first = parts.next().map_or(0, |part| part.chars().count());
    first
        + parts
            .map(|part| part.split_once('m').map_or(0, |(_, text)| text.chars().count()))
            .sum::<usize>()
}

#[test]
fn two_plots_side_by_side() {
    let found = curves(12, true, true).lines(SIZE, ALL);
    let expected = [
        "loss  ⠒⠒⠒ train  ⠒ ⠒ val                 accuracy  ⠒⠒⠒ train  ⠒ ⠒ val          ",
        "0.5000│⢣                                 95.83 %│         ⢀⣀⣀⡠⠤⠤⠤⠤⠤⠒⠒⢒⠒⣒⠉⣉⠉⣉⠉⣉⠉",
        "      │ ⢇                                       │     ⢀⠤⠒⣉⠁⠤ ⠔ ⠒ ⠉ ⠉ ⠁         ",
        "      │ ⠈⡆                                      │  ⢀⠤⢊⠁⠊                       ",
        "      │⠉ ⠺⡄⢄ ⣀ ⣀             ⣀ ⣀ ⣀ ⣀ ⣀          │ ⢀⢮ ⠁                         ",
        "      │   ⠈⠢⡀    ⠉ ⠉ ⠉ ⠉ ⠉ ⠉                    │ ⣼                            ",
        "      │     ⠈⠑⠒⠤⢄⡀                              │⡰⡅                            ",
        "0.0417│          ⠈⠉⠑⠒⠒⠒⠒⠒⠤⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀⣀   45.00 %│⡅                             ",
        "       1                      epoch 12           1                     epoch 12",
    ];
    assert_eq!(found, expected);
}

#[test]
fn one_plot_on_a_narrow_screen_and_without_classes() {
    let found = curves(12, false, false).lines(Size { rows: 17, cols: 40 }, ALL);
    let expected = [
        "loss  ⠒⠒⠒ train                        ",
        "0.5000│⠑⡄                              ",
        "      │ ⠈⢢                             ",
        "      │   ⠑⠢⢄⣀                         ",
        "0.0417│       ⠉⠉⠉⠒⠒⠒⠤⠤⠤⠤⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀",
        "       1                       epoch 12",
    ];
    assert_eq!(found, expected);
    let narrow = curves(12, true, true).lines(Size { rows: 24, cols: 60 }, ALL);
    assert!(narrow[0].starts_with("loss") && !narrow[0].contains("accuracy"), "{narrow:?}");
}

#[test]
fn they_fit_and_are_left_out_where_there_is_no_room() {
    let many = curves(5, true, true);
    for rows in [1, 2, 10, 16, 17, 18, 24, 40, 200] {
        for cols in 1..200 {
            for color in [true, false] {
                let lines = many.lines(Size { rows, cols }, Abilities { color, braille: true });
                assert_eq!(lines.is_empty(), rows < 17 || cols < 31, "{rows} {cols}");
                assert!(lines.len() < rows.max(1), "{rows} {cols}: {lines:?}");
                for line in &lines {
                    assert!(width(line) < cols, "{rows} {cols}: {line}");
                }
                assert!(color || lines.iter().all(|line| !line.contains('\x1b')));
            }
        }
    }
    assert!(curves(1, true, true).lines(SIZE, ALL).is_empty());
    assert!(many.lines(SIZE, Abilities { color: true, braille: false }).is_empty());
}

#[test]
fn losses_of_very_different_sizes_have_a_logarithmic_axis() {
    let title = |first: f64, last: f64| {
        let mut curves = curves(2, false, false);
        (curves.points[0].loss[0], curves.points[1].loss[0]) = (first, last);
        curves.lines(SIZE, ALL)[0].trim_end().to_owned()
    };
    assert_eq!(title(2.0, 0.1), "loss (log)  ⠒⠒⠒ train");
    assert_eq!(title(2.0, 0.2), "loss  ⠒⠒⠒ train");
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(title(2.0, wrong), "loss  ⠒⠒⠒ train", "{wrong}");
    }
}

/// Whatever the number of epochs, the memory is bounded, and first and last epoch are there.
#[test]
fn many_epochs_are_brought_together() {
    let many = curves(100_000, true, true);
    assert!((MOST / 2..=MOST).contains(&many.points.len()), "{}", many.points.len());
    assert!(many.points.windows(2).all(|pair| pair[0].epoch < pair[1].epoch));
    assert_eq!(many.points.iter().map(|point| point.count).sum::<usize>(), 100_000);
    let lines = many.lines(SIZE, ALL);
    assert!(lines.last().is_some_and(|line| line.contains(" 1 ") && line.contains("epoch 100000")));
    // 128 epochs for each of 782 points.
    for which in [0, 1, 500] {
        let (point, count) = (many.points[which], 128);
        assert_eq!(point.count, count);
        let epochs = which * count + 1..=(which + 1) * count;
        let mean = epochs.map(|epoch| 0.5 / epoch as f64).sum::<f64>() / count as f64;
        assert!((point.loss[0] - mean).abs() < 1e-12, "{which}");
    }
}
