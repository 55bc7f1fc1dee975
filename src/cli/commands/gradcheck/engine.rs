//! The second link as it is printed: a row for each algorithm, a column for each instruction set.
//!
//! A process has one instruction set, chosen when it starts. So the others are checked by this program called
//! again, each call with `GLASSNET_SIMD` set; it draws and reads the same, and answers in JSON.

use super::subject::Subject;
use super::words::{error, mark, tell};
use crate::cli::args::GradcheckArgs;
use glassnet::gradcheck::{Base, ENGINE_TOLERANCE, EngineCheck, Gradient, check_engine};
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::kernels::simd::{self, InstructionSet};
use glassnet::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// What the second link came to.
pub struct Engine {
    rows: Vec<Row>,
}

/// The engine with one algorithm and instruction set.
#[derive(Serialize, Deserialize)]
struct Row {
    instruction_set: String,
    conv: String,
    tensors: Vec<Tensor>,
    decided_otherwise: Vec<OtherSide>,
    fused_difference: Option<String>,
    passed: bool,
}

#[derive(Serialize, Deserialize)]
struct Tensor {
    name: String,
    /// None stands for no number.
    error: Option<f64>,
    own_error: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct OtherSide {
    layer: String,
    kind: String,
    count: usize,
    of: usize,
    distance: Option<f64>,
}

impl Row {
    fn new(check: &EngineCheck) -> Row {
        Row {
            instruction_set: InstructionSet::in_force().name().into(),
            conv: check.conv.name().into(),
            passed: check.passes(),
            fused_difference: check.fused_difference.clone(),
            decided_otherwise: check
                .other_sides
                .iter()
                .map(|side| OtherSide {
                    layer: side.layer.clone(),
                    kind: side.kind.name().into(),
                    count: side.count,
                    of: side.of,
                    distance: Some(side.distance),
                })
                .collect(),
            tensors: check
                .tensors
                .iter()
                .map(|tensor| Tensor {
                    name: tensor.name.clone(),
                    error: Some(tensor.error).filter(|error| error.is_finite()),
                    own_error: Some(tensor.own_error).filter(|error| error.is_finite()),
                })
                .collect(),
        }
    }

    fn worst(&self) -> Option<&Tensor> {
        let error = |tensor: &Tensor| tensor.error.unwrap_or(f64::INFINITY);
        self.tensors.iter().max_by(|a, b| error(a).total_cmp(&error(b)))
    }
}

impl Engine {
    /// Checks the engine by every algorithm, with the instruction set in force, and unless one was asked for,
    /// with all others of this machine.
    ///
    /// # Errors
    /// Where the engine, or this program called again, cannot run.
    pub fn new(subject: &Subject, base: &Base, gradient: &Gradient, args: &GradcheckArgs) -> Result<Engine> {
        let check = |conv: &ConvPolicy| {
            check_engine(base, gradient, &subject.network, &subject.parameters, subject.batch(), *conv)
        };
        let own = ConvPolicy::ALL.par_iter().map(check).collect::<Result<Vec<_>>>()?;
        let own: Vec<Row> = own.iter().map(Row::new).collect();
        let mut rows = Vec::new();
        let alone = std::env::var_os(simd::VARIABLE).is_some();
        for set in InstructionSet::available().filter(|set| !alone && *set != InstructionSet::in_force()) {
            tell(args, &format!("The same with {} …", set.name()));
            rows.extend(rows_with(set, args)?);
        }
        rows.extend(own);
        Ok(Engine { rows })
    }

    pub fn passes(&self) -> bool {
        self.rows.iter().all(|row| row.passed)
    }

    pub fn json(&self) -> Value {
        json!({"tolerance": ENGINE_TOLERANCE, "checks": self.rows, "passed": self.passes()})
    }

    pub fn lines(&self) -> Vec<String> {
        let mut sets: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !sets.contains(&row.instruction_set.as_str()) {
                sets.push(&row.instruction_set);
            }
        }
        let mut lines = vec![
            String::new(),
            "2. The engine, f32, against the textbook's gradient: every output, every element of every gradient".into(),
            String::new(),
            format!(
                "{:<12}{}  worst tensor",
                "algorithm",
                sets.iter().map(|set| format!(" {set:>9}")).collect::<String>()
            ),
        ];
        lines.push("─".repeat(lines[3].chars().count() + 18));
        for conv in ConvPolicy::ALL {
            let of_conv: Vec<&Row> = self.rows.iter().filter(|row| row.conv == conv.name()).collect();
            let cell = |set: &&str| {
                let row = of_conv.iter().find(|row| row.instruction_set == **set);
                let worst = row.and_then(|row| row.worst());
                format!(" {:>9}", worst.map_or(String::new(), |worst| worst.error.map_or("NaN".into(), error)))
            };
            let worst = of_conv.iter().filter_map(|row| row.worst()).max_by(|a, b| {
                let error = |tensor: &Tensor| tensor.error.unwrap_or(f64::INFINITY);
                error(a).total_cmp(&error(b))
            });
            let (name, right) = (worst.map_or("", |worst| &worst.name), of_conv.iter().all(|row| row.passed));
            let cells: String = sets.iter().map(cell).collect();
            lines.push(format!("{:<12}{cells}  {name:<24} {}", conv.name(), mark(right)));
        }
        lines.push(String::new());
        lines.push(format!("Error: max|a − b| / max|b| of the worst tensor; at most {ENGINE_TOLERANCE:e} is right."));
        lines.extend(self.fused_lines());
        lines.extend(self.decided_lines());
        lines
    }

    fn fused_lines(&self) -> Vec<String> {
        let different: Vec<String> = self
            .rows
            .iter()
            .filter_map(|row| {
                let difference = row.fused_difference.as_ref()?;
                Some(format!(
                    "Fused steps of {} with {} do not have the same bits: {difference}",
                    row.conv, row.instruction_set
                ))
            })
            .collect();
        match different.is_empty() {
            true => vec!["Fused steps of convolution, ReLU and pool: the same bits as layer by layer.".into()],
            false => different,
        }
    }

    /// Where f32 stands on another side of a corner.
    fn decided_lines(&self) -> Vec<String> {
        let all: Vec<&OtherSide> = self.rows.iter().flat_map(|row| &row.decided_otherwise).collect();
        let rows = self.rows.iter().filter(|row| !row.decided_otherwise.is_empty()).count();
        if rows == 0 {
            return vec!["Every ReLU's side and every pool's argmax is that of the textbook.".into()];
        }
        let count: usize = all.iter().map(|side| side.count).sum();
        let distance = all.iter().filter_map(|side| side.distance).fold(0.0, f64::max);
        let of = self.rows.iter().map(|row| row.decided_otherwise.iter().map(|side| side.of).sum::<usize>()).max();
        vec![
            format!(
                "Sides and argmaxima decided otherwise than in f64: {count} in {rows} of the {} checks (of up to {} each), none farther",
                self.rows.len(),
                of.unwrap_or(0)
            ),
            format!(
                "from the corner than {} of the layer's largest value. The textbook then takes the engine's.",
                error(distance)
            ),
        ]
    }
}

/// The rows that this program finds when it is called again, with another instruction set.
fn rows_with(set: InstructionSet, args: &GradcheckArgs) -> Result<Vec<Row>> {
    let fail = |reason: String| Error::setting(simd::VARIABLE, format!("the check with {} {reason}", set.name()));
    let program = std::env::current_exe().map_err(|error| fail(format!("cannot begin: {error}")))?;
    let mut command = Command::new(program);
    command.args(["gradcheck", "--only", "engine", "--json", "--quiet", "--seed", &args.seed.to_string()]);
    command.args(["--threads", &rayon::current_num_threads().to_string(), "--"]);
    command.args(&args.model).args(&args.images).env(simd::VARIABLE, set.name()).stdin(Stdio::null());
    let output = command.stderr(Stdio::null()).output().map_err(|error| fail(format!("cannot begin: {error}")))?;
    let answer: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    let rows = answer.and_then(|mut answer| Vec::<Row>::deserialize(answer["engine"]["checks"].take()).ok());
    rows.ok_or_else(|| {
        fail(format!("did not end well ({}); set {}={} to see why", output.status, simd::VARIABLE, set.name()))
    })
}
