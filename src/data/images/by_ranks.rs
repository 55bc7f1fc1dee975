//! The files of a set, each checked by one rank of a job, for all of them.

use super::{Check, Checked, Digest, ImageSet};
use crate::data::decode::{ImageInfo, Orientation};
use crate::distributed::Ranks;
use crate::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What a rank found in a file, or why it cannot be read.
type Found = std::result::Result<Content, String>;

/// What a rank found in a file.
#[derive(Serialize, Deserialize)]
struct Content {
    width: usize,
    height: usize,
    mode: String,
    format: String,
    has_more_pictures: bool,
    orientation: u8,
    samples: Option<[u16; 2]>,
    digest: Digest,
    crc32: Option<u32>,
}

impl ImageSet {
    /// [`check_all_telling`](ImageSet::check_all_telling) by all ranks: rank r of R checks the files r, r +
    /// R, … and keeps their pictures, and all know what was found in all of them.
    ///
    /// # Errors
    /// [`Error::Rank`] of one that cannot go on.
    pub fn check_all_on(&self, ranks: &Ranks, checked: impl Fn() + Sync) -> Result<Check> {
        if ranks.count() == 1 {
            return Ok(self.check_all_telling(checked));
        }
        let own: Vec<usize> = (ranks.rank()..self.items().len()).step_by(ranks.count()).collect();
        let look = |index: usize| self.check(index).map(|found| self.content(index, found)).map_err(|e| e.to_string());
        // The bar tells of all ranks, which are as fast as this one.
        let tell = |_: &Found| (0..ranks.count()).for_each(|_| checked());
        let found: Vec<Found> = own.into_par_iter().map(look).inspect(tell).collect();
        let words = serde_json::to_vec(&found).map_err(|error| Error::Told(error.to_string()))?;
        let mut of_ranks = Vec::with_capacity(ranks.count());
        for (rank, words) in ranks.confer(Ok(words))?.into_iter().enumerate() {
            let fault = |error: serde_json::Error| Error::Rank { rank: ranks.name(rank), reason: error.to_string() };
            of_ranks.push(serde_json::from_slice::<Vec<Found>>(&words).map_err(fault)?.into_iter());
        }
        let mut outcomes = Vec::with_capacity(self.items().len());
        for index in 0..self.items().len() {
            let rank = index % ranks.count();
            let found = of_ranks[rank].next().ok_or_else(|| Error::Rank {
                rank: ranks.name(rank),
                reason: "it checked fewer files than there are; every rank has to be given the same data".into(),
            })?;
            outcomes.push(found.map(|content| self.take(index, content)).map_err(Error::Told));
        }
        Ok(Check::new(self.items(), outcomes))
    }

    fn content(&self, index: usize, (info, digest): (ImageInfo, Digest)) -> Content {
        let ImageInfo { width, height, mode, format, has_more_pictures, orientation, samples } = info;
        let crc32 = self.checked[index].get().and_then(|checked| checked.crc32);
        let (mode, format, orientation) = (mode.into(), format.into(), orientation.tag());
        Content { width, height, mode, format, has_more_pictures, orientation, samples, digest, crc32 }
    }

    /// What some rank found in a file, as if it was found here.
    fn take(&self, index: usize, content: Content) -> (ImageInfo, Digest) {
        let Content { width, height, mode, format, has_more_pictures, orientation, samples, digest, crc32 } = content;
        self.checked[index].get_or_init(|| Checked { crc32, samples });
        let (mode, format, orientation) = (known(mode), known(format), Orientation::from_tag(orientation.into()));
        (ImageInfo { width, height, mode, format, has_more_pictures, orientation, samples }, digest)
    }
}

/// One of the few words for modes and formats, for as long as the process lives.
fn known(word: String) -> &'static str {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = words.get(word.as_str()) {
        return word;
    }
    let word: &'static str = Box::leak(word.into_boxed_str());
    words.insert(word);
    word
}
