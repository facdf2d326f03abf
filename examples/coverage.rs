//! How often do the intervals hold the true difference, and how often do the tests reject?
//!
//! `cargo run --release --example coverage -- [studies] [seed]` simulates reader studies by the model of Roe and Metz
//! (1997), 5 readers × 2 modalities × (40 + 40) cases, analyses each by every method and prints a Markdown table.

use cadproof::stats::bootstrap::{basic, percentile};
use cadproof::stats::mrmc::MrmcData;
use cadproof::stats::mrmc::covariance::CovarianceMethod;
use cadproof::stats::mrmc::fom::FigureOfMerit;
use cadproof::stats::mrmc::obuchowski_rockette::{OrOptions, PartlyCrossed, RandomFactors, obuchowski_rockette};
use cadproof::stats::mrmc::resample::{WeightedFom, resample};
use cadproof::stats::mrmc::simulate::{Draw, RoeMetz, Variances};
use cadproof::stats::mrmc::ustat::{DegreesOfFreedomUse, Options, analyse};
use rayon::prelude::*;

const READERS: u32 = 5;
const CASES_OF_A_CLASS: u32 = 40;
const BOOTSTRAP_REPLICATES: usize = 500;
const LEVEL: f64 = 0.95;
const METHODS: [&str; 5] = [
    "Obuchowski–Rockette, jackknife, Hillis df",
    "U-statistic, unbiased variance, BDG df",
    "U-statistic, MLE variance, BDG df",
    "Percentile bootstrap, readers and cases",
    "Basic bootstrap, readers and cases",
];

struct Scenario {
    name: &'static str,
    variances: Variances,
    aucs: [f64; 2],
}

/// Lower and upper end for "first − second"; `None` where the method has no interval for the study.
type Outcome = [Option<(f64, f64)>; METHODS.len()];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| {
        arguments.next().map_or(default, |text| {
            text.parse().unwrap_or_else(|_| {
                eprintln!("usage: coverage [studies] [seed], whole numbers");
                std::process::exit(2)
            })
        })
    };
    let (studies, seed) = (number(2000), number(20_251));
    println!(
        "| scenario | true difference | method | coverage (MC SE) | rejection (MC SE) | mean width | no interval |"
    );
    println!("|---|---|---|---|---|---|---|");
    for scenario in scenarios() {
        report(&scenario, studies, seed);
    }
}

fn scenarios() -> Vec<Scenario> {
    let correlated = |reader: f64| Variances {
        reader,
        modality_reader: reader,
        case: 0.3,
        modality_case: 0.3,
        reader_case: 0.2,
        error: 0.2,
    };
    let mut scenarios = Vec::new();
    for (name, reader) in [("readers alike (σ²_R = 0.0055)", 0.0055), ("readers differ (σ²_R = 0.03)", 0.03)] {
        for aucs in [[0.80, 0.80], [0.80, 0.87]] {
            scenarios.push(Scenario { name, variances: correlated(reader), aucs });
        }
    }
    scenarios
}

fn report(scenario: &Scenario, studies: u64, seed: u64) {
    let mut model = RoeMetz::two_modalities([0.0, 0.0], &scenario.variances);
    for (at, auc) in scenario.aucs.into_iter().enumerate() {
        model.modalities[at].separation = model.separation_for(auc);
    }
    let truth = model.expected_auc(0) - model.expected_auc(1);
    let outcomes: Vec<Outcome> = (0..studies)
        .into_par_iter()
        .map(|replicate| {
            let draw = Draw { seed, replicate };
            let data = model.simulate(READERS, CASES_OF_A_CLASS, CASES_OF_A_CLASS, draw).expect("valid model");
            // seeds of the resampling: apart from the simulation's, and from one another
            analyse_by_all(&data, seed.wrapping_add(1_000_003).wrapping_mul(replicate + 1))
        })
        .collect();
    for (method, name) in METHODS.iter().enumerate() {
        let intervals: Vec<(f64, f64)> = outcomes.iter().filter_map(|outcome| outcome[method]).collect();
        let count = intervals.len() as f64;
        let share = |test: &dyn Fn(&(f64, f64)) -> bool| {
            let p = intervals.iter().filter(|ends| test(ends)).count() as f64 / count;
            format!("{p:.4} ({:.4})", (p * (1.0 - p) / count).sqrt())
        };
        let covers = share(&|ends| ends.0 <= truth && truth <= ends.1);
        let rejects = share(&|ends| ends.0 > 0.0 || ends.1 < 0.0);
        let width = intervals.iter().map(|ends| ends.1 - ends.0).sum::<f64>() / count;
        let missing = outcomes.len() - intervals.len();
        println!("| {} | {truth:.4} | {name} | {covers} | {rejects} | {width:.4} | {missing} |", scenario.name);
    }
}

fn analyse_by_all(data: &MrmcData, bootstrap_seed: u64) -> Outcome {
    let or = obuchowski_rockette(
        data,
        &OrOptions {
            fom: FigureOfMerit::EmpiricalAuc,
            covariance: CovarianceMethod::Jackknife,
            random: RandomFactors::ReadersAndCases,
            level: LEVEL,
            partly_crossed: PartlyCrossed::Refuse,
        },
    );
    let or = or.and_then(|result| result.differences).ok().map(|all| (all[0].interval.lower, all[0].interval.upper));
    let options = Options { level: LEVEL, df_use: DegreesOfFreedomUse::WholeNumber, ..Options::default() };
    let ustat = analyse(data, &options);
    let [unbiased, mle] = [&ustat.differences[0].unbiased, &ustat.differences[0].mle]
        .map(|inference| inference.bdg.as_ref().ok().map(|test| (test.interval.lower, test.interval.upper)));
    let fom = WeightedFom::new(data, FigureOfMerit::EmpiricalAuc);
    let drawn = resample(data, RandomFactors::ReadersAndCases, BOOTSTRAP_REPLICATES, bootstrap_seed, |weights| {
        Ok(fom.mean(0, weights)? - fom.mean(1, weights)?)
    });
    let estimate = drawn.estimate.clone();
    let basic = estimate.and_then(|estimate| basic(&drawn.values, estimate, LEVEL));
    let [percentile, basic] =
        [percentile(&drawn.values, LEVEL), basic].map(|found| found.ok().map(|ends| (ends.lower, ends.upper)));
    [or, unbiased, mle, percentile, basic]
}
