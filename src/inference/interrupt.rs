//! Ctrl-C as a flag that a run looks at between batches.

use crate::error::Error;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
static HANDLER: OnceLock<Result<(), String>> = OnceLock::new();

/// The flag that Ctrl-C raises. The first Ctrl-C asks for an orderly end, the second ends the process at once.
///
/// # Errors
/// The system takes no handler.
pub fn flag() -> Result<&'static AtomicBool, Error> {
    let set = || {
        ctrlc::set_handler(|| {
            if ASKED.swap(true, Ordering::SeqCst) {
                // 128 + SIGINT, what a shell expects of a program ended by Ctrl-C.
                std::process::exit(130);
            }
        })
        .map_err(|error| error.to_string())
    };
    match HANDLER.get_or_init(set) {
        Ok(()) => Ok(&ASKED),
        Err(reason) => Err(Error::Internal(format!("no handler for Ctrl-C: {reason}"))),
    }
}
