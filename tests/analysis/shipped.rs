use crate::support::{analyze, observed, protocol, record, stamp, value};
use cadproof::analysis::results::{Results, Stat};
use cadproof::protocol::{Language, ReportKind};
use cadproof::stats::roc;

/// The figures that the training script's own report gives (scikit-learn), SOURCE.md of each study.
#[test]
fn the_device_alone() {
    let (_, nuclei) = analyze("nuclei");
    assert!((value(&nuclei, "T-STAND", "auc", Stat::Est) - 0.9435).abs() < 5e-5);
    let counts = |results: &Results, cell: &str| {
        (value(results, "T-STAND", cell, Stat::Count), value(results, "T-STAND", cell, Stat::Total))
    };
    assert_eq!(counts(&nuclei, "flag.sensitivity"), (46.0, 47.0));
    assert_eq!(counts(&nuclei, "flag.specificity"), (52.0, 81.0));
    let (protocol, breast) = analyze("breast-fna");
    let point = &protocol.device.operating_point[0].id;
    assert!((value(&breast, "T-STAND", "auc", Stat::Est) - 0.9887).abs() < 5e-5);
    assert_eq!(counts(&breast, &format!("{point}.sensitivity")), (103.0, 106.0));
    assert_eq!(counts(&breast, &format!("{point}.specificity")), (164.0, 179.0));
}

#[test]
fn every_endpoint_has_its_number_or_its_reason_and_every_hypothesis_its_verdict() {
    for study in ["nuclei", "breast-fna"] {
        let (protocol, results) = analyze(study);
        for endpoint in &protocol.endpoints {
            assert!(
                results.records.iter().any(|r| r.endpoint_id.as_deref() == Some(&endpoint.id)),
                "{study}: nothing of {}",
                endpoint.id
            );
        }
        let declared: Vec<&str> =
            protocol.endpoints.iter().filter(|e| e.hypothesis.is_some()).map(|e| e.id.as_str()).collect();
        let concluded: Vec<&str> = results.conclusions.iter().map(|c| c.endpoint_id.as_str()).collect();
        assert_eq!(declared, concluded);
        for record in &results.records {
            assert_eq!(record.value.is_none(), record.not_estimable.is_some(), "{}", record.ard_id);
            assert!(!record.value_fmt.contains("NaN") && !record.value_fmt.is_empty(), "{}", record.ard_id);
            assert!(!record.method_id.is_empty(), "{}", record.ard_id);
        }
    }
}

/// The mean of the readers is the mean of the single readers' areas, and the difference that of the means.
#[test]
fn the_readers_mean_is_that_of_the_readers() {
    let (protocol, results) = analyze("nuclei");
    let observed = observed("nuclei", &protocol);
    let data = observed.readings.as_ref().unwrap();
    let mean_of = |modality: usize| {
        let areas: Vec<f64> = (0..data.readers().len())
            .map(|reader| {
                let cell = data.cell(modality, reader);
                let of = |diseased: bool| -> Vec<f64> {
                    let rated = cell.cases.iter().zip(cell.ratings);
                    rated.filter(|(c, _)| data.cases()[**c as usize].diseased == diseased).map(|(_, r)| *r).collect()
                };
                roc::auc(&of(true), &of(false)).unwrap()
            })
            .collect();
        areas.iter().sum::<f64>() / areas.len() as f64
    };
    let (unaided, aided) = (mean_of(0), mean_of(1));
    assert!((value(&results, "T-PRIM", "auc-difference.aided", Stat::Est) - aided).abs() < 1e-10);
    assert!((value(&results, "T-PRIM", "auc-difference.diff", Stat::Est) - (aided - unaided)).abs() < 1e-10);
    // Methods that take the patient as the unit agree on the estimate and roughly on its error; the others say why not.
    for other in ["or_jackknife", "bootstrap"] {
        let cell = format!("auc-difference.{other}");
        assert!((value(&results, "T-METH", &cell, Stat::Est) - (aided - unaided)).abs() < 1e-10, "{other}");
        let ratio =
            value(&results, "T-METH", &cell, Stat::Se) / value(&results, "T-PRIM", "auc-difference.diff", Stat::Se);
        assert!((0.7..1.4).contains(&ratio), "{other}: {ratio}");
    }
    for other in ["or_delong", "or_unbiased", "u_unbiased", "u_mle"] {
        let row = record(&results, "T-METH", &format!("auc-difference.{other}"), Stat::Est);
        assert_eq!(row.not_estimable.as_ref().unwrap().code, "clustered_cases", "{other}");
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let protocol = protocol("nuclei");
    let observed = observed("nuclei", &protocol);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            serde_json::to_string(&cadproof::analysis::analyze(&protocol, &observed, stamp(&protocol))).unwrap()
        })
    };
    assert!(with(1) == with(3));
}

#[test]
fn a_case_without_output_is_counted_and_not_scored() {
    let protocol = protocol("breast-fna");
    let mut observed = observed("breast-fna", &protocol);
    let first_positive = observed.truth.iter().position(|&t| t).unwrap();
    observed.device.as_mut().unwrap()[first_positive] = Err("the image cannot be read".to_owned());
    let results = cadproof::analysis::analyze(&protocol, &observed, stamp(&protocol));
    assert_eq!(value(&results, "T-NOUT", "total", Stat::Count), 1.0);
    assert_eq!(
        record(&results, "T-NOUT", "reason.1", Stat::Count).group_level.as_deref(),
        Some("the image cannot be read")
    );
    let point = &protocol.device.operating_point[0].id;
    assert_eq!(value(&results, "T-STAND", &format!("{point}.sensitivity"), Stat::Total), 105.0);
    assert_eq!(record(&results, "T-STAND", "auc", Stat::Est).n_excluded, 1);
}

/// Five intervals of one area, by their own roads: none may lie far from the others.
#[test]
fn the_bootstrap_intervals_of_an_area_agree() {
    use cadproof::protocol::Method;
    for study in ["nuclei", "breast-fna"] {
        let mut protocol = protocol(study);
        let observed = observed(study, &protocol);
        let mut endpoint =
            protocol.endpoints.iter().find(|e| e.id.contains("auc") && e.compare.is_none()).unwrap().clone();
        endpoint.replicates = Some(2000);
        endpoint.hypothesis = None;
        let mut widths = Vec::new();
        for method in
            [Method::BootstrapPercentile, Method::BootstrapBasic, Method::BootstrapBca, Method::BootstrapStudentised]
        {
            endpoint.method = method;
            protocol.endpoints = vec![endpoint.clone()];
            let results = cadproof::analysis::analyze(&protocol, &observed, stamp(&protocol));
            let of = |stat| value(&results, "T-STAND", "auc", stat);
            assert!(of(Stat::Lo) < of(Stat::Est) && of(Stat::Est) < of(Stat::Hi), "{study} {method:?}");
            widths.push(of(Stat::Hi) - of(Stat::Lo));
        }
        let (least, most) =
            (widths.iter().copied().fold(f64::MAX, f64::min), widths.iter().copied().fold(0.0, f64::max));
        assert!(most < 2.0 * least, "{study}: {widths:?}");
    }
}

/// T02: a set with one class only has no AUC, and says why.
#[test]
fn one_class_is_not_estimable() {
    let protocol = protocol("breast-fna");
    let mut observed = observed("breast-fna", &protocol);
    observed.truth.fill(true);
    let results = cadproof::analysis::analyze(&protocol, &observed, stamp(&protocol));
    let auc = record(&results, "T-STAND", "auc", Stat::Est);
    assert!(auc.value.is_none() && auc.value_fmt == "NE" && auc.not_estimable.is_some());
}

/// Real numbers fill every report in both languages; what a template misses stops the render.
#[test]
fn every_report_renders_from_real_results() {
    for (study, kinds) in [
        ("nuclei", vec![ReportKind::Mfds, ReportKind::Fda, ReportKind::Standalone]),
        ("breast-fna", vec![ReportKind::Standalone]),
    ] {
        let (protocol, results) = analyze(study);
        for kind in kinds {
            for language in [Language::Ko, Language::En] {
                let html = cadproof::report::render(&protocol, &results, kind, language)
                    .unwrap_or_else(|error| panic!("{study} {kind:?} {language:?}: {error}"));
                assert!(!outside_data_urls(&html).contains("NaN"), "{study} {kind:?}");
                let english = english_in_footnotes(&html);
                assert!(english.is_empty() == (language == Language::Ko), "{study} {kind:?} {language:?}: {english:?}");
                if study == "nuclei" {
                    let words = if language == Language::Ko { "모의" } else { "simulated" };
                    assert!(
                        html.contains(words),
                        "{study} {kind:?} {language:?} does not say that readers are simulated"
                    );
                }
                if let Some(out) = std::env::var_os("CADPROOF_KEEP_REPORTS") {
                    let name = format!("{study}-{kind:?}-{language:?}.html").to_lowercase();
                    std::fs::write(std::path::Path::new(&out).join(name), &html).unwrap();
                }
            }
        }
    }
}

/// Embedded fonts are base64, in which any three letters may stand.
fn outside_data_urls(html: &str) -> String {
    let mut parts = html.split("base64,");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "+/=".contains(c)));
    }
    text
}

/// Runs of three or more English words under the tables of a Korean report. Names, citations and file names are no such runs.
fn english_in_footnotes(html: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let foots: Vec<&str> =
        html.split("<div class=\"foot\">").skip(1).filter_map(|f| f.split("</div>").next()).collect();
    assert!(foots.len() > 10, "{} footnotes", foots.len());
    let labels = html.split("<th scope=\"row\">").skip(1).filter_map(|l| l.split("</th>").next());
    for text in foots.into_iter().chain(labels) {
        let mut run: Vec<&str> = Vec::new();
        for token in text.split([' ', '\n', '<', '>']).chain([""]) {
            let word = token.trim_end_matches([',', '.', ';', ':']);
            let is_word = word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic());
            if is_word {
                run.push(word);
            }
            if !is_word || word != token {
                if run.len() > 2 {
                    runs.push(run.join(" "));
                }
                run.clear();
            }
        }
    }
    runs
}
