//! `--json`: on every command that has a result, stdout is one JSON object and nothing else.

use super::{Here, keys};

#[test]
fn with_json_every_command_that_has_a_result_prints_one_object_and_nothing_else() {
    let here = Here::with_model();
    let weights = "run/weights/last.safetensors";
    for call in [
        "train set --model tiny.toml --epochs 1 --out again",
        "train --resume again",
        "reproduce --out documented",
        &format!("predict {weights} set"),
        &format!("evaluate {weights} set"),
        "inspect set",
        "samples set --out grid.png",
        "summary tiny.toml",
        "phantom --out drawn --benign 1 --malignant 1",
        "bench conv n1h5w5c2f3k3 --rounds 1 --threads 1",
        "bench step --model tiny.toml --steps 1 --threads 1",
    ] {
        let ran = here.run(&format!("{call} --json"));
        assert_eq!(ran.code, Some(0), "{call}: {}", ran.stderr);
        assert!(ran.json().as_object().unwrap().len() > 1, "{call}");
        assert!(ran.stdout.starts_with("{\n") && ran.stdout.ends_with("\n}\n"), "{call}: {}", ran.stdout);
    }
}

#[test]
fn what_samples_and_phantom_have_written_is_told_as_json() {
    let here = Here::with_set();
    let object = here.json("samples set --out grid.png --per-class 2");
    assert_eq!(keys(&object), ["augment", "classes", "data", "picture", "seed"]);
    assert_eq!((&object["data"], &object["picture"], &object["seed"]), (&"set".into(), &"grid.png".into(), &0.into()));
    for (class, name) in [(0, "cat"), (1, "dog")] {
        assert_eq!(object["classes"][class]["name"], name);
        let images = object["classes"][class]["images"].as_array().unwrap();
        assert_eq!(images.len(), 2);
        assert!(images.iter().all(|image| here.path("set").join(image.as_str().unwrap()).is_file()), "{images:?}");
    }

    let object = here.json("phantom --out drawn --benign 1 --malignant 2 --seed 5");
    let expected = serde_json::json!({
        "folder": "drawn",
        "seed": 5,
        "benign": 1,
        "malignant": 2,
        "note": "the images are synthetic; not for diagnosis",
    });
    assert_eq!(object, expected);
}

#[test]
fn an_error_leaves_stdout_empty() {
    let here = Here::with_set();
    for call in ["train missing", "predict missing set", "evaluate missing set", "inspect missing", "summary missing"] {
        let ran = here.run(&format!("{call} --json"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{call}");
        assert_eq!(ran.stderr, "error: missing does not exist; check the path\n", "{call}");
    }
}
