//! The routes: which path and method is answered how.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;

use super::ask::{self, Content, Options};
use super::connection::Held;
use super::framing::Requests;
use super::reply::{self, Kind, Refusal, Whole};
use super::server::App;
use super::{guard, predict};

/// What there is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Page,
    Health,
    Model,
    OpenApi,
    Predict,
}

impl Route {
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("/", Self::Page),
        ("/api/health", Self::Health),
        ("/api/model", Self::Model),
        ("/api/openapi.json", Self::OpenApi),
        ("/api/predict", Self::Predict),
    ];

    pub(super) fn allow(self) -> &'static str {
        if self == Self::Predict { "POST, OPTIONS" } else { "GET, HEAD, OPTIONS" }
    }
}

/// Answers a request; an error is an answer too.
pub(super) async fn answer(
    app: &Arc<App>,
    request: Request<Incoming>,
    held: Held,
    requests: Requests,
) -> Result<Response<Whole>, Infallible> {
    let began = Instant::now();
    let number = requests.take();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let is_too_large = || requests.is_too_large(number);
    let response = respond(app, request, &held, is_too_large).await;
    let response = response.unwrap_or_else(Refusal::into_response);
    app.note(|| {
        let millis = 1e3 * began.elapsed().as_secs_f64();
        format!("{method} {path} {} {millis:.1} ms", response.status().as_u16())
    });
    Ok(response)
}

async fn respond(
    app: &Arc<App>,
    request: Request<Incoming>,
    held: &Held,
    is_too_large: impl Fn() -> bool,
) -> Result<Response<Whole>, Refusal> {
    let (method, uri) = (request.method(), request.uri());
    guard::check(method, uri, request.headers(), app.port)?;
    if *method == Method::OPTIONS && uri.path() == "*" {
        return Ok(reply::options("GET, HEAD, POST, OPTIONS"));
    }
    let Some((_, route)) = Route::ALL.iter().find(|(path, _)| *path == uri.path()) else {
        let paths = Route::ALL.map(|(path, _)| path).join(", ");
        let text = format!("found no {}: expected one of {paths}", uri.path());
        return Err(Refusal::new(StatusCode::NOT_FOUND, text));
    };
    if *method == Method::OPTIONS {
        return Ok(reply::options(route.allow()));
    }
    let reads = *method == Method::GET || *method == Method::HEAD;
    match route {
        Route::Predict if *method == Method::POST => {
            predicted(app, request, held, is_too_large).await
        }
        Route::Page if reads => Ok(reply::whole(Kind::Html, app.page.clone())),
        Route::Health if reads => Ok(reply::whole(Kind::Json, app.health.clone())),
        Route::Model if reads => Ok(reply::whole(Kind::Json, app.card.clone())),
        Route::OpenApi if reads => Ok(reply::whole(Kind::Json, app.openapi.clone())),
        _ => Err(Refusal::method(method, route.allow())),
    }
}

/// Answers with what the model says of the body.
async fn predicted(
    app: &Arc<App>,
    request: Request<Incoming>,
    held: &Held,
    is_too_large: impl Fn() -> bool,
) -> Result<Response<Whole>, Refusal> {
    let options = Options::parse(request.uri().query().unwrap_or_default())?;
    let content = Content::of(request.headers(), predict::takes(app.model))?;
    let (body, room) = {
        let room = app.room(ask::room(content, request.body())?).ok_or_else(Refusal::no_room)?;
        let read = timeout(app.limits.transfer(), ask::read(request.into_body(), is_too_large));
        let late = |_| {
            let text = format!(
                "found no end of the body after {} s: expected all of it by then",
                app.limits.transfer().as_secs_f64()
            );
            Refusal::new(StatusCode::REQUEST_TIMEOUT, text)
        };
        (read.await.map_err(late)??, room)
    };
    let thread = timeout(app.limits.wait, Arc::clone(&app.threads).acquire_owned()).await;
    let Ok(Ok(thread)) = thread else {
        return Err(Refusal::busy("found all threads at work: try again in a second"));
    };
    let own = Arc::clone(app);
    let work = tokio::task::spawn_blocking(move || {
        // Both until the work is done, also if the client has gone by then.
        let _until_done = (thread, room);
        predict::predict(&own, content, options, &body)
    });
    let failed = |_| {
        let text = "the prediction failed, which is a fault of this program: please report it";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    };
    let answer: Bytes = work.await.map_err(failed)??.into();
    held.add(app.room(answer.len()).ok_or_else(Refusal::no_room)?);
    Ok(reply::whole(Kind::Json, answer))
}
