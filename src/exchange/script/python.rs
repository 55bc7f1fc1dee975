//! What both scripts have in common: Python's texts and numbers, and the comparison.

use crate::checkpoint::ModelCard;

/// The files that a script reads, which lie beside it.
#[derive(Clone, Copy, Debug)]
pub struct ScriptFiles<'a> {
    /// The script's own name.
    pub script: &'a str,
    /// The weights.
    pub weights: &'a str,
    /// What the engine computed.
    pub known: &'a str,
}

/// Returns a text as Python has it: JSON's, which Python reads in the same way.
pub fn text(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// Returns `True` or `False`.
pub fn flag(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// Returns the class names as a list.
pub fn classes(card: &ModelCard) -> String {
    format!("[{}]", card.classes.names().map(text).collect::<Vec<_>>().join(", "))
}

/// The end of each script. `compare()` yields a name, what the framework computed, and what glassnet did.
pub const MAIN: &str = r#"

def main():
    rows = list(compare())
    # A gradient that vanishes beside the others is rounding, and is measured by them.
    largest = max(np.abs(ours).max() for name, _, ours in rows if name.startswith("gradient"))
    worst = 0.0
    for name, theirs, ours in rows:
        scale = np.abs(ours).max()
        if name.startswith("gradient"):
            scale = max(scale, 1e-3 * largest)
        difference = np.abs(theirs.astype(np.float64) - ours).max() / max(scale, 1e-30)
        print(f"{name:40} {difference:.1e}")
        worst = max(worst, difference) if difference == difference else np.inf
    print(f"largest difference, relative to each tensor's largest value: {worst:.1e} ({TOLERANCE:.0e} is the most)")
    sys.exit(0 if worst <= TOLERANCE else 1)


if __name__ == "__main__":
    main()
"#;
