//! What a format cannot hold is refused with the reason, and no file is written.

use cadproof::data::formats::{Exchange, ExchangeCase, Format, StudyTables, WideLayout, bytes};
use cadproof::protocol::Suspicious;
use cadproof::stats::mrmc::IndexedReading;
use std::path::Path;

fn exchange(readers: &[&str], modalities: &[&str], cases: &[(&str, bool)], readings: &[(u32, u32, u32)]) -> Exchange {
    let own = |list: &[&str]| list.iter().map(|&label| label.to_owned()).collect::<Vec<_>>();
    Exchange {
        readers: own(readers),
        modalities: own(modalities),
        cases: cases.iter().map(|&(id, diseased)| ExchangeCase { id: id.to_owned(), diseased }).collect(),
        readings: readings
            .iter()
            .map(|&(reader, modality, case)| IndexedReading { reader, modality, case, rating: f64::from(case) })
            .collect(),
        location: None,
        direction: Some(Suspicious::Higher),
        notes: Vec::new(),
    }
}

fn wide(separator: &str) -> Format {
    Format::WideCsv(WideLayout::ReaderModality { separator: separator.to_owned() })
}

#[track_caller]
fn refused(exchange: &Exchange, format: &Format, reasons: &[&str]) {
    let text = bytes(exchange, format).expect_err("refused").to_string();
    assert_eq!(text.lines().count(), reasons.len() + 1, "{text}");
    for reason in reasons {
        assert!(text.contains(reason), "{reason:?} is not in {text}");
    }
}

#[test]
fn labels_that_a_format_would_change() {
    let odd = exchange(
        &["a,b", "-1", "R 1", "R1"],
        &["m(1)", "\"q\"", " x"],
        &[("c1", true), ("", false)],
        &[(0, 0, 0), (1, 1, 1), (2, 2, 0), (3, 0, 1)],
    );
    refused(
        &odd,
        &Format::Imrmc,
        &[
            "reader \"a,b\" holds a comma",
            "\"-1\" is the format's name for the truth",
            "\"R 1\" and \"R1\" differ by blanks",
            "modality \" x\"",
            "case \"\"",
        ],
    );
    refused(&odd, &Format::TidyCsv, &["modality \" x\"", "case \"\""]);
    refused(
        &odd,
        &wide("1"),
        &[
            "modality \" x\"",
            "case \"\"",
            "reader \"-1\" holds the separator",
            "reader \"R 1\"",
            "reader \"R1\"",
            "modality \"m(1)\"",
        ],
    );
    let text = bytes(&odd, &Format::RjafrocXlsx).unwrap_err().to_string();
    assert!(text.contains("\"m(1)\" holds a comma or bracket") && text.contains("no other design"), "{text}");
}

#[test]
fn gaps_and_unread_cases() {
    let gap = exchange(&["R1", "R2"], &["a"], &[("c1", true), ("c2", false)], &[(0, 0, 0), (0, 0, 1), (1, 0, 0)]);
    refused(&gap, &Format::Lrc, &["reader \"R2\" did not read 1 of 2 cases in modality \"a\" (the first is \"c2\")"]);
    refused(&gap, &Format::RjafrocXlsx, &["neither fully crossed"]);
    let one = exchange(&["R1"], &["a"], &[("c1", true)], &[(0, 0, 0)]);
    refused(&one, &Format::RjafrocXlsx, &["there is one case"]);
    let idle = exchange(&["R1", "R2"], &["a", "b"], &[("c1", true), ("c2", false)], &[(0, 0, 0), (0, 0, 1)]);
    let lost = ["reader \"R2\" has no reading and would be lost", "modality \"b\" has no reading and would be lost"];
    for format in [Format::Imrmc, Format::TidyCsv, Format::OrDbmCsv, wide(".")] {
        refused(&idle, &format, &lost);
    }
    let unread = exchange(&["R1"], &["a"], &[("c1", true), ("c2", false), ("c3", false)], &[(0, 0, 0), (0, 0, 1)]);
    for format in [Format::TidyCsv, Format::OrDbmCsv] {
        refused(&unread, &format, &["case \"c3\" was read by nobody"]);
    }
    assert!(bytes(&unread, &Format::Imrmc).is_ok());
    assert!(bytes(&unread, &wide(".")).is_ok());
}

#[test]
fn a_direction_that_nobody_declared() {
    let mut open = exchange(&["R1"], &["a"], &[("c1", true), ("c2", false)], &[(0, 0, 0), (0, 0, 1)]);
    open.direction = None;
    for format in [Format::Imrmc, Format::Lrc, Format::OrDbmCsv, Format::RjafrocXlsx] {
        let text = bytes(&open, &format).unwrap_err().to_string();
        assert!(text.contains("declare it by --suspicious higher or --suspicious lower"), "{text}");
    }
    assert!(bytes(&open, &Format::TidyCsv).is_ok());
    open.direction = Some(Suspicious::Lower);
    let text = String::from_utf8(bytes(&open, &Format::Imrmc).unwrap()).unwrap();
    assert!(text.contains("R1,c2,a,-1\n") && text.contains("R1,c1,a,0\n"), "{text}");
    // A study whose protocol says "lower" keeps the ratings as they were; one that says "higher" has them turned.
    let rows = |declared| {
        String::from_utf8(open.to_study(&StudyTables { suspicious: declared, ..StudyTables::default() }).unwrap().1)
            .unwrap()
    };
    assert!(rows(Some(Suspicious::Lower)).contains("R1,c2,a,1\n"));
    assert!(rows(Some(Suspicious::Higher)).contains("R1,c2,a,-1\n"));
}

#[test]
fn a_format_is_never_guessed() {
    let by = |name: &str| Format::by_extension(Path::new(name), "--from").map_err(|error| error.to_string());
    assert_eq!(by("a/x.IMRMC"), Ok(Format::Imrmc));
    assert_eq!(by("x.lrc"), Ok(Format::Lrc));
    assert_eq!(by("x.xlsx"), Ok(Format::RjafrocXlsx));
    assert!(by("x.csv").unwrap_err().contains("or-dbm, tidy or wide; say which by --from"));
    assert!(by("x.dat").unwrap_err().contains("names no format"));
    let named = |name: &str| Format::from_name(name, None).map_err(|error| error.to_string());
    assert_eq!(named("or-dbm"), Ok(Format::OrDbmCsv));
    assert!(named("imrcm").unwrap_err().contains("did you mean imrmc?"));
    assert!(named("wide").unwrap_err().contains("--layout"));
}
