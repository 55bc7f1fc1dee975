//! Sets of images that may have several labels: their combinations, how they are parted, and further data.

use std::fs;
use std::path::Path;

use glassnet::classes::{Label, LabelSet};
use glassnet::data::catalog::{Catalog, Item};
use glassnet::data::folds::folds;
use glassnet::data::groups::Groups;
use glassnet::data::source::{Columns, Labels, Source};
use glassnet::data::split::Split;

use super::array_bytes::{npy, npz};

/// A folder of files and its table, of which each row has an image's labels with `|` between, and its group.
fn source(folder: &Path, rows: &[&str]) -> Source {
    fs::create_dir_all(folder.join("images")).unwrap();
    let mut table = String::from("path,labels,group\n");
    for (image, labels) in rows.iter().enumerate() {
        fs::write(folder.join(format!("images/{image:03}.png")), [image as u8]).unwrap();
        table += &format!("images/{image:03}.png,{labels},g{}\n", image / 3);
    }
    fs::write(folder.join("labels.csv"), table).unwrap();
    let columns = Columns { separator: Some("|".into()), group: Some(String::new()), ..Columns::default() };
    Source::open_labelled(folder.join("labels.csv"), &Labels { table: None, columns }).unwrap()
}

fn catalog(rows: &[&str]) -> Catalog {
    let folder = tempfile::tempdir().unwrap();
    Catalog::from_source(&source(folder.path(), rows)).unwrap()
}

fn names(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.path.as_str()).collect()
}

#[test]
fn each_combination_is_a_class_and_images_keep_their_order_within_it() {
    let catalog = catalog(&["b|a", "", "a", "b", "a|b"]);
    let combinations = catalog.combinations.as_ref().unwrap();
    assert_eq!(catalog.answers().names().collect::<Vec<&str>>(), ["a", "b"]);
    assert_eq!(combinations.names(), &catalog.classes);
    assert_eq!(names(&catalog.items), ["(none)/001.png", "a/002.png", "b/003.png", "a;b/000.png", "a;b/004.png"]);
    assert_eq!((catalog.counts(), catalog.label_counts(&catalog.items)), (vec![1, 1, 1, 2], vec![3, 3]));
    let both: LabelSet = [0, 1].map(Label::new).into_iter().collect();
    assert_eq!(catalog.items[3].labels, Some(both));
    assert_eq!(catalog.missing(&catalog.items[..2]).as_deref(), Some("with the label b"));
}

/// 200 images of five labels, of which most combinations are rare.
fn many() -> Vec<String> {
    let row = |image: usize| {
        let has = |label: usize| (image * 7919 + label * 104_729) % 1000 * (label + 3) % 1000 < 330 - 50 * label;
        (0..5).filter(|&label| has(label)).map(|label| format!("l{label}")).collect::<Vec<String>>().join("|")
    };
    (0..200).map(row).collect()
}

#[test]
fn each_label_and_the_whole_have_about_their_share_in_both_parts_though_combinations_are_rare() {
    let rows = many();
    let catalog = catalog(&rows.iter().map(String::as_str).collect::<Vec<&str>>());
    let all = catalog.label_counts(&catalog.items);
    let rare = catalog.counts().iter().filter(|count| **count < 5).count();
    assert!(rare > 3 && all.iter().all(|count| *count > 10), "{rare} {all:?}");
    for fraction in [0.2, 0.5] {
        let split = Split::new(&catalog, fraction).unwrap();
        let validation = catalog.label_counts(&split.validation);
        for (label, (all, got)) in all.iter().zip(&validation).enumerate() {
            let wanted = fraction * *all as f64;
            assert!((*got as f64 - wanted).abs() <= 3.0, "label {label}: {got} of {all} for {fraction}");
        }
        let wanted = fraction * catalog.items.len() as f64;
        assert!((split.validation.len() as f64 - wanted).abs() <= 4.0, "{} for {wanted}", split.validation.len());
        assert_eq!(split.training.len() + split.validation.len(), catalog.items.len());
        assert_eq!(catalog.missing(&split.training), None);
        let again = Split::new(&catalog, fraction).unwrap();
        assert_eq!(names(&again.validation), names(&split.validation));
    }
    assert!(Split::new(&catalog, 0.0).unwrap().validation.is_empty());
}

#[test]
fn the_last_image_of_a_label_trains() {
    // Half of one image is none, and either would be needed for the whole to have its half.
    let split = Split::new(&catalog(&["a", "b", "a|b", "c|a", "", ""]), 0.5).unwrap();
    assert!(names(&split.training).contains(&"a;c/003.png"), "{:?}", names(&split.training));
    assert!(!split.validation.is_empty());
}

#[test]
fn groups_stay_whole_and_folds_are_refused() {
    let rows = many();
    let catalog = catalog(&rows.iter().map(String::as_str).collect::<Vec<&str>>());
    let groups = Groups::by_regex(&catalog, r"(\d\d)\d\.png").unwrap();
    let split = Split::grouped(&catalog, 0.2, &groups, 3).unwrap();
    let group = |item: &Item| item.path[item.path.len() - 7..][..2].to_string();
    let validate: Vec<String> = split.validation.iter().map(group).collect();
    assert!(split.training.iter().all(|item| !validate.contains(&group(item))));
    let share = split.validation.len() as f64 / 200.0;
    assert!((0.15..0.26).contains(&share), "{share}");
    let error = folds(&catalog, 2, &Groups::none(&catalog), 0).unwrap_err().to_string();
    assert!(error.ends_with("here an image may have several labels; leave it out"), "{error}");
}

#[test]
fn further_data_are_told_by_the_same_labels_and_may_have_other_combinations() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ours = source(ours.path(), &["a", "b|c", "a|b", "c"]);
    // It has no c, so its labels have other places.
    let further = source(theirs.path(), &["b", "b|a", ""]);
    let catalog = Catalog::from_source(&ours).unwrap();
    let joined = catalog.clone().join(Catalog::from_source(&further).unwrap(), ours.len(), Path::new("more")).unwrap();
    assert_eq!(
        joined.classes.names().collect::<Vec<&str>>(),
        ["(none)", "a", "b", "a;b", "c", "b;c"],
        "in the order of their bits"
    );
    let of_further = joined.items.iter().filter(|item| item.set.is_some());
    let told: Vec<(String, &str)> =
        of_further.map(|item| (item.name().into_owned(), &joined.classes[item.label])).collect();
    assert_eq!(
        told,
        [
            ("more/(none)/002.png".to_string(), "(none)"),
            ("more/b/000.png".to_string(), "b"),
            ("more/a;b/001.png".to_string(), "a;b")
        ]
    );
    let split = Split::by_set(&joined, None).unwrap();
    assert_eq!((split.training.len(), split.validation.len()), (4, 3));

    let other = tempfile::tempdir().unwrap();
    let other = Catalog::from_source(&source(other.path(), &["a", "d"])).unwrap();
    let error = catalog.join(other, ours.len(), Path::new("other")).unwrap_err().to_string();
    let expected = "other: its images may have the label 'd', and those of the data that train 'a', 'b' and 'c'; name the labels as there";
    assert_eq!(error, expected);
}

#[test]
fn a_model_knows_labels_that_data_need_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path(), &["b", "b", "a|b"]);
    let known = glassnet::classes::Classes::new(["c", "b", "a"]).unwrap();
    let catalog = Catalog::with_labels(&source, &known).unwrap();
    assert_eq!(catalog.answers(), &known);
    assert_eq!(catalog.label_counts(&catalog.items), [0, 3, 1]);
    let fewer = glassnet::classes::Classes::new(["b", "c"]).unwrap();
    let error = Catalog::with_labels(&source, &fewer).unwrap_err().to_string();
    assert!(error.ends_with("its images may have the label 'a', and the model knows 'b' and 'c'"), "{error}");
    assert!(
        Catalog::with_classes(&source, &known).unwrap_err().to_string().contains("its images may have several labels")
    );
}

#[test]
fn arrays_have_a_column_for_each_label_and_one_label_each_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let open = |labels: &[u8], width: usize| {
        let count = labels.len() / width;
        let arrays = [
            ("images", npy("|u1", &[count, 2, 2], &vec![9; count * 4])),
            ("labels", npy("|u1", &[count, width], labels)),
        ];
        fs::write(&path, npz(&arrays)).unwrap();
        Catalog::from_source(&Source::open(&path).unwrap())
    };
    let catalog = open(&[1, 0, 1, 0, 0, 0, 0, 1, 1], 3).unwrap();
    assert_eq!(names(&catalog.items), ["(none)/00001.ppm", "0;2/00000.ppm", "1;2/00002.ppm"]);
    assert!(catalog.notes.is_empty(), "{:?}", catalog.notes);
    let wide: Vec<u8> = (0..24).map(|place| u8::from(place % 13 == 0 || place < 12)).collect();
    assert_eq!(open(&wide, 12).unwrap().answers().names().last(), Some("11"));
    let one = open(&[1, 0, 0, 1, 1, 0], 2).unwrap();
    assert!(one.notes[0].contains("every image has just one label; if none can have several"), "{:?}", one.notes);
    let error = open(&[1, 0, 1, 0], 2).unwrap_err().to_string();
    assert!(error.ends_with("no image that trains or validates has the label 1; leave it out"), "{error}");
}
