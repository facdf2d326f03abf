//! The prose of the reports, a catalogue a language. Templates name a key; a key that is missing stops the report.

use crate::error::Error;
use crate::protocol::Language;
use std::collections::BTreeMap;

const EN: &str = include_str!("../../templates/i18n/en.toml");
const KO: &str = include_str!("../../templates/i18n/ko.toml");

#[derive(Debug, Clone)]
pub struct Catalogue {
    texts: BTreeMap<String, String>,
    pub language: Language,
}

impl Catalogue {
    pub fn load(language: Language) -> Result<Self, Error> {
        let source = match language {
            Language::En => EN,
            Language::Ko => KO,
        };
        let table: toml::Table =
            source.parse().map_err(|e| Error::Internal(format!("catalogue of {language:?}: {e}")))?;
        let mut texts = BTreeMap::new();
        flatten("", &table, &mut texts);
        Ok(Self { texts, language })
    }

    pub fn find(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    pub fn text(&self, key: &str) -> Result<&str, Error> {
        self.find(key).ok_or_else(|| Error::Internal(format!("the {:?} catalogue has no text ‘{key}’", self.language)))
    }

    #[cfg(test)]
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }
}

fn flatten(prefix: &str, table: &toml::Table, into: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&path, inner, into),
            toml::Value::String(text) => drop(into.insert(path, text.clone())),
            other => drop(into.insert(path, other.to_string())),
        }
    }
}

/// Puts each value in the place of its name in braces.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys() {
        let [en, ko] = [Language::En, Language::Ko].map(|l| Catalogue::load(l).unwrap());
        let missing = |a: &Catalogue, b: &Catalogue| -> Vec<String> {
            a.keys().filter(|k| b.find(k).is_none()).map(str::to_owned).collect()
        };
        assert_eq!(missing(&en, &ko), Vec::<String>::new(), "missing in Korean");
        assert_eq!(missing(&ko, &en), Vec::<String>::new(), "missing in English");
    }
}
