//! Whatever the readings, a format refuses them or gives them back unchanged; whatever the bytes, a reader answers.

use crate::roundtrip::{formats, higher};
use cadproof::data::formats::{Exchange, ExchangeCase, Format, Lesion, Location, Mark, Viewing, read, write};
use cadproof::error::Error;
use cadproof::protocol::Suspicious;
use cadproof::stats::mrmc::IndexedReading;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

fn labels(range: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<String>> {
    // Mostly plain, some that one format or another cannot hold.
    let label = prop_oneof![
        6 => "[A-Za-z0-9]{1,4}",
        2 => "[1-9][0-9]{0,2}",
        1 => "[가-힣]{1,3}",
        1 => "[a-z,\"#*(). |-]{1,5}",
    ];
    btree_set(label, range).prop_map(|set| set.into_iter().collect())
}

fn rating() -> impl Strategy<Value = f64> {
    prop_oneof![(0..6i32).prop_map(f64::from), -1e3..1e3f64, prop::num::f64::NORMAL]
}

/// One rating a case; `full`: none is missing.
fn exchange() -> impl Strategy<Value = Exchange> {
    (labels(1..=3), labels(1..=3), labels(2..=6), any::<bool>(), any::<u64>()).prop_flat_map(
        |(readers, modalities, ids, full, truths)| {
            let cells = readers.len() * modalities.len() * ids.len();
            let ratings = vec((rating(), prop::bool::weighted(0.85)), cells);
            ratings.prop_map(move |ratings| {
                let mut readings = Vec::new();
                for (at, (rating, there)) in ratings.into_iter().enumerate().filter(|(_, (_, there))| full || *there) {
                    let _ = there;
                    let (case, rest) = (at % ids.len(), at / ids.len());
                    let (reader, modality) = (rest % readers.len(), rest / readers.len());
                    let index = |value: usize| u32::try_from(value).unwrap();
                    readings.push(IndexedReading {
                        reader: index(reader),
                        modality: index(modality),
                        case: index(case),
                        rating,
                    });
                }
                let case =
                    |(at, id): (usize, &String)| ExchangeCase { id: id.clone(), diseased: truths >> at & 1 == 1 };
                Exchange {
                    readers: readers.clone(),
                    modalities: modalities.clone(),
                    cases: ids.iter().enumerate().map(case).collect(),
                    readings,
                    location: None,
                    direction: Some(Suspicious::Higher),
                    notes: Vec::new(),
                }
            })
        },
    )
}

/// What a file of readings can say: a reader or modality without a reading, or with cases that vanish, is not in it.
fn said(exchange: &Exchange) -> Vec<(String, String, String, bool, u64)> {
    let mut rows: Vec<_> = exchange
        .readings
        .iter()
        .map(|row| {
            let case = &exchange.cases[row.case as usize];
            let (reader, modality) =
                (&exchange.readers[row.reader as usize], &exchange.modalities[row.modality as usize]);
            (reader.clone(), modality.clone(), case.id.clone(), case.diseased, row.rating.to_bits())
        })
        .collect();
    rows.sort();
    rows
}

fn compare(exchange: &Exchange, format: &Format, file: &str) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(file);
    match write(exchange, format, &path) {
        Err(Error::Refused(_)) => prop_assert!(!path.exists()),
        Err(other) => return Err(TestCaseError::fail(format!("{file}: {other}"))),
        Ok(()) => {
            let back =
                read(&path, format, &higher()).map_err(|fault| TestCaseError::fail(format!("{file}: {fault}")))?;
            prop_assert_eq!(said(&back), said(exchange), "{}", file);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_format_refuses_or_gives_back_what_it_was_given(exchange in exchange()) {
        prop_assume!(!exchange.readings.is_empty());
        for (format, file) in formats(&exchange.modalities) {
            compare(&exchange, &format, file)?;
        }
    }

    #[test]
    fn excel_gives_back_marks(
        readers in labels(1..=2),
        ids in labels(2..=4),
        lesions in vec(0..4u32, 4),
        marks in vec((0..2u32, 0..4u32, 0..4u32, rating()), 0..20),
    ) {
        let mut location = Location::default();
        let mut hit = std::collections::BTreeSet::new();
        for (case, &count) in (0..).zip(lesions.iter().take(ids.len())) {
            location.lesions.extend((1..=count).map(|number| Lesion { case, number, weight: 1.0 / f64::from(count) }));
            location.viewings.extend((0..).take(readers.len()).map(|reader| Viewing { reader, modality: 0, case }));
        }
        for (reader, case, lesion, rating) in marks {
            let known = (reader as usize) < readers.len() && (case as usize) < ids.len();
            let there = known && lesion <= lesions[case as usize];
            if there && (lesion == 0 || hit.insert((reader, case, lesion))) {
                location.marks.push(Mark { reader, modality: 0, case, lesion: (lesion > 0).then_some(lesion), rating });
            }
        }
        let cases = ids.iter().zip(&lesions).map(|(id, &count)| ExchangeCase { id: id.clone(), diseased: count > 0 });
        let exchange = Exchange {
            readers: readers.clone(),
            modalities: vec!["1".to_owned()],
            cases: cases.collect(),
            readings: Vec::new(),
            location: Some(location),
            direction: Some(Suspicious::Higher),
            notes: Vec::new(),
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.xlsx");
        match write(&exchange, &Format::RjafrocXlsx, &path) {
            Err(Error::Refused(_)) => {}
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
            Ok(()) => {
                let back = read(&path, &Format::RjafrocXlsx, &higher()).map_err(|f| TestCaseError::fail(f.to_string()))?.sorted();
                let want = exchange.sorted();
                prop_assert_eq!(back.cases, want.cases);
                let (got, want) = (back.location.unwrap(), want.location.unwrap());
                prop_assert_eq!(got.marks, want.marks);
                prop_assert_eq!(got.viewings, want.viewings);
                prop_assert_eq!(got.lesions.len(), want.lesions.len());
            }
        }
    }

    #[test]
    fn any_text_is_answered(text in "(BEGIN DATA:|case|reader|truth|[-0-9a-c,.\"*# \t\n\r]){0,60}", bytes in vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        for content in [text.as_bytes(), &bytes] {
            std::fs::write(&path, content).unwrap();
            for (format, _) in formats(&["a".to_owned()]) {
                if let Err(Error::Internal(fault)) = read(&path, &format, &higher()) {
                    return Err(TestCaseError::fail(fault));
                }
            }
        }
    }
}
