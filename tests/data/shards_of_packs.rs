//! A set in several packs against the same in one: the same names, classes, hashes, split, order and
//! pictures; and what becomes of shards that are not those of one set.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glassnet::data::batches::{Loader, epoch_order};
use glassnet::data::catalog::Catalog;
use glassnet::data::images::ImageSet;
use glassnet::data::pack::is_pack;
use glassnet::data::packing::{Packing, pack, pack_in_shards};
use glassnet::data::reading::{BitDepth, Reading};
use glassnet::data::source::{Source, absolute, is_set, is_there};
use glassnet::data::split::Split;
use image::{ImageBuffer, ImageFormat, Luma};
use tempfile::TempDir;

use super::same_set::seen;
use super::{Files, encoded, two_classes};

/// All bits of an image are kept.
fn packing() -> Packing {
    let reading = Reading { bit_depth: BitDepth::Sixteen, ..Reading::default() };
    Packing { size: [6, 5, 3], reading, skip_bad: false }
}

/// Images of two classes, of which one has 16 bits.
fn files() -> Files {
    let mut files = two_classes(8, 11);
    let deep = ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(7, 7, |x, y| Luma([(x * 5000 + y * 999) as u16]));
    files.push(("malignant/deep.png".to_string(), encoded(&deep.into(), ImageFormat::Png)));
    files
}

/// A folder with packs.
struct Place(TempDir);

impl Place {
    /// A folder with `whole.pack`, and the same in four shards, `set.pack`.
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        place.pack("whole.pack", 0, files());
        place.pack("set.pack", 4, files());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn shard(&self, index: usize) -> PathBuf {
        self.path(&format!("set-{index:05}-of-00004.pack"))
    }

    /// Packs the files in so many shards, or as a whole where these are none.
    fn pack(&self, name: &str, shards: usize, files: Files) {
        let source = Source::from_memory("memory", files).unwrap();
        let items = Catalog::from_source(&source).unwrap().items;
        let packed = match shards {
            0 => pack(&self.path(name), &source, &items, packing(), || Ok(())),
            _ => pack_in_shards(&self.path(name), shards, &source, &items, packing(), || Ok(())),
        };
        assert!(packed.unwrap().bytes.is_some());
    }

    /// The sentence with which a path is refused, without the folder.
    #[track_caller]
    fn refused(&self, name: &str) -> String {
        let error = Source::open(self.path(name)).map(|source| source.len()).unwrap_err();
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// The split of a set, and the pictures of two epochs of batches.
fn trained_on(path: &Path) -> (Vec<String>, Vec<Vec<f32>>) {
    let source = Source::open(path).unwrap();
    let catalog = Catalog::from_source(&source).unwrap();
    let split = Split::new(&catalog, 0.3).unwrap();
    let named = split.training.iter().chain(&split.validation).map(|item| item.path.clone()).collect();
    let set = ImageSet::sized(Arc::new(source), split.training, packing().size, 0).unwrap();
    let loader = Loader::new(Arc::new(set.read_as(packing().reading)), 4).unwrap();
    let epochs = (0..2).flat_map(|epoch| {
        let order = epoch_order(loader.count(), 3, epoch, true);
        loader.rest_of_epoch(order, 0, None).map(|batch| batch.unwrap().images.iter().copied().collect())
    });
    (named, epochs.collect())
}

#[test]
fn shards_are_the_same_set_as_one_pack_by_their_common_name_and_by_the_first() {
    let place = Place::new();
    let whole = Source::open(place.path("whole.pack")).unwrap();
    let expected = trained_on(&place.path("whole.pack"));
    for path in [place.path("set.pack"), place.shard(0)] {
        assert!(is_pack(&path) && is_set(&path) && is_there(&path));
        let source = Source::open(&path).unwrap();
        assert!(seen(&source) == seen(&whole));
        assert_eq!(source.full_name(0), path.join("benign/000.png").display().to_string());
        let [ours, theirs] =
            [&source, &whole].map(|source| source.packs().map(|pack| pack.is_deep()).collect::<Vec<_>>());
        assert_eq!((ours, theirs), (vec![true], vec![true]), "they are one pack, and one image of it is deep");
        assert!(trained_on(&path) == expected);
        assert_eq!(absolute(&path).unwrap(), place.0.path().canonicalize().unwrap().join("set-00000-of-00004.pack"));
    }
    assert!(!is_pack(&place.path("other.pack")) && !is_there(&place.path("other.pack")));
}

#[test]
fn shards_have_runs_of_the_images_as_long_as_can_be_and_can_be_as_many() {
    let place = Place::new();
    let images = |shard: PathBuf| u64::from_le_bytes(fs::read(shard).unwrap()[16..24].try_into().unwrap());
    assert_eq!([0, 1, 2, 3].map(|index| images(place.shard(index))), [5, 5, 5, 5]);
    place.pack("b.pack", 3, files());
    assert_eq!([0, 1, 2].map(|index| images(place.path(&format!("b-0000{index}-of-00003.pack")))), [7, 7, 6]);
    place.pack("c", 20, files());
    assert!(seen(&Source::open(place.path("c")).unwrap()) == seen(&Source::open(place.path("b.pack")).unwrap()));
    let source = Source::from_memory("memory", files()).unwrap();
    let items = Catalog::from_source(&source).unwrap().items;
    place.pack("one.pack", 1, files());
    assert!(place.path("one-00000-of-00001.pack").exists());
    assert!(seen(&Source::open(place.path("one.pack")).unwrap()) == seen(&Source::open(place.path("b.pack")).unwrap()));
    for (shards, told) in [
        (0, "shards 0: must be at least 1"),
        (21, "shards 21: there are 20 images for them"),
        (513, "shards 513: 512 are the most"),
    ] {
        let error = pack_in_shards(&place.path("d.pack"), shards, &source, &items, packing(), || Ok(())).unwrap_err();
        assert_eq!(error.to_string(), told);
    }
}

#[test]
fn of_an_image_that_cannot_be_read_or_a_place_that_is_taken_no_shard_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = files();
    files[18].1.truncate(40);
    let source = Source::from_memory("memory", files).unwrap();
    let items = Catalog::from_source(&source).unwrap().items;
    let pack =
        |packing: Packing| pack_in_shards(&folder.path().join("set.pack"), 4, &source, &items, packing, || Ok(()));
    let packed = pack(packing()).unwrap();
    assert_eq!((packed.bytes, packed.check.errors.len(), packed.check.digests.len()), (None, 1, 20));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(pack(Packing { skip_bad: true, ..packing() }).unwrap().bytes.is_some());
    let source = Source::open(folder.path().join("set.pack")).unwrap();
    assert_eq!(source.len(), 20);
    let unread = (0..20).filter(|&index| source.sha256(index).is_err()).count();
    assert_eq!(unread, 1);
}

#[cfg(unix)]
#[test]
fn a_shard_may_be_a_link_to_one_on_another_disk() {
    let place = Place::new();
    let expected = seen(&Source::open(place.path("whole.pack")).unwrap());
    let disk = tempfile::tempdir().unwrap();
    for index in [0, 2] {
        let there = disk.path().join(format!("{index}"));
        fs::copy(place.shard(index), &there).unwrap();
        fs::remove_file(place.shard(index)).unwrap();
        std::os::unix::fs::symlink(there, place.shard(index)).unwrap();
    }
    for path in [place.path("set.pack"), place.shard(0), absolute(&place.shard(0)).unwrap()] {
        assert!(seen(&Source::open(path).unwrap()) == expected);
    }
    fs::remove_file(disk.path().join("2")).unwrap();
    assert!(place.refused("set.pack").contains("set-00002-of-00004.pack is missing"), "its disk is not there");
}

#[test]
fn shards_that_are_missing_are_named() {
    let place = Place::new();
    fs::remove_file(place.shard(2)).unwrap();
    let missing = "of the 4 shards of the set set-00002-of-00004.pack is missing; put it beside the others, or pack the images again";
    assert_eq!(place.refused("set.pack"), format!("set.pack: {missing}"));
    assert_eq!(place.refused("set-00000-of-00004.pack"), format!("set-00000-of-00004.pack: {missing}"));
    fs::remove_file(place.shard(0)).unwrap();
    assert_eq!(
        place.refused("set.pack"),
        "set.pack: of the 4 shards of the set set-00000-of-00004.pack and set-00002-of-00004.pack are missing; put them beside the \
         others, or pack the images again"
    );
    assert_eq!(place.refused("none.pack"), "none.pack does not exist; check the path");
}

#[test]
fn a_shard_that_is_not_the_first_or_is_not_named_as_one_is_refused_by_itself() {
    let place = Place::new();
    assert_eq!(
        place.refused("set-00002-of-00004.pack").replace(&format!("{}/", place.0.path().display()), ""),
        "set-00002-of-00004.pack: it is shard 2 of 4 of a set, counted from 0; give the first, set-00000-of-00004.pack, which stands for \
         all"
    );
    fs::copy(place.shard(0), place.path("renamed.pack")).unwrap();
    assert_eq!(
        place.refused("renamed.pack"),
        "renamed.pack: it is shard 0 of 4 of a set, counted from 0, and is not named so; name it as it was written, \
         NAME-00000-of-00004.pack"
    );
}

#[test]
fn shards_at_other_places_or_of_other_sets_are_refused() {
    let place = Place::new();
    let kept: Vec<Vec<u8>> = (0..4).map(|index| fs::read(place.shard(index)).unwrap()).collect();
    let with = |index: usize, bytes: &[u8]| {
        fs::write(place.shard(index), bytes).unwrap();
        let [one, other] = ["set.pack", "set-00000-of-00004.pack"].map(|name| place.refused(name));
        fs::write(place.shard(index), &kept[index]).unwrap();
        assert_eq!(one.split_once(": ").unwrap().1, other.split_once(": ").unwrap().1);
        one
    };
    let names = "give each shard the name with which it was written";
    for (index, other) in [(1, 2), (3, 0)] {
        let expected =
            format!("set.pack: set-0000{index}-of-00004.pack is shard {other} of 4, counted from 0; {names}");
        assert_eq!(with(index, &kept[other]), expected, "a shard twice");
    }
    fs::write(place.shard(1), &kept[2]).unwrap();
    let expected = format!("set.pack: set-00001-of-00004.pack is shard 2 of 4, counted from 0; {names}");
    assert_eq!(with(2, &kept[1]), expected, "two names swapped");
    fs::write(place.shard(1), &kept[1]).unwrap();

    place.pack("few.pack", 3, files());
    let few = fs::read(place.path("few-00001-of-00003.pack")).unwrap();
    let expected = format!("set.pack: set-00001-of-00004.pack is shard 1 of 3, counted from 0; {names}");
    assert_eq!(with(1, &few), expected, "another count");

    let mut others = files();
    others[0].1.clone_from(&files()[1].1);
    place.pack("other.pack", 4, others);
    let other = fs::read(place.path("other-00003-of-00004.pack")).unwrap();
    let expected = "set.pack: set-00003-of-00004.pack is a shard of another set than set-00000-of-00004.pack; put back the shard of this \
                    set, or pack the images again";
    assert_eq!(with(3, &other), expected);
    let whole = fs::read(place.path("whole.pack")).unwrap();
    let expected = "set.pack: set-00002-of-00004.pack is a whole pack and no shard; put back the shard, or give the pack by itself";
    assert_eq!(with(2, &whole), expected);

    let damaged = [&kept[2][..kept[2].len() - 1], b"!"].concat();
    assert!(
        with(2, &damaged)
            .starts_with("set-00002-of-00004.pack: it is a damaged pack: its table is not as it was written")
    );
    assert_eq!(seen(&Source::open(place.path("set.pack")).unwrap()).1.len(), 20, "all is as it was");

    place.pack("set.pack", 3, files());
    let of_several = place.refused("set.pack");
    let expected = "set.pack: shards of several sets lie there; give the first of the one that you mean, set-00000-of-00003.pack or \
                    set-00000-of-00004.pack";
    assert_eq!(of_several, expected);
    assert!(Source::open(place.shard(0)).is_ok());
}

/// Writes a pack with another text of the same length in its table, and the checksum that it has then.
fn forge(path: &Path, text: &str, other: &str) {
    let mut bytes = fs::read(path).unwrap();
    assert_eq!(text.len(), other.len());
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    bytes[at..at + text.len()].copy_from_slice(other.as_bytes());
    let samples = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) as usize;
    let sum = crc32fast::hash(&[&bytes[16..64], &bytes[64 + samples..]].concat());
    bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn shards_that_lie_of_themselves_are_found_out() {
    let place = Place::new();
    forge(&place.shard(1), "benign/006.png", "benign/906.png");
    assert_eq!(
        place.refused("set.pack"),
        "set.pack: its shards are not those that were packed together; pack the images again"
    );
    forge(&place.shard(1), "benign/906.png", "benign/006.png");
    assert!(Source::open(place.path("set.pack")).is_ok());

    forge(&place.shard(0), "\"index\":0,\"count\":4", "\"index\":7,\"count\":4");
    assert!(
        place
            .refused("set-00000-of-00004.pack")
            .contains("it is shard 7 of 4 of a set, counted from 0, and is not named")
    );
    forge(&place.shard(0), "\"index\":7,\"count\":4", "\"index\":0,\"count\":9");
    assert!(
        place
            .refused("set-00000-of-00004.pack")
            .contains("it is shard 0 of 9 of a set, counted from 0, and is not named")
    );
    assert!(place.refused("set.pack").contains("set-00000-of-00004.pack is shard 0 of 9, counted from 0"));
    fs::rename(place.shard(0), place.path("set-00000-of-99999.pack")).unwrap();
    assert!(place.refused("set-00000-of-99999.pack").contains("is not named so"));

    // One that lies of being a shard would be taken for a whole set by what knows none.
    let mut bytes = fs::read(place.shard(1)).unwrap();
    bytes[8] = 2;
    fs::write(place.shard(1), bytes).unwrap();
    let expected = "it is a damaged pack: its version is 2, and shards, and these alone, have 3";
    assert!(place.refused("set-00001-of-00004.pack").contains(expected));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a-00000-of-99999.pack"), b"").unwrap();
    let error = Source::open(folder.path().join("a.pack")).unwrap_err().to_string();
    assert!(error.ends_with("a.pack: its name tells of 99999 shards, and 512 are the most"), "{error}");
}

#[test]
fn a_set_of_more_shards_than_stay_open_is_read_to_its_last_picture() {
    let place = Place::new();
    let many = two_classes(70, 80);
    place.pack("many.pack", 150, many.clone());
    place.pack("one.pack", 0, many);
    assert!(trained_on(&place.path("many.pack")) == trained_on(&place.path("one.pack")));
}
