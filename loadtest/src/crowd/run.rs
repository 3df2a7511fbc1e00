//! Runs a crowd: starts what is needed, lets the users in, measures, lets them leave, and judges.
//!
//! Invariant: what was started here ends with the run, on whatever way; dropping the future kills it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::Duration,
};

use clock::{SharedClock, Timestamp, timeout};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use scenarios::{Backend, BackendError, Guest, TargetFile, Wanted, Wish, model::Protocol};
use tempfile::NamedTempFile;
use tokio::{net::TcpStream, sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    attack,
    cast::{Cast, Part},
    conduct::Conductor,
    facts::{self, Books},
    floor,
    judge::{self, Cut, Measured},
    profile::{Past, Profile},
    progress::Listener,
    recorder::{Recorder, Seen},
    report::Report,
    stage::{self, Stage},
    watch as witness,
};
use crate::{
    child::{ChildError, Served},
    machine::{self, Machine, MachineError},
};

/// Users that sign in at once.
const SIGN_IN_AT_ONCE: usize = 16;
/// Turns that run at the end get so much longer than a turn may take, so that each is judged.
const DRAIN_SPARE: Duration = Duration::from_secs(10);
/// So long goose may take to let all users leave.
const LEAVE_MAX: Duration = Duration::from_mins(1);
/// A mock that runs already must take a connection within this.
const REACH_MAX: Duration = Duration::from_secs(3);
/// How often it is looked whether something has come to its end.
pub(super) const LOOK: Duration = Duration::from_millis(10);

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
    /// Which part of the users are this generator's.
    pub part: Part,
    /// Wall time at which the first user comes; at once if it is not said.
    pub begin: Option<Timestamp>,
    /// A mock that runs already, with the script of the profile's model; one is started here if it is not said.
    pub mock: Option<SocketAddr>,
    /// Hears what is done.
    pub listener: Listener,
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
    cast: Cast,
    backend: Backend,
    process: Option<u32>,
    model: SocketAddr,
    /// Dropping it stops the mock that was started here.
    _mock: Option<(Served, NamedTempFile)>,
}

/// Runs a profile.
pub async fn run(profile: &Profile, options: &Options) -> Result<Report, CrowdError> {
    let machine = Machine::here();
    let started_at = options.clock.wall().to_string();
    let cast = cast(profile, options)?;
    time_left(options)?;
    machine::allow_files(cast.files(profile))?;
    let set = set(profile, cast, options).await?;
    let measured = Box::pin(measure(profile, &set, options)).await;
    let gone = set.backend.ended().await;
    set.backend.stop().await;
    let Found { steps, seen, cut } = match (measured, &gone) {
        (Err(_), Some(gone)) => return Err(CrowdError::Target(gone.clone())),
        (measured, _) => measured?,
    };
    let cut = gone.map(Cut::Target).or(cut);
    let about = judge::About { profile, options, machine, started_at, cut };
    Ok(judge::report(about, steps, &seen))
}

/// Returns the script by which a mock answers as the profile's model.
pub fn script(profile: &Profile) -> String {
    stage::script(&profile.model)
}

/// Chooses who plays here.
fn cast(profile: &Profile, options: &Options) -> Result<Cast, CrowdError> {
    let is_part = options.part != Part::WHOLE;
    let wrong = if is_part && profile.steps > 1 {
        Some("a load in parts has one step: the parts would end theirs at different ones")
    } else if is_part && (options.target.start.is_some() || options.mock.is_none()) {
        Some(
            "all parts of a load have one target and one mock: take a target that runs already, and `--mock`",
        )
    } else if profile.steps > profile.users() {
        Some("there are more steps than users")
    } else if profile.tunnel().is_some() && profile.protocol != Protocol::V1 {
        Some("on v0 nobody can take up a stream where it was: `tunnel` needs `--protocol chat.v1`")
    } else if profile.tunnel().is_some_and(|tunnel| tunnel > profile.patience / 2) {
        Some("a `tunnel` may last half of `patience` at most: a turn that takes longer than that has no end")
    } else {
        None
    };
    if let Some(told) = wrong {
        return Err(CrowdError::Unfit(told.to_owned()));
    }
    let cast = Cast::of(profile, options.part);
    if cast.users() == 0 {
        let Part { number, of } = options.part;
        return Err(CrowdError::Unfit(format!("part {number}/{of} has no users; take fewer parts")));
    }
    Ok(cast)
}

/// Starts mock and target, and signs everybody in.
async fn set(profile: &Profile, cast: Cast, options: &Options) -> Result<Set, CrowdError> {
    let (model, mock) = mock(profile, options).await?;
    let llm = format!("http://{model}");
    let people = cast.people();
    let Past { messages, facts } = profile.past;
    let users = Wanted { users: people.len(), messages, facts };
    let seeds = if options.target.seed.is_some() { "are made" } else { "sign in" };
    options.listener.say(format!("{} users {seeds}", people.len()));
    let wish = Wish { llm: &llm, settings: &profile.settings, users, protocol: profile.protocol };
    let backend = Backend::start(&options.target, wish).await?;
    let guests = sign_in(&backend, &people, options).await?;
    let stage = Stage {
        recorder: Arc::new(Recorder::new(Arc::clone(&options.clock))),
        clock: Arc::clone(&options.clock),
        target: backend.address(),
        host: backend.host().to_owned(),
        guests,
        steps: watch::Sender::default(),
        ramp: profile.ramp,
        books: Books::default(),
        seed: profile.seed,
        model: profile.model,
        protocol: profile.protocol,
        run: options.clock.wall().as_microsecond(),
        answers: stage::answers(&profile.model),
        patience: profile.patience,
        over: CancellationToken::new(),
        shut: CancellationToken::new(),
    };
    let process = backend.process_id().await;
    Ok(Set { stage: Arc::new(stage), cast, backend, process, model, _mock: mock })
}

type Mock = (SocketAddr, Option<(Served, NamedTempFile)>);

/// Starts the mock where the target looks for it, unless one runs already.
async fn mock(profile: &Profile, options: &Options) -> Result<Mock, CrowdError> {
    if let Some(running) = options.mock {
        let reached = timeout(&*options.clock, REACH_MAX, TcpStream::connect(running)).await;
        let missing = |error: String| CrowdError::Target(format!("no mock answers at {running}: {error}"));
        reached
            .map_err(|_| missing(format!("not within {REACH_MAX:?}")))?
            .map_err(|it| missing(it.to_string()))?;
        return Ok((running, None));
    }
    let mut file = NamedTempFile::with_suffix(".toml")?;
    file.write_all(script(profile).as_bytes())?;
    let port = options.target.llm.port().to_string();
    let mut command = Command::new(&options.program);
    command.args(["mock", "--port", &port, "--control-port", "off", "--log-format", "off", "--script"]);
    command.arg(file.path());
    let mock = Served::start("the mock", command, None, (&*options.clock, None)).await?;
    Ok((mock.address, Some((mock, file))))
}

/// Signs these people in, a few at once. Names are used once, in this run or another.
async fn sign_in(
    backend: &Backend,
    people: &BTreeSet<usize>,
    options: &Options,
) -> Result<BTreeMap<usize, Guest>, CrowdError> {
    let run = options.clock.wall().as_microsecond();
    let guests = stream::iter(people.iter().copied().enumerate())
        .map(|(nth, person)| async move {
            let guest = backend.sign_in(nth, &format!("load.{run}.{person}")).await?;
            Ok::<_, String>((person, guest))
        })
        .buffered(SIGN_IN_AT_ONCE)
        .try_collect();
    guests.await.map_err(|error| CrowdError::Target(format!("a user cannot sign in: {error}")))
}

/// What a run brought.
struct Found {
    steps: Vec<Measured>,
    /// What was seen beside the steps.
    seen: Seen,
    cut: Option<Cut>,
}

/// Lets the users come, measures, and lets them leave.
async fn measure(profile: &Profile, set: &Set, options: &Options) -> Result<Found, CrowdError> {
    let goose = |error: goose::GooseError| CrowdError::Goose(error.to_string());
    let (stage, listener) = (&set.stage, &options.listener);
    wait_to_begin(options).await?;
    let report = options.goose_report.as_ref().map(|path| path.display().to_string());
    let attack = attack::prepare((profile, &set.cast), stage, report).map_err(goose)?;
    let mut beside = JoinSet::new();
    beside.spawn(floor::probe(Arc::clone(stage), set.model));
    beside.spawn(witness::watch(Arc::clone(stage), set.process, listener.clone()));
    let running = attack::run(attack);
    tokio::pin!(running);
    let conductor = Conductor { profile, stage, cast: &set.cast, process: set.process, listener };
    let conducted = tokio::select! {
        ended = &mut running => return Err(too_early(ended)),
        conducted = conductor.conduct() => conducted,
    };
    stage.over.cancel();
    let (mut steps, cut) = conducted?;
    tokio::select! {
        ended = &mut running => return Err(too_early(ended)),
        () = drained(stage) => {}
    }
    stage.shut.cancel();
    attack::end();
    listener.say("users leave");
    let ended = timeout(stage.clock(), LEAVE_MAX, running).await;
    ended
        .map_err(|_| CrowdError::Goose(format!("users did not leave within {LEAVE_MAX:?}")))?
        .map_err(goose)?;
    beside.shutdown().await;
    // Of a target that is gone nobody knows what it keeps.
    if set.backend.ended().await.is_none() {
        facts::judge(stage, &set.backend).await;
    }
    let mut seen = std::mem::take(&mut *stage.recorder.seen());
    // What was due in a window may have ended after it.
    if cut.is_none() {
        seen.share_out();
    }
    for (step, window) in steps.iter_mut().zip(std::mem::take(&mut seen.windows)) {
        step.sums = window.sums;
    }
    Ok(Found { steps, seen, cut: cut.map(|error| Cut::Generator(error.to_string())) })
}

/// Waits for the moment at which all parts of a load begin.
async fn wait_to_begin(options: &Options) -> Result<(), CrowdError> {
    let Some(left) = time_left(options)? else { return Ok(()) };
    options.listener.say(format!("waiting for {left:.0?}"));
    options.clock.sleep(left).await;
    Ok(())
}

/// Returns how long it is until all parts of a load begin, if that is set.
fn time_left(options: &Options) -> Result<Option<Duration>, CrowdError> {
    let Some(begin) = options.begin else { return Ok(None) };
    let late = |_| {
        let told = format!("it is past {begin} already: users took longer to get in than was thought");
        CrowdError::Unfit(format!("{told}\n  hint: take a later time for `--begin`"))
    };
    Duration::try_from(begin.duration_since(options.clock.wall())).map(Some).map_err(late)
}

/// goose ends by our wish only.
fn too_early<T>(ended: Result<T, goose::GooseError>) -> CrowdError {
    let how = ended.map_or_else(|error| error.to_string(), |_| "no user is left".to_owned());
    CrowdError::Goose(format!("ended before its time: {how}"))
}

/// Waits until all that was due has been asked, and every turn has ended in its way.
async fn drained(stage: &Stage) {
    let is_done = || {
        let seen = stage.recorder.seen();
        seen.running == 0 && seen.finished >= seen.talkers
    };
    let all = async {
        while !is_done() {
            stage.clock().sleep(LOOK).await;
        }
    };
    // What is left then is told as never asked.
    _ = timeout(stage.clock(), stage.patience + DRAIN_SPARE, all).await;
}
