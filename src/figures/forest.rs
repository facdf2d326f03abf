//! Forest plot: an estimate with its interval a row, the summary as a diamond, reference lines at 0 and −margin (or 1).

use super::axis::Scale;
use super::canvas::{Align, GRAY, INK, LIGHT, Lettering, PAPER, Pen, width_of};
use super::font::Weight;
use super::{Figure, Sheet, csv_line, finish, pick, words};
use crate::analysis::format::{NOT_ESTIMABLE, localise};
use crate::analysis::results::ForestFigure;
use crate::error::Error;
use crate::protocol::Language;

const ROW: f64 = 24.0;
const PLOT: f64 = 290.0;
const TOP: f64 = 46.0;

pub fn draw(figure: &ForestFigure, language: Language) -> Result<Figure, Error> {
    super::font::register()?;
    let label = |row: &crate::analysis::results::ForestRow| pick(&row.label_en, &row.label_ko, language).to_owned();
    let weight = |summary: bool| if summary { Weight::Bold } else { Weight::Regular };
    let widest = |texts: Vec<(String, bool)>| {
        texts.iter().map(|(text, summary)| width_of(text, 11.5, weight(*summary))).fold(40.0, f64::max)
    };
    let labels = widest(figure.rows.iter().map(|r| (label(r), r.summary)).collect());
    let texts = widest(figure.rows.iter().map(|r| (localise(&r.text, language), r.summary)).collect());
    let left = 14.0 + labels + 14.0;
    let right = left + PLOT;
    let ends = figure.rows.iter().filter_map(|r| r.estimate).flat_map(|(est, lo, hi)| [est, lo, hi]);
    let values: Vec<f64> = ends.chain(figure.references.iter().copied()).collect();
    let scale = if figure.log { Scale::log(values) } else { Scale::linear(values) };
    let x = |value: f64| left + scale.place(value).clamp(0.0, 1.0) * PLOT;
    let bottom = TOP + ROW * figure.rows.len() as f64 + 6.0;

    let title = match figure.id.as_str() {
        id if id.starts_with("F-SUB") => words::FOREST_SUB,
        _ if figure.log => words::FOREST_RATIO,
        _ => words::FOREST,
    }
    .get(language)
    .to_owned();
    let rows = figure.rows.iter().map(|r| format!("{}: {}", label(r), localise(&r.text, language)));
    let axis = pick(&figure.axis_en, &figure.axis_ko, language);
    let sheet = Sheet {
        id: &figure.id,
        title: title.clone(),
        description: format!("{axis}. {}.", rows.collect::<Vec<_>>().join("; ")),
        width: (right + 16.0 + texts + 12.0).ceil(),
        height: bottom + 52.0,
        csv: csv(figure),
    };
    let middle = sheet.width / 2.0;
    finish(sheet, |canvas| {
        canvas.text((middle, 18.0), &title, Lettering::new(14.0, Align::Middle).bold())?;
        for (value, text) in &scale.ticks {
            canvas.line(&[(x(*value), TOP - 6.0), (x(*value), bottom)], Pen::solid(LIGHT, 0.4))?;
            canvas.line(&[(x(*value), bottom), (x(*value), bottom + 4.0)], Pen::solid(INK, 0.8))?;
            canvas.text((x(*value), bottom + 13.0), text, Lettering::new(10.5, Align::Middle))?;
        }
        canvas.line(&[(left, bottom), (right, bottom)], Pen::solid(INK, 0.9))?;
        canvas.text((left + PLOT / 2.0, bottom + 34.0), axis, Lettering::new(11.5, Align::Middle))?;
        let none = if figure.log { 1.0 } else { 0.0 };
        for &reference in &figure.references {
            let dash: super::canvas::Dash = if reference == none { &[] } else { &[4.0, 3.0] };
            let pen = Pen { color: GRAY, width: 1.0, dash };
            canvas.line(&[(x(reference), TOP - 6.0), (x(reference), bottom)], pen)?;
        }
        for (i, row) in figure.rows.iter().enumerate() {
            let y = TOP + ROW * (i as f64 + 0.5);
            if row.summary && i > 0 && !figure.rows[i - 1].summary {
                canvas.line(&[(14.0, y - ROW / 2.0), (right + 16.0 + texts, y - ROW / 2.0)], Pen::solid(GRAY, 0.6))?;
            }
            let mut letters = Lettering::new(11.5, Align::Left);
            letters.weight = weight(row.summary);
            canvas.text((14.0, y), &label(row), letters)?;
            canvas.text((right + 16.0, y), &localise(&row.text, language), letters)?;
            match row.estimate {
                None => {
                    let text = localise(NOT_ESTIMABLE, language);
                    let width = width_of(&text, 10.5, Weight::Regular);
                    canvas.rect((left + 2.0, y - 8.0), (left + 24.0 + width, y + 8.0), PAPER)?;
                    canvas.ring((left + 9.0, y), 3.6, Pen::solid(GRAY, 1.1))?;
                    canvas.text((left + 18.0, y), &text, Lettering::new(10.5, Align::Left).color(GRAY))?;
                }
                Some((est, lo, hi)) if row.summary => {
                    let (l, c, h) = (x(lo), x(est), x(hi));
                    canvas.polygon(&[(l, y), (c, y - 6.5), (h, y), (c, y + 6.5)], INK)?;
                }
                Some((est, lo, hi)) => {
                    canvas.line(&[(x(lo), y), (x(hi), y)], Pen::solid(INK, 1.3))?;
                    for (end, outward) in [(lo, -1.0), (hi, 1.0)] {
                        let e = x(end);
                        if (-1e-9..=1.0 + 1e-9).contains(&scale.place(end)) {
                            canvas.line(&[(e, y - 3.5), (e, y + 3.5)], Pen::solid(INK, 1.3))?;
                        } else {
                            let back = e - 6.0 * outward;
                            canvas.polygon(&[(e, y), (back, y - 4.0), (back, y + 4.0)], INK)?;
                        }
                    }
                    canvas.rect((x(est) - 3.6, y - 3.6), (x(est) + 3.6, y + 3.6), INK)?;
                }
            }
        }
        Ok(())
    })
}

fn csv(figure: &ForestFigure) -> String {
    let mut out = csv_line(&["figure", "row", "estimate", "lower", "upper", "text", "summary"]);
    for row in &figure.rows {
        let numbers = row.estimate.map_or([String::new(), String::new(), String::new()], |(est, lo, hi)| {
            [est, lo, hi].map(|v| v.to_string())
        });
        let [est, lo, hi] = &numbers;
        out += &csv_line(&[&figure.id, &row.label_en, est, lo, hi, &row.text, &row.summary.to_string()]);
    }
    out
}
