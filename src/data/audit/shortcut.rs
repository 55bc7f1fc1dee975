//! Shortcuts: attributes of files that give the class away. Where one class was saved at another size or in
//! another format than the other, a network learns the scanner and not the lesion, and fails on images from
//! elsewhere.
//!
//! For each attribute the best rule of one comparison is looked for, "the size is 1024×768" or "the width is
//! at least 800", and with more than two classes, for each of them against all others. Of the shares s₀ and
//! s₁ that the rule holds for of the others, of two the first class, and of the class, its balanced accuracy
//! is
//!
//! ```text
//! max(1 + s₁ − s₀, 1 + s₀ − s₁) / 2        ½ is chance
//! ```
//!
//! and its p is Fisher's exact test, two-sided, on the 2 × 2 table (R. A. Fisher, *Statistical Methods for
//! Research Workers*, 1934, section 21.02), times the number of rules tried (Bonferroni's correction).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::classes::{Classes, Label};
use crate::data::decode::ImageInfo;

/// The largest p, corrected, at which a rule is reported.
pub const MAX_P: f64 = 0.01;

/// The least balanced accuracy: in a large set a difference may be certain, and too small to matter.
pub const MIN_BALANCED_ACCURACY: f64 = 0.6;

/// A rule on one attribute that tells a class from the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Shortcut {
    /// The attribute: `size`, `width`, `height`, `aspect`, `format`, `mode` or `orientation`.
    pub attribute: &'static str,
    /// The rule, such as `size is 1024×768`.
    pub rule: String,
    /// The class that is told from the others; of two the positive one.
    pub told: Label,
    /// For how many images it holds of the others, and of the class.
    pub holds: [usize; 2],
    /// The number of images of the others, and of the class.
    pub of: [usize; 2],
    /// The balanced accuracy of answering by the rule alone.
    pub balanced_accuracy: f64,
    /// The probability that chance does as well or better, corrected for all rules tried.
    pub p: f64,
}

impl Shortcut {
    /// Returns whether the rule points to the class that is told, and not to the others.
    pub fn points_to_it(&self) -> bool {
        self.holds[1] * self.of[0] > self.holds[0] * self.of[1]
    }
}

/// Returns for each attribute the best rule, where it is clearly better than chance; the best first. `files`
/// are the label of each image, and what its file holds.
pub fn shortcuts(classes: &Classes, files: &[(Label, ImageInfo)]) -> Vec<Shortcut> {
    let mut images = vec![0; classes.count()];
    files.iter().for_each(|(label, _)| images[label.index()] += 1);
    let told: Vec<Label> = match classes.two() {
        Some(_) => vec![Label::POSITIVE],
        None => classes.labels().collect(),
    };
    let told: Vec<Told> = told
        .into_iter()
        .map(|label| Told { label, of: [files.len() - images[label.index()], images[label.index()]] })
        .filter(|told| !told.of.contains(&0))
        .collect();
    let attributes = [
        Attribute::equal("size", files, |info| (info.width, info.height), |(w, h)| format!("size is {w}×{h}")),
        Attribute::at_least("width", files, |info| info.width, |cuts| format!("width is at least {}", cuts.end())),
        Attribute::at_least("height", files, |info| info.height, |cuts| format!("height is at least {}", cuts.end())),
        Attribute::at_least("aspect", files, aspect, |cuts| format!("width / height is at least {}", shortest(cuts))),
        Attribute::equal("format", files, |info| info.format, |format| format!("format is {format}")),
        Attribute::equal("mode", files, |info| info.mode, |mode| format!("mode is {mode}")),
        Attribute::equal(
            "orientation",
            files,
            |info| info.orientation,
            |lies| format!("EXIF orientation is {}", lies.tag()),
        ),
    ];
    let tried = told.len() * attributes.iter().map(|attribute| attribute.rules.len()).sum::<usize>();
    let ln_factorials = ln_factorials(files.len());
    let best_of = |attribute: &Attribute| {
        // The first of equally good ones, so that the order of the files does not matter.
        let best = told.iter().filter_map(|told| attribute.best(told));
        let best = best.reduce(|best, rule| if rule.accuracy() > best.accuracy() { rule } else { best })?;
        let Candidate { rule, told, holds } = best;
        let p = (fisher(holds, told.of, &ln_factorials) * tried as f64).min(1.0);
        let balanced_accuracy = best.accuracy();
        let (attribute, rule) = (attribute.name, attribute.rules[rule].text.clone());
        Some(Shortcut { attribute, rule, told: told.label, holds, of: told.of, balanced_accuracy, p })
    };
    let mut found: Vec<Shortcut> = attributes.iter().filter_map(best_of).collect();
    found.retain(|found| found.p <= MAX_P && found.balanced_accuracy >= MIN_BALANCED_ACCURACY);
    found.sort_by(|a, b| b.balanced_accuracy.total_cmp(&a.balanced_accuracy));
    found
}

/// A class that may be told from the others.
struct Told {
    label: Label,
    /// The number of images of the others, and of the class.
    of: [usize; 2],
}

/// An attribute of files, and all rules on it.
struct Attribute {
    name: &'static str,
    rules: Vec<Rule>,
    /// True where a rule holds for the images of all rules before it, too.
    adds_up: bool,
}

/// A rule that is tried: its words, and how many images of each class have its value; only classes that have
/// some stand here.
struct Rule {
    text: String,
    images: BTreeMap<Label, usize>,
}

/// A rule, tried on a class: for how many images it holds of the others, and of the class.
struct Candidate<'a> {
    rule: usize,
    told: &'a Told,
    holds: [usize; 2],
}

impl Candidate<'_> {
    /// Returns its balanced accuracy.
    fn accuracy(&self) -> f64 {
        let [others, own] = [0, 1].map(|side| self.holds[side] as f64 / self.told.of[side] as f64);
        (1.0 + (own - others).abs()) / 2.0
    }
}

impl Attribute {
    /// Returns an attribute with a rule for each value, which says that an image has it. One value alone is
    /// no rule.
    fn equal<V: Ord>(
        name: &'static str,
        files: &[(Label, ImageInfo)],
        value: impl Fn(&ImageInfo) -> V,
        text: impl Fn(&V) -> String,
    ) -> Attribute {
        let counts = counts(files, value);
        let several = counts.len() > 1;
        let rules = counts.into_iter().filter(|_| several).map(|(value, images)| Rule { text: text(&value), images });
        Attribute { name, rules: rules.collect(), adds_up: false }
    }

    /// Returns an attribute with a rule for each value but the smallest, which says that an image has this or
    /// more; the largest first. `text` chooses among numbers that say the same of all files: those above the
    /// next smaller value, up to this one.
    fn at_least(
        name: &'static str,
        files: &[(Label, ImageInfo)],
        value: impl Fn(&ImageInfo) -> usize,
        text: impl Fn(RangeInclusive<usize>) -> String,
    ) -> Attribute {
        let mut rules = Vec::new();
        let mut counts = counts(files, value).into_iter().rev().peekable();
        while let Some((value, images)) = counts.next() {
            let Some((smaller, _)) = counts.peek() else { break };
            rules.push(Rule { text: text(smaller + 1..=value), images });
        }
        Attribute { name, rules, adds_up: true }
    }

    /// Returns the rule that tells the class from the others best, of equals the first.
    fn best<'a>(&self, told: &'a Told) -> Option<Candidate<'a>> {
        let mut holds = [0; 2];
        let candidates = self.rules.iter().enumerate().map(|(rule, Rule { images, .. })| {
            let (all, own) = (images.values().sum::<usize>(), images.get(&told.label).copied().unwrap_or(0));
            let before = if self.adds_up { holds } else { [0; 2] };
            holds = [before[0] + all - own, before[1] + own];
            Candidate { rule, told, holds }
        });
        candidates.reduce(|best, rule| if rule.accuracy() > best.accuracy() { rule } else { best })
    }
}

/// Returns width over height in thousandths, cut off and not rounded: then it is at least c where the width
/// is at least c thousandths of the height, so that a rule counts what its printed number says.
fn aspect(info: &ImageInfo) -> usize {
    info.width * 1000 / info.height.max(1)
}

/// Returns the number of thousandths with the fewest digits, and of these the largest, as a
/// decimal.
fn shortest(thousandths: RangeInclusive<usize>) -> f64 {
    let rounder = |unit: usize| Some(thousandths.end() / unit * unit).filter(|cut| thousandths.contains(cut));
    let cut = [1000, 100, 10].into_iter().find_map(rounder).unwrap_or(*thousandths.end());
    cut as f64 / 1e3
}

/// Counts the images of each class that have each value.
fn counts<V: Ord>(
    files: &[(Label, ImageInfo)],
    value: impl Fn(&ImageInfo) -> V,
) -> BTreeMap<V, BTreeMap<Label, usize>> {
    let mut counts: BTreeMap<V, BTreeMap<Label, usize>> = BTreeMap::new();
    for (label, info) in files {
        *counts.entry(value(info)).or_default().entry(*label).or_default() += 1;
    }
    counts
}

/// Returns ln 0!, ln 1!, … ln n!.
fn ln_factorials(n: usize) -> Vec<f64> {
    let mut sum = 0.0;
    std::iter::once(0.0)
        .chain((1..=n).map(|i| {
            sum += (i as f64).ln();
            sum
        }))
        .collect()
}

/// Runs Fisher's exact test: returns, with the sums of rows and columns given, the probability of all tables
/// that are not more probable than the one where a rule holds for `holds` of `of` images of two sides.
fn fisher(holds: [usize; 2], of: [usize; 2], ln_factorials: &[f64]) -> f64 {
    let total = of[0] + of[1];
    let held = holds[0] + holds[1];
    let ln_choose = |n: usize, k: usize| ln_factorials[n] - ln_factorials[k] - ln_factorials[n - k];
    // Hypergeometric: `first` of the images it holds for are of class 0.
    let ln_probability =
        |first: usize| ln_choose(of[0], first) + ln_choose(of[1], held - first) - ln_choose(total, held);
    // Sums of logarithms are not exact; a table as probable as ours must not be missed.
    let limit = ln_probability(holds[0]) + 1e-7;
    let firsts = held.saturating_sub(of[1])..=held.min(of[0]);
    firsts.map(ln_probability).filter(|&ln| ln <= limit).map(f64::exp).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::decode::Orientation;
    use approx::assert_relative_eq;

    /// The shortcuts of a set of two classes.
    fn of_two(files: &[(Label, ImageInfo)]) -> Vec<Shortcut> {
        shortcuts(&Classes::new(["cat", "dog"]).unwrap(), files)
    }

    fn files(kinds: &[(usize, usize, usize, &'static str, usize)]) -> Vec<(Label, ImageInfo)> {
        let one = |&(label, width, height, format, count): &(usize, usize, usize, &'static str, usize)| {
            let info = ImageInfo::plain(width, height, format);
            vec![(Label::new(label), info); count]
        };
        kinds.iter().flat_map(one).collect()
    }

    #[test]
    fn fishers_test_gives_the_probabilities_of_the_lady_tasting_tea() {
        // Four cups of each kind: all right by chance in 1 of 70, at least three of each in 17 of 70;
        // two-sided, twice that.
        let ln = ln_factorials(8);
        assert_relative_eq!(fisher([4, 0], [4, 4], &ln), 2.0 / 70.0, max_relative = 1e-12);
        assert_relative_eq!(fisher([3, 1], [4, 4], &ln), 34.0 / 70.0, max_relative = 1e-12);
        assert_relative_eq!(fisher([2, 2], [4, 4], &ln), 1.0, max_relative = 1e-12);
    }

    #[test]
    fn a_size_that_only_one_class_has_is_found_and_an_even_mixture_is_not() {
        let apart = files(&[(0, 16, 16, "PNG", 10), (1, 18, 14, "PNG", 14)]);
        let found = of_two(&apart);
        let attributes: Vec<&str> = found.iter().map(|found| found.attribute).collect();
        assert_eq!(attributes, ["size", "width", "height", "aspect"]);
        assert_eq!(
            (found[0].rule.as_str(), found[0].points_to_it(), found[0].holds),
            ("size is 16×16", false, [10, 0])
        );
        assert_eq!((found[1].rule.as_str(), found[1].points_to_it()), ("width is at least 18", true));
        assert_eq!(found[0].balanced_accuracy, 1.0);
        // Two sizes, and one threshold for each of three attributes: five rules. 24 choose 10 = 1,961,256
        // tables.
        assert_relative_eq!(found[0].p, 5.0 / 1_961_256.0, max_relative = 1e-9);

        let mixed =
            files(&[(0, 16, 16, "PNG", 5), (0, 18, 14, "PNG", 5), (1, 16, 16, "PNG", 7), (1, 18, 14, "PNG", 7)]);
        assert_eq!(of_two(&mixed), []);
    }

    #[test]
    fn a_printed_ratio_holds_for_the_images_that_it_is_said_to_hold_for() {
        // 18 / 14 = 1.2857… is below 1.286, to which it would be rounded; 4 / 3 is above 1.333, and 5 / 4 is
        // 1.25 exactly.
        for ([narrow, wide], printed) in [
            ([(16, 16), (18, 14)], "1.2"),
            ([(1280, 1000), (18, 14)], "1.285"),
            ([(1332, 1000), (4, 3)], "1.333"),
            ([(1249, 1000), (5, 4)], "1.25"),
            ([(9, 10), (30, 10)], "3"),
            ([(1, 5000), (1, 700)], "0.001"),
        ] {
            let sets = files(&[(0, narrow.0, narrow.1, "PNG", 10), (1, wide.0, wide.1, "PNG", 14)]);
            let found = of_two(&sets);
            let aspect = found.iter().find(|found| found.attribute == "aspect").unwrap();
            assert_eq!(aspect.rule, format!("width / height is at least {printed}"));
            let cut: f64 = printed.parse().unwrap();
            let counted = [0, 1].map(|label| {
                let holds = |info: &ImageInfo| info.width as f64 / info.height as f64 >= cut;
                sets.iter().filter(|(of, info)| *of == Label::new(label) && holds(info)).count()
            });
            assert_eq!((counted, aspect.holds), ([0, 14], [0, 14]), "{printed}");
        }
    }

    #[test]
    fn a_format_that_gives_the_class_away_is_found_and_a_small_difference_in_a_large_set_is_not() {
        let formats = files(&[(0, 9, 9, "JPEG", 50), (0, 9, 9, "PNG", 10), (1, 9, 9, "PNG", 60)]);
        let found = of_two(&formats);
        assert_eq!((found.len(), found[0].rule.as_str(), found[0].points_to_it()), (1, "format is JPEG", false));
        let slight =
            files(&[(0, 9, 9, "JPEG", 5500), (0, 9, 9, "PNG", 4500), (1, 9, 9, "JPEG", 5000), (1, 9, 9, "PNG", 5000)]);
        assert_eq!(of_two(&slight), []);
    }

    #[test]
    fn of_several_classes_each_may_be_told_from_the_others() {
        let three = Classes::new(["a", "b", "c"]).unwrap();
        let apart = files(&[(0, 9, 9, "PNG", 20), (1, 9, 9, "PNG", 20), (2, 9, 9, "PNG", 5), (2, 9, 9, "JPEG", 15)]);
        let found = shortcuts(&three, &apart);
        let [Shortcut { attribute: "format", rule, told, holds, of, p, .. }] = &found[..] else { panic!("{found:?}") };
        assert_eq!((rule.as_str(), told.index(), *holds, *of), ("format is JPEG", 2, [0, 15], [40, 20]));
        // Two rules for each of three classes; of 60 choose 15 = 53,194,089,192,720 tables 15,504 are as
        // rare.
        assert_relative_eq!(*p, 6.0 * 15_504.0 / 53_194_089_192_720.0, max_relative = 1e-6);
        let even = files(&[(0, 9, 9, "PNG", 20), (1, 9, 9, "PNG", 20), (2, 9, 9, "PNG", 20)]);
        assert_eq!(shortcuts(&three, &even), []);
    }

    #[test]
    fn an_orientation_that_only_photos_of_one_class_have_is_found() {
        let turned = |(label, tag): (usize, u32)| {
            let plain = ImageInfo::plain(9, 9, "JPEG");
            (Label::new(label), ImageInfo { orientation: Orientation::from_tag(tag), ..plain })
        };
        let photos = [(0, 1); 12].into_iter().chain([(1, 6); 9]).chain([(1, 1); 3]);
        let found = of_two(&photos.map(turned).collect::<Vec<_>>());
        let [Shortcut { attribute: "orientation", rule, holds, .. }] = &found[..] else { panic!("{found:?}") };
        // Of the two rules, which are one another's opposite, the first.
        assert_eq!((rule.as_str(), *holds), ("EXIF orientation is 1", [12, 3]));
    }

    #[test]
    fn sizes_that_are_all_different_and_few_images_give_nothing_away() {
        let singles: Vec<(usize, usize, usize, &'static str, usize)> =
            (0..40).map(|i| (i % 2, 100 + i, 100 + (i * 7) % 40, "PNG", 1)).collect();
        assert_eq!(of_two(&files(&singles)), []);
        assert_eq!(of_two(&files(&[(0, 9, 9, "PNG", 3), (1, 8, 8, "PNG", 3)])), []);
        assert_eq!(of_two(&files(&[(0, 9, 9, "PNG", 3)])), []);
    }
}
