//! U-statistic analysis against iMRMC: the R package 2.1.2, its Java program's CSV, and the Java classes' own numbers.

use crate::support::{self, Tally};
use cadproof::stats::Estimable;
use cadproof::stats::mrmc::ustat::{
    self, Components, CrossedComponents, Estimator, Inference, ModalityAuc, ModalityDifference, Moments, Options,
    PlannedStudy, Test, UStatistics,
};
use cadproof::stats::mrmc::{MrmcData, Reading};
use cadproof::stats::quantiles::{t_multiplier, t_two_sided_p};
use serde_json::Value;

const SETS: [&str; 8] = [
    "imrmc_example",
    "imrmc_example_missing",
    "imrmc_example_splitplot",
    "vandyke",
    "vandyke_case_nested_in_modality",
    "vandyke_case_nested_in_reader",
    "vandyke_reader_nested_in_modality",
    "viper_challenge_high_splitplot",
];

const TOLERANCE: f64 = 1e-9;
/// Values near zero are compared on the scale of the quantity: variances and their components.
const SMALL: f64 = 1e-4;
/// R and Java take p as 1 − cdf, which has no digit left below about 1e-16.
const P_FLOOR: f64 = 1e-6;

pub fn study(set: &str) -> Option<MrmcData> {
    let rows = support::readings(&format!("mrmc/{set}/readings.csv"))?;
    let readings: Vec<Reading<'_>> = rows
        .iter()
        .map(|row| Reading {
            reader: &row.reader,
            case: &row.case,
            modality: &row.modality,
            diseased: row.truth,
            rating: row.score,
            cluster: None,
        })
        .collect();
    Some(MrmcData::from_readings(&readings).expect("reference readings are a valid study"))
}

fn number(row: &Value, key: &str) -> Option<f64> {
    row.get(key).unwrap_or_else(|| panic!("no {key} in {row}")).as_f64()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{key} of {row} is not a text"))
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn flag(reject: bool) -> f64 {
    f64::from(u8::from(reject))
}

fn position(labels: &[String], label: &str) -> usize {
    labels.iter().position(|known| known == label).unwrap_or_else(|| panic!("no {label} among {labels:?}"))
}

/// One row of a table: a modality, or two of them.
enum Part<'a> {
    One(&'a ModalityAuc),
    Two(&'a ModalityDifference, &'a ModalityAuc, &'a ModalityAuc),
}

impl<'a> Part<'a> {
    fn find(all: &'a UStatistics, a: &str, b: &str) -> Self {
        let first = position(&all.modalities, a);
        if b == "NO_MOD" || a == b {
            return Part::One(&all.per_modality[first]);
        }
        let second = position(&all.modalities, b);
        let pair = all.differences.iter().find(|pair| (pair.first, pair.second) == (first, second));
        Part::Two(pair.expect("pair of modalities"), &all.per_modality[first], &all.per_modality[second])
    }

    fn inference(&self, estimator: Estimator) -> &'a Inference {
        match (self, estimator) {
            (Part::One(one), Estimator::Unbiased) => &one.unbiased,
            (Part::One(one), Estimator::Mle) => &one.mle,
            (Part::Two(two, ..), Estimator::Unbiased) => &two.unbiased,
            (Part::Two(two, ..), Estimator::Mle) => &two.mle,
        }
    }

    fn moments(&self) -> &'a Moments {
        match self {
            Part::One(one) => &one.moments,
            Part::Two(two, ..) => &two.moments,
        }
    }

    fn components(&self, estimator: Estimator) -> &'a Estimable<CrossedComponents> {
        match (self, estimator) {
            (Part::One(one), Estimator::Unbiased) => &one.unbiased_components,
            (Part::One(one), Estimator::Mle) => &one.mle_components,
            (Part::Two(two, ..), Estimator::Unbiased) => &two.unbiased_components,
            (Part::Two(two, ..), Estimator::Mle) => &two.mle_components,
        }
    }

    fn counts(&self) -> [usize; 3] {
        match self {
            Part::One(one) => [one.readers, one.negatives, one.positives],
            Part::Two(two, ..) => [two.readers, two.negatives, two.positives],
        }
    }

    /// AUC and variance of A, the same of B, difference; as far as the row has them.
    fn values(&self, estimator: Estimator) -> [Option<f64>; 6] {
        let of = |one: &ModalityAuc| {
            let inference = if estimator == Estimator::Mle { &one.mle } else { &one.unbiased };
            [one.auc.clone().ok(), inference.variance.clone().ok()]
        };
        match self {
            Part::One(one) => {
                let [auc, variance] = of(one);
                [auc, variance, None, None, None, None]
            }
            Part::Two(two, a, b) => {
                let ([auc_a, var_a], [auc_b, var_b]) = (of(a), of(b));
                let variance = self.inference(estimator).variance.clone().ok();
                [auc_a, var_a, auc_b, var_b, two.difference.clone().ok(), variance]
            }
        }
    }

    fn estimate(&self) -> f64 {
        match self {
            Part::One(one) => one.auc.clone().expect("AUC") - 0.5,
            Part::Two(two, ..) => two.difference.clone().expect("difference"),
        }
    }

    /// Whether readers, non-diseased and diseased cases are all shared by the two modalities.
    fn paired(&self) -> bool {
        match self {
            Part::One(_) => true,
            Part::Two(two, ..) => [0, 1, 3].iter().all(|&s| two.moments.bck(Estimator::Mle).coefficients[s] > 0.0),
        }
    }

    /// The R package's degrees of freedom of a difference. Where a source is not shared it squares the sum of the two
    /// modalities' mean squares; they are independent there, and the Java program and we add their squares.
    fn df_in_r(&self, estimator: Estimator) -> Option<f64> {
        let Part::Two(two, a, b) = self else { return None };
        let bck = [&a.moments, &b.moments, &two.moments].map(|moments| moments.bck(Estimator::Mle));
        let variance = self.inference(estimator).variance.clone().ok().filter(|variance| *variance >= 0.0)?;
        let mut floor = f64::INFINITY;
        let mut sum = 0.0;
        for source in [0, 1, 3] {
            let df =
                bck[..2].iter().map(|one| (1.0 / one.coefficients[source] - 1.0).round()).fold(f64::INFINITY, f64::min);
            let square = bck[0].values[source]? + bck[1].values[source]? - 2.0 * bck[2].values[source].unwrap_or(0.0);
            floor = floor.min(df);
            sum += square * square / df.powi(3);
        }
        Some((variance * variance / sum).max(floor))
    }
}

/// Holds an estimate against a number, or against the program's "no value".
fn hold(tally: &mut Tally, what: &str, got: Option<f64>, want: Option<f64>, floor: f64) {
    match (got, want) {
        (Some(got), Some(want)) => tally.close(what, got, want, TOLERANCE, floor),
        (got, want) => tally.same(what, got, want),
    }
}

/// R shows a moment without any pair as 0 in one table and as missing in another.
fn hold_absent_as_zero(tally: &mut Tally, what: &str, got: Option<f64>, want: Option<f64>) {
    let got = if want.is_some() { Some(got.unwrap_or(0.0)) } else { got };
    hold(tally, what, got, want, SMALL);
}

/// BCK components as the programs print them: a moment that no pair of readings tells is taken as 0. The sums of such
/// components are right, each alone is not a variance (−0.80 for cases nested in readers); ours are then missing.
fn bck_as_printed(moments: &Moments, estimator: Estimator) -> [f64; 7] {
    let ours = moments.bck(estimator);
    let m = moments.values(estimator).map(|moment| moment.unwrap_or(0.0));
    let filled = transform(&m);
    std::array::from_fn(|k| if ours.coefficients[k] == 0.0 { 0.0 } else { ours.values[k].unwrap_or(filled[k]) })
}

/// Moments → BCK components (Gallas et al. 2009, equation 19).
fn transform(m: &[f64; 8]) -> [f64; 7] {
    [
        m[6] - m[7],
        m[5] - m[7],
        m[4] - m[5] - m[6] + m[7],
        m[3] - m[7],
        m[2] - m[3] - m[6] + m[7],
        m[1] - m[3] - m[5] + m[7],
        m[0] - m[1] - m[2] + m[3] - m[4] + m[5] + m[6] - m[7],
    ]
}

fn ok<T: Clone>(value: &Estimable<T>) -> Option<T> {
    value.clone().ok()
}

fn hold_test(tally: &mut Tally, what: &str, test: Option<&Test>, want: [Option<f64>; 4]) {
    let got = test.map(|test| [test.p_value, test.interval.lower, test.interval.upper, flag(test.reject)]);
    for (at, (part, floor)) in [("p", P_FLOOR), ("bottom", 1e-2), ("top", 1e-2), ("reject", 1.0)].iter().enumerate() {
        hold(tally, &format!("{what} {part}"), got.map(|got| got[at]), want[at], *floor);
    }
}

/// `Ustat`, `MLEstat` and `Ustat_full` differ in the names of their columns only.
fn hold_r_statistics(
    tally: &mut Tally,
    what: &str,
    part: &Part<'_>,
    estimator: Estimator,
    row: &Value,
    names: [&str; 9],
) {
    let inference = part.inference(estimator);
    let wanted: Vec<Option<f64>> = names.iter().map(|name| number(row, name)).collect();
    hold_test(tally, &format!("{what} normal"), inference.normal.as_ref().ok(), wanted[..4].try_into().unwrap());
    let bdg: [Option<f64>; 4] = wanted[5..].try_into().unwrap();
    if part.paired() {
        hold(tally, &format!("{what} df"), ok(&inference.df_bdg), wanted[4], 1.0);
        hold_test(tally, &format!("{what} BDG"), inference.bdg.as_ref().ok(), bdg);
    } else {
        let df = part.df_in_r(estimator);
        hold(tally, &format!("{what} df by R's rule"), df, wanted[4], 1.0);
        let (df, normal) = (df.expect("df"), inference.normal.clone().expect("test"));
        let se = inference.standard_error.clone().expect("standard error");
        let used = if df > 50.0 { f64::INFINITY } else { df.floor() };
        let p = t_two_sided_p(part.estimate() / se, used);
        let half = t_multiplier(0.95, used) * se;
        let test = Test {
            p_value: p,
            interval: cadproof::stats::Interval {
                lower: part.estimate() - half,
                upper: part.estimate() + half,
                ..normal.interval
            },
            reject: p <= 0.05,
            ..normal
        };
        hold_test(tally, &format!("{what} BDG by R's rule"), Some(&test), bdg);
    }
}

const VALUES: [&str; 6] = ["AUCA", "varAUCA", "AUCB", "varAUCB", "AUCAminusAUCB", "varAUCAminusAUCB"];

fn hold_r(set: &str, all: &UStatistics, r: &Value) {
    let mut tally = Tally::new(&format!("iMRMC R, {set}"));
    for row in rows(&r["perReader"]) {
        hold_reader(&mut tally, all, row, &mut |tally, what, got, want| hold(tally, what, got, want.as_f64(), SMALL));
    }
    for (table, estimator) in [("Ustat", Estimator::Unbiased), ("MLEstat", Estimator::Mle)] {
        for row in rows(&r[table]) {
            let part = Part::find(all, text(row, "modalityA"), text(row, "modalityB"));
            let what = format!("{table} {}/{}", text(row, "modalityA"), text(row, "modalityB"));
            for (name, got) in ["NR", "N0", "N1"].iter().zip(part.counts()) {
                hold(&mut tally, &format!("{what} {name}"), Some(got as f64), number(row, name), 1.0);
            }
            for (name, got) in VALUES.iter().zip(part.values(estimator)) {
                hold(&mut tally, &format!("{what} {name}"), got, number(row, name), SMALL);
            }
            let names = [
                "pValueNormal",
                "botCInormal",
                "topCInormal",
                "rejectNormal",
                "dfBDG",
                "pValueBDG",
                "botCIBDG",
                "topCIBDG",
                "rejectBDG",
            ];
            hold_r_statistics(&mut tally, &what, &part, estimator, row, names);
        }
    }
    for (name, estimator) in [("Ustat", Estimator::Unbiased), ("MLE", Estimator::Mle)] {
        for kind in ["comp", "coeff"] {
            for row in rows(&r["varDecomp"]["BDG"][name][kind]) {
                let moments = Part::find(all, text(row, "modalityID.1"), text(row, "modalityID.2")).moments();
                for k in 0..8 {
                    let got = if kind == "comp" { moments.values(estimator)[k] } else { Some(moments.coefficients[k]) };
                    let key = format!("M{}", k + 1);
                    hold_absent_as_zero(&mut tally, &format!("BDG {name} {kind} {key}"), got, number(row, &key));
                }
            }
            for row in rows(&r["varDecomp"]["BCK"][name][kind]) {
                let moments = Part::find(all, text(row, "modalityID.1"), text(row, "modalityID.2")).moments();
                let (printed, coefficients) = (bck_as_printed(moments, estimator), moments.bck(estimator).coefficients);
                for (k, key) in ustat::BCK_NAMES.iter().enumerate() {
                    let got = Some(if kind == "comp" { printed[k] } else { coefficients[k] });
                    hold_absent_as_zero(&mut tally, &format!("BCK {name} {kind} {key}"), got, number(row, key));
                }
            }
        }
    }
    for row in rows(&r["Ustat_full"]) {
        hold_full_row(&mut tally, all, row);
    }
    for row in rows(&r["perReaderPair_full"]) {
        hold_reader_pair(&mut tally, all, row);
    }
    tally.finish();
}

/// How a value is held: by R's numbers or by Java's texts.
type Compare<'a> = &'a mut dyn FnMut(&mut Tally, &str, Option<f64>, &Value);

/// A row of one reader.
fn hold_reader(tally: &mut Tally, all: &UStatistics, row: &Value, compare: Compare<'_>) {
    let reader = position(&all.readers, text(row, "readerID"));
    let (a, b) = (text(row, "modalityA"), text(row, "modalityB"));
    let what = format!("reader {} {a}/{b}", text(row, "readerID"));
    let first = position(&all.modalities, a);
    let own = |modality: usize| all.per_modality[modality].per_reader.iter().find(|one| one.reader == reader);
    let second = if b == "NO_MOD" { first } else { position(&all.modalities, b) };
    let pair = all
        .reader_pairs
        .iter()
        .find(|pair| pair.first == (first, reader) && pair.second == (second, reader))
        .map_or((0, 0), |pair| (pair.shared_negatives, pair.shared_positives));
    compare(tally, &format!("{what} N0"), Some(pair.0 as f64), &row["N0"]);
    compare(tally, &format!("{what} N1"), Some(pair.1 as f64), &row["N1"]);
    let auc = |modality| own(modality).and_then(|one| ok(&one.auc));
    let variance = |modality| own(modality).and_then(|one| ok(&one.variance));
    compare(tally, &format!("{what} AUCA"), auc(first), &row["AUCA"]);
    compare(tally, &format!("{what} varAUCA"), variance(first), &row["varAUCA"]);
    if b == "NO_MOD" {
        return;
    }
    compare(tally, &format!("{what} AUCB"), auc(second), &row["AUCB"]);
    compare(tally, &format!("{what} varAUCB"), variance(second), &row["varAUCB"]);
    let two = &all.differences.iter().find(|two| (two.first, two.second) == (first, second)).expect("pair").per_reader;
    let one = two.iter().find(|one| one.reader == reader);
    compare(tally, &format!("{what} AUCAminusAUCB"), one.and_then(|one| ok(&one.difference)), &row["AUCAminusAUCB"]);
    let got = one.and_then(|one| ok(&one.variance));
    if row["varAUCAminusAUCB"].is_null() && pair == (0, 0) {
        // iMRMC divides 0 by 0 where the reader has no case in common; the covariance is 0
        tally.same(
            &format!("{what} variance without common cases"),
            got,
            variance(first).zip(variance(second)).map(|(x, y)| x + y),
        );
    } else {
        compare(tally, &format!("{what} varAUCAminusAUCB"), got, &row["varAUCAminusAUCB"]);
    }
}

fn hold_full_row(tally: &mut Tally, all: &UStatistics, row: &Value) {
    let part = Part::find(all, text(row, "modalityID.1"), text(row, "modalityID.2"));
    let what = format!("full {}/{}", text(row, "modalityID.1"), text(row, "modalityID.2"));
    let moments = part.moments();
    for (name, got) in ["NR", "N0", "N1"].iter().zip(part.counts()) {
        hold(tally, &format!("{what} {name}"), Some(got as f64), number(row, name), 1.0);
    }
    let (unbiased, mle) = (ok(&moments.covariance(Estimator::Unbiased)), ok(&moments.covariance(Estimator::Mle)));
    hold(tally, &format!("{what} covAUC"), unbiased, number(row, "covAUC"), SMALL);
    hold(tally, &format!("{what} covAUC.biased"), mle, number(row, "covAUC.biased"), SMALL);
    let bck = moments.bck(Estimator::Mle);
    let df = ustat::unit_df(&bck);
    for (name, got) in ["dfN", "dfD", "dfR"].iter().zip(df) {
        hold(tally, &format!("{what} {name}"), got, number(row, name), 1.0);
    }
    // the same formula on the covariance alone, which the program also prints for two modalities
    let sum: f64 = [0, 1, 3].iter().zip(df).filter_map(|(&s, df)| Some(bck.values[s]?.powi(2) / df?.powi(3))).sum();
    let floor = df.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    for (name, covariance) in [("dfBDG", unbiased), ("dfBDG.biased", mle)] {
        let got = covariance
            .filter(|covariance| *covariance >= 0.0)
            .map(|covariance| (covariance * covariance / sum).max(floor));
        hold(tally, &format!("{what} {name}"), got, number(row, name), 1.0);
    }
    for k in 0..8 {
        let parts: [(String, f64, f64); 5] = [
            (format!("M{}", k + 1), moments.unbiased[k].unwrap_or(0.0), SMALL),
            (format!("M{}.b", k + 1), moments.mle[k].unwrap_or(0.0), SMALL),
            (format!("M{}.coeff", k + 1), moments.coefficients[k], SMALL),
            (format!("numer{}", k + 1), moments.numerators[k], 1.0),
            (format!("denom{}", k + 1), moments.denominators[k], 1.0),
        ];
        for (key, got, floor) in parts {
            hold(tally, &format!("{what} {key}"), Some(got), number(row, &key), floor);
        }
    }
    let printed = [Estimator::Unbiased, Estimator::Mle].map(|estimator| bck_as_printed(moments, estimator));
    for (k, name) in ustat::BCK_NAMES.iter().enumerate() {
        for (suffix, got) in [("", printed[0][k]), (".b", printed[1][k]), (".coeff", bck.coefficients[k])] {
            let key = format!("BCK.{name}{suffix}");
            hold(tally, &format!("{what} {key}"), Some(got), number(row, &key), SMALL);
        }
    }
    let (a, b) = match &part {
        Part::One(one) => (one, one),
        Part::Two(_, a, b) => (a, b),
    };
    hold(tally, &format!("{what} AUC.1"), ok(&a.auc), number(row, "AUC.1"), SMALL);
    hold(tally, &format!("{what} AUC.2"), ok(&b.auc), number(row, "AUC.2"), SMALL);
    for (suffix, estimator) in [("", Estimator::Unbiased), (".biased", Estimator::Mle)] {
        let df = if matches!(part, Part::One(_)) {
            format!("dfBDG{suffix}")
        } else if suffix.is_empty() {
            "dfBDG.diff".to_owned()
        } else {
            "dfBDG.biased.diff".to_owned()
        };
        let keys = [
            format!("pValueNormal{suffix}"),
            format!("botCInormal{suffix}"),
            format!("topCInormal{suffix}"),
            format!("rejectNormal{suffix}"),
            df,
            format!("pValueBDG{suffix}"),
            format!("botCIBDG{suffix}"),
            format!("topCIBDG{suffix}"),
            format!("rejectBDG{suffix}"),
        ];
        hold_r_statistics(tally, &what, &part, estimator, row, keys.each_ref().map(String::as_str));
    }
    if let Part::Two(two, a, b) = &part {
        hold(tally, &format!("{what} difference"), ok(&two.difference), number(row, "AUC1minusAUC2"), SMALL);
        hold(tally, &format!("{what} variance"), ok(&two.unbiased.variance), number(row, "varAUC1minusAUC2"), SMALL);
        hold(tally, &format!("{what} MLE"), ok(&two.mle.variance), number(row, "varAUC1minusAUC2.biased"), SMALL);
        let df = [a, b].map(|one| ustat::unit_df(&one.moments.bck(Estimator::Mle)));
        for (source, name) in ["dfN.diff", "dfD.diff", "dfR.diff"].iter().enumerate() {
            let smaller = df[0][source].zip(df[1][source]).map(|(x, y)| x.min(y));
            hold(tally, &format!("{what} {name}"), smaller, number(row, name), 1.0);
        }
    }
}

fn hold_reader_pair(tally: &mut Tally, all: &UStatistics, row: &Value) {
    let cell = |n: u8| {
        (
            position(&all.modalities, text(row, &format!("modalityID.{n}"))),
            position(&all.readers, text(row, &format!("readerID.{n}"))),
        )
    };
    let (first, second) = (cell(1), cell(2));
    let pair = all.reader_pairs.iter().find(|pair| pair.first == first && pair.second == second).expect("reader pair");
    let what = format!("readers {first:?} {second:?}");
    hold(tally, &format!("{what} N0"), Some(pair.shared_negatives as f64), number(row, "N0"), 1.0);
    hold(tally, &format!("{what} N1"), Some(pair.shared_positives as f64), number(row, "N1"), 1.0);
    hold(tally, &format!("{what} AUC.1"), ok(&pair.auc_first), number(row, "AUC.1"), SMALL);
    hold(tally, &format!("{what} AUC.2"), ok(&pair.auc_second), number(row, "AUC.2"), SMALL);
    match number(row, "covAUC") {
        None => tally.same(&format!("{what} covariance without common cases"), ok(&pair.covariance), Some(0.0)),
        want => hold(tally, &format!("{what} covAUC"), ok(&pair.covariance), want, SMALL),
    }
    for k in 0..4 {
        let key = format!("M{}", k + 1);
        hold(tally, &format!("{what} {key}"), pair.moments.unbiased[k], number(row, &key), SMALL);
        let key = format!("coeff{}", k + 1);
        hold(tally, &format!("{what} {key}"), Some(pair.moments.coefficients[k]), number(row, &key), SMALL);
    }
}

/// A number printed with a fixed count of digits, held to half a unit of its last one.
fn hold_printed(tally: &mut Tally, what: &str, got: Option<f64>, printed: &Value) {
    let Some(printed) = printed.as_str() else {
        return tally.same(what, got, None);
    };
    let want: f64 = printed.parse().unwrap_or_else(|_| panic!("{what}: {printed} is not a number"));
    let Some(got) = got else {
        return tally.same(what, None, Some(want));
    };
    let (mantissa, exponent) = printed.split_once('E').unwrap_or((printed, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len());
    let unit = 10_f64.powi(exponent.parse::<i32>().expect("exponent") - i32::try_from(decimals).expect("few digits"));
    // zero is printed for what the program does not have; p is printed as 0 where 1 − cdf has no digit left
    let slack = 0.500_001 * unit + 1e-15;
    tally.close(what, (got - want) / slack, 0.0, 1.0, 1.0);
}

fn hold_java_csv(set: &str, all: &UStatistics, java: &Value) {
    let mut tally = Tally::new(&format!("iMRMC Java CSV, {set} (error in half units of the last printed digit)"));
    for row in rows(&java["AUCperReader"]) {
        hold_reader(&mut tally, all, row, &mut |tally, what, got, printed| {
            // an AUC of −1 stands for "did not read", also within a difference
            let placeholder =
                [&row["AUCA"], &row["AUCB"]].iter().any(|auc| auc.as_str().is_some_and(|t| t.starts_with("-1.")));
            if placeholder && got.is_none() && what.contains("AUC") {
                return tally.same(what, got, None);
            }
            // the program rounds a reader's variances to eight decimals before it prints nine digits
            let got = if what.contains("var") { got.map(|value| (value * 1e8).round() / 1e8) } else { got };
            hold_printed(tally, what, got, printed);
        });
    }
    for (table, estimator) in [("statAnalysis", Estimator::Unbiased), ("statAnalysisMLE", Estimator::Mle)] {
        for row in rows(&java[table]) {
            let part = Part::find(all, text(row, "modalityA"), text(row, "modalityB"));
            let what = format!("{table} {}/{}", text(row, "modalityA"), text(row, "modalityB"));
            for (name, got) in ["NR", "N0", "N1"].iter().zip(part.counts()) {
                hold_printed(&mut tally, &format!("{what} {name}"), Some(got as f64), &row[*name]);
            }
            for (name, got) in VALUES.iter().zip(part.values(estimator)) {
                hold_printed(&mut tally, &format!("{what} {name}"), got, &row[*name]);
            }
            let inference = part.inference(estimator);
            for (name, df, test) in [
                ("Normal", None, &inference.normal),
                ("BDG", Some(&inference.df_bdg), &inference.bdg),
                ("Hillis", Some(&inference.df_hillis), &inference.hillis),
            ] {
                if name == "Hillis" && sizes_are_wrong(set, &part) {
                    continue;
                }
                if let Some(df) = df {
                    hold_printed(&mut tally, &format!("{what} df{name}"), ok(df), &row[format!("df{name}")]);
                }
                let test = test.as_ref().ok();
                let suffix = if name == "Normal" { "normal" } else { name };
                let parts = [
                    (format!("pValue{name}"), test.map(|test| test.p_value)),
                    (format!("botCI{suffix}"), test.map(|test| test.interval.lower)),
                    (format!("topCI{suffix}"), test.map(|test| test.interval.upper)),
                    (format!("reject{name}"), test.map(|test| flag(test.reject))),
                ];
                for (key, got) in parts {
                    hold_printed(&mut tally, &format!("{what} {key}"), got, &row[&key]);
                }
            }
        }
    }
    hold_java_tables(&mut tally, set, all, java);
    tally.finish();
}

/// The Java program divides by the whole study's numbers of readers and cases where a modality has readers or cases of
/// its own (and takes the AUC of a reader who did not read as −1). Those tables of one modality are held against the
/// fully crossed set with the same scores instead.
fn sizes_are_wrong(set: &str, part: &Part<'_>) -> bool {
    ["vandyke_case_nested_in_modality", "vandyke_reader_nested_in_modality"].contains(&set)
        && matches!(part, Part::One(_))
}

/// The rows of one BDG or BCK table: components and coefficients of A, B and the product, and what they sum to. The
/// program doubles the coefficients of the product and fills what a single modality lacks with zeros.
fn decomposition_rows<const N: usize>(
    part: &Part<'_>,
    of: impl Fn(&Moments) -> ([f64; N], [f64; N]),
) -> [(&'static str, [f64; N]); 7] {
    let none = ([0.0; N], [0.0; N]);
    let (a, b, product) = match part {
        Part::One(one) => (of(&one.moments), none, none),
        Part::Two(two, a, b) => {
            let (components, coefficients) = of(&two.moments);
            (of(&a.moments), of(&b.moments), (components, coefficients.map(|c| 2.0 * c)))
        }
    };
    let total = std::array::from_fn(|k| a.0[k] * a.1[k] + b.0[k] * b.1[k] - product.0[k] * product.1[k]);
    [
        ("comp_A", a.0),
        ("coeff_A", a.1),
        ("comp_B", b.0),
        ("coeff_B", b.1),
        ("comp_product", product.0),
        ("coeff_product", product.1),
        ("total", total),
    ]
}

fn estimator_of(row: &Value) -> Estimator {
    if text(row, "UstatOrMLE") == "MLE" { Estimator::Mle } else { Estimator::Unbiased }
}

fn hold_java_tables(tally: &mut Tally, set: &str, all: &UStatistics, java: &Value) {
    for (table, row_key) in [("BDGtable", "compOrCoeff"), ("BCKtable", "Moments")] {
        for row in rows(&java[table]) {
            let part = Part::find(all, text(row, "modalityA"), text(row, "modalityB"));
            let (estimator, kind) = (estimator_of(row), text(row, row_key));
            let values: Vec<(String, f64)> = if table == "BDGtable" {
                let all =
                    decomposition_rows(&part, |m| (m.values(estimator).map(|v| v.unwrap_or(0.0)), m.coefficients));
                let (_, values) = all.into_iter().find(|(name, _)| *name == kind).expect("row");
                (1..=8).map(|k| format!("M{k}")).zip(values).collect()
            } else {
                let all = decomposition_rows(&part, |m| (bck_as_printed(m, estimator), m.bck(estimator).coefficients));
                let (_, values) = all.into_iter().find(|(name, _)| *name == kind).expect("row");
                ustat::BCK_NAMES.iter().map(ToString::to_string).zip(values).collect()
            };
            for (key, got) in values {
                hold_printed(tally, &format!("{table} {kind} {key}"), Some(got), &row[&key]);
            }
        }
    }
    for table in ["DBMtable", "ORtable", "MStable"] {
        for row in rows(&java[table]) {
            let part = Part::find(all, text(row, "modalityA"), text(row, "modalityB"));
            if sizes_are_wrong(set, &part) {
                continue;
            }
            let components = part.components(estimator_of(row)).as_ref().ok();
            let kind = text(row, "Components");
            let names: Vec<&String> = row
                .as_object()
                .expect("row")
                .keys()
                .filter(|key| !["modalityA", "modalityB", "UstatOrMLE", "Components"].contains(&key.as_str()))
                .collect();
            for (at, name) in names.into_iter().enumerate() {
                let got = components.map(|components| {
                    let java = java_table(&part, estimator_of(row), table, components);
                    match kind {
                        "components" => java.0[at],
                        "coeff" => java.1[at],
                        _ => java.0[at] * java.1[at],
                    }
                });
                hold_printed(tally, &format!("{table} {kind} {name}"), got, &row[name]);
            }
        }
    }
}

/// Our components in the six columns of the Java program.
///
/// Two things of that program are not ours. In its mean-square table the coefficients stand in the wrong columns (the
/// one of MS(RC) under MC, the one of MS(MC) under RC), so that components times coefficients is not the variance. And
/// for one modality and the MLE it shows Cov1 and Cov3, which one modality does not have, as Error and Cov2.
fn java_table(
    part: &Part<'_>,
    estimator: Estimator,
    table: &str,
    components: &CrossedComponents,
) -> (Vec<f64>, Vec<f64>) {
    let one = matches!(part, Part::One(_));
    let ours: &Components = match table {
        "DBMtable" => &components.dbm,
        "ORtable" => &components.obuchowski_rockette,
        _ => &components.mean_squares,
    };
    let names: [&str; 6] = match table {
        "DBMtable" => ["R", "C", "RC", "TR", "TC", "TRC"],
        "ORtable" => ["R", "TR", "COV1", "COV2", "COV3", "ERROR"],
        _ => ["R", "C", "RC", "MR", "MC", "MRC"],
    };
    let get = |name: &str| ours.get(name).unwrap_or(0.0);
    let coefficient =
        |name: &str| ours.names.iter().position(|known| *known == name).map_or(0.0, |at| ours.coefficients[at]);
    let mut values = names.map(get);
    let mut coefficients = names.map(coefficient);
    if table == "ORtable" && one && estimator == Estimator::Mle {
        values[2] = values[5];
        values[4] = values[3];
    }
    if table == "MStable" {
        coefficients.swap(2, 4);
    }
    (values.to_vec(), coefficients.to_vec())
}

#[test]
fn imrmc_r_and_java_csv() {
    for set in SETS {
        let Some(expected) = support::json(&format!("mrmc/{set}/expected_imrmc.json")) else { return };
        let Some(data) = study(set) else { return };
        let all = ustat::analyse(&data, &Options::default());
        hold_r(set, &all, &expected["R"]);
        hold_java_csv(set, &all, &expected["java"]);
        if set.ends_with("_nested_in_modality") {
            let crossed = support::json("mrmc/vandyke/expected_imrmc.json").expect("the fully crossed set");
            hold_as_crossed(set, &all, &crossed["java"]);
        }
    }
}

fn hold_as_crossed(set: &str, nested: &UStatistics, java: &Value) {
    let one_modality = |table: &str| -> Value {
        rows(&java[table]).iter().filter(|row| text(row, "modalityB") == "NO_MOD").cloned().collect()
    };
    let tables = ["statAnalysis", "statAnalysisMLE", "DBMtable", "ORtable", "MStable"];
    // the number of readers and cases of one modality are the crossed set's
    let mut part: serde_json::Map<String, Value> =
        tables.iter().map(|table| ((*table).to_owned(), one_modality(table))).collect();
    for absent in ["AUCperReader", "BDGtable", "BCKtable"] {
        part.insert(absent.to_owned(), Value::Array(Vec::new()));
    }
    hold_java_csv(&format!("vandyke, read as {set}"), nested, &Value::Object(part));
}

#[test]
fn imrmc_java_classes() {
    for set in [
        "imrmc_example",
        "imrmc_example_splitplot",
        "vandyke",
        "vandyke_reader_nested_in_modality",
        "viper_challenge_high_splitplot",
    ] {
        let Some(expected) = support::json(&format!("mrmc/{set}/expected_imrmc_java_full.json")) else { return };
        let Some(data) = study(set) else { return };
        let all = ustat::analyse(&data, &Options::default());
        let analysis = &expected["analysis_and_sizing"];
        let part = Part::find(&all, text(analysis, "modalityA"), text(analysis, "modalityB"));
        let Part::Two(two, a, b) = &part else { panic!("{set} has two modalities") };
        let mut tally = Tally::new(&format!("iMRMC Java classes, {set}"));
        for (name, estimator) in [("Ustat", Estimator::Unbiased), ("MLE", Estimator::Mle)] {
            let java = &analysis[name];
            let inference = part.inference(estimator);
            hold(&mut tally, "totalVar", ok(&inference.variance), number(java, "totalVar"), SMALL);
            let values = part.values(estimator);
            hold(&mut tally, "varA", values[1], number(java, "varA"), SMALL);
            hold(&mut tally, "varB", values[3], number(java, "varB"), SMALL);
            tally.same("fullyCrossed", all.fully_crossed, java["fullyCrossed"].as_bool().expect("flag"));
            hold(&mut tally, "dfBDG", ok(&inference.df_bdg), number(java, "dfBDG"), 1.0);
            hold(
                &mut tally,
                "pValNormal",
                ok(&inference.normal).map(|test| test.p_value),
                number(java, "pValNormal"),
                P_FLOOR,
            );
            hold(&mut tally, "pValBDG", ok(&inference.bdg).map(|test| test.p_value), number(java, "pValBDG"), P_FLOOR);
            if all.fully_crossed {
                hold(&mut tally, "dfHillis", ok(&inference.df_hillis), number(java, "dfHillis"), 1.0);
                hold(
                    &mut tally,
                    "pValHillis",
                    ok(&inference.hillis).map(|test| test.p_value),
                    number(java, "pValHillis"),
                    P_FLOOR,
                );
                let aucs: Vec<[f64; 2]> = a
                    .per_reader
                    .iter()
                    .zip(&b.per_reader)
                    .map(|(x, y)| [x.auc.clone().unwrap(), y.auc.clone().unwrap()])
                    .collect();
                let r = aucs.len() as f64;
                let mean = two.difference.clone().unwrap();
                // two modalities: MS(T) = r·d²/2, MS(TR) = Σ (d_j − d)²/(2(r−1))
                hold(&mut tally, "ms_t", Some(r * mean * mean / 2.0), number(java, "ms_t"), SMALL);
                let tr: f64 = aucs.iter().map(|[x, y]| (x - y - mean).powi(2)).sum::<f64>() / 2.0 / (r - 1.0);
                hold(&mut tally, "ms_tr", Some(tr), number(java, "ms_tr"), SMALL);
            }
            hold_java_matrices(&mut tally, &part, estimator, java);
        }
        for row in rows(&analysis["sizing"]) {
            hold_projection(&mut tally, two, a, b, row);
        }
        tally.finish();
    }
}

fn matrix(value: &Value) -> Vec<Vec<f64>> {
    rows(value).iter().map(|row| rows(row).iter().map(|cell| cell.as_f64().expect("number")).collect()).collect()
}

fn hold_java_matrices(tally: &mut Tally, part: &Part<'_>, estimator: Estimator, java: &Value) {
    let Part::Two(two, a, b) = part else { panic!("two modalities") };
    let all = [&a.moments, &b.moments, &two.moments];
    let values = all.map(|moments| moments.values(estimator).map(|value| value.unwrap_or(0.0)));
    let difference: [f64; 8] = std::array::from_fn(|k| {
        all[0].coefficients[k] * values[0][k] + all[1].coefficients[k] * values[1][k]
            - 2.0 * all[2].coefficients[k] * values[2][k]
    });
    let mut hold_row = |table: &str, row: usize, got: &[f64]| {
        let want = &matrix(&java[table])[row];
        for (at, (&got, &want)) in got.iter().zip(want).enumerate() {
            hold(tally, &format!("{table} row {row} column {at}"), Some(got), Some(want), SMALL);
        }
    };
    for row in 0..3 {
        hold_row("BDG", row, &values[row]);
        hold_row("BDGcoeff", row, &all[row].coefficients);
        let bck = all[row].bck(estimator);
        hold_row("BCK", row, &bck_as_printed(all[row], estimator));
        hold_row("BCKcoeff", row, &bck.coefficients);
    }
    hold_row("BDG", 3, &difference);
    hold_row("BDGcoeff", 3, &[1.0; 8]);
    // its last row applies the component formula to coefficients times moments: a number without a meaning of its own
    hold_row("BCK", 3, &transform(&difference));
    hold_row("BCKcoeff", 3, &[1.0; 7]);
    if java.get("DBM").is_none_or(Value::is_null) {
        return;
    }
    let crossed = [Part::One(a), Part::One(b), Part::Two(two, a, b)];
    for (row, part) in [0, 1, 3].into_iter().zip(&crossed) {
        let components = part.components(estimator).as_ref().expect("fully crossed");
        for (name, table) in [("DBM", "DBMtable"), ("OR", "ORtable"), ("MS", "MStable")] {
            let (values, coefficients) = java_table(part, estimator, table, components);
            hold_row(name, row, &values);
            hold_row(&format!("{name}coeff"), row, &coefficients);
        }
    }
    for name in ["DBM", "OR", "MS"] {
        hold_row(name, 2, &[0.0; 6]);
        hold_row(&format!("{name}coeff"), 2, &[0.0; 6]);
    }
}

/// Variance, standard error, df and noncentrality; the program's power values follow no textbook and are left out.
fn hold_projection(tally: &mut Tally, two: &ModalityDifference, a: &ModalityAuc, b: &ModalityAuc, row: &Value) {
    let count = |key: &str| u32::try_from(row[key].as_u64().expect("count")).expect("small");
    let plan = PlannedStudy {
        readers: count("readers"),
        negatives: count("n0"),
        positives: count("n1"),
        groups: count("split_groups"),
        paired_readers: count("paired_readers") == 1,
        paired_negatives: count("paired_normals") == 1,
        paired_positives: count("paired_diseased") == 1,
    };
    let got = ustat::project(a, b, two, &plan, row["effect"].as_f64().expect("effect"));
    let what = format!("{plan:?}");
    if plan.paired_readers && two.moments.unbiased[0].is_none() {
        // no reader of the finished study read both modalities, so that it cannot tell a paired reader's covariance;
        // the program takes the missing moments as 0 and prints standard errors of 0.3 to 0.6 for an AUC difference
        tally.same(&what, got.variance.map_err(|reason| reason.code), Err("ustat_moment_missing"));
        return;
    }
    hold(tally, &format!("{what} variance"), ok(&got.variance), number(row, "totalVar"), SMALL);
    hold(tally, &format!("{what} SE"), ok(&got.standard_error), number(row, "SE"), SMALL);
    hold(tally, &format!("{what} lambda"), ok(&got.noncentrality), number(row, "lambdaBDG"), SMALL);
    match got.df_bdg {
        Ok(df) => tally.close(&format!("{what} df"), df.max(2.0), number(row, "dfBDG").expect("df"), TOLERANCE, 1.0),
        // the program shows its smallest df where the variance is negative
        Err(_) => tally.same(&format!("{what} df"), number(row, "SE"), None),
    }
    if row.get("dfHillis").is_some() {
        let hillis = got.hillis.expect("fully crossed");
        tally.close(
            &format!("{what} Hillis df"),
            hillis.df.max(2.0),
            number(row, "dfHillis").expect("df"),
            TOLERANCE,
            1.0,
        );
        hold(tally, &format!("{what} Hillis lambda"), Some(hillis.noncentrality), number(row, "lambdaHillis"), SMALL);
    }
}
