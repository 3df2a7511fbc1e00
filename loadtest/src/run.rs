//! Runs a profile: case by case, floor and target in turns.
//!
//! Invariant: children live as long as their case and no longer, on whatever way the run ends; dropping
//! the future kills them.

use std::{
    collections::BTreeMap, ffi::OsString, io::Write as _, net::SocketAddr, process::Command, sync::Arc,
};

use clock::SharedClock;
use tempfile::NamedTempFile;

use crate::{
    child::{ChildError, Served},
    judge,
    machine::{self, Cores, Machine, MachineError},
    profile::{Case, Profile, Request},
    recording::{Recording, RecordingError},
    result::{CaseResult, Report, SCHEMA_VERSION, Subject, SubjectResult, Window, figures, ratios},
    script,
    tally::Record,
    turn::{self, NotOpen, Stand},
};

/// How a profile is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Time for pauses and measuring.
    pub clock: SharedClock,
    /// The program that is target and floor: this one.
    pub program: OsString,
    /// What is measured.
    pub target: Target,
    /// Rules that do not match, for the cases that want to be measured with them.
    pub rules: usize,
    /// Core of the target and core of the client.
    pub cores: Option<[usize; 2]>,
    /// Name or file of the profile.
    pub profile: String,
    /// The command line, for the report.
    pub command: String,
    /// Hears what is done, line by line.
    pub listener: fn(&str),
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// mock-deepseek, started for each case with a script of its own.
    Mock,
    /// Something that runs already.
    Running {
        /// Where it listens.
        address: SocketAddr,
        /// Its process; without it there is no processor time and no memory.
        process: Option<u32>,
    },
}

/// The run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The machine does not carry it.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// A child did not serve.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The target does not answer as it should.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The load could not be built up.
    #[error("case `{case}`, {name}: {source}")]
    NotOpen {
        /// Which case.
        case: String,
        /// Which subject.
        name: String,
        /// Why.
        source: NotOpen,
    },
    /// A file for a child could not be written.
    #[error("cannot write the script of the mock: {0}")]
    Script(#[from] std::io::Error),
}

/// Runs all cases of the profile. The runtime should have one thread: this one is bound to a core.
pub async fn run(profile: &Profile, options: &Options) -> Result<Report, RunError> {
    let machine = Machine::here();
    let cores = Cores::choose(options.cores)?;
    let most = profile.cases.iter().map(|case| case.connections).max().unwrap_or(0);
    machine::allow_files(most)?;
    if let Some(cores) = cores {
        machine::bind(cores.client);
    }
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        tool: format!("gauntlet {}", env!("CARGO_PKG_VERSION")),
        command: options.command.clone(),
        started_at: options.clock.wall().to_string(),
        machine,
        cores,
        profile: options.profile.clone(),
        about: profile.about.clone(),
        request: profile.request.clone(),
        cases: Vec::new(),
    };
    for case in &profile.cases {
        report.cases.push(Bench { options, cores, case, request: &profile.request }.measure().await?);
    }
    Ok(report)
}

/// One case being measured.
struct Bench<'a> {
    options: &'a Options,
    cores: Option<Cores>,
    case: &'a Case,
    request: &'a Request,
}

/// One subject of a case: who it is, where it stands, what it has shown.
struct Entry {
    subject: Subject,
    name: String,
    address: SocketAddr,
    process: Option<u32>,
    /// Dropping it stops a child.
    _running: Option<(Served, Option<NamedTempFile>)>,
    windows: Vec<Window>,
    record: Record,
}

impl Bench<'_> {
    async fn measure(&self) -> Result<CaseResult, RunError> {
        let mut entries = self.start().await?;
        let (rounds, name) = (self.case.rounds, &self.case.name);
        let takes = self.case.takes(entries.len()).as_secs();
        self.tell(&format!("case {name}: {} ({takes} s at most)", self.case.title));
        for round in 0..rounds {
            for entry in &mut entries {
                self.tell(&format!("case {name}: round {} of {rounds}, {}", round + 1, entry.name));
                self.turn(entry, round).await?;
            }
        }
        let subjects = results(entries);
        Ok(CaseResult {
            case: self.case.clone(),
            checks: judge::checks(self.case, &subjects),
            warnings: judge::warnings(self.case, &subjects),
            subjects,
        })
    }

    fn tell(&self, line: &str) {
        (self.options.listener)(line);
    }

    /// Starts the target and then the floor, which plays what the target answers.
    async fn start(&self) -> Result<Vec<Entry>, RunError> {
        let target = match self.options.target {
            Target::Mock => self.mock(0).await?,
            Target::Running { address, process } => {
                Entry { process, ..Entry::new(Subject::Target, "target".to_owned(), address) }
            }
        };
        let recording = self.record(&target).await?;
        let mut entries = vec![self.floor(&recording).await?, target];
        let rules = self.options.rules;
        if rules > 0 && self.case.with_rules && self.options.target == Target::Mock {
            let with_rules = self.mock(rules).await?;
            // Its first answer is one without gaps, as for the recording.
            self.record(&with_rules).await?;
            entries.push(with_rules);
        }
        Ok(entries)
    }

    async fn record(&self, entry: &Entry) -> Result<Recording, RecordingError> {
        Recording::take(&*self.options.clock, entry.address, self.request, self.case).await
    }

    async fn mock(&self, rules: usize) -> Result<Entry, RunError> {
        let (subject, name) = match rules {
            0 => (Subject::Target, "mock".to_owned()),
            rules => (Subject::WithRules, format!("mock, {rules} rules")),
        };
        let mut file = NamedTempFile::with_suffix(".toml")?;
        file.write_all(script::write(self.case, rules).as_bytes())?;
        let mut command = Command::new(&self.options.program);
        command.args(["mock", "--port", "0", "--control-port", "off", "--log-format", "off", "--script"]);
        command.arg(file.path());
        let served = Served::start(&name, command, None, self.place()).await?;
        Ok(Entry::of(subject, name, served, Some(file)))
    }

    async fn floor(&self, recording: &Recording) -> Result<Entry, RunError> {
        let mut command = Command::new(&self.options.program);
        command.arg("floor");
        let served = Served::start("floor", command, Some(&recording.to_bytes()), self.place()).await?;
        Ok(Entry::of(Subject::Floor, "floor".to_owned(), served, None))
    }

    fn place(&self) -> (&dyn clock::Clock, Option<Cores>) {
        (&*self.options.clock, self.cores)
    }

    async fn turn(&self, entry: &mut Entry, round: usize) -> Result<(), RunError> {
        let stand = Stand {
            clock: Arc::clone(&self.options.clock),
            address: entry.address,
            process: entry.process,
            cores: self.cores,
        };
        let turn = turn::play(&stand, self.case, self.request, round).await.map_err(|source| {
            RunError::NotOpen { case: self.case.name.clone(), name: entry.name.clone(), source }
        })?;
        entry.windows.extend(turn.windows);
        entry.add(turn.record);
        Ok(())
    }
}

impl Entry {
    fn new(subject: Subject, name: String, address: SocketAddr) -> Self {
        Self {
            subject,
            name,
            address,
            process: None,
            _running: None,
            windows: Vec::new(),
            record: Record::default(),
        }
    }

    fn of(subject: Subject, name: String, served: Served, script: Option<NamedTempFile>) -> Self {
        let (address, process) = (served.address, Some(served.id()));
        Self { process, _running: Some((served, script)), ..Self::new(subject, name, address) }
    }

    fn add(&mut self, record: Record) {
        self.record.whole += record.whole;
        self.record.unjudged += record.unjudged;
        self.record.reopened += record.reopened;
        for (broken, count) in record.broken {
            *self.record.broken.entry(broken).or_default() += count;
        }
    }
}

/// Turns entries into results; the first is the floor.
fn results(entries: Vec<Entry>) -> Vec<SubjectResult> {
    let floor = entries.first().map(|entry| entry.windows.clone()).unwrap_or_default();
    let result = |entry: Entry| SubjectResult {
        figures: figures(&entry.windows),
        to_floor: if entry.subject == Subject::Floor {
            BTreeMap::new()
        } else {
            ratios(&entry.windows, &floor)
        },
        subject: entry.subject,
        name: entry.name,
        windows: entry.windows,
        whole: entry.record.whole,
        broken: entry.record.broken,
        unjudged: entry.record.unjudged,
        reopened: entry.record.reopened,
    };
    entries.into_iter().map(result).collect()
}
