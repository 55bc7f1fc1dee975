//! What stands out in a training that was watched, in sentences.

use super::number;
use super::rows::last_epoch;
use crate::error::counted;
use crate::training::watch::WatchRow;

/// How large updates are against the weights that they are added to, by ‖Δw‖ / ‖w‖. A thousandth is usual
/// (A. Karpathy, *CS231n*, "Learning and evaluation"); Adam begins with more, as its first steps are all of
/// about the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RatioSize {
    /// Below 1e-5: the tensor hardly learns.
    FarTooSmall,
    /// Below 1e-4.
    Small,
    /// From 1e-4 to 1e-2.
    Usual,
    /// Above 1e-2.
    Large,
    /// Above 1e-1: in ten steps nothing may be left of what was learned.
    FarTooLarge,
}

impl RatioSize {
    /// The size of a ratio; NaN is far too large.
    pub fn new(ratio: f64) -> RatioSize {
        match ratio {
            _ if ratio < 1e-5 => RatioSize::FarTooSmall,
            _ if ratio < 1e-4 => RatioSize::Small,
            _ if ratio <= 1e-2 => RatioSize::Usual,
            _ if ratio <= 1e-1 => RatioSize::Large,
            _ => RatioSize::FarTooLarge,
        }
    }

    /// Returns it in words.
    pub fn words(self) -> &'static str {
        match self {
            RatioSize::FarTooSmall => "far too small",
            RatioSize::Small => "small",
            RatioSize::Usual => "usual",
            RatioSize::Large => "large",
            RatioSize::FarTooLarge => "far too large",
        }
    }
}

/// The factor by which the gradient of the first kernel must be smaller than that of the last, value by
/// value, for it to vanish on the way.
const VANISHED: f64 = 1e-4;

/// The factor by which the norm of all gradients must rise from the first epoch to the last to explode.
const EXPLODED: f64 = 100.0;

/// Returns what stands out in the last epoch of these rows: updates that are far too large or too small,
/// gradients that vanish or explode, and ReLU layers of which at least half of the units are dead.
pub fn watch_findings(rows: &[WatchRow]) -> Vec<String> {
    let mut findings = Vec::new();
    findings.extend(updates(
        rows,
        RatioSize::FarTooLarge,
        "each step overwrites what was learned before; a smaller --learning-rate usually helps",
    ));
    findings.extend(updates(
        rows,
        RatioSize::FarTooSmall,
        "they hardly learn; a larger --learning-rate, or a look at the gradients behind them, may help",
    ));
    findings.extend(vanishing(rows));
    findings.extend(exploding(rows));
    findings.extend(last_epoch(rows).filter_map(mostly_dead));
    findings
}

/// Says of which kernels the updates have this size.
fn updates(rows: &[WatchRow], size: RatioSize, meaning: &str) -> Option<String> {
    let found = last_epoch(rows).filter(|row| row.tensor.starts_with("update_") && !row.tensor.ends_with("_bias"));
    let found: Vec<String> = found
        .filter_map(|row| Some((row, row.ratio?)))
        .filter(|(_, ratio)| RatioSize::new(*ratio) == size)
        .map(|(row, ratio)| format!("{}/{} ({})", row.layer, row.tensor.trim_start_matches("update_"), number(ratio)))
        .collect();
    (!found.is_empty()).then(|| {
        let epoch = rows.last().map_or(0, |row| row.epoch) + 1;
        format!(
            "Updates are {} against the weights of {}, where about 1e-3 of their norm a step is usual (mean of epoch {epoch}): {meaning}",
            size.words(),
            found.join(", ")
        )
    })
}

/// Says that the gradient vanishes between the last kernel and the first.
fn vanishing(rows: &[WatchRow]) -> Option<String> {
    let mut kernels = last_epoch(rows).filter(|row| row.tensor == "grad_kernel");
    let (first, last) = (kernels.next()?, kernels.last()?);
    (first.rms < VANISHED * last.rms).then(|| {
        format!(
            "The gradient vanishes on its way back: value by value that of {}/kernel is {} and that of {}/kernel {} (root of the mean \
             square, epoch {}); batch_normalization, fewer layers or other initial weights usually help",
            first.layer,
            number(first.rms),
            last.layer,
            number(last.rms),
            first.epoch + 1
        )
    })
}

/// Says that the norm of all gradients rose a lot.
fn exploding(rows: &[WatchRow]) -> Option<String> {
    let mut all = rows.iter().filter(|row| row.layer == "all" && row.tensor == "grad");
    let (first, last) = (all.next()?, all.next_back()?);
    let exploded = first.norm > 0.0 && (last.norm.is_nan() || last.norm > EXPLODED * first.norm);
    exploded.then(|| {
        format!(
            "The gradient explodes: its norm over all tensors rose from {} in epoch {} to {} in epoch {}; a smaller --learning-rate or \
             --global-clip-norm usually helps",
            number(first.norm),
            first.epoch + 1,
            number(last.norm),
            last.epoch + 1
        )
    })
}

/// Says that at least half of a layer's units are dead.
fn mostly_dead(row: &WatchRow) -> Option<String> {
    let (units, dead) = (row.units?, row.dead.as_ref()?.len());
    (dead > 0 && 2 * dead >= units).then(|| {
        format!(
            "{dead} of {} of {} were never active in epoch {}: they give 0 for every image, so they learn nothing more; a smaller \
             --learning-rate, leaky_relu or batch_normalization usually helps",
            counted(units, "unit"),
            row.layer,
            row.epoch + 1
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::testing::row;
    use super::*;

    #[test]
    fn a_thousandth_is_a_usual_update_and_sizes_go_by_powers_of_ten() {
        for (ratio, words) in [
            (0.0, "far too small"),
            (5e-5, "small"),
            (1e-3, "usual"),
            (0.05, "large"),
            (0.2, "far too large"),
            (f64::NAN, "far too large"),
        ] {
            assert_eq!(RatioSize::new(ratio).words(), words, "{ratio}");
        }
    }

    #[test]
    fn what_is_far_off_in_the_last_epoch_is_told_and_nothing_else() {
        let update = |epoch, layer, ratio| WatchRow { ratio: Some(ratio), ..row(epoch, layer, "update_kernel") };
        let calm = [update(0, "conv2d", 5.0), update(1, "conv2d", 1e-3), update(1, "dense", 0.02)];
        assert_eq!(watch_findings(&calm), [""; 0]);
        let told = watch_findings(&[update(1, "conv2d", 0.5), update(1, "dense", 1e-7)]);
        assert_eq!(told.len(), 2);
        assert!(told[0].starts_with("Updates are far too large against the weights of conv2d/kernel (5.00e-1), where"));
        assert!(told[1].starts_with("Updates are far too small against the weights of dense/kernel (1.00e-7), where"));
    }

    #[test]
    fn gradients_that_vanish_or_explode_and_layers_that_are_mostly_dead_are_told() {
        let kernel = |layer, rms| WatchRow { rms, ..row(2, layer, "grad_kernel") };
        let told = watch_findings(&[kernel("conv2d", 1e-9), kernel("conv2d_1", 1e-5), kernel("dense", 1e-2)]);
        assert!(told[0].contains("that of conv2d/kernel is 1.00e-9 and that of dense/kernel 1.00e-2"), "{told:?}");
        assert_eq!(watch_findings(&[kernel("conv2d", 1e-5), kernel("dense", 1e-2)]), [""; 0]);

        let all = |epoch, norm| WatchRow { norm, ..row(epoch, "all", "grad") };
        let told = watch_findings(&[all(0, 0.5), all(1, 60.0)]);
        assert!(told[0].contains("rose from 5.00e-1 in epoch 1 to 6.00e1 in epoch 2"), "{told:?}");
        assert_eq!(watch_findings(&[all(0, 0.5), all(1, 40.0)]), [""; 0]);
        assert_eq!(watch_findings(&[all(0, 0.5), all(1, f64::NAN)]).len(), 1);

        let dead =
            |units, dead| WatchRow { units: Some(units), dead: Some((0..dead).collect()), ..row(0, "re_lu", "output") };
        let told = watch_findings(&[dead(4, 2)]);
        assert!(told[0].starts_with("2 of 4 units of re_lu were never active in epoch 1: "), "{told:?}");
        assert_eq!(watch_findings(&[dead(4, 1)]), [""; 0]);
    }
}
