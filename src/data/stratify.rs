//! Stratification: groups are dealt out to the parts of a set so that every part gets its share of each class
//! as nearly as whole groups allow.
//!
//! With x the images of class c in part p, t those that it should have and n those of the class in all, what
//! is made small is
//!
//! ```text
//! Σ over parts p and classes c  ((x − t) / n)²
//! ```
//!
//! First the groups, in an order that the seed decides, go one after the other to the part where this sum
//! comes out least; then, as long as that makes it less, a group moves to another part or two groups change
//! places. The sum falls in every round, so this ends, though not always at the least sum of all; so it is
//! begun `STARTS` times, each in an order of its own, and the best outcome counts. When each image is a
//! group of its own, once is enough: no class is off by one image or more.

use crate::random::{Purpose, Stream};
use std::collections::BTreeMap;

/// The number of times that the dealing begins anew where groups have several images.
pub(crate) const STARTS: u64 = 32;

/// A sum that is less by no more than this is not less but rounded.
const SMALLEST_GAIN: f64 = 1e-12;

/// Returns the part of every group. `groups` have so many images of each class; part p should have
/// `targets[p]` of each, which need not be whole numbers. Where a group would fit several parts equally well,
/// it goes to the one with the fewest images for its target, of these to the first.
///
/// # Panics
/// If there is no part.
pub(crate) fn stratify(groups: &[[usize; 2]], targets: &[[f64; 2]], seed: u64) -> Vec<usize> {
    let single = groups.iter().all(|counts| counts[0] + counts[1] == 1);
    let mut best: Option<(f64, Vec<usize>)> = None;
    for start in 0..if single { 1 } else { STARTS } {
        let (sum, part_of) = deal(groups, targets, seed, start);
        if best.as_ref().is_none_or(|(least, _)| sum < least - SMALLEST_GAIN) {
            best = Some((sum, part_of));
        }
    }
    best.expect("it begins at least once").1
}

/// Returns one dealing, and the sum that it comes to.
fn deal(groups: &[[usize; 2]], targets: &[[f64; 2]], seed: u64, start: u64) -> (f64, Vec<usize>) {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    Stream::new(seed, Purpose::Split, 0, start).shuffle(&mut order);
    let mut parts = Parts::new(groups, targets);
    let mut part_of = vec![0; groups.len()];
    for &group in &order {
        let best = parts.best_for(groups[group]);
        parts.change(best, groups[group], 1.0);
        part_of[group] = best;
    }
    while improve(groups, &mut part_of, &mut parts) {}
    (parts.sum(), part_of)
}

/// The counts that the parts have and should have.
struct Parts<'a> {
    targets: &'a [[f64; 2]],
    has: Vec<[f64; 2]>,
    /// 1 / n² of each class.
    scale: [f64; 2],
}

impl<'a> Parts<'a> {
    fn new(groups: &[[usize; 2]], targets: &'a [[f64; 2]]) -> Parts<'a> {
        assert!(!targets.is_empty(), "groups are dealt to at least one part");
        let all = [0, 1].map(|class| groups.iter().map(|counts| counts[class]).sum::<usize>().max(1) as f64);
        Parts { targets, has: vec![[0.0; 2]; targets.len()], scale: all.map(|all| 1.0 / (all * all)) }
    }

    /// Returns how much the sum grows when the part gets `delta` more images of each class.
    fn growth(&self, part: usize, delta: [f64; 2]) -> f64 {
        let of = |class: usize| {
            let off = self.has[part][class] - self.targets[part][class];
            delta[class] * (2.0 * off + delta[class]) * self.scale[class]
        };
        of(0) + of(1)
    }

    /// Returns the sum that is made small.
    fn sum(&self) -> f64 {
        let of = |(has, target): (&[f64; 2], &[f64; 2])| {
            let off = |class: usize| (has[class] - target[class]).powi(2) * self.scale[class];
            off(0) + off(1)
        };
        self.has.iter().zip(self.targets).map(of).sum()
    }

    fn change(&mut self, part: usize, counts: [usize; 2], sign: f64) {
        for (has, count) in self.has[part].iter_mut().zip(counts) {
            *has += sign * count as f64;
        }
    }

    /// Returns the part that the group goes to.
    fn best_for(&self, counts: [usize; 2]) -> usize {
        let filled =
            |part: usize| (self.has[part][0] + self.has[part][1]) / (self.targets[part][0] + self.targets[part][1]);
        let mut best = 0;
        for part in 1..self.targets.len() {
            let more = self.growth(part, as_floats(counts)) - self.growth(best, as_floats(counts));
            if more < -SMALLEST_GAIN || (more <= SMALLEST_GAIN && filled(part) < filled(best)) {
                best = part;
            }
        }
        best
    }
}

/// Makes the one move or exchange that gains most; `false` where none gains. Groups of equal counts stand for
/// each other, so few of them are tried.
fn improve(groups: &[[usize; 2]], part_of: &mut [usize], parts: &mut Parts) -> bool {
    // For each part and kind of group the first group of that kind there.
    let mut kinds: BTreeMap<(usize, [usize; 2]), usize> = BTreeMap::new();
    for (group, &counts) in groups.iter().enumerate() {
        kinds.entry((part_of[group], counts)).or_insert(group);
    }
    let kinds: Vec<((usize, [usize; 2]), usize)> = kinds.into_iter().collect();
    let mut best = (-SMALLEST_GAIN, None);
    for &((from, counts), group) in &kinds {
        let [a, b] = as_floats(counts);
        let leaves = parts.growth(from, [-a, -b]);
        for to in (0..parts.targets.len()).filter(|&to| to != from) {
            let growth = leaves + parts.growth(to, [a, b]);
            if growth < best.0 {
                best = (growth, Some((group, to, None)));
            }
        }
        for &((to, other_counts), other) in kinds.iter().filter(|((to, _), _)| *to > from) {
            let [c, d] = as_floats(other_counts);
            let growth = parts.growth(from, [c - a, d - b]) + parts.growth(to, [a - c, b - d]);
            if growth < best.0 {
                best = (growth, Some((group, to, Some(other))));
            }
        }
    }
    let Some((group, to, other)) = best.1 else { return false };
    let from = part_of[group];
    let mut moves = |group: usize, from: usize, to: usize| {
        parts.change(from, groups[group], -1.0);
        parts.change(to, groups[group], 1.0);
        part_of[group] = to;
    };
    moves(group, from, to);
    if let Some(other) = other {
        moves(other, to, from);
    }
    true
}

fn as_floats(counts: [usize; 2]) -> [f64; 2] {
    counts.map(|count| count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what every part got.
    fn dealt(groups: &[[usize; 2]], targets: &[[f64; 2]], seed: u64) -> Vec<[usize; 2]> {
        let mut has = vec![[0; 2]; targets.len()];
        for (counts, part) in groups.iter().zip(stratify(groups, targets, seed)) {
            has[part] = [has[part][0] + counts[0], has[part][1] + counts[1]];
        }
        has
    }

    #[test]
    fn single_images_are_dealt_so_that_no_class_is_off_by_an_image_or_more() {
        let groups: Vec<[usize; 2]> = (0..136).map(|i| if i < 33 { [1, 0] } else { [0, 1] }).collect();
        for (folds, seed) in [(2, 0), (5, 1), (7, 2), (10, 3)] {
            let share = [33.0 / folds as f64, 103.0 / folds as f64];
            let has = dealt(&groups, &vec![share; folds], seed);
            for class in 0..2 {
                assert!(has.iter().all(|part| (part[class] as f64 - share[class]).abs() < 1.0), "{folds}: {has:?}");
            }
            let totals: Vec<usize> = has.iter().map(|part| part[0] + part[1]).collect();
            assert!(totals.iter().max().unwrap() - totals.iter().min().unwrap() <= 1, "{folds}: {totals:?}");
        }
    }

    #[test]
    fn groups_of_many_sizes_come_near_the_targets_and_the_seed_decides_which() {
        let mut stream = Stream::new(1, Purpose::Test, 0, 0);
        // Patients of one class each, with one to nine images.
        let groups: Vec<[usize; 2]> = (0..60)
            .map(|i| {
                let size = 1 + stream.below(9) as usize;
                if i % 3 == 0 { [size, 0] } else { [0, size] }
            })
            .collect();
        let all = [0, 1].map(|class| groups.iter().map(|counts| counts[class]).sum::<usize>() as f64);
        let targets = [[0.2 * all[0], 0.2 * all[1]], [0.8 * all[0], 0.8 * all[1]]];
        for seed in 0..20 {
            let has = dealt(&groups, &targets, seed);
            for class in 0..2 {
                assert!((has[0][class] as f64 - targets[0][class]).abs() <= 0.51, "{has:?} for {targets:?}");
            }
        }
        assert_eq!(stratify(&groups, &targets, 4), stratify(&groups, &targets, 4));
        assert_ne!(stratify(&groups, &targets, 4), stratify(&groups, &targets, 5));
    }

    #[test]
    fn the_least_sum_of_a_small_case_is_found() {
        // 2⁸ ways to deal, all of them tried.
        let groups = [[7, 0], [5, 1], [3, 2], [2, 2], [0, 6], [0, 4], [1, 9], [4, 0]];
        let targets = [[0.3 * 22.0, 0.3 * 24.0], [0.7 * 22.0, 0.7 * 24.0]];
        let sum = |has: &[[usize; 2]]| {
            let off =
                |part: usize, class: usize| (has[part][class] as f64 - targets[part][class]) / [22.0, 24.0][class];
            (0..2).flat_map(|part| (0..2).map(move |class| (part, class))).map(|(p, c)| off(p, c).powi(2)).sum::<f64>()
        };
        let every = (0..256u32).map(|bits| {
            let mut has = [[0; 2]; 2];
            for (group, counts) in groups.iter().enumerate() {
                let part = &mut has[(bits >> group & 1) as usize];
                *part = [part[0] + counts[0], part[1] + counts[1]];
            }
            sum(&has)
        });
        let least = every.fold(f64::INFINITY, f64::min);
        let reached = (0..8).filter(|&seed| sum(&dealt(&groups, &targets, seed)) <= least + 1e-9).count();
        assert!(reached >= 6, "{reached} of 8 seeds find the least sum, {least}");
    }
}
