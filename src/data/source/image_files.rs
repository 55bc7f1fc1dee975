//! The files of a listing that are taken for images: by their names, and those of scanners, which often have
//! no suffix or a number in its place, by their first bytes. The latter are looked at where they can be read
//! by themselves, so not in a zip nor in a packed tar.

use std::fs::File;
use std::io::Read;

use super::place::Place;
use crate::data::decode::is_dicom;
use crate::data::image_names::is_image_name;

/// The bytes at the beginning of a DICOM that tell what it is.
const START_BYTES: usize = 132;

/// The name of the table of contents of a disk of DICOMs, which is one itself and holds no picture.
const DIRECTORY: &str = "DICOMDIR";

/// Returns whether a file of this name, whose bytes are there, is taken for an image.
pub fn is_image(name: &str, place: &Place) -> bool {
    is_image_name(name) || (cfg!(feature = "dicom") && has_no_suffix(name) && starts_as_dicom(place))
}

/// Returns whether a name ends as scanners name their files: `IM000001`, or `1.2.840.113619.2.5.1`.
fn has_no_suffix(name: &str) -> bool {
    let own = name.rsplit('/').next().unwrap_or(name);
    let ends_in_a_number = |(_, end): (&str, &str)| end.bytes().all(|byte| byte.is_ascii_digit());
    !own.eq_ignore_ascii_case(DIRECTORY) && own.rsplit_once('.').is_none_or(ends_in_a_number)
}

/// Returns whether a file begins as a DICOM; one that cannot be read does not.
fn starts_as_dicom(place: &Place) -> bool {
    let mut start = [0; START_BYTES];
    let read = match place {
        Place::Disk(path) => File::open(path).and_then(|mut file| file.read_exact(&mut start)),
        Place::Part { file, at, size } if *size >= START_BYTES as u64 => file.read_exact_at(&mut start, *at),
        Place::Memory(bytes) => return is_dicom(bytes),
        _ => return false,
    };
    read.is_ok() && is_dicom(&start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_scanners_are_known_by_their_first_bytes_where_their_names_tell_nothing() {
        let dicom = || Place::Memory([&[0; 128], &b"DICM"[..]].concat());
        for name in ["a/IM000001", "IM1", "a.b/1.2.840.113619.2.5.1"] {
            assert_eq!(is_image(name, &dicom()), cfg!(feature = "dicom"), "{name}");
            assert!(!is_image(name, &Place::Memory(vec![0; 200])), "{name}");
        }
        for name in ["a/DICOMDIR", "dicomdir", "a/notes.txt", "1.2.a"] {
            assert!(!is_image(name, &dicom()), "{name}");
        }
        assert!(is_image("a/1.DCM", &Place::Memory(Vec::new())));
    }
}
