//! Errors of transcribed speech: word and character error rates of a corpus.
//!
//! What counts as the same text is declared first: the Unicode form and what becomes of spaces ([`Rules`]). Korean makes
//! the point: a syllable stored as one code point (NFC) and the same one stored as its letters (NFD) look alike and
//! compare as wrong, and a space more or less changes two words but one character. Case and punctuation stay as they are.

use crate::stats::{Estimable, NotEstimable};
use unicode_normalization::UnicodeNormalization;

/// The Unicode form both texts are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    AsGiven,
    /// Composed: one code point a Hangul syllable.
    Nfc,
    /// Decomposed: one code point a letter (jamo).
    Nfd,
}

/// What becomes of spaces among characters; words are always what stands between spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spaces {
    /// Every space is a character, those at both ends excepted.
    Keep,
    /// Runs of spaces are one character.
    Collapse,
    /// No space is a character.
    Remove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub form: Form,
    pub spaces: Spaces,
}

/// Units (words or characters) of reference and hypothesis by what became of them in an alignment of the fewest edits.
///
/// Several alignments can have the fewest edits and differ in kind (a swap is two substitutions, or a deletion and an
/// insertion). Common beginnings and ends are taken off first; then, from the end, a unit is deleted where that leaves
/// the fewest edits, else inserted, else substituted. The rates do not depend on this, the kinds and WIL do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edits {
    pub hits: u64,
    pub substitutions: u64,
    /// Reference units that the hypothesis lacks.
    pub deletions: u64,
    /// Hypothesis units that the reference lacks.
    pub insertions: u64,
}

/// Edits of words of one utterance.
pub fn words(reference: &str, hypothesis: &str, form: Form) -> Edits {
    let (reference, hypothesis) = (formed(reference, form), formed(hypothesis, form));
    let split = |text: &'_ str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    align(&split(&reference), &split(&hypothesis))
}

/// Edits of characters (Unicode code points) of one utterance.
pub fn characters(reference: &str, hypothesis: &str, rules: Rules) -> Edits {
    let of = |text: &str| -> Vec<char> {
        let text = formed(text, rules.form);
        match rules.spaces {
            Spaces::Keep => text.trim().chars().collect(),
            Spaces::Collapse => text.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect(),
            Spaces::Remove => text.chars().filter(|c| !c.is_whitespace()).collect(),
        }
    };
    align(&of(reference), &of(hypothesis))
}

impl Edits {
    /// Units of the reference.
    pub fn reference(&self) -> u64 {
        self.hits + self.substitutions + self.deletions
    }

    pub fn hypothesis(&self) -> u64 {
        self.hits + self.substitutions + self.insertions
    }

    pub fn errors(&self) -> u64 {
        self.substitutions + self.deletions + self.insertions
    }

    /// WER or CER: (S + D + I) / N. Above 1 where more is inserted than was said. Of a corpus it is the rate of the summed
    /// edits, not the mean of the utterances' rates.
    pub fn error_rate(&self) -> Estimable<f64> {
        self.over_reference(self.errors())
    }

    /// Match error rate, (S + D + I) / (H + S + D + I): 0 to 1 (Morris, Maier and Green 2004, Interspeech, eq. 3).
    pub fn match_error_rate(&self) -> Estimable<f64> {
        if self.hits + self.errors() == 0 {
            return Err(no_reference());
        }
        Ok(self.errors() as f64 / (self.hits + self.errors()) as f64)
    }

    /// Word information preserved, H² / (N P); lost is 1 less this (the same, eq. 6).
    pub fn information_preserved(&self) -> Estimable<f64> {
        let kept = self.over_reference(self.hits)?;
        if self.hits == 0 {
            return Ok(0.0);
        }
        Ok(kept * self.hits as f64 / self.hypothesis() as f64)
    }

    fn over_reference(&self, count: u64) -> Estimable<f64> {
        if self.reference() == 0 {
            return Err(no_reference());
        }
        Ok(count as f64 / self.reference() as f64)
    }
}

impl std::iter::Sum for Edits {
    fn sum<I: Iterator<Item = Self>>(utterances: I) -> Self {
        utterances.fold(Self::default(), |a, b| Self {
            hits: a.hits + b.hits,
            substitutions: a.substitutions + b.substitutions,
            deletions: a.deletions + b.deletions,
            insertions: a.insertions + b.insertions,
        })
    }
}

fn no_reference() -> NotEstimable {
    NotEstimable::new("reference_empty", "the reference has no words")
}

fn formed(text: &str, form: Form) -> String {
    match form {
        Form::AsGiven => text.to_owned(),
        Form::Nfc => text.nfc().collect(),
        Form::Nfd => text.nfd().collect(),
    }
}

/// Levenshtein's distance by its table (Wagner and Fischer 1974), traced back by the rule of [`Edits`].
fn align<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> Edits {
    let start = reference.iter().zip(hypothesis).take_while(|(a, b)| a == b).count();
    let (reference, hypothesis) = (&reference[start..], &hypothesis[start..]);
    let end = reference.iter().rev().zip(hypothesis.iter().rev()).take_while(|(a, b)| a == b).count();
    let (reference, hypothesis) = (&reference[..reference.len() - end], &hypothesis[..hypothesis.len() - end]);
    let mut found = Edits { hits: (start + end) as u64, ..Edits::default() };

    // distance[i * width + j] of the first i reference and j hypothesis units
    let width = hypothesis.len() + 1;
    let mut distance = vec![0_u32; (reference.len() + 1) * width];
    #[allow(clippy::needless_range_loop)] // a recurrence over neighbours reads best by index
    for j in 0..width {
        distance[j] = j as u32;
    }
    for i in 1..=reference.len() {
        distance[i * width] = i as u32;
        for j in 1..width {
            let substituted = distance[(i - 1) * width + j - 1] + u32::from(reference[i - 1] != hypothesis[j - 1]);
            let beside = distance[(i - 1) * width + j].min(distance[i * width + j - 1]) + 1;
            distance[i * width + j] = substituted.min(beside);
        }
    }
    let at = |i: usize, j: usize| distance[i * width + j];
    let (mut i, mut j) = (reference.len(), hypothesis.len());
    while i > 0 && j > 0 {
        if at(i, j) == at(i - 1, j) + 1 {
            found.deletions += 1;
            i -= 1;
        } else if at(i, j - 1) + 1 == at(i - 1, j - 1) {
            found.insertions += 1;
            j -= 1;
        } else {
            if reference[i - 1] == hypothesis[j - 1] {
                found.hits += 1
            } else {
                found.substitutions += 1
            }
            i -= 1;
            j -= 1;
        }
    }
    found.deletions += i as u64;
    found.insertions += j as u64;
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_is_compared_in_the_form_that_was_declared() {
        let (composed, decomposed) = ("각도", "\u{1100}\u{1161}\u{11a8}\u{1103}\u{1169}");
        assert_eq!(words(composed, decomposed, Form::AsGiven).error_rate(), Ok(1.0));
        assert_eq!(words(composed, decomposed, Form::Nfc).error_rate(), Ok(0.0));
        let letters = Rules { form: Form::Nfd, spaces: Spaces::Remove };
        assert_eq!(characters(composed, decomposed, letters).hits, 5);
        // one wrong final consonant is one of two syllables, but one of five letters
        assert_eq!(characters("각도", "갈도", letters).error_rate(), Ok(0.2));
        assert_eq!(characters("각도", "갈도", Rules { form: Form::Nfc, ..letters }).error_rate(), Ok(0.5));
    }

    #[test]
    fn the_fewest_edits_whatever_their_kind() {
        let edits = characters("ab", "ba", Rules { form: Form::AsGiven, spaces: Spaces::Keep });
        assert_eq!(edits.errors(), 2);
        assert_eq!((edits.reference(), edits.hypothesis()), (2, 2));
        assert!(words("", "one", Form::AsGiven).error_rate().is_err());
        assert_eq!(words("one", "", Form::AsGiven).information_preserved(), Ok(0.0));
    }
}
