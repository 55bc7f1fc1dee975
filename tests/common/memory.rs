//! How much memory the process has in use, and the most that it had since a begin. It makes itself the
//! program's allocator, so it is no part of `common`: a test program that counts bytes names this file.

#![allow(unsafe_code)] // an allocator is unsafe to write; this one counts, and leaves the work to the system's

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Starts a new peak, and returns how much is in use.
pub fn begin() -> usize {
    let in_use = IN_USE.load(Ordering::SeqCst);
    PEAK.store(in_use, Ordering::SeqCst);
    in_use
}

/// The most that was in use since [`begin`].
pub fn peak() -> usize {
    PEAK.load(Ordering::SeqCst)
}

fn grow(bytes: usize) {
    let in_use = IN_USE.fetch_add(bytes, Ordering::SeqCst) + bytes;
    PEAK.fetch_max(in_use, Ordering::SeqCst);
}

fn shrink(bytes: usize) {
    IN_USE.fetch_sub(bytes, Ordering::SeqCst);
}

// SAFETY: every method hands its arguments to the system's allocator as they came, and its answer back.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // Both may exist for a moment, while one is copied to the other.
        grow(new_size);
        shrink(layout.size());
        // SAFETY: the caller's promise is the same.
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        shrink(layout.size());
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}
