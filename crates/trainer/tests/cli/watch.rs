//! Training that somebody watches in a terminal.

mod screen;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::{Child, Command};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::data;
use screen::Screen;

/// A run with figures of training and validation.
const RUN: &str = "--hidden 16 --validation 0.1 --schedule constant";

/// More epochs than a test waits for.
const ENDLESS: &str = "--epochs 1000000";

/// A process of the program in a terminal of its own, as in a window. It is killed with this
/// value.
struct Window {
    child: Child,
    terminal: File,
    /// All that the program has written, and what the terminal has echoed.
    seen: Vec<u8>,
}

impl Window {
    /// Starts the program in the folder `dir`, in a terminal of `rows` and `cols`. What it
    /// looks at in the environment is not inherited.
    fn open(dir: &Path, flags: &str, variables: &[(&str, &str)], [rows, cols]: [u16; 2]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = OsString::from_vec(ptsname(&terminal, Vec::new()).unwrap().into_bytes());
        let side = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let mut command = Command::new("setsid");
        command.args(["--ctty", "env", "--default-signal=INT,TERM,HUP"]);
        command.arg(env!("CARGO_BIN_EXE_trainer")).args(flags.split_whitespace());
        for name in ["KERNELS_ISA", "CI", "NO_COLOR", "LC_ALL", "LC_CTYPE"] {
            command.env_remove(name);
        }
        command.current_dir(dir).env("TERM", "xterm").env("LANG", "C.UTF-8");
        command.envs(variables.iter().copied());
        command.stdin(side.try_clone().unwrap()).stdout(side.try_clone().unwrap()).stderr(side);
        let terminal = File::from(terminal);
        resize(&terminal, [rows, cols]);
        Self { child: command.spawn().unwrap(), terminal, seen: Vec::new() }
    }

    /// Reads on until what was seen is as wanted, or the program has ended. Says which.
    fn read_until(&mut self, wanted: impl Fn(&str) -> bool) -> bool {
        let mut bytes = [0; 1 << 16];
        loop {
            if wanted(&self.text()) {
                return true;
            }
            // A terminal that nobody has open any more is an error.
            match self.terminal.read(&mut bytes) {
                Ok(count @ 1..) => self.seen.extend(&bytes[..count]),
                Ok(0) | Err(_) => return false,
            }
        }
    }

    /// Without the first bytes of a character that is not whole yet.
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).trim_end_matches('\u{fffd}').to_owned()
    }

    fn press(&mut self, key: u8) {
        self.terminal.write_all(&[key]).unwrap();
    }

    /// Reads to the end. Gives the exit code and all that was seen.
    fn end(mut self) -> (Option<i32>, String) {
        self.read_until(|_| false);
        (self.child.wait().unwrap().code(), self.text())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: &File, [ws_row, ws_col]: [u16; 2]) {
    tcsetwinsize(terminal, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

fn has_braille(text: &str) -> bool {
    text.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c))
}

/// The lines of each picture that was drawn.
fn frames(text: &str) -> impl Iterator<Item = Vec<String>> {
    let frames = text.split("\x1b[?2026h\x1b[?7l\r").skip(1);
    let frames = frames.filter_map(|rest| rest.split_once("\x1b[?2026l"));
    frames.filter(|(frame, _)| frame.contains("epoch ")).map(|(frame, _)| {
        let frame = frame.rsplit_once("\x1b[J").expect("what is below is erased").0;
        let lines = frame.split("\x1b[K\r\n");
        lines.map(|line| without_colors(line).trim_end_matches('\r').to_owned()).collect()
    })
}

fn without_colors(line: &str) -> String {
    ["\x1b[35m", "\x1b[36m", "\x1b[39m"].iter().fold(line.to_owned(), |l, c| l.replace(c, ""))
}

/// Checks that on the screen are lines only, and nothing of what was drawn.
fn check_clean(text: &str) -> Vec<String> {
    let lines = Screen::after(text, 80).lines();
    for line in &lines {
        let drawn = has_braille(line)
            || ["│", " left", "[=", "[>", "^C"].iter().any(|part| line.contains(part));
        assert!(!drawn, "{line}\n{}", lines.join("\n"));
    }
    lines
}

/// A run is drawn in place: the bar and, below it, the curves. At its end the screen has what
/// a file would have.
#[test]
fn nothing_of_what_was_drawn_stays() {
    let dir = data::folder();
    let flags = format!("{RUN} --epochs {} --out run", epochs_drawn(dir.path()));
    let (code, text) = Window::open(dir.path(), &flags, &[], [24, 80]).end();
    assert_eq!(code, Some(0), "{text}");
    assert!(frames(&text).next().is_some(), "{text}");
    let lines = check_clean(&text);
    let rows = |prefix: &str| lines.iter().filter(|line| line.starts_with(prefix)).count();
    assert_eq!([rows("recipe "), rows("epoch "), rows("test accuracy "), rows("next: ")], [1; 4]);
    // Two of them have a percent sign.
    let is_epoch = |line: &&String| {
        line.split_whitespace().count() == 9 && line.ends_with(|c: char| c.is_ascii_digit())
    };
    assert!((12..=27).contains(&lines.iter().filter(is_epoch).count()), "{lines:?}");
}

#[test]
fn ctrl_c_takes_the_picture_away() {
    let dir = data::folder();
    let mut window = Window::open(dir.path(), &format!("{RUN} {ENDLESS} --out run"), &[], [24, 80]);
    assert!(window.read_until(has_braille), "{}", window.text());
    window.press(3);
    let (code, text) = window.end();
    assert_eq!(code, Some(130), "{text}");
    let lines = check_clean(&text);
    let stopped = lines.iter().position(|line| line.starts_with("stopped: by SIGINT ")).unwrap();
    assert_eq!(lines[stopped + 1..stopped + 2], ["next: go on with it"], "{lines:?}");
    // Directly below the table.
    assert!(lines[stopped - 1].ends_with(|c: char| c.is_ascii_digit()), "{lines:?}");
}

/// Each picture fits into the terminal as it is then.
#[test]
fn a_terminal_that_changes_its_size() {
    let dir = data::folder();
    let mut window = Window::open(dir.path(), &format!("{RUN} {ENDLESS} --out run"), &[], [24, 80]);
    for (size, height) in
        [([24, 80], 10), ([24, 40], 10), ([40, 120], 13), ([10, 40], 1), ([24, 80], 10)]
    {
        resize(&window.terminal, size);
        window.seen.clear();
        let fits = |lines: &Vec<String>| {
            let width = lines.iter().map(|line| line.chars().count()).max();
            lines.len() == height
                && width.is_some_and(|width| (20..usize::from(size[1])).contains(&width))
        };
        let seen = window.read_until(|text| frames(text).any(|lines| fits(&lines)));
        assert!(seen, "{size:?}: {}", window.text());
    }
    window.press(3);
    assert_eq!(window.end().0, Some(130));
}

/// What is not wanted or cannot be shown: colours, characters beside ASCII, any drawing.
#[test]
fn what_the_environment_forbids() {
    let dir = data::folder();
    let open = |variables: &[(&str, &str)]| {
        Window::open(
            dir.path(),
            &format!("{RUN} {ENDLESS} --out run --overwrite"),
            variables,
            [24, 80],
        )
    };
    let colors = |text: &str| ["\x1b[35m", "\x1b[36m"].iter().all(|color| text.contains(color));
    let mut window = open(&[]);
    assert!(window.read_until(colors), "{}", window.text());
    drop(window);
    for (variable, braille) in [(("NO_COLOR", "1"), true), (("LC_ALL", "C"), false)] {
        let mut window = open(&[variable]);
        assert!(window.read_until(|text| frames(text).nth(4).is_some()), "{}", window.text());
        assert!(!window.text().contains("\x1b[3"), "{variable:?}");
        assert_eq!(has_braille(&window.text()), braille, "{variable:?}");
    }
    // Where nothing is drawn, this many epochs take long enough to be drawn otherwise.
    let flags = format!("{RUN} --epochs {} --out run --overwrite", epochs_drawn(dir.path()));
    for variable in [("CI", "true"), ("TERM", "dumb")] {
        let (code, text) = Window::open(dir.path(), &flags, &[variable], [24, 80]).end();
        assert_eq!(code, Some(0), "{text}");
        assert!(!text.contains('\x1b'), "{variable:?}: {text}");
    }
}

/// A number of epochs that is drawn while it is trained.
fn epochs_drawn(dir: &Path) -> usize {
    // It depends on the machine.
    let drawn = |epochs: &usize| {
        let flags = format!("{RUN} --epochs {epochs} --out drawn{epochs}");
        let (code, text) = Window::open(dir, &flags, &[], [24, 80]).end();
        assert_eq!(code, Some(0), "{text}");
        has_braille(&text)
    };
    (0..10).map(|power| 300 << (2 * power)).find(drawn).expect("a picture")
}
