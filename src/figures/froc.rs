//! FROC: lesion sensitivity against false positives per image, over all images.

use super::axis::Scale;
use super::canvas::{Align, INK, LIGHT, Lettering, Pen};
use super::{Figure, Sheet, csv_line, finish, pick, roc, words};
use crate::analysis::results::FrocFigure;
use crate::error::Error;
use crate::protocol::Language;

const LEFT: f64 = 62.0;
const TOP: f64 = 40.0;
const WIDTH: f64 = 430.0;
const HEIGHT: f64 = 320.0;

pub fn draw(figure: &FrocFigure, language: Language) -> Result<Figure, Error> {
    let xs = Scale::linear(figure.curves.iter().flat_map(|c| c.points.iter().map(|p| p.0)).chain([0.0]));
    let ys = Scale::unit();
    let at =
        |(fppi, sensitivity): (f64, f64)| (LEFT + xs.place(fppi) * WIDTH, TOP + (1.0 - ys.place(sensitivity)) * HEIGHT);
    let name = |i: usize| pick(&figure.curves[i].label_en, &figure.curves[i].label_ko, language);
    let title = words::FROC.get(language).to_owned();
    let (across, up) = (words::FPPI.get(language), words::LESION_SENSITIVITY.get(language));
    let names: Vec<&str> = (0..figure.curves.len()).map(name).collect();
    let sheet = Sheet {
        id: &figure.id,
        title: title.clone(),
        description: format!("{across} / {up}. {}.", names.join("; ")),
        width: LEFT + WIDTH + 28.0,
        height: TOP + HEIGHT + 56.0 + 19.0 * figure.curves.len() as f64,
        csv: csv(figure),
    };
    finish(sheet, |canvas| {
        canvas.text((LEFT + WIDTH / 2.0, 18.0), &title, Lettering::new(14.0, Align::Middle).bold())?;
        for (value, text) in &xs.ticks {
            let (x, bottom) = at((*value, 0.0));
            canvas.line(&[(x, TOP), (x, bottom)], Pen::solid(LIGHT, 0.4))?;
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], Pen::solid(INK, 0.8))?;
            canvas.text((x, bottom + 13.0), text, Lettering::new(10.5, Align::Middle))?;
        }
        for (value, text) in &ys.ticks {
            let (_, y) = at((0.0, *value));
            canvas.line(&[(LEFT, y), (LEFT + WIDTH, y)], Pen::solid(LIGHT, 0.4))?;
            canvas.text((LEFT - 7.0, y), text, Lettering::new(10.5, Align::Right))?;
        }
        for (i, curve) in figure.curves.iter().enumerate() {
            let pen = roc::sign(i, figure.curves.len());
            canvas.line(&curve.points.iter().map(|&p| at(p)).collect::<Vec<_>>(), pen)?;
            let y = TOP + HEIGHT + 58.0 + 19.0 * i as f64;
            canvas.line(&[(LEFT, y), (LEFT + 34.0, y)], pen)?;
            canvas.text((LEFT + 42.0, y), name(i), Lettering::new(11.0, Align::Left))?;
        }
        canvas.frame((LEFT, TOP), (LEFT + WIDTH, TOP + HEIGHT), Pen::solid(INK, 0.9))?;
        canvas.text((LEFT + WIDTH / 2.0, TOP + HEIGHT + 35.0), across, Lettering::new(12.0, Align::Middle))?;
        canvas.text((18.0, TOP + HEIGHT / 2.0), up, Lettering::new(12.0, Align::Middle).upright())
    })
}

fn csv(figure: &FrocFigure) -> String {
    let mut out = csv_line(&["figure", "arm", "false_positives_per_image", "lesion_sensitivity"]);
    for curve in &figure.curves {
        for (fppi, sensitivity) in &curve.points {
            out += &csv_line(&[&figure.id, &curve.arm, &fppi.to_string(), &sensitivity.to_string()]);
        }
    }
    out
}
