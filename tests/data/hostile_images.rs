//! Images of every kind that people and programs leave in folders, and some that are made to do harm.

use glassnet::data::decode::{MAX_SIDE, decode, more_pictures_note};
use image::{DynamicImage, ImageBuffer, ImageFormat};

use super::tiff_bytes::{tiff_of_entries, tiff_of_jpegs};
use super::zip_bytes::crc32;
use super::{bytes_of_hex, encoded, noise, png};

/// A PNG chunk.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind, data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat()
}

/// A PNG that ends where its pixels should begin, of 8-bit RGB.
fn png_without_pixels(width: u32, height: u32) -> Vec<u8> {
    let data = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &data), chunk(b"IDAT", &[])].concat()
}

/// A JPEG of one 8 × 8 block for each component, every block of one value, written by hand (ITU-T T.81): the
/// quantiser of the mean is 8, its only codes are "no change" and "change by 7 bits", and nothing but the
/// mean is coded. With `adobe`, the marker of Adobe's programs, without which nobody knows whether inks are
/// meant.
fn jpeg_of_means(means: &[u8], adobe: bool) -> Vec<u8> {
    let count = means.len() as u8;
    let mut bytes = vec![0xFF, 0xD8];
    if adobe {
        bytes.extend([0xFF, 0xEE, 0, 14]);
        bytes.extend(b"Adobe\0\x64\0\0\0\0\0");
    }
    bytes.extend([0xFF, 0xDB, 0, 67, 0]);
    bytes.extend([8; 64]);
    bytes.extend([0xFF, 0xC0, 0, 8 + 3 * count, 8, 0, 8, 0, 8, count]);
    for component in 1..=count {
        bytes.extend([component, 0x11, 0]);
    }
    // Means: 00 is "no change", 01 is "7 bits follow". The rest: 0 is "all zero".
    bytes.extend([0xFF, 0xC4, 0, 21, 0x00, 0, 2]);
    bytes.extend([0; 14]);
    bytes.extend([0, 7]);
    bytes.extend([0xFF, 0xC4, 0, 20, 0x10, 1]);
    bytes.extend([0; 15]);
    bytes.extend([0]);
    bytes.extend([0xFF, 0xDA, 0, 6 + 2 * count, count]);
    for component in 1..=count {
        bytes.extend([component, 0x00]);
    }
    bytes.extend([0, 63, 0]);
    let mut bits = String::new();
    for &mean in means {
        let change = i32::from(mean) - 128;
        match change {
            0 => bits += "00",
            // A negative change is coded as one less, in seven bits.
            _ => bits += &format!("01{:07b}", if change < 0 { change + 127 } else { change }),
        }
        bits += "0";
    }
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    for byte in (0..bits.len()).step_by(8) {
        let byte = u8::from_str_radix(&bits[byte..byte + 8], 2).unwrap();
        bytes.push(byte);
        if byte == 0xFF {
            bytes.push(0);
        }
    }
    bytes.extend([0xFF, 0xD9]);
    bytes
}

#[test]
fn cmyk_jpegs_become_rgb() {
    let (grey, info) = decode("grey.jpg", &jpeg_of_means(&[200], false)).unwrap();
    assert_eq!((info.mode, &grey.pixels[..3]), ("grey", &[200; 3][..]));
    // Adobe's programs write inks inverted: 255 is none.
    for (inks, rgb) in
        [([255, 255, 255, 255], [255; 3]), ([1, 255, 255, 255], [0, 255, 255]), ([255, 255, 255, 1], [0; 3])]
    {
        let (image, info) = decode("cmyk.jpg", &jpeg_of_means(&inks, true)).unwrap();
        assert_eq!((info.width, info.height, info.mode), (8, 8, "CMYK"));
        for (found, wanted) in image.pixels.chunks(3).flat_map(|pixel| pixel.iter().zip(rgb)) {
            assert!(found.abs_diff(wanted) <= 2, "{inks:?}: {:?} and not {rgb:?}", &image.pixels[..3]);
        }
    }
}

#[test]
fn an_animated_png_gives_its_first_picture_and_says_so() {
    let still = png(1, 4, 4);
    // After the header, which ends at byte 33: two frames, played for ever.
    let animation = chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
    let first_frame = [0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0];
    let animated = [&still[..33], &animation, &chunk(b"fcTL", &first_frame), &still[33..]].concat();
    let (image, info) = decode("a.png", &animated).unwrap();
    assert_eq!(image, decode("still.png", &still).unwrap().0);
    assert_eq!(more_pictures_note("a.png", &info).unwrap(), "a.png is animated; only its first picture was read");
    let (_, info) = decode("still.png", &still).unwrap();
    assert_eq!(more_pictures_note("still.png", &info), None);
}

#[test]
fn a_tiff_of_several_pages_gives_its_first_and_says_so() {
    let one = encoded(&noise(1, 4, 4).into(), ImageFormat::Tiff);
    let (image, info) = decode("a.tif", &one).unwrap();
    assert_eq!(more_pictures_note("a.tif", &info), None);
    // The directory's last four bytes give the place of the next one: a copy of it, at the end.
    let mut two = one.clone();
    let directory = u32::from_le_bytes(one[4..8].try_into().unwrap()) as usize;
    let entries = u16::from_le_bytes(one[directory..directory + 2].try_into().unwrap()) as usize;
    let next = directory + 2 + 12 * entries;
    two.resize(one.len().next_multiple_of(2), 0);
    let second = two.len() as u32;
    two.extend(&one[directory..next + 4]);
    two[next..next + 4].copy_from_slice(&second.to_le_bytes());
    let (first, info) = decode("a.tif", &two).unwrap();
    assert_eq!(first, image);
    assert_eq!(more_pictures_note("a.tif", &info).unwrap(), "a.tif has several pages; only its first picture was read");
}

#[test]
fn jpegs_in_a_tiff_that_unpack_to_more_than_its_picture_are_refused_before_they_are_decoded() {
    let honest = |width, height| {
        let grey = ImageBuffer::from_pixel(width, height, image::Luma([90]));
        encoded(&DynamicImage::ImageLuma8(grey), ImageFormat::Jpeg)
    };
    let strip = honest(16, 1);
    for honest in [tiff_of_jpegs(16, 2, None, &strip), tiff_of_jpegs(16, 2, Some([16, 16]), &honest(16, 16))] {
        let (picture, _) = decode("a.tif", &honest).unwrap();
        assert_eq!((picture.width, picture.height), (16, 2));
        assert!(picture.pixels.iter().all(|value| value.abs_diff(90) < 3), "{:?}", picture.pixels);
    }

    let frame = strip.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    let with_side = |side: u16| {
        let mut lie = strip.clone();
        lie[frame + 5..frame + 9].copy_from_slice(&[side.to_be_bytes(), side.to_be_bytes()].concat());
        lie
    };
    let refusals = [
        (
            tiff_of_jpegs(16, 1, None, &with_side(16_000)),
            "it has 16000 × 16000 pixels, and 64 Mi is the most; make it smaller",
        ),
        (
            tiff_of_jpegs(16, 300, None, &with_side(60)),
            "a strip of it has 16 × 1 pixels, and the JPEG in its place 60 × 60; fetch it again, or save it again as PNG with an \
             image program",
        ),
        (
            tiff_of_jpegs(60_000, 1, Some([16, 60_000]), &strip),
            "its tiles have 3600000000 pixels together, and the picture has 60000; save it again as PNG with an image program, or \
             take it out",
        ),
    ];
    for (file, sentence) in refusals {
        let error = decode("a.tif", &file).unwrap_err().to_string();
        assert_eq!(error, format!("a.tif cannot be read as an image: {sentence}"));
    }
}

#[test]
fn a_png_of_endless_remarks_is_refused() {
    let still = png(1, 4, 4);
    let with = |count: usize| [&still[..33], &chunk(b"tEXt", b"k\0v").repeat(count), &still[33..]].concat();
    assert_eq!(decode("a.png", &with(1000)).unwrap().0, decode("still.png", &still).unwrap().0);
    let error = decode("a.png", &with(20_000)).unwrap_err().to_string();
    let reason = "it has 20002 chunks beside its pixels, and 10000 are the most; save it again with an image program";
    assert_eq!(error, format!("a.png cannot be read as an image: {reason}"));
}

/// A GIF of one picture, with a palette of four colours, of which the last is 3, 3, 3.
fn gif_of(screen: [u16; 2], place: [u16; 2], size: [u16; 2], pixels: &[u8]) -> Vec<u8> {
    let words = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let head = [
        b"GIF89a".to_vec(),
        words(&screen),
        vec![0x81, 0, 0],
        vec![3; 12],
        vec![b','],
        words(&place),
        words(&size),
        vec![0],
    ];
    [head.concat(), pixels.to_vec(), vec![b';']].concat()
}

#[test]
fn a_gif_or_webp_of_a_huge_picture_is_refused_before_memory_is_taken() {
    // Codes of three bits: clear, 3, end.
    let pixel = [2, 2, 0b01_011_100, 0b1, 0];
    let (image, info) = decode("a.gif", &gif_of([1, 1], [0, 0], [1, 1], &pixel)).unwrap();
    assert_eq!((image.pixels, info.format, info.has_more_pictures), (vec![3; 3], "GIF", false));
    for (screen, place, size) in [
        ([65_535, 65_535], [0, 0], [1, 1]),
        ([1, 1], [65_534, 65_534], [1, 1]),
        ([1, 1], [0, 0], [65_535, 65_535]),
        ([1, 1], [65_535, 65_535], [65_535, 65_535]),
    ] {
        let error = decode("a.gif", &gif_of(screen, place, size, &pixel)).unwrap_err().to_string();
        assert!(error.ends_with(", and 64 Mi is the most; make it smaller"), "{error}");
    }
    let error = decode("a.gif", &gif_of([5, 5], [0, 0], [0, 3], &pixel)).unwrap_err().to_string();
    assert!(error.ends_with("it has 0 × 3 pixels; take it out"), "{error}");

    // An extended file of one pixel, whose lossy picture says that it has 16383 × 16383.
    let chunk = |kind: &[u8], content: &[u8]| [kind, &(content.len() as u32).to_le_bytes(), content].concat();
    let lossy = [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F, 0, 0, 0, 0];
    let chunks = [b"WEBP".to_vec(), chunk(b"VP8X", &[0; 10]), chunk(b"VP8 ", &lossy)].concat();
    let error = decode("a.webp", &chunk(b"RIFF", &chunks)).unwrap_err().to_string();
    let reason = "the WebP is damaged; fetch it again, or save it again as PNG with an image program";
    assert_eq!(error, format!("a.webp cannot be read as an image: {reason}"));
}

#[test]
fn animations_give_their_first_picture_and_say_so() {
    for kind in ["gif", "webp"] {
        let lines = include_str!("../fixtures/read_images.txt").lines();
        let mut files = lines.filter_map(|line| line.strip_prefix(&format!("{kind}/animated "))?.split(' ').next());
        let (_, info) = decode("a", &bytes_of_hex(files.next().unwrap())).unwrap();
        assert_eq!(more_pictures_note("a", &info).unwrap(), "a is animated; only its first picture was read");
    }
}

#[test]
fn a_tiff_of_huge_tiles_is_refused_before_memory_is_taken() {
    // Two planes of 65,535 × 1 pixels in a tile of 65,536 × 65,536 each.
    let tags: [(u16, u16, u32, u32); 11] = [
        (256, 4, 1, 65_535),
        (257, 4, 1, 1),
        (258, 3, 1, 8),
        (262, 3, 1, 1),
        (277, 3, 1, 2),
        (284, 3, 1, 2),
        (322, 4, 1, 65_536),
        (323, 4, 1, 65_536),
        (324, 3, 2, 8 | 8 << 16),
        (325, 3, 2, 4 | 4 << 16),
        (338, 3, 1, 2),
    ];
    // Bytes enough for the rows of the first plane.
    let file = [tiff_of_entries(&tags), vec![0; 2 << 17]].concat();
    let error = decode("a.tif", &file).unwrap_err().to_string();
    assert!(error.contains(": the TIFF asks for more memory than its picture takes; "), "{error}");
}

#[test]
fn pictures_without_pixels_are_refused() {
    for (name, bytes) in [
        ("a.png", png_without_pixels(0, 5)),
        ("b.png", png_without_pixels(5, 0)),
        ("c.ppm", b"P6 0 5 255\n".to_vec()),
        ("d.jpg", {
            let mut bytes = jpeg_of_means(&[200], false);
            let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
            bytes[frame + 5..frame + 9].fill(0);
            bytes
        }),
    ] {
        let error = decode(name, &bytes).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name} cannot be read as an image: ")), "{error}");
    }
}

#[test]
fn pictures_of_one_row_or_column_are_pictures() {
    for (width, height) in [(1, 1), (1, MAX_SIDE), (MAX_SIDE, 1)] {
        let picture: DynamicImage = noise(1, width, height).into();
        for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Pnm, ImageFormat::Tiff] {
            let (image, _) = decode("thin", &encoded(&picture, format)).unwrap();
            assert_eq!(image.pixels, picture.as_bytes(), "{format:?} of {width} × {height}");
        }
    }
    // The widest row there can be: four channels of 16 bits.
    let wide = DynamicImage::ImageRgba16(ImageBuffer::from_pixel(MAX_SIDE, 1, image::Rgba([257, 514, 0, 0])));
    let (image, _) = decode("wide.png", &encoded(&wide, ImageFormat::Png)).unwrap();
    assert_eq!(image.pixels[..6], [1, 2, 0, 1, 2, 0]);
}

#[test]
fn pictures_beyond_the_limits_are_refused_by_their_headers() {
    let error = decode("x.png", &png_without_pixels(9000, 9000)).unwrap_err().to_string();
    assert!(error.ends_with("it has 9000 × 9000 pixels, and 64 Mi is the most; make it smaller"), "{error}");
    let error = decode("x.png", &png_without_pixels(1, 65_536)).unwrap_err().to_string();
    assert!(error.ends_with("it has 1 × 65536 pixels, and 65535 on a side is the most; make it smaller"), "{error}");
    let error = decode("x.png", &png_without_pixels(u32::MAX, u32::MAX)).unwrap_err().to_string();
    assert!(error.starts_with("x.png cannot be read as an image: "), "{error}");
}

#[test]
fn a_colour_profile_that_unpacks_to_too_much_hurts_nobody() {
    // 64 MiB of zeros as deflate packs them, 1000 : 1.
    let zeros = vec![0u8; 64 << 20];
    let flat = encoded(&DynamicImage::ImageLuma8(ImageBuffer::from_raw(8192, 8192, zeros).unwrap()), ImageFormat::Png);
    let at = flat.windows(4).position(|kind| kind == b"IDAT").unwrap();
    let length = u32::from_be_bytes(flat[at - 4..at].try_into().unwrap()) as usize;
    let profile = chunk(b"iCCP", &[b"name\0\0", &flat[at + 4..at + 4 + length]].concat());
    let still = png(1, 4, 4);
    let bomb = [&still[..33], &profile, &still[33..]].concat();
    // Read without its profile, or refused by a sentence: either is fine.
    match decode("bomb.png", &bomb) {
        Ok((image, _)) => assert_eq!(image, decode("still.png", &still).unwrap().0),
        Err(error) => assert!(error.to_string().starts_with("bomb.png cannot be read as an image: "), "{error}"),
    }
}
