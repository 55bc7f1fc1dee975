//! A tar as a source, packed with gzip or not (POSIX.1-2001, *pax*, and GNU's long names).
//!
//! Nothing is unpacked to the disk. A tar has no table of contents: its entries stand one behind the other,
//! so all heads are read once. Of a tar that is not packed the places of the files are kept, and read when
//! they are wanted; a packed one can be read from its beginning only, so its images are kept in memory, and
//! are bounded by it.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entries, EntryType};

use super::entries::{Kind, check_file};
use super::limits::{MAX_FILE_BYTES, MAX_UNPACKED_BYTES, too_many_files};
use super::listing::Listing;
use super::names::{NameEncoding, is_utf8};
use super::place::Place;
use super::plain_name::plain_name;
use crate::data::catch_panic::catch_panic;
use crate::data::left_out::Reason;
use crate::data::pack::PositionedFile;
use crate::{Error, Result};

/// The bytes of a head.
const HEAD_BYTES: usize = 512;

/// The most bytes that are read to learn of the next entry: its head, and before it a long name or a table of
/// attributes, which the library keeps in memory.
const MAX_HEAD_BYTES: u64 = 1 << 20;

/// The most bytes that all of a packed tar may unpack to.
const MAX_PACKED_TAR_BYTES: u64 = 1 << 30;

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Returns whether a file is a tar, packed or not, by its first head; a file that cannot be read is none.
pub fn is_tar(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let Ok(mut file) = File::open(path) else { return false };
    let mut start = [0; HEAD_BYTES];
    let Ok(read) = read_up_to(&mut file, &mut start) else { return false };
    if start[..2] != GZIP {
        return read == HEAD_BYTES && is_head(&start);
    }
    let unpacked = file.seek(SeekFrom::Start(0)).and_then(|_| MultiGzDecoder::new(file).read_exact(&mut start));
    unpacked.is_ok() && is_head(&start)
}

/// Fills the buffer as far as the reader goes, and returns how far that is.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match reader.read(&mut buffer[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

/// Returns whether these are the bytes of a head: their sum, in which the sum itself counts as spaces, stands
/// in them in octal digits.
fn is_head(bytes: &[u8; HEAD_BYTES]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    let others = bytes.iter().enumerate().filter(|(place, _)| !SUM.contains(place));
    let sum = others.map(|(_, &byte)| u32::from(byte)).sum::<u32>() + 8 * u32::from(b' ');
    let written = std::str::from_utf8(&bytes[SUM]).ok();
    let written = written.map(|text| text.trim_matches([' ', '\0']));
    written.and_then(|digits| u32::from_str_radix(digits, 8).ok()) == Some(sum)
}

/// A tar's place among those of one set.
#[derive(Clone, Copy, Debug)]
pub struct Among {
    /// The bytes that those before it have in memory.
    pub in_memory: u64,
    /// False if it is opened for each reading, as so many could not be open at once.
    pub stays_open: bool,
}

impl Among {
    /// It is the only one.
    pub const ALONE: Among = Among { in_memory: 0, stays_open: true };
}

/// Lists a tar after checking names and sizes.
///
/// # Errors
/// [`Error::Io`] if it cannot be read; [`Error::Data`] if it is damaged or empty, has an entry that is not
/// taken, or unpacks to too much.
pub(super) fn list(path: &Path, among: Among) -> Result<Listing> {
    let work = AssertUnwindSafe(|| {
        let mut file = File::open(path).map_err(Error::io("read", path))?;
        let mut start = [0; 2];
        let is_packed = file.read_exact(&mut start).is_ok() && start == GZIP;
        file.seek(SeekFrom::Start(0)).map_err(Error::io("read", path))?;
        if is_packed { list_packed(path, file, among) } else { list_plain(path, file, among) }
    });
    // The library that reads tars is as little above suspicion as decoders are.
    catch_panic(work).unwrap_or_else(|| Err(Kind::Tar.damaged(path, "its reader failed on it")))
}

/// Lists a tar that is not packed.
fn list_plain(path: &Path, file: File, among: Among) -> Result<Listing> {
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    let places = Arc::new(match among.stays_open {
        true => PositionedFile::new(file.try_clone().map_err(Error::io("read", path))?),
        false => PositionedFile::reopened(path),
    });
    let allowed = Rc::new(Cell::new(0));
    let mut archive = Archive::new(Allowance { reader: BufReader::new(file), left: Rc::clone(&allowed) });
    let entries = archive.entries_with_seek().map_err(|error| unreadable(path, error))?;
    let walk = Walk { path, allowed: &allowed, is_packed: false, among };
    walk.list(entries, |entry, name| {
        let (at, size) = (entry.raw_file_position(), entry.size());
        if at.checked_add(size).is_none_or(|end| end > length) {
            return Err(Kind::Tar.damaged(path, "it ends before its contents do"));
        }
        check_file(name, size, size).map_err(|fault| Kind::Tar.refused(path, name, &fault))?;
        Ok(Place::Part { file: Arc::clone(&places), at, size })
    })
}

/// Lists a packed tar, and keeps its files in memory.
fn list_packed(path: &Path, file: File, among: Among) -> Result<Listing> {
    let packed = Rc::new(Cell::new(0));
    let counted = Counted { reader: BufReader::new(file), read: Rc::clone(&packed) };
    let allowed = Rc::new(Cell::new(0));
    let mut archive = Archive::new(Allowance { reader: MultiGzDecoder::new(counted), left: Rc::clone(&allowed) });
    let entries = archive.entries().map_err(|error| unreadable(path, error))?;
    let walk = Walk { path, allowed: &allowed, is_packed: true, among };
    walk.list(entries, |entry, name| {
        let (size, before) = (entry.size(), packed.get());
        let mut bytes = Vec::new();
        allowed.set(size);
        let read = entry.take(size).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(path, error))?;
        if bytes.len() as u64 != size {
            return Err(Kind::Tar.damaged(path, "it ends before its contents do"));
        }
        // The decoder reads ahead, by little beside what this asks for.
        check_file(name, packed.get() - before, size).map_err(|fault| Kind::Tar.refused(path, name, &fault))?;
        Ok(Place::Memory(bytes))
    })
}

/// A walk through a tar.
struct Walk<'a> {
    path: &'a Path,
    /// What may be read until the next entry.
    allowed: &'a Cell<u64>,
    is_packed: bool,
    among: Among,
}

impl Walk<'_> {
    /// Lists these entries; `place` tells where the bytes of a file of this name are.
    fn list<'a, R: Read>(
        &self,
        mut entries: Entries<'a, R>,
        mut place: impl FnMut(&mut tar::Entry<'a, R>, &str) -> Result<Place>,
    ) -> Result<Listing> {
        let Walk { path, allowed, .. } = *self;
        let mut found = Vec::new();
        // Of this one only what counts and what is hidden is asked, as the names may yet be read otherwise.
        let mut listing = Listing::default();
        let mut total = 0u64;
        loop {
            allowed.set(MAX_HEAD_BYTES);
            let Some(entry) = entries.next() else { break };
            let mut entry = entry.map_err(|error| unreadable(path, error))?;
            total = total.saturating_add(entry.size());
            self.check_total(total)?;
            let raw = entry.path_bytes().into_owned();
            let shown = String::from_utf8_lossy(&raw).into_owned();
            listing.count(&shown);
            if listing.is_too_large() {
                return Err(too_many_files(path));
            }
            let name = match plain_name(&shown) {
                Err(fault) if is_utf8(&raw) => return Err(Kind::Tar.refused(path, &shown, fault)),
                name => name.unwrap_or_default(),
            };
            let entry_found = match entry.header().entry_type() {
                EntryType::Directory => Found::Folder,
                EntryType::Regular | EntryType::Continuous if raw.ends_with(b"/") => Found::Folder,
                EntryType::Regular | EntryType::Continuous if !listing.is_seen(&name) => Found::Hidden,
                EntryType::Regular | EntryType::Continuous => {
                    if has_holes(&mut entry) {
                        return Err(Kind::Tar.refused(path, &name, "is a sparse file"));
                    }
                    if entry.size() > MAX_FILE_BYTES {
                        let fault = format!("has more than {} MiB", MAX_FILE_BYTES >> 20);
                        return Err(Kind::Tar.refused(path, &name, &fault));
                    }
                    Found::File(place(&mut entry, &name)?)
                }
                EntryType::Symlink | EntryType::Link => Found::LeftOut(Reason::Link),
                EntryType::GNUSparse => return Err(Kind::Tar.refused(path, &name, "is a sparse file")),
                // Attributes of all entries behind it, which git writes.
                EntryType::XGlobalHeader => Found::Hidden,
                _ => Found::LeftOut(Reason::Special),
            };
            // In a file that is not packed the library seeks over it.
            if self.is_packed && !matches!(entry_found, Found::File(_)) {
                allowed.set(entry.size());
                io::copy(&mut entry, &mut io::sink()).map_err(|error| unreadable(path, error))?;
            }
            if entry.header().entry_type() != EntryType::XGlobalHeader {
                found.push((raw, entry_found));
            }
        }
        match found.is_empty() {
            true => Err(Error::data(path, "the tar is empty; put a folder for each class into it")),
            false => name_all(path, found),
        }
    }

    /// Refuses a tar whose entries together have so many bytes, if they are too many.
    fn check_total(&self, total: u64) -> Result<()> {
        let (most, advice) = match self.is_packed {
            true => (MAX_PACKED_TAR_BYTES, "kept in memory; unpack it to a .tar, with gunzip, and give that"),
            false => (MAX_UNPACKED_BYTES, "the most; unpack it and give the folder"),
        };
        let before = if self.is_packed { self.among.in_memory } else { 0 };
        let holds = if before == 0 { "the tar holds" } else { "the tar and those before it hold" };
        match before.saturating_add(total) > most {
            true => Err(Error::data(self.path, format!("{holds} more than {} GiB, which is {advice}", most >> 30))),
            false => Ok(()),
        }
    }
}

/// An entry of a tar.
enum Found {
    File(Place),
    Folder,
    /// It was listed as hidden.
    Hidden,
    LeftOut(Reason),
}

/// Puts what was found into a listing, by names whose encoding is guessed where they are no UTF-8.
fn name_all(path: &Path, found: Vec<(Vec<u8>, Found)>) -> Result<Listing> {
    let foreign: Vec<&[u8]> = found.iter().map(|(raw, _)| raw.as_slice()).filter(|raw| !is_utf8(raw)).collect();
    let encoding = NameEncoding::guess(&foreign);
    let mut listing = Listing::default();
    let mut guessed = Vec::new();
    for (raw, found) in found {
        let written = encoding.text(&raw);
        let name = plain_name(&written).map_err(|fault| Kind::Tar.refused(path, &written, fault))?;
        if name.is_empty() {
            continue;
        }
        if !is_utf8(&raw) {
            guessed.push(name.clone());
        }
        match found {
            Found::File(place) => listing.add_file(name, place),
            Found::Folder => listing.add_folder(&name),
            Found::Hidden => drop(listing.is_seen(&name)),
            Found::LeftOut(reason) => {
                if listing.is_seen(&name) {
                    listing.leave_out(name, reason);
                }
            }
        }
        if listing.is_too_large() {
            return Err(too_many_files(path));
        }
    }
    Kind::Tar.tell_guessed(&mut listing, path, encoding.name_in_tar(), &guessed);
    Ok(listing)
}

/// Returns whether a file has holes that its bytes do not tell, as pax has them in its attributes.
fn has_holes<R: Read>(entry: &mut tar::Entry<R>) -> bool {
    let attributes = entry.pax_extensions().ok().flatten();
    attributes.is_some_and(|mut attributes| {
        attributes.any(|attribute| attribute.is_ok_and(|it| it.key_bytes().starts_with(b"GNU.sparse.")))
    })
}

/// A reader of which so many bytes may be read.
struct Allowance<R> {
    reader: R,
    left: Rc<Cell<u64>>,
}

/// The error of an [`Allowance`] that is used up.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a name or the attributes of an entry take more than {} MiB", MAX_HEAD_BYTES >> 20)]
struct LongHead;

impl<R: Read> Read for Allowance<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other(LongHead));
        }
        let read = self.reader.read(&mut buffer[..most])?;
        self.left.set(self.left.get() - read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for Allowance<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.reader.seek(position)
    }
}

/// A reader that counts its bytes.
struct Counted<R> {
    reader: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// Returns the error for a tar of which the library, or what unpacks it, says this. The words go to the log,
/// as they are about its insides.
fn unreadable(path: &Path, error: io::Error) -> Error {
    log::debug!("reading {}: {error}", path.display());
    match error.get_ref().and_then(|inner| inner.downcast_ref::<LongHead>()) {
        Some(long) => Kind::Tar.damaged(path, long),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            Kind::Tar.damaged(path, "it ends before its contents do")
        }
        None if error.raw_os_error().is_some() => Kind::Tar.damaged(path, "the system does not let it be read"),
        None => Kind::Tar.damaged(path, "an entry of it is damaged"),
    }
}
