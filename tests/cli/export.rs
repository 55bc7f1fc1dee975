//! `glassnet export`, and `import` of what it wrote.

use super::Here;

/// The last line's number: the largest difference of a probability.
fn difference(printed: &str) -> f64 {
    let rest = printed.split("the largest difference of a probability is ").nth(1).unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn what_is_exported_and_imported_answers_the_same_to_the_last_bit() {
    let here = Here::with_model();
    let answers = here.done("predict run set");
    for (name, flags) in
        [("a.onnx", "--format onnx"), ("b.onnx", "--format onnx --input uint8"), ("c.npz", "--format npz")]
    {
        let printed = here.done(&format!("export run {flags} --out {name} set/cat/00.png"));
        assert!(printed.starts_with(&format!("Wrote {name}: ")), "{printed}");
        assert!(printed.contains("Read back and run on 1 image: ") && difference(&printed) <= 1e-6, "{printed}");
        let back = format!("{name}.safetensors");
        here.done(&format!("import {name} --out {back}"));
        assert_eq!(here.done(&format!("predict {back} set")), answers, "{name}");
        assert_eq!(here.read(&back), here.read("run/weights/best.safetensors"), "{name}");
    }
}

#[test]
fn without_images_drawn_ones_are_taken_and_that_is_said() {
    let here = Here::with_model();
    let printed = here.done("export run --format onnx --out a.onnx");
    assert!(printed.contains("on 2 images drawn at random, as no image was given"), "{printed}");
    let json = here.json("export run --format npz --out a.npz");
    assert_eq!((&json["images"], &json["drawn_images"]), (&0.into(), &2.into()));
    assert!(json["largest_difference"].as_f64().unwrap() <= 1e-6, "{json}");
}

#[test]
fn scripts_name_the_files_beside_them_and_all_layers() {
    let here = Here::with_model();
    let printed = here.done("export run --format npz --out a.npz --script keras --script pytorch");
    let line = "Wrote a_keras.py and a_pytorch.py, which load it and compare with a_check.npz\n";
    assert!(printed.ends_with(line), "{printed}");
    for script in ["a_keras.py", "a_pytorch.py"] {
        let text = here.text(script);
        let wanted = ["\"a.npz\"", "\"a_check.npz\"", "\"conv2d\"", "\"dense\"", "[\"cat\", \"dog\"]"];
        assert!(wanted.iter().all(|part| text.contains(part)), "{text}");
    }
}

#[test]
fn what_does_not_go_together_is_refused_and_nothing_is_overwritten() {
    let here = Here::with_model();
    here.write("mine.onnx", "mine");
    let taken = "--out mine.onnx: something of this name is there already, and stays as it is; give another name, or \
                 remove it";
    here.refused("export run --format onnx --out mine.onnx", 2, taken);
    assert_eq!(here.text("mine.onnx"), "mine");
    let script = "--script: a script loads an npz file; give --format npz";
    here.refused("export run --format onnx --out a.onnx --script keras", 2, script);
    let input = "--input: it is for --format onnx and keras; leave it out";
    here.refused("export run --format npz --input uint8 --out a.npz", 2, input);
    assert!(!here.path("a.npz").exists() && !here.path("a.onnx").exists());
}
