//! DATA that is no folder: tars, tables of labels and numpy's arrays; and what they bring, a split and
//! groups.

use super::array_bytes::{npy, npz};
use super::printed::masked;
use super::{Here, csv, set};
use std::io::Write;

/// What a run computed.
const RESULTS: [&str; 5] = ["history.csv", "steps.csv", "predictions.csv", "split.csv", "weights/best.safetensors"];

/// The tensors of a run's last weights and its optimizer, without the settings before them, which name the
/// table.
fn tensors(here: &Here, run: &str) -> Vec<u8> {
    let file = here.read(&format!("{run}/weights/last.safetensors"));
    let (length, rest) = file.split_first_chunk::<8>().unwrap();
    rest[u64::from_le_bytes(*length) as usize..].to_vec()
}

/// The set as a tar.
fn tar_of_set() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in set() {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, format!("photos/{name}"), &bytes[..]).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A table of the set's files in its folder, with further columns: their headings, and what is in them of the
/// place of each.
fn table_of_set(headings: &str, cells: impl Fn(usize) -> String) -> String {
    let set = set();
    let rows = set.iter().enumerate().map(|(place, (name, _))| {
        let class = name.split_once('/').unwrap().0;
        format!("{name},{class}{}\n", cells(place))
    });
    format!("path,label{headings}\n{}", rows.collect::<String>())
}

#[test]
fn a_tar_and_a_table_make_the_same_run_as_their_images_in_folders() {
    let here = Here::with_set();
    here.write("set.tar", tar_of_set());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&tar_of_set()).unwrap();
    here.write("set.tar.gz", packed.finish().unwrap());
    here.write("set/labels.csv", table_of_set("", |_| String::new()));
    here.write("labels.csv", table_of_set("", |_| String::new()));
    let expected = here.run("train set --model tiny.toml --epochs 2 --out run");
    for (place, data) in
        ["set.tar", "set.tar.gz", "set/labels.csv", "set --labels labels.csv", "set.tar --labels labels.csv"]
            .into_iter()
            .enumerate()
    {
        let out = format!("run{place}");
        let printed = here.done(&format!("train {data} --model tiny.toml --epochs 2 --out {out}"));
        assert_eq!(masked(&printed).replace(&out, "run"), masked(&expected.stdout), "{data}");
        for file in RESULTS {
            assert!(here.read(&format!("{out}/{file}")) == here.read(&format!("run/{file}")), "{data} {file}");
        }
        assert!(tensors(&here, &out) == tensors(&here, "run"), "{data}");
        let config = |run: &str| here.text(&format!("{run}/config.toml")).parse::<toml::Table>().unwrap();
        assert_eq!(config(&out)["data"]["sha256"], config("run")["data"]["sha256"], "{data}");
        // Without DATA it is the run's, with its labels.
        let json = here.json(&format!("evaluate {out} --subset validation"));
        assert_eq!((&json["subset"]["images"], &json["subset"]["same_files"]), (&4.into(), &true.into()), "{data}");
        here.done(&format!("train --resume {out} --epochs 3"));
    }
    here.run("train --resume run --epochs 3");
    let expected = tensors(&here, "run");
    for place in 0..5 {
        assert!(tensors(&here, &format!("run{place}")) == expected, "run{place} went on");
    }
    // A path of another place is looked for in the tar.
    let ran = here.json("inspect set.tar --labels labels.csv");
    assert_eq!((&ran["classes"][1]["training"], &ran["classes"][1]["validation"]), (&12.into(), &2.into()));
}

#[test]
fn the_split_and_the_groups_of_a_table_are_kept() {
    let here = Here::with_set();
    let part = |place: usize| match place % 4 {
        0 | 1 => ",train".to_string(),
        2 => ",val".to_string(),
        _ => ",test".to_string(),
    };
    here.write("set/labels.csv", table_of_set(",split", part));
    let train = "train set/labels.csv --model tiny.toml --epochs 1 --out";
    let ran = here.run(&format!("{train} run"));
    let note = "warning: set/labels.csv: its test part, 6 images, neither trains nor validates\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), note));
    assert!(
        ran.stdout.starts_with("Found 12 images belonging to 2 classes.\nFound 6 images belonging to 2 classes.\n"),
        "{}",
        ran.stdout
    );
    let split = here.text("run/split.csv");
    let subset = |file: &str| csv(&split).iter().find(|row| row[0] == file).map(|row| row[2].to_string());
    assert_eq!(subset("cat/00.png").as_deref(), Some("training"));
    assert_eq!(subset("cat/02.png").as_deref(), Some("validation"));
    assert_eq!(subset("cat/03.png"), None);
    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert!(config["settings"].get("validation_split").is_none());
    here.run("train --resume run --epochs 2");
    assert_eq!(here.text("run/split.csv"), split);

    let ran = here.run("evaluate run --json --quiet");
    let json = ran.json();
    assert_eq!((&json["subset"]["name"], &json["subset"]["images"]), (&"test".into(), &6.into()));
    let printed = here.run("evaluate run set/labels.csv --quiet").stdout;
    let line = "Subset    test, 6 of 24 images; run/split.csv, which lists what trained the model, names none of them";
    assert!(printed.contains(line), "{printed}");
    assert_eq!(here.run("evaluate run --subset validation --json --quiet").json()["subset"]["images"], 6);
    assert_eq!(here.run("evaluate run --subset all --json --quiet").json()["subset"]["images"], 24);
    let ran = here.run("evaluate run set --subset test");
    let sentence = "error: --subset: the data in set tell of no test part; use --subset all\n";
    assert!(ran.code == Some(2) && ran.stderr.ends_with(sentence), "{}", ran.stderr);

    let sentence = "--validation-split 0.3: the data in set/labels.csv bring the images that validate; leave it out";
    here.refused(&format!("{train} no --validation-split 0.3"), 2, sentence);
    let sentence =
        "--validation-data: the data in set/labels.csv bring a split of their own; leave it out, and give them as DATA";
    here.refused(&format!("{train} no --validation-data set"), 2, sentence);

    here.write("set/labels.csv", table_of_set(",patient_id", |place| format!(",p{}", place / 2)));
    let printed = here.run(&format!("{train} grouped"));
    assert!(!here.path("no").exists() && printed.code == Some(0), "{}", printed.stderr);
    let split = here.text("grouped/split.csv");
    let rows = csv(&split);
    assert_eq!(rows[0], ["file", "class", "subset", "group", "sha256"]);
    for rows in rows[1..]
        .iter()
        .map(|row| (row[3], row[2]))
        .collect::<std::collections::BTreeSet<_>>()
        .iter()
        .zip(1..)
        .collect::<Vec<_>>()
        .windows(2)
    {
        assert_ne!(rows[0].0.0, rows[1].0.0, "no group is on both sides");
    }
}

#[test]
fn a_pack_keeps_the_split_and_the_groups_of_its_data() {
    let here = Here::with_set();
    let part = |place: usize| format!(",{}", ["train", "val", "train", "test"][place / 2 % 4]);
    for (table, headings, cells) in [
        ("split", ",split", &part as &dyn Fn(usize) -> String),
        ("grouped", ",patient", &|place| format!(",\"p, {}\"", place / 2)),
        ("both", ",split,patient", &|place| format!("{},p{}", part(place), place / 2)),
    ] {
        here.write(&format!("set/{table}.csv"), table_of_set(headings, cells));
    }
    here.write("med.npz", medmnist());
    for (data, name) in
        [("set/split.csv", "split"), ("set/grouped.csv", "grouped"), ("set/both.csv", "both"), ("med.npz", "arrays")]
    {
        here.done(&format!("pack {data} --size 16 --out {name}.pack"));
        let train = |data: &str, run: &str| {
            here.run(&format!("train {data} --model tiny.toml --epochs 2 --seed 3 --out {run}"))
        };
        let [ours, theirs] = [train(&format!("{name}.pack"), "of-pack"), train(data, "of-data")];
        assert_eq!((ours.code, theirs.code), (Some(0), Some(0)), "{}", ours.stderr);
        assert_eq!(ours.stderr.replace(&format!("{name}.pack"), data), theirs.stderr);
        for file in RESULTS {
            assert!(here.read(&format!("of-pack/{file}")) == here.read(&format!("of-data/{file}")), "{name} {file}");
        }
        let judged = |run: &str| here.run(&format!("evaluate {run} --json --quiet")).json();
        let [ours, theirs] = ["of-pack", "of-data"].map(judged);
        assert_eq!(ours["loss"], theirs["loss"], "{name}");
        assert_eq!(ours["subset"]["images"], theirs["subset"]["images"], "{name}");
        for run in ["of-pack", "of-data"] {
            std::fs::remove_dir_all(here.path(run)).unwrap();
        }
    }
    let printed = here.done("pack set/both.csv --size 16 --out all.pack");
    assert!(printed.starts_with("Packed 24 images"), "{printed}");
}

/// A set as MedMNIST has them: 20 dark and bright images that train, 8 that validate, 6 for a test.
fn medmnist() -> Vec<u8> {
    let part = |count: usize| {
        let level = |image: usize, pixel: usize| (image % 2 * 100 + (image * 31 + pixel * 7) % 90) as u8;
        let pixels: Vec<u8> = (0..count).flat_map(|image| (0..256).map(move |pixel| level(image, pixel))).collect();
        let labels: Vec<u8> = (0..count).map(|image| (image % 2) as u8).collect();
        (npy("|u1", &[count, 16, 16], &pixels), npy("|u1", &[count, 1], &labels))
    };
    let [train, val, test] = [20, 8, 6].map(part);
    npz(&[
        ("train_images", train.0),
        ("train_labels", train.1),
        ("val_images", val.0),
        ("val_labels", val.1),
        ("test_images", test.0),
        ("test_labels", test.1),
    ])
}

#[test]
fn arrays_bring_their_split_and_predict_takes_them_too() {
    let here = Here::empty();
    here.write("med.npz", medmnist());
    let ran = here.run("train med.npz --model tiny.toml --epochs 2 --out run");
    let note = "warning: med.npz: its test part, 6 images, neither trains nor validates\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), note));
    assert!(
        ran.stdout.starts_with("Found 20 images belonging to 2 classes.\nFound 8 images belonging to 2 classes.\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(here.run("evaluate run --json --quiet").json()["subset"]["images"], 6);
    let answers = here.done("predict run med.npz");
    assert_eq!(answers.lines().count(), 1 + 34, "a heading, and each image");
    assert!(answers.lines().nth(1).unwrap().starts_with("med.npz/0/test/00000.ppm\t"), "{answers}");
}

#[test]
fn columns_that_are_not_there_are_told_with_those_that_are() {
    let here = Here::with_set();
    here.write("set/labels.csv", "Datei,Befund\ncat/00.png,a\ndog/00.png,b\n");
    let inspect = "inspect set/labels.csv";
    let sentence = "--path-column: which column of set/labels.csv holds the images' paths cannot be told, as none is named path, imagepath \
                    or the like; give one of its columns, 2 (Datei, Befund)";
    here.refused(inspect, 2, sentence);
    let sentence = "--label-column x: set/labels.csv has no such column; it has 2 (Datei, Befund)";
    here.refused(&format!("{inspect} --path-column Datei --label-column x"), 2, sentence);
    let ran = here.run(&format!("{inspect} --path-column Datei --label-column Befund --json --quiet"));
    assert_eq!((ran.code, &ran.json()["classes"][0]["name"]), (Some(0), &"a".into()), "{}", ran.stderr);
    let sentence = "--label-column Befund: in set the folders tell the classes, and no table does; leave it out, or give the table \
                    with --labels";
    here.refused("inspect set --label-column Befund", 2, sentence);
    let sentence =
        "set/labels.csv: it is a table of labels itself; give the folder of the images, or leave set/labels.csv out";
    here.refused(&format!("{inspect} --labels set/labels.csv"), 1, sentence);
}
