//! `glassnet bench ranks`: what several processes would gain, before anybody has them.

use super::machine::{machine_json, machine_lines, peaks};
use crate::cli::args::bench::RanksArgs;
use crate::cli::input::model::{Origin, check_takes_images, read_spec};
use crate::cli::machine::memory::Memory;
use crate::cli::machine::pool::thread_pool;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console;
use glassnet::bench::ranks::{LINKS, RankFigures, measure};
use glassnet::error::counted;
use glassnet::network::Network;
use glassnet::optim::Rule;
use glassnet::plan::PlanOptions;
use glassnet::spec::ModelSpec;
use glassnet::training::TrainSettings;
use serde_json::{Value, json};

/// Measures with each number of ranks.
pub fn run(args: &RanksArgs) -> CommandResult {
    let spec = args.model.as_deref().map_or_else(|| Ok(ModelSpec::documented()), read_spec)?;
    let network = Origin { file: args.model.as_deref(), image_size: args.image_size }.network(spec)?;
    check_takes_images(&network)?;
    let pool = thread_pool(args.threads.threads)?;
    let batch = |ranks: usize| if args.per_rank { args.batch_size * ranks } else { args.batch_size };
    for ranks in args.ranks.iter().copied().chain([1]) {
        let (options, rule) = (PlanOptions::default(), Rule::default());
        let memory = pool.install(|| Memory::of_rank(&network, batch(ranks), options, rule, ranks));
        memory.check_training(batch(ranks))?;
    }
    let peaks = peaks(std::slice::from_ref(&pool));
    let settings = TrainSettings::default();
    let measured = |ranks: usize| pool.install(|| measure(&network, &settings, batch(ranks), ranks, args.steps));
    let alone = measured(1)?;
    let figures = args.ranks.iter().filter(|&&ranks| ranks > 1).map(|&ranks| measured(ranks));
    let figures = std::iter::once(Ok(alone)).chain(figures).collect::<glassnet::Result<Vec<_>>>()?;
    if args.json {
        let rows: Vec<Value> = figures.iter().map(|row| as_json(row, &figures[0])).collect();
        console::print_json(&json!({
            "machine": machine_json(&peaks),
            "parameters": network.table().parameter_count(),
            "links": LINKS,
            "ranks": rows,
        }))?;
        return Ok(Outcome::Done);
    }
    machine_lines(&peaks).iter().chain(&heading(args, &network)).try_for_each(|line| console::print(line))?;
    console::print("")?;
    console::aligned(&table(&figures)).iter().try_for_each(|line| console::print(line))?;
    console::print("")?;
    LEGEND.iter().try_for_each(|line| console::print(line))?;
    Ok(Outcome::Done)
}

/// What the columns are.
const LEGEND: [&str; 6] = [
    "Measured here: the work of rank 0, which has the largest share, in a step, with all threads of this machine.",
    "Counted: what it sends in a step; it receives as much.",
    "Reckoned: a step on a network, work + messages · 10 µs + bytes / 1.1 GB/s on 10 GbE, 3 µs and 10 GB/s on 100 GbE;",
    "and how many images a second that is, of one rank's. Nothing is sent while a rank works.",
    "Every number of ranks ends with the same bits. Large dense kernels stay where they are: each rank owns rows.",
    "Where a batch has fewer slots than ranks, some ranks have no images, and more of them gain nothing.",
];

fn heading(args: &RanksArgs, network: &Network) -> [String; 1] {
    let batch = match args.per_rank {
        true => format!("batches of {} for each rank", args.batch_size),
        false => format!("batches of {}, all ranks together", args.batch_size),
    };
    let parameters = network.table().parameter_count();
    [format!("{parameters} parameters, {batch}, {}", counted(args.steps, "step"))]
}

/// Images a second on a network, of those of one rank.
fn gains(row: &RankFigures, alone: &RankFigures) -> [f64; LINKS.len()] {
    let rate = |row: &RankFigures, seconds: f64| row.batch as f64 / seconds;
    LINKS.map(|link| rate(row, row.step_seconds(link)) / rate(alone, alone.work_ms.median / 1e3))
}

fn table(figures: &[RankFigures]) -> Vec<Vec<String>> {
    let mut head: Vec<String> = ["ranks", "batch", "share", "work ms", "messages", "MB sent"].map(String::from).into();
    head.extend(LINKS.iter().flat_map(|link| [format!("{}: ms", link.name), "gain".into()]));
    let row = |row: &RankFigures| {
        let mut cells = vec![
            row.ranks.to_string(),
            row.batch.to_string(),
            row.share.to_string(),
            format!("{:.1}", row.work_ms.median),
            row.traffic.messages.to_string(),
            format!("{:.2}", row.traffic.bytes as f64 / 1e6),
        ];
        for (link, gain) in LINKS.iter().zip(gains(row, &figures[0])) {
            cells.extend([format!("{:.1}", 1e3 * row.step_seconds(*link)), format!("×{gain:.1}")]);
        }
        cells
    };
    std::iter::once(head).chain(figures.iter().map(row)).collect()
}

fn as_json(row: &RankFigures, alone: &RankFigures) -> Value {
    let links = LINKS.iter().zip(gains(row, alone));
    let reckoned: Vec<Value> = links
        .map(|(link, gain)| json!({ "link": link.name, "step_ms": 1e3 * row.step_seconds(*link), "gain": gain }))
        .collect();
    let mut object = json!(row);
    object["reckoned"] = reckoned.into();
    object
}
