//! The one file of a SQLite database, and the lock that keeps it for one server.
//!
//! Invariant: however a file is called (through links, or by a relative path), it has one lock, because
//! its name is resolved before the lock file beside it is made. Nothing is made beside what is no file.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::OpenError;

/// Keeps other servers away from a SQLite file while it lives.
#[derive(Clone, Debug, Default)]
pub(in crate::storage::sql) struct FileLock(Arc<Mutex<Option<File>>>);

impl FileLock {
    /// Takes the lock of a file whose name is resolved.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let fail = |cause| OpenError::File { path: path.to_owned(), cause };
        let file = File::options().create(true).write(true).truncate(false).open(beside).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(Arc::new(Mutex::new(Some(file))))),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(cause)) => Err(fail(cause)),
        }
    }

    /// Lets the next server in.
    pub(in crate::storage::sql) fn release(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Returns the one true name of a file. Where nothing is, an empty file is made (also at the end of a
/// link), which SQLite takes for an empty database.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    let fail = |cause| OpenError::File { path: path.to_owned(), cause };
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(OpenError::NotAFile { path: path.to_owned() }),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            File::options().create(true).append(true).open(path).map(drop).map_err(fail)?;
        }
        Err(error) => return Err(fail(error)),
    }
    fs::canonicalize(path).map_err(fail)
}
