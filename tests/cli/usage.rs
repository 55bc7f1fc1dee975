//! Help, and calls that make no sense.

use super::Here;
use super::help::COMMANDS;
use expect_test::{expect, expect_file};

#[test]
fn help_is_there_for_every_command_and_goes_to_stdout() {
    let here = Here::empty();
    here.prints(
        "--help",
        expect![[r#"
            A from-scratch CNN engine you can see through: train an image classifier from a folder or a zip,
            with no framework underneath. Not for diagnosis.

            A data set is a folder that holds a folder of images for each class, or a zip of one. Of two classes
            the second by name is the positive one, and every probability is that of this class.

            Usage: glassnet <COMMAND>

            Commands:
              reproduce    Repeat the documented five-epoch run, and set the two side by side
              train        Train a classifier on a folder or a zip with a folder for each class
              predict      Say what a trained model takes images for
              evaluate     Tell how good a model's answers are on a data set
              inspect      Tell what a data set holds, what is odd about it, and what to do
              lr-find      Find a learning rate by trying many, each for a step
              sweep        Train with many settings, and compare them: a grid, or drawn at random
              runs         Compare runs: their best measures, and the settings in which they differ
              folds        Put folds of a cross-validation together that were trained apart
              samples      Draw sample images of each class side by side
              pack         Write a data set into one file, decoded and resized once
              init         Write a model.toml to start from
              export       Write a model in the format of another program
              import       Make a weights file of a model of Keras, PyTorch or ONNX
              summary      Show a model's layers, shapes, parameters, arithmetic and memory
              phantom      Draw the synthetic set of liver lesions into a folder
              glyphs       Draw a synthetic set of ten classes of digits into a folder
              gradcheck    Check gradients: against the definition, and by every algorithm
              explain      Explain one training step, from the pixels to every weight
              lecture      Show a training phase by phase on a page, with rewind
              profile      Tell where the time of a training run goes, and what could be won
              bench        Measure how fast the engine is, with the machine's limits beside it
              completions  Print what a shell needs to complete all this
              man          Print the manual page of a command, or write all pages
              help         Print this message or the help of the given subcommand(s)

            Options:
              -h, --help
                      Print help (see a summary with '-h')

              -V, --version
                      Print version

            Examples:
              glassnet reproduce                              the documented run, in seconds
              glassnet inspect photos                         what the set holds, and what to mend
              glassnet train photos --epochs 10 --out runs/photos
              glassnet evaluate runs/photos photos --subset validation --out judged
              glassnet predict runs/photos new.jpg --plot new.png

            Results go to stdout, progress and warnings to stderr.
            Exit codes: 0 done, 1 the work failed, 2 the call was wrong (a flag, a value, data or a model that
            is not there), 130 interrupted (143 by SIGTERM, 129 by SIGHUP).
            Environment: GLASSNET_LOG=debug tells what computes what, and why; GLASSNET_SIMD=portable (avx2,
            avx512) chooses the instruction set.
        "#]],
    );
    // The texts of the commands, which are longer, are files in tests/cli/help.
    for command in &COMMANDS[1..] {
        // An absolute path: a relative one is sought from the topmost folder with a Cargo.toml, and needs
        // cargo's environment.
        let file = format!("{}/tests/cli/help/{}.txt", env!("CARGO_MANIFEST_DIR"), command.replace(' ', "-"));
        expect_file![file].assert_eq(&here.run(&format!("{command} --help")).shown());
    }
    assert_eq!(here.done("--version"), format!("glassnet {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn no_command_is_answered_with_help_and_exit_code_2() {
    Here::empty().prints(
        "",
        expect![[r#"
            stderr: A from-scratch CNN engine you can see through: train an image classifier from a folder or a zip,
            stderr: with no framework underneath. Not for diagnosis.
            stderr: 
            stderr: Usage: glassnet <COMMAND>
            stderr: 
            stderr: Commands:
            stderr:   reproduce    Repeat the documented five-epoch run, and set the two side by side
            stderr:   train        Train a classifier on a folder or a zip with a folder for each class
            stderr:   predict      Say what a trained model takes images for
            stderr:   evaluate     Tell how good a model's answers are on a data set
            stderr:   inspect      Tell what a data set holds, what is odd about it, and what to do
            stderr:   lr-find      Find a learning rate by trying many, each for a step
            stderr:   sweep        Train with many settings, and compare them: a grid, or drawn at random
            stderr:   runs         Compare runs: their best measures, and the settings in which they differ
            stderr:   folds        Put folds of a cross-validation together that were trained apart
            stderr:   samples      Draw sample images of each class side by side
            stderr:   pack         Write a data set into one file, decoded and resized once
            stderr:   init         Write a model.toml to start from
            stderr:   export       Write a model in the format of another program
            stderr:   import       Make a weights file of a model of Keras, PyTorch or ONNX
            stderr:   summary      Show a model's layers, shapes, parameters, arithmetic and memory
            stderr:   phantom      Draw the synthetic set of liver lesions into a folder
            stderr:   glyphs       Draw a synthetic set of ten classes of digits into a folder
            stderr:   gradcheck    Check gradients: against the definition, and by every algorithm
            stderr:   explain      Explain one training step, from the pixels to every weight
            stderr:   lecture      Show a training phase by phase on a page, with rewind
            stderr:   profile      Tell where the time of a training run goes, and what could be won
            stderr:   bench        Measure how fast the engine is, with the machine's limits beside it
            stderr:   completions  Print what a shell needs to complete all this
            stderr:   man          Print the manual page of a command, or write all pages
            stderr:   help         Print this message or the help of the given subcommand(s)
            stderr: 
            stderr: Options:
            stderr:   -h, --help     Print help (see more with '--help')
            stderr:   -V, --version  Print version
            stderr: 
            stderr: First: glassnet reproduce. Your images: glassnet inspect DATA, then train DATA. More: --help
            exit code 2
        "#]],
    );
}

#[test]
fn commands_and_flags_that_do_not_exist_are_named() {
    let here = Here::empty();
    here.prints(
        "trian set",
        expect![[r#"
        stderr: error: unrecognized subcommand 'trian'
        stderr: 
        stderr:   tip: a similar subcommand exists: 'train'
        stderr: 
        stderr: Usage: glassnet <COMMAND>
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]],
    );
    here.prints(
        "train set --epoch 3",
        expect![[r#"
        stderr: error: unexpected argument '--epoch' found
        stderr: 
        stderr:   tip: a similar argument exists: '--epochs'
        stderr: 
        stderr: Usage: glassnet train --epochs <N> <DATA>
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]],
    );
    here.prints(
        "train",
        expect![[r#"
        stderr: error: the following required arguments were not provided:
        stderr:   <DATA>
        stderr: 
        stderr: Usage: glassnet train <DATA>
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]],
    );
    here.prints(
        "predict model",
        expect![[r#"
            stderr: error: model does not exist; check the path
            exit code 2
        "#]],
    );
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
        (
            "1e-45",
            "--learning-rate <RATE>",
            "it is too small for the engine's 32-bit numbers, whose smallest is 1.2e-38; 0.001 is usual",
        ),
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

#[test]
fn a_short_flag_that_is_none_gets_a_tip_that_works() {
    let here = Here::with_set();
    let ran = here.run("train set -e 3");
    let tip = "tip: some similar arguments exist: '--epochs', '--early-stopping'";
    assert!(ran.stderr.contains(tip) && ran.stderr.contains("unexpected argument '-e' found"), "{}", ran.stderr);
    let ran = here.run("bench step -r 3");
    assert!(ran.stderr.contains("unexpected argument '-r' found") && !ran.stderr.contains("-- -"), "{}", ran.stderr);
    let ran = here.run("train set -3");
    assert!(ran.stderr.contains("unexpected argument '-3' found") && !ran.stderr.contains("tip"), "{}", ran.stderr);
}

#[test]
fn a_flag_that_a_command_has_not_gets_a_tip_that_works() {
    let here = Here::empty();
    for (call, tip) in [
        ("predict run set --range 0,4095", "leave it out: the weights know how images are read"),
        ("evaluate run set --upright", "leave it out: the weights know how images are read"),
        (
            "evaluate run set --validation-data x",
            "give it as DATA; without DATA, a run's own validation data are taken",
        ),
        ("samples set --out a.png --validation-data x", "give it as DATA: samples shows one set at a time"),
        (
            "inspect set --range=auto",
            "leave it out: inspect tells the values that 16-bit images hold, and samples --range shows them stretched",
        ),
        ("inspect set --augment flip", "'--augment' is a flag of train, lr-find, sweep, samples, lecture and profile"),
        ("train set --epoch 3", "a similar argument exists: '--epochs'"),
    ] {
        let ran = here.run(call);
        let told: Vec<&str> = ran.stderr.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
        assert_eq!((ran.code, told), (Some(2), vec![tip]), "{call}: {}", ran.stderr);
    }
    let ran = here.run("inspect set --nonsense");
    assert!(ran.stderr.contains("'--nonsense'") && !ran.stderr.contains("tip:"), "{}", ran.stderr);
}

#[test]
fn what_a_terminal_would_obey_in_an_argument_is_escaped_where_it_is_refused() {
    let here = Here::empty();
    for call in [
        "train set --seed X",
        "train set --conv X",
        "train set --augment X",
        "train set --range X",
        "bench conv X",
        "train set --X",
        "X",
    ] {
        let ran = here.run(&call.replace('X', "\u{202e}5\u{200b}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{call}");
        assert!(ran.stderr.contains(r"\u{202e}5\u{200b}"), "{call}: {}", ran.stderr);
        assert!(!ran.stderr.contains(['\u{202e}', '\u{200b}']), "{call}: {}", ran.stderr);
    }
}
