//! Ranks that are threads of one process.

use super::transport::Transport;
use crate::{Error, Result};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// A rank among threads of one process. Dropping it is as the end of a process: the others are told of it
/// when they next wait for it.
pub struct InProcess {
    rank: usize,
    /// To each rank.
    senders: Vec<Sender<Vec<u8>>>,
    /// From each rank.
    receivers: Vec<Mutex<Receiver<Vec<u8>>>>,
}

impl InProcess {
    /// The ranks of a job of `count`.
    pub fn job(count: usize) -> Vec<InProcess> {
        let mut senders: Vec<Vec<Sender<Vec<u8>>>> = (0..count).map(|_| Vec::new()).collect();
        let mut receivers: Vec<Vec<Mutex<Receiver<Vec<u8>>>>> = (0..count).map(|_| Vec::new()).collect();
        for from in &mut senders {
            for to in &mut receivers {
                let (sender, receiver) = channel();
                from.push(sender);
                to.push(Mutex::new(receiver));
            }
        }
        let ranks = senders.into_iter().zip(receivers).enumerate();
        ranks.map(|(rank, (senders, receivers))| InProcess { rank, senders, receivers }).collect()
    }

    fn gone(&self, rank: usize) -> Error {
        Error::Rank { rank: self.name(rank), reason: "it has ended before its work was done".into() }
    }
}

impl Transport for InProcess {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.senders.len()
    }

    fn exchange(&self, outgoing: &[&[u8]], incoming: &mut [&mut [u8]]) -> Result<()> {
        for (to, bytes) in outgoing.iter().enumerate().filter(|(to, bytes)| *to != self.rank && !bytes.is_empty()) {
            self.senders[to].send(bytes.to_vec()).map_err(|_| self.gone(to))?;
        }
        for (from, bytes) in incoming.iter_mut().enumerate() {
            if from == self.rank || bytes.is_empty() {
                continue;
            }
            // A poisoned lock is that of a receiver in which nothing was left half done.
            let receiver = self.receivers[from].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let received = receiver.recv().map_err(|_| self.gone(from))?;
            assert_eq!(received.len(), bytes.len(), "ranks call the same methods in the same order");
            bytes.copy_from_slice(&received);
        }
        Ok(())
    }
}
