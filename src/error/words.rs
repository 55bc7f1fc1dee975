//! Counts and lists, as sentences have them.

/// Returns a number and what is counted, for a sentence: `1 image`, `2 images`. The word forms its plural
/// with an s.
pub fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Returns a number with its digits in groups of three: `3,304,769`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns the number of names and the first of them: `7 (a, b, c, d, e and 2 more)`.
pub fn some_of<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    const SHOWN: usize = 5;
    let mut names = names.into_iter();
    let shown: Vec<S> = names.by_ref().take(SHOWN).collect();
    let rest = names.count();
    let list = shown.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match rest {
        0 => format!("{} ({list})", shown.len()),
        _ => format!("{} ({list} and {rest} more)", shown.len() + rest),
    }
}

/// Lists names: `a`, `a and b`, `a, b and c`; of many the first few.
pub fn and<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = names.collect();
    match names[..] {
        [ref first @ .., last] if !first.is_empty() && names.len() <= SHOWN => {
            format!("{} and {last}", first.join(", "))
        }
        [only] => only.to_string(),
        _ => some_of(&names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_names_is_cut_and_its_length_told() {
        assert_eq!(some_of(["a", "b"]), "2 (a, b)");
        assert_eq!(some_of(["a", "b", "c", "d", "e", "f", "g"]), "7 (a, b, c, d, e and 2 more)");
    }
}
