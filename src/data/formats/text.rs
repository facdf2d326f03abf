//! The text of a file, decoded as the study's own tables are.

use super::shown;
use crate::data::table::{Encoding, decode};
use crate::error::Error;
use std::path::Path;

/// The text and, where it is not plain UTF-8, a note that says what was found.
pub(super) fn read(path: &Path) -> Result<(String, Option<String>), Error> {
    let file = shown(path);
    let (text, encoding) = decode(&file, crate::files::read(path)?)?;
    let note = (encoding != Encoding::Utf8).then(|| format!("{file}: the text is {}", encoding.name()));
    Ok((text, note))
}

/// Lines with their number from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}
