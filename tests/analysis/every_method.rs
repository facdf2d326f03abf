//! Each measure by each method that the protocol may declare: every pair that is accepted is also answered.

use crate::support::{observed, protocol, stamp};
use cadproof::analysis::results::{Results, Stat};
use cadproof::protocol::{
    self, AgreementForm, Axis, Covariance, Endpoint, Measure, Method, Protocol, Range, Rank, Subject,
};
use cadproof::report::phrase;
use cadproof::stats::mrmc::{Case, IndexedReading, MrmcData};

const MEASURES: [Measure; 26] = [
    Measure::Auc,
    Measure::PartialAuc,
    Measure::SensitivityAtSpecificity,
    Measure::SpecificityAtSensitivity,
    Measure::ExpectedUtility,
    Measure::BinormalAuc,
    Measure::ProperBinormalAuc,
    Measure::Sensitivity,
    Measure::Specificity,
    Measure::Ppv,
    Measure::Npv,
    Measure::Accuracy,
    Measure::LikelihoodRatioPositive,
    Measure::LikelihoodRatioNegative,
    Measure::DiagnosticOddsRatio,
    Measure::OddsRatio,
    Measure::Discordance,
    Measure::Kappa,
    Measure::WeightedKappa,
    Measure::FleissKappa,
    Measure::GwetAc1,
    Measure::KrippendorffAlpha,
    Measure::Icc,
    Measure::LimitsOfAgreement,
    Measure::LinCcc,
    Measure::FrocSensitivity,
];

fn endpoint(protocol: &Protocol, measure: Measure, method: Method, subject: Subject, comparing: bool) -> Endpoint {
    let readers = subject == Subject::Readers;
    let is_fit = matches!(measure, Measure::BinormalAuc | Measure::ProperBinormalAuc);
    let calls = matches!(
        measure,
        Measure::Sensitivity
            | Measure::Specificity
            | Measure::Ppv
            | Measure::Npv
            | Measure::Accuracy
            | Measure::LikelihoodRatioPositive
            | Measure::LikelihoodRatioNegative
            | Measure::DiagnosticOddsRatio
            | Measure::Kappa
            | Measure::GwetAc1
    );
    Endpoint {
        id: "e".to_owned(),
        rank: Rank::Primary,
        measure,
        label: None,
        subject,
        modality: (readers && !comparing).then(|| "aided".to_owned()),
        compare: comparing.then(|| ["aided".to_owned(), "unaided".to_owned()]),
        operating_point: (!readers && calls).then(|| protocol.device.operating_point[0].id.clone()),
        method,
        covariance: (method == Method::ObuchowskiRockette).then_some(Covariance::Jackknife),
        random: None,
        confidence_level: None,
        // The binormal fits are iterative: as few resamples as a 95 % interval takes.
        replicates: method.is_bootstrap().then_some(if is_fit { 40 } else { 200 }),
        range: match measure {
            Measure::PartialAuc => Some(Range { axis: Axis::Specificity, from: 0.7, to: 1.0 }),
            Measure::SensitivityAtSpecificity => Some(Range { axis: Axis::Specificity, from: 0.9, to: 0.9 }),
            Measure::SpecificityAtSensitivity => Some(Range { axis: Axis::Sensitivity, from: 0.9, to: 0.9 }),
            _ => None,
        },
        slope: (measure == Measure::ExpectedUtility).then_some(0.6),
        form: match measure {
            Measure::WeightedKappa => Some(AgreementForm::Quadratic),
            Measure::KrippendorffAlpha => Some(AgreementForm::Interval),
            Measure::Icc => Some(AgreementForm::Agreement),
            _ => None,
        },
        fp_per_image: None,
        acceptance: None,
        hypothesis: None,
    }
}

/// Reasons that are a right answer to a question that these data do not hold.
const RIGHT_REASONS: [&str; 6] =
    ["by-reader-only", "mean-of-pairs", "no-categories", "two-readers", "no-variance", "no_variance"];

/// Korean reports name every method and every reason in Korean.
fn korean_is_complete(results: &Results) {
    let declared = |method: &str| !method.contains(' ') && method == method.to_lowercase();
    for record in &results.records {
        let method = record.method_id.as_str();
        assert!(phrase::covered(method).is_some() || declared(method), "no Korean for the method ‘{method}’");
        if let Some(reason) = &record.not_estimable {
            assert!(phrase::covered(&reason.reason).is_some(), "no Korean for the reason ‘{}’", reason.reason);
        }
    }
}

#[test]
fn whatever_a_protocol_may_declare_is_answered() {
    let mut protocol = protocol("nuclei");
    let mut full = observed("nuclei", &protocol);
    // A part of the study answers as well and sooner. Every case is a patient of its own, so that the methods for
    // independent cases answer too.
    const CASES: usize = 64;
    full.subgroups.clear();
    full.case.truncate(CASES);
    full.truth.truncate(CASES);
    full.device.as_mut().unwrap().truncate(CASES);
    full.patient = (0..CASES as u32).collect();
    full.patients = CASES;
    full.readings = full.readings.map(|data| {
        let cases = data.cases()[..CASES].iter().map(|case| Case { cluster: None, ..case.clone() }).collect();
        let rows: Vec<IndexedReading> =
            data.readings().filter(|row| (row.case as usize) < CASES && row.reader < 3).collect();
        MrmcData::new(data.readers()[..3].to_vec(), data.modalities().to_vec(), cases, &rows).unwrap()
    });
    let mut answered = 0;
    for measure in MEASURES {
        for (subject, comparing) in [(Subject::Device, false), (Subject::Readers, false), (Subject::Readers, true)] {
            if measure == Measure::FrocSensitivity {
                continue;
            }
            for &method in protocol::methods(measure, subject, comparing) {
                let declared = endpoint(&protocol, measure, method, subject, comparing);
                protocol.endpoints = vec![declared];
                let mut seen = full.clone();
                match subject {
                    Subject::Device => seen.readings = None,
                    Subject::Readers => seen.device = None,
                }
                let results = cadproof::analysis::analyze(&protocol, &seen, stamp(&protocol));
                korean_is_complete(&results);
                let what = format!("{measure:?} by {method:?} of {subject:?}, comparing {comparing}");
                let own: Vec<_> = results
                    .records
                    .iter()
                    .filter(|r| r.endpoint_id.as_deref() == Some("e") && r.table_id != "T-RBR")
                    .collect();
                if measure == Measure::Discordance {
                    continue;
                }
                assert!(own.iter().any(|r| r.stat == Stat::Est), "{what}: no estimate");
                for record in &own {
                    if let Some(reason) = &record.not_estimable {
                        let right = RIGHT_REASONS.contains(&reason.code.as_str())
                            || reason.code == "normal-limit"
                            || (measure == Measure::LimitsOfAgreement && record.stat != Stat::Est);
                        assert!(
                            right,
                            "{what}: {} is not estimable: {} ({})",
                            record.ard_id, reason.reason, reason.code
                        );
                    }
                }
                assert!(
                    own.iter().any(|r| r.stat == Stat::Lo) || own.iter().any(|r| r.not_estimable.is_some()),
                    "{what}: no interval and no reason"
                );
                answered += 1;
            }
        }
    }
    println!("{answered} pairs of measure and method answered");
    assert!(answered > 100, "{answered}");
}
