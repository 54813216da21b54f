//! The result of a run, for `summary.json` and `--json`.

use std::fs;
use std::time::Instant;

use kernels::Isa;
use nn::{Evaluation, Executor, History, Mlp};
use serde::Serialize;

use crate::config::Config;
use crate::pool::Pool;

/// The version of the program, which summaries have.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The measurements of a run.
pub(crate) struct Measured {
    pub(crate) history: History,
    pub(crate) test: Evaluation,
    /// When the process began.
    pub(crate) started: Instant,
}

/// Accuracies are fractions of 1, times are seconds of wall clock.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) recipe: String,
    pub(crate) seed: u64,
    /// Units of every layer, inputs first.
    pub(crate) layers: Vec<usize>,
    pub(crate) parameters: usize,
    /// Share of each layer's weights that are 0, first layer first.
    pub(crate) sparsity: Vec<f64>,
    pub(crate) epochs: usize,
    pub(crate) test_accuracy: f64,
    pub(crate) test_errors: usize,
    /// Of the training steps alone, without evaluation.
    pub(crate) train_seconds: f64,
    /// Of the whole process, until the summary.
    pub(crate) total_seconds: f64,
    pub(crate) samples_per_second: f64,
    pub(crate) gflops: f64,
    /// `None` on systems that do not report it.
    pub(crate) peak_rss_bytes: Option<u64>,
    pub(crate) threads: usize,
    pub(crate) isa: &'static str,
    pub(crate) version: &'static str,
    /// Number of test images, for the report. It is no key of the summary.
    #[serde(skip)]
    pub(crate) test_samples: usize,
}

impl Summary {
    pub(crate) fn new(
        config: &Config,
        network: &Mlp,
        measured: &Measured,
        pool: &Pool,
        isa: Isa,
    ) -> Self {
        let Measured { history, test, started } = measured;
        let shape = network.architecture();
        let train_seconds: f64 = history.epochs.iter().map(|e| e.train_seconds).sum();
        let samples: usize = history.epochs.iter().map(|e| e.samples).sum();
        let samples_per_second = samples as f64 / train_seconds;
        Self {
            recipe: config.recipe.clone(),
            seed: config.training.seed,
            layers: shape.layers(),
            parameters: shape.parameters(),
            sparsity: network.sparsity(),
            epochs: history.epochs.len(),
            test_accuracy: test.accuracy,
            test_errors: test.errors,
            train_seconds,
            total_seconds: started.elapsed().as_secs_f64(),
            samples_per_second,
            gflops: shape.training_flops() as f64 * samples_per_second / 1e9,
            peak_rss_bytes: peak_rss_bytes(),
            threads: pool.threads(),
            isa: isa.name(),
            version: VERSION,
            test_samples: test.samples,
        }
    }
}

/// The most memory that this process had at one time, which Linux reports.
fn peak_rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    high_water_mark(&status)
}

/// The `VmHWM` (high-water mark of the resident set) of proc(5)'s status file,
/// whose `kB` are 1024 bytes.
fn high_water_mark(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark() {
        let status = "Name:\ttrainer\nVmPeak:\t   99 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(high_water_mark(status), Some(1234 * 1024));
        assert_eq!(high_water_mark("Name:\ttrainer\n"), None);
        assert_eq!(high_water_mark("VmHWM:\tmuch\n"), None);
    }
}
