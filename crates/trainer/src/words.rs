//! Figures and paths as words of a line.

use std::path::Path;

/// An accuracy and its counts: `98.21 % (179 of 10000 wrong)`.
pub(crate) fn figure(accuracy: f64, errors: usize, samples: usize) -> String {
    format!("{} ({errors} of {samples} wrong)", percent(accuracy))
}

pub(crate) fn percent(fraction: f64) -> String {
    format!("{:.2} %", 100.0 * fraction)
}

/// `1 row`, `2 rows`.
pub(crate) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Whole seconds as they are typed, such as `4m 12s`.
pub(crate) fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

/// The program as a word of a command line: by the same path as this process was called.
pub(crate) fn program() -> String {
    let program = std::env::args_os().next();
    let program = program.unwrap_or_else(|| "trainer".into());
    shell_word(Path::new(&program))
}

/// A path as one word of a shell's command line, which a program takes for a path too.
pub(crate) fn shell_word(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    // Not a flag.
    let dot = if bytes.starts_with(b"-") { "./" } else { "" };
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,@%".contains(c);
    match path.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => format!("{dot}{text}"),
        Some(text) if !text.chars().any(char::is_control) => {
            format!("'{dot}{}'", text.replace('\'', r"'\''"))
        }
        // bash, zsh, ksh and POSIX of 2024 read the bytes of a path so.
        _ => format!("$'{dot}{}'", bytes.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_the_shell() {
        let word = |text: &str| shell_word(Path::new(text));
        assert_eq!(word("runs/a-1/model.safetensors"), "runs/a-1/model.safetensors");
        assert_eq!(word("my runs"), "'my runs'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word("-run/x"), "./-run/x");
        assert_eq!(word("- x"), "'./- x'");
        assert_eq!(word("a\nb'c"), r"$'a\nb\'c'");
        assert_eq!(word("früh"), "früh");
        // Two words or one, but a shell may take the first for a variable.
        assert_eq!(word("a=b"), "'a=b'");
        assert_eq!(word(""), "''");
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            let path = Path::new(std::ffi::OsStr::from_bytes(b"-d\xe9"));
            assert_eq!(shell_word(path), r"$'./-d\xe9'");
        }
    }
}
