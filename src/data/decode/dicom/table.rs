//! Tables of a DICOM (PS3.3, section C.11.1.1): the values of a modality, brightnesses, or colours, each for
//! a whole number.

use super::super::faults::{damaged, not_read};
use super::super::format::Format;
use super::attributes::{
    Attributes, PALETTE_DATA, PALETTE_DESCRIPTORS, SEGMENTED_PALETTE_DATA, TABLE_DATA, TABLE_DESCRIPTOR,
};
use super::module::PixelModule;

/// A table.
#[derive(Debug)]
pub struct Table {
    /// The number whose entry is the first.
    first: i64,
    /// The bits of an entry.
    pub bits: u32,
    entries: Vec<u16>,
}

impl Table {
    /// Returns the table in an item of a sequence; `is_signed` tells how the first number is to be read where
    /// the file does not.
    ///
    /// # Errors
    /// A sentence, if it is not there or damaged.
    pub fn from_item(item: &Attributes, is_signed: bool) -> Result<Table, String> {
        Table::new(item, TABLE_DESCRIPTOR, TABLE_DATA, is_signed)
    }

    /// Returns the tables of red, green and blue.
    ///
    /// # Errors
    /// A sentence, if one is not there or damaged, or they come in segments.
    pub fn palette(attributes: &Attributes, module: &PixelModule) -> Result<[Table; 3], String> {
        if attributes.get(SEGMENTED_PALETTE_DATA).is_some() {
            return Err(not_read("a DICOM whose palette comes in segments"));
        }
        let [red, green, blue] =
            [0, 1, 2].map(|of| Table::new(attributes, PALETTE_DESCRIPTORS[of], PALETTE_DATA[of], module.is_signed));
        Ok([red?, green?, blue?])
    }

    fn new(attributes: &Attributes, descriptor: u32, data: u32, is_signed: bool) -> Result<Table, String> {
        let damaged = || damaged(Format::Dicom);
        let is_signed = match attributes.get(descriptor).ok_or_else(damaged)?.vr {
            Some(vr) => vr == *b"SS",
            None => is_signed,
        };
        let [count, first, bits] = attributes.numbers(descriptor).try_into().map_err(|_| damaged())?;
        let first = if is_signed { i64::from(first as i16) } else { i64::from(first) };
        // 2¹⁶ entries do not fit into their number, and stand there as none.
        let count = if count == 0 { 1 << 16 } else { usize::from(count) };
        let mut bits = u32::from(bits);
        let element = attributes.get(data).ok_or_else(damaged)?;
        let entries = match element.value.len() {
            // Entries of 8 bits may take a byte each, or two.
            length if length >= 2 * count => attributes.numbers(data),
            length if length >= count => {
                bits = bits.min(8);
                // In numbers of two bytes the first entry is the lower half.
                let swap = usize::from(element.encoding.is_big_endian && element.vr != Some(*b"OB"));
                let byte = |place: usize| element.value.get(place ^ swap).copied().map_or(0, u16::from);
                (0..count).map(byte).collect()
            }
            _ => return Err(damaged()),
        };
        let entries = entries.into_iter().take(count).collect();
        if !(1..=16).contains(&bits) { Err(damaged()) } else { Ok(Table { first, bits, entries }) }
    }

    /// Returns the entry of a number; those beyond the ends have the entries at the ends.
    pub fn entry(&self, number: i64) -> u16 {
        let place = number.saturating_sub(self.first).clamp(0, self.entries.len() as i64 - 1);
        self.entries[place as usize]
    }

    /// Returns the largest entry that its bits allow.
    pub fn most(&self) -> f64 {
        f64::from((1u32 << self.bits) - 1)
    }
}
