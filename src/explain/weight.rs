//! The name of a single weight.

use crate::network::Network;
use crate::{Error, Result};
use std::fmt;

/// One element of a tensor of weights, as `conv2d_1/kernel[1,2,17,40]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    /// The tensor's name.
    pub tensor: String,
    /// Its place along each axis.
    pub index: Vec<usize>,
    /// Its place in the tensor's values, in C order.
    pub element: usize,
    /// The number of the layer that it belongs to.
    pub layer: usize,
}

impl Weight {
    /// Reads a name.
    ///
    /// # Errors
    /// [`Error::Setting`] of `text`: it names no weight of this network that an optimizer moves.
    pub fn parse(network: &Network, text: &str) -> Result<Weight> {
        let fail = |reason: String| Error::setting(text, reason);
        let Some((tensor, place)) = text.trim().strip_suffix(']').and_then(|text| text.split_once('[')) else {
            let reason = "it names no weight; write the tensor, then the place in it, as in 'conv2d/kernel[0,1,2,5]'";
            return Err(fail(reason.into()));
        };
        let trainable = network.table().entries().iter().filter(|entry| entry.is_trainable());
        let Some(entry) = trainable.clone().find(|entry| entry.name == tensor) else {
            let names: Vec<&str> = trainable.map(|entry| entry.name.as_str()).collect();
            return Err(fail(format!("the network has no weights '{tensor}'; it has {}", names.join(", "))));
        };
        let index: Option<Vec<usize>> = place.split(',').map(|number| number.trim().parse().ok()).collect();
        let inside = |index: &Vec<usize>| {
            index.len() == entry.shape.len() && index.iter().zip(&entry.shape).all(|(place, size)| place < size)
        };
        match index.filter(inside) {
            Some(index) => Ok(Weight::new(network, tensor, index)),
            None => {
                let sizes: Vec<String> = entry.shape.iter().map(usize::to_string).collect();
                let reason = format!("'{tensor}' is {}; its places count from 0 along each", sizes.join("×"));
                Err(fail(reason))
            }
        }
    }

    /// The weight at this place.
    ///
    /// # Panics
    /// If the network has no such weight.
    pub fn new(network: &Network, tensor: &str, index: Vec<usize>) -> Weight {
        let entries = network.table().entries();
        let id = entries.iter().position(|entry| entry.name == tensor).expect("a tensor of the network");
        let layer = network.layers().iter().position(|layer| layer.tensors.contains(&id)).expect("a layer's tensor");
        let element = index.iter().zip(&entries[id].shape).fold(0, |element, (place, size)| element * size + place);
        Weight { tensor: tensor.to_string(), index, element, layer }
    }

    /// The weight at this place in the tensor's values.
    ///
    /// # Panics
    /// If the network has no such weight.
    pub fn at(network: &Network, tensor: &str, element: usize) -> Weight {
        let entries = network.table().entries();
        let entry = entries.iter().find(|entry| entry.name == tensor).expect("a tensor of the network");
        let mut rest = element;
        let mut index = Vec::with_capacity(entry.shape.len());
        for size in entry.shape.iter().rev() {
            index.push(rest % size);
            rest /= size;
        }
        index.reverse();
        Weight::new(network, tensor, index)
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let place: Vec<String> = self.index.iter().map(usize::to_string).collect();
        write!(formatter, "{}[{}]", self.tensor, place.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ModelSpec;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let network = Network::new(&ModelSpec::documented()).unwrap();
        let weight = Weight::parse(&network, "conv2d_1/kernel[1, 2,17,40]").unwrap();
        assert_eq!((weight.layer, weight.element), (3, ((3 + 2) * 32 + 17) * 64 + 40));
        assert_eq!(weight.to_string(), "conv2d_1/kernel[1,2,17,40]");
        assert_eq!(Weight::at(&network, "conv2d_1/kernel", weight.element), weight);
        for (text, reason) in [
            ("conv2d_1", "it names no weight"),
            ("conv2d_9/kernel[0]", "the network has no weights 'conv2d_9/kernel'; it has conv2d/kernel, conv2d/bias"),
            ("conv2d_1/kernel[1,2,17,64]", "'conv2d_1/kernel' is 3×3×32×64"),
            ("conv2d_1/kernel[1,2,17]", "'conv2d_1/kernel' is 3×3×32×64"),
        ] {
            let error = Weight::parse(&network, text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
