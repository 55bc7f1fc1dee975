//! `glassnet profile`: tables, page, trace and figures, and what it leaves alone.

use super::{Here, keys};

const PROFILE: &str = "profile set --model tiny.toml --steps 2 --threads 2";

#[test]
fn tables_begin_with_what_could_be_won_and_add_up_to_all_of_the_time() {
    let here = Here::with_set();
    let before = here.names(".");
    let ran = here.run(PROFILE);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let told = &ran.stdout;
    for part in [
        "training step: ",
        "inference: ",
        "to win",
        "100.0 % of 2 threads",
        "Recording changed the time of a step by",
        "memory of the training run: ",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("glassnet bench conv "), "{told}");
    assert_eq!(here.names("."), before, "nothing is written");
    let why = here.run(&format!("{PROFILE} --why"));
    for part in [": taken\n", "\n  $ glassnet bench conv n"] {
        assert!(why.stdout.contains(part), "{part}: {}", why.stdout);
    }
    // What it says replays a row alone does.
    let replay = why.stdout.lines().find_map(|line| line.trim().strip_prefix("$ glassnet ")).unwrap();
    assert!(here.done(&format!("{replay} --rounds 1")).contains("GF"), "{replay}");
}

#[test]
fn a_folder_holds_the_page_the_figures_and_the_trace() {
    let here = Here::with_set();
    let told = here.run(&format!("{PROFILE} --out profiled --quiet"));
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert_eq!(here.names("profiled"), ["profile.html", "profile.json", "trace.json"]);
    let page = here.text("profiled/profile.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("default-src 'none'"), "{page}");
    let figures: serde_json::Value = serde_json::from_str(&here.text("profiled/profile.json")).unwrap();
    assert_eq!(figures["passes"][0]["timeline"].as_array().unwrap().len(), 2);
    let trace: serde_json::Value = serde_json::from_str(&here.text("profiled/trace.json")).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().len() > 10);
    here.refused(
        &format!("{PROFILE} --out profiled"),
        2,
        "--out: profiled is not empty, and nothing is overwritten; name a new folder",
    );
    here.refused(
        &format!("{PROFILE} --out set/cat/in"),
        2,
        "--out: set/cat/in would lie in set, where it would be taken for a folder of images; name a folder outside of the data",
    );
}

#[test]
fn the_object_has_the_figures_without_the_spans() {
    let here = Here::with_set();
    let told = here.json(&format!("{PROFILE} --no-fuse --conv im2col"));
    assert_eq!(keys(&told), ["machine", "memory", "passes", "subject"]);
    assert_eq!((&told["subject"]["conv"], &told["subject"]["fuse"]), (&"im2col".into(), &false.into()));
    for pass in told["passes"].as_array().unwrap() {
        assert_eq!(pass["timeline"], serde_json::json!([]));
        let sum = |of: &str| pass[of].as_array().unwrap().iter().map(|row| row["share"].as_f64().unwrap()).sum::<f64>();
        assert!((sum("rows") + sum("idle") - 1.0).abs() < 1e-9);
        let algorithms = pass["rows"].as_array().unwrap().iter().filter(|row| row["what"] == "convolution");
        assert!(algorithms.clone().count() > 0 && algorithms.into_iter().all(|row| row["how"] == "im2col"));
    }
}

#[test]
fn what_cannot_be_profiled_is_refused() {
    let here = Here::with_set();
    here.refused("profile nowhere", 2, "nowhere does not exist; check the path");
    let ran = here.run("profile set --steps 0");
    assert!(ran.code == Some(2) && ran.stderr.contains("it must be a whole number from 1 to 1000"), "{}", ran.stderr);
}
