//! Why a gradient is exactly 0 at a cell: the first layer behind it, on the gradient's way back, that let
//! nothing through.

use super::moment::Moment;
use crate::reference::Layer;
use serde::Serialize;

/// What made a term of a gradient exactly 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ZeroCause {
    /// A max-pool sent the gradient to another cell of the window.
    Pool,
    /// A ReLU was shut: its input was not positive.
    Relu,
    /// Dropout had dropped the value.
    Dropout,
    /// All that the gradient is made of is 0 further back.
    Behind,
    /// The kernel's cell lay in the padding.
    Padding,
    /// The input was 0.
    Input,
}

/// Terms that are exactly 0, counted by their cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Zeros {
    /// [`ZeroCause::Pool`].
    pub pool: usize,
    /// [`ZeroCause::Relu`].
    pub relu: usize,
    /// [`ZeroCause::Dropout`].
    pub dropout: usize,
    /// [`ZeroCause::Behind`].
    pub behind: usize,
    /// [`ZeroCause::Padding`].
    pub padding: usize,
    /// [`ZeroCause::Input`].
    pub input: usize,
}

impl Zeros {
    /// Counts one.
    pub fn add(&mut self, cause: ZeroCause) {
        let count = match cause {
            ZeroCause::Pool => &mut self.pool,
            ZeroCause::Relu => &mut self.relu,
            ZeroCause::Dropout => &mut self.dropout,
            ZeroCause::Behind => &mut self.behind,
            ZeroCause::Padding => &mut self.padding,
            ZeroCause::Input => &mut self.input,
        };
        *count += 1;
    }

    /// Returns those that there are, most first, each with its cause.
    pub fn counted(&self) -> Vec<(ZeroCause, usize)> {
        let mut all = vec![
            (ZeroCause::Pool, self.pool),
            (ZeroCause::Relu, self.relu),
            (ZeroCause::Dropout, self.dropout),
            (ZeroCause::Behind, self.behind),
            (ZeroCause::Padding, self.padding),
            (ZeroCause::Input, self.input),
        ];
        all.retain(|(_, count)| *count > 0);
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all
    }

    /// Returns their number.
    pub fn total(&self) -> usize {
        self.counted().iter().map(|(_, count)| count).sum()
    }
}

impl ZeroCause {
    /// Returns the cause in words, behind a number of terms.
    pub fn in_words(self) -> &'static str {
        match self {
            ZeroCause::Pool => "because the max-pool behind took another cell of the window",
            ZeroCause::Relu => "because the ReLU behind was shut",
            ZeroCause::Dropout => "because dropout had dropped the value",
            ZeroCause::Behind => "because everything further back is zero",
            ZeroCause::Padding => "because the kernel's cell lay outside the image",
            ZeroCause::Input => "because the input was zero",
        }
    }
}

impl Moment<'_> {
    /// Returns the cause of a zero in ∂L/∂output of a layer, at this place of the sample's values.
    pub fn cause_of_zero(&self, layer: usize, image: usize, element: usize) -> ZeroCause {
        let next = layer + 1;
        let Some(kind) = self.twin.get(next) else { return ZeroCause::Behind };
        let here = |cause: ZeroCause| match self.grad_output(next, image)[element] == 0.0 {
            true => self.cause_of_zero(next, image, element),
            false => cause,
        };
        match kind {
            Layer::Relu | Layer::LeakyRelu { .. } => here(ZeroCause::Relu),
            Layer::Dropout => here(ZeroCause::Dropout),
            Layer::Flatten => self.cause_of_zero(next, image, element),
            Layer::MaxPool(_) => match self.window_that_took(next, image, element) {
                Some(taker) => self.cause_of_zero(next, image, taker),
                None => ZeroCause::Pool,
            },
            _ => ZeroCause::Behind,
        }
    }

    /// Returns the first cell of a max-pool's output whose maximum stood at this place of its input, if there
    /// is one.
    ///
    /// # Panics
    /// If the layer is no max-pool.
    pub fn window_that_took(&self, pool: usize, image: usize, element: usize) -> Option<usize> {
        let layer = &self.layers()[pool];
        let ([_, width, channels], [_, out_width, _]) = (layer.input.sizes(), layer.output.sizes());
        let (pixel, channel) = (element / channels, element % channels);
        let argmax = self.snapshot.argmax(&layer.name).expect("a max-pool keeps its argmax");
        let argmax = &argmax[image * layer.output.len()..][..layer.output.len()];
        let window = self.window(pool).expect("a pool has a window");
        window.covering([pixel / width, pixel % width]).find_map(|([y, x], [dy, dx])| {
            let taker = (y * out_width + x) * channels + channel;
            (usize::from(argmax[taker]) == dy * window.size[1] + dx).then_some(taker)
        })
    }
}
