//! A pack against the images that it was made from: the same numbers, names, classes, hashes and order; and
//! what becomes of a pack that is not as it was written.

use glassnet::Result;
use glassnet::data::augment::Augmentation;
use glassnet::data::batches::{Augmented, Loader, epoch_order};
use glassnet::data::catalog::{Catalog, Item};
use glassnet::data::images::{CACHE_BUDGET_BYTES, ImageSet};
use glassnet::data::packing::{self, Packed, Packing};
use glassnet::data::part::GivenPart;
use glassnet::data::reading::{BitDepth, Interpolation, Reading, Resize, SampleRange};
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::random::{Purpose, Stream};
use image::{DynamicImage, ImageFormat, RgbImage};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A picture of random pixels.
fn noise(seed: u64, width: u32, height: u32) -> DynamicImage {
    let mut stream = Stream::new(seed, Purpose::Test, 0, 0);
    RgbImage::from_fn(width, height, |_, _| image::Rgb(std::array::from_fn(|_| stream.below(256) as u8))).into()
}

/// A picture of 16 bits in grey, whose samples are from 1,000 to 4,999.
fn deep(seed: u64, width: u32, height: u32) -> DynamicImage {
    let mut stream = Stream::new(seed, Purpose::Test, 1, 0);
    let sample = |_, _| image::Luma([1000 + stream.below(4000) as u16]);
    image::ImageBuffer::<image::Luma<u16>, Vec<u16>>::from_fn(width, height, sample).into()
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Images of three classes, of several sizes, some grey, some of 16 bits and one in a folder within; a text
/// beside them, and all of it in a folder of its own.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("set/notes.txt".to_string(), b"text".to_vec())];
    for index in 0..18 {
        let class = ["ant", "bee", "wasp"][index as usize % 3];
        let (width, height) = (5 + index as u32 % 7, 9 - index as u32 % 4);
        let picture = match index % 5 {
            3 => deep(index, width, height),
            4 => noise(index, width, height).into_luma8().into(),
            _ => noise(index, width, height),
        };
        let within = if index == 7 { "within/" } else { "" };
        files.push((format!("set/{class}/{within}{index:02}.png"), png(&picture)));
    }
    files
}

/// A folder for packs.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Packs these files.
    fn pack(&self, files: Vec<(String, Vec<u8>)>, packing: Packing) -> Result<Packed> {
        let source = Source::from_memory("memory", files)?;
        let items = Catalog::from_source(&source)?.items;
        packing::pack(&self.path("set.pack"), &source, &items, packing, || Ok(()))
    }

    /// Writes these files into a folder.
    fn write(&self, folder: &str, files: &[(String, Vec<u8>)]) {
        for (name, bytes) in files {
            let path = self.path(folder).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// Packs all images of the data at a path, those for a test too, and returns what was packed.
    fn pack_all(&self, data: &str, packing: Packing) -> Source {
        let source = Source::open(self.path(data)).unwrap();
        let classes = Catalog::from_source(&source).unwrap().classes;
        let items = Catalog::with_classes(&source, &classes).unwrap().items;
        packing::pack(&self.path("set.pack"), &source, &items, packing, || Ok(())).unwrap();
        source
    }
}

/// All images of a source, as a network of this size sees them.
fn images(source: Source, Packing { size, reading, .. }: Packing) -> (ImageSet, Catalog) {
    let catalog = Catalog::from_source(&source).unwrap();
    let set = ImageSet::sized(Arc::new(source), catalog.items.clone(), size, CACHE_BUDGET_BYTES).unwrap();
    (set.read_as(reading), catalog)
}

/// Ways in which a set can be packed.
fn packings() -> Vec<Packing> {
    let plain = Packing { size: [8, 8, 3], reading: Reading::default(), skip_bad: false };
    let range = SampleRange::new(1000, 4000).unwrap();
    let deep = Reading { bit_depth: BitDepth::Sixteen, ..Reading::default() };
    let framed = |resize| Reading { resize, interpolation: Interpolation::Bilinear, range, upright: true, ..deep };
    vec![
        plain,
        Packing { size: [5, 11, 1], ..plain },
        Packing { reading: deep, ..plain },
        Packing { reading: deep, size: [7, 4, 1], ..plain },
        Packing { reading: Reading { range, ..Reading::default() }, ..plain },
        Packing { reading: framed(Resize::Letterbox), size: [6, 12, 3], ..plain },
        Packing { reading: framed(Resize::Crop), size: [1, 9, 1], ..plain },
    ]
}

#[test]
fn a_pack_has_the_names_the_classes_the_hashes_and_every_sample_of_its_images() {
    let place = Place::new();
    for packing in packings() {
        let packed = place.pack(files(), packing).unwrap();
        assert!(packed.check.errors.is_empty());
        let path = place.path("set.pack");
        assert_eq!(packed.bytes, Some(fs::metadata(&path).unwrap().len()));
        let (ours, catalog) = images(Source::open(&path).unwrap(), packing);
        let (theirs, expected) = images(Source::from_memory("memory", files()).unwrap(), packing);
        assert_eq!(catalog.classes, expected.classes);
        let named = |items: &[Item]| items.iter().map(|item| (item.path.clone(), item.label)).collect::<Vec<_>>();
        assert_eq!(named(ours.items()), named(theirs.items()));
        let [mine, other] = [&catalog, &expected].map(|catalog| Split::new(catalog, 0.3).unwrap());
        assert_eq!(named(&mine.training), named(&other.training));
        assert_eq!(named(&mine.validation), named(&other.validation));
        let [mine, other] = [&ours, &theirs].map(ImageSet::check_all);
        assert_eq!((mine.infos, mine.digests, mine.notes), (other.infos, other.digests, other.notes));
        assert_eq!(ours.samples(), theirs.samples());
        for index in 0..theirs.items().len() {
            assert_eq!(ours.picture(index).unwrap(), theirs.picture(index).unwrap(), "image {index} of {packing:?}");
            assert!(ours.kept(index).is_none(), "the system keeps what was read");
        }
    }
}

#[test]
fn the_batches_of_an_epoch_are_the_same_with_every_change_of_their_images() {
    let place = Place::new();
    let packing = packings()[2];
    place.pack(files(), packing).unwrap();
    let sources = [Source::open(place.path("set.pack")).unwrap(), Source::from_memory("memory", files()).unwrap()];
    let augmentation = Augmentation::parse("flip,shift,rotate,zoom,brightness").unwrap();
    let [ours, theirs] = sources.map(|source| {
        let loader = Loader::new(Arc::new(images(source, packing).0), 4).unwrap();
        let epoch = (0..2).map(|epoch| {
            let order = epoch_order(loader.count(), 3, epoch, true);
            loader.rest_of_epoch(order, 0, Some(Augmented { augmentation, seed: 3, epoch }))
        });
        epoch.flatten().map(Result::unwrap).collect::<Vec<_>>()
    });
    assert_eq!(ours.len(), 10);
    assert!(ours == theirs);
}

#[test]
fn what_the_data_tell_of_their_images_stays_with_them() {
    let place = Place::new();
    let files = files();
    place.write("data", &files[1..]);
    let part = |index: usize| ["train", "val", "test", "train"][index % 4];
    let row = |(index, (name, _)): (usize, &(String, Vec<u8>))| {
        let group = if index == 3 { String::new() } else { format!("Müller, {}", index / 3) };
        format!("{name},{},\"{group}\",{}\n", name.split('/').nth(1).unwrap(), part(index))
    };
    let rows: String = files[1..].iter().enumerate().map(row).collect();
    fs::write(place.path("data/labels.csv"), format!("path,label,group,split\n{rows}")).unwrap();
    let theirs = place.pack_all("data/labels.csv", packings()[0]);
    let ours = Source::open(place.path("set.pack")).unwrap();
    let told = |source: &Source| {
        let of = |(index, name): (usize, &str)| {
            (name.to_string(), source.part(index), source.group(index).map(str::to_string))
        };
        source.names().enumerate().map(of).collect::<Vec<_>>()
    };
    assert_eq!(told(&ours), told(&theirs));
    assert_eq!(told(&ours).iter().filter(|(_, _, group)| group.is_none()).count(), 1);
    assert!(ours.is_labelled() && ours.has_part(GivenPart::Test));
    let named = |items: &[Item]| items.iter().map(|item| item.path.clone()).collect::<Vec<_>>();
    let [mine, other] =
        [&ours, &theirs].map(|source| Split::given(&Catalog::from_source(source).unwrap(), source, None).unwrap());
    assert_eq!(named(&mine.training), named(&other.training));
    assert_eq!(named(&mine.validation), named(&other.validation));
}

#[test]
fn a_pack_of_data_that_tell_nothing_more_has_the_first_version_and_no_other_bytes() {
    let place = Place::new();
    place.pack(files(), packings()[0]).unwrap();
    let bytes = fs::read(place.path("set.pack")).unwrap();
    assert_eq!(bytes[8..12], [1, 0, 0, 0]);
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.ends_with("\"unreadable\":[]}"), "{}", &text[text.len() - 200..]);
}

#[test]
fn another_size_or_reading_than_that_of_the_pack_is_refused_in_a_sentence() {
    let place = Place::new();
    let packing = packings()[5];
    place.pack(files(), packing).unwrap();
    let refused = |size: [usize; 3], reading: Reading| {
        let (set, _) = images(Source::open(place.path("set.pack")).unwrap(), Packing { size, reading, ..packing });
        let error = set.picture(0).unwrap_err().to_string();
        assert_eq!(error, set.source().check_packs(size, reading).unwrap_err().to_string());
        error.replace(&format!("{}: ", place.path("set.pack").display()), "")
    };
    let (size, reading) = (packing.size, packing.reading);
    let advice = "ask for what it holds, or pack the images again";
    assert_eq!(
        refused([12, 6, 3], reading),
        format!("it holds images of 6×12 pixels in colour, and 12×6 pixels in colour are asked for; {advice}")
    );
    assert_eq!(
        refused([6, 12, 1], reading),
        format!("it holds images of 6×12 pixels in colour, and 6×12 pixels in grey are asked for; {advice}")
    );
    let holds = "photos turned upright; 16-bit values from 1000 to 4000 stretched; all 16 bits kept; letterbox, black around what has \
                 another aspect; bilinear resizing";
    assert_eq!(
        refused(size, Reading::default()),
        format!("its images were read with {holds}, and the default reading is asked for; {advice}")
    );
    for other in [
        Reading { upright: false, ..reading },
        Reading { range: SampleRange::FULL, ..reading },
        Reading { bit_depth: BitDepth::Eight, ..reading },
        Reading { resize: Resize::Squash, ..reading },
        Reading { interpolation: Interpolation::Nearest, ..reading },
    ] {
        assert!(refused(size, other).starts_with(&format!("its images were read with {holds}, and ")));
    }
}

#[test]
fn of_images_of_eight_bits_a_pack_serves_every_range_and_bit_depth() {
    let place = Place::new();
    let packing = packings()[2];
    let shallow = ["a/1.png", "b/2.png"].map(|name| (name.to_string(), png(&noise(1, 4, 4))));
    place.pack(shallow.to_vec(), packing).unwrap();
    let range = SampleRange::new(0, 9).unwrap();
    for reading in [Reading::default(), packing.reading, Reading { range, ..packing.reading }] {
        let (set, _) = images(Source::open(place.path("set.pack")).unwrap(), Packing { reading, ..packing });
        assert!(set.picture(1).is_ok());
    }
}

#[test]
fn images_that_cannot_be_read_are_refused_or_stay_in_the_list_with_the_reason() {
    let place = Place::new();
    let mut files = files();
    files[4].1.clear();
    files[9].1.truncate(50);
    let refused = place.pack(files.clone(), packings()[0]).unwrap();
    assert_eq!((refused.check.errors.len(), refused.bytes), (2, None));
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 0, "nothing is left of it");

    let packing = Packing { skip_bad: true, ..packings()[0] };
    assert!(place.pack(files.clone(), packing).unwrap().bytes.is_some());
    let (ours, catalog) = images(Source::open(place.path("set.pack")).unwrap(), packing);
    let (theirs, expected) = images(Source::from_memory("memory", files).unwrap(), packing);
    assert_eq!(catalog.items.len(), expected.items.len());
    let [mine, other] = [&ours, &theirs].map(ImageSet::check_all);
    assert_eq!((mine.infos, mine.digests), (other.infos, other.digests));
    let sentences = |errors: Vec<glassnet::Error>| {
        errors.iter().map(|error| error.to_string().split_once("cannot be").unwrap().1.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(sentences(mine.errors), sentences(other.errors));
    assert!(ours.source().packs().all(|pack| pack.skips_bad()));
    for index in 0..theirs.items().len() {
        assert_eq!(ours.picture(index).ok(), theirs.picture(index).ok());
    }
}

#[test]
fn every_kind_of_file_that_is_read_can_be_packed_and_is_told_as_it_was() {
    let place = Place::new();
    let lines = include_str!("fixtures/read_images.txt").lines().filter(|line| !line.starts_with('#'));
    let byte = |digits: &str, at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let bytes = |digits: &str| (0..digits.len()).step_by(2).map(|at| byte(digits, at)).collect::<Vec<u8>>();
    let recorded = lines.map(|line| bytes(line.split(' ').nth(1).unwrap()));
    let mut kinds: Vec<Vec<u8>> = recorded.collect();
    let colour = noise(1, 9, 7);
    for picture in [&colour, &colour.to_luma16().into(), &colour.to_rgb16().into(), &colour.to_rgba16().into()] {
        for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Pnm, ImageFormat::Jpeg, ImageFormat::Bmp] {
            let mut file = Cursor::new(Vec::new());
            if picture.write_to(&mut file, format).is_ok() {
                kinds.push(file.into_inner());
            }
        }
    }
    let named = kinds.into_iter().enumerate().map(|(index, file)| (format!("{}/{index:03}.png", index % 2), file));
    let files: Vec<(String, Vec<u8>)> = named.collect();
    let packing = Packing { skip_bad: true, ..packings()[2] };
    place.pack(files.clone(), packing).unwrap();
    let (ours, _) = images(Source::open(place.path("set.pack")).unwrap(), packing);
    let (theirs, _) = images(Source::from_memory("memory", files).unwrap(), packing);
    let [mine, other] = [&ours, &theirs].map(ImageSet::check_all);
    assert!(other.infos.iter().flatten().count() > 50, "{} files", other.infos.len());
    assert_eq!((mine.infos, mine.digests), (other.infos, other.digests));
}

/// What comes of a pack: the samples of its images, or why there are none.
fn read(path: &Path, packing: Packing) -> std::result::Result<Vec<Option<Vec<u8>>>, String> {
    let source = Source::open(path).map_err(|error| error.to_string())?;
    let catalog = Catalog::from_source(&source).map_err(|error| error.to_string())?;
    let set = ImageSet::sized(Arc::new(source), catalog.items, packing.size, 0).unwrap().read_as(packing.reading);
    Ok((0..set.items().len())
        .map(|index| set.picture(index).ok().map(|samples| format!("{samples:?}").into()))
        .collect())
}

#[test]
fn every_bit_that_is_not_as_it_was_written_is_found_out() {
    let place = Place::new();
    let packing = Packing { size: [2, 3, 1], ..packings()[2] };
    let files = [("a/1.png", noise(1, 4, 4)), ("b/2.png", deep(2, 3, 3)), ("b/3.png", noise(3, 3, 2))];
    let files = files.map(|(name, picture)| (name.to_string(), png(&picture)));
    place.pack(files.to_vec(), packing).unwrap();
    every_bit_is_checked(&place.path("set.pack"), packing);
    place.write("set", &files);
    fs::write(
        place.path("set/labels.csv"),
        "path,label,group,split\na/1.png,a,p,train\nb/2.png,b,q,val\nb/3.png,b,p,train\n",
    )
    .unwrap();
    place.pack_all("set/labels.csv", packing);
    every_bit_is_checked(&place.path("set.pack"), packing);
}

/// Changes every byte of a pack of three small pictures, and wants it to be found out.
fn every_bit_is_checked(path: &Path, packing: Packing) {
    let (whole, expected) = (fs::read(path).unwrap(), read(path, packing).unwrap());
    let samples = 64..64 + 6 + 12 + 6;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(path, &bytes).unwrap();
        match read(path, packing) {
            // It may be none at all by its first bytes.
            Err(error) => assert!(!samples.contains(&at) && (at < 8 || error.contains("pack")), "{at}: {error}"),
            Ok(found) => {
                let image = [70, 82, 88].iter().position(|&end| at < end).unwrap();
                assert!(samples.contains(&at), "byte {at} may be anything");
                for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    assert_eq!(found.as_ref(), expected.as_ref().filter(|_| place != image), "byte {at}");
                }
            }
        }
    }
}

#[test]
fn a_pack_that_is_cut_short_or_grown_is_refused_by_name() {
    let place = Place::new();
    place.pack(files(), packings()[0]).unwrap();
    let path = place.path("set.pack");
    let whole = fs::read(&path).unwrap();
    for length in (8..whole.len()).step_by(13).chain([63, 64, 65, whole.len() - 1]) {
        fs::write(&path, &whole[..length]).unwrap();
        let error = Source::open(&path).unwrap_err().to_string();
        let sizes = match length < 64 {
            true => format!("it has {length} bytes, and its header alone has 64"),
            false => format!("its header tells of {} bytes, and it has {length}", whole.len()),
        };
        let shown = path.display();
        let advice = "put back a copy, or pack the images again";
        assert_eq!(error, format!("{shown}: it is a damaged pack: {sizes}; {advice}"));
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert!(Source::open(&path).unwrap_err().to_string().contains("and it has"));
}

#[test]
fn sizes_that_lie_and_another_version_are_refused_before_memory_is_taken() {
    let place = Place::new();
    place.pack(files(), packings()[0]).unwrap();
    let path = place.path("set.pack");
    let whole = fs::read(&path).unwrap();
    let refused = |at: usize, bytes: &[u8]| {
        let mut lying = whole.clone();
        lying[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(&path, lying).unwrap();
        Source::open(&path).unwrap_err().to_string().replace(&format!("{}: ", path.display()), "")
    };
    let advice = "put back a copy, or pack the images again";
    for (at, count, told) in [
        (16, u64::MAX, format!("{} images, and 2097152 are the most", u64::MAX)),
        (16, 1 << 21, "".to_string()),
        (24, u64::MAX - 100, "more bytes than a file can have".to_string()),
        (32, u64::MAX, format!("{} bytes of names, and 1073741824 are the most", u64::MAX)),
        (32, 1 << 30, "".to_string()),
        (40, u64::MAX, format!("{} bytes of a description, and 67108864 are the most", u64::MAX)),
    ] {
        let error = refused(at, &count.to_le_bytes());
        assert!(error.starts_with(&format!("it is a damaged pack: its header tells of {told}")), "{error}");
        assert!(error.ends_with(advice), "{error}");
    }
    assert_eq!(
        refused(8, &[4, 0, 0, 0]),
        "it is a pack of version 4, and versions up to 3 are read here; pack the images again"
    );
}

#[test]
fn a_pack_in_place_of_images_tells_that_it_holds_no_files() {
    let place = Place::new();
    place.pack(files(), packings()[0]).unwrap();
    let source = Source::open(place.path("set.pack")).unwrap();
    let error = source.read(0).unwrap_err().to_string();
    assert!(error.contains("it holds the pictures of its images and not their files"), "{error}");
    let other = Source::from_memory("memory", files()).unwrap();
    // The text is none of the pack's.
    let place_of = |source: &Source, end: &str| source.names().position(|name| name.ends_with(end)).unwrap();
    let [ours, theirs] = [&source, &other].map(|source| source.sha256(place_of(source, "bee/01.png")).unwrap());
    assert_eq!(ours, theirs);
}

#[test]
fn a_picture_that_no_pack_can_hold_is_refused_before_an_image_is_read() {
    let place = Place::new();
    for (size, told) in [([0, 4, 3], "0×4 pixels"), ([70_000, 1, 1], "70000×1 pixels"), ([4, 4, 2], "2 channels")] {
        let error = place.pack(files(), Packing { size, ..packings()[0] }).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}
