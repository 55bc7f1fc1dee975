//! Two snapshots compared bit by bit: the first tensor that differs, and its first element that does.

use super::Snapshot;
use super::tensor::SnapshotTensor;
use std::collections::BTreeSet;
use std::fmt;

/// The first thing in which two snapshots differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// They are of different networks.
    Network,
    /// A tensor that one of them lacks.
    Missing {
        /// Its name.
        tensor: String,
    },
    /// A tensor that has another type or shape in each.
    Shape {
        /// Its name.
        tensor: String,
        /// Its shape in this one and in the other.
        shapes: [Vec<usize>; 2],
    },
    /// A tensor with an element whose bits differ.
    Element {
        /// Its name.
        tensor: String,
        /// The place of the first such element, along each axis.
        place: Vec<usize>,
        /// The element in this one and in the other.
        values: [String; 2],
        /// How many elements of the tensor differ.
        count: usize,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Difference::Network => write!(formatter, "the snapshots are of different networks"),
            Difference::Missing { tensor } => write!(formatter, "only one of the snapshots has '{tensor}'"),
            Difference::Shape { tensor, shapes: [a, b] } => {
                write!(formatter, "'{tensor}' is {a:?} in one snapshot and {b:?} in the other")
            }
            Difference::Element { tensor, place, values: [a, b], count } => {
                let place = place.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
                write!(formatter, "{tensor}[{place}] is {a} in one snapshot and {b} in the other")?;
                match count {
                    1 => Ok(()),
                    _ => write!(formatter, ", and so are {} more of its elements", count - 1),
                }
            }
        }
    }
}

impl Snapshot {
    /// Returns the first difference from another snapshot: of the networks, then of the tensors in the order
    /// of their names. How the steps were taken, as by which algorithm, is not compared.
    pub fn difference(&self, other: &Snapshot) -> Option<Difference> {
        let names = |snapshot: &Snapshot| snapshot.tensors.iter().map(|tensor| tensor.name.clone()).collect();
        let (mine, others): (BTreeSet<String>, BTreeSet<String>) = (names(self), names(other));
        if let Some(tensor) = mine.symmetric_difference(&others).next().filter(|_| self.facts.spec == other.facts.spec)
        {
            return Some(Difference::Missing { tensor: tensor.clone() });
        }
        self.common_difference(other)
    }

    /// Returns the first difference in what both snapshots have: of a fused plan and one that is not, all
    /// that the fused one has.
    pub fn common_difference(&self, other: &Snapshot) -> Option<Difference> {
        if self.facts.spec != other.facts.spec {
            return Some(Difference::Network);
        }
        let pairs = self.tensors.iter().filter_map(|mine| Some((mine, other.tensor(&mine.name)?)));
        pairs.into_iter().find_map(|(mine, other)| between(mine, other))
    }
}

/// Returns the difference of two tensors of one name.
fn between(mine: &SnapshotTensor, other: &SnapshotTensor) -> Option<Difference> {
    let tensor = mine.name.clone();
    if mine.shape != other.shape || mine.values.kind() != other.values.kind() {
        return Some(Difference::Shape { tensor, shapes: [mine.shape.clone(), other.shape.clone()] });
    }
    let first = mine.values.first_difference(&other.values)?;
    let values = [mine.values.told(first), other.values.told(first)];
    Some(Difference::Element {
        tensor,
        place: place(&mine.shape, first),
        values,
        count: mine.values.differences(&other.values),
    })
}

/// Returns where the element with this number stands along each axis.
pub(crate) fn place(shape: &[usize], mut element: usize) -> Vec<usize> {
    let mut place: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let along = element % size.max(1);
            element /= size.max(1);
            along
        })
        .collect();
    place.reverse();
    place
}
