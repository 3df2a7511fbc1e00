//! What must hold of the target as a process: it does not panic, does not die, and does not hoard.

use super::Found;
use crate::observation::Observation;

const MIB: u64 = 1024 * 1024;

/// What cannot be seen is not told as sound.
const UNSEEN: &str = "not visible on this target";

pub(super) fn no_panic(seen: &Observation) -> Found {
    let Some(panics) = &seen.panics else { return Ok(UNSEEN.to_owned()) };
    panics.first().map_or_else(|| Ok("none".to_owned()), |panic| Err((panic.clone(), Vec::new())))
}

pub(super) fn lives_on(seen: &Observation) -> Found {
    match &seen.process {
        None => Ok(UNSEEN.to_owned()),
        Some(process) => match &process.death {
            Some(death) => Err((death.clone(), Vec::new())),
            None => Ok("it does".to_owned()),
        },
    }
}

pub(super) fn memory(seen: &Observation) -> Found {
    let Some(process) = &seen.process else { return Ok(UNSEEN.to_owned()) };
    let Some((before, most)) = process.memory else { return Ok(UNSEEN.to_owned()) };
    if most.saturating_sub(before) <= process.growth_max {
        // How much it was differs from run to run.
        return Ok("no more".to_owned());
    }
    let mib = |bytes: u64| bytes / MIB;
    let (before, most, allowed) = (mib(before), mib(most), mib(process.growth_max));
    Err((format!("from {before} MiB to {most} MiB, {allowed} MiB more are allowed"), Vec::new()))
}
