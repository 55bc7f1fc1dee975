//! `glassnet completions` and `glassnet man`. That they know every command and flag is tested where these are
//! defined.

use super::Here;
use expect_test::expect;
use std::process::{Command, Stdio};

#[test]
fn every_shell_has_its_completions() {
    let here = Here::empty();
    for (shell, sign) in [
        ("bash", "complete -F _glassnet "),
        ("zsh", "#compdef glassnet\n"),
        ("fish", "complete -c glassnet "),
        ("powershell", "Register-ArgumentCompleter "),
        ("elvish", "edit:completion:arg-completer[glassnet]"),
    ] {
        let script = here.done(&format!("completions {shell}"));
        assert!(script.contains(sign) && script.contains("validation-split"), "{shell}");
    }
    here.prints(
        "completions tcsh",
        expect![[r#"
        stderr: error: invalid value 'tcsh' for '<SHELL>'
        stderr:   [possible values: bash, elvish, fish, powershell, zsh]
        stderr: 
        stderr:   tip: a similar value exists: 'zsh'
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]],
    );
}

#[test]
fn bash_accepts_its_completions() {
    let here = Here::empty();
    here.write("glassnet.bash", here.done("completions bash"));
    let bash = |arguments: &[&str]| {
        let command = Command::new("bash").args(arguments).current_dir(here.0.path()).stdin(Stdio::null()).output();
        command.ok().map(|output| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (output.status.success(), text(&output.stdout), text(&output.stderr))
        })
    };
    let Some(syntax) = bash(&["-n", "glassnet.bash"]) else {
        println!("skipped: there is no bash here");
        return;
    };
    assert_eq!(syntax, (true, String::new(), String::new()));
    // What Tab offers behind `glassnet evaluate run set --sub`.
    let ask = "source glassnet.bash; COMP_WORDS=(glassnet evaluate run set --sub); COMP_CWORD=4; \
               _glassnet glassnet --sub set; echo \"${COMPREPLY[@]}\"";
    assert_eq!(bash(&["-c", ask]).unwrap(), (true, "--subset\n".into(), String::new()));
}

#[test]
fn pages_are_printed_one_by_one_or_written_all_at_once() {
    let here = Here::empty();
    let pages = [
        "glassnet.1",
        "glassnet-bench-conv.1",
        "glassnet-bench-ranks.1",
        "glassnet-bench-step.1",
        "glassnet-bench.1",
        "glassnet-completions.1",
        "glassnet-evaluate.1",
        "glassnet-explain.1",
        "glassnet-export.1",
        "glassnet-folds-merge.1",
        "glassnet-folds.1",
        "glassnet-glyphs.1",
        "glassnet-gradcheck.1",
        "glassnet-import.1",
        "glassnet-init.1",
        "glassnet-inspect.1",
        "glassnet-lecture.1",
        "glassnet-lr-find.1",
        "glassnet-man.1",
        "glassnet-pack.1",
        "glassnet-phantom.1",
        "glassnet-predict.1",
        "glassnet-profile.1",
        "glassnet-reproduce.1",
        "glassnet-runs.1",
        "glassnet-samples.1",
        "glassnet-summary.1",
        "glassnet-sweep.1",
        "glassnet-train.1",
    ];
    // Twice, as pages of an earlier version are replaced.
    for _ in 0..2 {
        assert_eq!(here.done("man --out share/man1"), "Wrote 29 pages into share/man1\n");
    }
    let mut sorted = pages.map(str::to_string);
    sorted.sort();
    assert_eq!(here.names("share/man1"), sorted);
    assert_eq!(here.done("man"), here.text("share/man1/glassnet.1"));
    let conv = here.done("man bench conv");
    assert_eq!(conv, here.text("share/man1/glassnet-bench-conv.1"));
    assert!(conv.contains(".TH glassnet-bench-conv 1") && conv.contains("\\-\\-rounds"), "{conv}");
    here.refused("man trian", 2, &format!("COMMAND: there is no command 'trian'; there are {}", commands()));
    here.refused("man --out tiny.toml", 2, "--out: tiny.toml is a file, and a folder is wanted; name a new folder");
}

fn commands() -> &'static str {
    "reproduce, train, predict, evaluate, inspect, lr-find, sweep, runs, folds, samples, pack, init, export, import, summary, phantom, glyphs, gradcheck, explain, lecture, profile, bench, completions, man"
}
