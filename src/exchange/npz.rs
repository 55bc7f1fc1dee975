//! npz: a zip of numpy's arrays, one for each tensor under its name, which `numpy.load` opens:
//! `numpy.load("model.npz")["conv2d/kernel"]`. The card lies in it as JSON, so that it is a whole model.

use super::imported::{Imported, read_model_file};
use crate::checkpoint::{Checkpoint, ModelCard};
use crate::error::shortened;
use crate::network::Network;
use crate::npy::{Element, Kind, NpyHeader};
use crate::parameters::Parameters;
use crate::{Error, Result};
use std::io::{Cursor, Read, Write};
use std::path::Path;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, ZipArchive};

/// The name of the card in the zip.
const CARD: &str = "glassnet.json";

/// The most bytes that one packed byte can stand for: deflate's 1032, and some.
const MOST_PACKED: u64 = 1100;

/// The longest card that is read, in bytes.
const MAX_CARD_BYTES: u64 = 16 << 20;

/// An npz file that is being written.
pub struct NpzWriter(ZipWriter<Cursor<Vec<u8>>>);

impl NpzWriter {
    /// A file without arrays.
    pub fn new() -> NpzWriter {
        NpzWriter(ZipWriter::new(Cursor::new(Vec::new())))
    }

    /// Adds an array of f32.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let element = Element { kind: Kind::Float, bytes: 4, big_endian: false };
        self.array(name, element, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect());
    }

    /// Adds an array of i64.
    pub fn ints(&mut self, name: &str, shape: &[usize], values: &[i64]) {
        let element = Element { kind: Kind::Signed, bytes: 8, big_endian: false };
        self.array(name, element, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect());
    }

    fn array(&mut self, name: &str, element: Element, shape: &[usize], bytes: Vec<u8>) {
        let header = NpyHeader { element, fortran_order: false, shape: shape.to_vec() };
        self.entry(&format!("{name}.npy"), &[&header.to_bytes()[..], &bytes].concat());
    }

    fn entry(&mut self, name: &str, bytes: &[u8]) {
        // numpy reads what is not packed fastest, and weights hardly shrink. No time is written, so that the
        // same model gives the same bytes.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .large_file(bytes.len() as u64 >= u64::from(u32::MAX));
        let written =
            self.0.start_file(name, options).map_err(std::io::Error::from).and_then(|()| self.0.write_all(bytes));
        written.expect("a zip in memory takes what it is given");
    }

    /// Returns the file's bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.finish().expect("a zip in memory takes its directory").into_inner()
    }
}

impl Default for NpzWriter {
    fn default() -> NpzWriter {
        NpzWriter::new()
    }
}

/// Returns an npz file of a model: its tensors, and its card.
pub fn to_bytes(model: &Checkpoint) -> Vec<u8> {
    let mut writer = NpzWriter::new();
    for (id, entry) in model.parameters.table().entries().iter().enumerate() {
        writer.floats(&entry.name, &entry.shape, model.parameters.tensor(id));
    }
    writer.entry(CARD, serde_json::to_string(&model.card).expect("a card is JSON").as_bytes());
    writer.into_bytes()
}

/// Reads a model from an npz file that glassnet wrote, or one with the same arrays and card.
///
/// # Errors
/// [`Error::Missing`], [`Error::Io`], and [`Error::Weights`] with a sentence that names the array at fault.
pub fn read(path: &Path) -> Result<Imported> {
    from_bytes(&read_model_file(path)?).map_err(|sentence| Error::weights(path, sentence))
}

/// Reads a model from the bytes of an npz file.
///
/// # Errors
/// A sentence, as [`read`].
pub fn from_bytes(bytes: &[u8]) -> Result<Imported, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| "it is not a whole zip, as an npz file is")?;
    let card = card(&mut archive)?;
    let network = Network::new(&card.spec).map_err(|error| format!("its model cannot be built: {error}"))?;
    if card.classes.count() != network.head().classes() {
        return Err(format!(
            "it names {} classes, and its network tells {} apart",
            card.classes.count(),
            network.head().classes()
        ));
    }
    // The arrays are looked for before memory is taken for them all.
    for entry in network.table().entries() {
        let name = shortened(&entry.name);
        let array = archive
            .by_name(&format!("{}.npy", entry.name))
            .map_err(|_| format!("it has no array '{name}', which its model needs"))?;
        // A packed array may claim any size; no packing makes of a byte more than this.
        if array.size() / MOST_PACKED > array.compressed_size() {
            return Err(format!("its array '{name}' claims more bytes than can be packed in it"));
        }
        if array.size() < 4 * entry.range.len() as u64 {
            return Err(format!("its array '{name}' has {} bytes, which are too few", array.size()));
        }
    }
    let mut parameters = Parameters::zeros(network.table());
    for (id, entry) in network.table().entries().iter().enumerate() {
        let mut array = archive.by_name(&format!("{}.npy", entry.name)).map_err(|error| error.to_string())?;
        read_floats(&mut array, &entry.shape, parameters.tensor_mut(id))
            .map_err(|phrase| format!("its array '{}' cannot be used: {phrase}", shortened(&entry.name)))?;
    }
    Ok(Imported { network, parameters, card: Some(card), notes: Vec::new() })
}

/// Reads the card.
fn card(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<ModelCard, String> {
    let entry = archive
        .by_name(CARD)
        .map_err(|_| format!("it has no '{CARD}', which says what its arrays are; export it with glassnet"))?;
    let mut text = String::new();
    entry.take(MAX_CARD_BYTES).read_to_string(&mut text).map_err(|_| format!("its '{CARD}' cannot be read"))?;
    let card: ModelCard = serde_json::from_str(&text)
        .map_err(|_| format!("its '{CARD}' is no description of a model that this version knows"))?;
    match card.fault() {
        None => Ok(card),
        Some(fault) => Err(fault),
    }
}

/// Reads an array of f32 of this shape into `values`.
fn read_floats(reader: &mut impl Read, shape: &[usize], values: &mut [f32]) -> Result<(), String> {
    let NpyHeader { element, fortran_order, shape: found } = NpyHeader::read(reader)?;
    if (element.kind, element.bytes) != (Kind::Float, 4) {
        return Err("it holds other numbers than float32".into());
    }
    if found != shape || (fortran_order && shape.len() > 1) {
        let order = if fortran_order { " in Fortran's order" } else { "" };
        return Err(format!("it has the shape {found:?}{order}, and {shape:?} is wanted"));
    }
    let mut bytes = [0; 4];
    for value in values {
        reader.read_exact(&mut bytes).map_err(|_| "it is cut off")?;
        *value = if element.big_endian { f32::from_be_bytes(bytes) } else { f32::from_le_bytes(bytes) };
        if !value.is_finite() {
            return Err(format!("it holds {value}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::reading::Reading;
    use crate::exchange::imported::plain_card;

    fn model() -> Checkpoint {
        let spec = "input = [5, 4, 3]\nlayers = [{ type = 'conv2d', filters = 2, kernel = 3 }, { type = 'batch_normalization' }, { type = 'flatten' }, { type = 'dense', units = 1 }]";
        let network = Network::new(&toml::from_str(spec).unwrap()).unwrap();
        let card = plain_card(&network, Reading::default()).unwrap();
        let parameters = network.initial_parameters(3);
        Checkpoint { card, network, parameters }
    }

    #[test]
    fn a_model_that_was_written_is_read_with_the_same_bits() {
        let model = model();
        let bytes = to_bytes(&model);
        assert_eq!(to_bytes(&model), bytes);
        let read = from_bytes(&bytes).unwrap();
        assert_eq!(read.card.as_ref(), Some(&model.card));
        assert_eq!(read.parameters.as_slice(), model.parameters.as_slice());
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_named() {
        let model = model();
        let error = |fill: &dyn Fn(&mut NpzWriter)| {
            let mut writer = NpzWriter::new();
            fill(&mut writer);
            from_bytes(&writer.into_bytes()).err().unwrap()
        };
        let card = serde_json::to_string(&model.card).unwrap();
        assert_eq!(
            error(&|_| ()),
            "it has no 'glassnet.json', which says what its arrays are; export it with glassnet"
        );
        assert_eq!(
            error(&|npz| npz.entry(CARD, card.as_bytes())),
            "it has no array 'conv2d/kernel', which its model needs"
        );
        let all = |other: &dyn Fn(&mut NpzWriter)| {
            error(&|npz| {
                npz.entry(CARD, card.as_bytes());
                other(npz);
                for (id, entry) in model.parameters.table().entries().iter().enumerate().skip(1) {
                    npz.floats(&entry.name, &entry.shape, model.parameters.tensor(id));
                }
            })
        };
        assert_eq!(
            all(&|npz| npz.floats("conv2d/kernel", &[3, 3, 2, 3], &[0.0; 54])),
            "its array 'conv2d/kernel' cannot be used: it has the shape [3, 3, 2, 3], and [3, 3, 3, 2] is wanted"
        );
        assert_eq!(
            all(&|npz| npz.ints("conv2d/kernel", &[3, 3, 3, 2], &[0; 54])),
            "its array 'conv2d/kernel' cannot be used: it holds other numbers than float32"
        );
        assert_eq!(
            all(&|npz| npz.floats("conv2d/kernel", &[3, 3, 3, 2], &[f32::NAN; 54])),
            "its array 'conv2d/kernel' cannot be used: it holds NaN"
        );
        assert_eq!(from_bytes(b"PK").err().unwrap(), "it is not a whole zip, as an npz file is");
    }
}
