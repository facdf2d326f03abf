//! Which method fits which measure. A pair that stands nowhere here is refused when the protocol is read.

use super::{AgreementForm, Covariance, Measure, Method, Subject};

/// Whether `method` gives an interval for `measure` of `subject`, for one arm or (`comparing`) for a difference of two.
pub fn fits(measure: Measure, method: Method, subject: Subject, comparing: bool) -> bool {
    methods(measure, subject, comparing).contains(&method)
}

/// Every method that fits, the usual one first. Empty: the measure itself does not fit the subject.
pub fn methods(measure: Measure, subject: Subject, comparing: bool) -> &'static [Method] {
    match (subject, comparing) {
        (Subject::Device, false) => of_the_device(measure),
        // A device has one arm; two devices are two studies.
        (Subject::Device, true) => &[],
        (Subject::Readers, comparing) => of_readers(measure, comparing),
    }
}

fn of_the_device(measure: Measure) -> &'static [Method] {
    use Measure as M;
    use Method::{
        AgrestiCoull, Asymptotic, BootstrapBasic, BootstrapBca, BootstrapPercentile, BootstrapStudentised,
        ClopperPearson, Delong, Jeffreys, Log, Logit, MidP, ObuchowskiClustered, Wilson,
    };
    match measure {
        M::Auc => &[
            Delong,
            Logit,
            ObuchowskiClustered,
            BootstrapBca,
            BootstrapPercentile,
            BootstrapBasic,
            BootstrapStudentised,
        ],
        M::PartialAuc
        | M::SensitivityAtSpecificity
        | M::SpecificityAtSensitivity
        | M::ExpectedUtility
        | M::BinormalAuc
        | M::ProperBinormalAuc
        | M::FrocSensitivity
        | M::WafrocAuc => &[BootstrapBca, BootstrapPercentile, BootstrapBasic],
        M::Sensitivity | M::Specificity | M::Ppv | M::Npv | M::Accuracy => &[
            ClopperPearson,
            Wilson,
            AgrestiCoull,
            Jeffreys,
            MidP,
            Logit,
            ObuchowskiClustered,
            BootstrapBca,
            BootstrapPercentile,
            BootstrapBasic,
        ],
        M::LikelihoodRatioPositive | M::LikelihoodRatioNegative | M::DiagnosticOddsRatio => {
            &[Log, BootstrapBca, BootstrapPercentile, BootstrapBasic]
        }
        // Agreement of the device's call with a truth that is no reference standard.
        M::Kappa | M::GwetAc1 => &[Asymptotic, BootstrapBca, BootstrapPercentile, BootstrapBasic],
        M::OddsRatio
        | M::Discordance
        | M::WeightedKappa
        | M::FleissKappa
        | M::KrippendorffAlpha
        | M::Icc
        | M::LimitsOfAgreement
        | M::LinCcc => &[],
    }
}

/// Of one arm, or of the difference of two; figures of merit have the same methods for both.
fn of_readers(measure: Measure, comparing: bool) -> &'static [Method] {
    use Measure as M;
    use Method::{
        Asymptotic, BootstrapBasic, BootstrapPercentile, ConditionalLogistic, DorfmanBerbaumMetz, Exact, ExactMcnemar,
        FDistribution, Firth, GeeExchangeable, GeeIndependence, Glmm, Jackknife, MantelHaenszel, MidPMcnemar,
        ObuchowskiRockette, UStatistic,
    };
    match (measure, comparing) {
        (M::Auc, _) => &[ObuchowskiRockette, DorfmanBerbaumMetz, UStatistic, BootstrapPercentile, BootstrapBasic],
        (
            M::Sensitivity
            | M::Specificity
            | M::PartialAuc
            | M::SensitivityAtSpecificity
            | M::SpecificityAtSensitivity
            | M::ExpectedUtility
            | M::BinormalAuc
            | M::ProperBinormalAuc,
            _,
        ) => &[ObuchowskiRockette, DorfmanBerbaumMetz, BootstrapPercentile, BootstrapBasic],
        (M::FrocSensitivity | M::WafrocAuc, _) => &[ObuchowskiRockette, BootstrapPercentile, BootstrapBasic],
        (M::OddsRatio, true) => &[
            Glmm,
            GeeIndependence,
            GeeExchangeable,
            ConditionalLogistic,
            Firth,
            MantelHaenszel,
            BootstrapPercentile,
            BootstrapBasic,
        ],
        (M::Discordance, true) => &[ExactMcnemar, MidPMcnemar],
        (M::LimitsOfAgreement, true) => &[Asymptotic],
        (M::LimitsOfAgreement, false) => &[Asymptotic, Exact],
        (M::Kappa | M::WeightedKappa | M::FleissKappa | M::GwetAc1 | M::LinCcc, false) => {
            &[Asymptotic, BootstrapPercentile, BootstrapBasic]
        }
        (M::KrippendorffAlpha, false) => &[Jackknife, BootstrapPercentile, BootstrapBasic],
        (M::Icc, false) => &[FDistribution, BootstrapPercentile, BootstrapBasic],
        // The odds ratio and discordance need two arms, agreement is within one; ratios and predictive values have no
        // reader-study method here.
        (M::OddsRatio | M::Discordance, false)
        | (
            M::Kappa | M::WeightedKappa | M::FleissKappa | M::GwetAc1 | M::LinCcc | M::KrippendorffAlpha | M::Icc,
            true,
        )
        | (
            M::LikelihoodRatioPositive
            | M::LikelihoodRatioNegative
            | M::DiagnosticOddsRatio
            | M::Accuracy
            | M::Ppv
            | M::Npv,
            _,
        ) => &[],
    }
}

/// The forms that a measure of agreement comes in, one of which the protocol declares; empty where there is one only.
pub fn forms(measure: Measure) -> &'static [AgreementForm] {
    use AgreementForm as F;
    match measure {
        Measure::WeightedKappa => &[F::Linear, F::Quadratic],
        Measure::KrippendorffAlpha => &[F::Nominal, F::Ordinal, F::Interval, F::Ratio],
        Measure::Icc => {
            &[F::OneWay, F::Agreement, F::Consistency, F::OneWayAverage, F::AgreementAverage, F::ConsistencyAverage]
        }
        _ => &[],
    }
}

/// Whether the covariances of `measure` can be estimated so: the two closed forms are those of means of kernels over
/// cases or pairs of cases, the jackknife serves any figure of merit, the bootstrap of cases any but those over marks.
pub fn covariance_fits(measure: Measure, covariance: Covariance) -> bool {
    match covariance {
        Covariance::Jackknife => true,
        Covariance::Bootstrap => !measure.needs_marks(),
        Covariance::Unbiased | Covariance::Delong => {
            matches!(measure, Measure::Auc | Measure::Sensitivity | Measure::Specificity)
        }
    }
}

impl Method {
    pub fn is_bootstrap(self) -> bool {
        matches!(
            self,
            Self::BootstrapPercentile | Self::BootstrapBasic | Self::BootstrapBca | Self::BootstrapStudentised
        )
    }
}

impl Measure {
    /// Made from positive and negative calls, so that a threshold decides it.
    pub fn needs_calls(self) -> bool {
        matches!(
            self,
            Self::Sensitivity
                | Self::Specificity
                | Self::Ppv
                | Self::Npv
                | Self::Accuracy
                | Self::LikelihoodRatioPositive
                | Self::LikelihoodRatioNegative
                | Self::DiagnosticOddsRatio
                | Self::OddsRatio
                | Self::Discordance
        )
    }

    /// Made from marks that are held against lesions.
    pub fn needs_marks(self) -> bool {
        matches!(self, Self::FrocSensitivity | Self::WafrocAuc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::schema::{MEASURES, METHODS};

    /// A word that no protocol can use is a promise that nobody keeps.
    #[test]
    fn every_method_fits_some_measure_and_every_measure_has_a_method() {
        let measures: Vec<Measure> =
            MEASURES.iter().map(|word| serde_json::from_value((*word).into()).unwrap()).collect();
        let of = |measure: Measure| -> Vec<Method> {
            let asked = [(Subject::Device, false), (Subject::Readers, false), (Subject::Readers, true)];
            asked.iter().flat_map(|&(subject, comparing)| methods(measure, subject, comparing)).copied().collect()
        };
        for word in METHODS {
            let method: Method = serde_json::from_value((*word).into()).unwrap();
            assert!(measures.iter().any(|&measure| of(measure).contains(&method)), "{word}");
        }
        for measure in measures {
            assert!(!of(measure).is_empty(), "{measure:?}");
        }
    }
}
