//! A drawing sheet in CSS pixels over the plot library's whole-pixel SVG.
//!
//! The library rounds every coordinate to a whole pixel, so everything is drawn [`SCALE`] times larger and the `viewBox` scales it back.

use super::font::{self, FAMILY, Weight};
use crate::error::Error;
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};
use std::cell::RefCell;
use std::collections::BTreeSet;

const SCALE: f64 = 10.0;
/// The library divides every font size by this when it writes SVG.
const SVG_FONT_FACTOR: f64 = 1.24;

pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub const GRAY: RGBColor = RGBColor(0x77, 0x77, 0x77);
pub const LIGHT: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
pub const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

pub type Point = (f64, f64);

/// Lengths of the drawn and the empty parts of a line in turn; empty = solid.
pub type Dash = &'static [f64];

#[derive(Debug, Clone, Copy)]
pub struct Pen {
    pub color: RGBColor,
    pub width: f64,
    pub dash: Dash,
}

impl Pen {
    pub const fn solid(color: RGBColor, width: f64) -> Self {
        Self { color, width, dash: &[] }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Middle,
    Right,
}

#[derive(Debug, Clone, Copy)]
pub struct Lettering {
    pub size: f64,
    pub weight: Weight,
    pub color: RGBColor,
    pub align: Align,
    /// Reads from bottom to top.
    pub upright: bool,
}

impl Lettering {
    pub const fn new(size: f64, align: Align) -> Self {
        Self { size, weight: Weight::Regular, color: INK, align, upright: false }
    }

    pub const fn bold(mut self) -> Self {
        self.weight = Weight::Bold;
        self
    }

    pub const fn upright(mut self) -> Self {
        self.upright = true;
        self
    }

    pub const fn color(mut self, color: RGBColor) -> Self {
        self.color = color;
        self
    }
}

pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// Named in errors.
    figure: &'a str,
    used: &'a RefCell<Used>,
}

/// The characters that a figure prints, by weight.
#[derive(Debug, Clone, Default)]
pub struct Used {
    pub regular: BTreeSet<char>,
    pub bold: BTreeSet<char>,
}

/// Draws one figure; gives the SVG elements inside `<svg>` and the characters used.
pub fn draw(
    figure: &str,
    width: f64,
    height: f64,
    paint: impl FnOnce(&Canvas) -> Result<(), Error>,
) -> Result<(String, Used), Error> {
    font::register()?;
    let used = RefCell::new(Used::default());
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (px(width) as u32, px(height) as u32)).into_drawing_area();
        let canvas = Canvas { area, figure, used: &used };
        paint(&canvas)?;
        canvas.area.present().map_err(|e| Error::Internal(format!("{figure}: {e}")))?;
    }
    let inside = svg.split_once('>').map(|(_, rest)| rest.trim_end().trim_end_matches("</svg>").trim().to_owned());
    let inside = inside.ok_or_else(|| Error::Internal(format!("{figure}: the plot library wrote no SVG")))?;
    Ok((inside, used.into_inner()))
}

/// `viewBox` of a figure of this size.
pub fn view_box(width: f64, height: f64) -> String {
    format!("0 0 {} {}", px(width), px(height))
}

fn px(length: f64) -> i32 {
    (length * SCALE).round() as i32
}

fn at((x, y): Point) -> (i32, i32) {
    (px(x), px(y))
}

fn stroke(pen: Pen) -> ShapeStyle {
    pen.color.stroke_width(px(pen.width).max(1) as u32)
}

/// Width of a text in CSS pixels, from the font's own metrics.
pub fn width_of(text: &str, size: f64, weight: Weight) -> f64 {
    let font = (FAMILY, size * SVG_FONT_FACTOR * SCALE).into_font().style(style(weight));
    font.box_size(text).map_or(0.0, |(width, _)| f64::from(width) / SCALE)
}

fn style(weight: Weight) -> FontStyle {
    match weight {
        Weight::Regular => FontStyle::Normal,
        Weight::Bold => FontStyle::Bold,
    }
}

impl Canvas<'_> {
    pub fn line(&self, points: &[Point], pen: Pen) -> Result<(), Error> {
        for part in dashes(points, pen.dash) {
            self.put(&PathElement::new(part.into_iter().map(at).collect::<Vec<_>>(), stroke(pen)))?;
        }
        Ok(())
    }

    pub fn polygon(&self, points: &[Point], color: RGBColor) -> Result<(), Error> {
        self.put(&Polygon::new(points.iter().copied().map(at).collect::<Vec<_>>(), color.filled()))
    }

    pub fn rect(&self, from: Point, to: Point, color: RGBColor) -> Result<(), Error> {
        self.put(&Rectangle::new([at(from), at(to)], color.filled()))
    }

    pub fn frame(&self, (x0, y0): Point, (x1, y1): Point, pen: Pen) -> Result<(), Error> {
        self.line(&[(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], pen)
    }

    pub fn dot(&self, centre: Point, radius: f64, color: RGBColor) -> Result<(), Error> {
        self.put(&Circle::new(at(centre), px(radius) as u32, color.filled()))
    }

    pub fn ring(&self, centre: Point, radius: f64, pen: Pen) -> Result<(), Error> {
        self.dot(centre, radius, PAPER)?;
        self.put(&Circle::new(at(centre), px(radius) as u32, stroke(pen)))
    }

    /// Text whose middle line runs through `y`.
    pub fn text(&self, place: Point, text: &str, lettering: Lettering) -> Result<(), Error> {
        font::check(text, self.figure)?;
        let mut used = self.used.borrow_mut();
        match lettering.weight {
            Weight::Regular => used.regular.extend(text.chars()),
            Weight::Bold => used.bold.extend(text.chars()),
        }
        let mut font = (FAMILY, lettering.size * SVG_FONT_FACTOR * SCALE).into_font().style(style(lettering.weight));
        if lettering.upright {
            font = font.transform(FontTransform::Rotate270);
        }
        let horizontal = match lettering.align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        // The library's own vertical centring differs between its measured and its SVG text, so the base line is set here:
        // half of the height of a capital letter (0.36 em) below the middle, as its `VPos::Bottom` shifts by 0.5 ex (0.27 em).
        let shift = (0.36 + 0.27) * lettering.size;
        let (x, y) = if lettering.upright { (place.0 + shift, place.1) } else { (place.0, place.1 + shift) };
        let style = TextStyle::from(font).color(&lettering.color).pos(Pos::new(horizontal, VPos::Bottom));
        self.put(&Text::new(text.to_owned(), at((x, y)), style))
    }

    fn put<'b, E>(&'b self, element: &'b E) -> Result<(), Error>
    where
        for<'c> &'c E: plotters::element::PointCollection<'c, (i32, i32)>,
        E: for<'c> plotters::element::Drawable<SVGBackend<'c>>,
    {
        self.area.draw(element).map_err(|e| Error::Internal(format!("{}: {e}", self.figure)))
    }
}

/// The drawn parts of a dashed line.
fn dashes(points: &[Point], dash: Dash) -> Vec<Vec<Point>> {
    if dash.is_empty() {
        return vec![points.to_vec()];
    }
    let mut parts = Vec::new();
    let mut part: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut index, mut left) = (0, dash[0]);
    for pair in points.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let here = (from.0 + (to.0 - from.0) * done / length, from.1 + (to.1 - from.1) * done / length);
            part.push(here);
            if index % 2 == 0 {
                parts.push(std::mem::take(&mut part));
            }
            part = vec![here];
            index += 1;
            left = dash[index % dash.len()];
        }
        left -= length - done;
        part.push(to);
    }
    if index % 2 == 0 && part.len() > 1 {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashed_line_turns_corners_and_leaves_its_gaps() {
        let parts = dashes(&[(0.0, 0.0), (3.0, 0.0), (3.0, 3.0)], &[4.0, 1.0]);
        assert_eq!(parts, vec![vec![(0.0, 0.0), (3.0, 0.0), (3.0, 1.0)], vec![(3.0, 2.0), (3.0, 3.0)]]);
    }
}
