//! Average precision against pycocotools, image scores against the RSNA pneumonia 2018 kernel and its text.

use crate::support::{Tally, json};
use cadproof::metrics::average_precision::{
    AreaRange, BoxedImage, Chooser, Detection, ImageRule, Rectangle, average_precision, image_score,
    mean_average_precision, thresholds,
};
use cadproof::metrics::empty::case_mean;
use serde_json::Value;

fn rectangle(values: &[f64]) -> Rectangle {
    Rectangle { x: values[0], y: values[1], width: values[2], height: values[3] }
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()).collect()
}

#[test]
fn boxes() {
    let Some(file) = json("metrics/detection_map.json") else { return };
    let mut tally = Tally::new("detection_map");
    for case in file["cases"].as_array().unwrap() {
        let (id, want) = (case["id"].as_str().unwrap(), &case["expected"]);
        let images: Vec<BoxedImage> = case["input"]["images"]
            .as_array()
            .unwrap()
            .iter()
            .map(|image| BoxedImage {
                references: rows(&image["gt"]).iter().map(|row| rectangle(row)).collect(),
                detections: rows(&image["pred"])
                    .iter()
                    .map(|row| Detection { at: rectangle(&row[1..]), score: row[0] })
                    .collect(),
            })
            .collect();
        let rsna = thresholds(0.4, 0.75, 8);
        for (key, chooser, inclusive) in [
            ("kernel_gt_order_ge", Chooser::Reference, true),
            ("kernel_gt_order_gt", Chooser::Reference, false),
            ("pred_order_gt", Chooser::Detection, false),
        ] {
            let want = &want["rsna"][key];
            let rule = ImageRule { chooser, inclusive };
            let scores: Vec<_> = images.iter().map(|image| image_score(image, &rsna, rule)).collect();
            for (i, score) in scores.iter().enumerate() {
                match want["per_image"][i].as_f64() {
                    Some(want) => tally.close(&format!("{id} {key} {i}"), score.clone().unwrap(), want, 1e-9, 1e-3),
                    None => tally.same(&format!("{id} {key} {i}"), score.is_err(), true),
                }
            }
            let mean = case_mean(&scores);
            tally.same(&format!("{id} {key} scored"), mean.computed as u64, want["n_scored"].as_u64().unwrap());
            tally.close(&format!("{id} {key}"), mean.mean.unwrap(), want["mean"].as_f64().unwrap(), 1e-9, 1e-3);
        }
        let ious = thresholds(0.5, 0.95, 10);
        let stats = &want["coco"]["stats"];
        let (all, small, medium, large) = (AreaRange::ALL, AreaRange::SMALL, AreaRange::MEDIUM, AreaRange::LARGE);
        for (key, ious, area, most, recall) in [
            ("AP", &ious[..], all, 100, false),
            ("AP50", &ious[..1], all, 100, false),
            ("AP75", &ious[5..6], all, 100, false),
            ("APs", &ious[..], small, 100, false),
            ("APm", &ious[..], medium, 100, false),
            ("APl", &ious[..], large, 100, false),
            ("AR1", &ious[..], all, 1, true),
            ("AR10", &ious[..], all, 10, true),
            ("AR100", &ious[..], all, 100, true),
            ("ARs", &ious[..], small, 100, true),
            ("ARm", &ious[..], medium, 100, true),
            ("ARl", &ious[..], large, 100, true),
        ] {
            let found = mean_average_precision(&images, ious, area, most);
            // the program writes −1 where no reference is of that size
            let got = found.map_or(-1.0, |found| if recall { found.recall } else { found.precision });
            tally.close(&format!("{id} {key}"), got, stats[key].as_f64().unwrap(), 1e-9, 1e-3);
        }
        for (i, &iou) in ious.iter().enumerate() {
            let found = average_precision(&images, iou, all, 100).unwrap();
            for (key, got) in [("AP_per_iou_050_095", found.precision), ("recall_per_iou", found.recall)] {
                if let Some(want) = want["coco"].get(key) {
                    tally.close(&format!("{id} {key} {i}"), got, want[i].as_f64().unwrap(), 1e-9, 1e-3);
                }
            }
        }
    }
    tally.finish();
}
