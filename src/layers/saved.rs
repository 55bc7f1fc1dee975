//! What a step of a plan keeps of its forward pass for its backward pass, besides its input and its output.

use crate::parameters::AlignedBuffer;

/// What a step has saved.
pub enum Saved {
    /// Nothing: input and output are enough.
    Nothing,
    /// Where the maximum of each window stands in its window, of a max-pool that runs by itself.
    Argmax(Vec<u16>),
    /// The same of a max-pool that runs with a convolution; [`DEAD`](crate::kernels::relu_pool::DEAD) where
    /// ReLU cut the maximum off.
    BlockArgmax(Vec<u8>),
    /// What a dropout multiplied by.
    Factors(AlignedBuffer),
    /// The mean of each channel of the batch, and behind them the variances, of a batch normalization.
    Moments(AlignedBuffer),
    /// The columns of the whole batch's input that belong to the rows that this rank owns of a dense kernel.
    Columns(AlignedBuffer),
}

/// What a step will save, and how many values of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavedLen {
    /// [`Saved::Nothing`].
    Nothing,
    /// [`Saved::Argmax`].
    Argmax(usize),
    /// [`Saved::BlockArgmax`].
    BlockArgmax(usize),
    /// [`Saved::Factors`].
    Factors(usize),
    /// [`Saved::Moments`].
    Moments(usize),
    /// [`Saved::Columns`].
    Columns(usize),
}

impl SavedLen {
    /// The memory for it.
    pub fn allocate(self) -> Saved {
        match self {
            SavedLen::Nothing => Saved::Nothing,
            SavedLen::Argmax(len) => Saved::Argmax(vec![0; len]),
            SavedLen::BlockArgmax(len) => Saved::BlockArgmax(vec![0; len]),
            SavedLen::Factors(len) => Saved::Factors(AlignedBuffer::zeros(len)),
            SavedLen::Moments(len) => Saved::Moments(AlignedBuffer::zeros(len)),
            SavedLen::Columns(len) => Saved::Columns(AlignedBuffer::zeros(len)),
        }
    }

    /// Bytes of that memory. A network may ask for more than there can be, so the product saturates.
    pub fn bytes(self) -> usize {
        match self {
            SavedLen::Nothing => 0,
            SavedLen::Argmax(len) => len.saturating_mul(size_of::<u16>()),
            SavedLen::BlockArgmax(len) => len.saturating_mul(size_of::<u8>()),
            SavedLen::Factors(len) | SavedLen::Moments(len) | SavedLen::Columns(len) => {
                len.saturating_mul(size_of::<f32>())
            }
        }
    }
}
