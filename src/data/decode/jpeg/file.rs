//! The markers of a JPEG: its frame, and the place of each scan's data.
//!
//! The file is a chain of markers, `FF` and a code. Most are followed by a segment that begins with its
//! length; after a scan header (`DA`) come data in which `FF 00` is a byte and `FF D0`…`FF D7` are restart
//! marks, up to the next true marker (ITU-T T.81, annex B). Going by the lengths keeps the thumbnail within
//! an EXIF segment from being taken for the picture.

use std::ops::Range;
use std::sync::Arc;

use libjpeg_turbo_rs::common::tables;

use super::super::faults::{CUT_SHORT, damaged, not_read};
use super::super::format::Format;
use super::huffman::Table;

/// The most scans of a file. Each takes time for the whole picture, whatever its length; ten are usual.
const MAX_SCANS: usize = 256;

/// The bytes of a segment's length, which counts them too.
const LENGTH_BYTES: usize = 2;

/// The most components of a frame that are read, as CMYK has.
const MAX_COMPONENTS: usize = 4;

/// A component of the frame: brightness, a colour difference, an ink.
#[derive(Clone, Copy, Debug)]
pub struct Component {
    id: u8,
    /// Its samples, as shares of the most that a component has, across and down.
    pub factors: [u32; 2],
}

/// A scan: some components' data, in a sequential file whole, in a progressive one some coefficients and bits
/// of them.
pub struct Scan {
    /// Each component, by its place in the frame, with its tables of means (DC) and of the rest (AC).
    pub components: Vec<(usize, [Option<Arc<Table>>; 2])>,
    /// The first and last coefficient, in zigzag order.
    pub band: [u8; 2],
    /// The bit position that was reached before, 0 for none, and that is reached now.
    pub bits: [u8; 2],
    /// Blocks or groups of blocks between two restart marks; 0 for no marks.
    pub restart_interval: u32,
    /// The place of its data: up to the next marker, or the file's end.
    pub data: Range<usize>,
}

/// A JPEG file.
pub struct File {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// True if scans refine the picture.
    pub is_progressive: bool,
    /// True if it has a JFIF header, which says that its colours are brightness and differences.
    pub is_jfif: bool,
    /// True if it has a segment of Adobe's, which says what its colours are.
    pub is_adobe: bool,
    /// The frame's components.
    pub components: Vec<Component>,
    /// Its scans.
    pub scans: Vec<Scan>,
    /// The place of the end marker, if it comes right after the last scan and what belongs to it.
    pub end: Option<usize>,
}

impl File {
    /// Reads the markers.
    ///
    /// # Errors
    /// A sentence, if the file is damaged before its last scan, or of a kind that is not read.
    pub fn from_bytes(bytes: &[u8]) -> Result<File, String> {
        let mut file = File {
            width: 0,
            height: 0,
            is_progressive: false,
            is_jfif: false,
            is_adobe: false,
            components: Vec::new(),
            scans: Vec::new(),
            end: None,
        };
        let mut tables = usual_tables();
        let mut restart_interval = 0;
        let mut at = 2;
        // What stands between segments is none of the file's, and is passed over, as libjpeg does.
        while let Some(marker) = next_marker(bytes, at) {
            // After a scan, bytes that are no marker are a trailer, which may hold anything.
            let is_adjacent = [0, 0xFF].iter().any(|fill| bytes[at..marker].iter().all(|byte| byte == fill));
            if !is_adjacent && !file.scans.is_empty() {
                break;
            }
            let code = bytes[marker + 1];
            at = marker + 2;
            match code {
                0xD9 => {
                    file.end = Some(marker);
                    break;
                }
                0x01 | 0xD0..=0xD7 => continue,
                // A second file after the picture, as some cameras leave there.
                0xD8 if !file.scans.is_empty() => break,
                0xD8 => continue,
                _ => {}
            }
            let Some(segment) = segment(bytes, at) else {
                if file.scans.is_empty() {
                    return Err(CUT_SHORT.to_string());
                }
                break;
            };
            at += LENGTH_BYTES + segment.len();
            match code {
                0xC4 => read_tables(segment, &mut tables)?,
                0xC8 | 0xCC => {}
                0xE0 => file.is_jfif |= segment.starts_with(b"JFIF\0"),
                0xEE => file.is_adobe |= segment.starts_with(b"Adobe"),
                0xC0..=0xCF => file.read_frame(code, segment)?,
                0xDD => {
                    let &[high, low] = segment else { return Err(damaged(Format::Jpeg)) };
                    restart_interval = u32::from(u16::from_be_bytes([high, low]));
                }
                0xDA => {
                    let end = end_of_scan(bytes, at);
                    let mut scan = file.scan(segment, &tables)?;
                    (scan.restart_interval, scan.data) = (restart_interval, at..end);
                    at = end;
                    file.push_scan(scan)?;
                }
                _ => {}
            }
        }
        match (file.components.is_empty(), file.scans.is_empty()) {
            (false, false) => file.check_kind().map(|()| file),
            _ => Err(CUT_SHORT.to_string()),
        }
    }

    /// Adds a scan, and refuses one too many.
    fn push_scan(&mut self, scan: Scan) -> Result<(), String> {
        self.scans.push(scan);
        if self.scans.len() > MAX_SCANS {
            return Err(format!(
                "its picture comes in more than {MAX_SCANS} scans; save it again with an image program"
            ));
        }
        Ok(())
    }

    /// Returns the largest factors of any component, across and down.
    pub fn largest_factors(&self) -> [u32; 2] {
        [0, 1].map(|side| self.components.iter().map(|component| component.factors[side]).max().unwrap_or(1))
    }

    /// Returns the groups of blocks across and down, each with all components' blocks for the same part of
    /// the picture.
    pub fn groups(&self) -> [u32; 2] {
        let [across, down] = self.largest_factors();
        [self.width.div_ceil(8 * across), self.height.div_ceil(8 * down)]
    }

    /// Returns the blocks of a component, across and down, that hold something of the picture.
    pub fn blocks(&self, component: usize) -> [u32; 2] {
        let largest = self.largest_factors();
        let factors = self.components[component].factors;
        [(self.width, 0), (self.height, 1)].map(|(size, side)| (size * factors[side]).div_ceil(largest[side] * 8))
    }

    fn read_frame(&mut self, code: u8, segment: &[u8]) -> Result<(), String> {
        let kind = match code {
            0xC0..=0xC2 => None,
            0xC3 => Some("a lossless JPEG"),
            0xC9 | 0xCA => Some("an arithmetic-coded JPEG"),
            0xCB => Some("a lossless, arithmetic-coded JPEG"),
            _ => Some("a hierarchical JPEG"),
        };
        let &[precision, y1, y0, x1, x0, count, ref components @ ..] = segment else {
            return Err(damaged(Format::Jpeg));
        };
        let count = usize::from(count);
        if let Some(kind) = kind {
            return Err(not_read(kind));
        }
        if precision != 8 {
            return Err(not_read(&format!("a JPEG of {precision} bits a sample")));
        }
        if !matches!(count, 1 | 3 | MAX_COMPONENTS) {
            return Err(not_read(&format!("a JPEG of {count} samples a pixel")));
        }
        if !self.components.is_empty() || components.len() != 3 * count {
            return Err(damaged(Format::Jpeg));
        }
        self.is_progressive = code == 0xC2;
        self.height = u32::from(u16::from_be_bytes([y1, y0]));
        self.width = u32::from(u16::from_be_bytes([x1, x0]));
        for component in components.chunks_exact(3) {
            let factors = [component[1] >> 4, component[1] & 15].map(u32::from);
            if factors.iter().any(|factor| !(1..=4).contains(factor)) {
                return Err(damaged(Format::Jpeg));
            }
            self.components.push(Component { id: component[0], factors });
        }
        Ok(())
    }

    /// Refuses what the decoder has not been seen to decode as libjpeg does.
    fn check_kind(&self) -> Result<(), String> {
        let (first, others) = (self.components[0].factors, &self.components[1..]);
        if self.components.len() == MAX_COMPONENTS && others.iter().any(|other| other.factors != first) {
            return Err(not_read("a CMYK JPEG whose inks are stored at different sizes"));
        }
        if others.iter().any(|other| (0..2).any(|side| first[side] % other.factors[side] != 0)) {
            return Err(not_read(
                "a JPEG whose colours are stored finer than its brightness, or at a broken ratio to it",
            ));
        }
        let is_in_part = |scan: &Scan| (2..self.components.len()).contains(&scan.components.len());
        if !self.is_progressive && self.scans.iter().any(is_in_part) {
            return Err(not_read("a JPEG with a scan of some of its components together"));
        }
        Ok(())
    }

    /// Returns the scan of a header, without its data.
    fn scan(&self, segment: &[u8], tables: &[[Option<Arc<Table>>; 4]; 2]) -> Result<Scan, String> {
        let damaged = || damaged(Format::Jpeg);
        let (&count, rest) = segment.split_first().ok_or_else(damaged)?;
        let count = usize::from(count);
        if self.components.is_empty() || !(1..=MAX_COMPONENTS).contains(&count) || rest.len() != 2 * count + 3 {
            return Err(damaged());
        }
        let (selectors, rest) = rest.split_at(2 * count);
        let mut components: Vec<(usize, _)> = Vec::new();
        for selector in selectors.chunks_exact(2) {
            let place = self.components.iter().position(|component| component.id == selector[0]).ok_or_else(damaged)?;
            if components.iter().any(|(other, _)| *other >= place) {
                return Err(damaged());
            }
            let [means, others] = [selector[1] >> 4, selector[1] & 15].map(usize::from);
            let table = |class: usize, index: usize| tables[class].get(index).cloned().ok_or_else(damaged);
            components.push((place, [table(0, means)?, table(1, others)?]));
        }
        let (band, bits) = ([rest[0], rest[1]], [rest[2] >> 4, rest[2] & 15]);
        let is_sound = !self.is_progressive
            || match band {
                [0, 0] => true,
                [first, last] => first >= 1 && first <= last && last <= 63 && count == 1,
            };
        if !is_sound || bits[1] > 13 || (self.is_progressive && bits[0] != 0 && bits[0] != bits[1] + 1) {
            return Err(damaged());
        }
        Ok(Scan { components, band, bits, restart_interval: 0, data: 0..0 })
    }
}

/// Returns the segment whose length stands at `at`, without that length; none where it is not there as a
/// whole.
fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    let rest = usize::from(length).checked_sub(LENGTH_BYTES)?;
    bytes.get(at + LENGTH_BYTES..)?.get(..rest)
}

/// Returns the place of the next marker.
fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xFF)).map(|place| from + place)
}

/// Returns the place of the marker that ends a scan's data, or the file's end.
fn end_of_scan(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(marker) = next_marker(bytes, at) {
        if !matches!(bytes[marker + 1], 0xD0..=0xD7) {
            return marker;
        }
        at = marker + 2;
    }
    bytes.len()
}

/// Returns the tables of annex K, which cameras' moving pictures leave out: of brightness in place 0, of
/// colour in place
/// 1. Progressive files must bring theirs.
fn usual_tables() -> [[Option<Arc<Table>>; 4]; 2] {
    let table = |bits: &[u8; 17], symbols: &[u8]| {
        let counts = bits.last_chunk().expect("counts of 16 lengths");
        Table::new(counts, symbols).map(Arc::new)
    };
    let means = [
        table(&tables::DC_LUMINANCE_BITS, &tables::DC_LUMINANCE_VALUES),
        table(&tables::DC_CHROMINANCE_BITS, &tables::DC_CHROMINANCE_VALUES),
    ];
    let others = [
        table(&tables::AC_LUMINANCE_BITS, &tables::AC_LUMINANCE_VALUES),
        table(&tables::AC_CHROMINANCE_BITS, &tables::AC_CHROMINANCE_VALUES),
    ];
    [means, others].map(|[brightness, colour]| [brightness, colour, None, None])
}

/// Returns the tables that a segment defines: class and place, counts of codes, symbols.
fn read_tables(mut segment: &[u8], tables: &mut [[Option<Arc<Table>>; 4]; 2]) -> Result<(), String> {
    let damaged = || damaged(Format::Jpeg);
    while let [place, rest @ ..] = segment {
        let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(damaged)?;
        let count: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let symbols = rest.get(..count).ok_or_else(damaged)?;
        let class = tables.get_mut(usize::from(place >> 4)).ok_or_else(damaged)?;
        let table = class.get_mut(usize::from(place & 15)).ok_or_else(damaged)?;
        *table = Some(Arc::new(Table::new(counts, symbols).ok_or_else(damaged)?));
        segment = &rest[count..];
    }
    Ok(())
}
