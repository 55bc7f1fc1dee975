//! What several tests share: random values, the error of a tensor, and images as the textbook has them.

#![allow(dead_code)] // each test program uses a part

pub mod every_layer;
pub mod networks;
pub mod steps;

use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::random::{Purpose, Stream};
use glassnet::reference as textbook;

/// Uniform values in [−½, ½), exact in f32, from a stream of their own.
pub fn values(len: usize, seed: u64, index: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed, Purpose::Test, 0, index);
    (0..len).map(|_| stream.unit_f32() - 0.5).collect()
}

/// The same numbers in f64.
pub fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

/// Weights drawn so that activations keep their size and every one of them counts: kernels by Glorot's rule,
/// biases, beta and moving means in ±0.1, gamma and moving variances from a half to one and a half.
pub fn random_parameters(network: &Network, seed: u64) -> Parameters {
    let mut parameters = network.initial_parameters(seed);
    for (id, entry) in network.table().entries().iter().enumerate() {
        let (start, scale) = match entry.name.rsplit('/').next() {
            Some("kernel") => continue,
            Some("gamma" | "moving_variance") => (1.0, 1.0),
            _ => (0.0, 0.2),
        };
        let drawn = values(entry.range.len(), seed, 1000 + id as u64);
        for (value, x) in parameters.tensor_mut(id).iter_mut().zip(drawn) {
            *value = start + scale * x;
        }
    }
    parameters
}

/// The error of a tensor: max|a − b| / max|b|. NaN where either holds one, and where b is all zeros but a is
/// not.
pub fn error(actual: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len(), "tensors of different sizes");
    let (mut difference, mut largest) = (0.0f64, 0.0f64);
    for (&a, &b) in actual.iter().zip(expected) {
        let here = (f64::from(a) - b).abs();
        if here.is_nan() {
            return f64::NAN;
        }
        difference = difference.max(here);
        largest = largest.max(b.abs());
    }
    if difference == 0.0 {
        0.0
    } else if largest == 0.0 {
        f64::NAN
    } else {
        difference / largest
    }
}

/// Fails, naming the tensor, unless its error is within the tolerance. Written so that NaN fails.
#[track_caller]
pub fn assert_close(what: &str, actual: &[f32], expected: &[f64], tolerance: f64) {
    let error = error(actual, expected);
    assert!(error <= tolerance, "{what}: error {error:e}, tolerance {tolerance:e}");
}

/// Fails, naming the tensor and the first place, unless all bits are the same.
#[track_caller]
pub fn assert_same_bits(what: &str, actual: &[f32], expected: &[f32]) {
    assert_eq!(actual.len(), expected.len(), "{what}: tensors of different sizes");
    let differs = actual.iter().zip(expected).position(|(a, b)| a.to_bits() != b.to_bits());
    if let Some(place) = differs {
        panic!("{what}: {:e} and not {:e} at {place} of {}", actual[place], expected[place], actual.len());
    }
}

/// A batch [N, H, W, C] as images of the textbook.
pub fn as_images(batch: &[f32], [height, width, channels]: [usize; 3]) -> Vec<textbook::Image> {
    batch
        .chunks_exact(height * width * channels)
        .map(|image| textbook::Image { height, width, channels, values: wide(image) })
        .collect()
}
