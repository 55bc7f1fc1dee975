//! Classes, their files' order, and the split.

use glassnet::Result;
use glassnet::classes::Classes;
use glassnet::data::catalog::Catalog;
use glassnet::data::source::Source;
use glassnet::data::split::Split;

use super::empty;

/// The catalog of files with these names.
fn catalog(names: &[&str]) -> Result<Catalog> {
    Catalog::from_source(&Source::from_memory("set", empty(names)).unwrap())
}

/// What is wrong with files of these names.
fn fault(names: &[&str]) -> String {
    catalog(names).unwrap_err().to_string()
}

#[test]
fn fewer_classes_than_two_are_an_error_that_names_them_and_more_are_classes() {
    let none = fault(&["1.png", "2.png"]);
    assert!(none.contains("it holds 2 images and no class folders;"), "{none}");
    let one = fault(&["benign/1.png"]);
    assert!(
        one.contains(
            "it must hold a folder for each of at least two classes, and holds 1 (benign: 1 image); make it one"
        ),
        "{one}"
    );
    let three = Source::from_memory("set", empty(&["c/1.png", "b/1.png", "a/1.png", "a/2.png"])).unwrap();
    let three = Catalog::from_source(&three).unwrap();
    assert_eq!(three.classes.names().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(three.counts(), [2, 1, 1]);
    assert!(three.items.is_sorted_by_key(|item| item.label));
    let nothing = fault(&[]);
    assert!(nothing.contains("no class folders"), "{nothing}");
}

#[test]
fn a_class_without_images_is_an_error() {
    let error = fault(&["benign/1.png", "malignant/notes.txt"]);
    assert!(error.contains("malignant holds no image"), "{error}");
}

/// The catalog of a model's classes `cat` and `dog`, in the order in which it has them.
fn of_classes(names: &[&str], classes: [&str; 2]) -> Result<Catalog> {
    Catalog::with_classes(&Source::from_memory("set", empty(names)).unwrap(), &Classes::new(classes).unwrap())
}

#[test]
fn known_classes_keep_their_order_and_one_of_them_may_be_missing() {
    let labels = |names: &[&str], classes| {
        let items = of_classes(names, classes).unwrap().items;
        items.into_iter().map(|item| format!("{} {}", item.label, item.path)).collect::<Vec<_>>()
    };
    let both = ["set/cat/1.png", "set/dog/1.png", "set/dog/2.png", "set/README"];
    assert_eq!(labels(&both, ["cat", "dog"]), ["0 cat/1.png", "1 dog/1.png", "1 dog/2.png"]);
    assert_eq!(labels(&both, ["dog", "cat"]), ["0 dog/1.png", "0 dog/2.png", "1 cat/1.png"]);
    assert_eq!(labels(&["dog/1.png"], ["cat", "dog"]), ["1 dog/1.png"]);
    assert_eq!(labels(&["cat/1.png", "dog/notes.txt"], ["cat", "dog"]), ["0 cat/1.png"]);
}

#[test]
fn folders_of_other_classes_than_the_known_ones_are_an_error_that_names_both() {
    let fault = |names: &[&str]| of_classes(names, ["cat", "dog"]).unwrap_err().to_string();
    let wanted = "'cat' and 'dog'";
    let tail = format!("are not those of the model, {wanted}; name them as the model names its classes");
    assert_eq!(fault(&["ant/1.png", "cat/1.png"]), format!("set: its class folders, 2 ('ant', 'cat'), {tail}"));
    let none = format!("it holds 1 image and no class folders; make one for each of the model's classes, {wanted}");
    assert_eq!(fault(&["1.png"]), format!("set: {none}"));
    let empty = fault(&["cat/1.txt", "dog/1.txt"]);
    assert!(empty.starts_with("set: its class folders, 2 ('cat', 'dog'), hold no image (png, "), "{empty}");
}

#[test]
fn images_outside_the_classes_and_other_files_are_passed_over_and_said_so() {
    let catalog = catalog(&["a/1.png", "b/1.png", "b/notes.txt", "stray.png", "a/.hidden.png", ".git/x.png"]).unwrap();
    assert_eq!(catalog.counts(), [1, 1]);
    let notes = catalog.notes.join("\n");
    assert!(notes.contains("2 (.git, a/.hidden.png)"), "{notes}");
    assert!(notes.contains("not named as an image: 1 (b/notes.txt)"), "{notes}");
    assert!(notes.contains("in no class folder: 1 (stray.png)"), "{notes}");
}

/// Names in no order at all, with everything that could upset one.
const NASTY: [&str; 28] = [
    "malignant/b.png",
    "malignant/a.PNG",
    "malignant/B.png",
    "malignant/10.png",
    "malignant/9.png",
    "malignant/a/z.png",
    "malignant/a/b/c/d.png",
    "malignant/a/b/y.Jpg",
    "malignant/a-b/x.png",
    "malignant/a.b/w.png",
    "malignant/A/v.png",
    "malignant/ä.png",
    "malignant/é/u.png",
    "malignant/z/t.png",
    "malignant/日本/s.tiff",
    "malignant/a b/r.bmp",
    "malignant/a0/q.ppm",
    "malignant/a/a.tif",
    "malignant/𝄞.png",
    "malignant/ff.png",
    "malignant/mypng",
    "malignant/notes.txt",
    "malignant/x.svg",
    "malignant/x.png.bak",
    "Benign/2.jpeg",
    "Benign/1.png",
    "Benign/deep/er/than/most/0.png",
    "Benign/deep.png",
];

/// `flow_from_directory(…).filenames` of Keras 3.15 for a folder of these files.
const RECORDED: [&str; 25] = [
    "Benign/1.png",
    "Benign/2.jpeg",
    "Benign/deep.png",
    "Benign/deep/er/than/most/0.png",
    "malignant/10.png",
    "malignant/9.png",
    "malignant/B.png",
    "malignant/a.PNG",
    "malignant/b.png",
    "malignant/ff.png",
    "malignant/mypng",
    "malignant/ä.png",
    "malignant/𝄞.png",
    "malignant/A/v.png",
    "malignant/a/a.tif",
    "malignant/a/z.png",
    "malignant/a b/r.bmp",
    "malignant/a-b/x.png",
    "malignant/a.b/w.png",
    "malignant/a/b/y.Jpg",
    "malignant/a/b/c/d.png",
    "malignant/a0/q.ppm",
    "malignant/z/t.png",
    "malignant/é/u.png",
    "malignant/日本/s.tiff",
];

#[test]
fn files_come_in_the_order_recorded_from_keras() {
    let catalog = catalog(&NASTY).unwrap();
    assert_eq!(catalog.classes.two(), Some(["Benign", "malignant"]));
    let paths: Vec<&str> = catalog.items.iter().map(|item| item.path.as_str()).collect();
    assert_eq!(paths, RECORDED);
    assert_eq!(catalog.counts(), [4, 21]);
    assert!(catalog.items.iter().all(|item| item.label.index() == usize::from(item.path.starts_with("malignant"))));
}

#[test]
fn the_split_of_the_nasty_tree_is_the_one_recorded_from_keras() {
    let split = Split::new(&catalog(&NASTY).unwrap(), 0.2).unwrap();
    let validation: Vec<&str> = split.validation.iter().map(|item| item.path.as_str()).collect();
    assert_eq!(validation, ["malignant/10.png", "malignant/9.png", "malignant/B.png", "malignant/a.PNG"]);
    assert_eq!(split.training.len(), 21);
    assert!(split.notes[0].contains("0.2 of the 4 images of Benign"), "{:?}", split.notes);
}

/// A catalog of two classes with so many images.
fn classes_of(benign: usize, malignant: usize) -> Catalog {
    let names: Vec<String> = (0..benign)
        .map(|i| format!("benign/{i:03}.png"))
        .chain((0..malignant).map(|i| format!("malignant/{i:03}.png")))
        .collect();
    catalog(&names.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
}

#[test]
fn of_33_and_103_files_the_first_6_and_20_validate_and_110_train() {
    let split = Split::new(&classes_of(33, 103), 0.2).unwrap();
    assert_eq!((split.training.len(), split.validation.len()), (110, 26));
    assert_eq!(split.validation[0].path, "benign/000.png");
    assert_eq!(split.validation[5].path, "benign/005.png");
    assert_eq!(split.validation[6].path, "malignant/000.png");
    assert_eq!(split.training[0].path, "benign/006.png");
    assert_eq!(split.training[27].path, "malignant/020.png");
    assert!(split.notes.is_empty());
}

#[test]
fn the_cut_falls_where_the_inexact_product_of_keras_falls() {
    // In f64, 0.29 · 100 = 28.999… and 0.57 · 100 = 56.999….
    for (fraction, count) in [(0.29, 28), (0.57, 56), (0.1, 10), (0.99, 99), (0.0, 0)] {
        let split = Split::new(&classes_of(100, 100), fraction).unwrap();
        assert_eq!(split.validation.len(), 2 * count, "{fraction}");
    }
}

#[test]
fn a_split_outside_zero_to_one_is_an_error() {
    for fraction in [1.0, -0.1, f64::NAN, f64::INFINITY] {
        assert!(Split::new(&classes_of(5, 5), fraction).is_err(), "{fraction}");
    }
}

#[test]
fn the_largest_fraction_below_one_leaves_one_image_of_each_class_to_train_on() {
    for n in [1, 2, 3, 4, 5, 64, 65, 127] {
        let split = Split::new(&classes_of(n, n), 1.0 - f64::EPSILON / 2.0).unwrap();
        assert_eq!(split.training.len(), 2, "{n}");
    }
}

#[test]
fn endings_that_keras_does_not_know_are_images_too_and_said_so_once() {
    let further = ["jfif", "jpe", "pgm", "pbm", "dib", "webp", "GIF"];
    let names: Vec<String> =
        further.iter().map(|suffix| format!("a/1.{suffix}")).chain(["a/2.png", "b/1.png"].map(String::from)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["b/mygif", "b/1.svg"]).collect();
    let found = catalog(&names).unwrap();
    assert_eq!(found.counts(), [8, 1]);
    let told: Vec<&String> = found.notes.iter().filter(|note| note.contains("Keras")).collect();
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.contains(": Keras would pass these over, which are read here as images: 7 (a/1."), "{told}");
    assert!(catalog(&["a/1.png", "b/1.TIFF"]).unwrap().notes.is_empty());
}
