use crate::golden;
use cadproof::figures::{draw_all, render_all};
use cadproof::protocol::Language;

#[test]
fn the_same_results_give_the_same_bytes_twice_in_both_languages() {
    for language in [Language::Ko, Language::En] {
        for (_, results) in [golden::reader_study(), golden::standalone()] {
            assert_eq!(render_all(&results, language).unwrap(), render_all(&results, language).unwrap());
        }
    }
}

#[test]
fn every_figure_has_its_own_font_alternative_text_and_data() {
    let (_, results) = golden::reader_study();
    let figures = draw_all(&results, Language::Ko).unwrap();
    let ids: Vec<&str> = figures.iter().map(|f| f.id.as_str()).collect();
    assert_eq!(ids, ["F-ROC", "F-ROCR", "F-FOREST", "F-SUB", "F-HIST.aided"]);
    for figure in figures {
        assert!(figure.svg.contains("@font-face") && !figure.inline.contains("@font-face"), "{}", figure.id);
        assert!(figure.svg.contains("<title") && figure.svg.contains("<desc"), "{}", figure.id);
        assert!(figure.csv.lines().count() > 1, "{}", figure.id);
        // The embedded font is base64, in which any three letters may stand.
        assert!(!figure.inline.contains("NaN") && !figure.inline.contains("inf"), "{}", figure.id);
        assert!(!figure.inline.contains("<시험>"), "unescaped text in {}", figure.id);
    }
}

#[test]
fn a_row_that_is_not_estimable_is_worded_in_the_language_of_the_figure() {
    let (_, results) = golden::reader_study();
    let forest = |language| draw_all(&results, language).unwrap().into_iter().find(|f| f.id == "F-FOREST").unwrap().svg;
    assert!(forest(Language::En).contains("\nNE\n"));
    assert!(forest(Language::Ko).contains("추정 불가"));
}

#[test]
fn negative_numbers_carry_the_minus_sign_and_no_hyphen() {
    let (_, results) = golden::reader_study();
    let forest = draw_all(&results, Language::En).unwrap().into_iter().find(|f| f.id == "F-FOREST").unwrap().inline;
    let texts: Vec<&str> = forest.lines().filter(|l| !l.starts_with('<')).collect();
    assert!(texts.iter().any(|t| t.contains("−0.05")), "{texts:?}");
    assert!(texts.iter().all(|t| !t.contains("-0")), "{texts:?}");
}

#[test]
fn a_glyph_that_the_font_lacks_is_an_error_that_names_the_character_and_the_figure() {
    let (_, mut results) = golden::reader_study();
    results.figures.forest[0].rows[0].label_en = "Reader 漢".to_owned();
    let error = render_all(&results, Language::En).unwrap_err().to_string();
    assert!(error.contains("U+6F22") && error.contains('漢') && error.contains("F-FOREST"), "{error}");
}

#[test]
fn a_histogram_counts_readings_of_an_arm_and_cases_of_the_device() {
    let (_, mut results) = golden::reader_study();
    let axis = |results: &_, language| {
        let all = draw_all(results, language).unwrap();
        all.into_iter().find(|f| f.id.starts_with("F-HIST")).unwrap().inline
    };
    assert!(axis(&results, Language::En).contains("\nNumber of readings\n"));
    assert!(axis(&results, Language::Ko).contains("판독 건수"));
    results.figures.histogram[0].arm = "standalone".to_owned();
    assert!(axis(&results, Language::En).contains("\nNumber of cases\n"));
}
