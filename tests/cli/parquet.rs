//! Parquet files as DATA.

use super::{Here, parquet_fixtures};

#[test]
fn a_parquet_file_makes_the_same_run_as_its_images_in_folders() {
    let here = Here::empty();
    parquet_fixtures::write(&here.path(""));
    for data in ["set", "labelled.parquet"] {
        here.done(&format!("train {data} --model tiny.toml --epochs 2 --out of-{data}"));
    }
    for file in ["history.csv", "steps.csv", "predictions.csv", "split.csv", "weights/best.safetensors"] {
        let [ours, theirs] = ["of-labelled.parquet", "of-set"].map(|run| here.read(&format!("{run}/{file}")));
        assert!(ours == theirs, "{file}");
    }
    let answers = here.done("predict of-set labelled.parquet");
    assert_eq!(answers.lines().count(), 1 + 15, "{answers}");
    let ran = here.run("train parts --model tiny.toml --epochs 1 --out parted");
    let note = "warning: parts: its test part, 3 images, neither trains nor validates\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), note));
    assert_eq!(here.json("evaluate parted")["subset"]["images"], 3);
    here.done("pack parts --size 16 --out parts.pack");
    here.run("train parts.pack --model tiny.toml --epochs 1 --out packed");
    assert!(here.read("packed/weights/best.safetensors") == here.read("parted/weights/best.safetensors"));
    let [train, validation] =
        ["train-00000-of-00002", "validation-00000-of-00001"].map(|name| format!("parts/data/{name}.parquet"));
    here.done(&format!("train {train} --validation-data {validation} --model tiny.toml --epochs 1 --out two"));
}
