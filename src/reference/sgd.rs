//! Stochastic gradient descent: from gradients to new weights.

/// The settings of SGD with momentum, the learning rate within the velocity, as Keras has it.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    /// Step size.
    pub learning_rate: f64,
    /// μ: the share of its velocity that a weight keeps; 0 for none.
    pub momentum: f64,
    /// Whether a step looks ahead, as Nesterov's does.
    pub nesterov: bool,
    /// W: in each step every weight first shrinks by learning rate · W of itself; 0 for none.
    pub weight_decay: f64,
}

impl Sgd {
    /// Updates one tensor. `velocity`, zeros at first, is what the weights would move by without a gradient:
    ///
    /// ```text
    /// w −= learning rate · W · w
    /// v = μ·v − learning rate · g      w += v,  or Nesterov's  w += μ·v − learning rate · g
    /// ```
    pub fn update(&self, weights: &mut [f64], gradient: &[f64], velocity: &mut [f64]) {
        for i in 0..weights.len() {
            weights[i] -= self.learning_rate * self.weight_decay * weights[i];
            let pull = self.learning_rate * gradient[i];
            velocity[i] = self.momentum * velocity[i] - pull;
            weights[i] += if self.nesterov { self.momentum * velocity[i] - pull } else { velocity[i] };
        }
    }
}
