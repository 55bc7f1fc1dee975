//! JPEGs of every kind beside what Pillow, that is libjpeg-turbo, makes of them; and damaged ones.
//! `tests/fixtures/make_jpeg_sweep.py` makes them: a small part is recorded, and a folder of thousands is
//! tried if `GLASSNET_JPEG_SWEEP` names it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use glassnet::data::decode::{Rgb8, decode};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

const RECORDED: &[u8] = include_bytes!("../fixtures/jpeg_sweep.zip");
const ENDS_EARLY: &str = "the file ends before the picture does; fetch it again";
const LACKS_SCANS: &str = "its last scans are not there; fetch it again, or save it again as PNG with an image program";
const DAMAGED: &str = "the JPEG is damaged; fetch it again, or save it again as PNG with an image program";

/// A JPEG: its kind, its name, its bytes, and Pillow's answer.
struct Case {
    kind: String,
    name: String,
    bytes: Vec<u8>,
    pillow: String,
}

fn recorded() -> Vec<Case> {
    let mut zip = ZipArchive::new(Cursor::new(RECORDED)).unwrap();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().to_string(), bytes);
    }
    let jpegs = files.iter().filter_map(|(name, bytes)| Some((name.strip_suffix(".jpg")?, bytes)));
    let case = |(name, bytes): (&str, &Vec<u8>)| Case {
        kind: name.split_once('/').unwrap().0.to_string(),
        name: name.to_string(),
        bytes: bytes.clone(),
        pillow: String::from_utf8(files[&format!("{name}.sha256")].clone()).unwrap(),
    };
    jpegs.map(case).collect()
}

/// The files in the folders of a folder.
fn in_folder(folder: PathBuf) -> Vec<Case> {
    let entries = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let jpegs = entries(folder).flat_map(entries).filter(|path| path.extension().is_some_and(|suffix| suffix == "jpg"));
    let case = |path: PathBuf| Case {
        kind: path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned(),
        name: path.display().to_string(),
        bytes: fs::read(&path).unwrap(),
        pillow: fs::read_to_string(path.with_extension("sha256")).unwrap(),
    };
    jpegs.map(case).collect()
}

/// The picture, or the reason why there is none.
fn read(bytes: &[u8]) -> Result<Rgb8, String> {
    let outcome = decode("a.jpg", bytes).map(|(picture, _)| picture).map_err(|error| error.to_string());
    outcome.map_err(|error| error.strip_prefix("a.jpg cannot be read as an image: ").unwrap().to_string())
}

#[test]
fn jpegs_are_decoded_to_the_bytes_that_pillow_reads_or_refused_by_name() {
    let folder = std::env::var_os("GLASSNET_JPEG_SWEEP").map(PathBuf::from);
    let cases = folder.map_or_else(recorded, in_folder);
    let mut table: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for case in &cases {
        let outcome = match read(&case.bytes) {
            Ok(Rgb8 { width, height, pixels }) => {
                let hash: String = Sha256::digest(&pixels).iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(format!("{width} {height} {hash}"), case.pillow, "{}", case.name);
                "the same bytes".to_string()
            }
            Err(reason) => {
                assert!(reason.starts_with("it is a") && reason.contains(", which is not read here; "), "{reason}");
                reason
            }
        };
        *table.entry((&case.kind, outcome)).or_default() += 1;
    }
    for ((kind, outcome), count) in &table {
        println!("{kind}: {count} {outcome}");
    }
    let same = table.iter().filter(|((_, outcome), _)| outcome == "the same bytes");
    let kinds: Vec<&str> = same.map(|((kind, _), _)| *kind).collect();
    let read =
        ["CMYK", "RGB", "YCCK", "baseline", "baseline optimised", "baseline, Adobe", "grey", "one scan a component"];
    assert_eq!(kinds, [&read[..], &["progressive", "progressive, own scans"]].concat());
}

#[test]
fn kinds_of_jpeg_that_are_not_read_are_named() {
    let what = |name: &str| {
        let case = recorded().into_iter().find(|case| case.name.contains(name)).unwrap();
        read(&case.bytes).unwrap_err()
    };
    let sentence = |kind: &str| {
        format!("it is {kind}, which is not read here; save it again as PNG with an image program, or take it out")
    };
    assert_eq!(what("arithmetic/"), sentence("an arithmetic-coded JPEG"));
    assert_eq!(what("CMYK/420"), sentence("a CMYK JPEG whose inks are stored at different sizes"));
    assert_eq!(what("two"), sentence("a JPEG with a scan of some of its components together"));
    let finer = sentence("a JPEG whose colours are stored finer than its brightness, or at a broken ratio to it");
    assert_eq!(what("baseline/chroma-more"), finer);

    let (bytes, frame) = with_frame();
    let changed = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[frame + at] = byte;
        read(&bytes).unwrap_err()
    };
    assert_eq!(changed(1, 0xC3), sentence("a lossless JPEG"));
    assert_eq!(changed(1, 0xC5), sentence("a hierarchical JPEG"));
    assert_eq!(changed(1, 0xCB), sentence("a lossless, arithmetic-coded JPEG"));
    assert_eq!(changed(4, 12), sentence("a JPEG of 12 bits a sample"));
    assert_eq!(changed(9, 2), sentence("a JPEG of 2 samples a pixel"));
}

/// A baseline file, and the place of its frame header.
fn with_frame() -> (Vec<u8>, usize) {
    let case = recorded().into_iter().find(|case| case.kind == "baseline" && read(&case.bytes).is_ok()).unwrap();
    let frame = case.bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    (case.bytes, frame)
}

/// The files that are read, each with its picture, and the place where its last scan's data begin.
fn sound() -> Vec<(Case, Rgb8, usize)> {
    let last_scan = |bytes: &[u8]| bytes.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    recorded()
        .into_iter()
        .filter_map(|case| read(&case.bytes).ok().map(|picture| (case, picture)))
        .map(|(case, picture)| {
            let header = last_scan(&case.bytes);
            let data = header + 2 + usize::from(case.bytes[header + 3]);
            (case, picture, data)
        })
        .collect()
}

#[test]
fn a_jpeg_that_is_whole_but_for_its_end_marker_is_read_whatever_follows() {
    let thumbnail = with_frame().0;
    for (case, picture, _) in sound() {
        let body = case.bytes.strip_suffix(&[0xFF, 0xD9]).unwrap();
        let ends =
            [&[][..], &[0; 100], b"\0\0\0\0SEFT camera \xFF\xFF", &thumbnail, &[0, 0, 0xFF, 0xD9], b"\xFF\xD9 trailer"];
        for end in ends {
            assert_eq!(read(&[body, end].concat()).as_ref(), Ok(&picture), "{} {end:?}", case.name);
        }
    }
}

/// A file whose segments, each with its code, are changed so.
fn segments(bytes: &[u8], change: impl Fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut made = bytes[..2].to_vec();
    let mut at = 2;
    while let &[0xFF, code, high, low, ..] = &bytes[at..] {
        if code == 0xD9 {
            break;
        }
        let end = at + 2 + (usize::from(high) << 8 | usize::from(low));
        made.extend(change(code, &bytes[at..end]));
        at = end;
        if code == 0xDA {
            let data = bytes[at..].windows(2);
            let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7);
            let end = at + data.into_iter().position(is_marker).unwrap();
            made.extend(&bytes[at..end]);
            at = end;
        }
    }
    made.extend(&bytes[at..]);
    made
}

#[test]
fn oddities_of_encoders_that_change_nothing_are_passed_over() {
    let mut of_webcams = 0;
    for (case, picture, _) in sound() {
        let body = case.bytes.strip_suffix(&[0xFF, 0xD9]).unwrap();
        let marked = [body, &[0xFF, 0xD3, 0xFF, 0xD9]].concat();
        assert_eq!(read(&marked).as_ref(), Ok(&picture), "{} with a restart mark at its end", case.name);
        let padded = segments(&case.bytes, |code, segment| match code {
            0xDA => segment.to_vec(),
            _ => [segment, &[0; 3]].concat(),
        });
        assert_eq!(read(&padded).as_ref(), Ok(&picture), "{} with zeros between its segments", case.name);
        if case.kind == "baseline" {
            let without = segments(&case.bytes, |code, segment| if code == 0xC4 { vec![] } else { segment.to_vec() });
            assert!(without.len() < case.bytes.len());
            assert_eq!(read(&without).as_ref(), Ok(&picture), "{} without its Huffman tables", case.name);
            of_webcams += 1;
        }
    }
    assert!(of_webcams > 0);
}

#[test]
fn a_jpeg_of_half_a_scan_is_damaged_whatever_its_end_says() {
    for (case, _, data) in sound() {
        let half = &case.bytes[..data + (case.bytes.len() - 2 - data) / 2];
        if half.len() < data + 8 {
            continue; // so short that half of it may be all of it
        }
        for end in [&[][..], &[0xFF, 0xD9], b"\xFF\xD8\xFF\xE0"] {
            let reason = read(&[half, end].concat()).unwrap_err();
            assert!([ENDS_EARLY, DAMAGED].contains(&reason.as_str()), "{} {reason}", case.name);
        }
    }
}

#[test]
fn a_jpeg_without_its_last_scan_is_damaged() {
    let several =
        sound().into_iter().filter(|(case, ..)| case.kind.starts_with("progressive") || case.kind.starts_with("one"));
    for (case, ..) in several {
        let scan = case.bytes.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
        for (end, sentence) in [(&[][..], ENDS_EARLY), (&[0xFF, 0xD9], LACKS_SCANS)] {
            assert_eq!(read(&[&case.bytes[..scan], end].concat()), Err(sentence.to_string()), "{}", case.name);
        }
    }
}

#[test]
fn bytes_that_are_missing_or_too_many_within_a_jpegs_scan_are_damage() {
    let (mut wrong, mut tried) = (0, 0);
    for (case, picture, data) in sound() {
        let length = case.bytes.len() - 2 - data;
        if length < 100 {
            continue;
        }
        let (before, after) = (data + length / 3, data + length / 3 + 30);
        for filling in [&[][..], &[0; 30], &[0xFF; 30], b"garbage of another file, or so"] {
            let made = [&case.bytes[..before], filling, &case.bytes[after..]].concat();
            tried += 1;
            match read(&made) {
                Ok(other) => wrong += usize::from(other != picture),
                Err(reason) => assert!([ENDS_EARLY, DAMAGED].contains(&reason.as_str()), "{} {reason}", case.name),
            }
        }
    }
    // Huffman codes have no checksum: now and then as many blocks come out of wrong bytes.
    assert!(tried > 40 && wrong * 10 < tried, "{wrong} of {tried}");
}

#[test]
fn restart_marks_that_are_missing_or_out_of_turn_are_damage() {
    let mark = |bytes: &[u8]| bytes.windows(2).position(|pair| pair == [0xFF, 0xD1]);
    let marked: Vec<_> = sound().into_iter().filter_map(|(case, ..)| Some((mark(&case.bytes)?, case.bytes))).collect();
    assert!(marked.len() > 2);
    for (mark, bytes) in marked {
        let mut other = bytes.clone();
        other[mark + 1] = 0xD3;
        assert_eq!(read(&other), Err(DAMAGED.to_string()));
        let without = [&bytes[..mark], &bytes[mark + 2..]].concat();
        assert!(read(&without).is_err());
    }
}
