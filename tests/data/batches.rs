//! Batches: which images, in which order, with which bits.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use glassnet::classes::Label;
use glassnet::data::arrays::ArraySet;
use glassnet::data::augment::Augmentation;
use glassnet::data::batches::{Augmented, Batch, Loader, epoch_order};
use glassnet::data::images::{CACHE_BUDGET_BYTES, ImageSet};
use glassnet::data::resample::nearest_indices;
use glassnet::data::sample::scale;
use glassnet::data::source::Source;

use super::{Files, image_set, noise, png, two_classes, write_tree, write_zip};

const SIDE: usize = 8;

/// All batches of an epoch, from a set in memory, in a pool of so many threads.
fn batches(files: &Files, cache_budget: usize, threads: usize, epochs: u64) -> Vec<Batch> {
    let source = Source::from_memory("set", files.clone()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let loader = Loader::new(image_set(source, SIDE, cache_budget), 4).unwrap();
        let count = loader.count();
        (0..epochs).flat_map(|epoch| loader.epoch(epoch_order(count, 7, epoch, true))).map(Result::unwrap).collect()
    })
}

#[test]
fn a_batch_holds_the_resized_scaled_images_in_the_order_asked_for() {
    let files = two_classes(3, 4);
    let loader =
        Loader::new(image_set(Source::from_memory("set", files).unwrap(), SIDE, CACHE_BUDGET_BYTES), 4).unwrap();
    let batches: Vec<Batch> = loader.epoch(vec![6, 0, 2, 5, 1, 3]).map(Result::unwrap).collect();
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0].indices, [6, 0, 2, 5]);
    assert_eq!(batches[0].labels, [1, 0, 0, 1].map(Label::new));
    assert_eq!(batches[0].images.shape(), [4, SIDE, SIDE, 3]);
    assert_eq!(batches[1].indices, [1, 3]);
    assert_eq!(batches[1].images.shape(), [2, SIDE, SIDE, 3]);

    let original = noise(5, 10, 9);
    let (rows, columns) = (nearest_indices(9, [0.0, 9.0], SIDE), nearest_indices(10, [0.0, 10.0], SIDE));
    for ((y, x, c), &value) in batches[0].images.index_axis(ndarray::Axis(0), 3).indexed_iter() {
        assert_eq!(value, scale(original.get_pixel(columns[x] as u32, rows[y] as u32)[c]));
    }
}

#[test]
fn arrays_of_any_size_come_in_the_order_asked_for_as_they_are() {
    let images = ndarray::Array4::from_shape_fn((5, 2, 3, 1), |(n, y, x, _)| (100 * n + 10 * y + x) as f32 - 0.5);
    let labels = [1, 0, 0, 1, 1].map(Label::new).to_vec();
    // Whatever the layout in memory.
    let mut turned = images.clone().reversed_axes();
    turned = turned.as_standard_layout().into_owned().reversed_axes();
    let loader = Loader::from_arrays(ArraySet::new(turned, labels).unwrap(), 2).unwrap();
    assert_eq!((loader.count(), loader.batches(), loader.largest_batch(), loader.has_files()), (5, 3, 2, false));
    let order = vec![4, 1, 0, 3, 2];
    let batches: Vec<Batch> = loader.epoch(order.clone()).map(Result::unwrap).collect();
    let indices: Vec<usize> = batches.iter().flat_map(|batch| batch.indices.clone()).collect();
    assert_eq!(indices, order);
    assert_eq!(batches[0].labels, [1, 0].map(Label::new));
    assert_eq!(batches[2].images.shape(), [1, 2, 3, 1]);
    for batch in &batches {
        for (image, &index) in batch.images.outer_iter().zip(&batch.indices) {
            assert_eq!(image, images.index_axis(ndarray::Axis(0), index));
        }
    }
    let rest: Vec<Batch> = loader.rest_of_epoch(order, 1, None).map(Result::unwrap).collect();
    assert_eq!(rest, batches[1..]);
}

#[test]
fn arrays_that_are_no_set_say_why() {
    let images = |shape| ndarray::Array4::zeros(shape);
    let error = |shape, labels: &[Label]| ArraySet::new(images(shape), labels.to_vec()).unwrap_err().to_string();
    assert_eq!(error((2, 3, 3, 1), &[Label::NEGATIVE]), "labels: there are 1, for 2 images");
    assert_eq!(error((1, 3, 0, 1), &[Label::NEGATIVE]), "images: an array of [1, 3, 0, 1] holds no pixels");
}

#[test]
fn the_last_partial_batch_is_kept() {
    let files = two_classes(33, 77);
    let loader = Loader::new(image_set(Source::from_memory("set", files).unwrap(), SIDE, 0), 16).unwrap();
    assert_eq!(loader.batches(), 7);
    let sizes: Vec<usize> =
        loader.epoch(epoch_order(110, 0, 0, true)).map(|batch| batch.unwrap().labels.len()).collect();
    assert_eq!(sizes, [16, 16, 16, 16, 16, 16, 14]);
}

#[test]
fn shuffles_differ_by_epoch_and_repeat_by_seed() {
    let order = |seed, epoch| epoch_order(110, seed, epoch, true);
    assert_eq!(order(3, 1), order(3, 1));
    assert_ne!(order(3, 1), order(3, 2));
    assert_ne!(order(3, 1), order(4, 1));
    let mut sorted = order(3, 1);
    sorted.sort_unstable();
    assert_eq!(sorted, epoch_order(110, 3, 1, false));
}

#[test]
fn threads_and_cache_change_no_bit() {
    let files = two_classes(5, 9);
    let expected = batches(&files, CACHE_BUDGET_BYTES, 1, 3);
    assert_eq!(expected.len(), 3 * 4);
    for threads in [1, 2, 4] {
        for cache_budget in [0, CACHE_BUDGET_BYTES] {
            assert_eq!(batches(&files, cache_budget, threads, 3), expected, "{threads} threads, {cache_budget} bytes");
        }
    }
}

#[test]
fn augmented_batches_do_not_depend_on_threads_or_order_and_differ_by_epoch() {
    let augmentation = Augmentation::parse("flip,shift,rotate").unwrap();
    let images = |threads: usize, order: Vec<usize>, epoch: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let source = Source::from_memory("set", two_classes(5, 9)).unwrap();
            let loader = Loader::new(image_set(source, SIDE, CACHE_BUDGET_BYTES), 4).unwrap();
            let mut images = vec![Vec::new(); 14];
            for batch in loader.rest_of_epoch(order, 0, Some(Augmented { augmentation, seed: 7, epoch })) {
                let batch = batch.unwrap();
                for (image, &index) in batch.images.outer_iter().zip(&batch.indices) {
                    images[index] = image.iter().map(|value| value.to_bits()).collect();
                }
            }
            images
        })
    };
    let expected = images(1, (0..14).collect(), 0);
    assert!(expected.iter().all(|image| image.len() == SIDE * SIDE * 3));
    for threads in [1, 2, 4] {
        assert!(images(threads, (0..14).rev().collect(), 0) == expected, "{threads} threads, the other way round");
    }
    let later = images(2, (0..14).collect(), 1);
    assert!(later.iter().zip(&expected).all(|(later, first)| later != first), "another epoch");
}

#[test]
fn a_folder_and_its_zip_give_identical_batches() {
    let folder = tempfile::tempdir().unwrap();
    let files = two_classes(4, 7);
    write_tree(&folder.path().join("set"), &files);
    write_zip(&folder.path().join("set.zip"), &files);
    let all = |name: &str| -> Vec<Batch> {
        let set = image_set(Source::open(folder.path().join(name)).unwrap(), SIDE, 0);
        Loader::new(set, 4).unwrap().epoch(epoch_order(11, 0, 0, true)).map(Result::unwrap).collect()
    };
    assert_eq!(all("set"), all("set.zip"));
}

#[test]
fn a_batch_is_filled_again_in_the_memory_it_has() {
    let set = image_set(Source::from_memory("set", two_classes(5, 5)).unwrap(), SIDE, 0);
    let loader = Loader::new(set, 4).unwrap();
    let fresh: Vec<Batch> = loader.epoch(epoch_order(10, 0, 0, false)).map(Result::unwrap).collect();
    let mut epoch = loader.epoch(epoch_order(10, 0, 0, false));
    let mut batch = Batch::default();
    let mut memory = None;
    for expected in &fresh {
        assert!(epoch.next_into(&mut batch).unwrap());
        assert_eq!(&batch, expected);
        assert_eq!(*memory.get_or_insert(batch.images.as_ptr()), batch.images.as_ptr());
    }
    assert!(!epoch.next_into(&mut batch).unwrap());
}

#[test]
fn an_unreadable_image_fails_its_batch_and_the_next_goes_on() {
    let mut files = two_classes(4, 8);
    files[5].1 = b"just text".to_vec();
    files[6].1.truncate(40);
    let loader = Loader::new(image_set(Source::from_memory("set", files).unwrap(), SIDE, 0), 4).unwrap();
    let mut epoch = loader.epoch(epoch_order(12, 0, 0, false));
    assert!(epoch.next().unwrap().is_ok());
    let error = epoch.next().unwrap().unwrap_err().to_string();
    assert!(error.contains("malignant/001.png"), "{error}");
    assert_eq!(epoch.next().unwrap().unwrap().indices, [8, 9, 10, 11]);
    assert!(epoch.next().is_none());
}

#[test]
fn a_file_that_vanishes_after_the_check_is_named_in_its_epoch() {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), &two_classes(4, 8));
    let set = image_set(Source::open(folder.path()).unwrap(), SIDE, 0);
    assert!(set.check_all().errors.is_empty());
    std::fs::remove_file(folder.path().join("malignant/001.png")).unwrap();
    let mut epoch = Loader::new(set, 4).unwrap().epoch(epoch_order(12, 0, 0, false));
    assert!(epoch.next().unwrap().is_ok());
    let error = epoch.next().unwrap().unwrap_err().to_string();
    assert!(error.contains("malignant/001.png cannot be read as an image: it is not there any more"), "{error}");
}

#[test]
fn checking_names_every_unreadable_file_in_order_and_describes_the_others() {
    let mut files = two_classes(3, 3);
    files[1].1 = b"just text".to_vec();
    files[5].1.clear();
    files.push(("malignant/z.jpg".to_string(), png(9, 21, 11)));
    let set = image_set(Source::from_memory("set", files).unwrap(), SIDE, CACHE_BUDGET_BYTES);
    let check = set.check_all();
    let errors: Vec<String> = check.errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 2);
    assert!(errors[0].contains("benign/001.png") && errors[1].contains("malignant/002.png"), "{errors:?}");
    assert!(check.infos.iter().map(Option::is_some).eq([true, false, true, true, true, false, true]));
    let last = check.infos[6].unwrap();
    assert_eq!((last.width, last.height, last.mode, last.format), (21, 11, "RGB", "PNG"));
    assert!(check.notes[0].contains("malignant/z.jpg is named as JPEG"), "{:?}", check.notes);
    assert!(set.kept(0).is_some() && set.kept(1).is_none());
}

#[test]
fn an_epoch_dropped_early_lets_go_of_the_images() {
    let set = image_set(Source::from_memory("set", two_classes(30, 30)).unwrap(), SIDE, 0);
    let watch = Arc::downgrade(&set);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        let mut epoch = Loader::new(set, 16).unwrap().epoch(epoch_order(60, 0, 0, true));
        assert!(epoch.next().unwrap().is_ok());
    });
    drop(pool);
    for _ in 0..1000 {
        if watch.strong_count() == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("tasks still hold the images");
}

#[test]
fn an_epoch_may_be_begun_and_read_outside_any_pool_and_in_different_ones() {
    let set: Arc<ImageSet> = image_set(Source::from_memory("set", two_classes(6, 6)).unwrap(), SIDE, 0);
    let (done, wait) = channel();
    std::thread::spawn(move || {
        let loader = Loader::new(set, 4).unwrap();
        let outside: Vec<Batch> = loader.epoch(epoch_order(12, 0, 0, true)).map(Result::unwrap).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let begun_outside = loader.epoch(epoch_order(12, 0, 0, true));
        let inside: Vec<Batch> = pool.install(|| begun_outside.map(Result::unwrap).collect());
        let begun_inside = pool.install(|| loader.epoch(epoch_order(12, 0, 0, true)));
        let after: Vec<Batch> = begun_inside.map(Result::unwrap).collect();
        done.send((outside == inside, outside == after)).unwrap();
    });
    assert_eq!(wait.recv_timeout(Duration::from_secs(60)), Ok((true, true)));
}

#[test]
fn sizes_of_zero_are_refused() {
    let source = Arc::new(Source::from_memory("set", two_classes(1, 1)).unwrap());
    assert!(ImageSet::new(Arc::clone(&source), Vec::new(), 0, 0).is_err());
    let set = ImageSet::new(source, Vec::new(), SIDE, 0).unwrap();
    assert!(Loader::new(Arc::new(set), 0).is_err());
}
