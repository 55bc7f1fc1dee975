//! The names that files in a zip or a pack may have.

/// The longest name of a file, its folders included. Names stand in messages.
const MAX_NAME_BYTES: usize = 1024;

/// Normalizes an entry's name: returns it without a closing `/` and without `.` as a part, or what is wrong
/// with it. A backslash parts folders, as some programs of Windows write it.
pub fn plain_name(name: &str) -> Result<String, &'static str> {
    let name = name.replace('\\', "/");
    let drive = name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && name[1..].starts_with(":/");
    if name.starts_with('/') || drive {
        return Err("is an absolute path");
    }
    if name.len() > MAX_NAME_BYTES {
        return Err("has a name of more than 1024 bytes");
    }
    if name.contains('\0') {
        return Err("has a zero byte");
    }
    if name.split('/').any(|part| part == "..") {
        return Err("leads outside of it");
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_outside_are_refused_and_others_made_plain() {
        for bad in [
            "/etc/passwd",
            "C:/x.png",
            "c:\\x.png",
            "a/../b.png",
            "..",
            "a\\..\\b.png",
            "\\\\host\\b.png",
            "a.png\0.txt",
        ] {
            assert!(plain_name(bad).is_err(), "{bad}");
        }
        for (name, plain) in [
            ("a/b.png", "a/b.png"),
            ("a/", "a"),
            ("./a//b..png", "a/b..png"),
            ("./", ""),
            (".\\a\\b.png", "a/b.png"),
            ("a:good/b.png", "a:good/b.png"),
            ("é/b.png", "é/b.png"),
        ] {
            assert_eq!(plain_name(name), Ok(plain.to_string()));
        }
    }
}
