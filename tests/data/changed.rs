//! Files that change after they were checked.

use std::fs;
use std::sync::Arc;

use glassnet::data::batches::Loader;
use glassnet::data::images::{CACHE_BUDGET_BYTES, ImageSet};
use glassnet::data::source::Source;

use super::{image_set, png, two_classes, write_tree};

const CHANGED: &str = "it was changed after the images were checked; put the old file back";

#[test]
fn a_file_that_is_another_than_was_checked_ends_the_epoch_where_it_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), &two_classes(2, 2));
    let file = folder.path().join("malignant/001.png");
    let before = fs::read(&file).unwrap();
    let checked = |cache: usize| -> Arc<ImageSet> {
        let images = image_set(Source::open(folder.path()).unwrap(), 8, cache);
        assert!(images.check_all().errors.is_empty());
        images
    };
    let epoch = |images: &Arc<ImageSet>| -> Result<usize, String> {
        let batches = Loader::new(Arc::clone(images), 3).unwrap().epoch(vec![0, 1, 2, 3]);
        batches
            .map(|batch| batch.map_err(|error| error.to_string()))
            .try_fold(0, |n, batch| Ok(n + batch?.labels.len()))
    };
    let (kept, anew) = (checked(CACHE_BUDGET_BYTES), checked(0));
    assert_eq!(epoch(&anew), Ok(4));
    fs::write(&file, png(99, 6, 9)).unwrap();
    assert_eq!(epoch(&anew), Err(format!("{}: {CHANGED}", file.display())));
    assert_eq!(epoch(&kept), Ok(4), "what is kept is not read again");
    fs::write(&file, before).unwrap();
    assert_eq!(epoch(&anew), Ok(4));
    // One that was left out shifts the places of the others, and what is known of them with it.
    fs::write(folder.path().join("benign/000.png"), b"no picture").unwrap();
    let images = image_set(Source::open(folder.path()).unwrap(), 8, 0);
    assert_eq!(images.check_all().errors.len(), 1);
    let readable = Arc::new(images.part(&[1, 2, 3]));
    let three = Loader::new(Arc::clone(&readable), 3).unwrap().epoch(vec![0, 1, 2]);
    assert_eq!(three.map(|batch| batch.unwrap().labels.len()).sum::<usize>(), 3);
    fs::write(&file, png(98, 6, 9)).unwrap();
    assert_eq!(readable.picture(2).unwrap_err().to_string(), format!("{}: {CHANGED}", file.display()));
}
