//! The description of a pack, which its file holds in JSON.

use serde::{Deserialize, Serialize};

use crate::data::reading::Reading;

/// The description of a pack.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The version of glassnet that wrote it.
    pub version: String,
    /// Height, width and channels of its pictures.
    pub size: [usize; 3],
    /// The way in which the files were read.
    pub reading: Reading,
    /// True if images that could not be read were to be left out.
    pub skip_bad: bool,
    /// The kinds of files there are, at most 65,536.
    pub kinds: Vec<Kind>,
    /// The images that could not be read, in their order.
    pub unreadable: Vec<Unreadable>,
    /// True where labels tell the classes: the first folder of each name is one in any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_labelled: bool,
    /// The groups that images belong to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The place of these images in a set of several packs; none where they are all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// The place of a pack in a set that is in several, each with a run of its images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Its place among the packs, from 0.
    pub index: usize,
    /// The number of packs.
    pub count: usize,
    /// The identity of the set, as [`identity`](super::identity::identity) has it.
    pub set: String,
}

/// A kind of file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// As in [`ImageInfo`](crate::data::decode::ImageInfo).
    pub format: String,
    /// As in [`ImageInfo`](crate::data::decode::ImageInfo).
    pub mode: String,
}

/// An image that could not be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unreadable {
    /// Its place, from 0.
    pub image: usize,
    /// The reason.
    pub reason: String,
}
