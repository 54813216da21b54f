//! A terminal as far as the program uses one: what it shows in the end.

/// The lines of a terminal, those that have scrolled away too.
pub(crate) struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    col: usize,
    cols: usize,
    /// Whether a line that is too wide goes on in the next row.
    wraps: bool,
}

impl Screen {
    /// What a terminal of `cols` columns shows after this text.
    pub(crate) fn after(text: &str, cols: usize) -> Self {
        let mut screen = Self { lines: vec![Vec::new()], row: 0, col: 0, cols, wraps: true };
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let len = match next {
                '\x1b' => screen.sequence(rest),
                _ => {
                    screen.character(next);
                    next.len_utf8()
                }
            };
            rest = &rest[len..];
        }
        screen
    }

    /// The lines, without what is blank at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |line: &Vec<char>| line.iter().collect::<String>().trim_end().to_owned();
        self.lines.iter().map(line).collect()
    }

    fn character(&mut self, c: char) {
        match c {
            '\r' => self.col = 0,
            '\n' => self.down(),
            c if c.is_control() => panic!("{c:?}"),
            c => {
                if self.col == self.cols && self.wraps {
                    self.col = 0;
                    self.down();
                }
                self.col = self.col.min(self.cols - 1);
                let line = &mut self.lines[self.row];
                if line.len() <= self.col {
                    line.resize(self.col + 1, ' ');
                }
                line[self.col] = c;
                self.col += 1;
            }
        }
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.lines.len() {
            self.lines.push(Vec::new());
        }
    }

    /// Does what the escape sequence at the start of `text` says. Gives its length.
    fn sequence(&mut self, text: &str) -> usize {
        let body = text.strip_prefix("\x1b[").unwrap_or_else(|| panic!("{text:?}"));
        let end = body.find(|c: char| c.is_ascii_alphabetic()).expect("a whole sequence");
        match (&body[..end], &body[end..=end]) {
            ("", "K") => self.lines[self.row].truncate(self.col),
            ("", "J") => {
                self.lines[self.row].truncate(self.col);
                self.lines.truncate(self.row + 1);
            }
            (count, "A") => self.row -= count.parse::<usize>().unwrap(),
            ("?7", "h") => self.wraps = true,
            ("?7", "l") => self.wraps = false,
            ("?2026", "h" | "l") | ("35" | "36" | "39", "m") => (),
            other => panic!("{other:?}"),
        }
        "\x1b[".len() + end + 1
    }
}

#[test]
fn it_shows_what_a_terminal_shows() {
    let after = |text: &str| Screen::after(text, 4).lines();
    assert_eq!(after("ab\r\nc\x1b[1Ad"), ["ad", "c"]);
    assert_eq!(after("abcdef\rg"), ["abcd", "gf"]);
    assert_eq!(after("\x1b[?7labcdef\r\n\x1b[?7hghijk"), ["abcf", "ghij", "k"]);
    assert_eq!(after("abc\r\ndef\x1b[1A\rx\x1b[J"), ["x"]);
}
