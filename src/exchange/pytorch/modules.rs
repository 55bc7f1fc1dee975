//! Modules: the tensors of a state dict that belong to one layer, which have all of their names but the last
//! part in common.

use super::tensor::Named;
use std::cmp::Ordering;

/// The counter of a batch normalization, which nothing needs.
const COUNTER: &str = "num_batches_tracked";

/// A module with tensors.
pub struct Module<'a> {
    /// Its name: `features.0`.
    pub name: &'a str,
    /// Its tensors, by the last part of their names.
    pub tensors: Vec<(&'a str, &'a Named<'a>)>,
}

impl<'a> Module<'a> {
    /// Returns one of its tensors.
    pub fn tensor(&self, name: &str) -> Option<&'a Named<'a>> {
        self.tensors.iter().find(|(own, _)| *own == name).map(|(_, tensor)| *tensor)
    }
}

/// Returns the modules of these tensors, in their order.
pub fn modules<'a>(tensors: &'a [Named<'a>]) -> Vec<Module<'a>> {
    let mut modules: Vec<Module> = Vec::new();
    for tensor in tensors {
        let (module, name) = tensor.name.rsplit_once('.').unwrap_or(("", &tensor.name));
        if name == COUNTER {
            continue;
        }
        match modules.last_mut() {
            Some(last) if last.name == module => last.tensors.push((name, tensor)),
            _ => modules.push(Module { name: module, tensors: vec![(name, tensor)] }),
        }
    }
    modules
}

/// Compares names as people count: `conv2` comes before `conv10`.
pub fn by_number(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let ordering = match (digits(a), digits(b)) {
            (0, _) | (_, 0) => {
                let (first, other) = (a.chars().next(), b.chars().next());
                let (Some(first), Some(other)) = (first, other) else { return a.len().cmp(&b.len()) };
                (a, b) = (&a[first.len_utf8()..], &b[other.len_utf8()..]);
                first.cmp(&other)
            }
            (len, other_len) => {
                let (number, other) = (a[..len].trim_start_matches('0'), b[..other_len].trim_start_matches('0'));
                (a, b) = (&a[len..], &b[other_len..]);
                number.len().cmp(&other.len()).then(number.cmp(other)).then(len.cmp(&other_len))
            }
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let mut names = ["conv10.weight", "conv2.weight", "conv2.bias", "conv", "bn", "conv02.bias", "7", "", "é1"];
        names.sort_by(|a, b| by_number(a, b));
        assert_eq!(names, ["", "7", "bn", "conv", "conv2.bias", "conv2.weight", "conv02.bias", "conv10.weight", "é1"]);
    }
}
