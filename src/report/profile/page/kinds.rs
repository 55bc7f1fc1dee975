//! Kinds of work, each with a colour that it has in all pictures of the page.

use crate::profile::model::{Profile, Row};

/// The colours there are, which the style sheet calls `--kind-0` and so on. Kinds beyond them share the last.
pub(super) const COLORS: usize = 8;

/// The kinds of work of a profile, by the time that they take in all.
pub(super) struct Kinds<'a>(Vec<(&'a str, f64)>);

impl<'a> Kinds<'a> {
    pub fn new(profile: &'a Profile) -> Kinds<'a> {
        let mut kinds: Vec<(&str, f64)> = Vec::new();
        for row in profile.passes.iter().flat_map(|pass| &pass.rows) {
            match kinds.iter_mut().find(|(what, _)| *what == row.what) {
                Some((_, ms)) => *ms += row.ms,
                None => kinds.push((&row.what, row.ms)),
            }
        }
        kinds.sort_by(|a, b| b.1.total_cmp(&a.1));
        Kinds(kinds)
    }

    /// The number of the row's colour.
    pub fn color(&self, row: &Row) -> usize {
        self.0.iter().position(|(what, _)| *what == row.what).unwrap_or(COLORS).min(COLORS - 1)
    }

    /// The class that gives it this colour.
    pub fn class(&self, row: &Row) -> String {
        format!("kind-{}", self.color(row))
    }

    /// The kinds that have a colour of their own, and one for all the others.
    pub fn names(&self) -> Vec<&'a str> {
        let names = self.0.iter().map(|(what, _)| *what);
        match self.0.len() > COLORS {
            true => names.take(COLORS - 1).chain(["other work"]).collect(),
            false => names.collect(),
        }
    }
}
