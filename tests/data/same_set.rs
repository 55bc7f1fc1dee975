//! The same images as a folder, a zip, a tar, a packed tar, a table of labels, a WebDataset and an array: the
//! same names, classes, order and hash.

use std::fs;
use std::io::Write;
use std::path::Path;

use glassnet::data::catalog::Catalog;
use glassnet::data::groups::Groups;
use glassnet::data::images::set_sha256;
use glassnet::data::left_out::Reason;
use glassnet::data::part::GivenPart;
use glassnet::data::source::{Columns, Labels, Source};
use glassnet::data::split::Split;
use glassnet::random::{Purpose, Stream};

use super::array_bytes::{npy, npz};
use super::{Files, empty, two_classes, write_tree, write_zip};

/// A tar of these files.
pub fn tar_of(files: &Files) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    tar.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The classes, names and hash of a set, as a training goes by them.
pub fn seen(source: &Source) -> (Vec<String>, Vec<String>, String) {
    let catalog = Catalog::from_source(source).unwrap();
    let names = catalog.items.iter().map(|item| item.path.clone()).collect();
    let digests: Vec<[u8; 32]> = catalog.items.iter().map(|item| source.sha256(item.entry).unwrap()).collect();
    let hash = set_sha256(catalog.items.iter().map(|item| item.path.as_str()).zip(&digests));
    (catalog.classes.names().map(str::to_string).collect(), names, hash)
}

/// The files below a folder whose names say nothing of a class, in another order than that of the classes,
/// and a table that tells them.
fn with_table(root: &Path, files: &Files) {
    let mut table = String::from("file_name,label\n");
    for (name, bytes) in files.iter().rev() {
        let (class, own) = name.split_once('/').unwrap();
        let own = own.replace('/', "-");
        write_tree(root, &vec![(format!("images/{class}_{own}"), bytes.clone())]);
        table += &format!("images/{class}_{own},{class}\n");
    }
    fs::write(root.join("labels.csv"), table).unwrap();
}

#[test]
fn a_folder_a_zip_a_tar_and_a_packed_tar_are_the_same_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = two_classes(17, 23);
    files.push(("benign/a-b/0.png".to_string(), vec![1]));
    files.push((format!("benign/{}/0.png", "long".repeat(30)), vec![2]));
    let path = |name: &str| folder.path().join(name);
    write_tree(&path("set"), &files);
    write_zip(&path("set.zip"), &files);
    fs::write(path("set.tar"), tar_of(&files)).unwrap();
    fs::write(path("set.tar.gz"), gzip(&tar_of(&files))).unwrap();
    // What a file is, its first bytes tell.
    fs::write(path("set.tgz.dat"), gzip(&tar_of(&files))).unwrap();
    let expected = seen(&Source::open(path("set")).unwrap());
    for name in ["set.zip", "set.tar", "set.tar.gz", "set.tgz.dat"] {
        let source = Source::open(path(name)).unwrap();
        assert!(seen(&source) == expected, "{name}");
        assert_eq!(source.full_name(0), path(name).join("benign/000.png").display().to_string());
    }
}

#[test]
fn a_table_and_a_webdataset_name_their_images_as_if_they_lay_in_folders_of_their_classes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let files = two_classes(17, 23);
    let renamed = files.iter().map(|(name, bytes)| {
        let (class, own) = name.split_once('/').unwrap();
        (format!("{class}/{class}_{own}"), bytes.clone())
    });
    write_tree(&path("set"), &renamed.collect());
    let expected = seen(&Source::open(path("set")).unwrap());

    with_table(&path("table"), &files);
    for data in ["table/labels.csv", "table"] {
        let source = Source::open(path(data)).unwrap();
        assert!(seen(&source) == expected, "{data}");
        let whole = path("table/images/benign_000.png").display().to_string();
        assert_eq!(source.full_name(0), whole, "the file can be found");
        assert_eq!(Catalog::from_source(&source).unwrap().notes, Vec::<String>::new());
    }
    let labels = Labels { table: Some(path("table/labels.csv")), columns: Columns::default() };
    let source = Source::open_labelled(path("table/images"), &labels).unwrap();
    assert!(seen(&source) == expected, "the folder of the images, and the table elsewhere");

    let mut sidecars = Files::new();
    for (name, bytes) in &files {
        let (class, own) = name.split_once('/').unwrap();
        let key = format!("shard/{class}_{}", own.trim_end_matches(".png"));
        sidecars.push((format!("{key}.cls"), format!("{class}\n").into_bytes()));
        sidecars.push((format!("{key}.png"), bytes.clone()));
        sidecars.push((format!("{key}.json"), b"{}".to_vec()));
    }
    fs::write(path("shard.tar"), tar_of(&sidecars)).unwrap();
    let source = Source::open(path("shard.tar")).unwrap();
    assert!(seen(&source) == expected, "a WebDataset");
    assert_eq!(Catalog::from_source(&source).unwrap().notes, Vec::<String>::new());
}

#[test]
fn files_that_lie_in_the_folders_of_their_labels_keep_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let files = two_classes(3, 4);
    write_tree(&path("set"), &files);
    let expected = seen(&Source::open(path("set")).unwrap());
    let rows: String = files.iter().map(|(name, _)| format!("{name};{}\n", name.split_once('/').unwrap().0)).collect();
    fs::write(path("set/labels.csv"), format!("Path;Diagnosis\n{rows}")).unwrap();
    let source = Source::open(path("set/labels.csv")).unwrap();
    assert!(seen(&source) == expected && source.is_labelled());
    // Folders of classes tell by themselves.
    let source = Source::open(path("set")).unwrap();
    assert!(seen(&source) == expected && !source.is_labelled());
}

/// Images of 4 × 3 pixels with so many channels, one behind the other, and as files.
fn pixels(seed: u64, count: usize, channels: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut stream = Stream::new(seed, Purpose::Test, 0, 0);
    let pixels: Vec<u8> = (0..count * 12 * channels).map(|_| stream.below(256) as u8).collect();
    let kind = if channels == 1 { "P5" } else { "P6" };
    let file = |image: &[u8]| [format!("{kind}\n3 4\n255\n").as_bytes(), image].concat();
    let files = pixels.chunks(12 * channels).map(file).collect();
    (pixels, files)
}

#[test]
fn arrays_are_the_same_set_as_their_images_in_folders() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let labels: Vec<u8> = (0..40).map(|image| image * 7 % 3).collect();
    for (channels, shape) in [(1, vec![40, 4, 3]), (3, vec![40, 4, 3, 3])] {
        let (pixels, files) = pixels(1, 40, channels);
        let images = npy("|u1", &shape, &pixels);
        let named = files.into_iter().zip(&labels).enumerate();
        let named = named.map(|(place, (file, label))| (format!("{label}/{place:05}.ppm"), file)).collect();
        let root = path(&format!("set{channels}"));
        write_tree(&root, &named);
        let expected = seen(&Source::open(root).unwrap());
        let wide: Vec<u8> = labels.iter().flat_map(|&label| i64::from(label).to_be_bytes()).collect();
        for (name, labels) in [("images", npy("|u1", &[40, 1], &labels)), ("x", npy(">i8", &[40], &wide))] {
            let own = if name == "x" { "y" } else { "labels" };
            fs::write(path("set.npz"), npz(&[(name, images.clone()), (own, labels)])).unwrap();
            assert!(seen(&Source::open(path("set.npz")).unwrap()) == expected, "{channels} {name}");
        }
    }
}

/// Parts of 6, 4 and 2 images as MedMNIST has them.
fn medmnist() -> Vec<u8> {
    let part = |seed: u64, count: usize| npy("|u1", &[count, 4, 3], &pixels(seed, count, 1).0);
    npz(&[
        ("train_images", part(1, 6)),
        ("train_labels", npy("|u1", &[6, 1], &[0, 1, 0, 1, 0, 1])),
        ("val_images", part(2, 4)),
        ("val_labels", npy("|u1", &[4, 1], &[0, 1, 1, 1])),
        ("test_images", part(3, 2)),
        ("test_labels", npy("|u1", &[2, 1], &[1, 0])),
    ])
}

#[test]
fn the_parts_that_arrays_bring_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.npz");
    fs::write(&path, medmnist()).unwrap();
    let source = Source::open(&path).unwrap();
    let catalog = Catalog::from_source(&source).unwrap();
    let note = format!("{}: its test part, 2 images, neither trains nor validates", path.display());
    assert_eq!((catalog.counts(), &catalog.notes[..]), (vec![4, 6], &[note][..]));
    let split = Split::given(&catalog, &source, None).unwrap();
    let names =
        |items: &[glassnet::data::catalog::Item]| items.iter().map(|item| item.path.clone()).collect::<Vec<_>>();
    let expected = [
        "0/train/00000.ppm",
        "0/train/00002.ppm",
        "0/train/00004.ppm",
        "1/train/00001.ppm",
        "1/train/00003.ppm",
        "1/train/00005.ppm",
    ];
    assert_eq!(names(&split.training), expected);
    assert_eq!(names(&split.validation), ["0/val/00000.ppm", "1/val/00001.ppm", "1/val/00002.ppm", "1/val/00003.ppm"]);
    let all = Catalog::with_classes(&source, &catalog.classes).unwrap();
    let is_test = |item: &&glassnet::data::catalog::Item| source.part(item.entry) == Some(GivenPart::Test);
    assert_eq!((all.items.len(), all.items.iter().filter(is_test).count()), (12, 2));
}

#[test]
fn arrays_of_another_kind_are_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let images = || npy("|u1", &[2, 4, 3], &[7; 24]);
    let labels = || npy("|u1", &[2], &[0, 1]);
    for (arrays, reason) in [
        (
            vec![("weights", images())],
            "its arrays, 1 (weights), are not named as those of a set; save them as train_images and train_labels, val_images and so \
             on, or as images and labels",
        ),
        (
            vec![("images", npy("<f4", &[2, 4, 3], &[0; 96])), ("labels", labels())],
            "the array images: its numbers are no bytes; save pixels from 0 to 255, as uint8",
        ),
        (
            vec![("images", npy("|u1", &[2, 4, 3, 2], &[0; 48])), ("labels", labels())],
            "the array images: its shape is [2, 4, 3, 2]; images are [N, H, W], [N, H, W, 1] or [N, H, W, 3]",
        ),
        (
            vec![("images", npy("|u1", &[2, 4, 3], &[0; 23])), ("labels", labels())],
            "the array images: it does not hold as many numbers as its shape says; save it again with numpy.savez",
        ),
        (
            vec![("images", npy("|u1", &[1 << 40, 4, 3], &[0; 24])), ("labels", labels())],
            "the array images: its shape is [1099511627776, 4, 3], and 1024 MiB are the most of all images; give a part of them",
        ),
        (
            vec![("images", images()), ("labels", npy("|u1", &[3], &[0, 1, 1]))],
            "images holds 2 images, and labels 3 labels; save them anew",
        ),
        (
            vec![("images", images()), ("labels", npy("|u1", &[2, 14], &[2; 28]))],
            "the array labels: it has 14 numbers for each image, and not all of them are 0 or 1; save 1 for each label that an image has, and \
             0 for the others",
        ),
        (
            vec![("images", images()), ("labels", npy("|u1", &[2, 65], &[0; 130]))],
            "the array labels: its shape is [2, 65]; labels are [N] or [N, 1], or where an image may have several, [N, K] of at most 64",
        ),
        (
            vec![("images", images()), ("labels", npy("|i1", &[2], &[0, 255]))],
            "the array labels: a label is below 0 or has ten digits; number the classes from 0",
        ),
        (
            vec![("images", images()), ("labels", npy("<f8", &[2], &[0; 16]))],
            "the array labels: its numbers are no whole ones; save them as integers",
        ),
        (
            vec![("images", images()), ("labels", b"\x93NUMPY\x01".to_vec())],
            "the array labels: it is cut off; save it again with numpy.savez",
        ),
    ] {
        fs::write(&path, npz(&arrays)).unwrap();
        let error = Source::open(&path).unwrap_err().to_string();
        assert_eq!(error, format!("{}: {reason}", path.display()));
    }
}

/// What a folder with these files and this table comes to, as a set, or as the error.
fn tabled(names: &[&str], table: &str) -> (tempfile::TempDir, Result<Source, String>) {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), &empty(names));
    fs::write(folder.path().join("t.csv"), table).unwrap();
    let source = Source::open(folder.path().join("t.csv"));
    let source = source.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""));
    (folder, source)
}

#[test]
fn what_a_table_tells_wrong_is_left_out_with_a_sentence_each() {
    let names = ["im/1.png", "im/2.png", "im/3.png", "im/4.png", "im/5.png", "im/6.png", "im/notes.txt", "other/7.png"];
    let table = "path,label\nim/1.png,cat\nim/2.png,dog\nim/2.png,dog\nim/3.png,cat\nim/3.png,dog\nim/4.png,\nim/gone.png,dog\n";
    let (folder, source) = tabled(&names, table);
    let source = source.unwrap();
    let catalog = Catalog::from_source(&source).unwrap();
    assert_eq!(catalog.items.iter().map(|item| item.path.as_str()).collect::<Vec<_>>(), ["cat/1.png", "dog/2.png"]);
    let path = source.path().display();
    let expected = [
        format!("{path}: passed over, not named as an image: 1 (im/notes.txt)"),
        format!("{path}: passed over, images without a label: 3 (im/4.png, im/5.png, im/6.png)"),
        format!("{path}: passed over, as they have labels and are not there: 1 (im/gone.png)"),
        format!("{path}: passed over, as their labels contradict each other: 1 (im/3.png)"),
    ];
    assert_eq!(catalog.notes, expected);
    let gone = catalog.left_out.iter().find(|left| left.reason == Reason::NotThere).unwrap();
    assert_eq!(gone.path, folder.path().join("im/gone.png").display().to_string());
}

#[test]
fn a_row_may_name_its_image_by_the_end_of_its_path_without_suffix_and_as_another_machine_had_it() {
    let names = ["part1/1.jpg", "part2/2.jpg", "part2/3.a.jpg", "part2/4.jpg"];
    let table = "image_id,dx\n1,a\n2.jpg,b\n3.a,a\nC:\\sets\\part2\\4.jpg,b\n";
    let (_folder, source) = tabled(&names, table);
    let source = source.unwrap();
    let names: Vec<&str> = source.names().collect();
    assert_eq!(names, ["a/part1/1.jpg", "a/part2/3.a.jpg", "b/part2/2.jpg", "b/part2/4.jpg"]);
    let (_folder, source) = tabled(&["a/1.png", "b/1.png"], "path,label\n1.png,cat\n");
    assert_eq!(source.unwrap_err(), "t.csv: 1.png may be any of 2 (a/1.png, b/1.png); write the whole path there");
}

#[test]
fn no_row_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), &empty(&["secret.png", "in/1.png", "in/2.png"]));
    let whole = folder.path().join("secret.png").display().to_string();
    fs::write(folder.path().join("in/t.csv"), format!("path,label\n1.png,a\n2.png,b\n../secret.png,a\n{whole},b\n"))
        .unwrap();
    let source = Source::open(folder.path().join("in/t.csv")).unwrap();
    assert!(source.names().eq(["a/1.png", "b/2.png"]));
    assert_eq!(source.left_out().iter().filter(|left| left.reason == Reason::NotThere).count(), 2);
}

#[test]
fn labels_that_name_no_class_or_no_image_are_refused() {
    let names = ["1.png", "2.png"];
    for (table, expected) in [
        (
            "path,label\n1.png,a/b\n2.png,c\n",
            "t.csv: the label 'a/b' has a slash, and no class can be named so; write another",
        ),
        (
            "path,label\n1.png,..\n2.png,c\n",
            "t.csv: the label '..' begins with a dot, and no class can be named so; write another",
        ),
        ("path,label\n1.png,\n2.png,\n", "t.csv: no image has a label; give the images that the labels are of"),
    ] {
        assert_eq!(tabled(&names, table).1.unwrap_err(), expected);
    }
    let (folder, source) = tabled(&names, "path,label\n3.png,a\n4.png,b\n");
    let expected = format!(
        "t.csv: none of the 2 images that the table names is in {}, such as 3.png; give the folder, zip or tar that they are in, and \
         the table with it",
        folder.path().display()
    );
    assert_eq!(source.unwrap_err(), expected);
}

#[test]
fn groups_and_parts_of_a_table_are_kept() {
    let names = ["1.png", "2.png", "3.png", "4.png", "5.png", "6.png"];
    let table = "path,label,patient,split\n1.png,a,p,train\n2.png,b,p,train\n3.png,a,,val\n4.png,b,q,val\n5.png,a,q,test\n6.png,b,q,val\n";
    let (_folder, source) = tabled(&names, table);
    let source = source.unwrap();
    let catalog = Catalog::from_source(&source).unwrap();
    let groups = Groups::given(&catalog, &source).unwrap().unwrap();
    assert_eq!((groups.len(), groups.unmatched(), groups.name_of(0)), (3, 1, "p"));
    let split = Split::given(&catalog, &source, Some(&groups)).unwrap();
    assert_eq!((split.training.len(), split.validation.len()), (2, 3));
    let (_folder, source) = tabled(&names, &table.replace("6.png,b,q", "6.png,b,p"));
    let source = source.unwrap();
    let catalog = Catalog::from_source(&source).unwrap();
    let groups = Groups::given(&catalog, &source).unwrap();
    let error = Split::given(&catalog, &source, groups.as_ref()).unwrap_err().to_string();
    assert!(error.ends_with("groups that stand on both sides, among the images that train and those that validate: 1 (p); give each group one part"), "{error}");
}

#[test]
fn of_several_tables_in_a_folder_the_call_that_works_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), &empty(&["images/1.png", "images/2.png"]));
    for name in ["train.csv", "val.csv"] {
        fs::write(folder.path().join(name), "path,label\nimages/1.png,a\nimages/2.png,b\n").unwrap();
    }
    fs::write(folder.path().join("other.csv"), "a,b\n1,2\n").unwrap();
    let path = folder.path().display();
    let expected = format!(
        "{path}: it holds several tables of labels, 2 (train.csv, val.csv); give {path}/train.csv to train on, and {path}/val.csv to \
         validate on"
    );
    assert_eq!(Source::open(folder.path()).unwrap_err().to_string(), expected);
}
