//! Scores by truth: positive cases upward, negative ones downward, thresholds marked.

use super::axis::Scale;
use super::canvas::{Align, INK, LIGHT, Lettering, Pen};
use super::{Figure, Sheet, csv_line, finish, words};
use crate::analysis::format::{Kind, fmt_value};
use crate::analysis::results::HistogramFigure;
use crate::error::Error;
use crate::protocol::Language;
use plotters::style::RGBColor;

const POSITIVE: RGBColor = RGBColor(0x12, 0x35, 0x5B);
const NEGATIVE: RGBColor = RGBColor(0xE0, 0x9A, 0x4E);
const LEFT: f64 = 62.0;
const TOP: f64 = 66.0;
const WIDTH: f64 = 430.0;
const HEIGHT: f64 = 250.0;

/// `arm` is the arm's name in the report's language.
pub fn draw(figure: &HistogramFigure, arm: &str, language: Language) -> Result<Figure, Error> {
    let bins = figure.edges.len().saturating_sub(1);
    if figure.negative.len() != bins || figure.positive.len() != bins {
        return Err(Error::Internal(format!("{}: {bins} bins, but counts of another number", figure.id)));
    }
    let most = figure.positive.iter().chain(&figure.negative).copied().max().unwrap_or(0).max(1) as f64;
    let xs = Scale::linear(figure.edges.iter().chain(&figure.thresholds).copied());
    let ys = count_scale(most);
    let x = |value: f64| LEFT + xs.place(value) * WIDTH;
    let y = |count: f64| TOP + HEIGHT / 2.0 * (1.0 - count / ys.to);
    // A device gives a case one score; in an arm each reader gives it a rating.
    let counted = if figure.arm == "standalone" { words::CASES } else { words::READINGS }.get(language);
    let arm = if figure.id.contains('.') { format!(" ({arm})") } else { String::new() };
    let title = format!("{}{arm}", words::HISTOGRAM.get(language));
    let (positive, negative) = (words::POSITIVE.get(language), words::NEGATIVE.get(language));
    let totals: [u64; 2] = [figure.positive.iter().sum(), figure.negative.iter().sum()];
    let sheet = Sheet {
        id: &figure.id,
        title: title.clone(),
        description: format!(
            "{} / {}. {positive}: n = {}; {negative}: n = {}.",
            words::SCORE.get(language),
            counted,
            totals[0],
            totals[1]
        ),
        width: LEFT + WIDTH + 24.0,
        height: TOP + HEIGHT + 52.0,
        csv: csv(figure),
    };
    finish(sheet, |canvas| {
        let middle = LEFT + WIDTH / 2.0;
        canvas.text((middle, 18.0), &title, Lettering::new(14.0, Align::Middle).bold())?;
        for (count, text) in &ys.ticks {
            for up in [1.0, -1.0] {
                let at = y(up * count);
                canvas.line(&[(LEFT, at), (LEFT + WIDTH, at)], Pen::solid(LIGHT, 0.4))?;
                canvas.text((LEFT - 7.0, at), text, Lettering::new(10.5, Align::Right))?;
                if *count == 0.0 {
                    break;
                }
            }
        }
        for i in 0..bins {
            let (from, to) = (x(figure.edges[i]) + 0.4, x(figure.edges[i + 1]) - 0.4);
            if figure.positive[i] > 0 {
                canvas.rect((from, y(figure.positive[i] as f64)), (to, y(0.0)), POSITIVE)?;
            }
            if figure.negative[i] > 0 {
                canvas.rect((from, y(0.0)), (to, y(-(figure.negative[i] as f64))), NEGATIVE)?;
            }
        }
        canvas.line(&[(LEFT, y(0.0)), (LEFT + WIDTH, y(0.0))], Pen::solid(INK, 0.9))?;
        canvas.frame((LEFT, TOP), (LEFT + WIDTH, TOP + HEIGHT), Pen::solid(INK, 0.9))?;
        for (value, text) in &xs.ticks {
            canvas.line(&[(x(*value), TOP + HEIGHT), (x(*value), TOP + HEIGHT + 4.0)], Pen::solid(INK, 0.8))?;
            canvas.text((x(*value), TOP + HEIGHT + 13.0), text, Lettering::new(10.5, Align::Middle))?;
        }
        for &threshold in &figure.thresholds {
            let at = x(threshold);
            canvas.line(&[(at, TOP - 4.0), (at, TOP + HEIGHT)], Pen { color: INK, width: 1.2, dash: &[4.0, 3.0] })?;
            let text = format!("{} {}", words::THRESHOLD.get(language), fmt_value(Kind::Plain, threshold));
            let align = if at > middle { Align::Right } else { Align::Left };
            canvas.text((at, TOP - 12.0), &text, Lettering::new(10.0, align))?;
        }
        for (i, (color, text, n)) in
            [(POSITIVE, positive, totals[0]), (NEGATIVE, negative, totals[1])].into_iter().enumerate()
        {
            let left = LEFT + 210.0 * i as f64;
            canvas.rect((left, 33.0), (left + 12.0, 43.0), color)?;
            canvas.text((left + 18.0, 38.0), &format!("{text} (n = {n})"), Lettering::new(11.0, Align::Left))?;
        }
        canvas.text((middle, TOP + HEIGHT + 35.0), words::SCORE.get(language), Lettering::new(12.0, Align::Middle))?;
        let beside = (16.0, TOP + HEIGHT / 2.0);
        canvas.text(beside, counted, Lettering::new(12.0, Align::Middle).upright())
    })
}

/// Whole-number ticks from 0.
fn count_scale(most: f64) -> Scale {
    let mut scale = Scale::linear([0.0, most * 2.0]);
    let step = (scale.ticks.get(1).map_or(1.0, |t| t.0)).max(1.0).round();
    let last = (most / step).ceil() as u32;
    scale.to = step * f64::from(last);
    scale.ticks = (0..=last).map(|i| (step * f64::from(i), fmt_value(Kind::Count, step * f64::from(i)))).collect();
    scale
}

fn csv(figure: &HistogramFigure) -> String {
    let mut out = csv_line(&["figure", "arm", "from", "to", "truth_positive", "truth_negative"]);
    for (edges, (positive, negative)) in figure.edges.windows(2).zip(figure.positive.iter().zip(&figure.negative)) {
        let numbers = [edges[0].to_string(), edges[1].to_string(), positive.to_string(), negative.to_string()];
        out += &csv_line(&[&figure.id, &figure.arm, &numbers[0], &numbers[1], &numbers[2], &numbers[3]]);
    }
    out
}
