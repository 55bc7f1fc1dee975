//! What a run leaves behind for people to read: lines in the terminal, tables, CSV files and pictures.
//!
//! - [`epoch`]: the numbers of one epoch, and Keras's way of printing them
//! - [`documented`]: the documented run, and a table that sets ours beside it
//! - [`csv_files`]: `history.csv`, `steps.csv`, `split.csv`, `predictions.csv`
//! - [`folds`]: cross-validation's folds, their mean and their spread
//! - [`statements`]: what the numbers of a run mean, in sentences
//! - [`pictures`]: learning curves, confusion matrix, grids of images, as PNG
//! - [`evaluation`]: the tables of an evaluation, and its page
//!
//! Everything here takes plain numbers, names and pixels; nothing knows of data sets or networks.

pub mod csv_files;
pub mod documented;
pub mod epoch;
pub mod evaluation;
pub mod folds;
pub mod pictures;
pub mod statements;
