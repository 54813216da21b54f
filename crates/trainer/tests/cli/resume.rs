//! `--resume`: a run that was left anywhere ends with the bits of one that never was, and
//! what cannot be continued is refused, by name.

use std::fs;
use std::path::{Path, PathBuf};

use nn::Checkpoint;

mod directory;

use crate::runs::{Process, check_same, read, summary};
use crate::{data, metrics, run_in, succeed, trainer};

/// What a run may have that its future depends on.
const KINDS: [&str; 26] = [
    // Optimizers, and the schedules.
    "--optimizer sgd --momentum 0.9",
    "--optimizer nesterov --momentum 0.8 --schedule compounding:0.1",
    "--optimizer adagrad --schedule inverse-time:0.1",
    "--optimizer rmsprop --momentum 0.5 --schedule exponential:0.8",
    "--optimizer adadelta --schedule step:2",
    "--optimizer adam --schedule linear:0.3",
    "--optimizer adamw --l2 0.01 --schedule cosine",
    "--schedule one-cycle",
    "--schedule cosine:warmup=0.3",
    // Random numbers.
    "--dropout 0.3 --input-dropout 0.1",
    "--dropout 0.3 --dropout-kind gaussian",
    "--noise 0.2 --input-noise 0.1",
    "--set training.shuffle=false --seed 7",
    // Images.
    "--shift 1.5 --rotate 12 --scale 0.12 --shear 0.15",
    "--elastic 20:4 --deskew",
    "--shift 2 --whole-pixels",
    // What a session keeps beside its weights.
    "--batch-norm 10 --average 0.9",
    "--batch-norm 10 --noise 0.2 --activation maxout:2",
    "--clip-norm 0.5 --max-norm 1.5 --l1 0.001",
    "--label-smoothing 0.1 --class-weights balanced --hidden none",
    "--patience 2 --monitor accuracy",
    "--patience 2 --monitor loss --min-delta 0.05 --average 0.9",
    // Recipes, with a network that trains in no time.
    "--recipe article --hidden 20",
    "--recipe accurate --hidden 20,10",
    "--recipe best --hidden 20,10 --batch-size 100",
    "--recipe dropout --hidden 20,10",
];

/// Every kind of run: killed after its first checkpoint and then after its second, and
/// stopped by a signal, each time with another number of threads.
#[cfg(all(unix, debug_assertions))]
#[test]
fn every_kind_of_run() {
    use rustix::process::Signal;

    let dir = data::folder();
    let mut in_epochs = 0;
    for (which, kind) in KINDS.iter().enumerate() {
        let common = "--epochs 4 --batch-size 20 --hidden 24,12 --validation 0.2";
        let flags = format!("{common} {kind} --checkpoint-every 1 --quiet");
        let name = |what: &str| format!("{what}{which}");
        let [whole, killed, stopped] = ["whole", "killed", "stopped"].map(name);
        let [whole_dir, killed_dir, stopped_dir] =
            [&whole, &killed, &stopped].map(|name| dir.path().join(name));
        succeed(dir.path(), &format!("{flags} --threads 2 --out {whole}"));

        // Both times the abort is the first moment after a checkpoint.
        for line in [
            format!("{flags} --threads 1 --out {killed}"),
            format!("--resume {killed} --threads 3 --checkpoint-every 1 --quiet"),
        ] {
            let mut command = trainer();
            command.current_dir(dir.path()).args(line.split_whitespace());
            let output = command.env("NN_ABORT_AT", "25").output().unwrap();
            assert_eq!(output.status.code(), None, "{kind}: {output:?}");
        }
        let saved = Checkpoint::load(killed_dir.join("checkpoint.safetensors")).unwrap();
        assert_eq!(saved.history().epochs.len(), 2, "{kind}");
        succeed(dir.path(), &format!("--resume {killed} --threads 2 --quiet"));
        check_same(&killed_dir, &whole_dir, kind);

        let line = format!("{flags} --threads 3 --out {stopped}");
        for line in [line, format!("--resume {stopped} --quiet")] {
            // A line that was there before does not say that the process listens to signals.
            let before = fs::read_to_string(stopped_dir.join("metrics.jsonl")).unwrap_or_default();
            let lines = (before.lines().count() + 1).min(4);
            let mut process = Process::start(dir.path(), &line);
            assert!(process.wait_for_lines(&stopped, lines), "{kind}");
            process.signal(Signal::TERM);
            let end = process.end();
            if summary(&stopped_dir)["status"] != "done" {
                assert_eq!(end.status.code(), Some(143), "{kind}: {end:?}");
            }
        }
        let saved = Checkpoint::load(stopped_dir.join("checkpoint.safetensors")).unwrap();
        let per_epoch = (240 / saved.fit().batch_size) as u64;
        in_epochs += usize::from(!saved.steps().is_multiple_of(per_epoch));
        if summary(&stopped_dir)["status"] != "done" {
            succeed(dir.path(), &format!("--resume {stopped} --threads 1 --quiet"));
        }
        check_same(&stopped_dir, &whole_dir, kind);
    }
    assert!(in_epochs > 0, "all stops came between epochs");
}

/// A run that has ended is trained further. What a schedule does with the length of a run
/// it does with the new one, so only a constant rate gives the bits of the longer run.
#[test]
fn a_run_that_has_ended_goes_on_for_more_epochs() {
    let dir = data::folder();
    let flags = "--hidden 24 --dropout 0.2 --schedule constant --quiet";
    succeed(dir.path(), &format!("{flags} --epochs 5 --out whole"));
    succeed(dir.path(), &format!("{flags} --epochs 2 --out run"));
    // It was tested, and whoever goes on is told that it is again, if it is.
    fs::create_dir(dir.path().join("copy")).unwrap();
    for file in fs::read_dir(dir.path().join("run")).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&file, dir.path().join("copy").join(file.file_name().unwrap())).unwrap();
    }
    // The last is of a run that was not tested.
    for (flags, told) in [("run", true), ("copy --no-test", false), ("copy", false)] {
        let epochs = if told || flags.ends_with("test") { 3 } else { 4 };
        let output = run_in(dir.path(), &format!("--resume {flags} --epochs {epochs}"));
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(words.contains("was tested; it is tested again"), told, "{flags}: {words}");
    }
    succeed(dir.path(), "--resume run --set training.epochs=5 --quiet");
    let [run, whole] = ["run", "whole"].map(|name| dir.path().join(name));
    check_same(&run, &whole, "2, 3, 5 epochs");
    assert!(read(&run.join("config.toml")) == read(&whole.join("config.toml")));
    succeed(dir.path(), "--config run/config.toml --quiet --out again");
    check_same(&dir.path().join("again"), &whole, "from the settings");
    let seconds = metrics(&run).into_iter().all(|line| line["seconds"].as_f64() > Some(0.0));
    assert!(seconds);
}

/// The model of a run whose training has ended is in its checkpoint, should its file be
/// missing or old because the disk was full.
#[test]
fn a_model_that_could_not_be_written_is_written_later() {
    let dir = data::folder();
    for (name, flags) in [("last", ""), ("best", "--patience 2")] {
        let flags = format!("--hidden 24 --validation 0.2 --epochs 4 --quiet {flags}");
        succeed(dir.path(), &format!("{flags} --out {name}-whole"));
        succeed(dir.path(), &format!("{flags} --out {name}"));
        let run = dir.path().join(name);
        fs::remove_file(run.join("model.safetensors")).unwrap();
        fs::write(run.join("summary.json"), "{\"status\": \"stopped\"}").unwrap();
        succeed(dir.path(), &format!("--resume {name} --quiet"));
        check_same(&run, &dir.path().join(format!("{name}-whole")), name);
    }
}

/// A schedule that knows the length of the run has other rates from here on.
#[test]
fn a_schedule_that_is_stretched_is_said() {
    let dir = data::folder();
    for (schedule, stretched) in [
        ("constant", false),
        ("step:every=1", false),
        ("cosine", true),
        ("linear", true),
        ("one-cycle", true),
        ("constant:warmup=0.5", true),
    ] {
        let flags = format!("--hidden none --schedule {schedule} --quiet --overwrite");
        succeed(dir.path(), &format!("{flags} --epochs 2 --out run"));
        let output = run_in(dir.path(), "--resume run --epochs 3");
        assert!(output.status.success(), "{output:?}");
        let notes = String::from_utf8(output.stderr).unwrap();
        let note = "note: the schedule stretches over the whole run, which had 2 epochs and has 3 \
                    now: ";
        assert_eq!(notes.starts_with(note), stretched, "{schedule}: {notes}");
    }
}

/// What is said, and that the run stays as it is.
#[test]
fn what_cannot_be_continued() {
    let dir = data::folder();
    let path = dir.path();
    let flags = "--hidden 24 --validation 0.2 --schedule constant --quiet";
    succeed(path, &format!("{flags} --epochs 3 --out run"));
    succeed(path, &format!("{flags} --epochs 20 --patience 1 --min-delta 0.99 --out early"));
    fs::create_dir(path.join("empty")).unwrap();
    let other_settings = "a run continues with the settings that it began with; only --epochs \
                          and where the data lie may change";
    let no_checkpoint = "from which a run continues: name the directory of a run that has a \
                         checkpoint";
    let setting =
        |key: &str, now: &str, was: &str| format!("{key} is {now} and was {was}: {other_settings}");
    let cannot_read = |path: &str| format!("cannot read {path}, {no_checkpoint}");
    for (line, code, error) in [
        ("--resume run --lr 0.5", 2, setting("training.lr", "0.5", "0.003")),
        ("--resume run --seed 9", 2, setting("training.seed", "9", "1")),
        ("--resume run --hidden 25", 2, setting("network.hidden", "[25]", "[24]")),
        (
            "--resume run --activation tanh",
            2,
            setting("network.activation", "\"tanh\"", "\"relu\""),
        ),
        ("--resume run --validation 0.3", 2, setting("data.validation", "0.3", "0.2")),
        ("--resume run --deskew", 2, setting("data.deskew", "true", "false")),
        ("--resume run --rotate 5", 2, setting("augment.rotate", "5.0", "8.0")),
        ("--resume run --batch-size 7", 2, setting("training.batch-size", "7", "200")),
        ("--resume run --clip-norm 1", 2, setting("training.clip-norm", "1.0", "\"none\"")),
        (
            "--resume run --schedule cosine",
            2,
            setting("training.schedule.kind", "\"cosine\"", "\"constant\""),
        ),
        (
            "--resume run --set training.optimizer.beta1=0.5",
            2,
            setting("training.optimizer.beta1", "0.5", "0.9"),
        ),
        (
            "--resume run",
            2,
            "the run has ended after 3 of 3 epochs: train more with --epochs N".to_owned(),
        ),
        (
            "--resume run --epochs 2",
            2,
            "training.epochs (--epochs) is 2, and 3 are trained already: expected at least 3"
                .to_owned(),
        ),
        (
            "--resume early --epochs 30",
            2,
            "early stopping has ended the run after epoch 2: there is nothing to continue"
                .to_owned(),
        ),
        (
            "--resume run --epochs 9 --overwrite",
            2,
            "the argument '--resume <RUN>' cannot be used with '--overwrite' (try --help)"
                .to_owned(),
        ),
        (
            "--resume run --recipe plain",
            2,
            "the argument '--resume <RUN>' cannot be used with '--recipe <NAME>' (try --help)"
                .to_owned(),
        ),
        ("--resume empty", 1, cannot_read("empty/checkpoint.safetensors")),
        ("--resume nowhere", 1, cannot_read("nowhere/checkpoint.safetensors")),
        ("--resume run/config.toml", 1, cannot_read("run/config.toml/checkpoint.safetensors")),
    ] {
        refused(path, path, line, code, &error);
    }
}

/// Runs a line that is to be refused with this error, and to change no file of `dir`.
fn refused(cwd: &Path, dir: &Path, line: &str, code: i32, error: &str) {
    let before = contents(dir);
    let output = run_in(cwd, line);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text, format!("error: {error}\n"), "{line}");
    assert_eq!(output.status.code(), Some(code), "{line}");
    assert!(output.stdout.is_empty(), "{line}");
    assert!(contents(dir) == before, "{line}: a file has changed");
}

/// All files below `dir` with their bytes.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = read(&path);
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// Changes the bytes of a checkpoint, and makes its checksum that of the new ones.
fn forge(path: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let mut bytes = read(path);
    let place = |bytes: &[u8], text: &str| {
        let found = bytes.windows(text.len()).position(|window| window == text.as_bytes());
        found.unwrap_or_else(|| panic!("no {text}"))
    };
    let at = place(&bytes, from);
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    let at = place(&bytes, "\"checksum\":\"") + "\"checksum\":\"".len();
    bytes[at..at + 8].copy_from_slice(b"00000000");
    let checksum = format!("{:08x}", crc32fast::hash(&bytes));
    bytes[at..at + 8].copy_from_slice(checksum.as_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn damaged_checkpoints_and_other_versions() {
    let dir = data::folder();
    let path = dir.path();
    succeed(path, "--hidden 24 --epochs 2 --quiet --out run");
    let file = path.join("run/checkpoint.safetensors");
    let whole = read(&file);
    for (at, bit) in [(0, 1), (9, 2), (whole.len() / 3, 64), (whole.len() - 1, 128)] {
        let mut bytes = whole.clone();
        bytes[at] ^= bit;
        fs::write(&file, bytes).unwrap();
        damaged(path);
    }
    for len in [0, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..len]).unwrap();
        damaged(path);
    }
    fs::copy(path.join("run/model.safetensors"), &file).unwrap();
    damaged(path);

    fs::write(&file, &whole).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    // Longer or shorter would be another file.
    let other = version.replace(|c: char| c.is_ascii_digit(), "9");
    let notes = |version: &str| format!(r#"\"version\":\"{version}\""#);
    forge(&file, &notes(version), &notes(&other));
    refused(
        path,
        path,
        "--resume run --epochs 3",
        1,
        &format!(
            "the run was begun by trainer {other}, this is {version}: continue it with that \
             version, or begin again with --config run/config.toml"
        ),
    );

    fs::write(&file, &whole).unwrap();
    forge(&file, r#"\"seconds\""#, r#"\"secunds\""#);
    refused(
        path,
        path,
        "--resume run --epochs 3",
        1,
        "run/checkpoint.safetensors is no checkpoint of a run: it has no note `seconds`",
    );
}

/// A run whose checkpoint is no such file.
fn damaged(dir: &Path) {
    let output = run_in(dir, "--resume run --epochs 3");
    let text = String::from_utf8(output.stderr).unwrap();
    let expected = "error: run/checkpoint.safetensors is not a checkpoint: ";
    assert!(text.starts_with(expected) && text.lines().count() == 1, "{text}");
    assert_eq!(output.status.code(), Some(1), "{text}");
}

#[test]
fn other_data_is_refused_and_the_same_data_may_move() {
    let dir = data::folder();
    let path = dir.path();
    let flags = "--hidden 24 --schedule constant --quiet";
    succeed(path, &format!("{flags} --epochs 1 --out run"));
    succeed(path, &format!("{flags} --epochs 2 --out whole"));
    for (name, part) in [
        ("train-images-idx3-ubyte", "training"),
        ("train-labels-idx1-ubyte", "training"),
        ("t10k-images-idx3-ubyte", "test"),
        ("t10k-labels-idx1-ubyte", "test"),
    ] {
        let file = path.join("data").join(name);
        let whole = read(&file);
        let mut bytes = whole.clone();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
        let output = run_in(path, "--resume run --epochs 2");
        let text = String::from_utf8(output.stderr).unwrap();
        let expected = format!("error: the {part} data in data have the checksum ");
        assert!(text.starts_with(&expected) && text.lines().count() == 1, "{name}: {text}");
        assert_eq!(output.status.code(), Some(1), "{name}");
        fs::write(&file, whole).unwrap();
    }
    fs::rename(path.join("data"), path.join("moved")).unwrap();
    succeed(path, "--resume run --epochs 2 --data moved --quiet");
    check_same(&path.join("run"), &path.join("whole"), "moved data");
    assert!(fs::read_to_string(path.join("run/config.toml")).unwrap().contains("\"moved\""));
}

/// The scalar path rounds otherwise than vectors do.
#[test]
fn the_scalar_instruction_set_continues_nothing_of_the_others() {
    let Some(vectors) = kernels::Isa::available().into_iter().find(|isa| isa.name() != "scalar")
    else {
        return;
    };
    let dir = data::folder();
    for (was, now) in [("scalar", vectors.name()), (vectors.name(), "scalar")] {
        let run = |isa: &str, line: &str| {
            let mut command = trainer();
            command.current_dir(dir.path()).args(line.split_whitespace());
            command.env("KERNELS_ISA", isa).output().unwrap()
        };
        let output = run(was, &format!("--hidden 24 --epochs 1 --quiet --out {was}"));
        assert!(output.status.success(), "{output:?}");
        let output = run(now, &format!("--resume {was} --epochs 2 --quiet"));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            format!(
                "error: the run was trained with the instruction set {was}, this is {now}: they \
                 compute different bits; set KERNELS_ISA={was}\n"
            )
        );
        assert_eq!(output.status.code(), Some(2));
        assert!(run(was, &format!("--resume {was} --epochs 2 --quiet")).status.success());
    }
}

#[test]
fn a_run_that_another_process_writes() {
    let dir = data::folder();
    let flags = "--hidden 24 --epochs 100000 --checkpoint-every 1 --quiet --out run";
    let mut process = Process::start(dir.path(), flags);
    assert!(process.wait_for_lines("run", 2));
    for line in ["--resume run", "--out run", "--out run --overwrite"] {
        let output = run_in(dir.path(), line);
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            format!(
                "error: process {} is writing to run: wait for it, or name another directory \
                 with --out\n",
                process.id()
            )
        );
        assert_eq!(output.status.code(), Some(1), "{line}");
    }
    process.kill();
    // The lock is gone with its process.
    let epochs = epochs_of(&dir.path().join("run/checkpoint.safetensors"));
    succeed(dir.path(), &format!("--resume run --epochs {} --quiet", epochs + 1));
}

/// Epochs that a checkpoint has.
fn epochs_of(checkpoint: &Path) -> usize {
    Checkpoint::load(checkpoint).unwrap().history().epochs.len()
}

/// Names that a shell or a flag reads otherwise, links, and paths from elsewhere.
#[cfg(unix)]
#[test]
fn a_run_is_found_by_any_path() {
    let dir = data::folder();
    let path = dir.path();
    fs::create_dir(path.join("below")).unwrap();
    succeed(path, "--hidden 24 --schedule constant --epochs 5 --quiet --out whole");
    std::os::unix::fs::symlink("below/my run", path.join("link")).unwrap();
    let runs = [("below/my run", "below"), ("-run", "."), ("it's", ".")];
    for (run, _) in runs {
        let mut command = trainer();
        command.current_dir(path).args(["--hidden", "24", "--schedule", "constant"]);
        command.args(["--epochs", "1", "--quiet"]).arg(format!("--out={run}"));
        command.assert().success();
    }
    let absolute = path.join("it's");
    for (from, run, epochs) in [
        (".", "link", "2"),
        (".", "below/../below/my run/", "3"),
        ("below", "my run", "4"),
        ("below", "../link", "5"),
        (".", "-run", "5"),
        ("below", absolute.to_str().unwrap(), "5"),
    ] {
        let mut command = trainer();
        command.current_dir(path.join(from)).arg(format!("--resume={run}"));
        command.args(["--quiet", "--epochs", epochs, "--data"]).arg(path.join("data"));
        command.assert().success();
    }
    assert!(fs::symlink_metadata(path.join("link")).unwrap().is_symlink());
    for (run, _) in runs {
        check_same(&path.join(run), &path.join("whole"), run);
    }
}
