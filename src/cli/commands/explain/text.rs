//! A weight's chain rule in the terminal.

use super::subject::Subject;
use glassnet::explain::{Focus, LARGEST_TERMS, Moment, RuleNumbers, Term, promised, ulps};
use glassnet::report::explanation::shown;
use serde_json::{Value, json};

/// The prediction, the terms of the weight's gradient with a running total, the images' shares, the step, and
/// the loss before and after it.
pub fn lines(subject: &Subject, moment: &Moment, focus: &Focus) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (name, fact) in subject.facts(moment, focus) {
        lines.push(format!("{name:<12} {fact}"));
    }
    let weight = &focus.weight;
    let chain = moment.chain(weight, focus.image);
    let largest = chain.largest();
    let positions = chain.terms.len();
    lines.push(String::new());
    lines.push(format!(
        "{weight}: its gradient is a sum over {positions} position{}",
        if positions == 1 { "" } else { "s" }
    ));
    lines.push(format!(
        "{:>10} {:>14} {:>14} {:>14} {:>14}",
        "position", "input", "dL/doutput", "product", "running total"
    ));
    let mut running = 0.0;
    for term in largest.iter().take(LARGEST_TERMS) {
        running += term.product();
        let [y, x] = term.position;
        lines.push(format!(
            "{:>10} {:>14} {:>14} {:>14} {:>14}",
            format!("{y},{x}"),
            shown(term.input),
            shown(term.gradient.into()),
            shown(term.product()),
            shown(running)
        ));
    }
    if let Some(others) = largest.get(LARGEST_TERMS..).filter(|others| !others.is_empty()) {
        let rest: f64 = others.iter().map(Term::product).sum();
        lines.push(format!("the other {} add up to {}", others.len(), shown(rest)));
    }
    for (cause, count) in chain.zeros.counted() {
        lines.push(format!("{count} more are zero {}", cause.in_words()));
    }
    lines.push(String::new());
    let shares = moment.shares(weight);
    if shares.len() > 1 {
        for (name, share) in moment.names.iter().zip(&shares) {
            lines.push(format!("{:>14}  share of {name}", shown(*share)));
        }
    }
    let update = moment.update(weight);
    let sum: f64 = shares.iter().sum();
    let apart = match ulps(sum as f32, update.gradient) {
        Some(steps) => format!("the engine has {}, {steps} ulp away", shown(update.gradient.into())),
        None => "the engine has no number".to_string(),
    };
    lines.push(format!("{:>14}  dL/dw; {apart}", shown(sum)));
    let rule = match update.rule {
        RuleNumbers::Adam { after: [m, v], alpha, .. } => {
            format!("Adam: m {}, v {}, alpha {}", shown(m), shown(v), shown(alpha))
        }
        RuleNumbers::Sgd { after, .. } => format!("SGD: velocity {}", shown(after)),
    };
    lines.push(format!("{:>14}  w before; {rule}", shown(update.before.into())));
    lines.push(format!("{:>14}  w after", shown(update.after.into())));
    lines.push(String::new());
    let (before, promise) = (moment.snapshot.loss(), promised(moment.snapshot));
    lines.push(format!(
        "loss {} before the step, {} promised by the gradients, {} after",
        shown(before),
        shown(before + promise),
        shown(moment.loss_after)
    ));
    lines
}

/// The same as an object.
pub fn json(subject: &Subject, moment: &Moment, focus: &Focus) -> Value {
    let weight = &focus.weight;
    let chain = moment.chain(weight, focus.image);
    let update = moment.update(weight);
    let terms: Vec<Value> = chain
        .largest()
        .iter()
        .take(LARGEST_TERMS)
        .map(|term| {
            json!({ "position": term.position, "input": term.input, "gradient": term.gradient, "product": term.product() })
        })
        .collect();
    let images: Vec<Value> = (0..moment.count())
        .map(|image| {
            let (answer, probability) = subject.answer(image);
            json!({
                "file": moment.names[image],
                "label": subject.classes[subject.labels[image].index()],
                "predicted": subject.classes[answer.index()],
                "probability": probability,
                "loss": moment.loss_of(image),
            })
        })
        .collect();
    json!({
        "model": subject.model,
        "weights": subject.weights,
        "step": moment.snapshot.facts().step,
        "images": images,
        "weight": weight.to_string(),
        "positions": chain.terms.len(),
        "terms": terms,
        "zeros": chain.zeros,
        "shares": moment.shares(weight),
        "gradient": update.gradient,
        "before": update.before,
        "after": update.after,
        "loss": moment.snapshot.loss(),
        "loss_promised": moment.snapshot.loss() + promised(moment.snapshot),
        "loss_after": moment.loss_after,
    })
}
