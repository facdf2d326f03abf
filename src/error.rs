//! The one error of the crate's rooms that read, lock, run or write; the command line turns it into an exit code.

use crate::fault::{Fault, Faults};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something in an input file is wrong; every fault is listed with its place.
    #[error(transparent)]
    Input(#[from] Faults),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// The tool could do it and will not: the inputs differ from the lock, the ledger's chain is broken, …
    #[error("{0}")]
    Refused(String),
    #[error("interrupted; what was finished is kept")]
    Interrupted,
    /// A fault of this tool, not of its user.
    #[error("internal fault, please report it: {0}")]
    Internal(String),
}

impl Error {
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Input(fault.into())
    }
}
