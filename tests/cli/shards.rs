//! Sets in several packs or tars as DATA of the commands. That they are the same set to the last picture is
//! tested in the library.

use super::{Here, set};
use serde_json::json;
use std::fs;

/// Packs `set` to the size of the tiny network, in three shards.
const PACK: &str = "pack set --size 16 --shards 3 --out set.pack";

/// Writes a set into two tars, `set-0.tar` and `set-1.tar`.
fn tars(here: &Here) {
    for (index, files) in set().chunks(13).enumerate() {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, name, &bytes[..]).unwrap();
        }
        here.write(&format!("set-{index}.tar"), tar.into_inner().unwrap());
    }
}

#[test]
fn a_run_on_shards_ends_with_the_bits_of_a_run_on_one_pack() {
    let here = Here::with_set();
    let printed = here.done(PACK);
    assert!(
        printed.starts_with("Packed 24 images, 16×16 pixels in colour, into set.pack in 3 shards: 0.0 MiB"),
        "{printed}"
    );
    assert!(printed.ends_with(" s; classes: 2 (cat: 10, dog: 14)\n"), "{printed}");
    let shards = [0, 1, 2].map(|index| format!("set-0000{index}-of-00003.pack"));
    assert_eq!(here.names(""), [&["set"], &shards.each_ref().map(|shard| &shard[..])[..], &["tiny.toml"]].concat());
    here.done("pack set --size 16 --out whole.pack");
    tars(&here);
    let train = |data: &str, out: &str| {
        here.done(&format!("train {data} --model tiny.toml --epochs 2 --quiet --out {out}"));
        let files =
            ["weights/last.safetensors", "weights/best.safetensors", "split.csv", "history.csv", "predictions.csv"];
        let config = here.text(&format!("{out}/config.toml"));
        let hash = config.lines().find(|line| line.starts_with("sha256")).unwrap().to_string();
        (files.map(|file| here.read(&format!("{out}/{file}"))), hash)
    };
    let expected = train("whole.pack", "whole");
    for (data, out) in [("set.pack", "a"), (&shards[0], "b"), ("set-{0..1}.tar", "c")] {
        assert!(train(data, out) == expected, "{data}");
    }

    // A run goes on from the packs it was begun on.
    here.done("train --resume a --epochs 3 --quiet");
    here.done("train --resume whole --epochs 3 --quiet");
    assert!(here.read("a/weights/last.safetensors") == here.read("whole/weights/last.safetensors"));
    here.done("train set.pack --resume a --epochs 4 --quiet");
}

#[test]
fn the_commands_that_take_a_pack_take_the_name_of_its_shards_and_a_range_of_tars() {
    let here = Here::with_set();
    here.done(PACK);
    here.done("pack set --size 16 --out whole.pack");
    tars(&here);
    here.done("train set.pack --model tiny.toml --epochs 1 --quiet --out run");
    let as_whole = |text: String| {
        ["set.pack", "set-00000-of-00003.pack", "set-{0..1}.tar"]
            .iter()
            .fold(text, |text, name| text.replace(name, "whole.pack"))
    };
    for data in ["set.pack", "set-00000-of-00003.pack", "set-{0..1}.tar"] {
        for command in ["predict run", "evaluate run --quiet", "evaluate run --subset validation"] {
            let [ours, theirs] = [data, "whole.pack"].map(|data| as_whole(here.done(&format!("{command} {data}"))));
            assert_eq!(ours, theirs, "{command} {data}");
        }
    }
    let mut reports = ["set.pack", "whole.pack"].map(|data| here.json(&format!("inspect {data}")));
    reports.iter_mut().for_each(|report| drop(report["data"].take()));
    assert_eq!(reports[0], reports[1]);
    // The run knows its data from elsewhere.
    fs::create_dir(here.path("else")).unwrap();
    let evaluated = here.done("evaluate run --quiet");
    let there = here.command().current_dir(here.path("else")).args(["evaluate", "../run", "--quiet"]).output().unwrap();
    assert!(there.status.success(), "{}", String::from_utf8_lossy(&there.stderr));
    let accuracy = |text: &str| text.lines().find(|line| line.contains("accuracy")).map(str::to_string);
    assert_eq!(accuracy(&evaluated), accuracy(&String::from_utf8(there.stdout).unwrap()));
    here.done("samples set.pack --out grid.png --per-class 3");
    here.done("train set --validation-data set-{0..1}.tar --model tiny.toml --epochs 1 --quiet --out further");
    let same = "--validation-data: it is the data that train, and a network is to be judged on other images; name another folder";
    here.refused("train set.pack --validation-data set-00000-of-00003.pack --model tiny.toml --quiet", 2, same);
    here.refused("explain run set.pack", 2, "set.pack: it is a pack of many images; give image files");
    here.refused(
        "pack set.pack --out again.pack",
        1,
        "set.pack: it is a pack already; give the folder or the zip that it was made from",
    );
}

#[test]
fn shards_are_never_written_over_and_their_number_can_be_that_of_the_images() {
    let here = Here::with_set();
    let object = here.json(PACK);
    assert_eq!((&object["shards"], &object["images"]), (&json!(3), &json!(24)));
    let bytes: usize = [0, 1, 2].map(|index| here.read(&format!("set-0000{index}-of-00003.pack")).len()).iter().sum();
    assert_eq!(object["bytes"], bytes);
    let there = "something of this name is there already, and stays as it is; give another name, or remove it";
    here.refused(PACK, 2, &format!("--out set.pack: {there}"));
    here.refused("pack set --shards 4 --out set.pack", 2, &format!("--out set.pack: {there}"));
    here.refused("pack set --shards 25 --out b.pack", 2, "--shards 25: there are 24 images for them");
    here.refused("pack set --shards 0 --out b.pack", 2, "--shards 0: must be at least 1");
    here.refused("pack set --shards 1000 --out b.pack", 2, "--shards 1000: 512 are the most");
    assert_eq!(here.names("").len(), 5);
}

#[test]
fn what_a_shell_makes_of_a_range_or_a_star_is_told_what_to_give() {
    let here = Here::with_set();
    here.done(PACK);
    tars(&here);
    here.refused(
        "train set-0.tar set-1.tar",
        2,
        "DATA: several are given, 2 (set-0.tar, set-1.tar); where they are one set, give their range in quotation marks, as in \
         'set-{000..003}.tar'",
    );
    here.refused(
        "inspect set-00000-of-00003.pack set-00001-of-00003.pack set-00002-of-00003.pack",
        2,
        "DATA: several are given, 3 (set-00000-of-00003.pack, set-00001-of-00003.pack, set-00002-of-00003.pack); give the first shard, \
         which stands for all of its set",
    );
    here.refused(
        "inspect set-00001-of-00003.pack",
        1,
        "set-00001-of-00003.pack: it is shard 1 of 3 of a set, counted from 0; give the first, set-00000-of-00003.pack, which stands for \
         all",
    );
    fs::remove_file(here.path("set-00001-of-00003.pack")).unwrap();
    here.refused(
        "train set.pack --model tiny.toml",
        1,
        "set.pack: of the 3 shards of the set set-00001-of-00003.pack is missing; put it beside the others, or pack the images again",
    );
    here.refused("train set-{0..2}.tar --model tiny.toml", 1, "set-{0..2}.tar: of the 3 files of this range set-2.tar is missing; put it there, or give the range of those that are there");
}
