//! What can be computed by hand: one neuron, and a whole step of a small network.

use crate::canvas::{Canvas, GREY, INK};
use crate::maps::{Colours, Map, number};
use glassnet::reference::{ConvShape, Image, Layer, PoolShape, dense_forward, forward, sigmoid, step};
use image::RgbImage;

/// The pixels of the image by hand.
const PIXELS: [f64; 16] = [1., 2., 0., 1., 0., 1., 3., 1., 2., 1., 0., 0., 1., 0., 1., 2.];

/// Pixels of a square with a number in it.
const SIDE: i32 = 36;

/// Chapter 6: the image by hand as a file, with 3 as white.
pub fn image() -> RgbImage {
    RgbImage::from_fn(4, 4, |x, y| image::Rgb([85 * PIXELS[(4 * y + x) as usize] as u8; 3]))
}

/// Chapter 1: the neuron of diagonals looks at a cross.
pub fn one_neuron() -> RgbImage {
    let weights: Vec<f64> = (0..16).map(|place| if place % 5 == 0 { 1.0 } else { -1.0 }).collect();
    let is_lit = |place: usize| place.is_multiple_of(5) || place.is_multiple_of(3);
    let cross: Vec<f64> = (0..16).map(|place| f64::from(u8::from(is_lit(place)))).collect();
    let products: Vec<f64> = cross.iter().zip(&weights).map(|(x, w)| x * w).collect();
    let image = Image { height: 4, width: 4, channels: 1, values: cross.clone() };
    let z = dense_forward(&image, &weights, &[-1.0]).values[0];
    let mut canvas = Canvas::new(640, 250);
    let top = 40;
    let maps = [
        ("image x", &cross, Colours::Brightness(1.0)),
        ("weights w", &weights, Colours::Signed(1.5)),
        ("products x·w", &products, Colours::Signed(1.5)),
    ];
    for (index, (title, values, colours)) in maps.into_iter().enumerate() {
        let left = 20 + index as i32 * 210;
        canvas.text([left, 22], title, INK);
        Map { values, width: 4, side: SIDE, colours, numbers: true }.draw(&mut canvas, [left, top]);
        if index < 2 {
            canvas.centred([left + 4 * SIDE + 33, top + 2 * SIDE], ["×", "="][index], 30.0, INK);
        }
    }
    let sum: f64 = products.iter().sum();
    let [sum, logit] = [sum, z].map(number);
    let line = format!("sum of the products: {sum}     bias: −1     z = {logit}     p = σ(z) = {:.4}", sigmoid(z));
    canvas.text([20, top + 4 * SIDE + 34], &line, INK);
    canvas.finish()
}

/// Chapter 6: all values of the network by hand, and all gradients.
pub fn a_step() -> RgbImage {
    let shape =
        ConvShape { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [0, 0], output: [2, 2], filters: 1 };
    let kernel = vec![1., 0., -1., 0., 1., 0., -1., 0., 1.];
    let layers = [
        Layer::Conv2d { shape, kernel: kernel.clone(), bias: vec![1.0] },
        Layer::Relu,
        Layer::MaxPool(PoolShape { window: [2, 2], stride: [2, 2], padding: [0, 0], output: [1, 1] }),
        Layer::Flatten,
        Layer::Dense { kernel: vec![0.5], bias: vec![-2.0] },
    ];
    let image = Image { height: 4, width: 4, channels: 1, values: PIXELS.to_vec() };
    let activations = forward(&layers, &image, &[]);
    // The gradient of each value: the step of the network that begins with it.
    let gradient = |first: usize| {
        let found = step(&layers[first..], &[activations[first].clone()], &[1], &[vec![]]);
        found.grad_inputs[0].values.clone()
    };
    let whole = step(&layers, &[image], &[1], &[vec![]]);
    let logit_gradient = sigmoid(activations[5].values[0]) - 1.0;

    let mut canvas = Canvas::new(760, 430);
    let columns = [
        ("image", 0, 4, 20),
        ("convolution", 1, 2, 330),
        ("ReLU", 2, 2, 440),
        ("pool", 3, 1, 550),
        ("logit", 5, 1, 640),
    ];
    let rows = [40, 240];
    for (title, index, width, left) in columns {
        canvas.text([left, 22], title, INK);
        let grads = if index == 5 { vec![logit_gradient] } else { gradient(index) };
        let forward =
            Map { values: &activations[index].values, width, side: SIDE, colours: Colours::Signed(6.0), numbers: true };
        forward.draw(&mut canvas, [left, rows[0]]);
        let backward = Map { values: &grads, width, side: SIDE, colours: Colours::Signed(0.75), numbers: true };
        backward.draw(&mut canvas, [left, rows[1]]);
    }
    canvas.text([190, 22], "filter", INK);
    Map { values: &kernel, width: 3, side: SIDE, colours: Colours::Signed(2.0), numbers: true }
        .draw(&mut canvas, [190, rows[0]]);
    Map { values: &whole.gradients[0].kernel, width: 3, side: SIDE, colours: Colours::Signed(0.75), numbers: true }
        .draw(&mut canvas, [190, rows[1]]);
    canvas.text([20, rows[0] + 4 * SIDE + 24], "Forward: values, from left to right", GREY);
    canvas.text(
        [20, rows[1] + 4 * SIDE + 24],
        "Backward: by how much L changes for each of them, from right to left",
        GREY,
    );
    canvas.finish()
}
