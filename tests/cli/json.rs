//! `--json`: on every command that has a result, stdout is one JSON object and nothing else.

use super::Here;
use expect_test::expect;

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
        "profile set --model tiny.toml --steps 1",
    ] {
        let quiet = if call.starts_with("bench") || call.starts_with("summary") { "" } else { "--quiet" };
        let ran = here.run(&format!("{call} --json {quiet}"));
        // Of a build without optimisation bench and profile say so.
        let is_slow = cfg!(debug_assertions) && (call.starts_with("bench") || call.starts_with("profile"));
        assert!(ran.code == Some(0) && (ran.stderr.is_empty() || is_slow), "{call}: {}", ran.stderr);
        assert!(ran.json().as_object().unwrap().len() > 1, "{call}");
        assert!(ran.stdout.starts_with("{\n") && ran.stdout.ends_with("\n}\n"), "{call}: {}", ran.stdout);
    }
}

#[test]
fn what_samples_and_phantom_have_written_is_told_as_json() {
    let here = Here::with_set();
    here.prints(
        "samples set --out grid.png --per-class 2 --json",
        expect![[r#"
            {
              "augment": null,
              "classes": [
                {
                  "images": [
                    "cat/06.png",
                    "cat/05.png"
                  ],
                  "name": "cat"
                },
                {
                  "images": [
                    "dog/04.png",
                    "dog/03.png"
                  ],
                  "name": "dog"
                }
              ],
              "data": "set",
              "left_out": [],
              "picture": "grid.png",
              "seed": 0
            }
        "#]],
    );
    here.prints(
        "phantom --out drawn --benign 1 --malignant 2 --seed 5 --json",
        expect![[r#"
        {
          "benign": 1,
          "folder": "drawn",
          "malignant": 2,
          "note": "the images are synthetic; not for diagnosis",
          "seed": 5
        }
    "#]],
    );
}

#[test]
fn an_error_leaves_stdout_empty() {
    let here = Here::with_set();
    for call in ["train missing", "predict missing set", "evaluate missing set", "inspect missing", "summary missing"] {
        here.refused(&format!("{call} --json"), 2, "missing does not exist; check the path");
    }
}
