//! `-h` is short, `--help` has everything, and shells complete the values that have names.

use super::Here;
use std::process::{Command, Stdio};

/// The lines and columns of a usual terminal with a tall window.
const SCREEN: (usize, usize) = (45, 100);

/// glassnet itself, and its commands.
pub const COMMANDS: [&str; 29] = [
    "",
    "reproduce",
    "train",
    "predict",
    "evaluate",
    "inspect",
    "lr-find",
    "sweep",
    "runs",
    "folds",
    "folds merge",
    "samples",
    "pack",
    "init",
    "export",
    "import",
    "summary",
    "phantom",
    "glyphs",
    "gradcheck",
    "explain",
    "lecture",
    "profile",
    "bench",
    "bench conv",
    "bench step",
    "bench ranks",
    "completions",
    "man",
];

#[test]
fn short_help_fits_a_screen_and_gives_each_option_a_line() {
    let here = Here::empty();
    for command in COMMANDS {
        let help = here.done(&format!("{command} -h"));
        assert!(help.lines().count() <= SCREEN.0, "{command}: {} lines", help.lines().count());
        for line in help.lines() {
            assert!(line.chars().count() <= SCREEN.1, "{command}: {line}");
        }
    }
    let help = here.done("train -h");
    for flag in flags(&help) {
        let line = help.lines().find(|line| line.split(' ').any(|word| word == flag)).unwrap();
        assert!(line.split(&flag).nth(1).unwrap().trim().contains(' '), "{flag} has no text beside it: {line}");
    }
    assert!(help.contains("glassnet train --help"), "{help}");
}

#[test]
fn long_help_has_all_that_short_help_has_and_more() {
    let here = Here::empty();
    for command in COMMANDS {
        let [short, long] = ["-h", "--help"].map(|flag| here.done(&format!("{command} {flag}")));
        let (in_short, in_long) = (flags(&short), flags(&long));
        assert!(in_short.iter().all(|flag| in_long.contains(flag)), "{command}: {in_short:?}, {in_long:?}");
        assert!(long.len() > short.len() || command == "bench", "{command}");
    }
    let [short, long] = ["-h", "--help"].map(|flag| here.done(&format!("train {flag}")));
    for rare in ["--conv <NAME>", "--no-fuse", "--cache <MEBIBYTES>", "--init-weights <FILE.safetensors>"] {
        assert!(long.contains(rare) && !short.contains(rare), "{rare}");
    }
    assert!(long.contains("\n  glassnet train photos --folds 5 "), "{long}");
}

/// The long flags at the start of a help's lines.
fn flags(help: &str) -> Vec<String> {
    let word = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("-q, ").or(line.strip_prefix("-h, ")).unwrap_or(line);
        line.starts_with("--").then(|| line.split([' ', ',']).next().unwrap_or_default().to_string())
    };
    help.lines().filter_map(word).collect()
}

#[test]
fn bash_completes_the_values_that_have_names() {
    let here = Here::empty();
    here.write("glassnet.bash", here.done("completions bash"));
    for (line, offered) in [
        ("train --conv", "auto im2col direct winograd winograd2x2"),
        ("bench step --conv", "auto im2col direct winograd winograd2x2"),
        ("train --augment", "flip flip-horizontal flip-vertical shift rotate zoom brightness"),
        ("samples --augment", "flip flip-horizontal flip-vertical shift rotate zoom brightness"),
        ("train --class-weight", "none balanced"),
        ("evaluate --subset", "training validation test all"),
        ("bench conv --pass", "forward grad_input grad_weights"),
        ("bench conv --algorithm", "im2col direct winograd winograd2x4 winograd2x2 winograd5x5 sparse"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let before = words[words.len() - 1];
        let ask = format!(
            "source glassnet.bash; COMP_WORDS=(glassnet {line} ''); COMP_CWORD={}; _glassnet glassnet '' {before}; \
             echo \"${{COMPREPLY[@]}}\"",
            words.len() + 1
        );
        let bash = Command::new("bash").args(["-c", &ask]).current_dir(here.path("")).stdin(Stdio::null()).output();
        let Ok(output) = bash else {
            println!("skipped: there is no bash here");
            return;
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{offered}\n"), "{line}");
    }
}
