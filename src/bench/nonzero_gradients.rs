//! The share of a convolution's output that has a gradient other than 0.
//!
//! Max-pooling sends its gradient to one position of each window, and to none where ReLU cut the maximum off.
//! The sparse backward passes do work for these positions only, so their time hangs on this share.

use crate::data::batches::Batch;
use crate::kernels::conv::registry::ConvPolicy;
use crate::kernels::relu_pool::DEAD;
use crate::layers::saved::Saved;
use crate::layers::sink::GradientWriter;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::plan::observer::{Observer, StepGradient};
use crate::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use crate::{Error, Result};
use serde::Serialize;

/// The share of a convolution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NonzeroShare {
    /// The convolution's name.
    pub layer: String,
    /// Values of its output with a gradient other than 0, divided by all of them. In \[0, 1\].
    pub share: f64,
}

/// For each step that is a convolution with a max-pool, how many values of the convolution's own output got a
/// gradient other than 0 in all backward passes that it observed.
struct NonzeroGradients(Vec<usize>);

impl Observer for NonzeroGradients {
    fn gradient(&mut self, StepGradient { forward, grad_output, .. }: StepGradient) {
        if let Saved::BlockArgmax(argmax) = forward.saved {
            let is_nonzero = |(&cell, &g): (&u8, &f32)| cell != DEAD && g != 0.0;
            self.0[forward.index] += argmax.iter().zip(grad_output).filter(|&pair| is_nonzero(pair)).count();
        }
    }
}

/// Returns the shares of those convolutions that run as one step with a max-pool, over all these batches,
/// dropout on.
///
/// # Errors
/// Where the batches do not fit the network, or there is none.
pub fn nonzero_shares(
    network: &Network,
    parameters: &Parameters,
    batches: &[Batch],
    conv: ConvPolicy,
) -> Result<Vec<NonzeroShare>> {
    let Some(largest) = batches.iter().map(|batch| batch.labels.len()).max() else {
        return Err(Error::setting("batches", "there is none to count in"));
    };
    let plan = Plan::new(network, largest, PlanOptions { conv, training: true, ..PlanOptions::default() });
    let mut workspace = plan.workspace();
    let mut gradients = Parameters::zeros(network.table());
    let mut nonzero = NonzeroGradients(vec![0; plan.steps().len()]);
    for (step, batch) in batches.iter().enumerate() {
        let masks = DropoutMasks::Drawn { seed: 0, step: step as u64 };
        let logits = plan.forward(parameters, batch.images.view(), Mode::Training(masks), &mut workspace)?;
        let mut grad_logits = vec![0.0; logits.values().len()];
        network.head().gradient(logits, batch.targets(), &mut grad_logits);
        let mut writer = GradientWriter::new(parameters, &mut gradients);
        plan.backward_observed(batch.images.view(), &grad_logits, &mut writer, &mut workspace, &mut nonzero)?;
    }
    let images: usize = batches.iter().map(|batch| batch.labels.len()).sum();
    let shares = plan.steps().iter().zip(nonzero.0).filter_map(|(step, nonzero)| {
        let conv = step.conv().filter(|conv| conv.pool.is_some())?;
        let all = images * conv.geometry.output_len();
        Some(NonzeroShare {
            layer: network.layers()[step.layers.start].name.clone(),
            share: nonzero as f64 / all as f64,
        })
    });
    Ok(shares.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::Label;
    use crate::spec::ModelSpec;
    use ndarray::Array4;

    #[test]
    fn at_most_one_position_of_each_window_has_a_gradient() {
        let network = Network::new(&ModelSpec::documented().with_image_size(32)).unwrap();
        let images = Array4::from_shape_fn((3, 32, 32, 3), |(n, y, x, c)| ((n + 3 * y + 5 * x + 7 * c) % 11) as f32);
        let batches =
            [Batch { images, labels: [0, 1, 1].map(Label::new).to_vec(), indices: vec![0, 1, 2], sets: Vec::new() }];
        let shares = nonzero_shares(&network, &network.initial_parameters(0), &batches, ConvPolicy::Auto).unwrap();
        let layers: Vec<&str> = shares.iter().map(|share| share.layer.as_str()).collect();
        assert_eq!(layers, ["conv2d", "conv2d_1", "conv2d_2"]);
        assert!(shares.iter().all(|share| share.share > 0.0 && share.share <= 0.25), "{shares:?}");
    }

    #[test]
    fn without_relu_each_window_has_one_and_an_untouched_border_none() {
        // The convolution's 5×5 outputs are pooled to 2×2: 4 of 25 positions.
        let spec: ModelSpec = toml::from_str(
            r#"input = [7, 7, 3]
            layers = [{ type = "conv2d", filters = 2, kernel = 3 }, { type = "max_pool", window = 2 },
                      { type = "flatten" }, { type = "dense", units = 1 }]"#,
        )
        .unwrap();
        let network = Network::new(&spec).unwrap();
        let images = Array4::from_shape_fn((1, 7, 7, 3), |(_, y, x, c)| (y * x + c) as f32 / 50.0);
        let batches = [Batch { images, labels: vec![Label::POSITIVE], indices: vec![0], sets: Vec::new() }];
        let shares = nonzero_shares(&network, &network.initial_parameters(0), &batches, ConvPolicy::Im2col).unwrap();
        assert_eq!(shares, [NonzeroShare { layer: "conv2d".into(), share: 4.0 / 25.0 }]);
    }
}
