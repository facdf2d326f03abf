//! The bootstrap of readers and cases: resampled weights, and any statistic of them.
//!
//! Readers are drawn with replacement among the readers, cases (or patients, where several cases share one) with
//! replacement within truth strata, independently of each other (the two-way bootstrap of Wagner, Beiden and Campbell;
//! see Gallas et al. 2009, Commun Stat Theory Methods 38:2586, on its bias: the variance is somewhat too large where
//! readers are few). A patient whose cases are of both classes is drawn from a stratum of its own kind.

use super::fom::{FigureOfMerit, Levels};
use super::obuchowski_rockette::RandomFactors;
use super::{Design, MrmcData};
use crate::stats::{Estimable, NotEstimable};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;

/// How often each reader and each case of the study stands in one resample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    pub reader: Vec<u32>,
    pub case: Vec<u32>,
}

/// The values of one statistic over the resamples.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    /// With every weight 1.
    pub estimate: Estimable<f64>,
    /// Over the usable resamples, in order of the replicate.
    pub values: Vec<f64>,
    /// Resamples in which the statistic did not exist.
    pub unusable: usize,
    pub replicates: usize,
}

/// What is drawn anew in each replicate.
struct Plan {
    readers: usize,
    /// Cases of each drawing unit, by stratum.
    strata: Vec<Vec<Vec<u32>>>,
    cases: usize,
    random: RandomFactors,
}

impl Plan {
    fn new(data: &MrmcData, random: RandomFactors) -> Self {
        // A unit is a patient, or a case that stands for itself.
        let mut units: std::collections::BTreeMap<(u8, u32), Vec<u32>> = std::collections::BTreeMap::new();
        for (at, case) in (0u32..).zip(data.cases()) {
            let key = case.cluster.map_or((0, at), |cluster| (1, cluster));
            units.entry(key).or_default().push(at);
        }
        let mut strata = vec![Vec::new(); 3];
        for (_, cases) in units {
            let diseased = cases.iter().filter(|&&c| data.cases()[c as usize].diseased).count();
            let stratum = match diseased {
                0 => 0,
                d if d == cases.len() => 1,
                _ => 2,
            };
            strata[stratum].push(cases);
        }
        Self { readers: data.readers().len(), strata, cases: data.cases().len(), random }
    }

    fn draw(&self, seed: u64, replicate: u64) -> Weights {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        rng.set_stream(replicate);
        let mut weights = Weights { reader: vec![1; self.readers], case: vec![1; self.cases] };
        if self.random != RandomFactors::Cases {
            weights.reader.fill(0);
            for _ in 0..self.readers {
                weights.reader[rng.random_range(0..self.readers)] += 1;
            }
        }
        if self.random != RandomFactors::Readers {
            weights.case.fill(0);
            for units in self.strata.iter().filter(|units| !units.is_empty()) {
                for _ in 0..units.len() {
                    for &case in &units[rng.random_range(0..units.len())] {
                        weights.case[case as usize] += 1;
                    }
                }
            }
        }
        weights
    }
}

/// `statistic` over `replicates` resamples. Replicate `i` draws from stream `i` of `seed`, so that neither the number of
/// threads nor another statistic changes what is drawn; all statistics of one study see the same resamples.
pub fn resample<F>(data: &MrmcData, random: RandomFactors, replicates: usize, seed: u64, statistic: F) -> Resampled
where
    F: Fn(&Weights) -> Estimable<f64> + Sync,
{
    let plan = Plan::new(data, random);
    let all_once = Weights { reader: vec![1; plan.readers], case: vec![1; plan.cases] };
    let drawn: Vec<Option<f64>> = (0..replicates as u64)
        .into_par_iter()
        .map(|replicate| statistic(&plan.draw(seed, replicate)).ok().filter(|value| value.is_finite()))
        .collect();
    let values: Vec<f64> = drawn.iter().flatten().copied().collect();
    Resampled { estimate: statistic(&all_once), unusable: replicates - values.len(), values, replicates }
}

/// `statistic` with each patient (or case that is a patient of its own) left out once, readers as they are: what the
/// acceleration constant of the BCa interval is made of. Values that do not exist are left out.
pub fn leave_one_out<F>(data: &MrmcData, statistic: F) -> Vec<f64>
where
    F: Fn(&Weights) -> Estimable<f64> + Sync,
{
    let plan = Plan::new(data, RandomFactors::Cases);
    let units: Vec<&Vec<u32>> = plan.strata.iter().flatten().collect();
    let values: Vec<Option<f64>> = units
        .par_iter()
        .map(|unit| {
            let mut weights = Weights { reader: vec![1; plan.readers], case: vec![1; plan.cases] };
            for &case in *unit {
                weights.case[case as usize] = 0;
            }
            statistic(&weights).ok().filter(|value| value.is_finite())
        })
        .collect();
    values.into_iter().flatten().collect()
}

/// The figure of merit of a study of one reader in one modality without each patient (or case that is a patient of its
/// own). As [`leave_one_out`] of it, in O(n log n) where no patient has several cases.
///
/// # Errors
/// The figure does not exist, whole or without one of them.
pub fn figure_left_out(data: &MrmcData, fom: FigureOfMerit) -> Estimable<Vec<f64>> {
    let (_, mut values) = super::covariance::leave_one_out(data, fom)?;
    if values.len() == 1 {
        return Ok(values.remove(0));
    }
    Err(NotEstimable::new("not_one_cell", format!("one reader in one modality is asked for, not {}", values.len())))
}

/// The figure of merit of each (modality, reader) cell under weights, without sorting again.
pub struct WeightedFom<'a> {
    data: &'a MrmcData,
    fom: FigureOfMerit,
    cells: Vec<WeightedCell>,
}

struct WeightedCell {
    ratings: Vec<f64>,
    /// Level of each reading of the cell, in the cell's order of cases.
    level: Vec<u32>,
}

impl<'a> WeightedFom<'a> {
    /// Sorts each cell once: O(n log n) a cell.
    pub fn new(data: &'a MrmcData, fom: FigureOfMerit) -> Self {
        let readers = data.readers().len();
        let cells = (0..data.modalities().len() * readers)
            .map(|at| {
                let cell = data.cell(at / readers, at % readers);
                let mut ratings = cell.ratings.to_vec();
                ratings.sort_by(|a, b| b.total_cmp(a));
                ratings.dedup();
                // Highest level first, as `Levels` has it.
                let level =
                    cell.ratings.iter().map(|rating| ratings.partition_point(|other| other > rating) as u32).collect();
                WeightedCell { ratings, level }
            })
            .collect();
        Self { data, fom, cells }
    }

    /// The figure of merit of one cell. Error where the resample leaves it without one.
    pub fn of_cell(&self, modality: usize, reader: usize, weights: &Weights) -> Estimable<f64> {
        let cell = &self.cells[modality * self.data.readers().len() + reader];
        let mut levels = Levels {
            ratings: cell.ratings.clone(),
            diseased: vec![0; cell.ratings.len()],
            non_diseased: vec![0; cell.ratings.len()],
        };
        for (&case, &level) in self.data.cell(modality, reader).cases.iter().zip(&cell.level) {
            let weight = weights.case[case as usize];
            if self.data.cases()[case as usize].diseased {
                levels.diseased[level as usize] += weight;
            } else {
                levels.non_diseased[level as usize] += weight;
            }
        }
        self.fom.of_levels(&levels)
    }

    /// Mean over the drawn readers who read in the modality.
    pub fn mean(&self, modality: usize, weights: &Weights) -> Estimable<f64> {
        let (mut sum, mut count) = (0.0, 0u32);
        for reader in 0..self.data.readers().len() {
            let weight = weights.reader[reader];
            if weight == 0 || self.data.cell(modality, reader).cases.is_empty() {
                continue;
            }
            sum += f64::from(weight) * self.of_cell(modality, reader, weights)?;
            count += weight;
        }
        if count == 0 {
            return Err(NotEstimable::new("no-reader", "no reader of the resample read in this modality"));
        }
        Ok(sum / f64::from(count))
    }
}

/// Why the two-way bootstrap does not hold for a design.
///
/// # Errors
/// Designs in which readers and cases are not crossed within each modality.
pub fn check_design(data: &MrmcData) -> Estimable<()> {
    match data.design() {
        Design::Factorial | Design::CaseNestedInModality | Design::ReaderNestedInModality => Ok(()),
        other => Err(NotEstimable::new(
            "design-not-crossed",
            format!(
                "the bootstrap of readers and cases needs every reader of an arm on every case of it; found {}",
                other.name()
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reading;
    use super::super::simulate::{Draw, RoeMetz, Variances, categorise};
    use super::super::ustat::{Options, analyse};
    use super::*;

    fn study() -> MrmcData {
        let mut rows = Vec::new();
        let readers = ["1", "2", "3"];
        let cases: Vec<String> = (0..24).map(|i| i.to_string()).collect();
        for (r, reader) in readers.iter().enumerate() {
            for (c, case) in cases.iter().enumerate() {
                for (m, modality) in ["unaided", "aided"].iter().enumerate() {
                    let noise = ((c * 7 + r * 5 + m * 3) % 11) as f64 / 4.0;
                    let rating = if c < 10 { 1.5 + m as f64 * 0.5 } else { 0.0 } + noise;
                    rows.push(Reading { reader, case, modality, diseased: c < 10, rating, cluster: None });
                }
            }
        }
        MrmcData::from_readings(&rows).unwrap()
    }

    #[test]
    fn weights_of_one_give_the_plain_figure_of_merit() {
        let data = study();
        let fom = WeightedFom::new(&data, FigureOfMerit::EmpiricalAuc);
        let ones = Weights { reader: vec![1; 3], case: vec![1; 24] };
        let cell = data.cell(1, 2);
        let (mut pos, mut neg) = (Vec::new(), Vec::new());
        for (&case, &rating) in cell.cases.iter().zip(cell.ratings) {
            if data.cases()[case as usize].diseased { &mut pos } else { &mut neg }.push(rating);
        }
        let direct = FigureOfMerit::EmpiricalAuc.estimate(&pos, &neg).unwrap();
        assert!((fom.of_cell(1, 2, &ones).unwrap() - direct).abs() < 1e-15);
    }

    #[test]
    fn the_quick_jackknife_is_the_plain_one() {
        for in_patients in [false, true] {
            let clusters: Vec<String> = (0..30).map(|case| (case / 3).to_string()).collect();
            let names: Vec<String> = (0..30).map(|case| format!("{case:02}")).collect();
            let rows: Vec<Reading> = (0..30)
                .map(|case| Reading {
                    reader: "device",
                    case: &names[case],
                    modality: "standalone",
                    diseased: case % 5 < 2,
                    rating: ((case * 7) % 11) as f64 + if case % 5 < 2 { 2.5 } else { 0.0 },
                    cluster: in_patients.then_some(clusters[case].as_str()),
                })
                .collect();
            let data = MrmcData::from_readings(&rows).unwrap();
            let whole = WeightedFom::new(&data, FigureOfMerit::EmpiricalAuc);
            let mut plain = leave_one_out(&data, |weights| whole.of_cell(0, 0, weights));
            let mut quick = figure_left_out(&data, FigureOfMerit::EmpiricalAuc).unwrap();
            assert_eq!((plain.len(), quick.len()), if in_patients { (10, 10) } else { (30, 30) });
            plain.sort_by(f64::total_cmp);
            quick.sort_by(f64::total_cmp);
            assert!(plain.iter().zip(&quick).all(|(plain, quick)| (plain - quick).abs() < 1e-14));
        }
    }

    #[test]
    fn strata_keep_their_size_and_threads_do_not_matter() {
        let data = study();
        let plan = Plan::new(&data, RandomFactors::ReadersAndCases);
        let drawn = plan.draw(7, 3);
        assert_eq!(drawn.reader.iter().sum::<u32>(), 3);
        assert_eq!(drawn.case[..].iter().sum::<u32>(), 24);
        let diseased: u32 =
            data.cases().iter().zip(&drawn.case).filter(|(case, _)| case.diseased).map(|(_, &weight)| weight).sum();
        assert_eq!(diseased, 10);
        let fom = WeightedFom::new(&data, FigureOfMerit::EmpiricalAuc);
        let run = || resample(&data, RandomFactors::ReadersAndCases, 64, 7, |w| Ok(fom.mean(1, w)? - fom.mean(0, w)?));
        let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        let one = pool(1).install(run);
        assert_eq!(one, pool(4).install(run));
        assert_eq!((one.values.len(), one.unusable), (64, 0));
    }

    /// Over all resamples the variance is the plug-in (MLE) variance of the U-statistic (Gallas et al. 2009).
    #[test]
    fn the_variance_of_many_resamples_is_the_plug_in_variance() {
        let variances = Variances {
            reader: 0.05,
            modality_reader: 0.05,
            case: 0.3,
            modality_case: 0.2,
            reader_case: 0.2,
            error: 0.3,
        };
        let model = RoeMetz::two_modalities([1.0, 1.4], &variances);
        let data = model.simulate(4, 15, 20, Draw { seed: 21, replicate: 0 }).unwrap();
        let data = categorise(&data, &[-0.5, 0.5, 1.5, 2.0]).unwrap();
        let exact = analyse(&data, &Options::default());
        let fom = WeightedFom::new(&data, FigureOfMerit::EmpiricalAuc);
        let variance = |statistic: &(dyn Fn(&Weights) -> Estimable<f64> + Sync)| {
            let drawn = resample(&data, RandomFactors::ReadersAndCases, 10_000, 1, statistic);
            crate::stats::bootstrap::standard_error(&drawn.values).unwrap().powi(2)
        };
        // relative standard error of a variance of 10,000 values: about 1.4 %
        let one = variance(&|w| fom.mean(0, w)) / exact.per_modality[0].mle.variance.clone().unwrap();
        assert!((one - 1.0).abs() < 0.06, "{one}");
        let two =
            variance(&|w| Ok(fom.mean(0, w)? - fom.mean(1, w)?)) / exact.differences[0].mle.variance.clone().unwrap();
        assert!((two - 1.0).abs() < 0.06, "{two}");
    }

    #[test]
    fn fixed_readers_are_all_there_each_time() {
        let plan = Plan::new(&study(), RandomFactors::Cases);
        assert_eq!(plan.draw(1, 0).reader, [1, 1, 1]);
    }
}
