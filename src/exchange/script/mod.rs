//! Python scripts that rebuild a model in another framework, load its weights from an npz file, and compare
//! logits, loss and gradients with those that the engine computed.
//!
//! | file | what |
//! |---|---|
//! | `known` | what the engine computes, as an npz file for the scripts to compare with |
//! | `python` | Python's texts and numbers |
//! | `keras`, `pytorch` | the scripts |

mod keras;
mod known;
mod python;
mod pytorch;

pub use keras::keras_script;
pub use known::known_step;
pub use python::ScriptFiles;
pub use pytorch::pytorch_script;
