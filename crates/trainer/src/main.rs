//! The program `trainer`; everything that it does is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    trainer::main()
}
