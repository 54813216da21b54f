//! Whose requests are answered: programs on this machine, and the server's own page.
//!
//! A page of another site can make a browser send requests here. It cannot choose their Host,
//! which is the name that the browser found this address by, nor leave out their Origin.

use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::{Method, StatusCode, Uri};

use super::reply::Refusal;

/// The names of this machine.
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Checks that a request comes to this server by its own name, and from no other page.
///
/// # Errors
/// 400 without one Host, 421 for another name, 403 for another page.
pub(super) fn check(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    port: u16,
) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        let text = "found no Host header, or several: expected one, as HTTP/1.1 has it";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, text));
    };
    let host = text(host);
    // A request to a proxy names the host once more, and there that one counts.
    let named = uri.authority().map(|authority| authority.as_str());
    for found in [Some(host), named].into_iter().flatten() {
        if !is_here(found, port) {
            let text = format!(
                "found the host {found}: expected localhost:{port} or 127.0.0.1:{port}; open \
                 http://localhost:{port}/"
            );
            return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, text));
        }
    }
    let foreign = |found: &str| {
        let text = format!(
            "found a request of another page ({found}): expected one of a program on this \
             machine, or of http://{host}/ itself"
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, text))
    };
    for origin in headers.get_all(ORIGIN) {
        let origin = text(origin);
        if !origin.strip_prefix("http://").is_some_and(|own| own.eq_ignore_ascii_case(host)) {
            return foreign(&format!("Origin {origin}"));
        }
    }
    let says = |name: HeaderName| headers.get(name).map(text);
    // To open the page by a link on another one is right; to load something of it is not.
    let opens = *method == Method::GET
        && says(FETCH_MODE) == Some("navigate")
        && says(FETCH_DEST) == Some("document");
    match says(FETCH_SITE) {
        Some(site @ ("cross-site" | "same-site")) if !opens => {
            foreign(&format!("Sec-Fetch-Site {site}"))
        }
        _ => Ok(()),
    }
}

/// A header as text; nothing that is allowed, where it is none.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("?")
}

/// Whether `host`, a name and perhaps a port, is this server.
fn is_here(host: &str, port: u16) -> bool {
    let (name, found) = match host.rsplit_once(':') {
        Some((name, digits)) if !digits.ends_with(']') => (name, digits.parse().ok()),
        _ => (host, Some(80)),
    };
    found == Some(port) && NAMES.iter().any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_server() {
        for (host, port) in [
            ("localhost:8080", 8080),
            ("LocalHost:8080", 8080),
            ("127.0.0.1:1", 1),
            ("[::1]:8080", 8080),
            ("[::1]", 80),
            ("localhost", 80),
        ] {
            assert!(is_here(host, port), "{host}");
        }
        for host in [
            "",
            "localhost",
            "localhost:",
            "localhost:80",
            "localhost:80800",
            "localhost:8080:8080",
            "localhost.:8080",
            "user@localhost:8080",
            "127.0.0.1.evil.org:8080",
            "evil.org:8080",
            "127.1:8080",
            "0.0.0.0:8080",
            "[::1]:",
            "::1:8080",
            "[::1",
        ] {
            assert!(!is_here(host, 8080), "{host}");
        }
    }

    #[test]
    fn the_page_is_opened_by_links_and_by_nothing_else() {
        let check = |method: Method, lines: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("localhost:8080"));
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            check(&method, &Uri::from_static("/"), &headers, 8080).map_err(|error| error.status)
        };
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert_eq!(check(Method::GET, &link), Ok(()));
        assert_eq!(check(Method::POST, &link), Err(StatusCode::FORBIDDEN));
        let mut frame = link;
        frame[2].1 = "iframe";
        assert_eq!(check(Method::GET, &frame), Err(StatusCode::FORBIDDEN));
        for site in ["cross-site", "same-site"] {
            let lines = [("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")];
            assert_eq!(check(Method::GET, &lines), Err(StatusCode::FORBIDDEN));
        }
        for site in ["same-origin", "none"] {
            assert_eq!(check(Method::POST, &[("sec-fetch-site", site)]), Ok(()));
        }
    }
}
