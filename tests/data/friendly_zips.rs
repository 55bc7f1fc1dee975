//! Zips that honest programs write, though not as the format has it: they are read.

use super::png;
use super::zip_bytes::{Entry, crc32, zip_of};
use glassnet::data::catalog::Catalog;
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::source::Source;

/// The source of a zip of these entries, and its path as messages have it.
fn open(entries: &[Entry]) -> (Source, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.zip");
    std::fs::write(&path, zip_of(entries)).unwrap();
    (Source::open(&path).unwrap(), path.display().to_string())
}

#[test]
fn backslashes_between_folders_are_read_as_powershell_means_them() {
    let picture = png(1, 4, 4);
    let names = ["pets\\", "pets\\cats\\0.png", "pets\\dogs\\0.png", "pets\\dogs\\small\\1.png"];
    let (source, _) = open(&names.map(|name| Entry::new(name, if name.ends_with('g') { &picture } else { b"" })));
    let catalog = Catalog::from_source(&source).unwrap();
    assert_eq!(catalog.classes.two(), Some(["cats", "dogs"]));
    assert_eq!(catalog.counts(), [1, 2]);
    assert_eq!(catalog.items[2].path, "dogs/small/1.png");
    assert_eq!(source.read(catalog.items[0].entry).unwrap(), picture);
}

#[test]
fn a_class_whose_name_has_a_colon_is_a_class() {
    let (source, _) = open(&["a:good/1.png", "b:bad/1.png"].map(|name| Entry::new(name, b"x")));
    assert_eq!(Catalog::from_source(&source).unwrap().classes.two(), Some(["a:good", "b:bad"]));
}

#[test]
fn japanese_names_without_the_flag_are_guessed_and_said_to_be() {
    // As Japanese systems write 猫/表1.png and 犬/表2.png: the second byte of 表 is a backslash elsewhere.
    let names: [&[u8]; 2] = [b"\x94\x4C/\x95\x5C1.png", b"\x8C\xA2/\x95\x5C2.png"];
    let (source, path) = open(&names.map(|name| Entry::new(name, b"x")));
    assert!(source.names().eq(["犬/表2.png", "猫/表1.png"]));
    let guessed = format!(
        "{path}: it does not tell the encoding of names, so these are guessed, as Shift_JIS: 2 (猫/表1.png, 犬/表2.png); make the zip \
         anew with UTF-8 names if they are wrong"
    );
    assert_eq!(source.notes(), Catalog::from_source(&source).unwrap().notes);
    assert_eq!(source.notes(), [guessed]);
}

#[test]
fn names_in_the_code_page_of_the_format_stay_different_and_are_said_to_be_guessed() {
    let names: [&[u8]; 3] = [b"gr\x81n/b\x84r.png", b"gr\x81n/b\x94r.png", b"rot/1.png"];
    let (source, _) = open(&names.map(|name| Entry::new(name, b"x")));
    assert!(source.names().eq(["grün/bär.png", "grün/bör.png", "rot/1.png"]));
    let notes = source.notes();
    assert!(notes[0].contains("guessed, as IBM code page 437: 2 (grün/bär.png, grün/bör.png); "), "{notes:?}");
}

#[test]
fn the_field_of_unicode_names_counts_where_there_is_one() {
    let raw: &[u8] = b"\x94\x4C/1.png";
    let unicode = "猫/1.png";
    // Info-ZIP's field 0x7075: version 1, the checksum of the name beside it, the name in UTF-8.
    let content = [&[1][..], &crc32(raw).to_le_bytes(), unicode.as_bytes()].concat();
    let extra = [&0x7075u16.to_le_bytes()[..], &(content.len() as u16).to_le_bytes(), &content].concat();
    let (source, _) = open(&[Entry { extra, ..Entry::new(raw, b"x") }]);
    assert!(source.names().eq([unicode]));
    assert!(source.notes().is_empty());
}

#[test]
fn what_is_left_out_of_a_zip_is_recorded() {
    let names = ["a/1.png", "a/.2.png", "a/notes.txt", "b/3.png", "stray.png"];
    let (source, _) = open(&names.map(|name| Entry::new(name, b"x")));
    let catalog = Catalog::from_source(&source).unwrap();
    let expected = [("a/.2.png", Reason::Hidden), ("a/notes.txt", Reason::NotAnImage), ("stray.png", Reason::NoClass)];
    assert_eq!(
        catalog.left_out,
        expected.map(|(file, reason)| LeftOut::new(file, format!("{}/{file}", source.path().display()), reason))
    );
}
