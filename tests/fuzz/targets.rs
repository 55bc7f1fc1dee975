//! What reads files, each as a function from bytes to a value or a sentence.

use super::seeds;
use super::zip_bytes::{Entry, crc32, zip_of};
use glassnet::checkpoint;
use glassnet::checkpoint::run::SavedRun;
use glassnet::data::audit::difference_hash::DifferenceHash;
use glassnet::data::catalog::Catalog;
use glassnet::data::decode::{DECODING_BUDGET_BYTES, RgbPicture, decode_as_read};
use glassnet::data::framing::framed_samples;
use glassnet::data::images::{Check, ImageSet, read_and_decode};
use glassnet::data::reading::{BitDepth, Interpolation, Reading, Resize, SampleRange};
use glassnet::data::sample::PictureSamples;
use glassnet::data::source::Source;
use glassnet::error::shortened;
use glassnet::exchange::{Given, Imported, keras, npz, onnx, pytorch};
use glassnet::network::Network;
use glassnet::optim::OptimizerSettings;
use glassnet::plan::{Plan, PlanOptions};
use glassnet::spec::ModelSpec;
use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// What an input comes to.
pub enum Trial {
    /// It was read; what it holds, in a few words.
    Read(String),
    /// It was refused, in a sentence.
    Refused(String),
}

/// A reader of files.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Reads an input.
    pub run: fn(&[u8]) -> Trial,
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// What stands in such files, to be put where it does not belong.
    pub tokens: &'static [&'static [u8]],
    /// How much memory may grow by while an input is read, in bytes.
    pub memory: usize,
}

const MIB: usize = 1 << 20;

impl Target {
    /// All of them.
    pub fn all() -> [Target; 15] {
        [
            // What an entry of the longest input can unpack to, with room for a vector to double.
            Target { name: "zip", run: zip, seeds: seeds::zips, tokens: ZIP, memory: 192 * MIB },
            // What is kept of a packed one.
            Target { name: "tar", run: tar, seeds: seeds::tars, tokens: TAR, memory: 192 * MIB },
            Target { name: "table", run: table, seeds: seeds::tables, tokens: TABLE, memory: 16 * MIB },
            // The images of an array, with room for a vector to double.
            Target { name: "npz", run: npz, seeds: seeds::arrays, tokens: NPZ, memory: 192 * MIB },
            Target {
                name: "image",
                run: image,
                seeds: seeds::images,
                tokens: IMAGE,
                memory: DECODING_BUDGET_BYTES as usize + 64 * MIB,
            },
            // What all images that a listing may have take.
            Target { name: "idx", run: idx, seeds: seeds::idx_files, tokens: IDX, memory: 1280 * MIB },
            Target { name: "pack", run: pack, seeds: seeds::packs, tokens: PACK, memory: 16 * MIB },
            Target { name: "weights", run: weights, seeds: seeds::weights, tokens: WEIGHTS, memory: 16 * MIB },
            Target { name: "run", run, seeds: seeds::runs, tokens: RUN, memory: 16 * MIB },
            Target { name: "spec", run: spec, seeds: seeds::specs, tokens: SPEC, memory: 64 * MIB },
            Target { name: "hdf5", run: hdf5, seeds: seeds::hdf5_files, tokens: HDF5, memory: 64 * MIB },
            Target { name: "keras", run: keras, seeds: seeds::keras_files, tokens: KERAS, memory: 64 * MIB },
            Target { name: "onnx", run: onnx, seeds: seeds::onnx_files, tokens: ONNX, memory: 64 * MIB },
            Target { name: "arrays", run: arrays, seeds: seeds::npz_models, tokens: ARRAYS, memory: 64 * MIB },
            Target { name: "pytorch", run: pytorch, seeds: seeds::pytorch_files, tokens: PICKLE, memory: 64 * MIB },
        ]
    }
}

const ONNX: &[&[u8]] = &[
    b"\x0a\x05input",
    b"\x22\x04Conv",
    b"\x22\x04Gemm",
    b"\x22\x06MatMul",
    b"\x22\x07Reshape",
    b"\x22\x03Pad",
    b"\x22\x09Transpose",
    b"\x22\x0aReduceMean",
    b"\x0a\x08auto_pad\x22\x0aSAME_UPPER\xa0\x01\x03",
    b"\x0a\x09ceil_mode\x18\x01\xa0\x01\x02",
    b"\x40\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x08\xff\xff\xff\xff\x07",
    b"\x70\x01",
];

const ARRAYS: &[&[u8]] = &[
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"\x93NUMPY\x01\x00",
    b"'descr': '<f4'",
    b"'descr': '<i8'",
    b"'fortran_order': True",
    b"(4294967296, 4294967296)",
    b"\"units\":2147483647",
    b"glassnet.json",
    b".npy",
];

const ZIP: &[&[u8]] = &[
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"PK\x07\x08",
    b"../",
    b"/",
    b"C:",
    b"\\",
    b".zip",
    b".png",
    b"\x01\x00\x1c\x00",
    b"\x75\x70\x05\x00\x01",
    b"\x01\x99\x07\x00",
];

const TAR: &[&[u8]] = &[
    b"ustar\0",
    b"ustar  \0",
    b"../",
    b"/",
    b".png",
    b".cls",
    b".tar",
    b"00000001000\0",
    b"77777777777\0",
    b"\x80\0\0\0\x7f\xff\xff\xff",
    b"././@LongLink",
    b"19 path=a/b/c.png\n",
    b"20 size=99999999999\n",
    b"22 GNU.sparse.major=1\n",
    b"\x1f\x8b\x08\x00",
];

const TABLE: &[&[u8]] = &[
    b"path,label\n",
    b"path;label;patient;split\n",
    b"\t",
    b"\"",
    b"\r\n",
    b"1.png",
    b"../2.png",
    b"/etc/passwd",
    b"2",
    b"train",
    b"val",
    b"test",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xe9",
    b"1.0",
];

const NPZ: &[&[u8]] = &[
    b"PK\x01\x02",
    b"\x93NUMPY\x01\x00",
    b"\x93NUMPY\x02\x00",
    b"'descr': '|u1'",
    b"'descr': '<i8'",
    b"'descr': '>u4'",
    b"'fortran_order': True",
    b"'shape': (4294967296, 4294967296, 3)",
    b"'shape': (3,)",
    b"(2, 3, 4, 3)",
    b"train_images.npy",
    b"val_labels.npy",
];

const IMAGE: &[&[u8]] = &[
    b"\x89PNG\r\n\x1a\n",
    b"IHDR",
    b"PLTE",
    b"tRNS",
    b"IDAT",
    b"IEND",
    b"acTL",
    b"fcTL",
    b"fdAT",
    b"iCCP",
    b"zTXt",
    b"iTXt",
    b"eXIf",
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xc0",
    b"\xff\xc2",
    b"\xff\xc4",
    b"\xff\xda",
    b"\xff\xdb",
    b"\xff\xdd\x00\x04",
    b"\xff\xee\x00\x0eAdobe",
    b"\xff\xe1",
    b"Exif\0\0",
    b"\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00",
    b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x08",
    b"http://ns.adobe.com/xap/1.0/\0",
    b"XML:com.adobe.xmp\0\0\0\0\0",
    b"tiff:Orientation=\"5\"",
    b"BM",
    b"\x28\x00\x00\x00",
    b"\x7c\x00\x00\x00",
    b"P1 ",
    b"P3 ",
    b"P5 ",
    b"P6 ",
    b"P7\n",
    b"WIDTH 65535\n",
    b"65535 ",
    b"II*\0",
    b"MM\0*",
    b"\x00\x01\x03\x00\x01\x00\x00\x00",
    b"II+\0\x08\0\0\0",
    b"\x06\x01\x03\x00\x01\x00\x00\x00\x03\x00",
    b"\x06\x01\x03\x00\x01\x00\x00\x00\x06\x00",
    b"\x0a\x01\x03\x00\x01\x00\x00\x00\x02\x00",
    b"\x1c\x01\x03\x00\x01\x00\x00\x00\x02\x00",
    b"\x3d\x01\x03\x00\x01\x00\x00\x00\x03\x00",
    b"\x40\x00\x00\x00",
    b"GIF89a",
    b"\x21\xf9\x04",
    b"\x2c\0\0\0\0\xff\xff\xff\xff",
    b"RIFF",
    b"VP8X",
    b"VP8L",
    b"VP8 ",
    b"ALPH",
    b"ANIM",
    b"ANMF",
    b"\x9d\x01\x2a",
    b"\x03\x01\x03\x00\x01\x00\x00\x00\x05\x00",
    b"\x03\x01\x03\x00\x01\x00\x00\x00\x08\x00",
    b"\x06\x01\x03\x00\x01\x00\x00\x00\x05\x00",
];

const IDX: &[&[u8]] = &[
    b"\x00\x00\x08\x03",
    b"\x00\x00\x08\x01",
    b"\x00\x00\x08\x02",
    b"\x00\x00\x0d\x03",
    b"\x1f\x8b\x08\x00",
    b"\x00\x00\x00\x01",
    b"\x00\x00\x00\x00",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x00\x01\x00\x00",
];

const PACK: &[&[u8]] = &[
    b"\x89GNPACK\n",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0\0\0\0\x80",
    b"../",
    b".png",
    b"\"size\":[",
    b"65535,65535,3]",
    b"\"reading\":{",
    b"\"bit_depth\":16",
    b"\"kinds\":[",
    b"\"unreadable\":[",
    b"16-bit grey",
    b"PNG",
];

const WEIGHTS: &[&[u8]] = &[
    b"{",
    b"}",
    b"\"__metadata__\":{",
    b"\"glassnet\":",
    b"\"dtype\":\"F32\"",
    b"\"dtype\":\"BF16\"",
    b"\"shape\":[",
    b"\"data_offsets\":[",
    b"18446744073709551615",
    b"-1",
    b"1e999",
    b"\\\"units\\\":1000000000",
    b"\x00\x00\xc0\x7f",
    b"\x00\x00\x80\x7f",
];

const RUN: &[&[u8]] = &[
    b"\"dtype\":\"F64\"",
    b"\"dtype\":\"F32\"",
    b"\"shape\":[",
    b"\"data_offsets\":[",
    b"adam/m/",
    b"adam/v/",
    b"sgd/velocity/",
    b"best/",
    b"history/",
    b"steps/",
    b"\\\"run\\\":",
    b"\\\"config\\\":",
    b"\\\"crc32\\\":",
    b"[0]",
    b"18446744073709551615",
    // One, minus one, two to the power of 53, and NaN.
    b"\x00\x00\x00\x00\x00\x00\xf0\x3f",
    b"\x00\x00\x00\x00\x00\x00\xf0\xbf",
    b"\x00\x00\x00\x00\x00\x00\x40\x43",
    b"\x00\x00\x00\x00\x00\x00\xf8\x7f",
];

const HDF5: &[&[u8]] = &[
    b"\x89HDF\r\n\x1a\n",
    b"TREE",
    b"HEAP",
    b"SNOD",
    b"GCOL",
    b"OHDR",
    b"FRHP",
    b"BTHD",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"model_config",
    b"model_weights",
    b"layer_names",
    b"weight_names",
    b"vars",
    b"kernel",
    b"\x11\x20\x1f\x00\x04\x00\x00\x00",
    b"\x08\x00\x18\x00",
];

const KERAS: &[&[u8]] = &[
    b"\"class_name\": \"Functional\"",
    b"\"class_name\": \"Sequential\"",
    b"\"class_name\": \"Conv2D\"",
    b"\"class_name\": \"Dense\"",
    b"\"class_name\": \"Flatten\"",
    b"\"inbound_nodes\": [",
    b"\"layers\": [",
    b"\"activation\": \"softmax\"",
    b"\"units\": 2147483648",
    b"\"kernel_size\": [9223372036854775807, 1]",
    b"null",
    b"-1",
    b"1e999",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
];

const PICKLE: &[&[u8]] = &[
    b"\x80\x02",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ccollections\nOrderedDict\n",
    b"ctorch\nFloatStorage\n",
    b"cos\nsystem\n",
    b"X\x07\x00\x00\x00storage",
    b"X\x0b\x00\x00\x00_parameters",
    b"h\x00",
    b"r\xff\xff\xff\xff",
    b"J\xff\xff\xff\x7f",
    b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"(",
    b"t",
    b"R",
    b"Q",
    b"b",
    b"s",
    b"u",
    b"]",
    b"}",
    b".",
];

const SPEC: &[&[u8]] = &[
    b"[",
    b"]",
    b"{ type = \"conv2d\", filters = 3, kernel = 3 },\n",
    b"{ type = \"dense\", units = 5 },\n",
    b"{ type = \"flatten\" },\n",
    b"{ type = \"max_pool\", window = 2 },\n",
    b"{ type = \"batch_normalization\" },\n",
    b"use_bias = false",
    b"dilation = 2",
    b"padding = \"same\"",
    b"stride = 0",
    b"9223372036854775807",
    b"2147483648",
    b"4294967296",
    b"-1",
    b"nan",
    b"inf",
    b"1e308",
    b"input = [0, 0, 0]\n",
    b"[[layers]]\n",
    b"\"\"\"",
];

/// A network so small that its weights are a short file.
pub fn tiny() -> ModelSpec {
    toml::from_str(
        "input = [4, 4, 3]
         layers = [
             { type = 'conv2d', filters = 2, kernel = 2 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
             { type = 'flatten' }, { type = 'dropout', rate = 0.5 }, { type = 'dense', units = 1 },
         ]",
    )
    .expect("the test's own model is one")
}

/// The file of this name, of these bytes, in a folder that lives as long as the thread.
fn file_of(name: &str, bytes: &[u8]) -> PathBuf {
    thread_local! {
        static FOLDER: RefCell<TempDir> = RefCell::new(tempfile::tempdir().expect("a folder for temporary files"));
    }
    let path = FOLDER.with_borrow(|folder| folder.path().join(name));
    // Not cut to nothing first: some file systems then write to the disk at once, a hundred times slower.
    let mut file =
        File::options().write(true).create(true).truncate(false).open(&path).expect("the folder can be written");
    file.write_all(bytes).and_then(|()| file.set_len(bytes.len() as u64)).expect("the folder can be written");
    path
}

/// Lists a zip, reads its files, and looks for classes.
fn zip(bytes: &[u8]) -> Trial {
    set(file_of("set.zip", bytes))
}

/// The same of a tar, packed or not.
fn tar(bytes: &[u8]) -> Trial {
    set(file_of("set.tar", bytes))
}

/// The same of a table of labels, beside which two images are.
fn table(bytes: &[u8]) -> Trial {
    file_of("1.png", b"no image is looked at");
    file_of("2.png", b"no image is looked at");
    set(file_of("set.csv", bytes))
}

/// The same of arrays.
fn npz(bytes: &[u8]) -> Trial {
    set(file_of("set.npz", bytes))
}

fn set(path: PathBuf) -> Trial {
    let source = match Source::open(path) {
        Ok(source) => source,
        Err(error) => return Trial::Refused(error.to_string()),
    };
    for name in source.names() {
        let inside = !name.starts_with('/') && !name.contains(['\\', '\0']) && name.split('/').all(|part| part != "..");
        assert!(inside, "{name:?} leads outside");
    }
    for index in 0..source.len().min(20) {
        if let Err(error) = source.read(index) {
            return Trial::Refused(error.to_string());
        }
    }
    let classes = match Catalog::from_source(&source) {
        Ok(_) => "classes".to_string(),
        Err(error) => error.to_string(),
    };
    Trial::Read(format!("{} {} {classes}", "file ".repeat(source.len().min(8)), source.notes().join(" ")))
}

/// Reads the images of an idx file, whose labels stand before them, with their length in two bytes at the
/// beginning; either may be packed.
fn idx(bytes: &[u8]) -> Trial {
    let Some((length, files)) = bytes.split_first_chunk::<2>() else {
        return Trial::Refused("it is too short for a test".into());
    };
    let (labels, images) = files.split_at(files.len().min(usize::from(u16::from_be_bytes(*length))));
    file_of("fuzz-labels-idx1-ubyte", labels);
    let source = match Source::open(file_of("fuzz-images-idx3-ubyte", images)) {
        Ok(source) => source,
        Err(error) => return Trial::Refused(error.to_string()),
    };
    for index in 0..source.len().min(20) {
        let file = source.read(index).expect("what was listed is in memory");
        let outcome = decode_as_read("x.ppm", &file, Reading::default(), |picture| picture.size());
        // A side may be longer than that of any picture.
        if let Err(error) = outcome {
            return Trial::Refused(error.to_string());
        }
    }
    let classes = match Catalog::from_source(&source) {
        Ok(catalog) => "class ".repeat(catalog.classes.count().min(12)),
        Err(error) => error.to_string(),
    };
    Trial::Read(format!("{} {classes}", "file ".repeat(source.len().min(8))))
}

/// Opens a pack, and reads its images as a training and as a look at them does. The checksum of its table is
/// made right where it can be found, as somebody would do who means harm.
fn pack(bytes: &[u8]) -> Trial {
    let source = match Source::open(file_of("set.pack", &with_the_sum_of_its_table(bytes))) {
        Ok(source) => Arc::new(source),
        Err(error) => return Trial::Refused(error.to_string()),
    };
    let Some((size, reading)) = source.packs().next().map(|pack| (pack.size(), pack.reading())) else {
        return Trial::Refused(format!("it is no pack but a source of {} files", source.len()));
    };
    let catalog = match Catalog::from_source(&source) {
        Ok(catalog) => catalog,
        Err(error) => return Trial::Refused(error.to_string()),
    };
    let images = ImageSet::sized(Arc::clone(&source), catalog.items, size, usize::MAX).expect("a pack has a size");
    let images = images.read_as(reading);
    let Check { infos, digests, errors, .. } = images.check_all();
    assert!(infos.len() == images.items().len() && digests.len() == infos.len());
    let mut told: Vec<String> = errors.iter().take(8).map(|error| error.to_string()).collect();
    for (index, item) in images.items().iter().enumerate().take(20) {
        let looked_at = read_and_decode(&source, item.entry, Reading::default(), |_, picture| picture.pixels.len());
        match (images.picture(index), looked_at) {
            (Ok(samples), Ok((pixels, _))) => {
                assert_eq!(samples.len(), size.iter().product::<usize>());
                assert_eq!(pixels, size[0] * size[1] * 3);
            }
            (Err(error), Err(_)) => told.push(error.to_string()),
            (seen, looked_at) => panic!("{seen:?} and {looked_at:?}"),
        }
    }
    match told.pop() {
        Some(sentence) if coin(bytes) => Trial::Refused(sentence),
        _ => Trial::Read(format!("{size:?} {}", "image ".repeat(images.items().len().min(8)))),
    }
}

/// The bytes of a pack with the checksum of its table, where they tell where it begins.
fn with_the_sum_of_its_table(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let samples = bytes.get(24..).and_then(|rest| rest.first_chunk::<8>()).map(|length| u64::from_le_bytes(*length));
    let table = samples.and_then(|length| usize::try_from(length).ok()?.checked_add(64));
    if let Some(table) = table.and_then(|table| bytes.get(table..)) {
        let sum = crc32(&[&bytes[16..64], table].concat());
        bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

/// A way of reading that depends on the input, and the size of a network.
fn way_of(bytes: &[u8]) -> (Reading, [usize; 3]) {
    let sum = usize::from(bytes.iter().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte)));
    let range = [SampleRange::FULL, SampleRange::new(1000, 1001).expect("it is not empty")];
    let reading = Reading {
        upright: sum.is_multiple_of(2),
        range: range[sum / 2 % 2],
        bit_depth: BitDepth::ALL[sum / 4 % 2],
        interpolation: Interpolation::ALL[sum / 8 % 2],
        resize: Resize::ALL[sum / 16 % 3],
    };
    (reading, [[8, 8, 3], [5, 11, 1], [40, 3, 3], [1, 1, 1]][sum / 48 % 4])
}

/// Decodes an image, at times turned upright, stretched and in 16 bits, brings it to the size of a network in
/// one of the ways there are, and looks at it from afar.
fn image(bytes: &[u8]) -> Trial {
    let (reading, size) = way_of(bytes);
    let work = |picture: RgbPicture| {
        let look = DifferenceHash::from_image(&picture.clone().into_rgb8());
        assert!(look.correlation(&look) > 0.99);
        (picture.size(), framed_samples(picture, size, reading))
    };
    match decode_as_read("x.png", bytes, reading, work) {
        Ok(((seen, samples), info)) => {
            assert_eq!(samples.len(), size.iter().product::<usize>());
            assert_eq!([info.width, info.height], seen);
            assert!(info.samples.is_none_or(|[smallest, largest]| smallest <= largest));
            let is_deep = matches!(samples, PictureSamples::Bits16(_));
            assert_eq!(is_deep, info.samples.is_some() && reading.bit_depth == BitDepth::Sixteen, "{}", info.mode);
            Trial::Read(format!("{} {} {} {:?}", info.format, info.mode, info.has_more_pictures, info.orientation))
        }
        Err(error) => Trial::Refused(error.to_string()),
    }
}

/// Reads weights as a model, and as weights of a network that is there.
fn weights(bytes: &[u8]) -> Trial {
    let path = file_of("model.safetensors", bytes);
    let network = Network::new(&tiny()).expect("the test's own network is one");
    let alone = checkpoint::load_parameters(&path, &network);
    match (checkpoint::load(&path), alone) {
        (Ok(model), alone) => {
            let count = model.network.table().parameter_count();
            assert!(model.parameters.as_slice().iter().all(|weight| weight.is_finite()));
            assert!(count * 4 <= bytes.len(), "{count} weights from {} bytes", bytes.len());
            Trial::Read(format!("model {}", alone.map_or_else(|error| error.to_string(), |_| "same".into())))
        }
        (Err(_), Ok(_)) => Trial::Read("weights".into()),
        (Err(error), Err(other)) => Trial::Refused(if coin(bytes) { error.to_string() } else { other.to_string() }),
    }
}

/// Reads the state of a run. The checksum of its tensors is made right, as somebody would do who means harm,
/// where it can be found.
fn run(bytes: &[u8]) -> Trial {
    let path = file_of("last.safetensors", &with_its_checksum(bytes));
    let network = Network::new(&tiny()).expect("the test's own network is one");
    let state = SavedRun::open(&path).and_then(|saved| saved.state(&network, OptimizerSettings::default()));
    match state {
        Ok(state) => {
            let (epochs, steps) = (state.history.len(), state.steps.len());
            assert!(state.parameters.are_finite() && state.optimizer.steps() == steps as u64);
            assert_eq!((state.only_answers.len(), state.best.is_some()), (epochs, epochs > 0));
            let so_far = state.epoch_so_far().steps;
            assert_eq!(state.history.iter().map(|record| record.steps).sum::<usize>() + so_far, steps);
            assert!(state.epochs_since_best() <= epochs);
            Trial::Read(format!("{} {}", "epoch ".repeat(epochs.min(8)), "step ".repeat(so_far.min(8))))
        }
        Err(error) => Trial::Refused(error.to_string()),
    }
}

/// The file with its own checksum in the description, where there is room for as many digits.
fn with_its_checksum(bytes: &[u8]) -> Vec<u8> {
    const KEY: &[u8] = b"crc32\\\":";
    let mut bytes = bytes.to_vec();
    let length = bytes.first_chunk::<8>().map_or(u64::MAX, |length| u64::from_le_bytes(*length));
    let tensors = usize::try_from(length).ok().and_then(|length| bytes.get(length.checked_add(8)?..));
    let key = bytes.windows(KEY.len()).position(|window| window == KEY);
    if let (Some(sum), Some(key)) = (tensors.map(crc32), key) {
        let room = &mut bytes[key + KEY.len()..];
        let digits = room.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b' ').count();
        // JSON allows for spaces before a number, so nothing has to move.
        let sum = format!("{sum:>digits$}");
        if sum.len() == digits {
            room[..digits].copy_from_slice(sum.as_bytes());
        }
    }
    bytes
}

/// A coin that depends on the input, so that each of two sentences counts at some time.
fn coin(bytes: &[u8]) -> bool {
    bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) % 2 == 0
}

/// Reads a model, from TOML and as JSON, builds it, and counts the memory that it would take.
fn spec(bytes: &[u8]) -> Trial {
    let Ok(text) = std::str::from_utf8(bytes) else { return Trial::Refused("it is not a text file".into()) };
    let spec: ModelSpec = match toml::from_str(text) {
        Ok(spec) => spec,
        Err(error) => return Trial::Refused(format!("it is not a model: {}", shortened(error.message()))),
    };
    match Network::new(&spec) {
        Ok(network) => {
            let options = PlanOptions { training: true, ..PlanOptions::default() };
            let bytes = Plan::new(&network, 1_000_000, options).workspace_bytes();
            assert!(bytes > 0 && network.multiply_adds() > 0 && network.table().parameter_count() > 0);
            let json = serde_json::to_string(&spec).expect("a model is JSON");
            let again: ModelSpec = serde_json::from_str(&json).expect("what was written is read");
            assert_eq!(again, spec);
            Trial::Read(format!("{} layers {}", "x".repeat(spec.layers.len().min(12)), bytes.ilog2()))
        }
        Err(error) => Trial::Refused(error.to_string()),
    }
}

/// Reads HDF5 as a model of Keras, and as weights of a network that is there.
fn hdf5(bytes: &[u8]) -> Trial {
    let spec = tiny();
    let whole = keras::from_hdf5(Path::new("x.h5"), bytes.to_vec(), &Given::default());
    let alone = keras::from_hdf5(Path::new("x.h5"), bytes.to_vec(), &Given { model: Some(&spec), ..Given::default() });
    match (whole, alone) {
        (Ok(model), _) => imported("model", &model, bytes),
        (Err(_), Ok(model)) => imported("weights", &model, bytes),
        (Err(error), Err(other)) => Trial::Refused(if coin(bytes) { error.to_string() } else { other.to_string() }),
    }
}

/// Reads a `.keras` file: of its layers, whose length stands in two bytes before them, and its tensors, or as
/// the bytes of a zip.
fn keras(bytes: &[u8]) -> Trial {
    let file = match parted(bytes) {
        _ if bytes.starts_with(b"PK") => bytes.to_vec(),
        Some((config, weights)) => zip_of(&[
            Entry::new("metadata.json", b"{}"),
            Entry::new("config.json", config),
            Entry::new("model.weights.h5", weights),
        ]),
        None => return Trial::Refused("it has no bytes for the length".into()),
    };
    match keras::from_zip(Path::new("x.keras"), file, &Given::default()) {
        Ok(model) => imported("model", &model, bytes),
        Err(error) => Trial::Refused(error.to_string()),
    }
}

/// Reads an ONNX file.
fn onnx(bytes: &[u8]) -> Trial {
    match onnx::from_bytes(bytes) {
        Ok(model) => imported("model", &model, bytes),
        Err(sentence) => Trial::Refused(format!("x.onnx: {sentence}")),
    }
}

/// Reads a model from numpy's arrays.
fn arrays(bytes: &[u8]) -> Trial {
    match npz::from_bytes(bytes) {
        Ok(model) => imported("model", &model, bytes),
        Err(sentence) => Trial::Refused(format!("x.npz: {sentence}")),
    }
}

/// Reads a state dict: of its pickle, whose length stands in two bytes before it, and one storage, or as the
/// bytes of a file.
fn pytorch(bytes: &[u8]) -> Trial {
    let file = match parted(bytes) {
        _ if bytes.starts_with(b"PK") || pytorch::is_legacy(bytes) => bytes.to_vec(),
        Some((pickle, storage)) => {
            let storages: Vec<String> = (0..4).map(|key| format!("x/data/{key}")).collect();
            let data = storages.iter().map(|name| Entry::new(name, storage));
            zip_of(&data.chain([Entry::new("x/data.pkl", pickle)]).collect::<Vec<_>>())
        }
        None => return Trial::Refused("it has no bytes for the length".into()),
    };
    let spec = tiny();
    match pytorch::from_pickle(&file_of("x.pt", &file), &Given { model: Some(&spec), ..Given::default() }) {
        Ok(model) => imported("weights", &model, &file),
        Err(error) => Trial::Refused(error.to_string()),
    }
}

/// The first part of an input, whose length stands before it in two bytes, and the rest.
fn parted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)).min(rest.len()))
}

/// What a model of another program came to: its weights are numbers, and stand in the file.
fn imported(what: &str, model: &Imported, bytes: &[u8]) -> Trial {
    let count = model.network.table().parameter_count();
    assert!(model.parameters.as_slice().iter().all(|weight| weight.is_finite()));
    // A normalization's gamma and beta, and a first layer's bias, need not stand there.
    assert!(count <= bytes.len(), "{count} weights from {} bytes", bytes.len());
    Trial::Read(format!("{what} {}", "x".repeat(model.network.layers().len().min(12))))
}
