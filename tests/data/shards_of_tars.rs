//! A set in several tars, given as a range in braces, against one tar of all its files.

use std::fs;
use std::path::PathBuf;

use glassnet::data::catalog::Catalog;
use glassnet::data::source::{Labels, Source, absolute, is_set, is_there};
use tempfile::TempDir;

use super::same_set::{gzip, seen, tar_of};
use super::{Files, png, two_classes};

/// A folder with tars.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes the files into one tar and its packed form, `NAME.tar` and `NAME.tar.gz`, and in runs into
    /// four, `NAME-000008.tar` to `NAME-000011.tar`, packed too.
    fn write(&self, name: &str, files: &Files) {
        fs::write(self.path(&format!("{name}.tar")), tar_of(files)).unwrap();
        for (run, files) in files.chunks(files.len().div_ceil(4)).enumerate() {
            let tar = tar_of(&files.to_vec());
            fs::write(self.path(&format!("{name}-{:06}.tar.gz", run + 8)), gzip(&tar)).unwrap();
            fs::write(self.path(&format!("{name}-{:06}.tar", run + 8)), tar).unwrap();
        }
    }

    fn open(&self, name: &str) -> Result<Source, String> {
        let named = |error: glassnet::Error| error.to_string().replace(&format!("{}/", self.0.path().display()), "");
        Source::open(self.path(name)).map_err(named)
    }

    #[track_caller]
    fn refused(&self, name: &str) -> String {
        self.open(name).map(|source| source.len()).unwrap_err()
    }
}

/// A WebDataset: images by numbers from `first` on, and their classes beside them.
fn samples(first: usize, count: usize) -> Files {
    let sample = |index: usize| {
        let label = (format!("{index:04}.cls"), format!("{}", index % 3).into_bytes());
        [label, (format!("{index:04}.json"), b"{}".to_vec()), (format!("{index:04}.png"), png(index as u64, 5, 4))]
    };
    (first..first + count).flat_map(sample).collect()
}

#[test]
fn tars_of_a_range_are_the_same_set_as_one_tar_of_all_files() {
    let place = Place::new();
    place.write("classes", &two_classes(17, 23));
    place.write("samples", &samples(0, 24));
    for name in ["classes", "samples"] {
        let expected = place.open(&format!("{name}.tar")).unwrap();
        for suffix in ["tar", "tar.gz"] {
            let range = format!("{name}-{{000008..000011}}.{suffix}");
            let source = place.open(&range).unwrap();
            assert!(seen(&source) == seen(&expected), "{range}");
            assert_eq!(source.is_labelled(), name == "samples");
            let path = place.path(&range);
            assert!(is_set(&path) && is_there(&path));
            assert_eq!(absolute(&path).unwrap(), place.0.path().canonicalize().unwrap().join(&range));
            let notes = |source: &Source| Catalog::from_source(source).unwrap().notes;
            assert_eq!(notes(&source), notes(&expected));
            for index in [0, source.len() - 1] {
                assert_eq!(source.read(index).unwrap(), expected.read(index).unwrap());
            }
        }
    }
    assert_eq!(
        place.open("classes-{8..8}.tar").unwrap_err(),
        "classes-{8..8}.tar: no file of this range is there, such as classes-8.tar; check the path"
    );
    assert_eq!(place.open("classes-{000008..000008}.tar").unwrap().len(), 10, "a range of one");
}

#[test]
fn samples_of_one_key_in_two_tars_are_two_and_files_of_one_name_are_an_error() {
    let place = Place::new();
    // Each tar counts from 0.
    let all: Vec<Files> = (0..3)
        .map(|tar| {
            samples(6 * tar, 6)
                .into_iter()
                .enumerate()
                .map(|(place, (name, bytes))| {
                    let end = name.rsplit_once('.').unwrap().1;
                    (format!("{:04}.{end}", place / 3), bytes)
                })
                .collect()
        })
        .collect();
    for (tar, files) in all.iter().enumerate() {
        fs::write(place.path(&format!("set-{tar}.tar")), tar_of(files)).unwrap();
    }
    let source = place.open("set-{0..2}.tar").unwrap();
    let catalog = Catalog::from_source(&source).unwrap();
    assert_eq!((catalog.items.len(), catalog.classes.names().collect::<Vec<_>>()), (18, vec!["0", "1", "2"]));
    assert_eq!(catalog.notes, Vec::<String>::new());
    let names: Vec<&str> = catalog.items.iter().take(3).map(|item| item.path.as_str()).collect();
    assert_eq!(names, ["0/set-0/0000.png", "0/set-0/0003.png", "0/set-1/0000.png"]);
    let item = &catalog.items[2];
    assert_eq!(source.read(item.entry).unwrap(), all[1][2].1);

    let both = "set-0.tar and set-1.tar both hold 0000.cls; create them again, with one file of each name";
    let table = place.path("labels.csv");
    fs::write(&table, "path,label\n0000.png,a\n0001.png,b\n").unwrap();
    let labels = Labels { table: Some(table), ..Labels::default() };
    let error = Source::open_labelled(place.path("set-{0..2}.tar"), &labels).unwrap_err().to_string();
    assert_eq!(error.replace(&format!("{}/", place.0.path().display()), ""), format!("set-{{0..2}}.tar: {both}"));

    let files = two_classes(2, 2);
    fs::write(place.path("c-0.tar"), tar_of(&files)).unwrap();
    fs::write(place.path("c-1.tar"), tar_of(&files[1..].to_vec())).unwrap();
    assert_eq!(
        place.refused("c-{0..1}.tar"),
        "c-{0..1}.tar: c-0.tar and c-1.tar both hold benign/001.png; create them again, with one file of each name"
    );
    fs::write(place.path("c-1.tar"), tar_of(&vec![files[3].clone(), files[3].clone()])).unwrap();
    assert!(place.refused("c-{1..1}.tar").contains("it holds two files of the name malignant/001.png"));
}

#[test]
fn ranges_with_missing_files_and_files_that_are_no_tars_are_refused_in_a_sentence() {
    let place = Place::new();
    place.write("a", &two_classes(8, 8));
    fs::remove_file(place.path("a-000010.tar")).unwrap();
    assert_eq!(
        place.refused("a-{000008..000011}.tar"),
        "a-{000008..000011}.tar: of the 4 files of this range a-000010.tar is missing; put it there, or give the range of those that are \
         there"
    );
    assert!(place.refused("a-{000000..009999}.tar").contains("of the 10000 files of this range 9997 (a-000000.tar, "));
    assert!(place.refused("a-{000000..010000}.tar").contains("its range has more than 10,000 files"));
    assert!(place.refused("a-{11..8}.tar").contains("its range ends before it begins, at 8 and 11"));
    assert!(!is_there(&place.path("none-{0..3}.tar")) && is_there(&place.path("a-{000008..000010}.tar")));
    fs::write(place.path("a-000010.tar"), "text").unwrap();
    assert_eq!(
        place.refused("a-{000008..000011}.tar"),
        "a-{000008..000011}.tar: a-000010.tar is no tar, and of tars alone several are one set; give one path"
    );
    let cut = fs::read(place.path("a-000009.tar")).unwrap();
    fs::write(place.path("a-000009.tar"), &cut[..600]).unwrap();
    assert!(place.refused("a-{000008..000009}.tar").starts_with("a-000009.tar: the tar cannot be unpacked here: "));
    // A file of that very name is that file.
    fs::copy(place.path("a.tar"), place.path("a-{1..2}.tar")).unwrap();
    assert_eq!(place.open("a-{1..2}.tar").unwrap().len(), 16);
}

#[test]
fn more_tars_than_stay_open_are_read_to_the_last() {
    let place = Place::new();
    let files = two_classes(70, 80);
    for (index, file) in files.iter().enumerate() {
        fs::write(place.path(&format!("t-{index}.tar")), tar_of(&vec![file.clone()])).unwrap();
    }
    fs::write(place.path("t.tar"), tar_of(&files)).unwrap();
    assert!(seen(&place.open("t-{0..149}.tar").unwrap()) == seen(&place.open("t.tar").unwrap()));
}
