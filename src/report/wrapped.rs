//! Sentences in lines.

/// Returns a text in lines of at most `width` columns, of which every letter takes one. A longer word has a
/// line of its own.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_string());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn a_line_ends_before_the_word_that_would_not_fit() {
        assert_eq!(wrapped("a bc def\n ghij klmnopqr s", 6), ["a bc", "def", "ghij", "klmnopqr", "s"]);
        assert_eq!(wrapped("«é» ñ", 5), ["«é» ñ"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
