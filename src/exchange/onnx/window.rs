//! The padding of a kernel or a window: of all that ONNX can say, what is our "valid" or our "same".

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
    /// A sentence, where the padding is neither "valid" nor "same".
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
        let (before, output) = borders(link, reach, stride, input, padded)?;
        let window = |padding| Window { size, stride, dilation, padding };
        // Below and to the right there is as much as the output needs, so its size tells the rest.
        let valid = [0, 1].map(|axis| input[axis].checked_sub(reach[axis]).map(|room| room / stride[axis] + 1));
        if before == [0, 0] && valid == output.map(Some) {
            return Ok(window(Padding::Valid));
        }
        let same = [0, 1].map(|axis| input[axis].div_ceil(stride[axis]));
        let needed = [0, 1].map(|axis| ((same[axis] - 1) * stride[axis] + reach[axis]).saturating_sub(input[axis]));
        if output == same && before == needed.map(|pixels| pixels / 2) {
            return Ok(window(Padding::Same));
        }
        let [top, left] = needed.map(|pixels| pixels / 2);
        let [bottom, right] = [needed[0] - top, needed[1] - left];
        Err(link.fault(&format!(
            "pads by {} rows above and {} columns to the left for an output of {}×{}, and layers here pad not at all ('valid') or for an output \
             of {}×{} ('same': {top} above, {left} left, {bottom} below, {right} right)",
            before[0], before[1], output[0], output[1], same[0], same[1]
        )))
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

/// Returns the rows above the image and the columns to the left of it, and the size of the output.
fn borders(
    link: &Link,
    reach: [usize; 2],
    stride: [usize; 2],
    input: [usize; 2],
    padded: [usize; 4],
) -> Result<([usize; 2], [usize; 2]), String> {
    let is_padded = padded != [0; 4];
    let pads = match (link.text("auto_pad"), link.ints("pads")) {
        ("" | "NOTSET", None) | ("VALID", _) => [0; 4],
        ("" | "NOTSET", Some(pads)) => {
            four(pads).ok_or_else(|| link.fault("has pads that are no four numbers of at least 0"))?
        }
        (auto @ ("SAME_UPPER" | "SAME_LOWER"), _) if !is_padded => {
            let output = [0, 1].map(|axis| input[axis].div_ceil(stride[axis]));
            let before = [0, 1].map(|axis| {
                let needed = ((output[axis] - 1) * stride[axis] + reach[axis]).saturating_sub(input[axis]);
                if auto == "SAME_UPPER" { needed / 2 } else { needed.div_ceil(2) }
            });
            return Ok((before, output));
        }
        (other, _) => return Err(link.fault(&format!("pads by '{other}', which no layer here does"))),
    };
    let pads: Vec<usize> = pads.iter().zip(padded).map(|(own, padded)| own + padded).collect();
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
    }
    Ok(([pads[0], pads[1]], output))
}

/// Returns four numbers from 0 on that no sum of sizes makes overflow.
pub fn four(pads: &[i64]) -> Option<[usize; 4]> {
    let pads: Vec<usize> = pads.iter().map(|&pixels| usize::try_from(pixels).ok()).collect::<Option<_>>()?;
    let pads: [usize; 4] = pads.try_into().ok()?;
    pads.iter().all(|&pixels| pixels <= MOST_PIXELS).then_some(pads)
}
