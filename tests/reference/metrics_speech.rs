//! Word and character error rates against jiwer, from two sets.

use crate::support::{Tally, json};
use cadproof::metrics::speech::{Edits, Form, Rules, Spaces, characters, words};
use serde_json::Value;

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        other => other.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect(),
    }
}

fn kinds(tally: &mut Tally, what: &str, found: &Edits, want: [&Value; 4]) {
    let got = [found.hits, found.substitutions, found.deletions, found.insertions];
    tally.same(what, got, want.map(|want| want.as_u64().unwrap()));
}

fn rates(tally: &mut Tally, what: &str, found: &Edits, want: &Value, rate: &str) {
    for (key, got) in [
        (rate, found.error_rate()),
        ("mer", found.match_error_rate()),
        ("wip", found.information_preserved()),
        ("wil", found.information_preserved().map(|kept| 1.0 - kept)),
    ] {
        let Some(want) = want.get(key).filter(|_| found.reference() > 0) else { continue };
        tally.close(&format!("{what} {key}"), got.unwrap(), want.as_f64().unwrap(), 1e-9, 1e-3);
    }
}

/// What the program compares: texts as given, spaces as characters.
const JIWER: Rules = Rules { form: Form::AsGiven, spaces: Spaces::Keep };

#[test]
fn both_sets() {
    let (Some(first), Some(second)) = (json("metrics/speech.json"), json("metrics/set_b/speech.json")) else { return };
    let mut tally = Tally::new("speech");
    for case in first["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (said, heard) = (texts(&case["input"]["reference"]), texts(&case["input"]["hypothesis"]));
        let sum = |of: &dyn Fn(&str, &str) -> Edits| -> Edits { said.iter().zip(&heard).map(|(a, b)| of(a, b)).sum() };
        let without = Rules { spaces: Spaces::Remove, ..JIWER };
        for (block, rate, found) in [
            ("words", "wer", sum(&|a, b| words(a, b, Form::AsGiven))),
            ("chars", "cer", sum(&|a, b| characters(a, b, JIWER))),
            ("chars_without_spaces", "cer", sum(&|a, b| characters(a, b, without))),
        ] {
            let (what, want) = (format!("{id} {block}"), &want[block]);
            rates(&mut tally, &what, &found, want, rate);
            kinds(&mut tally, &what, &found, ["H", "S", "D", "I"].map(|key| &want[key]));
        }
    }
    for case in second["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let (said, heard) = (texts(&case["inputs"]["references"]), texts(&case["inputs"]["hypotheses"]));
        let each: Vec<Edits> = said.iter().zip(&heard).map(|(a, b)| words(a, b, Form::AsGiven)).collect();
        let (all, corpus): (Edits, _) = (each.iter().copied().sum(), &want["corpus"]);
        rates(&mut tally, id, &all, corpus, "wer");
        let order = |value: &'_ Value| -> [Value; 4] { [0, 1, 2, 3].map(|i| value[i].clone()) };
        kinds(&mut tally, id, &all, order(&corpus["hits_sub_del_ins"]).each_ref());
        let letters: Edits = said.iter().zip(&heard).map(|(a, b)| characters(a, b, JIWER)).sum();
        if let Ok(rate) = letters.error_rate() {
            tally.close(&format!("{id} cer"), rate, corpus["cer"].as_f64().unwrap(), 1e-9, 1e-3);
        }
        kinds(&mut tally, &format!("{id} characters"), &letters, order(&corpus["char_hits_sub_del_ins"]).each_ref());
        for (found, want) in each.iter().zip(want["per_utterance_wer"].as_array().unwrap()) {
            if let Ok(got) = found.error_rate() {
                tally.close(&format!("{id} utterance"), got, want.as_f64().unwrap(), 1e-9, 1e-3);
            }
        }
    }
    tally.finish();
}
