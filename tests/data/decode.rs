//! Bytes to pixels, pixels to the network's size and range.

use glassnet::data::decode::{Rgb8, decode, suffix_note};
use glassnet::data::framing::framed;
use glassnet::data::reading::Reading;
use glassnet::data::resample::nearest_indices;
use glassnet::data::sample::scale;
use image::{DynamicImage, ImageBuffer, ImageFormat};

use super::{bytes_of_hex, encoded, noise, png};

/// PNGs of three pixels, written by Pillow: a palette, the same with one entry transparent, and one bit deep.
const PALETTE: &str = "89504e470d0a1a0a0000000d4948445200000003000000010203000000668efc2700000009504c54450a141ec86432010203b8\
                       8b9f6d0000000a49444154789c63900000001a00192d88f4360000000049454e44ae426082";
const PALETTE_WITH_ALPHA: &str = "89504e470d0a1a0a0000000d4948445200000003000000010203000000668efc2700000009504c54450a141ec8643\
                                  2010203b88b9f6d0000000274524e53ff00e5b7304a0000000a49444154789c63900000001a00192d88f43600000000\
                                  49454e44ae426082";
const ONE_BIT: &str = "89504e470d0a1a0a0000000d4948445200000003000000010100000000339b29190000000a49444154789c6348000000620061\
                       b19879f20000000049454e44ae426082";

/// The pixels and the mode of a picture that went through a file.
fn through_a_file(picture: DynamicImage, format: ImageFormat) -> (Vec<u8>, &'static str) {
    let (image, info) = decode("a file", &encoded(&picture, format)).unwrap();
    assert_eq!((info.width, info.height), (image.width, image.height));
    (image.pixels, info.mode)
}

#[test]
fn every_lossless_format_gives_back_the_pixels() {
    let picture = noise(1, 13, 7);
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Pnm, ImageFormat::Tiff] {
        let (pixels, mode) = through_a_file(picture.clone().into(), format);
        assert_eq!(pixels, picture.as_raw()[..], "{format:?}");
        assert_eq!(mode, "RGB");
    }
}

#[test]
fn grey_is_repeated_and_alpha_dropped() {
    let grey = ImageBuffer::from_raw(2, 1, vec![7, 250]).unwrap();
    assert_eq!(
        through_a_file(DynamicImage::ImageLuma8(grey), ImageFormat::Png),
        (vec![7, 7, 7, 250, 250, 250], "grey")
    );
    let grey = ImageBuffer::from_raw(1, 1, vec![7, 0]).unwrap();
    assert_eq!(through_a_file(DynamicImage::ImageLumaA8(grey), ImageFormat::Png), (vec![7, 7, 7], "grey with alpha"));
    let colour = ImageBuffer::from_raw(1, 1, vec![1, 2, 3, 0]).unwrap();
    assert_eq!(through_a_file(DynamicImage::ImageRgba8(colour), ImageFormat::Png), (vec![1, 2, 3], "RGB with alpha"));
}

#[test]
fn sixteen_bits_are_scaled_to_eight_and_rounded() {
    // 128 / 257 is just under a half and 129 / 257 just over.
    let samples: Vec<u16> = vec![0, 128, 129, 257, 32_767, 65_406, 65_407, 65_535];
    let expected: Vec<u8> = samples.iter().map(|&x| (f64::from(x) / 257.0).round() as u8).collect();
    assert_eq!(expected, [0, 0, 1, 1, 127, 254, 255, 255]);
    let grey = ImageBuffer::from_raw(8, 1, samples).unwrap();
    let (pixels, mode) = through_a_file(DynamicImage::ImageLuma16(grey), ImageFormat::Png);
    assert_eq!(mode, "16-bit grey");
    assert!(pixels.chunks(3).zip(expected).all(|(pixel, x)| pixel == [x, x, x]));
    let colour = ImageBuffer::from_raw(1, 1, vec![0, 257, 65_535, 9]).unwrap();
    assert_eq!(through_a_file(DynamicImage::ImageRgba16(colour), ImageFormat::Png).0, [0, 1, 255]);
}

#[test]
fn a_palette_is_looked_up_and_one_bit_becomes_black_and_white() {
    for file in [PALETTE, PALETTE_WITH_ALPHA] {
        let (image, info) = decode("p.png", &bytes_of_hex(file)).unwrap();
        assert_eq!(image.pixels, [10, 20, 30, 200, 100, 50, 1, 2, 3]);
        assert_eq!(info.mode, "palette");
    }
    let (image, info) = decode("1.png", &bytes_of_hex(ONE_BIT)).unwrap();
    assert_eq!(image.pixels, [0, 0, 0, 255, 255, 255, 255, 255, 255]);
    assert_eq!(info.mode, "grey");
}

#[test]
fn the_content_counts_and_a_misleading_suffix_is_noted() {
    let (_, info) = decode("a.jpg", &png(1, 4, 4)).unwrap();
    assert_eq!(suffix_note("a.jpg", &info).unwrap(), "a.jpg is named as JPEG and holds PNG; it was read as that");
    assert_eq!(suffix_note("a.PNG", &info), None);
}

#[test]
fn what_is_no_image_is_an_error_that_names_the_file() {
    let psd = b"8BPS\0\x01";
    for (content, reason) in [(&b"just text"[..], "none of PNG"), (psd, "a Photoshop file"), (b"", "the file is empty")]
    {
        let error = decode("benign/x.png", content).unwrap_err().to_string();
        assert!(error.starts_with("benign/x.png cannot be read as an image") && error.contains(reason), "{error}");
    }
}

#[test]
fn a_file_cut_short_is_an_error_at_every_length() {
    let picture: DynamicImage = noise(2, 40, 30).into();
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Pnm, ImageFormat::Tiff] {
        let whole = encoded(&picture, format);
        assert!(decode("whole", &whole).is_ok(), "{format:?}");
        // A PNG's last chunk, 12 bytes, and a JPEG's last marker, 2, only say that it ends.
        let enough = match format {
            ImageFormat::Png => whole.len() - 12,
            ImageFormat::Jpeg => whole.len() - 2,
            _ => whole.len(),
        };
        for length in (0..enough).step_by(17).chain([enough - 1]) {
            assert!(decode("cut", &whole[..length]).is_err(), "{format:?} of {length} bytes of {}", whole.len());
        }
    }
}

#[test]
fn a_header_that_promises_a_huge_picture_is_refused_before_memory_is_taken() {
    let error = decode("huge.ppm", b"P6 1000000 1000000 255\n").unwrap_err().to_string();
    assert!(error.contains("huge.ppm") && error.contains("1000000"), "{error}");
}

#[test]
fn damaged_files_never_panic() {
    let mut stream = glassnet::random::Stream::new(0, glassnet::random::Purpose::Test, 0, 0);
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Pnm, ImageFormat::Tiff] {
        let whole = encoded(&noise(3, 9, 11).into(), format);
        for _ in 0..200 {
            let mut damaged = whole.clone();
            for _ in 0..3 {
                let at = stream.below(damaged.len() as u32) as usize;
                damaged[at] = stream.below(256) as u8;
            }
            // A panic would be caught and come back as this error.
            if let Err(error) = decode("damaged", &damaged) {
                let error = error.to_string();
                assert!(!error.contains("the decoder failed on it"), "{format:?}: {error}\n{damaged:?}");
            }
        }
    }
}

#[test]
fn nearest_picks_the_pixels_that_pillow_picks() {
    let recorded = include_str!("../fixtures/pillow_nearest.txt");
    let lines: Vec<&str> = recorded.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 12);
    for line in lines {
        let numbers: Vec<usize> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let (input, output, indices) = (numbers[0], numbers[1], &numbers[2..]);
        assert_eq!(nearest_indices(input, [0.0, input as f32], output), indices, "{input} to {output}");
    }
    // Here the closed form would pick other pixels, so the test tells the two apart.
    let closed: Vec<usize> = (0..150).map(|i| ((i as f64 + 0.5) * (128.0 / 150.0)) as usize).collect();
    assert_ne!(nearest_indices(128, [0.0, 128.0], 150), closed);
}

#[test]
fn resizing_takes_rows_and_columns_each_by_their_own_indices() {
    let original = Rgb8 { width: 5, height: 3, pixels: (0..45).collect() };
    let resized = |height, width| framed(original.clone(), [height, width, 3], Reading::default());
    let (columns, rows) = (nearest_indices(5, [0.0, 5.0], 4), nearest_indices(3, [0.0, 3.0], 6));
    for (y, &row) in rows.iter().enumerate() {
        for (x, &column) in columns.iter().enumerate() {
            let (to, from) = ((y * 4 + x) * 3, (row * 5 + column) * 3);
            assert_eq!(resized(6, 4)[to..to + 3], original.pixels[from..from + 3]);
        }
    }
    assert_eq!(resized(3, 5), original.pixels);
}

#[test]
fn bytes_are_scaled_to_the_bits_recorded_from_keras() {
    let recorded = [
        (0, 0),
        (1, 0x3b80_8081),
        (3, 0x3c40_c0c2),
        (100, 0x3ec8_c8ca),
        (127, 0x3efe_ff00),
        (200, 0x3f48_c8ca),
        (255, 0x3f80_0000),
    ];
    for (byte, bits) in recorded {
        assert_eq!(scale(byte).to_bits(), bits, "{byte}");
    }
    // Dividing instead gives other bits for 126 of the 256 bytes.
    assert_eq!((0..=255u8).filter(|&byte| scale(byte) != f32::from(byte) / 255.0).count(), 126);
}
