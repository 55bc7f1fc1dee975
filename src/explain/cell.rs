//! One cell: the dot product that made it, and what its own gradient is made of.

use super::moment::Moment;
use crate::reference::Layer;

/// A value of a layer's output, or of its input: y, x and channel. A vector is one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The row.
    pub y: usize,
    /// The column.
    pub x: usize,
    /// The channel.
    pub channel: usize,
}

/// A product in the sum that made a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Product {
    /// The input's place.
    pub from: Cell,
    /// The kernel's cell, row and column; 0 in a dense layer.
    pub kernel: [usize; 2],
    /// The input.
    pub input: f32,
    /// The weight.
    pub weight: f64,
}

impl Product {
    /// Returns input · weight.
    pub fn value(&self) -> f64 {
        f64::from(self.input) * self.weight
    }
}

/// A sum that made a cell of a convolution or a dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Dot {
    /// The products, in the order of the kernel; those in the padding are left out.
    pub products: Vec<Product>,
    /// The bias.
    pub bias: f64,
}

impl Dot {
    /// Returns the sum of all products and the bias.
    pub fn sum(&self) -> f64 {
        self.products.iter().map(Product::value).sum::<f64>() + self.bias
    }
}

/// A position of the kernel that covers a cell of the input: what it sends back to the cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patch {
    /// The position in the output, y and x.
    pub position: [usize; 2],
    /// The kernel's cell that lies on the input's.
    pub kernel: [usize; 2],
    /// Σ ∂L/∂output · weight over the filters.
    pub sum: f64,
}

impl Cell {
    /// The cell at a place in the values of a sample of these sizes.
    pub fn at(element: usize, [_, width, channels]: [usize; 3]) -> Cell {
        let pixel = element / channels;
        Cell { y: pixel / width, x: pixel % width, channel: element % channels }
    }

    /// Returns its place in the values of a sample of these sizes.
    pub fn element(self, [_, width, channels]: [usize; 3]) -> usize {
        (self.y * width + self.x) * channels + self.channel
    }
}

impl Moment<'_> {
    /// Returns the sum that made a cell of a layer's output; none of layers that do not sum products.
    pub fn dot(&self, layer: usize, image: usize, cell: Cell) -> Option<Dot> {
        let sizes @ [_, _, channels] = self.layers()[layer].input.sizes();
        let input = self.input(layer, image);
        let at = |[y, x]: [usize; 2], channel: usize| Cell { y, x, channel };
        let product = |from: Cell, kernel: [usize; 2], weight: f64| Product {
            from,
            kernel,
            input: input[from.element(sizes)],
            weight,
        };
        match &self.twin[layer] {
            Layer::Conv2d { shape, kernel, bias } => {
                let window = self.window(layer)?;
                let placed = window.cells().filter_map(|place| Some((place, window.pixel([cell.y, cell.x], place)?)));
                let products = placed.flat_map(|(place @ [ky, kx], pixel)| {
                    let first = (ky * shape.kernel[1] + kx) * channels;
                    (0..channels).map(move |c| (place, at(pixel, c), (first + c) * shape.filters + cell.channel))
                });
                let products = products.map(|(place, from, weight)| product(from, place, kernel[weight])).collect();
                Some(Dot { products, bias: bias[cell.channel] })
            }
            Layer::DepthwiseConv2d { shape, kernel, bias } => {
                let window = self.window(layer)?;
                let from = cell.channel / (shape.filters / channels);
                let placed = window.cells().filter_map(|place| Some((place, window.pixel([cell.y, cell.x], place)?)));
                let products = placed.map(|(place @ [ky, kx], pixel)| {
                    product(at(pixel, from), place, kernel[(ky * shape.kernel[1] + kx) * shape.filters + cell.channel])
                });
                Some(Dot { products: products.collect(), bias: bias[cell.channel] })
            }
            Layer::Dense { kernel, bias } => {
                let units = bias.len();
                let products =
                    (0..input.len()).map(|i| product(Cell::at(i, sizes), [0, 0], kernel[i * units + cell.channel]));
                Some(Dot { products: products.collect(), bias: bias[cell.channel] })
            }
            _ => None,
        }
    }

    /// Returns the patches that a cell of a convolution's input is in, each with what it sends back: they add
    /// up to the cell's gradient. None of other layers.
    pub fn patches(&self, layer: usize, image: usize, cell: Cell) -> Option<Vec<Patch>> {
        let ([_, _, in_channels], [_, width, channels]) =
            (self.layers()[layer].input.sizes(), self.layers()[layer].output.sizes());
        let gradients = self.grad_output(layer, image);
        let (shape, kernel, filters) = match &self.twin[layer] {
            Layer::Conv2d { shape, kernel, .. } => (shape, kernel, 0..channels),
            Layer::DepthwiseConv2d { shape, kernel, .. } => {
                let multiplier = channels / in_channels;
                (shape, kernel, cell.channel * multiplier..(cell.channel + 1) * multiplier)
            }
            _ => return None,
        };
        let patch = |(position @ [y, x], place @ [ky, kx]): ([usize; 2], [usize; 2])| {
            let cell_of_kernel = ky * shape.kernel[1] + kx;
            let weight = |filter: usize| match &self.twin[layer] {
                Layer::Conv2d { .. } => kernel[(cell_of_kernel * in_channels + cell.channel) * channels + filter],
                _ => kernel[cell_of_kernel * channels + filter],
            };
            let term = |filter: usize| f64::from(gradients[(y * width + x) * channels + filter]) * weight(filter);
            Patch { position, kernel: place, sum: filters.clone().map(term).sum() }
        };
        Some(self.window(layer)?.covering([cell.y, cell.x]).map(patch).collect())
    }
}
