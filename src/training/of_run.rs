//! The settings of a run that its next step goes by, out of its own words on what it was made from.

use super::settings::TrainSettings;
use toml::{Table, Value};

/// Those settings, as `config.toml` names them. The others, such as the seed, are the loop's, or those of
/// the program that wrote them.
const OF_STEPS: [&str; 19] = [
    "optimizer",
    "learning_rate",
    "weight_decay",
    "momentum",
    "nesterov",
    "clip_norm",
    "global_clip_norm",
    "clip_value",
    "schedule",
    "warmup_steps",
    "warmup_target",
    "decay_steps",
    "decay_rate",
    "alpha",
    "pieces",
    "plateau_factor",
    "plateau_patience",
    "plateau_min_delta",
    "label_smoothing",
];

impl TrainSettings {
    /// Reads what a step goes by, the optimizer, the schedule and the label smoothing, from a run's
    /// `config.toml`; all else is the default's.
    ///
    /// # Errors
    /// What TOML says, if this is none, or a setting is not of its kind.
    pub fn of_steps(config: &str) -> Result<TrainSettings, toml::de::Error> {
        let config: Table = toml::from_str(config)?;
        let mut settings = config.get("settings").and_then(Value::as_table).cloned().unwrap_or_default();
        settings.retain(|key, _| OF_STEPS.contains(&key));
        settings.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_loop_or_of_the_program_is_passed_over() {
        let config = "version = '1'\n[settings]\nlearning_rate = 0.25\nmomentum = 0.5\nseed = 7\nimage_size = '128'\n";
        let settings = TrainSettings::of_steps(config).unwrap();
        assert_eq!(settings, TrainSettings { learning_rate: 0.25, momentum: 0.5, ..TrainSettings::default() });
        assert_eq!(TrainSettings::of_steps("").unwrap(), TrainSettings::default());
        assert!(TrainSettings::of_steps("[settings]\nlearning_rate = 'high'").is_err());
        assert!(TrainSettings::of_steps("no TOML").is_err());
    }
}
