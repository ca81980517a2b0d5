//! Who is at a call: a process, named so that another on the same machine can see whether it still runs.

use std::fs;

/// The name of this process as an owner: machine since its start, space of process numbers, number,
/// when it started, and a number of its own.
pub fn this_process() -> String {
    let pid = std::process::id();
    let own = uuid::Uuid::new_v4().simple().to_string();
    match (machine(), started(pid)) {
        (Some(machine), Some(started)) => format!("{machine}/{pid}/{started}/{own}"),
        _ => own,
    }
}

/// Whether an owner is certainly gone: it ran on this machine, and runs no more. Of owners elsewhere
/// nothing is known here.
pub fn is_gone(owner: &str) -> bool {
    let mut parts = owner.split('/');
    let (Some(there), Some(pid), Some(then)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(pid) = pid.parse() else { return false };
    machine().as_deref() == Some(there) && started(pid).as_deref() != Some(then)
}

/// This machine since it was started, and the space in which its process numbers count: containers have
/// their own.
fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}-{}", boot.trim(), space.to_string_lossy()))
}

/// When a process started, in ticks since the machine did; nothing for one that ended.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the state and what follows it comes after the last one.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ended = matches!(fields.first(), Some(&("Z" | "X")));
    fields
        .get(19)
        .filter(|_| !ended)
        .map(|ticks| (*ticks).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_is_not_gone_and_one_that_ended_is() {
        let own = this_process();
        assert!(!is_gone(&own));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let parts: Vec<_> = own.split('/').collect();
        let of_child = format!(
            "{}/{}/{}/x",
            parts[0],
            child.id(),
            started(child.id()).unwrap()
        );
        assert!(!is_gone(&of_child));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_gone(&of_child));
        assert!(
            is_gone(&format!("{}/{}/1/x", parts[0], parts[1])),
            "its number was given again"
        );
        assert!(!is_gone(&of_child.replacen(parts[0], "elsewhere", 1)));
        assert!(!is_gone("just-a-name"));
    }
}
