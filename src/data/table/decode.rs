//! Bytes → text, with the encoding that was found. Undecodable bytes are a fault with their place, never a `�`.

use crate::fault::{Fault, Faults, LineIndex};
use encoding_rs::DecoderResult;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf8WithBom,
    /// Windows code page 949, the superset of EUC-KR that Korean Excel writes.
    Cp949,
    Utf16Le,
    Utf16Be,
    /// No text file: the strings of a Parquet file are UTF-8 by its format.
    Parquet,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8WithBom => "UTF-8 with a byte order mark",
            Self::Cp949 => "CP949 (EUC-KR)",
            Self::Utf16Le => "UTF-16, little-endian",
            Self::Utf16Be => "UTF-16, big-endian",
            Self::Parquet => "Parquet",
        }
    }
}

/// A byte order mark decides; else UTF-8 where the bytes are valid UTF-8; else CP949 where they are valid CP949.
pub fn decode(file: &str, mut bytes: Vec<u8>) -> Result<(String, Encoding), Faults> {
    for (mark, encoding, codec) in [
        (b"\xFF\xFE", Encoding::Utf16Le, encoding_rs::UTF_16LE),
        (b"\xFE\xFF", Encoding::Utf16Be, encoding_rs::UTF_16BE),
    ] {
        if let Some(rest) = bytes.strip_prefix(mark) {
            if rest.len() % 2 == 1 {
                let found = format!("{}: the last character is cut off", encoding.name());
                return Err(Fault::new(file, found, "a whole file", SAVE_AS).into());
            }
            return run(codec, rest)
                .map(|text| (text, encoding))
                .map_err(|stop| refuse(file, rest, &stop, encoding.name()).into());
        }
    }
    let mut encoding = Encoding::Utf8;
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
        encoding = Encoding::Utf8WithBom;
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        let line = 1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count();
        return Err(Fault::new(file, "a zero byte, which no text holds", "a text file", SAVE_AS).line(line).into());
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Ok((text, encoding)),
        Err(error) => error.into_bytes(),
    };
    let utf8 = run(encoding_rs::UTF_8, &bytes);
    if encoding == Encoding::Utf8WithBom {
        return utf8.map(|text| (text, encoding)).map_err(|stop| refuse(file, &bytes, &stop, encoding.name()).into());
    }
    match (run(encoding_rs::EUC_KR, &bytes), utf8) {
        (Ok(text), _) => Ok((text, Encoding::Cp949)),
        // Whichever got further is the encoding that was meant.
        (Err(cp949), Err(utf8)) => {
            let (stop, name) = if utf8.at >= cp949.at { (utf8, "UTF-8") } else { (cp949, "CP949 (EUC-KR)") };
            Err(refuse(file, &bytes, &stop, name).into())
        }
        (Err(_), Ok(text)) => Ok((text, encoding)),
    }
}

const SAVE_AS: &str = "save the file as CSV in UTF-8";

/// Where decoding stopped: the offset of the bad bytes and the text before them.
struct Stop {
    at: usize,
    before: String,
}

fn run(codec: &'static encoding_rs::Encoding, bytes: &[u8]) -> Result<String, Stop> {
    let mut decoder = codec.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len().saturating_mul(3));
    let mut text = String::with_capacity(room);
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true) {
        (DecoderResult::InputEmpty, _) => Ok(text),
        (DecoderResult::Malformed(bad, after), read) => {
            Err(Stop { at: read.saturating_sub(usize::from(bad) + usize::from(after)), before: text })
        }
        // The room is the decoder's own bound, so this is never reached; if it were, the text so far tells where.
        (DecoderResult::OutputFull, read) => Err(Stop { at: read, before: text }),
    }
}

fn refuse(file: &str, bytes: &[u8], stop: &Stop, encoding: &str) -> Fault {
    let (line, column) = LineIndex::new(&stop.before).place(stop.before.len());
    let byte = bytes.get(stop.at).copied().unwrap_or_default();
    let found = format!("byte 0x{byte:02X} cannot be read as {encoding}");
    Fault::new(file, found, "UTF-8, CP949 (EUC-KR), or UTF-16 with a byte order mark", SAVE_AS).at(line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, Encoding) {
        decode("x.csv", bytes.to_vec()).unwrap()
    }

    #[test]
    fn each_encoding_is_found_and_named() {
        let text = "판독의,점수\r\n김영희,85\r\n";
        assert_eq!(read(text.as_bytes()), (text.to_owned(), Encoding::Utf8));
        assert_eq!(read(&[b"\xEF\xBB\xBF", text.as_bytes()].concat()), (text.to_owned(), Encoding::Utf8WithBom));
        let (cp949, _, bad) = encoding_rs::EUC_KR.encode(text);
        assert!(!bad);
        assert_eq!(read(&cp949), (text.to_owned(), Encoding::Cp949));
        let units: Vec<u16> = text.encode_utf16().collect();
        let le: Vec<u8> = [0xFF, 0xFE].into_iter().chain(units.iter().flat_map(|unit| unit.to_le_bytes())).collect();
        assert_eq!(read(&le), (text.to_owned(), Encoding::Utf16Le));
        let be: Vec<u8> = [0xFE, 0xFF].into_iter().chain(units.iter().flat_map(|unit| unit.to_be_bytes())).collect();
        assert_eq!(read(&be), (text.to_owned(), Encoding::Utf16Be));
        // 뷁 stands in CP949 alone, not in EUC-KR proper.
        assert_eq!(read(b"\x94\xEE,1"), ("뷁,1".to_owned(), Encoding::Cp949));
    }

    #[test]
    fn a_bad_byte_has_its_line_and_column() {
        let fault = decode("x.csv", "가,나\n다,".bytes().chain([0xFF, b'\n']).collect()).unwrap_err().0.remove(0);
        assert_eq!((fault.line, fault.column), (Some(2), Some(3)), "{fault}");
        assert!(fault.found.contains("0xFF") && fault.found.contains("UTF-8"), "{fault}");
        let (cp949, ..) = encoding_rs::EUC_KR.encode("판독의\n김영희,");
        let fault = decode("x.csv", [&*cp949, b"\xFF\n"].concat()).unwrap_err().0.remove(0);
        assert_eq!((fault.line, fault.column), (Some(2), Some(5)), "{fault}");
        assert!(fault.found.contains("CP949"), "{fault}");
        assert_eq!(decode("x.csv", b"a,b\nc\0d".to_vec()).unwrap_err().0[0].line, Some(2));
        assert!(decode("x.csv", b"\xFF\xFEa\0b".to_vec()).is_err());
        assert!(decode("x.csv", b"\xEF\xBB\xBFa\xC1\xF5".to_vec()).is_err());
    }
}
