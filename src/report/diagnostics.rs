//! Diagnostics of a training run, in sentences: how far an accuracy is above always giving one answer,
//! whether the network gives one answer only, and whether it overfits.

use crate::classes::{Combinations, Label};
use crate::training::EpochRecord;

/// The rise over its lowest value, as a share of that, with which the validation loss must end for
/// [`overfitting_line`] to speak: less is the noise of a small validation part.
const OVERFITTING_RISE: f64 = 0.1;

/// The multiple of the loss of knowing nothing, ln K of K classes, a loss must be for [`diverged_line`] to
/// speak. A network that knows nothing is near 1, and one that is sure of wrong answers on images it did not
/// learn from seldom comes to 5.
const DIVERGED_TIMES: f64 = 5.0;

/// Returns the loss of always answering the shares that the classes have, −Σ share·ln share: the lowest that
/// a constant answer can have on these images. `None` without images.
pub fn loss_of_shares(counts: &[usize]) -> Option<f64> {
    let all: usize = counts.iter().sum();
    let share = |&count: &usize| count as f64 / all as f64;
    (all > 0)
        .then(|| -counts.iter().map(share).filter(|share| *share > 0.0).map(|share| share * share.ln()).sum::<f64>())
}

/// Returns how many images have each label, where each combination of labels has so many.
fn label_counts<'a>(combinations: &'a Combinations, counts: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    combinations.labels().labels().map(move |label| {
        let has = |(place, _): &(usize, &usize)| combinations.set(Label::new(*place)).has(label);
        counts.iter().enumerate().filter(has).map(|(_, count)| count).sum()
    })
}

/// Returns the loss of always answering the share of images that have each label, where images may have
/// several: the mean over the labels of [`loss_of_shares`] of having it and not. `None` without images.
pub fn loss_of_label_shares(combinations: &Combinations, counts: &[usize]) -> Option<f64> {
    let all: usize = counts.iter().sum();
    let losses = label_counts(combinations, counts).map(|count| loss_of_shares(&[count, all - count]));
    let sum: Option<f64> = losses.sum();
    sum.map(|sum| sum / combinations.labels().count() as f64)
}

/// Returns the share of right answers to all labels on images of which each combination has so many in
/// `shown`, where each label is answered as it is for most images in training. `None` without images.
pub fn labels_majority_share(combinations: &Combinations, training: &[usize], shown: &[usize]) -> Option<f64> {
    let [trained, all] = [training, shown].map(|counts| counts.iter().sum::<usize>());
    let counts = label_counts(combinations, training).zip(label_counts(combinations, shown));
    let right = counts.map(|(in_training, there)| if 2 * in_training > trained { there } else { all - there });
    (trained > 0 && all > 0).then(|| right.sum::<usize>() as f64 / (all * combinations.labels().count()) as f64)
}

/// Says that the training diverged, where the last weights have a loss on the training images, of which each
/// class has so many, and on the validation images if there are some, that is far above that of a constant
/// answer.
pub fn diverged_line(counts: &[usize], training_loss: f64, val_loss: Option<f64>) -> Option<String> {
    diverged(counts.len(), loss_of_shares(counts), "classes", training_loss, val_loss)
}

/// The same of images that may have several labels, of which each combination has so many.
pub fn labels_diverged_line(
    combinations: &Combinations,
    counts: &[usize],
    training_loss: f64,
    val_loss: Option<f64>,
) -> Option<String> {
    diverged(2, loss_of_label_shares(combinations, counts), "labels", training_loss, val_loss)
}

/// Says that the losses are far above the `constant` one, that of always answering the shares of `what`, and
/// that of knowing nothing of so many answers.
fn diverged(
    answers: usize,
    constant: Option<f64>,
    what: &str,
    training_loss: f64,
    val_loss: Option<f64>,
) -> Option<String> {
    // The shares of unequal classes have a loss near 0, which is no measure for what is far above.
    let knows_nothing = (answers as f64).ln();
    let constant = constant.filter(|loss| *loss > 0.0)?;
    let losses: Vec<f64> = std::iter::once(training_loss).chain(val_loss).collect();
    // The comparison is false of NaN, of which an error tells.
    losses.iter().all(|loss| *loss > DIVERGED_TIMES * knows_nothing).then(|| {
        let number = |loss: f64| if loss < 1e6 { format!("{loss:.1}") } else { format!("{loss:.1e}") };
        let told: Vec<String> =
            losses.iter().zip(["training", "validation"]).map(|(&loss, part)| format!("{} on the {part} images", number(loss))).collect();
        format!(
            "The training diverged: the last weights have a loss of {}, and always answering the shares of the {what} has \
             {constant:.4}, so these are {} times as bad",
            told.join(" and "),
            number(training_loss / constant)
        )
    })
}

/// Returns the most frequent class, of equals the last, which of two is the positive one; `None` without
/// images.
pub fn majority(counts: &[usize]) -> Option<Label> {
    let (class, count) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    (*count > 0).then_some(Label::new(class))
}

/// Returns the share of images of class `label`; `None` without images.
pub fn share_of(label: Label, counts: &[usize]) -> Option<f64> {
    let all: usize = counts.iter().sum();
    (all > 0).then(|| counts[label.index()] as f64 / all as f64)
}

/// States what always answering the class that is most frequent in training would reach in both parts, which
/// hold so many images of each class; `None` without training images.
pub fn majority_line<S: AsRef<str>>(classes: &[S], training: &[usize], validation: &[usize]) -> Option<String> {
    let label = majority(training)?;
    let part = |name: &str, counts: &[usize]| {
        let (share, all) = (share_of(label, counts)?, counts.iter().sum::<usize>());
        Some(format!("{} of {all} {name} images ({share:.4})", counts[label.index()]))
    };
    let parts: Vec<String> =
        [part("training", training), part("validation", validation)].into_iter().flatten().collect();
    Some(format!("Always answering '{}' would be right for {}", classes[label.index()].as_ref(), parts.join(" and ")))
}

/// Says that after these epochs, counted from 0, every validation image was taken for `class`, and whether
/// `best`, the epoch of the best weights, is among them.
pub fn one_class_line(class: &str, epochs: &[usize], best: Option<usize>) -> String {
    let mut line = format!(
        "After {}, every validation image was taken for '{class}': the val_accuracy there is that class's share, no skill",
        epoch_list(epochs)
    );
    if let Some(best) = best.filter(|best| epochs.contains(best)) {
        line += &format!("; so it is with the best weights, those of epoch {}", best + 1);
    }
    line
}

/// Says that the last weights take every training image for `class`.
pub fn one_class_training_line(class: &str) -> String {
    format!(
        "The last weights take every training image for '{class}': their accuracy on these is that class's share, no skill"
    )
}

/// Says that the network overfits and what to do, where the validation loss ends well above its lowest
/// although the training loss went on falling. The best weights are advised unless they give one answer only,
/// as `one_class_epochs`, from 0, tell.
pub fn overfitting_line(epochs: &[EpochRecord], one_class_epochs: &[usize]) -> Option<String> {
    let validated = || epochs.iter().filter_map(|record| Some((record, record.val_loss?)));
    let (best, lowest) = validated().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (last, final_loss) = validated().next_back()?;
    let overfits = final_loss > lowest * (1.0 + OVERFITTING_RISE) && last.loss < best.loss;
    let use_best = if one_class_epochs.contains(&best.epoch) { "" } else { "use the best weights, " };
    overfits.then(|| {
        format!(
            "Overfitting: from epoch {} to {} val_loss rose from {lowest:.4} to {final_loss:.4} while the training loss fell \
             from {:.4} to {:.4}; {use_best}train for fewer epochs",
            best.epoch + 1,
            last.epoch + 1,
            best.loss,
            last.loss
        )
    })
}

/// Lists epochs: `epoch 3`, `epochs 1 and 2`, `epochs 1–4, 6 and 9`: counted from 1, what follows each other
/// drawn together.
fn epoch_list(epochs: &[usize]) -> String {
    let runs: Vec<String> = epochs
        .chunk_by(|a, b| a + 1 == *b)
        .flat_map(|run| match run {
            [first, .., last] if run.len() > 2 => vec![format!("{}–{}", first + 1, last + 1)],
            few => few.iter().map(|epoch| (epoch + 1).to_string()).collect(),
        })
        .collect();
    let word = if epochs.len() == 1 { "epoch" } else { "epochs" };
    match &runs[..] {
        [] => "no epoch".to_string(),
        [only] => format!("{word} {only}"),
        [first @ .., last] => format!("{word} {} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::{Classes, LabelSet};
    use crate::training::keras_run::HISTORY;

    #[test]
    fn losses_far_beyond_that_of_a_constant_answer_are_told_as_divergence_where_both_parts_have_them() {
        assert_eq!(
            diverged_line(&[8, 8], 2.0e11, Some(70.0)).unwrap(),
            "The training diverged: the last weights have a loss of 2.0e11 on the training images and 70.0 on the validation \
             images, and always answering the shares of the classes has 0.6931, so these are 2.9e11 times as bad"
        );
        assert!(diverged_line(&[8, 8], 3.5, None).is_some());
        let of_ten = diverged_line(&[3; 10], 24.0, None).unwrap();
        assert!(of_ten.ends_with("the shares of the classes has 2.3026, so these are 10.4 times as bad"), "{of_ten}");
        assert_eq!(diverged_line(&[3; 10], 7.0, None), None);
        for (training, validation) in [(3.4, None), (0.01, Some(50.0)), (50.0, Some(3.0)), (f64::NAN, Some(50.0))] {
            assert_eq!(diverged_line(&[8, 8], training, validation), None, "{training}, {validation:?}");
        }
    }

    #[test]
    fn the_loss_of_the_shares_is_their_entropy() {
        assert!((loss_of_shares(&[27, 83]).unwrap() - 0.557_286_1).abs() < 1e-6);
        assert_eq!((loss_of_shares(&[0, 4]), loss_of_shares(&[0, 0])), (Some(0.0), None));
        // A set of one class in a thousand: 1.0 is no divergence, though 126 times the loss of the shares.
        assert_eq!(diverged_line(&[1, 999], 1.0, None), None);
    }

    #[test]
    fn the_majority_is_that_of_the_training_part_and_its_share_is_told_of_both() {
        assert_eq!(
            majority_line(&["benign", "malignant"], &[27, 83], &[6, 20]).unwrap(),
            "Always answering 'malignant' would be right for 83 of 110 training images (0.7545) and 20 of 26 validation \
             images (0.7692)"
        );
        // Not the validation part's own majority, which nobody could know before.
        assert_eq!(
            majority_line(&["a", "b"], &[3, 1], &[1, 4]).unwrap(),
            "Always answering 'a' would be right for 3 of 4 training images (0.7500) and 1 of 5 validation images (0.2000)"
        );
        let bare = majority_line(&["a", "b"], &[2, 2], &[0, 0]).unwrap();
        assert_eq!(bare, "Always answering 'b' would be right for 2 of 4 training images (0.5000)");
        assert_eq!(majority_line(&["a", "b"], &[0, 0], &[0, 0]), None);
        let three = majority_line(&["a", "b", "c"], &[1, 3, 2], &[0, 1, 3]).unwrap();
        assert!(three.starts_with("Always answering 'b' would be right for 3 of 6 training images"), "{three}");
    }

    #[test]
    fn epochs_that_follow_each_other_are_drawn_together() {
        for (epochs, list) in [
            (&[2][..], "epoch 3"),
            (&[0, 1], "epochs 1 and 2"),
            (&[0, 1, 2, 3], "epochs 1–4"),
            (&[0, 1, 2, 3, 5, 8], "epochs 1–4, 6 and 9"),
        ] {
            let line = one_class_line("dog", epochs, Some(7));
            assert!(line.starts_with(&format!("After {list}, every")) && line.ends_with(" no skill"), "{list}");
        }
        let line = one_class_line("dog", &[0, 4], Some(4));
        assert!(line.ends_with(" no skill; so it is with the best weights, those of epoch 5"), "{line}");
    }

    #[test]
    fn constant_answers_to_labels_are_those_of_each_by_itself() {
        let labels = Classes::new(["a", "b"]).unwrap();
        let set = |indices: &[usize]| indices.iter().copied().map(Label::new).collect::<LabelSet>();
        // (none), a, a;b
        let combinations = Combinations::new(labels, [set(&[]), set(&[0]), set(&[0, 1])]).unwrap();
        let counts = [1, 1, 2];
        // Of four images three have a, and two b.
        let entropy = |share: f64| -share * share.ln() - (1.0 - share) * (1.0 - share).ln();
        let loss = loss_of_label_shares(&combinations, &counts).unwrap();
        assert!((loss - (entropy(0.75) + entropy(0.5)) / 2.0).abs() < 1e-15, "{loss}");
        // Always a and, as it is not in more than half, never b.
        assert_eq!(labels_majority_share(&combinations, &counts, &counts), Some(5.0 / 8.0));
        assert_eq!(labels_majority_share(&combinations, &counts, &[0, 0, 1]), Some(0.5));
        assert_eq!(
            (loss_of_label_shares(&combinations, &[0; 3]), labels_majority_share(&combinations, &counts, &[0; 3])),
            (None, None)
        );
        let line = labels_diverged_line(&combinations, &counts, 50.0, None).unwrap();
        assert!(line.contains("always answering the shares of the labels has 0.6277"), "{line}");
        assert_eq!(labels_diverged_line(&combinations, &counts, 3.0, None), None);
    }

    #[test]
    fn a_run_overfits_when_the_validation_loss_rises_and_the_training_loss_falls() {
        assert_eq!(overfitting_line(&HISTORY, &[]), None, "the last epoch is the best");
        let with = |losses: &[(f64, f64)], one_class_epochs: &[usize]| {
            let record = |(epoch, &(loss, val_loss)): (usize, &(f64, f64))| EpochRecord {
                epoch,
                loss,
                val_loss: Some(val_loss),
                ..HISTORY[0]
            };
            overfitting_line(&losses.iter().enumerate().map(record).collect::<Vec<_>>(), one_class_epochs)
        };
        let run = |losses: &[(f64, f64)]| with(losses, &[0]);
        let line = run(&[(0.6, 0.5), (0.4, 0.45), (0.2, 0.7)]).unwrap();
        let start = "Overfitting: from epoch 2 to 3 val_loss rose from 0.4500 to 0.7000 while the training loss fell from \
                     0.4000 to 0.2000; use the best weights";
        assert!(line.starts_with(start), "{line}");
        let line = with(&[(0.6, 0.5), (0.4, 0.45), (0.2, 0.7)], &[0, 1]).unwrap();
        assert!(line.contains("to 0.2000; train for fewer epochs"), "the best weights have no skill: {line}");
        assert_eq!(run(&[(0.6, 0.5), (0.4, 0.45), (0.5, 0.7)]), None, "both rise: that is divergence");
        assert_eq!(run(&[(0.6, 0.5), (0.4, 0.45), (0.2, 0.47)]), None, "a little is noise");
        assert_eq!(overfitting_line(&[], &[]), None);
        let bare = HISTORY.map(|record| EpochRecord { val_loss: None, val_accuracy: None, ..record });
        assert_eq!(overfitting_line(&bare, &[]), None);
    }
}
