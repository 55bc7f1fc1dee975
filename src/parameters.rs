//! All weights of a network in one aligned buffer, with a table of what stands where.
//!
//! Gradients and Adam's two moments have the same layout, so each is another [`Parameters`] over the same
//! [`ParameterTable`], and the optimizer is one pass over four buffers.

use crate::kernels::simd::LINE_FLOATS;
use crate::random::Stream;
use crate::{Error, Result};
use ndarray::{ArrayViewD, ArrayViewMutD, IxDyn};
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

/// A buffer of floats that starts on a cache line, as vector loads like it.
#[derive(Default)]
pub struct AlignedBuffer {
    /// Up to a line longer than asked for, so that there is a line's start within.
    storage: Vec<f32>,
    start: usize,
    len: usize,
}

impl AlignedBuffer {
    /// Creates a buffer of `len` zeros.
    pub fn zeros(len: usize) -> AlignedBuffer {
        let storage = vec![0.0; len + LINE_FLOATS - 1];
        // The storage's address stays the same for as long as the buffer lives: nothing is ever pushed.
        let start = storage.as_ptr().align_offset(LINE_FLOATS * size_of::<f32>());
        AlignedBuffer { storage, start, len }
    }

    /// Returns the floats.
    pub fn as_slice(&self) -> &[f32] {
        &self.storage[self.start..self.start + self.len]
    }

    /// Returns the floats, to write.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.storage[self.start..self.start + self.len]
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.as_slice()
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.as_mut_slice()
    }
}

impl Clone for AlignedBuffer {
    fn clone(&self) -> AlignedBuffer {
        let mut copy = AlignedBuffer::zeros(self.len);
        copy.as_mut_slice().copy_from_slice(self.as_slice());
        copy
    }
}

/// The number of a tensor in a [`ParameterTable`].
pub type TensorId = usize;

/// The part that a tensor plays in training. Optimizer, checkpoint and summary go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Learned: a backward pass gives its gradient, and the optimizer, which keeps moments of it, moves it.
    Trainable {
        /// True if it shrinks under weight decay.
        decays: bool,
    },
    /// A weight that training leaves as it is: it has neither gradient nor moments.
    Frozen,
    /// A moving statistic, which the layer itself keeps up to date while training: it has neither gradient
    /// nor moments.
    Running(Statistic),
}

/// What a moving statistic is of the values that it sums up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Their mean.
    Mean,
    /// Their variance, which is never below 0.
    Variance,
}

/// The values of a tensor before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initialization {
    /// 0.
    Zeros,
    /// 1.
    Ones,
    /// Uniform in ±√(6 / (fan_in + fan_out)), where for a convolution's kernel fan_in = kernel height ·
    /// kernel width · C and fan_out = kernel height · kernel width · F, and for a dense kernel fan_in = I and
    /// fan_out = U (X. Glorot and Y. Bengio, *Understanding the difficulty of training deep feedforward
    /// neural networks*, 2010).
    GlorotUniform,
}

impl Initialization {
    /// Fills `values`, a tensor of this shape, with draws from `stream`.
    pub fn fill(self, shape: &[usize], values: &mut [f32], mut stream: Stream) {
        match self {
            Initialization::Zeros => values.fill(0.0),
            Initialization::Ones => values.fill(1.0),
            Initialization::GlorotUniform => {
                // [kernel height, kernel width, inputs, outputs], the first two missing in a dense kernel
                let (receptive_field, channels) = shape.split_at(shape.len() - 2);
                let fans = receptive_field.iter().product::<usize>() * (channels[0] + channels[1]);
                let limit = (6.0 / fans as f64).sqrt();
                values.fill_with(|| stream.uniform_f64(-limit, limit) as f32);
            }
        }
    }
}

/// A tensor's name, shape, place and role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorEntry {
    /// Keras's name: `conv2d/kernel`, `dense_1/bias`.
    pub name: String,
    /// Keras's shape: `[kernel height, kernel width, C, F]`, `[inputs, units]` or `[units]`.
    pub shape: Vec<usize>,
    /// The place of its floats in the buffer, in C order. Each tensor starts on a cache line.
    pub range: Range<usize>,
    /// The part that it plays in training.
    pub role: Role,
    /// Its values before training.
    pub initialization: Initialization,
}

impl TensorEntry {
    /// Returns whether the optimizer moves it.
    pub fn is_trainable(&self) -> bool {
        matches!(self.role, Role::Trainable { .. })
    }
}

/// The layout of a [`Parameters`] buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParameterTable {
    entries: Vec<TensorEntry>,
    len: usize,
}

impl ParameterTable {
    /// Appends a tensor and returns its number.
    pub fn push(&mut self, name: String, shape: Vec<usize>, role: Role, initialization: Initialization) -> TensorId {
        let start = self.len;
        let end = start + shape.iter().product::<usize>();
        self.entries.push(TensorEntry { name, shape, range: start..end, role, initialization });
        self.len = end.next_multiple_of(LINE_FLOATS);
        self.entries.len() - 1
    }

    /// Takes the trainable ones among these tensors out of training.
    pub fn freeze(&mut self, tensors: Range<TensorId>) {
        let learned = self.entries[tensors].iter_mut().filter(|entry| entry.is_trainable());
        learned.for_each(|entry| entry.role = Role::Frozen);
    }

    /// Returns all tensors in the order of the layers, each layer's kernel before its bias.
    pub fn entries(&self) -> &[TensorEntry] {
        &self.entries
    }

    /// Returns the number of parameters (without the gaps that alignment leaves).
    pub fn parameter_count(&self) -> usize {
        self.entries.iter().map(|entry| entry.range.len()).sum()
    }
}

/// A value for each parameter of a network: its weights, their gradient, or a moment of the optimizer.
#[derive(Clone)]
pub struct Parameters {
    table: Arc<ParameterTable>,
    buffer: AlignedBuffer,
}

impl std::fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(formatter, "{} parameters", self.table.parameter_count())
    }
}

impl Parameters {
    /// Creates a buffer of zeros.
    pub fn zeros(table: &Arc<ParameterTable>) -> Parameters {
        Parameters { table: table.clone(), buffer: AlignedBuffer::zeros(table.len) }
    }

    /// Returns the layout of the buffer.
    pub fn table(&self) -> &Arc<ParameterTable> {
        &self.table
    }

    /// Refuses parameters of another network.
    ///
    /// # Panics
    /// If the two do not have the same table.
    #[track_caller]
    pub(crate) fn assert_same_network(&self, other: &Parameters) {
        assert_eq!(self.table, other.table, "parameters of one network");
    }

    /// Returns the floats of one tensor, in C order.
    pub fn tensor(&self, id: TensorId) -> &[f32] {
        &self.buffer.as_slice()[self.table.entries[id].range.clone()]
    }

    /// Returns the floats of one tensor in f64, as the textbook has them.
    pub fn wide(&self, id: TensorId) -> Vec<f64> {
        self.tensor(id).iter().map(|&x| f64::from(x)).collect()
    }

    /// Returns the floats of one tensor, to write.
    pub fn tensor_mut(&mut self, id: TensorId) -> &mut [f32] {
        &mut self.buffer.as_mut_slice()[self.table.entries[id].range.clone()]
    }

    /// Returns the whole buffer; the gaps between tensors are zeros and stay zeros under Adam.
    pub fn as_slice(&self) -> &[f32] {
        self.buffer.as_slice()
    }

    /// Returns whether no number is NaN or infinite.
    pub fn are_finite(&self) -> bool {
        self.as_slice().iter().all(|value| value.is_finite())
    }

    /// Returns the whole buffer, to write.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        self.buffer.as_mut_slice()
    }

    /// Returns a tensor by name, as an array of its shape.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn view(&self, name: &str) -> Result<ArrayViewD<'_, f32>> {
        let id = self.find(name)?;
        Ok(ArrayViewD::from_shape(IxDyn(&self.table.entries[id].shape), self.tensor(id))
            .expect("a tensor's range has its shape's length"))
    }

    /// Returns a tensor by name, to write.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn view_mut(&mut self, name: &str) -> Result<ArrayViewMutD<'_, f32>> {
        let id = self.find(name)?;
        let shape = IxDyn(&self.table.entries[id].shape.clone());
        Ok(ArrayViewMutD::from_shape(shape, self.tensor_mut(id)).expect("a tensor's range has its shape's length"))
    }

    fn find(&self, name: &str) -> Result<TensorId> {
        self.table.entries.iter().position(|entry| entry.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.table.entries.iter().map(|entry| entry.name.as_str()).collect();
            Error::setting(name, format!("the network has no tensor of this name; it has {}", names.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_start_on_cache_lines_and_do_not_overlap() {
        let mut table = ParameterTable::default();
        let mut push =
            |name: &str, shape| table.push(name.into(), shape, Role::Trainable { decays: true }, Initialization::Zeros);
        let (kernel, bias) = (push("a/kernel", vec![3, 3, 1, 2]), push("a/bias", vec![2]));
        let mut parameters = Parameters::zeros(&Arc::new(table));
        parameters.tensor_mut(kernel).fill(1.0);
        parameters.tensor_mut(bias).fill(2.0);
        assert_eq!(parameters.tensor(kernel), [1.0; 18]);
        assert_eq!(parameters.tensor(bias), [2.0; 2]);
        for id in [kernel, bias] {
            assert_eq!(parameters.tensor(id).as_ptr() as usize % 64, 0);
        }
        assert_eq!(parameters.table().parameter_count(), 20);
        assert_eq!(parameters.view("a/kernel").unwrap().shape(), [3, 3, 1, 2]);
        let error = parameters.view("b").unwrap_err().to_string();
        assert_eq!(error, "b: the network has no tensor of this name; it has a/kernel, a/bias");
    }
}
