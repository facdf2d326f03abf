//! Each fault that the files of a study can have: found, at its place, with its mend, and together with the others.

use super::*;
use crate::protocol::{Suspicious, Template, init, parse, read};

struct StudyFolder {
    folder: tempfile::TempDir,
    protocol: Protocol,
}

impl StudyFolder {
    fn new(template: Template) -> Self {
        let folder = tempfile::tempdir().unwrap();
        init(template, folder.path()).unwrap();
        let protocol = read(&folder.path().join("study.toml")).unwrap();
        Self { folder, protocol }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn change(&self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "{name} holds {from}");
        self.put(name, text.replacen(from, to, 1));
    }

    fn load(&self) -> Result<StudyData, Error> {
        load(self.folder.path(), &self.protocol)
    }

    fn faults(&self) -> Faults {
        match self.load() {
            Err(Error::Input(faults)) => faults,
            other => panic!("faults were expected, not {other:?}"),
        }
    }

    fn warnings(&self) -> Vec<String> {
        warnings(&self.protocol, &self.load().unwrap())
    }
}

#[test]
fn the_starting_studies_load_and_seal() {
    for template in Template::ALL {
        let study = StudyFolder::new(template);
        let data = study.load().unwrap_or_else(|error| panic!("{}:\n{error}", template.name()));
        assert_eq!((data.cases.len(), data.cases.positives()), (8, 4), "{}", template.name());
        let expected: &[&str] = match template {
            Template::StandaloneClassification => &["the device gave no output for 1 of 8 cases"],
            _ => &[],
        };
        assert_eq!(warnings(&study.protocol, &data), expected, "{}", template.name());
        let whole = sealed(study.folder.path(), &study.protocol, &data.cases).unwrap();
        let named = |name: &str| whole.files.iter().any(|file| file == name);
        assert!(named("study.toml") && named("cases.csv"));
        match template {
            Template::StandaloneClassification => {
                let predictions = data.predictions.unwrap().score;
                assert_eq!((predictions[1].clone(), predictions[7].clone()), (Ok(0.77), Err("image is blank".into())));
                assert!(named("predictions.csv"));
            }
            Template::StandaloneDetection => {
                let lesions = data.lesions.unwrap();
                assert_eq!((lesions.count(), lesions.by_case[1].len(), lesions.by_case[4].len()), (5, 2, 0));
                assert_eq!((lesions.by_case[1][1].id.as_str(), lesions.by_case[1][1].weight), ("2", 0.5));
                let marks = data.predicted_marks.unwrap();
                assert_eq!((marks.count(), marks.of_device().unwrap().by_case[5][0].rating), (5, 0.22));
                assert!(data.marks.is_none() && named("marks.csv") && named("lesions.csv"));
            }
            Template::ReaderStudy => {
                let readings = data.readings.unwrap();
                assert_eq!(
                    (readings.len(), readings.modalities.as_slice()),
                    (48, ["unaided", "aided"].map(str::to_owned).as_slice())
                );
                assert!(named("readings.csv"));
            }
        }
    }
}

#[test]
fn all_faults_of_all_files_come_at_once() {
    let study = StudyFolder::new(Template::ReaderStudy);
    study.change("cases.csv", "C002,P002,1,M,A", "C002,,2,M,A");
    study.change("readings.csv", "R1,C001,unaided,70", "R1,c1,unaided,70");
    study.change("readings.csv", "R2,C001,unaided,60", "R2,C001,unaided,160");
    let faults = study.faults();
    let seen: Vec<(&str, Option<usize>, Option<usize>, &str)> =
        faults.0.iter().map(|f| (f.file.as_str(), f.line, f.column, f.key.as_deref().unwrap())).collect();
    assert_eq!(
        seen,
        [
            ("cases.csv", Some(3), Some(6), "patient"),
            ("cases.csv", Some(3), Some(7), "truth"),
            ("readings.csv", Some(2), Some(4), "case"),
            ("readings.csv", Some(18), Some(17), "rating"),
        ],
        "{faults}"
    );
    let text = faults.to_string();
    assert!(text.contains("is it \"C001\"?"), "{text}");
    assert!(text.contains("\"1\" (positive) or \"0\" (negative)"), "{text}");
    assert!(text.contains("0 to 100"), "{text}");
}

/// (template, file, what stands there, what is put there, line of the fault, words of the fault)
type FaultCase = (Template, &'static str, &'static str, &'static str, Option<usize>, &'static str);

const FAULTS: &[FaultCase] = {
    use Template::{ReaderStudy as R, StandaloneClassification as C, StandaloneDetection as D};
    &[
        // cases
        (
            C,
            "cases.csv",
            "case,patient,truth",
            "case,patinet,truth",
            Some(1),
            "is it \"patinet\"? Then write \"patient\"",
        ),
        (C, "cases.csv", "sex,site", "sex,location", Some(1), "test_set.subgroups of study.toml names it"),
        (C, "cases.csv", "case,patient", "id,patient", Some(1), "no column \"case\""),
        (C, "cases.csv", "sex,site", "sex,sex", Some(1), "columns 4 and 5 are both named \"sex\""),
        (C, "cases.csv", "sex,site", "sex,", Some(1), "column 5 has no name"),
        (C, "cases.csv", "C002,P002", "C001,P002", Some(3), "case \"C001\" again; line 2 has it already"),
        (C, "cases.csv", "C002,P002", ",P002", Some(3), "give the case an id"),
        (C, "cases.csv", "C002,P002,1,M", "C002,P002,1,", Some(3), "such as \"unknown\""),
        (C, "cases.csv", "C002,P002,1", "C002,P002,1.0", Some(3), "declare the level"),
        (
            C,
            "cases.csv",
            "C002,P002,1,M,A",
            "C002,P002,1,M",
            Some(3),
            "a row of 4 cells\n  expected: 5, like the header",
        ),
        (C, "cases.csv", "C002,P002,1,M,A", "C002,P002,1,M,A,B", Some(3), "a row of 6 cells"),
        (C, "cases.csv", "C002,", "\"C002,", Some(3), "never closed"),
        (C, "cases.csv", "C002,", "\"C002\"x,", Some(3), "text behind a closing quote: \"x\""),
        (C, "cases.csv", "case,patient", "case;patient", Some(1), "3 commas and 1 semicolon"),
        // predictions
        (C, "predictions.csv", "C002,0.77", "C002,NaN", Some(3), "\"NaN\"\n  expected: a number"),
        (C, "predictions.csv", "C002,0.77", "C002,inf", Some(3), "\"inf\""),
        (C, "predictions.csv", "C002,0.77", "C002,", Some(3), "a blank cell"),
        (C, "predictions.csv", "C002,0.77,", "C002,0.77,failed", Some(3), "one of the two"),
        (C, "predictions.csv", "C002,0.77,\n", "", None, "no row for case \"C002\""),
        (
            C,
            "predictions.csv",
            "C002,0.77",
            "C001,0.91",
            Some(3),
            "identical predictions of case \"C001\" in lines 2 and 3",
        ),
        (C, "predictions.csv", "C002,0.77", "C02,0.77", Some(3), "is it \"C002\"?"),
        (C, "predictions.csv", "no_output", "no-output", Some(1), "unknown column \"no-output\""),
        // lesions and marks
        (D, "lesions.csv", "C003,1,240", "C005,1,240", Some(5), "a lesion in case \"C005\", whose truth is negative"),
        (D, "lesions.csv", "C003,1,240", "C005,1,240", None, "no lesion of case \"C003\", whose truth is positive"),
        (D, "lesions.csv", "C002,2,88,305", "C002,1,88,305", Some(4), "the id or the place of that in line 3"),
        (D, "lesions.csv", "210,10,0.5", "210,10,0", Some(3), "a number above 0"),
        (D, "lesions.csv", "210,10,0.5", "210,10,", Some(3), "give each lesion a weight"),
        (D, "marks.csv", "C002,301", "C9,301", Some(3), "unknown case \"C9\""),
        (D, "marks.csv", "case,x,y", "case,x,why", Some(1), "unknown column \"why\""),
        // readings
        (R, "readings.csv", "R1,C002,unaided", "R9,C002,unaided", Some(3), "unknown reader \"R9\""),
        (R, "readings.csv", "R1,C002,unaided", "R1,C002,unaded", Some(3), "is it \"unaided\"?"),
        (R, "readings.csv", "R1,C002,unaided,55", "R1,C002,unaided,", Some(3), "what was not read has no row"),
        (R, "readings.csv", "R1,C002,unaided,55", "R1,C002,unaided,-1", Some(3), "rating -1"),
        (R, "readings.csv", "R1,C002,unaided,55", "R1,C002,unaided,5%", Some(3), "no unit, percent sign"),
        (
            R,
            "readings.csv",
            "R1,C002,unaided,55",
            "R1,C001,unaided,55",
            Some(3),
            "conflicting readings of reader \"R1\", case \"C001\", modality \"unaided\" in lines 2 and 3: ratings 70 and 55",
        ),
        (R, "readings.csv", "reader,case,modality,rating", "reader,case,modality,raitng", Some(1), "write \"rating\""),
        (R, "readings.csv", "reader,case,modality,rating", "reader,case,arm,rating", Some(1), "no column \"modality\""),
    ]
};

#[test]
fn each_fault_is_found_where_it_stands() {
    for (template, file, from, to, line, words) in FAULTS {
        let study = StudyFolder::new(*template);
        study.change(file, from, to);
        let faults = study.faults();
        let hit = faults.0.iter().any(|f| f.file == *file && f.line == *line && f.to_string().contains(words));
        assert!(hit, "{file}: {from:?} → {to:?}: no {words:?} at {line:?} in\n{faults}");
    }
}

#[test]
fn a_mistyped_column_is_one_fault_and_not_two() {
    let study = StudyFolder::new(Template::ReaderStudy);
    study.change("readings.csv", "modality,rating", "modality,raitng");
    assert_eq!(study.faults().len(), 1);
}

#[test]
fn a_missing_file_is_a_fault_but_readings_may_be_to_come() {
    let study = StudyFolder::new(Template::ReaderStudy);
    std::fs::remove_file(study.folder.path().join("readings.csv")).unwrap();
    let data = study.load().unwrap();
    assert!(data.readings.is_none());
    assert_eq!(warnings(&study.protocol, &data).len(), 1);
    let error = sealed(study.folder.path(), &study.protocol, &data.cases).unwrap_err().to_string();
    assert!(error.contains("readings.csv: not there") && error.contains("cadproof import"), "{error}");
    std::fs::remove_file(study.folder.path().join("cases.csv")).unwrap();
    study.put("readings.csv", "reader,case,modality,rating\nR1,anything,unaided,170\n");
    let faults = study.faults();
    assert_eq!(faults.len(), 2, "the unreadable cases make no case unknown:\n{faults}");
    assert!(faults.0[0].file == "cases.csv" && faults.0[1].found == "rating 170", "{faults}");
}

#[test]
fn encodings_separators_and_line_ends_give_the_same_data() {
    let study = StudyFolder::new(Template::ReaderStudy);
    let plain = study.text("readings.csv");
    let expected = study.load().unwrap();
    let units: Vec<u8> = [0xFF, 0xFE].into_iter().chain(plain.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let variants: [(&str, Vec<u8>); 8] = [
        ("bom", format!("\u{feff}{plain}").into_bytes()),
        ("crlf", plain.replace('\n', "\r\n").into_bytes()),
        ("cr", plain.replace('\n', "\r").into_bytes()),
        ("semicolon", plain.replace(',', ";").into_bytes()),
        ("tab", plain.replace(',', "\t").into_bytes()),
        ("sep", format!("sep=;\r\n{}", plain.replace(',', ";")).into_bytes()),
        ("spaces and quotes", plain.replace(',', " , ").replace("R1", " \"R1\" ").into_bytes()),
        ("score, no end of line", plain.replace("rating", "score").trim_end().to_owned().into_bytes()),
    ];
    for (name, bytes) in variants {
        study.put("readings.csv", bytes);
        assert_eq!(study.load().unwrap_or_else(|error| panic!("{name}:\n{error}")), expected, "{name}");
    }
    study.put("readings.csv", units);
    let data = study.load().unwrap();
    assert_eq!(data.readings, expected.readings);
    assert_eq!(data.notes, ["readings.csv: read as UTF-16, little-endian"]);
    study.put("readings.csv", plain.replacen('\n', "\n\n,,,\n", 1));
    let data = study.load().unwrap();
    assert_eq!(data.notes, ["readings.csv: blank rows were passed over, line 2, 3"]);
    assert_eq!(data.readings, expected.readings);
}

#[test]
fn a_decimal_comma_is_refused_even_behind_a_semicolon() {
    let study = StudyFolder::new(Template::ReaderStudy);
    let text = study.text("readings.csv").replace(',', ";").replacen("unaided;70", "unaided;70,5", 1);
    study.put("readings.csv", text);
    let faults = study.faults();
    assert_eq!(faults.len(), 1, "{faults}");
    assert!(faults.0[0].mend.contains("write 70.5 if the comma is a decimal mark"), "{faults}");
}

#[test]
fn a_truth_column_of_the_readings_is_held_against_the_cases() {
    let study = StudyFolder::new(Template::ReaderStudy);
    let text = study.text("readings.csv").replacen("rating\n", "rating,truth\n", 1);
    let with_truth: String = text
        .lines()
        .map(|line| match line.split(',').nth(1) {
            Some("case") => format!("{line}\n"),
            Some("C001" | "C002" | "C003" | "C004") => format!("{line},1\n"),
            _ => format!("{line},0\n"),
        })
        .collect();
    study.put("readings.csv", &with_truth);
    study.load().unwrap();
    study.put("readings.csv", with_truth.replacen("R1,C001,unaided,70,1", "R1,C001,unaided,70,0", 1));
    let faults = study.faults();
    assert_eq!((faults.len(), faults.0[0].line), (1, Some(2)), "{faults}");
}

#[test]
fn ratings_are_turned_where_lower_is_suspicious_and_patients_are_clusters() {
    let study = StudyFolder::new(Template::ReaderStudy);
    study.change("cases.csv", "C002,P002", "C002,P001");
    // Nobody reads C004.
    let text: String =
        study.text("readings.csv").lines().filter(|l| !l.contains("C004")).map(|l| format!("{l}\n")).collect();
    study.put("readings.csv", text);
    let data = study.load().unwrap();
    let readings = data.readings.as_ref().unwrap();
    let higher = readings.to_mrmc(&data.cases, Suspicious::Higher).unwrap();
    let lower = readings.to_mrmc(&data.cases, Suspicious::Lower).unwrap();
    assert_eq!((higher.cases().len(), higher.clusters().len()), (7, 6));
    assert_eq!((higher.cases()[0].cluster, higher.cases()[1].cluster), (Some(0), Some(0)));
    assert_eq!(higher.modalities(), ["unaided", "aided"]);
    for (a, b) in higher.readings().zip(lower.readings()) {
        assert_eq!((a.reader, a.modality, a.case, a.rating), (b.reader, b.modality, b.case, -b.rating));
    }
    let warned = study.warnings();
    assert!(warned[0].contains("1 of 8 cases were read by nobody: C004"), "{warned:?}");
    assert_eq!(warned.iter().filter(|line| line.contains("read 7 of 8 planned cases")).count(), 6, "{warned:?}");
}

#[test]
fn warnings_say_what_weakens_a_study() {
    let study = StudyFolder::new(Template::ReaderStudy);
    study.change("cases.csv", "C008,", "c7,");
    let mut text = "reader,case,modality,rating\n".to_owned();
    for case in ["C001", "C002", "C003", "C004"] {
        text.push_str(&format!("R1,{case},unaided,50\n"));
    }
    study.put("readings.csv", text);
    let warned = study.warnings().join("\n");
    for words in [
        "leading zeros only: C007 / c7",
        "4 of 8 cases were read by nobody: C005, C006, C007, c7",
        "R1 read 0 of 8 planned cases in aided",
        "R1 read positive cases only in unaided: 4",
        "R1 gave rating 50 to all 4 cases in unaided",
        "reader R2 has no reading",
        "nobody read in aided",
    ] {
        assert!(warned.contains(words), "{words}:\n{warned}");
    }
}

#[test]
fn a_patient_column_that_the_protocol_does_not_name_is_told() {
    let study = StudyFolder::new(Template::ReaderStudy);
    let text = study.text("study.toml").replacen("patient = \"patient\"\n", "", 1);
    let protocol = parse(&text, "study.toml").unwrap();
    let data = load(study.folder.path(), &protocol).unwrap();
    assert!(data.cases.patient_assumed && !data.cases.is_clustered());
    let warned = warnings(&protocol, &data).join("\n");
    assert!(warned.contains("column \"patient\"") && warned.contains("a patient of its own"), "{warned}");
}

#[test]
fn a_million_like_faults_are_one_page() {
    let study = StudyFolder::new(Template::ReaderStudy);
    let rows: String =
        (0..5000).map(|row| format!("R1,X{row},unaided,{}\n", if row % 2 == 0 { "NaN" } else { "50" })).collect();
    study.put("readings.csv", format!("reader,case,modality,rating\n{rows}"));
    let faults = study.faults();
    assert_eq!(faults.len(), 2 * (table::LISTED + 1), "{faults}");
    let text = faults.to_string();
    assert!(text.contains("readings.csv:22: case: and 4980 more: an unknown case"), "{text}");
    assert!(text.contains("readings.csv:42: rating: and 2480 more: a word for a missing number"), "{text}");
}

#[test]
fn model_inputs_may_be_blank_but_not_words() {
    let study = StudyFolder::new(Template::StandaloneClassification);
    let text = study.text("study.toml");
    let model = "[model]\nfile = \"model.onnx\"\n[model.input]\nkind = \"columns\"\nname = \"x\"\ncolumns = [\"age\"]\n\
                 [model.output]\nkind = \"score\"\nname = \"y\"\nindex = 0\nactivation = \"none\"\n";
    let text = text.replacen("predictions = \"predictions.csv\"", "image = \"image\"", 1) + "\n" + model;
    let protocol = parse(&text, "study.toml").unwrap();
    let cases: String = study
        .text("cases.csv")
        .lines()
        .enumerate()
        .map(|(row, line)| match row {
            0 => format!("{line},age,image\n"),
            1 => format!("{line},,images/a.png\n"),
            2 => format!("{line},-0,images/b.png\n"),
            _ => format!("{line},{row},images/{row}.png\n"),
        })
        .collect();
    study.put("cases.csv", &cases);
    let loaded = load_cases(study.folder.path(), &protocol).unwrap();
    let values = &loaded.columns[0].values;
    assert!(values[0].is_nan() && values[1].is_sign_positive() && values[2] == 3.0);
    assert_eq!(loaded.image.as_ref().unwrap()[1], "images/b.png");
    let error = sealed(study.folder.path(), &protocol, &loaded).unwrap_err().to_string();
    assert!(
        error.contains("cases.csv:2: image: \"images/a.png\", the image of case \"C001\", is not there"),
        "{error}"
    );
    assert!(error.contains("model.onnx: not there"), "{error}");
    study.put("cases.csv", cases.replacen(",3,images/3.png", ",NA,../3.png", 1));
    let error = load_cases(study.folder.path(), &protocol).unwrap_err().to_string();
    assert!(error.contains("age: \"NA\"") && error.contains("leave the cell empty"), "{error}");
    assert!(error.contains("a path below the study folder"), "{error}");
}

#[test]
fn lesions_may_be_boxes_by_their_corners() {
    let study = StudyFolder::new(Template::StandaloneDetection);
    study.put(
        "lesions.csv",
        "case,x1,y1,x2,y2\nC001,10,20,30,60\nC002,1,1,2,2\nC003,1,1,2,2\nC004,5,5,9,9\nC004,15,15,19,19\n",
    );
    let lesions = study.load().unwrap().lesions.unwrap();
    let first = &lesions.by_case[0][0];
    assert_eq!((first.x, first.y, first.width, first.height, first.weight), (20.0, 40.0, Some(20.0), Some(40.0), 1.0));
    assert_eq!(lesions.by_case[3][1].id, "2");
    study.change("lesions.csv", "10,20,30,60", "30,20,10,60");
    assert!(study.faults().to_string().contains("a box -20 wide and 40 high"));
    study.put("lesions.csv", "case,x,y,width,height\nC001,10,20,,60\nC002,1,1,,\nC003,1,1,2,2\nC004,5,5,9,9\n");
    assert!(study.faults().to_string().contains("both or none"));
    study.change("study.toml", "rule = \"distance\", radius = 15.0", "rule = \"iou\", minimum = 0.1");
    let protocol = read(&study.folder.path().join("study.toml")).unwrap();
    study.put("lesions.csv", "case,x,y,radius\nC001,10,20,3\nC002,1,1,3\nC003,1,1,2\nC004,5,5,9\n");
    let error = load(study.folder.path(), &protocol).unwrap_err().to_string();
    assert!(error.contains("width and height, which the acceptance rule \"iou\" needs"), "{error}");
}

#[test]
fn the_shipped_studies_load_and_say_what_is_still_to_come() {
    let studies = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies");
    for (name, size, positives, clustered) in [("breast-fna", 285, 106, false), ("nuclei", 128, 47, true)] {
        let folder = studies.join(name);
        let protocol = read(&folder.join("study.toml")).unwrap();
        let cases = load_cases(&folder, &protocol).unwrap();
        assert_eq!((cases.len(), cases.positives(), cases.is_clustered()), (size, positives, clustered), "{name}");
        match (sealed(&folder, &protocol, &cases), readings_file(&protocol)) {
            (Ok(whole), _) => {
                assert!(whole.files.is_sorted() && whole.files.iter().any(|file| file == "model.onnx"), "{name}");
                let images = whole.files.iter().filter(|file| file.starts_with("images/")).count();
                assert_eq!(images, cases.image.as_ref().map_or(0, Vec::len), "{name}");
            }
            (Err(error), Some(readings)) => {
                assert!(!folder.join(readings).exists(), "{error}");
                assert!(error.to_string().contains("cadproof simulate"), "{error}");
            }
            (Err(error), None) => panic!("{name}:\n{error}"),
        }
    }
}
