//! What the page is made of.

use crate::explain::{Bundle, Focus, Moment};

/// The content of the page.
pub struct ExplanationPage<'a> {
    /// The step.
    pub moment: &'a Moment<'a>,
    /// What of it the scripts are given.
    pub bundle: &'a Bundle,
    /// What the plain part is about.
    pub focus: &'a Focus,
    /// Facts about the step: a name and a sentence each.
    pub facts: &'a [(&'static str, String)],
    /// The pictures.
    pub pictures: &'a [Picture],
}

/// A picture of the page.
pub struct Picture {
    /// The PNG.
    pub png: Vec<u8>,
    /// What it shows, in a few words.
    pub name: String,
    /// What there is to see in it.
    pub caption: String,
}
