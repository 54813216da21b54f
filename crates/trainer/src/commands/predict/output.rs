//! Where answers go.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::data;
use crate::error::Error;

/// Stdout, or a file that appears when it is whole.
pub(super) struct Output {
    target: Target,
}

enum Target {
    Stdout(BufWriter<io::Stdout>),
    /// The file in the making, and what it is to be called.
    File {
        writer: BufWriter<File>,
        part: Option<PathBuf>,
        path: PathBuf,
    },
}

impl Output {
    pub(super) fn new(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self { target: Target::Stdout(BufWriter::new(io::stdout())) });
        };
        // A link stays one: what it names is replaced.
        let path = data::home(path);
        let path = fs::canonicalize(&path).unwrap_or_else(|_| path.into_owned());
        let special = fs::metadata(&path).is_ok_and(|found| !found.is_file());
        let part = (!special).then(|| {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(format!(".part-{}", std::process::id()));
            path.with_file_name(name)
        });
        let file = match &part {
            Some(part) => File::options().write(true).create_new(true).open(part),
            None => File::options().write(true).open(&path),
        };
        let file = file.map_err(Error::io("write", &path))?;
        Ok(Self { target: Target::File { writer: BufWriter::new(file), part, path } })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.target {
            Target::Stdout(writer) => writer.write_all(bytes).map_err(Error::Stdout),
            Target::File { writer, path, .. } => {
                writer.write_all(bytes).map_err(Error::io("write", path))
            }
        }
    }

    /// Hands on what was written so far, so that a program at the other end of a pipe has it.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        match &mut self.target {
            Target::Stdout(writer) => writer.flush().map_err(Error::Stdout),
            Target::File { .. } => Ok(()),
        }
    }

    /// Everything was written.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        match &mut self.target {
            Target::Stdout(writer) => match writer.flush() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
                _ => Ok(()),
            },
            Target::File { writer, part, path } => {
                let done = writer.flush().and_then(|()| match part.take() {
                    Some(part) => {
                        writer.get_ref().sync_all()?;
                        fs::rename(part, &*path)
                    }
                    None => Ok(()),
                });
                done.map_err(Error::io("write", path))
            }
        }
    }
}

/// A file that did not become whole goes.
impl Drop for Output {
    fn drop(&mut self) {
        if let Target::File { part: Some(part), .. } = &self.target {
            let _ = fs::remove_file(part);
        }
    }
}
