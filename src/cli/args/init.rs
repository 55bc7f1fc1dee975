//! The arguments of `init`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `glassnet init`.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  glassnet init --preset mnist --out model.toml     then: glassnet summary model.toml
  glassnet init --preset vgg-small --classes 5      prints it

The file says what each layer is for. Change what you like; 'glassnet summary' tells what comes of it.")]
pub struct InitArgs {
    /// The network to start from
    #[arg(long, value_name = "NAME", value_enum)]
    pub preset: Preset,
    /// A new file [default: printed]
    ///
    /// A file that is there already is left as it is.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Classes that it tells apart [default: 2 for documented, else 10]
    ///
    /// The last layer has one unit for two classes, and for more of them one for each.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(2..))]
    pub classes: Option<u16>,
}

/// `--preset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// The documented run's: three convolutions with pools, 128×128×3
    Documented,
    /// Two convolutions for grey digits, 28×28×1
    Mnist,
    /// LeNet-5 with ReLU, 28×28×1
    Lenet,
    /// 3×3 convolutions in pairs, 64×64×3
    VggSmall,
    /// Depthwise convolutions with batch normalization, 96×96×3
    MobilenetSmall,
    /// Convolutions alone, 32×32×3
    AllConv,
}
