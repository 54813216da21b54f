//! `export`: flags that say nothing, and files that cannot be written.

use std::fs;

use super::{FAILED, USAGE, check};

#[test]
fn exports() {
    let dir = tempfile::tempdir().unwrap();
    let shape = nn::Architecture {
        inputs: 3,
        hidden: vec![2],
        outputs: 2,
        activation: nn::Activation::Relu,
    };
    let network = nn::Mlp::new(shape, nn::Init::He, 1).unwrap();
    network.save(dir.path().join("model")).unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    fs::create_dir(dir.path().join("run")).unwrap();
    network.save(dir.path().join("run/model.safetensors")).unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "no format",
                "export --model model",
                "there is no format: name one or several of --onnx FILE, --pytorch FILE, --npz FILE, --rust FILE, --c FILE, --page FILE (try --help)",
            ),
            (
                "no model",
                "export --onnx a",
                "the following required arguments were not provided: --model <MODEL> (try --help)",
            ),
            (
                "a file twice",
                "export --model model --onnx a --npz b --c a",
                "--onnx and --c name the same file a: name one for each (try --help)",
            ),
            (
                "eight bits of a format that has none",
                "export --model model --onnx a --int8",
                "--int8 is for --rust and --c: add one of them, or leave it out (try --help)",
            ),
            (
                "data and nothing to measure",
                "export --model model --c a --data data",
                "--data measures what --int8 loses: add --int8, or leave it out (try --help)",
            ),
            (
                "the model itself",
                "export --model model --onnx a --pytorch folder/../model",
                "--pytorch names the model itself, folder/../model: name another file (try --help)",
            ),
            (
                "the model of a run itself",
                "export --model run --pytorch run/model.safetensors",
                "--pytorch names the model itself, run/model.safetensors: name another file (try --help)",
            ),
        ],
    );
    check(
        dir.path(),
        FAILED,
        &[
            ("no such model", "export --model none --c a", "cannot read the model none: …"),
            ("a folder", "export --model model --onnx folder", "cannot write folder: …"),
            ("no such folder", "export --model model --rust x/a", "cannot write x/a: …"),
            (
                "no such data",
                "export --model model --c a --int8 --data none",
                "none: no such folder…",
            ),
        ],
    );
}
