//! `glassnet glyphs`, and MNIST's idx files as DATA. What the digits look like is tested in the library.

use super::Here;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// A small network for the digits.
const NET: &str = r#"
input = [28, 28, 3]
layers = [
    { type = "conv2d", filters = 8, kernel = 5, stride = 2 },
    { type = "relu" },
    { type = "flatten" },
    { type = "dense", units = 10 },
]
"#;

/// Draws a few images of each digit.
fn drawn() -> Here {
    let here = Here::empty();
    here.write("net.toml", NET);
    let stdout = here.done("glyphs --out digits --per-class 30 --seed 3");
    assert_eq!(stdout, "Drew 30 synthetic images of each of 10 digits with seed 3 into digits.\n");
    here
}

/// Idx files of these sizes and values.
fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The drawn digits as MNIST has its own: `NAME-images-idx3-ubyte` and `NAME-labels-idx1-ubyte`.
fn idx_files(here: &Here) -> [Vec<u8>; 2] {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for number in 1..=30 {
        for digit in 0..10u8 {
            let image = image::open(here.path(&format!("digits/{digit}/{digit}-{number:04}.png"))).unwrap();
            pixels.extend(image.into_luma8().into_raw());
            labels.push(digit);
        }
    }
    [idx(&[300, 28, 28], &pixels), idx(&[300], &labels)]
}

#[test]
fn ten_classes_of_digits_are_drawn_and_a_network_learns_them() {
    let here = drawn();
    assert_eq!(here.names("digits"), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(here.names("digits/7").len(), 30);
    here.done("glyphs --out again --per-class 2 --seed 3 --threads 1");
    assert_eq!(here.read("again/4/4-0002.png"), here.read("digits/4/4-0002.png"), "more images change none");
    let sentence = "--out: digits is not empty, and nothing is overwritten; name a new folder";
    here.refused("glyphs --out digits", 2, sentence);
    let object = here.json("train digits --model net.toml --epochs 6 --out run");
    let accuracy = object["validation"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.5, "{accuracy}");
}

#[test]
fn mnists_own_files_are_data_packed_or_not() {
    let here = drawn();
    let [images, labels] = idx_files(&here);
    here.write("plain/train-images-idx3-ubyte", &images);
    here.write("plain/train-labels-idx1-ubyte", &labels);
    here.write("packed/train-images-idx3-ubyte.gz", packed(&images));
    here.write("packed/train-labels-idx1-ubyte.gz", packed(&labels));
    let train = |data: &str, out: &str| here.done(&format!("train {data} --model net.toml --epochs 1 --out {out}"));
    let printed = train("plain", "one");
    assert!(printed.starts_with("Found 240 images belonging to 10 classes.\nFound 60 images"), "{printed}");
    train("packed", "two");
    train("packed/train-images-idx3-ubyte.gz", "three");
    for other in ["two", "three"] {
        assert_eq!(here.read("one/weights/best.safetensors"), here.read(&format!("{other}/weights/best.safetensors")));
    }
    let object = here.json("evaluate one packed/train-images-idx3-ubyte.gz --subset all");
    assert_eq!(object["images"], 300);
    let printed = here.done("predict one plain/train-images-idx3-ubyte");
    assert_eq!(printed.lines().count(), 301);

    here.write("packed/t10k-images-idx3-ubyte.gz", packed(&images));
    here.write("packed/t10k-labels-idx1-ubyte.gz", packed(&labels));
    let sentence = "packed: it holds several files of images, 2 (t10k-images-idx3-ubyte.gz, train-images-idx3-ubyte.gz); give them one \
                    by one: glassnet train packed/train-images-idx3-ubyte.gz --validation-data packed/t10k-images-idx3-ubyte.gz";
    here.refused("train packed", 1, sentence);
    let printed = here.done(
        "train packed/train-images-idx3-ubyte.gz --validation-data packed/t10k-images-idx3-ubyte.gz --model net.toml --epochs 1 --out both",
    );
    assert!(printed.starts_with("Found 300 images belonging to 10 classes.\nFound 300 images"), "{printed}");
}

#[test]
fn idx_files_that_are_damaged_or_alone_are_refused_by_name() {
    let here = Here::empty();
    let images = idx(&[2, 3, 3], &[7; 18]);
    let labels = idx(&[2], &[0, 1]);
    let refused = |images: &[u8], labels: Option<&[u8]>, sentence: &str| {
        here.write("a/x-images-idx3-ubyte", images);
        match labels {
            Some(labels) => here.write("a/x-labels-idx1-ubyte", labels),
            None => drop(std::fs::remove_file(here.path("a/x-labels-idx1-ubyte"))),
        }
        here.refused("inspect a", 1, sentence);
    };
    let file = "a/x-images-idx3-ubyte";
    let alone = "the file of its labels is not beside it; put x-labels-idx1-ubyte or x-labels-idx1-ubyte.gz there";
    refused(&images, None, &format!("{file}: {alone}"));
    let other = "it holds 2 images, and a/x-labels-idx1-ubyte 3 labels; give the two files that belong together";
    refused(&images, Some(&idx(&[3], &[0, 1, 2])), &format!("{file}: {other}"));
    refused(
        &images[..30],
        Some(&labels),
        &format!("{file}: it is an idx file with 14 of its 18 values; fetch it again"),
    );
    let more = [&images[..], &[1]].concat();
    refused(&more, Some(&labels), &format!("{file}: it is an idx file with more than its 18 values; fetch it again"));
    refused(
        &images[..9],
        Some(&labels),
        &format!("{file}: it is an idx file that ends within its sizes; fetch it again"),
    );
    let flat = idx(&[2, 0, 3], &[]);
    refused(&flat, Some(&labels), &format!("{file}: its images have 3×0 pixels; fetch it again"));
    // What is promised is not reserved, and what unpacks to more than is promised is not unpacked to its end.
    let huge = idx(&[u32::MAX, u32::MAX, u32::MAX], &[]);
    let size = u32::MAX;
    let most = format!("it holds {size} images of {size}×{size}, and 1024 MiB are the most; give a part of them");
    refused(&huge, Some(&labels), &format!("{file}: {most}"));
    let bomb = packed(&[&images[..], &vec![0; 100 << 20]].concat());
    refused(&bomb, Some(&labels), &format!("{file}: it is an idx file with more than its 18 values; fetch it again"));
}
