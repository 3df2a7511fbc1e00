//! The real time that a scenario may take, whatever its own clock says.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use crate::world::Broken;

/// Far more than any scenario of the library needs, also on a machine that is busy: only what would not end reaches it.
pub(super) const BUILTIN_MAX: Duration = Duration::from_mins(2);
/// The same of one that runs in real time: a breaker may have to cool down before it and after it, writers have ten minutes,
/// and pauses three.
pub(super) const EXTERNAL_MAX: Duration = Duration::from_mins(30);
/// So long a built-in server may take to end.
pub(super) const STOP_MAX: Duration = Duration::from_secs(30);

/// Runs something, and gives it up when it has taken `most` of real time.
///
/// The time is kept by a thread of its own: the clock of the runtime may be virtual, and stand still or run.
pub(super) async fn within<T>(
    most: Duration,
    running: impl Future<Output = Result<T, Broken>>,
) -> Result<T, Broken> {
    let (over, is_over) = oneshot::channel();
    let (_running, has_ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        if has_ended.recv_timeout(most) == Err(RecvTimeoutError::Timeout) {
            // Fails where it has ended at this moment.
            let _ = over.send(());
        }
    });
    tokio::select! {
        ended = running => ended,
        Ok(()) = is_over => Err(Broken::Other(format!("it was given up after {most:?} of real time"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_never_ends_is_given_up_and_what_ends_is_not_s14() {
        let short = Duration::from_millis(1);

        let ended = within(BUILTIN_MAX, async { Ok(7) }).await;
        let endless = within::<()>(short, std::future::pending()).await;

        assert_eq!(ended.unwrap(), 7);
        assert_eq!(endless.unwrap_err().to_string(), "it was given up after 1ms of real time");
    }
}
