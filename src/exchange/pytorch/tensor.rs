//! A tensor by its name, whose values are read when they are asked for.

use crate::checkpoint::tensor_file::TensorFile;
use crate::error::shortened;
use crate::{Error, Result};
use safetensors::Dtype;
use std::path::Path;

/// A tensor of a file.
pub struct Named<'a> {
    /// Its name: `features.0.weight`.
    pub name: String,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Values<'a>,
}

/// The values of a tensor.
pub enum Values<'a> {
    /// In C order.
    Whole(Vec<f32>),
    /// Little-endian f32 among those of a storage.
    View {
        /// The bytes of the storage.
        storage: &'a [u8],
        /// The first value's number in it.
        offset: usize,
        /// For each axis the step in it from a value to the next.
        strides: Vec<usize>,
    },
    /// They are of this type, which is not f32.
    Other(String),
}

impl Named<'_> {
    /// Reads the values, in C order.
    ///
    /// # Errors
    /// A sentence, where they are not of f32, beyond the storage, or not finite.
    pub fn read(&self) -> std::result::Result<Vec<f32>, String> {
        let fault = |what: &str| format!("its tensor '{}' {what}", shortened(&self.name));
        let values = match &self.values {
            Values::Whole(values) => values.clone(),
            Values::Other(name) => {
                let name = shortened(name);
                return Err(fault(&format!(
                    "has values of {name}, and only float32 is read; save model.float().state_dict()"
                )));
            }
            Values::View { storage, offset, strides } => gathered(storage, *offset, &self.shape, strides)
                .ok_or_else(|| fault("reaches beyond its storage; save it anew, or download it again"))?,
        };
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(fault(&format!("holds {value}, as its training diverged; use another"))),
            None => Ok(values),
        }
    }
}

/// Returns the values of a view in C order; none where one of them is beyond the storage.
fn gathered(storage: &[u8], offset: usize, shape: &[usize], strides: &[usize]) -> Option<Vec<f32>> {
    let (storage, _) = storage.as_chunks::<4>();
    let mut last = offset;
    for (&size, &stride) in shape.iter().zip(strides) {
        last = last.checked_add(size.checked_sub(1)?.checked_mul(stride)?)?;
    }
    if last >= storage.len() || shape.len() != strides.len() {
        return None;
    }
    let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))?;
    let (mut place, mut from) = (vec![0; shape.len()], offset);
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        values.push(f32::from_le_bytes(storage[from]));
        // Counts up the place, last axis first.
        for axis in (0..shape.len()).rev() {
            place[axis] += 1;
            from += strides[axis];
            if place[axis] < shape[axis] {
                break;
            }
            from -= shape[axis] * strides[axis];
            place[axis] = 0;
        }
    }
    Some(values)
}

/// Reads the tensors of a safetensors file. Together they have no more bytes than the file.
pub fn of_safetensors(path: &Path, file: &mut TensorFile) -> Result<Vec<Named<'static>>> {
    let mut tensors = Vec::new();
    for name in file.names() {
        let (dtype, shape) = file.facts(&name).ok_or_else(|| Error::weights(path, "its list of tensors changed"))?;
        let values = match dtype {
            Dtype::F32 => {
                let mut values = vec![0.0; shape.iter().product()];
                file.read_f32(&name, &mut values)?;
                Values::Whole(values)
            }
            other => Values::Other(format!("{other:?}")),
        };
        tensors.push(Named { name, shape, values });
    }
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(count: u8) -> Vec<u8> {
        (0..count).flat_map(|value| f32::from(value).to_le_bytes()).collect()
    }

    #[test]
    fn a_view_is_gathered_by_its_strides() {
        let storage = storage(12);
        // torch.arange(12.).reshape(3, 4).t()[1:]
        let view = gathered(&storage, 1, &[3, 3], &[1, 4]).unwrap();
        assert_eq!(view, [1.0, 5.0, 9.0, 2.0, 6.0, 10.0, 3.0, 7.0, 11.0]);
        assert_eq!(gathered(&storage, 7, &[], &[]).unwrap(), [7.0]);
    }

    #[test]
    fn a_view_beyond_its_storage_is_none() {
        let storage = storage(12);
        assert!(gathered(&storage, 4, &[3, 3], &[1, 4]).is_none());
        assert!(gathered(&storage, 0, &[usize::MAX, usize::MAX], &[usize::MAX, 0]).is_none());
        assert!(gathered(&storage, 0, &[usize::MAX, usize::MAX], &[0, 0]).is_none());
        assert!(gathered(&storage, 0, &[0], &[1]).is_none());
    }
}
