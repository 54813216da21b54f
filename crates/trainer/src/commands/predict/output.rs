//! Where answers go.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use nn::files::NewFile;

use crate::data;
use crate::error::Error;
use crate::streams;

/// Stdout, or a file that appears when it is whole.
pub(super) enum Output {
    Stdout(BufWriter<io::Stdout>),
    File {
        writer: BufWriter<NewFile>,
        path: PathBuf,
        /// The bytes of the inputs that are complete.
        kept: u64,
        /// The bytes so far.
        len: u64,
    },
}

impl Output {
    pub(super) fn new(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            streams::check_stdout()?;
            return Ok(Self::Stdout(BufWriter::new(io::stdout())));
        };
        let path = data::home(path).into_owned();
        let file = NewFile::create(&path).map_err(Error::io("write", &path))?;
        Ok(Self::File { writer: BufWriter::new(file), path, kept: 0, len: 0 })
    }

    /// The temporary file that has the answers so far, if there is one.
    pub(super) fn part(&self) -> Option<&Path> {
        match self {
            Self::Stdout(_) => None,
            Self::File { writer, .. } => writer.get_ref().part(),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Stdout(writer) => writer.write_all(bytes).map_err(Error::Stdout),
            Self::File { writer, path, len, .. } => {
                *len += bytes.len() as u64;
                writer.write_all(bytes).map_err(Error::io("write", path))
            }
        }
    }

    /// Hands on what was written so far, so that a program at the other end of a pipe has it.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        match self {
            Self::Stdout(writer) => writer.flush().map_err(Error::Stdout),
            // Nobody reads a file in the making.
            Self::File { writer, .. } if writer.get_ref().part().is_some() => Ok(()),
            Self::File { writer, path, .. } => writer.flush().map_err(Error::io("write", path)),
        }
    }

    /// All answers of an input are written.
    pub(super) fn keep(&mut self) {
        if let Self::File { kept, len, .. } = self {
            *kept = *len;
        }
    }

    /// Leaves out the answers of an input that has failed, as far as they are not handed on.
    pub(super) fn leave_out(&mut self) -> Result<(), Error> {
        if let Self::File { writer, path, kept, len } = self
            && writer.get_ref().part().is_some()
        {
            let cut = writer.flush().and_then(|()| writer.get_mut().truncate(*kept));
            cut.map_err(Error::io("write", path))?;
            *len = *kept;
        }
        Ok(())
    }

    /// Everything was written.
    pub(super) fn finish(self) -> Result<(), Error> {
        match self {
            Self::Stdout(mut writer) => match writer.flush() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
                _ => Ok(()),
            },
            Self::File { writer, path, .. } => {
                let file = writer.into_inner().map_err(io::IntoInnerError::into_error);
                file.and_then(NewFile::finish).map_err(Error::io("write", &path))
            }
        }
    }
}
