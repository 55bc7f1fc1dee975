//! This rank among all of its job.

use super::traffic::{Counter, Traffic};
use super::transport::Transport;
use crate::{Error, Result};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The wish of a person or a scheduler that the training ends, which all ranks have to follow after the same
/// step.
#[derive(Clone, Copy)]
pub struct Stopping {
    /// Whether it was told to this rank.
    pub is_wanted: fn() -> bool,
    /// Called where it was told to any rank: the step at work is the last.
    pub agreed: fn(),
}

impl Default for Stopping {
    /// Nobody will want it.
    fn default() -> Stopping {
        Stopping { is_wanted: || false, agreed: || () }
    }
}

/// The ranks of a job, one of which is this one.
///
/// A pass cannot fail, so one whose ranks are gone goes on with zeros: who calls it asks
/// [`check`](Ranks::check) afterwards.
pub struct Ranks {
    transport: Option<Box<dyn Transport>>,
    stopping: Stopping,
    traffic: Counter,
    fault: Mutex<Option<(String, String)>>,
}

impl Ranks {
    /// One rank that does everything.
    pub fn alone() -> Ranks {
        Ranks { transport: None, stopping: Stopping::default(), traffic: Counter::default(), fault: Mutex::new(None) }
    }

    /// The ranks that this transport connects.
    pub fn new(transport: Box<dyn Transport>, stopping: Stopping) -> Ranks {
        Ranks { transport: Some(transport), stopping, ..Ranks::alone() }
    }

    /// The number of this rank, from 0.
    pub fn rank(&self) -> usize {
        self.transport.as_ref().map_or(0, |transport| transport.rank())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.transport.as_ref().map_or(1, |transport| transport.count())
    }

    /// How a person knows a rank.
    pub fn name(&self, rank: usize) -> String {
        self.transport.as_ref().map_or_else(|| "rank 0".into(), |transport| transport.name(rank))
    }

    /// When the training ends before its end.
    pub(crate) fn stopping(&self) -> Stopping {
        self.stopping
    }

    /// What this rank has sent so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic.so_far()
    }

    /// Whether all exchanges have come about so far.
    ///
    /// # Errors
    /// [`Error::Rank`], where one has not.
    pub fn check(&self) -> Result<()> {
        match &*self.fault() {
            None => Ok(()),
            Some((rank, reason)) => Err(Error::Rank { rank: rank.clone(), reason: reason.clone() }),
        }
    }

    fn fault(&self) -> std::sync::MutexGuard<'_, Option<(String, String)>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends each rank its part, and returns what each has sent, of these lengths; of this rank its own part.
    pub fn all_to_all(&self, outgoing: &[Vec<f32>], lengths: &[usize]) -> Vec<Vec<f32>> {
        let mut incoming: Vec<Vec<f32>> = lengths.iter().map(|&len| vec![0.0; len]).collect();
        incoming[self.rank()].copy_from_slice(&outgoing[self.rank()]);
        let outgoing: Vec<&[f32]> = outgoing.iter().map(Vec::as_slice).collect();
        self.exchange(&outgoing, &mut incoming.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
        incoming
    }

    /// The parts of all ranks, of these lengths, one behind the other, where this rank has `own`.
    pub fn all_gather(&self, own: &[f32], lengths: &[usize]) -> Vec<f32> {
        let mut all = vec![0.0; lengths.iter().sum()];
        let ends = lengths.iter().scan(0, |end, len| {
            *end += len;
            Some(*end)
        });
        let ranges: Vec<Range<usize>> = ends.zip(lengths).map(|(end, len)| end - len..end).collect();
        all[ranges[self.rank()].clone()].copy_from_slice(own);
        self.gather_ranges(&mut all, &ranges);
        all
    }

    /// Every rank has the right values in its own one of these ranges, which follow each other; afterwards
    /// all have all of them.
    pub fn gather_ranges(&self, values: &mut [f32], ranges: &[Range<usize>]) {
        if self.count() == 1 {
            return;
        }
        let own = values[ranges[self.rank()].clone()].to_vec();
        let outgoing = vec![own.as_slice(); self.count()];
        let mut incoming = Vec::with_capacity(self.count());
        let (mut rest, mut end) = (values, 0);
        for (rank, range) in ranges.iter().enumerate() {
            let (part, behind) = rest[range.start - end..].split_at_mut(range.len());
            incoming.push(if rank == self.rank() { &mut [][..] } else { part });
            (rest, end) = (behind, range.end);
        }
        self.exchange(&outgoing, &mut incoming);
    }

    fn exchange(&self, outgoing: &[&[f32]], incoming: &mut [&mut [f32]]) {
        let outgoing: Vec<&[u8]> = outgoing.iter().map(|part| bytemuck::cast_slice(part)).collect();
        let mut incoming: Vec<&mut [u8]> = incoming.iter_mut().map(|part| bytemuck::cast_slice_mut(part)).collect();
        // What failed is told by `check`.
        let _ = self.exchange_bytes(&outgoing, &mut incoming);
    }

    fn exchange_bytes(&self, outgoing: &[&[u8]], incoming: &mut [&mut [u8]]) -> Result<()> {
        let Some(transport) = &self.transport else { return Ok(()) };
        self.check()?;
        self.traffic.count(self.rank(), outgoing);
        transport.exchange(outgoing, incoming).inspect_err(|error| {
            *self.fault() = Some(match error {
                Error::Rank { rank, reason } => (rank.clone(), reason.clone()),
                error => (self.name(self.rank()), error.to_string()),
            });
        })
    }

    /// Brings together what each rank has to say, or why it cannot go on: all get the words of all, or all
    /// the same fault. It is for what comes before the first step; a rank that cannot go on tells it once,
    /// and says nothing more.
    ///
    /// # Errors
    /// [`Error::Rank`] with the first rank that cannot go on; and where a rank is gone.
    pub fn confer(&self, words: std::result::Result<Vec<u8>, String>) -> Result<Vec<Vec<u8>>> {
        let (is_well, bytes) = match words {
            Ok(bytes) => (1u64, bytes),
            Err(reason) => (0, reason.into_bytes()),
        };
        let header = [is_well, bytes.len() as u64].map(u64::to_le_bytes).concat();
        let mut headers = vec![[0; 16]; self.count()];
        headers[self.rank()].copy_from_slice(&header);
        let mut incoming: Vec<&mut [u8]> = headers.iter_mut().map(|header| &mut header[..]).collect();
        self.exchange_bytes(&vec![header.as_slice(); self.count()], &mut incoming)?;
        let number = |header: &[u8; 16], half: usize| {
            u64::from_le_bytes(header[half * 8..][..8].try_into().expect("half of it are 8 bytes"))
        };
        let mut all: Vec<Vec<u8>> = headers.iter().map(|header| vec![0; number(header, 1) as usize]).collect();
        all[self.rank()].copy_from_slice(&bytes);
        let mut incoming: Vec<&mut [u8]> = all.iter_mut().map(Vec::as_mut_slice).collect();
        self.exchange_bytes(&vec![bytes.as_slice(); self.count()], &mut incoming)?;
        match headers.iter().position(|header| number(header, 0) == 0) {
            None => Ok(all),
            Some(rank) => {
                let reason = String::from_utf8_lossy(&all[rank]).into_owned();
                Err(Error::Rank { rank: self.name(rank), reason })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::InProcess;
    use super::*;

    /// What `work` returns on each of `count` ranks.
    fn on_each<R: Send>(count: usize, work: impl Fn(&Ranks) -> R + Sync) -> Vec<R> {
        std::thread::scope(|scope| {
            let handles: Vec<_> = InProcess::job(count)
                .into_iter()
                .map(|transport| {
                    let work = &work;
                    scope.spawn(move || work(&Ranks::new(Box::new(transport), Stopping::default())))
                })
                .collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        })
    }

    #[test]
    fn what_each_rank_has_reaches_all_and_is_counted() {
        let lengths = [2, 0, 1];
        let gathered = on_each(3, |ranks| {
            let own = vec![ranks.rank() as f32; lengths[ranks.rank()]];
            (ranks.all_gather(&own, &lengths), ranks.traffic())
        });
        for (values, _) in &gathered {
            assert_eq!(values, &[0.0, 0.0, 2.0]);
        }
        let sent: Vec<[u64; 2]> = gathered.iter().map(|(_, traffic)| [traffic.messages, traffic.bytes]).collect();
        assert_eq!(sent, [[2, 16], [0, 0], [2, 8]]);
    }

    #[test]
    fn ranks_confer_and_all_are_told_of_the_one_that_cannot_go_on() {
        let all = on_each(2, |ranks| ranks.confer(Ok(vec![ranks.rank() as u8; 1 + ranks.rank()])).unwrap());
        assert_eq!(all[0], [vec![0], vec![1, 1]]);
        assert_eq!(all[0], all[1]);
        let told = on_each(3, |ranks| {
            let words = if ranks.rank() == 1 { Err("no disk".into()) } else { Ok(Vec::new()) };
            ranks.confer(words).unwrap_err().to_string()
        });
        assert!(told.iter().all(|sentence| sentence == "rank 1: no disk"), "{told:?}");
    }

    #[test]
    fn a_rank_that_ends_is_told_of_and_later_exchanges_return() {
        let told = on_each(3, |ranks| {
            if ranks.rank() == 2 {
                return String::new();
            }
            ranks.all_gather(&[1.0], &[1, 1, 1]);
            ranks.all_gather(&[1.0], &[1, 1, 1]);
            ranks.check().unwrap_err().to_string()
        });
        assert!(told[0].contains("it has ended before its work was done"), "{told:?}");
    }

    #[test]
    fn one_rank_alone_sends_nothing() {
        let alone = Ranks::alone();
        assert_eq!(alone.all_gather(&[1.0, 2.0], &[2]), [1.0, 2.0]);
        assert_eq!(alone.confer(Ok(vec![3])).unwrap(), [vec![3]]);
        assert_eq!(alone.traffic(), Traffic::default());
    }
}
