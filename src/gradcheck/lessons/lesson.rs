//! A lesson: a planted mistake, and what is told of it before and after it is found.

/// The kinds of mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    ReluLetsAllThrough,
    BiasOfOnePosition,
    PoolToEveryCell,
    KernelMirrored,
    PaddingForgotten,
    DropoutOneWay,
    SoftmaxTwice,
    DenseTransposed,
    MomentsConstant,
    WrongCount,
    AdamCountsTensors,
    DropoutUnscaled,
}

/// A planted mistake.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    /// Its number, from 1.
    pub number: usize,
    /// How hard it is to find, from 1 to 3.
    pub stars: usize,
    /// What is told before it is found.
    pub hint: &'static str,
    /// The layer, or the part of training, that is wrong.
    pub place: &'static str,
    /// What is wrong there.
    pub kind: &'static str,
    /// The file of the right line, from the root of the sources.
    pub file: &'static str,
    /// The right line.
    pub right: &'static str,
    /// The wrong one, as it stands in `gradcheck/lessons/mistakes.rs`.
    pub wrong: &'static str,
    /// Why the check shows what it shows.
    pub why: &'static str,
    pub(super) mistake: Mistake,
}

impl Lesson {
    /// Returns whether a gradient check can see the mistake.
    pub fn is_seen(&self) -> bool {
        !matches!(self.mistake, Mistake::AdamCountsTensors | Mistake::DropoutUnscaled)
    }
}
