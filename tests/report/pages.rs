use crate::golden::{self, HOSTILE};
use cadproof::analysis::format::{Kind, fmt_value};
use cadproof::analysis::results::Results;
use cadproof::protocol::{Language, Protocol, ReportKind};
use cadproof::report::render;
use std::collections::BTreeSet;

const LANGUAGES: [Language; 2] = [Language::Ko, Language::En];

fn every_report() -> Vec<(ReportKind, Protocol, Results)> {
    let (protocol, results) = golden::reader_study();
    let (alone, alone_results) = golden::standalone();
    vec![
        (ReportKind::Mfds, protocol.clone(), results.clone()),
        (ReportKind::Fda, protocol, results),
        (ReportKind::Standalone, alone, alone_results),
    ]
}

/// What a reader sees: no style, no drawings, no tags, entities read back.
fn visible(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let skip = [("<style", "</style>"), ("<svg", "</svg>")].into_iter().find(|(open, _)| rest.starts_with(open));
        let end = skip.and_then(|(_, close)| rest.find(close).map(|at| at + close.len()));
        let end = end.or_else(|| rest.find('>').map(|at| at + 1)).unwrap_or(rest.len());
        rest = &rest[end..];
        text.push(' ');
    }
    text.push_str(rest);
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&")
}

/// Runs of digits with their decimal points: `0.912`, `95`, `2026`.
fn numbers(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|run| run.trim_matches('.').to_owned())
        .filter(|run| run.chars().any(|c| c.is_ascii_digit()))
        .collect()
}

fn ids(html: &str) -> BTreeSet<String> {
    html.split("data-ard=\"").skip(1).filter_map(|part| part.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn both_languages_print_the_same_records_and_leave_none_of_the_main_tables_out() {
    for (kind, protocol, results) in every_report() {
        let [ko, en] = LANGUAGES.map(|language| ids(&render(&protocol, &results, kind, language).unwrap()));
        assert_eq!(ko, en, "{kind:?}");
        assert!(ko.len() > 15, "{kind:?}: {} records printed", ko.len());
        let escaped =
            |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        for record in &results.records {
            // An arm without an interval prints no bound; a per-arm p-value of T-RBR is shown once a reader.
            if record.table_id == "T-RBR" && record.ard_id.ends_with("/p") {
                continue;
            }
            assert!(ko.contains(&escaped(&record.ard_id)), "{kind:?} does not print {}", record.ard_id);
        }
    }
}

#[test]
fn every_number_on_the_page_comes_from_the_results_the_protocol_or_the_catalogue() {
    let catalogue =
        [include_str!("../../templates/i18n/ko.toml"), include_str!("../../templates/i18n/en.toml")].concat();
    for (kind, protocol, results) in every_report() {
        // What the page writes in its own way: limits at the precision of their measure, the confidence level in per cent.
        let formatted = [fmt_value(Kind::Index, 0.05), fmt_value(Kind::Proportion, 0.8), "95".to_owned()].join(" ");
        let known = format!(
            "{} {} {catalogue} {formatted}",
            serde_json::to_string(&protocol).unwrap(),
            serde_json::to_string(&results).unwrap().replace("\\\"", "\"")
        );
        // Hashes are printed whole and in part.
        let hashes =
            [&results.stamp.protocol_hash, &results.stamp.lock_root].map(|h| h.chars().take(12).collect::<String>());
        let known = numbers(&format!("{known} {} {}", hashes[0], hashes[1]));
        // A whole real number is `60.0` in JSON and `60` on paper.
        let whole: BTreeSet<String> = known.iter().filter_map(|n| n.strip_suffix(".0")).map(str::to_owned).collect();
        let count = protocol.readers.len().to_string();
        for language in LANGUAGES {
            let html = render(&protocol, &results, kind, language).unwrap();
            let foreign: Vec<String> = numbers(&visible(&html))
                .into_iter()
                .filter(|n| !known.contains(n) && !whole.contains(n) && *n != count && n != "11.4.")
                .collect();
            assert!(foreign.is_empty(), "{kind:?} {language:?}: {foreign:?}");
        }
    }
}

#[test]
fn a_missing_number_stops_the_report_and_is_named() {
    let (protocol, mut results) = golden::standalone();
    results.records.retain(|r| r.ard_id != "T-2x2/op1.fn/n");
    let error = render(&protocol, &results, ReportKind::Standalone, Language::Ko).unwrap_err().to_string();
    assert!(error.contains("T-2x2/op1.fn/n"), "{error}");

    let (protocol, mut results) = golden::reader_study();
    results.records.retain(|r| r.table_id != "T-PRIM");
    let error = render(&protocol, &results, ReportKind::Mfds, Language::En).unwrap_err().to_string();
    assert!(error.contains("T-PRIM/auc.diff/est"), "{error}");

    let (protocol, mut results) = golden::reader_study();
    results.records.retain(|r| r.ard_id != "T-SESP/sensitivity.pooled.aided/n");
    assert!(render(&protocol, &results, ReportKind::Fda, Language::En).is_err());

    let (protocol, mut results) = golden::reader_study();
    results.conclusions.clear();
    let error = render(&protocol, &results, ReportKind::Fda, Language::En).unwrap_err().to_string();
    assert!(error.contains("auc") && error.contains("conclusion"), "{error}");
}

#[test]
fn a_record_that_would_print_nonsense_is_refused() {
    for text in ["NaN", "inf", " "] {
        let (protocol, mut results) = golden::reader_study();
        results.records[0].value_fmt = text.to_owned();
        let error = render(&protocol, &results, ReportKind::Mfds, Language::Ko).unwrap_err().to_string();
        assert!(error.contains("T-PRIM/auc.unaided/est"), "{error}");
    }
}

#[test]
fn what_is_not_estimable_is_worded_and_carries_its_reason() {
    let (protocol, mut results) = golden::reader_study();
    let ko = visible(&render(&protocol, &results, ReportKind::Mfds, Language::Ko).unwrap());
    let en = visible(&render(&protocol, &results, ReportKind::Mfds, Language::En).unwrap());
    assert!(ko.contains("추정 불가: AUC에는 두 참조표준 범주가 모두 필요하다: 양성 0건, 음성 3건"));
    assert!(en.contains("NE: AUC needs both truth classes: n+ = 0, n− = 3"));
    // A reason that no phrase covers keeps its English behind the words of its code.
    for record in results.records.iter_mut().filter_map(|r| r.not_estimable.as_mut()) {
        record.reason = "the moon was in the wrong house".to_owned();
    }
    let ko = visible(&render(&protocol, &results, ReportKind::Mfds, Language::Ko).unwrap());
    assert!(ko.contains("추정 불가: 참조표준이 한 범주뿐임 (the moon was in the wrong house)"));
}

#[test]
fn the_page_is_self_contained_escaped_and_free_of_nonsense() {
    for (kind, protocol, results) in every_report() {
        for language in LANGUAGES {
            let html = render(&protocol, &results, kind, language).unwrap();
            assert_eq!(html, render(&protocol, &results, kind, language).unwrap());
            let text = visible(&html);
            assert!(!text.contains("NaN") && !text.contains("undefined") && !text.contains("{{"), "{kind:?}");
            assert!(!html.contains("<시험>") && text.contains(HOSTILE), "{kind:?}");
            let outside = html.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !outside.contains("http:") && !outside.contains("https:") && !outside.contains("<script"),
                "{kind:?}"
            );
            assert_eq!(html.matches("@font-face").count(), 2, "{kind:?}");
            assert!(text.matches(if language == Language::Ko { "손으로 만든" } else { "made by hand." }).count() >= 2);
        }
    }
}

#[test]
fn primary_result_readers_curves_and_forest_plot_follow_one_another() {
    let (protocol, results) = golden::reader_study();
    for kind in [ReportKind::Mfds, ReportKind::Fda] {
        let html = render(&protocol, &results, kind, Language::Ko).unwrap();
        let places =
            ["id=\"T-PRIM\"", "id=\"T-RBR\"", "id=\"F-ROC\"", "id=\"F-FOREST\""].map(|id| html.find(id).unwrap());
        assert!(places.is_sorted(), "{places:?}");
        let captions = html[places[0]..places[3]].matches("<caption id=\"T-").count();
        assert_eq!(captions, 1, "only T-RBR stands between T-PRIM and F-FOREST");
    }
}

#[test]
fn an_empty_results_file_says_in_words_that_nothing_was_part_of_the_study() {
    let (mut protocol, mut results) = golden::standalone();
    protocol.endpoints[0].hypothesis = None;
    results.records.clear();
    results.conclusions.clear();
    results.figures = Default::default();
    for (language, words) in [(Language::Ko, "해당 없음"), (Language::En, "Not part of this study.")] {
        let html = render(&protocol, &results, ReportKind::Standalone, language).unwrap();
        assert!(visible(&html).matches(words).count() > 8);
        assert!(ids(&html).is_empty() && !html.contains("<td></td>"));
    }
}

#[test]
fn a_character_that_the_font_lacks_is_named_with_its_place() {
    let (mut protocol, results) = golden::reader_study();
    protocol.test_set.source.ko = Some("漢 병원".to_owned());
    let error = render(&protocol, &results, ReportKind::Mfds, Language::Ko).unwrap_err().to_string();
    assert!(error.contains("U+6F22") && error.contains("T-SRC"), "{error}");
}

#[test]
fn the_contents_list_every_other_heading_and_not_their_own() {
    let (protocol, results) = golden::reader_study();
    for (kind, own) in [(ReportKind::Mfds, "mfds.s3"), (ReportKind::Fda, "fda.toc")] {
        let html = render(&protocol, &results, kind, Language::En).unwrap();
        assert!(html.contains(&format!("<h2 id=\"{own}\"")) && !html.contains(&format!("href=\"#{own}\"")));
        for heading in html.split("<h2 id=\"").skip(1).filter_map(|part| part.split('"').next()) {
            assert!(heading == own || html.contains(&format!("href=\"#{heading}\"")), "{heading}");
        }
    }
}

#[test]
fn a_table_that_no_report_knows_is_refused() {
    let (protocol, mut results) = golden::reader_study();
    results.records[0].table_id = "T-NEW".to_owned();
    for kind in [ReportKind::Mfds, ReportKind::Fda, ReportKind::Standalone] {
        let error = render(&protocol, &results, kind, Language::Ko).unwrap_err().to_string();
        assert!(error.contains("T-NEW") && error.contains("T-PRIM/auc.unaided/est"), "{error}");
    }
}

/// Whatever stands in the results stands in each report, if not in its own place then at the end.
#[test]
fn a_report_leaves_no_table_figure_or_note_out() {
    let (protocol, mut results) = golden::reader_study();
    let mut figure = results.figures.forest[0].clone();
    figure.id = "F-TIME & more".to_owned();
    results.figures.forest.push(figure);
    let mut note = results.notes[0].clone();
    (note.about, note.en, note.ko) =
        ("T-NOUT".to_owned(), "A note on nothing.".to_owned(), "없는 표의 주석.".to_owned());
    results.notes.push(note);
    for kind in [ReportKind::Mfds, ReportKind::Fda, ReportKind::Standalone] {
        let html = render(&protocol, &results, kind, Language::En).unwrap();
        assert_eq!(html.matches("<figure id=\"F-TIME &amp; more\"").count(), 1, "{kind:?}");
        assert_eq!(html.matches("A note on nothing.").count(), 1, "{kind:?}");
        for table in ["T-RBR", "T-VC", "T-SESP", "T-COMP"] {
            assert!(html.contains(&format!("data-ard=\"{table}/")), "{kind:?} leaves out {table}");
            assert_eq!(html.matches(&format!("<caption id=\"{table}\"")).count(), 1, "{kind:?} {table}");
        }
        for id in ["F-ROC", "F-ROCR", "F-FOREST", "F-SUB", "F-HIST.aided"] {
            assert_eq!(html.matches(&format!("<figure id=\"{id}\"")).count(), 1, "{kind:?} {id}");
        }
    }
}

#[test]
fn the_korean_report_states_the_route_by_law_and_the_deidentification_as_declared_or_says_that_they_are_not() {
    use cadproof::protocol::{LegalRoute, Text};
    let (mut protocol, results) = golden::reader_study();
    let page = |protocol: &Protocol| visible(&render(protocol, &results, ReportKind::Mfds, Language::Ko).unwrap());
    let sentence =
        "본 시험은 기 수집된 데이터를 사용하며 시험대상자에게 기기를 직접 적용하지 않는 데이터 임상시험이다.";
    let without = page(&protocol);
    assert!(without.contains("시험 구분(study.legal_route)이 기재되지 않았다") && !without.contains(sentence));
    protocol.study.legal_route = Some(LegalRoute::DataTrial);
    protocol.test_set.deidentification =
        Some(Text { en: "Names were cut.".to_owned(), ko: Some("이름을 삭제하였다.".to_owned()) });
    let with = page(&protocol);
    assert!(with.contains(sentence) && with.contains("이름을 삭제하였다."));
    protocol.study.legal_route = Some(LegalRoute::PerformanceTest);
    assert!(page(&protocol).contains("임상시험 자료 갈음 여부는 식약처 확인 사항"));
}

#[test]
fn readers_stand_against_arms_and_levels_under_their_variable() {
    let (protocol, results) = golden::reader_study();
    let html = render(&protocol, &results, ReportKind::Mfds, Language::En).unwrap();
    let row = |ard: &str| html.split("<tr").find(|row| row.contains(ard)).unwrap().to_owned();
    let done = row("T-COMP/R1.unaided/n");
    assert!(done.contains("T-COMP/R1.aided/n") && !done.contains("T-COMP/R1.diff"), "{done}");
    let level = row("T-SUB/site=C.auc.diff/est");
    assert!(level.contains("<th scope=\"row\">C</th>"), "{level}");
    assert!(html.contains("<th scope=\"rowgroup\" colspan=\"2\">site</th>"));
}
