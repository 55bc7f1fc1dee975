//! Inputs that are read without a fault, made by code.

use super::array_bytes::{npy, npz};
use super::exif_bytes::{exif, jpeg_with_exif, jpeg_with_xmp, png_with_exif, png_with_xmp, xmp};
use super::targets::tiny;
use super::tiff_bytes::{tiff_of_entries, tiff_of_jpegs};
use super::zip_bytes::{Entry, zip_of};
use glassnet::checkpoint::{self, Checkpoint, ModelCard, RESCALE, RESIZE, TrainingFacts};
use glassnet::classes::{Classes, Label};
use glassnet::data::catalog::Catalog;
use glassnet::data::decode::decode;
use glassnet::data::packing::{self, Packing};
use glassnet::data::reading::{BitDepth, Interpolation, Reading};
use glassnet::data::source::Source;
use glassnet::exchange::onnx::{self, OnnxInput};
use glassnet::exchange::{keras, npz};
use glassnet::network::Network;
use glassnet::optim::OptimizerSettings;
use glassnet::random::{Purpose, Stream};
use glassnet::spec::ModelSpec;
use glassnet::training::{EpochRecord, StepRow, TrainingState};
use image::{DynamicImage, ImageFormat, RgbImage};
use std::io::{Cursor, Read, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;

fn picture(width: u32, height: u32) -> DynamicImage {
    let mut stream = Stream::new(1, Purpose::Test, 0, u64::from(width));
    RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 9) as u8, (y * 7) as u8, stream.below(256) as u8])).into()
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("the test's own picture encodes");
    bytes.into_inner()
}

/// Bytes from hexadecimal digits.
fn bytes_of_hex(digits: &str) -> Option<Vec<u8>> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

/// Every format, in grey, colour, with alpha and in 16 bits, as far as the format has them.
pub fn images() -> Vec<Vec<u8>> {
    let (small, thin) = (picture(19, 13), picture(1, 40));
    let variants = [
        small.clone(),
        thin,
        small.to_luma8().into(),
        small.to_luma_alpha8().into(),
        small.to_rgba8().into(),
        small.to_luma16().into(),
        small.to_rgb16().into(),
        small.to_rgba16().into(),
    ];
    let mut images = Vec::new();
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::Pnm, ImageFormat::Tiff] {
        for variant in &variants {
            let mut bytes = Cursor::new(Vec::new());
            if variant.write_to(&mut bytes, format).is_ok() {
                images.push(bytes.into_inner());
            }
        }
    }
    // Kinds that the writers above do not write: palettes, planes, tiles, BigTIFF, run lengths, GIF, WebP.
    let lines = include_str!("../fixtures/read_images.txt").lines().filter(|line| !line.starts_with('#'));
    images.extend(lines.filter_map(|line| bytes_of_hex(line.split(' ').nth(1)?)));
    // A TIFF of a tile that is larger than its picture.
    let mut tiled = tiff_of_entries(&[
        (256, 4, 1, 2),
        (257, 4, 1, 2),
        (258, 3, 1, 8),
        (262, 3, 1, 1),
        (322, 4, 1, 16),
        (323, 4, 1, 16),
        (324, 4, 1, 8),
        (325, 4, 1, 256),
    ]);
    tiled.resize(8 + 256, 0);
    images.push(tiled);
    images.extend(jpegs());
    // Pieces of a TIFF that are JPEGs.
    let row = encoded(&picture(16, 1).to_luma8().into(), ImageFormat::Jpeg);
    images.push(tiff_of_jpegs(16, 1, None, &row));
    images.push(tiff_of_jpegs(16, 3, None, &row));
    images.push(tiff_of_jpegs(16, 3, Some([16, 16]), &encoded(&DynamicImage::new_luma8(16, 16), ImageFormat::Jpeg)));
    // Photos that tell how they lie.
    let (jpeg, png) = (encoded(&small, ImageFormat::Jpeg), encoded(&small.to_rgb16().into(), ImageFormat::Png));
    images.push(jpeg_with_exif(&jpeg, &exif(6, true)));
    images.push(jpeg_with_xmp(&jpeg, &xmp(8)));
    images.push(png_with_exif(&png, &exif(5, false), true));
    images.push(png_with_xmp(&png, &xmp(3)));
    images.push(b"P3 2 1 255 1 2 3 4 5 6\n".to_vec());
    images.push(b"P1 3 2 0 1 0 1 0 1\n".to_vec());
    images
}

/// One recorded JPEG of each kind: baseline, progressive, a scan for each component, with restart marks, CMYK
/// and so on; and one with EXIF.
fn jpegs() -> Vec<Vec<u8>> {
    let zip = Cursor::new(include_bytes!("../fixtures/jpeg_sweep.zip"));
    let mut zip = zip::ZipArchive::new(zip).expect("the recorded zip is one");
    let mut jpegs: Vec<Vec<u8>> = Vec::new();
    let mut kinds: Vec<String> = Vec::new();
    let mut with_marks = 0;
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).expect("the recorded zip is whole");
        let name = file.name().expect("the recorded zip is whole").to_string();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("the recorded zip is whole");
        let kind = name.split('/').next().unwrap_or_default().to_string();
        let has_marks = with_marks < 6 && bytes.windows(2).any(|pair| pair == [0xFF, 0xD0]);
        let is_new = name.ends_with(".jpg") && (has_marks || !kinds.contains(&kind));
        if is_new && decode("x.jpg", &bytes).is_ok() {
            with_marks += usize::from(has_marks);
            kinds.push(kind);
            jpegs.push(bytes);
        }
    }
    // Tag 274, how the camera was held, is 6.
    let exif = b"\xFF\xE1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let first = jpegs[0].clone();
    jpegs.push([&first[..2], exif, &first[2..]].concat());
    jpegs
}

/// Stored and packed, flat and nested, with folders, hidden files and links, and with names of other systems.
pub fn zips() -> Vec<Vec<u8>> {
    let png = encoded(&picture(5, 4), ImageFormat::Png);
    let bmp = encoded(&picture(40, 40), ImageFormat::Bmp);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let packed = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    zip.add_directory("set/", packed).expect("memory takes it");
    for name in ["set/cat/1.bmp", "set/dog/2.bmp", "set/README.txt", "__MACOSX/._x"] {
        zip.start_file(name, packed).expect("memory takes it");
        zip.write_all(&bmp).expect("memory takes it");
    }
    let packed = zip.finish().expect("memory takes it").into_inner();
    let link = Entry { mode: 0o120_777, ..Entry::new("cat/link.png", b"/etc/passwd") };
    let stored = zip_of(&[
        Entry::new("cat/", b""),
        Entry::new("cat/1.png", &png),
        Entry::new("dog/2.png", &png),
        Entry::new("dog/sub/3.txt", b"text"),
        link,
    ]);
    // As PowerShell and Japanese systems name entries.
    let names: [&[u8]; 4] = [b"cat\\1.png", b"dog\\", b"\x94\x4C/\x95\x5C1.png", b"a:b/2.png"];
    let foreign = zip_of(&names.map(|name| Entry::new(name, &png)));
    vec![packed, stored, foreign, zip_of(&[Entry::new("a/1.png", b""), Entry::new("b/1.png", b"")])]
}

/// With folders, links, long names and attributes, with labels beside the images, and packed.
pub fn tars() -> Vec<Vec<u8>> {
    let png = encoded(&picture(5, 4), ImageFormat::Png);
    let tar = |names: &[&str], is_pax: bool| {
        let mut tar = tar::Builder::new(Vec::new());
        for name in names {
            let mut header = if is_pax { tar::Header::new_ustar() } else { tar::Header::new_gnu() };
            let bytes = if name.ends_with(".cls") { &b"7"[..] } else { &png };
            header.set_size(bytes.len() as u64);
            if is_pax {
                tar.append_pax_extensions([("path", name.as_bytes())]).expect("memory takes it");
            }
            tar.append_data(&mut header, name, bytes).expect("memory takes it");
        }
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        tar.append_link(&mut link, "a/link.png", "/etc/passwd").expect("memory takes it");
        tar.into_inner().expect("memory takes it")
    };
    let long = format!("b/{}.png", "long".repeat(40));
    let plain = tar(&["a/1.png", "b/2.png", &long], false);
    let packed = packed(&plain);
    vec![plain, packed, tar(&["a/1.png", "b/2.png"], true), tar(&["0.png", "0.cls", "1.png", "1.cls"], false)]
}

/// With each delimiter, with quotes, groups and parts.
pub fn tables() -> Vec<Vec<u8>> {
    let texts = [
        "path,label\n1.png,cat\n2.png,dog\n",
        "\u{FEFF}File Name;Class;Patient;Split\r\n\"1.png\";a;p1;train\r\n2.png;b;p2;val\r\n",
        "id\ttarget\n1\t0.0\n2\t1.0\n3\t\n",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// A set without parts in colour, and one with all parts in grey.
pub fn arrays() -> Vec<Vec<u8>> {
    let images = |count: usize| npy("|u1", &[count, 3, 2], &vec![9; count * 6]);
    let labels = |count: usize| npy("|u1", &[count, 1], &(0..count as u8).collect::<Vec<u8>>());
    let parts = [("train", 3), ("val", 2), ("test", 2)];
    let parts: Vec<(String, Vec<u8>)> = parts
        .into_iter()
        .flat_map(|(name, count)| {
            [(format!("{name}_images"), images(count)), (format!("{name}_labels"), labels(count))]
        })
        .collect();
    let parts: Vec<(&str, Vec<u8>)> = parts.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let colour = [
        ("x", npy("|u1", &[2, 3, 4, 3], &[5; 72])),
        ("y", npy("<i8", &[2], &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])),
    ];
    vec![npz(&parts), npz(&colour)]
}

/// Images of digits and their labels, each as they are and packed, and a set of none.
pub fn idx_files() -> Vec<Vec<u8>> {
    let idx = |kind: u8, sizes: &[u32], values: &[u8]| {
        let sizes: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
        [&[0, 0, 8, kind], &sizes[..], values].concat()
    };
    let both = |labels: &[u8], images: &[u8]| [&(labels.len() as u16).to_be_bytes(), labels, images].concat();
    let pixels: Vec<u8> = (0..60).map(|place| (place * 17) as u8).collect();
    let (labels, images) = (idx(1, &[5], &[3, 1, 10, 1, 3]), idx(3, &[5, 4, 3], &pixels));
    vec![
        both(&labels, &images),
        both(&packed(&labels), &packed(&images)),
        both(&labels, &packed(&images)),
        both(&idx(1, &[0], &[]), &idx(3, &[0, 28, 28], &[])),
    ]
}

/// Bytes as gzip packs them.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// Pictures of 8 and of 16 bits in colour and in grey, and images that could not be read.
pub fn packs() -> Vec<Vec<u8>> {
    let eight = |seed: u32| encoded(&picture(5 + seed, 4), ImageFormat::Png);
    let sixteen = encoded(&picture(3, 6).to_luma16().into(), ImageFormat::Png);
    let pack = |last: Vec<u8>, packing: Packing| {
        let files = vec![("a/1.png".into(), eight(0)), ("a/2.png".into(), eight(1)), ("b/3.png".into(), last)];
        let source = Source::from_memory("memory", files).expect("the test's own names are some");
        let items = Catalog::from_source(&source).expect("there are two classes").items;
        written(|path| packing::pack(path, &source, &items, packing, || Ok(())).map(|_| ()))
    };
    let deep = Reading { bit_depth: BitDepth::Sixteen, interpolation: Interpolation::Bilinear, ..Reading::default() };
    vec![
        pack(eight(2), Packing { size: [4, 3, 3], reading: Reading::default(), skip_bad: false }),
        pack(sixteen.clone(), Packing { size: [2, 5, 1], reading: deep, skip_bad: false }),
        pack(sixteen, Packing { size: [1, 1, 3], reading: deep, skip_bad: true }),
        pack(Vec::new(), Packing { size: [8, 8, 1], reading: deep, skip_bad: true }),
    ]
}

/// A model of ours, and one of another shape.
pub fn weights() -> Vec<Vec<u8>> {
    let other = toml::from_str(
        "input = [4, 4, 3]\nlayers = [{ type = 'flatten' }, { type = 'dense', units = 3 }, { type = 'dense', units = 1 }]",
    )
    .expect("the test's own model is one");
    [tiny(), other].iter().map(weights_of).collect()
}

/// Runs that have not begun, that are in their second epoch, and that have done it.
pub fn runs() -> Vec<Vec<u8>> {
    let network = Network::new(&tiny()).expect("the test's own network is one");
    let mut state = TrainingState::new(network.initial_parameters(1), OptimizerSettings::default());
    let mut seeds = vec![run_of(&state)];
    for epoch in 0..2 {
        for _ in 0..3 {
            let step = state.steps.len() + 1;
            state.steps.push(StepRow { step, epoch, batch_size: 4, loss: 0.7, accuracy: 0.5 });
            seeds.push(run_of(&state));
        }
        let (loss, accuracy) = (0.7 + epoch as f64, 0.5);
        let record = EpochRecord {
            epoch,
            steps: 3,
            seconds: 1.0,
            step_seconds: 0.1,
            wait_seconds: None,
            loss,
            accuracy,
            val_loss: Some(loss),
            val_accuracy: Some(accuracy),
            val_labels: None,
        };
        state.end_epoch(record, Some(Label::POSITIVE));
        seeds.push(run_of(&state));
    }
    seeds
}

fn run_of(state: &TrainingState) -> Vec<u8> {
    written(|path| checkpoint::run::save(path, &card(&tiny()), state, "[settings]\nseed = 0\n"))
}

fn weights_of(spec: &ModelSpec) -> Vec<u8> {
    let parameters = Network::new(spec).expect("the test's own network is one").initial_parameters(1);
    written(|path| checkpoint::save(path, &card(spec), &parameters))
}

/// The bytes that are written to a file.
fn written(write: impl FnOnce(&Path) -> glassnet::Result<()>) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("model.safetensors");
    write(&path).expect("the folder can be written");
    std::fs::read(path).expect("it was just written")
}

fn card(spec: &ModelSpec) -> ModelCard {
    ModelCard {
        version: "0.0.0".into(),
        spec: spec.clone(),
        classes: Classes::new(["cat", "dog"]).unwrap(),
        rescale: RESCALE,
        resize: RESIZE.into(),
        reading: Reading::default(),
        threshold: 0.5,
        training: TrainingFacts { epochs: 2, seed: 3, images: 4, val_loss: Some(0.5), val_accuracy: None },
    }
}

/// The documented model, and one with every layer and setting.
pub fn specs() -> Vec<Vec<u8>> {
    let documented = toml::to_string(&ModelSpec::documented()).expect("a model is TOML");
    let other = r#"input = [64, 64, 3]
layers = [
    { type = "conv2d", filters = 16, kernel = [5, 3], stride = 2, padding = "same" },
    { type = "relu" },
    { type = "max_pool", window = 3, stride = 2 },
    { type = "depthwise_conv2d", kernel = 3, depth_multiplier = 2, use_bias = false },
    { type = "batch_normalization" },
    { type = "leaky_relu", negative_slope = 0.1 },
    { type = "average_pool", window = 2, padding = "same" },
    { type = "global_average_pool" },
    { type = "dropout", rate = 0.3 },
    { type = "dense", units = 1, use_bias = false },
]
"#;
    vec![documented.into_bytes(), other.into()]
}

/// A file of the models that Keras and PyTorch saved.
fn saved_model(name: &str) -> Vec<u8> {
    let zip = Cursor::new(include_bytes!("../fixtures/models.zip"));
    let mut zip = zip::ZipArchive::new(zip).expect("the recorded zip is one");
    entry_of(&mut zip, name)
}

fn entry_of<R: Read + std::io::Seek>(zip: &mut zip::ZipArchive<R>, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    zip.by_name(name).expect("it is there").read_to_end(&mut bytes).expect("the recorded zip is whole");
    bytes
}

/// Models and weights as Keras saves them.
pub fn hdf5_files() -> Vec<Vec<u8>> {
    ["tiny.h5", "tiny.weights.h5", "functional.h5"].map(saved_model).to_vec()
}

/// Two bytes of the length of the first part, and both parts.
fn together(first: &[u8], second: &[u8]) -> Vec<u8> {
    [&(first.len() as u16).to_be_bytes(), first, second].concat()
}

/// The layers and tensors of models of Keras, and of one of ours; and zips of them.
pub fn keras_files() -> Vec<Vec<u8>> {
    let ours = keras::to_bytes(&exported(), None, keras::PixelInput::Bytes).expect("memory takes it");
    let mut seeds = Vec::new();
    for file in [saved_model("tiny.keras"), saved_model("functional.keras"), ours] {
        let mut zip = zip::ZipArchive::new(Cursor::new(&file)).expect("Keras writes zips");
        let (config, weights) = (entry_of(&mut zip, "config.json"), entry_of(&mut zip, "model.weights.h5"));
        seeds.push(together(&config, &weights));
        seeds.push(file);
    }
    seeds
}

/// A model of ours, as it is exported.
fn exported() -> Checkpoint {
    let network = Network::new(&tiny()).expect("the test's own network is one");
    Checkpoint { card: card(&tiny()), parameters: network.initial_parameters(1), network }
}

/// Both kinds of ONNX files, and one that has no card.
pub fn onnx_files() -> Vec<Vec<u8>> {
    let [floats, samples] = [OnnxInput::Floats, OnnxInput::Samples].map(|input| onnx::to_bytes(&exported(), input));
    let key = b"\x0a\x08glassnet\x12";
    let place = floats.windows(key.len()).rposition(|window| window == key).expect("the card has a key");
    let mut stranger = floats.clone();
    stranger[place + 2] = b'G';
    vec![floats, samples, stranger]
}

/// A model as numpy's arrays.
pub fn npz_models() -> Vec<Vec<u8>> {
    vec![npz::to_bytes(&exported())]
}

/// A state dict as PyTorch saves it, in both of its containers.
pub fn pytorch_files() -> Vec<Vec<u8>> {
    let file = saved_model("tiny.pt");
    let mut zip = zip::ZipArchive::new(Cursor::new(&file)).expect("PyTorch writes zips");
    let pickle = entry_of(&mut zip, "archive/data.pkl");
    vec![together(&pickle, &[0; 128]), saved_model("tiny.pth"), file]
}
