//! What stands at the end of the help of the program and of its commands.

use crate::commands::EXIT_CODES;

/// The examples of the program itself.
pub(crate) const EXAMPLES: &str = "\
Examples:
  trainer                                  train on the digits in data/
  trainer data.csv --target price          train on a table
  trainer eval -m runs/NAME                how good that network is
  trainer predict -m runs/NAME photo.jpg   what it says of a picture
  trainer --validation 0.1 --no-test       train, to choose settings
  trainer runs --sort val_loss             compare the runs so far
  trainer train -h                         all flags of training";

/// The environment variables that the program reads.
pub(crate) const ENVIRONMENT: &str = "\
Environment:
  KERNELS_ISA     instruction set, one that the CPU has: avx512, avx2, neon or
                  scalar; without it the fastest
  KERNELS_CACHES  KiB of the L1, L2 and L3 caches, such as 32,512,8192; without
                  it what the CPU reports. They change no bit of a result
  NO_COLOR        if it is not empty, nothing is coloured
  TERM            `dumb` is a terminal in which nothing moves
  CI              if it is set, nothing moves either
  COLUMNS         columns of this help, and of tables where there is no terminal
  HOME            the folder that `~` stands for at the beginning of a path";

/// Which of several values of a setting counts.
const PRECEDENCE: &str = "\
Precedence of settings:
  1  the command line: flags and --set, of which the last counts
  2  the file of --config
  3  the recipe: that of --recipe, or the one that the file builds on
  4  the default, which the brackets show; no environment variable is a setting";

/// What `--help` ends with, after the examples of a command.
pub(crate) fn after(examples: &str) -> String {
    after_with(examples, EXIT_CODES)
}

/// The same, for a command with exit codes of its own.
pub(crate) fn after_with(examples: &str, exit_codes: &str) -> String {
    let precedence = if examples.contains("Recipes:") { PRECEDENCE } else { "" };
    let parts = [examples, precedence, ENVIRONMENT, exit_codes];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}
