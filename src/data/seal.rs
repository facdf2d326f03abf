//! Which files a lock seals.

use super::cases::Cases;
use super::readings_file;
use super::table::Findings;
use crate::error::Error;
use crate::fault::Fault;
use crate::protocol::Protocol;
use crate::provenance::lock::Sealed;
use std::path::Path;

/// The protocol, every input that it names and each image of the cases; sorted, each once. What `cadproof run` writes is
/// output and not sealed; predictions made elsewhere are.
///
/// # Errors
/// Every input that is not there, with its mend: a lock over half of the inputs would prove nothing.
pub fn sealed(folder: &Path, protocol: &Protocol, cases: &Cases) -> Result<Sealed, Error> {
    let set = &protocol.test_set;
    let simulated = protocol.design.as_ref().is_some_and(|design| design.simulation.is_some());
    let readings_mend = if simulated {
        "make it with `cadproof simulate`, then lock"
    } else {
        "bring the readings in with `cadproof import`, then lock"
    };
    const NAMED: &str = "put the file into the study folder, or correct its name in study.toml";
    let named = [
        (Some("study.toml"), NAMED),
        (Some(set.cases.as_str()), NAMED),
        (set.lesions.as_deref(), NAMED),
        (readings_file(protocol), readings_mend),
        (set.marks.as_deref(), NAMED),
        (set.predictions.as_deref(), NAMED),
        (protocol.model.as_ref().map(|model| model.file.as_str()), NAMED),
    ];
    let mut files = Vec::new();
    let mut findings = Findings::new("study.toml");
    for (name, mend) in named {
        let Some(name) = name else { continue };
        if folder.join(name).is_file() {
            files.push(name.to_owned());
        } else {
            findings.push(Fault::new(name, "not there", "a file that the protocol names", mend));
        }
    }
    findings.file.clone_from(&set.cases);
    for (case, image) in cases.image.iter().flatten().enumerate() {
        if folder.join(image).is_file() {
            files.push(image.clone());
        } else {
            let line = cases.line[case];
            findings.add("an image that is not there", set.image.as_deref().unwrap_or_default(), line, |file| {
                let found = format!("{image:?}, the image of case {:?}, is not there", cases.id[case]);
                let mend = "put the image into the study folder, or correct its path";
                Fault::new(file, found, "an image file", mend).line(line).key(set.image.as_deref().unwrap_or_default())
            });
        }
    }
    files.sort();
    files.dedup();
    let model = protocol.model.as_ref().map(|model| model.file.clone());
    Ok(findings.into_faults().into_result(Sealed { study: protocol.study.id.clone(), model, files })?)
}
