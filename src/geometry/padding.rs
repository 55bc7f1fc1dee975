//! The border of an image, and how a spec writes it.

use serde::{Deserialize, Serialize};

/// The border of an image where a kernel reaches over its edge: of zeros where a kernel slides over it, and
/// left out where a window is pooled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(from = "Written", into = "Written")]
pub enum Padding {
    /// No border: the kernel stays inside the image. Output size ⌊(in − reach)/stride⌋ + 1, where the kernel
    /// reaches over (kernel − 1)·dilation + 1 pixels.
    #[default]
    Valid,
    /// A border so wide that the output has size ⌈in/stride⌉. Where the number of rows is odd, the extra one
    /// is below, as in TensorFlow.
    Same,
    /// A border of so many pixels, less than the kernel's reach. Output size ⌊(before + in + after −
    /// reach)/stride⌋ + 1, as in PyTorch, which pads alike before and after.
    Pixels {
        /// Rows above the image and columns to the left of it.
        before: [usize; 2],
        /// Rows below it and columns to the right.
        after: [usize; 2],
    },
}

impl Padding {
    /// Returns whether it is the default.
    pub(crate) fn is_valid(&self) -> bool {
        *self == Padding::Valid
    }

    /// Returns a border of so many pixels, which is none where all are 0.
    pub fn pixels(before: [usize; 2], after: [usize; 2]) -> Padding {
        match (before, after) {
            ([0, 0], [0, 0]) => Padding::Valid,
            _ => Padding::Pixels { before, after },
        }
    }

    /// Returns the pixels before the image along an axis and the size of the output, for a kernel that
    /// reaches over `reach` pixels; none where it does not fit.
    pub(crate) fn along(self, axis: usize, input: usize, reach: usize, stride: usize) -> Option<(usize, usize)> {
        match self {
            Padding::Valid => Some((0, input.checked_sub(reach)? / stride + 1)),
            Padding::Same => {
                let output = input.div_ceil(stride);
                let needed = ((output - 1) * stride).saturating_add(reach).saturating_sub(input);
                Some((needed / 2, output))
            }
            Padding::Pixels { before, after } => {
                let (before, after) = (before[axis], after[axis]);
                // A kernel that stands wholly in the border would see nothing of the image.
                let padded = input.checked_add(before)?.checked_add(after)?;
                let room = padded.checked_sub(reach).filter(|_| before.max(after) < reach)?;
                Some((before, room / stride + 1))
            }
        }
    }
}

/// The ways to write a [`Padding`]: one of two words, or pixels: on every side, down and across, or above and
/// below, left and right, as in Keras's `ZeroPadding2D`.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "padding is \"valid\", \"same\" or pixels: one number, [down, across] or [[above, below], [left, right]]"
)]
enum Written {
    Word(Word),
    Everywhere(usize),
    Axes([usize; 2]),
    Sides([[usize; 2]; 2]),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Valid,
    Same,
}

impl From<Written> for Padding {
    fn from(written: Written) -> Padding {
        match written {
            Written::Word(Word::Valid) => Padding::Valid,
            Written::Word(Word::Same) => Padding::Same,
            Written::Everywhere(pixels) => Padding::pixels([pixels; 2], [pixels; 2]),
            Written::Axes(pixels) => Padding::pixels(pixels, pixels),
            Written::Sides([[above, below], [left, right]]) => Padding::pixels([above, left], [below, right]),
        }
    }
}

impl From<Padding> for Written {
    fn from(padding: Padding) -> Written {
        match padding {
            Padding::Valid => Written::Word(Word::Valid),
            Padding::Same => Written::Word(Word::Same),
            Padding::Pixels { before, after } if before == after && before[0] == before[1] => {
                Written::Everywhere(before[0])
            }
            Padding::Pixels { before, after } if before == after => Written::Axes(before),
            Padding::Pixels { before: [above, left], after: [below, right] } => {
                Written::Sides([[above, below], [left, right]])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_short_as_it_may_be_and_read_back() {
        let sides = |above, below, left, right| Padding::Pixels { before: [above, left], after: [below, right] };
        for (padding, written) in [
            (Padding::Valid, "\"valid\""),
            (Padding::Same, "\"same\""),
            (sides(1, 1, 1, 1), "1"),
            (sides(1, 1, 2, 2), "[1,2]"),
            (sides(1, 1, 1, 2), "[[1,1],[1,2]]"),
        ] {
            assert_eq!(serde_json::to_string(&padding).unwrap(), written);
            assert_eq!(serde_json::from_str::<Padding>(written).unwrap(), padding);
        }
        assert_eq!(serde_json::from_str::<Padding>("0").unwrap(), Padding::Valid);
        let error = serde_json::from_str::<Padding>("\"full\"").unwrap_err().to_string();
        assert!(error.starts_with("padding is \"valid\", \"same\" or pixels"), "{error}");
        assert!(serde_json::from_str::<Padding>("-1").is_err());
    }

    #[test]
    fn pixels_before_and_after_make_the_output_larger() {
        let pixels = Padding::pixels([1, 0], [1, 2]);
        // A kernel of 3 at stride 2 over 8 pixels: (1 + 8 + 1 − 3)/2 + 1 and (8 + 2 − 3)/2 + 1.
        assert_eq!([0, 1].map(|axis| pixels.along(axis, 8, 3, 2)), [Some((1, 4)), Some((0, 4))]);
        // One pixel and a kernel of 3 that sees it from one place alone.
        assert_eq!(Padding::pixels([1; 2], [1; 2]).along(0, 1, 3, 1), Some((1, 1)));
        // A kernel that could stand wholly in the border, or is larger than all.
        assert_eq!(Padding::pixels([3, 3], [0, 0]).along(0, 8, 3, 1), None);
        assert_eq!(Padding::pixels([1, 1], [1, 1]).along(0, 1, 4, 1), None);
        assert_eq!(Padding::pixels([usize::MAX; 2], [1, 1]).along(0, 8, usize::MAX, 1), None);
    }
}
