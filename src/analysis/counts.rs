//! What the test set holds: T-DS and T-DEMO.

use super::observed::Observed;
use super::sheet::{Line, Sheet};
use crate::report::format::Kind as Printed;

pub fn analyze(observed: &Observed, sheet: &mut Sheet) {
    let all = observed.case.len();
    let line = |cell: &str| Line::new("T-DS", cell, "standalone", Printed::Count, "count");
    sheet.count(&line("cases"), all);
    sheet.count(&line("patients"), observed.patients);
    sheet.part(&line("positive"), observed.n_positive(), all);
    sheet.part(&line("negative"), observed.n_negative(), all);
    if let Some(location) = &observed.location {
        sheet.count(&line("lesions"), location.lesions.iter().map(Vec::len).sum());
    }
    for subgroup in &observed.subgroups {
        for (level, name) in (0u32..).zip(&subgroup.levels) {
            let members = observed.cases_in(subgroup, level);
            let positive = members.iter().filter(|&&i| observed.truth[i]).count();
            for (cell, n, total) in [
                ("all", members.len(), all),
                ("positive", positive, observed.n_positive()),
                ("negative", members.len() - positive, observed.n_negative()),
            ] {
                let mut line = Line::new(
                    "T-DEMO",
                    format!("{}={name}.{cell}", subgroup.name),
                    "standalone",
                    Printed::Count,
                    "count",
                );
                line.group = Some((subgroup.name.clone(), name.clone()));
                sheet.part(&line, n, total);
            }
        }
    }
}
