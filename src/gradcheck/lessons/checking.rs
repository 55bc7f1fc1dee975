//! The check of a gradient with a mistake in it.

use super::digits::{Batch, Digits, one_hot};
use super::lesson::Lesson;
use super::mistakes;
use super::network::{network, weights};
use crate::Result;
use crate::gradcheck::base::Base;
use crate::gradcheck::differences::{COORDINATES, TensorCheck, check};
use crate::gradcheck::engine::engine_step;
use crate::gradcheck::problem::Problem;
use crate::kernels::conv::registry::ConvPolicy;
use crate::network::Network;

/// Images of a lesson's batch.
pub(super) const BATCH: usize = 6;

/// What the check of a lesson found.
pub struct Checked {
    /// The network of the lessons.
    pub network: Network,
    /// On images that are black but for one pixel.
    pub one_hot: Vec<TensorCheck>,
    /// On drawn digits.
    pub digits: Vec<TensorCheck>,
}

/// Checks the gradient with a lesson's mistake in it, or without any, against differences: on one-hot images,
/// and on digits.
///
/// # Errors
/// None that a right program has.
pub fn check_lesson(lesson: Option<&Lesson>, seed: u64) -> Result<Checked> {
    let network = network()?;
    let digits = Digits::draw(seed, 0, BATCH).images;
    let [one_hot, digits] = [one_hot(BATCH), digits].map(|images| check_on(lesson, &network, &images, seed));
    Ok(Checked { network, one_hot: one_hot?, digits: digits? })
}

fn check_on(lesson: Option<&Lesson>, network: &Network, images: &[Vec<f32>], seed: u64) -> Result<Vec<TensorCheck>> {
    let parameters = weights(network, seed);
    let batch = Batch::new(network, images);
    let step = engine_step(network, &parameters, batch.step(seed), ConvPolicy::Im2col, false)?;
    let mut problem = Problem::new(network, &parameters, &step);
    if let Some(lesson) = lesson {
        mistakes::change_problem(lesson.mistake, &mut problem);
    }
    let base = Base::new(&problem);
    let gradient = lesson.map_or_else(|| base.gradient(), |lesson| mistakes::gradient(lesson.mistake, &base));
    Ok(check(&base, &gradient, COORDINATES, seed, || ()))
}
