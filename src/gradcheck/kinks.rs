//! Kinks: where the loss has a corner, and a difference across it measures two slopes at once.
//!
//! ReLU has one at 0, and max-pooling one wherever two cells of a window are the largest. They are told by
//! identity, not by a tolerance: each activation's side, and each window's argmax, is written down at x, and
//! compared at x − h and x + h. Where all are the same, the three points lie on one smooth piece.

use crate::reference::{Image, Layer, layer_forward, window_maxima};
use serde::Serialize;

/// What an image's way through a layer was decided by.
#[derive(Clone, Debug, PartialEq)]
pub enum Decisions {
    /// The layer decides nothing.
    None,
    /// Of each value of an activation, whether it was above 0.
    Sides(Vec<bool>),
    /// Of each window, where its first maximum stands in the input.
    Argmax(Vec<usize>),
}

/// A kind of corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A ReLU, leaky or not.
    Side,
    /// A max-pool.
    Argmax,
}

impl Kind {
    /// Returns what changes across it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Side => "side of 0",
            Kind::Argmax => "argmax",
        }
    }
}

/// The first corner that lies between two points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The number of the layer.
    pub layer: usize,
    /// What changed there.
    pub kind: Kind,
    /// Whether x itself lies on the corner: a value of exactly 0, or two equal maxima.
    pub tie: bool,
}

/// Returns what decides an image's way through a layer.
pub(super) fn decisions(layer: &Layer, input: &Image) -> Decisions {
    match layer {
        Layer::Relu | Layer::LeakyRelu { .. } => Decisions::Sides(input.values.iter().map(|&x| x > 0.0).collect()),
        Layer::MaxPool(shape) => {
            Decisions::Argmax(window_maxima(input, shape).into_iter().map(|(argmax, _)| argmax).collect())
        }
        _ => Decisions::None,
    }
}

/// Returns the output of an image whose way is decided as before, or the place of the first decision that is
/// not.
pub(super) fn forward_as_before(layer: &Layer, input: &Image, before: &Decisions) -> Result<Image, (Kind, usize)> {
    match (layer, before) {
        (Layer::MaxPool(shape), Decisions::Argmax(before)) => {
            let maxima = window_maxima(input, shape);
            match maxima.iter().zip(before).position(|((argmax, _), before)| argmax != before) {
                Some(window) => Err((Kind::Argmax, window)),
                None => {
                    let values = maxima.into_iter().map(|(argmax, _)| input.values[argmax]).collect();
                    Ok(Image { height: shape.output[0], width: shape.output[1], channels: input.channels, values })
                }
            }
        }
        (_, Decisions::Sides(before)) => {
            match input.values.iter().zip(before).position(|(&x, &before)| (x > 0.0) != before) {
                Some(place) => Err((Kind::Side, place)),
                None => Ok(layer_forward(layer, std::slice::from_ref(input), &[None]).remove(0)),
            }
        }
        _ => Ok(layer_forward(layer, std::slice::from_ref(input), &[None]).remove(0)),
    }
}

/// Returns whether an input lies on the corner at this place.
pub(super) fn is_tie(layer: &Layer, input: &Image, place: usize) -> bool {
    match layer {
        Layer::MaxPool(shape) => window_maxima(input, shape)[place].1 == 0.0,
        _ => input.values[place] == 0.0,
    }
}
