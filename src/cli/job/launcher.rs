//! The launcher that has started this process as a rank of a job, if one has: `mpirun`, or Slurm's `srun`.

use glassnet::distributed::Ranks;
use glassnet::{Error, Result};
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The variables by which launchers tell a process that it is a rank, and how many there are: Open MPI's,
/// MPICH's and its relatives', and of PMIx, which tells no count.
const RANK_VARIABLES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"];

/// The variable by which Slurm tells how many tasks a step has.
const SLURM_TASKS: &str = "SLURM_STEP_NUM_TASKS";

/// Returns whether a launcher of MPI has started this process.
fn is_rank() -> bool {
    RANK_VARIABLES.iter().any(|variable| env::var_os(variable).is_some())
}

/// How many tasks a launcher says there are; 1 where there is none.
fn tasks() -> usize {
    let told = [RANK_VARIABLES[0], RANK_VARIABLES[1], SLURM_TASKS].into_iter().find_map(|name| env::var(name).ok());
    told.and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The membership in the job, which ends when it is dropped.
#[derive(Default)]
pub struct Membership {
    #[cfg(feature = "mpi")]
    _member: Option<glassnet::distributed::mpi::Membership>,
}

/// Joins the job of this process.
///
/// # Errors
/// [`Error::Setting`], where there is one that cannot be joined.
pub fn join() -> Result<(Membership, Ranks)> {
    match (is_rank(), tasks()) {
        (false, 0 | 1) => Ok((Membership::default(), Ranks::alone())),
        (false, tasks) => Err(Error::setting(
            SLURM_TASKS,
            format!("Slurm started {tasks} processes that do not know of each other; start them with srun --mpi=pmix"),
        )),
        (true, tasks) => join_mpi(tasks),
    }
}

/// How many ranks share the cores of this one.
static SHARING: AtomicUsize = AtomicUsize::new(1);

/// How many ranks may use the processor cores that this one may use, itself among them.
pub fn sharing() -> usize {
    SHARING.load(Ordering::Relaxed)
}

#[cfg(feature = "mpi")]
fn join_mpi(_: usize) -> Result<(Membership, Ranks)> {
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

#[cfg(not(feature = "mpi"))]
fn join_mpi(tasks: usize) -> Result<(Membership, Ranks)> {
    match tasks {
        1 => Ok((Membership::default(), Ranks::alone())),
        _ => Err(Error::setting(
            "MPI",
            "this glassnet was built without it, and each process would do all of the work; build it with \
             cargo install --path . --features mpi, or start one process",
        )),
    }
}

/// Ends all processes of the job.
pub fn abort() -> ! {
    #[cfg(feature = "mpi")]
    glassnet::distributed::mpi::Mpi::abort();
    #[cfg(not(feature = "mpi"))]
    std::process::exit(1)
}
