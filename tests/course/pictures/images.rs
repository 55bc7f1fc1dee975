//! A digit, what three filters make of it, and where its gradients stop.

use crate::canvas::{Canvas, GREY, INK};
use crate::maps::{Colours, Map};
use glassnet::data::glyphs;
use glassnet::reference::{
    ConvShape, Image, PoolShape, conv2d_forward, max_pool_backward, max_pool_forward, relu_backward, relu_forward,
};
use image::RgbImage;

/// Brightness on the right less brightness on the left.
const LEFT_EDGES: [f64; 9] = [-1., 0., 1., -1., 0., 1., -1., 0., 1.];
/// Brightness below less brightness above.
const UPPER_EDGES: [f64; 9] = [-1., -1., -1., 0., 0., 0., 1., 1., 1.];
/// A pixel less its neighbours.
const SPOTS: [f64; 9] = [-1., -1., -1., -1., 8., -1., -1., -1., -1.];

/// A 3 of the drawn digits, from 0 to 1.
fn digit() -> Image {
    let values = glyphs::draw(0, 3, 0).into_iter().map(|grey| f64::from(grey) / 255.0).collect();
    Image { height: glyphs::SIDE, width: glyphs::SIDE, channels: 1, values }
}

fn convolved(image: &Image, kernel: &[f64; 9]) -> Image {
    let output = [image.height - 2, image.width - 2];
    let shape = ConvShape { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [0, 0], output, filters: 1 };
    conv2d_forward(image, &shape, kernel, &[0.0])
}

fn map(image: &Image, side: i32, colours: Colours) -> Map<'_> {
    Map { values: &image.values, width: image.width, side, colours, numbers: false }
}

/// Chapter 4: a digit by three filters.
pub fn convolution() -> RgbImage {
    let image = digit();
    let mut canvas = Canvas::new(760, 320);
    let side = 6;
    canvas.text([20, 20], "a drawn 3, 28×28", INK);
    map(&image, side, Colours::Brightness(1.0)).draw(&mut canvas, [20, 110]);
    let filters = [("left edges", LEFT_EDGES, 3.0), ("upper edges", UPPER_EDGES, 3.0), ("spots", SPOTS, 6.0)];
    for (index, (title, kernel, full)) in filters.into_iter().enumerate() {
        let left = 220 + 180 * index as i32;
        canvas.text([left, 20], title, INK);
        Map { values: &kernel, width: 3, side: 22, colours: Colours::Signed(full), numbers: true }
            .draw(&mut canvas, [left, 34]);
        map(&convolved(&image, &kernel), side, Colours::Signed(full)).draw(&mut canvas, [left, 110 + side]);
    }
    canvas.text([20, 302], "orange: above 0, blue: below 0, white: 0", GREY);
    canvas.finish()
}

/// Chapter 5: forward through ReLU and a pool, and a gradient of 1 back from each pooled value.
pub fn where_gradients_stop() -> RgbImage {
    let convolved = convolved(&digit(), &LEFT_EDGES);
    let rectified = relu_forward(&convolved);
    let shape = PoolShape { window: [2, 2], stride: [2, 2], padding: [0, 0], output: [13, 13] };
    let pooled = max_pool_forward(&rectified, &shape);
    let ones = Image { values: vec![1.0; pooled.values.len()], ..pooled };
    let behind_pool = max_pool_backward(&rectified, &shape, &ones);
    let behind_relu = relu_backward(&convolved, &behind_pool);
    let colours = Colours::Signed(3.0);
    let mut canvas = Canvas::new(620, 460);
    let (lefts, tops) = ([20, 220, 420], [40, 250]);
    let upper = [("convolution", &convolved, 6), ("ReLU", &rectified, 6), ("2×2 max-pool", &pooled, 12)];
    for ((title, image, side), left) in upper.into_iter().zip(lefts) {
        canvas.text([left, 20], title, INK);
        map(image, side, colours).draw(&mut canvas, [left, tops[0]]);
    }
    let lower = [(&behind_relu, 6), (&behind_pool, 6), (&ones, 12)];
    for ((image, side), left) in lower.into_iter().zip(lefts) {
        let lit = image.values.iter().filter(|value| **value != 0.0).count();
        canvas.text([left, tops[1] - 16], &format!("{lit} of {} have a gradient", image.values.len()), INK);
        map(image, side, Colours::Signed(1.0)).draw(&mut canvas, [left, tops[1]]);
    }
    canvas.text([20, 436], "above: values, going right; below: gradients, coming back from the right", GREY);
    canvas.finish()
}
