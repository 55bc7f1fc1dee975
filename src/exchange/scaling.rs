//! A batch normalization that only scales.

use crate::spec::LayerSpec;

/// Its ε: with it 1 − ε and (1 − ε) + ε are exact.
const UNIT_EPSILON: f32 = 1.0 / 1024.0;

/// Returns a batch normalization that by its moving statistics makes factor·x + summand of each channel, and
/// its tensors in the order of the table. Its mean is 0, and its variance with ε is 1 to the last bit.
pub fn scaling(factors: Vec<f32>, summands: Vec<f32>) -> (LayerSpec, [Vec<f32>; 4]) {
    let channels = factors.len();
    let spec = LayerSpec::BatchNormalization { momentum: 0.99, epsilon: f64::from(UNIT_EPSILON) };
    (spec, [factors, summands, vec![0.0; channels], vec![1.0 - UNIT_EPSILON; channels]])
}
