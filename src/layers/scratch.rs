//! Scratch memory, a piece for each worker thread, made once and written over by every piece of work.

use crate::kernels::conv::{Scratch, ScratchLen};
use crate::parameters::AlignedBuffer;
use std::sync::{Mutex, PoisonError};

/// A piece for each thread of the pool in which it was made. What is in it when work starts does not matter,
/// so which thread does the work does not either.
pub struct ScratchPool {
    pieces: Vec<Mutex<Piece>>,
}

struct Piece {
    floats: AlignedBuffer,
    words: Vec<u64>,
}

impl ScratchPool {
    /// Pieces of this size.
    pub fn new(len: ScratchLen) -> ScratchPool {
        let piece = || Mutex::new(Piece { floats: AlignedBuffer::zeros(len.floats), words: vec![0; len.words] });
        ScratchPool { pieces: (0..rayon::current_num_threads()).map(|_| piece()).collect() }
    }

    /// Runs `work` with the calling thread's piece. The lock is for safety: within one pool no two threads
    /// share a piece, and `work` must not wait for other work of the pool.
    pub fn with<R>(&self, work: impl FnOnce(Scratch) -> R) -> R {
        let worker = rayon::current_thread_index().unwrap_or(0) % self.pieces.len();
        // A poisoned piece holds some unfinished numbers, and content does not matter.
        let mut piece = self.pieces[worker].lock().unwrap_or_else(PoisonError::into_inner);
        let Piece { floats, words } = &mut *piece;
        work(Scratch { floats: floats.as_mut_slice(), words })
    }
}
