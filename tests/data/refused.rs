//! One file of each kind that is not read, or damaged, and the sentence that says so: what it is, what is not
//! read, what to do. `tests/fixtures/make_images.py` writes the files.

use expect_test::expect;
use glassnet::data::decode::decode;

use super::bytes_of_hex;

/// What is said of a DICOM where the program has no decoder for it.
const WITHOUT_DICOM: &str = "dicom.png: its content is a DICOM, and glassnet was built without the feature dicom; build it with `cargo install --path . --features dicom`, or convert the file to PNG\n";

#[test]
fn what_is_not_read_is_named_and_a_remedy_given_in_words_of_ours() {
    let lines = include_str!("../fixtures/refused_images.txt").lines().filter(|line| !line.starts_with('#'));
    let told = lines.map(|line| {
        let (name, file) = line.split_once(' ').expect("two columns");
        // With its decoder, tests/data/dicom.rs tells what is not read of a DICOM.
        if cfg!(feature = "dicom") && name == "dicom.png" {
            return WITHOUT_DICOM.to_string();
        }
        match decode(name, &bytes_of_hex(file)) {
            Ok(_) => format!("{name} was read\n"),
            Err(error) => format!("{error}\n").replace(" cannot be read as an image: ", ": "),
        }
    });
    expect![[r#"
        lab.tif: it is a TIFF of L*a*b* colours, which is not read here; save it again as PNG with an image program, or take it out
        mask.tif: it is a TIFF that is a mask of transparency, which is not read here; save it again as PNG with an image program, or take it out
        camera.tif: it is a camera's raw file, which is not read here; save it again as PNG with an image program, or take it out
        logarithmic.tif: it is a TIFF of logarithmic brightness, which is not read here; save it again as PNG with an image program, or take it out
        unknown_colours.tif: it is a TIFF of unknown colours, which is not read here; save it again as PNG with an image program, or take it out
        subsampled.tif: it is a TIFF of YCbCr colours of less than full size (chroma subsampling), which is not read here; save it again as PNG with an image program, or take it out
        short_lzw.tif: the TIFF is damaged; fetch it again, or save it again as PNG with an image program
        jpeg_half.tif: the file ends before the picture does; fetch it again
        jpeg_of_other_size.tif: a strip of it has 38 × 6 pixels, and the JPEG in its place 19 × 6; fetch it again, or save it again as PNG with an image program
        12_bits.tif: it is a TIFF of 12 bits for each sample, which is not read here; save it again as PNG with an image program, or take it out
        rgb_565.tif: it is a TIFF whose samples differ in depth, which is not read here; save it again as PNG with an image program, or take it out
        compression_2.tif: it is a TIFF compressed by the fax code of CCITT RLE, which is not read here; save it again as PNG with an image program, or take it out
        compression_3.tif: it is a TIFF compressed by the fax code of group 3, which is not read here; save it again as PNG with an image program, or take it out
        compression_6.tif: it is a TIFF compressed as JPEG in the old way of TIFF 6.0, which is not read here; save it again as PNG with an image program, or take it out
        compression_34712.tif: it is a TIFF compressed as JPEG 2000, which is not read here; save it again as PNG with an image program, or take it out
        compression_34887.tif: it is a TIFF compressed by LERC, which is not read here; save it again as PNG with an image program, or take it out
        compression_34925.tif: it is a TIFF compressed by LZMA, which is not read here; save it again as PNG with an image program, or take it out
        compression_50000.tif: it is a TIFF compressed by Zstandard, which is not read here; save it again as PNG with an image program, or take it out
        compression_50001.tif: it is a TIFF compressed as WebP, which is not read here; save it again as PNG with an image program, or take it out
        compression_50002.tif: it is a TIFF compressed as JPEG XL, which is not read here; save it again as PNG with an image program, or take it out
        compression_12345.tif: it is a TIFF compressed by the method 12345, which is not read here; save it again as PNG with an image program, or take it out
        predictor.tif: it is a TIFF with a predictor that does not fit its samples, which is not read here; save it again as PNG with an image program, or take it out
        palette_16.tif: it is a palette TIFF of 16 bits for each sample, which is not read here; save it again as PNG with an image program, or take it out
        short_palette.tif: the TIFF is damaged; fetch it again, or save it again as PNG with an image program
        three_greys.tif: it is a TIFF of 3 samples for each grey pixel, which is not read here; save it again as PNG with an image program, or take it out
        signed.tif: its signed 16-bit samples go from -100 to 292, and nothing tells which of these are black and white; save it again with 0 to 255, as 8-bit, or with 0 to 65535, as 16-bit
        32_bits.tif: its 32-bit samples go from 0 to 392000, and nothing tells which of these are black and white; save it again with 0 to 255, as 8-bit, or with 0 to 65535, as 16-bit
        beyond_one.tif: its floating-point samples go from 0 to 420, and 0 to 1, from black to white, is what is read here; scale them, or save it again as 8-bit
        no_number.tif: its floating-point samples are not all numbers; save it again as 8-bit
        jpeg_within.bmp: it is a BMP that holds a JPEG or PNG, which is not read here; save it again as PNG with an image program, or take it out
        os2_huffman.bmp: it is an OS/2 BMP compressed by Huffman's code, which is not read here; save it again as PNG with an image program, or take it out
        os2_rle24.bmp: it is an OS/2 BMP of run lengths of 24 bits, which is not read here; save it again as PNG with an image program, or take it out
        other_header.bmp: it is a BMP of a rare kind, which is not read here; save it again as PNG with an image program, or take it out
        short_rle.bmp: the file ends before the picture does; fetch it again
        other.ico: its content is a Windows icon (ICO), which is not read here; convert it to PNG with an image program, or take it out
        other.tga: its content is a TGA, which is not read here; convert it to PNG with an image program, or take it out
        other.jp2: its content is a JPEG 2000, which is not read here; convert it to PNG with an image program, or take it out
        other.avif: its content is an AVIF, which is not read here; convert it to PNG with an image program, or take it out
        other.pcx: its content is a PCX, which is not read here; convert it to PNG with an image program, or take it out
        other.dds: its content is a DDS, which is not read here; convert it to PNG with an image program, or take it out
        old.tga: its content is a TGA, which is not read here; convert it to PNG with an image program, or take it out
        other.psd: its content is a Photoshop file (PSD), which is not read here; convert it to PNG with an image program, or take it out
        heic.jpg: its content is a HEIC, which is not read here; convert it to PNG with an image program, or take it out
        dicom.png: its content is a DICOM, and glassnet was built without the feature dicom; build it with `cargo install --path . --features dicom`, or convert the file to PNG
        page.png: its content is text, such as SVG or a web page, which is not read here; fetch the image again, or take it out
        pointer.png: it is not the image but a pointer of Git LFS; fetch the images with `git lfs pull`
        text.png: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
        empty.png: the file is empty; fetch it again, or take it out
        half.png: the file ends before the picture does; fetch it again
        half.bmp: the file ends before the picture does; fetch it again
        half.ppm: the file ends before the picture does; fetch it again
        half.tif: the file ends before the picture does; fetch it again
        half.webp: the file ends before the picture does; fetch it again
        half.jpg: the file ends before the picture does; fetch it again
        half.gif: the file ends before the picture does; fetch it again
        no_picture.gif: the file ends before the picture does; fetch it again
        no_pixels.png: the PNG is damaged; fetch it again, or save it again as PNG with an image program
        junk.png: the PNG is damaged; fetch it again, or save it again as PNG with an image program
        header.png: the PNG is damaged; fetch it again, or save it again as PNG with an image program
        header.ppm: the PPM is damaged; fetch it again, or save it again as PNG with an image program
        greys.ppm: the PPM is damaged; fetch it again, or save it again as PNG with an image program
        header.tif: the TIFF is damaged; fetch it again, or save it again as PNG with an image program
        damaged.webp: the WebP is damaged; fetch it again, or save it again as PNG with an image program
    "#]].assert_eq(&told.collect::<String>());
}
