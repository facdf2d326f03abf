//! What must hold between the three sheets.

use super::{At, MarkRow, Paradigm, Study};
use std::collections::{BTreeMap, BTreeSet};

impl Study {
    fn names(&self, mark: &MarkRow) -> String {
        let (reader, modality) =
            (&self.readers.list[mark.reader as usize], &self.modalities.list[mark.modality as usize]);
        format!("reader {reader}, modality {modality}")
    }

    pub(super) fn check_cases(&mut self) {
        let names = self.order.clone();
        for name in names {
            let case = &self.cases[&name];
            let lesions: Vec<(u32, f64, At)> =
                case.lesions.iter().map(|(number, (weight, at))| (*number, *weight, at.clone())).collect();
            let differ = case.read.values().any(|read| Some(read) != case.read.values().next());
            let first = lesions[0].2.clone();
            let diseased = lesions[0].0 > 0;
            if !diseased && lesions.len() > 1 {
                let found = format!("case {name} has lesion 0 (not diseased) and lesion {}", lesions[1].0);
                self.fault(&lesions[1].2, found, "lesion 0 alone, or lesions 1, 2, …", "correct the case's rows");
                continue;
            }
            for (expected, (number, _, field)) in (1..).zip(&lesions).filter(|_| diseased) {
                if *number != expected {
                    let found = format!("lesion {number} of case {name} where {expected} is due");
                    self.fault(field, found, "lesions numbered 1, 2, … within a case", "number them so");
                    break;
                }
            }
            if differ {
                let found = format!("the lesions of case {name} list different readers or modalities");
                self.fault(&first, found, "one list for all lesions of a case", "correct the lists");
            }
            if self.paradigm == Some(Paradigm::Roc) && lesions.len() > 1 {
                let found = format!("{} lesions of case {name}", lesions.len());
                self.fault(
                    &lesions[1].2,
                    found,
                    "one lesion for a diseased case of ROC data",
                    "declare FROC, or delete the row",
                );
            }
            if diseased {
                self.check_weights(&name, &lesions);
            }
        }
    }

    /// All zero means equal; else they sum to 1, within the 1 % that RJafroc allows and divides out.
    fn check_weights(&mut self, name: &str, lesions: &[(u32, f64, At)]) {
        let sum: f64 = lesions.iter().map(|(_, weight, _)| weight).sum();
        let scaled: Vec<f64> = if lesions.iter().all(|(_, weight, _)| *weight == 0.0) {
            vec![1.0 / lesions.len() as f64; lesions.len()]
        } else if (sum - 1.0).abs() <= 1e-9 {
            lesions.iter().map(|(_, weight, _)| *weight).collect()
        } else if (sum - 1.0).abs() <= 0.01 && lesions.iter().all(|(_, weight, _)| *weight >= 0.0) {
            self.notes.push(format!("the weights of case {name} sum to {sum}; divided by that sum"));
            lesions.iter().map(|(_, weight, _)| weight / sum).collect()
        } else if self.paradigm == Some(Paradigm::Roc) {
            // Weights are not used for ROC data.
            vec![1.0; lesions.len()]
        } else {
            let found = format!("the weights of case {name} sum to {sum}");
            self.fault(
                &lesions[0].2.clone(),
                found,
                "weights from 0 that sum to 1, or all 0 for equal ones",
                "correct them",
            );
            return;
        };
        if let Some(case) = self.cases.get_mut(name) {
            for ((weight, _), value) in case.lesions.values_mut().zip(scaled) {
                *weight = value;
            }
        }
    }

    /// Every mark is of a case, lesion, reader and modality that TRUTH knows, and each lesion is hit once at most.
    pub(super) fn check_marks(&mut self, fp: &[MarkRow], tp: &[MarkRow]) {
        let mut hit: BTreeMap<(u32, u32, &str, u32), &At> = BTreeMap::new();
        for (mark, hits) in fp.iter().map(|mark| (mark, false)).chain(tp.iter().map(|mark| (mark, true))) {
            let at = &mark.at;
            let Some(case) = self.cases.get(&mark.case) else {
                let found = format!("case {} is not in TRUTH", mark.case);
                self.fault(at, found, "a case of the TRUTH sheet", "add it there, or correct the CaseID");
                continue;
            };
            let read = case.read.values().next().is_some_and(|read| read.contains(&(mark.reader, mark.modality)));
            let known = !hits || (mark.lesion > 0 && case.lesions.contains_key(&mark.lesion));
            if !known {
                let found = format!("case {}, lesion {} is not in TRUTH", mark.case, mark.lesion);
                self.fault(
                    at,
                    found,
                    "a lesion of the TRUTH sheet",
                    "correct the CaseID or LesionID, or move the mark to FP",
                );
            }
            if !read {
                let found = format!("{} did not read case {} by TRUTH", self.names(mark), mark.case);
                self.fault(
                    at,
                    found,
                    "a reader and modality that TRUTH lists for the case",
                    "correct the lists or the mark",
                );
            }
            let key = (mark.reader, mark.modality, mark.case.as_str(), mark.lesion);
            if let (true, Some(earlier)) = (hits, hit.get(&key)) {
                let of = self.names(mark);
                let found =
                    format!("{of}, case {}, lesion {} again; {} has it", mark.case, mark.lesion, earlier.address());
                self.fault(at, found, "one rating for a lesion", "keep one");
            } else if hits {
                hit.insert(key, &mark.at);
            }
        }
    }

    /// What TRUTH says of itself: fully crossed, or readers within modalities, or cases within readers.
    pub(super) fn check_design(&mut self) {
        let pairs: BTreeSet<(u32, u32)> =
            self.cases.values().flat_map(|case| case.read.values().flatten().copied()).collect();
        let readers: BTreeSet<u32> = pairs.iter().map(|(reader, _)| *reader).collect();
        let modalities: BTreeSet<u32> = pairs.iter().map(|(_, modality)| *modality).collect();
        let crossed = pairs.len() == readers.len() * modalities.len();
        if self.design != "FCTRL" {
            return;
        }
        let short: Vec<At> = self
            .order
            .iter()
            .map(|name| &self.cases[name])
            .filter(|case| !crossed || case.read.values().any(|read| read.len() < pairs.len()))
            .filter_map(|case| case.lesions.values().next().map(|(_, at)| at.clone()))
            .collect();
        if let Some(first) = short.first() {
            let found = format!("{} cases that not every reader read in every modality", short.len());
            self.fault(
                &first.clone(),
                found,
                "FCTRL: every reader and modality on every row",
                "correct the lists or the design",
            );
        }
    }

    /// ROC data: a case has one rating, in FP where it is not diseased and in TP where it is.
    pub(super) fn check_roc(&mut self, fp: &[MarkRow], tp: &[MarkRow]) {
        let mut rated: BTreeMap<(u32, u32, &str), &At> = BTreeMap::new();
        for (mark, sheet_is_tp) in fp.iter().map(|mark| (mark, false)).chain(tp.iter().map(|mark| (mark, true))) {
            let at = &mark.at;
            let Some(case) = self.cases.get(&mark.case) else { continue };
            let diseased = !case.lesions.contains_key(&0);
            if diseased && !sheet_is_tp {
                let found = format!("diseased case {} in FP", mark.case);
                self.fault(at, found, "diseased cases in TP (ROC data)", "move it, or declare FROC");
                continue;
            }
            let key = (mark.reader, mark.modality, mark.case.as_str());
            if let Some(earlier) = rated.insert(key, at).filter(|_| !sheet_is_tp) {
                let found = format!("{}, case {} again; {} has it", self.names(mark), mark.case, earlier.address());
                self.fault(
                    at,
                    found,
                    "one rating for a reader, modality and case (ROC data)",
                    "keep one, or declare FROC",
                );
            }
        }
        let mut missing: BTreeMap<(u32, u32), Vec<String>> = BTreeMap::new();
        for name in &self.order {
            for &(reader, modality) in self.cases[name].read.values().next().into_iter().flatten() {
                if !rated.contains_key(&(reader, modality, name.as_str())) {
                    missing.entry((reader, modality)).or_default().push(name.clone());
                }
            }
        }
        for ((reader, modality), cases) in missing {
            let found = format!(
                "reader {}, modality {}: no rating of {} case(s) that TRUTH lists: {}",
                self.readers.list[reader as usize],
                self.modalities.list[modality as usize],
                cases.len(),
                cases.join(", ")
            );
            self.fault_at(
                "TRUTH",
                1,
                found,
                "a rating for every case listed (ROC data)",
                "add it, or correct the lists",
            );
        }
    }
}
