//! The files that a command leaves out of the data that it was given: one kind of record, and one way of
//! saying it, for all commands.

use crate::error::some_of;
use std::path::Path;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// A file or folder that has no part in what is done with the others of its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name, as the command's other lists name files: in a set the path from the folder that holds the
    /// class folders.
    pub file: String,
    /// Its path with that of the source before it, by which it can be found: `photos.zip/cat/notes.txt`.
    pub path: String,
    /// The reason.
    pub reason: Reason,
}

/// A reason for which something is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its name begins with a dot, or is `__MACOSX`.
    Hidden,
    /// It is a link to a folder below the first level of a folder, or any link in a zip.
    Link,
    /// It is neither file nor folder.
    Special,
    /// It was listed, and was gone when it was looked at.
    Vanished,
    /// Its name is not that of an image.
    NotAnImage,
    /// It is an image in none of the class folders.
    NoClass,
    /// It is an image without a label, where labels tell the classes.
    NoLabel,
    /// Labels name it, and it is not there.
    NotThere,
    /// Several labels name it, and they differ.
    Contradictory,
    /// It cannot be read as an image, or has no answer; the sentence says why, and names it.
    Unreadable(String),
}

impl Reason {
    /// The reasons that a name gives, in the order in which they are told.
    const BY_NAME: [Reason; 9] = [
        Reason::Hidden,
        Reason::Link,
        Reason::Special,
        Reason::Vanished,
        Reason::NotAnImage,
        Reason::NoClass,
        Reason::NoLabel,
        Reason::NotThere,
        Reason::Contradictory,
    ];

    /// Returns whether labels are the reason, wherever the file is.
    pub(super) fn is_of_labels(&self) -> bool {
        matches!(self, Reason::NotThere | Reason::Contradictory)
    }

    /// Returns a word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Reason::Hidden => "hidden",
            Reason::Link => "link",
            Reason::Special => "special",
            Reason::Vanished => "vanished",
            Reason::NotAnImage => "not_an_image",
            Reason::NoClass => "no_class",
            Reason::NoLabel => "no_label",
            Reason::NotThere => "not_there",
            Reason::Contradictory => "contradictory",
            Reason::Unreadable(_) => "unreadable",
        }
    }

    /// Returns the words for a person, in which what the reason is about comes before, or for what is
    /// unreadable, a whole sentence.
    pub fn words(&self) -> &str {
        match self {
            Reason::Hidden => "passed over as hidden (a name that begins with a dot, or __MACOSX)",
            Reason::Link => "passed over as a link that is not followed",
            Reason::Special => "passed over as neither file nor folder",
            Reason::Vanished => "passed over, as it vanished while the folder was listed",
            Reason::NotAnImage => "passed over, not named as an image",
            Reason::NoClass => "passed over, images in no class folder",
            Reason::NoLabel => "passed over, images without a label",
            Reason::NotThere => "passed over, as they have labels and are not there",
            Reason::Contradictory => "passed over, as their labels contradict each other",
            Reason::Unreadable(sentence) => sentence,
        }
    }
}

impl LeftOut {
    /// Returns a record.
    pub fn new(file: impl Into<String>, path: impl Into<String>, reason: Reason) -> LeftOut {
        LeftOut { file: file.into(), path: path.into(), reason }
    }

    /// Returns whether a person is told of it: of all but what systems leave in every folder and what is
    /// there to be read, a README or a licence. Programs get these too.
    pub fn is_told(&self) -> bool {
        let name = self.file.rsplit('/').next().unwrap_or(&self.file).to_ascii_lowercase();
        let is_left_by_systems =
            ["thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", "__macosx"].contains(&name.as_str());
        let is_to_be_read =
            self.reason == Reason::NotAnImage && ["readme", "license", "licence"].iter().any(|it| name.starts_with(it));
        !is_left_by_systems && !is_to_be_read
    }
}

/// Writes an object of `file`, `path`, `kind` ([`Reason::kind`]) and `reason` ([`Reason::words`]).
impl Serialize for LeftOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("LeftOut", 4)?;
        object.serialize_field("file", &self.file)?;
        object.serialize_field("path", &self.path)?;
        object.serialize_field("kind", self.reason.kind())?;
        object.serialize_field("reason", self.reason.words())?;
        object.end()
    }
}

/// Describes what is passed over by its name or nature in the source at `path`, in a sentence for each
/// reason; files [of which nobody is told](LeftOut::is_told) are not named. Unreadable files have sentences
/// of their own.
pub fn sentences(path: &Path, left_out: &[LeftOut]) -> Vec<String> {
    let told = |reason: Reason| {
        let of_reason = |left: &&LeftOut| left.reason == reason && left.is_told();
        let names = || left_out.iter().filter(of_reason).map(|left| left.file.as_str());
        names().next()?;
        Some(format!("{}: {}: {}", path.display(), reason.words(), some_of(names())))
    };
    Reason::BY_NAME.into_iter().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_sentence_and_programs_get_every_file() {
        let left_out = [
            LeftOut::new("a/notes.txt", "set/a/notes.txt", Reason::NotAnImage),
            LeftOut::new(".git", "set/.git", Reason::Hidden),
            LeftOut::new("a/list.csv", "set/a/list.csv", Reason::NotAnImage),
            LeftOut::new("a/1.png", "set/a/1.png", Reason::Unreadable("a/1.png: the file is empty".into())),
            LeftOut::new("README.md", "set/README.md", Reason::NotAnImage),
            LeftOut::new("a/Thumbs.db", "set/a/Thumbs.db", Reason::NotAnImage),
            LeftOut::new("__MACOSX", "set/__MACOSX", Reason::Hidden),
            LeftOut::new("readme.png", "set/readme.png", Reason::NoClass),
        ];
        let expected = [
            "set: passed over as hidden (a name that begins with a dot, or __MACOSX): 1 (.git)",
            "set: passed over, not named as an image: 2 (a/notes.txt, a/list.csv)",
            "set: passed over, images in no class folder: 1 (readme.png)",
        ];
        assert_eq!(sentences(Path::new("set"), &left_out), expected);
        let object = serde_json::json!(left_out[3]);
        let expected = serde_json::json!({"file": "a/1.png", "path": "set/a/1.png", "kind": "unreadable", "reason": "a/1.png: the file is empty"});
        assert_eq!(object, expected);
    }
}
