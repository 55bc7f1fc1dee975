//! The learning rate of each step: the schedule that the settings ask for, and where a training stands in it.

use super::names::ScheduleName;
use super::optimizer::check;
use super::records::{EpochRecord, monitored};
use super::settings::TrainSettings;
use crate::optim::{Plateau, Schedule};
use crate::{Error, Result};

/// A number of a schedule: its name, its value, whether a value is right, the values wanted, and the
/// schedules that have it.
type Number<'a> = (&'a str, Option<f64>, fn(f64) -> bool, &'a str, &'a [ScheduleName]);

/// The factor of a stair; where Keras wants one given, PyTorch has this.
const STAIR: f64 = 0.1;

/// The stairs of a run that does not say how long they are: a tenth of the rate after a third of the epochs
/// and again after two, as in K. He, X. Zhang, S. Ren and J. Sun, *Deep Residual Learning for Image
/// Recognition*, 2016.
const STAIRS: u64 = 3;

/// Keras's numbers of a plateau.
const PLATEAU: Plateau = Plateau { factor: 0.1, patience: 10, min_delta: 1e-4 };

impl TrainSettings {
    /// Returns these settings with the number of a schedule's steps, if it is not set: a cosine falls in
    /// those that its warm-up leaves of the whole run, and a staircase has three stairs in it. What goes on
    /// with more epochs and the same schedule takes the settings that this returned.
    ///
    /// # Errors
    /// [`Error::Setting`] of a warm-up that leaves no step.
    pub fn with_steps_per_epoch(&self, steps: usize) -> Result<TrainSettings> {
        let run = self.epochs as u64 * steps as u64;
        let decay_steps = match self.schedule {
            _ if self.decay_steps.is_some() => self.decay_steps,
            ScheduleName::Cosine => Some(self.cosine_of(run)?),
            ScheduleName::Staircase => Some(run.div_ceil(STAIRS).max(1)),
            _ => None,
        };
        Ok(TrainSettings { decay_steps, ..self.clone() })
    }

    /// Returns the steps of a run that are left to a cosine.
    fn cosine_of(&self, run: u64) -> Result<u64> {
        match (self.warmup_steps.unwrap_or(0), run) {
            (0, run) => Ok(run.max(1)),
            (warmup, run) if warmup < run => Ok(run - warmup),
            (warmup, run) => {
                let reason = format!(
                    "the run has {run} steps in all, so nothing is left for the cosine; give fewer, or more epochs"
                );
                Err(Error::value("warmup_steps", warmup as f64, reason))
            }
        }
    }

    /// Checks all of the schedule that does not depend on the run's length.
    ///
    /// # Errors
    /// Those of [`TrainSettings::schedule`], but for [`decay_steps`](TrainSettings::decay_steps) that are not
    /// set.
    pub fn check_schedule(&self) -> Result<()> {
        let any = matches!(self.schedule, ScheduleName::Cosine | ScheduleName::Staircase).then_some(1);
        TrainSettings { decay_steps: self.decay_steps.or(any), ..self.clone() }.schedule().map(|_| ())
    }

    /// Returns the schedule of the learning rate.
    ///
    /// # Errors
    /// [`Error::Setting`] of a number that the schedule needs and that is not set, of one that is set and not
    /// used, and of one that makes no sense.
    pub fn schedule(&self) -> Result<Schedule> {
        self.check_schedule_numbers()?;
        match self.schedule {
            ScheduleName::Constant => Ok(Schedule::Constant),
            ScheduleName::Cosine => Ok(Schedule::Cosine {
                decay_steps: self.needed("decay_steps", self.decay_steps)?,
                alpha: self.alpha.unwrap_or(0.0),
                warmup: match (self.warmup_steps, self.warmup_target) {
                    (None, None) => None,
                    (Some(steps), None) => Some((steps, self.learning_rate)),
                    (steps, Some(target)) => Some((self.needed("warmup_steps", steps)?, target)),
                },
            }),
            ScheduleName::Staircase => Ok(Schedule::Staircase {
                decay_steps: self.needed("decay_steps", self.decay_steps)?,
                decay_rate: self.decay_rate.unwrap_or(STAIR),
            }),
            ScheduleName::Piecewise => {
                let pieces = self.needed("pieces", (!self.pieces.is_empty()).then_some(&self.pieces))?;
                match pieces.is_sorted_by(|a, b| a.after < b.after) {
                    true => Ok(Schedule::Piecewise(pieces.iter().map(|p| (p.after, p.learning_rate)).collect())),
                    false => Err(Error::setting("pieces", "their steps must rise, as in 100:0.001,200:0.0001")),
                }
            }
            ScheduleName::Plateau => Ok(Schedule::Plateau(Plateau {
                factor: self.plateau_factor.unwrap_or(PLATEAU.factor),
                patience: self.plateau_patience.unwrap_or(PLATEAU.patience),
                min_delta: self.plateau_min_delta.unwrap_or(PLATEAU.min_delta),
            })),
        }
    }

    /// A number that the schedule cannot do without.
    fn needed<T>(&self, name: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| {
            let reason = match name {
                "warmup_steps" => "a warm-up has steps, and only its target is set".to_string(),
                _ => format!("the schedule {} needs it", self.schedule.name()),
            };
            Error::setting(name, reason)
        })
    }

    /// Checks the numbers that are set, each by itself, and whether the schedule is one that has them.
    fn check_schedule_numbers(&self) -> Result<()> {
        use ScheduleName::{Cosine, Piecewise, Plateau, Staircase};
        let count = |count: Option<u64>| count.map(|count| count as f64);
        let positive: fn(f64) -> bool = |value| value > 0.0;
        let share: fn(f64) -> bool = |value| (0.0..=1.0).contains(&value);
        let below_1: fn(f64) -> bool = |value| value > 0.0 && value < 1.0;
        let not_negative: fn(f64) -> bool = |value| value >= 0.0;
        let patience = self.plateau_patience.map(|epochs| epochs as f64);
        let pieces = self.pieces.iter().map(|piece| piece.learning_rate).reduce(f64::min);
        let numbers: [Number; 9] = [
            ("warmup_steps", count(self.warmup_steps), positive, "above 0", &[Cosine]),
            ("warmup_target", self.warmup_target, positive, "above 0", &[Cosine]),
            ("decay_steps", count(self.decay_steps), positive, "above 0", &[Cosine, Staircase]),
            ("decay_rate", self.decay_rate, positive, "above 0", &[Staircase]),
            ("alpha", self.alpha, share, "from 0 to 1", &[Cosine]),
            ("pieces", pieces, positive, "above 0", &[Piecewise]),
            ("plateau_factor", self.plateau_factor, below_1, "above 0 and below 1", &[Plateau]),
            ("plateau_patience", patience, positive, "above 0", &[Plateau]),
            ("plateau_min_delta", self.plateau_min_delta, not_negative, "at least 0", &[Plateau]),
        ];
        for (name, value, is_right, wanted, schedules) in numbers {
            let Some(value) = value else { continue };
            check(name, value, is_right(value), wanted)?;
            if !schedules.contains(&self.schedule) {
                let names: Vec<&str> = schedules.iter().map(|schedule| schedule.name()).collect();
                let (names, set) = (names.join(" or "), self.schedule.name());
                let reason =
                    format!("it belongs to the schedule {names}, and this is {set}; leave it out, or take that");
                return Err(Error::setting(name, reason));
            }
        }
        Ok(())
    }

    /// Returns the learning rate of the first step: 0 if a warm-up has no target of its own.
    fn initial_learning_rate(&self) -> f64 {
        match (self.warmup_steps, self.warmup_target) {
            (Some(_), None) => 0.0,
            _ => self.learning_rate,
        }
    }

    /// Returns the largest learning rate that a step may have.
    pub fn largest_learning_rate(&self) -> f64 {
        let rates = self.pieces.iter().map(|piece| piece.learning_rate);
        rates.chain(self.warmup_target).fold(self.learning_rate, f64::max)
    }
}

/// The learning rates of a training, as far as it has come.
#[derive(Clone, Debug)]
pub struct LearningRates {
    schedule: Schedule,
    initial: f64,
    /// Of a plateau, the rates behind each epoch that has ended.
    after: Vec<f64>,
}

impl LearningRates {
    /// The rates of a training of which these epochs have ended. A plateau goes by their `val_loss`, or by
    /// `loss` where there is no validation part, and by nothing else that would have to be kept.
    ///
    /// # Errors
    /// Those of [`TrainSettings::schedule`].
    pub fn new(settings: &TrainSettings, history: &[EpochRecord]) -> Result<LearningRates> {
        let (schedule, initial) = (settings.schedule()?, settings.initial_learning_rate());
        let after = match &schedule {
            Schedule::Plateau(plateau) => plateau.rates(initial, history.iter().map(monitored)).collect(),
            _ => Vec::new(),
        };
        Ok(LearningRates { schedule, initial, after })
    }

    /// Returns the learning rate of step `t`, counted from 0, which belongs to this epoch, counted from 0.
    pub fn of_step(&self, t: u64, epoch: usize) -> f64 {
        match epoch.checked_sub(1).and_then(|before| self.after.get(before)) {
            Some(&rate) => rate,
            None => self.schedule.learning_rate(self.initial, t),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Piece;

    fn of(schedule: ScheduleName) -> TrainSettings {
        TrainSettings { schedule, ..TrainSettings::default() }
    }

    #[test]
    fn a_schedule_has_its_numbers_or_kerass_and_is_read_as_it_is_written() {
        assert_eq!(of(ScheduleName::Plateau).schedule().unwrap(), Schedule::Plateau(PLATEAU));
        let cosine = TrainSettings {
            decay_steps: Some(9),
            warmup_steps: Some(3),
            warmup_target: Some(0.5),
            ..of(ScheduleName::Cosine)
        };
        let expected = Schedule::Cosine { decay_steps: 9, alpha: 0.0, warmup: Some((3, 0.5)) };
        assert_eq!((cosine.schedule().unwrap(), cosine.largest_learning_rate()), (expected, 0.5));
        let pieces = ["100:0.001", "200:0.0001"].map(|piece| Piece::parse(piece).unwrap()).to_vec();
        let piecewise = TrainSettings { pieces, ..of(ScheduleName::Piecewise) };
        let text = toml::to_string(&piecewise).unwrap();
        assert!(text.contains("pieces = [\"100:0.001\", \"200:0.0001\"]"), "{text}");
        for settings in [cosine, piecewise] {
            let text = toml::to_string(&settings).unwrap();
            assert_eq!(toml::from_str::<TrainSettings>(&text).unwrap(), settings);
        }
        assert!(toml::from_str::<TrainSettings>("pieces = ['100']").is_err());
        assert!(!toml::to_string(&TrainSettings::default()).unwrap().contains("schedule"));
    }

    #[test]
    fn a_schedule_whose_steps_are_not_set_has_those_of_the_run() {
        let steps = |settings: TrainSettings| {
            TrainSettings { epochs: 4, ..settings }.with_steps_per_epoch(5).map(|settings| settings.decay_steps)
        };
        let cosine = |warmup_steps| TrainSettings { warmup_steps, ..of(ScheduleName::Cosine) };
        assert_eq!(steps(cosine(None)).unwrap(), Some(20));
        assert_eq!(steps(cosine(Some(19))).unwrap(), Some(1));
        let error = steps(cosine(Some(20))).unwrap_err().to_string();
        assert!(error.starts_with("warmup_steps 20: the run has 20 steps in all, so nothing is left"), "{error}");
        assert_eq!(steps(TrainSettings { decay_steps: Some(3), ..cosine(Some(50)) }).unwrap(), Some(3));
        assert_eq!(steps(of(ScheduleName::Staircase)).unwrap(), Some(7));
        assert_eq!(steps(of(ScheduleName::Plateau)).unwrap(), None);
        assert_eq!(of(ScheduleName::Cosine).with_steps_per_epoch(0).unwrap().decay_steps, Some(1));
    }

    #[test]
    fn a_warm_up_without_a_target_rises_from_0_to_the_learning_rate_and_stairs_fall_to_a_tenth() {
        let warm = TrainSettings { learning_rate: 0.5, warmup_steps: Some(2), ..of(ScheduleName::Cosine) };
        let rates = LearningRates::new(&warm.with_steps_per_epoch(1).unwrap(), &[]).unwrap();
        assert_eq!([0, 1, 2].map(|t| rates.of_step(t, 0)), [0.0, 0.25, 0.5]);
        assert_eq!(warm.largest_learning_rate(), 0.5);
        let stairs = TrainSettings { learning_rate: 0.5, ..of(ScheduleName::Staircase) };
        let rates = LearningRates::new(&stairs.with_steps_per_epoch(1).unwrap(), &[]).unwrap();
        // A third of five steps is two.
        assert_eq!([1, 2, 4].map(|t| rates.of_step(t, 0)), [0.5, 0.5 * 0.1, 0.5 * 0.1f64.powf(2.0)]);
    }

    #[test]
    fn what_a_schedule_lacks_does_not_use_or_cannot_have_is_told_by_name() {
        let error = |settings: TrainSettings| settings.schedule().unwrap_err().to_string();
        assert_eq!(error(of(ScheduleName::Cosine)), "decay_steps: the schedule cosine needs it");
        of(ScheduleName::Cosine).check_schedule().unwrap();
        assert_eq!(error(of(ScheduleName::Piecewise)), "pieces: the schedule piecewise needs it");
        assert!(of(ScheduleName::Piecewise).check_schedule().is_err());
        let unused = error(TrainSettings { decay_steps: Some(3), ..of(ScheduleName::Plateau) });
        assert!(unused.starts_with("decay_steps: it belongs to the schedule cosine or staircase, and this is plateau"));
        let half = TrainSettings { decay_steps: Some(3), warmup_target: Some(3.0), ..of(ScheduleName::Cosine) };
        assert!(error(half).starts_with("warmup_steps: a warm-up has steps, and only its target is set"));
        let falling =
            TrainSettings { pieces: vec![Piece { after: 2, learning_rate: 0.1 }; 2], ..of(ScheduleName::Piecewise) };
        assert!(error(falling).starts_with("pieces: their steps must rise"));
        for factor in [0.0, 1.0, f64::NAN] {
            let plateau = TrainSettings { plateau_factor: Some(factor), ..of(ScheduleName::Plateau) };
            assert!(error(plateau).contains("above 0 and below 1"));
        }
    }
}
