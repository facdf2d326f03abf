//! Figures and reports from a golden results file: what they must hold, what they must refuse.

mod figures;
mod golden;
mod pages;
