//! Ranks that are processes which MPI has started, on one machine or on many.

use super::transport::Transport;
use crate::{Error, Result};
use mpi::environment::Universe;
use mpi::request::{RequestCollection, multiple_scope};
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::{Destination, Source};
use std::time::{Duration, Instant};

/// The tag of all messages: they arrive in the order in which they were sent.
const TAG: i32 = 0;

/// The most bytes of one message: MPI counts them in 32 bits.
const MESSAGE_BYTES: usize = 1 << 30;

/// So long a waiting thread asks again and again; after that it lets others work in between, and later on
/// sleeps.
const ASKS: Duration = Duration::from_micros(200);
const YIELDS: Duration = Duration::from_millis(50);
const SLEEP: Duration = Duration::from_micros(100);

/// So long a rank is waited for before it is told of; then again after twice the time.
const TELL_AFTER: Duration = Duration::from_secs(10);

/// Bytes of what a rank tells of its host.
const PLACE_BYTES: usize = 512;

/// A rank among processes that MPI has started.
pub struct Mpi {
    rank: usize,
    /// For each rank its host.
    hosts: Vec<String>,
    /// How many ranks share this one's processor cores, itself among them.
    sharing: usize,
    /// Tells a person of these ranks, which have not answered for so long.
    tell: fn(&[String], Duration),
}

/// The membership of this process in its job, which ends when it is dropped, once all others have come so
/// far.
pub struct Membership {
    _universe: Universe,
}

impl Mpi {
    /// Joins the job as part of which this process was started. `tell` is called where ranks do not answer.
    ///
    /// # Errors
    /// [`Error::Setting`], where this MPI cannot be called from more than one thread.
    pub fn join(tell: fn(&[String], Duration)) -> Result<(Membership, Mpi)> {
        let fail = |reason: &str| Error::setting("MPI", reason);
        let joined = mpi::initialize_with_threading(mpi::Threading::Serialized);
        let (universe, threading) = joined.ok_or_else(|| fail("this process has joined its job before"))?;
        if threading < mpi::Threading::Serialized {
            return Err(fail("it can be called by one thread only; take one with MPI_THREAD_SERIALIZED"));
        }
        let world = universe.world();
        let (rank, count) = (world.rank() as usize, world.size() as usize);
        let alone = Mpi { rank, hosts: vec![String::new(); count], sharing: 1, tell };
        let host = mpi::environment::processor_name().unwrap_or_default();
        let mut place = format!("{host}\n{}", allowed_cores()).into_bytes();
        place.resize(PLACE_BYTES, 0);
        let mut places = vec![vec![0; PLACE_BYTES]; count];
        let outgoing = vec![place.as_slice(); count];
        alone.exchange(&outgoing, &mut places.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>())?;
        places[rank].copy_from_slice(&place);
        let sharing = places.iter().filter(|other| **other == place).count();
        let text = |place: &Vec<u8>| String::from_utf8_lossy(place).lines().next().unwrap_or_default().to_string();
        let hosts = places.iter().map(text).collect();
        Ok((Membership { _universe: universe }, Mpi { hosts, sharing, ..alone }))
    }

    /// How many ranks share this one's processor cores, itself among them.
    pub fn sharing(&self) -> usize {
        self.sharing
    }

    /// Ends all processes of the job at once, as one of them cannot go on.
    pub fn abort() -> ! {
        SimpleCommunicator::world().abort(1)
    }

    /// Tells of those that are waited for, unless a lower rank can: it knows better, as it may be what they
    /// wait for.
    fn tell_of(&self, missing: &[bool], waited: Duration) {
        if (0..self.rank).all(|rank| missing[rank]) {
            let names: Vec<String> =
                missing.iter().enumerate().filter(|(_, missing)| **missing).map(|(rank, _)| self.name(rank)).collect();
            (self.tell)(&names, waited);
        }
    }
}

/// The processor cores that this process may use, as the system lists them.
fn allowed_cores() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.unwrap_or_default().trim().chars().take(PLACE_BYTES / 2).collect()
}

impl Transport for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.hosts.len()
    }

    fn name(&self, rank: usize) -> String {
        match self.hosts[rank].as_str() {
            "" => format!("rank {rank}"),
            host => format!("rank {rank} on {host}"),
        }
    }

    fn exchange(&self, outgoing: &[&[u8]], incoming: &mut [&mut [u8]]) -> Result<()> {
        let world = SimpleCommunicator::world();
        let messages = |bytes: usize| bytes.div_ceil(MESSAGE_BYTES);
        let others = |rank: &usize| *rank != self.rank;
        let most = outgoing.iter().map(|part| messages(part.len())).sum::<usize>()
            + incoming.iter().map(|part| messages(part.len())).sum::<usize>();
        multiple_scope(most, |scope, requests| {
            // The rank that each request is of.
            let mut of = Vec::with_capacity(most);
            for (rank, part) in incoming.iter_mut().enumerate().filter(|(rank, _)| others(rank)) {
                for message in part.chunks_mut(MESSAGE_BYTES) {
                    let peer = world.process_at_rank(rank as i32);
                    requests.add(peer.immediate_receive_into_with_tag(scope, message, TAG));
                    of.push(rank);
                }
            }
            for (rank, part) in outgoing.iter().enumerate().filter(|(rank, _)| others(rank)) {
                for message in part.chunks(MESSAGE_BYTES) {
                    let peer = world.process_at_rank(rank as i32);
                    requests.add(peer.immediate_send_with_tag(scope, message, TAG));
                    of.push(rank);
                }
            }
            self.wait(requests, &of)
        })
    }
}

impl Mpi {
    /// Waits for all of these requests, each of which is of a rank.
    fn wait(&self, requests: &mut RequestCollection<'_, [u8]>, of: &[usize]) -> Result<()> {
        let mut open = vec![true; of.len()];
        // A higher rank waits longer: a lower one may do nothing but wait, and tell.
        let (begun, mut tell_after) = (Instant::now(), TELL_AFTER * (self.rank as u32 + 1));
        while requests.incomplete() > 0 {
            if let Some((request, _, _)) = requests.test_any() {
                open[request] = false;
                continue;
            }
            let waited = begun.elapsed();
            if waited >= tell_after {
                let mut missing = vec![false; self.count()];
                of.iter().zip(&open).filter(|(_, open)| **open).for_each(|(&rank, _)| missing[rank] = true);
                self.tell_of(&missing, waited);
                tell_after *= 2;
            }
            match waited {
                short if short < ASKS => std::hint::spin_loop(),
                longer if longer < YIELDS => std::thread::yield_now(),
                _ => std::thread::sleep(SLEEP),
            }
        }
        Ok(())
    }
}
