//! Requests that are wrong: each is an answer, a line of JSON, and the server goes on.

use serde_json::json;

use super::{Server, images, iris};
use crate::data::{gzip, pgm};

#[test]
fn routes_and_methods() {
    let dir = images();
    let server = Server::start(dir.path(), "");
    server.get("/api").check(404, "found no /api: expected one of /, /api/health");
    server.get("/API/health").check(404, "found no /API/health");
    server.get("/api/model/").check(404, "found no /api/model/");
    server.get("/../etc/passwd").check(404, "found no /../etc/passwd");
    for (method, path, allow) in [
        ("GET", "/api/predict", "POST, OPTIONS"),
        ("HEAD", "/api/predict", "POST, OPTIONS"),
        ("PUT", "/api/predict", "POST, OPTIONS"),
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/model", "GET, HEAD, OPTIONS"),
        ("BREW", "/api/health", "GET, HEAD, OPTIONS"),
    ] {
        let answer = server.connect().ask(method, path, &[], b"");
        assert_eq!((answer.status, &*answer.headers["allow"]), (405, allow), "{method} {path}");
        if method != "HEAD" {
            answer.check(405, &format!("found the method {method}: expected {allow}"));
        }
        let answer = server.connect().ask("OPTIONS", path, &[], b"");
        assert_eq!((answer.status, &*answer.headers["allow"]), (204, allow), "{path}");
        assert!(answer.body.is_empty());
    }
    let all = server.connect().ask("OPTIONS", "*", &[], b"");
    assert_eq!((all.status, &*all.headers["allow"]), (204, "GET, HEAD, POST, OPTIONS"));

    // HEAD is GET without the body, on a connection that goes on.
    let mut client = server.connect();
    for path in ["/", "/api/health", "/api/model", "/api/openapi.json"] {
        let get = client.ask("GET", path, &[], b"");
        let head = client.ask("HEAD", path, &[], b"");
        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert_eq!(head.headers["content-length"], get.body.len().to_string());
        assert_eq!(head.headers["content-type"], get.headers["content-type"]);
    }
    assert!(client.ask("GET", "/", &[], b"").headers["content-type"].starts_with("text/html"));
}

/// What is no HTTP, or too much of it, ends the connection and nothing else.
#[test]
fn what_is_no_request() {
    let dir = images();
    let server = Server::start(dir.path(), "");
    let host = format!("Host: 127.0.0.1:{}\r\n", server.port);
    let long = format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(70));
    let both = format!(
        "POST /api/predict HTTP/1.1\r\n{host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
    );
    for (why, request, status) in [
        ("no line", "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", 400),
        ("no version", "GET /\r\n\r\n", 400),
        ("a header without a name", "GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
        ("a header with a zero", "GET / HTTP/1.1\r\nA: \0\r\n\r\n", 400),
        ("a long header", &long, 431),
        ("many headers", &many, 431),
        ("two lengths", &both, 400),
    ] {
        let mut client = server.connect();
        client.send(request.as_bytes());
        let answer = client.answer(true).unwrap_or_else(|| panic!("{why}"));
        assert_eq!(answer.status, status, "{why}");
        assert!(client.has_ended(), "{why}");
    }
    // What may be the beginning of another protocol has no answer.
    let mut client = server.connect();
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert!(client.has_ended());
    // It ends in the middle.
    for request in ["", "GET", &format!("GET / HTTP/1.1\r\n{host}")] {
        server.connect().send(request.as_bytes());
    }
    server.get("/api/health").right();
}

/// Other pages can send requests by a browser, but not under this server's name.
#[test]
fn other_sites() {
    let dir = images();
    let server = Server::start(dir.path(), "");
    let port = server.port;
    let with = |line: &str, lines: &str| {
        let mut client = server.connect();
        client.send(format!("GET {line} HTTP/1.1\r\n{lines}\r\n").as_bytes());
        client.answer(true).unwrap()
    };
    for own in ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"] {
        with("/api/health", &format!("Host: {own}:{port}\r\n")).right();
        let origin = format!("Host: {own}:{port}\r\nOrigin: http://{own}:{port}\r\n");
        with("/api/health", &origin).right();
    }
    for foreign in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{}", port ^ 1),
        format!("127.0.0.1.evil.example:{port}"),
    ] {
        with("/api/health", &format!("Host: {foreign}\r\n")).check(421, "found the host");
    }
    with("/", "").check(400, "found no Host header");
    let own = format!("Host: 127.0.0.1:{port}\r\n");
    with("/", &format!("{own}Host: evil.example\r\n")).check(400, "or several");
    with("http://evil.example/", &own).check(421, "found the host evil.example");
    for origin in [
        "null".to_owned(),
        "http://evil.example".to_owned(),
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{}", port ^ 1),
    ] {
        let lines = format!("{own}Origin: {origin}\r\n");
        with("/api/health", &lines).check(403, "found a request of another page (Origin ");
    }
    let image = format!("{own}Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n");
    with("/api/model", &image).check(403, "Sec-Fetch-Site cross-site");

    // No answer tells another page anything, also none of the errors.
    for answer in [server.get("/"), server.get("/api/model"), server.get("/nothing")] {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.headers[name], value);
        }
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!answer.headers.keys().any(|name| name.starts_with("access-control")));
    }
}

/// A JPEG file without pixels, whose frame is of this kind and this size and in colours.
fn frame(kind: u8, rows: u16, cols: u16) -> Vec<u8> {
    let (rows, cols) = (rows.to_be_bytes(), cols.to_be_bytes());
    let colours = [3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
    let start = [0xff, 0xd8, 0xff, kind, 0, 17, 8];
    [&start[..], &rows, &cols, &colours, &[0xff, 0xd9]].concat()
}

#[test]
fn bodies_for_a_model_of_images() {
    let dir = images();
    let server = Server::start(dir.path(), "");
    let post = |content: &str, body: &[u8]| server.post("/api/predict", content, body);
    let curl = "expected image/png, image/jpeg, application/octet-stream or application/json; with \
                curl, write -H 'Content-Type: image/png' --data-binary @picture.png";
    post("application/x-www-form-urlencoded", b"x").check(415, curl);
    post("text/plain", b"x").check(415, "found the Content-Type \"text/plain\"");
    server.connect().ask("POST", "/api/predict", &[], b"x").check(415, "found no Content-Type");
    let packed = [("Content-Type", "text/csv"), ("Content-Encoding", "gzip")];
    server.connect().ask("POST", "/api/predict", &packed, b"x").check(415, "Content-Encoding");

    post("image/png", b"").check(400, "body: found an empty file");
    post("image/png", b"GIF89a").check(400, "expected a picture");
    post("image/png", &pgm(28, &[0; 784])[..99]).check(400, "cut short");
    // A few bytes announce many pixels: nothing of them is decoded.
    post("image/png", b"P5 65535 65535 255\n").check(413, "found a picture of 65535 x 65535");
    post("image/png", b"P5 6000 6000 255\n").check(413, "no more than 32000000 in all");
    post("image/png", b"P5 5000 5000 255\n").check(400, "expected at least 25000017");
    // As many pixels, of which progressive ones take more memory than a request has.
    post("image/jpeg", &frame(0xc0, 5000, 6000)).check(400, "found a damaged JPEG file");
    post("image/jpeg", &frame(0xc2, 5000, 6000)).check(
        413,
        "found a picture that takes 361.6 MB of memory to decode: expected no more than 257.9 MB; \
         save it smaller",
    );
    post("image/jpeg", &frame(0xc2, 500, 600)).check(400, "found a damaged JPEG file");

    post("application/octet-stream", b"").check(400, "a whole number of images of 784 bytes");
    post("application/octet-stream", &[0; 785]).check(400, "found 785 bytes");
    post("application/json", b"{\"pixels\":[1,2]}").check(400, "found 2 bytes");
    post("application/json", b"{\"pixels\":[256]}")
        .check(400, "found the number `256` at line 1, byte 14: expected a pixel");
    post("application/json", b"[[1,2]]").check(400, "the model takes images: send a picture");
    post("text/csv", b"a\n1\n").check(400, "the model takes images: send a picture");
    post("application/json", &b"[".repeat(100_000)).check(400, "found a list at line 1, byte 3");
    post("application/json", b"\xff\xfe").check(400, "found what is no JSON at line 1, byte 1");

    let ask = |query: &str, count: usize| {
        let path = format!("/api/predict?{query}");
        server.post(&path, "application/octet-stream", &vec![9; 784 * count])
    };
    ask("top=0", 1).check(400, "found `top=0`: expected top=K");
    ask("best=1", 1).check(400, "found `best=1`: expected top=K, layers=1 or image=1");
    ask("layers=1", 2).check(400, "found several samples");
    ask("image=1", 2).check(400, "found several samples");
    ask("top=1", 10_001).check(413, "found 10001 samples or more: expected no more than 10000");
    server.get("/api/health").right();
}

#[test]
fn bodies_for_a_model_of_a_table() {
    let dir = iris();
    let server = Server::start(dir.path(), "");
    let post = |content: &str, body: &[u8]| server.post("/api/predict", content, body);
    let curl = "expected text/csv, text/tab-separated-values, application/json or \
                application/x-ndjson; with curl, write -H 'Content-Type: text/csv' --data-binary \
                @rows.csv";
    post("text/plain", b"x").check(415, curl);
    let head = crate::data::table("iris.csv").lines().next().unwrap().to_owned();
    post("image/png", b"P5 1 1 255\n0").check(400, "the model takes: send CSV");
    post("application/json", b"{\"pixels\":[1]}").check(400, "the model takes: send CSV");
    post("text/csv", b"").check(400, "body: ");
    post("text/csv", format!("{head}\n").as_bytes()).check(400, "found no rows");
    post("text/csv", b"a,b\n1,2\n").check(400, "found no column");
    post("text/csv", format!("{head}\n1,2,3,x,y\n").as_bytes()).check(400, "line 2");
    post("text/csv", format!("{head}\n1,2,3\n").as_bytes()).check(400, "line 2");
    post("text/csv", &gzip(head.as_bytes())).check(400, "found gzip data");
    post("text/csv", b"\xef\xbb\xbf\n {\"a\":1}\n").check(400, "found JSON lines");
    let lines = |text: &str| post("application/x-ndjson", text.as_bytes());
    lines("").check(400, "found no rows");
    lines("{\"a\":1}\n").check(400, "found no column");
    lines("{\"a\":[1]}\n").check(400, "expected a number, a text or null");
    lines("1\n").check(400, "expected a row");
    lines(&"[1,2,3,4]\n".repeat(10_001)).check(413, "found 10001 samples or more");
    post("application/json", b"[]").check(400, "found no rows");
    post("application/json", b"{\"rows\":[[1,2,3]]}").check(400, "found 3 cells in row 0");
    post("application/json", b"{\"rows\":[{\"a\":1}]}").check(400, "found no column");
    post("application/json", b"[[1,2,3,[4]]]").check(400, "expected a number, a text or null");
    post("application/json", b"[[1,2,3,1e39]]").check(400, "");
    let twice =
        json!({ "rows": [[1, 2, 3, 4]] }).to_string().replace("[1,2,3,4]", "{\"a\":1,\"a\":2}");
    post("application/json", twice.as_bytes()).check(400, "two values for `a`");
    let rows = format!("[{}[1,2,3,4]]", "[1,2,3,4],".repeat(10_000));
    post("application/json", rows.as_bytes()).check(413, "found 10001 samples or more");
    let rows = format!("{head}\n{}", "1,2,3,4,x\n".repeat(10_001));
    post("text/csv", rows.as_bytes()).check(413, "samples or more: expected no more than 10000");
    server.get("/api/health").right();
}
