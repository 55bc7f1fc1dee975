//! Limits on one picture's size, and the memory that all decoders at work may take.

use super::super::memory_budget::{MemoryBudget, Permit};
use std::sync::atomic::{AtomicU64, Ordering};

/// The most pixels an image may have; 64 Mi is 8192 × 8192. It is checked against the header, before memory
/// is taken.
pub const MAX_PIXELS: u64 = 64 << 20;

/// The most pixels on a side: as many as a JPEG can have. It bounds what decoders keep of a row.
pub const MAX_SIDE: u32 = 65_535;

/// The most bytes a decoder may give for one image: [`MAX_PIXELS`] of four 16-bit channels.
pub const MAX_DECODER_BYTES: u64 = MAX_PIXELS * 8;

/// The bytes, counted at their peak, that all decoders at work may take together. One image that needs more
/// is decoded while no other is. A JPEG of 12 million pixels needs about 72 MB.
pub const DECODING_BUDGET_BYTES: u64 = 1 << 30;

/// The bytes a decoder may take before the size of its picture is known: colour profiles, tables of contents.
pub const HEADER_BYTES: u64 = 16 << 20;

/// Holds all threads to [`DECODING_BUDGET_BYTES`].
static DECODING: MemoryBudget = MemoryBudget::new(DECODING_BUDGET_BYTES);

/// The bytes that this process may take at all, where that is known.
static MEMORY: AtomicU64 = AtomicU64::new(u64::MAX);

/// Bounds decoding by the bytes that this process may take: all decoders at work to a quarter of them, if
/// that is less than [`DECODING_BUDGET_BYTES`], and a picture that needs more than all of them is refused.
pub fn bound_memory(bytes: u64) {
    MEMORY.store(bytes, Ordering::Relaxed);
    DECODING.set_total(DECODING_BUDGET_BYTES.min(bytes / 4));
}

/// The memory that decoding one picture takes.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes of the picture as the decoder gives it.
    pub decoded: u64,
    /// Bytes of a sample of it, 1 or 2; more become 1.
    pub sample_bytes: u64,
    /// Bytes that the decoder needs beside the picture that it gives, and frees before it is converted.
    pub besides: u64,
}

impl Need {
    /// Refuses what is beyond the limits, then waits until there is memory for the rest: the picture as the
    /// decoder gives it, and beside it the decoder's own, the same turned upright, or the same as RGB,
    /// whichever is more (whether or not it will be turned).
    ///
    /// # Errors
    /// A sentence, if the picture has no pixels, more than [`MAX_PIXELS`], more than [`MAX_SIDE`] on a side,
    /// or takes more than [`MAX_DECODER_BYTES`] or than this process may take.
    pub fn acquire(self) -> Result<Permit<'static>, String> {
        let Need { width, height, decoded, sample_bytes, besides } = self;
        check_size(width, height)?;
        if decoded > MAX_DECODER_BYTES {
            return Err(format!(
                "it takes {decoded} bytes when decoded, and {MAX_DECODER_BYTES} are the most; make it smaller"
            ));
        }
        let as_rgb = u64::from(width) * u64::from(height) * 3 * if sample_bytes == 2 { 2 } else { 1 };
        let (needed, memory) = (decoded + as_rgb.max(besides).max(decoded), MEMORY.load(Ordering::Relaxed));
        if needed > memory {
            let [needed, memory] = [needed, memory].map(|bytes| bytes.div_ceil(1 << 20));
            return Err(format!(
                "decoding it takes {needed} MiB of memory, and this process may take {memory} MiB; make it smaller, or give more"
            ));
        }
        Ok(DECODING.acquire(needed))
    }
}

/// Refuses a picture without pixels, and one beyond the limits.
pub fn check_size(width: u32, height: u32) -> Result<(), String> {
    let size = format!("it has {width} × {height} pixels");
    if width == 0 || height == 0 {
        return Err(format!("{size}; take it out"));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!("{size}, and {} Mi is the most; make it smaller", MAX_PIXELS >> 20));
    }
    if width.max(height) > MAX_SIDE {
        return Err(format!("{size}, and {MAX_SIDE} on a side is the most; make it smaller"));
    }
    Ok(())
}
