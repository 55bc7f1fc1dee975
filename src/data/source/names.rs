//! The names of a zip's entries as text.
//!
//! A zip can tell that its names are UTF-8, by a flag or a field of Unicode names beside the others; without,
//! the format knows IBM code page 437 only (PKWARE, *APPNOTE*, appendix D). In truth programs write what
//! their system uses: Shift_JIS in Japan, GBK in China. So names that are no UTF-8 are guessed, all of a zip
//! together, and the person who gave it is told. Two names stay two.

use std::collections::HashSet;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, IBM866, SHIFT_JIS};

/// The bytes of names that the guess rests on.
const LOOKED_AT_BYTES: usize = 64 << 10;

/// The encoding of names that are no UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameEncoding {
    /// The one of the format, in which every byte is a character.
    CodePage437,
    /// One that was guessed.
    Guessed(&'static Encoding),
}

impl NameEncoding {
    /// Returns the guess for these names, none of them UTF-8. It is an encoding of several bytes a character,
    /// or code page 866 of Russian systems, where every name is well-formed in it and no two become one; else
    /// code page 437.
    pub(super) fn guess(names: &[&[u8]]) -> NameEncoding {
        if names.iter().all(|name| has_letters_of_western_europe(name)) {
            return NameEncoding::CodePage437;
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        let mut left = LOOKED_AT_BYTES;
        for name in names {
            if name.len() >= left {
                break;
            }
            left -= name.len();
            detector.feed(name, false);
            detector.feed(b"\n", false);
        }
        detector.feed(b"", true);
        let guessed = match detector.guess(None, Utf8Detection::Deny) {
            // What few letters of a Russian code page may be is Japanese as well, and then looks it.
            encoding if encoding == IBM866 && names.iter().all(|name| is_plain_japanese(name)) => SHIFT_JIS,
            encoding if encoding.is_single_byte() && encoding != IBM866 => return NameEncoding::CodePage437,
            encoding => encoding,
        };
        let mut different = HashSet::new();
        let mut fits = |name| decoded(guessed, name).is_some_and(|text| different.insert(text));
        match names.iter().all(|name| fits(name)) {
            true => NameEncoding::Guessed(guessed),
            false => NameEncoding::CodePage437,
        }
    }

    /// Returns a name as text, or none where the reader of zips knows it: in UTF-8, or else in code page 437.
    pub(super) fn decode(self, name: &[u8]) -> Option<String> {
        match self {
            NameEncoding::Guessed(encoding) if !is_utf8(name) => decoded(encoding, name),
            _ => None,
        }
    }

    /// Returns a name of a tar as text. Where no encoding is guessed it is that of Unix systems before UTF-8,
    /// in which every byte is a character too.
    pub(super) fn text(self, name: &[u8]) -> String {
        let known = std::str::from_utf8(name).ok().map(str::to_string).or_else(|| self.decode(name));
        known.unwrap_or_else(|| name.iter().map(|&byte| char::from(byte)).collect())
    }

    /// Returns its name for people, of the names of a tar.
    pub(super) fn name_in_tar(self) -> &'static str {
        match self {
            NameEncoding::CodePage437 => "ISO 8859-1",
            guessed => guessed.name(),
        }
    }

    /// Returns its name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            NameEncoding::CodePage437 => "IBM code page 437",
            NameEncoding::Guessed(encoding) => encoding.name(),
        }
    }
}

/// Returns whether each byte beyond ASCII stands alone and behind a letter, as the ü of Müller does: where a
/// character has several bytes, most of them stand beside each other.
fn has_letters_of_western_europe(name: &[u8]) -> bool {
    let alone = |pair: &[u8]| pair[1].is_ascii() || pair[0].is_ascii_alphabetic();
    name.first().is_some_and(u8::is_ascii) && name.windows(2).all(alone)
}

/// Returns whether a name is Shift_JIS without the katakana of half width, which nobody writes between kanji.
fn is_plain_japanese(name: &[u8]) -> bool {
    const HALF_WIDTH: std::ops::RangeInclusive<char> = '\u{FF61}'..='\u{FF9F}';
    decoded(SHIFT_JIS, name).is_some_and(|text| !text.contains(|char| HALF_WIDTH.contains(&char)))
}

/// Returns whether a name is UTF-8.
pub(super) fn is_utf8(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok()
}

/// Returns the name as text, or none where it is not well-formed in this encoding.
fn decoded(encoding: &'static Encoding, name: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(name).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{EUC_KR, GBK};

    /// Returns the guess for names in this encoding.
    fn guess(encoding: &'static Encoding, names: &[&str]) -> NameEncoding {
        let bytes: Vec<Vec<u8>> = names.iter().map(|name| encoding.encode(name).0.into_owned()).collect();
        NameEncoding::guess(&bytes.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn names_of_east_asia_and_russia_are_read_by_their_encodings() {
        let japanese = ["猫/写真1.png", "猫/写真2.png", "犬/表.png", "犬/ソファの上.png"];
        assert_eq!(guess(SHIFT_JIS, &japanese), NameEncoding::Guessed(SHIFT_JIS));
        assert_eq!(guess(SHIFT_JIS, &["猫/1.png", "犬/1.png"]), NameEncoding::Guessed(SHIFT_JIS));
        assert_eq!(guess(GBK, &["良性/图像1.png", "恶性/图像2.png"]), NameEncoding::Guessed(GBK));
        assert_eq!(guess(EUC_KR, &["양성/사진.png", "악성/사진.png"]), NameEncoding::Guessed(EUC_KR));
        assert_eq!(guess(IBM866, &["кошки/снимок.png", "собаки/снимок.png"]), NameEncoding::Guessed(IBM866));
        let raw = SHIFT_JIS.encode("犬/表.png").0;
        assert!(raw.contains(&b'\\'), "a byte of this name is the backslash of other encodings");
        assert_eq!(NameEncoding::Guessed(SHIFT_JIS).decode(&raw).as_deref(), Some("犬/表.png"));
    }

    #[test]
    fn names_of_western_europe_are_in_the_code_page_of_the_format() {
        let names: [&[u8]; 4] =
            [b"M\x81ller/1.png", b"b\x82nin/1.png", b"caf\x82/d\x82j\x85.png", b"M\x81ller/Gr\x94\xE1e.png"];
        for some in [&names[..1], &names[1..2], &names[..3], &names] {
            assert_eq!(NameEncoding::guess(some), NameEncoding::CodePage437, "{some:?}");
        }
    }

    #[test]
    fn a_guess_in_which_two_names_would_be_one_is_not_taken() {
        // The same character by two codes of Shift_JIS, one of NEC's and one of the standard's.
        let names: [&[u8]; 2] = [b"\x8C\xA2/\x8E\xCA\x90\x5E\x81\xE0", b"\x8C\xA2/\x8E\xCA\x90\x5E\x87\x90"];
        assert_eq!(decoded(SHIFT_JIS, names[0]), decoded(SHIFT_JIS, names[1]));
        assert_eq!(NameEncoding::guess(&names[..1]), NameEncoding::Guessed(SHIFT_JIS));
        assert_eq!(NameEncoding::guess(&names), NameEncoding::CodePage437);
    }
}
