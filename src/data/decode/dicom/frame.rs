//! The first frame of a DICOM: found, unpacked, and read sample by sample.

use std::borrow::Cow;

use super::super::faults::{CUT_SHORT, damaged, not_read};
use super::super::format::Format;
use super::super::jpeg::{Colours, Jpeg};
use super::super::picture::Samples;
use super::elements::Element;
use super::module::{Photometric, PixelModule};
use super::syntax::{Compression, Syntax};

/// The numbers at the beginning of run lengths: of segments, and where each begins.
const RLE_HEADER: usize = 16;

/// The bytes by which a JPEG begins.
const JPEG_START: [u8; 2] = [0xFF, 0xD8];

/// The first frame as it is stored.
pub enum Packed<'a> {
    /// All samples.
    Plain(Frame<'a>),
    /// Run lengths, of which the frame takes so many bytes.
    Rle(&'a [u8], u64),
    /// A JPEG, put together from its pieces, the meaning of its samples, and the bytes that decoding it
    /// takes.
    Jpeg(Cow<'a, [u8]>, Colours, u64),
}

/// The samples of a frame.
pub struct Frame<'a> {
    bytes: Cow<'a, [u8]>,
    sample_bytes: usize,
    is_big_endian: bool,
    /// True if bytes are written as numbers of two, of which the second comes first.
    is_swapped: bool,
    /// True if colours come one behind the other.
    is_planar: bool,
}

impl<'a> Packed<'a> {
    /// Finds the first frame.
    ///
    /// # Errors
    /// A sentence, if it is not there as a whole, or of a kind that is not read.
    pub fn new(data: &Element<'a>, module: &PixelModule, syntax: Syntax) -> Result<Packed<'a>, String> {
        if syntax.compression != Compression::None && !data.is_undefined {
            return Err(damaged(Format::Dicom));
        }
        // Before the fragments of frames stands a table of where each begins.
        let mut fragments = data.items().skip(1);
        match syntax.compression {
            Compression::None => {
                let is_swapped = module.sample_bytes == 1 && data.encoding.is_big_endian && data.vr != Some(*b"OB");
                let needed = if is_swapped { module.frame_bytes().next_multiple_of(2) } else { module.frame_bytes() };
                if data.value.len() < needed {
                    return Err(CUT_SHORT.to_string());
                }
                Ok(Packed::Plain(Frame {
                    bytes: Cow::Borrowed(data.value),
                    sample_bytes: module.sample_bytes,
                    is_big_endian: data.encoding.is_big_endian,
                    is_swapped,
                    is_planar: module.is_planar,
                }))
            }
            Compression::Rle => Ok(Packed::Rle(fragments.next().ok_or(CUT_SHORT)??, module.frame_bytes() as u64)),
            Compression::Jpeg => {
                let mut stream = Cow::Borrowed(fragments.next().ok_or(CUT_SHORT)??);
                for fragment in fragments {
                    let fragment = fragment?;
                    if fragment.starts_with(&JPEG_START) {
                        break;
                    }
                    stream.to_mut().extend_from_slice(fragment);
                }
                let jpeg = Jpeg::from_bytes(&stream)?;
                let [width, height] = jpeg.size();
                if [width, height] != [module.width, module.height] || jpeg.components() != module.samples {
                    return Err(damaged(Format::Dicom));
                }
                if module.sample_bytes != 1 {
                    return Err(not_read("a DICOM of more bits than its JPEG has"));
                }
                let working = jpeg.working_bytes() + (stream.len() + module.frame_bytes()) as u64;
                // Without a mark, three components are taken for brightness and differences.
                let is_rgb = module.photometric == Photometric::Rgb && !jpeg.tells_colours();
                let colours = if is_rgb { Colours::AsStored } else { Colours::Plain };
                Ok(Packed::Jpeg(stream, colours, working))
            }
        }
    }

    /// Returns the bytes that unpacking takes beside the picture.
    pub fn working_bytes(&self) -> u64 {
        match self {
            Packed::Plain(_) => 0,
            Packed::Rle(_, bytes) | Packed::Jpeg(_, _, bytes) => *bytes,
        }
    }

    /// Unpacks the frame; of a JPEG in colours, to red, green and blue.
    ///
    /// # Errors
    /// A sentence, if it is cut short or damaged.
    pub fn unpack(self, module: &PixelModule) -> Result<Frame<'a>, String> {
        let bytes = match self {
            Packed::Plain(frame) => return Ok(frame),
            Packed::Rle(packed, _) => unpack_runs(packed, module)?,
            Packed::Jpeg(stream, colours, _) => Jpeg::from_bytes(&stream)?.samples(colours)?,
        };
        let sample_bytes = module.sample_bytes;
        Ok(Frame { bytes: Cow::Owned(bytes), sample_bytes, is_big_endian: false, is_swapped: false, is_planar: false })
    }
}

impl Frame<'_> {
    /// Returns the bits of the sample at this place.
    pub fn raw(&self, place: usize) -> u16 {
        match (self.sample_bytes, self.is_big_endian) {
            (1, _) => u16::from(self.bytes[place ^ usize::from(self.is_swapped)]),
            (_, false) => u16::from_le_bytes([self.bytes[2 * place], self.bytes[2 * place + 1]]),
            (_, true) => u16::from_be_bytes([self.bytes[2 * place], self.bytes[2 * place + 1]]),
        }
    }

    /// Returns the samples, pixel by pixel, each as the level that its value has.
    pub fn levels(&self, module: &PixelModule, levels: impl Iterator<Item = u16>) -> Samples {
        let levels: Vec<u16> = levels.collect();
        let (pixels, channels) = (module.pixels(), module.samples);
        let level = |sample: usize| {
            let place = if self.is_planar { sample % channels * pixels + sample / channels } else { sample };
            levels[module.place(self.raw(place))]
        };
        let samples = 0..pixels * channels;
        match module.is_deep() {
            true => Samples::Bits16(samples.map(level).collect()),
            false => Samples::Bits8(samples.map(|sample| level(sample) as u8).collect()),
        }
    }
}

/// Unpacks run lengths: for each sample of a pixel a segment of its high bytes, if it has two, and one of its
/// low ones, each packed as PackBits does.
fn unpack_runs(packed: &[u8], module: &PixelModule) -> Result<Vec<u8>, String> {
    let (header, _) = packed.split_at_checked(4 * RLE_HEADER).ok_or(CUT_SHORT)?;
    let numbers: Vec<usize> = header.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes) as usize).collect();
    let (pixels, width) = (module.pixels(), module.samples * module.sample_bytes);
    if numbers[0] != width {
        return Err(damaged(Format::Dicom));
    }
    let mut bytes = vec![0; pixels * width];
    for segment in 0..width {
        let start = numbers[1 + segment];
        let end = if segment + 1 < width { numbers[2 + segment] } else { packed.len() };
        let runs = packed.get(start..end).ok_or_else(|| damaged(Format::Dicom))?;
        // The lowest byte of each sample is the first here, and the last there.
        let (sample, byte) = (segment / module.sample_bytes, segment % module.sample_bytes);
        let at = sample * module.sample_bytes + module.sample_bytes - 1 - byte;
        unpack_segment(runs, bytes[at..].iter_mut().step_by(width)).ok_or(CUT_SHORT)?;
    }
    Ok(bytes)
}

/// Unpacks a segment into these bytes; nothing is returned if it ends before.
fn unpack_segment<'b>(mut runs: &[u8], mut to: impl ExactSizeIterator<Item = &'b mut u8>) -> Option<()> {
    while to.len() > 0 {
        let (&count, behind) = runs.split_first()?;
        runs = match count {
            0..128 => {
                let (literal, behind) = behind.split_at_checked(usize::from(count) + 1)?;
                to.by_ref().zip(literal).for_each(|(to, byte)| *to = *byte);
                behind
            }
            128 => behind,
            129.. => {
                let (&byte, behind) = behind.split_first()?;
                to.by_ref().take(257 - usize::from(count)).for_each(|to| *to = byte);
                behind
            }
        };
    }
    Some(())
}
