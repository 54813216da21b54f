//! `trainer serve`, asked by a client that is a socket and no more, so that what is wrong can be
//! sent too.

mod answers;
mod life;
mod limits;
mod refusals;

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::runs::stoppable;
use crate::succeed;

/// Beyond it a test fails and does not wait for ever. Nothing takes a hundredth of that.
const NEVER: Duration = Duration::from_secs(120);

/// A server that ends with this value.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    port: u16,
}

impl Server {
    /// Serves the model `run` in the folder `dir`.
    fn start(dir: &Path, flags: &str) -> Self {
        let mut command = stoppable(env!("CARGO_BIN_EXE_trainer"));
        command.env_remove("KERNELS_ISA").current_dir(dir);
        command.args("serve --model run --port 0".split(' ')).args(flags.split_whitespace());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let port = line.strip_prefix("http://127.0.0.1:").and_then(|l| l.strip_suffix("/\n"));
        let port = port.unwrap_or_else(|| panic!("{line:?}")).parse().unwrap();
        Self { child, stdout, port }
    }

    fn connect(&self) -> Client {
        Client::new(self.port)
    }

    /// The answer to a request without a body.
    fn get(&self, path: &str) -> Answer {
        self.connect().ask("GET", path, &[], b"")
    }

    /// The answer to a body.
    fn post(&self, path: &str, content: &str, body: &[u8]) -> Answer {
        self.connect().ask("POST", path, &[("Content-Type", content)], body)
    }

    /// What it prints on stderr until it ends.
    fn words(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection.
struct Client {
    stream: BufReader<TcpStream>,
    port: u16,
}

impl Client {
    fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream.set_write_timeout(Some(NEVER)).unwrap();
        Self { stream: BufReader::new(stream), port }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The bytes of a request to this server.
    fn request(&self, method: &str, path: &str, more: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", self.port);
        for (name, value) in more {
            head += &format!("{name}: {value}\r\n");
        }
        if method == "POST" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }

    fn ask(&mut self, method: &str, path: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let request = self.request(method, path, more, body);
        self.send(&request);
        self.answer(method != "HEAD").expect("an answer")
    }

    /// The next answer; `None` if the connection ends before it.
    fn answer(&mut self, has_body: bool) -> Option<Answer> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        if is_end(read) {
            return None;
        }
        let status = line.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        let mut headers = HashMap::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let len = headers.get("content-length").map_or(0, |len| len.parse().unwrap());
        let mut body = vec![0; if has_body { len } else { 0 }];
        self.stream.read_exact(&mut body).unwrap();
        Some(Answer { status, headers, body })
    }

    /// Whether nothing more comes.
    fn has_ended(&mut self) -> bool {
        is_end(self.stream.read(&mut [0]))
    }
}

/// Whether a connection has ended, by a reset or otherwise; but not by the patience of the test.
fn is_end(read: io::Result<usize>) -> bool {
    match read {
        Ok(count) => count == 0,
        Err(error) => {
            assert!(!matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
            true
        }
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.headers["content-type"], "application/json", "{text}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// The JSON of a request that was right.
    fn right(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Checks that it is an error with this status, whose line has these words.
    fn check(&self, status: u16, words: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        let error = self.json();
        let line = error["error"].as_str().unwrap();
        assert!(line.contains(words), "{line}");
        assert!(!line.contains(char::is_control), "{line}");
        assert_eq!(error.as_object().unwrap().len(), 1);
    }
}

/// A folder with images in `data`, and a run of them in `run`.
fn images() -> TempDir {
    let dir = crate::data::folder();
    succeed(dir.path(), "--hidden 20,12 --epochs 1 --lr 0.005 --quiet --out run");
    dir
}

/// A folder with a run of a table in `run`.
fn iris() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("iris.csv"), crate::data::table("iris.csv")).unwrap();
    succeed(dir.path(), "iris.csv --target target --epochs 2 --quiet --out run");
    dir
}
