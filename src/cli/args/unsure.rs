//! The value of `predict --unsure`: where the model rather says nothing.

use std::fmt;
use std::str::FromStr;

/// The probabilities between which there is no answer: of two classes those of the positive one, of more
/// that of the most probable one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsure {
    low: f64,
    high: f64,
}

impl Unsure {
    /// Tells whether an answer of this probability is none. The ends are answers.
    pub fn covers(self, probability: f64) -> bool {
        self.low < probability && probability < self.high
    }
}

impl FromStr for Unsure {
    type Err = String;

    fn from_str(text: &str) -> Result<Unsure, String> {
        let wanted = || format!("'{text}' is not LOW,HIGH, two probabilities such as 0.3,0.7");
        let (low, high) = text.split_once(',').ok_or_else(wanted)?;
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|p| (0.0..=1.0).contains(p));
        match (number(low), number(high)) {
            (Some(low), Some(high)) if low < high => Ok(Unsure { low, high }),
            (Some(low), Some(high)) => Err(format!("{low} must be below {high}")),
            _ => Err(wanted()),
        }
    }
}

impl fmt::Display for Unsure {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{},{}", self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_answers_and_what_lies_between_is_none() {
        let unsure: Unsure = "0.3,0.7".parse().unwrap();
        assert_eq!(
            [0.2, 0.3, 0.31, 0.5, 0.69, 0.7, 1.0].map(|p| unsure.covers(p)),
            [false, false, true, true, true, false, false]
        );
        assert_eq!(unsure.to_string().parse(), Ok(unsure));
    }

    #[test]
    fn what_is_no_range_of_probabilities_is_refused() {
        let refused = |text: &str| text.parse::<Unsure>().unwrap_err();
        assert_eq!(refused("0.5"), "'0.5' is not LOW,HIGH, two probabilities such as 0.3,0.7");
        assert_eq!(refused("0.7,0.3"), "0.7 must be below 0.3");
        assert_eq!(refused("0,2"), "'0,2' is not LOW,HIGH, two probabilities such as 0.3,0.7");
        assert_eq!(refused("NaN,1"), "'NaN,1' is not LOW,HIGH, two probabilities such as 0.3,0.7");
    }
}
