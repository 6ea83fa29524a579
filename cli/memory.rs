//! How much memory there is: what this process has, and what it may still have.

use std::sync::OnceLock;

/// The part of what is free that is taken if nothing else is said: the rest is for everybody else.
const SHARE: (u64, u64) = (4, 5);
/// If the system does not say what is free.
const UNKNOWN: u64 = 4 << 30;

/// What the program may have if nothing else is said, in bytes: 80 % of what was really free when it was asked
/// first. What it takes itself must not make it less.
pub(crate) fn default_limit() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let (part, of) = SHARE;
        usize::try_from(system::free().unwrap_or(UNKNOWN) / of * part).unwrap_or(usize::MAX)
    })
}

/// How much memory this process has at the moment, in bytes, where the system says so.
pub(crate) fn resident() -> Option<usize> {
    usize::try_from(system::resident()?).ok()
}

#[cfg(target_os = "linux")]
mod system {
    use std::path::Path;

    use super::linux;

    pub(super) fn free() -> Option<u64> {
        linux::free(Path::new("/"))
    }

    pub(super) fn resident() -> Option<u64> {
        linux::status(Path::new("/"), "VmRSS:")
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

    pub(super) fn free() -> Option<u64> {
        let mut system = System::new();
        system.refresh_memory();
        Some(system.available_memory()).filter(|bytes| *bytes > 0)
    }

    pub(super) fn resident() -> Option<u64> {
        let pid = get_current_pid().ok()?;
        let mut system = System::new();
        let what = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
        Some(system.process(pid)?.memory())
    }
}

/// What Linux says, in files. They are read below a root, so that a test can put others there.
#[cfg(any(target_os = "linux", test))]
mod linux {
    use std::fs;
    use std::num::NonZero;
    use std::path::Path;

    /// What is free: by the machine, by the limit of address space (`ulimit -v`), and by the control groups,
    /// whichever is least.
    pub(super) fn free(root: &Path) -> Option<u64> {
        let all = [available(root), address_space(root), control_groups(root)];
        all.into_iter().flatten().min()
    }

    /// `MemAvailable` of proc(5): what can be had without swapping.
    fn available(root: &Path) -> Option<u64> {
        kibibytes(&root.join("proc/meminfo"), "MemAvailable:")
    }

    /// A line of /proc/self/status, in bytes.
    pub(super) fn status(root: &Path, key: &str) -> Option<u64> {
        kibibytes(&root.join("proc/self/status"), key)
    }

    fn kibibytes(path: &Path, key: &str) -> Option<u64> {
        let text = fs::read_to_string(path).ok()?;
        let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
        Some(rest.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    }

    /// So many addresses a thread takes in the C library of GNU before it uses any: a stack, and a heap that is
    /// reserved (malloc(3), arenas).
    const OF_A_THREAD: u64 = 68 << 20;

    /// What `RLIMIT_AS` of getrlimit(2) leaves when the threads are there that are made to search and to watch.
    fn address_space(root: &Path) -> Option<u64> {
        let text = fs::read_to_string(root.join("proc/self/limits")).ok()?;
        let rest = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
        let limit: u64 = rest.split_whitespace().next()?.parse().ok()?;
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get) as u64 + 1;
        let left = limit.saturating_sub(status(root, "VmSize:")?);
        Some(left.saturating_sub(threads * OF_A_THREAD).max(left / 4))
    }

    /// What the control groups of this process leave, those above them included; version 2 and version 1 of
    /// cgroups(7).
    fn control_groups(root: &Path) -> Option<u64> {
        let text = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
        let mut least = None;
        for line in text.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
            let (mount, limit, used) = match controllers {
                "" => ("sys/fs/cgroup", "memory.max", "memory.current"),
                some if some.split(',').any(|it| it == "memory") => {
                    ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
                }
                _ => continue,
            };
            let mount = root.join(mount);
            // In a container the path is that of the host; what is mounted then is the group itself.
            for group in Path::new(group.trim_start_matches('/')).ancestors() {
                let number = |file: &str| -> Option<u64> {
                    fs::read_to_string(mount.join(group).join(file)).ok()?.trim().parse().ok()
                };
                if let (Some(limit), Some(used)) = (number(limit), number(used)) {
                    let left = limit.saturating_sub(used);
                    least = Some(least.map_or(left, |least: u64| least.min(left)));
                }
            }
        }
        least
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// A root with these files; removed when the test is over.
        struct Root(std::path::PathBuf);

        impl Root {
            fn with(name: &str, files: &[(&str, &str)]) -> Self {
                let root =
                    std::env::temp_dir().join(format!("ipcsim-{name}-{}", std::process::id()));
                for (path, text) in files {
                    let path = root.join(path);
                    let folder = path.parent().expect("a file is in a folder");
                    fs::create_dir_all(folder).expect("a temporary folder can be made");
                    fs::write(path, text).expect("a temporary file can be written");
                }
                Self(root)
            }
        }

        impl Drop for Root {
            fn drop(&mut self) {
                let _ = fs::remove_dir_all(&self.0);
            }
        }

        const MEMORY: (&str, &str) = ("proc/meminfo", "MemFree: 1 kB\nMemAvailable:    8192 kB\n");
        const STATUS: (&str, &str) = ("proc/self/status", "VmSize:     1024 kB\nVmRSS:  512 kB\n");

        #[test]
        fn the_least_of_all_limits_counts() {
            let unlimited =
                "Max address space         unlimited            unlimited            bytes\n";
            let limited =
                "Max address space         3145728              unlimited            bytes\n";
            let plain = Root::with("plain", &[MEMORY, STATUS, ("proc/self/limits", unlimited)]);
            assert_eq!(free(&plain.0), Some(8 << 20));
            assert_eq!(status(&plain.0, "VmRSS:"), Some(512 << 10));
            let rlimit = Root::with("rlimit", &[MEMORY, STATUS, ("proc/self/limits", limited)]);
            assert_eq!(free(&rlimit.0), Some(512 << 10), "a quarter of what is left at least");
        }

        #[test]
        fn control_groups_count_with_those_above_them() {
            let two = Root::with(
                "cgroup2",
                &[
                    MEMORY,
                    ("proc/self/cgroup", "0::/course/student\n"),
                    ("sys/fs/cgroup/course/student/memory.max", "max\n"),
                    ("sys/fs/cgroup/course/student/memory.current", "1000\n"),
                    ("sys/fs/cgroup/course/memory.max", "5000\n"),
                    ("sys/fs/cgroup/course/memory.current", "1500\n"),
                ],
            );
            assert_eq!(free(&two.0), Some(3500));
            let one = Root::with(
                "cgroup1",
                &[
                    MEMORY,
                    ("proc/self/cgroup", "4:cpu,memory:/docker/0123\n3:pids:/x\n"),
                    ("sys/fs/cgroup/memory/memory.limit_in_bytes", "7000\n"),
                    ("sys/fs/cgroup/memory/memory.usage_in_bytes", "8000\n"),
                ],
            );
            assert_eq!(free(&one.0), Some(0));
        }

        #[test]
        fn where_nothing_is_said_nothing_is_known() {
            assert_eq!(free(Path::new("/nowhere/at/all")), None);
        }
    }
}
