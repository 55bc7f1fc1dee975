//! What makes a run what it is.

use toml::{Table, Value};

/// Settings that a run may go on with changed: none of them changes what is computed in an epoch.
pub const MAY_CHANGE: [&str; 5] = ["cache", "epochs", "save_every", "tensorboard", "watch"];

/// The tables of `config.toml` that tell where and how a run was made, and not from what.
const CIRCUMSTANCES: [&str; 5] = ["command", "version", "machine", "algorithms", "outcome"];

/// The places of the data. Only the content counts.
const PLACES: [&str; 4] = ["path", "absolute_path", "validation_path", "validation_absolute_path"];

/// Returns what makes a run what it is: its configuration without circumstances and without what may change.
pub fn identity(config: &Table) -> Table {
    let mut identity = config.clone();
    identity.retain(|key, _| !CIRCUMSTANCES.contains(&key));
    if let Some(settings) = identity.get_mut("settings").and_then(Value::as_table_mut) {
        settings.retain(|key, _| !MAY_CHANGE.contains(&key));
    }
    if let Some(data) = identity.get_mut("data").and_then(Value::as_table_mut) {
        data.retain(|key, _| !PLACES.contains(&key));
    }
    identity
}
