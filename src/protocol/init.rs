//! Starting studies: a commented protocol and example tables that are valid as written.

use crate::error::Error;
use crate::files::write_atomically;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    StandaloneClassification,
    StandaloneDetection,
    ReaderStudy,
}

impl Template {
    pub const ALL: [Self; 3] = [Self::StandaloneClassification, Self::StandaloneDetection, Self::ReaderStudy];

    pub fn name(self) -> &'static str {
        match self {
            Self::StandaloneClassification => "standalone-classification",
            Self::StandaloneDetection => "standalone-detection",
            Self::ReaderStudy => "reader-study",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.name() == name)
    }

    /// File names in the study folder and what stands in them.
    pub fn files(self) -> Vec<(&'static str, String)> {
        match self {
            Self::StandaloneClassification => vec![
                ("study.toml", include_str!("template/standalone-classification.toml").to_owned()),
                ("cases.csv", CASES.to_owned()),
                ("predictions.csv", PREDICTIONS.to_owned()),
            ],
            Self::StandaloneDetection => vec![
                ("study.toml", include_str!("template/standalone-detection.toml").to_owned()),
                ("cases.csv", CASES.to_owned()),
                ("lesions.csv", LESIONS.to_owned()),
                ("marks.csv", MARKS.to_owned()),
            ],
            Self::ReaderStudy => vec![
                ("study.toml", include_str!("template/reader-study.toml").to_owned()),
                ("cases.csv", CASES.to_owned()),
                ("readings.csv", example_readings()),
            ],
        }
    }
}

/// Writes the starting study `template` into `folder`, which is made where it is missing.
///
/// # Errors
/// [`Error::Refused`] where one of the files is there already: nothing is overwritten and nothing written.
pub fn init(template: Template, folder: &Path) -> Result<Vec<&'static str>, Error> {
    let files = template.files();
    let there: Vec<&str> = files.iter().map(|(name, _)| *name).filter(|name| folder.join(name).exists()).collect();
    if !there.is_empty() {
        let list = there.join(", ");
        return Err(Error::Refused(format!("{} already has {list}; name a new folder", folder.display())));
    }
    std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    for (name, text) in &files {
        write_atomically(&folder.join(name), text.as_bytes())?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

const CASES: &str = "\
case,patient,truth,sex,site
C001,P001,1,F,A
C002,P002,1,M,A
C003,P003,1,F,B
C004,P004,1,M,B
C005,P005,0,F,A
C006,P006,0,M,A
C007,P007,0,F,B
C008,P008,0,M,B
";

const PREDICTIONS: &str = "\
case,score,no_output
C001,0.91,
C002,0.77,
C003,0.42,
C004,0.68,
C005,0.55,
C006,0.12,
C007,0.08,
C008,,image is blank
";

const LESIONS: &str = "\
case,lesion,x,y,radius,weight
C001,1,120,140,14,1
C002,1,300,210,10,0.5
C002,2,88,305,12,0.5
C003,1,240,260,18,1
C004,1,402,96,9,1
";

const MARKS: &str = "\
case,x,y,score
C001,122,137,0.93
C002,301,214,0.71
C002,420,400,0.30
C003,236,265,0.84
C006,50,60,0.22
";

/// Ratings as short as can be that differ between readers, arms and truths, so that the study can be analysed.
fn example_readings() -> String {
    const RATINGS: [[[u32; 8]; 2]; 3] = [
        [[70, 55, 40, 80, 45, 20, 10, 30], [85, 60, 55, 90, 40, 15, 10, 20]],
        [[60, 65, 30, 75, 50, 35, 15, 5], [75, 70, 45, 80, 30, 30, 20, 5]],
        [[50, 40, 45, 65, 55, 25, 30, 35], [65, 60, 35, 85, 40, 20, 25, 15]],
    ];
    let mut text = "reader,case,modality,rating\n".to_owned();
    for (reader, arms) in RATINGS.iter().enumerate() {
        for (arm, ratings) in ["unaided", "aided"].iter().zip(arms) {
            for (case, rating) in ratings.iter().enumerate() {
                text.push_str(&format!("R{},C{:03},{arm},{rating}\n", reader + 1, case + 1));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{read, warnings};

    #[test]
    fn each_template_is_a_valid_protocol() {
        for template in Template::ALL {
            let folder = tempfile::tempdir().unwrap();
            let study = folder.path().join("study");
            let files = init(template, &study).unwrap();
            assert_eq!(files[0], "study.toml");
            let protocol =
                read(&study.join("study.toml")).unwrap_or_else(|faults| panic!("{}:\n{faults}", template.name()));
            assert_eq!(warnings(&protocol), Vec::<String>::new(), "{}", template.name());
            assert_eq!(Template::from_name(template.name()), Some(template));
        }
    }

    #[test]
    fn a_study_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cases.csv"), "mine").unwrap();
        let error = init(Template::ReaderStudy, folder.path()).unwrap_err();
        assert!(error.to_string().contains("already has cases.csv"), "{error}");
        assert!(!folder.path().join("study.toml").exists());
        assert_eq!(std::fs::read_to_string(folder.path().join("cases.csv")).unwrap(), "mine");
    }
}
