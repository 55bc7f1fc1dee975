//! What several ranks would gain: the work of one of them, measured; what it sends, counted; and the time on
//! a network, reckoned from both.
//!
//! Rank 0, which has the largest share, does its work on this machine as if the others were there
//! ([`Echo`]). A step then takes
//!
//! ```text
//! its work, measured  +  messages · time of a message  +  bytes / bytes a second
//! ```
//!
//! as nothing is sent while a rank works. A rank sends as much as it receives, both at the same time.

use super::Milliseconds;
use crate::Result;
use crate::classes::Label;
use crate::data::arrays::ArraySet;
use crate::data::batches::Loader;
use crate::distributed::{Echo, Ranks, Stopping, Traffic};
use crate::network::Network;
use crate::plan::observer::Observer;
use crate::plan::{Plan, PlanOptions};
use crate::random::{Purpose, Stream};
use crate::training::watch::Watch;
use crate::training::{Event, Sets, TrainSettings, TrainingState, train_on};
use ndarray::Array4;
use serde::Serialize;
use std::time::{Duration, Instant};

/// A network between ranks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Link {
    /// Its name.
    pub name: &'static str,
    /// Bytes a second that one rank sends, while it receives as many.
    pub bytes_per_s: f64,
    /// Seconds that a message takes beside its bytes.
    pub message_s: f64,
}

/// 10 and 100 gigabit Ethernet, by what is usually measured of them between two processes.
pub const LINKS: [Link; 2] = [
    Link { name: "10 GbE", bytes_per_s: 1.1e9, message_s: 10e-6 },
    Link { name: "100 GbE", bytes_per_s: 10e9, message_s: 3e-6 },
];

impl Link {
    /// The seconds that this traffic takes.
    pub fn seconds(&self, traffic: Traffic) -> f64 {
        traffic.messages as f64 * self.message_s + traffic.bytes as f64 / self.bytes_per_s
    }
}

/// What a number of ranks comes to.
#[derive(Clone, Debug, Serialize)]
pub struct RankFigures {
    /// How many ranks there are.
    pub ranks: usize,
    /// Images of a batch, all ranks together.
    pub batch: usize,
    /// Images of them that rank 0 has.
    pub share: usize,
    /// The time of rank 0's own work in a step.
    pub work_ms: Milliseconds,
    /// What rank 0 sends in a step.
    #[serde(flatten)]
    pub traffic: Traffic,
}

impl RankFigures {
    /// The seconds of a step on this network, as they are reckoned.
    pub fn step_seconds(&self, link: Link) -> f64 {
        self.work_ms.median / 1e3 + link.seconds(self.traffic)
    }
}

/// Measures rank 0 of so many in steps on batches of `batch` images, `steps` of which count, in the current
/// pool.
///
/// # Errors
/// Those of the settings.
pub fn measure(
    network: &Network,
    settings: &TrainSettings,
    batch: usize,
    ranks: usize,
    steps: usize,
) -> Result<RankFigures> {
    let mut stream = Stream::new(0, Purpose::Bench, 0, 0);
    let [height, width, channels] = network.spec().input;
    let images = Array4::from_shape_simple_fn((batch, height, width, channels), || stream.unit_f32());
    let classes = network.head().classes() as u32;
    let labels = (0..batch).map(|_| Label::new(stream.below(classes) as usize)).collect();
    let loader = Loader::from_arrays(ArraySet::new(images, labels)?, batch)?;
    // An epoch is one step: the rest of it, such as bringing the weights together, is not counted.
    let settings = TrainSettings { epochs: steps + 1, early_stopping: None, augmentation: None, ..settings.clone() };
    let job = match ranks {
        1 => Ranks::alone(),
        ranks => Ranks::new(Box::new(Echo::new(0, ranks)), Stopping::default()),
    };
    let mut state = TrainingState::new(network.initial_parameters(0), settings.optimizer()?);
    let mut clock = StepClock { ranks: &job, begun: None, steps: Vec::new() };
    let sets = Sets { training: &loader, validation: None };
    train_on(&job, network, &mut state, sets, &settings, &mut clock, |_: Event, _, _| Ok(()))?;
    let steps = &clock.steps[1..];
    let times: Vec<Duration> = steps.iter().map(|(time, _)| *time).collect();
    let share = Plan::shared(network, batch, PlanOptions::default(), ranks, true).cuts(batch)[1];
    Ok(RankFigures { ranks, batch, share, work_ms: Milliseconds::from_runs(&times), traffic: steps[0].1 })
}

/// Takes the time and the traffic of every step.
struct StepClock<'a> {
    ranks: &'a Ranks,
    begun: Option<(Instant, Traffic)>,
    steps: Vec<(Duration, Traffic)>,
}

impl Observer for StepClock<'_> {}

impl Watch for StepClock<'_> {
    const LOOKS: bool = false;

    fn step_begins(&mut self, _: usize, _: usize, _: &[usize]) {
        self.begun = Some((Instant::now(), self.ranks.traffic()));
    }

    fn step_ends(&mut self) {
        let Some((begun, before)) = self.begun.take() else { return };
        let after = self.ranks.traffic();
        let traffic = Traffic { messages: after.messages - before.messages, bytes: after.bytes - before.bytes };
        self.steps.push((begun.elapsed(), traffic));
    }
}
