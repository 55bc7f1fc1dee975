//! The Rust blocks of the course in `docs`, as doctests: a module for each page.

#[doc = include_str!("../docs/01-one-neuron.md")]
mod one_neuron {}
#[doc = include_str!("../docs/02-the-loss.md")]
mod the_loss {}
#[doc = include_str!("../docs/03-differences.md")]
mod differences {}
#[doc = include_str!("../docs/04-convolution.md")]
mod convolution {}
#[doc = include_str!("../docs/05-where-gradients-stop.md")]
mod where_gradients_stop {}
#[doc = include_str!("../docs/06-a-step-backward.md")]
mod a_step_backward {}
#[doc = include_str!("../docs/07-adam.md")]
mod adam {}
#[doc = include_str!("../docs/08-im2col.md")]
mod im2col {}
#[doc = include_str!("../docs/09-direct-convolution.md")]
mod direct_convolution {}
#[doc = include_str!("../docs/10-winograd.md")]
mod winograd {}
