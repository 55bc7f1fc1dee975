//! Numbers on the page: each says, to a machine too, what it is the value of.
//!
//! A number stands in an HTML `data` element: `value` is all its digits, `data-of` names it, as
//! `gradient/conv2d_1/kernel[1,2,17,40]`. So a test can compute every one of them anew, and nobody has to
//! trust the page.

use maud::{Markup, html};

/// A number called `of`, shown with six significant digits.
pub(super) fn number(of: &str, value: impl Into<f64>) -> Markup {
    let value = value.into();
    html! { data value=(value) data-of=(of) { (shown(value)) } }
}

/// A number of things called `of`.
pub(super) fn count(of: &str, value: usize) -> Markup {
    html! { data value=(value) data-of=(of) { (value) } }
}

/// A probability called `of`, with four decimals.
pub(super) fn probability(of: &str, value: impl Into<f64>) -> Markup {
    let value = value.into();
    html! { data value=(value) data-of=(of) { (format!("{value:.4}")) } }
}

/// Returns a number with six significant digits and a true minus.
pub fn shown(value: f64) -> String {
    let size = value.abs();
    let text = if value == 0.0 {
        "0".to_string()
    } else if !value.is_finite() {
        value.to_string()
    } else if (1e-3..1e6).contains(&size) {
        let whole = size.log10().floor() as i32;
        format!("{value:.*}", (5 - whole).max(0) as usize)
    } else {
        let text = format!("{value:.4e}");
        match text.split_once('e') {
            Some((digits, exponent)) => format!("{digits}·10{}", superscript(exponent)),
            None => text,
        }
    };
    text.replace('-', "−")
}

fn superscript(exponent: &str) -> String {
    let raised = |digit: char| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => digit.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(digit),
    };
    exponent.chars().map(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn numbers_have_six_significant_digits() {
        let all = [0.0, 1.0, -0.5, 123.456789, 0.00123456789, -1.5e-7, 2e10, 999_999.4, f64::NAN];
        let told: Vec<String> = all.into_iter().map(shown).collect();
        let expected =
            ["0", "1.00000", "−0.500000", "123.457", "0.00123457", "−1.5000·10⁻⁷", "2.0000·10¹⁰", "999999", "NaN"];
        assert_eq!(told, expected);
    }
}
