//! Marks after matching, and the FROC curve: lesion sensitivity against false marks per image.
//!
//! Which mark hits which lesion is [`super::matching`]'s; figures of merit over marks are [`super::location`]'s.

use crate::stats::{Estimable, NotEstimable};

/// One case after matching. Scores only: places have done their work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matched {
    /// Per lesion: score of the mark that hit it, `None` = missed.
    pub hits: Vec<Option<f64>>,
    /// Weight of each lesion.
    pub weights: Vec<f64>,
    pub false_marks: Vec<f64>,
    /// Further marks on lesions already found.
    pub ignored: usize,
}

/// The empirical free-response curve (Bunch et al. 1978; Chakraborty 1989).
#[derive(Debug, Clone, PartialEq)]
pub struct Froc {
    /// All images, with or without lesions and marks: the denominator of the x axis.
    pub images: usize,
    pub lesions: usize,
    /// From the strictest threshold down; ties are one operating point.
    pub points: Vec<FrocPoint>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrocPoint {
    pub threshold: f64,
    /// False marks with score >= threshold, over all images.
    pub fp_per_image: f64,
    /// Lesions hit with score >= threshold, over all lesions (pooled).
    pub sensitivity: f64,
    pub hits: usize,
}

impl Froc {
    /// The most lesions found at no more than `fp_per_image` false marks an image, and the operating point that does so.
    /// `None` where even the strictest threshold has more false marks: sensitivity 0 there, by marking nothing.
    pub fn at(&self, fp_per_image: f64) -> Option<FrocPoint> {
        self.points.iter().rev().find(|p| p.fp_per_image <= fp_per_image).copied()
    }
}

/// The FROC curve of `cases` (all images of the set, those without lesions included). O(m log m) in the number of marks.
pub fn froc(cases: &[&Matched]) -> Estimable<Froc> {
    let lesions: usize = cases.iter().map(|c| c.hits.len()).sum();
    if lesions == 0 {
        return Err(NotEstimable::new(
            "no-lesion",
            format!("lesion sensitivity needs a lesion: {} images, 0 lesions", cases.len()),
        ));
    }
    let mut scores: Vec<(f64, bool)> = Vec::new();
    for case in cases {
        scores.extend(case.hits.iter().flatten().map(|&s| (s, true)));
        scores.extend(case.false_marks.iter().map(|&s| (s, false)));
    }
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points = Vec::new();
    let (mut hits, mut false_marks) = (0usize, 0usize);
    for (index, &(score, hit)) in scores.iter().enumerate() {
        if hit {
            hits += 1;
        } else {
            false_marks += 1;
        }
        if scores.get(index + 1).is_none_or(|next| next.0 < score) {
            points.push(FrocPoint {
                threshold: score,
                fp_per_image: false_marks as f64 / cases.len() as f64,
                sensitivity: hits as f64 / lesions as f64,
                hits,
            });
        }
    }
    Ok(Froc { images: cases.len(), lesions, points })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(hits: &[Option<f64>], false_marks: &[f64]) -> Matched {
        Matched { hits: hits.to_vec(), weights: vec![1.0; hits.len()], false_marks: false_marks.to_vec(), ignored: 0 }
    }

    /// Fault T13: four patients with five lesions; normals change the axis, and only in the way that the axis says.
    #[test]
    fn normals_enter_the_denominator() {
        let base = [
            case(&[Some(0.9), Some(0.8)], &[0.85]),
            case(&[Some(0.5)], &[0.45]),
            case(&[None], &[0.3]),
            case(&[None], &[0.2]),
        ];
        let read = |cases: &[Matched]| -> Vec<f64> {
            let all: Vec<&Matched> = cases.iter().collect();
            let curve = froc(&all).unwrap();
            [0.125, 0.25, 0.5, 1.0].iter().map(|&x| curve.at(x).map_or(0.0, |p| p.sensitivity)).collect()
        };
        assert_eq!(read(&base), [0.2, 0.6, 0.6, 0.6]);
        let mut noisy = base.to_vec();
        noisy.extend([0.88, 0.7, 0.6, 0.55].map(|s| case(&[], &[s])));
        assert_eq!(read(&noisy), [0.2, 0.4, 0.4, 0.6]);
        let mut clean = base.to_vec();
        clean.extend((0..4).map(|_| case(&[], &[])));
        assert_eq!(read(&clean), [0.6, 0.6, 0.6, 0.6]);
    }

    #[test]
    fn no_lesion_is_not_estimable() {
        let none = [case(&[], &[0.7])];
        let all: Vec<&Matched> = none.iter().collect();
        assert_eq!(froc(&all).unwrap_err().code, "no-lesion");
    }
}
