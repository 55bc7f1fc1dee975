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
            "957a60fedc972312653a76e4827b14ecef90c4835abd3caccc71508f995ea7d2",
            "d4abc61e2aa1160a59ea24652b7d45c5e0494f01faf9c27f99e6c940b1ad8bc3",
            "2be419a2209abd366132f3ebbe3d7acb72ebdb0f5874b048f43382b6af91de7b",
        ],
        InstructionSet::Avx2 => [
            "b228d79f7b496f35210a9db72dea78aab3bdec06a301262d9a65bfe37decce42",
            "2fbec9a84526399263b37a5209b41e429e1d84bd080381673cfffadddf9a887f",
            "9d6d02cf473c6f6e35d219031d9e8cfaada4177a4b4ce01abce1062f67ca0d62",
        ],
        InstructionSet::Avx512 => [
            "a2f68645707d861cf2a63643079cd35cc290f353d10108943d8e5a346b938a46",
            "cf89a404aec9fc9b1d6bfeb4199a18d070409df026445793effd90fa90e63632",
            "8183bf09bf0f09e70f15f3134db8d8c8d686d9f34c07ea19ec900e087f76e1e3",
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
