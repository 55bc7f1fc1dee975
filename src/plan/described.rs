//! A plan in words, for who looks into how a network runs.

use super::compile::Plan;
use super::step::Step;
use crate::kernels::conv::Pass;
use log::Level;

/// Says what runs how, and why, and that it takes `bytes` to work in, where anyone listens.
pub(super) fn log(plan: &Plan, bytes: usize) {
    let target = "glassnet::plan";
    if !log::log_enabled!(target: target, Level::Debug) {
        return;
    }
    let purpose = if plan.options().training { "training" } else { "inference" };
    let mebibytes = bytes as f64 / (1 << 20) as f64;
    log::debug!(target: target, "for {purpose} on batches of up to {}: {mebibytes:.1} MiB to work in", plan.batch());
    for (index, step) in plan.steps().iter().enumerate() {
        log::debug!(target: target, "{}", describe(plan, index, step));
    }
}

/// `conv2d + re_lu as one step: forward direct, weights' gradient direct; …`
fn describe(plan: &Plan, index: usize, step: &Step) -> String {
    let layers = &plan.network().layers()[step.layers.clone()];
    let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    let together = if names.len() == 1 { "a step" } else { "one step" };
    let mut text = format!("{} as {together}", names.join(" + "));
    let Some(conv) = step.conv() else { return text };
    let algorithm = |pass: Pass| conv.algorithms.of(pass).name();
    text += &format!(": forward {}", algorithm(Pass::Forward));
    if plan.options().training && plan.goes_on(index) {
        text += &format!(", input's gradient {}", algorithm(Pass::GradInput));
    }
    if plan.options().training {
        text += &format!(", weights' gradient {}", algorithm(Pass::GradWeights));
    }
    let sparse = plan.has_sparse_gradient(index);
    text + "; " + &plan.options().conv.reason(&conv.geometry, sparse, plan.options().training)
}
