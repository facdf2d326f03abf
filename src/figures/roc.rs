//! ROC curves in a square: one sign and colour an arm, readers' operating points, the device's as a star.

use super::axis::Scale;
use super::canvas::{Align, Canvas, GRAY, INK, LIGHT, Lettering, PAPER, Pen, Point, width_of};
use super::font::Weight;
use super::labels::{self, Rect};
use super::{Figure, Sheet, csv_line, finish, pick, words};
use crate::analysis::format::localise;
use crate::analysis::results::{RocCurve, RocFigure, RocPoint};
use crate::error::Error;
use crate::protocol::Language;
use plotters::style::RGBColor;

/// Colours whose lightness differs enough for a gray print; the dash tells the arms apart as well. The last arm (the test) is solid.
const DARK: RGBColor = RGBColor(0x12, 0x35, 0x5B);
const SIGNS: [Pen; 4] = [
    Pen { color: DARK, width: 1.8, dash: &[] },
    Pen { color: RGBColor(0xD0, 0x6B, 0x12), width: 1.8, dash: &[6.0, 3.0] },
    Pen { color: RGBColor(0x2E, 0x8B, 0x7A), width: 1.8, dash: &[1.5, 2.5] },
    Pen { color: RGBColor(0x8E, 0x3B, 0x6F), width: 1.8, dash: &[8.0, 2.5, 1.5, 2.5] },
];

/// Line of the arm at `index` of `arms`. The control stands first and is dashed, the test arm is solid.
pub fn sign(index: usize, arms: usize) -> Pen {
    match (index, arms) {
        (_, 1) | (1, _) => SIGNS[0],
        (0, _) => SIGNS[1],
        (i, _) => SIGNS[2 + i % 2],
    }
}

struct Panel {
    left: f64,
    top: f64,
    side: f64,
    size: f64,
    /// Names beside the points.
    labels: bool,
}

impl Panel {
    fn at(&self, (fpr, tpr): Point) -> Point {
        (self.left + fpr * self.side, self.top + (1.0 - tpr) * self.side)
    }
}

pub fn draw(figure: &RocFigure, language: Language) -> Result<Figure, Error> {
    let panel = Panel { left: 62.0, top: 40.0, side: 420.0, size: 12.0, labels: true };
    let arms = arms(&[figure]);
    let keys = keys(figure, &arms, language);
    let device_only = figure.curves.iter().all(|c| c.arm == "standalone");
    let title = if device_only { words::ROC_DEVICE } else { words::ROC }.get(language).to_owned();
    let sheet = Sheet {
        id: &figure.id,
        title: title.clone(),
        description: describe(&[figure], language),
        width: 520.0,
        height: 40.0 + 420.0 + 52.0 + 19.0 * keys.len() as f64 + 8.0,
        csv: csv(&[figure]),
    };
    finish(sheet, |canvas| {
        canvas.text((panel.left + panel.side / 2.0, 18.0), &title, Lettering::new(14.0, Align::Middle).bold())?;
        paint(canvas, &panel, figure, &arms)?;
        axes(canvas, &panel, language)?;
        for (i, key) in keys.iter().enumerate() {
            let y = panel.top + panel.side + 58.0 + 19.0 * i as f64;
            key.paint(canvas, panel.left, y)?;
        }
        Ok(())
    })
}

pub fn draw_by_reader(figures: &[&RocFigure], language: Language) -> Result<Figure, Error> {
    const SIDE: f64 = 180.0;
    const PITCH: (f64, f64) = (220.0, 262.0);
    let columns = figures.len().min(3);
    let rows = figures.len().div_ceil(columns);
    let arms = arms(figures);
    let title = words::ROC_READER.get(language).to_owned();
    let key_count = figures.first().map_or(0, |f| f.curves.len());
    let sheet = Sheet {
        id: "F-ROCR",
        title: title.clone(),
        description: describe(figures, language),
        width: 30.0 + PITCH.0 * columns as f64,
        height: 34.0 + PITCH.1 * rows as f64 + 19.0 * key_count as f64 + 10.0,
        csv: csv(figures),
    };
    let middle = sheet.width / 2.0;
    finish(sheet, |canvas| {
        canvas.text((middle, 16.0), &title, Lettering::new(14.0, Align::Middle).bold())?;
        for (i, figure) in figures.iter().enumerate() {
            let (column, row) = (i % columns, i / columns);
            let panel = Panel {
                left: 46.0 + PITCH.0 * column as f64,
                top: 58.0 + PITCH.1 * row as f64,
                side: SIDE,
                size: 9.0,
                labels: false,
            };
            let reader = figure.id.trim_start_matches("F-ROCR.");
            let above = (panel.left + SIDE / 2.0, panel.top - 11.0);
            canvas.text(above, reader, Lettering::new(11.0, Align::Middle).bold())?;
            paint(canvas, &panel, figure, &arms)?;
            axes(canvas, &panel, language)?;
            for (j, curve) in figure.curves.iter().enumerate() {
                let pen = arm_sign(&arms, &curve.arm);
                let y = panel.top + SIDE - 10.0 - 12.0 * (figure.curves.len() - 1 - j) as f64;
                let text = localise(&curve.auc_fmt, language);
                let right = panel.left + SIDE - 5.0;
                let width = width_of(&text, 8.0, Weight::Regular);
                canvas.rect((right - width - 2.0, y - 5.5), (right + 2.0, y + 5.5), PAPER)?;
                canvas.line(&[(right - width - 24.0, y), (right - width - 5.0, y)], pen)?;
                canvas.text((right, y), &text, Lettering::new(8.0, Align::Right))?;
            }
        }
        let keys = figures.first().map(|f| keys(f, &arms, language)).unwrap_or_default();
        for (i, key) in keys.iter().take(key_count).enumerate() {
            let y = 44.0 + PITCH.1 * rows as f64 + 19.0 * i as f64;
            Key { text: key.name.clone(), ..key.clone() }.paint(canvas, 46.0, y)?;
        }
        Ok(())
    })
}

fn arms<'a>(figures: &[&'a RocFigure]) -> Vec<&'a str> {
    let mut arms: Vec<&str> = Vec::new();
    let named = figures.iter().flat_map(|f| f.curves.iter().map(|c| &c.arm).chain(f.points.iter().map(|p| &p.arm)));
    for arm in named {
        if !arms.contains(&arm.as_str()) {
            arms.push(arm);
        }
    }
    arms
}

fn arm_sign(arms: &[&str], arm: &str) -> Pen {
    sign(arms.iter().position(|a| *a == arm).unwrap_or(0), arms.len())
}

fn axes(canvas: &Canvas, panel: &Panel, language: Language) -> Result<(), Error> {
    let Panel { left, top, side, size, .. } = *panel;
    for (value, text) in Scale::unit().ticks {
        let (x, y) = panel.at((value, value));
        canvas.line(&[(x, top + side), (x, top + side + 4.0)], Pen::solid(INK, 0.8))?;
        canvas.text((x, top + side + 5.0 + size * 0.8), &text, Lettering::new(size * 0.9, Align::Middle))?;
        canvas.line(&[(left - 4.0, y), (left, y)], Pen::solid(INK, 0.8))?;
        canvas.text((left - 7.0, y), &text, Lettering::new(size * 0.9, Align::Right))?;
    }
    canvas.frame((left, top), (left + side, top + side), Pen::solid(INK, 0.9))?;
    let below = (left + side / 2.0, top + side + 10.0 + size * 2.2);
    canvas.text(below, words::FPR.get(language), Lettering::new(size, Align::Middle))?;
    let beside = (left - 12.0 - size * 2.2, top + side / 2.0);
    canvas.text(beside, words::TPR.get(language), Lettering::new(size, Align::Middle).upright())
}

fn paint(canvas: &Canvas, panel: &Panel, figure: &RocFigure, arms: &[&str]) -> Result<(), Error> {
    for (value, _) in Scale::unit().ticks {
        canvas.line(&[panel.at((value, 0.0)), panel.at((value, 1.0))], Pen::solid(LIGHT, 0.4))?;
        canvas.line(&[panel.at((0.0, value)), panel.at((1.0, value))], Pen::solid(LIGHT, 0.4))?;
    }
    canvas.line(&[panel.at((0.0, 0.0)), panel.at((1.0, 1.0))], Pen { color: GRAY, width: 0.7, dash: &[2.0, 2.0] })?;
    let thin = panel.side / 420.0;
    let curves: Vec<Vec<Point>> =
        figure.curves.iter().map(|curve| curve.points.iter().map(|&p| panel.at(p)).collect()).collect();
    for (curve, points) in figure.curves.iter().zip(&curves) {
        let pen = arm_sign(arms, &curve.arm);
        canvas.line(points, Pen { width: (pen.width * thin).max(1.1), ..pen })?;
    }
    let places: Vec<Point> = figure.points.iter().map(|p| panel.at((p.fpr, p.tpr))).collect();
    for (point, &place) in figure.points.iter().zip(&places) {
        marker(canvas, place, point, arms, thin.max(0.75))?;
    }
    if panel.labels {
        let size = |p: &RocPoint| (width_of(&p.label, 10.0, Weight::Regular), 10.5);
        let sizes: Vec<(f64, f64)> = figure.points.iter().map(size).collect();
        let frame = Rect {
            left: panel.left + 2.0,
            top: panel.top + 2.0,
            right: panel.left + panel.side - 2.0,
            bottom: panel.top + panel.side - 2.0,
        };
        let middles = labels::place(&places, &sizes, 9.0, frame, &curves);
        for (((point, &place), &middle), &(width, _)) in figure.points.iter().zip(&places).zip(&middles).zip(&sizes) {
            let color = arm_sign(arms, &point.arm).color;
            let end = (place.0.clamp(middle.0 - width / 2.0, middle.0 + width / 2.0), middle.1);
            let end = (end.0, place.1.clamp(end.1 - 5.0, end.1 + 5.0));
            if (end.0 - place.0).hypot(end.1 - place.1) > 10.0 {
                canvas.line(&[place, end], Pen::solid(GRAY, 0.4))?;
            }
            canvas.text(middle, &point.label, Lettering::new(10.0, Align::Middle).color(color))?;
        }
    }
    Ok(())
}

/// Control arm: ring. Test arm: dot. Others: triangle. Device: star.
fn marker(canvas: &Canvas, place: Point, point: &RocPoint, arms: &[&str], scale: f64) -> Result<(), Error> {
    let index = arms.iter().position(|a| *a == point.arm).unwrap_or(0);
    let pen = Pen { dash: &[], width: 1.2 * scale, ..sign(index, arms.len()) };
    if point.is_device {
        return star(canvas, place, 7.5 * scale, pen.color);
    }
    match (index, arms.len()) {
        (_, 1) | (1, _) => canvas.dot(place, 3.4 * scale, pen.color),
        (0, _) => canvas.ring(place, 3.2 * scale, pen),
        _ => {
            let r = 4.2 * scale;
            let corners = [(place.0, place.1 - r), (place.0 - r, place.1 + 0.7 * r), (place.0 + r, place.1 + 0.7 * r)];
            canvas.polygon(&corners, pen.color)
        }
    }
}

fn star(canvas: &Canvas, (x, y): Point, radius: f64, color: RGBColor) -> Result<(), Error> {
    let corner = |i: i32, grow: f64| {
        let angle = std::f64::consts::PI * (f64::from(i) / 5.0 - 0.5);
        let r = grow + if i % 2 == 0 { radius } else { 0.42 * radius };
        (x + r * angle.cos(), y + r * angle.sin())
    };
    canvas.polygon(&(0..10).map(|i| corner(i, 1.2)).collect::<Vec<_>>(), PAPER)?;
    canvas.polygon(&(0..10).map(|i| corner(i, 0.0)).collect::<Vec<_>>(), color)
}

/// One line of the legend.
#[derive(Clone)]
struct Key {
    pen: Pen,
    name: String,
    text: String,
    points: Option<RocPoint>,
    arms: Vec<String>,
}

impl Key {
    fn paint(&self, canvas: &Canvas, x: f64, y: f64) -> Result<(), Error> {
        match &self.points {
            None => canvas.line(&[(x, y), (x + 34.0, y)], self.pen)?,
            Some(point) => {
                let arms: Vec<&str> = self.arms.iter().map(String::as_str).collect();
                marker(canvas, (x + 17.0, y), point, &arms, 1.0)?;
            }
        }
        canvas.text((x + 42.0, y), &self.text, Lettering::new(11.0, Align::Left))
    }
}

fn keys(figure: &RocFigure, arms: &[&str], language: Language) -> Vec<Key> {
    let owned: Vec<String> = arms.iter().map(|a| (*a).to_owned()).collect();
    let name = |c: &RocCurve| pick(&c.label_en, &c.label_ko, language).to_owned();
    let mut keys: Vec<Key> = Vec::new();
    for curve in &figure.curves {
        let (pen, name) = (arm_sign(arms, &curve.arm), name(curve));
        let text = format!("{name}: {}", localise(&curve.auc_fmt, language));
        keys.push(Key { pen, name, text, points: None, arms: owned.clone() });
    }
    let mut shown: Vec<(&str, bool)> = Vec::new();
    for point in &figure.points {
        if shown.contains(&(point.arm.as_str(), point.is_device)) {
            continue;
        }
        shown.push((&point.arm, point.is_device));
        let arm = figure.curves.iter().find(|c| c.arm == point.arm).map_or(point.arm.clone(), name);
        let what = if point.is_device { words::DEVICE_POINT } else { words::READER_POINT }.get(language);
        let text = if point.is_device { what.to_owned() } else { format!("{arm}: {what}") };
        let pen = arm_sign(arms, &point.arm);
        keys.push(Key { pen, name: text.clone(), text, points: Some(point.clone()), arms: owned.clone() });
    }
    keys
}

fn describe(figures: &[&RocFigure], language: Language) -> String {
    let mut parts = Vec::new();
    for figure in figures {
        let reader = figure.id.strip_prefix("F-ROCR.").map(|r| format!("{r}: ")).unwrap_or_default();
        for curve in &figure.curves {
            let name = pick(&curve.label_en, &curve.label_ko, language);
            parts.push(format!("{reader}{name}, {}", localise(&curve.auc_fmt, language)));
        }
    }
    let axes = format!("{} / {}", words::FPR.get(language), words::TPR.get(language));
    format!("{axes}. {}.", parts.join("; "))
}

fn csv(figures: &[&RocFigure]) -> String {
    let mut out = csv_line(&["figure", "kind", "arm", "label", "false_positive_fraction", "true_positive_fraction"]);
    for figure in figures {
        for curve in &figure.curves {
            for (fpr, tpr) in &curve.points {
                out += &csv_line(&[&figure.id, "curve", &curve.arm, "", &fpr.to_string(), &tpr.to_string()]);
            }
        }
        for p in &figure.points {
            let kind = if p.is_device { "device" } else { "reader" };
            out += &csv_line(&[&figure.id, kind, &p.arm, &p.label, &p.fpr.to_string(), &p.tpr.to_string()]);
        }
    }
    out
}
