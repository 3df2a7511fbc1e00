//! A profile with groups: users of a chat.

use std::{
    env, fs,
    net::{SocketAddr, ToSocketAddrs as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use clock::{SystemClock, Timestamp};
pub(super) use loadtest::crowd::profile::Profile;
use loadtest::crowd::{
    self, CrowdError, Options, Part, Threshold,
    report::{Report, SCHEMA_VERSION},
    table,
};
use scenarios::{Target, TargetFile, model::Protocol};
use tokio::runtime;

use super::live;
use crate::{exit_code::ExitCode, failure::Failure, output, signal, target};

/// The reference server as a process of its own, if no other target is named.
const REFERENCE: &str = include_str!("../../docs/targets/load.toml");

/// What concerns users alone.
#[derive(Debug, Args)]
#[command(next_help_heading = "Users of a chat")]
#[group(id = "crowd")]
pub(super) struct Arguments {
    /// So many users in all, each group in proportion
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    users: Option<u32>,
    /// Something that must hold, such as `p99(turn.first_token) < 300ms`; may be given more than once
    #[arg(long, value_name = "RULE")]
    threshold: Vec<Threshold>,
    /// Seed of all that is left to chance
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Hold the figures against earlier runs (files of `--json`), beyond whose noise they must not be worse
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    baseline: Vec<PathBuf>,
    /// Write the report into this folder: `load.html`, `load.json`, `load.csv`, `load.prom`, and goose's own `goose.html`
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
    /// Come in so many equal steps, and stop after the first at which something breaks
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=20))]
    steps: Option<u32>,
    /// What sockets speak: `v0` or `chat.v1`
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<Protocol>,
    /// Be one of several generators, such as `0/3`: with a part of the users, whose reports `gauntlet compare --merge` adds
    #[arg(long, value_name = "PART/PARTS")]
    part: Option<Part>,
    /// When the first user comes, such as `2030-01-31T12:00:00Z`: the same for all parts
    #[arg(long, value_name = "TIME")]
    begin: Option<Timestamp>,
    /// A mock that runs already, with the script that `--script` prints; the target must ask it
    #[arg(long, value_name = "HOST:PORT")]
    mock: Option<String>,
    /// Print the script of the mock for this profile, and do nothing
    #[arg(long)]
    script: bool,
}

impl Arguments {
    /// Returns an option that was given, if one was.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            (self.users.is_some(), "--users"),
            (!self.threshold.is_empty(), "--threshold"),
            (self.seed.is_some(), "--seed"),
            (!self.baseline.is_empty(), "--baseline"),
            (self.report.is_some(), "--report"),
            (self.steps.is_some(), "--steps"),
            (self.protocol.is_some(), "--protocol"),
            (self.part.is_some(), "--part"),
            (self.begin.is_some(), "--begin"),
            (self.mock.is_some(), "--mock"),
            (self.script, "--script"),
        ];
        given.into_iter().find_map(|(given, option)| given.then_some(option))
    }
}

pub(super) fn run(arguments: &super::Arguments, text: &str) -> Result<ExitCode, Failure> {
    let mut profile = Profile::parse(&arguments.profile, text).map_err(Failure::usage)?;
    if arguments.show {
        output::print(text);
        return Ok(ExitCode::Held);
    }
    if arguments.crowd.script {
        output::print(&crowd::script(&profile));
        return Ok(ExitCode::Held);
    }
    adjust(&mut profile, arguments);
    // What cannot be read or written is told before a minute was spent.
    let earlier: Vec<_> = arguments.crowd.baseline.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    if let Some(folder) = &arguments.crowd.report {
        fs::create_dir_all(folder).map_err(|error| {
            Failure::usage(format_args!("cannot make the folder `{}`: {error}", folder.display()))
        })?;
    }
    let options = options(arguments)?;
    // goose would take Ctrl-C for itself, and for good; it leaves a handler that is there.
    ctrlc::set_handler(|| {}).map_err(Failure::environment)?;
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::environment)?;
    let report = runtime.block_on(async {
        let mut wishes = signal::Wishes::listen();
        tokio::select! {
            report = Box::pin(crowd::run(&profile, &options)) => Some(report),
            // The run is dropped here, and what it started with it.
            () = wishes.next() => None,
        }
    });
    // Users that goose still holds are not waited for.
    runtime.shutdown_background();
    // With it goes the line that moves.
    drop(options);
    match report {
        None => Ok(ExitCode::Interrupted),
        Some(report) => {
            let mut report = report.map_err(failed)?;
            if !earlier.is_empty() {
                report.hold_against(&earlier);
            }
            conclude(&report, arguments)
        }
    }
}

/// Puts what was asked for in the place of what the profile says.
fn adjust(profile: &mut Profile, arguments: &super::Arguments) {
    let wanted = &arguments.crowd;
    if let Some(users) = wanted.users {
        profile.scale_to(users as usize);
    }
    profile.steps = wanted.steps.map_or(profile.steps, |steps| steps as usize);
    profile.protocol = wanted.protocol.unwrap_or(profile.protocol);
    profile.duration = arguments.duration.unwrap_or(profile.duration);
    profile.seed = wanted.seed.unwrap_or(profile.seed);
    profile.thresholds.extend(wanted.threshold.iter().cloned());
}

fn options(arguments: &super::Arguments) -> Result<Options, Failure> {
    let target = match &arguments.target {
        None => TargetFile::parse(Path::new("load.toml"), REFERENCE, &|_| None).map_err(Failure::usage)?,
        Some(path) => match target::load(Path::new(path))? {
            Target::External(file) => *file,
            Target::Builtin => return Err(Failure::usage("a load needs a target file")),
        },
    };
    Ok(Options {
        clock: Arc::new(SystemClock::new()),
        program: env::current_exe().map_err(Failure::environment)?.into(),
        target,
        profile: arguments.profile.clone(),
        command: env::args().collect::<Vec<_>>().join(" "),
        goose_report: arguments.crowd.report.as_ref().map(|folder| folder.join("goose.html")),
        part: arguments.crowd.part.unwrap_or(Part::WHOLE),
        begin: arguments.crowd.begin,
        mock: arguments.crowd.mock.as_deref().map(mock).transpose()?,
        listener: live::listener(arguments.is_read_by_a_program()),
    })
}

/// Returns where a mock runs.
fn mock(place: &str) -> Result<SocketAddr, Failure> {
    let found = place.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| {
        Failure::usage(format_args!("`{place}` is no mock: write `HOST:PORT` of one that runs"))
    })
}

fn failed(error: CrowdError) -> Failure {
    match error {
        CrowdError::Machine(error) => Failure::usage(error),
        CrowdError::Unfit(told) => Failure::usage(told),
        error => Failure::environment(error),
    }
}

fn conclude(report: &Report, arguments: &super::Arguments) -> Result<ExitCode, Failure> {
    super::tell(arguments.json.as_deref(), (&table::render(report), &report.json()))?;
    if let Some(folder) = &arguments.crowd.report {
        let files = [
            ("load.html", report.html()),
            ("load.json", report.json()),
            ("load.csv", report.csv()),
            ("load.prom", report.prometheus()),
        ];
        for (name, text) in files {
            super::write(&folder.join(name), &text)?;
        }
    }
    // A part that was measured has done its work; the whole is judged when it is merged.
    Ok(if report.part.is_some() { ExitCode::Held } else { super::code(report.outcome()) })
}

/// Reads an earlier run.
pub(crate) fn read(path: &Path) -> Result<Report, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format_args!("cannot read the load `{shown}`: {error}")))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format_args!(
            "`{shown}` is no run of a load: {error}\n  hint: `gauntlet load PROFILE --json FILE` writes one"
        ))
    })?;
    if report.schema_version != SCHEMA_VERSION {
        let version = report.schema_version;
        return Err(Failure::usage(format_args!(
            "`{shown}` has version {version} of the format, this program reads {SCHEMA_VERSION}"
        )));
    }
    Ok(report)
}
