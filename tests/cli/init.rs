//! `glassnet init`.

use super::Here;
use expect_test::expect;

const PRESETS: [&str; 6] = ["documented", "mnist", "lenet", "vgg-small", "mobilenet-small", "all-conv"];

#[test]
fn every_preset_is_a_model_file_of_which_summary_knows_every_layer() {
    let here = Here::empty();
    for preset in PRESETS {
        let written = here.done(&format!("init --preset {preset} --classes 2 --out {preset}.toml"));
        assert!(written.starts_with(&format!("Wrote {preset}.toml: ")), "{written}");
        assert_eq!(here.text(&format!("{preset}.toml")), here.done(&format!("init --preset {preset} --classes 2")));
        here.done(&format!("summary {preset}.toml"));
    }
    assert_eq!(here.done("summary documented.toml"), here.done("summary"));
    let mobile = here.done("summary mobilenet-small.toml");
    assert!(mobile.contains("1,472 of them moving statistics"), "{mobile}");
}

#[test]
fn a_file_that_is_there_is_left_as_it_is() {
    let here = Here::empty();
    here.write("model.toml", "mine");
    let sentence = "--out model.toml: something of this name is there already, and stays as it is; give another name, or \
                    remove it";
    here.refused("init --preset mnist --out model.toml", 2, sentence);
    assert_eq!(here.text("model.toml"), "mine");
}

#[test]
fn a_preset_that_there_is_not_is_told_with_those_that_there_are() {
    Here::empty().prints(
        "init --preset resnet",
        expect![[r#"
        stderr: error: invalid value 'resnet' for '--preset <NAME>'
        stderr:   [possible values: documented, mnist, lenet, vgg-small, mobilenet-small, all-conv]
        stderr: 
        stderr:   tip: a similar value exists: 'lenet'
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]],
    );
}
