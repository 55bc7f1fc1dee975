//! What a user may choose of how files are read: photos turned upright, the range of 16-bit samples, and how
//! many of their bits are kept.

use std::sync::Arc;

use glassnet::data::batches::Loader;
use glassnet::data::decode::{ImageInfo, Orientation, Rgb8, decode, decode_and};
use glassnet::data::images::{CACHE_BUDGET_BYTES, ImageSet};
use glassnet::data::reading::{BitDepth, Interpolation, Reading, Resize, SampleRange};
use glassnet::data::sample::{PictureSamples, scale};
use glassnet::data::source::Source;
use image::{DynamicImage, ImageBuffer, ImageFormat};

use super::exif_bytes::{exif, jpeg_with_exif, jpeg_with_xmp, png_with_exif, png_with_xmp, xmp};
use super::{encoded, image_set, noise};

const UPRIGHT: Reading = Reading {
    upright: true,
    range: SampleRange::FULL,
    bit_depth: BitDepth::Eight,
    resize: Resize::Squash,
    interpolation: Interpolation::Nearest,
};

fn in_range(min: u16, max: u16) -> Reading {
    Reading { range: SampleRange::new(min, max).unwrap(), ..Reading::default() }
}

fn read(bytes: &[u8], reading: Reading) -> (Rgb8, ImageInfo) {
    decode_and("a file", bytes, reading, |image| image).unwrap()
}

/// A picture turned upright by the crate that has its own word on each orientation.
fn upright(image: &Rgb8, orientation: u8) -> Rgb8 {
    let (width, height) = (image.width as u32, image.height as u32);
    let mut picture: DynamicImage =
        ImageBuffer::from_raw(width, height, image.pixels.clone()).map(DynamicImage::ImageRgb8).unwrap();
    picture.apply_orientation(image::metadata::Orientation::from_exif(orientation).unwrap());
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    Rgb8 { width, height, pixels: picture.into_rgb8().into_raw() }
}

#[test]
fn a_photo_is_turned_upright_only_where_that_is_asked_for() {
    let picture: DynamicImage = noise(4, 13, 9).into();
    let (jpeg, png) = (encoded(&picture, ImageFormat::Jpeg), encoded(&picture, ImageFormat::Png));
    for orientation in 1..=8 {
        let (little, big) = (exif(orientation.into(), true), exif(orientation.into(), false));
        let twice = [b"Exif\0\0", &little[..]].concat();
        for (file, still) in [
            (jpeg_with_exif(&jpeg, &little), &jpeg),
            (jpeg_with_exif(&jpeg, &big), &jpeg),
            (jpeg_with_exif(&jpeg, &twice), &jpeg),
            (jpeg_with_xmp(&jpeg, &xmp(orientation)), &jpeg),
            (png_with_exif(&png, &big, false), &png),
            (png_with_exif(&png, &little, true), &png),
            (png_with_xmp(&png, &xmp(orientation)), &png),
        ] {
            let still = decode("still", still).unwrap().0;
            let (as_stored, info) = read(&file, Reading::default());
            assert_eq!((as_stored, info.orientation.tag()), (still.clone(), orientation));
            assert_eq!((info.width, info.height), (13, 9));
            let (turned, info) = read(&file, UPRIGHT);
            assert_eq!(turned, upright(&still, orientation), "{orientation}");
            assert_eq!((info.width, info.height, info.orientation.tag()), (turned.width, turned.height, orientation));
        }
    }
}

#[test]
fn a_webp_is_turned_by_its_chunks() {
    let webp = encoded(&noise(4, 13, 9).into(), ImageFormat::WebP);
    let with_chunk = |kind: &[u8; 4], content: &[u8]| {
        let mut file = [&webp, &kind[..], &(content.len() as u32).to_le_bytes(), content].concat();
        file.resize(file.len().next_multiple_of(2), 0);
        let length = (file.len() - 8) as u32;
        file[4..8].copy_from_slice(&length.to_le_bytes());
        file
    };
    let still = decode("still", &webp).unwrap().0;
    for orientation in 1..=8 {
        let plain = exif(orientation.into(), true);
        for file in [
            with_chunk(b"EXIF", &plain),
            with_chunk(b"EXIF", &[b"Exif\0\0", &plain[..]].concat()),
            with_chunk(b"XMP ", &xmp(orientation)),
        ] {
            assert_eq!(read(&file, Reading::default()).0, still);
            assert_eq!(read(&file, UPRIGHT).0, upright(&still, orientation), "{orientation}");
        }
    }
}

#[test]
fn exif_counts_before_xmp_and_faults_in_either_are_no_orientation() {
    let jpeg = encoded(&noise(4, 5, 4).into(), ImageFormat::Jpeg);
    let orientation = |file: &[u8]| read(file, UPRIGHT).1.orientation.tag();
    assert_eq!(orientation(&jpeg), 1);
    assert_eq!(orientation(&jpeg_with_xmp(&jpeg_with_exif(&jpeg, &exif(6, true)), &xmp(3))), 6);
    let element = b"<tiff:Orientation>8</tiff:Orientation>";
    assert_eq!(orientation(&jpeg_with_xmp(&jpeg, element)), 8);
    for value in [0, 9, 65_535] {
        assert_eq!(orientation(&jpeg_with_exif(&jpeg, &exif(value, false))), 1, "{value}");
    }
    let whole = exif(6, true);
    for length in 0..whole.len() - 8 {
        assert_eq!(orientation(&jpeg_with_exif(&jpeg, &whole[..length])), 1, "{length} bytes of EXIF");
    }
    for text in [&b"tiff:Orientation"[..], b"tiff:Orientation=\"", b"tiff:Orientation=6", b""] {
        assert_eq!(orientation(&jpeg_with_xmp(&jpeg, text)), 1, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn pictures_of_every_depth_are_turned() {
    let colour = noise(5, 6, 4);
    let picture = DynamicImage::ImageRgb8(colour);
    for variant in [
        picture.to_luma8().into(),
        picture.to_luma_alpha8().into(),
        picture.to_rgba8().into(),
        picture.to_luma16().into(),
        DynamicImage::from(picture.to_rgb16()),
    ] {
        let png = encoded(&variant, ImageFormat::Png);
        let expected = upright(&decode("still", &png).unwrap().0, 6);
        assert_eq!(read(&png_with_exif(&png, &exif(6, true), false), UPRIGHT).0, expected, "{:?}", variant.color());
    }
}

#[test]
fn a_range_stretches_samples_of_sixteen_bits_and_leaves_those_of_eight() {
    let samples: Vec<u16> = vec![0, 16, 1020, 2040, 4080, 65_535];
    let grey: DynamicImage = DynamicImage::ImageLuma16(ImageBuffer::from_raw(6, 1, samples).unwrap());
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        let file = encoded(&grey, format);
        let first = |reading| read(&file, reading).0.pixels.chunks(3).map(|pixel| pixel[0]).collect::<Vec<u8>>();
        assert_eq!(first(Reading::default()), [0, 0, 4, 8, 16, 255], "{format:?}");
        assert_eq!(first(in_range(0, 4080)), [0, 1, 64, 128, 255, 255], "{format:?}");
        assert_eq!(first(in_range(1020, 2040)), [0, 0, 0, 255, 255, 255], "{format:?}");
        assert_eq!(read(&file, in_range(0, 4080)).1.samples, Some([0, 65_535]), "the samples are those of the file");
    }
    let eight = encoded(&noise(6, 5, 5).into(), ImageFormat::Png);
    assert_eq!(read(&eight, in_range(0, 9)), read(&eight, Reading::default()));
    assert_eq!(read(&eight, in_range(0, 9)).1.samples, None);
}

#[test]
fn alpha_has_no_part_in_the_smallest_and_largest_sample() {
    let colour = ImageBuffer::from_raw(2, 1, vec![700, 800, 900, 65_535, 650, 800, 4000, 0]).unwrap();
    let png = encoded(&DynamicImage::ImageRgba16(colour), ImageFormat::Png);
    assert_eq!(read(&png, Reading::default()).1.samples, Some([650, 4000]));
    let grey = ImageBuffer::from_raw(2, 1, vec![700, 65_535, 650, 0]).unwrap();
    let png = encoded(&DynamicImage::ImageLumaA16(grey), ImageFormat::Png);
    assert_eq!(read(&png, Reading::default()).1.samples, Some([650, 700]));
}

/// Two pictures of 16 bits, from 100 to 400 and from 50 to 300, and one of 8.
fn mixed() -> Source {
    let deep = |samples: [u16; 2]| {
        encoded(&DynamicImage::ImageLuma16(ImageBuffer::from_raw(2, 1, samples.to_vec()).unwrap()), ImageFormat::Png)
    };
    let plain = encoded(&noise(7, 2, 2).into(), ImageFormat::Png);
    let files = [("a/1.png", deep([100, 400])), ("b/1.png", deep([50, 300])), ("b/2.png", plain)];
    Source::from_memory("set", files.map(|(name, bytes)| (name.to_string(), bytes)).into()).unwrap()
}

#[test]
fn a_range_found_while_checking_changes_what_is_kept_and_what_is_decoded_anew_alike() {
    let range = SampleRange::new(50, 400).unwrap();
    let pictures = |cache: usize| {
        let images = image_set(mixed(), 2, cache);
        assert_eq!(images.samples(), None, "nothing was looked at");
        assert!(images.check_all().errors.is_empty());
        assert_eq!(images.samples(), Some([50, 400]));
        assert_eq!(images.part(&[0]).samples(), Some([100, 400]));
        assert_eq!(images.part(&[2]).samples(), None);
        let plain = images.kept(2);
        let reading = Reading { range, ..Reading::default() };
        let images = images.part(&[0, 1, 2]).with_samples_as(reading);
        assert_eq!(images.kept(2), plain, "a picture of 8 bits stays");
        assert_eq!(images.kept(0), None);
        [0, 1, 2].map(|index| images.picture(index).unwrap())
    };
    let (kept, anew) = (pictures(CACHE_BUDGET_BYTES), pictures(0));
    assert_eq!(kept, anew);
    let [first, second, third] = kept.map(bytes);
    // (100 − 50) · 255 / 350 = 36.4, and (300 − 50) · 255 / 350 = 182.1
    assert_eq!((first[0], first[3], second[0], second[3]), (36, 255, 0, 182));
    let same = ImageSet::new(Arc::new(mixed()), image_set(mixed(), 2, 0).items().to_vec(), 2, 0).unwrap();
    let same = same.read_as(Reading { range, ..Reading::default() });
    assert_eq!([0, 1, 2].map(|index| bytes(same.picture(index).unwrap())), [first, second, third]);
}

/// The samples of a picture of 8 bits.
fn bytes(picture: PictureSamples) -> Arc<[u8]> {
    match picture {
        PictureSamples::Bits8(samples) => samples,
        PictureSamples::Bits16(samples) => panic!("16 bits: {samples:?}"),
    }
}

#[test]
fn all_bits_reach_the_network_of_pictures_that_have_sixteen_and_those_of_eight_keep_theirs() {
    let deep = Reading { bit_depth: BitDepth::Sixteen, ..Reading::default() };
    let of = |reading: Reading, cache: usize| image_set(mixed(), 2, cache).part(&[0, 1, 2]).read_as(reading);
    let [first, second, third] = [0, 1, 2].map(|index| of(deep, 0).picture(index).unwrap());
    let samples = |level: [u16; 2]| PictureSamples::Bits16([[level[0]; 3], [level[1]; 3]].concat().repeat(2).into());
    assert_eq!((first, second), (samples([100, 400]), samples([50, 300])));
    assert_eq!(third, of(Reading::default(), 0).picture(2).unwrap());
    // A range stretches to all levels of 16 bits: 65535 · (100 − 50) / 350 = 9362.1.
    let stretched = Reading { range: SampleRange::new(50, 400).unwrap(), ..deep };
    assert_eq!(of(stretched, 0).picture(0).unwrap(), samples([9362, 65_535]));

    // In a batch both depths are shares of white.
    let loader = Loader::new(Arc::new(of(deep, CACHE_BUDGET_BYTES)), 3).unwrap();
    let batch = loader.epoch(vec![0, 1, 2]).next().unwrap().unwrap();
    let (level, plain) = (batch.images[[0, 0, 1, 0]], batch.images[[2, 0, 0, 0]]);
    assert_eq!(level, 400.0 * (1.0 / 65535.0));
    assert_eq!(plain, scale(bytes(of(deep, 0).picture(2).unwrap())[0]));

    // Grey is taken of all bits, and a file in 16 bits of a picture in 8 is the same share of white.
    let grey = ImageSet::sized(Arc::new(mixed()), of(deep, 0).items().to_vec(), [2, 2, 1], 0).unwrap().read_as(deep);
    assert_eq!(grey.picture(0).unwrap(), PictureSamples::Bits16([100, 400, 100, 400].into()));
}

#[test]
fn pictures_of_sixteen_bits_are_kept_as_far_as_the_cache_has_room_and_their_memory_comes_back() {
    let deep = Reading { bit_depth: BitDepth::Sixteen, ..Reading::default() };
    // Three pictures of 12 samples, and room for one with twice the bytes.
    let mut images = image_set(mixed(), 2, 36 + 12).part(&[0, 1, 2]).read_as(deep);
    let anew = [0, 1, 2].map(|index| images.picture(index).unwrap());
    assert_eq!([0, 1, 2].map(|index| images.kept(index).is_some()), [true, false, true]);
    assert_eq!([0, 1, 2].map(|index| images.picture(index).unwrap()), anew, "kept or not, they are the same");
    assert!(images.check_all().errors.is_empty());
    images.forget_deep();
    images.picture(1).unwrap();
    assert_eq!([0, 1, 2].map(|index| images.kept(index).is_some()), [false, true, true]);
    // Of eight bits all have room.
    let images = images.with_samples_as(Reading::default());
    assert!([0, 1, 2].map(|index| images.picture(index).is_ok() && images.kept(index).is_some()) == [true; 3]);
}

#[test]
fn upright_is_the_orientation_of_what_has_none() {
    for format in [ImageFormat::Bmp, ImageFormat::Pnm, ImageFormat::Tiff] {
        let (_, info) = read(&encoded(&noise(8, 4, 3).into(), format), UPRIGHT);
        assert_eq!((info.orientation, info.width), (Orientation::UPRIGHT, 4), "{format:?}");
    }
}
