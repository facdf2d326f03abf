//! What the test set holds: T-DS and T-DEMO, and how many of it reach the analysis: T-FLOW.

use super::observed::Observed;
use super::sheet::{Line, Sheet};
use crate::analysis::format::Kind as Printed;
use crate::protocol::{NoOutputRule, Protocol};

pub fn analyze(protocol: &Protocol, observed: &Observed, sheet: &mut Sheet) {
    flow(protocol, observed, sheet);
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

/// T-FLOW: cases of the test set, without a device output, left out of the device's calls, left in. The readings follow in the reader study.
fn flow(protocol: &Protocol, observed: &Observed, sheet: &mut Sheet) {
    let all = observed.case.len();
    let line = |cell: &str| Line::new("T-FLOW", cell, "standalone", Printed::Count, "count");
    sheet.count(&line("test_set"), all);
    if let Some(device) = &observed.device {
        let missing = device.iter().filter(|score| score.is_err()).count();
        let left_out = if protocol.test_set.no_output == NoOutputRule::Exclude { missing } else { 0 };
        sheet.part(&line("without_output"), missing, all);
        sheet.part(&line("left_out"), left_out, all);
        sheet.part(&line("analysed"), all - left_out, all);
    }
}
