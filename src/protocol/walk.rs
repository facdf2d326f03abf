//! Holds a parsed document against the table of keys and collects every fault: unknown keys, wrong types, missing ones.
//!
//! The types of the protocol are filled only afterwards, so that one run shows all that is wrong and not the first thing
//! only.

use super::schema::{Bound, Key, Kind, PROTOCOL, TEXT};
use crate::fault::{Fault, Faults, LineIndex, nearest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Holds `root` against [`PROTOCOL`].
pub fn walk(file: &str, index: &LineIndex<'_>, root: &Spanned<DeTable<'_>>, faults: &mut Faults) {
    Walk { file, index, faults }.table("", root.span().start, root.get_ref(), PROTOCOL, None);
}

struct Walk<'a> {
    file: &'a str,
    index: &'a LineIndex<'a>,
    faults: &'a mut Faults,
}

impl Walk<'_> {
    fn fault(&mut self, offset: usize, path: &str, found: String, expected: String, mend: String) {
        let (line, column) = self.index.place(offset);
        self.faults.push(Fault::new(self.file, found, expected, mend).at(line, column).key(path));
    }

    fn table(&mut self, path: &str, start: usize, table: &DeTable<'_>, keys: &'static [Key], tag: Option<&str>) {
        let known = || tag.into_iter().chain(keys.iter().map(|key| key.name));
        for (name, value) in table {
            let text: &str = name.get_ref();
            if Some(text) == tag {
                continue;
            }
            if let Some(key) = keys.iter().find(|key| key.name == text) {
                self.value(&join(path, text), value, &key.kind);
            } else {
                let list = known().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
                let mend = match nearest(text, known()) {
                    Some(near) if table.contains_key(near) => format!("take it out; `{near}` is given as well"),
                    Some(near) => format!("write `{near}`"),
                    None => "take it out".to_owned(),
                };
                let offset = name.span().start;
                self.fault(offset, &join(path, text), format!("unknown key `{text}`"), format!("one of {list}"), mend);
            }
        }
        for key in keys.iter().filter(|key| key.required && !table.contains_key(key.name)) {
            let here = if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
            let written = match key.kind {
                Kind::Table(_) | Kind::Variants { .. } if path.is_empty() => format!("add a table `[{}]`", key.name),
                Kind::Tables { .. } if path.is_empty() => format!("add a table `[[{}]]`", key.name),
                _ => format!("add `{} = …` to {here}", key.name),
            };
            let path = join(path, key.name);
            self.fault(start, &path, format!("{here} lacks `{}`", key.name), describe(&key.kind), written);
        }
    }

    fn value(&mut self, path: &str, value: &Spanned<DeValue<'_>>, kind: &'static Kind) {
        let start = value.span().start;
        match (kind, value.get_ref()) {
            (Kind::String, DeValue::String(text)) => {
                if text.trim().is_empty() {
                    self.fault(
                        start,
                        path,
                        "an empty text".into(),
                        describe(kind),
                        "write it out, or take the key out".into(),
                    );
                }
            }
            (Kind::Date, DeValue::String(text)) => {
                if !is_date(text) {
                    let mend = "write an existing day as \"2026-03-31\"".to_owned();
                    self.fault(start, path, format!("\"{text}\" is not a date"), describe(kind), mend);
                }
            }
            (Kind::Date, DeValue::Datetime(date)) => {
                self.fault(start, path, "a date without quotes".into(), describe(kind), format!("write \"{date}\""));
            }
            (Kind::File, DeValue::String(text)) => {
                if let Some(reason) = outside(text) {
                    let mend = "put the file into the study folder and name it from there, such as \"images/a.png\"";
                    self.fault(start, path, format!("\"{text}\" {reason}"), describe(kind), mend.into());
                }
            }
            (Kind::Bool, DeValue::Boolean(_)) => {}
            (Kind::Integer { minimum }, DeValue::Integer(number)) => {
                match i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()) {
                    Ok(n) if n >= *minimum => {}
                    Ok(n) => {
                        self.fault(start, path, format!("{n}"), describe(kind), format!("write {minimum} or more"));
                    }
                    Err(_) => {
                        let mend = "write a smaller number".to_owned();
                        self.fault(start, path, format!("{number} is too large"), describe(kind), mend);
                    }
                }
            }
            (Kind::Number(bound), DeValue::Integer(_) | DeValue::Float(_)) => {
                self.number(path, value, *bound);
            }
            (Kind::Word(words), DeValue::String(text)) => self.word(path, start, text, words),
            (Kind::Text, DeValue::Table(table)) => self.table(path, start, table, TEXT, None),
            (Kind::Text, DeValue::String(text)) => {
                let mend = format!("write {{ en = {text:?}, ko = \"…\" }}");
                self.fault(start, path, "a text in one language".into(), describe(kind), mend);
            }
            (Kind::Table(keys), DeValue::Table(table)) => self.table(path, start, table, keys, None),
            (Kind::Tables { keys, minimum }, DeValue::Array(items)) => {
                for (i, item) in items.iter().enumerate() {
                    let path = format!("{path}[{}]", i + 1);
                    match item.get_ref() {
                        DeValue::Table(table) => self.table(&path, item.span().start, table, keys, None),
                        other => {
                            let found = format!("a value of kind {}", other.type_str());
                            self.fault(
                                item.span().start,
                                &path,
                                found,
                                "a table".into(),
                                "write { key = value, … }".into(),
                            );
                        }
                    }
                }
                if items.len() < *minimum {
                    self.fault(
                        start,
                        path,
                        format!("{} of them", items.len()),
                        describe(kind),
                        format!("add a `[[{path}]]`"),
                    );
                }
            }
            (Kind::Tables { .. }, DeValue::Table(_)) => {
                let mend = format!("write `[[{path}]]` with two brackets, once for each");
                self.fault(start, path, "one table".into(), "a list of tables".into(), mend);
            }
            (Kind::Variants { tag, variants }, DeValue::Table(table)) => {
                let names: Vec<&'static str> = variants.iter().map(|(name, _)| *name).collect();
                match table.get(*tag).map(|value| (value.span().start, value.get_ref())) {
                    Some((_, DeValue::String(name))) if names.contains(&name.as_ref()) => {
                        let keys =
                            variants.iter().find(|(known, _)| known == name).map_or(&[] as &'static [Key], |v| v.1);
                        self.table(path, start, table, keys, Some(tag));
                    }
                    Some((at, DeValue::String(name))) => self.word(&join(path, tag), at, name, &names),
                    Some((at, other)) => {
                        let found = format!("a value of kind {}", other.type_str());
                        let expected = format!("one of {}", list(&names));
                        self.fault(at, &join(path, tag), found, expected, "write one of them in quotes".into());
                    }
                    None => {
                        let found = format!("`{path}` lacks `{tag}`");
                        let mend = format!("add `{tag} = \"{}\"` or another of them", names[0]);
                        self.fault(start, &join(path, tag), found, format!("one of {}", list(&names)), mend);
                    }
                }
            }
            (Kind::Pair, DeValue::Array(items)) if items.len() != 2 => {
                let mend = "name two modalities, the test arm first".to_owned();
                self.fault(start, path, format!("{} names", items.len()), describe(kind), mend);
            }
            (Kind::Strings | Kind::Pair, DeValue::Array(items)) => {
                for item in items {
                    self.value(path, item, &Kind::String);
                }
            }
            (Kind::Words(words), DeValue::Array(items)) => {
                for item in items {
                    match item.get_ref() {
                        DeValue::String(text) => self.word(path, item.span().start, text, words),
                        _ => self.mistyped(path, item, kind),
                    }
                }
            }
            (Kind::Numbers(bound), DeValue::Array(items)) => {
                for item in items {
                    match item.get_ref() {
                        DeValue::Integer(_) | DeValue::Float(_) => self.number(path, item, *bound),
                        _ => self.mistyped(path, item, kind),
                    }
                }
            }
            (Kind::Texts, DeValue::Array(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.value(&format!("{path}[{}]", i + 1), item, &Kind::Text);
                }
            }
            _ => self.mistyped(path, value, kind),
        }
    }

    fn mistyped(&mut self, path: &str, value: &Spanned<DeValue<'_>>, kind: &Kind) {
        let found = match value.get_ref() {
            DeValue::String(text) => format!("the text \"{text}\""),
            DeValue::Integer(number) => format!("the number {number}"),
            DeValue::Float(number) => format!("the number {number}"),
            DeValue::Boolean(flag) => format!("`{flag}`"),
            other => format!("a value of kind {}", other.type_str()),
        };
        let mend = match (kind, value.get_ref()) {
            (Kind::Number(_) | Kind::Integer { .. } | Kind::Numbers(_), DeValue::String(text))
                if text.trim().parse::<f64>().is_ok_and(f64::is_finite) =>
            {
                format!("take the quotes away: {}", text.trim())
            }
            (Kind::String | Kind::Strings, DeValue::Integer(number)) => format!("put it in quotes: \"{number}\""),
            (Kind::String | Kind::Strings, DeValue::Float(number)) => format!("put it in quotes: \"{number}\""),
            (Kind::Strings | Kind::Words(_) | Kind::Numbers(_) | Kind::Texts, _) => "write a list: [ …, … ]".to_owned(),
            (Kind::Integer { .. }, DeValue::Float(_)) => "write it without a decimal point".to_owned(),
            _ => format!("write {}", describe(kind)),
        };
        self.fault(value.span().start, path, found, describe(kind), mend);
    }

    fn number(&mut self, path: &str, value: &Spanned<DeValue<'_>>, bound: Bound) {
        let text = match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
                .map_or_else(|_| "inf".to_owned(), |n| n.to_string()),
            DeValue::Float(number) => number.as_str().replace('_', ""),
            _ => String::new(),
        };
        let number = text.parse::<f64>().unwrap_or(f64::NAN);
        if !number.is_finite() || !bound.holds(number) {
            let mend = format!("write {}", bound.words());
            self.fault(value.span().start, path, format!("the number {text}"), bound.words().to_owned(), mend);
        }
    }

    fn word(&mut self, path: &str, offset: usize, text: &str, words: &[&'static str]) {
        if words.contains(&text) {
            return;
        }
        let mend = nearest(text, words.iter().copied())
            .map_or_else(|| "write one of them".to_owned(), |near| format!("write \"{near}\""));
        self.fault(offset, path, format!("\"{text}\" is not known"), format!("one of {}", list(words)), mend);
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::String => "a text in quotes".to_owned(),
        Kind::Date => "a date as \"YYYY-MM-DD\" in quotes".to_owned(),
        Kind::File => "a file inside the study folder, relative to it, with `/` between folders".to_owned(),
        Kind::Bool => "`true` or `false`".to_owned(),
        Kind::Integer { minimum } => format!("a whole number, {minimum} or more"),
        Kind::Number(bound) => bound.words().to_owned(),
        Kind::Word(words) => format!("one of {}", list(words)),
        Kind::Strings => "a list of texts in quotes".to_owned(),
        Kind::Numbers(bound) => format!("a list, each {}", bound.words()),
        Kind::Words(words) => format!("a list of {}", list(words)),
        Kind::Text => "a text in English and, where wanted, Korean: { en = \"…\", ko = \"…\" }".to_owned(),
        Kind::Texts => "a list of { en = \"…\", ko = \"…\" }".to_owned(),
        Kind::Table(keys) => {
            format!("a table with {}", keys.iter().map(|k| format!("`{}`", k.name)).collect::<Vec<_>>().join(", "))
        }
        Kind::Tables { minimum: 0, .. } => "a list of tables".to_owned(),
        Kind::Tables { minimum, .. } => format!("a list of tables, at least {minimum}"),
        Kind::Variants { tag, variants } => {
            let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
            format!("a table whose `{tag}` is one of {}", list(&names))
        }
        Kind::Pair => "two modalities, [\"test\", \"control\"]".to_owned(),
    }
}

/// An existing day of the proleptic Gregorian calendar, written `YYYY-MM-DD` (ISO 8601).
pub fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| -> Option<u32> {
        let part = &bytes[range];
        part.iter().all(u8::is_ascii_digit).then(|| part.iter().fold(0, |n, b| n * 10 + u32::from(b - b'0')))
    };
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return false;
    }
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(5..7), digits(8..10)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Why a path is not one inside the study folder. The same text must name the same file on every system.
pub fn outside(path: &str) -> Option<&'static str> {
    if path.trim().is_empty() {
        Some("is empty")
    } else if path.contains('\\') {
        Some("has a backslash")
    } else if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        Some("is an absolute path")
    } else if path.split('/').any(|part| part == "..") {
        Some("leads out of the study folder")
    } else if path.split('/').any(|part| part.is_empty() || part == ".") {
        Some("has an empty or `.` folder in it")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::*;
    use super::*;
    use crate::protocol as p;
    use serde::de::DeserializeOwned;

    /// The words of the table are the words of the type: each is taken, and the type knows no more of them.
    fn same_words<T: DeserializeOwned>(words: &[&str]) {
        for word in words {
            assert!(serde_json::from_value::<T>((*word).into()).is_ok(), "{word}");
        }
        let refusal = serde_json::from_value::<T>("no such word".into()).err().expect("refused").to_string();
        let known = refusal.matches('`').count() / 2 - 1;
        assert_eq!(known, words.len(), "{refusal}");
    }

    #[test]
    fn the_words_are_those_of_the_types() {
        same_words::<p::StudyKind>(STUDY_KINDS);
        same_words::<p::AgreementForm>(AGREEMENT_FORMS);
        same_words::<p::Task>(TASKS);
        same_words::<p::Phase>(PHASES);
        same_words::<p::LegalRoute>(LEGAL_ROUTES);
        same_words::<p::Direction>(DIRECTIONS);
        same_words::<p::TruthKind>(TRUTH_KINDS);
        same_words::<p::NoOutputRule>(NO_OUTPUT_RULES);
        same_words::<p::Layout>(LAYOUTS);
        same_words::<p::VolumeLayout>(VOLUME_LAYOUTS);
        same_words::<p::Channels>(CHANNELS);
        same_words::<p::Resize>(RESIZES);
        same_words::<p::VolumeResize>(VOLUME_RESIZES);
        same_words::<p::Activation>(ACTIVATIONS);
        same_words::<p::Crossing>(CROSSINGS);
        same_words::<p::Suspicious>(SUSPICIOUS);
        same_words::<p::Rank>(RANKS);
        same_words::<p::Subject>(SUBJECTS);
        same_words::<p::Measure>(MEASURES);
        same_words::<p::Method>(METHODS);
        same_words::<p::Covariance>(COVARIANCES);
        same_words::<p::RandomFactors>(RANDOM_FACTORS);
        same_words::<p::Axis>(AXES);
        same_words::<p::HypothesisKind>(HYPOTHESES);
        same_words::<p::Sides>(SIDES);
        same_words::<p::Criterion>(CRITERIA);
        same_words::<p::MultiplicityMethod>(MULTIPLICITY_METHODS);
        same_words::<p::ReportKind>(REPORT_KINDS);
        same_words::<p::Language>(LANGUAGES);
    }

    #[test]
    fn dates_are_days_that_exist() {
        for good in ["2024-02-29", "2026-12-31", "2000-02-29"] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-4-01",
            "26-04-01",
            "2026/04/01",
            "2026-04-31",
            "",
            "2026-04-0١",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
    }

    #[test]
    fn files_stay_in_the_folder() {
        assert_eq!(outside("images/영상 1.png"), None);
        for bad in ["/etc/x", "../x", "a/../../x", "C:/x", "a\\b", "a//b", "./a", ""] {
            assert!(outside(bad).is_some(), "{bad}");
        }
    }
}
