//! The optimizer that the settings ask for: written there as single values, and here checked to fit together.

use super::names::OptimizerName;
use super::settings::TrainSettings;
use crate::optim::{AdamConstants, Clipping, OptimizerSettings, Rule};
use crate::{Error, Result};

impl TrainSettings {
    /// Returns the optimizer's settings: Keras's, but for what is set here.
    ///
    /// # Errors
    /// [`Error::Setting`] of a value that is none, such as a negative norm, and of two that do not go
    /// together, such as Adam with a momentum.
    pub fn optimizer(&self) -> Result<OptimizerSettings> {
        let TrainSettings { learning_rate, weight_decay, .. } = *self;
        check("learning_rate", learning_rate, learning_rate >= 0.0, "at least 0")?;
        check("weight_decay", weight_decay, weight_decay >= 0.0, "at least 0")?;
        Ok(OptimizerSettings { learning_rate, weight_decay, rule: self.rule()?, clipping: self.clipping()? })
    }

    /// Checks the share that label smoothing spreads.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check_label_smoothing(&self) -> Result<()> {
        let smoothing = self.label_smoothing;
        check("label_smoothing", smoothing, (0.0..1.0).contains(&smoothing), "at least 0 and below 1")
    }

    fn rule(&self) -> Result<Rule> {
        let TrainSettings { momentum, nesterov, .. } = *self;
        check("momentum", momentum, (0.0..1.0).contains(&momentum), "at least 0 and below 1")?;
        match self.optimizer {
            OptimizerName::Adam if momentum != 0.0 => Err(Error::setting("momentum", OF_SGD)),
            OptimizerName::Adam if nesterov => Err(Error::setting("nesterov", OF_SGD)),
            OptimizerName::Adam => Ok(Rule::Adam(AdamConstants::default())),
            OptimizerName::Sgd if nesterov && momentum == 0.0 => {
                Err(Error::setting("nesterov", "it is a form of momentum, and that is 0; set a momentum, 0.9 is usual"))
            }
            OptimizerName::Sgd => Ok(Rule::Sgd { momentum, nesterov }),
        }
    }

    fn clipping(&self) -> Result<Clipping> {
        let bounds = [
            ("clip_norm", self.clip_norm, Clipping::Norm as fn(f64) -> Clipping),
            ("global_clip_norm", self.global_clip_norm, Clipping::GlobalNorm),
            ("clip_value", self.clip_value, Clipping::Value),
        ];
        let mut clipping = Clipping::None;
        for (name, bound, make) in bounds {
            let Some(bound) = bound else { continue };
            check(name, bound, bound > 0.0, "above 0")?;
            if clipping != Clipping::None {
                let reason = "gradients are clipped in one way, and another is set too; leave one out";
                return Err(Error::setting(name, reason));
            }
            clipping = make(bound);
        }
        Ok(clipping)
    }
}

/// What Adam has no use for.
const OF_SGD: &str = "it belongs to the optimizer sgd, and this is adam; leave it out, or take sgd";

/// Refuses a value that is none.
pub(super) fn check(name: &str, value: f64, is_right: bool, wanted: &str) -> Result<()> {
    // What is zero or infinite in the engine's f32 cannot work.
    match is_right && (value as f32).is_finite() && (value == 0.0) == (value as f32 == 0.0) {
        true => Ok(()),
        false => Err(Error::value(name, value, format!("it must be a number {wanted}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(settings: TrainSettings) -> String {
        settings.optimizer().unwrap_err().to_string()
    }

    #[test]
    fn the_default_is_kerass_adam_and_single_values_make_the_others() {
        assert_eq!(TrainSettings::default().optimizer().unwrap(), OptimizerSettings::default());
        let settings = TrainSettings {
            optimizer: OptimizerName::Sgd,
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: true,
            clip_value: Some(0.5),
            ..TrainSettings::default()
        };
        let rule = Rule::Sgd { momentum: 0.9, nesterov: true };
        let expected =
            OptimizerSettings { learning_rate: 0.1, rule, weight_decay: 0.0, clipping: Clipping::Value(0.5) };
        assert_eq!(settings.optimizer().unwrap(), expected);
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused_by_name() {
        let of_adam = TrainSettings { momentum: 0.9, ..TrainSettings::default() };
        assert_eq!(refused(of_adam), format!("momentum: {OF_SGD}"));
        let sgd = TrainSettings { optimizer: OptimizerName::Sgd, ..TrainSettings::default() };
        let plain = refused(TrainSettings { nesterov: true, ..sgd.clone() });
        assert!(plain.starts_with("nesterov: it is a form of momentum, and that is 0"), "{plain}");
        let two = refused(TrainSettings { clip_norm: Some(1.0), clip_value: Some(1.0), ..sgd.clone() });
        assert!(two.starts_with("clip_value: gradients are clipped in one way"), "{two}");
        for bound in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-60] {
            let error = refused(TrainSettings { global_clip_norm: Some(bound), ..sgd.clone() });
            assert!(error.starts_with("global_clip_norm") && error.contains("above 0"), "{error}");
        }
        assert!(refused(TrainSettings { momentum: 1.0, ..sgd }).contains("at least 0 and below 1"));
    }
}
