//! The first difference between what two runs are.

use glassnet::error::{shortened, some_of};
use std::collections::BTreeMap;
use toml::Value;

/// Two values of which one place differs.
pub struct Difference {
    /// The keys down to it, with dots between.
    pub path: String,
    pub was: String,
    pub now: String,
}

/// The first place at which two values differ; `path` is where they stand. The files may hold values of any
/// length.
pub fn first_difference(path: &str, was: &Value, now: &Value) -> Option<Difference> {
    match (was, now) {
        _ if was == now => None,
        (Value::Table(a), Value::Table(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|key| {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => first_difference(&path, a, b),
                    (a, b) => {
                        let [was, now] = [a, b].map(|value| value.map_or("none".to_string(), told));
                        Some(Difference { path, was, now })
                    }
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(index, (a, b))| first_difference(&format!("{path}[{index}]"), a, b))
        }
        _ => Some(Difference { path: path.to_string(), was: told(was), now: told(now) }),
    }
}

/// Returns in what two lists of files and their hashes differ, in words: `changed 1 (cat/00.png), missing 2
/// (cat/01.png, dog/07.png)`; nothing, where they do not.
pub fn changes_in_words(was: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Option<String> {
    let changed = now.iter().filter(|(file, now)| was.get(*file).is_some_and(|was| was != *now));
    let missing = was.keys().filter(|file| !now.contains_key(*file));
    let added = now.keys().filter(|file| !was.contains_key(*file));
    let kinds: [(&str, Vec<&String>); 3] = [
        ("changed", changed.map(|(file, _)| file).collect()),
        ("missing", missing.collect()),
        ("added", added.collect()),
    ];
    let told: Vec<String> = kinds
        .into_iter()
        .filter(|(_, files)| !files.is_empty())
        .map(|(kind, files)| format!("{kind} {}", some_of(files.into_iter().map(|file| shortened(file)))))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// A value in a sentence.
fn told(value: &Value) -> String {
    shortened(&shown(value)).into_owned()
}

/// A value as a flag takes it, where it has one.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(array) if array.iter().any(Value::is_table) => format!("{} entries", array.len()),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::run_folder::identity::identity;

    fn difference(was: &str, now: &str) -> Option<[String; 3]> {
        let [was, now] = [was, now].map(|text| Value::Table(identity(&text.parse().unwrap())));
        first_difference("run", &was, &now).map(|Difference { path, was, now }| [path, was, now])
    }

    #[test]
    fn a_difference_is_found_at_any_depth_and_on_either_side() {
        let was = "[a]\nx = 1\nlist = [1, { y = 2.5 }]";
        assert_eq!(difference(was, was), None);
        let found = |now: &str| difference(was, now).unwrap().map(String::from).join(" ");
        assert_eq!(found("[a]\nx = 1\nlist = [1, { y = 3.5 }]"), "run.a.list[1].y 2.5 3.5");
        assert_eq!(found("[a]\nx = 1\nlist = [1]"), "run.a.list 2 entries [1]");
        assert_eq!(found("[a]\nlist = [1, { y = 2.5 }]"), "run.a.x 1 none");
        assert_eq!(found("[a]\nx = 1\nlist = [1, { y = 2.5 }]\nnew = 'z'"), "run.a.new none z");
        assert_eq!(found("[a]\nx = 1.0\nlist = [1, { y = 2.5 }]"), "run.a.x 1 1.0");
    }

    #[test]
    fn circumstances_and_what_may_change_make_no_difference() {
        let was = "version = 'a'\n[machine]\nthreads = 1\n[settings]\nepochs = 1\ncache = 1\nsave_every = 1.0\nseed = 0\n[data]\npath = 'a'";
        let now = "version = 'b'\n[outcome]\nepochs = 2\n[settings]\nepochs = 2\ncache = 0\nsave_every = 2.0\nseed = 0\n[data]\npath = 'b'";
        assert_eq!(difference(was, now), None);
        assert_eq!(difference(was, &now.replace("seed = 0", "seed = 1")).unwrap(), ["run.settings.seed", "0", "1"]);
    }
}
