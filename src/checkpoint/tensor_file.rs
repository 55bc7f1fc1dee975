//! safetensors files, written and read tensor by tensor: no second copy of the tensors is ever in memory.
//!
//! The header is the library's. The tensors follow one another in its order, those of the wider type first,
//! then by name, little-endian in C order; so equal tensors and equal metadata make equal bytes.

use crate::files::write_whole_with;
use crate::{Error, Result};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The metadata's one key. One, because the order of several is not fixed, and the same run shall write the
/// same bytes.
const KEY: &str = "glassnet";

/// The bytes before the header: its length.
const LENGTH_BYTES: u64 = 8;

/// The longest header that is read, in bytes: that of the documented model has a few thousand. The library's
/// own limit is 100 MB.
const MAX_HEADER_BYTES: u64 = 16 << 20;

/// TensorValues that are converted at a time.
const CHUNK: usize = 16 * 1024;

/// A tensor to be written.
pub struct Tensor<'a> {
    pub name: Cow<'a, str>,
    pub shape: Vec<usize>,
    pub values: TensorValues<'a>,
}

/// A tensor's values, in C order.
pub enum TensorValues<'a> {
    F32(&'a [f32]),
    F64(Vec<f64>),
    U16(&'a [u16]),
    U32(&'a [u32]),
}

impl TensorValues<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            TensorValues::F32(_) => Dtype::F32,
            TensorValues::F64(_) => Dtype::F64,
            TensorValues::U16(_) => Dtype::U16,
            TensorValues::U32(_) => Dtype::U32,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            TensorValues::F32(values) => size_of_val(*values),
            TensorValues::F64(values) => size_of_val(values.as_slice()),
            TensorValues::U16(values) => size_of_val(*values),
            TensorValues::U32(values) => size_of_val(*values),
        }
    }

    /// Hands out the values as little-endian bytes, a chunk at a time.
    fn for_each_chunk(&self, use_bytes: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        match self {
            TensorValues::F32(values) => chunks(values, |value| value.to_le_bytes(), use_bytes),
            TensorValues::F64(values) => chunks(values, |value| value.to_le_bytes(), use_bytes),
            TensorValues::U16(values) => chunks(values, |value| value.to_le_bytes(), use_bytes),
            TensorValues::U32(values) => chunks(values, |value| value.to_le_bytes(), use_bytes),
        }
    }
}

/// A type of values that [`TensorFile::read_as`] reads.
pub trait SafeType: Clone + Default {
    /// Its name in a file.
    const DTYPE: Dtype;
}

impl SafeType for f32 {
    const DTYPE: Dtype = Dtype::F32;
}

impl SafeType for f64 {
    const DTYPE: Dtype = Dtype::F64;
}

impl SafeType for u16 {
    const DTYPE: Dtype = Dtype::U16;
}

impl SafeType for u32 {
    const DTYPE: Dtype = Dtype::U32;
}

fn chunks<T: Copy, const N: usize>(
    values: &[T],
    to_bytes: impl Fn(T) -> [u8; N],
    mut use_bytes: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(N * CHUNK.min(values.len()));
    for chunk in values.chunks(CHUNK) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|&value| to_bytes(value)));
        use_bytes(&bytes)?;
    }
    Ok(())
}

/// Tensors in the order in which a file has them.
pub struct Tensors<'a>(Vec<Tensor<'a>>);

impl<'a> Tensors<'a> {
    pub fn new(mut tensors: Vec<Tensor<'a>>) -> Tensors<'a> {
        tensors.sort_by(|a, b| b.values.dtype().cmp(&a.values.dtype()).then(a.name.cmp(&b.name)));
        Tensors(tensors)
    }

    /// Returns the CRC-32 of their bytes.
    pub fn crc32(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for tensor in &self.0 {
            // Hashing cannot fail, only writing to a file can.
            let _ = tensor.values.for_each_chunk(|bytes| {
                hasher.update(bytes);
                Ok(())
            });
        }
        hasher.finalize()
    }

    /// Writes a file of them with a description; what stands under the name is always whole
    /// ([`write_whole_with`]).
    ///
    /// # Errors
    /// [`Error::Io`], where the folder cannot be written or the disk is full.
    pub fn write(&self, path: &Path, description: String) -> Result<()> {
        let mut end = 0;
        let infos = self.0.iter().map(|Tensor { name, shape, values }| {
            let start = end;
            end += values.bytes();
            let info = TensorInfo { dtype: values.dtype(), shape: shape.clone(), data_offsets: (start, end) };
            (name.clone().into_owned(), info)
        });
        let header = header(path, description, infos.collect())?;
        write_whole_with(path, |file| {
            file.write_all(&header)?;
            self.0.iter().try_for_each(|tensor| tensor.values.for_each_chunk(|bytes| file.write_all(bytes)))
        })
    }
}

/// The bytes before the tensors: the header, and before it its length.
fn header(path: &Path, description: String, infos: Vec<(String, TensorInfo)>) -> Result<Vec<u8>> {
    let metadata = HashMap::from([(KEY.to_string(), description)]);
    let fail = |reason: String| Error::weights(path, reason);
    let metadata = Metadata::new(Some(metadata), infos).map_err(|error| fail(error.to_string()))?;
    let mut header = serde_json::to_vec(&metadata).map_err(|error| fail(error.to_string()))?;
    header.resize(header.len().next_multiple_of(LENGTH_BYTES as usize), b' ');
    Ok([&(header.len() as u64).to_le_bytes()[..], &header].concat())
}

/// A file whose header was read and checked against the file's length.
pub struct TensorFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    /// The place where the first tensor begins.
    start: u64,
}

impl TensorFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Io`], or [`Error::Weights`] where it is not a whole safetensors file.
    pub fn open(path: &Path) -> Result<TensorFile> {
        let facts = std::fs::metadata(path).map_err(Error::io("read", path))?;
        if !facts.is_file() {
            let advice = "give one that 'glassnet train' wrote, such as weights/best.safetensors in a run folder";
            return Err(Error::weights_with_advice(path, "it is not a file", advice));
        }
        let mut file = File::open(path).map_err(Error::io("read", path))?;
        let broken = |fault: &str| {
            let reason = format!("it is not a whole safetensors file ({fault})");
            Error::weights_with_advice(path, reason, "give one that 'glassnet train' wrote")
        };
        if facts.len() < LENGTH_BYTES {
            return Err(broken(&format!("it has fewer than {LENGTH_BYTES} bytes")));
        }
        let mut length = [0; LENGTH_BYTES as usize];
        file.read_exact(&mut length).map_err(Error::io("read", path))?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER_BYTES {
            return Err(broken("it does not begin with the length of a header"));
        }
        let start = LENGTH_BYTES + length;
        if start > facts.len() {
            return Err(broken("it ends within its header"));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).map_err(Error::io("read", path))?;
        let header = std::str::from_utf8(&header).map_err(|_| broken("its header is no text"))?;
        // Reading it checks that shapes, types and places agree, and that nothing overflows.
        let metadata: Metadata = serde_json::from_str(header).map_err(|error| {
            log::debug!("the header of {}: {error}", path.display());
            broken("its header is no list of tensors whose types, shapes and places agree")
        })?;
        match start.checked_add(metadata.data_len() as u64) {
            Some(end) if end == facts.len() => {}
            Some(end) if end < facts.len() => return Err(broken("more follows than its header tells of")),
            _ => return Err(broken("it ends before the tensors that its header tells of")),
        }
        Ok(TensorFile { path: path.to_path_buf(), file, metadata, start })
    }

    /// Returns the description that [`write`] was given, if the file has one.
    pub fn description(&self) -> Option<&str> {
        self.metadata.metadata().as_ref()?.get(KEY).map(String::as_str)
    }

    /// Writes the file anew with another description; its tensors stay as they are, byte for byte.
    ///
    /// # Errors
    /// Those of [`Tensors::write`].
    pub fn describe_anew(mut self, description: String) -> Result<()> {
        let info = |name: String| {
            let info = self.metadata.info(&name)?.clone();
            Some((name, info))
        };
        let header = header(&self.path, description, self.names().into_iter().filter_map(info).collect())?;
        let (path, start) = (self.path, self.start);
        self.file.seek(SeekFrom::Start(start)).map_err(Error::io("read", &path))?;
        write_whole_with(&path, |file| {
            file.write_all(&header)?;
            io::copy(&mut self.file, file).map(|_| ())
        })
    }

    /// Returns the tensors' names, in the order of the file.
    pub fn names(&self) -> Vec<String> {
        self.metadata.offset_keys()
    }

    /// Returns the CRC-32 of all tensors' bytes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn crc32(&mut self) -> Result<u32> {
        let mut hasher = crc32fast::Hasher::new();
        let mut read = || {
            self.file.seek(SeekFrom::Start(self.start))?;
            let mut bytes = vec![0; 8 * CHUNK];
            loop {
                match self.file.read(&mut bytes)? {
                    0 => return Ok(()),
                    count => hasher.update(&bytes[..count]),
                }
            }
        };
        read().map_err(Error::io("read", &self.path))?;
        Ok(hasher.finalize())
    }

    /// Returns whether a tensor is there, of f32 and of this shape.
    ///
    /// # Errors
    /// What is amiss, in words that go on after "its file".
    pub fn check_f32(&self, name: &str, shape: &[usize]) -> std::result::Result<(), String> {
        match self.metadata.info(name) {
            None => Err(format!("it has no tensor '{name}', which this network needs")),
            Some(info) if info.dtype != Dtype::F32 || info.shape != shape => Err(format!(
                "its tensor '{name}' is {:?} {:?}, but this network needs F32 {shape:?}",
                info.dtype, info.shape
            )),
            Some(_) => Ok(()),
        }
    }

    /// Reads a tensor that [`TensorFile::check_f32`] found to be of the length of `values`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read_f32(&mut self, name: &str, values: &mut [f32]) -> Result<()> {
        self.read(name, values, f32::from_le_bytes)
    }

    /// Does the same as [`TensorFile::read_f32`] for weights, which have to be finite.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Weights`] where a value is not finite.
    pub fn read_finite_f32(&mut self, name: &str, values: &mut [f32]) -> Result<()> {
        self.read_f32(name, values)?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(self.astray(name, f64::from(*value))),
            None => Ok(()),
        }
    }

    /// Reads a list of finite f64.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Weights`] where there is no such list or a value is not finite.
    pub fn read_f64_list(&mut self, name: &str) -> Result<Vec<f64>> {
        let length = match self.metadata.info(name) {
            Some(TensorInfo { dtype: Dtype::F64, shape, .. }) if shape.len() == 1 => shape[0],
            Some(info) => {
                let reason =
                    format!("its tensor '{name}' is {:?} {:?}, and a list of F64 is wanted", info.dtype, info.shape);
                return Err(Error::weights(&self.path, reason));
            }
            None => return Err(Error::weights(&self.path, format!("it has no tensor '{name}'"))),
        };
        // As long as the file says, which is as long as the file is.
        let mut values = vec![0.0; length];
        self.read(name, &mut values, f64::from_le_bytes)?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(self.astray(name, *value)),
            None => Ok(values),
        }
    }

    /// Returns a tensor's type and shape, if it is there.
    #[cfg(feature = "exchange")]
    pub fn facts(&self, name: &str) -> Option<(Dtype, Vec<usize>)> {
        let info = self.metadata.info(name)?;
        Some((info.dtype, info.shape.clone()))
    }

    /// Returns a tensor's shape, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.metadata.info(name)?.shape)
    }

    /// Reads a tensor of this shape and of the type that `from_bytes` makes, whatever its values are.
    ///
    /// # Errors
    /// [`Error::Io`]; and within, what is amiss with its type or shape, in words that go on after its name.
    pub fn read_as<T: SafeType, const N: usize>(
        &mut self,
        name: &str,
        shape: &[usize],
        from_bytes: impl Fn([u8; N]) -> T,
    ) -> Result<std::result::Result<Vec<T>, String>> {
        match self.metadata.info(name) {
            Some(info) if info.dtype == T::DTYPE && info.shape == shape => {}
            Some(info) => {
                let (dtype, found) = (info.dtype, &info.shape);
                return Ok(Err(format!("is {dtype:?} {found:?}, and {:?} {shape:?} is wanted", T::DTYPE)));
            }
            None => return Ok(Err("is not there".into())),
        }
        // As long as the file says, which is as long as the file is.
        let mut values = vec![T::default(); shape.iter().product()];
        self.read(name, &mut values, from_bytes)?;
        Ok(Ok(values))
    }

    fn astray(&self, name: &str, value: f64) -> Error {
        let reason = format!("its tensor '{name}' holds {value}, as its training diverged; use another");
        Error::weights(&self.path, reason)
    }

    /// Reads a tensor of the length of `values`, chunk by chunk.
    fn read<T, const N: usize>(
        &mut self,
        name: &str,
        values: &mut [T],
        from_bytes: impl Fn([u8; N]) -> T,
    ) -> Result<()> {
        let (start, end) = self.metadata.info(name).map_or((0, 0), |info| info.data_offsets);
        assert_eq!(end - start, N * values.len(), "the length of '{name}' was checked before");
        let mut read = || {
            self.file.seek(SeekFrom::Start(self.start + start as u64))?;
            let mut bytes = vec![0; N * CHUNK.min(values.len())];
            for chunk in values.chunks_mut(CHUNK) {
                let bytes = &mut bytes[..N * chunk.len()];
                self.file.read_exact(bytes)?;
                for (value, bytes) in chunk.iter_mut().zip(bytes.chunks_exact(N)) {
                    *value = from_bytes(std::array::from_fn(|index| bytes[index]));
                }
            }
            Ok(())
        };
        read().map_err(Error::io("read", &self.path))
    }
}
