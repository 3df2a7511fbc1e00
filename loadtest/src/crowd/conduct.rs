//! The steps of a load, one after the other: users come, it is warmed up, it is measured.

use std::{sync::Arc, time::Duration};

use clock::timeout;

use super::{
    cast::Cast,
    judge::{self, Measured},
    profile::Profile,
    progress::Listener,
    recorder::Window,
    run::{CrowdError, LOOK},
    stage::Stage,
    sums::Sums,
    watch::Usage,
};

/// All users of a step must have come so long after its ramp.
const COME_MAX: Duration = Duration::from_mins(1);

/// Leads a load.
pub(crate) struct Conductor<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) stage: &'a Arc<Stage>,
    pub(crate) cast: &'a Cast,
    /// The target's, where it was started here.
    pub(crate) process: Option<u32>,
    pub(crate) listener: &'a Listener,
}

impl Conductor<'_> {
    /// Takes one step after the other, until something breaks. Returns what each brought by its end; of what was due in
    /// it, some may end later. Where a step after the first could not be taken, the reason stands beside those before.
    pub(crate) async fn conduct(&self) -> Result<(Vec<Measured>, Option<CrowdError>), CrowdError> {
        let empty = Usage::of(self.process);
        let mut steps = Vec::new();
        for step in 1..=self.profile.steps {
            let users = self.cast.until(step);
            match self.gather(users).await {
                Err(error) if !steps.is_empty() => return Ok((steps, Some(error))),
                gathered => gathered?,
            }
            self.listener.say(format!("{users} are in; warming up for {:?}", self.profile.warm_up));
            self.stage.clock().sleep(self.profile.warm_up).await;
            let measured = self.measure(users, empty).await;
            let is_the_last = step == self.profile.steps || self.breaks(&measured).await;
            steps.push(measured);
            if is_the_last {
                break;
            }
        }
        Ok((steps, None))
    }

    /// Waits until what was due in the step that was just measured has ended, and says whether that broke it: then no
    /// further step is taken.
    async fn breaks(&self, step: &Measured) -> bool {
        let (recorder, until) = (&self.stage.recorder, self.stage.recorder.now());
        let ended = async {
            while recorder.runs_since_before(until) {
                self.stage.clock().sleep(LOOK).await;
            }
        };
        // What has no end within the patience of a turn never has one, and is told as that.
        _ = timeout(self.stage.clock(), self.stage.patience, ended).await;
        let mut seen = recorder.seen();
        seen.share_out();
        let sums = seen.windows.last().map(|window| window.sums.clone()).unwrap_or_default();
        drop(seen);
        let breaks =
            judge::is_the_last(&judge::judged(&Measured { sums, ..step.clone() }, &self.profile.thresholds));
        if breaks {
            self.listener.say(format!("no further step is taken after that of {} users", step.users));
        }
        breaks
    }

    /// Lets the users of the next step come, and waits until so many are there.
    async fn gather(&self, users: usize) -> Result<(), CrowdError> {
        let recorder = &self.stage.recorder;
        let now = recorder.now();
        let limit = now + self.profile.ramp + COME_MAX;
        self.listener.say(format!("{users} users come within {:?}", self.profile.ramp));
        self.stage.steps.send_modify(|begun| begun.push(now));
        loop {
            let came = recorder.seen().came;
            if came >= users {
                return Ok(());
            }
            if recorder.now() > limit {
                return Err(CrowdError::NotAllCame { came, users });
            }
            self.stage.clock().sleep(LOOK).await;
        }
    }

    async fn measure(&self, users: usize, empty: Usage) -> Measured {
        let (recorder, span) = (&self.stage.recorder, self.profile.duration);
        self.listener.say(format!("measuring for {span:?}"));
        let (begin, at) = (Usage::of(self.process), self.stage.clock().wall().to_string());
        let window = Window { from: recorder.now(), until: None, sums: Sums::default() };
        recorder.seen().windows.push(window);
        self.stage.clock().sleep(span).await;
        let (end, until) = (Usage::of(self.process), recorder.now());
        let mut seen = recorder.seen();
        let sockets = seen.sockets as u64;
        seen.share_out();
        let Some(window) = seen.windows.last_mut() else { return Measured::default() };
        window.until = Some(until);
        window.sums.measured_s = until.since(window.from).as_secs_f64();
        window.sums.sockets = sockets;
        window.sums.use_up([empty, begin, end]);
        Measured { users, at, sums: window.sums.clone(), doubts: Vec::new() }
    }
}

impl Sums {
    /// Keeps what target and generator used between two moments, the first of three being that before all users.
    fn use_up(&mut self, [empty, begin, end]: [Usage; 3]) {
        let used =
            |from: Option<Duration>, to: Option<Duration>| Some(to?.saturating_sub(from?).as_secs_f64());
        self.target_cpu_s = used(begin.target_cpu, end.target_cpu);
        self.target_rss = end.target_rss;
        self.target_grown =
            end.target_rss.zip(empty.target_rss).map(|(end, empty)| end.saturating_sub(empty));
        self.generator_cpu = used(begin.generator_cpu, end.generator_cpu).map(|cpu| cpu / self.measured_s);
        self.generator_rss = end.generator_rss;
    }
}
