//! `--quiet`: results, warnings and errors, and nothing else.

use super::Here;
use super::printed::masked_times;

#[test]
fn a_quiet_training_prints_what_it_came_to_and_nothing_on_the_way() {
    let here = Here::with_set();
    let train = "train set --model tiny.toml --epochs 2";
    let loud = here.done(&format!("{train} --out loud"));
    let end = &loud[loud.find("Training Accuracy").unwrap()..];
    let quiet = here.done(&format!("{train} --out quiet -q"));
    assert_eq!(masked_times(&quiet), masked_times(&end.replace("loud", "quiet")));
    assert!(here.read("loud/weights/last.safetensors") == here.read("quiet/weights/last.safetensors"));

    let ran = here.run(&format!("{train} --out json --json --quiet"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(ran.json()["run_folder"], "json");
}

#[test]
fn where_a_file_is_the_result_quiet_says_nothing() {
    let here = Here::with_set();
    assert_eq!(here.done("samples set --out grid.png -q"), "");
    assert_eq!(here.done("phantom --out drawn --benign 1 --malignant 1 -q"), "");
    assert!(here.path("grid.png").is_file() && here.path("drawn/benign/benign-001.png").is_file());
}

#[test]
fn results_are_the_same_with_and_without_quiet_and_warnings_and_errors_stay() {
    let here = Here::with_model();
    here.write("set/cat/notes.txt", "");
    let weights = "run/weights/last.safetensors";
    for call in ["inspect set", &format!("evaluate {weights} set"), &format!("predict {weights} set gone.png")] {
        let (loud, quiet) = (here.run(call), here.run(&format!("{call} --quiet")));
        assert_eq!((quiet.code, quiet.stdout, &quiet.stderr), (loud.code, loud.stdout, &loud.stderr), "{call}");
        let of_notes = "warning: set: passed over, not named as an image: 1 (cat/notes.txt)\n";
        let of_gone = "error: gone.png does not exist; check the path\n";
        let expected = if call.contains("gone") { format!("{of_notes}{of_gone}") } else { of_notes.to_string() };
        assert_eq!(quiet.stderr, expected, "{call}");
    }
}
