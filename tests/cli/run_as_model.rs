//! A folder given as MODEL stands for its best weights; where it has none, the sentence says what to give.

use super::Here;
use glassnet::checkpoint::{self, Checkpoint};

const USES: [&str; 3] = ["predict MODEL set", "evaluate MODEL set", "summary MODEL"];

#[test]
fn a_run_that_was_stopped_in_its_first_epoch_has_no_best_weights_yet_and_is_called_so() {
    let here = Here::with_model();
    let last = here.path("run/weights/last.safetensors");
    let Checkpoint { mut card, parameters, .. } = checkpoint::load(&last).unwrap();
    card.training.epochs = 0;
    checkpoint::save(&last, &card, &parameters).unwrap();
    std::fs::remove_file(here.path("run/weights/best.safetensors")).unwrap();
    let sentence = "weights file run/weights/best.safetensors: the run stopped before its first epoch was done, so it has no \
                    best weights; go on with it by --resume run";
    for call in USES {
        here.refused(&call.replace("MODEL", "run"), 1, sentence);
    }
}

#[cfg(unix)]
#[test]
fn best_weights_that_are_gone_or_no_file_are_called_so_and_the_last_ones_named() {
    let here = Here::with_model();
    let best = here.path("run/weights/best.safetensors");
    std::fs::remove_file(&best).unwrap();
    let give = "put back a copy of it, or give the weights of the last epoch, run/weights/last.safetensors";
    for found in ["it is gone", "it is not a file"] {
        for call in USES {
            let sentence = format!("weights file run/weights/best.safetensors: {found}; {give}");
            here.refused(&call.replace("MODEL", "run"), 1, &sentence);
        }
        if !best.exists() {
            nix::unistd::mkfifo(&best, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }
    }
    here.done("predict run/weights/last.safetensors set");
}

#[test]
fn of_a_cross_validation_a_fold_is_asked_for() {
    let here = Here::with_set();
    here.done("train set --model tiny.toml --epochs 1 --folds 2 --out folds");
    let sentence = "weights file folds: it is the folder of a cross-validation, with a run for each fold; give one of these, \
                    such as folds/fold1";
    for call in USES {
        // Only predict takes several models at once.
        if !call.starts_with("predict") {
            here.refused(&call.replace("MODEL", "folds"), 1, sentence);
        }
        assert_eq!(here.run(&call.replace("MODEL", "folds/fold1")).code, Some(0), "{call}");
    }
}
