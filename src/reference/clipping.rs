//! Clipping: gradients held within a bound before they move the weights.

/// Scales a tensor's gradient to the norm `bound` where it is longer: g · bound / max(‖g‖, bound).
pub fn clip_by_norm(gradient: &mut [f64], bound: f64) {
    clip_by_global_norm(&mut [gradient], bound);
}

/// The same of several tensors taken for one: all are scaled by one factor, so their direction stays.
pub fn clip_by_global_norm(gradients: &mut [&mut [f64]], bound: f64) {
    let norm = gradients.iter().flat_map(|gradient| gradient.iter()).map(|g| g * g).sum::<f64>().sqrt();
    for gradient in gradients {
        gradient.iter_mut().for_each(|g| *g *= bound / norm.max(bound));
    }
}

/// Sets every element beyond ± `bound` to that.
pub fn clip_by_value(gradient: &mut [f64], bound: f64) {
    gradient.iter_mut().for_each(|g| *g = g.clamp(-bound, bound));
}
