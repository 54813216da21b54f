//! Clients that take time, memory or connections: they get an answer or an end, and others are
//! served.

use std::io::{ErrorKind, Write};
use std::net::Shutdown;

use super::{Client, Server, images, iris};

/// 10 MiB, the largest body.
const MOST: usize = 10 << 20;

#[test]
fn slow_requests_are_ended() {
    let dir = images();
    let server = Server::start(dir.path(), "--wait 50");
    let host = format!("Host: 127.0.0.1:{}\r\n", server.port);
    let head = format!(
        "POST /api/predict HTTP/1.1\r\n{host}Content-Type: image/png\r\nContent-Length: 100\r\n\r\n"
    );
    for request in ["", "GET / HT", &format!("GET / HTTP/1.1\r\n{host}A: b\r\n")] {
        let mut client = server.connect();
        client.send(request.as_bytes());
        assert!(client.has_ended(), "{request}");
    }
    for part in ["", "some"] {
        let mut client = server.connect();
        client.send(format!("{head}{part}").as_bytes());
        client.answer(true).unwrap().check(408, "found no end of the body after 0.15 s");
        assert!(client.has_ended());
    }
    // Between two requests too.
    let mut client = server.connect();
    client.ask("GET", "/api/health", &[], b"").right();
    assert!(client.has_ended());
}

/// A client that asks for more and more and takes nothing: its connection ends, so that writing
/// to it fails.
#[test]
fn answers_that_nobody_takes() {
    let dir = iris();
    let server = Server::start(dir.path(), "--wait 100");
    let mut client = server.connect();
    let rows = format!("[{}[1,2,3,4]]", "[1,2,3,4],".repeat(9_999));
    let request = client.request(
        "POST",
        "/api/predict",
        &[("Content-Type", "application/json")],
        rows.as_bytes(),
    );
    let stream = client.stream.get_mut();
    let error = loop {
        if let Err(error) = stream.write_all(&request) {
            break error;
        }
    };
    // Not the time limit of the test.
    let kinds = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted];
    assert!(kinds.contains(&error.kind()), "{error:?}");
    assert_eq!(server.get("/api/health").status, 200);
}

#[test]
fn large_bodies() {
    let dir = images();
    let server = Server::start(dir.path(), "");
    let raw = [("Content-Type", "application/octet-stream")];
    // As large as it may be, though it is no whole number of images.
    let answer = server.connect().ask("POST", "/api/predict", &raw, &vec![0; MOST]);
    answer.check(400, &format!("found {MOST} bytes"));
    // The client sees why, though it goes on sending.
    let answer = server.connect().ask("POST", "/api/predict", &raw, &vec![0; MOST + 1]);
    answer.check(413, "found a body of 10485761 bytes: expected no more than 10485760");
    assert_eq!(answer.headers["connection"], "close");

    // Without a length in the head, it is counted on the way.
    let head = |client: &Client| {
        let request = client.request("BODY", "/api/predict", &raw, b"");
        let head = String::from_utf8(request).unwrap().replace("BODY", "POST");
        head.trim_end().to_owned() + "\r\nTransfer-Encoding: chunked\r\n\r\n"
    };
    let mut client = server.connect();
    let text = head(&client) + "310\r\n" + &"\0".repeat(784) + "\r\n0\r\n\r\n";
    client.send(text.as_bytes());
    assert_eq!(client.answer(true).unwrap().right()["predictions"].as_array().unwrap().len(), 1);
    let mut client = server.connect();
    let text = head(&client);
    client.send(text.as_bytes());
    let chunk = format!("100000\r\n{}\r\n", "\0".repeat(1 << 20));
    let mut sent = 0;
    // The server may have ended it by then.
    while sent < 12 && client.stream.get_mut().write_all(chunk.as_bytes()).is_ok() {
        sent += 1;
    }
    client.answer(true).unwrap().check(413, "found a body of more than 10485760 bytes");
    // A chunk that says that it is larger is answered before it has come, with the head or after
    // it, also where it is not the first. (What is late is told 408.)
    let huge = "FFFFFFFFFFFFFFFF\r\n";
    for (first, then) in [("", huge), ("1\r\nx\r\n", huge), ("1\r\nx\r\n", "A00000\r\n")] {
        for apart in [false, true] {
            let mut client = server.connect();
            let text = head(&client) + first;
            let text = if apart {
                client.send(text.as_bytes());
                server.get("/api/health").right();
                String::new()
            } else {
                text
            };
            client.send((text + then).as_bytes());
            client.answer(true).unwrap().check(413, "found a body of more than 10485760 bytes");
        }
    }
    // A body that breaks off.
    let mut client = server.connect();
    let text = head(&client);
    client.send((text + "310\r\nabc").as_bytes());
    client.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    assert!(client.answer(true).is_none_or(|answer| answer.status == 400));
    server.get("/api/health").right();
}

/// Bodies take memory, of which there is an end; small ones still find some.
#[test]
fn memory_for_bodies() {
    let dir = images();
    let server = Server::start(dir.path(), "--wait 60000");
    let raw = ("Content-Type", "application/octet-stream");
    let mut waiting = Vec::new();
    let full = loop {
        let mut client = server.connect();
        let request =
            client.request("BODY", "/api/predict", &[raw, ("Expect", "100-continue")], b"");
        let head = String::from_utf8(request).unwrap().replace("BODY", "POST");
        client.send(format!("{}\r\nContent-Length: {MOST}\r\n\r\n", head.trim_end()).as_bytes());
        // It is told to go on once there is room for its body.
        let answer = client.answer(true).unwrap();
        if answer.status != 100 {
            break answer;
        }
        waiting.push(client);
    };
    full.check(503, "found no memory free for it: try again in a second");
    assert_eq!((waiting.len(), &*full.headers["retry-after"]), (25, "1"));
    let one = vec![7; 784];
    server.post("/api/predict", raw.1, &one).right();
    // What breaks off gives its memory back.
    drop(waiting.pop());
    let large = vec![0; MOST - MOST % 784];
    while server.post("/api/predict?top=1", raw.1, &large).status == 503 {}
}

/// Many at a time: as many as there is room for are served, the others are told.
#[test]
fn many_clients() {
    let dir = images();
    let server = Server::start(dir.path(), "--wait 60000 --connections 20");
    let mut clients: Vec<_> = (0..200).map(|_| server.connect()).collect();
    let mut served = 0;
    for client in &mut clients {
        let request = client.request("GET", "/api/health", &[], b"");
        // Who is told so need not be heard.
        let _ = client.stream.get_mut().write_all(&request);
        let answer = client.answer(true).unwrap();
        if answer.status == 200 {
            served += 1;
        } else {
            answer.check(503, "found too many connections at a time");
            assert!(client.has_ended());
        }
    }
    assert_eq!(served, 20);
    drop(clients);
    let answer = loop {
        let mut client = server.connect();
        let request = client.request("GET", "/api/health", &[], b"");
        let _ = client.stream.get_mut().write_all(&request);
        match client.answer(true) {
            Some(answer) if answer.status == 200 => break answer,
            _ => {}
        }
    };
    answer.right();
}

/// Requests that are sent before the answers to those before them come in order.
#[test]
fn requests_in_advance() {
    let dir = images();
    let server = Server::start(dir.path(), "--threads 2");
    let mut client = server.connect();
    let mut all = Vec::new();
    for _ in 0..20 {
        let raw = [("Content-Type", "application/octet-stream")];
        all.extend(client.request("POST", "/api/predict?top=1", &raw, &[200; 784]));
        all.extend(client.request("GET", "/api/health", &[], b""));
    }
    client.send(&all);
    for _ in 0..20 {
        assert!(client.answer(true).unwrap().right()["predictions"].is_array());
        assert_eq!(client.answer(true).unwrap().right()["status"], "ok");
    }
}
