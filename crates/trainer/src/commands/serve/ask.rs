//! What a request wants to know: its options, and its body.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};

use super::reply::Refusal;

/// Bytes of a body.
pub(super) const MOST_BODY: usize = 10 << 20;

/// Bytes that JSON takes in memory for each byte of its text: `1,` becomes a cell of 32, in a
/// list that may have half as much room again.
const JSON_BYTES: usize = 24;

/// The query of a prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// How many classes, the most probable ones first; otherwise all, in their order.
    pub(super) top: Option<usize>,
    /// Whether hidden units and logits are wanted.
    pub(super) layers: bool,
    /// Whether the image is wanted that the network sees; with `layers` it is anyway.
    pub(super) image: bool,
}

impl Options {
    pub(super) fn parse(query: &str) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let wrong = |expected| Refusal::bad(format!("found `{pair}`: expected {expected}"));
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("top", number) => {
                    let top = number.parse().ok().filter(|top| *top > 0);
                    let top = top.ok_or_else(|| wrong("top=K, a whole number from 1"))?;
                    options.top = Some(top);
                }
                ("layers", "1") => options.layers = true,
                ("layers", "0") => options.layers = false,
                ("layers", _) => return Err(wrong("layers=1 or layers=0")),
                ("image", "1") => options.image = true,
                ("image", "0") => options.image = false,
                ("image", _) => return Err(wrong("image=1 or image=0")),
                _ => return Err(wrong("top=K, layers=1 or image=1")),
            }
        }
        Ok(options)
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A picture, of which its first bytes say the format.
    Picture,
    /// Pixels without a header, a byte each.
    Raw,
    /// A table in text.
    Table,
    /// JSON lines.
    Lines,
    Json,
}

impl Content {
    /// What the header says. `expected` is what the model takes, for the error.
    pub(super) fn of(headers: &HeaderMap, expected: &str) -> Result<Self, Refusal> {
        let refusal = |text| Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        let unsupported = |found: String| refusal(format!("found {found}: expected {expected}"));
        if let Some(found) = headers.get(CONTENT_ENCODING) {
            return refusal(format!(
                "found the Content-Encoding {found:?}: expected none; send the body as it is"
            ));
        }
        let Some(found) = headers.get(CONTENT_TYPE) else {
            return unsupported("no Content-Type".to_owned());
        };
        let text = found.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match &*essence {
            "application/json" => Ok(Self::Json),
            "application/octet-stream" => Ok(Self::Raw),
            "application/x-ndjson" => Ok(Self::Lines),
            "text/csv" | "text/tab-separated-values" => Ok(Self::Table),
            picture if picture.starts_with("image/") && picture != "image/svg+xml" => {
                Ok(Self::Picture)
            }
            _ => unsupported(format!("the Content-Type {found:?}")),
        }
    }
}

/// The bytes of memory that a body needs until it is answered.
pub(super) fn room(content: Content, body: &Incoming) -> Result<usize, Refusal> {
    let hint = body.size_hint();
    if hint.lower() > MOST_BODY as u64 {
        return Err(too_large(&hint.lower().to_string()));
    }
    // Without a length it may be any.
    let most = hint.upper().map_or(MOST_BODY, |most| most.min(MOST_BODY as u64) as usize);
    Ok(match content {
        Content::Json | Content::Lines => most * JSON_BYTES,
        Content::Picture | Content::Raw | Content::Table => most,
    })
}

/// The whole body. `is_too_large` says whether its chunks are, before they have come.
pub(super) async fn read(
    mut body: Incoming,
    is_too_large: impl Fn() -> bool,
) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let too_large = || too_large(&format!("more than {MOST_BODY}"));
    let mut frame = |cx: &mut Context<'_>| match is_too_large() {
        true => Poll::Ready(Some(Err(too_large()))),
        false => Pin::new(&mut body)
            .poll_frame(cx)
            .map_err(|error| Refusal::bad(format!("found no whole body: {error}"))),
    };
    while let Some(frame) = poll_fn(&mut frame).await {
        let Ok(data) = frame?.into_data() else { continue };
        if data.len() > MOST_BODY - bytes.len() {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn too_large(found: &str) -> Refusal {
    Refusal::large(format!(
        "found a body of {found} bytes: expected no more than {MOST_BODY}; send the rows in \
         parts, or save the picture smaller"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_a_query() {
        let parse = |query| Options::parse(query).map_err(|refusal| refusal.status);
        assert_eq!(parse(""), Ok(Options::default()));
        assert_eq!(
            parse("top=3&layers=1"),
            Ok(Options { top: Some(3), layers: true, image: false })
        );
        assert_eq!(parse("image=1"), Ok(Options { image: true, ..Options::default() }));
        assert_eq!(parse("layers=0&"), Ok(Options::default()));
        for wrong in
            ["top=0", "top=-1", "top=", "top", "layers=2", "image=2", "layer=1", "=", "top=3;x"]
        {
            assert_eq!(parse(wrong), Err(StatusCode::BAD_REQUEST), "{wrong}");
        }
    }

    #[test]
    fn types_of_content() {
        let of = |name: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(name) = name {
                headers.insert(CONTENT_TYPE, name.parse().unwrap());
            }
            Content::of(&headers, "").map_err(|refusal| refusal.status)
        };
        assert_eq!(of(Some("image/png")), Ok(Content::Picture));
        assert_eq!(of(Some("IMAGE/JPEG")), Ok(Content::Picture));
        assert_eq!(of(Some("text/csv; charset=utf-8")), Ok(Content::Table));
        assert_eq!(of(Some("application/json")), Ok(Content::Json));
        // A form of any page can send these.
        let forms =
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
        for wrong in forms.into_iter().chain(["", "image", "image/svg+xml"]).map(Some) {
            assert_eq!(of(wrong), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{wrong:?}");
        }
        assert_eq!(of(None), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
}
