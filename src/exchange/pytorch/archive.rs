//! The two containers of `torch.save`: since PyTorch 1.6 a zip of a pickle and a file for each storage;
//! before it, pickles one behind the other, and then the storages.

use super::pickle::{MAX_PICKLE_BYTES, Pickle, Value};
use super::state_dict::{Storages, storage_of, tensors as tensors_of};
use super::tensor::Named;
use crate::error::shortened;
use std::collections::HashMap;
use std::io::{Cursor, Read};
use zip::{CompressionMethod, ZipArchive};

/// The pickle in a zip.
const PICKLE: &str = "data.pkl";

/// The first bytes of a file of PyTorch before 1.6: a pickle of the protocol 2 of one number.
const LEGACY_MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// The version of that format; there was no other.
const LEGACY_PROTOCOL: i64 = 1001;

/// The bytes of a value of each storage.
const STORAGES: [(&str, usize); 10] = [
    ("FloatStorage", 4),
    ("DoubleStorage", 8),
    ("HalfStorage", 2),
    ("BFloat16Storage", 2),
    ("LongStorage", 8),
    ("IntStorage", 4),
    ("ShortStorage", 2),
    ("CharStorage", 1),
    ("ByteStorage", 1),
    ("BoolStorage", 1),
];

/// Returns whether bytes begin as a file of PyTorch before 1.6 does.
pub fn is_legacy(bytes: &[u8]) -> bool {
    bytes.starts_with(LEGACY_MAGIC)
}

/// Returns whether a zip has a pickle as `torch.save` puts it there.
pub fn is_zip_of_pickle(names: &[String]) -> bool {
    names.iter().any(|name| folder_of_pickle(name).is_some())
}

/// Returns the folder in which all of a zip stands, with a slash, where this is the name of its pickle.
fn folder_of_pickle(name: &str) -> Option<&str> {
    let folder = name.strip_suffix(PICKLE)?;
    (folder.is_empty() || folder.ends_with('/') && folder.matches('/').count() == 1).then_some(folder)
}

/// Returns the tensors of a file.
///
/// # Errors
/// A sentence of what is amiss with it.
pub fn tensors(bytes: &[u8]) -> Result<Vec<Named<'_>>, String> {
    if is_legacy(bytes) { of_legacy(bytes) } else { of_zip(bytes) }
}

/// Storages by their keys.
struct Slices<'a>(HashMap<String, &'a [u8]>);

impl<'a> Storages<'a> for Slices<'a> {
    fn bytes(&self, key: &str) -> Result<&'a [u8], String> {
        let missing =
            || format!("its storage '{}' is not there as a whole; save it anew, or download it again", shortened(key));
        self.0.get(key).copied().ok_or_else(missing)
    }
}

fn of_zip(bytes: &[u8]) -> Result<Vec<Named<'_>>, String> {
    let broken = |error: zip::result::ZipError| {
        log::debug!("a zip of PyTorch: {error}");
        "it is not a whole zip; save it anew, or download it again".to_string()
    };
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let names: Vec<String> =
        (0..zip.len()).filter_map(|index| Some(zip.by_index_data(index).ok()?.name().ok()?.into_owned())).collect();
    let folder = names.iter().find_map(|name| folder_of_pickle(name));
    let folder = folder
        .ok_or("it is a zip without data.pkl, which torch.save puts there; save model.state_dict() by torch.save")?;
    let inner = |name: &str| format!("{folder}{name}");
    if names.contains(&inner("constants.pkl")) {
        return Err("it is a TorchScript program; save model.state_dict() by torch.save".to_string());
    }
    let (mut pickle, mut slices) = (None, HashMap::new());
    let data = inner("data/");
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        if name == inner(PICKLE) {
            let mut text = Vec::new();
            entry.take(MAX_PICKLE_BYTES as u64 + 1).read_to_end(&mut text).map_err(|error| broken(error.into()))?;
            pickle = Some(text);
        } else if name == inner("byteorder") {
            let mut order = String::new();
            let _ = entry.take(16).read_to_string(&mut order);
            if order.trim() != "little" {
                return Err("its numbers are not little-endian; save it on another machine".to_string());
            }
        } else if let Some(key) = name.strip_prefix(&data) {
            // Packed storages could take any memory, and torch.save packs none.
            let start = entry.data_start().and_then(|start| usize::try_from(start).ok());
            let end = start.zip(usize::try_from(entry.size()).ok()).and_then(|(start, size)| start.checked_add(size));
            let slice = start.zip(end).and_then(|(start, end)| bytes.get(start..end));
            if let Some(slice) = slice.filter(|_| entry.compression() == CompressionMethod::Stored) {
                slices.insert(key.to_string(), slice);
            }
        }
    }
    let pickle = pickle.ok_or("its data.pkl is not there; save it anew")?;
    tensors_of(&read(&pickle)?, &Slices(slices))
}

fn read(bytes: &[u8]) -> Result<Pickle, String> {
    if bytes.len() > MAX_PICKLE_BYTES {
        let mib = MAX_PICKLE_BYTES >> 20;
        return Err(format!(
            "its pickle has more than {mib} MiB, and tensors are not in it; save model.state_dict() alone"
        ));
    }
    Pickle::read(bytes)
}

fn of_legacy(bytes: &[u8]) -> Result<Vec<Named<'_>>, String> {
    let mut at = LEGACY_MAGIC.len();
    let mut next = || {
        let rest = &bytes[at..];
        let pickle = Pickle::read(&rest[..rest.len().min(MAX_PICKLE_BYTES)])?;
        at += pickle.len;
        Ok::<_, String>(pickle)
    };
    let protocol = next()?;
    if *protocol.value(protocol.root) != Value::Int(LEGACY_PROTOCOL) {
        return Err("it is of a format that PyTorch never had; save it anew".to_string());
    }
    let machine = next()?;
    if machine.get(machine.root, "little_endian").map(|id| machine.value(id)) != Some(&Value::Bool(true)) {
        return Err("its numbers are not little-endian; save it on another machine".to_string());
    }
    let (state, keys) = (next()?, next()?);
    let sizes: HashMap<&str, usize> = state
        .persistent()
        .filter_map(|name| storage_of(&state, name))
        .filter_map(|(class, key)| Some((key, STORAGES.iter().find(|(name, _)| *name == class)?.1)))
        .collect();
    let mut slices = HashMap::new();
    for &key in keys.list(keys.root).ok_or("it does not list its storages; save it anew")? {
        let key = keys.text(key).ok_or("a storage of it has no name; save it anew")?;
        // The number of values, then these.
        let (Some(count), Some(size)) = (bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()), sizes.get(key))
        else {
            break;
        };
        let start = at + count.len();
        let len = usize::try_from(u64::from_le_bytes(*count)).ok().and_then(|count| count.checked_mul(*size));
        let end = len.and_then(|len| start.checked_add(len)).filter(|end| *end <= bytes.len());
        let Some(end) = end else { break };
        slices.insert(key.to_string(), &bytes[start..end]);
        at = end;
    }
    tensors_of(&state, &Slices(slices))
}
