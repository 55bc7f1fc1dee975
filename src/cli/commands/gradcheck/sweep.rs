//! `--sweep`: the error of one coordinate's difference quotient over h.

use super::subject::Subject;
use super::words::error;
use crate::cli::args::GradcheckArgs;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::{self, Lines};
use glassnet::gradcheck::{Base, Gradient, Place, Tensor, sweep};
use glassnet::{Error, Result};
use serde_json::json;

/// Prints a line for each h.
pub fn run(args: &GradcheckArgs, subject: &Subject, base: &Base, coordinate: Option<&str>) -> CommandResult {
    let gradient = base.gradient();
    let (tensor, element) = match coordinate {
        Some(text) => find(&base.problem().tensors, text)?,
        None => largest(&base.problem().tensors, &gradient),
    };
    let all = gradient.of(tensor.place);
    let (analytic, scale) = (all[element], all.iter().fold(0.0f64, |largest, g| largest.max(g.abs())));
    let points = sweep(base, tensor, element);
    let of = |numeric: f64| match (numeric - analytic).abs() {
        0.0 => 0.0,
        difference => difference / scale,
    };
    let least = points.iter().min_by(|a, b| of(a.numeric).total_cmp(&of(b.numeric)));
    if args.json {
        let points: Vec<_> = points
            .iter()
            .map(|point| json!({"h": point.step, "numeric": point.numeric, "error": of(point.numeric), "corner": !point.is_smooth}))
            .collect();
        console::print_json(&json!({
            "model": subject.model,
            "weights": subject.weights,
            "images": subject.names,
            "seed": args.seed,
            "coordinate": tensor.element(element),
            "value": base.problem().value(tensor.place, element),
            "analytic": analytic,
            "largest": scale,
            "sweep": points,
        }))?;
        return Ok(Outcome::Done);
    }
    let mut lines = Lines::default();
    subject.lines().iter().for_each(|line| lines.print(line));
    let x = base.problem().value(tensor.place, element);
    lines.print("");
    lines.print(&format!("{} = {x:e}; its gradient in the textbook is {analytic:.9e}", tensor.element(element)));
    lines.print("");
    lines.print(&format!("{:<7}{:>18}  {:>8}", "h", "difference / 2h", "error"));
    lines.print(&"─".repeat(78));
    for point in &points {
        let here = of(point.numeric);
        let corner = if point.is_smooth { "" } else { "  a corner lies between" };
        lines.print(&format!(
            "{:<7.0e}{:>18.9e}  {:>8}  {}{corner}",
            point.step,
            point.numeric,
            error(here),
            bar(here)
        ));
    }
    lines.print("");
    lines.print("Error: of the tensor's largest element; a bar is two letters for each power of ten above 1e-16. Large h are wrong by what the");
    lines.print("loss curves, about h², and by corners; small h by rounding, as the difference of two nearly equal losses keeps few digits.");
    if let Some(least) = least {
        lines.print(&format!("Least at h = {:.0e}.", least.step));
    }
    lines.end()?;
    Ok(Outcome::Done)
}

/// A bar on a logarithmic scale.
fn bar(error: f64) -> String {
    let length = if error > 0.0 { (2.0 * (16.0 + error.log10())).clamp(1.0, 40.0) as usize } else { 0 };
    "█".repeat(length)
}

/// The first kernel's element with the largest gradient.
fn largest<'t>(tensors: &'t [Tensor], gradient: &Gradient) -> (&'t Tensor, usize) {
    let tensor = tensors.iter().find(|tensor| tensor.place != Place::Images).unwrap_or(&tensors[0]);
    let all = gradient.of(tensor.place);
    let element = (0..all.len()).max_by(|&a, &b| all[a].abs().total_cmp(&all[b].abs()));
    (tensor, element.unwrap_or(0))
}

/// The tensor and the element that a text such as `conv2d/kernel[0,1,2,5]` names.
fn find<'t>(tensors: &'t [Tensor], text: &str) -> Result<(&'t Tensor, usize)> {
    let fail = |reason: String| Error::value("--sweep", text, reason);
    let names = || tensors.iter().map(|tensor| tensor.name.as_str()).collect::<Vec<_>>().join(", ");
    let (name, place) = text.strip_suffix(']').and_then(|text| text.split_once('[')).ok_or_else(|| {
        fail(format!("it must be a tensor and a place in it, such as {}", tensors[tensors.len().min(2) - 1].element(0)))
    })?;
    let tensor = tensors
        .iter()
        .find(|tensor| tensor.name == name)
        .ok_or_else(|| fail(format!("the network has no such tensor; it has {}", names())))?;
    let place: Option<Vec<usize>> = place.split(',').map(|index| index.trim().parse().ok()).collect();
    let inside = |place: &Vec<usize>| {
        place.len() == tensor.shape.len() && place.iter().zip(&tensor.shape).all(|(index, size)| index < size)
    };
    let place = place.filter(inside).ok_or_else(|| {
        let last: Vec<String> = tensor.shape.iter().map(|size| (size - 1).to_string()).collect();
        fail(format!("the last element of {name} is {name}[{}]", last.join(",")))
    })?;
    Ok((tensor, place.iter().zip(&tensor.shape).fold(0, |element, (index, size)| element * size + index)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors() -> Vec<Tensor> {
        let tensor =
            |name: &str, shape: &[usize]| Tensor { name: name.into(), shape: shape.into(), place: Place::Images };
        vec![tensor("images", &[2, 4, 4, 1]), tensor("conv2d/kernel", &[3, 3, 2, 5])]
    }

    #[test]
    fn a_coordinate_is_found_by_its_name() {
        let tensors = tensors();
        for element in [0, 1, 17, 89] {
            let (tensor, found) = find(&tensors, &tensors[1].element(element)).unwrap();
            assert_eq!((tensor.name.as_str(), found), ("conv2d/kernel", element));
        }
        assert_eq!(find(&tensors, "conv2d/kernel[ 1, 2,0,4 ]").unwrap().1, 54);
    }

    #[test]
    fn a_coordinate_that_there_is_not_is_told_with_what_there_is() {
        let tensors = tensors();
        let error = |text: &str| find(&tensors, text).unwrap_err().to_string();
        assert!(error("conv2d").ends_with("such as conv2d/kernel[0,0,0,0]"), "{}", error("conv2d"));
        assert!(error("dense/bias[0]").ends_with("it has images, conv2d/kernel"));
        for place in ["3,0,0,0", "0,0,0", "a,0,0,0", "-1,0,0,0"] {
            let error = error(&format!("conv2d/kernel[{place}]"));
            assert!(error.ends_with("the last element of conv2d/kernel is conv2d/kernel[2,2,1,4]"), "{error}");
        }
    }
}
