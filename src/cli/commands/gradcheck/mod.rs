//! `glassnet gradcheck`: the textbook against the definition of the derivative, and the engine against the
//! textbook.

mod differences;
mod engine;
mod lesson;
mod subject;
mod sweep;
mod words;

use crate::cli::args::{GradcheckArgs, Link};
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::Lines;
use differences::Differences;
use engine::Engine;
use glassnet::gradcheck::{Base, Problem};
use glassnet::kernels::conv::registry::ConvPolicy;
use serde_json::json;
use subject::Subject;

/// Checks, or prints what is asked for instead.
pub fn run(args: &GradcheckArgs) -> CommandResult {
    if let Some(number) = args.lesson {
        return lesson::run(args, number);
    }
    let subject = Subject::new(args)?;
    let step = subject.step(ConvPolicy::Auto)?;
    let problem = Problem::new(&subject.network, &subject.parameters, &step);
    let base = Base::new(&problem);
    if let Some(coordinate) = &args.sweep {
        return sweep::run(args, &subject, &base, coordinate.as_deref());
    }
    let gradient = base.gradient();
    let mut lines = Lines::default();
    if !args.json {
        subject.lines().iter().for_each(|line| lines.print(line));
    }
    let differences = match args.only {
        Some(Link::Engine) => None,
        _ => Some(Differences::new(&base, &gradient, args)),
    };
    if let Some(differences) = differences.as_ref().filter(|_| !args.json) {
        differences.lines(&problem).iter().for_each(|line| lines.print(line));
    }
    let engine = match args.only {
        Some(Link::Differences) => None,
        _ => Some(Engine::new(&subject, &base, &gradient, args)?),
    };
    if let Some(engine) = engine.as_ref().filter(|_| !args.json) {
        engine.lines().iter().for_each(|line| lines.print(line));
    }
    let passed = [differences.as_ref().map(Differences::passes), engine.as_ref().map(Engine::passes)];
    let all = passed.iter().flatten().all(|passed| *passed);
    if args.json {
        lines.print_json(&json!({
            "model": subject.model,
            "weights": subject.weights,
            "images": subject.names,
            "labels": problem.labels,
            "seed": args.seed,
            "loss": base.loss.loss,
            "differences": differences.as_ref().map(|differences| differences.json(&problem)),
            "engine": engine.as_ref().map(Engine::json),
            "passed": all,
        }));
    } else {
        lines.print("");
        lines.print(match differences.as_ref().is_some_and(Differences::is_undecided) && passed[1] != Some(false) {
            true => UNDECIDED,
            false => verdict(passed),
        });
    }
    lines.end()?;
    Ok(if all { Outcome::Done } else { Outcome::PartlyFailed })
}

/// The last line where nothing is wrong, and not enough could be compared.
const UNDECIDED: &str = "THE FIRST LINK IS NOT CHECKED: of a tensor too few coordinates lie off corners; give other images or weights, \
                         or another --seed.";

/// The last line, of what each link came to.
fn verdict(passed: [Option<bool>; 2]) -> &'static str {
    match passed {
        [Some(true), Some(true)] => "Both links hold: the engine computes the derivative.",
        [Some(true), None] => "The first link holds: the textbook computes the derivative.",
        [None, Some(true)] => "The second link holds: the engine computes what the textbook does.",
        [Some(false), Some(false)] => "BOTH LINKS ARE BROKEN: the rows marked ✘ say where.",
        [Some(false), _] => "THE FIRST LINK IS BROKEN: the rows marked ✘ say where.",
        _ => "THE SECOND LINK IS BROKEN: the rows marked ✘ say where.",
    }
}
