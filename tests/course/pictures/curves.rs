//! Curves: the loss over the logit, and the ways of two optimizers.

use crate::canvas::{BLUE, Canvas, GREY, INK, ORANGE, PALE};
use glassnet::reference::{Adam, Sgd, binary_cross_entropy, binary_cross_entropy_gradient};
use image::RgbImage;

/// A panel with two axes.
struct Panel {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    x: [f64; 2],
    y: [f64; 2],
}

impl Panel {
    fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let across = (x - self.x[0]) / (self.x[1] - self.x[0]);
        let up = (y - self.y[0]) / (self.y[1] - self.y[0]);
        [self.left + across * self.width, self.top + (1.0 - up) * self.height]
    }

    /// Draws the grid with its numbers.
    fn grid(&self, canvas: &mut Canvas, xs: &[f64], ys: &[f64]) {
        for &x in xs {
            let [across, bottom] = self.place([x, self.y[0]]);
            canvas.line(&[[across, bottom], self.place([x, self.y[1]])], 1.0, PALE);
            canvas.centred([across as i32, bottom as i32 + 14], &x.to_string().replace('-', "−"), 14.0, GREY);
        }
        for &y in ys {
            let [left, height] = self.place([self.x[0], y]);
            canvas.line(&[[left, height], self.place([self.x[1], y])], 1.0, PALE);
            canvas.centred([left as i32 - 16, height as i32], &y.to_string().replace('-', "−"), 14.0, GREY);
        }
    }

    /// Draws a function.
    fn curve(&self, canvas: &mut Canvas, function: impl Fn(f64) -> f64, colour: plotters::style::RGBColor) {
        let step = (self.x[1] - self.x[0]) / 128.0;
        let points: Vec<[f64; 2]> =
            (0..=128).map(|i| self.x[0] + step * f64::from(i)).map(|x| self.place([x, function(x)])).collect();
        canvas.line(&points, 2.0, colour);
    }
}

/// Chapter 2: the loss and its slope over the logit.
pub fn loss() -> RgbImage {
    let mut canvas = Canvas::new(720, 300);
    let zs = [-6.0, -3.0, 0.0, 3.0, 6.0];
    let losses = Panel { left: 50.0, top: 40.0, width: 280.0, height: 210.0, x: [-6.0, 6.0], y: [0.0, 6.0] };
    canvas.text([50, 20], "the loss L, over the logit z", INK);
    losses.grid(&mut canvas, &zs, &[0.0, 2.0, 4.0, 6.0]);
    losses.curve(&mut canvas, |z| binary_cross_entropy(z, 1.0), ORANGE);
    losses.curve(&mut canvas, |z| binary_cross_entropy(z, 0.0), BLUE);
    canvas.text([95, 80], "label 1", ORANGE);
    canvas.text([240, 80], "label 0", BLUE);
    let slopes = Panel { left: 420.0, top: 40.0, width: 280.0, height: 210.0, x: [-6.0, 6.0], y: [-1.0, 1.0] };
    canvas.text([420, 20], "its slope, p − y", INK);
    slopes.grid(&mut canvas, &zs, &[-1.0, 0.0, 1.0]);
    slopes.curve(&mut canvas, |z| binary_cross_entropy_gradient(z, 1.0), ORANGE);
    slopes.curve(&mut canvas, |z| binary_cross_entropy_gradient(z, 0.0), BLUE);
    canvas.text([640, 165], "label 1", ORANGE);
    canvas.text([440, 125], "label 0", BLUE);
    canvas.finish()
}

/// Chapter 3: the loss over one weight of the neuron that sees a cross, a tangent, and a chord.
pub fn slope() -> RgbImage {
    // The other weights and the bias add up to −2, and the label is 1.
    let loss = |w: f64| binary_cross_entropy(w - 2.0, 1.0);
    let (w, h) = (1.0, 1.5);
    let tangent = binary_cross_entropy_gradient(w - 2.0, 1.0);
    let mut canvas = Canvas::new(560, 330);
    let panel = Panel { left: 50.0, top: 40.0, width: 480.0, height: 230.0, x: [-2.0, 4.0], y: [0.0, 4.0] };
    canvas.text([50, 20], "the loss L, over the weight w", INK);
    panel.grid(&mut canvas, &[-2.0, 0.0, 1.0, 2.0, 4.0], &[0.0, 1.0, 2.0, 3.0, 4.0]);
    panel.curve(&mut canvas, loss, INK);
    let on_tangent = |x: f64| panel.place([x, loss(w) + tangent * (x - w)]);
    canvas.line(&[on_tangent(w - 2.4), on_tangent(w + 1.7)], 2.0, ORANGE);
    let ends = [w - h, w + h].map(|x| panel.place([x, loss(x)]));
    canvas.line(&ends, 2.0, BLUE);
    ends.iter().for_each(|end| canvas.dot(*end, 4.0, BLUE));
    canvas.dot(panel.place([w, loss(w)]), 4.0, ORANGE);
    canvas.text([330, 70], "tangent: the derivative at w = 1", ORANGE);
    canvas.text([330, 95], "chord from w − h to w + h, h = 1.5", BLUE);
    let quotient = (loss(w + h) - loss(w - h)) / (2.0 * h);
    let slopes = format!("slopes: {tangent:.4} and {quotient:.4}").replace('-', "−");
    canvas.text([50, 312], &slopes, GREY);
    canvas.finish()
}

/// Chapter 7: SGD and Adam in a valley, L = (x² + 25·y²) / 2.
pub fn adam() -> RgbImage {
    let start = [-4.0, 1.0];
    let gradient = |[x, y]: [f64; 2]| [x, 25.0 * y];
    let (mut here, mut velocity, mut by_sgd) = (start, [0.0; 2], vec![start]);
    let sgd = Sgd { learning_rate: 0.07, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    for _ in 0..20 {
        let slope = gradient(here);
        sgd.update(&mut here, &slope, &mut velocity);
        by_sgd.push(here);
    }
    let (mut here, mut m, mut v, mut by_adam) = (start, [0.0; 2], [0.0; 2], vec![start]);
    let adam = Adam { learning_rate: 0.3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.0 };
    for t in 1..=20 {
        let slope = gradient(here);
        adam.update(t, &mut here, &slope, &mut m, &mut v);
        by_adam.push(here);
    }
    let mut canvas = Canvas::new(720, 320);
    for (left, title, way, colour) in
        [(40.0, "SGD, learning rate 0.07", by_sgd, BLUE), (400.0, "Adam, learning rate 0.3", by_adam, ORANGE)]
    {
        let panel = Panel { left, top: 40.0, width: 300.0, height: 230.0, x: [-5.0, 2.0], y: [-1.6, 1.6] };
        canvas.text([left as i32, 20], title, INK);
        panel.grid(&mut canvas, &[-4.0, -2.0, 0.0, 2.0], &[-1.0, 0.0, 1.0]);
        let places: Vec<[f64; 2]> = way.iter().map(|point| panel.place(*point)).collect();
        canvas.line(&places, 1.0, colour);
        places.iter().for_each(|place| canvas.dot(*place, 3.0, colour));
        canvas.dot(panel.place([0.0, 0.0]), 4.0, INK);
    }
    canvas.text([40, 304], "20 steps of each, from (−4, 1); the black dot is the least loss", GREY);
    canvas.finish()
}
