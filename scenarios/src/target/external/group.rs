//! The processes of a back end that was started here, and how much memory they hold, as Linux tells it; nothing elsewhere.

use std::fs;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// Returns the group that a child leads, which was started so; none if it has ended.
pub(super) fn led_by(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

/// A group that is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Doomed(Option<Pid>);

impl Doomed {
    /// The group that a child leads.
    pub(super) fn led_by(child: &Child) -> Self {
        Self(led_by(child))
    }

    /// Lets it live.
    pub(super) fn spare(&mut self) {
        self.0 = None;
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // A group that is gone needs no signal.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// What is written to `clear_refs` so that the peak is measured from now on (man 5 proc).
const RESET_PEAK: &str = "5";

/// Begins to measure; returns the sum of the peaks so far of the processes of the group, in bytes: where the system lets
/// them be measured anew, that is what they hold now.
pub(super) fn begin(group: Pid) -> Option<u64> {
    for id in members(group) {
        // Refused only where the process is gone or somebody else's; its peak is then that of its life.
        let _ = fs::write(format!("/proc/{id}/clear_refs"), RESET_PEAK);
    }
    peak(group)
}

/// Returns the sum of the most that each process of the group has held since, in bytes.
pub(super) fn peak(group: Pid) -> Option<u64> {
    let held: Vec<_> = members(group).iter().filter_map(|id| kibibytes(*id, "VmHWM:")).collect();
    (!held.is_empty()).then(|| held.iter().sum::<u64>() * 1024)
}

fn kibibytes(id: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Says whether any process of a group has not ended.
pub(super) fn is_alive(group: Pid) -> bool {
    !members(group).is_empty()
}

/// Returns the processes of a group that have not ended.
fn members(group: Pid) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| group_of(*id) == Some(group.as_raw_nonzero().get())).collect()
}

/// Returns the group of a process; none if it has ended.
fn group_of(id: u32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    // Zombies wait for somebody who asks how they ended.
    if state == "Z" { None } else { fields.nth(1)?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use std::process::id;

    use super::*;

    const MUCH: usize = 256 << 20;

    /// Takes memory and gives it back.
    fn take() {
        let mut much = vec![0_u8; MUCH];
        much.fill(std::hint::black_box(1));
        drop(std::hint::black_box(much));
    }

    #[test]
    fn the_peak_of_a_group_is_measured_from_its_beginning_s9() {
        if fs::write("/proc/self/clear_refs", RESET_PEAK).is_err() {
            // This system measures no peak anew: what was taken in all of a life is the most that can be told.
            return;
        }
        let group = Pid::from_raw(group_of(id()).unwrap()).unwrap();
        take();

        let before = begin(group).unwrap();
        let at_rest = peak(group).unwrap().saturating_sub(before);
        take();
        let grown = peak(group).unwrap().saturating_sub(before);

        // Other tests of this process take a little meanwhile.
        assert!(at_rest < MUCH as u64 / 2, "what was taken before counts: {at_rest}");
        assert!(grown >= MUCH as u64 / 2, "{grown} of {MUCH}");
    }
}
