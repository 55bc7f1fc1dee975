//! The memory that this process may take: what the machine has, or less, where a control group (a container,
//! a job of a scheduler) or `ulimit` sets a limit. All is read from files below a root, so that tests can lay
//! out other machines.

use crate::cli::machine;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Addresses that are left for what comes after the check: the allocator's pools and the stacks of threads
/// take addresses long before they take memory. 64 MiB is what glibc reserves for one thread's pool.
const ADDRESSES_LEFT: usize = 64 << 20;

/// The cause of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// There is no more.
    Machine,
    /// A control group that the process is in, or one above it.
    Cgroup,
    /// The resource limit that the shell's `ulimit` sets with this flag; and all of it, of which a part is
    /// taken already.
    Ulimit { flag: &'static str, whole: usize },
}

/// The least of all limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Bytes that this process may take.
    pub bytes: usize,
    cause: Cause,
}

impl Limit {
    /// Returns the limit of this process, where the system tells one.
    pub fn of_process() -> Option<Limit> {
        Limit::below(Path::new("/"))
    }

    /// Returns the limit of the process whose `proc/self` is below `root`.
    fn below(root: &Path) -> Option<Limit> {
        let machine = machine::memory_bytes(root).map(|bytes| Limit { bytes, cause: Cause::Machine });
        let cgroup = cgroup_bytes(root).map(|bytes| Limit { bytes, cause: Cause::Cgroup });
        machine.into_iter().chain(cgroup).chain(resource_limits(root)).min_by_key(|limit| limit.bytes)
    }
}

/// A clause: `this machine has 23.5 GiB`, `this process may take 2.0 GiB (cgroup limit)`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let bytes = in_words(self.bytes);
        match self.cause {
            Cause::Machine => write!(f, "this machine has {bytes}"),
            Cause::Cgroup => write!(f, "this process may take {bytes} (cgroup limit)"),
            Cause::Ulimit { flag, whole } => write!(
                f,
                "this process may take {bytes} more (ulimit {flag} is {}, less what the program and its threads take)",
                in_words(whole)
            ),
        }
    }
}

/// `2.0 GiB`, or below one `512.0 MiB`.
pub fn in_words(bytes: usize) -> String {
    match bytes >> 30 {
        0 => format!("{:.1} MiB", bytes as f64 / (1u64 << 20) as f64),
        _ => format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64),
    }
}

/// The limits of `ulimit -v`, addresses, and `ulimit -d`, data, less what is taken of them and
/// [`ADDRESSES_LEFT`].
fn resource_limits(root: &Path) -> Vec<Limit> {
    let text = |name: &str| fs::read_to_string(root.join("proc/self").join(name)).unwrap_or_default();
    // Lines such as `Max address space         2147483648           unlimited            bytes`, the soft
    // limit first, and `VmSize:    123456 kB`.
    let (limits, status) = (text("limits"), text("status"));
    let of = |(name, flag, taken): (&str, &'static str, &str)| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
        let whole = line.split_whitespace().next()?.parse::<usize>().ok()?;
        let taken = machine::kibibytes(&status, taken).unwrap_or(0);
        let bytes = whole.saturating_sub(taken).saturating_sub(ADDRESSES_LEFT);
        Some(Limit { bytes, cause: Cause::Ulimit { flag, whole } })
    };
    [("Max address space", "-v", "VmSize:"), ("Max data size", "-d", "VmData:")].into_iter().filter_map(of).collect()
}

/// The least limit of the control groups that the process is in, in either version, and of all above them.
fn cgroup_bytes(root: &Path) -> Option<usize> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).unwrap_or_default();
    let least = |line: &str| {
        // `0::/user.slice` in version 2, and `9:memory:/user.slice` or `9:cpu,memory:/user.slice` in version
        // 1.
        let mut fields = line.splitn(3, ':');
        let [number, controllers, group] = [fields.next()?, fields.next()?, fields.next()?];
        let (kind, option, file) = match (number, controllers) {
            ("0", "") => ("cgroup2", None, "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("cgroup", Some("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let mount = mounts.lines().filter_map(Mount::parse).find(|mount| mount.is_of(kind, option))?;
        let top = root.join(mount.at.strip_prefix("/").unwrap_or(&mount.at));
        let path = mount.below(Path::new(group));
        // "max", or in version 1 a number near 2⁶³, is no limit.
        let limit = |path: &Path| fs::read_to_string(top.join(path).join(file)).ok()?.trim().parse::<usize>().ok();
        path.ancestors().filter_map(limit).min()
    };
    groups.lines().filter_map(least).min()
}

/// A line of `mountinfo`: `30 23 0:26 /docker/abc /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw`.
struct Mount<'a> {
    /// The control group at the place of mounting: another than `/` where the mount shows a part of the
    /// hierarchy.
    group: &'a Path,
    /// The place of mounting.
    at: PathBuf,
    kind: &'a str,
    /// Of a mount of version 1, the controllers.
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Mount<'a>> {
        let (place, what) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let mut what = what.split(' ');
        let (group, at) = (place.next()?, place.next()?);
        // A blank in a path is written as `\040`.
        let at = PathBuf::from(at.replace("\\040", " "));
        Some(Mount { group: Path::new(group), at, kind: what.next()?, options: what.nth(1).unwrap_or("") })
    }

    fn is_of(&self, kind: &str, option: Option<&str>) -> bool {
        self.kind == kind && option.is_none_or(|option| self.options.split(',').any(|name| name == option))
    }

    /// Returns where the control group is below the place of mounting. One that the mount does not show, as
    /// it may be in a container, is taken for the topmost that it does show.
    fn below(&self, group: &Path) -> PathBuf {
        let below = group.strip_prefix(self.group).unwrap_or(Path::new(""));
        let is_shown = below.components().all(|component| matches!(component, Component::Normal(_)));
        if is_shown { below.to_path_buf() } else { PathBuf::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is below a root with these files, and 16 GiB of memory.
    fn limit(files: &[(&str, &str)]) -> (usize, String) {
        let root = tempfile::tempdir().unwrap();
        let write = |(path, text): (&str, &str)| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(("proc/meminfo", "MemTotal:       16777216 kB\nMemFree:        1048576 kB\n"));
        files.iter().copied().for_each(write);
        let limit = Limit::below(root.path()).unwrap();
        (limit.bytes, limit.to_string())
    }

    const V2: &str =
        "25 1 0:5 / /proc rw - proc proc rw\n30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

    #[test]
    fn without_a_limit_it_is_the_machines_memory() {
        let machine = (16 << 30, "this machine has 16.0 GiB".to_string());
        assert_eq!(limit(&[]), machine);
        let unlimited = [
            ("proc/self/cgroup", "0::/user.slice\n"),
            ("proc/self/mountinfo", V2),
            ("sys/fs/cgroup/user.slice/memory.max", "max\n"),
            ("proc/self/limits", "Max address space         unlimited            unlimited            bytes     \n"),
        ];
        assert_eq!(limit(&unlimited), machine);
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Limit::below(root.path()), None);
    }

    #[test]
    fn the_least_limit_of_a_cgroup_and_those_above_it_counts() {
        let mut files = vec![
            ("proc/self/cgroup", "0::/a.slice/job: 1/step\n"),
            ("proc/self/mountinfo", V2),
            ("sys/fs/cgroup/a.slice/memory.max", "8589934592\n"),
            ("sys/fs/cgroup/a.slice/job: 1/memory.max", "2147483648\n"),
            ("sys/fs/cgroup/a.slice/job: 1/step/memory.max", "max\n"),
            ("sys/fs/cgroup/b.slice/memory.max", "1048576\n"),
        ];
        assert_eq!(limit(&files), (2 << 30, "this process may take 2.0 GiB (cgroup limit)".to_string()));
        files[5] = ("sys/fs/cgroup/a.slice/job: 1/step/memory.max", "536870912\n");
        assert_eq!(limit(&files), (512 << 20, "this process may take 512.0 MiB (cgroup limit)".to_string()));
    }

    #[test]
    fn a_container_that_sees_only_its_own_cgroup_finds_its_limit() {
        let own = ("sys/fs/cgroup/memory.max", "1073741824\n");
        // With a name space of its own; without one, where the mount shows the container's part; and moved
        // outside of its root.
        for (group, mounted) in [("/", "/"), ("/docker/abc", "/docker/abc"), ("/../other", "/"), ("/x", "/docker/abc")]
        {
            let cgroup = format!("0::{group}\n");
            let mounts = format!("30 23 0:26 {mounted} /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
            let files = [("proc/self/cgroup", cgroup.as_str()), ("proc/self/mountinfo", mounts.as_str()), own];
            assert_eq!(limit(&files).0, 1 << 30, "{group} {mounted}");
        }
    }

    #[test]
    fn a_limit_of_the_first_version_counts_and_its_largest_number_is_none() {
        let mut files = [
            ("proc/self/cgroup", "12:cpu,cpuacct:/x\n9:memory:/jobs/7\n0::/\n"),
            (
                "proc/self/mountinfo",
                "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                 32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                 33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            ),
            ("sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes", "4294967296\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(limit(&files), (4 << 30, "this process may take 4.0 GiB (cgroup limit)".to_string()));
        files[2] = ("sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit(&files).1, "this machine has 16.0 GiB");
    }

    #[test]
    fn of_ulimit_what_is_taken_already_and_a_margin_are_left_out() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max data size             unlimited            unlimited            bytes     \n\
                      Max address space         2147483648           4294967296           bytes     \n";
        let files = [("proc/self/limits", limits), ("proc/self/status", "Name:\tx\nVmSize:\t  131072 kB\n")];
        let sentence =
            "this process may take 1.8 GiB more (ulimit -v is 2.0 GiB, less what the program and its threads take)";
        assert_eq!(limit(&files), ((2 << 30) - (192 << 20), sentence.to_string()));
        let files =
            [("proc/self/limits", "Max data size             1048576              unlimited            bytes\n")];
        let sentence =
            "this process may take 0.0 MiB more (ulimit -d is 1.0 MiB, less what the program and its threads take)";
        assert_eq!(limit(&files), (0, sentence.to_string()));
    }
}
