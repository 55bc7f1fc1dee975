//! Phases, causes, roofs and figures in words, the same in all views.

use crate::error::{counted, grouped};
use crate::profile::model::{Cause, Distance, Machine, Memory, PassProfile, Phase, Profile, Roof, Roofs, Row, Subject};

/// A phase's direction and layers: `forward conv2d+re_lu`, `loss`.
pub(super) fn phase_name(phase: &Phase) -> String {
    match &phase.layers {
        Some(layers) => format!("{} {layers}", phase.direction),
        None => phase.direction.clone(),
    }
}

/// What a row's work is and how it is done: `convolution winograd2x2`.
pub(super) fn work_name(row: &Row) -> String {
    format!("{} {}", row.what, row.how).trim_end().to_string()
}

/// Why a thread has nothing to do.
pub(super) fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Images => "waiting for images",
        Cause::Others => "waiting for other threads",
        Cause::Serial => "work of one thread alone",
        Cause::Handing => "handing out the work",
        Cause::Between => "between the phases",
    }
}

/// The idle time of a pass by cause, the largest first.
pub(super) fn idle_by_cause(pass: &PassProfile) -> String {
    let sum = |cause| pass.idle.iter().filter(|idle| idle.cause == cause).map(|idle| idle.ms).sum::<f64>();
    let mut causes: Vec<(f64, Cause)> = Cause::ALL.into_iter().map(|cause| (sum(cause), cause)).collect();
    causes.retain(|(ms, _)| *ms > 0.0);
    causes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let told =
        causes.iter().map(|(of, why)| format!("{} {} ms ({})", cause(*why), ms(*of), percent(of / pass.step_ms)));
    format!("idle by cause: {}", told.collect::<Vec<_>>().join(", "))
}

/// A roof in a column.
pub(super) fn roof(roof: Roof) -> &'static str {
    match roof {
        Roof::Registers => "registers",
        Roof::L2 => "L2",
        Roof::Memory => "memory",
        Roof::Nothing => "none",
    }
}

/// Milliseconds, as in all tables of `bench`; what rounds to 0 has no sign.
pub(super) fn ms(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_string() } else { text }
}

/// A share in percent, with one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A share with its sign and two decimals, for small changes.
pub(super) fn signed_percent(share: f64) -> String {
    let text = format!("{:+.2} %", 100.0 * share);
    text.replace('-', "−")
}

/// A rate in 10⁹ a second; empty where there is none.
pub(super) fn rate(value: f64) -> String {
    if value.is_finite() && value > 0.0 { format!("{value:.1}") } else { String::new() }
}

/// Bytes in 2²⁰.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1u64 << 20) as f64)
}

/// The milliseconds of all work and of all idle time, as the rows tell them.
pub(super) fn sums(pass: &PassProfile) -> [f64; 2] {
    [pass.rows.iter().map(|row| row.ms).sum(), pass.idle.iter().map(|idle| idle.ms).sum()]
}

/// What was profiled, in one line.
pub(super) fn subject(subject: &Subject) -> String {
    let [height, width, channels] = subject.input;
    let Subject { data, images, parameters, batch_size, conv, .. } = subject;
    let model = subject.model.as_deref().unwrap_or("the documented model");
    let fused = if subject.fuse { "fused" } else { "layer by layer" };
    format!(
        "{data}: {}, {model} of {} weights, batches of {batch_size} of {height}×{width}×{channels}, convolution {conv}, {fused}",
        counted(*images, "image"),
        grouped(*parameters),
    )
}

/// The processor, where it tells its name, its instructions and the threads.
pub(super) fn machine(machine: &Machine) -> String {
    let threads = counted(machine.threads, "thread");
    let processor = machine.processor.as_deref().map_or(String::new(), |name| format!("{name}, "));
    format!("{processor}{}, {threads}", machine.instruction_set)
}

/// The roofs: what each is of, its height with its unit, and its drift while the profile was taken.
pub(super) fn roofs(machine: &Machine) -> [(&'static str, String, f64); 3] {
    let Roofs { gflops, l2_gb_per_s, memory_gb_per_s } = machine.roofs();
    let [arithmetic, l2, memory] = machine.drift();
    [
        ("registers", format!("{gflops:.1} GFLOP/s in f32"), arithmetic),
        ("L2", format!("{l2_gb_per_s:.1} GB/s"), l2),
        ("memory", format!("{memory_gb_per_s:.1} GB/s"), memory),
    ]
}

/// The time of a step, and the threads' time in it.
pub(super) fn headline(pass: &PassProfile, threads: usize) -> String {
    format!(
        "{} ms a step, the mean of {} (fastest {}, median {}); × {} = {} ms of thread time",
        ms(pass.step_ms),
        pass.steps,
        ms(pass.fastest_ms),
        ms(pass.median_ms),
        counted(threads, "thread"),
        ms(pass.step_ms * threads as f64)
    )
}

/// Whether the rows add up to the whole.
pub(super) fn sum(pass: &PassProfile, threads: usize) -> String {
    let [work, idle] = sums(pass);
    let share = |part: f64| percent(part / pass.step_ms);
    format!(
        "work {} ms ({}) + idle {} ms ({}) = {} ms: {} of {} × {} ms",
        ms(work),
        share(work),
        ms(idle),
        share(idle),
        ms(work + idle),
        share(work + idle),
        counted(threads, "thread"),
        ms(pass.step_ms)
    )
}

/// The distance from the roofs and its parts.
pub(super) fn distance(distance: &Distance) -> String {
    let Distance { distance_ms, work_ms, unroofed_ms, idle_ms, unexplained_ms, explained, floor_ms } = *distance;
    let above = format!("The step is {distance_ms:.2} ms above its roofs, on which it would take {floor_ms:.2} ms");
    if !explained.is_finite() {
        return format!("{above}.");
    }
    format!(
        "{above}; {:.0} % of that is explained: {work_ms:.2} ms are work slower than its roof, {unroofed_ms:.2} ms work that has no \
         roof, {idle_ms:.2} ms idle threads. Left are {unexplained_ms:.2} ms in which no thread was at work.",
        100.0 * explained
    )
}

/// The numbers of threads for which a step is estimated.
const ESTIMATED_THREADS: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// What a step would take on other numbers of threads.
pub(super) fn estimates(pass: &PassProfile, recorded: usize) -> String {
    let others = ESTIMATED_THREADS.into_iter().filter(|threads| *threads != recorded);
    let told: Vec<String> = others
        .map(|threads| format!("{:.2} ms on {}", pass.estimate(recorded, threads), counted(threads, "thread")))
        .collect();
    format!(
        "By its pieces, a step would take {}. That cores share caches and a clock is not in this estimate.",
        told.join(", ")
    )
}

/// What recording cost, measured and calculated, and whether all was recorded.
pub(super) fn cost(pass: &PassProfile) -> String {
    let cost = &pass.cost;
    let [low, high] = cost.interval.map(signed_percent);
    let dropped = match cost.dropped {
        0 => "None was dropped.".to_string(),
        1 => "1 span was dropped, for want of room: the figures lack it.".to_string(),
        many => format!("{many} spans were dropped, for want of room: the figures lack them."),
    };
    format!(
        "Recording changed the time of a step by {}, measured on {} of steps with and without it (95 % between {low} and {high}). By \
         calculation it is {:.3} %: {:.0} spans a step at {:.0} ns each. {dropped}",
        signed_percent(cost.measured),
        counted(cost.pairs, "pair"),
        100.0 * cost.calculated,
        cost.spans,
        cost.span_ns
    )
}

/// The most memory that the process held.
pub(super) fn peak(memory: &Memory) -> String {
    let known: u64 = memory.purposes.iter().map(|purpose| purpose.bytes).sum();
    match memory.peak_bytes {
        Some(peak) => format!("{} for these purposes; the process held {} at most", mebibytes(known), mebibytes(peak)),
        None => {
            format!("{} for these purposes; what the process held in all the system does not tell", mebibytes(known))
        }
    }
}

/// The passes and their time, for a title.
pub(super) fn title(profile: &Profile) -> String {
    let told = profile.passes.iter().map(|pass| format!("{} {} ms", pass.name, ms(pass.step_ms)));
    told.collect::<Vec<_>>().join(", ")
}
