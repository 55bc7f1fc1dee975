//! `glassnet summary`: what a model is made of.

use crate::cli::args::{ImageSize, SummaryArgs};
use crate::cli::input::model::{Origin, read_spec, weights_file};
use crate::cli::machine::memory::Memory;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console;
use glassnet::checkpoint;
use glassnet::data::reading::Reading;
use glassnet::error::grouped;
use glassnet::layers::Layer;
use glassnet::network::Network;
use glassnet::optim::Rule;
use glassnet::parameters::{ParameterTable, Role};
use glassnet::plan::PlanOptions;
use glassnet::spec::ModelSpec;
use serde_json::json;

/// Prints a line for each layer, and the sums.
pub fn run(args: &SummaryArgs) -> CommandResult {
    let mut reading = None;
    let spec = match args.model.as_deref() {
        None => ModelSpec::documented(),
        Some(path) if path.extension().is_some_and(|extension| extension == "toml") => read_spec(path)?,
        Some(path) => {
            let card = checkpoint::load(&weights_file(path)?)?.card;
            let spec = card.spec;
            reading = Some(card.reading);
            let [height, width, _] = spec.input;
            if let Some(size) = args.image_size.filter(|&size| size != ImageSize { height, width }) {
                console::warn(&format!(
                    "the weights in {} are for images of {height}×{width}; this is what a network with its layers would be for \
                     {}×{}",
                    path.display(),
                    size.height,
                    size.width
                ));
            }
            spec
        }
    };
    let network = Origin { file: args.model.as_deref(), image_size: args.image_size }.network(spec)?;
    let memory = Memory::new(&network, args.batch_size, PlanOptions::default(), Rule::default());
    if args.json {
        console::print_json(&as_json(&network, args.batch_size, &memory, reading))?;
    } else {
        for line in table(&network, args.batch_size, &memory) {
            console::print(&line)?;
        }
        if let Some(how) = reading.and_then(|reading| reading.description()) {
            console::print(&format!("Images are read with {how}"))?;
        }
    }
    Ok(Outcome::Done)
}

/// The number of a layer's parameters.
fn parameters(network: &Network, layer: &Layer) -> usize {
    network.table().entries()[layer.tensors.clone()].iter().map(|entry| entry.range.len()).sum()
}

fn table(network: &Network, batch: usize, memory: &Memory) -> Vec<String> {
    let longest = network.layers().iter().map(|layer| layer.name.len()).max().unwrap_or(0).max(18);
    let row = |name: &str, shape: &str, parameters: &str, multiply_adds: &str| {
        format!("{name:<longest$} {shape:>14} {parameters:>12} {multiply_adds:>16}").trim_end().to_string()
    };
    let rule = "─".repeat(longest + 45);
    let [height, width, channels] = network.spec().input;
    let mut lines = vec![
        row("layer", "output", "parameters", "multiply-adds"),
        rule.clone(),
        row("input", &format!("{height}×{width}×{channels}"), "", ""),
    ];
    for layer in network.layers() {
        let counts = [parameters(network, layer), layer.multiply_adds()];
        let [parameters, multiply_adds] = counts.map(|count| if count == 0 { String::new() } else { grouped(count) });
        lines.push(row(&layer.name, &layer.output.to_string(), &parameters, &multiply_adds));
    }
    lines.push(rule);
    let total = network.table().parameter_count();
    lines.push(row("all", "", &grouped(total), &grouped(network.multiply_adds())));
    lines.push(String::new());
    lines.push(format!("Parameters: {}", parameter_count(network.table(), memory)));
    lines.push("Multiply-adds are of one image going forward; a training step takes about three times as many.".into());
    lines.push(format!(
        "Memory for a batch of {batch}: {} MiB to predict, {} MiB to train (activations, gradients, Adam's moments, the best epoch's parameters), besides the parameters",
        mebibytes(memory.inference),
        mebibytes(memory.training)
    ));
    lines
}

fn as_json(network: &Network, batch: usize, memory: &Memory, reading: Option<Reading>) -> serde_json::Value {
    let layers: Vec<_> = network
        .layers()
        .iter()
        .map(|layer| {
            json!({
                "name": layer.name,
                "input": layer.input.to_string(),
                "output": layer.output.to_string(),
                "parameters": parameters(network, layer),
                "multiply_adds": layer.multiply_adds(),
            })
        })
        .collect();
    json!({
        "input": network.spec().input,
        "layers": layers,
        "parameters": network.table().parameter_count(),
        "multiply_adds": network.multiply_adds(),
        "batch_size": batch,
        "bytes": {
            "parameters": memory.parameters,
            "inference": memory.inference,
            "training": memory.training,
        },
        "reading": reading,
    })
}

/// The number of parameters and their bytes, and how many of them no optimizer moves, if there are such:
/// frozen ones and moving statistics.
fn parameter_count(table: &ParameterTable, memory: &Memory) -> String {
    let count = |is: &dyn Fn(Role) -> bool| -> usize {
        table.entries().iter().filter(|entry| is(entry.role)).map(|entry| entry.range.len()).sum()
    };
    let frozen = count(&|role| role == Role::Frozen);
    let running = count(&|role| matches!(role, Role::Running(_)));
    let unmoved: String = [(frozen, "frozen"), (running, "moving statistics")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!(", {} of them {kind}", grouped(*count)))
        .collect();
    format!("{} ({} MiB in f32){unmoved}", grouped(table.parameter_count()), mebibytes(memory.parameters))
}

fn mebibytes(bytes: usize) -> String {
    format!("{:.1}", bytes as f64 / (1 << 20) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassnet::parameters::{Initialization, Statistic};

    #[test]
    fn parameters_that_no_optimizer_moves_are_counted_apart() {
        let mut table = ParameterTable::default();
        table.push("a".into(), vec![1200], Role::Trainable { decays: true }, Initialization::Zeros);
        let memory = Memory { parameters: 1 << 20, inference: 0, training: 0 };
        assert_eq!(parameter_count(&table, &memory), "1,200 (1.0 MiB in f32)");
        table.push("b".into(), vec![34], Role::Running(Statistic::Mean), Initialization::Zeros);
        assert_eq!(parameter_count(&table, &memory), "1,234 (1.0 MiB in f32), 34 of them moving statistics");
    }

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!([0, 999, 1000, 3_304_769].map(grouped), ["0", "999", "1,000", "3,304,769"]);
    }
}
