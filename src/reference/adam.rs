//! Adam: from gradients to new weights.

/// Adam's settings (Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015), with ε where Keras
/// has it.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    pub beta_1: f64,
    /// Decay of the mean of squared gradients.
    pub beta_2: f64,
    /// Keeps the division finite.
    pub epsilon: f64,
    /// W: in each step every weight also shrinks by learning rate · W of itself; 0 for plain Adam.
    pub weight_decay: f64,
}

impl Adam {
    /// Updates one tensor in step `t`, counted from 1 and once a step, not once a tensor. `m` and `v`, zeros
    /// at first, are the running means of the gradient and of its square; both start too small, which α makes
    /// good:
    ///
    /// ```text
    /// α = learning rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ)
    /// m += (g − m)(1 − β₁)      v += (g² − v)(1 − β₂)      w −= learning rate · W · w + α·m / (√v + ε)
    /// ```
    ///
    /// With W above 0 this is AdamW (Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2019):
    /// the decay is not part of g, so m and v do not see it.
    pub fn update(&self, t: i32, weights: &mut [f64], gradient: &[f64], m: &mut [f64], v: &mut [f64]) {
        let alpha = self.learning_rate * (1.0 - self.beta_2.powi(t)).sqrt() / (1.0 - self.beta_1.powi(t));
        for i in 0..weights.len() {
            m[i] += (gradient[i] - m[i]) * (1.0 - self.beta_1);
            v[i] += (gradient[i] * gradient[i] - v[i]) * (1.0 - self.beta_2);
            let decay = self.learning_rate * self.weight_decay * weights[i];
            weights[i] -= decay + alpha * m[i] / (v[i].sqrt() + self.epsilon);
        }
    }
}
