//! The tables as text that an evaluation has whatever the number of classes.

use glassnet::metrics::Calibration;
use glassnet::report::evaluation::{MeasureRow, RELIABILITY_HEADING, reliability_rows};

/// The widest name in a table; longer ones are cut.
const NAME_WIDTH: usize = 28;

/// A name as it stands in a table.
pub fn cut(name: &str) -> String {
    match name.char_indices().nth(NAME_WIDTH) {
        None => name.to_string(),
        Some(_) => name.chars().take(NAME_WIDTH - 1).chain(['…']).collect(),
    }
}

/// The width of the longest of these, in characters.
pub fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

/// The table of measures.
pub fn measure_lines(measures: &[MeasureRow]) -> impl Iterator<Item = String> {
    let row = |cells: [&str; 4]| {
        let [name, value, interval, note] = cells;
        format!("{name:<18} {value:>9}  {interval:<13}  {note}").trim_end().to_string()
    };
    let heading = row(["measure", "value", "95 % interval", ""]);
    let rows =
        measures.iter().map(move |measure| row([&measure.name, &measure.value, &measure.interval, &measure.note]));
    std::iter::once(heading).chain(rows)
}

/// The reliability table, behind an empty line; nothing where there is no image.
pub fn reliability_lines(calibration: Option<&Calibration>) -> Vec<String> {
    let bins = reliability_rows(calibration);
    let row = |cells: [&str; 5]| {
        let [range, images, mean, observed, interval] = cells;
        format!("{range:<11} {images:>7} {mean:>8} {observed:>9}  {interval}")
    };
    let rows = bins.iter().map(|bin| row(bin.each_ref().map(String::as_str)));
    match bins.is_empty() {
        true => Vec::new(),
        false => [String::new(), row(RELIABILITY_HEADING)].into_iter().chain(rows).collect(),
    }
}
