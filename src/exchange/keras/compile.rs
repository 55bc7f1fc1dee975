//! How a model is compiled in Keras: optimizer, loss and metrics as JSON, and the optimizer's state as
//! tensors.

use super::training::Training;
use crate::network::Network;
use crate::optim::{Clipping, Optimizer, OptimizerSettings, Rule, Schedule};
use serde_json::{Value, json};

/// Returns the JSON of how a model is compiled.
pub fn compile_config(network: &Network, training: &Training) -> Value {
    let smoothing = training.label_smoothing;
    let several_labels = network.head().has_several_labels();
    let (class, name) = match network.head().units() {
        _ if several_labels => ("BinaryCrossentropy", "binary_crossentropy"),
        1 => ("BinaryCrossentropy", "binary_crossentropy"),
        _ => ("CategoricalCrossentropy", "categorical_crossentropy"),
    };
    let loss = json!({
        "module": "keras.losses",
        "class_name": class,
        "config": {
            "name": name, "reduction": "sum_over_batch_size", "from_logits": false, "label_smoothing": smoothing, "axis": -1,
        },
        "registered_name": null,
    });
    json!({
        "optimizer": optimizer(training),
        "loss": loss,
        "loss_weights": null,
        // Of several sigmoids Keras would take "accuracy" for that of the largest.
        "metrics": [if several_labels { "binary_accuracy" } else { "accuracy" }],
        "weighted_metrics": null,
        "run_eagerly": false,
        "steps_per_execution": 1,
        "jit_compile": false,
    })
}

/// Returns an optimizer with its settings.
fn optimizer(training: &Training) -> Value {
    let OptimizerSettings { rule, weight_decay, clipping, .. } = *training.optimizer.settings();
    let decay = (weight_decay != 0.0).then_some(weight_decay);
    let (norm, global, value) = match clipping {
        Clipping::None => (None, None, None),
        Clipping::Norm(bound) => (Some(bound), None, None),
        Clipping::GlobalNorm(bound) => (None, Some(bound), None),
        Clipping::Value(bound) => (None, None, Some(bound)),
    };
    let mut config = json!({
        "learning_rate": learning_rate(training),
        "weight_decay": decay,
        "clipnorm": norm,
        "global_clipnorm": global,
        "clipvalue": value,
        "use_ema": false,
        "ema_momentum": 0.99,
        "ema_overwrite_frequency": null,
        "loss_scale_factor": null,
        "gradient_accumulation_steps": null,
    });
    let class = match rule {
        Rule::Adam(constants) => {
            let class = if decay.is_some() { "AdamW" } else { "Adam" };
            config["beta_1"] = constants.beta_1.into();
            config["beta_2"] = constants.beta_2.into();
            config["epsilon"] = constants.epsilon.into();
            config["amsgrad"] = false.into();
            class
        }
        Rule::Sgd { momentum, nesterov } => {
            config["momentum"] = momentum.into();
            config["nesterov"] = nesterov.into();
            "SGD"
        }
    };
    config["name"] = class.to_lowercase().into();
    json!({ "module": "keras.optimizers", "class_name": class, "config": config, "registered_name": null })
}

/// Returns the learning rate: a number, or a schedule.
fn learning_rate(training: &Training) -> Value {
    let initial = training.initial_learning_rate;
    let (class, config) = match &training.schedule {
        Schedule::Constant | Schedule::Plateau(_) => return training.optimizer.settings().learning_rate.into(),
        Schedule::Cosine { decay_steps, alpha, warmup } => {
            let (steps, target) = warmup.map_or((0, None), |(steps, target)| (steps, Some(target)));
            let config = json!({
                "initial_learning_rate": initial, "decay_steps": decay_steps, "alpha": alpha, "warmup_target": target,
                "warmup_steps": steps, "name": "CosineDecay",
            });
            ("CosineDecay", config)
        }
        Schedule::Staircase { decay_steps, decay_rate } => {
            let config = json!({
                "initial_learning_rate": initial, "decay_steps": decay_steps, "decay_rate": decay_rate, "staircase": true,
                "name": "ExponentialDecay",
            });
            ("ExponentialDecay", config)
        }
        Schedule::Piecewise(pieces) => {
            let boundaries: Vec<u64> = pieces.iter().map(|(boundary, _)| *boundary).collect();
            let values: Vec<f64> = std::iter::once(initial).chain(pieces.iter().map(|(_, rate)| *rate)).collect();
            (
                "PiecewiseConstantDecay",
                json!({ "boundaries": boundaries, "values": values, "name": "PiecewiseConstant" }),
            )
        }
    };
    json!({
        "module": "keras.optimizers.schedules", "class_name": class, "config": config, "registered_name": null,
    })
}

/// A variable of an optimizer.
pub enum Variable<'a> {
    /// The number of steps.
    Steps(i64),
    /// The learning rate.
    Rate(f32),
    /// A moment, or a velocity.
    Moment(&'a [usize], &'a [f32]),
}

/// Returns an optimizer's variables in Keras's order: the steps; the learning rate, where no schedule gives
/// it; and for each trainable tensor what is kept of it.
pub fn variables(training: &Training) -> Vec<Variable<'_>> {
    let optimizer: &Optimizer = &training.optimizer;
    let mut variables = vec![Variable::Steps(optimizer.steps() as i64)];
    if matches!(training.schedule, Schedule::Constant | Schedule::Plateau(_)) {
        variables.push(Variable::Rate(optimizer.settings().learning_rate as f32));
    }
    let Some(first) = optimizer.accumulators().first() else { return variables };
    for (id, entry) in first.table().entries().iter().enumerate().filter(|(_, entry)| entry.is_trainable()) {
        for accumulator in optimizer.accumulators() {
            variables.push(Variable::Moment(&entry.shape, accumulator.tensor(id)));
        }
    }
    variables
}
