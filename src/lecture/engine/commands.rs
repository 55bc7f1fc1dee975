//! What the engine is asked for, and where its answer goes.

use crate::Result;
use crate::lecture::session::{Edit, Position};
use tokio::sync::oneshot;

/// What the engine is asked to do.
pub(super) enum Command {
    Go(Position),
    Edit(Edit),
    Undo,
    /// The reader has gone on to the step ahead, or playing has begun.
    Look,
}

/// A command, and where its end is told.
pub(super) type Asked = (Command, Option<oneshot::Sender<Result<()>>>);
