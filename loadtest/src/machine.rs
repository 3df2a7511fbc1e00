//! The machine: what it is, its cores, and how many files a process may open.
//!
//! Invariant: what the system does not tell is absent, never zero.

use std::{fs, time::Duration};

use rustix::{
    param,
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Files that a process needs beside its connections.
const FILES_SPARE: u64 = 200;

/// What the figures were measured on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Name of the processor.
    pub processor: Option<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Release of the kernel.
    pub kernel: Option<String>,
    /// Memory in MiB.
    pub memory_mib: Option<u64>,
    /// Runnable tasks over the last minute, before the run began.
    pub load_before: Option<f64>,
}

/// Which core runs whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cores {
    /// The core of floor and target.
    pub target: usize,
    /// The core of the client.
    pub client: usize,
}

/// The machine cannot carry the load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// The limit on open files is too low and cannot be raised.
    #[error(
        "{connections} connections need {needed} open files, and the limit is {limit}\n  hint: raise it (`ulimit -n {needed}`, or LimitNOFILE= of the service), or lower `connections` of the case, or `--users`"
    )]
    Files {
        /// Connections of the largest case.
        connections: usize,
        /// Files that they need.
        needed: u64,
        /// The most that this process may have.
        limit: u64,
    },
    /// A core that this process may not use.
    #[error("core {core} cannot be used; this process may use {allowed}\n  hint: `--cores TARGET,CLIENT`")]
    Core {
        /// What was asked for.
        core: usize,
        /// The cores that there are.
        allowed: String,
    },
}

impl Machine {
    /// Asks the system.
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).ok();
        let field = |text: String, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?.to_owned();
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = read("/proc/meminfo").and_then(|text| field(text, "MemTotal"));
        Self {
            processor: read("/proc/cpuinfo").and_then(|text| field(text, "model name")),
            cores: allowed().len(),
            kernel: read("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
            memory_mib: memory
                .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
                .map(|kib| kib / 1024),
            load_before: read("/proc/loadavg").and_then(|text| text.split(' ').next()?.parse().ok()),
        }
    }
}

impl Cores {
    /// Chooses cores, or checks those that were asked for. `None` when there are not two.
    pub fn choose(asked: Option<[usize; 2]>) -> Result<Option<Self>, MachineError> {
        let allowed = allowed();
        let shown = || allowed.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        match (asked, allowed.as_slice()) {
            (Some(cores), _) => match cores.iter().find(|core| !allowed.contains(core)) {
                Some(core) => Err(MachineError::Core { core: *core, allowed: shown() }),
                None => Ok(Some(Self { target: cores[0], client: cores[1] })),
            },
            (None, [target, client, ..]) => Ok(Some(Self { target: *target, client: *client })),
            (None, _) => Ok(None),
        }
    }
}

/// Returns the cores that this thread may use.
fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
    (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
}

/// Binds this thread, and all that it starts from now on, to a core. Returns whether it could.
pub(crate) fn bind(core: usize) -> bool {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).is_ok()
}

/// Makes sure that a process may hold so many connections; processes started later inherit it.
pub(crate) fn allow_files(connections: usize) -> Result<(), MachineError> {
    let needed = connections as u64 + FILES_SPARE;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    // Up to the hard limit everybody may; with the privilege, that rises as well.
    let raised = Rlimit { current: Some(needed), maximum: maximum.map(|most| most.max(needed)) };
    if setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let limit = maximum.or(current).unwrap_or_default();
    Err(MachineError::Files { connections, needed, limit })
}

/// Returns how long a core has been busy since the start of the machine.
pub(crate) fn core_busy(core: usize) -> Option<Duration> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let name = format!("cpu{core} ");
    let numbers: Vec<u64> = text
        .lines()
        .find_map(|line| line.strip_prefix(&name))?
        .split(' ')
        .map_while(|n| n.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; guest time is part of user time.
    let idle = numbers.get(3)? + numbers.get(4)?;
    ticks(numbers.iter().take(8).sum::<u64>().saturating_sub(idle))
}

/// Turns the system's ticks into time.
pub(crate) fn ticks(count: u64) -> Option<Duration> {
    let per_second = u32::try_from(param::clock_ticks_per_second()).ok()?;
    Duration::from_secs(count).checked_div(per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_there_is_not_is_named_with_those_that_there_are() {
        let error = Cores::choose(Some([0, 100_000])).unwrap_err().to_string();

        assert!(error.contains("core 100000") && error.contains("may use 0"), "{error}");
    }

    #[test]
    fn more_files_than_any_system_allows_are_refused_with_the_way_out() {
        let error = allow_files(usize::MAX / 2).unwrap_err().to_string();

        assert!(error.contains("ulimit -n"), "{error}");
    }

    #[test]
    fn the_machine_knows_itself() {
        let machine = Machine::here();

        assert!(machine.cores > 0);
        assert!(machine.memory_mib.is_none_or(|mib| mib > 0));
    }
}
