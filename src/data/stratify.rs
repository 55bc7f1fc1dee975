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
use std::cmp::Reverse;
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
pub(crate) fn stratify(groups: &[GroupCounts], targets: &[Vec<f64>], seed: u64) -> Vec<usize> {
    let single = groups.iter().all(|counts| counts.classes().map(|(_, count)| count).sum::<usize>() == 1);
    let mut best: Option<(f64, Vec<usize>)> = None;
    for start in 0..if single { 1 } else { STARTS } {
        let (sum, part_of) = deal(groups, targets, seed, start);
        if best.as_ref().is_none_or(|(least, _)| sum < least - SMALLEST_GAIN) {
            best = Some((sum, part_of));
        }
    }
    best.expect("it begins at least once").1
}

/// How many images of each class a group has. Only the classes that it has are kept, ascending: most groups
/// have one, and there may be hundreds of classes. The order is that of the whole rows of counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupCounts(Vec<(Reverse<usize>, usize)>);

impl GroupCounts {
    /// Adds an image of a class.
    pub(crate) fn add(&mut self, class: usize) {
        match self.0.binary_search_by_key(&class, |(Reverse(class), _)| *class) {
            Ok(place) => self.0[place].1 += 1,
            Err(place) => self.0.insert(place, (Reverse(class), 1)),
        }
    }

    /// The number of images of a class.
    pub(crate) fn of(&self, class: usize) -> usize {
        self.0.binary_search_by_key(&class, |(Reverse(class), _)| *class).map_or(0, |place| self.0[place].1)
    }

    /// The classes that it has images of, ascending, each with their number.
    fn classes(&self) -> impl Iterator<Item = (usize, usize)> {
        self.0.iter().map(|&(Reverse(class), count)| (class, count))
    }
}

/// Returns one dealing, and the sum that it comes to.
fn deal(groups: &[GroupCounts], targets: &[Vec<f64>], seed: u64, start: u64) -> (f64, Vec<usize>) {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    Stream::new(seed, Purpose::Split, 0, start).shuffle(&mut order);
    let mut parts = Parts::new(groups, targets);
    let mut part_of = vec![0; groups.len()];
    for &group in &order {
        let best = parts.best_for(&groups[group]);
        parts.change(best, &groups[group], 1.0);
        part_of[group] = best;
    }
    while improve(groups, &mut part_of, &mut parts) {}
    (parts.sum(), part_of)
}

/// The counts that the parts have and should have.
struct Parts<'a> {
    targets: &'a [Vec<f64>],
    has: Vec<Vec<f64>>,
    /// 1 / n² of each class.
    scale: Vec<f64>,
}

impl<'a> Parts<'a> {
    fn new(groups: &[GroupCounts], targets: &'a [Vec<f64>]) -> Parts<'a> {
        assert!(!targets.is_empty(), "groups are dealt to at least one part");
        let mut all = vec![0; targets[0].len()];
        for (class, count) in groups.iter().flat_map(GroupCounts::classes) {
            all[class] += count;
        }
        let scale = all.iter().map(|&all| 1.0 / (all.max(1) as f64).powi(2)).collect();
        Parts { targets, has: vec![vec![0.0; all.len()]; targets.len()], scale }
    }

    /// Returns how much the sum grows when the part gets `delta` more images, of each class that is named.
    fn growth(&self, part: usize, delta: impl IntoIterator<Item = (usize, f64)>) -> f64 {
        let of = |(class, delta): (usize, f64)| {
            let off = self.has[part][class] - self.targets[part][class];
            delta * (2.0 * off + delta) * self.scale[class]
        };
        delta.into_iter().map(of).sum()
    }

    /// Returns the sum that is made small.
    fn sum(&self) -> f64 {
        let of = |(has, target): (&Vec<f64>, &Vec<f64>)| -> f64 {
            let classes = has.iter().zip(target).zip(&self.scale);
            classes.map(|((has, target), scale)| (has - target).powi(2) * scale).sum()
        };
        self.has.iter().zip(self.targets).map(of).sum()
    }

    fn change(&mut self, part: usize, counts: &GroupCounts, sign: f64) {
        for (class, count) in counts.classes() {
            self.has[part][class] += sign * count as f64;
        }
    }

    /// Returns the part that the group goes to.
    fn best_for(&self, counts: &GroupCounts) -> usize {
        let filled = |part: usize| self.has[part].iter().sum::<f64>() / self.targets[part].iter().sum::<f64>();
        let mut best = 0;
        for part in 1..self.targets.len() {
            let more = self.growth(part, added(counts)) - self.growth(best, added(counts));
            if more < -SMALLEST_GAIN || (more <= SMALLEST_GAIN && filled(part) < filled(best)) {
                best = part;
            }
        }
        best
    }
}

/// Makes the one move or exchange that gains most; `false` where none gains. Groups of equal counts stand for
/// each other, so few of them are tried.
fn improve(groups: &[GroupCounts], part_of: &mut [usize], parts: &mut Parts) -> bool {
    // For each part and kind of group the first group of that kind there.
    let mut kinds: BTreeMap<(usize, &GroupCounts), usize> = BTreeMap::new();
    for (group, counts) in groups.iter().enumerate() {
        kinds.entry((part_of[group], counts)).or_insert(group);
    }
    let kinds: Vec<((usize, &GroupCounts), usize)> = kinds.into_iter().collect();
    let mut best = (-SMALLEST_GAIN, None);
    for &((from, counts), group) in &kinds {
        let leaves = parts.growth(from, taken(counts));
        for to in (0..parts.targets.len()).filter(|&to| to != from) {
            let growth = leaves + parts.growth(to, added(counts));
            if growth < best.0 {
                best = (growth, Some((group, to, None)));
            }
        }
        for &((to, other_counts), other) in kinds.iter().filter(|((to, _), _)| *to > from) {
            let growth =
                parts.growth(from, exchanged(counts, other_counts)) + parts.growth(to, exchanged(other_counts, counts));
            if growth < best.0 {
                best = (growth, Some((group, to, Some(other))));
            }
        }
    }
    let Some((group, to, other)) = best.1 else { return false };
    let from = part_of[group];
    let mut moves = |group: usize, from: usize, to: usize| {
        parts.change(from, &groups[group], -1.0);
        parts.change(to, &groups[group], 1.0);
        part_of[group] = to;
    };
    moves(group, from, to);
    if let Some(other) = other {
        moves(other, to, from);
    }
    true
}

/// What a part has more when this group comes to it.
fn added(counts: &GroupCounts) -> impl Iterator<Item = (usize, f64)> {
    counts.classes().map(|(class, count)| (class, count as f64))
}

/// What a part has more when this group leaves it.
fn taken(counts: &GroupCounts) -> impl Iterator<Item = (usize, f64)> {
    counts.classes().map(|(class, count)| (class, -(count as f64)))
}

/// What a part has more when one group leaves it and another comes: each class once.
fn exchanged<'a>(leaves: &'a GroupCounts, comes: &'a GroupCounts) -> impl Iterator<Item = (usize, f64)> + 'a {
    let of_leaving = leaves.classes().map(|(class, count)| (class, comes.of(class) as f64 - count as f64));
    of_leaving.chain(added(comes).filter(|(class, _)| leaves.of(*class) == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the part of every group.
    fn parts_of<const K: usize>(groups: &[[usize; K]], targets: &[[f64; K]], seed: u64) -> Vec<usize> {
        let counts = groups.iter().map(|counts| {
            let mut group = GroupCounts::default();
            // The classes backwards, as items need not come in their order.
            for class in (0..K).rev() {
                (0..counts[class]).for_each(|_| group.add(class));
            }
            group
        });
        let targets: Vec<Vec<f64>> = targets.iter().map(|target| target.to_vec()).collect();
        stratify(&counts.collect::<Vec<GroupCounts>>(), &targets, seed)
    }

    /// Returns what every part got.
    fn dealt<const K: usize>(groups: &[[usize; K]], targets: &[[f64; K]], seed: u64) -> Vec<[usize; K]> {
        let mut has = vec![[0; K]; targets.len()];
        for (counts, part) in groups.iter().zip(parts_of(groups, targets, seed)) {
            for (has, count) in has[part].iter_mut().zip(counts) {
                *has += count;
            }
        }
        has
    }

    #[test]
    fn groups_are_ordered_as_their_whole_rows_of_counts() {
        let rows = [[0, 0, 0], [0, 0, 2], [0, 1, 0], [0, 1, 1], [3, 0, 0], [3, 0, 9], [3, 1, 0]];
        let group = |row: [usize; 3]| {
            let mut group = GroupCounts::default();
            (0..3).for_each(|class| (0..row[class]).for_each(|_| group.add(class)));
            group
        };
        assert!(rows.map(group).is_sorted() && rows.is_sorted());
        assert_eq!([0, 1, 2].map(|class| group([3, 0, 9]).of(class)), [3, 0, 9]);
    }

    #[test]
    fn of_ten_classes_every_part_gets_its_share() {
        let mut stream = Stream::new(2, Purpose::Test, 0, 0);
        let groups: Vec<[usize; 10]> = (0..200)
            .map(|group| {
                let mut counts = [0; 10];
                counts[group % 10] = 1 + stream.below(4) as usize;
                // Some groups have images of two classes.
                counts[stream.below(10) as usize] += usize::from(group % 7 == 0);
                counts
            })
            .collect();
        let all: [f64; 10] = std::array::from_fn(|class| groups.iter().map(|counts| counts[class] as f64).sum());
        for (seed, share) in [(0, 0.2), (1, 0.5)] {
            let targets = [all.map(|all| share * all), all.map(|all| (1.0 - share) * all)];
            let has = dealt(&groups, &targets, seed);
            for class in 0..10 {
                assert!((has[0][class] as f64 - targets[0][class]).abs() <= 1.0, "{has:?} for {targets:?}");
            }
        }
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
        assert_eq!(parts_of(&groups, &targets, 4), parts_of(&groups, &targets, 4));
        assert_ne!(parts_of(&groups, &targets, 4), parts_of(&groups, &targets, 5));
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
