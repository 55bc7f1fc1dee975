//! A check that all blocks of a JPEG's picture came, from its entropy-coded data (ITU-T T.81, F.2.2 and
//! G.1.2).
//!
//! A decoder makes a picture of whatever comes: what is missing becomes grey, and after a wrong bit come
//! wrong blocks, as Huffman codes soon fall into step again. Here the codes are followed without making
//! anything of them. Damaged data show in a code that no symbol has, a coefficient after the last, a segment
//! that is too short for its blocks, or too long.

use super::super::faults::{CUT_SHORT, damaged};
use super::super::format::Format;
use super::file::{File, Scan};
use super::huffman::{Bits, NoSuchCode, Table};

/// The most bits of a mean's change, of samples of 8 bits.
const MAX_CHANGE_BITS: u8 = 11;

/// So many zero bytes at a scan's end, and more after it, are a hole in the file: what a disk or a broken
/// download leaves.
const HOLE_BYTES: usize = 8;

/// The fault of a file that ends as it should, and whose scans do not make a whole picture: one that was cut
/// at a scan and closed, or saved with fewer details on purpose.
const LACKS_SCANS: &str = "its last scans are not there; fetch it again, or save it again as PNG with an image program";

/// A scan's data say something that cannot be.
struct Damage;

impl From<NoSuchCode> for Damage {
    fn from(_: NoSuchCode) -> Damage {
        Damage
    }
}

/// Returns the bytes that [`check`] takes for a file.
pub fn working_bytes(file: &File) -> u64 {
    let blocks = |component| file.blocks(component).map(u64::from).iter().product::<u64>();
    if file.is_progressive { (0..file.components.len()).map(blocks).sum::<u64>() * 8 } else { 0 }
}

/// Follows all scans, and returns the place where the last one's data end.
///
/// # Errors
/// A sentence, if blocks are missing, or data damaged.
pub fn check(file: &File, bytes: &[u8]) -> Result<usize, String> {
    // Of each component the coefficients of each block that are not zero yet, a bit each; refinement depends
    // on it.
    let mut nonzeros: Vec<Vec<u64>> = (0..file.components.len())
        .map(|component| {
            let [across, down] = file.blocks(component);
            if file.is_progressive { vec![0; across as usize * down as usize] } else { Vec::new() }
        })
        .collect();
    let mut end = 0;
    for scan in &file.scans {
        end = check_scan(file, scan, bytes, &mut nonzeros)?;
    }
    match (is_complete(file), file.end) {
        (true, _) => Ok(end),
        (false, None) => Err(CUT_SHORT.to_string()),
        (false, Some(_)) => Err(LACKS_SCANS.to_string()),
    }
}

/// Returns whether the scans bring every coefficient of every component to its last bit.
fn is_complete(file: &File) -> bool {
    (0..file.components.len()).all(|component| {
        let scans = || file.scans.iter().filter(|scan| scan.components.iter().any(|(place, _)| *place == component));
        match file.is_progressive {
            true => (0..64).all(|coefficient| {
                let is_in = |scan: &&Scan| (scan.band[0]..=scan.band[1]).contains(&coefficient);
                scans().filter(is_in).any(|scan| scan.bits[1] == 0)
            }),
            false => scans().next().is_some(),
        }
    })
}

/// Follows a scan, and returns the place where its data end.
fn check_scan(file: &File, scan: &Scan, bytes: &[u8], nonzeros: &mut [Vec<u64>]) -> Result<usize, String> {
    let is_alone = scan.components.len() == 1;
    let [across, down] = if is_alone { file.blocks(scan.components[0].0) } else { file.groups() };
    let groups = u64::from(across) * u64::from(down);
    let interval = match scan.restart_interval {
        0 => groups,
        interval => u64::from(interval),
    };
    let ends_file = bytes.get(scan.data.end..scan.data.end + 2).is_none_or(|pair| pair[1] == 0xD8);
    let (mut done, mut start, mut mark) = (0, scan.data.start, 0);
    loop {
        let segment_end = next_mark(bytes, start, scan.data.end);
        let segment = without_fill(&bytes[start..segment_end]);
        let mut bits = Bits::new(segment);
        let count = interval.min(groups - done);
        let outcome = Follower { file, scan, bits: &mut bits, end_of_band_run: 0 }.follow(done..done + count, nonzeros);
        if bits.is_short() {
            return Err(if segment_end == scan.data.end { CUT_SHORT.to_string() } else { damaged(Format::Jpeg) });
        }
        outcome.map_err(|Damage| damaged(Format::Jpeg))?;
        done += count;
        let read = bits.bytes_read();
        let (followed, left) = segment.split_at(read);
        let is_last = done == groups;
        let zeros_before = followed.iter().rev().take_while(|&&byte| byte == 0).count();
        // Zeros before a marker are padding, and after the last block of a file without its end marker
        // anything is a trailer.
        let is_padding = left.iter().all(|&byte| byte == 0);
        let is_hole = is_padding && !left.is_empty() && zeros_before >= HOLE_BYTES;
        if is_hole || !(left.is_empty() || is_last && (is_padding || ends_file)) {
            return Err(damaged(Format::Jpeg));
        }
        if is_last {
            // Some encoders end with a restart mark.
            let marks_alone = bytes[segment_end..scan.data.end].iter().all(|byte| matches!(byte, 0xFF | 0xD0..=0xD7));
            return match marks_alone || ends_file {
                true => Ok(start + read),
                false => Err(damaged(Format::Jpeg)),
            };
        }
        if segment_end == scan.data.end {
            return Err(CUT_SHORT.to_string());
        }
        if bytes[segment_end + 1] != 0xD0 + mark {
            return Err(damaged(Format::Jpeg));
        }
        mark = (mark + 1) % 8;
        start = segment_end + 2;
    }
}

/// Returns the place of the next restart mark in a scan's data, or their end.
fn next_mark(bytes: &[u8], start: usize, end: usize) -> usize {
    let pairs = bytes[start..end].windows(2);
    pairs
        .into_iter()
        .position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))
        .map_or(end, |place| start + place)
}

/// Returns a segment without the `FF`s that may stand before a marker.
fn without_fill(segment: &[u8]) -> &[u8] {
    let fill = segment.iter().rev().take_while(|&&byte| byte == 0xFF).count();
    &segment[..segment.len() - fill]
}

/// A walk along the codes of one segment.
struct Follower<'a, 'b> {
    file: &'a File,
    scan: &'a Scan,
    bits: &'a mut Bits<'b>,
    /// Blocks to come that have no further coefficient in a progressive scan's band.
    end_of_band_run: u32,
}

impl Follower<'_, '_> {
    /// Follows these groups of blocks, until one reads more than there is.
    fn follow(&mut self, groups: std::ops::Range<u64>, nonzeros: &mut [Vec<u64>]) -> Result<(), Damage> {
        let scan = self.scan;
        let is_alone = scan.components.len() == 1;
        for group in groups {
            for (component, tables) in &scan.components {
                let [across, down] = self.file.components[*component].factors;
                let blocks = if is_alone { 1 } else { across * down };
                for _ in 0..blocks {
                    let [means, others] = tables.each_ref().map(Option::as_deref);
                    match (self.file.is_progressive, scan.band[0], scan.bits[0]) {
                        (false, ..) => self.block(means, others)?,
                        (true, 0, 0) => self.mean(means)?,
                        (true, 0, _) => self.bits.pass(1),
                        (true, _, 0) => self.first_bits(others, &mut nonzeros[*component][group as usize])?,
                        (true, ..) => self.refined_bits(others, &mut nonzeros[*component][group as usize])?,
                    }
                }
            }
            if self.bits.is_short() {
                break;
            }
        }
        Ok(())
    }

    /// Reads the change of a block's mean.
    #[inline(always)]
    fn mean(&mut self, table: Option<&Table>) -> Result<(), Damage> {
        let length = table.ok_or(Damage)?.symbol_and_value(self.bits)?;
        if length > MAX_CHANGE_BITS { Err(Damage) } else { Ok(()) }
    }

    /// Reads a sequential block: its mean, then runs of zeros, each with the coefficient after it.
    #[inline(always)]
    fn block(&mut self, means: Option<&Table>, others: Option<&Table>) -> Result<(), Damage> {
        self.mean(means)?;
        let others = others.ok_or(Damage)?;
        let mut place = 1;
        while place < 64 {
            let symbol = others.symbol_and_value(self.bits)?;
            let (run, length) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            match (run, length) {
                (15, 0) => place += 16,
                (_, 0) => return Ok(()),
                _ => {
                    place += run + 1;
                    if place > 64 {
                        return Err(Damage);
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads the first bits of a block's coefficients in a progressive scan's band.
    fn first_bits(&mut self, table: Option<&Table>, nonzeros: &mut u64) -> Result<(), Damage> {
        if self.end_of_band_run > 0 {
            self.end_of_band_run -= 1;
            return Ok(());
        }
        let [first, last] = self.scan.band.map(u32::from);
        let mut place = first;
        while place <= last {
            let symbol = table.ok_or(Damage)?.symbol_and_value(self.bits)?;
            let (run, length) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            match (run, length) {
                (15, 0) => place += 16,
                (_, 0) => {
                    self.end_of_band_run = (1 << run) - 1 + self.bits.number(run);
                    break;
                }
                _ => {
                    place += run;
                    if place > last {
                        return Err(Damage);
                    }
                    *nonzeros |= 1 << place;
                    place += 1;
                }
            }
        }
        Ok(())
    }

    /// Reads another bit of a block's coefficients: one for each that is not zero yet, and among these the
    /// new ones.
    fn refined_bits(&mut self, table: Option<&Table>, nonzeros: &mut u64) -> Result<(), Damage> {
        let [first, last] = self.scan.band.map(u32::from);
        let mut place = first;
        while self.end_of_band_run == 0 && place <= last {
            let symbol = table.ok_or(Damage)?.symbol(self.bits)?;
            let (mut run, length) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            match (run, length) {
                (0..15, 0) => {
                    self.end_of_band_run = (1 << run) + self.bits.number(run);
                    break;
                }
                (_, 0) => {}
                (_, 1) => self.bits.pass(1),
                _ => return Err(Damage),
            }
            while place <= last {
                if *nonzeros >> place & 1 == 1 {
                    self.bits.pass(1);
                } else if run == 0 {
                    break;
                } else {
                    run -= 1;
                }
                place += 1;
            }
            if length == 1 {
                if place > last {
                    return Err(Damage);
                }
                *nonzeros |= 1 << place;
            }
            place += 1;
        }
        if self.end_of_band_run > 0 {
            if place <= last {
                let rest = *nonzeros >> place & (u64::MAX >> (63 - (last - place)));
                self.bits.pass(rest.count_ones());
            }
            self.end_of_band_run -= 1;
        }
        Ok(())
    }
}
