//! The attributes of a DICOM that tell how its picture is stored (PS3.3, sections C.7.6.3 and C.11).
//!
//! Of all elements of a file only these are kept. None tells of a person.

use std::collections::BTreeMap;

use super::super::faults::damaged;
use super::super::format::Format;
use super::elements::{Element, Elements};

pub const TRANSFER_SYNTAX: u32 = 0x0002_0010;
pub const SAMPLES_PER_PIXEL: u32 = 0x0028_0002;
pub const PHOTOMETRIC: u32 = 0x0028_0004;
pub const PLANAR_CONFIGURATION: u32 = 0x0028_0006;
pub const NUMBER_OF_FRAMES: u32 = 0x0028_0008;
pub const ROWS: u32 = 0x0028_0010;
pub const COLUMNS: u32 = 0x0028_0011;
pub const BITS_ALLOCATED: u32 = 0x0028_0100;
pub const BITS_STORED: u32 = 0x0028_0101;
pub const HIGH_BIT: u32 = 0x0028_0102;
pub const PIXEL_REPRESENTATION: u32 = 0x0028_0103;
pub const WINDOW_CENTER: u32 = 0x0028_1050;
pub const WINDOW_WIDTH: u32 = 0x0028_1051;
pub const RESCALE_INTERCEPT: u32 = 0x0028_1052;
pub const RESCALE_SLOPE: u32 = 0x0028_1053;
pub const VOI_FUNCTION: u32 = 0x0028_1056;
pub const PALETTE_DESCRIPTORS: [u32; 3] = [0x0028_1101, 0x0028_1102, 0x0028_1103];
pub const PALETTE_DATA: [u32; 3] = [0x0028_1201, 0x0028_1202, 0x0028_1203];
pub const SEGMENTED_PALETTE_DATA: u32 = 0x0028_1221;
pub const MODALITY_TABLES: u32 = 0x0028_3000;
pub const TABLE_DESCRIPTOR: u32 = 0x0028_3002;
pub const TABLE_DATA: u32 = 0x0028_3006;
pub const VOI_TABLES: u32 = 0x0028_3010;
/// The groups of what holds for all frames, and for each frame, of a file of many.
pub const FRAME_GROUPS: [u32; 2] = [0x5200_9229, 0x5200_9230];
/// Within these: the window, and the rescaling.
pub const FRAME_VOI: u32 = 0x0028_9132;
pub const FRAME_RESCALE: u32 = 0x0028_9145;
/// Pictures of numbers that are no whole ones.
pub const FLOAT_PIXEL_DATA: [u32; 2] = [0x7FE0_0008, 0x7FE0_0009];
pub const PIXEL_DATA: u32 = 0x7FE0_0010;

/// All of them.
const KNOWN: [&[u32]; 5] = [
    &[
        TRANSFER_SYNTAX,
        SAMPLES_PER_PIXEL,
        PHOTOMETRIC,
        PLANAR_CONFIGURATION,
        NUMBER_OF_FRAMES,
        ROWS,
        COLUMNS,
        BITS_ALLOCATED,
        BITS_STORED,
        HIGH_BIT,
        PIXEL_REPRESENTATION,
        WINDOW_CENTER,
        WINDOW_WIDTH,
        RESCALE_INTERCEPT,
        RESCALE_SLOPE,
        VOI_FUNCTION,
        SEGMENTED_PALETTE_DATA,
        MODALITY_TABLES,
        TABLE_DESCRIPTOR,
        TABLE_DATA,
        VOI_TABLES,
        FRAME_VOI,
        FRAME_RESCALE,
        PIXEL_DATA,
    ],
    &PALETTE_DESCRIPTORS,
    &PALETTE_DATA,
    &FRAME_GROUPS,
    &FLOAT_PIXEL_DATA,
];

/// The attributes of a file, or of an item of a sequence.
#[derive(Debug)]
pub struct Attributes<'a> {
    found: BTreeMap<u32, Element<'a>>,
}

impl<'a> Attributes<'a> {
    /// Keeps the known ones among these elements. What stands behind the picture is not looked at.
    ///
    /// # Errors
    /// A sentence, if an element cannot be read.
    pub fn new(elements: impl Iterator<Item = Result<Element<'a>, String>>) -> Result<Attributes<'a>, String> {
        let mut found = BTreeMap::new();
        for element in elements {
            let element = element?;
            if KNOWN.iter().any(|tags| tags.contains(&element.tag)) {
                found.insert(element.tag, element);
            }
            if element.tag >= PIXEL_DATA {
                break;
            }
        }
        Ok(Attributes { found })
    }

    /// Returns an element, unless it is not there or empty.
    pub fn get(&self, tag: u32) -> Option<&Element<'a>> {
        self.found.get(&tag).filter(|element| !element.value.is_empty())
    }

    /// Returns the numbers of two bytes of an element.
    pub fn numbers(&self, tag: u32) -> Vec<u16> {
        let pairs = |element: &Element| {
            let pairs = element.value.as_chunks::<2>().0;
            pairs.iter().map(|&pair| element.encoding.u16(pair)).collect()
        };
        self.get(tag).map(pairs).unwrap_or_default()
    }

    /// Returns the first number of two bytes of an element, if it is there.
    pub fn number(&self, tag: u32) -> Option<u16> {
        let element = self.get(tag)?;
        element.value.first_chunk().map(|&pair| element.encoding.u16(pair))
    }

    /// Returns the first of the texts of an element, which a backslash parts, without the spaces around it;
    /// none if it is not there or empty.
    ///
    /// # Errors
    /// A sentence, if it is no text of ASCII.
    pub fn text(&self, tag: u32) -> Result<Option<&'a str>, String> {
        let Some(element) = self.get(tag) else { return Ok(None) };
        let text = std::str::from_utf8(element.value).ok().filter(|text| text.is_ascii());
        let text = text.ok_or_else(|| damaged(Format::Dicom))?;
        let first = text.split('\\').next().unwrap_or_default().trim_matches([' ', '\0']);
        Ok(Some(first).filter(|first| !first.is_empty()))
    }

    /// Returns the first of the numbers that an element has as text.
    ///
    /// # Errors
    /// A sentence, if it is none.
    pub fn decimal(&self, tag: u32) -> Result<Option<f64>, String> {
        let Some(text) = self.text(tag)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Some).ok_or_else(|| damaged(Format::Dicom))
    }

    /// Returns the attributes of the first item of a sequence, if there is one.
    ///
    /// # Errors
    /// A sentence, if an element cannot be read.
    pub fn item(&self, tag: u32) -> Result<Option<Attributes<'a>>, String> {
        let Some(element) = self.get(tag) else { return Ok(None) };
        let Some(item) = element.items().next() else { return Ok(None) };
        Attributes::new(Elements::new(item?, element.encoding)).map(Some)
    }
}
