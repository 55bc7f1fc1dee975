//! A zip as a source.
//!
//! Nothing is ever unpacked to the disk, so a name cannot write anywhere; names that lead outside are refused
//! all the same, because no honest program makes them. The zip's table of contents, its central directory, is
//! the one that counts: names and sizes beside the entries' bytes are not asked. What the table declares is
//! used only as a limit, never to reserve memory: an entry that holds more or less than it declares is
//! refused while it is read. So the sum of the declared sizes, checked when the zip is opened, bounds what is
//! truly unpacked.
//!
//! Bombs come in three kinds, and each has its limit: entries that unpack to hundreds of times their size
//! ([`MAX_RATIO`]), entries that share the same bytes (D. Fifield, *A better zip bomb*, 2019), and archives
//! within archives.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use zip::read::ZipFileEntry;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::entries::{Kind, MAX_RATIO, bomb_fault, check_file};
use super::limits::{MAX_FILE_BYTES, MAX_UNPACKED_BYTES, too_large, too_many_files};
use super::listing::{Listing, same_name};
use super::metered::{LongContents, MAX_CONTENTS_BYTES, Metered, SharedArchive};
use super::names::{NameEncoding, is_utf8};
use super::place::Place;
use super::plain_name::plain_name;
use crate::data::catch_panic::catch_panic;
use crate::data::image_names::is_image_name;
use crate::data::left_out::Reason;
use crate::data::single_image::single_image;
use crate::{Error, Result};

/// Up to this size the whole zip may.
const RATIO_FREE_TOTAL_BYTES: u64 = 1 << 30;

/// The first two bytes of every zip.
const SIGNATURE: [u8; 2] = *b"PK";

/// Returns whether a file begins as zips do, empty ones included; a file that cannot be read does not, nor
/// does a pipe, which would let us wait for somebody to write to it.
pub(super) fn starts_as_zip(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && matches!(&start, b"PK\x03\x04" | b"PK\x05\x06")
}

/// Lists the zip's entries after checking their names and sizes.
pub(super) fn list(path: &Path) -> Result<Listing> {
    // The library that reads zips is as little above suspicion as decoders are.
    catch_panic(|| list_entries(path)).unwrap_or_else(|| Err(damaged(path, "its reader failed on it")))
}

/// Does the work of [`list`].
fn list_entries(path: &Path) -> Result<Listing> {
    let mut archive = open(path)?;
    check_contents(path, &mut archive)?;
    let count = archive.len();
    let archive = Arc::new(Mutex::new(archive));
    let mut listing = Listing::default();
    let encoding = name_encoding(&archive.lock().unwrap_or_else(PoisonError::into_inner));
    let mut guessed = Vec::new();
    let (mut packed, mut unpacked) = (0u64, 0u64);
    for index in 0..count {
        let zip = archive.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = zip.by_index_data(index).map_err(|error| unreadable(path, error))?;
        let written_name = match encoding.decode(entry.name_raw()) {
            Some(name) => Cow::Owned(name),
            None => entry.name().map_err(|error| unreadable(path, error))?,
        };
        let name = plain_name(&written_name).map_err(|fault| refused(path, &written_name, fault))?;
        if name.is_empty() {
            continue;
        }
        if !is_utf8(entry.name_raw()) {
            guessed.push(name.clone());
        }
        packed = packed.saturating_add(entry.compressed_size());
        unpacked = unpacked.saturating_add(entry.size());
        if is_folder(&written_name) {
            listing.add_folder(&name);
        } else if entry.is_symlink() {
            listing.leave_out(name, Reason::Link);
        } else if listing.is_seen(&name) {
            check_entry(&entry, &name).map_err(|fault| refused(path, &name, &fault))?;
            let size = entry.size();
            listing.add_file(name, Place::Zip { archive: Arc::clone(&archive), index, size });
        }
        if listing.is_too_large() {
            return Err(too_many_files(path));
        }
    }
    check_total(path, packed, unpacked)?;
    Kind::Zip.tell_guessed(&mut listing, path, encoding.name(), &guessed);
    Ok(listing)
}

/// Refuses a zip without entries, with two files of one name, or with files that share bytes.
fn check_contents(path: &Path, archive: &mut ZipArchive<BufReader<Metered>>) -> Result<()> {
    if archive.is_empty() {
        return Err(Error::data(path, "the zip is empty; put a folder for each class into it"));
    }
    if archive.has_duplicate_names() {
        let twice = replaced_names(path, archive).map_err(Error::io("read", path))?;
        let mut twice: Vec<&str> = twice.iter().map(String::as_str).filter(|name| !is_folder(name)).collect();
        twice.sort_unstable();
        twice.dedup();
        if !twice.is_empty() {
            return Err(same_name(path, &twice));
        }
    }
    if archive.has_overlapping_entries().map_err(|error| unreadable(path, error))? {
        return Err(Error::data(
            path,
            "files in the zip share the same bytes, as in archives made to do harm; download it again from a source you trust",
        ));
    }
    Ok(())
}

/// Refuses a zip whose files together unpack to too much, or to too many times their size.
fn check_total(path: &Path, packed: u64, unpacked: u64) -> Result<()> {
    if unpacked > MAX_UNPACKED_BYTES {
        let gib = MAX_UNPACKED_BYTES >> 30;
        return Err(Error::data(
            path,
            format!("the zip unpacks to more than {gib} GiB; unpack it and give the folder"),
        ));
    }
    if unpacked > RATIO_FREE_TOTAL_BYTES && unpacked / MAX_RATIO > packed {
        return Err(Error::data(path, format!("the zip {}", bomb_fault(packed, unpacked))));
    }
    Ok(())
}

/// Guesses how to read names that are no UTF-8.
fn name_encoding(archive: &ZipArchive<BufReader<Metered>>) -> NameEncoding {
    let names: Vec<&[u8]> = archive.file_names_raw().filter(|name| !is_utf8(name)).collect();
    NameEncoding::guess(&names)
}

/// Returns whether the name of an entry is that of a folder.
fn is_folder(name: &str) -> bool {
    name.ends_with(['/', '\\'])
}

/// Returns the names of entries that the library dropped for later ones of the same name: those whose headers
/// stand in the table of contents and are no listed entry's (PKWARE, *APPNOTE*, section 4.3.12).
fn replaced_names(path: &Path, archive: &ZipArchive<BufReader<Metered>>) -> std::io::Result<Vec<String>> {
    const SIGNATURE: [u8; 4] = *b"PK\x01\x02";
    let entries = (0..archive.len()).filter_map(|index| archive.by_index_data(index).ok());
    let listed: HashSet<u64> = entries.map(|entry| entry.central_header_start()).collect();
    let mut place = archive.central_directory_start();
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(place))?;
    let mut table = BufReader::new(file.take(MAX_CONTENTS_BYTES));
    let mut names = Vec::new();
    loop {
        let mut header = [0; 46];
        if table.read_exact(&mut header).is_err() || header[..4] != SIGNATURE {
            return Ok(names);
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| u16::from_le_bytes([header[at], header[at + 1]]));
        let mut bytes = vec![0; usize::from(name)];
        table.read_exact(&mut bytes)?;
        if !listed.contains(&place) {
            names.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        let rest = u64::from(extra) + u64::from(comment);
        std::io::copy(&mut table.by_ref().take(rest), &mut std::io::sink())?;
        place += header.len() as u64 + u64::from(name) + rest;
    }
}

/// Refuses a file in the zip for a reason other than its name.
fn check_entry(entry: &ZipFileEntry, name: &str) -> std::result::Result<(), String> {
    if entry.encrypted() {
        return Err("is encrypted".to_string());
    }
    if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Err(format!("is compressed by a method that is not read here ({})", entry.compression()));
    }
    check_file(name, entry.compressed_size(), entry.size())
}

/// Returns the error for an entry that is not taken.
fn refused(path: &Path, name: &str, fault: &str) -> Error {
    Kind::Zip.refused(path, name, fault)
}

/// Reads one entry, whose name in messages is `file`.
pub(super) fn read(archive: &SharedArchive, index: usize, file: &str) -> Result<Vec<u8>> {
    catch_panic(AssertUnwindSafe(|| read_entry(archive, index, file)))
        .unwrap_or_else(|| Err(damaged(file, "its reader failed on it")))
}

/// Does the work of [`read`].
fn read_entry(archive: &SharedArchive, index: usize, file: &str) -> Result<Vec<u8>> {
    // A thread that panicked with the lock held leaves no half-done state: every reading starts with a seek.
    let mut zip = archive.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = zip.by_index(index).map_err(|error| unreadable(file, error))?;
    let declared = entry.size();
    if declared > MAX_FILE_BYTES {
        return Err(too_large(file));
    }
    let mut bytes = Vec::new();
    entry.take(declared + 1).read_to_end(&mut bytes).map_err(|error| unreadable(file, error))?;
    let found = bytes.len() as u64;
    if found != declared {
        let found = if found > declared { "more".to_string() } else { format!("{found} bytes, less") };
        return Err(damaged(file, format!("it holds {found} than the {declared} bytes it declares")));
    }
    Ok(bytes)
}

/// Reads one entry, whose name in messages is `file`, piece by piece. What it declares to hold is not asked:
/// that is for `work` to bound.
pub(super) fn read_with<T>(
    archive: &SharedArchive,
    index: usize,
    file: &str,
    work: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    let read = AssertUnwindSafe(|| {
        let mut zip = archive.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entry = zip.by_index(index).map_err(|error| unreadable(file, error))?;
        work(&mut entry)
    });
    catch_panic(read).unwrap_or_else(|| Err(damaged(file, "its reader failed on it")))
}

/// Opens the file as a zip and reads its table of contents.
fn open(path: &Path) -> Result<ZipArchive<BufReader<Metered>>> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start).map_err(Error::io("read", path))?;
    if start != SIGNATURE {
        if path.file_name().is_some_and(|name| is_image_name(&name.to_string_lossy())) {
            return Err(Error::data(path, single_image(path)));
        }
        let named_zip = path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("zip"));
        let found = if named_zip { "it is named .zip but is not a zip" } else { "it is neither a folder nor a zip" };
        return Err(Error::data(path, format!("{found}; give a folder that holds class folders, or a zip of one")));
    }
    let metered = Metered::new(file);
    let left = Arc::clone(&metered.left);
    let archive = ZipArchive::new(BufReader::new(metered)).map_err(|error| unreadable(path, error))?;
    left.store(u64::MAX, Ordering::Relaxed);
    Ok(archive)
}

/// Returns the error for a zip, or an entry of it, that cannot be unpacked for this reason.
fn damaged(path: impl AsRef<Path>, reason: impl std::fmt::Display) -> Error {
    Kind::Zip.damaged(path, reason)
}

/// Returns the error for a zip, or an entry of it, of a kind that is not unpacked.
fn not_unpacked(path: impl AsRef<Path>, reason: &str) -> Error {
    let reason =
        format!("the zip cannot be unpacked here: {reason}; create it again, in one part and without a password");
    Error::data(path.as_ref(), reason)
}

/// Returns the error for a zip, or an entry of it, of which the library says this. Its words go to the log,
/// as they are about its insides.
fn unreadable(path: impl AsRef<Path>, error: impl Into<ZipError>) -> Error {
    let error = error.into();
    log::debug!("reading {}: {error}", path.as_ref().display());
    match &error {
        ZipError::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<LongContents>()) {
            Some(long) => damaged(path, long),
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                damaged(path, "it ends before its contents do")
            }
            None if error.raw_os_error().is_some() => damaged(path, "the system does not let it be read"),
            None => damaged(path, "its packed bytes are damaged"),
        },
        ZipError::InvalidArchive(_) | ZipError::FileNotFound => {
            damaged(path, "its table of contents, which is at the end, is missing or damaged")
        }
        ZipError::InvalidPassword => not_unpacked(path, "it is encrypted"),
        _ => not_unpacked(path, "it is of a kind that is not read, such as an encrypted one or one in several parts"),
    }
}
