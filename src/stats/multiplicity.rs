//! Several hypotheses, one alpha: which are rejected, with adjusted p-values.
//!
//! An adjusted p-value is the smallest alpha at which the procedure rejects that hypothesis, so one number decides at
//! every level: Bonferroni min(1, m p); Šidák 1 − (1 − p)^m; Holm 1979 (Scand J Stat 6:65), step-down; Hochberg 1988
//! (Biometrika 75:800), step-up, for independent or positively dependent tests; Hommel 1988 (ibid. 383) by Wright's
//! 1992 algorithm; fixed sequence (Maurer, Hothorn & Lehmacher 1995); co-primary endpoints, all of which must be met
//! (Berger 1982, intersection–union); gatekeeping in series and in parallel (Dmitrienko, Offen & Westfall 2003, Stat Med
//! 22:2387) and any weighted graph (Bretz, Maurer, Brannath & Posch 2009, Stat Med 28:586, algorithms 1 and 2).

use super::{Estimable, NotEstimable};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Procedure {
    Bonferroni,
    Sidak,
    Holm,
    Hochberg,
    Hommel,
    /// In the order given; stops at the first that is not rejected.
    FixedSequence,
    /// All or none.
    CoPrimary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Rejected,
    NotRejected,
    /// No alpha came to it: a hypothesis before it was not rejected.
    NotReached,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Adjusted {
    pub p: f64,
    pub p_adjusted: f64,
    pub decision: Decision,
}

/// Adjusted p-values and decisions in the order of `p`. Codes: `invalid_p`, `invalid_alpha`, `no_hypothesis`.
pub fn adjust(p: &[f64], procedure: Procedure, alpha: f64) -> Estimable<Vec<Adjusted>> {
    check(p, alpha)?;
    let adjusted = adjusted_p(p, procedure);
    let mut open = true;
    Ok(p.iter()
        .zip(adjusted)
        .map(|(p, p_adjusted)| {
            let decision = if p_adjusted <= alpha {
                Decision::Rejected
            } else if open || procedure != Procedure::FixedSequence {
                open = false;
                Decision::NotRejected
            } else {
                Decision::NotReached
            };
            Adjusted { p: *p, p_adjusted, decision }
        })
        .collect())
}

/// A family of hypotheses (indices into the p-values) and the procedure within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    pub members: Vec<usize>,
    pub procedure: Procedure,
}

/// Families tested one after the other, each at full alpha, as long as every hypothesis of the families before was
/// rejected (serial gatekeeping). Every hypothesis belongs to exactly one family (`invalid_families`).
pub fn serial_gatekeeping(p: &[f64], families: &[Family], alpha: f64) -> Estimable<Vec<Adjusted>> {
    check(p, alpha)?;
    check_families(p.len(), families.iter().map(|f| f.members.as_slice()))?;
    let mut out: Vec<Option<Adjusted>> = vec![None; p.len()];
    let mut gate = 0.0_f64;
    for family in families {
        let own: Vec<f64> = family.members.iter().map(|i| p[*i]).collect();
        let open = gate <= alpha;
        let mut next = gate;
        for (found, i) in adjust(&own, family.procedure, alpha)?.into_iter().zip(&family.members) {
            let p_adjusted = found.p_adjusted.max(gate);
            next = next.max(p_adjusted);
            let decision = if open { found.decision } else { Decision::NotReached };
            out[*i] = Some(Adjusted { p_adjusted, decision, ..found });
        }
        gate = next;
    }
    Ok(out.into_iter().map(|a| a.expect("every hypothesis is in a family")).collect())
}

/// Weights of alpha and how a rejected hypothesis passes its weight on.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    weights: Vec<f64>,
    transitions: Vec<Vec<f64>>,
}

impl Graph {
    /// `weights[i]` ≥ 0 with sum ≤ 1; `transitions[i][j]` ≥ 0 is the share of i's weight that j gets, rows sum to ≤ 1,
    /// diagonal 0. Code `invalid_graph`.
    pub fn new(weights: Vec<f64>, transitions: Vec<Vec<f64>>) -> Estimable<Self> {
        const ROUNDING: f64 = 1e-9;
        let invalid = |reason: String| Err(NotEstimable::new("invalid_graph", reason));
        let share = |v: &f64| *v >= 0.0 && *v <= 1.0 + ROUNDING;
        let m = weights.len();
        if m == 0 || transitions.len() != m || transitions.iter().any(|row| row.len() != m) {
            return invalid(format!("{m} weights need a square table of transitions"));
        }
        if !weights.iter().all(share) || weights.iter().sum::<f64>() > 1.0 + ROUNDING {
            return invalid(format!("weights are not negative and sum to at most 1, not {weights:?}"));
        }
        for (i, row) in transitions.iter().enumerate() {
            if !row.iter().all(share) || row.iter().sum::<f64>() > 1.0 + ROUNDING || row[i] != 0.0 {
                return invalid(format!("transitions from hypothesis {i} are no shares of its weight: {row:?}"));
            }
        }
        Ok(Self { weights, transitions })
    }

    /// Bonferroni–Holm as a graph: equal weights, passed on equally.
    pub fn holm(m: usize) -> Estimable<Self> {
        let pass = if m > 1 { 1.0 / (m - 1) as f64 } else { 0.0 };
        let rows = (0..m).map(|i| (0..m).map(|j| if i == j { 0.0 } else { pass }).collect()).collect();
        Self::new(vec![1.0 / m.max(1) as f64; m], rows)
    }

    /// All weight on the first, passed along.
    pub fn fixed_sequence(m: usize) -> Estimable<Self> {
        let weights = (0..m).map(|i| if i == 0 { 1.0 } else { 0.0 }).collect();
        let rows = (0..m).map(|i| (0..m).map(|j| if j == i + 1 { 1.0 } else { 0.0 }).collect()).collect();
        Self::new(weights, rows)
    }

    /// Parallel gatekeeping: alpha is shared equally within the first family (Bonferroni); each rejection there opens
    /// its share to the next family, and within the last family rejected weight goes round (Holm).
    pub fn parallel_gatekeeping(families: &[Vec<usize>]) -> Estimable<Self> {
        let m = families.iter().map(Vec::len).sum();
        check_families(m, families.iter().map(Vec::as_slice))?;
        let mut weights = vec![0.0; m];
        let mut transitions = vec![vec![0.0; m]; m];
        for (rank, family) in families.iter().enumerate() {
            for i in family {
                if rank == 0 {
                    weights[*i] = 1.0 / family.len() as f64;
                }
                match families.get(rank + 1) {
                    Some(next) => next.iter().for_each(|j| transitions[*i][*j] = 1.0 / next.len() as f64),
                    None => family
                        .iter()
                        .filter(|j| *j != i)
                        .for_each(|j| transitions[*i][*j] = 1.0 / (family.len() - 1) as f64),
                }
            }
        }
        Self::new(weights, transitions)
    }
}

/// One rejection of the graphical procedure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    pub hypothesis: usize,
    /// The alpha that it was tested at.
    pub local_alpha: f64,
    /// Weights of all hypotheses after its weight was passed on (0 for rejected ones).
    pub weights: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphResult {
    pub adjusted: Vec<Adjusted>,
    /// The rejections in their order.
    pub steps: Vec<Step>,
}

/// The sequentially rejective graphical procedure. Ties of p/w go to the hypothesis named first; they change the order
/// of the steps and not the decisions. Codes: `invalid_p`, `invalid_alpha`, `no_hypothesis`, `invalid_graph`.
pub fn graphical(p: &[f64], graph: &Graph, alpha: f64) -> Estimable<GraphResult> {
    check(p, alpha)?;
    let m = p.len();
    if graph.weights.len() != m {
        return Err(NotEstimable::new("invalid_graph", format!("{m} p-values for {} hypotheses", graph.weights.len())));
    }
    let (mut weights, mut pass) = (graph.weights.clone(), graph.transitions.clone());
    let mut remaining: Vec<usize> = (0..m).collect();
    let mut adjusted = vec![1.0; m];
    let mut decisions: Vec<Option<Decision>> = vec![None; m];
    let (mut steps, mut highest, mut stopped) = (Vec::new(), 0.0_f64, false);
    while !remaining.is_empty() {
        let next = remaining
            .iter()
            .copied()
            .filter(|i| weights[*i] > 0.0)
            .min_by(|a, b| (p[*a] / weights[*a]).total_cmp(&(p[*b] / weights[*b])));
        let Some(j) = next else { break };
        let local = weights[j];
        highest = highest.max((p[j] / local).min(1.0));
        adjusted[j] = highest;
        if highest > alpha && !stopped {
            stopped = true;
            for i in &remaining {
                decisions[*i] = Some(if weights[*i] > 0.0 { Decision::NotRejected } else { Decision::NotReached });
            }
        }
        remaining.retain(|i| *i != j);
        // w_l += w_j g_jl;  g_lk ← (g_lk + g_lj g_jk)/(1 − g_lj g_jl)
        for l in &remaining {
            weights[*l] += local * pass[j][*l];
        }
        let old = pass.clone();
        for l in &remaining {
            for k in &remaining {
                let circle = old[*l][j] * old[j][*l];
                pass[*l][*k] =
                    if l != k && circle < 1.0 { (old[*l][*k] + old[*l][j] * old[j][*k]) / (1.0 - circle) } else { 0.0 };
            }
        }
        weights[j] = 0.0;
        if !stopped {
            decisions[j] = Some(Decision::Rejected);
            steps.push(Step { hypothesis: j, local_alpha: local * alpha, weights: weights.clone() });
        }
    }
    let adjusted = (0..m)
        .map(|i| Adjusted { p: p[i], p_adjusted: adjusted[i], decision: decisions[i].unwrap_or(Decision::NotReached) })
        .collect();
    Ok(GraphResult { adjusted, steps })
}

fn adjusted_p(p: &[f64], procedure: Procedure) -> Vec<f64> {
    let m = p.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut out = vec![0.0; m];
    match procedure {
        Procedure::Bonferroni => out = p.iter().map(|p| (m as f64 * p).min(1.0)).collect(),
        // 1 − (1 − p)^m without losing the digits of a small p
        Procedure::Sidak => out = p.iter().map(|p| -(m as f64 * (-p).ln_1p()).exp_m1()).collect(),
        Procedure::Holm => {
            let mut highest = 0.0_f64;
            for (rank, i) in order.iter().enumerate() {
                highest = highest.max(((m - rank) as f64 * p[*i]).min(1.0));
                out[*i] = highest;
            }
        }
        Procedure::Hochberg => {
            let mut lowest = 1.0_f64;
            for (rank, i) in order.iter().enumerate().rev() {
                lowest = lowest.min((m - rank) as f64 * p[*i]);
                out[*i] = lowest;
            }
        }
        Procedure::Hommel => {
            let sorted: Vec<f64> = order.iter().map(|i| p[*i]).collect();
            for (value, i) in hommel(&sorted).into_iter().zip(order) {
                out[i] = value;
            }
        }
        Procedure::FixedSequence => {
            let mut highest = 0.0_f64;
            for (slot, p) in out.iter_mut().zip(p) {
                highest = highest.max(*p);
                *slot = highest;
            }
        }
        Procedure::CoPrimary => out = vec![p.iter().copied().fold(0.0, f64::max); m],
    }
    out
}

/// Wright 1992 (Biometrics 48:1005): for each subset size s the Simes bound of the largest p-values.
fn hommel(sorted: &[f64]) -> Vec<f64> {
    let m = sorted.len();
    let simes = (0..m).map(|i| m as f64 * sorted[i] / (i + 1) as f64).fold(f64::INFINITY, f64::min);
    let mut best = vec![simes; m];
    for s in (2..m).rev() {
        let split = m - s + 1;
        let tail = (split..m).map(|i| s as f64 * sorted[i] / (i - split + 2) as f64).fold(f64::INFINITY, f64::min);
        for i in 0..m {
            let bound =
                if i < split { (s as f64 * sorted[i]).min(tail) } else { (s as f64 * sorted[split - 1]).min(tail) };
            best[i] = best[i].max(bound);
        }
    }
    best.iter().zip(sorted).map(|(b, p)| b.max(*p).min(1.0)).collect()
}

fn check(p: &[f64], alpha: f64) -> Estimable<()> {
    if p.is_empty() {
        return Err(NotEstimable::new("no_hypothesis", "there is no hypothesis to test"));
    }
    if let Some((i, bad)) = p.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(NotEstimable::new("invalid_p", format!("the p-value of hypothesis {i} is {bad}")));
    }
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(NotEstimable::new("invalid_alpha", format!("alpha lies between 0 and 1, not at {alpha}")));
    }
    Ok(())
}

fn check_families<'a>(m: usize, families: impl Iterator<Item = &'a [usize]>) -> Estimable<()> {
    let mut members = Vec::new();
    for family in families {
        if family.is_empty() {
            return Err(NotEstimable::new("invalid_families", "a family has no hypothesis"));
        }
        members.extend_from_slice(family);
    }
    members.sort_unstable();
    if members != (0..m).collect::<Vec<_>>() {
        return Err(NotEstimable::new(
            "invalid_families",
            format!("each of {m} hypotheses belongs to one family, the families name {members:?}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(adjusted: &[Adjusted]) -> Vec<f64> {
        adjusted.iter().map(|a| a.p_adjusted).collect()
    }

    fn close(got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-12), "{got:?} {want:?}");
    }

    #[test]
    fn graphs_of_known_procedures_give_their_p_values() {
        let p = [0.012, 0.001, 0.2, 0.03, 0.012];
        let holm = graphical(&p, &Graph::holm(5).unwrap(), 0.05).unwrap();
        close(&values(&holm.adjusted), &values(&adjust(&p, Procedure::Holm, 0.05).unwrap()));
        let sequence = graphical(&p, &Graph::fixed_sequence(5).unwrap(), 0.05).unwrap();
        let direct = adjust(&p, Procedure::FixedSequence, 0.05).unwrap();
        assert_eq!(sequence.adjusted, direct);
        assert_eq!(direct[3].decision, Decision::NotReached);
    }

    #[test]
    fn bretz_example_of_two_primary_and_two_secondary_hypotheses() {
        // Bretz et al. 2009, fig. 3: H1, H2 each pass on to H3, H4, which pass back; p = .02, .055, .012, .01 at 0.05
        // one-sided with weights ½, ½: H1 (0.02 ≤ 0.025) frees ½ for H3 (0.012 ≤ 0.025), whose ½ goes to H2
        // (0.055 > 0.05), so H2 stays and H4, without weight, is not reached.
        let rows = vec![
            vec![0.0, 0.0, 1.0, 0.0],
            vec![0.0, 0.0, 0.0, 1.0],
            vec![0.0, 1.0, 0.0, 0.0],
            vec![1.0, 0.0, 0.0, 0.0],
        ];
        let graph = Graph::new(vec![0.5, 0.5, 0.0, 0.0], rows).unwrap();
        let found = graphical(&[0.02, 0.055, 0.012, 0.01], &graph, 0.05).unwrap();
        let decisions: Vec<Decision> = found.adjusted.iter().map(|a| a.decision).collect();
        use Decision::{NotReached, NotRejected, Rejected};
        assert_eq!(decisions, [Rejected, NotRejected, Rejected, NotReached]);
        assert_eq!(found.steps.iter().map(|s| s.hypothesis).collect::<Vec<_>>(), [0, 2]);
        close(&found.steps[1].weights, &[0.0, 1.0, 0.0, 0.0]);
        close(&values(&found.adjusted), &[0.04, 0.055, 0.04, 0.055]);
    }

    #[test]
    fn decisions_follow_the_adjusted_p_values() {
        let p = [0.004, 0.03, 0.011, 0.2, 0.049, 0.02];
        let families = [vec![0, 1], vec![2, 3], vec![4, 5]];
        let graph = Graph::parallel_gatekeeping(&families).unwrap();
        for alpha in [0.001, 0.01, 0.025, 0.05, 0.1, 0.5] {
            for a in graphical(&p, &graph, alpha).unwrap().adjusted {
                assert_eq!(a.decision == Decision::Rejected, a.p_adjusted <= alpha, "{a:?} at {alpha}");
            }
        }
    }

    #[test]
    fn a_gate_that_stays_shut_leaves_the_rest_untested() {
        let families = [
            Family { members: vec![0, 1], procedure: Procedure::CoPrimary },
            Family { members: vec![2], procedure: Procedure::Holm },
        ];
        let shut = serial_gatekeeping(&[0.001, 0.2, 0.0001], &families, 0.05).unwrap();
        assert_eq!(shut[2].decision, Decision::NotReached);
        assert_eq!(shut[2].p_adjusted, 0.2);
        let open = serial_gatekeeping(&[0.001, 0.04, 0.0001], &families, 0.05).unwrap();
        assert_eq!((open[2].decision, open[2].p_adjusted), (Decision::Rejected, 0.04));
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(adjust(&[0.1, 1.2], Procedure::Holm, 0.05).unwrap_err().code, "invalid_p");
        assert_eq!(Graph::new(vec![0.7, 0.7], vec![vec![0.0; 2]; 2]).unwrap_err().code, "invalid_graph");
        let families = [Family { members: vec![0, 0], procedure: Procedure::Holm }];
        assert_eq!(serial_gatekeeping(&[0.1, 0.2], &families, 0.05).unwrap_err().code, "invalid_families");
    }
}
