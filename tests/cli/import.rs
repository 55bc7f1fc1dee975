//! `glassnet import`, and `export --format keras` before it.

use super::Here;
use expect_test::expect;
use std::io::{Cursor, Read};

/// A file that Keras or PyTorch saved.
fn saved(name: &str) -> Vec<u8> {
    let zip = Cursor::new(include_bytes!("../fixtures/models.zip"));
    let mut zip = zip::ZipArchive::new(zip).unwrap();
    let mut bytes = Vec::new();
    zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_model_that_went_to_keras_and_back_answers_the_same_and_trains_on() {
    let here = Here::with_model();
    let last = "run/weights/last.safetensors";
    let told = here.done(&format!("export {last} --format keras --out last.keras set/cat/00.png"));
    assert!(
        told.contains("Keras 3, images [N, 16, 16, 3] from 0 to 1, compiled with the optimizer after 4 steps"),
        "{told}"
    );
    let told = here.done("import last.keras --out back.safetensors");
    assert!(told.contains("\nClasses: 'cat' and 'dog' (the file's)\n"), "{told}");
    assert!(told.contains("\nNote: its optimizer's state after 4 steps is left behind"), "{told}");
    let [before, after] = [last, "back.safetensors"].map(|model| here.json(&format!("predict {model} set")));
    assert_eq!(before, after);
    here.done("train set --model tiny.toml --init-weights back.safetensors --epochs 1 --out again --quiet");
    let best = here.done("export run --format keras --input uint8 --out best.keras");
    assert!(best.contains("from 0 to 255, compiled with a new Adam"), "{best}");
    let told = here.done("import best.keras --out best.safetensors");
    assert!(told.contains("\nNote: it scales pixels by 1/255 itself, which is how they are read here\n"), "{told}");
}

#[test]
fn what_was_made_of_a_file_and_what_was_assumed_is_told() {
    let here = Here::with_set();
    here.write("a.keras", saved("tiny.keras"));
    here.write("a.pt", saved("tiny.pt"));
    here.write(
        "layers.toml",
        "input = [4, 4, 3]
layers = [
    { type = \"conv2d\", filters = 2, kernel = 2 }, { type = \"relu\" }, { type = \"max_pool\", window = 2 },
    { type = \"flatten\" }, { type = \"dense\", units = 1 },
]
",
    );
    here.prints("import a.keras --out a.safetensors", expect![[r#"
        a.keras is a Keras model: 6 layers, 29 parameters, images of 4×4×3, one answer, the probability of 'class1'
        Classes: 'class0' and 'class1' (the file has no names: --classes gives them)
        Images are read in the default way, resized by 'nearest', as Keras does
        Note: saved by Keras 3.15.1
        Note: it does not tell how pixels are scaled: from 0 to 1 is assumed; if it was trained on others, give --pixels, such as 0,255
        Wrote a.safetensors: 'glassnet predict a.safetensors IMAGE' answers with it
    "#]]);
    here.prints("import a.pt --model layers.toml --classes cat,dog --out b.safetensors --quiet", expect![[r#"
        a.pt is weights of PyTorch: 5 layers, 29 parameters, images of 4×4×3, one answer, the probability of 'dog'
        Classes: 'cat' and 'dog' (as given)
        Images are read in the default way, resized by 'nearest', as Keras does
        Note: matched by order and shape: conv2d ← 0, dense ← 4
        Note: pixels from 0 to 1 are assumed, as torchvision's ToTensor makes them; if they were normalized behind it, give --pixels, such as -1,1 for a mean and a deviation of 0.5, or imagenet
    "#]]);
    let checked = here.done("import a.keras --out c.safetensors --check set/cat/00.png set/dog/01.png");
    let lines: Vec<&str> = checked.lines().rev().skip(1).take(3).collect();
    assert!(lines[0].starts_with("By the engine in f32; the textbook in f64 differs by "), "{checked}");
    assert!(
        lines[1].starts_with("set/dog/01.png\tclass") && lines[2].starts_with("set/cat/00.png\tclass"),
        "{checked}"
    );
    assert!(here.done("predict c.safetensors set/cat/00.png").contains("\nset/cat/00.png\t"));
}

#[test]
fn pixels_and_reading_are_what_the_model_was_trained_on_and_stay_so_when_it_trains_on() {
    let here = Here::with_set();
    here.write("a.pt", saved("bordered.pt"));
    here.write(
        "layers.toml",
        "input = [12, 12, 3]
layers = [
    { type = \"conv2d\", filters = 4, kernel = 3, stride = 2, padding = 1 }, { type = \"relu\" },
    { type = \"max_pool\", window = 3, stride = 2, padding = 1 },
    { type = \"depthwise_conv2d\", kernel = [3, 2], padding = [2, 1] }, { type = \"leaky_relu\", negative_slope = 0.01 },
    { type = \"average_pool\", window = 2, padding = 1 }, { type = \"flatten\" }, { type = \"dense\", units = 1 },
]
",
    );
    let flags = "--model layers.toml --classes cat,dog --pixels imagenet --resize crop --interpolation bilinear";
    here.prints(&format!("import a.pt {flags} --out a.safetensors --quiet"), expect![[r#"
        a.pt is weights of PyTorch: 9 layers, 189 parameters, images of 12×12×3, one answer, the probability of 'dog'
        Classes: 'cat' and 'dog' (as given)
        Images are read with the middle cropped from what has another aspect; bilinear resizing
        Note: matched by order and shape: conv2d ← 0, depthwise_conv2d ← 3, dense ← 7
        Note: it sees red, green and blue each in a range of its own; a batch normalization in front, which is frozen, brings them there from 0 to 1
    "#]]);
    here.done(
        "train set --init-weights a.safetensors --resize crop --interpolation bilinear --epochs 1 --out run --quiet",
    );
    let config = here.text("run/config.toml");
    assert!(config.contains("frozen = [\"batch_normalization\"]"), "{config}");
    // The same, written out: means and deviations of red, green and blue.
    let written = "--pixels 0.485,0.456,0.406/0.229,0.224,0.225";
    here.done(&format!("import a.pt {} --out b.safetensors", flags.replace("--pixels imagenet", written)));
    assert_eq!(here.read("a.safetensors"), here.read("b.safetensors"));
    here.done("export run --format npz --out ours.npz");
    let told = "weights file ours.npz: its file tells how its images are read; leave out --upright, --range, --resize and \
                --interpolation";
    here.refused("import ours.npz --resize crop --out c.safetensors", 1, told);
}

#[test]
fn what_cannot_be_imported_is_told_in_a_sentence_and_nothing_is_written() {
    let here = Here::empty();
    here.write("a.keras", saved("tiny.keras"));
    here.write("a.pt", saved("tiny.pt"));
    here.write("there.safetensors", "the user's");
    here.prints(
        "import gone.keras --out x.safetensors",
        expect![[r#"
        stderr: error: gone.keras does not exist; check the path
        exit code 2
    "#]],
    );
    here.prints("import tiny.toml --out x.safetensors", expect![[r#"
        stderr: error: weights file tiny.toml: it is of no format that is known here; give .keras, .h5, .weights.h5, .onnx, .npz, .pt, .pth or .safetensors
        exit code 1
    "#]]);
    here.prints(
        "import a.pt --out x.safetensors",
        expect![[r#"
        stderr: error: weights file a.pt: it holds weights without their layers; give these too, with --model model.toml
        exit code 1
    "#]],
    );
    here.prints("import a.pt --model tiny.toml --out x.safetensors", expect![[r#"
        stderr: error: weights file a.pt: its tensor '0.weight' is [2, 3, 2, 2], and the layer conv2d needs [4, 3, 3, 3]; give the model that it is of
        exit code 1
    "#]]);
    here.prints("import a.keras --out there.safetensors", expect![[r#"
        stderr: error: --out there.safetensors: something of this name is there already, and stays as it is; give another name, or remove it
        exit code 2
    "#]]);
    here.prints(
        "import a.keras --classes cat,dog,hare --out x.safetensors",
        expect![[r#"
        stderr: error: classes: 3 are named, and the model tells 2 apart; name as many
        exit code 2
    "#]],
    );
    here.prints("import a.keras --pixels 3,3 --out x.safetensors", expect![[r#"
        stderr: error: invalid value '3,3' for '--pixels <BLACK,WHITE|imagenet>': it must be two numbers that differ, such as 0,255 or -1,1; imagenet; or means and deviations of red, green and blue, such as 0.5,0.5,0.5/0.2,0.2,0.2
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]]);
    assert_eq!(here.text("there.safetensors"), "the user's");
    assert!(!here.path("x.safetensors").exists());
}
