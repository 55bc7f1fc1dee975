//! A tensor of a snapshot: its name, its shape and its values.

/// A tensor of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotTensor {
    /// Its name, as in the table of [`snapshot`](crate::snapshot).
    pub name: String,
    /// Its sizes, the slowest first.
    pub shape: Vec<usize>,
    /// Its values, in C order.
    pub values: Values,
}

/// The values of a tensor.
#[derive(Clone, Debug)]
pub enum Values {
    /// What the engine computes.
    F32(Vec<f32>),
    /// The loss and the learning rate.
    F64(Vec<f64>),
    /// Cells of windows.
    U16(Vec<u16>),
    /// Labels.
    U32(Vec<u32>),
}

/// Equal are the same bits: a NaN equals itself, and 0 does not equal −0.
impl PartialEq for Values {
    fn eq(&self, other: &Values) -> bool {
        self.kind() == other.kind() && self.len() == other.len() && self.first_difference(other).is_none()
    }
}

/// A type of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    F64,
    U16,
    U32,
}

impl Values {
    /// Returns their type.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Values::F32(_) => Kind::F32,
            Values::F64(_) => Kind::F64,
            Values::U16(_) => Kind::U16,
            Values::U32(_) => Kind::U32,
        }
    }

    /// Returns their number.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
            Values::U16(values) => values.len(),
            Values::U32(values) => values.len(),
        }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the value at a place in words; of a float the shortest that stands for its bits.
    pub(super) fn told(&self, place: usize) -> String {
        match self {
            Values::F32(values) => format!("{:e}", values[place]),
            Values::F64(values) => format!("{:e}", values[place]),
            Values::U16(values) => values[place].to_string(),
            Values::U32(values) => values[place].to_string(),
        }
    }

    /// Returns the first place where the bits of two tensors of one type and length differ.
    pub(super) fn first_difference(&self, other: &Values) -> Option<usize> {
        (0..self.len()).find(|&place| self.bits(place) != other.bits(place))
    }

    /// Returns how many elements of two tensors of one type and length differ.
    pub(super) fn differences(&self, other: &Values) -> usize {
        (0..self.len()).filter(|&place| self.bits(place) != other.bits(place)).count()
    }

    fn bits(&self, place: usize) -> u64 {
        match self {
            Values::F32(values) => u64::from(values[place].to_bits()),
            Values::F64(values) => values[place].to_bits(),
            Values::U16(values) => u64::from(values[place]),
            Values::U32(values) => u64::from(values[place]),
        }
    }
}
