//! Korean of the English phrases that the analysis writes: names of methods, reasons why a number does not exist, notes.
//!
//! `templates/i18n/phrases.ko.toml` pairs English with Korean. A phrase may leave places (`{a}`) for numbers, names or other phrases; the
//! longest phrase that covers a text wins. A text that no phrase covers is taken apart at `; `, then at `, `, and each part looked up.
//! What is found nowhere stays as it is, so that nothing is lost.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const SOURCE: &str = include_str!("../../templates/i18n/phrases.ko.toml");

/// Phrases that open with words before those that open with a place, the longest first: the most specific is met first.
static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    let mut phrases: Vec<Phrase> = ["method", "reason", "note"]
        .iter()
        .flat_map(|name| section(name).into_iter().map(|(en, ko)| Phrase::new(&en, &ko)))
        .collect();
    phrases.sort_by(|x, y| x.rank().cmp(&y.rank()).then_with(|| x.pieces.cmp(&y.pieces)));
    phrases
});

static CODES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| section("code"));

fn section(name: &str) -> BTreeMap<String, String> {
    let table: toml::Table = SOURCE.parse().expect("the phrases are valid TOML, which the tests read");
    let pairs = table.get(name).and_then(toml::Value::as_table).into_iter().flatten();
    pairs.filter_map(|(en, ko)| Some((en.clone(), ko.as_str()?.to_owned()))).collect()
}

/// Words for the code of a reason, for reasons that no phrase covers.
pub fn code(code: &str) -> Option<&'static str> {
    CODES.get(code).map(String::as_str)
}

/// The text in Korean as far as the phrases go.
pub fn korean(text: &str) -> String {
    whole(text).unwrap_or_else(|| in_parts(text).0)
}

/// The text in Korean where phrases cover all of it.
pub fn covered(text: &str) -> Option<String> {
    whole(text).or_else(|| match in_parts(text) {
        (ko, true) => Some(ko),
        _ => None,
    })
}

fn whole(text: &str) -> Option<String> {
    PHRASES.iter().find_map(|phrase| phrase.apply(text))
}

/// The parts' Korean, and whether each part was found.
fn in_parts(text: &str) -> (String, bool) {
    for separator in ["; ", ", "] {
        let parts = split(text, separator);
        if parts.len() > 1 {
            let worded = parts.iter().map(|part| covered(part).ok_or_else(|| korean(part)));
            let (mut all, mut known) = (Vec::new(), true);
            for part in worded {
                known &= part.is_ok();
                all.push(part.unwrap_or_else(|as_far| as_far));
            }
            return (all.join(separator), known);
        }
    }
    (text.to_owned(), false)
}

/// Splits where the separator stands outside of parentheses.
fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && at >= start && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn is_word(text: &str) -> bool {
    text.len() > 1 && text.chars().all(|c| c.is_ascii_alphabetic())
}

/// English with places, and the Korean that the places' texts go into.
struct Phrase {
    /// Literal text before, between and after the places: one piece more than there are places.
    pieces: Vec<String>,
    places: Vec<String>,
    ko: String,
}

impl Phrase {
    fn new(en: &str, ko: &str) -> Self {
        let (mut pieces, mut places) = (Vec::new(), Vec::new());
        let mut rest = en;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((place, after)) = after.split_once('}') else { break };
            pieces.push(before.to_owned());
            places.push(place.to_owned());
            rest = after;
        }
        pieces.push(rest.to_owned());
        Self { pieces, places, ko: ko.to_owned() }
    }

    fn rank(&self) -> (bool, std::cmp::Reverse<usize>) {
        let opens_with_place = self.pieces.first().is_some_and(String::is_empty);
        (opens_with_place, std::cmp::Reverse(self.pieces.iter().map(String::len).sum()))
    }

    /// The Korean, if the phrase covers the whole text. A place holds a number, a name or a known phrase, no `; ` and no other sentence.
    fn apply(&self, text: &str) -> Option<String> {
        let (first, last) = (self.pieces.first()?, self.pieces.last()?);
        if self.places.is_empty() {
            return (text == first).then(|| self.ko.clone());
        }
        let mut rest = text.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
        let mut found = Vec::new();
        for piece in &self.pieces[1..self.pieces.len() - 1] {
            let (held, after) = rest.split_once(piece.as_str())?;
            found.push(held);
            rest = after;
        }
        found.push(rest);
        let foreign = |held: &&str| held.split(' ').filter(|w| is_word(w)).count() > 1 && covered(held).is_none();
        if found.iter().any(|held| held.is_empty() || held.contains("; ") || foreign(held)) {
            return None;
        }
        let filled = self
            .places
            .iter()
            .zip(found)
            .fold(self.ko.clone(), |ko, (place, held)| ko.replace(&format!("{{{place}}}"), &korean(held)));
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::font;
    use std::path::Path;

    #[test]
    fn the_longest_phrase_wins_and_places_are_worded_too() {
        for (en, ko) in [
            (
                "empirical AUC, percentile bootstrap of readers and patients within truth strata",
                "경험적 AUC, 판독자와 참조표준 층별 환자 백분위수 부트스트랩",
            ),
            ("Wilson interval, cases independent", "Wilson 구간, 증례 독립"),
            ("log (Simel, Samsa & Matchar 1991)", "로그(Simel, Samsa & Matchar 1991)"),
            ("GEE, independence", "GEE, 독립"),
            (
                "n+ = 2, n− = 42; the protocol's minimum is 10 of each",
                "양성 2건, 음성 42건. 계획서에 정한 최소 수는 각 10건",
            ),
            (
                "reader R1, modality aided: AUC needs both truth classes: n+ = 0, n- = 3",
                "판독자 R1, 비교군 aided: AUC에는 두 참조표준 범주가 모두 필요하다: 양성 0건, 음성 3건",
            ),
        ] {
            assert_eq!(covered(en).as_deref(), Some(ko), "{en}");
        }
    }

    /// Names that no study of the tests produces.
    #[test]
    fn methods_of_marks_and_of_many_patients_are_covered() {
        for name in [
            "lesion sensitivity at ≤ 0.5 false marks per image, all images in the denominator; BCa bootstrap of patients, \
             stratified by whether a patient has a lesion; highest-scored mark is the hit, further marks on a found lesion \
             ignored",
            "wAFROC area (Chakraborty & Zhai 2016); percentile bootstrap of patients, stratified by whether a patient has a \
             lesion; highest-scored mark is the hit, further marks on a found lesion ignored",
            "Obuchowski–Rockette, AFROC area, fixed readers, random cases, bootstrap, stratified by truth covariance, normal \
             theory",
            "partial AUC (specificity 0.8 to 1, at most 0.2), percentile bootstrap of cases within truth strata",
            "mean lesion sensitivity, at most 0.5, 1, 2 false marks per case",
            "logit mixed model, crossed random readers and patients, Laplace; odds ratio for a typical reader and patient; \
             variances on the logit scale: reader 0.007, patient 4.169",
            "Bayes at prevalence 0.05; Mercaldo–Lau–Zhou logit",
            "log (Woolf); Haldane–Anscombe, 0.5 added to all four cells",
        ] {
            assert!(covered(name).is_some(), "{name}: {}", korean(name));
        }
    }

    #[test]
    fn what_is_unknown_stays() {
        assert_eq!(korean("a method of tomorrow"), "a method of tomorrow");
        assert_eq!(korean("empirical AUC, a method of tomorrow"), "경험적 AUC, a method of tomorrow");
        assert_eq!(covered("empirical AUC, a method of tomorrow"), None);
        // A place takes no words that are unknown.
        assert_eq!(covered("partial AUC (specificity 0.8 to 1, as ever)"), None);
        assert_eq!(korean(""), "");
    }

    #[test]
    fn every_phrase_uses_its_places_and_has_its_glyphs() {
        for phrase in PHRASES.iter() {
            for place in &phrase.places {
                assert!(phrase.ko.contains(&format!("{{{place}}}")), "{} lacks {place}", phrase.ko);
            }
            font::check(&phrase.ko, "phrase").unwrap();
        }
        assert!(PHRASES.len() > 250, "{}", PHRASES.len());
    }

    /// Reasons that the phrases don't cover are led by their code's words, so each code in the sources has some.
    #[test]
    fn every_code_of_a_reason_is_worded() {
        fn sources(folder: &Path, into: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    sources(&path, into);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let text = std::fs::read_to_string(path).unwrap();
                    into.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
                }
            }
        }
        let mut files = Vec::new();
        for room in ["src/stats", "src/analysis", "src/metrics"] {
            sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(room), &mut files);
        }
        let mut missing = std::collections::BTreeSet::new();
        let mut seen = 0;
        for call in files.iter().flat_map(|text| text.split("NotEstimable::new(").skip(1)) {
            let Some(code) = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            seen += 1;
            if super::code(code).is_none() {
                missing.insert(code.to_owned());
            }
        }
        assert!(seen > 150, "{seen} reasons in the sources");
        assert!(missing.is_empty(), "phrases.ko.toml has no words under [code] for {missing:?}");
    }
}
