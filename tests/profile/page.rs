//! The page: well formed, every figure on it, names as they are.

use crate::sample::{Size, USUAL, counted, profile};
use base64::Engine;
use glassnet::profile::model::{Profile, Roof, Row};
use glassnet::report::profile::page::{profile_page, write_profile_page};
use sha2::{Digest, Sha256};

const EVIL: &str = "</script><img src=x onerror=alert('a')>層";

/// The text between the first `from` and the next `to`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text.find(from).unwrap_or_else(|| panic!("no {from}")) + from.len();
    &text[start..start + text[start..].find(to).unwrap_or_else(|| panic!("no {to}"))]
}

/// The page without its style and scripts, and what they were.
fn without_scripts(page: &str) -> (String, Vec<&str>) {
    let (mut rest, mut kept, mut taken) = (page, String::new(), Vec::new());
    while let Some(at) = [rest.find("<script"), rest.find("<style")].into_iter().flatten().min() {
        let end = if rest[at..].starts_with("<script") { "</script>" } else { "</style>" };
        let content = at + rest[at..].find('>').unwrap() + 1;
        let close = content + rest[content..].find(end).unwrap();
        kept.push_str(&rest[..at]);
        taken.push(&rest[content..close]);
        rest = &rest[close + end.len()..];
    }
    (kept + rest, taken)
}

/// Fails where a tag is not closed by its own.
fn check_nesting(html: &str) {
    const EMPTY: [&str; 6] = ["!DOCTYPE", "meta", "br", "wbr", "img", "input"];
    let mut open: Vec<&str> = Vec::new();
    for tag in html.split('<').skip(1) {
        let tag = &tag[..tag.find('>').unwrap_or_else(|| panic!("a tag without an end: {tag}"))];
        let name = tag.split(|char: char| char.is_whitespace()).next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "within {open:?}"),
            None if EMPTY.contains(&name) => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

fn sizes() -> [Size; 4] {
    [
        USUAL,
        Size { threads: 1, steps: 1, depth: 1 },
        Size { threads: 64, steps: 1, depth: 1 },
        Size { threads: 8, steps: 2, depth: 20 },
    ]
}

#[test]
fn pages_of_all_sizes_are_well_formed_and_have_ids_once() {
    for size in sizes() {
        let mut profile = profile(size);
        profile.passes[0].counters = counted(&profile.passes[0]);
        let page = profile_page(&profile);
        let (html, _) = without_scripts(&page);
        check_nesting(&html);
        let mut ids: Vec<&str> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        for link in html.split("href=\"#").skip(1) {
            assert!(ids.contains(&link.split('"').next().unwrap()), "{}", &link[..20]);
        }
        for reference in html.split("url(#").skip(1) {
            assert!(ids.contains(&reference.split(')').next().unwrap()));
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}

#[test]
fn every_figure_of_every_row_stands_on_the_page() {
    for size in sizes() {
        let profile = profile(size);
        let (html, _) = without_scripts(&profile_page(&profile));
        for (index, pass) in profile.passes.iter().enumerate() {
            let part = between(&html, &format!("id=\"work-{index}\""), "</section>");
            let lines: Vec<&str> = part.split("<tr>").skip(1).filter(|line| line.contains("<td")).collect();
            assert_eq!(lines.len(), pass.rows.len());
            for (number, (row, line)) in pass.rows.iter().zip(lines).enumerate() {
                let cell = |text: String| assert!(line.contains(&format!(">{text}<")), "{text} in {line}");
                cell((number + 1).to_string());
                [row.ms, row.floor_ms, row.to_win_ms].into_iter().for_each(|ms| cell(format!("{ms:.3}")));
                cell(format!("{:.1} %", 100.0 * row.share));
                if row.executed_gflop > 0.0 {
                    cell(format!("{:.1}", row.executed_gflops()));
                    cell(format!("{:.1}", row.intensity()));
                }
                if row.direct_gflop > 0.0 {
                    cell(format!("{:.1}", row.direct_gflops()));
                }
                if row.roof != Roof::Nothing {
                    cell(format!("{:.1} %", 100.0 * row.floor_ms / row.ms));
                }
                for text in row.why.iter().chain(&row.replay) {
                    assert!(line.contains(&text.replace('\'', "&#39;")) || line.contains(text), "{text}");
                }
            }
            let part = between(&html, &format!("id=\"phases-{index}\""), "</section>");
            for idle in &pass.idle {
                assert!(part.contains(&format!(">{:.3}<", idle.ms)), "{idle:?}");
            }
            for phase in &pass.phases {
                for ms in [phase.ms, phase.work_ms] {
                    // The sum of no rows at all may be −0.
                    assert!(part.contains(&format!(">{:.3}<", ms.abs())), "{phase:?}");
                }
            }
            // A full dot for each row whose operations and bytes are known, but for the smallest.
            let has_dot = |row: &&Row| row.executed_gflop > 0.0 && row.megabytes > 0.0 && row.share >= 1e-3;
            let dots = pass.rows.iter().filter(has_dot).count();
            let part = between(&html, &format!("id=\"roofline-{index}\""), "</section>");
            assert_eq!(part.matches("class=\"full\"").count(), dots);
        }
        let memory = between(&html, "id=\"memory\"", "</section>");
        for purpose in &profile.memory.purposes {
            assert!(memory.contains(&purpose.purpose.replace('\'', "&#39;")) || memory.contains(&purpose.purpose));
            assert!(memory.contains(&format!(">{:.1} MiB<", purpose.bytes as f64 / (1 << 20) as f64)), "{purpose:?}");
        }
    }
}

#[test]
fn the_table_of_a_step_adds_up_to_its_spans() {
    let profile = profile(USUAL);
    let (html, _) = without_scripts(&profile_page(&profile));
    for (index, pass) in profile.passes.iter().enumerate() {
        let part = between(&html, &format!("id=\"timeline-{index}\""), "</section>");
        let total = part.split("<tr class=\"total\">").nth(1).unwrap();
        for thread in 0..2 {
            let spans = pass.timeline[0].spans.iter().filter(|span| span.thread == thread);
            let ms: f64 = spans.map(|span| (span.end_us - span.start_us) / 1e3).sum();
            assert!(total.contains(&format!(">{ms:.3}<")), "{ms}: {total}");
        }
    }
}

/// The profile with names that would like to be more than names.
fn hostile() -> Profile {
    let mut profile = profile(USUAL);
    profile.subject.data = EVIL.into();
    profile.subject.model = Some(EVIL.into());
    profile.machine.processor = Some(EVIL.into());
    profile.memory.purposes[0].purpose = EVIL.into();
    for pass in &mut profile.passes {
        pass.name = EVIL.into();
        pass.phases.iter_mut().for_each(|phase| phase.layers = Some(EVIL.into()));
        for row in &mut pass.rows {
            (row.what, row.how) = (EVIL.into(), EVIL.into());
            (row.why, row.replay) = (vec![EVIL.into()], Some(EVIL.into()));
        }
    }
    profile
}

#[test]
fn names_stay_names_whatever_they_hold() {
    let page = profile_page(&hostile());
    assert!(!page.contains("<img"));
    let (html, taken) = without_scripts(&page);
    check_nesting(&html);
    // A style, the data of two timelines and one script; the data can be read, and hold the name as it is.
    assert_eq!(taken.len(), 4);
    for data in &taken[1..3] {
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["name"], EVIL);
        assert_eq!(data["phases"].as_array().unwrap().last().unwrap().as_str().unwrap(), format!("between {EVIL}"));
    }
}

#[test]
fn the_page_asks_for_nothing_and_its_policy_allows_its_own_style_and_script_alone() {
    let profile = profile(USUAL);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.html");
    write_profile_page(&path, &profile).unwrap();
    let page = std::fs::read_to_string(path).unwrap();
    assert_eq!(page, profile_page(&profile));
    let (html, taken) = without_scripts(&page);
    for forbidden in ["http://", "https://", "<link", "@import", " src=", " style=", " onclick", " onload"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
    let policy = between(&html, "Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'");
    let [style, .., script] = taken[..] else { panic!("{} scripts", taken.len()) };
    let expected =
        format!("default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'", hash(style), hash(script));
    assert_eq!(policy, expected);
    // The file `dom.js` names the spaces of SVG and MathML, which are no addresses to ask.
    for address in style.split("http").skip(1).chain(script.split("http").skip(1)) {
        assert!(address.starts_with("://www.w3.org/"), "{}", &address[..20]);
    }
}
