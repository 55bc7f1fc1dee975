//! A profile as a run of the documented network might give it: its steps are played through, piece by piece,
//! and all figures are summed up from these pieces.

use glassnet::profile::model::*;

/// How large the profile is.
#[derive(Clone, Copy)]
pub struct Size {
    pub threads: usize,
    /// Recorded steps of each pass.
    pub steps: usize,
    /// Copies of the network's three convolutions, one behind the other.
    pub depth: usize,
}

pub const USUAL: Size = Size { threads: 2, steps: 4, depth: 1 };

/// Work of a phase: what, how, pieces, microseconds a piece, GFLOP of the direct algorithm, executed ones,
/// MB, roof and the convolution.
#[derive(Clone)]
struct Work(&'static str, &'static str, usize, f64, f64, f64, f64, Roof, Option<&'static str>);

/// A phase that is played: its direction, layers and work.
type Played = (&'static str, Option<String>, Vec<Work>);

/// The roofs of so many threads, each a share of those of two.
fn roofs(threads: usize, shares: [f64; 3]) -> Roofs {
    let [gflops, l2, memory] = shares.map(|share| share * threads as f64 / 2.0);
    Roofs { gflops: 214.0 * gflops, l2_gb_per_s: 96.0 * l2, memory_gb_per_s: 21.5 * memory }
}

const FIRST: &str = "n16h128w128c3f32k3";
const SECOND: &str = "n16h63w63c32f64k3";
const THIRD: &str = "n16h30w30c64f128k3";

/// The profile of this size.
pub fn profile(size: Size) -> Profile {
    let blocks = |direction: &'static str, works: [Vec<Work>; 3]| {
        let copies = (0..size.depth).flat_map(move |copy| {
            let works = works.clone();
            works.into_iter().enumerate().map(move |(index, works)| {
                let number = 3 * copy + index;
                let end = if number == 0 { String::new() } else { format!("_{number}") };
                (direction, Some(format!("conv2d{end}+re_lu{end}+max_pooling2d{end}")), works)
            })
        });
        let mut copies: Vec<Played> = copies.collect();
        if direction == "backward" {
            copies.reverse();
        }
        copies
    };
    let conv = "convolution";
    let pool = |us: f64, mb: f64| Work("ReLU and max-pool", "", 16, us, 0.0, 0.0, mb, Roof::L2, None);
    let forward = [
        vec![Work(conv, "direct", 16, 340.0, 0.439, 0.439, 19.5, Roof::Registers, Some(FIRST)), pool(62.0, 42.0)],
        vec![Work(conv, "winograd2x2", 16, 700.0, 2.195, 0.976, 22.9, Roof::Registers, Some(SECOND)), pool(31.0, 19.0)],
        vec![Work(conv, "winograd2x2", 16, 620.0, 1.85, 0.823, 10.2, Roof::Registers, Some(THIRD)), pool(16.0, 9.0)],
    ];
    let weights = "weights' gradient";
    let backward = [
        vec![Work(weights, "direct", 16, 140.0, 0.439, 0.11, 19.5, Roof::L2, Some(FIRST))],
        vec![
            Work("input's gradient", "sparse", 16, 400.0, 2.195, 0.55, 22.9, Roof::Registers, Some(SECOND)),
            Work(weights, "sparse", 16, 420.0, 2.195, 0.55, 22.9, Roof::Registers, Some(SECOND)),
        ],
        vec![
            Work("input's gradient", "sparse", 16, 330.0, 1.85, 0.46, 10.2, Roof::Registers, Some(THIRD)),
            Work(weights, "sparse", 16, 350.0, 1.85, 0.46, 10.2, Roof::Registers, Some(THIRD)),
        ],
    ];
    let dense = |what, us, mb| vec![Work(what, "", 8, us, 0.0, 0.051, mb, Roof::Memory, None)];
    let named = |name: &str| Some(name.to_string());
    let mut training: Vec<Played> = vec![("images", None, vec![])];
    training.extend(blocks("forward", forward.clone()));
    training.push(("forward", named("flatten+dense"), dense("product", 220.0, 13.6)));
    training.push(("forward", named("re_lu_3"), vec![Work("ReLU", "", 1, 1.2, 0.0, 0.0, 0.02, Roof::L2, None)]));
    training.push((
        "forward",
        named("dropout"),
        vec![Work("dropout", "", 1, 6.5, 0.0, 0.0, 0.02, Roof::Nothing, None)],
    ));
    training.push(("loss", None, vec![Work("loss", "", 1, 3.0, 0.0, 0.0, 0.01, Roof::Nothing, None)]));
    training.push(("backward", named("flatten+dense"), dense("gradients", 420.0, 27.2)));
    training.extend(blocks("backward", backward));
    training.push(("optimizer", None, vec![Work("Adam", "", 12, 760.0, 0.0, 0.1, 81.6, Roof::Memory, None)]));
    let mut inference: Vec<Played> = vec![("images", None, vec![])];
    inference.extend(blocks("forward", forward));
    inference.push(("forward", named("flatten+dense"), dense("product", 210.0, 13.6)));
    Profile {
        machine: Machine {
            processor: Some("AMD EPYC 9B14".into()),
            instruction_set: "avx512".into(),
            threads: size.threads,
            before: roofs(size.threads, [1.0; 3]),
            after: roofs(size.threads, [0.987, 0.991, 0.949]),
        },
        subject: Subject {
            data: "data/liver-phantom".into(),
            images: 400,
            model: None,
            input: [128, 128, 3],
            parameters: 3_304_769,
            batch_size: 16,
            conv: "auto".into(),
            fuse: true,
        },
        passes: vec![played("training step", &training, size), played("inference", &inference, size)],
        memory: memory(),
    }
}

fn memory() -> Memory {
    let purposes = [
        ("outputs kept for the backward pass", 96_400_000),
        ("Adam's moments", 26_438_152),
        ("work space of the algorithms", 18_874_368),
        ("weights", 13_219_076),
        ("gradients of the weights", 13_219_076),
        ("decoded images", 12_582_912),
    ];
    let purposes = purposes.map(|(purpose, bytes)| Purpose { purpose: purpose.into(), bytes });
    Memory { purposes: purposes.into(), peak_bytes: Some(214_958_080) }
}

/// What the hardware might have counted in each phase.
pub fn counted(pass: &PassProfile) -> Counters {
    let counts = |(phase, Phase { work_ms, .. }): (usize, &Phase)| PhaseCounts {
        phase,
        instructions: work_ms * 5.1e6,
        cycles: work_ms * 3.2e6,
        memory_bytes: work_ms * 4.4e6,
    };
    Counters::Counted(pass.phases.iter().enumerate().map(counts).collect())
}

/// A share from 0 to 1, the next of a series that is always the same.
fn next(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 40) as f64 / (1u64 << 24) as f64
}

/// The pass in which these phases are played through.
fn played(name: &str, phases: &[Played], size: Size) -> PassProfile {
    let Size { threads, steps, .. } = size;
    let between = phases.len();
    let works: Vec<(usize, &Work)> = phases
        .iter()
        .enumerate()
        .flat_map(|(phase, (_, _, works))| works.iter().map(move |work| (phase, work)))
        .collect();
    let mut idle_us = vec![[0.0; 5]; between + 1];
    let mut phase_us = vec![0.0; between + 1];
    let mut row_us = vec![0.0; works.len()];
    let (mut timeline, mut state, mut now) = (Vec::new(), 7, 0.0);
    for step in 0..steps {
        let mut played = TimelineStep { step, start_us: now, end_us: 0.0, phases: vec![], spans: vec![] };
        for (phase, (direction, _, own)) in phases.iter().enumerate() {
            let gap = 1.5 + 3.0 * next(&mut state);
            phase_us[between] += gap;
            idle_us[between][4] += gap;
            now += gap;
            let start = now;
            let wait =
                if *direction == "images" { 160.0 + 90.0 * next(&mut state) } else { 2.0 + 4.0 * next(&mut state) };
            idle_us[phase][if *direction == "images" { 0 } else { 3 }] += wait;
            now += wait;
            let mut free = vec![now; threads];
            let pieces: usize = own.iter().map(|work| work.2).sum();
            for (row, (_, work)) in works.iter().enumerate().filter(|(_, (of, _))| *of == phase) {
                for _ in 0..work.2 {
                    let thread = (0..threads).min_by(|a, b| free[*a].total_cmp(&free[*b])).unwrap();
                    let us = work.3 * (0.95 + 0.12 * next(&mut state));
                    let end = free[thread] + us;
                    played.spans.push(TimelineSpan { thread, row, start_us: free[thread], end_us: end });
                    row_us[row] += us / threads as f64;
                    free[thread] = end + 0.05;
                }
            }
            let end = free.iter().copied().fold(now, f64::max);
            let begun = now;
            let cause = if pieces == 1 { 2 } else { 1 };
            let worked: f64 =
                played.spans.iter().filter(|span| span.start_us >= begun).map(|s| s.end_us - s.start_us).sum();
            idle_us[phase][cause] += (end - begun) - worked / threads as f64;
            now = end;
            phase_us[phase] += now - start;
            played.phases.push(TimelinePhase { phase, start_us: start, end_us: now });
        }
        played.end_us = now;
        played.spans.sort_by(|a, b| (a.thread, a.start_us).partial_cmp(&(b.thread, b.start_us)).unwrap());
        timeline.push(played);
    }
    let step_ms = now / 1e3 / steps as f64;
    let ms = |us: f64| us / 1e3 / steps as f64;
    let mut rows: Vec<(usize, Row)> = works
        .iter()
        .enumerate()
        .map(|(row, (phase, work))| (row, as_row(*phase, work, ms(row_us[row]), step_ms, roofs(threads, [1.0; 3]))))
        .collect();
    rows.sort_by(|a, b| b.1.to_win_ms.total_cmp(&a.1.to_win_ms));
    for span in timeline.iter_mut().flat_map(|step| &mut step.spans) {
        span.row = rows.iter().position(|(row, _)| *row == span.row).unwrap();
    }
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let causes = [Cause::Images, Cause::Others, Cause::Serial, Cause::Handing, Cause::Between];
    let entry = |(phase, us): (usize, &[f64; 5])| {
        let entries = causes.into_iter().zip(*us).filter(|(_, us)| *us > 0.0);
        entries.map(|(cause, us)| Idle { phase, cause, ms: ms(us), share: ms(us) / step_ms }).collect::<Vec<_>>()
    };
    let mut idle: Vec<Idle> = idle_us.iter().enumerate().flat_map(entry).collect();
    idle.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    let named = phases.iter().map(|(direction, layers, _)| (*direction, layers.clone())).chain([("between", None)]);
    let phases = named.enumerate().map(|(phase, (direction, layers))| Phase {
        direction: direction.into(),
        layers,
        ms: ms(phase_us[phase]),
        work_ms: rows.iter().filter(|row| row.phase == phase).map(|row| row.ms).sum(),
        idle_ms: ms(idle_us[phase].iter().sum()),
    });
    let spans = timeline.iter().map(|step| step.spans.len()).sum::<usize>() as f64 / steps as f64;
    PassProfile {
        name: name.into(),
        steps,
        step_ms,
        fastest_ms: step_ms * 0.98,
        median_ms: step_ms * 0.997,
        phases: phases.collect(),
        distance: distance(&rows, &idle, step_ms),
        rows,
        idle,
        cost: Cost {
            spans,
            dropped: 0,
            span_ns: 41.0,
            calculated: spans * 41e-6 / step_ms / threads as f64,
            pairs: 20,
            measured: 0.0012,
            interval: [-0.0009, 0.0031],
        },
        counters: Counters::Unavailable("The kernel lets nobody count here: perf_event_paranoid is 4.".into()),
        timeline,
    }
}

fn as_row(phase: usize, work: &Work, ms: f64, step_ms: f64, roofs: Roofs) -> Row {
    let Work(what, how, pieces, _, direct_gflop, executed_gflop, megabytes, roof, convolution) = work.clone();
    let floor_ms = match roof {
        Roof::Registers => executed_gflop / roofs.gflops * 1e3,
        Roof::L2 => megabytes / roofs.l2_gb_per_s,
        Roof::Memory => megabytes / roofs.memory_gb_per_s,
        Roof::Nothing => 0.0,
    };
    let replay = convolution.map(|name| format!("glassnet bench conv {name} --algorithm {how} --threads 2"));
    Row {
        phase,
        what: what.into(),
        how: how.into(),
        spans: pieces as f64,
        serial: pieces == 1,
        ms,
        share: ms / step_ms,
        direct_gflop,
        executed_gflop,
        megabytes,
        roof,
        floor_ms,
        to_win_ms: (ms - floor_ms).max(0.0),
        descriptor: convolution.map(String::from),
        replay,
        why: match how {
            "" => vec![],
            how => vec![
                format!("{how}: the first of the rule's list that can do this convolution"),
                "winograd: not while training, as its rounding would change the losses".into(),
            ],
        },
    }
}

fn distance(rows: &[Row], idle: &[Idle], step_ms: f64) -> Distance {
    let sum = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).sum::<f64>();
    let has_roof = |row: &Row| row.roof != Roof::Nothing;
    let idle_of = |no_work: bool| {
        let of = idle.iter().filter(|idle| matches!(idle.cause, Cause::Handing | Cause::Between) == no_work);
        of.map(|idle| idle.ms).sum::<f64>()
    };
    let floor_ms = sum(&|row| row.floor_ms.min(row.ms));
    let distance_ms = step_ms - floor_ms;
    Distance {
        floor_ms,
        distance_ms,
        work_ms: sum(&|row| if has_roof(row) { row.to_win_ms } else { 0.0 }),
        unroofed_ms: sum(&|row| if has_roof(row) { 0.0 } else { row.ms }),
        idle_ms: idle_of(false),
        unexplained_ms: idle_of(true),
        explained: 1.0 - idle_of(true) / distance_ms,
    }
}
