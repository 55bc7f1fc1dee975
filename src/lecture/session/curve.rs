//! The losses of a training that can be changed: those that it had, and those that it has since.

/// The loss of each step that was taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Without edits, from step 1 on; NaN where a step was not taken.
    original: Vec<f64>,
    /// From the first edit on.
    edited: Vec<f64>,
    /// The step of the first edit, if there is one.
    first_edit: Option<u64>,
}

impl Curve {
    /// Keeps the loss of a step.
    pub(super) fn record(&mut self, step: u64, loss: f64) {
        let (losses, place) = match self.first_edit {
            Some(first) if first <= step => (&mut self.edited, (step - first) as usize),
            _ => (&mut self.original, step as usize - 1),
        };
        if losses.len() <= place {
            losses.resize(place + 1, f64::NAN);
        }
        losses[place] = loss;
    }

    /// Forgets what edits from a step on made of the losses; `first` is the first edit that is left or new.
    pub(super) fn forget_edited_from(&mut self, step: u64, first: Option<u64>) {
        match (self.first_edit, first) {
            (Some(old), Some(new)) if old == new => self.edited.truncate(step.saturating_sub(old) as usize),
            _ => self.edited.clear(),
        }
        self.first_edit = first;
    }

    /// Returns the losses of the steps up to and with `step`, as the training now is.
    pub fn up_to(&self, step: u64) -> Vec<f64> {
        let (end, first) = (step as usize, self.first_edit.map_or(usize::MAX, |first| first as usize - 1));
        let before = self.original.iter().take(end.min(first)).copied();
        let behind = self.edited.iter().take(end.saturating_sub(first)).copied();
        before.chain(behind).collect()
    }

    /// Returns the losses without edits, as far as they are known.
    pub fn original(&self) -> &[f64] {
        &self.original
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_future_stands_beside_the_original_one_and_goes_away_with_its_edit() {
        let mut curve = Curve::default();
        (1..=4).for_each(|step| curve.record(step, step as f64));
        assert_eq!(curve.up_to(2), [1.0, 2.0]);
        curve.forget_edited_from(3, Some(3));
        (3..=5).for_each(|step| curve.record(step, 10.0 * step as f64));
        assert_eq!((curve.up_to(9), curve.original()), (vec![1.0, 2.0, 30.0, 40.0, 50.0], &[1.0, 2.0, 3.0, 4.0][..]));
        // A second edit, later, leaves what lies between.
        curve.forget_edited_from(5, Some(3));
        assert_eq!(curve.up_to(9), [1.0, 2.0, 30.0, 40.0]);
        curve.forget_edited_from(3, None);
        assert_eq!(curve.up_to(9), [1.0, 2.0, 3.0, 4.0]);
    }
}
