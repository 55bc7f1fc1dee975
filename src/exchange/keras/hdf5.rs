//! HDF5 files as Keras has them: groups, plain tensors of f32, and texts as attributes.
//!
//! The library below is not ours, and the files are other people's. So it runs where a panic is caught, and a
//! tensor is read only after its type, its shape and its bytes were looked at: they have to lie in the file
//! as one run. Keras writes them so. Tensors that are packed, or that were never written and would be read as
//! so many zeros, could take any memory from a small file, and are refused.

use crate::data::catch_panic::catch_panic;
use crate::error::shortened;
use crate::{Error, Result};
use hdf5_pure::{AttrValue, DType, Group, Layout};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

/// The first bytes of every HDF5 file.
pub const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// An HDF5 file in memory.
pub struct Hdf5 {
    file: hdf5_pure::File,
    len: u64,
    path: PathBuf,
}

/// The attributes of a group, by their names.
pub struct Attributes(HashMap<String, AttrValue>);

impl Hdf5 {
    /// Opens the bytes of a file, which messages call `path`.
    ///
    /// # Errors
    /// [`Error::Weights`], where they are none.
    pub fn open(path: &Path, bytes: Vec<u8>) -> Result<Hdf5> {
        let len = bytes.len() as u64;
        let file = contained(path, || hdf5_pure::File::from_bytes(bytes))?;
        Ok(Hdf5 { file, len, path: path.to_path_buf() })
    }

    /// Returns whether there is a group at this place.
    pub fn has_group(&self, place: &str) -> bool {
        self.group(place).is_ok()
    }

    /// Returns the names of the tensors in a group; none where there is no such group.
    pub fn tensors(&self, place: &str) -> Vec<String> {
        let names = || self.group(place).and_then(|group| contained(&self.path, || group.datasets()));
        names().unwrap_or_default()
    }

    /// Returns the names of the groups in a group; none where there is no such group.
    pub fn groups(&self, place: &str) -> Vec<String> {
        let names = || self.group(place).and_then(|group| contained(&self.path, || group.groups()));
        names().unwrap_or_default()
    }

    /// Reads the attributes of a group.
    ///
    /// # Errors
    /// [`Error::Weights`], where there is no such group, or they cannot be read.
    pub fn attributes(&self, place: &str) -> Result<Attributes> {
        let group = self.group(place)?;
        contained(&self.path, || group.attrs()).map(Attributes)
    }

    /// Checks that there is a tensor of f32 of this shape, which lies in the file as one run.
    ///
    /// # Errors
    /// [`Error::Weights`] names the tensor, what it is, and what is needed.
    pub fn check(&self, place: &str, shape: &[usize]) -> Result<()> {
        let refuse = |what: String| Err(self.amiss(place, &what));
        let dataset = match contained(&self.path, || self.file.dataset(place)) {
            Ok(dataset) => dataset,
            Err(_) => return refuse("is not there; give a file that Keras has saved as a whole".into()),
        };
        let (dtype, found, layout) =
            contained(&self.path, || Ok((dataset.dtype()?, dataset.shape()?, dataset.layout()?)))?;
        if dtype != DType::F32 {
            return refuse(format!("has values of {dtype}, and only f32 is read; save the model in float32"));
        }
        if found.len() != shape.len() || found.iter().zip(shape).any(|(found, wanted)| *found != *wanted as u64) {
            return refuse(format!("is {found:?}, and {shape:?} is needed"));
        }
        let bytes = match layout {
            Layout::Contiguous { address: Some(_), size } | Layout::Compact { size } => size,
            _ => return refuse("is packed, or was never written; save the model anew by Keras itself".into()),
        };
        let needed = shape.iter().map(|&size| size as u64).try_fold(4u64, u64::checked_mul);
        match needed {
            Some(needed) if bytes == needed && bytes <= self.len => Ok(()),
            _ => refuse(format!("tells of {bytes} bytes, which are not those of {shape:?}; save the model anew")),
        }
    }

    /// Reads a tensor that [`Hdf5::check`] found to be right.
    ///
    /// # Errors
    /// Those of [`Hdf5::check`], and [`Error::Weights`], where a value is not finite.
    pub fn read(&self, place: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.check(place, shape)?;
        let values = contained(&self.path, || self.file.dataset(place)?.read_f32())?;
        if values.len() != shape.iter().product::<usize>() {
            return Err(self.amiss(
                place,
                &format!("has {} values, which are not those of {shape:?}; save the model anew", values.len()),
            ));
        }
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(self.amiss(place, &format!("holds {value}, as its training diverged; use another"))),
            None => Ok(values),
        }
    }

    /// Returns the error for a tensor.
    fn amiss(&self, place: &str, what: &str) -> Error {
        Error::weights(&self.path, format!("its tensor '{}' {what}", shortened(place)))
    }

    /// Returns the number of bytes of the file.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Reads the whole number in a tensor without axes, if there is one.
    pub fn number(&self, place: &str) -> Option<u64> {
        let dataset = contained(&self.path, || self.file.dataset(place)).ok()?;
        let (shape, layout) = contained(&self.path, || Ok((dataset.shape()?, dataset.layout()?))).ok()?;
        match (shape.as_slice(), layout) {
            ([], Layout::Contiguous { address: Some(_), .. } | Layout::Compact { .. }) => {}
            _ => return None,
        }
        let values = contained(&self.path, || dataset.read_i64()).ok()?;
        values.first().and_then(|&value| value.try_into().ok())
    }

    fn group(&self, place: &str) -> Result<Group> {
        match place {
            "" => Ok(self.file.root()),
            place => contained(&self.path, || self.file.group(place)),
        }
    }
}

impl Attributes {
    /// Returns a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Returns a list of texts; an empty list is one, whatever type it has.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        match self.0.get(name)? {
            AttrValue::F64Array(values) if values.is_empty() => Some(Vec::new()),
            value => Some(value.as_strings()?.to_vec()),
        }
    }
}

/// Runs the library, whose panics become errors.
fn contained<T>(path: &Path, work: impl FnOnce() -> std::result::Result<T, hdf5_pure::Error>) -> Result<T> {
    match catch_panic(AssertUnwindSafe(work)) {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => {
            log::debug!("the HDF5 of {}: {error}", path.display());
            Err(Error::weights(
                path,
                format!("its HDF5 cannot be read ({}); save the model anew", shortened(&error.to_string())),
            ))
        }
        None => Err(Error::weights(path, "the reader of HDF5 failed on it; save the model anew")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(write: impl FnOnce(&mut hdf5_pure::FileBuilder)) -> Hdf5 {
        let mut builder = hdf5_pure::FileBuilder::new();
        write(&mut builder);
        Hdf5::open(Path::new("x.h5"), builder.finish().unwrap()).unwrap()
    }

    #[test]
    fn tensors_that_are_not_plain_are_refused_by_name() {
        let file = opened(|builder| {
            builder.create_dataset("whole").with_i32_data(&[1, 2]);
            builder.create_dataset("packed").with_f32_data(&[1.0; 8]).with_shape(&[8]).with_chunks(&[4]);
            builder.create_dataset("nan").with_f32_data(&[f32::NAN]);
            builder.create_dataset("right").with_f32_data(&[1.0, -0.0]);
        });
        let error = |place: &str, shape: &[usize]| file.read(place, shape).unwrap_err().to_string();
        assert!(error("whole", &[2]).contains("its tensor 'whole' has values of i32, and only f32 is read"));
        assert!(error("packed", &[8]).contains("its tensor 'packed' is packed, or was never written"));
        assert!(error("nan", &[1]).contains("its tensor 'nan' holds NaN"));
        assert!(error("gone", &[1]).contains("its tensor 'gone' is not there"));
        assert!(error("right", &[2, 1]).ends_with("its tensor 'right' is [2], and [2, 1] is needed"));
        assert_eq!(file.read("right", &[2]).unwrap().map_bits(), [1.0f32.to_bits(), (-0.0f32).to_bits()]);
    }

    trait MapBits {
        fn map_bits(self) -> Vec<u32>;
    }

    impl MapBits for Vec<f32> {
        fn map_bits(self) -> Vec<u32> {
            self.into_iter().map(f32::to_bits).collect()
        }
    }

    #[test]
    fn what_is_no_hdf5_or_ends_early_is_refused_in_a_sentence() {
        let mut builder = hdf5_pure::FileBuilder::new();
        builder.create_dataset("values").with_f32_data(&[1.0; 100]);
        let bytes = builder.finish().unwrap();
        for cut in [0, 4, 8, 60, bytes.len() / 2] {
            let file = Hdf5::open(Path::new("x.h5"), bytes[..cut].to_vec());
            let error = file.and_then(|file| file.read("values", &[100])).unwrap_err().to_string();
            assert!(error.starts_with("weights file x.h5: ") && error.contains(';'), "{error}");
        }
    }
}
