//! New inputs from old ones.

use super::zip_bytes::crc32;
use glassnet::random::Stream;

/// Numbers at which programs stumble.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    0x7F,
    0xFF,
    0x100,
    0x7FFF,
    0xFFFF,
    0x1_0000,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    0x1_0000_0000,
    0x7FFF_FFFF_FFFF_FFFF,
    u64::MAX,
];

/// An input drawn from the corpus with one to five changes.
pub fn mutated(stream: &mut Stream, corpus: &[Vec<u8>], tokens: &[&[u8]], longest: usize) -> Vec<u8> {
    let mut input = pick(stream, corpus).clone();
    for _ in 0..=stream.below(5) {
        change(stream, &mut input, corpus, tokens);
    }
    input.truncate(longest);
    if stream.below(2) == 0 {
        mend_png(&mut input);
    }
    input
}

fn pick<'a, T>(stream: &mut Stream, all: &'a [T]) -> &'a T {
    &all[stream.below(all.len() as u32) as usize]
}

/// A place in the input, its end included.
fn place(stream: &mut Stream, input: &[u8]) -> usize {
    stream.below(input.len() as u32 + 1) as usize
}

/// A short stretch of the input.
fn stretch(stream: &mut Stream, input: &[u8]) -> std::ops::Range<usize> {
    let start = place(stream, input);
    let length = 1 << stream.below(8);
    start..input.len().min(start + stream.below(length + 1) as usize)
}

fn change(stream: &mut Stream, input: &mut Vec<u8>, corpus: &[Vec<u8>], tokens: &[&[u8]]) {
    match stream.below(10) {
        // A bit.
        0 | 1 => {
            let at = place(stream, input);
            let bit = 1 << stream.below(8);
            if let Some(byte) = input.get_mut(at) {
                *byte ^= bit;
            }
        }
        // A byte.
        2 => {
            let at = place(stream, input);
            let new = stream.below(256) as u8;
            if let Some(byte) = input.get_mut(at) {
                *byte = new;
            }
        }
        // A number: lengths, offsets, sizes, in either order of bytes.
        3 | 4 => {
            let number = *pick(stream, &NUMBERS);
            let size = 1 << stream.below(4);
            let mut bytes = number.to_le_bytes()[..size].to_vec();
            if stream.below(2) == 0 {
                bytes.reverse();
            }
            overwrite(stream, input, &bytes);
        }
        // A token, over what is there or between.
        5 => {
            let token = *pick(stream, tokens);
            overwrite(stream, input, token);
        }
        6 => {
            let (at, token) = (place(stream, input), *pick(stream, tokens));
            input.splice(at..at, token.iter().copied());
        }
        // A stretch away, or twice.
        7 => {
            let away = stretch(stream, input);
            input.drain(away);
        }
        8 => {
            let (twice, at) = (stretch(stream, input), place(stream, input));
            let copy = input[twice].to_vec();
            input.splice(at..at, copy);
        }
        // The start of this, the end of another; or nothing.
        _ => {
            let at = place(stream, input);
            input.truncate(at);
            let other = pick(stream, corpus);
            let from = place(stream, other);
            if stream.below(3) > 0 {
                input.extend(&other[from..]);
            }
        }
    }
}

/// Writes bytes over those at a place, as far as there are any.
fn overwrite(stream: &mut Stream, input: &mut [u8], bytes: &[u8]) {
    let at = place(stream, input);
    for (old, &new) in input[at..].iter_mut().zip(bytes) {
        *old = new;
    }
}

/// Makes the checksums of a PNG's chunks right, or hardly any change would get beyond them.
fn mend_png(input: &mut [u8]) {
    if !input.starts_with(b"\x89PNG\r\n\x1a\n") {
        return;
    }
    let mut at = 8;
    while let Some(length) = input.get(at..at + 4) {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let end = at + 8 + length;
        if end + 4 > input.len() {
            return;
        }
        let sum = crc32(&input[at + 4..end]).to_be_bytes();
        input[end..end + 4].copy_from_slice(&sum);
        at = end + 4;
    }
}
