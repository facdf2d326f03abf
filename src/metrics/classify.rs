//! Several classes: confusion, balanced accuracy, F1 in its averages, Matthews' correlation, AUCs one against the rest and
//! pair by pair.
//!
//! Two things are never chosen silently: what a tie of the highest scores becomes ([`Tie`]), and what a class whose
//! measure does not exist contributes to a mean over classes ([`Undefined`]).

use crate::stats::{Estimable, NotEstimable, roc};

/// What becomes of a case whose highest score several classes share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// The class that comes first (numpy's argmax).
    First,
    /// The class that comes last (scikit-learn's top-k accuracy).
    Last,
    /// No class: the case is undecided, which is wrong whatever its truth (ISIC 2018).
    Undecided,
}

/// What a class without a measure does to the mean over classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// It is left out of the mean.
    Skip,
    /// It counts as 0.
    Zero,
    /// There is no mean either.
    Refuse,
}

/// How measures of classes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// Each class alike.
    Macro(Undefined),
    /// Each class by its number of true cases.
    Weighted(Undefined),
    /// One measure of all decisions pooled.
    Micro,
}

/// Calls by truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    /// `table[truth][call]`.
    table: Vec<Vec<u64>>,
    /// Undecided cases by truth.
    undecided: Vec<u64>,
}

/// The class of the highest score of each case; `None` = undecided.
pub fn calls(scores: &[Vec<f64>], tie: Tie) -> Estimable<Vec<Option<usize>>> {
    check(scores)?;
    Ok(scores
        .iter()
        .map(|row| {
            let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mut tied = row.iter().enumerate().filter(|(_, score)| **score == top).map(|(class, _)| class);
            match tie {
                Tie::First => tied.next(),
                Tie::Last => tied.next_back(),
                Tie::Undecided => tied.next().filter(|_| tied.next().is_none()),
            }
        })
        .collect())
}

impl ConfusionMatrix {
    pub fn new(classes: usize, truth: &[usize], calls: &[Option<usize>]) -> Estimable<Self> {
        if truth.len() != calls.len() || truth.is_empty() {
            return Err(NotEstimable::new("cases", format!("{} truths and {} calls", truth.len(), calls.len())));
        }
        let mut matrix = Self { table: vec![vec![0; classes]; classes], undecided: vec![0; classes] };
        for (&truth, &call) in truth.iter().zip(calls) {
            if truth >= classes || call.is_some_and(|call| call >= classes) {
                return Err(NotEstimable::new("class", format!("a class number beyond the {classes} classes")));
            }
            match call {
                Some(call) => matrix.table[truth][call] += 1,
                None => matrix.undecided[truth] += 1,
            }
        }
        Ok(matrix)
    }

    pub fn table(&self) -> &[Vec<u64>] {
        &self.table
    }

    pub fn undecided(&self) -> &[u64] {
        &self.undecided
    }

    pub fn classes(&self) -> usize {
        self.table.len()
    }

    pub fn cases(&self) -> u64 {
        (0..self.classes()).map(|class| self.support(class)).sum()
    }

    /// True cases of a class, undecided ones among them.
    pub fn support(&self, class: usize) -> u64 {
        self.table[class].iter().sum::<u64>() + self.undecided[class]
    }

    pub fn called(&self, class: usize) -> u64 {
        self.table.iter().map(|row| row[class]).sum()
    }

    fn right(&self) -> u64 {
        (0..self.classes()).map(|class| self.table[class][class]).sum()
    }

    /// Right calls / cases; undecided ones are wrong.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.cases() as f64
    }

    /// Sensitivity of a class.
    pub fn recall(&self, class: usize) -> Estimable<f64> {
        share(self.table[class][class], self.support(class), "no_true_case", || format!("class {class} has no case"))
    }

    /// Specificity of a class against all others.
    pub fn specificity(&self, class: usize) -> Estimable<f64> {
        let others = self.cases() - self.support(class);
        let false_calls = self.called(class) - self.table[class][class];
        share(others - false_calls, others, "no_other_case", || format!("every case is of class {class}"))
    }

    /// Positive predictive value of a class in this sample.
    pub fn precision(&self, class: usize) -> Estimable<f64> {
        share(self.table[class][class], self.called(class), "never_called", || format!("class {class} is never called"))
    }

    /// 2 TP / (2 TP + FP + FN).
    pub fn f1(&self, class: usize) -> Estimable<f64> {
        let either = self.support(class) + self.called(class);
        share(2 * self.table[class][class], either, "no_such_case", || format!("class {class} does not occur"))
    }

    pub fn average_recall(&self, average: Average) -> Estimable<f64> {
        self.average(average, Self::recall)
    }

    /// Micro: right calls / calls; without undecided cases the accuracy.
    pub fn average_precision(&self, average: Average) -> Estimable<f64> {
        self.average(average, Self::precision)
    }

    pub fn average_f1(&self, average: Average) -> Estimable<f64> {
        self.average(average, Self::f1)
    }

    /// Mean sensitivity over the classes that have cases.
    pub fn balanced_accuracy(&self) -> Estimable<f64> {
        self.average_recall(Average::Macro(Undefined::Skip))
    }

    /// Balanced accuracy with 0 for chance: (BA − 1/k) / (1 − 1/k), k = classes that have cases.
    pub fn adjusted_balanced_accuracy(&self) -> Estimable<f64> {
        let present = (0..self.classes()).filter(|&class| self.support(class) > 0).count();
        if present < 2 {
            return Err(NotEstimable::new("one_class", "chance is 1 where one class only has cases"));
        }
        let chance = 1.0 / present as f64;
        self.balanced_accuracy().map(|ba| (ba - chance) / (1.0 - chance))
    }

    /// Matthews' correlation of K classes (Gorodkin 2004, Comput Biol Chem 28:367, eq. 8). Undecided cases have no place in
    /// it and are refused.
    pub fn matthews(&self) -> Estimable<f64> {
        if self.undecided.iter().any(|&count| count > 0) {
            return Err(NotEstimable::new("undecided", "undecided cases belong to no class of call"));
        }
        let cases = self.cases() as f64;
        let (mut cross, mut truth, mut call) = (0.0, 0.0, 0.0);
        for class in 0..self.classes() {
            let (t, c) = (self.support(class) as f64, self.called(class) as f64);
            cross += t * c;
            truth += t * t;
            call += c * c;
        }
        let scale = (cases * cases - truth).sqrt() * (cases * cases - call).sqrt();
        if scale == 0.0 {
            return Err(NotEstimable::new("one_class", "truth or calls hold one class only"));
        }
        Ok((self.right() as f64 * cases - cross) / scale)
    }

    fn average(&self, average: Average, measure: impl Fn(&Self, usize) -> Estimable<f64>) -> Estimable<f64> {
        let each: Vec<Estimable<f64>> = (0..self.classes()).map(|class| measure(self, class)).collect();
        let support: Vec<f64> = (0..self.classes()).map(|class| self.support(class) as f64).collect();
        match average {
            Average::Macro(undefined) => mean(&each, None, undefined),
            Average::Weighted(undefined) => mean(&each, Some(&support), undefined),
            // pooled over classes each wrong call is one false positive and one false negative
            Average::Micro => Ok(self.accuracy()),
        }
    }
}

/// AUC of each class's score against all other classes.
pub fn auc_one_against_rest(truth: &[usize], scores: &[Vec<f64>]) -> Estimable<Vec<Estimable<f64>>> {
    let classes = check_truth(truth, scores)?;
    Ok((0..classes).map(|class| auc_of(truth, scores, class, |t| t == class, |t| t != class)).collect())
}

/// The AUCs of [`auc_one_against_rest`] as one. Micro: every case and class is one decision.
pub fn average_auc(truth: &[usize], scores: &[Vec<f64>], average: Average) -> Estimable<f64> {
    let each = auc_one_against_rest(truth, scores)?;
    let support: Vec<f64> = (0..each.len()).map(|class| truth.iter().filter(|&&t| t == class).count() as f64).collect();
    match average {
        Average::Macro(undefined) => mean(&each, None, undefined),
        Average::Weighted(undefined) => mean(&each, Some(&support), undefined),
        Average::Micro => {
            let (mut positive, mut negative) = (Vec::new(), Vec::new());
            for (&truth, row) in truth.iter().zip(scores) {
                for (class, &score) in row.iter().enumerate() {
                    if class == truth { positive.push(score) } else { negative.push(score) }
                }
            }
            roc::auc(&positive, &negative)
        }
    }
}

/// Weights of the pairs of classes in [`auc_pairs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairWeights {
    /// Every pair alike: Hand and Till's M.
    Equal,
    /// By the number of cases of both classes.
    Cases,
}

/// M = mean over pairs i < j of (A(i|j) + A(j|i)) / 2 (Hand and Till 2001, Machine Learning 45:171, eq. 7), over the
/// classes that have cases.
pub fn auc_pairs(truth: &[usize], scores: &[Vec<f64>], weights: PairWeights) -> Estimable<f64> {
    let classes = check_truth(truth, scores)?;
    let count = |class: usize| truth.iter().filter(|&&t| t == class).count() as f64;
    let present: Vec<usize> = (0..classes).filter(|&class| count(class) > 0.0).collect();
    if present.len() < 2 {
        return Err(NotEstimable::new("one_class", "a pair needs two classes that have cases"));
    }
    let (mut sum, mut whole) = (0.0, 0.0);
    for (place, &i) in present.iter().enumerate() {
        for &j in &present[place + 1..] {
            let weight = match weights {
                PairWeights::Equal => 1.0,
                PairWeights::Cases => count(i) + count(j),
            };
            let there = auc_of(truth, scores, i, |t| t == i, |t| t == j)?;
            let back = auc_of(truth, scores, j, |t| t == j, |t| t == i)?;
            sum += weight * (there + back) / 2.0;
            whole += weight;
        }
    }
    Ok(sum / whole)
}

/// Share of cases whose true class is among the `k` highest scores.
pub fn top_k_accuracy(truth: &[usize], scores: &[Vec<f64>], k: usize, tie: Tie) -> Estimable<f64> {
    check_truth(truth, scores)?;
    let right = truth.iter().zip(scores).filter(|&(&truth, row)| {
        let before = row.iter().enumerate().filter(|&(class, &score)| {
            let tied_before = match tie {
                Tie::First => class < truth,
                Tie::Last => class > truth,
                Tie::Undecided => class != truth,
            };
            score > row[truth] || (score == row[truth] && tied_before)
        });
        before.count() < k
    });
    Ok(right.count() as f64 / truth.len() as f64)
}

/// Brier score of K classes, the mean over cases of Σ_k (p_k − y_k)² (Brier 1950): 0 to 2, twice the binary one for K = 2.
pub fn brier(truth: &[usize], probabilities: &[Vec<f64>]) -> Estimable<f64> {
    check_truth(truth, probabilities)?;
    let of = |truth: usize, row: &[f64]| -> f64 {
        row.iter().enumerate().map(|(class, p)| (p - f64::from(u8::from(class == truth))).powi(2)).sum()
    };
    Ok(truth.iter().zip(probabilities).map(|(&t, row)| of(t, row)).sum::<f64>() / truth.len() as f64)
}

/// Mean of −ln p of the true class. A probability of 0 has no finite loss; `floor` is what it is raised to, if declared.
pub fn log_loss(truth: &[usize], probabilities: &[Vec<f64>], floor: Option<f64>) -> Estimable<f64> {
    check_truth(truth, probabilities)?;
    let mut sum = 0.0;
    for (&truth, row) in truth.iter().zip(probabilities) {
        let p = floor.map_or(row[truth], |floor| row[truth].clamp(floor, 1.0 - floor));
        if p <= 0.0 {
            return Err(NotEstimable::new("zero_probability", "a true class has probability 0, its loss is infinite"));
        }
        sum -= p.ln();
    }
    Ok(sum / truth.len() as f64)
}

/// The mean of measures of classes, of equal weight or as given.
pub(super) fn mean(each: &[Estimable<f64>], weights: Option<&[f64]>, undefined: Undefined) -> Estimable<f64> {
    let (mut sum, mut whole) = (0.0, 0.0);
    for (class, value) in each.iter().enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[class]);
        match (value, undefined) {
            (Ok(value), _) => sum += weight * value,
            (Err(_), Undefined::Zero) => {}
            (Err(_), Undefined::Skip) => continue,
            (Err(reason), Undefined::Refuse) => return Err(reason.clone()),
        }
        whole += weight;
    }
    if whole == 0.0 {
        return Err(NotEstimable::new("no_class_has_a_value", "no class has a value to average"));
    }
    Ok(sum / whole)
}

fn auc_of(
    truth: &[usize],
    scores: &[Vec<f64>],
    class: usize,
    is_positive: impl Fn(usize) -> bool,
    is_negative: impl Fn(usize) -> bool,
) -> Estimable<f64> {
    let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<f64> {
        truth.iter().zip(scores).filter(|(t, _)| wanted(**t)).map(|(_, row)| row[class]).collect()
    };
    roc::auc(&of(&is_positive), &of(&is_negative))
}

fn share(part: u64, whole: u64, code: &'static str, reason: impl Fn() -> String) -> Estimable<f64> {
    if whole == 0 {
        return Err(NotEstimable::new(code, reason()));
    }
    Ok(part as f64 / whole as f64)
}

fn check(scores: &[Vec<f64>]) -> Estimable<usize> {
    let classes = scores.first().map_or(0, Vec::len);
    if classes == 0 || scores.iter().any(|row| row.len() != classes || row.iter().any(|s| !s.is_finite())) {
        return Err(NotEstimable::new("scores", "each case needs one finite score for each class"));
    }
    Ok(classes)
}

fn check_truth(truth: &[usize], scores: &[Vec<f64>]) -> Estimable<usize> {
    let classes = check(scores)?;
    if truth.len() != scores.len() || truth.iter().any(|&t| t >= classes) {
        return Err(NotEstimable::new("truth", format!("each case needs a truth of 0 to {}", classes - 1)));
    }
    Ok(classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_is_what_was_declared() {
        let scores = [vec![0.4, 0.4, 0.2], vec![0.1, 0.2, 0.7]];
        assert_eq!(calls(&scores, Tie::First).unwrap(), [Some(0), Some(2)]);
        assert_eq!(calls(&scores, Tie::Last).unwrap(), [Some(1), Some(2)]);
        let undecided = calls(&scores, Tie::Undecided).unwrap();
        assert_eq!(undecided, [None, Some(2)]);
        let matrix = ConfusionMatrix::new(3, &[0, 2], &undecided).unwrap();
        assert_eq!(matrix.accuracy(), 0.5);
        assert_eq!(matrix.balanced_accuracy(), Ok(0.5), "class 1 has no case and is skipped");
        assert!(matrix.matthews().is_err());
    }

    #[test]
    fn an_absent_class_is_what_was_declared() {
        let matrix = ConfusionMatrix::new(3, &[0, 0, 1], &[Some(0), Some(0), Some(1)]).unwrap();
        assert_eq!(matrix.average_recall(Average::Macro(Undefined::Skip)), Ok(1.0));
        assert_eq!(matrix.average_recall(Average::Macro(Undefined::Zero)), Ok(2.0 / 3.0));
        assert_eq!(matrix.average_recall(Average::Macro(Undefined::Refuse)).unwrap_err().code, "no_true_case");
    }

    #[test]
    fn two_classes_have_one_auc() {
        let scores: Vec<Vec<f64>> = [0.9, 0.4, 0.35, 0.8].iter().map(|&p| vec![1.0 - p, p]).collect();
        let truth = [1, 0, 1, 1];
        let each = auc_one_against_rest(&truth, &scores).unwrap();
        assert_eq!(each[0], each[1]);
        assert_eq!(auc_pairs(&truth, &scores, PairWeights::Equal), each[1]);
        assert!(log_loss(&[0], &[vec![0.0, 1.0]], None).is_err());
    }
}
