//! The memory that a network takes, and the check that this process may take it.

use crate::cli::machine::limits::{Limit, in_words};
use glassnet::data::images::bound_memory;
use glassnet::error::counted;
use glassnet::network::Network;
use glassnet::optim::Rule;
use glassnet::plan::{Plan, PlanOptions};
use glassnet::{Error, Result};
use std::path::Path;

/// The name by which a filter asks for this module's debug lines.
const LOG_TARGET: &str = "glassnet::cli::memory";

/// The limit in bytes on a system that does not tell its memory.
/// A larger request is taken for a typing error.
const ASSUMED_BYTES: usize = 1 << 40;

/// Bytes that a network and a batch take. Nothing is allocated to find out.
pub struct Memory {
    /// One copy of all parameters.
    pub parameters: usize,
    /// Bytes that a plan for prediction writes to.
    pub inference: usize,
    /// Bytes that a plan for training writes to, with gradients, the optimizer's accumulators and the best
    /// epoch's parameters.
    pub training: usize,
}

impl Memory {
    /// Returns the memory for batches of `batch` images in the current thread pool, run as `options` say, and
    /// trained by a rule.
    pub fn new(network: &Network, batch: usize, options: PlanOptions, rule: Rule) -> Memory {
        Memory::of_rank(network, batch, options, rule, 1)
    }

    /// Returns the memory that one of so many ranks takes, each of which has a share of the batch, and memory
    /// for all of it.
    pub fn of_rank(network: &Network, batch: usize, options: PlanOptions, rule: Rule, ranks: usize) -> Memory {
        let parameters = 4 * network.table().parameter_count();
        let workspace = |network: &Network, training| {
            Plan::shared(network, batch, PlanOptions { training, ..options }, ranks, true).workspace_bytes()
        };
        // A prediction runs without the batch normalizations that are folded.
        let folded = Network::new(&network.folded_spec());
        let memory = Memory {
            parameters,
            inference: workspace(folded.as_ref().unwrap_or(network), false),
            training: workspace(network, true).saturating_add((2 + rule.accumulators()) * parameters),
        };
        log::debug!(
            target: LOG_TARGET,
            "batches of {batch} take {} bytes to predict or {} to train, besides {parameters} for the parameters; {}",
            memory.inference,
            memory.training,
            there(Limit::of_process()),
        );
        memory
    }

    /// Refuses a training that takes more memory than this process may. It is refused here because a system
    /// that promises more than it has ends the program later, and says nothing.
    ///
    /// # Errors
    /// [`Error::Setting`] with both sizes.
    pub fn check_training(&self, batch: usize) -> Result<()> {
        check(self.parameters.saturating_add(self.training)).map_err(|sizes| {
            let reason = format!(
                "training takes {sizes}; use smaller batches (--batch-size), smaller images or a smaller model"
            );
            Error::setting(format!("batches of {}", counted(batch, "image")), reason)
        })
    }

    /// Refuses a prediction with the model in `file` that takes more memory than this process may.
    ///
    /// # Errors
    /// [`Error::Weights`] with both sizes.
    pub fn check_inference(&self, file: &Path) -> Result<()> {
        check(self.parameters.saturating_add(self.inference))
            .map_err(|sizes| Error::weights(file, format!("a prediction takes {sizes}; use a smaller model")))
    }
}

/// Refuses a measurement whose arrays take more memory than this process may.
///
/// # Errors
/// [`Error::Setting`] of `what`, with both sizes.
pub fn check_arrays(what: String, bytes: usize) -> Result<()> {
    check(bytes).map_err(|sizes| Error::setting(what, format!("its arrays take {sizes}; make it smaller")))
}

/// The bytes that decoded images may take: what `--cache` says, and never more than half of what this process
/// may take.
pub fn cache_bytes(mebibytes: usize) -> usize {
    let half = Limit::of_process().map_or(ASSUMED_BYTES, |limit| limit.bytes) / 2;
    mebibytes.saturating_mul(1 << 20).min(half)
}

/// Holds reading and decoding to what this process may take, before either begins.
pub fn bound_decoding() {
    if let Some(limit) = Limit::of_process() {
        bound_memory(limit.bytes as u64);
    }
}

/// Both sizes in words, where more is needed than is there.
fn check(needed: usize) -> std::result::Result<(), String> {
    let limit = Limit::of_process();
    if needed <= limit.map_or(ASSUMED_BYTES, |limit| limit.bytes) {
        return Ok(());
    }
    Err(format!("{} of memory, and {}", in_words(needed), there(limit)))
}

/// A clause with what is there.
fn there(limit: Option<Limit>) -> String {
    limit.map_or("nobody tells how much there is".to_string(), |limit| limit.to_string())
}
