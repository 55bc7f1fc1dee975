//! From a decoded picture to one of the network's size: grey or colour, squashed, fitted in or cropped.

use super::decode::{Rgb, RgbPicture};
use super::reading::{Interpolation, Reading, Resize};
use super::resample::{PictureBox, Pixels, bilinear, nearest};
use super::sample::{PictureSamples, Sample};

/// Returns a picture of 8 or 16 bits as the network takes it, by [`framed`].
///
/// # Panics
/// As [`framed`].
pub fn framed_samples(picture: RgbPicture, size: [usize; 3], reading: Reading) -> PictureSamples {
    match picture {
        RgbPicture::Bits8(picture) => PictureSamples::Bits8(framed(picture, size, reading).into()),
        RgbPicture::Bits16(picture) => PictureSamples::Bits16(framed(picture, size, reading).into()),
    }
}

/// Returns the samples of a picture as the network takes them, of height, width and channels `size`, in the
/// order H W C. One channel is grey ([`grey`]), three are RGB.
///
/// | resize | what becomes of another aspect | Pillow's |
/// |---|---|---|
/// | squash | it is not kept | `Image.resize` |
/// | letterbox | the whole picture is fitted in, in the middle, with black around | `ImageOps.pad` |
/// | crop | the middle part of the wanted aspect is taken, as large as there is one | `ImageOps.fit` |
///
/// The pixels are those of Pillow's `NEAREST` or `BILINEAR`, to the bit. Grey is taken before resizing, as
/// in Keras.
///
/// # Panics
/// If the channels are neither 1 nor 3, or the picture is empty.
pub fn framed<T: Sample>(picture: Rgb<T>, size: [usize; 3], reading: Reading) -> Vec<T> {
    let [height, width, channels] = size;
    let picture = match channels {
        1 => grey(&picture),
        3 => Pixels { width: picture.width, height: picture.height, channels, samples: picture.pixels },
        _ => panic!("a picture of {channels} channels"),
    };
    let resize = |part: PictureBox, width: usize, height: usize| match reading.interpolation {
        _ if (part, width, height) == (PictureBox::whole(&picture), picture.width, picture.height) => picture.clone(),
        Interpolation::Nearest => nearest(&picture, part, width, height),
        Interpolation::Bilinear => bilinear(&picture, part, width, height),
    };
    let whole = PictureBox::whole(&picture);
    match reading.resize {
        Resize::Squash => resize(whole, width, height).samples,
        Resize::Crop => resize(middle(&picture, width, height), width, height).samples,
        Resize::Letterbox => {
            let [inner_width, inner_height] = fitted_in(&picture, width, height);
            padded(&resize(whole, inner_width, inner_height), width, height).samples
        }
    }
}

/// Returns a picture in grey, as Pillow's `convert("L")` has it: (19595·R + 38470·G + 7471·B + 2¹⁵) / 2¹⁶,
/// rounded down, of the luma weights of ITU-R BT.601. A picture that is grey keeps its samples.
pub fn grey<T: Sample>(picture: &Rgb<T>) -> Pixels<T> {
    // The weights add up to 2¹⁶, so that for 16 bits too the sum has 32.
    let luma = |pixel: &[T]| {
        let [r, g, b] = [0, 1, 2].map(|channel| -> u32 { pixel[channel].into() });
        T::from_level((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16)
    };
    let samples = picture.pixels.chunks_exact(3).map(luma).collect();
    Pixels { width: picture.width, height: picture.height, channels: 1, samples }
}

/// Returns the middle part of a picture that has the aspect of `width` × `height`, as large as there is one.
fn middle<T>(picture: &Pixels<T>, width: usize, height: usize) -> PictureBox {
    let [whole_width, whole_height] = [picture.width as f64, picture.height as f64];
    let (has, wanted) = (whole_width / whole_height, width as f64 / height as f64);
    let [part_width, part_height] = if has == wanted {
        [whole_width, whole_height]
    } else if has > wanted {
        [wanted * whole_height, whole_height]
    } else {
        [whole_width, whole_width / wanted]
    };
    let [left, top] = [(whole_width - part_width) * 0.5, (whole_height - part_height) * 0.5];
    let ends = |start: f64, length: f64| [start as f32, (start + length) as f32];
    PictureBox { columns: ends(left, part_width), rows: ends(top, part_height) }
}

/// Returns the largest width and height of a picture that keeps its aspect and fits into `width` × `height`.
fn fitted_in<T>(picture: &Pixels<T>, width: usize, height: usize) -> [usize; 2] {
    let [whole_width, whole_height] = [picture.width as f64, picture.height as f64];
    let (has, wanted) = (whole_width / whole_height, width as f64 / height as f64);
    let at_least_1 = |length: f64| (length.round_ties_even() as usize).max(1);
    if has > wanted {
        [width, at_least_1(whole_height / whole_width * width as f64)]
    } else if has < wanted {
        [at_least_1(whole_width / whole_height * height as f64), height]
    } else {
        [width, height]
    }
}

/// Returns a picture in the middle of black.
fn padded<T: Sample>(picture: &Pixels<T>, width: usize, height: usize) -> Pixels<T> {
    let channels = picture.channels;
    let [left, top] =
        [width - picture.width, height - picture.height].map(|rest| (rest as f64 * 0.5).round_ties_even() as usize);
    let mut samples = vec![T::default(); width * height * channels];
    for (row, line) in picture.samples.chunks_exact(picture.width * channels).enumerate() {
        samples[((top + row) * width + left) * channels..][..line.len()].copy_from_slice(line);
    }
    Pixels { width, height, channels, samples }
}
