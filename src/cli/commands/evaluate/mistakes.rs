//! The worst mistakes, gathered while images go by: no more of them are kept than will be shown.

use glassnet::Result;
use glassnet::report::evaluation::page::Mistake;

/// The most mistakes that are kept.
pub const SHOWN: usize = 24;

/// The mistakes with the highest loss so far, worst first; of equal ones the earlier.
#[derive(Default)]
pub struct WorstMistakes {
    losses: Vec<f64>,
    /// The mistakes that belong to them.
    kept: Vec<Mistake>,
    /// All mistakes, kept or not.
    pub count: usize,
}

impl WorstMistakes {
    /// Counts a mistake, and keeps what `make` gives if it is among the worst.
    pub fn add(&mut self, loss: f64, make: impl FnOnce() -> Result<Mistake>) -> Result<()> {
        self.count += 1;
        let place = self.losses.partition_point(|kept| kept.total_cmp(&loss).is_ge());
        if place < SHOWN {
            self.kept.insert(place, make()?);
            self.losses.insert(place, loss);
            self.kept.truncate(SHOWN);
            self.losses.truncate(SHOWN);
        }
        Ok(())
    }

    /// Returns those that were kept.
    pub fn shown(&self) -> &[Mistake] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassnet::classes::Label;

    #[test]
    fn the_worst_are_kept_worst_first_and_all_are_counted() {
        let mut worst = WorstMistakes::default();
        let mut made = 0;
        // 0, 7, 14, … 49, 6, …: each of 0 to 49 once; then the worst once more, which comes after its equal.
        for loss in (0..50).map(|index| index * 7 % 50).chain([49]) {
            let make = || {
                made += 1;
                Ok(Mistake {
                    file: format!("{loss} {made}"),
                    label: Label::NEGATIVE,
                    probability: 0.9,
                    jpeg: Vec::new(),
                })
            };
            worst.add(f64::from(loss), make).unwrap();
        }
        assert_eq!(worst.count, 51);
        let files: Vec<String> = worst.shown().iter().map(|mistake| mistake.file.clone()).collect();
        assert_eq!(files.len(), SHOWN);
        assert_eq!(files[0], "49 8");
        assert!(
            files[1].starts_with("49 ") && files[2].starts_with("48 ") && files[SHOWN - 1].starts_with("27 "),
            "{files:?}"
        );
        assert!(made < 51, "an image that is not among the worst is not copied");
    }
}
