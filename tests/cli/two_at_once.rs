//! Two processes and one run folder: the second is refused, and readers are not.

use super::{Here, Ran};
use glassnet::checkpoint;
use std::time::{Duration, Instant};

const BUSY: &str = "run: another glassnet is at work on this run; wait for its end, or stop it with Ctrl-C";

#[test]
fn a_run_that_is_at_work_cannot_be_resumed_beside_itself_and_can_be_read() {
    let here = Here::with_set();
    let child = here.start("train set --model tiny.toml --epochs 1000000 --save-every 0 --out run");
    here.wait_for("run/weights/best.safetensors");
    here.refused("train --resume run", 1, BUSY);
    here.refused("train set --resume run --epochs 1000000", 1, BUSY);
    for reader in ["predict run set/cat/00.png", "evaluate run set", "summary run/weights/last.safetensors"] {
        let ran: Ran = here.run(reader);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{reader}");
    }
    // A killed process holds nothing, and where folders can be locked has left nothing to clear away.
    child.killed();
    let epochs = checkpoint::load(&here.path("run/weights/last.safetensors")).unwrap().card.training.epochs + 2;
    let ran = here.run(&format!("train --resume run --epochs {epochs} --save-every 1000"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    #[cfg(unix)]
    assert!(here.names("run").iter().all(|name| !name.contains("lock")), "{:?}", here.names("run"));
}

#[test]
fn of_two_processes_that_resume_at_once_one_goes_on_and_one_is_refused() {
    let here = Here::with_set();
    here.done("train set --model tiny.toml --epochs 2 --out run");
    let mut both = [0, 1].map(|_| here.start("train --resume run --epochs 1000000"));
    let deadline = Instant::now() + Duration::from_secs(30);
    let refused = loop {
        assert!(Instant::now() < deadline, "neither was refused");
        if let Some(index) = both.iter_mut().position(|running| running.has_ended()) {
            break index;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let [first, second] = both;
    let (refused, mut other) = if refused == 0 { (first, second) } else { (second, first) };
    let ran = refused.ended();
    assert_eq!((ran.code, ran.stderr), (Some(1), format!("error: {BUSY}\n")));
    assert!(!other.has_ended(), "both were refused");
}
