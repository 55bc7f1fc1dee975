//! The report of a training that was [watched](crate::training::watch): its table, what stands out in it, in
//! sentences, and a page.

pub mod findings;
pub mod page;
mod rows;
pub mod table;

/// Returns three digits and an exponent, `3.21e-4`, as norms and ratios stand on the page.
pub fn number(value: f64) -> String {
    format!("{value:.2e}")
}

/// Returns a share in percent, `12.5 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
