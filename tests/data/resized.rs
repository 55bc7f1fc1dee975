//! Pictures resized in every way, beside what Pillow makes of them; `tests/fixtures/make_resized_images.py`
//! writes that.

use glassnet::data::decode::Rgb8;
use glassnet::data::framing::framed;
use glassnet::data::reading::{Interpolation, Reading, Resize};

/// The pixels of the script's pictures.
fn picture(width: usize, height: usize) -> Rgb8 {
    let byte = |k: usize| ((k as u32).wrapping_mul(2_654_435_761) >> 24) as u8;
    Rgb8 { width, height, pixels: (0..width * height * 3).map(byte).collect() }
}

#[test]
fn every_way_of_resizing_has_the_bytes_of_pillow_in_colour_and_grey() {
    let lines = include_str!("../fixtures/pillow_resized.txt").lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
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
        let found = framed(picture(width, height), [to_height, to_width, channels], reading);
        assert_eq!(found.len(), to_width * to_height * channels, "{line}");
        let begin: String = found.iter().take(24).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((begin.as_str(), format!("{:08x}", crc32fast::hash(&found)).as_str()), (first, crc32), "{line}");
        count += 1;
    }
    assert_eq!(count, 192);
}
