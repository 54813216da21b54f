//! Answers: their headers, and the errors among them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::error::one_line;

/// What a connection beyond the limit is told, as bytes: it has no HTTP yet.
pub(super) const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\n\
    cache-control: no-store\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    content-length: 95\r\n\r\n\
    {\"error\":\"found too many connections at a time: expected fewer; try again in a second, \
    please\"}";

/// What every answer has: a browser is to guess nothing, to tell no other page, to keep nothing.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// What the page may do: run what is in it, and ask this server. Its own `<meta>` may say less.
const OF_PAGE: &str = include_str!("page.csp").trim_ascii();

const OF_DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Html,
    Json,
}

/// The body of an answer, in one piece.
pub(super) struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// An answer with this body.
pub(super) fn whole(kind: Kind, body: Bytes) -> Response<Whole> {
    let mut response = Response::new(Whole(Some(body)));
    let (content, policy) = match kind {
        Kind::Html => ("text/html; charset=utf-8", OF_PAGE),
        Kind::Json => ("application/json", OF_DATA),
    };
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// The answer to OPTIONS: the methods that there are.
pub(super) fn options(allow: &'static str) -> Response<Whole> {
    let mut response = whole(Kind::Json, Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.body_mut() = Whole(None);
    response.headers_mut().remove(header::CONTENT_TYPE);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// Why a request has no answer of its own.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// One line: what was found, what was expected, what to do.
    text: String,
    /// The methods that there are, where it is the method that is wrong.
    allow: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: one_line(&text.into()), allow: None }
    }

    /// The request itself is wrong.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// There is too much of something.
    pub(super) fn large(text: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, text)
    }

    /// Another request may be served.
    pub(super) fn busy(text: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
    }

    /// There is none of the memory left that a request needs.
    pub(super) fn no_room() -> Self {
        Self::busy("found no memory free for it: try again in a second")
    }

    pub(super) fn method(found: &hyper::Method, allow: &'static str) -> Self {
        let text = format!("found the method {found}: expected {allow}");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, text) }
    }

    pub(super) fn into_response(self) -> Response<Whole> {
        let body = serde_json::json!({ "error": self.text }).to_string();
        let mut response = whole(Kind::Json, body.into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // The rest of the request does not come, or is not read.
            StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_for_too_many_are_an_answer() {
        let (head, body) = FULL.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert!(body["error"].as_str().unwrap().starts_with("found too many connections"));
    }
}
