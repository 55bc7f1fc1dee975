//! Scratch memory, a buffer for each worker thread, made once and written over by every piece of work.

use crate::parameters::AlignedBuffer;
use std::sync::{Mutex, PoisonError};

/// A buffer for each thread of the pool in which it was made. What is in it when work starts does not matter, so which
/// thread does the work does not either.
pub struct Scratch {
    buffers: Vec<Mutex<AlignedBuffer>>,
}

impl Scratch {
    /// Buffers of `len` floats.
    pub fn new(len: usize) -> Scratch {
        let workers = rayon::current_num_threads();
        Scratch { buffers: (0..workers).map(|_| Mutex::new(AlignedBuffer::zeros(len))).collect() }
    }

    /// Runs `work` with the calling thread's buffer. The lock is for safety: within one pool no two threads share a buffer,
    /// and `work` must not wait for other work of the pool.
    pub fn with<R>(&self, work: impl FnOnce(&mut [f32]) -> R) -> R {
        let worker = rayon::current_thread_index().unwrap_or(0) % self.buffers.len();
        // A poisoned buffer holds some unfinished numbers, and content does not matter.
        let mut buffer = self.buffers[worker].lock().unwrap_or_else(PoisonError::into_inner);
        work(buffer.as_mut_slice())
    }
}
