//! The direction of imports, read from the source: no two rooms, shelves or files use each other.

mod circles;
mod order;
mod source;
