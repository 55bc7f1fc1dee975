//! The images of `predict`, out of its arguments.

use crate::cli::args::{LabelsArgs, PredictArgs};
use crate::cli::input::dataset::open;
use crate::cli::input::predictor::Image;
use crate::cli::input::run_data::{RunData, Wanted};
use crate::cli::terminal::console;
use glassnet::checkpoint::ModelCard;
use glassnet::data::catalog::{all_images, notes};
use glassnet::data::image_names::suffixes;
use glassnet::data::left_out::LeftOut;
use glassnet::data::source::is_set;
use glassnet::{Error, Result};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

/// Says on stderr why there is no answer for a file, and returns the same for `--json`.
pub fn refused(file: &str, sentence: &str) -> serde_json::Value {
    console::error(sentence);
    json!({"file": file, "error": sentence})
}

/// Turns the arguments into images.
#[derive(Default)]
pub struct Lister {
    pub images: Vec<Image>,
    /// The arguments that could not be listed, named on stderr.
    pub failed: Vec<serde_json::Value>,
    /// The files that were passed over in folders and zips.
    pub left_out: Vec<LeftOut>,
}

impl Lister {
    /// A folder, a zip, a pack or an idx file stands for all images in it, anything else for itself.
    pub fn add(&mut self, path: &Path, card: &ModelCard) {
        if !path.is_dir() && !is_set(path) {
            self.images.push(Image::File(path.to_path_buf()));
            return;
        }
        let listed = open(path, &LabelsArgs::default()).and_then(|source| {
            source.check_packs(card.spec.input, card.reading)?;
            let (images, left_out) = all_images(&source);
            for note in notes(&source, &left_out) {
                console::warn(&note);
            }
            // As the images are named, since there may be several sets of them.
            let named = |left: LeftOut| LeftOut { file: left.path.clone(), ..left };
            self.left_out.extend(left_out.into_iter().map(named));
            if images.is_empty() {
                return Err(Error::data(
                    path,
                    format!("it holds no image ({}); name a folder, a zip or a file with some", suffixes()),
                ));
            }
            Ok((Arc::new(source), images))
        });
        match listed {
            Ok((source, images)) => {
                self.images.extend(images.into_iter().map(|index| Image::InSource(source.clone(), index)));
            }
            Err(error) => {
                self.failed.push(refused(&path.display().to_string(), &error.to_string()));
            }
        }
    }
}

/// Lists the images that are given, or where none are, those that the run of the weights in `file` was
/// validated on.
pub fn list(args: &PredictArgs, file: &Path, card: &ModelCard) -> Result<Lister> {
    let further = if args.images.is_empty() { RunData::around(file).validation_path } else { None };
    if args.images.is_empty() && further.is_none() {
        return Err(Error::setting("IMAGE", "it is missing; give images, or folders, zips or packs of them"));
    }
    if let Some(path) = &further {
        Wanted { path, part: "validated on", argument: "IMAGE" }.check_there(file)?;
    }
    let mut lister = Lister::default();
    for path in args.images.iter().chain(&further) {
        lister.add(path, card);
    }
    Ok(lister)
}
