//! ONNX (<https://onnx.ai>): a graph of operators with its weights in one file, which onnxruntime, OpenCV,
//! browsers and phones run.
//!
//! | file | what |
//! |---|---|
//! | `tensor`, `messages` | the format's messages, written and read |
//! | `write` | a network as a graph |
//! | `chain` | a graph as a chain of nodes, or the reason why it is none |
//! | `input` | which axis of the input is which, and how samples are scaled |
//! | `window` | the padding of a kernel or a window |
//! | `walk` | a chain as a network |
//! | `read` | a file as a model |
//!
//! What is written and read again has the same weights to the last bit, and the same card.

mod chain;
mod input;
mod messages;
mod read;
mod tensor;
mod walk;
mod window;
mod write;

pub use read::{from_bytes, read};
pub use walk::PIXELS_ASSUMED;
pub use write::{OPSET, OnnxInput, to_bytes};
