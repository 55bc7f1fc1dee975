//! Tars made to do harm, or damaged: each is refused with a sentence that names it and the entry, or hurts
//! nobody.

use std::fs;

use glassnet::data::left_out::Reason;
use glassnet::data::source::Source;
use tar::EntryType;

use super::same_set::{gzip, tar_of};
use super::{empty, png, two_classes};

/// What opening a file of these bytes comes to, in a folder of its own.
fn open(name: &str, bytes: &[u8]) -> Result<Source, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    Source::open(&path).map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

/// An entry: its name, its kind, its bytes, and how many they are by its head.
fn entry(name: &[u8], kind: EntryType, bytes: &[u8], size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.as_gnu_mut().unwrap().set_real_size(size);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    let padding = vec![0; bytes.len().next_multiple_of(512) - bytes.len()];
    [header.as_bytes(), bytes, &padding].concat()
}

fn file(name: &[u8], bytes: &[u8]) -> Vec<u8> {
    entry(name, EntryType::Regular, bytes, bytes.len() as u64)
}

const TRUST: &str = "unpack it with a tool you trust and give the folder";

/// The sentence of a tar and of the same packed.
#[track_caller]
fn refused(entries: &[Vec<u8>], expected: &str) {
    let tar = [entries.concat(), vec![0; 1024]].concat();
    assert_eq!(open("set.tar", &tar).unwrap_err(), format!("set.tar: {expected}"));
    assert_eq!(open("set.tar.gz", &gzip(&tar)).unwrap_err(), format!("set.tar.gz: {expected}"));
}

#[test]
fn names_that_lead_outside_and_archives_within_are_refused() {
    for (name, fault) in [
        ("../evil.png", "leads outside of it"),
        ("/etc/evil.png", "is an absolute path"),
        ("a/../../evil.png", "leads outside of it"),
        ("a\\..\\..\\evil.png", "leads outside of it"),
        ("C:\\evil.png", "is an absolute path"),
        ("a/inner.zip", "is an archive itself"),
        ("a/inner.tar.gz", "is an archive itself"),
    ] {
        refused(&[file(name.as_bytes(), b"x")], &format!("the tar's entry {name:?} {fault}; {TRUST}"));
    }
}

#[test]
fn links_devices_and_hidden_files_are_passed_over() {
    let png = png(1, 4, 4);
    let tar = [
        file(b"a/1.png", &png),
        entry(b"a/link.png", EntryType::Symlink, b"", 0),
        entry(b"a/hard.png", EntryType::Link, b"", 0),
        entry(b"a/device.png", EntryType::Char, b"", 0),
        entry(b"a/pipe.png", EntryType::Fifo, b"", 0),
        entry(b"pax_global_header", EntryType::XGlobalHeader, b"17 comment=abcde\n", 17),
        file(b"a/.hidden/x.tar", &png),
        entry(b"b/", EntryType::Directory, b"", 0),
        file(b"b/2.png", &png),
        vec![0; 1024],
    ]
    .concat();
    for (name, bytes) in [("set.tar", tar.clone()), ("set.tar.gz", gzip(&tar))] {
        let source = open(name, &bytes).unwrap();
        assert!(source.names().eq(["a/1.png", "b/2.png"]), "{name}");
        let reasons: Vec<(&str, &Reason)> =
            source.left_out().iter().map(|left| (left.file.as_str(), &left.reason)).collect();
        let expected = [
            ("a/.hidden", &Reason::Hidden),
            ("a/device.png", &Reason::Special),
            ("a/hard.png", &Reason::Link),
            ("a/link.png", &Reason::Link),
            ("a/pipe.png", &Reason::Special),
        ];
        assert_eq!(reasons, expected, "{name}");
    }
}

#[test]
fn sparse_files_are_refused_in_either_manner_of_writing_them() {
    let sparse = entry(b"a/1.png", EntryType::GNUSparse, b"", 0);
    refused(&[sparse], &format!("the tar's entry \"a/1.png\" is a sparse file; {TRUST}"));
    let attributes = b"22 GNU.sparse.major=1\n";
    let pax = entry(b"pax", EntryType::XHeader, attributes, attributes.len() as u64);
    refused(&[pax, file(b"a/1.png", b"x")], &format!("the tar's entry \"a/1.png\" is a sparse file; {TRUST}"));
}

#[test]
fn what_declares_more_than_there_is_or_may_be_is_refused() {
    let again = "create it again, or fetch it again";
    let short = [entry(b"a/1.png", EntryType::Regular, b"", 5000), vec![0; 1024]].concat();
    let expected = format!("the tar cannot be unpacked here: it ends before its contents do; {again}");
    for (name, bytes) in [("set.tar", short.clone()), ("set.tar.gz", gzip(&short))] {
        assert_eq!(open(name, &bytes).unwrap_err(), format!("{name}: {expected}"));
    }
    let large = 257 << 20;
    let fault = format!("the tar's entry \"a/1.png\" has more than 256 MiB; {TRUST}");
    refused(&[entry(b"a/1.png", EntryType::Regular, b"", large)], &fault);
    let whole = entry(b"a/1.png", EntryType::Regular, b"", 1 << 40);
    let sentences = [
        ("set.tar", "the tar holds more than 16 GiB, which is the most; unpack it and give the folder"),
        (
            "set.tar.gz",
            "the tar holds more than 1 GiB, which is kept in memory; unpack it to a .tar, with gunzip, and give that",
        ),
    ];
    for (name, expected) in sentences {
        let bytes = if name.ends_with("gz") { gzip(&whole) } else { whole.clone() };
        assert_eq!(open(name, &bytes).unwrap_err(), format!("{name}: {expected}"));
    }
    // A name for which memory would be taken.
    let long = entry(b"././@LongLink", EntryType::GNULongName, &vec![b'a'; 2 << 20], 2 << 20);
    let expected =
        format!("the tar cannot be unpacked here: a name or the attributes of an entry take more than 1 MiB; {again}");
    refused(&[long, file(b"x", b"")], &expected);
    let loop_of_names = entry(b"././@LongLink", EntryType::GNULongName, b"a", u64::MAX >> 1);
    assert!(open("set.tar", &loop_of_names).is_err());
}

#[test]
fn a_packed_tar_that_unpacks_to_hundreds_of_times_its_size_is_refused() {
    let tar = [file(b"a/1.png", &vec![0; 20 << 20]), vec![0; 1024]].concat();
    let error = open("set.tar.gz", &gzip(&tar)).unwrap_err();
    assert!(
        error.starts_with("set.tar.gz: the tar's entry \"a/1.png\" unpacks from ") && error.contains("as bombs do"),
        "{error}"
    );
    assert!(open("set.tar", &tar).is_ok());
}

#[test]
fn two_files_of_one_name_and_an_empty_tar_are_refused() {
    let expected = "it holds two files of the name a/1.png; create it again, with one file of each name";
    refused(&[file(b"a/1.png", b"x"), file(b"./a/1.png", b"y")], expected);
    let tar = [entry(b"g", EntryType::XGlobalHeader, b"", 0), vec![0; 1024]].concat();
    let expected = "set.tar: the tar is empty; put a folder for each class into it";
    assert_eq!(open("set.tar", &tar).unwrap_err(), expected);
}

#[test]
fn names_that_are_no_utf_8_are_read_by_their_encoding_and_told() {
    let japanese: [&[u8]; 2] = [b"\x94\x4C/\x95\x5C1.png", b"\x8C\xA2/\x95\x5C2.png"];
    let tar = [file(japanese[0], b"x"), file(japanese[1], b"y"), vec![0; 1024]].concat();
    let source = open("set.tar", &tar).unwrap();
    assert!(source.names().eq(["犬/表2.png", "猫/表1.png"]), "{:?}", source.names().collect::<Vec<_>>());
    assert!(source.notes()[0].contains("guessed, as Shift_JIS: 2 (猫/表1.png, 犬/表2.png)"), "{:?}", source.notes());
    let western = [file(b"b\xE9nin/1.png", b"x"), file(b"malin/2.png", b"y"), vec![0; 1024]].concat();
    let source = open("set.tar", &western).unwrap();
    assert!(source.names().eq(["bénin/1.png", "malin/2.png"]));
    assert!(source.notes()[0].contains("guessed, as ISO 8859-1: 1 (bénin/1.png)"), "{:?}", source.notes());
}

#[test]
fn damaged_tars_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let whole = tar_of(&two_classes(2, 2));
    let packed = gzip(&whole);
    let mut stream = glassnet::random::Stream::new(1, glassnet::random::Purpose::Test, 0, 0);
    for whole in [whole, packed] {
        let path = folder.path().join("set.tar");
        for _ in 0..500 {
            let mut damaged = whole.clone();
            for _ in 0..3 {
                let at = stream.below(damaged.len() as u32) as usize;
                damaged[at] = stream.below(256) as u8;
            }
            fs::write(&path, damaged).unwrap();
            if let Ok(source) = Source::open(&path) {
                for index in 0..source.len() {
                    let _ = source.read(index);
                }
            }
        }
    }
}

#[test]
fn labels_beside_images_that_are_none_are_refused() {
    for (label, fault) in [
        (&b""[..], "is empty"),
        (&b" \n"[..], "is empty"),
        (&b"\xFF\xFE"[..], "is no text"),
        (&[b'1'; 2000][..], "has more than 1024 bytes"),
    ] {
        let tar = [file(b"0.png", b"x"), file(b"0.cls", label)].concat();
        let expected = format!("set.tar: the label 0.cls {fault}; write the class of its image there");
        assert_eq!(open("set.tar", &tar).unwrap_err(), expected);
    }
    let tar = tar_of(&empty(&["a/0.png", "a/0.cls", "b/1.png"]));
    assert!(open("set.tar", &tar).is_ok(), "folders of classes tell by themselves");
}
