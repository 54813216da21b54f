//! Reading ahead: a thread inflates a text while its rows are made into numbers.
//!
//! A few chunks of memory go round. The thread fills one that is empty and hands it over,
//! with as much as one call of `read` gave; here it is emptied and goes back. So the thread
//! is never more than these chunks ahead.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

/// The bytes of a chunk: one fits into an L2 cache, and takes longer to read numbers from
/// than a thread takes to wake up.
const SIZE: usize = 1 << 18;

/// One is read from, one is filled, and two wait for whichever of the two is faster.
const CHUNKS: usize = 4;

/// A text that another thread reads. Dropping it ends the thread after its current read.
pub(crate) struct Ahead {
    /// Gone when the thread is to end, or has ended.
    ends: Option<Ends>,
    thread: Option<JoinHandle<()>>,
    chunk: Vec<u8>,
    /// The bytes of `chunk` that were taken.
    taken: usize,
}

/// This side of the two channels.
struct Ends {
    filled: Receiver<io::Result<Vec<u8>>>,
    empty: Sender<Vec<u8>>,
}

impl Ahead {
    /// Reads `input` in a thread of its own. Gives it back where there are no threads, or
    /// no more of them.
    pub(crate) fn new<R: Read + Send + 'static>(input: R) -> Result<Self, R> {
        let (to_thread, from_here) = channel::<R>();
        let (give, empty_chunks) = channel::<Vec<u8>>();
        let (hand_over, filled) = channel();
        let run = move || {
            let Ok(mut input) = from_here.recv() else { return };
            for mut chunk in empty_chunks {
                chunk.resize(SIZE, 0);
                let read = read_once(&mut input, &mut chunk);
                let last = !matches!(read, Ok(1..));
                let filled = read.map(|count| {
                    chunk.truncate(count);
                    chunk
                });
                if hand_over.send(filled).is_err() || last {
                    return;
                }
            }
        };
        // A thread that cannot be made takes what it was to run with it, so the input comes
        // later.
        let Ok(thread) = Builder::new().name("read ahead".to_owned()).spawn(run) else {
            return Err(input);
        };
        to_thread.send(input).map_err(|unsent| unsent.0)?;
        for _ in 0..CHUNKS {
            // If it has ended, nothing comes of it, and that is found out when it is read.
            let _ = give.send(Vec::new());
        }
        let ends = Some(Ends { filled, empty: give });
        Ok(Self { ends, thread: Some(thread), chunk: Vec::new(), taken: 0 })
    }

    /// Waits for the end of the thread, and goes on with its panic if it had one.
    fn end(&mut self) {
        self.ends = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

/// One part of what `input` gives.
fn read_once(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

impl Read for Ahead {
    /// An error comes after the bytes that were read before it. After it, as after the end,
    /// there is nothing more.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() {
            let Some(ends) = &self.ends else { return Ok(0) };
            let empty = std::mem::take(&mut self.chunk);
            self.taken = 0;
            if empty.capacity() > 0 {
                // A thread that has ended needs none.
                let _ = ends.empty.send(empty);
            }
            match ends.filled.recv() {
                Ok(Ok(chunk)) if !chunk.is_empty() => self.chunk = chunk,
                Ok(Err(error)) => {
                    self.end();
                    return Err(error);
                }
                // The end of the text, or of a thread that panicked.
                Ok(Ok(_)) | Err(_) => self.end(),
            }
        }
        let count = (&self.chunk[self.taken..]).read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // It is told to end, and then waited for: a file is closed when its reader is gone.
        self.ends = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Gives its parts one after the other, and then fails or ends.
    struct Parts {
        parts: std::vec::IntoIter<Vec<u8>>,
        failure: Option<&'static str>,
        /// Others can see whether this reader is there.
        _there: Arc<()>,
    }

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match (self.parts.next(), self.failure.take()) {
                (Some(part), failure) => {
                    self.failure = failure;
                    buffer[..part.len()].copy_from_slice(&part);
                    Ok(part.len())
                }
                (None, Some(failure)) => Err(io::Error::other(failure)),
                (None, None) => Ok(0),
            }
        }
    }

    fn ahead(parts: Vec<Vec<u8>>, failure: Option<&'static str>) -> (Ahead, Arc<()>) {
        let there = Arc::new(());
        let parts = Parts { parts: parts.into_iter(), failure, _there: Arc::clone(&there) };
        let ahead = Ahead::new(parts).unwrap_or_else(|_| panic!("no thread"));
        (ahead, there)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn all_bytes_and_then_the_error(
            parts in vec(vec(any::<u8>(), 1..4), 0..40),
            failure in prop_oneof![Just(None), Just(Some("the disk is gone"))],
            most in 1..9_usize,
        ) {
            let (mut ahead, there) = ahead(parts.clone(), failure);
            let (mut found, mut buffer) = (Vec::new(), [0; 8]);
            let end = loop {
                match ahead.read(&mut buffer[..most]) {
                    Ok(0) => break None,
                    Ok(count) => found.extend_from_slice(&buffer[..count]),
                    Err(error) => break Some(error.to_string()),
                }
            };
            prop_assert_eq!(found, parts.concat());
            prop_assert_eq!(end.as_deref(), failure);
            prop_assert_eq!(ahead.read(&mut buffer).unwrap(), 0);
            // The thread has ended, and its reader is gone.
            prop_assert_eq!(Arc::strong_count(&there), 1);
        }
    }

    #[test]
    fn one_that_is_dropped_ends_its_thread() {
        for read in [0, 1, 100] {
            let (mut ahead, there) = ahead(vec![vec![b'x'; 50]; 1000], None);
            ahead.read_exact(&mut vec![0; read]).unwrap();
            drop(ahead);
            assert_eq!(Arc::strong_count(&there), 1, "{read}");
        }
    }

    #[test]
    #[should_panic(expected = "attempt to subtract")]
    fn a_panic_is_no_end() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("attempt to subtract")
            }
        }
        let _ = Ahead::new(Broken).unwrap_or_else(|_| panic!("no thread")).read(&mut [0]);
    }
}
