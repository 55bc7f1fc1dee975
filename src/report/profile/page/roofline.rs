//! The roofline: each row of work by its operations a byte and its operations a second, under the roofs.
//!
//! After Williams, Waterman and Patterson, *Roofline: An Insightful Visual Performance Model for Multicore
//! Architectures*, CACM 52(4), 2009. Both axes are logarithmic.

use super::kinds::Kinds;
use crate::profile::model::{Machine, PassProfile, Roofs, Row};
use crate::report::profile::words;
use maud::{Markup, html};

/// The size of the picture, in its own units.
const SIZE: [f64; 2] = [1000.0, 560.0];

/// The space around its area: left, top, right and below.
const MARGINS: [f64; 4] = [70.0, 18.0, 24.0, 56.0];

/// The radius of a dot with all of a step's time, and the least one: areas are as the shares.
const LARGEST: f64 = 56.0;
const LEAST: f64 = 3.5;

/// The most dots that have their number beside them; all have a title.
const MOST_NUMBERS: usize = 30;

/// The size of a number, in the picture's own units: its height, and the width of a digit.
const NUMBER: [f64; 2] = [13.0, 8.0];

/// The length of a slope's label, in the picture's own units.
const LABEL: f64 = 130.0;

/// The least share of the step of a row that has a dot: with less there is nothing to win, and much to hide.
const LEAST_SHARE: f64 = 1e-3;

/// Whether a row has an intensity: its operations and bytes are known.
pub(super) fn has_intensity(row: &Row) -> bool {
    row.executed_gflop > 0.0 && row.megabytes > 0.0 && row.ms > 0.0
}

/// Whether a row has a dot.
fn has_dot(row: &Row) -> bool {
    has_intensity(row) && row.share >= LEAST_SHARE
}

/// The picture, and what it does not show.
pub(super) fn section(machine: &Machine, pass: &PassProfile, kinds: &Kinds) -> Markup {
    let without = pass.rows.iter().filter(|row| !has_dot(row));
    let (count, ms) = without.fold((0, 0.0), |(count, ms), row| (count + 1, ms + row.ms));
    html! {
        @if count < pass.rows.len() { (figure(machine, pass, kinds)) }
        @if count > 0 {
            p {
                (count) " of " (pass.rows.len()) " rows, " (words::ms(ms)) " ms of the step, have no dot: no operations of \
                 theirs are counted, or they take less than a thousandth of the step. They stand in the table below."
            }
        }
    }
}

fn figure(machine: &Machine, pass: &PassProfile, kinds: &Kinds) -> Markup {
    let dots = Dot::all(machine, pass, kinds);
    let axes = Axes::new(machine.roofs(), &dots);
    let [width, height] = SIZE;
    html! {
        figure.roofline {
            div.scroll {
                svg.roofline viewBox=(format!("0 0 {width} {height}")) role="img" {
                    title { "Roofline of the " (pass.name) }
                    desc { "Each dot is a row of the table below, under the number that it has there." }
                    (axes.markup())
                    (roofs(machine, &axes))
                    @for dot in &dots { (dot.markup(&axes)) }
                    (numbers(&dots, &axes))
                }
            }
            figcaption {
                "Full dots: executed operations, as large as their share of the step. Hollow dots: the same work counted as direct \
                 convolution, which may pass the roofs. What is nearer to its roof has less to win. The band at a roof is its \
                 drift: " (drift(machine)) ". A number is that of the row in the table below."
            }
        }
    }
}

fn drift(machine: &Machine) -> String {
    let told = words::roofs(machine).map(|(of, _, drift)| format!("{of} {}", words::signed_percent(drift)));
    told.join(", ")
}

/// A row of the table as a dot.
struct Dot {
    number: usize,
    intensity: f64,
    executed: f64,
    /// None where it is the same as the executed rate.
    direct: Option<f64>,
    radius: f64,
    class: String,
    title: String,
}

impl Dot {
    /// The dots of all rows that have one, the largest first, so that no small one is hidden.
    fn all(machine: &Machine, pass: &PassProfile, kinds: &Kinds) -> Vec<Dot> {
        let roofs = machine.roofs();
        let rows = pass.rows.iter().enumerate().filter(|(_, row)| has_dot(row));
        let mut dots: Vec<Dot> = rows
            .map(|(index, row)| {
                let (executed, direct) = (row.executed_gflops(), row.direct_gflops());
                let differs = row.direct_gflop > 0.0 && (direct / executed - 1.0).abs() > 0.01;
                let title = format!(
                    "{}. {}, {}: {} ms, {} of the step; {} GF/s executed{}, {:.1} % of the registers' roof; {:.1} FLOP/B; {} ms to win",
                    index + 1,
                    words::work_name(row),
                    words::phase_name(&pass.phases[row.phase]),
                    words::ms(row.ms),
                    words::percent(row.share),
                    words::rate(executed),
                    if differs { format!(", {} as direct convolution", words::rate(direct)) } else { String::new() },
                    100.0 * executed / roofs.gflops,
                    row.intensity(),
                    words::ms(row.to_win_ms)
                );
                Dot {
                    number: index + 1,
                    intensity: row.intensity(),
                    executed,
                    direct: differs.then_some(direct),
                    radius: (LARGEST * row.share.max(0.0).sqrt()).max(LEAST),
                    class: kinds.class(row),
                    title,
                }
            })
            .collect();
        dots.sort_by(|a, b| b.radius.total_cmp(&a.radius));
        dots
    }

    fn markup(&self, axes: &Axes) -> Markup {
        let (x, y) = (axes.x(self.intensity), axes.y(self.executed));
        html! {
            g class=(self.class) {
                title { (self.title) }
                @if let Some(direct) = self.direct {
                    @let above = axes.y(direct);
                    path.stem d=(format!("M{x:.1} {y:.1}V{above:.1}")) {}
                    circle.hollow cx=(format!("{x:.1}")) cy=(format!("{above:.1}")) r=(format!("{:.1}", self.radius * 0.7)) {}
                }
                circle.full cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r=(format!("{:.1}", self.radius)) {}
            }
        }
    }
}

/// The area: from operations a byte and operations a second to places.
struct Axes {
    /// The least and the greatest value, across and up, as powers of ten.
    across: [f64; 2],
    up: [f64; 2],
}

impl Axes {
    /// Axes on which all dots and the roofs' ridges have a place.
    fn new(roofs: Roofs, dots: &[Dot]) -> Axes {
        let ridges = [roofs.gflops / roofs.l2_gb_per_s, roofs.gflops / roofs.memory_gb_per_s];
        let intensities = dots.iter().map(|dot| dot.intensity).chain(ridges);
        let rates = dots.iter().flat_map(|dot| [Some(dot.executed), dot.direct]).flatten().chain([roofs.gflops]);
        Axes { across: bounds(intensities, 0.3), up: bounds(rates, 0.22) }
    }

    fn x(&self, intensity: f64) -> f64 {
        let [left, _, right, _] = MARGINS;
        left + (SIZE[0] - left - right) * (intensity.log10() - self.across[0]) / (self.across[1] - self.across[0])
    }

    fn y(&self, rate: f64) -> f64 {
        let [_, top, _, below] = MARGINS;
        SIZE[1] - below - (SIZE[1] - top - below) * (rate.log10() - self.up[0]) / (self.up[1] - self.up[0])
    }

    /// The corners of the area: left, top, right and bottom.
    fn area(&self) -> [f64; 4] {
        [MARGINS[0], MARGINS[1], SIZE[0] - MARGINS[2], SIZE[1] - MARGINS[3]]
    }

    /// Grid lines with their values, and what the axes are.
    fn markup(&self) -> Markup {
        let [left, top, right, bottom] = self.area();
        html! {
            @for value in ticks(self.across) {
                @let x = format!("{:.1}", self.x(value));
                path.grid d=(format!("M{x} {top}V{bottom}")) {}
                text.tick x=(x) y=(bottom + 20.0) text-anchor="middle" { (tick(value)) }
            }
            @for value in ticks(self.up) {
                @let y = self.y(value);
                path.grid d=(format!("M{left} {y:.1}H{right}")) {}
                text.tick x=(left - 8.0) y=(format!("{:.1}", y + 4.5)) text-anchor="end" { (tick(value)) }
            }
            text.axis x=(right) y=(bottom + 44.0) text-anchor="end" { "executed operations a byte, FLOP/B" }
            text.axis x=(-top) y="18" transform="rotate(-90)" text-anchor="end" { "10⁹ operations a second, GF/s" }
        }
    }
}

/// The least and the greatest of these values as powers of ten, and a margin beyond them.
fn bounds(values: impl Iterator<Item = f64>, margin: f64) -> [f64; 2] {
    let [mut low, mut high] = [f64::INFINITY, f64::NEG_INFINITY];
    for power in values.map(f64::log10).filter(|power| power.is_finite()) {
        (low, high) = (low.min(power), high.max(power));
    }
    if low > high {
        return [-1.0, 1.0];
    }
    [low - margin, high + margin]
}

/// The values with a grid line: 1, 2 and 5 of each decade, of many decades 1 alone.
fn ticks([low, high]: [f64; 2]) -> Vec<f64> {
    let digits: &[f64] = if high - low > 3.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let decades = low.floor() as i32..=high.ceil() as i32;
    let values = decades.flat_map(|decade| digits.iter().map(move |digit| digit * 10f64.powi(decade)));
    values.filter(|value| (low..=high).contains(&value.log10())).collect()
}

fn tick(value: f64) -> String {
    if value >= 1.0 { format!("{value:.0}") } else { format!("{value}") }
}

/// The three roofs: each a line at its height, and a band of its drift.
fn roofs(machine: &Machine, axes: &Axes) -> Markup {
    let best = machine.roofs();
    let [left, _, right, _] = axes.area();
    // The lower edge of a band: the worse of the two measurements.
    let worst = |of: fn(&Roofs) -> f64| of(&machine.before).min(of(&machine.after));
    let gflops = (best.gflops, worst(|roofs| roofs.gflops));
    let slopes = [
        ("L2", best.l2_gb_per_s, worst(|roofs| roofs.l2_gb_per_s)),
        ("memory", best.memory_gb_per_s, worst(|roofs| roofs.memory_gb_per_s)),
    ];
    let low = axes.across.map(|power| 10f64.powf(power));
    let floor = 10f64.powf(axes.up[0]);
    // Where a slope comes into the area, and where it ends under the registers' roof.
    let ends = |rate: f64| {
        let from = low[0].max(floor / rate);
        [(axes.x(from), axes.y(from * rate)), (axes.x(best.gflops / rate), axes.y(best.gflops))]
    };
    let [y, worse] = [axes.y(gflops.0), axes.y(gflops.1)];
    html! {
        g.roofs {
            rect.band x=(left) y=(format!("{y:.1}")) width=(right - left) height=(format!("{:.1}", worse - y)) {}
            path.roof.registers d=(format!("M{left} {y:.1}H{right}")) {}
            text.roof x=(left + 8.0) y=(format!("{:.1}", y - 7.0)) {
                "registers " (format!("{:.0}", best.gflops)) " GF/s"
            }
            @for (name, rate, worse) in slopes {
                @let [(x1, y1), (x2, y2)] = ends(rate);
                @let [(x3, y3), (x4, y4)] = ends(worse);
                @let angle = (y2 - y1).atan2(x2 - x1).to_degrees();
                path.band d=(format!("M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}L{x4:.1} {y4:.1}L{x3:.1} {y3:.1}Z")) {}
                path class=(format!("roof {}", name.to_lowercase())) d=(format!("M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}")) {}
                @let label = format!("{name} {rate:.1} GB/s");
                @if (x2 - x1).hypot(y2 - y1) > LABEL {
                    text.roof transform=(format!("translate({x2:.1} {y2:.1}) rotate({angle:.2})")) x="-16" y="-6" text-anchor="end" { (label) }
                } @else {
                    // A slope of which little is seen has its label beside it.
                    text.roof x=(format!("{:.1}", x2 + 8.0)) y=(format!("{:.1}", y2 + 18.0)) { (label) }
                }
            }
        }
    }
}

/// The numbers of the largest dots: within a dot that is large enough, else beside it where nothing else
/// stands.
fn numbers(dots: &[Dot], axes: &Axes) -> Markup {
    let [height, digit] = NUMBER;
    let center = |dot: &Dot| (axes.x(dot.intensity), axes.y(dot.executed));
    let mut taken: Vec<[f64; 4]> = dots
        .iter()
        .map(|dot| {
            let ((x, y), r) = (center(dot), dot.radius);
            [x - r, y - r, x + r, y + r]
        })
        .collect();
    let mut placed = Vec::new();
    for (index, dot) in dots.iter().enumerate().take(MOST_NUMBERS) {
        let (text, (x, y), r) = (dot.number.to_string(), center(dot), dot.radius);
        let half = digit * text.len() as f64 / 2.0;
        let gap = r + half + 3.0;
        let places = [
            (x, y),
            (x + gap, y),
            (x - gap, y),
            (x, y - r - 9.0),
            (x, y + r + 9.0),
            (x + gap, y - 9.0),
            (x + gap, y + 9.0),
        ];
        let fits_within = r >= half + 3.0;
        let free = places.into_iter().enumerate().find(|(place, (x, y))| {
            let own = [x - half, y - height / 2.0, x + half, y + height / 2.0];
            let meets =
                |other: &[f64; 4]| own[0] < other[2] && own[2] > other[0] && own[1] < other[3] && own[3] > other[1];
            let is_free = taken.iter().enumerate().all(|(of, other)| (*place == 0 && of == index) || !meets(other));
            (*place > 0 || fits_within) && is_free
        });
        if let Some((place, (x, y))) = free {
            taken.push([x - half, y - height / 2.0, x + half, y + height / 2.0]);
            placed.push((text, x, y, place == 0));
        }
    }
    html! {
        g.numbers aria-hidden="true" {
            @for (text, x, y, within) in placed {
                text class=(if within { "number within" } else { "number" }) x=(format!("{x:.1}")) y=(format!("{:.1}", y + 4.5)) text-anchor="middle" { (text) }
            }
        }
    }
}
