//! Files that are written whole or not at all.
//!
//! [`Mlp::save`](crate::Mlp::save) and the checkpoints are written by these functions. They
//! are public for the other files of a run, which should be as safe.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the name of a temporary file begins and ends with.
const PART: (&str, &str) = (".nn-", ".part");

/// The longest chain of symbolic links that is followed, as in Linux.
const MOST_LINKS: usize = 40;

/// Writes a file so that `path` has the old bytes or the new ones, whatever happens
/// meanwhile: another writer, a full disk, the end of the process or of the power.
///
/// The bytes go to a new file with a name of its own in the same directory, then to the
/// disk; then the new file takes the name of the old one, and the directory goes to the
/// disk. A file that is replaced keeps its permissions. A symbolic link stays one: the file
/// that it names is replaced. A device or a pipe cannot be replaced and is written to, and so
/// is `/dev/stdout`, whatever it is.
///
/// A process that is killed may leave a temporary file; [`remove_parts`] removes those of a
/// directory.
///
/// # Errors
/// Those of the operating system. `path` then has the old bytes, unless the last step
/// failed: then it has the new ones, which a loss of power may still undo.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("summary.json");
/// nn::files::write(&path, b"{}")?;
/// assert_eq!(nn::files::read(&path)?, b"{}");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    let mut file = NewFile::create(path)?;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write_all(first)?;
    moment();
    file.write_all(second)?;
    moment();
    file.finish()
}

/// A file in the making, for what is written in parts: [`write()`] is one with all its bytes.
///
/// Until [`finish`](Self::finish), the path has what it had before. Dropping a file that is not
/// finished removes its bytes. It is not buffered.
///
/// ```
/// # use std::io::Write;
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("answers");
/// nn::files::write(&path, b"old")?;
/// let mut file = nn::files::NewFile::create(&path)?;
/// file.write_all(b"new")?;
/// assert_eq!(nn::files::read(&path)?, b"old");
/// file.finish()?;
/// assert_eq!(nn::files::read(&path)?, b"new");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct NewFile {
    file: File,
    /// `None` for a device or a pipe, and once the file is finished.
    part: Option<PathBuf>,
    path: PathBuf,
}

impl NewFile {
    /// Begins the file that `path` is to have; a device or a pipe is opened.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        if is_descriptor(path.as_ref()) {
            let (file, path) = (open_device(path.as_ref())?, path.as_ref().to_owned());
            return Ok(Self { file, part: None, path });
        }
        let path = followed(path.as_ref())?;
        let permissions = match fs::metadata(&path) {
            Ok(found) if found.is_file() => Some(found.permissions()),
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => return Ok(Self { file: open_device(&path)?, part: None, path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let (part, file) = new_part(parent(&path))?;
        moment();
        let new = Self { file, part: Some(part), path };
        if let Some(permissions) = permissions {
            new.file.set_permissions(permissions)?;
        }
        Ok(new)
    }

    /// The temporary file that has the bytes so far; `None` for a device or a pipe, which has
    /// them already.
    #[must_use]
    pub fn part(&self) -> Option<&Path> {
        self.part.as_deref()
    }

    /// Cuts the file after its first `len` bytes, where writing goes on. What a device or a pipe
    /// has stays there.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn truncate(&mut self, len: u64) -> io::Result<()> {
        if self.part.is_some() {
            self.file.set_len(len)?;
            self.file.seek(SeekFrom::Start(len))?;
        }
        Ok(())
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// Those of the operating system, as for [`write()`].
    pub fn finish(mut self) -> io::Result<()> {
        let Some(part) = &self.part else { return Ok(()) };
        self.file.sync_all()?;
        moment();
        fs::rename(part, &self.path)?;
        self.part = None;
        moment();
        sync_dir(parent(&self.path))?;
        moment();
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // The first error matters to the caller, not that cleaning up failed too.
            let _ = fs::remove_file(part);
        }
    }
}

/// Whether a path names what this process has open already, such as `/dev/stdout`. It may be a
/// file, which others may be writing to: it is written on.
fn is_descriptor(path: &Path) -> bool {
    ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc/self/fd"]
        .iter()
        .any(|start| cfg!(unix) && path.starts_with(start))
}

fn open_device(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

/// The directory of a file.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Reads a regular file. Anything else, such as a pipe or a device, is an error, because it
/// may have no end. So is a file that does not fit into memory.
///
/// # Errors
/// Those of the operating system, and those above.
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let (file, size) = open(path.as_ref())?;
    let mut bytes = Vec::new();
    read_up_to(size, &file, &mut bytes)?;
    Ok(bytes)
}

/// Opens a regular file to read it, and says how many bytes it has.
pub(crate) fn open(path: &Path) -> io::Result<(File, u64)> {
    // Before it is opened: to open a pipe without a writer takes for ever.
    let found = fs::metadata(path)?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        let reason = "it is a pipe or a device: expected a file; copy it into one first";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    // Of the open file: another one may have taken its name meanwhile.
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

/// Reads on until `bytes` has `len` bytes, or all that the file has. It is an error if `len`
/// bytes do not fit into memory.
pub(crate) fn read_up_to(len: u64, file: &File, bytes: &mut Vec<u8>) -> io::Result<()> {
    let more = len.saturating_sub(bytes.len() as u64);
    let reserve = usize::try_from(more).map_err(|_| io::ErrorKind::FileTooLarge)?;
    bytes.try_reserve_exact(reserve).map_err(|_| {
        let reason = format!("{len} bytes do not fit into memory");
        io::Error::new(io::ErrorKind::OutOfMemory, reason)
    })?;
    // No more than was reserved, in case the file grows.
    file.take(more).read_to_end(bytes)?;
    Ok(())
}

/// Removes the temporary files that killed processes left in `dir`. Only the one process
/// that writes to the directory may call it.
///
/// # Errors
/// Those of the operating system.
pub fn remove_parts(dir: impl AsRef<Path>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if is_part(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a file of this name is a temporary one of [`write()`].
#[must_use]
pub fn is_part(name: &str) -> bool {
    name.strip_prefix(PART.0).is_some_and(|name| name.ends_with(PART.1))
}

/// The file that `path` names once symbolic links are followed; it need not exist.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                let target = fs::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// A new file in `dir` that no other writer has.
fn new_part(dir: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (start, end) = PART;
        let path = dir.join(OsString::from(format!("{start}{}-{number}{end}", process::id())));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            // Left by a process that had the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            Err(error) => return Err(error),
        }
    }
}

/// Makes the names in a directory last. Where directories cannot be opened or synced, the
/// system takes care of it, or nobody can.
fn sync_dir(dir: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(dir)?.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// A moment at which a test may end the process: in a build with debug assertions, the
/// process aborts at moment number `NN_ABORT_AT`, counted from 1 over all files.
fn moment() {
    #[cfg(debug_assertions)]
    {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = 1 + COUNT.fetch_add(1, Ordering::Relaxed);
        let at = std::env::var("NN_ABORT_AT").ok().and_then(|at| at.parse().ok());
        if at == Some(count) {
            process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        // Files of the user that look like temporary ones of other programs.
        for name in ["a.part", "a.tmp"] {
            fs::write(dir.path().join(name), "mine").unwrap();
        }
        for text in ["one", "another", ""] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(dir.path()), ["a", "a.part", "a.tmp"]);
        assert_eq!(fs::read_to_string(dir.path().join("a.part")).unwrap(), "mine");
    }

    #[test]
    fn a_failure_leaves_the_old_bytes_and_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let is_dir = dir.path().join("dir");
        fs::create_dir(&is_dir).unwrap();
        assert_eq!(write(&is_dir, b"x").unwrap_err().kind(), io::ErrorKind::IsADirectory);
        let below = dir.path().join("missing/a");
        assert_eq!(write(&below, b"x").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(names(dir.path()), ["dir"]);
    }

    #[test]
    fn writers_and_readers_at_one_time_see_whole_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = &dir.path().join("a");
        let bytes = |writer: u8| vec![writer; 10_000 + usize::from(writer)];
        write(path, &bytes(0)).unwrap();
        std::thread::scope(|scope| {
            for writer in 1..=3 {
                scope.spawn(move || {
                    for _ in 0..50 {
                        write(path, &bytes(writer)).unwrap();
                        let found = read(path).unwrap();
                        assert_eq!(found, bytes(found[0]));
                    }
                });
            }
        });
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[test]
    fn what_killed_writers_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".nn-1-0.part", ".nn-99999-7.part", "a.part", ".nn-1", "b"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        remove_parts(dir.path()).unwrap();
        assert_eq!(names(dir.path()), [".nn-1", "a.part", "b"]);
    }

    #[test]
    fn a_file_in_parts_appears_when_it_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        write(&path, b"old").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"one, two").unwrap();
        assert!(file.part().is_some_and(|part| fs::read(part).unwrap() == b"one, two"));
        file.truncate(5).unwrap();
        file.write_all(b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one, three");
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"never").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"one, three");
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let [file, link, far, dangling] =
            ["file", "link", "far", "dangling"].map(|name| dir.path().join(name));
        write(&file, b"old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("file", &link).unwrap();
        symlink(&link, &far).unwrap();
        symlink("new", &dangling).unwrap();
        write(&far, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        write(&dangling, b"x").unwrap();
        assert_eq!(fs::read(dir.path().join("new")).unwrap(), b"x");

        symlink("round", dir.path().join("round")).unwrap();
        assert!(write(dir.path().join("round"), b"x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_written_to_and_not_read() {
        use std::os::unix::fs::FileTypeExt;

        // A pipe of its own: were a device replaced, the machine would have one less.
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut reader = File::options().read(true).write(true).open(&pipe).unwrap();
        write(&pipe, b"x").unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        let mut found = [0];
        reader.read_exact(&mut found).unwrap();
        assert_eq!(found, *b"x");
        let error = read("/dev/zero").unwrap_err();
        assert!(error.to_string().contains("a pipe or a device"), "{error}");
        let error = read(".").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }
}
