//! Source files, compiled and run.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Case;

/// Runs a compiler in `dir`; `None` if there is none.
fn compile(dir: &Path, program: &str, flags: &str) -> Option<()> {
    let mut command = Command::new(program);
    let output = match command.current_dir(dir).args(flags.split_whitespace()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{program}: {error}"),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{program} {flags}: {said}");
    Some(())
}

/// Gives a program lines and returns those that it prints.
fn answers(program: &Path, lines: &str) -> Vec<String> {
    let mut child =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Numbers as the hexadecimal digits of their bits, parted by spaces.
fn words(row: &[f32]) -> String {
    row.iter().map(|x| format!("{:08x}", x.to_bits())).collect::<Vec<_>>().join(" ")
}

/// Compares a line, the outputs and `class` or a dash, with what the model says.
fn check(what: &str, case: &Case, row: &[f32], line: &str) {
    let (outputs, class) = line.rsplit_once(' ').unwrap();
    let number = |word: &str| f32::from_bits(u32::from_str_radix(word, 16).unwrap());
    let found: Vec<f64> = outputs.split(' ').map(|word| f64::from(number(word))).collect();
    case.check(what, row, &found, class.parse().ok());
}

/// Compiles `NAME.rs` of all cases as a library without `std`, and a program that runs them.
pub(super) fn check_rust(dir: &Path, cases: &[Case]) {
    let mut library = "#![no_std]\n#![deny(warnings)]\n".to_owned();
    let mut arms = String::new();
    for case in cases {
        let name = &case.name;
        library += &format!("pub mod {name};\n");
        let class = if case.has_classes() {
            format!("models::{name}::class_of(&y).to_string()")
        } else {
            "String::from(\"-\")".to_owned()
        };
        arms += &format!(
            "\"{name}\" => {{ let y = models::{name}::predict(x.as_slice().try_into().unwrap()); \
             (y.to_vec(), {class}) }}\n"
        );
    }
    let program = format!(
        "fn main() {{
            for line in std::io::stdin().lines() {{
                let line = line.unwrap();
                let (name, row) = line.split_once(' ').unwrap();
                let number = |word| f32::from_bits(u32::from_str_radix(word, 16).unwrap());
                let x: Vec<f32> = row.split(' ').map(number).collect();
                let (y, class) = match name {{ {arms} _ => panic!() }};
                let y: Vec<_> = y.iter().map(|y| format!(\"{{:08x}}\", y.to_bits())).collect();
                println!(\"{{}} {{class}}\", y.join(\" \"));
            }}
        }}"
    );
    fs::write(dir.join("models.rs"), library).unwrap();
    fs::write(dir.join("program.rs"), program).unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let flags = "--edition 2024 -O";
    compile(dir, &rustc, &format!("{flags} --crate-type rlib models.rs")).expect("rustc");
    compile(
        dir,
        &rustc,
        &format!("{flags} --extern models=libmodels.rlib program.rs -o program-rs"),
    )
    .expect("rustc");

    let rows = || cases.iter().flat_map(|case| case.rows.iter().map(move |row| (case, row)));
    let lines: String =
        rows().map(|(case, row)| format!("{} {}\n", case.name, words(row))).collect();
    let found = answers(&dir.join("program-rs"), &lines);
    assert_eq!(found.len(), rows().count());
    rows().zip(found).for_each(|((case, row), line)| check("rust", case, row, &line));
}

const MAIN: &str = r#"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
void predict(const float *input, float *output);
int class_of(const float *probabilities);
int main(void) {
    for (;;) {
        float x[INPUTS], y[OUTPUTS];
        for (int i = 0; i < INPUTS; i++) {
            unsigned word;
            if (scanf("%x", &word) != 1) return 0;
            uint32_t bits = (uint32_t)word;
            memcpy(&x[i], &bits, 4);
        }
        predict(x, y);
        for (int i = 0; i < OUTPUTS; i++) {
            uint32_t bits;
            memcpy(&bits, &y[i], 4);
            printf("%08x ", (unsigned)bits);
        }
        if (CLASSES) printf("%d\n", class_of(y));
        else printf("-\n");
    }
}
"#;

/// Compiles `NAME.c` of each case, with a program that runs it.
pub(super) fn check_c(dir: &Path, cases: &[Case]) {
    fs::write(dir.join("program.c"), MAIN).unwrap();
    for case in cases {
        let (inputs, outputs) = (case.rows[0].len(), case.expected(&case.rows[0]).len());
        let flags = format!(
            "-std=c99 -O1 -Wall -Wextra -pedantic -DINPUTS={inputs} -DOUTPUTS={outputs} \
             -DCLASSES={} {}.c program.c -o program-c",
            u8::from(case.has_classes()),
            case.name
        );
        if compile(dir, "cc", &flags).is_none() {
            eprintln!("there is no C compiler `cc`: C files are not tested");
            return;
        }
        let lines: String = case.rows.iter().map(|row| words(row) + "\n").collect();
        let found = answers(&dir.join("program-c"), &lines);
        assert_eq!(found.len(), case.rows.len());
        case.rows.iter().zip(found).for_each(|(row, line)| check("c", case, row, &line));
    }
}
