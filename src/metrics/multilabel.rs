//! Several findings of one image that do not exclude one another: averages over labels, and measures within an image.

use super::classify::{Average, Undefined, mean};
use crate::stats::{Estimable, NotEstimable, roc};

/// Truth and score of each case and label, cases first.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    truth: &'a [Vec<bool>],
    scores: &'a [Vec<f64>],
    labels: usize,
}

/// Which measure of a label's ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranking {
    Auc,
    AveragePrecision,
}

/// Calls against truth at one threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct AtThreshold {
    /// Share of cases whose labels are all right.
    pub subset_accuracy: f64,
    /// Share of wrong decisions of all.
    pub hamming_loss: f64,
    /// By label: true positives, false positives, false negatives.
    pub counts: Vec<[u64; 3]>,
    by_case: Vec<[u64; 3]>,
}

impl<'a> Labelled<'a> {
    pub fn new(truth: &'a [Vec<bool>], scores: &'a [Vec<f64>]) -> Estimable<Self> {
        let labels = truth.first().map_or(0, Vec::len);
        let whole = truth.len() == scores.len() && labels > 0 && truth.iter().all(|row| row.len() == labels);
        if !whole || scores.iter().any(|row| row.len() != labels || row.iter().any(|s| !s.is_finite())) {
            return Err(NotEstimable::new("scores", "each case needs a truth and a finite score for each label"));
        }
        Ok(Self { truth, scores, labels })
    }

    pub fn each(&self, ranking: Ranking) -> Vec<Estimable<f64>> {
        (0..self.labels)
            .map(|label| measure(ranking, self.truth.iter().zip(self.scores).map(|(t, s)| (t[label], s[label]))))
            .collect()
    }

    pub fn average(&self, ranking: Ranking, average: Average) -> Estimable<f64> {
        let positives: Vec<f64> =
            (0..self.labels).map(|label| self.truth.iter().filter(|row| row[label]).count() as f64).collect();
        match average {
            Average::Macro(undefined) => mean(&self.each(ranking), None, undefined),
            Average::Weighted(undefined) => mean(&self.each(ranking), Some(&positives), undefined),
            Average::Micro => {
                measure(ranking, self.truth.iter().flatten().copied().zip(self.scores.iter().flatten().copied()))
            }
        }
    }

    /// The measure within each case, over its labels, then the mean over cases.
    pub fn by_case(&self, ranking: Ranking, undefined: Undefined) -> Estimable<f64> {
        let each: Vec<_> = self
            .truth
            .iter()
            .zip(self.scores)
            .map(|(t, s)| measure(ranking, t.iter().copied().zip(s.iter().copied())))
            .collect();
        mean(&each, None, undefined)
    }

    /// A label is called where its score is at least `threshold`.
    pub fn at_threshold(&self, threshold: f64) -> AtThreshold {
        let mut counts = vec![[0; 3]; self.labels];
        let mut by_case = vec![[0; 3]; self.truth.len()];
        let mut exact = 0;
        for ((truth, scores), case) in self.truth.iter().zip(self.scores).zip(&mut by_case) {
            for (label, (&truth, &score)) in truth.iter().zip(scores).enumerate() {
                let kind = match (truth, score >= threshold) {
                    (true, true) => 0,
                    (false, true) => 1,
                    (true, false) => 2,
                    (false, false) => continue,
                };
                counts[label][kind] += 1;
                case[kind] += 1;
            }
            exact += u64::from(case[1] + case[2] == 0);
        }
        let wrong: u64 = counts.iter().map(|count| count[1] + count[2]).sum();
        let cases = self.truth.len() as f64;
        AtThreshold {
            subset_accuracy: exact as f64 / cases,
            hamming_loss: wrong as f64 / (cases * self.labels as f64),
            counts,
            by_case,
        }
    }

    /// Mean number of labels to go down the ranking until every true one is met; ties count in full, a case without
    /// true labels counts 0 (Tsoumakas et al. 2010, "coverage", plus one).
    pub fn coverage_error(&self) -> f64 {
        self.mean_of_cases(|truth, scores| {
            let lowest = truth.iter().zip(scores).filter(|(t, _)| **t).map(|(_, s)| *s).fold(f64::INFINITY, f64::min);
            scores.iter().filter(|&&score| score >= lowest).count() as f64
        })
    }

    /// Label ranking average precision: for each true label the share of true ones among those ranked at least as high
    /// (Tsoumakas et al. 2010); 1 for a case with no true label or none that is false.
    pub fn ranking_average_precision(&self) -> f64 {
        self.mean_of_cases(|truth, scores| {
            let positives = truth.iter().filter(|t| **t).count();
            if positives == 0 || positives == truth.len() {
                return 1.0;
            }
            let of = |own: f64| {
                let above = truth.iter().zip(scores).filter(|(_, s)| **s >= own);
                let (all, right) = above.fold((0, 0), |(all, right), (t, _)| (all + 1, right + u32::from(*t)));
                f64::from(right) / f64::from(all)
            };
            let true_scores = truth.iter().zip(scores).filter(|(t, _)| **t).map(|(_, s)| *s);
            true_scores.map(of).sum::<f64>() / positives as f64
        })
    }

    /// Share of pairs of a true and a false label that are ranked wrongly, ties being wrong; 0 for a case without pairs.
    pub fn ranking_loss(&self) -> f64 {
        self.mean_of_cases(|truth, scores| {
            let positives = truth.iter().filter(|t| **t).count();
            let pairs = positives * (truth.len() - positives);
            if pairs == 0 {
                return 0.0;
            }
            let side = |wanted: bool| truth.iter().zip(scores).filter(move |(t, _)| **t == wanted).map(|(_, s)| *s);
            let wrong: usize = side(true).map(|own| side(false).filter(|&other| other >= own).count()).sum();
            wrong as f64 / pairs as f64
        })
    }

    fn mean_of_cases(&self, of: impl Fn(&[bool], &[f64]) -> f64) -> f64 {
        self.truth.iter().zip(self.scores).map(|(t, s)| of(t, s)).sum::<f64>() / self.truth.len() as f64
    }
}

impl AtThreshold {
    pub fn average_f1(&self, average: Average) -> Estimable<f64> {
        let each: Vec<_> = self.counts.iter().map(f1).collect();
        let positives: Vec<f64> = self.counts.iter().map(|count| (count[0] + count[2]) as f64).collect();
        match average {
            Average::Macro(undefined) => mean(&each, None, undefined),
            Average::Weighted(undefined) => mean(&each, Some(&positives), undefined),
            Average::Micro => f1(&self.counts.iter().fold([0; 3], |a, b| std::array::from_fn(|i| a[i] + b[i]))),
        }
    }

    /// F1 within each case, then the mean; it does not exist for a case with neither true nor called labels.
    pub fn f1_by_case(&self, undefined: Undefined) -> Estimable<f64> {
        mean(&self.by_case.iter().map(f1).collect::<Vec<_>>(), None, undefined)
    }

    /// Jaccard index within each case, then the mean.
    pub fn jaccard_by_case(&self, undefined: Undefined) -> Estimable<f64> {
        let jaccard = |count: &[u64; 3]| ratio(count[0], count[0] + count[1] + count[2]);
        mean(&self.by_case.iter().map(jaccard).collect::<Vec<_>>(), None, undefined)
    }
}

fn f1(count: &[u64; 3]) -> Estimable<f64> {
    ratio(2 * count[0], 2 * count[0] + count[1] + count[2])
}

fn ratio(part: u64, whole: u64) -> Estimable<f64> {
    if whole == 0 {
        return Err(NotEstimable::new("nothing_true_or_called", "nothing is true and nothing is called"));
    }
    Ok(part as f64 / whole as f64)
}

fn measure(ranking: Ranking, decisions: impl Iterator<Item = (bool, f64)>) -> Estimable<f64> {
    let (mut positive, mut negative) = (Vec::new(), Vec::new());
    for (truth, score) in decisions {
        if truth { positive.push(score) } else { negative.push(score) }
    }
    if ranking == Ranking::Auc {
        return roc::auc(&positive, &negative);
    }
    match (positive.is_empty(), negative.is_empty()) {
        (true, _) => Err(NotEstimable::new("no_positive", "average precision needs a positive")),
        (false, true) => Ok(1.0),
        _ => roc::average_precision(&positive, &negative),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_nobody_has_does_not_vanish_silently() {
        let truth = [vec![true, false], vec![false, false]];
        let scores = [vec![0.9, 0.1], vec![0.2, 0.3]];
        let set = Labelled::new(&truth, &scores).unwrap();
        assert!(set.each(Ranking::Auc)[1].is_err());
        assert_eq!(set.average(Ranking::Auc, Average::Macro(Undefined::Skip)), Ok(1.0));
        assert!(set.average(Ranking::Auc, Average::Macro(Undefined::Refuse)).is_err());
        let at = set.at_threshold(0.5);
        assert_eq!((at.subset_accuracy, at.hamming_loss), (1.0, 0.0));
        assert_eq!(at.average_f1(Average::Macro(Undefined::Zero)), Ok(0.5));
        assert_eq!(at.f1_by_case(Undefined::Skip), Ok(1.0));
    }
}
