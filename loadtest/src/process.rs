//! What a process has used, as the system counts it.

use std::{fs, time::Duration};

use crate::machine::ticks;

/// Returns the processor time of a process: in user space and in the kernel, all its threads.
///
/// The system counts in ticks of 10 ms.
pub(crate) fn cpu(process: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows it is numbers.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    ticks(user + system)
}

/// Returns how many bytes of a process are in memory.
pub(crate) fn resident(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn work_shows_in_the_processor_time() {
        let process = std::process::id();
        let before = cpu(process).unwrap();

        let mut spun = 0_u64;
        while cpu(process).unwrap() == before {
            spun = black_box((0..100_000).fold(spun, |sum, n| sum ^ black_box(n)));
        }

        assert!(cpu(process).unwrap() > before);
    }

    #[test]
    fn memory_that_is_touched_shows() {
        let before = resident(std::process::id()).unwrap();

        let touched = black_box(vec![1_u8; 64 * 1024 * 1024]);

        assert!(resident(std::process::id()).unwrap() > before + 32 * 1024 * 1024);
        drop(touched);
    }

    #[test]
    fn a_process_that_there_is_not_has_used_nothing_that_is_known() {
        assert_eq!((cpu(u32::MAX), resident(u32::MAX)), (None, None));
    }
}
