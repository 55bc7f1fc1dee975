//! The first link: a gradient against central differences, (L(x + h) − L(x − h)) / 2h, at coordinates
//! drawn from every tensor.
//!
//! Where a [corner](super::kinks) lies between x − h and x + h, h is halved, up to 8 times; if one is
//! there still, the coordinate is set aside, and counted. A coordinate at which x itself lies on a
//! corner, an *exact tie*, has no derivative: it is counted apart, and another is drawn for it. A tensor
//! fails where more than a quarter of its coordinates are set aside, so no check passes by looking away.

use super::base::Base;
use super::kinks::Crossing;
use super::problem::{Gradient, Tensor, largest};
use crate::random::{Purpose, Stream};
use rayon::prelude::*;
use std::collections::HashSet;

/// The first h, a power of two: x ± h are then exact for the most part. In each weight the logits are
/// linear between corners, so it is these that keep h small; at a hundred thousand activations of a
/// convolution some lie within 1e-6 of theirs.
pub const FIRST_STEP: f64 = 1.0 / (1 << 20) as f64;
/// How often h is halved.
pub const MOST_HALVINGS: u32 = 8;
/// The error allowed, of a tensor's largest element. At the last h, 4e-9, rounding leaves about six
/// digits of a difference of losses.
pub const TOLERANCE: f64 = 1e-5;
/// The share of a tensor's coordinates that may be set aside.
pub const MOST_SET_ASIDE: f64 = 0.25;
/// Coordinates of a tensor, unless another number is asked for.
pub const COORDINATES: usize = 12;
/// Coordinates that are drawn at most for each that is wanted, as others are exact ties.
const MOST_DRAWS: usize = 4;
/// A tensor whose gradient is smaller than this share of the largest of all has none but what rounding
/// leaves, as a bias has that a batch normalization takes away. It is judged by the largest of all.
pub(super) const VANISHES: f64 = 1e-9;

/// A coordinate at which both gradients are known.
#[derive(Clone, Copy, Debug)]
pub struct Coordinate {
    /// The number of the element.
    pub element: usize,
    /// The gradient that is checked.
    pub analytic: f64,
    /// The difference quotient.
    pub numeric: f64,
    /// The h of that.
    pub step: f64,
}

/// A coordinate that could not be compared.
#[derive(Clone, Copy, Debug)]
pub struct SetAside {
    /// The number of the element.
    pub element: usize,
    /// The corner that was in the way.
    pub crossing: Crossing,
}

/// How a tensor's check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both gradients are the same, up to the tolerance.
    Agrees,
    /// They are not.
    Differs,
    /// Too many coordinates were set aside to tell.
    TooFew,
}

/// What was found of one tensor.
#[derive(Clone, Debug)]
pub struct TensorCheck {
    /// The tensor.
    pub tensor: Tensor,
    /// The coordinates that were compared.
    pub checked: Vec<Coordinate>,
    /// Those that were set aside.
    pub set_aside: Vec<SetAside>,
    /// Exact ties.
    pub ties: Vec<SetAside>,
    /// What errors are relative to: the tensor's largest element.
    pub scale: f64,
    /// Whether the tensor has no gradient of its own, and the scale is the largest element of all
    /// tensors.
    pub vanishes: bool,
}

impl TensorCheck {
    /// Returns the largest difference, divided by the tensor's largest element: what is judged.
    pub fn error(&self) -> f64 {
        relative(largest(self.checked.iter().map(Coordinate::difference)), self.scale)
    }

    /// Returns the coordinate with the largest difference.
    pub fn worst(&self) -> Option<&Coordinate> {
        self.checked.iter().max_by(|a, b| a.difference().abs().total_cmp(&b.difference().abs()))
    }

    /// Returns the coordinates that had to be compared or set aside, exact ties apart.
    pub fn counted(&self) -> usize {
        self.checked.len() + self.set_aside.len()
    }

    /// Returns how it came out.
    pub fn verdict(&self) -> Verdict {
        let too_many = self.set_aside.len() as f64 > MOST_SET_ASIDE * self.counted() as f64;
        if self.checked.is_empty() || too_many {
            return Verdict::TooFew;
        }
        // A NaN is no agreement.
        if self.error() <= TOLERANCE { Verdict::Agrees } else { Verdict::Differs }
    }

    /// Returns the analytic gradient divided by the numeric one, if that is the same at all coordinates
    /// that have one: 1 where both agree.
    pub fn constant_ratio(&self) -> Option<f64> {
        let large = |coordinate: &&Coordinate| coordinate.numeric.abs() > 1e-3 * self.scale;
        let ratios: Vec<f64> = self.checked.iter().filter(large).map(|c| c.analytic / c.numeric).collect();
        let first = *ratios.first()?;
        ratios.iter().all(|ratio| (ratio - first).abs() <= 1e-3 * first.abs()).then_some(first)
    }
}

impl Coordinate {
    /// Returns the difference of the two.
    pub fn difference(&self) -> f64 {
        self.analytic - self.numeric
    }

    /// Returns the difference divided by the larger of the two: the element's own error.
    pub fn own_error(&self) -> f64 {
        relative(self.difference().abs(), self.analytic.abs().max(self.numeric.abs()))
    }
}

/// Returns a quotient that is 0 where nothing is divided.
pub(super) fn relative(difference: f64, scale: f64) -> f64 {
    if difference == 0.0 { 0.0 } else { difference / scale }
}

/// Checks `gradient` at `coordinates` elements of every tensor of the problem, drawn by `seed`. The
/// tensors are checked by all threads of the pool; `done` is called after each coordinate.
pub fn check(
    base: &Base,
    gradient: &Gradient,
    coordinates: usize,
    seed: u64,
    done: impl Fn() + Sync,
) -> Vec<TensorCheck> {
    let tensors = &base.problem.tensors;
    let gradients: Vec<Vec<f64>> = tensors.iter().map(|tensor| gradient.of(tensor.place)).collect();
    let largest_of_all = largest(gradients.iter().flatten().copied());
    let check_one = |(index, (tensor, gradient)): (usize, (&Tensor, &Vec<f64>))| {
        let stream = Stream::new(seed, Purpose::Gradcheck, 0, index as u64);
        let draws = draw(gradient, coordinates, stream);
        let (wanted, mut left) = (coordinates.min(tensor.len()), &draws[..]);
        let (mut checked, mut set_aside, mut ties) = (Vec::new(), Vec::new(), Vec::new());
        while checked.len() + set_aside.len() < wanted && !left.is_empty() {
            let (now, later) = left.split_at(left.len().min(wanted - checked.len() - set_aside.len()));
            left = later;
            let compared: Vec<Result<Coordinate, SetAside>> = now
                .par_iter()
                .map(|&element| {
                    let compared = compare(base, tensor, element, gradient[element]);
                    done();
                    compared
                })
                .collect();
            for compared in compared {
                match compared {
                    Ok(coordinate) => checked.push(coordinate),
                    Err(aside) if aside.crossing.tie => ties.push(aside),
                    Err(aside) => set_aside.push(aside),
                }
            }
        }
        let own = largest(gradient.iter().copied().chain(checked.iter().map(|coordinate| coordinate.numeric)));
        let vanishes = own < VANISHES * largest_of_all;
        let scale = if vanishes { largest_of_all } else { own };
        TensorCheck { tensor: tensor.clone(), checked, set_aside, ties, scale, vanishes }
    };
    let all: Vec<_> = tensors.iter().zip(&gradients).enumerate().collect();
    all.into_par_iter().map(check_one).collect()
}

/// Returns the elements to compare, in their order: that with the largest gradient, then in turn any that
/// has one, and any at all. There are more than `wanted`, as some may be exact ties.
fn draw(gradient: &[f64], wanted: usize, mut stream: Stream) -> Vec<usize> {
    /// Draws for an element with a gradient, before any will do.
    const TRIES: usize = 64;
    let len = gradient.len();
    let magnitude = |element: usize| gradient[element].abs();
    let first = (0..len).max_by(|&a, &b| magnitude(a).total_cmp(&magnitude(b))).unwrap_or(0);
    if len <= MOST_DRAWS * wanted {
        let mut others: Vec<usize> = (0..len).filter(|&element| element != first).collect();
        stream.shuffle(&mut others);
        return [first].into_iter().chain(others).collect();
    }
    let (mut drawn, mut seen) = (vec![first], HashSet::from([first]));
    while drawn.len() < MOST_DRAWS * wanted {
        let mut any = || stream.below(u32::try_from(len).unwrap_or(u32::MAX)) as usize;
        let mut element = any();
        if drawn.len() % 2 == 1 {
            for _ in 0..TRIES {
                if gradient[element] != 0.0 && !seen.contains(&element) {
                    break;
                }
                element = any();
            }
        }
        if seen.insert(element) {
            drawn.push(element);
        }
    }
    drawn
}

/// Returns both gradients of an element, with the largest h that no corner forbids.
fn compare(base: &Base, tensor: &Tensor, element: usize, analytic: f64) -> Result<Coordinate, SetAside> {
    let mut step = FIRST_STEP;
    for halving in 0..=MOST_HALVINGS {
        match quotient(base, tensor, element, step) {
            Ok(numeric) => return Ok(Coordinate { element, analytic, numeric, step }),
            Err(crossing) if halving == MOST_HALVINGS || crossing.tie => return Err(SetAside { element, crossing }),
            Err(_) => step /= 2.0,
        }
    }
    unreachable!("the last halving returns")
}

/// Returns (L(x + h) − L(x − h)) / 2h, if no corner lies between.
fn quotient(base: &Base, tensor: &Tensor, element: usize, step: f64) -> Result<f64, Crossing> {
    let x = base.problem.value(tensor.place, element);
    let (above, below) = (x + step, x - step);
    let difference = base.loss_at(tensor.place, element, above)? - base.loss_at(tensor.place, element, below)?;
    Ok(difference / (above - below))
}

/// The error of a difference quotient with one h.
#[derive(Clone, Copy, Debug)]
pub struct SweepPoint {
    /// h.
    pub step: f64,
    /// The difference quotient.
    pub numeric: f64,
    /// Whether no corner lies between x − h and x + h.
    pub is_smooth: bool,
}

/// Returns the difference quotients of an element over h = 1e-1, 1e-2, …, 1e-12, corners or not: large h
/// are wrong by what the loss curves, about h², small ones by what rounding leaves of a difference, about
/// 1e-16/h.
pub fn sweep(base: &Base, tensor: &Tensor, element: usize) -> Vec<SweepPoint> {
    let x = base.problem.value(tensor.place, element);
    let point = |exponent: i32| {
        let step = 10f64.powi(-exponent);
        let (above, below) = (x + step, x - step);
        let loss = |value: f64| base.loss_beyond(tensor.place, element, value);
        let numeric = (loss(above) - loss(below)) / (above - below);
        SweepPoint { step, numeric, is_smooth: quotient(base, tensor, element, step).is_ok() }
    };
    (1..=12).into_par_iter().map(point).collect()
}
