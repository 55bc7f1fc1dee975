//! A convolution in a word: `n16h63w63c32f64k3` is 16 images of 63×63×32 and 64 filters of 3×3.
//!
//! | part | means | if not given |
//! |---|---|---|
//! | `n16` | 16 images | |
//! | `h63`, `w64`, `c32` | of height 63, width 64 and 32 channels | |
//! | `f64` | 64 filters | |
//! | `k3`, `k3x5` | a kernel of 3×3, of height 3 and width 5 | |
//! | `s2`, `s2x1` | steps of 2 both ways, of 2 down and 1 across | `s1` |
//! | `psame`, `pvalid` | padding, as in Keras | `pvalid` |
//! | `p1`, `p1x2`, `p0x1x2x3` | pixels of padding: on every side; down and across; above, to the left, below, to the right | |
//!
//! Parts may come in any order.

use crate::geometry::{ConvGeometry, Padding, Shape, check_floats};
use crate::network::Network;
use crate::spec::{LayerSpec, ModelSpec};
use std::fmt;
use std::str::FromStr;

/// A convolution over a batch. One that was parsed can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvDescriptor {
    /// N.
    pub batch: usize,
    /// H, W, C of an image.
    pub input: [usize; 3],
    /// F.
    pub filters: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps of the kernel, down and across.
    pub stride: [usize; 2],
    /// The padding.
    pub padding: Padding,
}

/// The form of a descriptor, for who wrote something else.
const HOW: &str = "write it as in n16h63w63c32f64k3 (images, height, width, channels, filters, kernel), with s2 behind it for \
                   a stride of 2 and psame for padding, or p1 for one pixel of it on every side";

impl ConvDescriptor {
    /// Returns the sizes of one image's convolution.
    ///
    /// # Errors
    /// A sentence, where they do not fit each other, or a tensor is too large.
    pub fn geometry(&self) -> Result<ConvGeometry, String> {
        let ConvDescriptor { batch, input, filters, kernel, stride, padding } = *self;
        let [height, width, channels] = input;
        check_floats(&[batch, height, width, channels])?;
        check_floats(&[kernel[0], kernel[1], channels, filters])?;
        if batch == 0 || channels == 0 {
            return Err("0 images or channels; it needs at least 1 of each".into());
        }
        let geometry = ConvGeometry::new(input, kernel, stride, padding, filters)?;
        check_floats(&[batch, geometry.output[0], geometry.output[1], filters])?;
        Ok(geometry)
    }

    /// Returns the convolutions of the documented model with their names, in batches of `batch`.
    pub fn documented(batch: usize) -> Vec<(String, ConvDescriptor)> {
        let network = Network::new(&ModelSpec::documented()).expect("the documented model can be built");
        let layers = network.layers().iter().zip(&network.spec().layers);
        let convolutions = layers.filter_map(|(layer, spec)| match (spec, layer.input) {
            (LayerSpec::Conv2d { filters, kernel, stride, padding, .. }, Shape::Image(input)) => {
                let (kernel, stride) = (kernel.both(), stride.both());
                let descriptor = ConvDescriptor { batch, input, filters: *filters, kernel, stride, padding: *padding };
                Some((layer.name.clone(), descriptor))
            }
            _ => None,
        });
        convolutions.collect()
    }
}

impl fmt::Display for ConvDescriptor {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let ConvDescriptor { batch, input: [height, width, channels], filters, .. } = self;
        write!(formatter, "n{batch}h{height}w{width}c{channels}f{filters}")?;
        let mut pair = |letter: char, [down, across]: [usize; 2]| match down == across {
            true => write!(formatter, "{letter}{down}"),
            false => write!(formatter, "{letter}{down}x{across}"),
        };
        pair('k', self.kernel)?;
        if self.stride != [1, 1] {
            pair('s', self.stride)?;
        }
        match self.padding {
            Padding::Valid => Ok(()),
            Padding::Same => formatter.write_str("psame"),
            Padding::Pixels { before, after } if before == after => pair('p', before),
            Padding::Pixels { before: [above, left], after: [below, right] } => {
                write!(formatter, "p{above}x{left}x{below}x{right}")
            }
        }
    }
}

impl FromStr for ConvDescriptor {
    type Err = String;

    fn from_str(text: &str) -> Result<ConvDescriptor, String> {
        let [mut n, mut h, mut w, mut c, mut f] = [None; 5];
        let [mut kernel, mut stride] = [None; 2];
        let mut padding = None;
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let unreadable = || format!("'{rest}' cannot be read as a part of a convolution; {HOW}");
            let behind = &rest[letter.len_utf8()..];
            let (twice, next) = match letter {
                'n' | 'h' | 'w' | 'c' | 'f' => {
                    let (number, next) = number(behind).ok_or_else(unreadable)?;
                    let place = match letter {
                        'n' => &mut n,
                        'h' => &mut h,
                        'w' => &mut w,
                        'c' => &mut c,
                        _ => &mut f,
                    };
                    (place.replace(number).is_some(), next)
                }
                'k' | 's' => {
                    let (pair, next) = pair(behind).ok_or_else(unreadable)?;
                    let place = if letter == 'k' { &mut kernel } else { &mut stride };
                    (place.replace(pair).is_some(), next)
                }
                'p' => {
                    let same = behind.strip_prefix("same").map(|next| (Padding::Same, next));
                    let valid = behind.strip_prefix("valid").map(|next| (Padding::Valid, next));
                    let (kind, next) = same.or(valid).or_else(|| pixels(behind)).ok_or_else(unreadable)?;
                    (padding.replace(kind).is_some(), next)
                }
                _ => return Err(unreadable()),
            };
            if twice {
                return Err(format!("'{letter}' is given twice in '{text}'; {HOW}"));
            }
            rest = next;
        }
        let (Some(batch), Some(height), Some(width), Some(channels), Some(filters), Some(kernel)) =
            (n, h, w, c, f, kernel)
        else {
            let given = [('n', n), ('h', h), ('w', w), ('c', c), ('f', f), ('k', kernel.map(|[down, _]| down))];
            let missing = given.iter().filter(|(_, value)| value.is_none()).map(|(letter, _)| letter.to_string());
            return Err(format!("'{text}' lacks {}; {HOW}", missing.collect::<Vec<_>>().join(", ")));
        };
        let descriptor = ConvDescriptor {
            batch,
            input: [height, width, channels],
            filters,
            kernel,
            stride: stride.unwrap_or([1, 1]),
            padding: padding.unwrap_or_default(),
        };
        descriptor.geometry()?;
        Ok(descriptor)
    }
}

/// Returns the number at the start, and what is behind it.
fn number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Returns one number for both directions, or two with an x between them, and what is behind.
fn pair(text: &str) -> Option<([usize; 2], &str)> {
    let (down, rest) = number(text)?;
    match rest.strip_prefix('x') {
        Some(rest) => number(rest).map(|(across, rest)| ([down, across], rest)),
        None => Some(([down, down], rest)),
    }
}

/// Returns one number of pixels for all sides, two for those down and across, or four, and what is behind.
fn pixels(text: &str) -> Option<(Padding, &str)> {
    let (before, rest) = pair(text)?;
    match text[..text.len() - rest.len()].contains('x').then(|| rest.strip_prefix('x')).flatten() {
        Some(rest) => {
            let (below, rest) = number(rest)?;
            let (right, rest) = number(rest.strip_prefix('x')?)?;
            Some((Padding::pixels(before, [below, right]), rest))
        }
        None => Some((Padding::pixels(before, before), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documented_convolutions_have_names_and_descriptors() {
        let documented = ConvDescriptor::documented(16);
        let shown: Vec<_> = documented.iter().map(|(name, descriptor)| format!("{name} {descriptor}")).collect();
        assert_eq!(shown, ["conv2d n16h128w128c3f32k3", "conv2d_1 n16h63w63c32f64k3", "conv2d_2 n16h30w30c64f128k3"]);
    }

    #[test]
    fn parts_come_in_any_order_and_defaults_are_left_out() {
        let descriptor: ConvDescriptor = "pvalids1x1k3x3f8c4w5h6n7".parse().unwrap();
        assert_eq!(descriptor.to_string(), "n7h6w5c4f8k3");
        assert_eq!(descriptor.geometry().unwrap().output, [4, 3]);
        let descriptor: ConvDescriptor = "n4h28w28c16f32k5x3s2psame".parse().unwrap();
        assert_eq!((descriptor.kernel, descriptor.stride, descriptor.padding), ([5, 3], [2, 2], Padding::Same));
        for (written, before, after) in
            [("p1", [1, 1], [1, 1]), ("p2x1", [2, 1], [2, 1]), ("p0x1x2x3", [0, 1], [2, 3]), ("p0", [0, 0], [0, 0])]
        {
            let descriptor: ConvDescriptor = format!("n4h28w28c16f32{written}k4").parse().unwrap();
            assert_eq!(descriptor.padding, Padding::pixels(before, after));
        }
        assert!("n4h28w28c16f32p1x2x3k4".parse::<ConvDescriptor>().is_err());
    }

    #[test]
    fn what_is_wrong_is_told_with_an_example() {
        for (text, found) in [
            ("conv3d", "'conv3d' cannot be read as a part of a convolution"),
            ("n1h8w8c3f4k3y2", "'y2' cannot be read as a part of a convolution"),
            ("n1h8w8c3f4k3x", "'k3x' cannot be read as a part of a convolution"),
            ("n1h8w8c3f4k3pfull", "'pfull' cannot be read as a part of a convolution"),
            ("n1h99999999999999999999", "'h99999999999999999999' cannot be read as a part of a convolution"),
            ("n1h8w8c3f4k3n2", "'n' is given twice in 'n1h8w8c3f4k3n2'"),
            ("n1h8f4", "'n1h8f4' lacks w, c, k"),
            ("", "'' lacks n, h, w, c, f, k"),
        ] {
            assert_eq!(text.parse::<ConvDescriptor>().unwrap_err(), format!("{found}; {HOW}"));
        }
        assert!(HOW.contains("n16h63w63c32f64k3"));
        for (text, sentence) in [
            ("n1h2w9c3f8k3", "a kernel of 3×3 with stride 1×1 does not fit an input of 2×9×3"),
            ("n0h8w8c3f4k3", "0 images or channels"),
            ("n1h8w8c3f0k3", "0 filters"),
            ("n1000000h1000w1000c3f4k3", "it would have 1000000×1000×1000×3 floats"),
        ] {
            let error = text.parse::<ConvDescriptor>().unwrap_err();
            assert!(error.starts_with(sentence), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(
            batch in 1..100usize,
            input in [1..40usize, 1..40usize, 1..40usize],
            filters in 1..100usize,
            kernel in [1..8usize, 1..8usize],
            stride in [1..4usize, 1..4usize],
            padding in prop_oneof![
                Just(Padding::Valid),
                Just(Padding::Same),
                ([0..4usize, 0..4usize], [0..4usize, 0..4usize]).prop_map(|(before, after)| Padding::pixels(before, after))
            ],
        ) {
            let descriptor = ConvDescriptor { batch, input, filters, kernel, stride, padding };
            match descriptor.geometry() {
                Ok(_) => prop_assert_eq!(descriptor.to_string().parse(), Ok(descriptor)),
                Err(reason) => prop_assert_eq!(descriptor.to_string().parse::<ConvDescriptor>(), Err(reason)),
            }
        }

        #[test]
        fn no_text_is_too_strange(text in "[nhwcfkspx0-9esamvlid肝 ]{0,20}") {
            if let Ok(descriptor) = text.parse::<ConvDescriptor>() {
                prop_assert_eq!(descriptor.to_string().parse(), Ok(descriptor));
            }
        }
    }
}
