//! The terminal that a run is watched on: what it can show, and a block of lines on it that
//! is drawn again in place.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::Term;

/// Between these, a terminal that knows them shows nothing new: it then draws all at once.
/// Others ignore them.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

/// Between these, a line that is too wide is cut off and takes no second row: the terminal may
/// have become narrower since its size was asked.
const CUT: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

/// Erases the block. The cursor is at its start.
const ERASE: &str = "\r\x1b[J";

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) color: bool,
    pub(crate) braille: bool,
}

impl Abilities {
    /// Reads them from the environment. `None` if the terminal cannot move its cursor, or
    /// nobody sits before it.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let is_ci = set("CI").is_some_and(|value| value != "false" && value != "0");
        let term = set("TERM");
        // On Windows the variable is not set.
        let is_dumb = term.as_ref().map_or(cfg!(unix), |term| term == "dumb");
        if is_ci || is_dumb {
            return None;
        }
        // Containers set no locale, and their terminals know UTF-8.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let is_utf8 = locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        // The font of Linux's own console has 512 characters, and these are not among them.
        let braille = is_utf8 && term.is_none_or(|term| term != "linux");
        Some(Self { color: set("NO_COLOR").is_none(), braille })
    }
}

/// Rows and columns of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
}

/// A block of lines on the terminal of stderr, below everything else. Clones are the same
/// block. When nothing is drawn any more, [`close`](Self::close) takes it away.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) abilities: Abilities,
    block: Arc<Mutex<Block>>,
}

/// The cursor stays at the start of the block. There it also is after the terminal has become
/// narrower, when the lines below it take more rows, and the `^C` that a terminal shows where
/// its cursor is goes with the block.
#[derive(Default)]
struct Block {
    lines: Vec<String>,
    /// Of the terminal when the lines were drawn. `None` where nothing is on the screen.
    drawn: Option<Size>,
    closed: bool,
}

impl Live {
    /// `None` if stderr is no terminal, or one on which only lines can be written.
    pub(crate) fn new() -> Option<Self> {
        let term = Term::stderr();
        let features = term.features();
        // On Windows, the second question also switches escape sequences on.
        if !features.is_attended() || (cfg!(windows) && !features.colors_supported()) {
            return None;
        }
        let variable =
            |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let abilities = Abilities::of(variable)?;
        Some(Self { abilities, block: Arc::default() })
    }

    /// The size of the terminal now.
    pub(crate) fn size(&self) -> Size {
        let size = Term::stderr().size_checked().filter(|(rows, cols)| *rows > 0 && *cols > 0);
        let (rows, cols) = size.unwrap_or((24, 80));
        Size { rows: rows.into(), cols: cols.into() }
    }

    /// Draws the lines in place of those before. They were made for a terminal of this size,
    /// and each of them leaves its last column free.
    pub(crate) fn draw(&self, lines: Vec<String>, size: Size) {
        let mut block = self.lock();
        if block.closed {
            return;
        }
        block.lines = lines;
        block.drawn = Some(size);
        if is_in_foreground() {
            put(&frame(&block.lines));
        }
    }

    /// Does something that writes to the terminal: its text stays above the block.
    pub(crate) fn suspend(&self, write: impl FnOnce()) {
        let mut block = self.lock();
        let Some(size) = block.drawn else { return write() };
        put(&format!("{BEGIN}{ERASE}"));
        write();
        // For another size, other lines are drawn soon.
        if size == self.size() && is_in_foreground() {
            put(&frame(&block.lines));
        } else {
            put(END);
            block.drawn = None;
        }
    }

    /// The same, where the terminal belongs to another program in between.
    #[cfg(unix)]
    pub(crate) fn pause(&self, stop: impl FnOnce()) {
        let mut block = self.lock();
        if block.drawn.take().is_some() {
            put(ERASE);
        }
        stop();
    }

    /// Takes the block away, for good.
    pub(crate) fn close(&self) {
        let mut block = self.lock();
        block.closed = true;
        if block.drawn.take().is_some() && is_in_foreground() {
            put(ERASE);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Block> {
        self.block.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text that draws lines over those that were there, without erasing them first, which
/// would flicker.
fn frame(lines: &[String]) -> String {
    let mut text = format!("{BEGIN}{CUT}\r{}\x1b[J", lines.join("\x1b[K\n"));
    if lines.len() > 1 {
        let _ = write!(text, "\x1b[{}A", lines.len() - 1);
    }
    text + "\r" + WRAP + END
}

/// Writes at once and whole. What cannot be shown is no reason to stop.
fn put(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Whether the terminal is this program's now, and not that of a shell which runs it in the
/// background.
fn is_in_foreground() -> bool {
    #[cfg(unix)]
    {
        let group = rustix::termios::tcgetpgrp(io::stderr());
        // 0 where the group's leader is outside of this container, for which rustix has no value.
        let own = nix::unistd::getpgrp();
        !group.is_ok_and(|group| group.as_raw_nonzero().get() != own.as_raw())
    }
    #[cfg(not(unix))]
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abilities(variables: &[(&str, &str)]) -> Option<Abilities> {
        Abilities::of(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_the_environment_says() {
        let all = Some(Abilities { color: true, braille: true });
        let plain = Some(Abilities { color: false, braille: true });
        let ascii = Some(Abilities { color: true, braille: false });
        let term = ("TERM", "xterm");
        for (variables, expected) in [
            (&[term][..], all),
            (&[term, ("LANG", "de_DE.UTF-8")], all),
            (&[term, ("LC_ALL", "C.utf8"), ("LANG", "C")], all),
            (&[term, ("LC_ALL", ""), ("LANG", "C.UTF-8")], all),
            (&[term, ("LC_ALL", "C"), ("LANG", "C.UTF-8")], ascii),
            (&[term, ("LANG", "de_DE.ISO-8859-1")], ascii),
            (&[("TERM", "linux"), ("LANG", "C.UTF-8")], ascii),
            (&[term, ("NO_COLOR", "1")], plain),
            // As no-color.org has it.
            (&[term, ("NO_COLOR", "")], all),
            (&[("TERM", "dumb")], None),
            (&[term, ("CI", "true")], None),
            (&[term, ("CI", "1")], None),
            (&[term, ("CI", "false")], all),
            (&[term, ("CI", "")], all),
        ] {
            assert_eq!(abilities(variables), expected, "{variables:?}");
        }
        assert_eq!(abilities(&[]).is_none(), cfg!(unix));
    }

    #[test]
    fn a_frame_ends_where_it_begins() {
        let frame =
            |lines: &[&str]| frame(&lines.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(frame(&["a"]), "\x1b[?2026h\x1b[?7l\ra\x1b[J\r\x1b[?7h\x1b[?2026l");
        assert_eq!(
            frame(&["a", "b", "c"]),
            "\x1b[?2026h\x1b[?7l\ra\x1b[K\nb\x1b[K\nc\x1b[J\x1b[2A\r\x1b[?7h\x1b[?2026l"
        );
    }
}
