//! Where bodies begin and how long they say they are, in the bytes of a connection.
//!
//! hyper takes a chunk of any size and hands its bytes over as they come. A body that announces
//! more than the server reads is seen here, before the client has sent it. What is wrong with a
//! request is hyper's to say: then nothing is looked for any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ask::MOST_BODY;
use super::connection::MOST_HEAD;

/// The requests of a connection, as far as they have come.
#[derive(Clone, Default)]
pub(super) struct Requests(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    framing: Framing,
    /// Requests whose head hyper has read.
    taken: u64,
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes bytes that the client has sent.
    pub(super) fn feed(&self, bytes: &[u8]) {
        self.lock().framing.feed(bytes);
    }

    /// The number of the request that is answered next.
    pub(super) fn take(&self) -> u64 {
        let mut shared = self.lock();
        shared.taken += 1;
        shared.taken
    }

    /// Whether the chunks of this request are larger than a body may be.
    pub(super) fn is_too_large(&self, request: u64) -> bool {
        self.lock().framing.too_large == Some(request)
    }
}

#[derive(Default)]
struct Framing {
    state: State,
    /// The line that has begun.
    line: Vec<u8>,
    /// The number of the current request, from 1; 0 before the first.
    request: u64,
    /// Bytes of its chunks so far.
    chunks: u64,
    /// The request whose chunks are too large: the last one that is looked at.
    too_large: Option<u64>,
}

/// What the next byte is a part of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    /// The line end before a request, which some clients send, or the request itself.
    #[default]
    Start,
    /// The lines of a head, of which some said how long the body is.
    Head {
        length: u64,
        is_chunked: bool,
    },
    /// A body with a length, or what follows it.
    Body {
        left: u64,
    },
    /// The line with the size of a chunk.
    Size,
    Chunk {
        left: u64,
    },
    /// The line end after a chunk.
    ChunkEnd,
    /// The lines after the last chunk.
    Trailers,
    /// What cannot be understood, and all after it.
    Lost,
}

impl Framing {
    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Lost => return,
                State::Body { left } | State::Chunk { left } => {
                    let count = (*left).min(bytes.len() as u64);
                    *left -= count;
                    bytes = &bytes[count as usize..];
                    self.skip_empty();
                }
                _ => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
                    self.line.extend_from_slice(part);
                    bytes = rest;
                    if end.is_some() {
                        let line = std::mem::take(&mut self.line);
                        self.state = self.after(line.trim_ascii_end());
                        self.skip_empty();
                    } else if self.line.len() > MOST_HEAD {
                        self.state = State::Lost;
                    }
                }
            }
        }
    }

    /// Leaves what has come to its end.
    fn skip_empty(&mut self) {
        match self.state {
            State::Body { left: 0 } => self.state = State::Start,
            State::Chunk { left: 0 } => self.state = State::ChunkEnd,
            _ => (),
        }
    }

    /// What follows a line.
    fn after(&mut self, line: &[u8]) -> State {
        match self.state {
            State::Start if line.is_empty() => State::Start,
            State::Start => {
                self.request += 1;
                self.chunks = 0;
                State::Head { length: 0, is_chunked: false }
            }
            State::Head { is_chunked: true, .. } if line.is_empty() => State::Size,
            State::Head { length, .. } if line.is_empty() => State::Body { left: length },
            State::Head { length, is_chunked } => header(line, length, is_chunked),
            State::Size => match size(line) {
                None => State::Lost,
                Some(0) => State::Trailers,
                Some(left) => {
                    self.chunks = self.chunks.saturating_add(left);
                    if self.chunks > MOST_BODY as u64 {
                        self.too_large = Some(self.request);
                        return State::Lost;
                    }
                    State::Chunk { left }
                }
            },
            State::ChunkEnd if line.is_empty() => State::Size,
            State::Trailers if line.is_empty() => State::Start,
            State::Trailers => State::Trailers,
            // The others have no lines.
            State::ChunkEnd | State::Body { .. } | State::Chunk { .. } | State::Lost => State::Lost,
        }
    }
}

/// What a line of a head says of the body.
fn header(line: &[u8], length: u64, is_chunked: bool) -> State {
    let Ok(line) = str::from_utf8(line) else { return State::Head { length, is_chunked } };
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    let value = value.trim();
    if name.eq_ignore_ascii_case("content-length") {
        return match value.parse() {
            Ok(length) => State::Head { length, is_chunked },
            Err(_) => State::Lost,
        };
    }
    let is_encoding = name.eq_ignore_ascii_case("transfer-encoding");
    let is_chunked = is_chunked || is_encoding && value.eq_ignore_ascii_case("chunked");
    State::Head { length, is_chunked }
}

/// The size in the line before a chunk.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    u64::from_str_radix(str::from_utf8(&line[..digits]).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: x\r\ntransfer-ENCODING:\tChunked \r\n\r\n";

    /// What is found in bytes that come in parts of this length.
    fn found(text: &str, part: usize) -> (Option<u64>, u64, State) {
        let requests = Requests::default();
        text.as_bytes().chunks(part).for_each(|part| requests.feed(part));
        let shared = requests.lock();
        (shared.framing.too_large, shared.framing.request, shared.framing.state)
    }

    #[test]
    fn bodies_are_followed_through_all_parts() {
        let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let post = "\r\nPOST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nFFFFFFF\r\n";
        let small = format!("{CHUNKED}2\r\n\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n");
        let huge = format!("{CHUNKED}FFFFFFFFFFFFFFFF\r\n");
        let sum = format!("{CHUNKED}1\r\nx\r\n{MOST_BODY:x}\r\n");
        let most = format!("{CHUNKED}{MOST_BODY:X}\r\nx");
        let (lost, left) = (State::Lost, MOST_BODY as u64 - 1);
        for (text, expected) in [
            (get.to_owned(), (None, 1, State::Start)),
            (post.to_owned(), (None, 1, State::Start)),
            (small.clone(), (None, 1, State::Start)),
            (huge.clone(), (Some(1), 1, lost)),
            (sum, (Some(1), 1, lost)),
            (most, (None, 1, State::Chunk { left })),
            (format!("{get}{post}{small}{get}{huge}{get}"), (Some(5), 5, lost)),
            // A chunk that looks like the size of another.
            (format!("{CHUNKED}14\r\n\r\nFFFFFFFFFFFFFFFF\r\n"), (None, 1, State::ChunkEnd)),
            // What hyper refuses.
            (format!("{CHUNKED}FFFFFFFFFFFFFFFFF\r\n"), (None, 1, lost)),
            (format!("{CHUNKED}x\r\n"), (None, 1, lost)),
            (format!("{CHUNKED}1\r\nxy\r\n"), (None, 1, lost)),
            ("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n".into(), (None, 1, lost)),
            ("G".repeat(2 * MOST_HEAD), (None, 0, lost)),
        ] {
            for part in [1, 2, 3, 7, text.len()] {
                assert_eq!(found(&text, part), expected, "{text:?} in parts of {part}");
            }
        }
    }

    #[test]
    fn only_the_request_itself_is_too_large() {
        let requests = Requests::default();
        requests.feed(format!("{CHUNKED}1\r\nx\r\n0\r\n\r\n{CHUNKED}F000000\r\n").as_bytes());
        let [first, second] = [(); 2].map(|()| requests.take());
        assert_eq!([first, second].map(|request| requests.is_too_large(request)), [false, true]);
    }
}
