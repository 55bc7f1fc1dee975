//! What a rank has sent.

use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};

/// Messages and bytes that a rank has sent to others so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Messages.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Counts them.
#[derive(Debug, Default)]
pub(super) struct Counter {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Counter {
    /// Counts the parts that rank `own` sends.
    pub fn count(&self, own: usize, outgoing: &[&[u8]]) {
        let sent = outgoing.iter().enumerate().filter(|(to, bytes)| *to != own && !bytes.is_empty());
        let (messages, bytes) = sent.fold((0, 0), |(messages, all), (_, bytes)| (messages + 1, all + bytes.len()));
        self.messages.fetch_add(messages, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn so_far(&self) -> Traffic {
        Traffic { messages: self.messages.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}
