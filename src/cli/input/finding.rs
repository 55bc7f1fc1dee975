//! A finding in a data set that somebody should look at.

use serde::Serialize;

/// Something to look at.
#[derive(Serialize)]
pub struct Finding {
    /// Its kind, in a word, for programs: `unreadable`, `mislabelled`, `duplicates_across_classes`,
    /// `duplicates_across_split`, `duplicates`, `near_duplicates_across_classes`,
    /// `near_duplicates_across_split`, `near_duplicates`, `giveaway`, `imbalance`, `not_validated`,
    /// `few_validated`, `narrow_range`, `turned`, `formula_names`, `folders_within`, `passed_over`.
    pub kind: &'static str,
    /// The finding, in a sentence.
    pub finding: String,
    /// The advice.
    pub advice: String,
}

impl Finding {
    /// A finding, and what to do about it.
    pub fn new(kind: &'static str, finding: String, advice: impl Into<String>) -> Finding {
        Finding { kind, finding, advice: advice.into() }
    }
}
