//! Each fault that a protocol can have: found, at its line and column, with the mend, and together with the others.

use super::{Template, parse};
use crate::fault::Faults;

fn template(template: Template) -> String {
    template.files().remove(0).1
}

/// The faults of a template in which `from` became `to`.
fn changed(kind: Template, from: &str, to: &str) -> Faults {
    let text = template(kind);
    assert!(text.contains(from), "the template holds {from}");
    parse(&text.replacen(from, to, 1), "study.toml").expect_err(to)
}

#[test]
fn all_faults_of_a_file_come_at_once_in_order_of_their_lines() {
    let text = template(Template::StandaloneClassification)
        .replacen("seed = 20260115", "sed = 20260115", 1)
        .replacen("confidence_level = 0.95", "confidence_level = 95", 1)
        .replacen("method = \"delong\"", "method = \"delnog\"", 1)
        .replacen("alpha = 0.025", "alpha = \"0.025\"", 1);
    let faults = parse(&text, "study.toml").unwrap_err();
    let keys: Vec<&str> = faults.0.iter().filter_map(|fault| fault.key.as_deref()).collect();
    assert_eq!(
        keys,
        ["study.seed", "study.sed", "study.confidence_level", "endpoint[1].method", "endpoint[1].hypothesis.alpha"]
    );
    for fault in &faults.0[1..] {
        let line = text.lines().nth(fault.line.unwrap() - 1).unwrap();
        let name = fault.key.as_deref().unwrap().rsplit('.').next().unwrap();
        assert!(line.contains(name), "{fault}\n{line}");
    }
    let printed = faults.to_string();
    assert!(printed.contains("write `seed`"), "{printed}");
    assert!(printed.contains("write \"delong\""), "{printed}");
    assert!(printed.contains("take the quotes away: 0.025"), "{printed}");
}

#[test]
fn the_column_is_that_of_the_value() {
    let faults = changed(Template::StandaloneClassification, "method = \"delong\"", "method = \"delnog\"");
    assert_eq!((faults.len(), faults.0[0].column), (1, Some(10)));
}

#[test]
fn broken_toml_is_placed_too() {
    let faults = parse("[study]\nid = \"a\nx = 1\n[device\n", "study.toml").unwrap_err();
    assert!(faults.0.iter().any(|fault| fault.line == Some(2)), "{faults}");
    assert!(faults.0.iter().any(|fault| fault.line == Some(4)), "{faults}");
}

#[test]
fn an_empty_file_lacks_every_table() {
    let faults = parse("", "study.toml").unwrap_err();
    let keys: Vec<&str> = faults.0.iter().filter_map(|fault| fault.key.as_deref()).collect();
    assert_eq!(keys, ["study", "device", "test_set", "endpoint"]);
}

#[test]
fn a_byte_order_mark_is_no_fault() {
    let text = format!("\u{feff}{}", template(Template::ReaderStudy));
    assert!(parse(&text, "study.toml").is_ok());
}

#[test]
fn each_impossible_combination_is_refused_where_it_stands() {
    use Template::{ReaderStudy as R, StandaloneClassification as C, StandaloneDetection as D};
    let primary = "method = \"obuchowski-rockette\"\ncovariance = \"jackknife\"                   # or \"delong\", \"unbiased\", \"bootstrap\"";
    // (template, what stands there, what is put there, the fault's key, words of the fault)
    let cases: &[(Template, &str, &str, &str, &str)] = &[
        // values one by one
        (C, "date = \"2026-01-15\"", "date = \"2026-02-30\"", "study.date", "not a date"),
        (C, "date = \"2026-01-15\"", "date = 2026-01-15", "study.date", "without quotes"),
        (C, "prevalences = [0.05, 0.10]", "prevalences = [0.05, 1.0]", "test_set.prevalences", "the number 1.0"),
        (C, "threshold = 0.5", "threshold = nan", "device.operating_point[1].threshold", "nan"),
        (C, "cases = \"cases.csv\"", "cases = \"../cases.csv\"", "test_set.cases", "leads out"),
        (C, "id = \"example-standalone\"", "id = \"my study\"", "study.id", "the id"),
        (C, "title = { en =", "title = { de =", "study.title.de", "unknown key"),
        (R, "washout_days = 30", "washout_days = -1", "design.washout_days", "-1"),
        (
            D,
            "{ rule = \"distance\", radius = 15.0 }   #",
            "{ rule = \"distanse\", radius = 15.0 } #",
            "endpoint[1].acceptance.rule",
            "write \"distance\"",
        ),
        (D, "radius = 15.0 }   #", "radius = 0.0 } #", "endpoint[1].acceptance.radius", "greater than 0"),
        (D, "replicates = 2000", "replicates = 500", "endpoint[1].replicates", "1000 or more"),
        (R, "compare = [\"aided\", \"unaided\"]", "compare = [\"aided\"]", "endpoint[1].compare", "test arm first"),
        // study, device, test set
        (C, "negative = [\"0\"]", "negative = [\"0\", \"1\"]", "test_set.negative", "also the positive"),
        (
            C,
            "fixed_on = \"2026-01-05\"",
            "fixed_on = \"2026-02-05\"",
            "device.operating_point[1].fixed_on",
            "after the protocol",
        ),
        (
            C,
            "approved_on = \"2026-01-02\"",
            "approved_on = \"2026-01-02\"\nvalid_until = \"2025-01-02\"",
            "irb[1].valid_until",
            "before the approval",
        ),
        (C, "patient = \"patient\"", "patient = \"truth\"", "test_set.patient", "also the test_set.truth"),
        (D, "lesions = \"lesions.csv\"", "# lesions", "test_set", "without lesions"),
        (D, "marks = \"marks.csv\"", "# marks", "endpoint[1].measure", "no device marks"),
        (C, "predictions = \"predictions.csv\"", "# predictions", "endpoint[1].subject", "without a device output"),
        (C, "kind = \"standalone\"", "kind = \"reader-study\"", "study.kind", "without [design]"),
        // design
        (R, "kind = \"reader-study\"", "kind = \"standalone\"", "design", "standalone study with [design]"),
        (R, "minimum = 0, maximum = 100", "minimum = 100, maximum = 0", "design.rating_scale", "not below"),
        (R, "action_threshold = 50", "action_threshold = 150", "design.action_threshold", "outside"),
        (R, "action_threshold = 50", "# none", "endpoint[3].measure", "without design.action_threshold"),
        (R, "id = \"R2\"", "id = \"R1\"", "reader[2].id", "also the id of reader[1]"),
        (R, "readings = \"readings.csv\"", "# none", "test_set", "without readings"),
        // endpoints
        (C, "id = \"specificity\"", "id = \"auc\"", "endpoint[3].id", "also the id of endpoint[1]"),
        (C, "method = \"delong\"", "method = \"wilson\"", "endpoint[1].method", "does not fit"),
        (C, "method = \"delong\"", "method = \"bootstrap-bca\"", "endpoint[1].method", "without `replicates`"),
        (
            C,
            "method = \"delong\"",
            "method = \"delong\"\nreplicates = 2000",
            "endpoint[1].replicates",
            "with a bootstrap only",
        ),
        (
            C,
            "method = \"delong\"",
            "method = \"delong\"\noperating_point = \"default\"",
            "endpoint[1].operating_point",
            "no threshold",
        ),
        (
            C,
            "operating_point = \"default\"",
            "operating_point = \"defualt\"",
            "endpoint[2].operating_point",
            "write \"default\"",
        ),
        (C, "operating_point = \"default\"", "", "endpoint[2].measure", "without `operating_point`"),
        (C, "subject = \"device\"", "subject = \"readers\"", "endpoint[1].subject", "without [design]"),
        (
            C,
            "subject = \"device\"",
            "subject = \"device\"\nmodality = \"aided\"",
            "endpoint[1].modality",
            "endpoint of the device",
        ),
        (C, "measure = \"auc\"", "measure = \"wafroc-auc\"", "endpoint[1].measure", "classification task"),
        (C, "measure = \"auc\"", "measure = \"partial-auc\"", "endpoint[1].measure", "without `range`"),
        (D, "fp_per_image = 0.5", "# none", "endpoint[1].measure", "without `fp_per_image`"),
        (
            R,
            "compare = [\"aided\", \"unaided\"]",
            "compare = [\"aided\", \"uniaded\"]",
            "endpoint[1].compare",
            "write \"unaided\"",
        ),
        (
            R,
            "compare = [\"aided\", \"unaided\"]",
            "compare = [\"aided\", \"aided\"]",
            "endpoint[1].compare",
            "with itself",
        ),
        (
            R,
            "compare = [\"aided\", \"unaided\"]",
            "modality = \"aided\"\ncompare = [\"aided\", \"unaided\"]",
            "endpoint[1].compare",
            "both",
        ),
        (R, "modality = \"aided\"", "", "endpoint[2].id", "neither"),
        (R, primary, "method = \"obuchowski-rockette\"", "endpoint[1].method", "without `covariance`"),
        (R, primary, "method = \"u-statistic\"\ncovariance = \"jackknife\"", "endpoint[1].covariance", "only"),
        (R, "crossing = \"fully-crossed\"", "crossing = \"unbalanced\"", "endpoint[1].method", "u-statistic"),
        (
            R,
            "measure = \"odds-ratio\"",
            "measure = \"kappa\"",
            "endpoint[3].measure",
            "`modality` in place of `compare`",
        ),
        // forms of agreement, slope of the utility
        (
            R,
            "measure = \"odds-ratio\"\nsubject = \"readers\"\ncompare = [\"aided\", \"unaided\"]\nmethod = \"gee-exchangeable\"",
            "measure = \"icc\"\nsubject = \"readers\"\nmodality = \"aided\"\nmethod = \"f-distribution\"",
            "endpoint[3].measure",
            "without `form`",
        ),
        (
            R,
            "measure = \"odds-ratio\"\nsubject = \"readers\"\ncompare = [\"aided\", \"unaided\"]\nmethod = \"gee-exchangeable\"",
            "measure = \"icc\"\nsubject = \"readers\"\nmodality = \"aided\"\nmethod = \"f-distribution\"\nform = \"linear\"",
            "endpoint[3].form",
            "one of \"one-way\"",
        ),
        (R, "modality = \"aided\"", "modality = \"aided\"\nform = \"ordinal\"", "endpoint[2].form", "take it out"),
        (R, "modality = \"aided\"", "modality = \"aided\"\nslope = 0.5", "endpoint[2].slope", "take it out"),
        (C, "measure = \"auc\"", "measure = \"expected-utility\"", "endpoint[1].measure", "without `slope`"),
        // hypotheses
        (R, "kind = \"superiority\"", "kind = \"non-inferiority\"", "endpoint[1].hypothesis.kind", "without `margin`"),
        (
            R,
            "kind = \"superiority\"",
            "margin = 0.05\nkind = \"superiority\"",
            "endpoint[1].hypothesis.margin",
            "`margin` with superiority",
        ),
        (
            R,
            "kind = \"superiority\"",
            "kind = \"non-inferiority\"\nmargin = 5",
            "endpoint[1].hypothesis.margin",
            "as a fraction",
        ),
        (
            R,
            "kind = \"superiority\"",
            "kind = \"performance-goal\"\ngoal = 0.8",
            "endpoint[1].hypothesis.kind",
            "for a comparison",
        ),
        (C, "goal = 0.80", "# none", "endpoint[1].hypothesis.kind", "without `goal`"),
        (
            C,
            "kind = \"performance-goal\"\ngoal = 0.80",
            "kind = \"superiority\"",
            "endpoint[1].hypothesis.kind",
            "single arm",
        ),
        (
            C,
            "[report]",
            "[multiplicity]\nmethod = \"holm\"\nendpoints = [\"auk\"]\nalpha = 0.05\n[report]",
            "multiplicity.endpoints",
            "write \"auc\"",
        ),
        (
            C,
            "[report]",
            "[multiplicity]\nmethod = \"holm\"\nendpoints = [\"sensitivity\"]\nalpha = 0.05\n[report]",
            "multiplicity.endpoints",
            "no hypothesis",
        ),
    ];
    let mut unmet = Vec::new();
    for (kind, from, to, key, words) in cases {
        let faults = changed(*kind, from, to);
        let hit = faults.0.iter().any(|fault| {
            fault.key.as_deref() == Some(*key)
                && fault.to_string().contains(words)
                && fault.line.is_some()
                && fault.column.is_some()
        });
        if !hit {
            unmet.push(format!("{to:?}: wanted {key} with {words:?}, got\n{faults}"));
        }
    }
    assert!(unmet.is_empty(), "{} of {}:\n{}", unmet.len(), cases.len(), unmet.join("\n\n"));
}

#[test]
fn a_models_numbers_must_fit_its_channels() {
    let model = "[model]\nfile = \"model.onnx\"\n[model.input]\nkind = \"image\"\nname = \"x\"\nlayout = \"NCHW\"\nchannels = \"rgb\"\nwidth = 8\nheight = 8\n\
                 resize = \"none\"\nscale = 1\nmean = [0.0]\nstd = [1, 0, 1]\n[model.output]\nkind = \"boxes\"\nname = \"y\"\nminimum = 0\n[report]";
    let faults = changed(Template::StandaloneClassification, "[report]", model);
    assert_eq!(faults.0.iter().filter_map(|f| f.key.as_deref()).collect::<Vec<_>>(), ["model.input.std"]);
    let faults = changed(Template::StandaloneClassification, "[report]", &model.replace("[1, 0, 1]", "[1, 1, 1]"));
    let keys: Vec<&str> = faults.0.iter().filter_map(|fault| fault.key.as_deref()).collect();
    assert_eq!(keys, ["test_set", "model.input.mean", "model.output.kind"]);
}

#[test]
fn the_shipped_studies_are_valid_and_give_no_reason_for_a_warning() {
    for study in ["nuclei", "breast-fna"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("studies").join(study).join("study.toml");
        let protocol = super::read(&path).unwrap_or_else(|faults| panic!("{study}:\n{faults}"));
        assert_eq!(protocol.study.id, study);
        assert_eq!(super::warnings(&protocol), Vec::<String>::new(), "{study}");
    }
}

#[test]
fn the_route_by_law_is_one_of_three_words_and_may_be_left_out() {
    use super::LegalRoute;
    let text = template(Template::ReaderStudy);
    assert_eq!(parse(&text, "study.toml").unwrap().study.legal_route, None);
    let declared = |word: &str| {
        let line = format!("direction = \"retrospective\"\nlegal_route = \"{word}\"");
        parse(&text.replacen("direction = \"retrospective\"", &line, 1), "study.toml")
    };
    assert_eq!(declared("data-trial").unwrap().study.legal_route, Some(LegalRoute::DataTrial));
    let fault = declared("data trial").unwrap_err().to_string();
    assert!(fault.contains("study.legal_route") && fault.contains("data-trial"), "{fault}");
    let mut of_the_future = declared("data-trial").unwrap();
    assert_eq!(super::warnings(&of_the_future), Vec::<String>::new());
    of_the_future.study.direction = Some(super::Direction::Prospective);
    assert!(super::warnings(&of_the_future)[0].contains("study.legal_route"));
}
