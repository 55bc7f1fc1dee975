//! A page taken apart: the numbers that stand on it.

use regex::Regex;

/// Returns every number of the page: what it is of, its value, and what is shown.
///
/// # Panics
/// If a digit stands on the page that is no part of a number, a name, or a picture.
pub fn numbers(html: &str) -> Vec<(String, f64, String)> {
    let body = html.split("<main>").nth(1).unwrap().split("</main>").next().unwrap();
    let data = Regex::new(r#"<data value="([^"]*)" data-of="([^"]*)">([^<]*)</data>"#).unwrap();
    let found = data
        .captures_iter(body)
        .map(|found| {
            let of = found[2].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
            (of, found[1].parse().unwrap(), found[3].to_string())
        })
        .collect();
    let rest = data.replace_all(body, "");
    let names = Regex::new(r"(?s)<(code|th|svg)\b.*?</(code|th|svg)>").unwrap();
    let rest = names.replace_all(&rest, "");
    let rest = Regex::new(r"(?s)<[^>]*>").unwrap().replace_all(&rest, " ");
    // The names of classes and images are the user's.
    let rest = Regex::new(r"(class|image) \d+(\.png)?").unwrap().replace_all(&rest, "");
    if let Some(place) = rest.chars().position(|char| char.is_ascii_digit()) {
        let around: String = rest.chars().skip(place.saturating_sub(60)).take(90).collect();
        panic!("a number without a name: {around}");
    }
    found
}

/// Tells whether what is shown is the value, to the digits that are shown.
pub fn tells(shown: &str, value: f64) -> bool {
    let superscript = |char: char| match char {
        '⁻' => Some('-'),
        '¹' => Some('1'),
        '²' => Some('2'),
        '³' => Some('3'),
        char => (u32::from(char)).checked_sub(0x2070).and_then(|digit| char::from_digit(digit, 10)),
    };
    let text = shown.replace('−', "-");
    let (digits, exponent) = match text.split_once("·10") {
        Some((digits, exponent)) => (digits.to_string(), exponent.chars().filter_map(superscript).collect()),
        None => (text.clone(), "0".to_string()),
    };
    let read: f64 = format!("{digits}e{exponent}").parse().unwrap();
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len()) as i32;
    let step = 10f64.powi(exponent.parse::<i32>().unwrap() - decimals);
    (read - value).abs() <= 0.5001 * step
}
