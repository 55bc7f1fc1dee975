//! The launcher that has started this process as a rank of a job, if one has: `mpirun`, or Slurm's `srun`.

use glassnet::distributed::Ranks;
use glassnet::{Error, Result};
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The variables by which launchers tell a process how many ranks its job has: Open MPI's, and MPICH's and
/// its relatives'.
const COUNT_VARIABLES: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

/// The variable by which PMIx, of which Slurm has one, tells a process its rank.
#[cfg(feature = "mpi")]
const PMIX_RANK: &str = "PMIX_RANK";

/// The variable by which Slurm tells how many tasks a step has, whether they know of each other or not.
const SLURM_TASKS: &str = "SLURM_STEP_NUM_TASKS";

/// The membership in the job, which ends when it is dropped.
#[derive(Default)]
pub struct Membership {
    #[cfg(feature = "mpi")]
    _member: Option<glassnet::distributed::mpi::Membership>,
}

/// Joins the job of this process, if it is part of one.
///
/// # Errors
/// [`Error::Setting`], where it cannot be joined.
pub fn join() -> Result<(Membership, Ranks)> {
    #[cfg(feature = "mpi")]
    if COUNT_VARIABLES.iter().chain([&PMIX_RANK]).any(|variable| env::var_os(variable).is_some()) {
        return join_mpi();
    }
    Ok((Membership::default(), Ranks::alone()))
}

/// Checks whether a process that is alone was meant to be: others may be about to do the same work.
///
/// # Errors
/// [`Error::Setting`], where a launcher has started several that do not know of each other.
pub fn check_meant_to_be_alone() -> Result<()> {
    let count = |variable: &str| env::var(variable).ok()?.parse::<usize>().ok().filter(|&count| count > 1);
    let several = |variable: &str, reason: String| Err(Error::setting(variable, reason));
    for variable in COUNT_VARIABLES {
        if let Some(count) = count(variable) {
            let reason = format!(
                "{count} processes were started as one job, and this glassnet was built without MPI, so each would do all of \
                 the work; build it with cargo install --path . --features mpi, or start one process"
            );
            return several(variable, reason);
        }
    }
    match count(SLURM_TASKS) {
        None => Ok(()),
        Some(count) => {
            let reason = format!(
                "Slurm started {count} processes that do not know of each other, and each would do all of the work; start them \
                 with srun --mpi=pmix, with a glassnet that was built with --features mpi, or start one"
            );
            several(SLURM_TASKS, reason)
        }
    }
}

/// How many ranks share the cores of this one.
static SHARING: AtomicUsize = AtomicUsize::new(1);

/// How many ranks may use the processor cores that this one may use, itself among them.
pub fn sharing() -> usize {
    SHARING.load(Ordering::Relaxed)
}

#[cfg(feature = "mpi")]
fn join_mpi() -> Result<(Membership, Ranks)> {
    use crate::cli::terminal::{console, interrupt};
    use glassnet::distributed::{Stopping, mpi::Mpi};
    let (member, mpi) = Mpi::join(|ranks, waited| {
        let (names, seconds) = (ranks.join(", "), waited.as_secs());
        let have = if ranks.len() == 1 { "has" } else { "have" };
        console::warn_of_any_rank(&format!("{names} {have} not answered for {seconds} s, and the others wait"));
    })?;
    SHARING.store(mpi.sharing(), Ordering::Relaxed);
    let stopping = Stopping { is_wanted: interrupt::is_wanted, agreed: interrupt::agree };
    Ok((Membership { _member: Some(member) }, Ranks::new(Box::new(mpi), stopping)))
}

/// Ends all processes of the job.
pub fn abort() -> ! {
    #[cfg(feature = "mpi")]
    glassnet::distributed::mpi::Mpi::abort();
    #[cfg(not(feature = "mpi"))]
    std::process::exit(1)
}
