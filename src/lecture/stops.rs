//! A prepared lecture: stops, in the order in which they are shown.
//!
//! ```toml
//! [[stop]]
//! title = "One pixel is one sum"
//! sentence = "27 products and a bias make this cell of conv2d."
//! question = "Is the sum above zero?"
//! answer = "It is: and so ReLU lets it through."
//! step = 1
//! phase = "forward"          # images, forward, loss, backward or update
//! layer = "conv2d"
//! pixel = [14, 20, 3]        # row, column, and perhaps the channel
//! ```
//!
//! All but `title` and `sentence` may be left out: a stop without a step stays where the lecture is.

use crate::explain::Weight;
use crate::geometry::Shape;
use crate::lecture::session::{MOST_AHEAD, Phase, Phases, Position};
use crate::network::Network;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::Spanned;

/// The most bytes of a file of stops.
const MOST_BYTES: usize = 1 << 20;

/// The views that a stop may name: the sections of the page.
pub const VIEWS: [&str; 6] = ["network", "maps", "forward", "loss", "backward", "weight"];

/// A stop, as the page has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stop {
    /// Its title.
    pub title: String,
    /// What is said.
    pub sentence: String,
    /// What the reader is asked.
    pub question: Option<String>,
    /// The answer, which is hidden at first.
    pub answer: Option<String>,
    /// Where to go, if anywhere.
    pub position: Option<Position>,
    /// The number of the image in its batch.
    pub image: Option<usize>,
    /// The layer to look at.
    pub layer: Option<String>,
    /// The cell of its output: row, column, and perhaps the channel.
    pub pixel: Option<Vec<usize>>,
    /// The weight to look at.
    pub weight: Option<String>,
    /// The view to bring up: one of [`VIEWS`].
    pub view: Option<String>,
    /// The views to leave away.
    pub hide: Vec<String>,
    /// A command to show, for a terminal.
    pub command: Option<String>,
}

/// A stop, as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    sentence: String,
    question: Option<String>,
    answer: Option<String>,
    step: Option<u64>,
    phase: Option<String>,
    layer: Option<String>,
    image: Option<usize>,
    pixel: Option<Vec<usize>>,
    weight: Option<String>,
    view: Option<String>,
    #[serde(default)]
    hide: Vec<String>,
    command: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    stop: Vec<Spanned<Written>>,
}

/// Reads the stops of a lecture about this network, in batches of at most `batch` images.
///
/// # Errors
/// [`Error::Setting`] of the file names the line, and what is wrong there.
pub fn read_stops(path: &Path, network: &Network, batch: usize) -> Result<Vec<Stop>> {
    let fail = |reason: String| Error::setting(path.display().to_string(), reason);
    let bytes = crate::data::source::read_file(path)?;
    if bytes.len() > MOST_BYTES {
        return Err(fail(format!("it has more than {} MiB, and a list of stops is short", MOST_BYTES >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|_| fail("it is not a text file; give a list of stops".into()))?;
    stops_of(&text, network, batch)
        .map_err(|(line, reason)| fail(format!("it is no list of stops: line {line}: {reason}")))
}

/// Reads stops from a text.
///
/// # Errors
/// The line, and what is wrong there.
pub fn stops_of(text: &str, network: &Network, batch: usize) -> std::result::Result<Vec<Stop>, (usize, String)> {
    let line = |place: usize| text.get(..place).unwrap_or_default().matches('\n').count() + 1;
    let file: File = toml::from_str(text).map_err(|error| {
        let reason = crate::error::shortened(error.message()).replace('\n', " ");
        (line(error.span().map_or(0, |span| span.start)), reason)
    })?;
    if file.stop.is_empty() {
        return Err((1, "it has no stop; write [[stop]], and a title and a sentence below it".into()));
    }
    let stop = |written: Spanned<Written>| {
        let place = line(written.span().start);
        written.into_inner().checked(network, batch).map_err(|reason| (place, reason))
    };
    file.stop.into_iter().map(stop).collect()
}

impl Written {
    /// Returns the stop, if the network has all that it names.
    fn checked(self, network: &Network, batch: usize) -> std::result::Result<Stop, String> {
        let title = &self.title;
        let layers = network.layers();
        let layer = match &self.layer {
            None => None,
            Some(name) => Some(layers.iter().position(|layer| layer.name == *name).ok_or_else(|| {
                let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
                format!("the stop '{title}' is of the layer {name}, and the network has {}", names.join(", "))
            })?),
        };
        if let Some(image) = self.image.filter(|image| *image >= batch) {
            return Err(format!("the stop '{title}' is of image {image}, and a batch has {batch}, counted from 0"));
        }
        if let Some(weight) = &self.weight {
            Weight::parse(network, weight).map_err(|error| format!("the stop '{title}': {error}"))?;
        }
        if let (Some(pixel), layer) = (&self.pixel, layer) {
            let layer = layer.ok_or_else(|| format!("the stop '{title}' has a pixel; name its layer, too"))?;
            let sizes = match layers[layer].output {
                Shape::Image(sizes) => sizes,
                Shape::Vector(len) => [1, 1, len],
            };
            let inside = pixel.iter().zip(sizes).all(|(place, size)| *place < size);
            if !matches!(pixel.len(), 2 | 3) || !inside {
                let [height, width, channels] = sizes;
                return Err(format!(
                    "the stop '{title}' has the pixel {pixel:?}, and {} is {height}×{width}×{channels}; give row, column \
                     and, if one is meant, channel, from 0",
                    layers[layer].name
                ));
            }
        }
        let unknown = self.view.iter().chain(&self.hide).find(|view| !VIEWS.contains(&view.as_str()));
        if let Some(view) = unknown {
            return Err(format!("the stop '{title}' names the view '{view}'; there are {}", VIEWS.join(", ")));
        }
        if self.answer.is_some() && self.question.is_none() {
            return Err(format!("the stop '{title}' has an answer; write the question, too"));
        }
        let position = self.position(layer, Phases::new(layers.len()))?;
        let Written { title, sentence, question, answer, image, layer, pixel, weight, view, hide, command, .. } = self;
        Ok(Stop { title, sentence, question, answer, position, image, layer, pixel, weight, view, hide, command })
    }

    fn position(&self, layer: Option<usize>, phases: Phases) -> std::result::Result<Option<Position>, String> {
        let title = &self.title;
        let Some(step) = self.step else {
            return match self.phase {
                Some(_) => Err(format!("the stop '{title}' has a phase; give its step, too")),
                None => Ok(None),
            };
        };
        if !(1..=MOST_AHEAD).contains(&step) {
            return Err(format!("the stop '{title}' is of step {step}; steps count from 1 to {MOST_AHEAD}"));
        }
        let phase = match (self.phase.as_deref(), layer) {
            (None | Some("images"), _) => Phase::Images,
            (Some("loss"), _) => Phase::Loss,
            (Some("update"), _) => Phase::Update,
            (Some("forward"), Some(layer)) => Phase::Forward(layer),
            (Some("backward"), Some(layer)) => Phase::Backward(layer),
            (Some("forward" | "backward"), None) => {
                return Err(format!("the stop '{title}' is of a layer's phase; name the layer, too"));
            }
            (Some(other), _) => {
                let known = "images, forward, loss, backward and update";
                return Err(format!("the stop '{title}' has the phase '{other}'; there are {known}"));
            }
        };
        Ok(phases.number(phase).map(|phase| Position { step, phase }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ModelSpec;

    fn read(text: &str) -> std::result::Result<Vec<Stop>, (usize, String)> {
        stops_of(text, &Network::new(&ModelSpec::documented()).unwrap(), 16)
    }

    #[test]
    fn the_shipped_lecture_has_nine_stops_about_the_documented_network() {
        let stops = read(include_str!("../../docs/lecture1.toml")).unwrap();
        assert_eq!(stops.len(), 9);
        assert!(stops.iter().all(|stop| stop.question.is_some() && stop.answer.is_some()));
    }

    #[test]
    fn a_stop_is_where_it_says_and_may_say_little() {
        let stops = read(
            "[[stop]]\ntitle = 'a'\nsentence = 'b'\n[[stop]]\ntitle = 'c'\nsentence = 'd'\nstep = 3\nphase = 'backward'\n\
             layer = 'conv2d'\npixel = [14, 20]\nweight = 'conv2d/kernel[0,1,2,5]'\nview = 'weight'\nhide = ['maps']",
        )
        .unwrap();
        assert_eq!((stops[0].position, stops[0].hide.len()), (None, 0));
        assert_eq!(stops[1].position, Some(Position { step: 3, phase: 2 * 14 + 1 }));
        assert_eq!(stops[1].pixel, Some(vec![14, 20]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let first = "[[stop]]\ntitle = 'a'\nsentence = 'b'\n\n";
        for (second, line, reason) in [
            ("[[stop]]\ntitle = 'c'\n", 5, "missing field `sentence`"),
            ("[[stop]]\ntitle = 'c'\nsentence = 'd'\nstop = 3\n", 8, "unknown field `stop`"),
            (
                "[[stop]]\ntitle = 'c'\nsentence = 'd'\nlayer = 'conv'\n",
                5,
                "the stop 'c' is of the layer conv, and the network has conv2d, re_lu",
            ),
            (
                "[[stop]]\ntitle = 'c'\nsentence = 'd'\nlayer = 'conv2d'\npixel = [126, 0]\n",
                5,
                "conv2d is 126×126×32; give row",
            ),
            ("[[stop]]\ntitle = 'c'\nsentence = 'd'\npixel = [1, 0]\n", 5, "name its layer, too"),
            ("[[stop]]\ntitle = 'c'\nsentence = 'd'\nimage = 16\n", 5, "a batch has 16, counted from 0"),
            ("[[stop]]\ntitle = 'c'\nsentence = 'd'\nstep = 0\n", 5, "is of step 0; steps count from 1 to 1000"),
            ("[[stop]]\ntitle = 'c'\nsentence = 'd'\nphase = 'loss'\n", 5, "give its step, too"),
            ("[[stop]]\ntitle = 'c'\nsentence = 'd'\nstep = 1\nphase = 'forward'\n", 5, "name the layer, too"),
            (
                "[[stop]]\ntitle = 'c'\nsentence = 'd'\nstep = 1\nphase = 'back'\n",
                5,
                "has the phase 'back'; there are images",
            ),
            (
                "[[stop]]\ntitle = 'c'\nsentence = 'd'\nweight = 'conv2d/kernel[9,9,9,9]'\n",
                5,
                "'conv2d/kernel' is 3×3×3×32",
            ),
            (
                "[[stop]]\ntitle = 'c'\nsentence = 'd'\nview = 'map'\n",
                5,
                "names the view 'map'; there are network, maps",
            ),
            ("[[stop]]\ntitle = 'c'\nsentence = 'd'\nanswer = 'e'\n", 5, "write the question, too"),
        ] {
            let (found, told) = read(&format!("{first}{second}")).unwrap_err();
            assert!(found == line && told.contains(reason), "line {found}: {told}");
        }
        assert_eq!(read("stop = []").unwrap_err().0, 1);
        assert!(read("").unwrap_err().1.contains("missing field `stop`"));
    }
}
