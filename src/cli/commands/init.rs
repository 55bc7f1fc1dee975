//! `glassnet init`: a model.toml to start from.

use crate::cli::args::{InitArgs, Preset};
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::{console, output};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

/// Prints the file, or writes it where none is yet.
pub fn run(args: &InitArgs) -> CommandResult {
    let text = model(args.preset, args.classes);
    let Some(path) = &args.out else {
        console::print(text.trim_end_matches('\n'))?;
        return Ok(Outcome::Done);
    };
    let written = OpenOptions::new().write(true).create_new(true).open(path);
    written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => output::there_already("--out", path),
        _ => output::cannot("--out", "write", path, &error),
    })?;
    let place = path.display();
    console::print(&format!(
        "Wrote {place}: 'glassnet summary {place}' shows it, 'train DATA --model {place}' trains it"
    ))?;
    Ok(Outcome::Done)
}

/// The text of a preset for so many classes, or for as many as it is usually for.
fn model(preset: Preset, classes: Option<u16>) -> String {
    let (text, usual) = match preset {
        Preset::Documented => (include_str!("init/documented.toml"), 2),
        Preset::Mnist => (include_str!("init/mnist.toml"), 10),
        Preset::Lenet => (include_str!("init/lenet.toml"), 10),
        Preset::VggSmall => (include_str!("init/vgg-small.toml"), 10),
        Preset::MobilenetSmall => (include_str!("init/mobilenet-small.toml"), 10),
        Preset::AllConv => (include_str!("init/all-conv.toml"), 10),
    };
    let (units, logits) = match classes.unwrap_or(usual) {
        2 => (1, "one logit tells two classes apart".to_string()),
        classes => (classes, format!("a logit for each of {classes} classes")),
    };
    text.replace("UNITS", &units.to_string()).replace("LOGITS", &logits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;
    use glassnet::network::Network;
    use glassnet::spec::ModelSpec;

    #[test]
    fn every_preset_can_be_built_for_any_number_of_classes() {
        for preset in Preset::value_variants() {
            for (classes, told_apart) in [(Some(2), 2), (Some(3), 3), (Some(100), 100)] {
                let text = model(*preset, classes);
                let network = Network::new(&toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"))).unwrap();
                assert_eq!(network.head().classes(), told_apart, "{text}");
                assert_eq!(network.head().units() == 1, told_apart == 2, "{text}");
            }
        }
    }

    #[test]
    fn the_documented_preset_is_the_documented_model_and_the_others_tell_ten_classes_apart() {
        let spec = |preset| toml::from_str::<ModelSpec>(&model(preset, None)).unwrap();
        assert_eq!(spec(Preset::Documented), ModelSpec::documented());
        for preset in &Preset::value_variants()[1..] {
            assert_eq!(Network::new(&spec(*preset)).unwrap().head().classes(), 10, "{preset:?}");
        }
    }
}
