//! The links of the course: relative, and to files that exist.

use super::{pages, root};

/// The targets of all links and pictures of a page.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default())
}

#[test]
fn every_link_leads_to_a_file() {
    let mut count = 0;
    for page in pages() {
        for target in targets(&page.text) {
            assert!(!target.contains("://"), "{}: {target} is loaded from a network", page.name);
            // A book has no pages but its own: it would turn the others' names into links to nothing.
            assert!(
                !target.ends_with(".md") || !target.contains('/'),
                "{}: {target} is no page of the book",
                page.name
            );
            let path = root("docs").join(target.split('#').next().unwrap_or_default());
            assert!(path.exists(), "{}: there is no {target}", page.name);
            count += 1;
        }
    }
    assert!(count > 40, "{count} links");
}

#[test]
fn the_readme_leads_to_the_course() {
    let readme = std::fs::read_to_string(root("README.md")).unwrap();
    assert!(targets(&readme).any(|target| target == "docs/README.md"));
}

#[test]
fn links_are_found() {
    let found: Vec<&str> = targets("a [b](../c.rs), ![d](e.png)\n[f](#g)").collect();
    assert_eq!(found, ["../c.rs", "e.png", "#g"]);
}
