//! How images lie in memory, and how patches overlap.

use crate::canvas::{BLUE, Canvas, GREY, INK, ORANGE, PALE};
use crate::maps::{Colours, Map};
use glassnet::geometry::{ConvGeometry, Padding};
use glassnet::kernels::conv::im2col::Im2col;
use glassnet::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, Weights};
use image::RgbImage;
use plotters::style::RGBColor;

/// How many patches of 3×3 hold each pixel of 7×7: ones, spread to where they came from by the engine.
fn coverage(stride: usize) -> Vec<f64> {
    let geometry = ConvGeometry::new([7, 7, 1], [3, 3], [stride, stride], Padding::Valid, 1).expect("it fits");
    let (ones, kernel) = (vec![1.0f32; geometry.output_len()], vec![1.0f32; geometry.kernel_len()]);
    let mut floats = vec![0.0; Im2col.scratch_len(&geometry, Pass::GradInput, None).floats];
    let mut counts = vec![0.0f32; geometry.input_len()];
    let weights = Weights { kernel: &kernel, packed: &[], bias: &[0.0] };
    let scratch = Scratch { floats: &mut floats, words: &mut [] };
    Im2col.grad_input(&geometry, GradOutput::Dense(&ones), weights, &mut counts, scratch);
    counts.into_iter().map(f64::from).collect()
}

/// Chapter 8: how many patches hold each pixel.
pub fn patches() -> RgbImage {
    let mut canvas = Canvas::new(700, 290);
    for (index, stride) in [1, 2, 3].into_iter().enumerate() {
        let left = 20 + 230 * index as i32;
        canvas.text([left, 20], &format!("3×3 at stride {stride}"), INK);
        let map = Map { values: &coverage(stride), width: 7, side: 30, colours: Colours::Signed(12.0), numbers: true };
        map.draw(&mut canvas, [left, 40]);
    }
    canvas.text([20, 276], "how many patches hold each of 7×7 pixels", GREY);
    canvas.finish()
}

/// Chapter 9: a patch of 3×3 in an image of 4×6 pixels with three channels, as it lies in memory.
pub fn runs() -> RgbImage {
    let (height, width, channels) = (4, 6, 3);
    let (y, x) = (1, 2);
    let mut canvas = Canvas::new(720, 250);
    canvas.text([20, 20], "the image: 4×6 pixels of 3 channels", INK);
    let side = 30;
    for row in 0..height {
        for column in 0..width {
            let inside = (y..y + 3).contains(&row) && (x..x + 3).contains(&column);
            let corner = [20 + column * side, 40 + row * side];
            square(&mut canvas, corner, side, if inside { ORANGE } else { PALE });
        }
    }
    canvas.text([230, 100], "a patch of 3×3 pixels: 27 floats", INK);
    canvas.text([20, 186], "memory: 72 floats, row behind row", INK);
    let cell = 9;
    for place in 0..height * width * channels {
        let (row, column) = (place / (width * channels), place % (width * channels) / channels);
        let inside = (y..y + 3).contains(&row) && (x..x + 3).contains(&column);
        let corner = [20 + place * cell, 200];
        canvas.fill(corner, [cell, 22], if inside { ORANGE } else { PALE });
        canvas.frame(corner, [cell + 1, 23], if place % (width * channels) == 0 { BLUE } else { GREY });
    }
    canvas.text([20, 236], "the same patch: three runs of 9 floats", GREY);
    canvas.finish()
}

/// Chapter 10: two neighbouring tiles of F(2×2, 3×3), with what they read and what they make.
pub fn tiles() -> RgbImage {
    const BOTH: RGBColor = RGBColor(0x8A, 0x6E, 0x6B);
    let mut canvas = Canvas::new(620, 250);
    let side = 28;
    canvas.text([20, 20], "inputs", INK);
    canvas.text([320, 20], "outputs", INK);
    for row in 0..6 {
        for column in 0..8 {
            let reads = |first: i32| (1..5).contains(&row) && (first..first + 4).contains(&column);
            let colour = match (reads(1), reads(3)) {
                (true, true) => BOTH,
                (true, false) => ORANGE,
                (false, true) => BLUE,
                (false, false) => PALE,
            };
            square(&mut canvas, [20 + column * side, 40 + row * side], side, colour);
        }
    }
    for row in 0..4 {
        for column in 0..6 {
            let makes = |first: i32| (1..3).contains(&row) && (first..first + 2).contains(&column);
            let colour = if makes(1) {
                ORANGE
            } else if makes(3) {
                BLUE
            } else {
                PALE
            };
            square(&mut canvas, [320 + column * side, 40 + side + row * side], side, colour);
        }
    }
    canvas.text([20, 232], "each tile: 4×4 inputs, 2×2 outputs; brown: inputs of both", GREY);
    canvas.finish()
}

fn square(canvas: &mut Canvas, corner: [i32; 2], side: i32, colour: RGBColor) {
    canvas.fill(corner, [side; 2], colour);
    canvas.frame(corner, [side + 1; 2], INK);
}
