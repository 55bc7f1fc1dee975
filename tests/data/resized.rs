//! Pictures resized in every way, beside what Pillow makes of them; `tests/fixtures/make_resized_images.py`
//! writes that.

use glassnet::data::decode::{Rgb, Rgb8};
use glassnet::data::framing::framed;
use glassnet::data::reading::{Interpolation, Reading, Resize};

/// The pixels of the script's pictures.
fn picture(width: usize, height: usize) -> Rgb8 {
    let byte = |k: usize| ((k as u32).wrapping_mul(2_654_435_761) >> 24) as u8;
    Rgb8 { width, height, pixels: (0..width * height * 3).map(byte).collect() }
}

/// The samples of the script's pictures of 16 bits, grey as a decoder gives it.
fn deep_picture(width: usize, height: usize) -> Rgb<u16> {
    let sample = |k: usize| ((k as u32).wrapping_mul(2_654_435_761) >> 16) as u16;
    Rgb { width, height, pixels: (0..width * height).flat_map(|k| [sample(k); 3]).collect() }
}

/// Compares each line of a fixture with the bytes that `resized` gives for a width and a height, the size
/// that is wanted, and the reading.
fn check(fixture: &str, count: usize, resized: impl Fn([usize; 2], [usize; 3], Reading) -> Vec<u8>) {
    let lines: Vec<&str> = fixture.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), count);
    for line in lines {
        let [width, height, to_width, to_height, channels, resize, interpolation, crc32, first] =
            line.split(' ').collect::<Vec<_>>()[..]
        else {
            panic!("not nine columns: {line}")
        };
        let [width, height, to_width, to_height, channels] =
            [width, height, to_width, to_height, channels].map(|number| number.parse::<usize>().unwrap());
        let reading = Reading {
            resize: Resize::ALL.into_iter().find(|kind| kind.name() == resize).unwrap(),
            interpolation: Interpolation::ALL.into_iter().find(|kind| kind.name() == interpolation).unwrap(),
            ..Reading::default()
        };
        let found = resized([width, height], [to_height, to_width, channels], reading);
        let begin: String = found.iter().take(24).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((begin.as_str(), format!("{:08x}", crc32fast::hash(&found)).as_str()), (first, crc32), "{line}");
    }
}

#[test]
fn every_way_of_resizing_has_the_bytes_of_pillow_in_colour_and_grey() {
    let resized =
        |[width, height]: [usize; 2], size: [usize; 3], reading| framed(picture(width, height), size, reading);
    check(include_str!("../fixtures/pillow_resized.txt"), 192, resized);
}

#[test]
fn bilinear_resizing_has_the_samples_of_pillow_in_sixteen_bits() {
    check(include_str!("../fixtures/pillow_resized_16.txt"), 48, |[width, height], size, reading| {
        let samples = framed(deep_picture(width, height), size, reading);
        // Pillow has no colour of 16 bits; here each of its channels is resized as grey is.
        let colour = framed(deep_picture(width, height), [size[0], size[1], 3], reading);
        assert!(colour.chunks_exact(3).zip(&samples).all(|(pixel, &sample)| pixel == [sample; 3]));
        samples.into_iter().flat_map(u16::to_le_bytes).collect()
    });
}

/// A set of both depths would teach the depth, if the pixels were others.
#[test]
fn the_nearest_pixels_are_the_same_of_eight_and_of_sixteen_bits() {
    for ([width, height], size) in [([64, 48], [24, 24, 3]), ([128, 150], [150, 100, 1]), ([100, 37], [28, 28, 3])] {
        let plain = picture(width, height);
        let pixels = plain.pixels.iter().map(|&byte| 257 * u16::from(byte)).collect();
        let deep = Rgb { width, height, pixels };
        for resize in Resize::ALL {
            let reading = Reading { resize, ..Reading::default() };
            let expected = framed(plain.clone(), size, reading).into_iter().map(|byte| 257 * u16::from(byte));
            // Grey of 16 bits has 256 levels between two of 8.
            let is_same =
                |(found, expected): (u16, u16)| found.abs_diff(expected) <= if size[2] == 1 { 129 } else { 0 };
            assert!(framed(deep.clone(), size, reading).into_iter().zip(expected).all(is_same), "{size:?}, {resize:?}");
        }
    }
}
