//! What the user names, opened and checked: data sets, models, images.

pub mod checked;
pub mod dataset;
pub mod finding;
pub mod model;
pub mod predictor;
pub mod reading;
pub mod run_data;
