//! The scripts and the style of the pages that one sees through: `explain`'s and `lecture`'s.

/// The scripts in their order, each with its name: they define one object, `Glass`.
pub const SCRIPTS: &[(&str, &str)] = &[];

/// The style.
pub const STYLE: &str = "";
