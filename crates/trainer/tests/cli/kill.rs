//! A run may be killed at any instant: it continues from its last checkpoint, or begins
//! again in the same directory where it has none, and the result has the same bits.

use std::hint;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::runs::{Process, check_same, summary};
use crate::{data, metrics, model, succeed, trainer};

/// A run with state of every kind, in four steps an epoch.
const RUN: &str = "--hidden 24 --dropout 0.2 --average 0.9 --validation 0.2 --patience 2 \
                   --optimizer adam --lr 0.01 --epochs 3 --checkpoint-every 1 --quiet";

/// Epochs that the checkpoint of a run has; `None` if it has no checkpoint.
fn saved_epochs(run: &Path) -> Option<usize> {
    let path = run.join("checkpoint.safetensors");
    path.exists().then(|| nn::Checkpoint::load(path).unwrap().history().epochs.len())
}

/// Goes on with what a killed run has left in `out`, or begins again, to the end.
fn go_on(dir: &Path, flags: &str, out: &str) {
    if dir.join(out).join("model.safetensors").exists() {
        // Whatever is there is whole.
        nn::Mlp::load(dir.join(out).join("model.safetensors")).unwrap();
    }
    let line = match saved_epochs(&dir.join(out)) {
        // After its summary there is nothing to continue.
        Some(_) if summary(&dir.join(out))["status"] == "done" => return report(dir, out),
        Some(_) => format!("--resume {out} --quiet --threads 1"),
        None => format!("{flags} --out {out} --threads 1"),
    };
    succeed(dir, &line);
}

/// Writes the report of a run that was killed after its summary.
fn report(dir: &Path, out: &str) {
    if !dir.join(out).join("report.html").exists() {
        succeed(dir, &format!("report {out} --quiet"));
        // The file that it was writing. Nothing reads it.
        nn::files::remove_parts(dir.join(out)).unwrap();
    }
}

/// The process aborts at one moment of a save after the other, as a loss of power would end
/// it: before and after each of the parts of writing each file.
#[cfg(debug_assertions)] // Other builds have no such moments.
#[test]
fn every_moment_of_every_save() {
    let dir = data::folder();
    // With early stopping and without it the model that is kept is another one.
    for (name, flags) in [("best", RUN.to_owned()), ("last", RUN.replace("--patience 2", ""))] {
        succeed(dir.path(), &format!("{flags} --out {name}"));
        let whole = dir.path().join(name);
        let mut without = 0;
        for moment in 1.. {
            let out = format!("{name}{moment}");
            let run = dir.path().join(&out);
            let mut command = trainer();
            command.current_dir(dir.path()).args(flags.split_whitespace());
            command.args(["--out", &out]).env("NN_ABORT_AT", moment.to_string());
            let output = command.output().unwrap();
            if output.status.success() {
                // Two files at the beginning, two for each epoch, the summary and the report;
                // six moments each.
                assert_eq!(moment - 1, 6 * (2 + 2 * 3 + 2), "moments");
                break;
            }
            assert_eq!(output.status.code(), None, "{out}: {output:?}");
            without += usize::from(saved_epochs(&run).is_none());
            go_on(dir.path(), &flags, &out);
            check_same(&run, &whole, &out);
        }
        // The settings, the first summary, the first model, and the checkpoint until it has
        // its name.
        assert_eq!(without, 6 * 3 + 4, "without a checkpoint");
    }
}

/// What came of killing runs.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    /// Those that had a checkpoint.
    saved: usize,
    /// The most epochs that one had to train again, beside the one it was in.
    lost: usize,
    /// Runs that were killed more than once.
    repeated: usize,
}

/// Kills `runs` runs at random instants, and each of them again while it continues, until
/// an attempt ends by itself.
fn kill(runs: u64) -> Tally {
    let dir = data::folder();
    let flags = "--hidden 300,100 --dropout 0.2 --average 0.9 --validation 0.2 --lr 0.05 \
                 --batch-size 20 --epochs 6 --checkpoint-every 1 --quiet";
    let begun = Instant::now();
    succeed(dir.path(), &format!("{flags} --out whole"));
    let whole = dir.path().join("whole");
    let epoch = begun.elapsed() / 6;
    let mut tally = Tally::default();
    for seed in 0..runs {
        let mut random = Random(seed);
        let out = format!("run{seed}");
        let run = dir.path().join(&out);
        let mut kills = 0;
        loop {
            let line = match saved_epochs(&run) {
                Some(_) => format!("--resume {out} --checkpoint-every 1 --quiet"),
                None => format!("{flags} --out {out}"),
            };
            let line = format!("{line} --threads {}", 1 + random.below(3));
            let before = if run.exists() { metrics_or_none(&run) } else { 0 };
            let mut process = Process::start(dir.path(), &line);
            // After some epochs, and then anywhere in an epoch, or in what follows the last.
            let lines = random.below(7);
            process.wait_for_lines(&out, lines.max(before.min(6)));
            spin(epoch.mul_f64(random.below(1000) as f64 / 1000.0));
            if kills == 3 || !process.is_running() {
                let end = process.end();
                let done = end.stderr.contains("has ended after");
                assert!(end.status.success() || done, "{line}: {end:?}");
                break;
            }
            process.kill();
            kills += 1;
            let saved = saved_epochs(&run);
            tally.saved += usize::from(saved.is_some());
            if run.exists() {
                let trained = metrics_or_none(&run);
                tally.lost = tally.lost.max(trained.saturating_sub(saved.unwrap_or(0)));
            }
        }
        tally.kills += kills;
        tally.repeated += usize::from(kills > 1);
        report(dir.path(), &out);
        check_same(&run, &whole, &out);
        std::fs::remove_dir_all(run).unwrap();
    }
    tally
}

/// Whole lines of the metrics; the last line of a killed run may be half a line.
fn metrics_or_none(run: &Path) -> usize {
    let text = std::fs::read(run.join("metrics.jsonl")).unwrap_or_default();
    text.iter().filter(|byte| **byte == b'\n').count()
}

/// Waits without giving up the core, for an instant between two ticks of the system.
fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        hint::spin_loop();
    }
}

/// SplitMix64, by Sebastiano Vigna.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound) as usize
    }
}

#[test]
fn random_instants() {
    let tally = kill(8);
    assert!(tally.kills > 8, "{tally:?}");
    assert!(tally.lost <= 1, "{tally:?}");
}

/// `make kills` runs it, and prints the figures.
#[test]
#[ignore = "takes minutes"]
fn many_random_instants() {
    let tally = kill(100);
    println!("{tally:?}");
    assert!(tally.kills >= 200, "{tally:?}");
    assert!(tally.lost <= 1, "{tally:?}");
}

/// A run that was killed before its first checkpoint begins again in its directory, with
/// other settings too.
#[test]
fn what_came_to_nothing_is_used_again() {
    let dir = data::folder();
    let flags = "--hidden 24 --epochs 50 --checkpoint-every none --quiet";
    let mut process = Process::start(dir.path(), &format!("{flags} --out run"));
    assert!(process.wait_for_lines("run", 2));
    process.kill();
    let run = dir.path().join("run");
    assert_eq!(summary(&run)["status"], "running");
    assert_eq!(nn::Mlp::load(run.join("model.safetensors")).unwrap().architecture().hidden, [24]);

    let flags = "--hidden 12 --epochs 2 --quiet";
    succeed(dir.path(), &format!("{flags} --out run"));
    succeed(dir.path(), &format!("{flags} --out other"));
    assert!(model(&run) == model(&dir.path().join("other")));
    assert_eq!(metrics(&run).len(), 2);
}
