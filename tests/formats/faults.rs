//! Small files of each format with every fault that is told apart: the place, what stands there, and all of them at once.

use cadproof::data::formats::{Columns, Exchange, Format, Paradigm, ReadOptions, WideLayout, read};
use cadproof::error::Error;
use cadproof::fault::Fault;
use cadproof::protocol::Suspicious;
use rust_xlsxwriter::Workbook;

/// Reads `text` as a file of that name.
fn parse(name: &str, text: impl AsRef<[u8]>, format: &Format, options: &ReadOptions) -> Result<Exchange, Vec<Fault>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    match read(&path, format, options) {
        Ok(exchange) => Ok(exchange),
        Err(Error::Input(faults)) => Err(faults.0),
        Err(other) => panic!("{other}"),
    }
}

/// Exactly these faults: line and a part of what was found (or, with `key`, the cell).
#[track_caller]
fn expect(result: Result<Exchange, Vec<Fault>>, want: &[(usize, &str)]) {
    let faults = result.expect_err("a faulty file");
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), want.len(), "{}", shown.join("\n"));
    for (line, text) in want {
        let found = faults.iter().any(|f| {
            f.line.unwrap_or(0) == *line && (f.found.contains(text) || f.key.as_deref().is_some_and(|key| key == *text))
        });
        assert!(found, "no fault in line {line} with {text:?} among\n{}", shown.join("\n"));
    }
    assert!(faults.iter().all(|f| !f.expected.is_empty() && !f.mend.is_empty()), "each says what is due and the mend");
}

fn imrmc(text: &str) -> Result<Exchange, Vec<Fault>> {
    parse("x.imrmc", text, &Format::Imrmc, &ReadOptions::default())
}

const IMRMC: &str = "A study\nN0: 1\nn1:1\nNR:2\nNM: 2\nBEGIN DATA:\n-1,c1,0,0\n-1, c2 ,truth,1\n\n\
                     R1,c1,a,1.5\nR1,c2,a,2\nR2,c1,b,-3e-1\n R2 , c2 , b , 4\n";

#[test]
fn imrmc_is_read_with_and_without_its_sizes() {
    for text in [IMRMC, IMRMC.split_once("NM: 2\n").unwrap().1, &IMRMC.replace('\n', "\r\n")] {
        let exchange = imrmc(text).expect("valid");
        assert_eq!((exchange.readers.len(), exchange.modalities.len()), (2, 2));
        assert_eq!(
            exchange.cases.iter().map(|c| (c.id.as_str(), c.diseased)).collect::<Vec<_>>(),
            [("c1", false), ("c2", true)]
        );
        assert_eq!(exchange.readings.iter().map(|r| r.rating).collect::<Vec<_>>(), [1.5, 2.0, -0.3, 4.0]);
        assert_eq!(exchange.direction, Some(Suspicious::Higher));
    }
}

#[test]
fn imrmc_faults() {
    expect(imrmc("reader,case\n1,2\n"), &[(0, "no line BEGIN DATA:")]);
    let text = "N0: 3\nNR: many\nBEGIN DATA:\n-1,c1,0,0\n-1,c1,0,0\n-1,c2,0,1\n-1,c3,0,2\nR1,c1,a,1\nR1,c1,a,1\nR1,c2,a,5\nR1,c2,a,6\n\
                R1,c4,a,1\nR1,c2,a\nR1,c2,a,high\nR1,c2,a,NaN\n,c2,a,1\nR 1,c1,b,1\n";
    expect(
        imrmc(text),
        &[
            (1, "states 3 cases without disease, the rows hold 1"),
            (2, "NR:"),
            (5, "the truth of case \"c1\" again; line 4"),
            (7, "truth 2 of case \"c3\""),
            (9, "1 here, 1 in line 8 (identical)"),
            (11, "6 here, 5 in line 10 (conflicting)"),
            (12, "case \"c4\" has no truth"),
            (13, "3 fields"),
            (14, "score \"high\""),
            (15, "score \"NaN\""),
            (16, "an empty reader"),
            (3, "reader \"R1\" and reader \"R 1\" differ by blanks alone"),
        ],
    );
    expect(
        imrmc("BEGIN DATA:\n-1,c1,0,0\n-1,c1,0,1\nR1,c1,a,1\n"),
        &[(3, "is diseased here and not diseased in line 2")],
    );
    expect(imrmc("BEGIN DATA:\n-1,c1,0,0\n"), &[(0, "no reading at all")]);
}

fn lrc(text: &str) -> Result<Exchange, Vec<Fault>> {
    parse("x.lrc", text, &Format::Lrc, &ReadOptions::default())
}

const LRC: &str = "Title\nReader 1\n\"screen film\"\t\"digital\"\nL Large\n1 2\n2\t3\n*\n4 5.5\n*\nReader 2\n1 1\n2 2\n*\n5 5\n* \n#\n";

#[test]
fn lrc_numbers_its_cases_by_truth() {
    let exchange = lrc(LRC).expect("valid");
    assert_eq!(exchange.modalities, ["screen film", "digital"]);
    assert_eq!(exchange.readers, ["Reader 1", "Reader 2"]);
    let cases: Vec<_> = exchange.cases.iter().map(|c| (c.id.as_str(), c.diseased)).collect();
    assert_eq!(cases, [("N1", false), ("N2", false), ("D1", true)]);
    assert_eq!(exchange.readings[5].rating, 5.5);
}

#[test]
fn lrc_turns_a_small_scale_and_says_so() {
    let exchange = lrc(&LRC.replace("L Large", "s L")).expect("valid");
    assert_eq!(exchange.readings[0].rating, -1.0);
    assert_eq!(exchange.readings[1].rating, 2.0);
    assert!(exchange.notes[0].contains("screen film (S): negated"), "{:?}", exchange.notes);
}

#[test]
fn lrc_remarks_are_names_where_they_can_be() {
    let named =
        LRC.replace("1 2\n", "1 2 case 7\n").replace("2\t3\n", "2 3 case 9\n").replace("4 5.5\n", "4 5.5 case 8\n");
    // Named for the first reader only: remarks.
    let partly = lrc(&named).expect("valid");
    assert_eq!(partly.cases[0].id, "N1");
    assert!(partly.notes[0].contains("do not name every case"), "{:?}", partly.notes);
    let both = named.replace("1 1\n", "1 1 case 7\n").replace("2 2\n", "2 2 case 9\n").replace("5 5\n", "5 5 case 8\n");
    assert_eq!(lrc(&both).expect("valid").cases[2].id, "case 8");
    // Another order for the second reader would pair the wrong readings.
    let swapped = both.replace("1 1 case 7", "1 1 case 9").replace("2 2 case 9", "2 2 case 7");
    expect(lrc(&swapped), &[(11, "\"case 9\" where reader \"Reader 1\" has \"case 7\" (line 5)"), (12, "\"case 7\"")]);
}

#[test]
fn lrc_faults() {
    expect(lrc("Title\nR\n"), &[(0, "2 lines")]);
    let header = "T\nR1\nfilm \"digital\nL M\n1\n*\n1\n*\n#\n";
    expect(lrc(header), &[(3, "treatment names"), (4, "2 words"), (4, "\"M\"")]);
    let text = "T\nR1\n\"a\" \"a\"\nL L\n1\n2 x\n3 4 5\n\n*\n1 2\n*\nR1\n1 2\n*\n1 2\n";
    expect(
        lrc(text),
        &[
            (3, "a treatment twice"),
            (5, "1 of 2 ratings"),
            (6, "rating \"x\""),
            (7, "\"5\" after the 2 ratings"),
            (8, "0 of 2 ratings"),
            (12, "reader \"R1\" again; line 2"),
            (12, "has 1 non-diseased cases and reader \"R1\" has 0"),
            (15, "the file ends here"),
        ],
    );
    expect(lrc("T\nR1\n\"a\"\nL\n1\n*\n2\n#\n"), &[(8, "# before the second *")]);
    expect(lrc("T\nR1\n\"a\"\nL\n1\n*\n2\n*\n\n1\n*\n2\n*\n#\n"), &[(9, "an empty line for a reader's name")]);
}

fn or_dbm(text: &str) -> Result<Exchange, Vec<Fault>> {
    parse("x.csv", text, &Format::OrDbmCsv, &ReadOptions::default())
}

#[test]
fn or_dbm_goes_by_position_and_refuses_another_order() {
    let exchange = or_dbm("reader,treatment,case,truth,rating,site\n1,a,7,0,3,x\n1,a,8,1,4,y\n").expect("valid");
    assert_eq!(exchange.cases[1].id, "8");
    assert_eq!(exchange.notes, ["not carried over: site"]);
    assert!(or_dbm("r,t,c,d,y\n1,a,7,0,3\n1,a,8,1,4\n").is_ok());
    let swapped = "case,treatment,reader,truth,rating\n1,a,7,0,3\n";
    expect(or_dbm(swapped), &[(1, "\"case\" in column 1"), (1, "\"reader\" in column 3")]);
    expect(or_dbm("reader;treatment;case;truth;rating\n1;a;7;0;3\n"), &[(1, "1 columns")]);
    expect(
        or_dbm(
            "reader,treatment,case,truth,rating\n1,a,7,0,3\n1,a,7,0,3\n1,a,8,2,4\n1,,8,1,4\n1,a,8,1,4,5\n1,a,9,1,x\n1,a,7,1,1\n",
        ),
        &[
            (3, "(identical)"),
            (4, "truth \"2\""),
            (5, "an empty treatment"),
            (6, "6 fields under 5"),
            (7, "rating \"x\""),
            (8, "is diseased here and not diseased in line 2"),
            (8, "(conflicting)"),
        ],
    );
    // CP949, as Korean Excel writes it.
    let korean = encoding_rs::EUC_KR.encode("reader,treatment,case,truth,rating\n김영희,가,7,0,3\n김영희,가,8,1,4\n").0;
    let exchange = parse("x.csv", &korean, &Format::OrDbmCsv, &ReadOptions::default()).expect("valid");
    assert_eq!((exchange.readers[0].as_str(), exchange.modalities[0].as_str()), ("김영희", "가"));
    assert!(exchange.notes[0].contains("the text is CP949"), "{:?}", exchange.notes);
    // No line of names: the first reading would be lost.
    assert!(or_dbm("1,1,7,0,3\n1,1,8,1,4\n").is_err());
}

fn tidy(text: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Exchange, Vec<Fault>> {
    parse("tidy.csv", text, &Format::TidyCsv, options)
}

#[test]
fn tidy_takes_the_declared_names_codes_and_delimiter() {
    let options = ReadOptions {
        delimiter: b';',
        columns: Columns { rating: "점수".to_owned(), reader: "판독의".to_owned(), ..Columns::default() },
        positive: vec!["malignant".to_owned()],
        negative: vec!["benign".to_owned(), "normal".to_owned()],
        ..ReadOptions::default()
    };
    let text = "\u{FEFF}case;truth;\"판독의\";modality;점수;seconds\nC1;malignant;김영희;aided;3.5;12\nC2;normal;김영희;aided;1;9\n";
    let exchange = tidy(text, &options).expect("valid");
    assert_eq!(exchange.readers, ["김영희"]);
    assert_eq!(exchange.class_counts(), (1, 1));
    assert_eq!(exchange.direction, None);
    assert!(exchange.notes.iter().any(|note| note == "not carried over: seconds"), "{:?}", exchange.notes);
    assert!(exchange.notes.iter().any(|note| note.contains("byte order mark")), "{:?}", exchange.notes);
    let refused = exchange.to_mrmc().unwrap_err().to_string();
    assert!(refused.contains("--suspicious higher"), "{refused}");
    expect(tidy(text.replace("benign", "x").replace("normal", "maybe"), &options), &[(3, "truth \"maybe\"")]);
}

#[test]
fn tidy_faults() {
    let options = ReadOptions::default();
    expect(tidy("", &options), &[(0, "an empty file")]);
    expect(
        tidy("readr,case,modality,score\nR1,c1,a,1\n", &options),
        &[(1, "no column \"reader\""), (1, "no column \"rating\""), (1, "no column \"truth\"")],
    );
    expect(tidy("reader,case,case,truth,modality,rating\nR1,c,d,1,a,1\n", &options), &[(1, "\"case\" more than once")]);
    expect(
        tidy("reader,case,modality,truth,rating\nR1,c1,a,1,\"1,5\"\nR1,c2,a,0,\nR1,c3,a,0\nR1,c4,a,?,1\n", &options),
        &[(2, "rating \"1,5\""), (3, "rating \"\""), (4, "4 fields under 5"), (5, "truth \"?\"")],
    );
    expect(tidy(b"reader,case\nR\xFF\xFF,1\n", &options), &[(2, "byte 0xFF")]);
}

#[test]
fn the_truth_may_stand_in_a_file_of_cases() {
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().join("cases.csv");
    std::fs::write(&cases, "case,truth,age\nc1,1,60\nc2,0,50\n").unwrap();
    let options = ReadOptions { cases: Some(cases.clone()), ..ReadOptions::default() };
    let text = "reader,case,modality,rating\nR1,c1,a,1\nR1,c2,a,2\n";
    assert_eq!(tidy(text, &options).expect("valid").class_counts(), (1, 1));
    expect(tidy(format!("{text}R1,c3,a,2\n"), &options), &[(4, "case \"c3\" has no truth")]);
    expect(
        tidy("reader,case,modality,rating,truth\nR1,c1,a,1,1\n", &options),
        &[(1, "a column \"truth\" here and a file")],
    );
    std::fs::write(&cases, "case,truth\nc1,1\nc1,0\nc2,0\n").unwrap();
    expect(tidy(text, &options), &[(3, "is not diseased here and diseased in line 2")]);
}

fn wide(text: &str, layout: &str, modalities: &[&str], options: &ReadOptions) -> Result<Exchange, Vec<Fault>> {
    let modalities: Vec<String> = modalities.iter().map(|&m| m.to_owned()).collect();
    let layout = WideLayout::parse(layout, &modalities).expect("a layout");
    parse("wide.csv", text, &Format::WideCsv(layout), options)
}

#[test]
fn wide_reads_declared_columns_and_leaves_gaps_open() {
    let options = ReadOptions::default();
    let exchange =
        wide("case,truth,R1.a,R1.b,R2.a\nc1,1,5,6,\nc2,0,1,,\nc3,0,,,\n", "reader.modality", &[], &options).unwrap();
    assert_eq!(exchange.readers, ["R1"]);
    assert_eq!(exchange.readings.len(), 3);
    assert_eq!(exchange.cases.len(), 3);
    assert_eq!(exchange.notes, ["column \"R2.a\" holds no rating"]);
    let exchange = wide("case,truth,a-R1,b-R1\nc1,1,5,6\n", "modality-reader", &[], &options).unwrap();
    assert_eq!((exchange.readers[0].as_str(), exchange.modalities.len()), ("R1", 2));
    let ignore = ReadOptions { ignore: vec!["age".to_owned()], ..ReadOptions::default() };
    let text = "reader,case,truth,age,a,b\nR1,c1,1,60,5,6\nR2,c1,1,60,4,\n";
    assert_eq!(wide(text, "modality", &["a", "b"], &ignore).unwrap().readings.len(), 3);
    expect(wide(text, "modality", &["a", "b"], &options), &[(1, "column \"age\"")]);
    expect(wide(text, "modality", &["a", "c"], &ignore), &[(1, "column \"b\""), (1, "no column \"c\"")]);
}

#[test]
fn wide_faults() {
    let ignore = ReadOptions { ignore: vec!["site".to_owned()], ..ReadOptions::default() };
    expect(
        wide("case,truth,R1.a,R1.a.b,age\nc1,1,5,6,60\n", "reader.modality", &[], &ignore),
        &[(1, "column \"R1.a.b\""), (1, "column \"age\""), (1, "no column \"site\"")],
    );
    expect(
        wide("case,truth,R1.a\nc1,1,x\nc1,1,5\n,0,1\nc4,9,1\n", "reader.modality", &[], &ReadOptions::default()),
        &[(2, "R1.a"), (3, "case \"c1\" again; line 2"), (4, "an empty case"), (5, "truth \"9\"")],
    );
    expect(wide("case,truth\nc1,1\n", "reader.modality", &[], &ReadOptions::default()), &[(1, "no rating column")]);
    assert!(WideLayout::parse("readermodality", &[]).is_err());
}

/// Sheets of rows of cells; a cell that reads as a number is written as one.
fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).expect("a name");
        for (row, cells) in (0..).zip(*rows) {
            for (column, cell) in (0..).zip(*cells) {
                match cell.parse::<f64>() {
                    Ok(number) => sheet.write_number(row, column, number).expect("written"),
                    Err(_) if cell.is_empty() => sheet,
                    Err(_) => sheet.write_string(row, column, *cell).expect("written"),
                };
            }
        }
    }
    book.save_to_buffer().expect("a workbook")
}

fn rjafroc(sheets: &[(&str, &[&[&str]])], options: &ReadOptions) -> Result<Exchange, Vec<Fault>> {
    parse("x.xlsx", workbook(sheets), &Format::RjafrocXlsx, options)
}

const TRUTH: &[&[&str]] = &[
    &["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"],
    &["1", "0", "0", "0, 1", "0, 1", "ROC"],
    &["70", "1", "0", "0, 1", "0, 1", "FCTRL"],
];
const FP: &[&[&str]] = &[
    &["ReaderID", "ModalityID", "CaseID", "NL_Rating"],
    &["0", "0", "1", "2"],
    &["1", "0", "1", "3"],
    &["0", "1", "1", "1.5"],
    &["1", "1", "1", "4"],
];
const TP: &[&[&str]] = &[
    &["ReaderID", "ModalityID", "CaseID", "LesionID", "LL_Rating"],
    &["0", "0", "70", "1", "5"],
    &["1", "0", "70", "1", "5"],
    &["0", "1", "70", "1", "4"],
    &["1", "1", "70", "1", "3"],
];

#[test]
fn rjafroc_roc_sheets_are_found_whatever_their_order_and_case() {
    let exchange = rjafroc(&[("LL", TP), ("Truth", TRUTH), ("nl", FP)], &ReadOptions::default()).expect("valid");
    assert_eq!(exchange.readings.len(), 8);
    assert_eq!(
        exchange.cases.iter().map(|c| (c.id.as_str(), c.diseased)).collect::<Vec<_>>(),
        [("1", false), ("70", true)]
    );
    assert!(exchange.location.is_none());
    assert!(exchange.to_mrmc().is_ok());
}

#[test]
fn rjafroc_old_form_needs_the_paradigm() {
    let old: Vec<Vec<&str>> = TRUTH.iter().map(|row| row[..3].to_vec()).collect();
    let old: Vec<&[&str]> = old.iter().map(Vec::as_slice).collect();
    let sheets = [("TRUTH", old.as_slice()), ("FP", FP), ("TP", TP)];
    expect(rjafroc(&sheets, &ReadOptions::default()), &[(1, "without ReaderID, ModalityID and Paradigm")]);
    let half: Vec<Vec<&str>> = TRUTH.iter().map(|row| row[..5].to_vec()).collect();
    let half: Vec<&[&str]> = half.iter().map(Vec::as_slice).collect();
    let mixed = [("TRUTH", half.as_slice()), ("FP", FP), ("TP", TP)];
    expect(rjafroc(&mixed, &ReadOptions::default()), &[(1, "some of ReaderID, ModalityID and Paradigm")]);
    let with = |paradigm| ReadOptions { paradigm: Some(paradigm), ..ReadOptions::default() };
    assert_eq!(rjafroc(&sheets, &with(Paradigm::Roc)).expect("valid").readings.len(), 8);
    let froc = rjafroc(&sheets, &with(Paradigm::Froc)).expect("valid");
    assert_eq!(froc.location.as_ref().map(|location| location.viewings.len()), Some(8));
    assert!(froc.notes[0].contains("older form"));
}

#[test]
fn rjafroc_faults() {
    let options = ReadOptions::default();
    expect(parse("x.xlsx", "not a workbook", &Format::RjafrocXlsx, &options), &[(0, "")]);
    expect(
        rjafroc(&[("TRUTH", TRUTH), ("FP", FP), ("NL", FP)], &options),
        &[(0, "sheets FP and NL"), (0, "no sheet TP (or LL)")],
    );
    let truth: &[&[&str]] = &[
        &["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"],
        &["1", "0", "0", "0, 1", "0, 1", "LROC"],
        &["1", "1", "0", "0, 1", "0, 1", "WHATEVER"],
        &["2", "half", "x", "0,, 1", "0, 0"],
        &["70", "2", "0", "0, 1", "0, 1"],
    ];
    expect(
        rjafroc(&[("TRUTH", truth), ("FP", FP), ("TP", &TP[..1])], &options),
        &[
            (2, "TRUTH!F2"),
            (3, "TRUTH!F3"),
            (4, "TRUTH!B4"),
            (4, "TRUTH!C4"),
            (3, "case 1 has lesion 0 (not diseased) and lesion 1"),
            (5, "lesion 2 of case 70 where 1 is due"),
        ],
    );
    let lists: &[&[&str]] = &[TRUTH[0], &["1", "0", "0", "0,, 1", "0, 0", "ROC"], TRUTH[2], TRUTH[2]];
    expect(
        rjafroc(&[("TRUTH", lists), ("FP", &FP[..1]), ("TP", &TP[..1])], &options),
        &[
            (2, "TRUTH!D2"),
            (2, "TRUTH!E2"),
            (2, "1 cases that not every reader read"),
            (4, "case 70, lesion 1 again; TRUTH!B3"),
            (1, "reader 0, modality 0: no rating of 2 case(s)"),
            (1, "reader 0, modality 1: no rating of 1 case(s)"),
            (1, "reader 1, modality 0: no rating of 2 case(s)"),
            (1, "reader 1, modality 1: no rating of 1 case(s)"),
        ],
    );
}

#[test]
fn rjafroc_columns_are_named_once_and_a_stray_cell_is_no_row() {
    let fp: &[&[&str]] = &[&["ReaderID", "ModalityID", "CaseID", "NL_Rating", "FP_Rating"], &["0", "0", "1", "2", "3"]];
    let truth: &[&[&str]] = &[&["CaseID", "LesionID"], &["1", "0"]];
    let sheets: [(&str, &[&[&str]]); 3] = [("TRUTH", truth), ("FP", fp), ("TP", &TP[..1])];
    expect(rjafroc(&sheets, &ReadOptions::default()), &[(1, "FP!E1"), (1, "no column Weight or Weights")]);
    // The last cell that Excel has: a rectangle up to there would not fit into any memory.
    let mut book = Workbook::new();
    for (name, rows) in [("TRUTH", TRUTH), ("FP", FP), ("TP", TP)] {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        for (row, cells) in (0..).zip(rows) {
            for (column, cell) in (0..).zip(*cells) {
                sheet.write_string(row, column, *cell).unwrap();
            }
        }
        sheet.write_string(1_048_575, 16_383, "stray").unwrap();
    }
    let exchange = parse("x.xlsx", book.save_to_buffer().unwrap(), &Format::RjafrocXlsx, &ReadOptions::default());
    assert_eq!(exchange.expect("valid").readings.len(), 8);
}

#[test]
fn rjafroc_mark_faults() {
    let options = ReadOptions::default();
    let fp: &[&[&str]] = &[
        FP[0],
        FP[1],
        FP[1],
        FP[2],
        FP[3],
        FP[4],
        &["0", "0", "70", "1"],
        &["0", "0", "9", "1"],
        &["5", "0", "1", "1"],
    ];
    let tp: &[&[&str]] =
        &[TP[0], TP[1], TP[1], TP[2], TP[3], TP[4], &["0", "0", "70", "2", "1"], &["0", "", "70", "1", "high"]];
    expect(
        rjafroc(&[("TRUTH", TRUTH), ("FP", fp), ("TP", tp)], &options),
        &[
            (3, "reader 0, modality 0, case 1 again; FP!D2 has it"),
            (7, "diseased case 70 in FP"),
            (8, "case 9 is not in TRUTH"),
            (9, "reader 5, modality 0 did not read case 1"),
            (3, "reader 0, modality 0, case 70, lesion 1 again; TP!E2"),
            (7, "case 70, lesion 2 is not in TRUTH"),
            (8, "TP!B8"),
            (8, "TP!E8"),
        ],
    );
    let froc: &[&[&str]] = &[
        TRUTH[0],
        &["1", "0", "0", "0, 1", "0, 1", "FROC"],
        &["70", "1", "0.9", "0, 1", "0, 1", "FCTRL"],
        &["70", "2", "0.3", "0, 1", "0, 1"],
        &["71", "1", "0.5", "0, 1", "0, 1"],
        &["71", "2", "0.499", "0, 1", "0"],
    ];
    expect(
        rjafroc(&[("TRUTH", froc), ("FP", FP), ("TP", TP)], &options),
        &[
            (3, "the weights of case 70 sum to 1.2"),
            (5, "the lesions of case 71 list different readers"),
            (5, "1 cases that not every reader read"),
        ],
    );
}

#[test]
fn rjafroc_case_labels_are_one_a_case() {
    let truth: &[&[&str]] = &[
        &["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm", "CaseLabel"],
        &["1", "0", "0", "0, 1", "0, 1", "FROC", "left"],
        &["70", "1", "0", "0, 1", "0, 1", "FCTRL", "right"],
        &["70", "2", "0", "0, 1", "0, 1", "", "left"],
    ];
    let sheets = [("TRUTH", truth), ("FP", FP), ("TP", TP)];
    expect(rjafroc(&sheets, &ReadOptions::default()), &[(4, "case 70 has another CaseLabel here")]);
    let sheets = [("TRUTH", &truth[..3]), ("FP", FP), ("TP", TP)];
    let exchange = rjafroc(&sheets, &ReadOptions::default()).expect("valid");
    assert_eq!(exchange.cases.iter().map(|case| case.id.as_str()).collect::<Vec<_>>(), ["left", "right"]);
    let twice: &[&[&str]] = &[truth[0], truth[1], &["70", "1", "0", "0, 1", "0, 1", "FCTRL", "left"]];
    let sheets = [("TRUTH", twice), ("FP", FP), ("TP", TP)];
    expect(rjafroc(&sheets, &ReadOptions::default()), &[(1, "cases 1 and 70 are both labelled \"left\"")]);
}

#[test]
fn rjafroc_equal_and_nearly_summing_weights() {
    let froc: &[&[&str]] = &[
        TRUTH[0],
        &["1", "0", "0", "0, 1", "0, 1", "FROC"],
        &["70", "1", "0", "0, 1", "0, 1", "FCTRL"],
        &["70", "2", "0", "0, 1", "0, 1"],
        &["71", "1", "0.333", "0, 1", "0, 1"],
        &["71", "2", "0.666", "0, 1", "0, 1"],
    ];
    let exchange = rjafroc(&[("TRUTH", froc), ("FP", FP), ("TP", TP)], &ReadOptions::default()).expect("valid");
    let weights: Vec<f64> = exchange.location.unwrap().lesions.iter().map(|lesion| lesion.weight).collect();
    assert_eq!(weights[..2], [0.5, 0.5]);
    assert!((weights[2] - 1.0 / 3.0).abs() < 1e-12, "{weights:?}");
    assert!(exchange.notes.iter().any(|note| note.contains("case 71 sum to 0.999")), "{:?}", exchange.notes);
}
