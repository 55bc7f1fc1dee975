//! ONNX's `TensorProto`: a name, sizes, the type of its numbers, and these as little-endian bytes in C order.

use crate::error::shortened;
use crate::exchange::protobuf::{Fields, Message};
use std::borrow::Cow;

/// The number of each field.
mod field {
    pub const DIMS: u32 = 1;
    pub const DATA_TYPE: u32 = 2;
    pub const FLOAT_DATA: u32 = 4;
    pub const INT32_DATA: u32 = 5;
    pub const INT64_DATA: u32 = 7;
    pub const NAME: u32 = 8;
    pub const RAW_DATA: u32 = 9;
    pub const EXTERNAL_DATA: u32 = 13;
    pub const DATA_LOCATION: u32 = 14;
    /// Of an entry of the external data.
    pub const KEY: u32 = 1;
    pub const VALUE: u32 = 2;
}

/// The data location of numbers that are kept in another file.
const EXTERNAL: i64 = 1;

/// A type of numbers, by ONNX's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementType(pub i64);

impl ElementType {
    /// f32.
    pub const FLOAT: ElementType = ElementType(1);
    /// u8.
    pub const UINT8: ElementType = ElementType(2);
    /// u16.
    pub const UINT16: ElementType = ElementType(4);
    /// i32.
    pub const INT32: ElementType = ElementType(6);
    /// i64.
    pub const INT64: ElementType = ElementType(7);

    /// Returns ONNX's name for it.
    pub fn name(self) -> Cow<'static, str> {
        const NAMES: [&str; 17] = [
            "undefined",
            "float",
            "uint8",
            "int8",
            "uint16",
            "int16",
            "int32",
            "int64",
            "string",
            "bool",
            "float16",
            "double",
            "uint32",
            "uint64",
            "complex64",
            "complex128",
            "bfloat16",
        ];
        match usize::try_from(self.0).ok().and_then(|code| NAMES.get(code)) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("type {}", self.0)),
        }
    }
}

/// A tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its sizes; none of a single number.
    pub dims: Vec<usize>,
    /// The type of its numbers.
    pub element: ElementType,
    /// Where they are.
    pub data: TensorData<'a>,
}

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorData<'a> {
    /// Their bytes.
    Here(Cow<'a, [u8]>),
    /// A stretch of a file beside the model's.
    Elsewhere {
        /// The file's name.
        file: &'a str,
        /// Its first byte.
        offset: u64,
        /// Its bytes; all that follow, if not told.
        length: Option<u64>,
    },
}

impl<'a> Tensor<'a> {
    /// A tensor of f32.
    pub fn floats(name: &'a str, dims: &[usize], values: &[f32]) -> Tensor<'a> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let data = TensorData::Here(Cow::Owned(bytes));
        Tensor { name: Cow::Borrowed(name), dims: dims.to_vec(), element: ElementType::FLOAT, data }
    }

    /// A tensor of i64.
    pub fn ints(name: &'a str, dims: &[usize], values: &[i64]) -> Tensor<'a> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let data = TensorData::Here(Cow::Owned(bytes));
        Tensor { name: Cow::Borrowed(name), dims: dims.to_vec(), element: ElementType::INT64, data }
    }

    /// Returns it as a message.
    ///
    /// # Panics
    /// If its numbers are in another file.
    pub fn message(&self) -> Message {
        let TensorData::Here(bytes) = &self.data else { panic!("what is written is in memory") };
        let mut message = Message::new();
        for &size in &self.dims {
            message.varint(field::DIMS, size as u64);
        }
        message.int(field::DATA_TYPE, self.element.0).string(field::NAME, &self.name).bytes(field::RAW_DATA, bytes);
        message
    }

    /// Reads a message.
    ///
    /// # Errors
    /// A phrase on what is broken.
    pub fn read(message: &'a [u8]) -> Result<Tensor<'a>, String> {
        let (mut name, mut dims, mut element, mut raw, mut location) = ("", Vec::new(), 0, None, 0);
        let (mut floats, mut narrow, mut wide, mut entries) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for field in Fields::new(message) {
            let (number, value) = field?;
            match number {
                field::DIMS => value.push_ints(&mut dims)?,
                field::DATA_TYPE => element = value.int()?,
                field::FLOAT_DATA => value.push_floats(&mut floats)?,
                field::INT32_DATA => value.push_ints(&mut narrow)?,
                field::INT64_DATA => value.push_ints(&mut wide)?,
                field::NAME => name = value.string()?,
                field::RAW_DATA => raw = Some(value.bytes()?),
                field::EXTERNAL_DATA => entries.push(entry(value.bytes()?)?),
                field::DATA_LOCATION => location = value.int()?,
                _ => {}
            }
        }
        let size = |&size: &i64| {
            usize::try_from(size).map_err(|_| format!("its tensor '{}' has a size of {size}", shortened(name)))
        };
        let dims = dims.iter().map(size).collect::<Result<Vec<usize>, String>>()?;
        let element = ElementType(element);
        let data = match raw {
            _ if location == EXTERNAL => elsewhere(&entries)?,
            Some(bytes) => TensorData::Here(Cow::Borrowed(bytes)),
            None => TensorData::Here(Cow::Owned(listed(element, &floats, &narrow, &wide))),
        };
        Ok(Tensor { name: Cow::Borrowed(name), dims, element, data })
    }

    /// Returns the number of its elements, or none where that is beyond what can be.
    pub fn count(&self) -> Option<usize> {
        self.dims.iter().try_fold(1usize, |count, &size| count.checked_mul(size))
    }

    /// Returns its floats.
    ///
    /// # Errors
    /// A phrase, where it holds other numbers, or not as many as its sizes say.
    pub fn to_floats(&self) -> Result<Vec<f32>, String> {
        if self.element != ElementType::FLOAT {
            let (name, element) = (shortened(&self.name), self.element.name());
            return Err(format!(
                "its tensor '{name}' holds numbers of type {element}, and floats of 32 bits are read here"
            ));
        }
        let (floats, _) = self.whole(4)?.as_chunks::<4>();
        Ok(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    /// Returns its integers.
    ///
    /// # Errors
    /// A phrase, where it holds other numbers, or not as many as its sizes say.
    pub fn to_ints(&self) -> Result<Vec<i64>, String> {
        match self.element {
            ElementType::INT64 => {
                Ok(self.whole(8)?.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
            }
            ElementType::INT32 => {
                Ok(self.whole(4)?.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes).into()).collect())
            }
            other => {
                let (name, element) = (shortened(&self.name), other.name());
                Err(format!("its tensor '{name}' holds numbers of type {element}, where integers are wanted"))
            }
        }
    }

    /// Returns its bytes, if they are as many as its sizes say, of elements of so many bytes.
    fn whole(&self, element_bytes: usize) -> Result<&[u8], String> {
        let name = shortened(&self.name);
        let TensorData::Here(bytes) = &self.data else {
            return Err(format!("its tensor '{name}' is in another file, which was not read"));
        };
        match self.count().and_then(|count| count.checked_mul(element_bytes)) {
            Some(wanted) if wanted == bytes.len() => Ok(bytes),
            _ => Err(format!(
                "its tensor '{name}' has {} bytes, which are not those of its sizes {:?}",
                bytes.len(),
                Sizes(&self.dims)
            )),
        }
    }
}

/// Sizes for a sentence: the first few, as a file may have very many.
struct Sizes<'a>(&'a [usize]);

impl std::fmt::Debug for Sizes<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        self.0[..self.0.len().min(8)].fmt(formatter)
    }
}

/// Reads an entry of the external data.
fn entry(message: &[u8]) -> Result<(&str, &str), String> {
    let (mut key, mut text) = ("", "");
    for field in Fields::new(message) {
        match field? {
            (field::KEY, value) => key = value.string()?,
            (field::VALUE, value) => text = value.string()?,
            _ => {}
        }
    }
    Ok((key, text))
}

/// Returns where numbers are that are kept in another file.
fn elsewhere<'a>(entries: &[(&str, &'a str)]) -> Result<TensorData<'a>, String> {
    let entry = |wanted: &str| entries.iter().find(|(key, _)| *key == wanted).map(|(_, value)| *value);
    let number = |wanted| {
        let broken = || format!("the {wanted} of a tensor in another file is no number");
        entry(wanted).map(|text| text.parse::<u64>().map_err(|_| broken())).transpose()
    };
    let file = entry("location").ok_or("a tensor in another file does not name the file")?;
    Ok(TensorData::Elsewhere { file, offset: number("offset")?.unwrap_or(0), length: number("length")? })
}

/// Returns the bytes of numbers that stand as a list of their own.
fn listed(element: ElementType, floats: &[f32], narrow: &[i64], wide: &[i64]) -> Vec<u8> {
    match element {
        ElementType::FLOAT => floats.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ElementType::INT64 => wide.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ElementType::INT32 => narrow.iter().flat_map(|&value| (value as i32).to_le_bytes()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_that_was_written_is_read() {
        let tensor = Tensor::floats("conv/kernel", &[2, 1, 2], &[1.0, -2.0, f32::MIN_POSITIVE, 0.1]);
        let bytes = tensor.message().into_bytes();
        let read = Tensor::read(&bytes).unwrap();
        assert_eq!(read, tensor);
        assert_eq!(read.to_floats().unwrap(), [1.0, -2.0, f32::MIN_POSITIVE, 0.1]);
        assert!(read.to_ints().unwrap_err().contains("holds numbers of type float"));
    }

    #[test]
    fn numbers_are_read_from_lists_of_their_own() {
        let read = |element: ElementType, fill: fn(&mut Message)| {
            let mut message = Message::new();
            message.varint(field::DIMS, 2).int(field::DATA_TYPE, element.0);
            fill(&mut message);
            let bytes = message.into_bytes();
            let tensor = Tensor::read(&bytes).unwrap();
            (tensor.to_floats(), tensor.to_ints())
        };
        let floats = read(ElementType::FLOAT, |message| {
            message.float(field::FLOAT_DATA, 0.5).float(field::FLOAT_DATA, 2.0);
        });
        assert_eq!(floats.0.unwrap(), [0.5, 2.0]);
        let wide = read(ElementType::INT64, |message| {
            message.int(field::INT64_DATA, -1).int(field::INT64_DATA, 1 << 40);
        });
        assert_eq!(wide.1.unwrap(), [-1, 1 << 40]);
        let narrow = read(ElementType::INT32, |message| {
            message.bytes(field::INT32_DATA, &[7, 8]);
        });
        assert_eq!(narrow.1.unwrap(), [7, 8]);
        let short = read(ElementType::FLOAT, |message| {
            message.float(field::FLOAT_DATA, 0.5);
        });
        assert_eq!(short.0.unwrap_err(), "its tensor '' has 4 bytes, which are not those of its sizes [2]");
    }

    #[test]
    fn sizes_beyond_all_memory_are_refused_before_any_is_taken() {
        let mut message = Message::new();
        message
            .varint(field::DIMS, 1 << 40)
            .varint(field::DIMS, 1 << 40)
            .int(field::DATA_TYPE, 1)
            .bytes(field::RAW_DATA, b"1234");
        let bytes = message.into_bytes();
        assert!(Tensor::read(&bytes).unwrap().to_floats().is_err());
        let mut negative = Message::new();
        negative.int(field::DIMS, -1);
        assert_eq!(Tensor::read(&negative.into_bytes()).unwrap_err(), "its tensor '' has a size of -1");
    }
}
