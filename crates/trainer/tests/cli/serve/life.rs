//! How a server begins and ends.

use std::io::Read;
use std::net::TcpListener;

use serde_json::Value;

use super::{Server, images};
use crate::{names, run_in};

/// The address is all that is on stdout; nothing is written.
#[test]
fn it_prints_its_address_and_writes_nothing() {
    let dir = images();
    let before = names(dir.path());
    let of_run = names(&dir.path().join("run"));
    for (flags, lines) in [("--quiet", 0), ("", 1), ("--verbose", 3)] {
        let mut server = Server::start(dir.path(), flags);
        server.get("/api/health").right();
        server.post("/api/predict", "image/png", b"").check(400, "empty");
        server.child.kill().unwrap();
        let words = server.words();
        assert_eq!(words.lines().count(), lines, "{flags}: {words}");
        if lines > 0 {
            assert!(words.starts_with("serving run ("), "{words}");
        }
        if lines == 3 {
            let lines: Vec<_> = words.lines().collect();
            assert!(lines[1].starts_with("GET /api/health 200 "), "{words}");
            assert!(lines[2].starts_with("POST /api/predict 400 "), "{words}");
        }
        let mut rest = String::new();
        server.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
    assert_eq!((names(dir.path()), names(&dir.path().join("run"))), (before, of_run));
}

/// To be stopped is the end that a server has, so it is no failure.
#[cfg(unix)]
#[test]
fn a_signal_ends_it_at_once() {
    use rustix::process::{Pid, Signal, kill_process};

    let dir = images();
    for (signal, name) in
        [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM"), (Signal::HUP, "SIGHUP")]
    {
        for flags in ["", "--quiet"] {
            let mut server = Server::start(dir.path(), flags);
            // Also while a request is under way.
            let mut client = server.connect();
            client.ask("GET", "/api/health", &[], b"").right();
            client.send(b"POST /api/predict HTTP/1.1\r\n");
            kill_process(Pid::from_raw(server.child.id() as i32).unwrap(), signal).unwrap();
            assert_eq!(server.child.wait().unwrap().code(), Some(0), "{name}");
            let words = server.words();
            let last = format!("ended by {name}; answered 1 request\n");
            assert_eq!(words.ends_with(&last), flags.is_empty(), "{words}");
        }
    }
}

#[test]
fn a_port_has_one_server() {
    let dir = images();
    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    let output = run_in(dir.path(), &format!("serve --model run --port {port}"));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        text,
        format!(
            "error: port {port} is taken: another program listens there; name another one with \
             --port, or let --port 0 pick a free one\n"
        )
    );
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    for (flags, code) in [
        ("serve --model run --port 65536", 2),
        ("serve --model run --port -1", 2),
        ("serve --model run --threads 0 --port 0", 2),
        ("serve --port 0", 2),
        ("serve --model data --port 0", 1),
    ] {
        let output = run_in(dir.path(), flags);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{flags}");
    }
}

/// Each path of the description is there, and answers as it says.
#[test]
fn the_description_is_of_this_server() {
    let dir = images();
    let server = Server::start(dir.path(), "");
    let description = server.get("/api/openapi.json").right();
    assert_eq!(description["openapi"], "3.1.0");
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, about) in methods.as_object().unwrap() {
            let answer = match &**method {
                "get" => server.get(path),
                "post" => server.post(path, "application/octet-stream", &[5; 784]),
                _ => panic!("{method}"),
            };
            assert_eq!(answer.status, 200, "{method} {path}");
            let content = about["responses"]["200"]["content"].as_object().unwrap();
            let found = answer.headers["content-type"].split(';').next().unwrap().to_owned();
            assert!(content.contains_key(&found), "{method} {path}: {found}");
        }
    }
    // The keys that it requires are those that there are.
    let schemas = &description["components"]["schemas"];
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    for (schema, found) in [
        ("Health", server.get("/api/health").right()),
        ("Card", server.get("/api/model").right()),
        ("ImageInput", server.get("/api/model").right()["input"].clone()),
    ] {
        let required = schemas[schema]["required"].as_array().unwrap().iter();
        let mut required: Vec<_> = required.map(|key| key.as_str().unwrap().to_owned()).collect();
        required.sort();
        assert_eq!(keys(&found), required, "{schema}");
        assert_eq!(keys(&schemas[schema]["properties"]), required, "{schema}");
    }
}
