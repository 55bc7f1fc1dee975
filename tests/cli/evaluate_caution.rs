//! What `evaluate` says where its figures are better than new images would give.

use super::Here;
use serde_json::json;

#[test]
fn weights_that_were_chosen_by_the_validation_images_are_said_to_be_so() {
    let here = Here::with_model();
    // After two epochs the network takes all that validates for dogs, which is said first.
    let one_class = "every image is taken for 'dog': the accuracy is that class's share, no skill";
    let cautions = |arguments: &str| here.json(arguments)["cautions"].clone();
    let caution = "of 2 epochs' weights these have the lowest loss on the validation images, which flatters them here";
    assert_eq!(cautions("evaluate run set --subset validation"), json!([one_class, caution]));
    let text = here.done("evaluate run set --subset validation");
    assert!(text.contains(&format!("\nCaution   {caution}\n")), "{text}");
    // Nothing chose the last weights, and of one epoch there is nothing to choose.
    assert_eq!(cautions("evaluate run/weights/last.safetensors set --subset validation"), json!([one_class]));
    here.done("train set --model tiny.toml --epochs 1 --out single");
    assert_eq!(cautions("evaluate single set --subset validation"), json!([]));
    // That the model learned from what it is judged on flatters it more.
    let seen = "the model has seen images that it is judged on here, which flatters it";
    assert_eq!(cautions("evaluate run set"), json!([seen]));
}

#[test]
fn a_group_of_which_nothing_can_be_read_neither_trains_nor_validates() {
    let here = Here::with_set();
    for name in here.names("set/dog").iter().filter(|name| name.starts_with("01") || name.starts_with("00")) {
        here.write(&format!("set/dog/{name}"), "");
    }
    // Every image is a group of its own.
    let ran = here.run("train set --model tiny.toml --epochs 1 --group-regex ([a-z]+/[0-9]+) --skip-bad --out run");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let line = ran.stdout.lines().find(|line| line.starts_with("Groups: ")).unwrap();
    let counts: Vec<usize> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 22, "{line}");
}
