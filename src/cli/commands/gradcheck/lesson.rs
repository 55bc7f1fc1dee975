//! `--lesson`: planted mistakes, to be found by the check.

use super::words::{error, mark};
use crate::cli::args::GradcheckArgs;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::Lines;
use glassnet::gradcheck::lessons::{Checked, EPOCHS, EpochLoss, Lesson, all, check_lesson, find, train};
use glassnet::gradcheck::{Place, TensorCheck, Verdict};
use glassnet::report::wrapped::wrapped;
use serde_json::{Value, json};

/// The most columns of a reason.
const WHY_COLUMNS: usize = 100;

/// Lists the lessons, or checks or reveals the one with this number.
pub fn run(args: &GradcheckArgs, number: Option<usize>) -> CommandResult {
    match number.and_then(find) {
        None => list(args),
        Some(lesson) if args.reveal => reveal(args, lesson),
        Some(lesson) => check(args, lesson),
    }
}

fn stars(lesson: &Lesson) -> String {
    "★".repeat(lesson.stars)
}

fn list(args: &GradcheckArgs) -> CommandResult {
    let mut lines = Lines::default();
    let lessons = all();
    if args.json {
        let told = |lesson: &Lesson| json!({"number": lesson.number, "stars": lesson.stars, "hint": lesson.hint});
        lines.print_json(&json!({"lessons": lessons.iter().map(told).collect::<Vec<Value>>()}));
    } else {
        lines.print(&format!("{} mistakes, each of them one line of code that is written wrongly.", lessons.len()));
        lines.print("gradcheck --lesson N plants one, unnamed, and checks: which layer is wrong, and how?");
        lines.print("gradcheck --lesson N --reveal shows the line, and how a network with the mistake trains.");
        lines.print("");
        for lesson in lessons {
            lines.print(&format!("{:>3}  {:<3}  {}", lesson.number, stars(lesson), lesson.hint));
        }
        lines.print("");
        lines.print("Some are not to be seen by any gradient check. Which, and why not?");
    }
    lines.end()?;
    Ok(Outcome::Done)
}

/// Both checks of a tensor.
struct Pair<'c> {
    one_hot: &'c TensorCheck,
    digits: &'c TensorCheck,
}

impl Pair<'_> {
    fn agrees(&self) -> bool {
        [self.one_hot, self.digits].iter().all(|check| check.verdict() == Verdict::Agrees)
    }

    /// The analytic gradient divided by the numeric one, where it is not what it should be and the same
    /// everywhere.
    fn ratio(&self) -> Option<f64> {
        self.digits.constant_ratio().filter(|_| !self.agrees())
    }
}

/// The tensors of a part of the network, going back from the loss: of each layer, and at last the images.
fn pairs(checked: &Checked) -> Vec<Pair<'_>> {
    checked.one_hot.iter().zip(&checked.digits).map(|(one_hot, digits)| Pair { one_hot, digits }).collect()
}

fn check(args: &GradcheckArgs, lesson: Lesson) -> CommandResult {
    let checked = check_lesson(Some(&lesson), args.seed)?;
    let pairs = pairs(&checked);
    let agrees = pairs.iter().all(Pair::agrees);
    let mut lines = Lines::default();
    if args.json {
        let one = |check: &TensorCheck| json!({"error": check.error(), "agrees": check.verdict() == Verdict::Agrees});
        let tensor = |pair: &Pair| {
            json!({
                "name": pair.digits.tensor.name,
                "one_hot": one(pair.one_hot),
                "digits": one(pair.digits),
                "ratio": pair.ratio(),
            })
        };
        lines.print_json(&json!({
            "lesson": lesson.number,
            "stars": lesson.stars,
            "hint": lesson.hint,
            "tensors": pairs.iter().map(tensor).collect::<Vec<Value>>(),
            "passed": agrees,
        }));
    } else {
        lines.print(&format!("Lesson {} {}  {}", lesson.number, stars(&lesson), lesson.hint));
        lines.print("");
        lines.print(
            "The gradient against differences, from the loss back to the images. One-hot images are black, up to",
        );
        lines.print(
            "a faint grain, but for one pixel: each kernel's gradient is a few products there. Digits are drawn.",
        );
        lines.print("");
        table(&checked, &pairs).iter().for_each(|line| lines.print(line));
        lines.print("");
        lines.print(
            "Error: of the tensor's largest element. Ratio: gradient ÷ difference quotient, where all have the same.",
        );
        let asked = match agrees {
            true => "Every tensor agrees. Is all right, then?",
            false => "Which layer is wrong, and how?",
        };
        lines.print(&format!("{asked} The answer: gradcheck --lesson {} --reveal", lesson.number));
    }
    lines.end()?;
    Ok(if agrees { Outcome::Done } else { Outcome::PartlyFailed })
}

/// A row for each tensor, and one for each layer that has none.
fn table(checked: &Checked, pairs: &[Pair]) -> Vec<String> {
    let row = |layer: &str, tensor: &str, cells: [String; 3]| {
        let [one_hot, digits, ratio] = cells;
        format!("{layer:<21} {tensor:<8} {one_hot:>10} {digits:>12} {ratio:>8}").trim_end().to_string()
    };
    let mut lines = vec![row("layer", "tensor", ["one-hot", "digits", "ratio"].map(String::from))];
    lines.push("─".repeat(lines[0].chars().count()));
    lines.push("loss".into());
    let cell = |check: &TensorCheck| format!("{} {}", error(check.error()), mark(check.verdict() == Verdict::Agrees));
    let cells = |pair: &Pair| {
        let ratio = pair.ratio().map_or(String::new(), |ratio| format!("{ratio:.3}"));
        [cell(pair.one_hot), cell(pair.digits), ratio]
    };
    let of = |place: Option<usize>| {
        pairs.iter().rev().filter(move |pair| match pair.digits.tensor.place {
            Place::Weights { layer, .. } => place == Some(layer),
            Place::Images => place.is_none(),
        })
    };
    for (index, layer) in checked.network.layers().iter().enumerate().rev() {
        let mut name = layer.name.as_str();
        for pair in of(Some(index)) {
            let tensor = pair.digits.tensor.name.rsplit('/').next().unwrap_or_default();
            lines.push(row(name, tensor, cells(pair)));
            name = "";
        }
        if !name.is_empty() {
            lines.push(name.into());
        }
    }
    lines.extend(of(None).map(|pair| row("images", "", cells(pair))));
    lines
}

fn reveal(args: &GradcheckArgs, lesson: Lesson) -> CommandResult {
    let (right, wrong) = (train(None, args.seed)?, train(Some(lesson), args.seed)?);
    let mut lines = Lines::default();
    if args.json {
        let curve = |epochs: &[EpochLoss]| {
            let one = |epoch: &EpochLoss| json!({"loss": epoch.loss, "val_loss": epoch.val_loss, "val_accuracy": epoch.val_accuracy});
            epochs.iter().map(one).collect::<Vec<Value>>()
        };
        lines.print_json(&json!({
            "lesson": lesson.number,
            "place": lesson.place,
            "kind": lesson.kind,
            "seen_by_a_gradient_check": lesson.is_seen(),
            "file": format!("src/{}", lesson.file),
            "right": lesson.right,
            "wrong": lesson.wrong,
            "why": lesson.why,
            "epochs_right": curve(&right),
            "epochs_wrong": curve(&wrong),
        }));
    } else {
        lines.print(&format!("Lesson {} {}  {}: {}", lesson.number, stars(&lesson), lesson.place, lesson.kind));
        lines.print("");
        lines.print(&format!("right   {}", lesson.right));
        lines.print(&format!("wrong   {}", lesson.wrong));
        lines.print("");
        lines.print(&format!(
            "The right line stands in src/{}, the wrong one in src/gradcheck/lessons/mistakes.rs.",
            lesson.file
        ));
        lines.print("");
        wrapped(lesson.why, WHY_COLUMNS).iter().for_each(|line| lines.print(line));
        lines.print("");
        lines.print(&format!("{EPOCHS} epochs on 90 drawn digits in the textbook, without the mistake and with it:"));
        lines.print("");
        curves(&right, &wrong).iter().for_each(|line| lines.print(line));
    }
    lines.end()?;
    Ok(Outcome::Done)
}

/// The epochs side by side, with a bar for each loss.
fn curves(right: &[EpochLoss], wrong: &[EpochLoss]) -> Vec<String> {
    const BAR: usize = 16;
    let most = right.iter().chain(wrong).map(|epoch| epoch.loss).fold(0.0, f64::max);
    let half = |epoch: &EpochLoss| {
        let bar = "█".repeat(((epoch.loss / most * BAR as f64).round() as usize).min(BAR));
        let accuracy = 100.0 * epoch.val_accuracy;
        format!("{:>7.4} {bar:<BAR$} {:>8.4} {accuracy:>6.1} %", epoch.loss, epoch.val_loss)
    };
    let heading = format!("{:>7} {:<BAR$} {:>8} {:>8}", "loss", "", "val_loss", "accuracy");
    let (right_title, wrong_title) = ("right", "with the mistake");
    let width = heading.chars().count();
    let mut lines = vec![
        format!("       {right_title:^width$}   {wrong_title:^width$}").trim_end().to_string(),
        format!("epoch  {heading}   {heading}"),
    ];
    lines.push("─".repeat(lines[1].chars().count()));
    for (epoch, (right, wrong)) in right.iter().zip(wrong).enumerate() {
        lines.push(format!("{:>5}  {}   {}", epoch + 1, half(right), half(wrong)));
    }
    lines
}
