//! What the binary printed, as tests compare it: all of stdout, all of stderr and the exit code, as one text
//! that stands in the test, so that a reader sees what the program says.
//!
//! After a change of what is printed `UPDATE_EXPECT=1 cargo test --release --test cli` writes the new texts
//! into the tests. Read them before you commit them.

use super::{Here, Ran, csv};
use expect_test::Expect;
use regex::Regex;
use std::sync::LazyLock;

type Masks = LazyLock<Vec<(Regex, &'static str)>>;

fn compiled<const N: usize>(masks: [(&'static str, &'static str); N]) -> Vec<(Regex, &'static str)> {
    masks.map(|(pattern, mask)| (Regex::new(pattern).unwrap(), mask)).into()
}

fn replaced(text: &str, masks: &Masks) -> String {
    masks.iter().fold(text.to_string(), |text, (pattern, mask)| pattern.replace_all(&text, *mask).into_owned())
}

/// What tells of time in a training: patterns, and what stands for them.
static TIMES: Masks = LazyLock::new(|| {
    compiled([
        // 2/2 [====] - 0s 77us/step - loss: 0.6931
        (r"\] - \S+ \S+/step", "] - TIME"),
        // Told only where it took a second or more, which on a busy machine it may.
        (r"(?m)^(Saving took|Steps waited) .* s of these epochs.*\n", ""),
    ])
});

/// What else no two runs have in common, or no two machines.
///
/// The losses of a training are masked, as their last digits depend on the instruction set. The accuracies
/// are not: no answer of these small networks is so near to ½ that rounding turns it.
static MACHINE: Masks = LazyLock::new(|| {
    compiled([
        (r"\bval_loss \d\.\d{4} against \d\.\d{4}\b", "val_loss #.#### against #.####"),
        (r"\b((?:val_)?loss[:,]?|lowest in epoch \d+,) \d+\.\d{4}\b", "$1 #.####"),
        // "val_loss": 0.7472074108357285
        (r#""(\w*loss)": [\d.e-]+"#, r#""$1": #.####"#),
        (r#""(\w*seconds)": [\d.e-]+"#, r#""$1": TIME"#),
        // set/cat/00.png    cat    0.487312
        (r"(?m)(\t\d\.\d{4})\d\d$", "$1##"),
        // [    0.019 s] debug glassnet::files: run/split.csv: 1064 bytes written in 13.6ms
        (r"\[ *\d+\.\d{3} s\] ", "[TIME] "),
        (r" in \d+(\.\d+)?(ns|µs|ms|s)\b", " in TIME"),
        (r"\b[0-9a-f]{64}\b", "HASH"),
        // The memory that a network takes depends on the algorithms, and so on the instruction set and the
        // number of threads.
        (r"[\d.]+ MiB to predict, [\d.]+ MiB to train", "#.# MiB to predict, #.# MiB to train"),
        (r#""(inference|training)": \d{3,}"#, r#""$1": BYTES"#),
        (r"(this machine has|this process may take) [\d.]+ [MG]iB( more)?( \([^)]*\))?", "this machine has #.# GiB"),
    ])
});

/// The text of a training with its times masked, and its losses as they are.
pub fn masked_times(text: &str) -> String {
    replaced(text, &TIMES)
}

/// The text with everything masked that is not the same in every run, on every machine.
pub fn masked(text: &str) -> String {
    replaced(&masked_times(text), &MACHINE)
}

/// As [`masked`], with the losses in the table of a cross-validation masked too.
pub fn masked_folds(text: &str) -> String {
    let columns = [34..40, 59..65];
    let in_table = |line: &str| {
        let mut letters: Vec<char> = line.chars().collect();
        if letters.get(22) == Some(&'│') && line.contains('.') {
            for column in columns.clone() {
                letters[column].iter_mut().filter(|letter| letter.is_ascii_digit()).for_each(|letter| *letter = '#');
            }
        }
        letters.into_iter().collect::<String>() + "\n"
    };
    masked(text).lines().map(in_table).collect()
}

/// The text with at most four digits behind each point, the others cut off: JSON has them all, and the last
/// of them depend on the instruction set.
pub fn four_digits(text: &str) -> String {
    let number = Regex::new(r"(\d\.\d{4})\d+").unwrap();
    number.replace_all(text, "$1").into_owned()
}

/// The lines of all epochs of a run of so many `steps` an epoch, as its `history.csv` has them, to the last
/// digit and with masked times.
pub fn epoch_lines(history: &str, epochs: usize, steps: usize) -> String {
    let mut lines = String::new();
    for row in &csv(history)[1..] {
        // As Keras prints them, 0 too.
        let number = |column: usize| match row[column].parse::<f64>().unwrap() {
            0.0 => "0.0000e+00".to_string(),
            number => format!("{number:.4}"),
        };
        lines += &format!(
            "Epoch {}/{epochs}\n{steps}/{steps} [==============================] - TIME - loss: {} - accuracy: {} \
             - val_loss: {} - val_accuracy: {}\n",
            row[0].parse::<usize>().unwrap() + 1,
            number(2),
            number(1),
            number(4),
            number(3),
        );
    }
    lines
}

/// How many epochs an interrupted run has done, of so many `steps` each, and what it says when it goes on.
pub fn going_on_line(here: &Here, run: &str, steps: usize) -> (usize, String) {
    let rows = |table: &str| here.text(&format!("{run}/{table}")).lines().count() - 1;
    let (epochs, all_steps) = (rows("history.csv"), rows("steps.csv"));
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let and_steps = match all_steps - steps * epochs {
        0 => String::new(),
        steps => format!(" and {}", counted(steps, "step")),
    };
    (epochs, format!("Going on with {run} after {}{and_steps}", counted(epochs, "epoch")))
}

impl Ran {
    /// All that came of the run: stdout; stderr, each line with `stderr: ` before it; and the exit code,
    /// where it is not 0.
    pub fn shown(&self) -> String {
        let mut shown = masked(&self.stdout);
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown += " (no line break at the end of stdout)\n";
        }
        for line in masked(&self.stderr).split_inclusive('\n') {
            shown += &format!("stderr: {line}");
        }
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown += " (no line break at the end of stderr)\n";
        }
        match self.code {
            Some(0) => shown,
            Some(code) => shown + &format!("exit code {code}\n"),
            None => shown + "ended by a signal\n",
        }
    }
}

impl Here {
    /// Runs the binary, and wants all that comes of it to be as `expected`, but for what [`masked`] leaves
    /// out.
    #[track_caller]
    pub fn prints(&self, arguments: &str, expected: Expect) {
        expected.assert_eq(&self.run(arguments).shown());
    }
}
