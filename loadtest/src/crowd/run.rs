//! Runs a crowd: starts what is needed, lets the users in, measures, lets them leave, and judges.
//!
//! Invariant: what was started here ends with the run, on whatever way; dropping the future kills it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io::Write as _,
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::Duration,
};

use clock::{SharedClock, timeout};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use scenarios::{Backend, BackendError, Guest, TargetFile};
use tempfile::NamedTempFile;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    attack,
    facts::{self, Books},
    floor,
    judge::{self, Measured},
    profile::Profile,
    recorder::Recorder,
    report::Report,
    stage::{self, Stage},
    watch::{self, Usage},
};
use crate::{
    child::{ChildError, Served},
    machine::{self, Machine, MachineError},
};

/// Users that sign in at once.
const SIGN_IN_AT_ONCE: usize = 16;
/// All users must have come so long after the ramp.
const COME_MAX: Duration = Duration::from_mins(1);
/// Turns that run at the end get so much longer than a turn may take, so that each is judged.
const DRAIN_SPARE: Duration = Duration::from_secs(10);
/// So long goose may take to let all users leave.
const LEAVE_MAX: Duration = Duration::from_mins(1);
/// How often it is looked whether something has come to its end.
const LOOK: Duration = Duration::from_millis(10);

/// How a crowd is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Time for pauses and measuring.
    pub clock: SharedClock,
    /// The program that is the mock too: this one.
    pub program: OsString,
    /// Whom they chat with.
    pub target: TargetFile,
    /// Name or file of the profile.
    pub profile: String,
    /// The command line, for the report.
    pub command: String,
    /// Where goose writes its own report, if it is wanted.
    pub goose_report: Option<PathBuf>,
    /// Hears what is done, line by line.
    pub listener: fn(&str),
}

/// The run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CrowdError {
    /// The machine does not carry it.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The mock did not serve.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The script of the mock could not be written.
    #[error("cannot write the script of the mock: {0}")]
    Script(#[from] std::io::Error),
    /// The target does not go with the load.
    #[error("{0}")]
    Unfit(String),
    /// The target could not be had, or is gone.
    #[error("{0}")]
    Target(String),
    /// goose refused, or did not come to its end.
    #[error("goose: {0}")]
    Goose(String),
    /// Not everybody came.
    #[error("only {came} of {users} users came in time\n  hint: take a longer `ramp`, or fewer users")]
    NotAllCame {
        /// Who came.
        came: usize,
        /// Who should have.
        users: usize,
    },
}

impl From<BackendError> for CrowdError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Unfit(told) => Self::Unfit(told),
            BackendError::Absent(told) => Self::Target(told),
        }
    }
}

/// The stage with what stands behind it.
struct Set {
    stage: Arc<Stage>,
    backend: Backend,
    process: Option<u32>,
    model: std::net::SocketAddr,
    /// Dropping it stops the mock.
    _mock: (Served, NamedTempFile),
}

/// Runs a profile.
pub async fn run(profile: &Profile, options: &Options) -> Result<Report, CrowdError> {
    let machine = Machine::here();
    let started_at = options.clock.wall().to_string();
    // Of the target a running turn takes two: to its user and to the model.
    machine::allow_files(profile.users() + profile.talkers())?;
    let set = set(profile, options).await?;
    let measured = Box::pin(measure(profile, &set, options)).await;
    let gone = set.backend.ended().await;
    set.backend.stop().await;
    if let Some(gone) = gone {
        return Err(CrowdError::Target(gone));
    }
    let about = judge::About { profile, options, machine, started_at };
    Ok(judge::report(about, &measured?))
}

/// Starts mock and target, and signs everybody in.
async fn set(profile: &Profile, options: &Options) -> Result<Set, CrowdError> {
    let mut script = NamedTempFile::with_suffix(".toml")?;
    script.write_all(stage::script(&profile.model).as_bytes())?;
    let port = options.target.llm.port().to_string();
    let mut command = Command::new(&options.program);
    command.args(["mock", "--port", &port, "--control-port", "off", "--log-format", "off", "--script"]);
    command.arg(script.path());
    let mock = Served::start("the mock", command, None, (&*options.clock, None)).await?;
    let model = mock.address;
    let llm = format!("http://{model}");
    let backend = Backend::start(&options.target, &llm, &profile.settings).await?;
    (options.listener)(&format!("{} users sign in", profile.users()));
    let people = profile.people();
    let guests = sign_in(&backend, &people, options).await?;
    let stage = Stage {
        recorder: Arc::new(Recorder::new(Arc::clone(&options.clock))),
        clock: Arc::clone(&options.clock),
        target: backend.address(),
        guests,
        people,
        books: Books::default(),
        seed: profile.seed,
        model: profile.model,
        patience: profile.patience,
        over: CancellationToken::new(),
        shut: CancellationToken::new(),
    };
    let process = backend.process_id().await;
    Ok(Set { stage: Arc::new(stage), backend, process, model, _mock: (mock, script) })
}

/// Signs everybody in, a few at once, and returns a guest for each user. Names are used once, in this run or another.
async fn sign_in(backend: &Backend, people: &[usize], options: &Options) -> Result<Vec<Guest>, CrowdError> {
    let run = options.clock.wall().as_microsecond();
    let unique: BTreeSet<_> = people.iter().copied().collect();
    let guests = stream::iter(unique)
        .map(|person| async move {
            let guest = backend.sign_in(&format!("load.{run}.{person}")).await?;
            Ok::<_, String>((person, guest))
        })
        .buffered(SIGN_IN_AT_ONCE)
        .try_collect::<BTreeMap<_, _>>();
    let guests =
        guests.await.map_err(|error| CrowdError::Target(format!("a user cannot sign in: {error}")))?;
    Ok(people.iter().filter_map(|person| guests.get(person).cloned()).collect())
}

/// Lets the users come, measures, and lets them leave.
async fn measure(profile: &Profile, set: &Set, options: &Options) -> Result<Measured, CrowdError> {
    let goose = |error: goose::GooseError| CrowdError::Goose(error.to_string());
    let stage = &set.stage;
    let report = options.goose_report.as_ref().map(|path| path.display().to_string());
    let attack = attack::prepare(profile, stage, report).map_err(goose)?;
    let empty = Usage::of(set.process);
    let mut beside = JoinSet::new();
    beside.spawn(floor::probe(Arc::clone(stage), set.model));
    beside.spawn(watch::watch(Arc::clone(stage), set.process));
    let running = attack::run(attack);
    tokio::pin!(running);
    let tell = options.listener;
    let conducted = tokio::select! {
        ended = &mut running => return Err(too_early(ended)),
        conducted = conduct(profile, set, tell) => conducted,
    };
    stage.over.cancel();
    let (begin, end) = conducted?;
    tokio::select! {
        ended = &mut running => return Err(too_early(ended)),
        () = drained(stage, profile.talkers()) => {}
    }
    stage.shut.cancel();
    attack::end();
    tell("users leave");
    let ended = timeout(stage.clock(), LEAVE_MAX, running).await;
    ended
        .map_err(|_| CrowdError::Goose(format!("users did not leave within {LEAVE_MAX:?}")))?
        .map_err(goose)?;
    beside.shutdown().await;
    facts::judge(stage, &set.backend).await;
    Ok(Measured { seen: std::mem::take(&mut *stage.recorder.seen()), empty, begin, end })
}

/// goose ends by our wish only.
fn too_early<T>(ended: Result<T, goose::GooseError>) -> CrowdError {
    let how = ended.map_or_else(|error| error.to_string(), |_| "no user is left".to_owned());
    CrowdError::Goose(format!("ended before its time: {how}"))
}

/// Waits until all are in, warms up and measures. Returns what was used at the first and the last measured moment.
async fn conduct(profile: &Profile, set: &Set, tell: fn(&str)) -> Result<(Usage, Usage), CrowdError> {
    let (stage, users) = (&set.stage, profile.users());
    let limit = stage.recorder.now() + profile.ramp + COME_MAX;
    tell(&format!("{users} users come within {:?}", profile.ramp));
    while stage.recorder.seen().came < users {
        if stage.recorder.now() > limit {
            return Err(CrowdError::NotAllCame { came: stage.recorder.seen().came, users });
        }
        stage.clock().sleep(LOOK).await;
    }
    tell(&format!("all are in; warming up for {:?}", profile.warm_up));
    stage.clock().sleep(profile.warm_up).await;
    tell(&format!("measuring for {:?}", profile.duration));
    let begin = Usage::of(set.process);
    stage.recorder.seen().from = Some(stage.recorder.now());
    stage.clock().sleep(profile.duration).await;
    let until = stage.recorder.now();
    let mut seen = stage.recorder.seen();
    (seen.until, seen.sockets_measured) = (Some(until), seen.sockets);
    drop(seen);
    Ok((begin, Usage::of(set.process)))
}

/// Waits until all that was due has been asked, and every turn has ended in its way.
async fn drained(stage: &Stage, talkers: usize) {
    let is_done = || {
        let seen = stage.recorder.seen();
        seen.running == 0 && seen.finished >= talkers
    };
    let all = async {
        while !is_done() {
            stage.clock().sleep(LOOK).await;
        }
    };
    // What is left then is told as never asked.
    _ = timeout(stage.clock(), stage.patience + DRAIN_SPARE, all).await;
}
