//! Help, and calls that make no sense.

use super::Here;

const COMMANDS: [&str; 11] = [
    "reproduce",
    "train",
    "predict",
    "evaluate",
    "inspect",
    "samples",
    "summary",
    "phantom",
    "bench",
    "completions",
    "man",
];

#[test]
fn help_is_there_for_every_command_and_goes_to_stdout() {
    let here = Here::empty();
    let help = here.done("--help");
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        let help = here.done(&format!("{command} --help"));
        assert!(help.contains(&format!("Usage: glassnet {command}")), "{help}");
    }
    for what in ["conv", "step"] {
        assert!(here.done(&format!("bench {what} --help")).contains(&format!("Usage: glassnet bench {what}")));
    }
    assert_eq!(here.done("--version"), format!("glassnet {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn no_command_is_answered_with_help_and_exit_code_2() {
    let ran = Here::empty().run("");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("Usage: glassnet <COMMAND>"), "{}", ran.stderr);
}

#[test]
fn commands_and_flags_that_do_not_exist_are_named() {
    let here = Here::empty();
    here.misused("trian set", "unrecognized subcommand 'trian'");
    here.misused("train set --epoch 3", "unexpected argument '--epoch' found");
    here.misused("train", "the following required arguments were not provided:");
    here.misused("predict model", "the following required arguments were not provided:");
}

#[test]
fn every_number_has_its_range_and_says_it() {
    let here = Here::empty();
    for (value, flag, range) in [
        ("0", "--epochs <N>", "it must be a whole number from 1 to 1000000"),
        ("x", "--batch-size <N>", "it must be a whole number from 1 to 1000000"),
        ("1000000000", "--batch-size <N>", "it must be a whole number from 1 to 1000000"),
        ("-3", "--image-size <PIXELS>", "it must be a whole number, at least 1"),
        ("1", "--validation-split <SHARE>", "it must be a number, at least 0 and below 1"),
        ("-0.1", "--validation-split <SHARE>", "it must be a number, at least 0 and below 1"),
        ("nan", "--dropout <SHARE>", "it must be a number, at least 0 and below 1"),
        ("0.99999999999", "--dropout <SHARE>", "it must be a number, at least 0 and below 1"),
        ("0", "--learning-rate <RATE>", "it must be a number above 0, such as 0.001"),
        ("inf", "--learning-rate <RATE>", "it must be a number above 0, such as 0.001"),
        ("-1", "--seed <N>", "it must be a whole number from 0 to 9223372036854775807"),
        ("0", "--threads <N>", "it must be a whole number from 1 to 1024"),
        (
            "fast",
            "--conv <NAME>",
            "'fast' is not a convolution algorithm; it can be auto, im2col, direct, winograd or winograd2x2",
        ),
    ] {
        let name = flag.split(' ').next().unwrap();
        here.misused(&format!("train set {name} {value}"), &format!("invalid value '{value}' for '{flag}': {range}"));
    }
    here.misused(
        "phantom --out p --benign 1000000000000",
        "invalid value '1000000000000' for '--benign <N>': it must be a whole number from 1 to 10000",
    );
    here.misused(
        "samples set --out g.png --per-class 101",
        "invalid value '101' for '--per-class <N>': it must be a whole number from 1 to 100",
    );
}
