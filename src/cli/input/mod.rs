//! The user's data sets, models and images, opened and checked.

pub mod checked;
pub mod dataset;
pub mod ensemble;
pub mod finding;
pub mod image_batch;
pub mod mistakes;
pub mod model;
pub mod packed;
pub mod past_run;
pub mod phantom_set;
pub mod predictor;
pub mod reading;
pub mod run_data;
pub mod training_set;
