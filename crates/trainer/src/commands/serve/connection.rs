//! A connection: its bytes, its time limits, and how it ends.

use std::future::poll_fn;
use std::io::{self, IoSlice, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{self, ReadBufCursor};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{self, Sleep, timeout};

use super::framing::Requests;
use super::reply::FULL;
use super::routes;
use super::server::App;

/// Bytes of the head of a request, all its headers included.
pub(super) const MOST_HEAD: usize = 16 << 10;

/// Headers of a request.
const MOST_HEADERS: usize = 64;

/// Bytes that are read in one go.
const CHUNK: usize = 16 << 10;

/// What is read of a client that goes on sending after its last answer: if it were not, the
/// system would throw away the answer that is on its way.
const MOST_DRAINED: usize = 16 << 20;

/// How long the end of a connection takes at the most.
const DRAINING: Duration = Duration::from_secs(2);

/// Answers the requests of a connection, one after another, until either side ends it.
pub(super) async fn serve(app: &Arc<App>, stream: TcpStream) {
    let (stream, held, requests) = (Arc::new(stream), Held::default(), Requests::default());
    let bytes = Connection {
        stream: Arc::clone(&stream),
        held: held.clone(),
        requests: requests.clone(),
        limit: app.limits.transfer(),
        deadline: None,
    };
    let service =
        service_fn(|request| routes::answer(app, request, held.clone(), requests.clone()));
    let mut http = http1::Builder::new();
    http.timer(Timer)
        .header_read_timeout(app.limits.wait)
        .max_buf_size(MOST_HEAD)
        .max_headers(MOST_HEADERS);
    // A client that breaks the rules has been told so, if it could be.
    let _ = http.serve_connection(bytes, service).await;
    // The last one that has it.
    if let Some(stream) = Arc::into_inner(stream) {
        end(stream, app.limits.wait).await;
    }
}

/// Says that there are too many connections.
pub(super) async fn refuse(stream: TcpStream, wait: Duration) {
    let mut rest = FULL.as_bytes();
    let write = async {
        while !rest.is_empty() && stream.writable().await.is_ok() {
            match stream.try_write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
    };
    if timeout(wait, write).await.is_ok() {
        end(stream, wait).await;
    }
}

/// As [`refuse`], without waiting: the client may miss it.
pub(super) fn refuse_at_once(stream: TcpStream) {
    let _ = stream.into_std().and_then(|mut stream| stream.write(FULL.as_bytes()));
}

/// Ends a connection so that the client gets all that was written: no more is written, and what
/// it still sends is thrown away.
async fn end(mut stream: TcpStream, wait: Duration) {
    if poll_fn(|cx| Pin::new(&mut stream).poll_shutdown(cx)).await.is_err() {
        return;
    }
    let drain = async {
        let (mut chunk, mut drained) = ([0; CHUNK], 0);
        while drained < MOST_DRAINED && stream.readable().await.is_ok() {
            match stream.try_read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => drained += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
    };
    let _ = timeout(wait.min(DRAINING), drain).await;
}

/// The room that the answers of a connection take until they are written.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Mutex<Vec<OwnedSemaphorePermit>>>);

impl Held {
    pub(super) fn add(&self, room: OwnedSemaphorePermit) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(room);
    }

    fn release(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The bytes of a connection, as hyper takes them.
struct Connection {
    stream: Arc<TcpStream>,
    held: Held,
    requests: Requests,
    /// For the client to take what is written.
    limit: Duration,
    /// While it does not.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    /// Calls `write` when the stream can be written, until the time is over.
    fn write(
        &mut self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.stream.poll_write_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => {
                    let limit = self.limit;
                    let deadline = || Box::pin(time::sleep(limit));
                    ready!(self.deadline.get_or_insert_with(deadline).as_mut().poll(cx));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            match write(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl rt::Read for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Copied once, because a buffer without values yet would need `unsafe`.
        let mut chunk = [0; CHUNK];
        let most = buffer.remaining().min(CHUNK);
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read(&mut chunk[..most]) {
                Ok(count) => {
                    self.requests.feed(&chunk[..count]);
                    buffer.put_slice(&chunk[..count]);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl rt::Write for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |stream| stream.try_write(bytes))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |stream| stream.try_write_vectored(bytes))
    }

    /// hyper calls it when it has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.deadline = None;
        self.held.release();
        Poll::Ready(Ok(()))
    }

    /// [`end`] does it.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// tokio's clock, as hyper takes it.
struct Timer;

struct Slept(Pin<Box<Sleep>>);

impl rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(Slept(Box::pin(time::sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(Slept(Box::pin(time::sleep_until(deadline.into()))))
    }
}

impl Future for Slept {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl rt::Sleep for Slept {}
