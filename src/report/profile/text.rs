//! The table of the terminal.

use super::words;
use crate::profile::model::{Counters, PassProfile, PhaseCounts, Profile, Row};
use crate::report::wrapped::wrapped;

/// The most rows of work that are printed: on the page and in `profile.json` are all.
const MOST_ROWS: usize = 24;

/// The most rows of idle time that are printed.
const MOST_IDLE: usize = 10;

/// The fewest columns of a phase's name, however narrow the terminal.
const LEAST_NAME: usize = 20;

/// The fewest columns of a sentence.
const LEAST_WIDTH: usize = 40;

/// The columns of figures in the table of work, their spaces included.
const FIGURES: usize = 73;

/// Returns the whole report, made to fit into `width` columns where the names allow it. Names stand in it as
/// they are: whoever prints it sees to it that they keep to their lines.
pub fn lines(profile: &Profile, width: usize) -> Vec<String> {
    let width = width.max(LEAST_WIDTH);
    let threads = profile.machine.threads;
    let roofs = words::roofs(&profile.machine)
        .map(|(of, height, drift)| format!("{of} {height} ({} by the end)", words::signed_percent(drift)));
    let mut lines = vec![
        words::machine(&profile.machine),
        format!("roofs of all threads: {}", roofs.join(", ")),
        words::subject(&profile.subject),
    ];
    for pass in &profile.passes {
        lines.extend([String::new(), format!("{}: {}", pass.name, words::headline(pass, threads))]);
        lines.extend(work(pass, width));
        lines.extend(idle(pass, width));
        lines.extend(wrapped(&words::idle_by_cause(pass), width));
        lines.extend(wrapped(&words::sum(pass, threads), width));
        lines.push(String::new());
        lines.extend(wrapped(&words::distance(&pass.distance), width));
        lines.extend(wrapped(&words::estimates(pass, threads), width));
        lines.extend(wrapped(&words::cost(pass), width));
        lines.extend(counters(pass, width));
    }
    lines.push(String::new());
    lines.extend(memory(profile));
    lines.push(String::new());
    lines.extend(LEGEND.iter().flat_map(|line| wrapped(line, width)));
    lines
}

/// Returns, for each row of each pass, why it is done by its algorithm, and the command that runs it alone.
pub fn why_lines(profile: &Profile) -> Vec<String> {
    let mut lines = Vec::new();
    for pass in &profile.passes {
        let told = pass.rows.iter().filter(|row| !row.why.is_empty() || row.replay.is_some());
        for row in told {
            let name = words::phase_name(&pass.phases[row.phase]);
            lines.push(String::new());
            lines.push(format!("{}: {}, {name}, {} ms", pass.name, words::work_name(row), words::ms(row.ms)));
            lines.extend(row.why.iter().map(|why| format!("  {why}")));
            lines.extend(row.replay.iter().map(|replay| format!("  $ {replay}")));
        }
    }
    lines
}

/// The legend under the tables.
const LEGEND: [&str; 3] = [
    "ms: thread time divided by the threads, so that all rows add up to the step. Direct GF/s count the arithmetic of direct \
     convolution, 2·N·P·K·F, and may pass the roof where an algorithm saves some; executed GF/s are what the registers do.",
    "floor: the time on the nearest roof. to win: what the step would save if the row stood there.",
    "Roofs are the better of before and after; a drift of more than a few percent says that the machine had something else to do.",
];

/// The table of the work.
fn work(pass: &PassProfile, width: usize) -> Vec<String> {
    let names: Vec<[String; 2]> = pass.rows.iter().map(|row| names_of(pass, row)).collect();
    let printed = printed(pass.rows.len(), MOST_ROWS);
    let [what, phase] = widths(&names[..printed], width.saturating_sub(FIGURES));
    let line = |name: [&str; 2], cells: [&str; 8]| {
        let [ms, share, direct, executed, roof, floor, win, spans] = cells;
        let figures = format!("{ms:>8} {share:>7} {spans:>6} {direct:>9} {executed:>9} {roof:>9} {floor:>8} {win:>8}");
        format!("{} {} {figures}", fitted(name[0], what), fitted(name[1], phase)).trim_end().to_string()
    };
    let heading = ["ms", "share", "direct", "executed", "roof", "floor", "to win", "spans"];
    let mut lines =
        vec![line(["work", "phase"], heading), line(["", ""], ["", "", "GF/s", "GF/s", "", "ms", "ms", ""])];
    lines.push("─".repeat(what + phase + FIGURES));
    for (row, [what, phase]) in pass.rows.iter().zip(&names).take(printed) {
        let cells = [
            &words::ms(row.ms),
            &words::percent(row.share),
            &words::rate(row.direct_gflops()),
            &words::rate(row.executed_gflops()),
            words::roof(row.roof),
            &words::ms(row.floor_ms),
            &words::ms(row.to_win_ms),
            &format!("{:.0}", row.spans),
        ];
        lines.push(line([what, phase], cells.map(|cell| cell as &str)));
    }
    let rest = &pass.rows[printed..];
    if !rest.is_empty() {
        let sum = |of: fn(&Row) -> f64| rest.iter().map(of).sum::<f64>();
        let figures = [sum(|row| row.ms), sum(|row| row.floor_ms), sum(|row| row.to_win_ms)].map(words::ms);
        let [share, spans] = [words::percent(sum(|row| row.share)), format!("{:.0}", sum(|row| row.spans))];
        let name = format!("{} more rows", rest.len());
        lines.push(line([&name, ""], [&figures[0], &share, "", "", "", &figures[1], &figures[2], &spans]));
    }
    lines
}

/// The table of the idle time.
fn idle(pass: &PassProfile, width: usize) -> Vec<String> {
    let name = |index: usize| {
        let idle = &pass.idle[index];
        [words::cause(idle.cause).to_string(), words::phase_name(&pass.phases[idle.phase])]
    };
    let names: Vec<[String; 2]> = (0..pass.idle.len()).map(name).collect();
    let printed = printed(names.len(), MOST_IDLE);
    let [cause, phase] = widths(&names[..printed], width.saturating_sub(FIGURES));
    let line = |names: [&str; 2], ms: &str, share: &str| {
        format!("{} {} {ms:>8} {share:>7}", fitted(names[0], cause), fitted(names[1], phase)).trim_end().to_string()
    };
    let mut lines = vec![String::new(), line(["idle", "phase"], "ms", "share"), "─".repeat(cause + phase + 18)];
    for (idle, [cause, phase]) in pass.idle.iter().zip(&names).take(printed) {
        lines.push(line([cause, phase], &words::ms(idle.ms), &words::percent(idle.share)));
    }
    let rest = &pass.idle[printed..];
    if !rest.is_empty() {
        let [ms, share] = [rest.iter().map(|idle| idle.ms).sum(), rest.iter().map(|idle| idle.share).sum::<f64>()];
        lines.push(line([&format!("{} more rows", rest.len()), ""], &words::ms(ms), &words::percent(share)));
    }
    lines.push("─".repeat(cause + phase + 18));
    lines
}

/// What the hardware counted, or why it did not.
fn counters(pass: &PassProfile, width: usize) -> Vec<String> {
    let counts = match &pass.counters {
        Counters::Counted(counts) => counts,
        Counters::Unavailable(why) => return wrapped(&format!("No hardware counters: {why}"), width),
    };
    let names: Vec<String> = counts.iter().map(|counts| words::phase_name(&pass.phases[counts.phase])).collect();
    let longest = names.iter().map(|name| columns(name)).max().unwrap_or(0).max("counted in".len());
    let name_width = longest.min(width.saturating_sub(48).max(LEAST_NAME));
    let line = |name: &str, cells: [&str; 4]| {
        let [instructions, cycles, ipc, bytes] = cells;
        format!("{} {instructions:>14} {cycles:>10} {ipc:>6} {bytes:>14}", fitted(name, name_width))
    };
    let mut lines = vec![
        String::new(),
        line("counted in", ["Minstructions", "Mcycles", "IPC", "MB of memory"]),
        "─".repeat(name_width + 48),
    ];
    for (counts, name) in counts.iter().zip(&names) {
        let PhaseCounts { instructions, cycles, memory_bytes, .. } = counts;
        let millions = |value: f64| format!("{:.2}", value / 1e6);
        let ipc = if *cycles > 0.0 { format!("{:.2}", instructions / cycles) } else { String::new() };
        lines.push(line(name, [&millions(*instructions), &millions(*cycles), &ipc, &millions(*memory_bytes)]));
    }
    lines
}

/// The memory by purpose.
fn memory(profile: &Profile) -> Vec<String> {
    let purposes = &profile.memory.purposes;
    let longest = purposes.iter().map(|purpose| columns(&purpose.purpose)).max().unwrap_or(0);
    let mut lines = vec![format!("memory of the training run: {}", words::peak(&profile.memory))];
    lines.extend(
        purposes
            .iter()
            .map(|purpose| format!("  {} {:>10}", fitted(&purpose.purpose, longest), words::mebibytes(purpose.bytes))),
    );
    lines
}

/// How many of so many rows are printed: a line that says *1 more row* would be no shorter than the row.
fn printed(rows: usize, most: usize) -> usize {
    if rows <= most + 1 { rows } else { most }
}

fn names_of(pass: &PassProfile, row: &Row) -> [String; 2] {
    [words::work_name(row), words::phase_name(&pass.phases[row.phase])]
}

/// The widths of two columns of names, the second of which is cut where both do not fit into `width`.
fn widths(names: &[[String; 2]], width: usize) -> [usize; 2] {
    let longest = |column: usize| names.iter().map(|names| columns(&names[column])).max().unwrap_or(0).max(5);
    let first = longest(0).max("99 more rows".len());
    [first, longest(1).min(width.saturating_sub(first).max(LEAST_NAME))]
}

/// The columns that a name takes. Wide characters, as of Chinese, are counted as one: few names have them.
fn columns(name: &str) -> usize {
    name.chars().count()
}

/// A name in a column: filled up with spaces, or cut in the middle, so that its beginning and its end are
/// seen.
fn fitted(name: &str, width: usize) -> String {
    let length = columns(name);
    if length <= width {
        return format!("{name}{}", " ".repeat(width - length));
    }
    let end = (width - 1) / 2;
    let begin: String = name.chars().take(width - 1 - end).collect();
    begin + "…" + &name.chars().skip(length - end).collect::<String>()
}
