//! Groups of images, such as patients: on one side of a split, in one fold.

use super::empty;
use glassnet::data::catalog::Catalog;
use glassnet::data::folds::folds;
use glassnet::data::groups::Groups;
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use std::collections::{BTreeMap, BTreeSet};

const PATIENT: &str = r"/(p\d+)_";

fn catalog(names: &[String]) -> Catalog {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Catalog::from_source(&Source::from_memory("set", empty(&names)).unwrap()).unwrap()
}

/// 12 benign and 24 malignant patients with one to four images each, and one who has images of both.
fn patients() -> Catalog {
    let images = |class: &'static str, patient: usize, count: usize| {
        (0..count).map(move |image| format!("{class}/p{patient:02}_{image}.png"))
    };
    let benign = (0..12).flat_map(|patient| images("benign", patient, 1 + patient % 4));
    let malignant = (12..36).flat_map(|patient| images("malignant", patient, 1 + patient % 4));
    let both = images("benign", 99, 2).chain(images("malignant", 99, 2));
    catalog(&benign.chain(malignant).chain(both).collect::<Vec<_>>())
}

/// Fails unless no patient is on both sides.
fn assert_no_patient_is_split(split: &Split) {
    let patients = |items: &[glassnet::data::catalog::Item]| -> BTreeSet<String> {
        items.iter().map(|item| item.path.split('/').nth(1).unwrap()[..3].to_string()).collect()
    };
    let (training, validation) = (patients(&split.training), patients(&split.validation));
    assert!(training.is_disjoint(&validation), "{:?}", training.intersection(&validation).collect::<Vec<_>>());
    assert_eq!(training.len() + validation.len(), 37);
}

#[test]
fn a_group_is_what_the_first_parentheses_capture_or_else_the_whole_match() {
    let catalog = catalog(&["a/p1_1.png", "a/p1_2.png", "a/x.png", "b/p1_1.png", "b/p2_1.png"].map(String::from));
    let names = |pattern: &str| {
        let groups = Groups::by_regex(&catalog, pattern).unwrap();
        (0..5).map(|index| groups.name_of(index).to_string()).collect::<Vec<_>>().join(" ")
    };
    // A patient in both classes is one group.
    assert_eq!(names(PATIENT), "p1 p1 a/x.png p1 p2");
    assert_eq!(names(r"p\d"), "p1 p1 a/x.png p1 p2");
    assert_eq!(names(r"(?:^)(.*)_"), "a/p1 a/p1 a/x.png b/p1 b/p2");
    // A pair of parentheses that took no part, and a name of nothing, are no match.
    assert_eq!(names(r"(p2)|p1"), "a/p1_1.png a/p1_2.png a/x.png b/p1_1.png p2");
    assert_eq!(names(r"[ab]/(p?\d?)"), "p1 p1 a/x.png p1 p2");
    assert!(Groups::by_regex(&catalog, "p?1?").unwrap_err().to_string().contains("matches none"));
}

#[test]
fn images_without_a_match_are_counted_and_named() {
    let catalog = catalog(&["a/p1_1.png", "a/x.png", "b/p1_1.png", "b/y.png"].map(String::from));
    let groups = Groups::by_regex(&catalog, PATIENT).unwrap();
    assert_eq!((groups.len(), groups.unmatched()), (3, 2));
    let note = r"Groups by /(p\d+)_: 2 of 4 images do not match, each a group of its own: 2 (a/x.png, b/y.png)";
    assert_eq!(groups.notes, [note]);
    assert!(Groups::by_regex(&patients(), PATIENT).unwrap().notes.is_empty());
}

#[test]
fn a_regex_that_is_none_or_matches_nothing_or_everything_alike_is_refused_in_a_sentence() {
    let refused = |pattern: &str| Groups::by_regex(&patients(), pattern).unwrap_err().to_string();
    assert_eq!(
        refused("patient"),
        "group_regex patient: it matches none of the 94 images' paths, such as benign/p00_0.png; \
         write it for paths like this one"
    );
    assert_eq!(refused("(p"), "group_regex (p: it is not a regular expression: unclosed group");
    assert_eq!(
        refused("png"),
        "group_regex png: it puts all 94 images into one group, 'png' (so benign/p00_0.png), and a group is never split; \
         capture what tells patients apart"
    );
}

#[test]
fn no_patient_is_on_both_sides_and_both_classes_have_nearly_their_share() {
    let catalog = patients();
    let groups = Groups::by_regex(&catalog, PATIENT).unwrap();
    let all = catalog.counts();
    let mut seen = BTreeSet::new();
    for seed in 0..10 {
        let split = Split::grouped(&catalog, 0.2, &groups, seed).unwrap();
        assert_no_patient_is_split(&split);
        for (label, all) in all.iter().copied().enumerate() {
            let count = split.validation.iter().filter(|item| item.label.index() == label).count();
            assert!(count.abs_diff(all / 5) <= 1, "{count} of {all}");
        }
        seen.insert(split.validation.iter().map(|item| item.path.clone()).collect::<Vec<_>>());
        assert_eq!(Split::grouped(&catalog, 0.2, &groups, seed).unwrap().validation, split.validation);
    }
    assert!(seen.len() > 5, "the seed decides who validates");
}

#[test]
fn a_share_that_whole_groups_cannot_have_is_told_and_none_is_given() {
    // Three patients of four images in each class: a fifth of 12 is 2, and 0 or 4 are to be had.
    let names = (0..24).map(|i| format!("{}/p{}_{}.png", ["a", "b"][i / 12], i / 4, i % 4)).collect::<Vec<_>>();
    let catalog = catalog(&names);
    let groups = Groups::by_regex(&catalog, PATIENT).unwrap();
    let split = Split::grouped(&catalog, 0.25, &groups, 0).unwrap();
    assert_eq!(
        split.notes,
        ["Groups stay whole, so 4 of 12 images of a (0.3333) and 4 of 12 images of b (0.3333) validate, \
          where 0.25 of each would be 3 and 3"]
    );
    assert!(Split::grouped(&catalog, 0.34, &groups, 0).unwrap().notes.is_empty());
    assert!(Split::grouped(&catalog, 0.0, &groups, 0).unwrap().validation.is_empty());
    let error = Split::grouped(&catalog, 0.95, &groups, 0).unwrap_err().to_string();
    assert_eq!(
        error,
        "group_regex: where 0.95 of each class is to validate, no image of a is left to train on; make the share smaller, or the \
         groups"
    );
}

#[test]
fn every_image_validates_in_one_fold_and_trains_in_the_others() {
    let catalog = patients();
    for groups in [Groups::none(&catalog), Groups::by_regex(&catalog, PATIENT).unwrap()] {
        let splits = folds(&catalog, 5, &groups, 3).unwrap();
        let mut validated: BTreeMap<&str, usize> = BTreeMap::new();
        for split in &splits {
            assert_eq!(split.training.len() + split.validation.len(), catalog.items.len());
            for item in &split.validation {
                *validated.entry(item.path.as_str()).or_default() += 1;
                assert!(!split.training.contains(item));
            }
            for (label, all) in catalog.counts().into_iter().enumerate() {
                let count = split.validation.iter().filter(|item| item.label.index() == label).count() as f64;
                assert!((count - all as f64 / 5.0).abs() <= 1.0, "{count} of {all}");
            }
        }
        assert_eq!(validated.len(), catalog.items.len());
        assert!(validated.values().all(|&times| times == 1));
        if groups.unmatched() == 0 {
            splits.iter().for_each(assert_no_patient_is_split);
        }
    }
}

#[test]
fn more_folds_than_a_class_has_images_or_groups_are_refused() {
    let catalog = patients();
    let groups = Groups::by_regex(&catalog, PATIENT).unwrap();
    let refused = |k, groups| folds(&catalog, k, groups, 0).unwrap_err().to_string();
    let single = Groups::none(&catalog);
    assert_eq!(
        refused(33, &single),
        "folds 33: each fold validates on both classes, and benign has 32 images; use fewer folds"
    );
    assert_eq!(
        refused(14, &groups),
        "folds 14: each fold validates on both classes, and benign is in 13 groups, and a group stays whole; use fewer folds"
    );
    assert_eq!(refused(1, &single), "folds 1: one part trains and another validates, so there are at least 2 folds");
}
