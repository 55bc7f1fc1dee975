//! Curves by epoch as SVG within the page, in the colours of the text around them.

use crate::report::watch::number;
use maud::{Markup, html};

/// The size of a chart, and of a curve within a line of a table, in its own units.
const SIZE: [f64; 2] = [420.0, 210.0];
const SPARK_SIZE: [f64; 2] = [120.0, 26.0];

/// The space around the curves of a chart: left, top, right and below.
const MARGINS: [f64; 4] = [62.0, 26.0, 12.0, 26.0];

/// Values that differ by more than this are drawn on a logarithmic scale.
const LOGARITHMIC_FROM: f64 = 1e3;

/// A curve: a value for each epoch, or none.
pub(super) struct Series<'a> {
    pub name: &'a str,
    /// The class that gives it its colour and its dashes.
    pub class: &'static str,
    pub values: Vec<Option<f64>>,
}

/// Some curves over the same epochs.
pub(super) struct Chart<'a> {
    name: &'a str,
    series: Vec<Series<'a>>,
    scale: Scale,
}

/// From values to heights.
#[derive(Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Scale {
    /// The scale of these values, which begins at 0 if it `has_zero` and is not logarithmic.
    fn new<'a>(values: impl Iterator<Item = &'a Option<f64>>, has_zero: bool) -> Scale {
        let finite: Vec<f64> = values.copied().flatten().filter(|value| value.is_finite()).collect();
        let high = finite.iter().copied().fold(0.0, f64::max);
        let lowest = finite.iter().copied().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let logarithmic = high > LOGARITHMIC_FROM * lowest;
        let low = if logarithmic || !has_zero { lowest.min(high) } else { 0.0 };
        Scale { low, high: if high > low { high } else { low + 1.0 }, logarithmic }
    }

    /// The share of the height, from below, at which a value stands; none of one that has no place.
    fn place(&self, value: f64) -> Option<f64> {
        let share = match self.logarithmic {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        share.is_finite().then_some(share.clamp(0.0, 1.0))
    }

    /// The values that are labelled.
    fn ticks(&self) -> [f64; 3] {
        let middle = if self.logarithmic { (self.low * self.high).sqrt() } else { (self.low + self.high) / 2.0 };
        [self.low, middle, self.high]
    }
}

impl<'a> Chart<'a> {
    /// A chart of these curves, of which those without a value are left out.
    pub fn new(name: &'a str, series: Vec<Series<'a>>) -> Chart<'a> {
        let series = with_values(series);
        let scale = Scale::new(series.iter().flat_map(|series| &series.values), true);
        Chart { name, series, scale }
    }

    /// A chart from 0 to 1.
    pub fn of_shares(name: &'a str, series: Vec<Series<'a>>) -> Chart<'a> {
        Chart { name, series: with_values(series), scale: Scale { low: 0.0, high: 1.0, logarithmic: false } }
    }

    /// The chart as a figure.
    pub fn markup(&self) -> Markup {
        let [width, height] = SIZE;
        let [left, top, right, below] = MARGINS;
        let (across, up) = (width - left - right, height - top - below);
        let epochs = self.series.iter().map(|series| series.values.len()).max().unwrap_or(0);
        let y = |share: f64| top + up * (1.0 - share);
        html! {
            svg.chart viewBox=(format!("0 0 {width} {height}")) role="img" {
                title { (self.name) " by epoch" }
                desc { (self.description()) }
                text.name x=(left) y="15" { (self.name) @if self.scale.logarithmic { " (logarithmic)" } }
                @for tick in self.scale.ticks() {
                    @let at = self.scale.place(tick).unwrap_or(0.0);
                    path.grid d=(format!("M{left} {:.1}H{:.1}", y(at), left + across)) {}
                    text.tick x=(left - 6.0) y=(format!("{:.1}", y(at) + 4.0)) text-anchor="end" { (label(tick)) }
                }
                @if epochs > 0 {
                    text.tick x=(left) y=(height - 8.0) { "epoch 1" }
                    @if epochs > 1 {
                        text.tick x=(left + across) y=(height - 8.0) text-anchor="end" { (epochs) }
                    }
                }
                @for series in &self.series {
                    (curve(series.class, &series.values, &self.scale, [left, top, across, up]))
                }
            }
        }
    }

    /// The curves in words.
    fn description(&self) -> String {
        let told = self.series.iter().map(|series| format!("{}: {}", series.name, from_to(&series.values)));
        told.collect::<Vec<_>>().join("; ")
    }
}

fn with_values(series: Vec<Series<'_>>) -> Vec<Series<'_>> {
    series.into_iter().filter(|series| series.values.iter().any(Option::is_some)).collect()
}

/// A tick's value, in few letters.
fn label(value: f64) -> String {
    if value == 0.0 {
        "0".to_string()
    } else if (0.01..1000.0).contains(&value) {
        format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        format!("{value:.1e}")
    }
}

/// The first and the last value, in words.
fn from_to(values: &[Option<f64>]) -> String {
    let mut values = values.iter().copied().flatten();
    match (values.next(), values.next_back()) {
        (Some(first), Some(last)) => format!("{} in the first epoch, {} in the last", number(first), number(last)),
        (Some(only), None) => number(only),
        (None, _) => "none".to_string(),
    }
}

/// A curve in an area, left, top, width and height: a line through each run of values, and a point where
/// there is one only.
fn curve(class: &str, values: &[Option<f64>], scale: &Scale, [left, top, width, height]: [f64; 4]) -> Markup {
    let last = values.len().saturating_sub(1).max(1) as f64;
    let place = |(epoch, value): (usize, &Option<f64>)| {
        let share = scale.place((*value)?)?;
        Some((left + width * epoch as f64 / last, top + height * (1.0 - share)))
    };
    let points: Vec<Option<(f64, f64)>> = values.iter().enumerate().map(place).collect();
    let mut path = String::new();
    let mut dots = Vec::new();
    for run in points.split(Option::is_none) {
        match run {
            [Some(only)] => dots.push(*only),
            run => {
                for (index, (x, y)) in run.iter().copied().flatten().enumerate() {
                    path += &format!("{}{x:.1} {y:.1}", if index == 0 { "M" } else { "L" });
                }
            }
        }
    }
    html! {
        @if !path.is_empty() { path class=(class) d=(path) {} }
        @for (x, y) in dots { circle class=(class) cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="3" {} }
    }
}

/// A small curve for a line of a table, on a scale of its own.
pub(super) fn sparkline(name: &str, values: &[Option<f64>]) -> Markup {
    let [width, height] = SPARK_SIZE;
    let scale = Scale::new(values.iter(), false);
    html! {
        svg.spark viewBox=(format!("0 0 {width} {height}")) role="img" {
            title { (name) " by epoch: " (from_to(values)) }
            (curve("training", values, &scale, [4.0, 4.0, width - 8.0, height - 8.0]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_many_sizes_are_drawn_on_a_logarithmic_scale_and_none_beyond_the_chart() {
        let linear = Scale::new([Some(0.5), Some(2.0), None].iter(), true);
        assert_eq!((linear.logarithmic, linear.ticks()), (false, [0.0, 1.0, 2.0]));
        assert_eq!(linear.place(1.0), Some(0.5));
        let wide = Scale::new([Some(1.0), Some(1e4), Some(f64::INFINITY), Some(0.0)].iter(), true);
        assert!(wide.logarithmic && (wide.place(100.0).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!((wide.place(f64::NAN), wide.place(0.0), wide.place(1e9)), (None, None, Some(1.0)));
        // Nothing at all, and one value alone.
        assert_eq!(Scale::new([].iter(), true).place(0.0), Some(0.0));
        assert_eq!(Scale::new([Some(3.0)].iter(), false).place(3.0), Some(0.0));
    }

    #[test]
    fn a_curve_has_a_gap_where_a_value_is_missing_and_a_point_where_one_stands_alone() {
        let values = [Some(0.0), Some(1.0), None, Some(1.0), Some(f64::NAN)];
        let scale = Scale { low: 0.0, high: 1.0, logarithmic: false };
        let markup = curve("training", &values, &scale, [0.0, 0.0, 8.0, 10.0]).into_string();
        let expected = r#"<path class="training" d="M0.0 10.0L2.0 0.0"></path><circle class="training" cx="6.0" cy="0.0" r="3"></circle>"#;
        assert_eq!(markup, expected);
    }
}
