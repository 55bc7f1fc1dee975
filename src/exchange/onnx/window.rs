//! The padding of a kernel or a window: what ONNX says of it as ours, by its word where there is one.

use super::chain::Link;
use crate::geometry::Padding;
use crate::spec::Size;

/// The largest size that is taken from a file, so that no sum of a few overflows.
const MOST_PIXELS: usize = i32::MAX as usize;

/// A kernel or a window that slides over an image.
pub struct Window {
    /// Its size.
    pub size: [usize; 2],
    /// Its steps.
    pub stride: [usize; 2],
    /// Pixels from a cell to the next.
    pub dilation: [usize; 2],
    /// The border.
    pub padding: Padding,
}

/// Returns one number where both are the same.
pub fn size([height, width]: [usize; 2]) -> Size {
    if height == width { Size::Square(height) } else { Size::Rectangle([height, width]) }
}

impl Window {
    /// Reads the attributes of a node that slides over an image of this height and width, which a `Pad`
    /// before it may have made larger by `padded`: rows above, columns to the left, rows below, columns to
    /// the right.
    ///
    /// # Errors
    /// A sentence, where it is told in a way that no layer here has.
    pub fn new(link: &Link, size: [usize; 2], input: [usize; 2], padded: [usize; 4]) -> Result<Window, String> {
        let [stride, dilation] = ["strides", "dilations"].map(|name| pair(link, name));
        let (stride, dilation) = (stride?, dilation?);
        if let Some(sizes) = link.ints("kernel_shape")
            && *sizes != size.map(|size| size as i64)
        {
            return Err(link.fault("tells another kernel_shape than its kernel has"));
        }
        let reach = [0, 1].map(|axis| size[axis].saturating_sub(1).saturating_mul(dilation[axis]).saturating_add(1));
        if size.contains(&0) || reach.iter().any(|&pixels| pixels > MOST_PIXELS) {
            return Err(link.fault("has a kernel without a cell, or larger than any image"));
        }
        let Borders { before, after, output } = borders(link, reach, stride, input, padded)?;
        // What is not covered in the end needs no border, so an output's size tells more than its pads.
        let word = [Padding::Valid, Padding::Same].into_iter().find(|padding| {
            let along = [0, 1].map(|axis| padding.along(axis, input[axis], reach[axis], stride[axis]));
            along == [0, 1].map(|axis| Some((before[axis], output[axis])))
        });
        let padding = word.unwrap_or(Padding::pixels(before, after));
        Ok(Window { size, stride, dilation, padding })
    }
}

/// Returns two numbers of at least 1 that a node gives, or 1 and 1.
pub fn pair(link: &Link, name: &str) -> Result<[usize; 2], String> {
    match link.ints(name) {
        None => Ok([1, 1]),
        Some(numbers) => {
            match numbers.iter().map(|&number| usize::try_from(number).unwrap_or(0)).collect::<Vec<_>>()[..] {
                [down, across] if (1..=MOST_PIXELS).contains(&down) && (1..=MOST_PIXELS).contains(&across) => {
                    Ok([down, across])
                }
                _ => Err(link.fault(&format!("has {name} that are no two numbers of at least 1"))),
            }
        }
    }
}

/// The border of an image, down and across, and the size of the output that it makes.
struct Borders {
    before: [usize; 2],
    after: [usize; 2],
    output: [usize; 2],
}

/// Returns the border that a node tells of, together with that of a `Pad` before it.
fn borders(
    link: &Link,
    reach: [usize; 2],
    stride: [usize; 2],
    input: [usize; 2],
    padded: [usize; 4],
) -> Result<Borders, String> {
    let is_padded = padded != [0; 4];
    let pads = match (link.text("auto_pad"), link.ints("pads")) {
        ("" | "NOTSET", None) | ("VALID", _) => [0; 4],
        ("" | "NOTSET", Some(pads)) => {
            four(pads).ok_or_else(|| link.fault("has pads that are no four numbers of at least 0"))?
        }
        (auto @ ("SAME_UPPER" | "SAME_LOWER"), _) if !is_padded => {
            let output = [0, 1].map(|axis| input[axis].div_ceil(stride[axis]));
            let needed =
                [0, 1].map(|axis| ((output[axis] - 1) * stride[axis] + reach[axis]).saturating_sub(input[axis]));
            let (less, more) = (needed.map(|pixels| pixels / 2), needed.map(|pixels| pixels.div_ceil(2)));
            let (before, after) = if auto == "SAME_UPPER" { (less, more) } else { (more, less) };
            return Ok(Borders { before, after, output });
        }
        (other, _) => return Err(link.fault(&format!("pads by '{other}', which no layer here does"))),
    };
    let mut pads: [usize; 4] = std::array::from_fn(|side| pads[side] + padded[side]);
    let rounds_up = link.int("ceil_mode", 0) != 0;
    let mut output = [0, 0];
    for axis in [0, 1] {
        let room = (input[axis] + pads[axis] + pads[axis + 2]).checked_sub(reach[axis]);
        let room = room.ok_or_else(|| link.fault("has a kernel that is larger than its image"))?;
        output[axis] = if rounds_up { room.div_ceil(stride[axis]) } else { room / stride[axis] } + 1;
        // No window begins in the border below or to the right.
        if rounds_up && (output[axis] - 1) * stride[axis] >= input[axis] + pads[axis] {
            output[axis] -= 1;
        }
        let covered = (output[axis] - 1) * stride[axis] + reach[axis];
        pads[axis + 2] = pads[axis + 2].max(covered.saturating_sub(input[axis] + pads[axis]));
    }
    let [above, left, below, right] = pads;
    Ok(Borders { before: [above, left], after: [below, right], output })
}

/// Returns four numbers from 0 on that no sum of sizes makes overflow.
pub fn four(pads: &[i64]) -> Option<[usize; 4]> {
    let pads: Vec<usize> = pads.iter().map(|&pixels| usize::try_from(pixels).ok()).collect::<Option<_>>()?;
    let pads: [usize; 4] = pads.try_into().ok()?;
    pads.iter().all(|&pixels| pixels <= MOST_PIXELS).then_some(pads)
}
