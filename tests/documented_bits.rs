//! The documented network keeps its bits: SHA-256 of weights, history and predictions after two epochs on the
//! shipped set, fused and layer by layer, with each instruction set of the machine.
//!
//! A change that is to compute the same must leave these sums as they are. One that computes something else
//! on purpose records them anew, and says so. On an architecture without recorded sums the test says that it
//! compared nothing.

use std::path::Path;
use std::process::Command;

use glassnet::kernels::simd::{InstructionSet, VARIABLE};
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

/// The sums of the weights, of `history.csv` and of `predictions.csv`.
type Sums = [String; 3];

/// The sums on x86-64. The fused multiply-add of a wider set rounds as that of a narrower one does, but sums
/// are cut into registers of another width, so each set has its own.
fn recorded(set: InstructionSet) -> [&'static str; 3] {
    match set {
        InstructionSet::Portable => [
            "2a997e4dd6fe479ccd1f698f82692e75f88a0fa8997cf6ea223955d90d1124c1",
            "6a29ac87de29c63306aed82ec94640ebc71e8f5ab264a39dd57e90f68d985a4f",
            "aa634ca6bbcb86e96347727e896768b6b1ff69324dc7e398c094fdb22c54d0e4",
        ],
        InstructionSet::Avx2 => [
            "5b7e9992280da77fd81432c299c68d28bd3c1692766cf1e473280391ab066532",
            "81a3be53e5f1b58e397fee8b3b2d724e1d718acf193452c66dce59a60d998e40",
            "03616d8455292c1b62888abfb6d8ac60208bbbf485e193ec13431f1adc8b3057",
        ],
        InstructionSet::Avx512 => [
            "dacfc1548a9d5f00589715475375e3128352c149ba8fc117b0c8a8890419f1a6",
            "631d5571fab4c38d1b3f87a752d5d4a1058275865209b736090e6dd37f71f4d5",
            "15f8c1178d718074961518699425b2f1e830c4ac68fa771c9e55619cb6d68d23",
        ],
    }
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The sum over the model's tensors in the order of their names; what else a weights file says is no result.
fn weights_sum(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors = file.tensors();
    tensors.retain(|(name, _)| name.starts_with("conv2d") || name.starts_with("dense"));
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(tensors.len(), 10, "five layers with a kernel and a bias");
    let mut hash = Sha256::new();
    for (_, tensor) in tensors {
        hash.update(tensor.data());
    }
    hexadecimal(hash)
}

/// What two epochs come to with this instruction set.
fn sums(set: InstructionSet, fuse: bool) -> Sums {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/liver-phantom");
    let mut train = Command::new(env!("CARGO_BIN_EXE_glassnet"));
    train.env(VARIABLE, set.name()).args(["train", "--epochs", "2", "--quiet", "--out"]).arg(&run).arg(data);
    train.args((!fuse).then_some("--no-fuse"));
    let output = train.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text_sum = |name: &str| hexadecimal(Sha256::new_with_prefix(std::fs::read(run.join(name)).unwrap()));
    [weights_sum(&run.join("weights/last.safetensors")), text_sum("history.csv"), text_sum("predictions.csv")]
}

#[test]
fn two_epochs_of_the_documented_network_keep_every_bit() {
    if !cfg!(target_arch = "x86_64") {
        println!("skipped: no sums are recorded for {}", std::env::consts::ARCH);
        return;
    }
    for set in InstructionSet::available() {
        for fuse in [true, false] {
            let names = ["weights", "history.csv", "predictions.csv"];
            for ((name, sum), recorded) in names.iter().zip(sums(set, fuse)).zip(recorded(set)) {
                assert_eq!(sum, recorded, "{name}, {}, fused: {fuse}", set.name());
            }
        }
    }
}
