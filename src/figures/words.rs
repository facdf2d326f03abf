//! Titles and axis names in both languages.

use crate::protocol::Language;

/// One text in both languages.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    pub en: &'static str,
    pub ko: &'static str,
}

impl Words {
    pub fn get(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Ko => self.ko,
        }
    }
}

const fn words(en: &'static str, ko: &'static str) -> Words {
    Words { en, ko }
}

pub const ROC: Words = words("ROC curves by arm", "비교군별 ROC 곡선");
pub const ROC_DEVICE: Words = words("ROC curve of the device alone", "기기 단독 ROC 곡선");
pub const ROC_READER: Words = words("ROC curves by reader", "판독자별 ROC 곡선");
pub const FPR: Words = words("1 − specificity", "1 − 특이도");
pub const TPR: Words = words("Sensitivity", "민감도");
pub const READER_POINT: Words = words("reader at the action threshold", "판정 기준값에서의 판독자");
pub const DEVICE_POINT: Words = words("device operating point", "기기 작동점");
pub const FOREST: Words = words("Difference by reader", "판독자별 차이");
pub const FOREST_RATIO: Words = words("Ratios with their intervals", "비와 신뢰구간");
pub const FOREST_SUB: Words = words("Estimates by subgroup", "하위군별 추정치");
pub const HISTOGRAM: Words = words("Distribution of scores by truth", "참조표준별 점수 분포");
pub const SCORE: Words = words("Score", "점수");
pub const CASES: Words = words("Number of cases", "증례 수");
pub const READINGS: Words = words("Number of readings", "판독 건수");
pub const POSITIVE: Words = words("truth positive", "참조표준 양성");
pub const NEGATIVE: Words = words("truth negative", "참조표준 음성");
pub const THRESHOLD: Words = words("threshold", "기준값");
pub const DEVICE: Words = words("device alone", "기기 단독");
pub const FROC: Words = words("FROC curve", "FROC 곡선");
pub const FPPI: Words = words("False positives per image, all images", "영상당 위양성 수(전체 영상)");
pub const LESION_SENSITIVITY: Words = words("Lesion sensitivity", "병변 민감도");
