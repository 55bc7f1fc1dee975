//! Zips made to do harm: each is refused with a sentence that names it and the entry, or hurts nobody.

use std::fs;
use std::io::Write;

use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::source::Source;
use zip::write::SimpleFileOptions;

use super::png;
use super::zip_bytes::{Entry, zip_of};

/// What opening a zip of these bytes comes to, in a folder of its own; `set.zip` without the folder's name.
fn open(bytes: &[u8]) -> Result<Source, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.zip");
    fs::write(&path, bytes).unwrap();
    Source::open(&path).map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

/// The sentence with which a zip of these entries is refused when it is opened.
#[track_caller]
fn refused(entries: &[Entry]) -> String {
    open(&zip_of(entries)).expect_err("a zip that should be refused was opened")
}

/// The sentence with which the first file of a zip that opens is refused when it is read.
#[track_caller]
fn unread(entries: &[Entry]) -> String {
    let source = open(&zip_of(entries)).unwrap();
    source.read(0).expect_err("a file that should be refused was read").to_string()
}

const TRUST: &str = "unpack it with a tool you trust and give the folder";

#[test]
fn a_zip_written_byte_by_byte_is_read_like_any_other() {
    let picture = png(1, 4, 4);
    let source = open(&zip_of(&[Entry::new("a/1.png", &picture), Entry::new("b/2.png", b"x")])).unwrap();
    assert!(source.names().eq(["a/1.png", "b/2.png"]));
    assert_eq!(source.read(0).unwrap(), picture);
    assert_eq!(source.size_hint(0), picture.len() as u64);
}

#[test]
fn no_name_leaves_the_archive() {
    for (name, fault) in [
        ("../evil.png", "leads outside of it"),
        ("a/../../evil.png", "leads outside of it"),
        ("a/..", "leads outside of it"),
        ("/etc/evil.png", "is an absolute path"),
        ("C:/evil.png", "is an absolute path"),
        ("c:\\evil.png", "is an absolute path"),
        ("\\evil.png", "is an absolute path"),
        ("\\\\host\\share\\evil.png", "is an absolute path"),
        ("a\\..\\..\\evil.png", "leads outside of it"),
        ("..\\evil.png", "leads outside of it"),
        ("a/evil.png\0.txt", "has a zero byte"),
    ] {
        let expected = format!("set.zip: the zip's entry {name:?} {fault}; {TRUST}");
        assert_eq!(refused(&[Entry::new("a/1.png", b"x"), Entry::new(name, b"x")]), expected);
    }
}

#[test]
fn a_name_of_any_length_makes_no_endless_sentence() {
    let error = refused(&[Entry::new(format!("a/{}.png", "x".repeat(60_000)), b"x")]);
    assert!(error.contains("xxx…\" has a name of more than 1024 bytes; unpack"), "{error}");
    assert!(error.len() < 500, "{} bytes", error.len());
}

#[test]
fn a_link_in_a_zip_is_not_followed() {
    let link = Entry { mode: 0o120_777, ..Entry::new("a/link.png", b"/etc/passwd") };
    let source = open(&zip_of(&[Entry::new("a/1.png", b"x"), link])).unwrap();
    assert!(source.names().eq(["a/1.png"]));
    let path = source.path().join("a/link.png").display().to_string();
    assert_eq!(source.left_out(), [LeftOut::new("a/link.png", path, Reason::Link)]);
}

#[test]
fn encrypted_entries_and_archives_within_are_refused_by_name() {
    let encrypted = Entry { flags: 1, ..Entry::new("a/secret.png", b"????????????????") };
    let expected = format!("set.zip: the zip's entry \"a/secret.png\" is encrypted; {TRUST}");
    assert_eq!(refused(&[Entry::new("a/1.png", b"x"), encrypted]), expected);
    for name in ["a/more.zip", "more.TAR.GZ", "b/c/more.7z"] {
        let expected = format!("set.zip: the zip's entry {name:?} is an archive itself; {TRUST}");
        assert_eq!(refused(&[Entry::new("a/1.png", b"x"), Entry::new(name, b"x")]), expected);
    }
    // Hidden files are passed over, whatever they are.
    let hidden = Entry { flags: 1, ..Entry::new("__MACOSX/a/._1.png", b"x") };
    assert!(open(&zip_of(&[Entry::new("a/1.png", b"x"), hidden, Entry::new(".git/more.zip", b"x")])).is_ok());
    // An archive that is named as an image is none when it is read.
    let reason = glassnet::data::decode::decode("a/1.png", &zip_of(&[Entry::new("x", b"")])).unwrap_err().to_string();
    assert!(reason.ends_with("its content is a zip, which is not read here; unpack it, or take it out"), "{reason}");
}

#[test]
fn a_method_of_compression_that_is_unknown_is_named() {
    let entry = Entry { method: 98, ..Entry::new("a/1.png", b"x") };
    let error = refused(&[entry]);
    assert!(
        error.starts_with("set.zip: the zip's entry \"a/1.png\" is compressed by a method that is not read here (")
    );
}

#[test]
fn two_entries_of_one_name_are_refused_by_it_however_it_is_written() {
    let expected =
        |found: &str| format!("set.zip: it holds two files of {found}; create it again, with one file of each name");
    let two =
        |first: &str, second: &str| [Entry::new(first, b"x"), Entry::new("b/2.png", b"x"), Entry::new(second, b"y")];
    assert_eq!(refused(&two("a/1.png", "a/1.png")), expected("the name a/1.png"));
    assert_eq!(refused(&two("a/1.png", "./a//1.png")), expected("the name a/1.png"));
    assert_eq!(refused(&two("a/1.png", "a\\1.png")), expected("the name a/1.png"));
    let names = ["c/3.png", "a/1.png", "b/2.png", "a/1.png", "c/3.png", "a/1.png"];
    assert_eq!(
        refused(&names.map(|name| Entry::new(name, b"x"))),
        expected("each of these names: 2 (a/1.png, c/3.png)")
    );
    // A folder may be named as often as one likes.
    let source = open(&zip_of(&["a/", "a/1.png", "a/", "a\\"].map(|name| Entry::new(name, b"")))).unwrap();
    assert!(source.names().eq(["a/1.png"]) && source.folders().eq(["a"]));
}

#[test]
fn entries_that_share_their_bytes_are_refused() {
    let error =
        refused(&[Entry::new("a/1.png", b"xxxx"), Entry { place: Some(0), ..Entry::new("a/1.png.png", b"xxxx") }]);
    assert!(
        error.starts_with("set.zip: files in the zip share the same bytes, as in archives made to do harm"),
        "{error}"
    );
    // One whose bytes are said to reach into the table of contents.
    let long = Entry { packed_size: 40, size: 40, ..Entry::new("a/1.png", b"x") };
    let error = refused(&[long]);
    assert!(error.contains("share the same bytes"), "{error}");
}

#[test]
fn a_table_of_contents_that_points_nowhere_is_refused() {
    for place in [7, 1 << 30, u32::MAX - 1] {
        let error = refused(&[Entry { place: Some(place), ..Entry::new("a/1.png", b"xxxx") }]);
        assert!(error.starts_with("set.zip: the zip cannot be unpacked here: "), "{error}");
    }
}

#[test]
fn the_table_of_contents_counts_and_the_names_beside_the_bytes_do_not() {
    let entry = Entry { local_name: b"../../evil".to_vec(), ..Entry::new("a/good.png", b"xxxx") };
    let source = open(&zip_of(&[entry])).unwrap();
    assert!(source.names().eq(["a/good.png"]));
    assert_eq!(source.read(0).unwrap(), b"xxxx");
}

#[test]
fn what_unpacks_to_more_or_less_than_declared_is_refused() {
    let packed = deflated(&[0; 100_000]);
    let entry = |size| Entry {
        method: 8,
        packed_size: packed.len() as u32,
        packed: packed.clone(),
        size,
        ..Entry::new("a/1.png", &[0; 100_000])
    };
    assert_eq!(open(&zip_of(&[entry(100_000)])).unwrap().read(0).unwrap().len(), 100_000);
    let more = unread(&[entry(1000)]);
    assert!(more.contains("set.zip/a/1.png: the zip cannot be unpacked here: "), "{more}");
    let less = unread(&[entry(200_000)]);
    assert!(less.contains("set.zip/a/1.png: the zip cannot be unpacked here: "), "{less}");
    let damaged = unread(&[Entry { crc: 1, ..Entry::new("a/1.png", b"xxxx") }]);
    assert!(damaged.contains("set.zip/a/1.png: the zip cannot be unpacked here: "), "{damaged}");
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    // One entry that declares to unpack to 17 MiB from 10 bytes; 16 MiB are let through, as a picture of one
    // colour may do so.
    let entry = |mib: u32, name: &str| Entry { method: 8, size: mib << 20, ..Entry::new(name, &[0; 10]) };
    let size = 17 << 20;
    let expected = format!(
        "set.zip: the zip's entry \"a/1.png\" unpacks from 10 to {size} bytes, as bombs do, and 250 times as many is the most; {TRUST}"
    );
    assert_eq!(refused(&[entry(17, "a/1.png")]), expected);
    assert!(open(&zip_of(&[entry(16, "a/1.png")])).is_ok());
    // Many such entries; and without any trick, too much.
    let many: Vec<Entry> = (0..65).map(|i| entry(16, &format!("a/{i}.png"))).collect();
    assert!(open(&zip_of(&many[..64])).is_ok());
    let error = refused(&many);
    assert!(error.starts_with("set.zip: the zip unpacks from 650 to 1090519040 bytes, as bombs do"), "{error}");
    let large = |i| Entry { size: u32::MAX, packed_size: 1, ..Entry::new(format!("a/{i}.txt"), &[0; 1]) };
    let error = refused(&[large(0)]);
    assert!(error.contains("as bombs do"), "{error}");
}

#[test]
fn a_zip_of_220_000_files_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.zip");
    let mut zip = zip::ZipWriter::new(std::io::BufWriter::new(fs::File::create(&path).unwrap()));
    for index in 0..220_000 {
        zip.start_file(format!("{}/{index}.png", ["a", "b"][index % 2]), SimpleFileOptions::default()).unwrap();
    }
    zip.finish().unwrap().flush().unwrap();
    let source = Source::open(&path).unwrap();
    assert_eq!((source.len(), source.folders().count()), (220_000, 2));
}

#[test]
fn a_zip_that_claims_more_entries_than_it_has_is_refused() {
    let mut bytes = zip_of(&[Entry::new("a/1.png", b"x")]);
    let end = bytes.len() - 22;
    bytes[end + 8..end + 12].copy_from_slice(&[0xFE, 0xFF, 0xFE, 0xFF]);
    let error = open(&bytes).unwrap_err();
    assert!(error.starts_with("set.zip: the zip cannot be unpacked here: "), "{error}");
}

/// The bytes as deflate packs them, taken from a proper zip: its only entry, a name of one letter, starts at
/// byte 31.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    zip.start_file("a", options).unwrap();
    zip.write_all(bytes).unwrap();
    let whole = zip.finish().unwrap().into_inner();
    let packed = u32::from_le_bytes(whole[18..22].try_into().unwrap()) as usize;
    let extra = u16::from_le_bytes(whole[28..30].try_into().unwrap()) as usize;
    whole[31 + extra..][..packed].to_vec()
}
