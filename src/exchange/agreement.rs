//! Whether a file answers as the model that it was made of: the model is run by the engine, in f32, and what
//! was read back from the file by the [textbook](crate::reference), in f64, which shares no code with it.

use crate::Result;
use crate::checkpoint::Checkpoint;
use crate::plan::predict;
use crate::random::{Purpose, Stream};
use crate::reference::{Image, forward, sigmoid, softmax};
use ndarray::{Array4, ArrayView4};
use rayon::prelude::*;

/// Returns the largest difference between the probabilities that a model gives for `images` `[N, H, W, C]`
/// and those of the model that was read back. NaN if an answer is none.
///
/// # Errors
/// As [`predict`].
pub fn difference(model: &Checkpoint, read_back: &Checkpoint, images: ArrayView4<f32>) -> Result<f64> {
    let answers = predict(&model.network, &model.parameters, images)?;
    let layers = read_back.network.twin(&read_back.parameters);
    let head = read_back.network.head();
    let (count, height, width, channels) = images.dim();
    let values: Vec<f64> = images.iter().map(|&value| f64::from(value)).collect();
    let expected: Vec<f64> = values
        .par_chunks_exact(height * width * channels)
        .flat_map_iter(|values| {
            let image = Image { height, width, channels, values: values.to_vec() };
            let logits = forward(&layers, &image, &[]).pop().map_or(Vec::new(), |output| output.values);
            match head.units() == 1 || head.has_several_labels() {
                true => logits.into_iter().map(sigmoid).collect(),
                false => softmax(&logits),
            }
        })
        .collect();
    if expected.len() != answers.len() || count == 0 {
        return Ok(f64::NAN);
    }
    let differences = answers.iter().zip(&expected).map(|(&a, b)| (f64::from(a) - b).abs());
    // A NaN is the largest of all, and stays.
    Ok(differences.fold(0.0, |largest: f64, here| if here.is_nan() || here > largest { here } else { largest }))
}

/// Returns images to compare answers on where there are none: every pixel drawn, from black to white.
pub fn drawn_images(count: usize, [height, width, channels]: [usize; 3]) -> Array4<f32> {
    let len = height * width * channels;
    let draw = |image: usize| {
        let mut stream = Stream::new(0, Purpose::Test, 0, image as u64);
        (0..len).map(move |_| crate::data::sample::scale(stream.below(256) as u8))
    };
    let values: Vec<f32> = (0..count).flat_map(draw).collect();
    Array4::from_shape_vec((count, height, width, channels), values).expect("so many values were drawn")
}
