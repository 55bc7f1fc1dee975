//! A pack as a source.

use std::path::Path;
use std::sync::Arc;

use super::limits::too_many_files;
use super::listing::{Listing, Told};
use super::place::Place;
use super::plain_name::plain_name;
use crate::data::pack::Pack;
use crate::error::shortened;
use crate::{Error, Result};

/// Lists the images of a pack.
///
/// # Errors
/// Those of [`Pack::open`]; [`Error::Data`] if a name is not as a pack has it, or there are too many.
pub(super) fn list(path: &Path) -> Result<Listing> {
    let (pack, names) = Pack::open(path)?;
    let pack = Arc::new(pack);
    let mut listing = Listing::default();
    for (index, name) in names.into_iter().enumerate() {
        let fault = match plain_name(&name) {
            Ok(plain) if plain == name && !name.is_empty() => None,
            Ok(_) => Some("is not written as a pack writes it"),
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            let reason = format!("it is a damaged pack: the image {} {fault}; pack the images again", shortened(&name));
            return Err(Error::data(path, reason));
        }
        let told = match pack.told(index) {
            (None, None) => None,
            (part, group) => Some(Box::new(Told { origin: None, part, group })),
        };
        listing.add_told(name, Place::Pack { pack: Arc::clone(&pack), index }, told);
        if listing.is_too_large() {
            return Err(too_many_files(path));
        }
    }
    listing.is_labelled = pack.is_labelled();
    listing.packs.push(pack);
    Ok(listing)
}
