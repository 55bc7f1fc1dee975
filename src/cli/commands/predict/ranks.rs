//! The answers of `predict` as lines, as a table and as JSON.

use crate::cli::args::Unsure;
use crate::cli::terminal::console;
use glassnet::checkpoint::Checkpoint;
use glassnet::classes::{Classes, Label};
use glassnet::data::decode::Rgb8;
use glassnet::files::write_table;
use glassnet::head::Head;
use glassnet::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;

/// The answer to an image.
pub struct Answer {
    pub name: String,
    /// The class that it is taken for.
    pub class: Label,
    /// As the network's head gives them.
    pub probabilities: Vec<f32>,
    /// Of several models the standard deviation of each.
    pub deviations: Option<Vec<f32>>,
    /// The image, where it will be plotted.
    pub pixels: Option<Rgb8>,
}

/// A class as it is told of an answer: its probability, and of several models the standard deviation.
struct Ranked {
    class: Label,
    probability: f32,
    deviation: Option<f32>,
}

/// What is told of each answer: of two classes the probability of the positive one, as long as nobody asks
/// for the most probable ones; else these, so many of them. Of several models their spread comes last.
pub struct Ranks<'a> {
    classes: &'a Classes,
    head: Head,
    /// `--top`, where it was given.
    top: Option<usize>,
    /// `--unsure`, where it was given.
    unsure: Option<Unsure>,
    /// True where several models answer.
    is_spread: bool,
}

/// The answer where there is none.
const UNSURE: &str = "unsure";

impl<'a> Ranks<'a> {
    /// # Errors
    /// [`Error::Setting`], where more are asked for than there are classes.
    pub fn of(top: Option<usize>, unsure: Option<Unsure>, model: &'a Checkpoint, models: usize) -> Result<Ranks<'a>> {
        let (classes, head) = (&model.card.classes, model.network.head());
        match top.filter(|&top| top > classes.count()) {
            None => Ok(Ranks { classes, head, top, unsure, is_spread: models > 1 }),
            Some(top) => {
                let reason = format!("the model tells {} classes apart; give at most as many", classes.count());
                Err(Error::value("--top", top, reason))
            }
        }
    }

    /// The name of the positive class, where its probability is what is told.
    fn positive(&self) -> Option<&'a str> {
        self.classes.positive().filter(|_| self.top.is_none())
    }

    /// The most probable classes of an answer, of equals the first.
    fn top(&self, answer: &Answer) -> Vec<Ranked> {
        let mut ranked = self.all(answer);
        // Sorting keeps the order of equals.
        ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        ranked.truncate(self.top.unwrap_or(1));
        ranked
    }

    /// The name of the class of an answer, or that there is none.
    pub fn name(&self, answer: &Answer) -> &'a str {
        match self.unsure.filter(|unsure| unsure.covers(self.probability(answer))) {
            Some(_) => UNSURE,
            None => &self.classes[answer.class],
        }
    }

    /// Writes `file,class`, the probability of every class and, of several models, its standard deviation.
    pub fn write_csv(&self, path: &Path, answers: &[Answer]) -> Result<()> {
        let kinds = ["p", "sd"].into_iter().take(if self.is_spread { 2 } else { 1 });
        let columns: Vec<String> =
            kinds.flat_map(|kind| self.classes.names().map(move |name| format!("{kind}({name})"))).collect();
        let heading = ["file", "class"].into_iter().chain(columns.iter().map(String::as_str));
        let rows = answers.iter().map(|answer| {
            let all = self.all(answer);
            let probabilities = all.iter().map(|ranked| ranked.probability);
            let numbers = probabilities.chain(all.iter().filter_map(|ranked| ranked.deviation));
            (&answer.name, self.name(answer), numbers.collect::<Vec<f32>>())
        });
        write_table(path, &heading.collect::<Vec<&str>>(), rows)
    }

    /// All classes in their order.
    fn all(&self, answer: &Answer) -> Vec<Ranked> {
        let (probabilities, deviations) = match (&answer.probabilities[..], answer.deviations.as_deref()) {
            // Of one unit the other class has what is left to 1, and the same spread.
            (&[positive], deviations) => {
                (vec![1.0 - positive, positive], deviations.map(|deviations| vec![deviations[0]; 2]))
            }
            (probabilities, deviations) => (probabilities.to_vec(), deviations.map(<[f32]>::to_vec)),
        };
        let ranked = |(class, probability): (Label, f32)| {
            let deviation = deviations.as_ref().map(|deviations| deviations[class.index()]);
            Ranked { class, probability, deviation }
        };
        self.classes.labels().zip(probabilities).map(ranked).collect()
    }

    /// The class whose probability is told of an answer: the positive one, or that which it was taken for.
    fn told(&self, answer: &Answer) -> Ranked {
        let class = if self.classes.two().is_some() { Label::POSITIVE } else { answer.class };
        self.all(answer).swap_remove(class.index())
    }

    /// The probability that is told of an answer.
    pub fn probability(&self, answer: &Answer) -> f64 {
        match self.classes.two() {
            Some(_) => f64::from(self.head.positive(&answer.probabilities)),
            None => f64::from(answer.probabilities[answer.class.index()]),
        }
    }

    /// The first line, whose parts are names of columns.
    pub fn heading(&self) -> String {
        let rank = |rank: usize| if rank == 0 { String::new() } else { format!("_{}", rank + 1) };
        let ranks = || (0..self.top.unwrap_or(1)).map(rank);
        let columns: Vec<String> = match self.positive() {
            Some(positive) => vec![format!("class\tp({})", console::one_line(positive))],
            None => ranks().map(|rank| format!("class{rank}\tprobability{rank}")).collect(),
        };
        let spread = ranks().map(|rank| format!("sd{rank}")).filter(|_| self.is_spread);
        std::iter::once("file".to_string()).chain(columns).chain(spread).collect::<Vec<String>>().join("\t")
    }

    /// The line of an answer.
    pub fn line(&self, answer: &Answer) -> String {
        // Without an answer the most probable classes are told where they are asked for.
        let told = match self.top {
            None => vec![self.told(answer)],
            Some(_) => self.top(answer),
        };
        let name = |ranked: &Ranked| match self.top {
            None => self.name(answer),
            Some(_) => &self.classes[ranked.class],
        };
        let named = |ranked: &Ranked| format!("{}\t{:.6}", console::one_line(name(ranked)), ranked.probability);
        let spread = told.iter().filter_map(|ranked| ranked.deviation).map(|deviation| format!("{deviation:.6}"));
        let file = console::one_line(&answer.name).into_owned();
        std::iter::once(file).chain(told.iter().map(named)).chain(spread).collect::<Vec<String>>().join("\t")
    }

    /// The same as an object.
    pub fn json(&self, answer: &Answer) -> Value {
        let class = self.name(answer);
        let mut object = json!({"file": answer.name, "class": class, "probability": self.probability(answer)});
        if self.is_spread {
            object["standard_deviation"] = json!(self.told(answer).deviation.map(f64::from));
        }
        if self.positive().is_none() {
            let ranked = |Ranked { class, probability, deviation }| {
                let mut object = json!({"class": self.classes[class], "probability": f64::from(probability)});
                if let Some(deviation) = deviation {
                    object["standard_deviation"] = json!(f64::from(deviation));
                }
                object
            };
            object["top"] = self.top(answer).into_iter().map(ranked).collect();
        }
        object
    }
}
