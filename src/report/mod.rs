//! The reports that a run leaves for people: lines in the terminal, tables, CSV files and pictures.
//!
//! - [`epoch`]: the lines of an epoch, as Keras prints them
//! - [`comparison`]: a table that sets a run beside the documented one
//! - [`csv_files`]: `history.csv`, `steps.csv`, `timings.csv`, `split.csv`
//! - [`history_lines`]: `history.jsonl`, an epoch a line as it ends
//! - [`predictions_csv`]: its file, what a model answers for each image
//! - [`folds`]: cross-validation's folds, their mean and their spread
//! - [`diagnostics`]: what the numbers of a run mean, in sentences
//! - [`pictures`]: learning curves, confusion matrix, grids of images, as PNG
//! - [`evaluation`]: the tables of an evaluation, and its page
//! - [`explanation`]: the page that explains a training step
//! - [`glass`]: the scripts and the style of pages that one sees through
//! - [`profile`]: the table, the page and the trace of where a run's time went
//! - [`tensorboard`]: scalars, histograms and images for TensorBoard
//! - [`wrapped`]: sentences in lines, for the terminal
//! - [`watch`]: the table of a training that was watched, what it means, and its page
//!
//! Everything else here takes plain numbers, names and pixels; nothing of it knows of data sets or
//! networks.

pub mod comparison;
pub mod csv_files;
pub mod diagnostics;
pub mod epoch;
pub mod evaluation;
pub mod explanation;
pub mod folds;
pub mod glass;
mod head;
pub mod history_lines;
pub mod pictures;
pub mod predictions_csv;
pub mod profile;
pub mod tensorboard;
pub mod watch;
pub mod wrapped;
