//! `eval`: models that cannot be used. The reader of model files has its own tests in
//! `nn`; here are the file, the flag and the exit code.

use std::fs;

use super::{FAILED, check};

#[test]
fn models() {
    let dir = crate::data::folder();
    crate::succeed(dir.path(), "--hidden 3 --epochs 1 --quiet --out run");
    let model = fs::read(dir.path().join("run/model.safetensors")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("empty", b"");
    write("cut", &model[..model.len() - 1]);
    write("long", &[&model[..], b"x"].concat());
    let mut flipped = model.clone();
    flipped[9] ^= 1;
    write("flipped", &flipped);
    crate::data::write(&dir.path().join("small"), 10);
    check(
        dir.path(),
        FAILED,
        &[
            ("no such file", "eval --model none", "cannot read the model none: …"),
            (
                "a folder",
                "eval --model data",
                "data is a folder without a model.safetensors: name a model or a run",
            ),
            (
                "a recipe",
                "eval --model run/config.toml",
                "run/config.toml is not a saved network: …",
            ),
            (
                "images",
                "eval --model data/t10k-images-idx3-ubyte",
                "data/t10k-images-idx3-ubyte is not a saved network: …",
            ),
            ("nothing", "eval --model empty", "empty is not a saved network: …"),
            ("a byte too few", "eval --model cut", "cut is not a saved network: …"),
            ("a byte too many", "eval --model long", "long is not a saved network: …"),
            ("a byte changed", "eval --model flipped", "flipped is not a saved network: …"),
            (
                "images of another size",
                "eval --model run/model.safetensors --data small",
                "run/model.safetensors takes images of 784 pixels and those in small are 10 x 10: expected images of the size that it was trained on",
            ),
            ("no data", "eval --model run/model.safetensors --data none", "none: no such folder…"),
        ],
    );
}
