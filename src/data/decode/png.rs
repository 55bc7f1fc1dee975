//! What the chunks of a PNG tell that the decoder does not: whether there are further pictures, and how much there is besides.

/// The most chunks of a PNG that hold neither pixels nor frames: texts, colours, times. Cameras and editors write a few dozen.
pub const MAX_PNG_CHUNKS: usize = 10_000;

/// What the chunks of a PNG tell (PNG specification, third edition, 5.3): length, kind, content and checksum of each.
pub struct PngChunks {
    /// Whether an `acTL` stands before the pixels (11.3.6.1).
    pub is_animated: bool,
    /// How many there are that hold neither pixels nor a frame. A decoder keeps each, whatever little is in it.
    pub besides: usize,
}

impl PngChunks {
    /// Of a whole file; what is no chunk ends them.
    pub fn of(bytes: &[u8]) -> PngChunks {
        let mut found = PngChunks { is_animated: false, besides: 0 };
        let mut is_before_pixels = true;
        let mut rest = bytes.get(8..).unwrap_or_default();
        while let [a, b, c, d, kind @ ..] = rest
            && let Some(kind) = kind.get(..4)
        {
            match kind {
                b"IDAT" => is_before_pixels = false,
                b"acTL" => found.is_animated |= is_before_pixels,
                b"fcTL" | b"fdAT" => {}
                _ => found.besides += 1,
            }
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            // Length, kind and checksum are four bytes each. Where sizes have 32 bits the sum may be more than any file has.
            rest = rest.get(length.saturating_add(12)..).unwrap_or_default();
        }
        found
    }
}
