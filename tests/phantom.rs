//! The synthetic set: what ships is what the generator draws, and what is the same in both classes is the
//! same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use glassnet::data::phantom::{self, Class, DEFAULT_BENIGN, DEFAULT_MALIGNANT, DEFAULT_SEED, PhantomImage};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/liver-phantom")
}

fn default_set() -> Vec<PhantomImage> {
    phantom::draw(DEFAULT_SEED, DEFAULT_BENIGN, DEFAULT_MALIGNANT)
}

/// Probability that the score of a malignant image is above that of a benign one, ties counting half: the
/// area under the ROC curve, by its definition.
fn auc(images: &[PhantomImage], score: impl Fn(&PhantomImage) -> f64) -> f64 {
    let scores = |class| images.iter().filter(move |image| image.class == class).map(&score).collect::<Vec<f64>>();
    let (benign, malignant) = (scores(Class::Benign), scores(Class::Malignant));
    let wins: f64 = (malignant.iter())
        .flat_map(|m| benign.iter().map(move |b| if m > b { 1.0 } else { f64::from(u8::from(m == b)) / 2.0 }))
        .sum();
    wins / (benign.len() * malignant.len()) as f64
}

fn area(image: &PhantomImage) -> f64 {
    (image.width * image.height) as f64
}

fn brightness(image: &PhantomImage) -> f64 {
    image.pixels.iter().map(|&p| f64::from(p)).sum::<f64>() / image.pixels.len() as f64
}

#[test]
fn the_shipped_files_are_what_the_default_seed_draws_pixel_for_pixel() {
    let images = default_set();
    for class in [Class::Benign, Class::Malignant] {
        let folder = shipped().join(class.name());
        let found: BTreeSet<String> = (std::fs::read_dir(&folder).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let drawn = images.iter().filter(|image| image.class == class);
        assert_eq!(found, drawn.map(|image| image.name.clone()).collect(), "names in {}", folder.display());
    }
    for drawn in &images {
        let path = shipped().join(drawn.class.name()).join(&drawn.name);
        let file = image::open(&path).unwrap();
        assert_eq!(file.color(), image::ColorType::L8, "{}", path.display());
        let file = file.into_luma8();
        assert_eq!((file.width() as usize, file.height() as usize), (drawn.width, drawn.height), "{}", path.display());
        let different = file.as_raw().iter().zip(&drawn.pixels).filter(|(a, b)| a != b).count();
        assert_eq!(different, 0, "pixels of {} that differ from what is drawn", path.display());
    }
}

#[test]
fn an_image_does_not_change_when_more_are_asked_for() {
    let few = phantom::draw(5, 2, 3);
    let many = phantom::draw(5, 4, 7);
    assert_eq!(few[..2], many[..2], "benign");
    assert_eq!(few[2..], many[4..7], "malignant");
}

#[test]
fn an_image_does_not_depend_on_the_number_of_threads() {
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| phantom::draw(6, 3, 3))
    };
    assert_eq!(with_threads(1), with_threads(3));
}

#[test]
fn another_seed_or_class_or_number_draws_another_image() {
    let images = [phantom::draw(1, 2, 2), phantom::draw(2, 2, 2)].concat();
    for (index, image) in images.iter().enumerate() {
        assert!(images[..index].iter().all(|other| other.pixels != image.pixels), "image {index}");
    }
}

#[test]
fn in_the_shipped_set_neither_size_nor_brightness_tells_the_class() {
    // 0.5 is guessing; by chance alone 33 and 103 images are off by 0.058 (one standard error).
    let images = default_set();
    for (name, auc) in [("area", auc(&images, area)), ("brightness", auc(&images, brightness))] {
        assert!((0.4..=0.6).contains(&auc), "the AUC of {name} is {auc:.3}");
    }
}

#[test]
fn size_and_brightness_follow_one_distribution_in_both_classes() {
    // With 200 images of each class the standard error is 0.029; the bounds are three of them.
    let images = phantom::draw(11, 200, 200);
    for (name, auc) in [("area", auc(&images, area)), ("brightness", auc(&images, brightness))] {
        assert!((0.413..=0.587).contains(&auc), "the AUC of {name} is {auc:.3}");
    }
}

#[test]
fn sizes_differ_from_image_to_image_and_stay_within_their_bounds() {
    let images = default_set();
    assert!(images.iter().all(|i| (120..=240).contains(&i.width) && (100..=200).contains(&i.height)));
    assert!(images.iter().all(|i| i.pixels.len() == i.width * i.height));
    let sizes: BTreeSet<_> = images.iter().map(|i| (i.width, i.height)).collect();
    assert!(sizes.len() > 130, "{} sizes in {} images", sizes.len(), images.len());
}

#[test]
fn a_written_set_has_the_drawn_images_in_a_folder_per_class_and_a_folder_with_files_in_it_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("new/set");
    let written = AtomicUsize::new(0);
    let count = || {
        written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    phantom::write(3, 1, 2, &folder, count).unwrap();
    for drawn in phantom::draw(3, 1, 2) {
        let file = std::fs::read(folder.join(drawn.class.name()).join(&drawn.name)).unwrap();
        assert_eq!(file, drawn.png(), "{}", drawn.name);
    }
    for (class, names) in [("benign", 1), ("malignant", 2)] {
        assert_eq!(std::fs::read_dir(folder.join(class)).unwrap().count(), names);
    }
    let refusal = phantom::write(3, 1, 2, &folder, count).unwrap_err().to_string();
    assert!(refusal.contains("not empty") && refusal.contains("set"), "{refusal}");
    assert_eq!(written.into_inner(), 3);
}

#[test]
fn a_file_in_place_of_the_folder_is_named_in_the_error() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("occupied");
    std::fs::write(&file, "text").unwrap();
    let refusal = phantom::write(3, 1, 1, &file, || Ok(())).unwrap_err().to_string();
    assert!(refusal.contains("occupied"), "{refusal}");
}
