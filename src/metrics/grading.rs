//! Rules that turn findings into grades: probabilities of a taxonomy's nodes, the pN stage of a patient, joint grades.

use crate::stats::{Estimable, NotEstimable};
use std::collections::{BTreeMap, BTreeSet};

/// The nodes of a taxonomy by the names of their children; names without children are classes that a model was trained on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taxonomy {
    children: BTreeMap<String, Vec<String>>,
}

impl Taxonomy {
    /// Refuses a node that is its own descendant or the child of two nodes: its probability would count twice.
    pub fn new(children: BTreeMap<String, Vec<String>>) -> Estimable<Self> {
        let wrong = |reason: String| Err(NotEstimable::new("taxonomy", reason));
        let mut seen = BTreeSet::new();
        for child in children.values().flatten() {
            if !seen.insert(child) {
                return wrong(format!("{child} has two parents"));
            }
        }
        // every node has one parent at most, so a circle is what no root leads to
        let roots = children.keys().filter(|node| !seen.contains(node));
        let mut open: Vec<&String> = roots.collect();
        let mut reached = BTreeSet::new();
        while let Some(node) = open.pop() {
            reached.insert(node);
            open.extend(children.get(node).into_iter().flatten());
        }
        if let Some(node) = children.keys().find(|node| !reached.contains(node)) {
            return wrong(format!("{node} is its own descendant"));
        }
        Ok(Self { children })
    }

    /// The classes under a node, itself if it has no children.
    pub fn classes<'a>(&'a self, node: &'a str) -> Vec<&'a str> {
        let (mut open, mut found) = (vec![node], Vec::new());
        while let Some(node) = open.pop() {
            match self.children.get(node) {
                Some(children) => open.extend(children.iter().rev().map(String::as_str)),
                None => found.push(node),
            }
        }
        found
    }

    /// P(node) = sum of the probabilities of the classes under it (Esteva et al. 2017, Nature 542:115).
    pub fn probability(&self, node: &str, classes: &[String], probabilities: &[f64]) -> Estimable<f64> {
        if classes.len() != probabilities.len() {
            let reason = format!("{} classes, {} probabilities", classes.len(), probabilities.len());
            return Err(NotEstimable::new("taxonomy", reason));
        }
        self.classes(node)
            .into_iter()
            .map(|class| {
                let place = classes.iter().position(|name| name == class);
                place.map(|place| probabilities[place]).ok_or_else(|| {
                    NotEstimable::new("taxonomy", format!("the model gives no probability of {class} under {node}"))
                })
            })
            .sum()
    }
}

/// The largest metastasis in a lymph node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Negative,
    /// Isolated tumour cells: not a positive node.
    IsolatedCells,
    Micro,
    Macro,
}

/// pN stage of CAMELYON17, in its order (Bandi et al. 2019, IEEE TMI 38:550).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    N0,
    N0IsolatedCells,
    N1Micro,
    N1,
    N2,
}

impl Stage {
    pub const ALL: [Self; 5] = [Self::N0, Self::N0IsolatedCells, Self::N1Micro, Self::N1, Self::N2];

    pub fn name(self) -> &'static str {
        match self {
            Self::N0 => "pN0",
            Self::N0IsolatedCells => "pN0(i+)",
            Self::N1Micro => "pN1mi",
            Self::N1 => "pN1",
            Self::N2 => "pN2",
        }
    }

    /// Without a macrometastasis the worst node decides; with one the number of nodes with micro- or macrometastases does:
    /// 1 to 3 are pN1, 4 to 9 pN2. More than nine are beyond the rule.
    pub fn of(nodes: &[Node]) -> Estimable<Self> {
        let positive = nodes.iter().filter(|node| **node >= Node::Micro).count();
        match (nodes.iter().max(), positive) {
            (None, _) => Err(NotEstimable::new("cases", "a patient without a lymph node has no stage")),
            (Some(Node::Negative), _) => Ok(Self::N0),
            (Some(Node::IsolatedCells), _) => Ok(Self::N0IsolatedCells),
            (Some(Node::Micro), _) => Ok(Self::N1Micro),
            (Some(Node::Macro), 1..=3) => Ok(Self::N1),
            (Some(Node::Macro), 4..=9) => Ok(Self::N2),
            (Some(Node::Macro), _) => {
                Err(NotEstimable::new("class", format!("{positive} positive nodes are beyond pN2")))
            }
        }
    }
}

/// Share of cases in which every grade is right (IDRiD 2018: retinopathy and macular oedema).
pub fn joint_accuracy(truth: &[Vec<usize>], calls: &[Vec<usize>]) -> Estimable<f64> {
    if truth.len() != calls.len() || truth.is_empty() {
        return Err(NotEstimable::new("cases", format!("{} truths and {} calls", truth.len(), calls.len())));
    }
    Ok(truth.iter().zip(calls).filter(|(truth, calls)| truth == calls).count() as f64 / truth.len() as f64)
}

/// Share of cases whose ordered grade is at most `steps` away from the truth.
pub fn within_steps(truth: &[usize], calls: &[usize], steps: usize) -> Estimable<f64> {
    if truth.len() != calls.len() || truth.is_empty() {
        return Err(NotEstimable::new("cases", format!("{} truths and {} calls", truth.len(), calls.len())));
    }
    Ok(truth.iter().zip(calls).filter(|(t, c)| t.abs_diff(**c) <= steps).count() as f64 / truth.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(nodes: &[(&str, &[&str])]) -> Estimable<Taxonomy> {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        Taxonomy::new(nodes.iter().map(|&(node, children)| (node.to_owned(), names(children))).collect())
    }

    #[test]
    fn nodes_sum_their_classes() {
        let taxonomy = tree(&[("all", &["bad", "c"]), ("bad", &["a", "b"])]).unwrap();
        let classes = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(taxonomy.classes("all"), ["a", "b", "c"]);
        assert_eq!(taxonomy.probability("bad", &classes, &[0.25, 0.5, 0.25]), Ok(0.75));
        assert!(taxonomy.probability("d", &classes, &[0.25, 0.5, 0.25]).is_err());
        assert!(tree(&[("a", &["b"]), ("b", &["a"])]).is_err());
        assert!(tree(&[("a", &["c"]), ("b", &["c"])]).is_err());
    }

    #[test]
    fn isolated_cells_are_no_positive_node() {
        use Node::{IsolatedCells, Macro, Micro};
        assert_eq!(Stage::of(&[Macro, IsolatedCells, IsolatedCells, IsolatedCells]), Ok(Stage::N1));
        assert_eq!(Stage::of(&[Micro; 5]), Ok(Stage::N1Micro));
        assert_eq!(Stage::of(&[Macro; 4]), Ok(Stage::N2));
        assert!(Stage::of(&[]).is_err() && Stage::of(&[Macro; 10]).is_err());
        assert_eq!(within_steps(&[0, 2, 4], &[1, 2, 2], 1), Ok(2.0 / 3.0));
        assert_eq!(joint_accuracy(&[vec![0, 1], vec![2, 2]], &[vec![0, 1], vec![2, 1]]), Ok(0.5));
    }
}
