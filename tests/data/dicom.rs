//! DICOM files beside what pydicom 3.0.2 makes of them; `tests/fixtures/make_dicoms.py` writes both. And what
//! of them is never told: whose they are.

use expect_test::expect;
use glassnet::data::catalog::Catalog;
use glassnet::data::decode::{ImageInfo, RgbPicture, decode_as_read};
use glassnet::data::reading::{BitDepth, Reading};
use glassnet::data::source::Source;

use super::{bytes_of_hex, write_tree};

/// A file and what it should give.
struct Recorded {
    name: &'static str,
    file: Vec<u8>,
    size: [usize; 2],
    channels: usize,
    bits: usize,
    samples: Vec<u16>,
}

/// The files that are read.
fn recorded() -> impl Iterator<Item = Recorded> {
    let lines = include_str!("../fixtures/read_dicoms.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let [name, file, width, height, channels, bits, samples] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not seven columns: {line}")
        };
        let [width, height, channels, bits] = [width, height, channels, bits].map(|number| number.parse().unwrap());
        let bytes = bytes_of_hex(samples);
        let samples = match bits {
            8 => bytes.into_iter().map(u16::from).collect(),
            _ => bytes.as_chunks().0.iter().map(|&pair| u16::from_le_bytes(pair)).collect(),
        };
        Recorded { name, file: bytes_of_hex(file), size: [width, height], channels, bits, samples }
    })
}

/// All that is in a file: bits, samples of red, green and blue.
fn decoded(name: &str, file: &[u8]) -> glassnet::Result<([usize; 2], usize, Vec<u16>, ImageInfo)> {
    let reading = Reading { bit_depth: BitDepth::Sixteen, ..Reading::default() };
    let (picture, info) = decode_as_read(name, file, reading, |picture| picture)?;
    Ok(match picture {
        RgbPicture::Bits8(rgb) => ([rgb.width, rgb.height], 8, rgb.pixels.into_iter().map(u16::from).collect(), info),
        RgbPicture::Bits16(rgb) => ([rgb.width, rgb.height], 16, rgb.pixels, info),
    })
}

#[test]
fn every_kind_has_the_samples_that_pydicom_gives() {
    let mut faults = Vec::new();
    for Recorded { name, file, size, channels, bits, samples } in recorded() {
        let (found_size, found_bits, found, _) = match decoded(name, &file) {
            Ok(found) => found,
            Err(error) => {
                faults.push(error.to_string());
                continue;
            }
        };
        assert_eq!((found_size, found_bits), (size, bits), "{name}");
        let wanted: Vec<u16> = match channels {
            1 => samples.iter().flat_map(|&sample| [sample; 3]).collect(),
            _ => samples,
        };
        // Floating point may round a half the other way there, and colours are converted by other steps.
        let most = found.iter().zip(&wanted).map(|(ours, theirs)| ours.abs_diff(*theirs)).max().unwrap();
        if found.len() != wanted.len() || most > u16::from(name == "ybr_full") {
            faults.push(format!("{name} differs by up to {most}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn modes_and_further_frames_are_told() {
    let told = recorded().map(|Recorded { name, file, .. }| {
        let info = decoded(name, &file).unwrap().3;
        let more = if info.has_more_pictures { ", and more" } else { "" };
        format!("{name}: {} {}{more}\n", info.format, info.mode)
    });
    expect![[r#"
        ct_explicit: DICOM 16-bit grey
        ct_implicit: DICOM 16-bit grey
        ct_big_endian: DICOM 16-bit grey
        ct_linear_exact: DICOM 16-bit grey
        ct_sigmoid: DICOM 16-bit grey
        ct_without_window: DICOM 16-bit grey
        ct_narrowest: DICOM 16-bit grey
        12_bits: DICOM 16-bit grey
        12_bits_monochrome1: DICOM 16-bit grey
        12_bits_falling: DICOM 16-bit grey
        12_bits_shifted: DICOM 16-bit grey
        12_bits_signed: DICOM 16-bit grey
        8_bits: DICOM grey
        8_bits_big_endian: DICOM grey
        8_bits_odd: DICOM grey
        frames: DICOM 16-bit grey, and more
        frames_rle: DICOM 16-bit grey, and more
        frames_shared: DICOM 16-bit grey, and more
        frames_perfra: DICOM 16-bit grey, and more
        voi_table: DICOM 16-bit grey
        modality_table: DICOM 16-bit grey
        rgb_planar_0: DICOM RGB
        rgb_planar_1: DICOM RGB
        rgb_rle: DICOM RGB
        rgb_16_bits: DICOM 16-bit RGB
        ybr_full: DICOM YCbCr
        palette_8: DICOM palette
        palette_16: DICOM palette
        jpeg_grey: DICOM grey
        jpeg_ybr: DICOM RGB, and more
        jpeg_jfif: DICOM RGB, and more
        jpeg_rgb: DICOM RGB
    "#]]
    .assert_eq(&told.collect::<String>());
}

#[test]
fn what_is_not_read_is_named_and_nobody_is() {
    let lines = include_str!("../fixtures/refused_dicoms.txt").lines().filter(|line| !line.starts_with('#'));
    let told = lines.map(|line| {
        let (name, file) = line.split_once(' ').expect("two columns");
        match decoded(name, &bytes_of_hex(file)) {
            Ok(_) => format!("{name} was read\n"),
            Err(error) => format!("{error}\n").replace(" cannot be read as an image: ", ": "),
        }
    });
    let told: String = told.collect();
    assert!(!told.to_lowercase().contains("lebowski"), "{told}");
    expect![[r#"
        jpeg_2000: it is a DICOM compressed as JPEG 2000, which is not read here; save it again as PNG with an image program, or take it out
        jpeg_ls: it is a DICOM compressed as JPEG-LS, which is not read here; save it again as PNG with an image program, or take it out
        lossless: it is a DICOM compressed as lossless JPEG, which is not read here; save it again as PNG with an image program, or take it out
        mpeg_4: it is a DICOM compressed as MPEG-4, which is not read here; save it again as PNG with an image program, or take it out
        unknown: it is a DICOM compressed by an unknown method, which is not read here; save it again as PNG with an image program, or take it out
        deflated: it is a DICOM that is compressed by deflate as a whole, which is not read here; save it again as PNG with an image program, or take it out
        report: it is a DICOM without a picture, such as a DICOMDIR, a report or a plan; take it out
        no_window: its window has a width of 0, which shows nothing; save it again as PNG with an image program, or take it out
        odd_window: it is a DICOM with a window of a rare form, which is not read here; save it again as PNG with an image program, or take it out
        no_number: it is a DICOM whose colours are stored in a rare way, which is not read here; save it again as PNG with an image program, or take it out
        1_bits: it is a DICOM of 1 bits a sample, which is not read here; save it again as PNG with an image program, or take it out
        32_bits: it is a DICOM of 32 bits a sample, which is not read here; save it again as PNG with an image program, or take it out
        float: it is a DICOM of floating-point numbers, which is not read here; save it again as PNG with an image program, or take it out
        segments: it is a DICOM whose palette comes in segments, which is not read here; save it again as PNG with an image program, or take it out
        no_palette: the DICOM is damaged; fetch it again, or save it again as PNG with an image program
        subsampled: it is a DICOM of YCbCr colours of less than full size (chroma subsampling), which is not read here; save it again as PNG with an image program, or take it out
        rare_colours: it is a DICOM whose colours are stored in a rare way, which is not read here; save it again as PNG with an image program, or take it out
        17_bits: the DICOM is damaged; fetch it again, or save it again as PNG with an image program
        too_large: it has 65535 × 65535 pixels, and 64 Mi is the most; make it smaller
        no_rows: it has 65535 × 0 pixels; take it out
        half: the file ends before the picture does; fetch it again
        too_few: the file ends before the picture does; fetch it again
        half_rle: the DICOM is damaged; fetch it again, or save it again as PNG with an image program
        jpeg_of_other_size: the DICOM is damaged; fetch it again, or save it again as PNG with an image program
        jpeg_of_12_bits: it is a DICOM of more bits than its JPEG has, which is not read here; save it again as PNG with an image program, or take it out
        long_name: the file ends before the picture does; fetch it again
        endless: the file ends before the picture does; fetch it again
        deep: the DICOM is damaged; fetch it again, or save it again as PNG with an image program
        mark_alone: it is a DICOM without a picture, such as a DICOMDIR, a report or a plan; take it out
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_file_that_is_cut_or_damaged_anywhere_is_told_in_a_sentence_without_whose_it_is() {
    for Recorded { name, file, .. } in recorded() {
        let marks = 132..file.len();
        for at in marks.clone().step_by(7) {
            let told = decoded(name, &file[..at]).map_err(|error| error.to_string());
            assert!(
                told.is_err_and(|told| told.ends_with("fetch it again") || told.ends_with("take it out")),
                "{name} {at}"
            );
        }
        // Behind the attributes are pixels, which may be anything.
        for at in marks.take(if name.starts_with("jpeg") { 900 } else { 2000 }).step_by(5) {
            for byte in [0xFF, file[at] ^ 1] {
                let mut file = file.clone();
                file[at] = byte;
                let told = decoded(name, &file).err().map_or(String::new(), |error| error.to_string());
                let is_known = !told.to_lowercase().contains("lebow") && !told.contains("the decoder failed on it");
                assert!(is_known, "{name}, byte {at} = {byte}: {told}");
            }
        }
    }
}

#[test]
fn scanners_files_are_found_without_a_suffix_in_folders_and_tars() {
    let home = tempfile::tempdir().unwrap();
    let file = recorded().next().unwrap().file;
    let names = ["ct/IM0001", "ct/1.2.840.113", "ct/3.dcm", "ct/DICOMDIR", "ct/notes", "mr/a.DICOM", "mr/IM0002"];
    let content = |name: &&str| (name.to_string(), if name.ends_with("notes") { vec![0; 300] } else { file.clone() });
    let files: Vec<(String, Vec<u8>)> = names.iter().map(content).collect();
    write_tree(&home.path().join("set"), &files);
    let mut tar = tar::Builder::new(std::fs::File::create(home.path().join("set.tar")).unwrap());
    tar.append_dir_all("set", home.path().join("set")).unwrap();
    tar.finish().unwrap();
    for data in ["set", "set.tar"] {
        let catalog = Catalog::from_source(&Source::open(home.path().join(data)).unwrap()).unwrap();
        let found: Vec<&str> = catalog.items.iter().map(|item| item.path.as_str()).collect();
        assert_eq!(found, ["ct/1.2.840.113", "ct/3.dcm", "ct/IM0001", "mr/IM0002", "mr/a.DICOM"], "{data}");
        let left_out: Vec<&str> = catalog.left_out.iter().map(|left| left.file.as_str()).collect();
        assert_eq!(left_out, ["ct/DICOMDIR", "ct/notes"], "{data}");
    }
}
