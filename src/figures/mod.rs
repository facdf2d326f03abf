//! The figures of `results.json` as SVG that looks the same on every machine, with a text alternative and the data behind it.
//!
//! Everything drawn comes from [`Results::figures`]; nothing is estimated here. Text stays text: the report font is embedded,
//! cut down to the characters used.

mod axis;
mod canvas;
pub mod font;
mod forest;
mod froc;
mod histogram;
mod labels;
mod roc;
mod words;

use crate::analysis::results::Results;
use crate::error::Error;
use crate::protocol::Language;
use font::Weight;

/// One figure in one language.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// `F-ROC`; the readers' panels share `F-ROCR`.
    pub id: String,
    pub title: String,
    /// Alternative text: what is drawn, with its numbers.
    pub description: String,
    /// SVG without a font of its own, for a page that embeds it.
    pub inline: String,
    /// SVG that stands alone.
    pub svg: String,
    /// The series behind it, language-neutral.
    pub csv: String,
}

/// Every figure that the results hold, in the order ROC, ROC by reader, forest, histogram, FROC.
pub fn draw_all(results: &Results, language: Language) -> Result<Vec<Figure>, Error> {
    let figures = &results.figures;
    let mut all = Vec::new();
    let (by_reader, overall): (Vec<_>, Vec<_>) = figures.roc.iter().partition(|f| f.id.starts_with("F-ROCR."));
    for figure in overall {
        all.push(roc::draw(figure, language)?);
    }
    if !by_reader.is_empty() {
        all.push(roc::draw_by_reader(&by_reader, language)?);
    }
    for figure in &figures.forest {
        all.push(forest::draw(figure, language)?);
    }
    for figure in &figures.histogram {
        all.push(histogram::draw(figure, arm_name(results, &figure.arm, language), language)?);
    }
    for figure in &figures.froc {
        all.push(froc::draw(figure, language)?);
    }
    Ok(all)
}

/// The arm's name as the ROC curves carry it.
fn arm_name<'a>(results: &'a Results, arm: &'a str, language: Language) -> &'a str {
    let curve = results.figures.roc.iter().flat_map(|f| &f.curves).find(|c| c.arm == arm);
    match curve {
        Some(curve) => pick(&curve.label_en, &curve.label_ko, language),
        None if arm == "standalone" => words::DEVICE.get(language),
        None => arm,
    }
}

/// Files to write: `F-ROC.en.svg` and `F-ROC.csv`, and so on for each figure.
pub fn render_all(results: &Results, language: Language) -> Result<Vec<(String, String)>, Error> {
    let suffix = match language {
        Language::En => "en",
        Language::Ko => "ko",
    };
    let files = draw_all(results, language)?.into_iter().flat_map(|figure| {
        let name = file_name(&figure.id);
        [(format!("{name}.{suffix}.svg"), figure.svg), (format!("{name}.csv"), figure.csv)]
    });
    Ok(files.collect())
}

/// An id as part of a file name or of an SVG id: letters, digits, `.`, `-` and `_` stay.
fn file_name(id: &str) -> String {
    id.chars().map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect()
}

/// What the figure modules hand over for the frame around their drawing.
struct Sheet<'a> {
    id: &'a str,
    title: String,
    description: String,
    width: f64,
    height: f64,
    csv: String,
}

fn finish(sheet: Sheet, paint: impl FnOnce(&canvas::Canvas) -> Result<(), Error>) -> Result<Figure, Error> {
    let (body, used) = canvas::draw(sheet.id, sheet.width, sheet.height, paint)?;
    let mark = file_name(sheet.id);
    let open = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{}\" width=\"{}\" height=\"{}\" role=\"img\" \
         aria-labelledby=\"{mark}-title {mark}-desc\">\n<title id=\"{mark}-title\">{}</title>\n<desc id=\"{mark}-desc\">{}</desc>\n",
        canvas::view_box(sheet.width, sheet.height),
        sheet.width,
        sheet.height,
        escape(&sheet.title),
        escape(&sheet.description)
    );
    let mut faces = font::face(Weight::Regular, &used.regular)?;
    if !used.bold.is_empty() {
        faces.push_str(&font::face(Weight::Bold, &used.bold)?);
    }
    Ok(Figure {
        id: sheet.id.to_owned(),
        inline: format!("{open}{body}\n</svg>\n"),
        svg: format!("{open}<style>{faces}</style>\n{body}\n</svg>\n"),
        title: sheet.title,
        description: sheet.description,
        csv: sheet.csv,
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// One line of CSV, quoted where needed.
fn csv_line<S: AsRef<str>>(fields: &[S]) -> String {
    let quoted = fields.iter().map(|field| {
        let field = field.as_ref();
        if field.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.to_owned()
        }
    });
    format!("{}\n", quoted.collect::<Vec<_>>().join(","))
}

fn pick<'a>(en: &'a str, ko: &'a str, language: Language) -> &'a str {
    match language {
        Language::En => en,
        Language::Ko => ko,
    }
}
