//! The console blocks: each command is run, and what it prints is compared with what stands below it.
//!
//! Some things differ rightly from machine to machine. A number with an exponent is an error or a difference
//! quotient, and holds rounding: below [`ROUNDING`] all are alike, above a power of ten is. In a block
//! `console times` any number is like any other. And `…` stands for any words within its line. All else is
//! compared letter by letter, but for spaces.

use super::{Page, pages, root, updates};
use std::path::Path;
use std::process::Command;

/// Errors below it are rounding: which, depends on the machine.
const ROUNDING: f64 = 1e-5;

/// A console block.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Block<'t> {
    /// What stands within it.
    inside: &'t str,
    /// Whether its numbers are times and rates.
    is_timed: bool,
}

/// A command and what the page says it prints.
#[derive(Debug, PartialEq)]
struct Call<'t> {
    command: &'t str,
    expected: Vec<&'t str>,
}

/// All console blocks of a page.
fn blocks(text: &str) -> Vec<Block<'_>> {
    text.split("\n```console").skip(1).map(block).collect()
}

/// The block that begins here, behind its language.
fn block(rest: &str) -> Block<'_> {
    let (info, inside) = rest.split_once('\n').expect("a block has lines");
    let end = inside.find("```").expect("a block ends");
    Block { inside: &inside[..end], is_timed: info == " times" }
}

/// The calls of a block.
fn calls(block: &str) -> Vec<Call<'_>> {
    let mut calls: Vec<Call> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => calls.push(Call { command, expected: Vec::new() }),
            None => calls.last_mut().expect("a block begins with a command").expected.push(line),
        }
    }
    calls
}

/// Runs a command as a shell would: variables, then the program, then its arguments.
fn run(command: &str, folder: &Path) -> Vec<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let program = words.iter().position(|word| !word.contains('=')).expect("a program");
    assert_eq!(words[program], "glassnet", "{command}");
    let mut process = Command::new(assert_cmd::cargo::cargo_bin!("glassnet"));
    for name in ["GLASSNET_LOG", "GLASSNET_SIMD", "COLUMNS", "LINES"] {
        process.env_remove(name);
    }
    process.envs(words[..program].iter().map(|word| word.split_once('=').expect("NAME=value")));
    let output = process.args(&words[program + 1..]).current_dir(folder).output().expect("it can be run");
    let text = |bytes| String::from_utf8(bytes).expect("it prints text");
    assert_eq!(text(output.stderr), "", "{command}");
    // A lesson exits with 1, as its check fails. Whoever calls wrongly gets 2.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{command}: {}", output.status);
    text(output.stdout).lines().map(|line| line.trim_end().to_string()).collect()
}

/// Whether a line is what was expected, but for spaces.
fn agrees(expected: &str, actual: &str, is_timed: bool) -> bool {
    let [expected, actual] = [expected, actual].map(|line| line.split_whitespace().collect::<Vec<&str>>());
    words_agree(&expected, &actual, is_timed)
}

/// Whether words are what was expected; `…` stands for any number of them.
fn words_agree(expected: &[&str], actual: &[&str], is_timed: bool) -> bool {
    match expected {
        [] => actual.is_empty(),
        ["…", rest @ ..] => (0..=actual.len()).any(|skipped| words_agree(rest, &actual[skipped..], is_timed)),
        [word, rest @ ..] => actual
            .split_first()
            .is_some_and(|(first, others)| alike(word, first, is_timed) && words_agree(rest, others, is_timed)),
    }
}

/// Whether two words are the same, but for rounding, for the length of a bar, and for times.
fn alike(a: &str, b: &str, is_timed: bool) -> bool {
    let is_bar = |word: &str| word.chars().all(|char| char == '█');
    if a == b || is_bar(a) && is_bar(b) {
        return true;
    }
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(_), Ok(_)) if is_timed => true,
        (Ok(x), Ok(y)) if (a.contains('e') || a == "0") && (b.contains('e') || b == "0") => {
            let ratio = x / y;
            x.abs() < ROUNDING && y.abs() < ROUNDING || ratio > 0.1 && ratio < 10.0
        }
        _ => false,
    }
}

/// The first difference between what a page says and what the program prints.
fn difference(call: &Call, actual: &[String], is_timed: bool) -> Option<String> {
    let expected = &call.expected;
    let length = expected.len().max(actual.len());
    (0..length).find_map(|line| {
        let (expected, actual) = (expected.get(line), actual.get(line));
        let same = matches!((expected, actual), (Some(expected), Some(actual)) if agrees(expected, actual, is_timed));
        (!same).then(|| format!("expected {expected:?}\n   found {actual:?}"))
    })
}

/// A folder with what commands read.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("docs/models")).unwrap();
    for entry in std::fs::read_dir(root("docs/models")).unwrap() {
        let name = entry.unwrap().file_name();
        std::fs::copy(root("docs/models").join(&name), folder.path().join("docs/models").join(&name)).unwrap();
    }
    folder
}

#[test]
fn every_command_prints_what_stands_below_it() {
    let folder = folder();
    let (mut count, mut found) = (0, Vec::new());
    for Page { name, text } in pages() {
        let mut updated = text.clone();
        for block in blocks(&text) {
            let mut printed = String::new();
            let mut differs = false;
            for call in calls(block.inside) {
                let actual = run(call.command, folder.path());
                if let Some(difference) = difference(&call, &actual, block.is_timed) {
                    found.push(format!("{name}: $ {}\n{difference}", call.command));
                    differs = true;
                }
                printed += &format!("$ {}\n{}\n", call.command, actual.join("\n"));
                count += 1;
            }
            if differs {
                updated = updated.replacen(block.inside, &printed, 1);
            }
        }
        if updates() && updated != text {
            std::fs::write(root("docs").join(&name), updated).unwrap();
        }
    }
    assert!(count >= 10, "{count} commands");
    let advice = "UPDATE_EXPECT=1 brings them up to date, but elides nothing";
    assert!(updates() || found.is_empty(), "{}\n{advice}", found.join("\n\n"));
}

#[test]
fn lines_that_differ_are_found_and_rounding_is_let_pass() {
    assert!(agrees("conv2d   3×3  1.2e-9 ✔", "conv2d 3×3   7.7e-13 ✔", false));
    assert!(agrees("h 1e-3  2.4e-3 ██████", "h 1e-3  3.1e-3 ███████", false));
    assert!(agrees("all … ms, … of …", "all 2.5 ms, 17 to 18 of 20", false));
    assert!(agrees("images 1.2e-9 … ✔", "images 3.4e-9 [1,0] ✔", false));
    assert!(
        agrees("1 direct 0.091 ms", "1 direct 17 ms", true) && !agrees("1 direct 0.091 ms", "1 im2col 17 ms", true)
    );
    for (expected, actual) in [
        ("1.2e-9 ✔", "1.2e-9 ✘"),
        ("1.2e-9 ✔", "3.2e-1 ✔"),
        ("8.8e-1 ✘", "8.8e-3 ✘"),
        ("-2.8e-1", "2.8e-1"),
        ("0.375", "0.376"),
        ("17", "18"),
        ("a b", "a"),
        ("all … ms", "all 2.5 s"),
        ("images 1.2e-9 … ✔", "images 3.4e-3 [1,0] ✔"),
        ("… a … b …", "c b a d"),
        ("a …", ""),
    ] {
        assert!(!agrees(expected, actual, false), "{expected} and {actual}");
    }
}

#[test]
fn a_block_holds_its_commands_with_what_each_prints() {
    let text = "a\n```console times\n$ glassnet one\n1\n\n$ glassnet two\n```\nb\n```text\n$ no\n```\n";
    let expected =
        [Call { command: "glassnet one", expected: vec!["1", ""] }, Call { command: "glassnet two", expected: vec![] }];
    let blocks = blocks(text);
    assert_eq!((blocks.len(), blocks[0].is_timed), (1, true));
    assert_eq!(calls(blocks[0].inside), expected);
}
