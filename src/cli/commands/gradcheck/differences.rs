//! The first link as it is printed: a row for each tensor.

use super::words::{error, mark};
use crate::cli::args::GradcheckArgs;
use crate::cli::terminal::progress::Progress;
use glassnet::gradcheck::{
    Base, FIRST_STEP, Gradient, Kind, MOST_HALVINGS, MOST_SET_ASIDE, Problem, SetAside, TOLERANCE, TensorCheck,
    Verdict, check,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the first link came to.
pub struct Differences {
    checks: Vec<TensorCheck>,
}

impl Differences {
    /// Compares a gradient with differences.
    pub fn new(base: &Base, gradient: &Gradient, args: &GradcheckArgs) -> Differences {
        let tensors = base.problem().tensors.iter();
        let total = tensors.map(|tensor| tensor.len().min(args.coordinates)).sum();
        let progress = Progress::of_coordinates(total);
        Differences { checks: check(base, gradient, args.coordinates, args.seed, || progress.advance(1)) }
    }

    pub fn passes(&self) -> bool {
        self.checks.iter().all(|check| check.verdict() == Verdict::Agrees)
    }

    /// Whether no tensor is off, though of some too little could be compared.
    pub fn is_undecided(&self) -> bool {
        let verdicts = || self.checks.iter().map(TensorCheck::verdict);
        verdicts().any(|verdict| verdict == Verdict::TooFew) && verdicts().all(|verdict| verdict != Verdict::Differs)
    }

    pub fn lines(&self, problem: &Problem) -> Vec<String> {
        let name = self.checks.iter().map(|check| check.tensor.name.len()).max().unwrap_or(0);
        let shape = |check: &TensorCheck| check.tensor.to_string().replacen(&format!("{} ", check.tensor.name), "", 1);
        let width = self.checks.iter().map(|check| shape(check).chars().count()).max().unwrap_or(0).max(5);
        let row = |cells: [&str; 7], end: &str| {
            let [tensor, shape, compared, aside, ties, error, own] = cells;
            let left = format!("{tensor:<name$}  {shape:<width$} {compared:>9} {aside:>6} {ties:>5}");
            format!("{left} {error:>9} {own:>10}  {end}").trim_end().to_string()
        };
        let mut lines = vec![
            String::new(),
            "1. The textbook against the definition of the derivative, (L(x + h) − L(x − h)) / 2h, in f64".into(),
            String::new(),
            row(["tensor", "shape", "compared", "aside", "ties", "error", "own error"], "worst element"),
        ];
        lines.push("─".repeat(lines[3].chars().count() + 12));
        for check in &self.checks {
            let worst = check.worst();
            let own = worst.map_or(0.0, |worst| worst.own_error());
            let verdict = check.verdict();
            let place = worst.map_or(String::new(), |worst| check.tensor.element(worst.element));
            let place = place.strip_prefix(&check.tensor.name).unwrap_or_default();
            let note = match verdict {
                Verdict::TooFew => "too few could be compared",
                Verdict::Differs | Verdict::Agrees if check.vanishes => "no gradient but rounding",
                _ => "",
            };
            let end = format!("{place:<14} {} {note}", mark(verdict == Verdict::Agrees));
            let cells = [check.checked.len(), check.set_aside.len(), check.ties.len()].map(|count| count.to_string());
            let [compared, aside, ties] = cells.each_ref().map(String::as_str);
            let (shape, told) = (shape(check), [error(check.error()), error(own)]);
            lines.push(row([&check.tensor.name, &shape, compared, aside, ties, &told[0], &told[1]], &end));
        }
        lines.push(String::new());
        lines.push(format!(
            "Error: the largest difference, of the tensor's largest element; at most {TOLERANCE:e} is right. Own error: of the"
        ));
        lines.push("worst element itself, which may be near 0; it is not judged.".into());
        lines.push(self.set_aside_line(problem));
        lines
    }

    /// What was set aside, by layer and kind.
    fn set_aside_line(&self, problem: &Problem) -> String {
        let last = FIRST_STEP / f64::from(1u32 << MOST_HALVINGS);
        let all: usize = self.checks.iter().map(TensorCheck::counted).sum();
        let aside = self.counts(|check| &check.set_aside);
        let count: usize = aside.values().sum();
        let percent = 100.0 * count as f64 / all.max(1) as f64;
        let ties = self.counts(|check| &check.ties);
        let told = |counts: &BTreeMap<(usize, Kind), usize>| {
            let one = |((layer, kind), count): (&(usize, Kind), &usize)| {
                format!("{} {} {count}", problem.names[*layer], kind.name())
            };
            counts.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let aside = match count {
            0 => "Set aside: none".to_string(),
            _ => format!(
                "Set aside: {count} of {all} ({percent:.1} %), where a corner lies within h = {last:.0e}: {}; at most {:.0} % of a tensor",
                told(&aside),
                100.0 * MOST_SET_ASIDE
            ),
        };
        match ties.is_empty() {
            true => format!("{aside}. Exact ties: none."),
            false => format!(
                "{aside}. Exact ties, where there is no derivative: {}; others were drawn instead.",
                told(&ties)
            ),
        }
    }

    /// How many coordinates stopped at which corner.
    fn counts(&self, of: impl Fn(&TensorCheck) -> &Vec<SetAside>) -> BTreeMap<(usize, Kind), usize> {
        let mut counts = BTreeMap::new();
        for aside in self.checks.iter().flat_map(of) {
            *counts.entry((aside.crossing.layer, aside.crossing.kind)).or_insert(0) += 1;
        }
        counts
    }

    pub fn json(&self, problem: &Problem) -> Value {
        let tensors = self.checks.iter().map(|check| {
            let worst = check.worst();
            json!({
                "name": check.tensor.name,
                "shape": check.tensor.shape,
                "compared": check.checked.len(),
                "set_aside": check.set_aside.len(),
                "ties": check.ties.len(),
                "largest": check.scale,
                "vanishes": check.vanishes,
                "error": check.error(),
                "own_error": worst.map(|worst| worst.own_error()),
                "worst": worst.map(|worst| json!({
                    "element": check.tensor.element(worst.element),
                    "analytic": worst.analytic,
                    "numeric": worst.numeric,
                    "h": worst.step,
                })),
                "verdict": match check.verdict() {
                    Verdict::Agrees => "agrees",
                    Verdict::Differs => "differs",
                    Verdict::TooFew => "too_few",
                },
            })
        });
        let counts = |of: fn(&TensorCheck) -> &Vec<SetAside>| {
            let counts = self.counts(of).into_iter();
            let one = |((layer, kind), count): ((usize, Kind), usize)| json!({"layer": problem.names[layer], "kind": kind, "count": count});
            counts.map(one).collect::<Vec<Value>>()
        };
        json!({
            "tolerance": TOLERANCE,
            "tensors": tensors.collect::<Vec<Value>>(),
            "coordinates": self.checks.iter().map(TensorCheck::counted).sum::<usize>(),
            "set_aside": counts(|check| &check.set_aside),
            "ties": counts(|check| &check.ties),
            "passed": self.passes(),
        })
    }
}
