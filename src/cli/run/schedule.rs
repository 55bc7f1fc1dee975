//! The schedule of a run's learning rate, once its number of steps is known.

use crate::cli::terminal::console;
use glassnet::Result;
use glassnet::optim::Schedule;
use glassnet::training::TrainSettings;

/// Returns the settings with the steps of their schedule, and warns of a cosine that ends long before the
/// run, or after it.
///
/// # Errors
/// Those of [`TrainSettings::with_steps_per_epoch`].
pub fn scheduled(settings: &TrainSettings, steps_per_epoch: usize, is_resumed: bool) -> Result<TrainSettings> {
    let settings = settings.with_steps_per_epoch(steps_per_epoch)?;
    warning(&settings, steps_per_epoch, is_resumed).iter().for_each(|warning| console::warn(warning));
    Ok(settings)
}

/// What is to be told of a cosine that does not end with the run. One that was asked to end early, and to
/// leave a rate, is as it should be; but a run that goes on may have other epochs than its cosine was made
/// for.
fn warning(settings: &TrainSettings, steps_per_epoch: usize, is_resumed: bool) -> Option<String> {
    let schedule = settings.schedule().ok()?;
    let Schedule::Cosine { decay_steps, alpha, warmup } = schedule else { return None };
    let end = warmup.map_or(0, |(steps, _)| steps) + decay_steps;
    let run = settings.epochs as u64 * steps_per_epoch as u64;
    let stays = "a run keeps its schedule when --epochs changes, so start a new one for another";
    let rest = match alpha {
        0.0 => "the learning rate is 0 from then on, and nothing more is learned".to_string(),
        _ => format!("the learning rate stays at {} from then on", schedule.learning_rate(settings.learning_rate, end)),
    };
    match is_resumed {
        true if end < run => Some(format!("the cosine ends after {end} of the run's {run} steps: {rest}; {stays}")),
        true if run < end => Some(format!(
            "the run ends after {run} of its cosine's {end} steps, before the learning rate is down; {stays}"
        )),
        false if end < run && alpha == 0.0 => Some(format!(
            "the cosine ends after {end} of the run's {run} steps: {rest}; leave out --decay-steps for one as long as \
             the run, or give --alpha"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassnet::training::ScheduleName;

    #[test]
    fn a_cosine_that_does_not_end_with_the_run_is_told_where_it_matters() {
        let told = |decay_steps, alpha, is_resumed| {
            let schedule = ScheduleName::Cosine;
            let learning_rate = 0.5;
            let settings =
                TrainSettings { epochs: 3, schedule, learning_rate, decay_steps, alpha, ..Default::default() };
            warning(&settings.with_steps_per_epoch(4).unwrap(), 4, is_resumed).unwrap_or_default()
        };
        let stays = "a run keeps its schedule when --epochs changes, so start a new one for another";
        for is_resumed in [true, false] {
            assert_eq!(told(None, None, is_resumed), "");
        }
        assert_eq!(told(Some(8), Some(0.5), false) + &told(Some(16), None, false), "");
        assert_eq!(
            told(Some(8), Some(0.5), true),
            format!(
                "the cosine ends after 8 of the run's 12 steps: the learning rate stays at 0.25 from then on; {stays}"
            )
        );
        assert_eq!(
            told(Some(16), None, true),
            format!("the run ends after 12 of its cosine's 16 steps, before the learning rate is down; {stays}")
        );
        for is_resumed in [true, false] {
            let zero =
                "the cosine ends after 8 of the run's 12 steps: the learning rate is 0 from then on, and nothing more";
            assert!(told(Some(8), None, is_resumed).starts_with(zero));
        }
    }
}
