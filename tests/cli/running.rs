//! The binary at work beside its test, which watches, interrupts or kills it.

use super::{Here, Ran};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A process, which is killed when its test is over, however that ends.
pub struct Running(Option<Child>);

impl Here {
    /// Starts the binary with these arguments, which are parted by spaces. What it prints is read when it has
    /// ended; until then it has to wait once that fills a pipe.
    pub fn start(&self, arguments: &str) -> Running {
        let mut command = self.process();
        command.args(arguments.split(' '));
        Running::of(command)
    }

    /// Waits until a file is there.
    #[track_caller]
    pub fn wait_for(&self, file: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.path(file).exists() {
            assert!(Instant::now() < deadline, "{file} was never written");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Running {
    /// Starts a command that was made ready.
    pub fn of(mut command: std::process::Command) -> Running {
        Running(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    /// A process that was started already.
    pub fn child(child: Child) -> Running {
        Running(Some(child))
    }

    /// Ctrl-C.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        self.signal(nix::sys::signal::Signal::SIGINT);
    }

    /// Sends it a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let child = self.0.as_ref().expect("it runs");
        let pid = nix::unistd::Pid::from_raw(child.id() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.0.as_mut().expect("it runs").try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Ran {
        Ran::from(self.0.take().expect("it runs").wait_with_output().unwrap())
    }

    /// Kills it, unless it has just ended.
    pub fn killed(mut self) -> Ran {
        self.0.as_mut().expect("it runs").kill().unwrap();
        self.ended()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // If it cannot be killed it has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
