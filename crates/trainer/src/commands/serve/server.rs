//! The server: what it has, how much of it, and the loop that takes connections.
//!
//! Everything that clients could use up has a limit: connections, the time that each part of a
//! request takes, the bytes of bodies, pictures and answers in memory, threads that compute. What is
//! beyond is refused with a status that says so. The loop itself never waits for a client.

use std::net;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Bytes;
use kernels::Isa;
use nn::Predictor;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::{connection, openapi};
use crate::error::Error;
use crate::model::Model;
use crate::{card, page};

/// Bytes of bodies, pictures and answers that are in memory at a time.
pub(super) const MEMORY: usize = 256 << 20;

/// Connections beyond the limit that are being told so at a time, with an end that waits for the
/// client. With the others they stay below the 1024 descriptors that a process mostly has.
const REFUSALS: usize = 256;

/// How long the loop waits where the system has no file descriptor for a connection.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

/// How much a server takes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) connections: usize,
    /// Requests that are computed at a time, each on one thread.
    pub(super) threads: usize,
    /// For the head of a request, idle connections, and a thread to become free.
    pub(super) wait: Duration,
}

impl Limits {
    /// For a body to come, and for an answer to be taken.
    pub(super) fn transfer(&self) -> Duration {
        self.wait.saturating_mul(3)
    }
}

/// What all connections share.
pub(super) struct App {
    pub(super) model: &'static Model,
    /// The names of its classes or labels; none if it predicts numbers.
    pub(super) names: &'static [String],
    pub(super) isa: Isa,
    pub(super) port: u16,
    pub(super) limits: Limits,
    verbose: bool,
    pub(super) page: Bytes,
    pub(super) card: Bytes,
    pub(super) openapi: Bytes,
    pub(super) health: Bytes,
    /// A permit for each request that is computed.
    pub(super) threads: Arc<Semaphore>,
    /// A permit for each KiB.
    memory: Arc<Semaphore>,
    /// Predictors that no request uses now.
    pub(super) predictors: Mutex<Vec<Predictor<'static>>>,
    /// Whoever decodes a large picture has it.
    pub(super) large_picture: Mutex<()>,
    answered: AtomicUsize,
}

impl App {
    pub(super) fn new(
        model: &'static Model,
        isa: Isa,
        port: u16,
        limits: Limits,
        verbose: bool,
    ) -> Result<Self, Error> {
        let json = |value: serde_json::Value| Bytes::from(value.to_string());
        let version = env!("CARGO_PKG_VERSION");
        Ok(Self {
            model,
            names: Vec::leak(card::names(model)),
            isa,
            port,
            limits,
            verbose,
            page: page::html(model).into(),
            card: json(card::card(model)),
            openapi: Bytes::from(openapi::text()),
            health: json(serde_json::json!({ "status": "ok", "version": version })),
            threads: Arc::new(Semaphore::new(limits.threads)),
            memory: Arc::new(Semaphore::new(MEMORY / 1024)),
            predictors: Mutex::default(),
            large_picture: Mutex::default(),
            answered: AtomicUsize::new(0),
        })
    }

    /// Room for `bytes`, if there is some.
    pub(super) fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).ok()?;
        Arc::clone(&self.memory).try_acquire_many_owned(kib).ok()
    }

    /// The number of requests so far that have their answer.
    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// A request has its answer; `line` says which, for the user who wants to see them.
    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        if self.verbose {
            use std::io::Write;
            let line = crate::error::one_line(&line());
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

/// Serves until the process ends.
///
/// One thread takes connections, reads and writes; requests are computed on others.
pub(super) fn run(app: &Arc<App>, listener: net::TcpListener) -> Result<(), Error> {
    listener.set_nonblocking(true).map_err(Error::Listen)?;
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(app.limits.threads)
        .build()
        .map_err(Error::Listen)?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).map_err(Error::Listen)?;
        let connections = Arc::new(Semaphore::new(app.limits.connections));
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                sleep(NO_DESCRIPTOR).await;
                continue;
            };
            // Without it, an answer of two packets waits for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            if let Ok(permit) = Arc::clone(&connections).try_acquire_owned() {
                let app = Arc::clone(app);
                tokio::spawn(async move {
                    connection::serve(&app, stream).await;
                    drop(permit);
                });
            } else if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                let wait = app.limits.wait;
                tokio::spawn(async move {
                    connection::refuse(stream, wait).await;
                    drop(permit);
                });
            } else {
                connection::refuse_at_once(stream);
            }
        }
    })
}
