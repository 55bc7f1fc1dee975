//! Pieces that are compressed by LZW (TIFF 6.0, section 13), as the decoder must see them to find their ends.
//!
//! The decoder's reader of LZW takes it for the end of a file when it has taken in all bytes of a piece and
//! not yet given out all that they mean, as happens in tiles beyond the picture's edge (image-tiff, issue
//! 395). So each piece is followed by more bytes. They are ones alone, which is no code of any length, and so
//! never become pixels of a piece that is cut short.

use super::directory::Directory;
use super::masked::Masked;

/// The code of LZW in the tag `Compression`.
const LZW: u64 = 5;

/// The tags of where pieces begin and of their lengths, of strips and of tiles.
const PIECES: [[u64; 2]; 2] = [[273, 279], [324, 325]];

/// The bytes that follow each piece: as many as the reader takes in at once.
const FURTHER: u64 = 8;

/// The most pieces of a file whose pieces are followed by more: those of the largest picture, of 64 pixels
/// each.
const MAX_PIECES: usize = 1 << 20;

/// Lets the pieces of a file whose pieces are compressed by LZW be followed by further bytes.
pub fn lengthen(directory: &Directory, masked: &mut Masked) {
    if directory.first(259) != Some(LZW) {
        return;
    }
    for [starts, lengths] in PIECES {
        let (Some(starts), Some(lengths)) = (directory.values(starts), directory.values(lengths)) else { continue };
        if lengths.count > MAX_PIECES {
            continue;
        }
        let mut instead = Vec::new();
        let most = if lengths.width == 8 { u64::MAX } else { (1 << (8 * lengths.width)) - 1 };
        for index in 0..lengths.count {
            let Some(length) = directory.number(lengths.at + index * lengths.width, lengths.width) else { return };
            if index < starts.count
                && let Some(start) = directory.number(starts.at + index * starts.width, starts.width)
            {
                masked.ends.insert(start, start.saturating_add(length));
            }
            instead.extend(directory.bytes_of(length.saturating_add(FURTHER).min(most), lengths.width));
        }
        masked.patches.push((lengths.at, instead));
    }
}
