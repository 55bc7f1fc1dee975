//! What goes into a graph, and what becomes of it before the first layer: which axis is which, and how
//! samples are scaled.

use super::chain::{Chain, Link};
use super::tensor::{ElementType, Tensor};
use crate::data::reading::BitDepth;

/// An axis of a tensor between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The images of the batch.
    N,
    /// Rows.
    H,
    /// Columns.
    W,
    /// Channels.
    C,
}

/// The channels that a picture has: where one end of an input's sizes is such a number and the other is not,
/// that tells where the channels are.
const PICTURE_CHANNELS: [usize; 2] = [1, 3];

/// Returns which axis of the input is which: what the first node that treats channels and pixels differently
/// takes them for, or if there is none, what the sizes look like.
///
/// # Errors
/// A sentence, where the input is no picture.
pub fn input_axes(chain: &Chain) -> Result<[Axis; 4], String> {
    let [first, _, last] = chain.sizes[..] else {
        let count = chain.sizes.len() + 1;
        return Err(format!(
            "its input has {count} axes, and a batch of pictures has 4: images, height, width and channels"
        ));
    };
    // The input's axes in the order in which a node gets them.
    let mut order = [0, 1, 2, 3];
    for link in &chain.links {
        match link.op() {
            "Transpose" => order = permuted(link, order)?,
            "Conv" | "MaxPool" | "AveragePool" | "GlobalAveragePool" | "BatchNormalization" | "Pad" => {
                return named(link, order, 1);
            }
            "ReduceMean" => {
                let axes = axes_of(link)?;
                let channel = (1..4).find(|axis| !axes.contains(axis) && !axes.contains(&(axis - 4)));
                return named(link, order, channel.unwrap_or(1) as usize);
            }
            "Flatten" | "Reshape" | "Gemm" | "MatMul" => break,
            _ => {}
        }
    }
    let [is_first, is_last] = [first, last].map(|size| PICTURE_CHANNELS.contains(&size));
    match is_last && !is_first {
        true => Ok([Axis::N, Axis::H, Axis::W, Axis::C]),
        false => Ok([Axis::N, Axis::C, Axis::H, Axis::W]),
    }
}

/// Names the input's axes by those that a node sees, of which one is that of the channels.
fn named(link: &Link, order: [usize; 4], channel: usize) -> Result<[Axis; 4], String> {
    if order[0] != 0 {
        return Err(link.fault("gets something else than the images as its first axis"));
    }
    let mut axes = [Axis::N; 4];
    let mut pixels = [Axis::H, Axis::W].into_iter();
    for place in 1..4 {
        let axis = if place == channel { Axis::C } else { pixels.next().unwrap_or(Axis::C) };
        axes[order[place]] = axis;
    }
    Ok(axes)
}

/// Returns the axes in the order that a `Transpose` gives them.
///
/// # Errors
/// A sentence, where it is no order of four.
pub fn permuted<T: Copy>(link: &Link, axes: [T; 4]) -> Result<[T; 4], String> {
    let order: Vec<usize> =
        link.ints("perm").unwrap_or(&[3, 2, 1, 0]).iter().map(|&axis| usize::try_from(axis).unwrap_or(4)).collect();
    match order[..] {
        [a, b, c, d] if (0..4).all(|axis| order.contains(&axis)) => Ok([axes[a], axes[b], axes[c], axes[d]]),
        _ => Err(link.fault("turns the axes of something else than a batch of pictures")),
    }
}

/// Returns the axes that a node names, in an attribute of old, or as an input since.
///
/// # Errors
/// A sentence, where they are no numbers.
pub fn axes_of(link: &Link) -> Result<Vec<i64>, String> {
    match (link.ints("axes"), link.constant(0)) {
        (Some(axes), _) => Ok(axes.to_vec()),
        (None, Some(tensor)) => tensor.to_ints(),
        (None, None) => Ok(Vec::new()),
    }
}

/// What became of the samples on the way to the first layer.
#[derive(Clone, Copy, Debug)]
pub struct Scaling {
    element: ElementType,
    factor: f64,
}

impl Scaling {
    /// The samples as they come.
    pub fn new(element: ElementType) -> Scaling {
        Scaling { element, factor: 1.0 }
    }

    /// Takes a node in that stands before all layers.
    ///
    /// # Errors
    /// A sentence, where it does more than to multiply by a number.
    pub fn apply(&mut self, link: &Link) -> Result<(), String> {
        if link.op() == "Cast" {
            return match ElementType(link.int("to", 0)) {
                ElementType::FLOAT => Ok(()),
                other => Err(link.fault(&format!(
                    "makes numbers of type {} of its input, and layers here compute with float",
                    other.name()
                ))),
            };
        }
        let value = single(link)?;
        match (link.op(), link.first_is_data) {
            ("Mul", _) => self.factor *= value,
            ("Div", true) => self.factor /= value,
            ("Add", _) | ("Sub", true) if value == 0.0 => {}
            _ => {
                let why = format!(
                    "shifts the input by {value}, and pictures come here as numbers from 0 to 1; train a model without"
                );
                return Err(link.fault(&why));
            }
        }
        Ok(())
    }

    /// Returns the bits of the pictures' samples, and whether they were taken to be from 0 to 1 for want of
    /// anything that says so.
    ///
    /// # Errors
    /// A sentence, where pictures as they are read here are not what the first layer wants.
    pub fn finish(&self) -> Result<(BitDepth, bool), String> {
        let is = |factor: f64| (self.factor / factor - 1.0).abs() < 1e-6;
        match self.element {
            ElementType::FLOAT if is(1.0) => Ok((BitDepth::Eight, true)),
            _ if is(1.0 / 255.0) => Ok((BitDepth::Eight, false)),
            _ if is(1.0 / 65535.0) => Ok((BitDepth::Sixteen, false)),
            element => Err(format!(
                "its input is of type {} and is multiplied by {}, and pictures come here as numbers from 0 to 1: bytes times 1/255",
                element.name(),
                self.factor
            )),
        }
    }
}

/// Returns the number that a node has for all values.
fn single(link: &Link) -> Result<f64, String> {
    let tensor: &Tensor = link.wanted_constant(0)?;
    let values = tensor.to_floats()?;
    match values.split_first() {
        Some((value, others)) if others.iter().all(|other| other == value) => Ok(f64::from(*value)),
        _ => Err(link.fault("has a number of its own for each channel, and pictures come here as they are")),
    }
}
