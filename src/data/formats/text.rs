//! The text of a file: UTF-8 with or without byte-order mark, or CP949 as Korean Windows programs write it.

use super::shown;
use crate::error::Error;
use crate::fault::Fault;
use encoding_rs::{DecoderResult, EUC_KR};
use std::path::Path;

/// The text and, where it is not plain UTF-8, a note that says what was found.
pub(super) fn read(path: &Path) -> Result<(String, Option<String>), Error> {
    Ok(decode(&shown(path), &crate::files::read(path)?)?)
}

fn decode(file: &str, bytes: &[u8]) -> Result<(String, Option<String>), Fault> {
    let mend = "save the file as UTF-8 (in Excel: \"CSV UTF-8\")";
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Fault::new(file, "UTF-16 text", "UTF-8 or CP949 text", mend).at(1, 1));
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        let (line, column) = place(&bytes[..at]);
        return Err(Fault::new(file, "a NUL byte: this is not text", "UTF-8 or CP949 text", mend).at(line, column));
    }
    let (body, mark) = match bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        Some(body) => (body, true),
        None => (bytes, false),
    };
    if let Ok(text) = std::str::from_utf8(body) {
        let note = mark.then(|| "text is UTF-8 with a byte-order mark".to_owned());
        return Ok((text.to_owned(), note));
    }
    // encoding_rs calls the superset that Windows calls code page 949 by its web name, EUC-KR.
    let mut decoder = EUC_KR.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length_without_replacement(body.len()).unwrap_or(0));
    let (result, read) = decoder.decode_to_string_without_replacement(body, &mut text, true);
    match result {
        DecoderResult::InputEmpty => Ok((text, Some("text is CP949 (Korean Windows)".to_owned()))),
        DecoderResult::Malformed(length, after) => {
            let at = read.saturating_sub(usize::from(length) + usize::from(after));
            let (line, column) = place(&body[..at]);
            let found = format!("byte 0x{:02X}, which is neither UTF-8 nor CP949", body[at]);
            Err(Fault::new(file, found, "UTF-8 or CP949 text", mend).at(line, column))
        }
        DecoderResult::OutputFull => {
            Err(Fault::new(file, "text that is too long to decode", "UTF-8 or CP949 text", mend))
        }
    }
}

/// Line and column, from 1, of what follows `before`.
fn place(before: &[u8]) -> (usize, usize) {
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

/// Lines with their number from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_text_is_read_in_both_encodings_and_named() {
        assert_eq!(decode("f", "판독의".as_bytes()).unwrap(), ("판독의".to_owned(), None));
        let marked = ["\u{FEFF}".as_bytes(), "판독의".as_bytes()].concat();
        assert_eq!(decode("f", &marked).unwrap().0, "판독의");
        let cp949 = [0xC6, 0xC7, 0xB5, 0xB6, 0xC0, 0xC7];
        let (text, note) = decode("f", &cp949).unwrap();
        assert_eq!(text, "판독의");
        assert!(note.unwrap().contains("CP949"));
    }

    #[test]
    fn bytes_that_no_encoding_has_are_located() {
        let fault = decode("f", b"ab\ncd\xFF\xFFe").unwrap_err();
        assert_eq!((fault.line, fault.column), (Some(2), Some(3)), "{fault}");
        assert!(decode("f", &[0xFF, 0xFE, 0x41, 0]).unwrap_err().to_string().contains("UTF-16"));
        assert_eq!(decode("f", b"a\0").unwrap_err().column, Some(2));
    }
}
