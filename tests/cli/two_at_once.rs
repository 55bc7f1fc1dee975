//! Two processes and one run folder: the second is refused, and readers are not.

use super::{Here, Ran};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BUSY: &str = "run: another glassnet is at work on this run; wait for its end, or stop it with Ctrl-C";

/// A run that goes on until it is killed, after its first state was saved.
fn endless(here: &Here) -> Child {
    let arguments = "train set --model tiny.toml --epochs 1000000 --save-every 0 --out run";
    let child = Command::new(env!("CARGO_BIN_EXE_glassnet"))
        .args(arguments.split(' '))
        .current_dir(here.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !here.path("run/weights/best.safetensors").exists() {
        assert!(Instant::now() < deadline, "no state was saved");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

#[test]
fn a_run_that_is_at_work_cannot_be_resumed_beside_itself_and_can_be_read() {
    let here = Here::with_set();
    let mut child = endless(&here);
    here.refused("train --resume run", 1, BUSY);
    here.refused("train set --resume run --epochs 1000000", 1, BUSY);
    for reader in ["predict run set/cat/00.png", "evaluate run set", "summary run/weights/last.safetensors"] {
        let ran: Ran = here.run(reader);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{reader}");
    }
    // A killed process holds nothing, and has left nothing to clear away.
    child.kill().unwrap();
    child.wait().unwrap();
    let epochs = here.text("run/history.csv").lines().count() + 1_000;
    let ran = here.run(&format!("train --resume run --epochs {epochs} --save-every 1000"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(here.names("run").iter().all(|name| !name.contains("lock")), "{:?}", here.names("run"));
}

#[test]
fn of_two_processes_that_resume_at_once_one_goes_on_and_one_is_refused() {
    let here = Here::with_set();
    here.done("train set --model tiny.toml --epochs 2 --out run");
    let mut children: Vec<Child> = (0..2)
        .map(|_| {
            Command::new(env!("CARGO_BIN_EXE_glassnet"))
                .args("train --resume run --epochs 1000000".split(' '))
                .current_dir(here.path(""))
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let deadline = Instant::now() + Duration::from_secs(30);
    let refused = loop {
        assert!(Instant::now() < deadline, "neither was refused");
        if let Some(index) = (0..2).find(|&index| children[index].try_wait().unwrap().is_some()) {
            break children.remove(index);
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let refused = refused.wait_with_output().unwrap();
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), stderr), (Some(1), format!("error: {BUSY}\n")));
    let mut other = children.remove(0);
    assert!(other.try_wait().unwrap().is_none(), "both were refused");
    other.kill().unwrap();
    other.wait().unwrap();
}
