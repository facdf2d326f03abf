//! The demonstration: everything at once, the same bytes whatever the thread count.

use crate::support::{cadproof, done, files, say, say_with};

#[test]
fn the_demo_gives_the_same_bytes_on_one_thread_and_on_two() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (out, threads) in [("one", "1"), ("two", "2")] {
        let mut command = cadproof();
        // Dates come from the protocols: no clock is needed.
        command.env("RAYON_NUM_THREADS", threads).env("SOURCE_DATE_EPOCH", "0");
        let said = say_with(command, &["demo", "--out", out], at);
        assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
        assert!(said.out.contains("nuclei-mfds-ko.html"), "{}", said.out);
    }
    let (one, two) = (files(&at.join("one")), files(&at.join("two")));
    assert!(one.contains_key("nuclei/reports/nuclei-fda-en.html") && one.contains_key("breast-fna/results.json"));
    let differ: Vec<&String> = one.keys().chain(two.keys()).filter(|name| one.get(*name) != two.get(*name)).collect();
    assert!(differ.is_empty(), "{differ:?}");
    for study in ["one/nuclei", "one/breast-fna"] {
        done(&["verify", study, "--rerun"], at);
    }
    // The protocol's own disclaimer is in every report.
    for (name, bytes) in one.iter().filter(|(name, _)| name.ends_with(".html")) {
        let page = String::from_utf8_lossy(bytes);
        let words = if name.contains("nuclei") {
            ["simulated", "모의"]
        } else {
            ["no medical device", "의료기기가 아니"]
        };
        assert!(words.iter().any(|word| page.contains(word)), "{name}");
    }
    assert_eq!(say(&["demo", "--out", "one"], at).code, 2, "a folder with content was written over");
}
