//! What is shown on a terminal. It is a real one, a pseudo-terminal, of which the test is the other end.

use super::Here;
use super::printed::masked_times;
use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, Stdio};

/// A run whose stderr is a terminal and whose stdout is a pipe.
struct OnTerminal {
    child: Child,
    terminal: File,
}

impl OnTerminal {
    fn start(here: &Here, arguments: &str) -> OnTerminal {
        let size = Winsize { ws_row: 24, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        let ends = openpty(&size, None).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_glassnet"));
        command.args(arguments.split(' ')).current_dir(here.0.path()).env("TERM", "xterm");
        command.env_remove("NO_COLOR").env_remove("GLASSNET_LOG").env_remove("RUST_LOG");
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(ends.slave).spawn().unwrap();
        // With the command our copy of its end is gone, so that the terminal ends with the child.
        drop(command);
        OnTerminal { child, terminal: File::from(ends.master) }
    }

    /// Reads until `sign` has come.
    #[track_caller]
    fn wait_for(&mut self, sign: &str) -> String {
        let mut seen = Vec::new();
        let mut bytes = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains(sign) {
            let count = self.terminal.read(&mut bytes).unwrap_or(0);
            assert!(count > 0, "{sign} never came: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8_lossy(&seen).into_owned()
    }

    /// The exit code, what came on the terminal, and stdout.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut out = self.child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).unwrap();
            text
        });
        let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
        // Where nobody has the other end any more, Linux answers with an error.
        while let Ok(count @ 1..) = self.terminal.read(&mut bytes) {
            seen.extend_from_slice(&bytes[..count]);
        }
        let code = self.child.wait().unwrap().code();
        (code, String::from_utf8_lossy(&seen).into_owned(), reader.join().unwrap())
    }
}

/// What a terminal still shows in the end: the codes that a bar uses, obeyed.
fn screen(written: &str) -> String {
    let (mut lines, mut row, mut column) = (vec![Vec::new()], 0, 0);
    let mut chars = written.chars();
    while let Some(char) = chars.next() {
        match char {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                if row == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\u{1b}' => {
                assert_eq!(chars.next(), Some('['), "{written:?}");
                let mut number = String::new();
                let code = loop {
                    match chars.next().unwrap() {
                        digit @ ('0'..='9' | '?' | ';') => number.push(digit),
                        code => break code,
                    }
                };
                let count = number.parse().unwrap_or(1);
                match code {
                    'A' => row = row.saturating_sub(count),
                    'B' => row = (row + count).min(lines.len() - 1),
                    'K' if number == "2" => lines[row].clear(),
                    'K' => lines[row].truncate(column),
                    'J' => {
                        lines[row].truncate(column);
                        lines.truncate(row + 1);
                    }
                    'm' | 'h' | 'l' => {}
                    code => panic!("{code} in {written:?}"),
                }
            }
            char => {
                let line = &mut lines[row];
                while line.len() <= column {
                    line.push(' ');
                }
                line[column] = char;
                column += 1;
            }
        }
    }
    let lines: Vec<String> = lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_string()).collect();
    lines.join("\n").trim_end().to_string()
}

#[test]
fn a_training_shows_a_bar_with_rate_and_time_left_and_leaves_nothing_of_it() {
    let here = Here::with_set();
    let (code, written, stdout) = OnTerminal::start(&here, "train set --model tiny.toml --epochs 2 --out run").end();
    assert_eq!(code, Some(0));
    for part in ["Checking 0/24 images [", "1/2 [", " steps/s - ", " left in the epoch - loss: ", " - validating"] {
        assert!(written.contains(part), "{part} is not in {written:?}");
    }
    assert_eq!(screen(&written), "");
    let plain = here.done("train set --model tiny.toml --epochs 2 --out plain");
    assert_eq!(masked_times(&stdout), masked_times(&plain.replace("plain", "run")));
}

#[test]
fn a_quiet_command_shows_no_bar() {
    let here = Here::with_set();
    for (call, plain) in [
        (
            "train set --model tiny.toml --epochs 1 --out run -q",
            "train set --model tiny.toml --epochs 1 --out plain -q",
        ),
        ("inspect set -q", "inspect set"),
        ("phantom --out p --benign 1 --malignant 1 -q", "phantom --out plain-p --benign 1 --malignant 1 -q"),
    ] {
        let plain = here.done(plain).replace("plain", "run");
        let (code, written, stdout) = OnTerminal::start(&here, call).end();
        assert_eq!((code, written.as_str()), (Some(0), ""), "{call}");
        assert_eq!(masked_times(&stdout), masked_times(&plain), "{call}");
    }
}

#[test]
fn long_passes_show_a_bar_and_warnings_and_errors_stand_whole_above_it() {
    let here = Here::with_model();
    here.write("set/cat/99.png", "no picture");
    let reason = "set/cat/99.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and \
                  GIF; convert it to PNG with an image program, or take it out";
    let weights = "run/weights/last.safetensors";
    for (call, code, shown, left) in [
        ("inspect set", 0, "Checking ", String::new()),
        ("phantom --out drawn --benign 2 --malignant 2", 0, "Drawing ", String::new()),
        (&format!("predict {weights} set"), 1, "Answering ", format!("error: {reason}")),
        (&format!("evaluate {weights} set"), 1, "Answering ", format!("error: {reason}")),
    ] {
        // A folder that was drawn is not drawn into again.
        let plain = here.run(&call.replace("drawn", "plain")).stdout.replace("plain", "drawn");
        let (ended, written, stdout) = OnTerminal::start(&here, call).end();
        assert_eq!(ended, Some(code), "{call}");
        assert!(written.contains(shown) && written.contains(" images ["), "{call}: {written:?}");
        assert_eq!(screen(&written), left, "{call}: {written:?}");
        assert_eq!(stdout, plain, "{call}");
    }
}

#[test]
fn a_bar_goes_away_on_an_error_and_on_ctrl_c() {
    let here = Here::with_set();
    let call = "train set --model tiny.toml --epochs 1 --learning-rate 1e30 --out bad";
    let (code, written, _) = OnTerminal::start(&here, call).end();
    let left = screen(&written);
    let error = "error: the loss became NaN in epoch 1, step 2: the first value that was not finite, ";
    assert!(code == Some(1) && left.starts_with(error) && left.lines().count() == 1, "{written:?}");

    let mut run = OnTerminal::start(&here, "train set --model tiny.toml --epochs 1000000 --out run");
    let mut written = run.wait_for(" left in the epoch - loss: ");
    Command::new("kill").args(["-INT", &run.child.id().to_string()]).status().unwrap();
    let (code, rest, _) = run.end();
    written += &rest;
    assert_eq!(code, Some(130));
    let left = screen(&written);
    assert_eq!(
        left,
        "error: interrupted; what was reached by then is in the run folder; go on with: glassnet train --resume run"
    );

    // A part of a set is told to be one.
    let mut run = OnTerminal::start(&here, "phantom --out drawn --benign 3000");
    let mut written = run.wait_for("Drawing ");
    Command::new("kill").args(["-INT", &run.child.id().to_string()]).status().unwrap();
    let (code, rest, stdout) = run.end();
    written += &rest;
    let left = screen(&written);
    assert!(left.starts_with("error: interrupted: drawn holds ") && left.lines().count() == 1, "{left}");
    assert_eq!((code, stdout.as_str()), (Some(130), ""));
}
