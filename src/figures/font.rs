//! The report font: checked before anything is drawn, measured for layout, cut down to the characters used, embedded.

use crate::error::Error;
use base64::Engine;
use font_subset::Font;
use plotters::style::{FontStyle, register_font};
use std::collections::BTreeSet;
use std::sync::LazyLock;

pub const FAMILY: &str = "Cadproof Sans";
static REGULAR: &[u8] = include_bytes!("../../templates/fonts/CadproofSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../templates/fonts/CadproofSans-Bold.ttf");

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    Regular,
    Bold,
}

struct Fonts {
    regular: Font<'static>,
    bold: Font<'static>,
}

static FONTS: LazyLock<Fonts> = LazyLock::new(|| Fonts {
    regular: Font::opentype(REGULAR).expect("the built-in regular font is well formed"),
    bold: Font::opentype(BOLD).expect("the built-in bold font is well formed"),
});

impl Weight {
    fn font(self) -> &'static Font<'static> {
        match self {
            Self::Regular => &FONTS.regular,
            Self::Bold => &FONTS.bold,
        }
    }

    fn css(self) -> u32 {
        match self {
            Self::Regular => 400,
            Self::Bold => 700,
        }
    }
}

/// Makes the fonts known to the drawing library, which measures text with them.
pub fn register() -> Result<(), Error> {
    static DONE: LazyLock<bool> = LazyLock::new(|| {
        register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && register_font(FAMILY, FontStyle::Bold, BOLD).is_ok()
    });
    if *DONE { Ok(()) } else { Err(Error::Internal("the report fonts cannot be registered".to_owned())) }
}

/// A character that the font lacks would be printed as an empty box, so it is an error that names the character and its place.
pub fn check(text: &str, place: &str) -> Result<(), Error> {
    match text.chars().find(|&c| !is_blank(c) && !FONTS.regular.contains_char(c)) {
        None => Ok(()),
        Some(c) => Err(Error::Refused(format!(
            "{place}: the report font has no character U+{:04X} ‘{c}’ (in ‘{}’); write it with other characters",
            c as u32,
            excerpt(text, c)
        ))),
    }
}

/// A few characters on both sides of the first `c`.
fn excerpt(text: &str, c: char) -> String {
    let at = text.chars().position(|x| x == c).unwrap_or(0);
    text.chars()
        .skip(at.saturating_sub(20))
        .take(40)
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn is_blank(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t')
}

/// `@font-face` rule that holds the font, cut down to the characters of `text`.
pub fn face(weight: Weight, text: &BTreeSet<char>) -> Result<String, Error> {
    let font = weight.font();
    let mut kept: BTreeSet<char> = text.iter().copied().filter(|&c| font.contains_char(c)).collect();
    kept.insert(' ');
    let subset = font.subset(&kept).map_err(|e| Error::Internal(format!("the report font cannot be cut down: {e}")))?;
    let data = base64::engine::general_purpose::STANDARD.encode(subset.to_woff2());
    Ok(format!(
        "@font-face{{font-family:\"{FAMILY}\";font-weight:{};src:url(data:font/woff2;base64,{data}) format(\"woff2\");}}",
        weight.css()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_the_font_lacks_is_named_with_its_place() {
        assert!(check("판독자 R1 – 민감도 ≥ 0.5", "F-ROC").is_ok());
        let error = check("판독자 漢", "F-ROC, label of a curve").unwrap_err().to_string();
        assert!(error.contains("U+6F22") && error.contains("F-ROC, label of a curve"), "{error}");
    }

    #[test]
    fn the_subset_is_small_and_the_same_twice() {
        let text: BTreeSet<char> = "민감도 0123456789".chars().collect();
        let face_1 = face(Weight::Bold, &text).unwrap();
        assert_eq!(face_1, face(Weight::Bold, &text).unwrap());
        assert!(face_1.len() < 20_000, "{}", face_1.len());
    }
}
