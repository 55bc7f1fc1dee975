//! Whether all ranks of a job are about to do the same.

use super::resolved::TrainingRun;
use crate::cli::job;
use crate::cli::run_folder::config::as_toml;
use glassnet::kernels::simd::{self, InstructionSet};
use glassnet::training::TrainingState;
use glassnet::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What has to be the same for all ranks.
#[derive(Clone, Serialize, Deserialize)]
struct Agreed {
    version: String,
    /// The instruction set in force.
    instructions: String,
    /// Images in DATA, and a hash of their names, classes and sizes, and of those in packs what they hold,
    /// those that train before those that validate.
    images: usize,
    names: Vec<u8>,
    /// Of flags and network.
    settings: Vec<u8>,
    /// Of the state that the run begins with, and its steps.
    weights: Vec<u8>,
    steps: usize,
    /// Whether the run that goes on has ended.
    ended: bool,
}

impl TrainingRun {
    /// Finds out whether all ranks read the same files and begin with the same state, before any of them
    /// writes.
    ///
    /// # Errors
    /// [`Error::Rank`] names the first that differs from rank 0, and in what.
    pub(super) fn check_agreement(&self, state: &TrainingState, ended: bool) -> Result<()> {
        if !job::is_shared() {
            return Ok(());
        }
        let mut names = Sha256::new();
        for item in self.dataset.split.training.iter().chain(&self.dataset.split.validation) {
            let size = self.dataset.source.size_hint(item.entry);
            names.update(format!("{}\n{:?} {:?} {size}\n", item.path, item.label, item.labels));
            names.update(self.dataset.source.pack_digest(item.entry).unwrap_or_default());
        }
        let settings = format!("{}\n{}", as_toml(&self.settings)?, as_toml(self.network.spec())?);
        let mut weights = Sha256::new();
        for buffer in std::iter::once(&state.parameters).chain(state.optimizer.accumulators()) {
            buffer.as_slice().iter().for_each(|weight| weights.update(weight.to_le_bytes()));
        }
        let own = Agreed {
            version: env!("CARGO_PKG_VERSION").into(),
            instructions: InstructionSet::in_force().name().into(),
            images: self.dataset.split.training.len() + self.dataset.split.validation.len(),
            names: names.finalize().to_vec(),
            settings: Sha256::digest(settings).to_vec(),
            weights: weights.finalize().to_vec(),
            steps: state.steps.len(),
            ended,
        };
        let words = serde_json::to_vec(&own).map_err(|error| Error::Told(error.to_string()))?;
        let mut first = None;
        for (rank, words) in job::confer(words)?.iter().enumerate() {
            let differs = |reason: String| Error::Rank { rank: job::ranks().name(rank), reason };
            let other: Agreed = serde_json::from_slice(words)
                .map_err(|_| differs("it is another glassnet; every rank has to run the same one".into()))?;
            let first = first.get_or_insert_with(|| other.clone());
            if let Some(reason) = first.difference(&other) {
                return Err(differs(reason));
            }
        }
        Ok(())
    }
}

impl Agreed {
    /// What another rank has otherwise, in a sentence.
    fn difference(&self, other: &Agreed) -> Option<String> {
        let same_files =
            "every rank has to read the same files, so give DATA a place that all hosts see, or the same copy on each";
        if self.version != other.version {
            return Some(format!(
                "it is glassnet {}, and rank 0 is {}; take the same on all hosts",
                other.version, self.version
            ));
        }
        if self.instructions != other.instructions {
            return Some(format!(
                "it computes with the instruction set {}, and rank 0 with {}, whose numbers differ by rounding; set \
                 {}={} for all ranks, if all have it",
                other.instructions,
                self.instructions,
                simd::VARIABLE,
                other.instructions
            ));
        }
        if self.images != other.images {
            return Some(format!(
                "its data hold {} images, and those of rank 0 {}; {same_files}",
                other.images, self.images
            ));
        }
        if self.names != other.names {
            return Some(format!(
                "its data hold images of other names, classes or sizes than those of rank 0; {same_files}"
            ));
        }
        if self.settings != other.settings {
            return Some("its settings are not those of rank 0; start all ranks with the same command".into());
        }
        if (self.steps, self.ended, &self.weights) != (other.steps, other.ended, &other.weights) {
            return Some(format!(
                "it goes on from step {}, and rank 0 from step {}, or from other weights; give --resume a place that all hosts see",
                other.steps, self.steps
            ));
        }
        None
    }
}
