//! The parts that every chapter has, in their order.

use super::{chapters, pages, root};

/// The headings of a chapter, in order. Others may stand between them.
const HEADINGS: [&str; 4] = ["## The file", "## Guess first", "## A planted mistake", "## Questions"];

/// The languages of blocks. A block without one would be taken for Rust.
const LANGUAGES: [&str; 6] = ["rust", "console", "console times", "sh", "text", "toml"];

/// The text from a heading to the next one of its rank.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}")) + heading.len() + 2;
    let rest = &text[start..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

/// The languages of all blocks of a page.
fn languages(text: &str) -> Vec<&str> {
    let fences = text.lines().filter_map(|line| line.trim_start().strip_prefix("```"));
    fences.step_by(2).collect()
}

#[test]
fn every_chapter_has_a_file_a_command_a_guess_a_planted_mistake_and_three_questions() {
    let chapters = chapters();
    assert_eq!(chapters.len(), 10);
    for (index, chapter) in chapters.iter().enumerate() {
        let (name, text) = (&chapter.name, &chapter.text);
        assert!(text.starts_with(&format!("# {}. ", index + 1)), "{name}");
        assert!(name.starts_with(&format!("{:02}-", index + 1)), "{name}");
        let places = HEADINGS.map(|heading| text.find(&format!("\n{heading}\n")));
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{name}: {places:?}");
        let file = section(text, "## The file");
        assert_eq!(file.matches("](../src/").count(), 1, "{name}: one file of the source");
        let guess = section(text, "## Guess first");
        let reveal = guess.find("<details>").unwrap_or_else(|| panic!("{name}: nothing to reveal"));
        assert!(guess[..reveal].contains('?'), "{name}: the question stands before what answers it");
        assert!(!text[..text.find("\n## Guess first\n").unwrap()].contains("<details>"), "{name}");
        let mistake = section(text, "## A planted mistake");
        assert!(mistake.contains("<details>"), "{name}: the mistake is not given away");
        let questions = section(text, "## Questions");
        for number in 1..=3 {
            assert!(questions.contains(&format!("\n**{number}.** ")), "{name}: question {number}");
        }
        assert_eq!(questions.matches("<details>").count(), 3, "{name}: an answer to each question");
        assert!(text.contains("\n```console") && text.contains("\n```rust\n"), "{name}");
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count(), "{name}");
        let lines = text.lines().count();
        assert!((60..=260).contains(&lines), "{name}: {lines} lines");
    }
}

#[test]
fn every_block_is_of_a_language_that_is_run_or_is_none() {
    for page in pages() {
        for language in languages(&page.text) {
            assert!(LANGUAGES.contains(&language), "{}: a block of '{language}'", page.name);
        }
    }
}

#[test]
fn every_page_with_rust_is_a_doctest() {
    let modules = std::fs::read_to_string(root("src/course.rs")).unwrap();
    for page in pages() {
        let included = modules.contains(&format!("include_str!(\"../docs/{}\")", page.name));
        assert_eq!(included, page.text.contains("```rust"), "{} and src/course.rs", page.name);
    }
}

#[test]
fn the_summary_lists_every_page_in_order() {
    let summary = std::fs::read_to_string(root("docs/SUMMARY.md")).unwrap();
    let listed: Vec<&str> = summary.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    let mut expected = vec!["README.md".to_string()];
    expected.extend(chapters().into_iter().map(|chapter| chapter.name));
    assert_eq!(listed, expected);
    let titles = chapters().into_iter().map(|chapter| chapter.text.lines().next().unwrap()[2..].to_string());
    for title in titles {
        let (number, words) = title.split_once(". ").unwrap();
        assert!(summary.contains(&format!("[{words}]")), "{number}: '{words}' is called otherwise in SUMMARY.md");
    }
}
