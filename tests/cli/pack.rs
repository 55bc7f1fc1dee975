//! `glassnet pack`, and packs as DATA of the other commands. That every sample is that of its image is tested
//! in the library.

use super::{Here, set, zipped};
use image::{ImageBuffer, ImageFormat, Luma};
use serde_json::json;
use std::io::Cursor;

/// Packs `set` to the size of the tiny network.
const PACK: &str = "pack set --size 16 --out set.pack";

/// What training on both leaves that is to be the same.
const SAME: [&str; 6] = [
    "weights/last.safetensors",
    "weights/best.safetensors",
    "split.csv",
    "predictions.csv",
    "history.csv",
    "steps.csv",
];

/// Trains on the images and on their pack, and wants the same files of both.
#[track_caller]
fn trains_alike(here: &Here, images: &str, pack: &str, flags: &str, reading: &str) {
    let train = |data: &str, flags: &str, out: &str| {
        let ran = here.run(&format!("train {data} --epochs 2 --out {out} {flags}"));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stderr
    };
    let warnings = train(images, &format!("{flags} {reading}"), "of-images");
    assert_eq!(train(pack, flags, "of-pack"), warnings);
    for name in SAME {
        let [ours, theirs] = ["of-pack", "of-images"].map(|run| here.read(&format!("{run}/{name}")));
        assert!(ours == theirs, "{name} of {pack} {flags}");
    }
    let hash = |run: &str| {
        let config = here.text(&format!("{run}/config.toml"));
        config.lines().find(|line| line.starts_with("sha256")).unwrap().to_string()
    };
    assert_eq!(hash("of-pack"), hash("of-images"));
    for run in ["of-images", "of-pack"] {
        std::fs::remove_dir_all(here.path(run)).unwrap();
    }
}

/// The line that `pack` prints, without the time it took.
fn without_the_time(line: &str) -> String {
    let (before, rest) = line.split_once(" MiB in ").unwrap();
    let (seconds, after) = rest.split_once(" s;").unwrap();
    seconds.parse::<f64>().unwrap();
    format!("{before} MiB;{after}")
}

#[test]
fn a_run_on_a_pack_ends_with_the_bits_of_a_run_on_its_images() {
    let here = Here::with_set();
    let printed = here.done(PACK);
    let expected = "Packed 24 images, 16×16 pixels in colour, into set.pack: 0.0 MiB; classes: 2 (cat: 10, dog: 14)\n";
    assert_eq!(without_the_time(&printed), expected);
    here.write("set.zip", zipped(&set()));
    here.done("pack set.zip --size 16 --out zip.pack");
    assert!(here.read("zip.pack") == here.read("set.pack"));
    let model = "--model tiny.toml";
    trains_alike(&here, "set", "set.pack", model, "");
    trains_alike(&here, "set.zip", "zip.pack", model, "");
    trains_alike(&here, "set", "set.pack", &format!("{model} --augment flip,shift,rotate,zoom,brightness"), "");
    trains_alike(
        &here,
        "set",
        "set.pack",
        &format!("{model} --group-regex [0-9]+ --seed 5 --class-weight balanced"),
        "",
    );
    trains_alike(
        &here,
        "set",
        "set.pack",
        &format!("{model} --validation-split 0.4 --cache 0 --threads 1 --quiet"),
        "",
    );
}

#[test]
fn grey_pictures_and_what_was_chosen_of_reading_need_not_be_given_again() {
    let here = Here::with_set();
    here.write("grey.toml", super::TINY.replace("16, 16, 3", "12, 20, 1"));
    let reading = "--resize letterbox --interpolation bilinear --upright";
    here.done(&format!("pack set --size 12x20 --grey --out grey.pack {reading}"));
    trains_alike(&here, "set", "grey.pack", "--model grey.toml", reading);
    trains_alike(&here, "set", "grey.pack", &format!("--model grey.toml {reading}"), "");
    for (flags, sentence) in [
        ("--resize crop", "--resize crop: grey.pack was packed with letterbox"),
        ("--interpolation=nearest", "--interpolation nearest: grey.pack was packed with bilinear"),
    ] {
        let sentence = format!("{sentence}; leave it out, or pack the images again");
        here.refused(&format!("train grey.pack --model grey.toml {flags} --out no"), 2, &sentence);
    }
    let advice = "ask for what it holds, or pack the images again";
    let sentence = format!(
        "grey.pack: it holds images of 12×20 pixels in grey, and 16×16 pixels in colour are asked for; {advice}"
    );
    here.refused("train grey.pack --model tiny.toml --quiet --json", 1, &sentence);
}

#[test]
fn the_documented_network_takes_the_size_of_a_pack() {
    let here = Here::with_set();
    here.done("pack set --size 24x32 --out set.pack");
    trains_alike(&here, "set", "set.pack", "", "--image-size 24x32");
    let sentence = "set.pack: it holds images of 24×32 pixels in colour, and 32×32 pixels in colour are asked for; ask for what it \
                    holds, or pack the images again";
    here.refused("train set.pack --image-size 32 --quiet --json", 1, sentence);
    let sentence = "--upright: set.pack was packed without it; leave it out, or pack the images again";
    here.refused("train set.pack --upright", 2, sentence);
}

#[test]
fn sixteen_bits_and_their_range_stay_as_they_were_packed() {
    let here = Here::with_set();
    for index in 0..6u16 {
        let class = ["cat", "dog"][usize::from(index % 2)];
        let mut bytes = Cursor::new(Vec::new());
        let picture = ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(15, 17, |x, y| {
            Luma([1000 + 700 * index + 31 * x as u16 + 7 * y as u16])
        });
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        here.write(&format!("set/{class}/deep{index}.png"), bytes.into_inner());
    }
    let quiet = |arguments: &str| {
        let ran = here.run(arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stderr.lines().all(|line| line.starts_with("warning: ")), "{}", ran.stderr);
    };
    for (flags, name) in
        [("", "all"), ("--bit-depth 8", "eight"), ("--range 1000,5000 --interpolation bilinear", "range")]
    {
        quiet(&format!("pack set --size 16 --out {name}.pack {flags}"));
        quiet(&format!("train set --model tiny.toml --epochs 1 --out {name}-images {flags}"));
        quiet(&format!("train {name}.pack --model tiny.toml --epochs 1 --out {name}-pack"));
        let [ours, theirs] = ["pack", "images"].map(|of| here.read(&format!("{name}-{of}/weights/last.safetensors")));
        assert!(ours == theirs, "{flags}");
    }
    let again = "leave it out, or pack the images again";
    for (flags, sentence) in [
        ("all.pack --bit-depth 8", "--bit-depth 8: all.pack was packed with 16"),
        ("all.pack --range auto", "--range auto: all.pack was packed without it"),
        ("range.pack --range 1,2", "--range 1,2: range.pack was packed with 1000,5000"),
    ] {
        here.refused(&format!("train {flags} --model tiny.toml"), 2, &format!("{sentence}; {again}"));
    }
    let object = here.run("pack set --size 16 --range auto --out auto.pack --json --quiet").json();
    assert_eq!(object["reading"], json!({"range": [1000, 5046], "bit_depth": 16}));
}

#[test]
fn a_set_that_is_parted_trains_and_validates_from_two_packs_or_one() {
    let here = Here::with_set();
    for (name, bytes) in set().into_iter().step_by(3) {
        here.write(&format!("val/{name}"), bytes);
    }
    here.done(PACK);
    here.done("pack val --size 16 --out val.pack");
    let train = |data: &str, further: &str, out: &str| {
        here.done(&format!("train {data} --validation-data {further} --model tiny.toml --epochs 2 --out {out}"));
        here.read(&format!("{out}/weights/best.safetensors"))
    };
    let expected = train("set", "val", "a");
    assert!(expected == train("set.pack", "val.pack", "b"));
    assert!(expected == train("set.pack", "val", "c"));
    assert!(expected == train("set", "val.pack", "d"));
    // One by one, they are told how.
    here.write("both/train/cat/1.png", b"");
    here.write("both/val/cat/1.png", b"");
    here.write("both/train/dog/1.png", b"");
    here.write("both/val/dog/1.png", b"");
    let ran = here.run("pack both --out both.pack");
    assert!(ran.stderr.contains("both/train") && ran.stderr.contains("both/val"), "{}", ran.stderr);
    here.done("pack val --size 8 --out small.pack");
    let sentence = "small.pack: it holds images of 8×8 pixels in colour, and 16×16 pixels in colour are asked for; ask for what it \
                    holds, or pack the images again";
    here.refused("train set --validation-data small.pack --model tiny.toml --quiet --json", 1, sentence);
}

#[test]
fn folds_and_a_run_that_goes_on_have_the_bits_of_the_images() {
    let here = Here::with_set();
    here.done(PACK);
    for (data, out) in [("set", "images"), ("set.pack", "pack")] {
        here.done(&format!("train {data} --model tiny.toml --folds 3 --epochs 1 --out {out}"));
        here.done(&format!("train {data} --model tiny.toml --epochs 1 --out {out}1"));
        here.done(&format!("train --resume {out}1 --epochs 3"));
    }
    for name in ["fold1/weights/best.safetensors", "fold3/weights/last.safetensors", "folds.csv"] {
        assert!(here.read(&format!("images/{name}")) == here.read(&format!("pack/{name}")), "{name}");
    }
    assert!(here.read("images1/weights/best.safetensors") == here.read("pack1/weights/best.safetensors"));
    // The images are the same wherever they are: a run on them goes on from the pack, and is told if not.
    here.done("train set.pack --resume images1 --epochs 4");
    here.done("pack set --size 8 --out small.pack");
    let ran = here.run("train small.pack --resume images1 --epochs 5");
    assert!(ran.stderr.contains("it holds images of 8×8 pixels in colour, and 16×16"), "{}", ran.stderr);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn evaluate_predict_inspect_and_samples_take_a_pack() {
    let here = Here::with_model();
    here.done(PACK);
    let judged = |data: &str, out: &str| {
        let mut object = here.json(&format!("evaluate run {data} --subset validation --out {out}"));
        for key in ["data", "left_out"] {
            object[key].take();
        }
        object["subset"]["description"].take();
        (object, here.read(&format!("{out}/predictions.csv")))
    };
    assert_eq!(judged("set", "a"), judged("set.pack", "b"));
    let [ours, theirs] = ["set.pack", "set"].map(|data| here.json(&format!("evaluate run {data}"))["subset"].clone());
    assert_eq!((&ours["same_files"], &ours), (&json!(true), &theirs));

    let lines = |data: &str| here.done(&format!("predict run {data}")).replace("set.pack/", "set/");
    assert_eq!(lines("set.pack"), lines("set"));

    let mut reports = ["set.pack", "set"].map(|data| here.json(&format!("inspect {data}")));
    for report in &mut reports {
        report["data"].take();
    }
    let [ours, theirs] = reports;
    assert_eq!(ours, theirs, "sizes and modes are those of the files");

    let printed = here.done("samples set.pack --out grid.png --per-class 3 --augment flip");
    assert!(printed.starts_with("Drew 3 images of 'cat' and 3 of 'dog'"), "{printed}");
    here.refused("explain run set.pack", 2, "set.pack: it is a pack of many images; give image files");
    here.refused("gradcheck run set.pack", 2, "set.pack: it is a pack of many images; give image files");

    here.done("pack set --size 8 --out small.pack");
    let sentence = "small.pack: it holds images of 8×8 pixels in colour, and 16×16 pixels in colour are asked for; ask for what it \
                    holds, or pack the images again";
    here.refused("evaluate run small.pack", 1, sentence);
    let ran = here.run("predict run small.pack --json");
    assert_eq!((ran.code, ran.stderr), (Some(1), format!("error: {sentence}\n")));
}

#[test]
fn a_pack_is_never_written_over_nor_made_of_a_pack() {
    let here = Here::with_set();
    let object = here.json(PACK);
    assert_eq!(object["images"], 24);
    assert_eq!(object["classes"], json!([{"name": "cat", "images": 10}, {"name": "dog", "images": 14}]));
    assert_eq!((&object["size"], &object["left_out"]), (&json!([16, 16, 3]), &json!([])));
    let before = here.read("set.pack");
    assert_eq!(object["bytes"], before.len());
    let there = "something of this name is there already, and stays as it is; give another name, or remove it";
    here.refused(PACK, 2, &format!("--out set.pack: {there}"));
    here.refused("pack set --out set", 2, &format!("--out set: {there}"));
    assert!(here.read("set.pack") == before);
    let sentence = "set.pack: it is a pack already; give the folder or the zip that it was made from";
    here.refused("pack set.pack --out again.pack", 1, sentence);
    here.refused(
        "pack set --size 70000 --out no.pack",
        2,
        "--size 70000x70000: pictures of 70000×70000 pixels, where 65535 on a side and 67108864 in all are the most",
    );
    assert!(!here.path("again.pack").exists() && !here.path("no.pack").exists());
}

#[test]
fn images_that_cannot_be_read_stop_it_or_are_left_out_by_all_that_trains_on_it() {
    let here = Here::with_set();
    here.write("set/cat/03.png", b"");
    here.write("set/cat/notes.txt", b"text");
    let ran = here.run(PACK);
    let passed = "warning: set: passed over, not named as an image: 1 (cat/notes.txt)\n";
    let fault = "set/cat/03.png cannot be read as an image: the file is empty; fetch it again, or take it out";
    let sum = "error: set: 1 image cannot be read; mend it or take it out, or pack without it, with --skip-bad\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert_eq!(ran.stderr, format!("{passed}error: {fault}\n{sum}"));
    assert_eq!(here.names(""), ["set", "tiny.toml"]);

    let ran = here.run(&format!("{PACK} --skip-bad"));
    assert_eq!((ran.code, ran.stderr), (Some(0), format!("{passed}warning: left out: {fault}\n")));
    let expected = "Packed 23 images, 16×16 pixels in colour, into set.pack: 0.0 MiB; classes: 2 (cat: 9, dog: 14); left out: 2 \
                    (cat/notes.txt, cat/03.png)\n";
    assert_eq!(without_the_time(&ran.stdout), expected);
    let train = |data: &str, out: &str| {
        let ran = here.run(&format!("train {data} --model tiny.toml --epochs 1 --out {out}"));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        (here.read(&format!("{out}/weights/last.safetensors")), here.read(&format!("{out}/split.csv")))
    };
    assert!(train("set --skip-bad", "a") == train("set.pack", "b"));
    assert_eq!(here.run("evaluate a set.pack --quiet").code, Some(0));
}

#[test]
fn a_damaged_pack_is_refused_by_name_and_a_damaged_image_in_it_by_its_own() {
    let here = Here::with_set();
    here.done(PACK);
    let whole = here.read("set.pack");
    let damaged = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    here.write("cut.pack", &whole[..whole.len() - 1]);
    let sizes = format!("its header tells of {} bytes, and it has {}", whole.len(), whole.len() - 1);
    let sentence = format!("cut.pack: it is a damaged pack: {sizes}; put back a copy, or pack the images again");
    here.refused("train cut.pack --model tiny.toml", 1, &sentence);
    here.refused("inspect cut.pack", 1, &sentence);
    here.write("table.pack", damaged(whole.len() - 4));
    let sentence = "table.pack: it is a damaged pack: its table is not as it was written, by its checksum; put back a copy, or pack the \
                    images again";
    here.refused("train table.pack --model tiny.toml", 1, sentence);
    here.write("image.pack", damaged(64 + 5 * 768 + 100));
    let ran = here.run("train image.pack --model tiny.toml --out run");
    let sentence = "image.pack/cat/05.png cannot be read as an image: its samples are not those that were packed, by their checksum; put \
                    back a copy of the pack, or pack the images again";
    assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
    assert_eq!(ran.code, Some(1));
}
