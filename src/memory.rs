//! Has glibc give memory back that was needed once. Left to itself it takes the largest piece that was ever given back,
//! such as the 19 MiB that a password's hash needs, for usual, and from then on keeps twice as much for each thread.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What glibc reads at the start of a process, and only then.
const TUNABLES: &str = "GLIBC_TUNABLES";
/// Pieces of so many bytes are had from the system, and given back to it, one by one.
const LARGE: usize = 128 * 1024;
/// So many unused bytes may lie behind what is used.
const UNUSED: usize = 128 * 1024;
/// There are so many heaps more than processors; glibc would make eight for each.
const MORE_HEAPS: usize = 2;

/// Begins the process again, as the same one, with limits to what glibc keeps, unless whoever started it has set such
/// limits. Where that cannot be, it returns, and memory is what glibc makes of it.
pub(crate) fn begin_with_limits() {
    if !cfg!(target_env = "gnu") {
        return;
    }
    let Some(tunables) = with_limits(std::env::var_os(TUNABLES)) else {
        return;
    };
    let mut arguments = std::env::args_os();
    let mut again = Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // Answers only where it failed.
    let _ = again.args(arguments).env(TUNABLES, tunables).exec();
}

/// Tunables with our limits, where none are set.
fn with_limits(set: Option<OsString>) -> Option<OsString> {
    let set = set.unwrap_or_default();
    if set.to_string_lossy().contains("glibc.malloc.") {
        return None;
    }
    let heaps = std::thread::available_parallelism().map_or(1, usize::from) + MORE_HEAPS;
    let limits = format!(
        "glibc.malloc.mmap_threshold={LARGE}:glibc.malloc.trim_threshold={UNUSED}:glibc.malloc.arena_max={heaps}"
    );
    let parts = [set, OsString::from(limits)].into_iter();
    let parts = parts.filter(|part| !part.is_empty());
    Some(parts.collect::<Vec<_>>().join(OsStr::new(":")))
}
