//! Parquet files as pyarrow writes them for Hugging Face: the same named images as in folders; and what is
//! refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use expect_test::expect;
use glassnet::data::catalog::Catalog;
use glassnet::data::left_out::Reason;
use glassnet::data::part::GivenPart;
use glassnet::data::source::{Columns, Labels, Source};

use super::parquet_fixtures::{files, write};

/// The images of a source by their names.
fn images(source: &Source) -> BTreeMap<String, Vec<u8>> {
    let catalog = Catalog::from_source(source).unwrap();
    catalog.items.iter().map(|item| (item.path.clone(), source.read(item.entry).unwrap())).collect()
}

/// The error of opening, without the path.
fn refused(path: &Path, columns: Columns) -> String {
    let error = Source::open_labelled(path, &Labels { columns, ..Labels::default() });
    error.map_or_else(|error| error.to_string().replace(&path.display().to_string(), "it"), |_| "was read".into())
}

#[test]
fn a_parquet_file_has_the_names_the_classes_and_the_bytes_of_its_images_in_folders() {
    let home = tempfile::tempdir().unwrap();
    write(home.path());
    let open = |name: &str| Source::open(home.path().join(name)).unwrap();
    let expected = open("set");
    for name in ["labelled.parquet", "other_names.parquet"] {
        let ours = open(name);
        assert!(ours.names().eq(expected.names()), "{name}");
        assert!(images(&ours) == images(&expected), "{name}");
        let classes = |source: &Source| Catalog::from_source(source).unwrap().classes;
        assert_eq!(classes(&ours), classes(&expected), "{name}");
        assert_eq!(ours.full_name(0), format!("{}/01.png", home.path().join(name).display()));
    }
    // Without paths they are named by their rows, and a group may be told.
    let plain = open("plain.parquet");
    let names: Vec<&str> = plain.names().collect();
    assert_eq!(names[..2], ["cat/00001.png", "cat/00004.png"]);
    assert_eq!((plain.group(0), plain.part(0)), (Some("p0"), None));
    let bytes = |source: &Source| images(source).into_values().collect::<Vec<_>>();
    assert!(bytes(&plain) == bytes(&expected));
}

#[test]
fn images_without_a_label_are_left_out_and_parts_are_taken_as_given() {
    let home = tempfile::tempdir().unwrap();
    write(home.path());
    let some = Source::open(home.path().join("some.parquet")).unwrap();
    let left_out: Vec<(&str, &Reason)> =
        some.left_out().iter().map(|left| (left.file.as_str(), &left.reason)).collect();
    assert_eq!(left_out, [("04.png", &Reason::NoLabel), ("05.png", &Reason::NoLabel)]);
    assert_eq!(some.len(), 13);

    for folder in ["parts", "parts/data"] {
        let parts = Source::open(home.path().join(folder)).unwrap();
        let count = |part| (0..parts.len()).filter(|&index| parts.part(index) == Some(part)).count();
        assert_eq!(GivenPart::ALL.map(count), [8, 4, 3]);
        let names: Vec<&str> = parts.names().collect();
        assert_eq!((names[0], names.len()), ("cat/test/13.png", 15));
    }
    // One part alone is no split.
    let one = Source::open(home.path().join("parts/data/test-00000-of-00001.parquet")).unwrap();
    assert!(one.names().eq(["cat/13.png", "dog/12.png", "dog/14.png"]) && !one.has_part(GivenPart::Test));
}

#[test]
fn what_is_not_read_is_named_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    write(home.path());
    let names = files().into_iter().map(|(name, _)| name).filter(|name| name.starts_with("refused/"));
    let told: String =
        names.map(|name| format!("{name}: {}\n", refused(&home.path().join(&name), Columns::default()))).collect();
    expect![[r#"
        refused/gzip.parquet: it: its column label is compressed by gzip, which is not read here; write it again with pyarrow, or give the images in folders
        refused/zstd.parquet: it: its column label is compressed by Zstandard, which is not read here; write it again with pyarrow, or give the images in folders
        refused/delta.parquet: it: its column image.bytes is written in a rare encoding, which is not read here; write it again with pyarrow, or give the images in folders
        refused/no_images.parquet: it: it is a Parquet file without a column of images, the bytes of their files; write one, or give the images in folders
        refused/several.parquet: path_column: which column of it holds the images cannot be told; give one of 2 (first, second)
        refused/no_label.parquet: label_column: which column of it holds the labels cannot be told, as none is named label, class or the like; give one of its columns, 1 (kind)
        refused/beyond.parquet: it: it is a damaged Parquet file: the label 7 is none of its 2 classes; fetch it again
        refused/half.parquet: it: it is a damaged Parquet file: it ends before its contents do; fetch it again
        refused/short.parquet: it: it is a damaged Parquet file: it ends before its contents do; fetch it again
        refused/encrypted.parquet: it: it is encrypted, which is not read here; write it again with pyarrow, or give the images in folders
        refused/long.parquet: it: it is a damaged Parquet file: its description takes more than 16 MiB; fetch it again
    "#]]
    .assert_eq(&told);
    let columns = |path: &str, label: &str| Columns {
        path: Some(path.into()).filter(|name: &String| !name.is_empty()),
        label: Some(label.into()),
        ..Columns::default()
    };
    let several = home.path().join("refused/several.parquet");
    assert_eq!(refused(&several, columns("second", "label")), "was read");
    expect!["path_column third: it has no such column of images; it has 2 (first, second)"]
        .assert_eq(&refused(&several, columns("third", "label")));
    expect!["label_column kind: it has no such column; it has 1 (label)"]
        .assert_eq(&refused(&several, columns("first", "kind")));
    assert_eq!(refused(&home.path().join("refused/no_label.parquet"), columns("", "kind")), "was read");
}

#[test]
fn a_file_that_is_damaged_anywhere_is_read_or_refused_in_a_sentence() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("set.parquet");
    for (name, whole) in
        files().into_iter().filter(|(name, _)| ["labelled.parquet", "plain.parquet"].contains(&name.as_str()))
    {
        for at in (4..whole.len()).step_by(5) {
            for changed in [0xFF, whole[at] ^ 1] {
                let mut bytes = whole.clone();
                bytes[at] = changed;
                fs::write(&path, &bytes).unwrap();
                let told = refused(&path, Columns::default());
                let is_sentence = told == "was read" || told.contains("; ");
                assert!(is_sentence && !told.contains('\n'), "{name}, byte {at} = {changed}: {told}");
            }
        }
        for length in (4..whole.len()).step_by(7) {
            fs::write(&path, &whole[..length]).unwrap();
            assert_ne!(refused(&path, Columns::default()), "was read", "{name}, {length}");
        }
    }
}
