//! One turn of a subject: open the connections, warm up, measure windows, let the rest end.
//!
//! Invariant: a turn ends within the sum of its times and [`OPEN_MAX`], whatever the subject does, and
//! leaves no connection behind.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use clock::{Instant, SharedClock, timeout};
use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

use crate::{
    broken::Broken,
    conversation::{Conversations, Left},
    machine::{self, Cores},
    process,
    profile::{Case, Request},
    recording,
    result::{Metric, Window},
    tally::{Record, Tally},
};

/// On all connections an answer must have begun so long after the ramp.
pub(crate) const OPEN_MAX: Duration = Duration::from_secs(30);
/// One connection may take so long to come about.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// A connection is given up after so many failures in a row.
const FAILURES_MAX: u32 = 5;
/// Pause after a failure, times the failures so far.
const PAUSE: Duration = Duration::from_millis(20);
/// How often it is looked whether something has come to its end.
const LOOK: Duration = Duration::from_millis(5);
/// Connections from one source address: far fewer than it has ports, as closed ones keep theirs for a while.
const PER_SOURCE: usize = 5000;
/// Source addresses in use: 127.0.0.1 to 127.0.0.250.
const SOURCES: usize = 250;

/// Who is to be measured, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Stand {
    pub(crate) clock: SharedClock,
    pub(crate) address: SocketAddr,
    pub(crate) process: Option<u32>,
    pub(crate) cores: Option<Cores>,
}

/// What a turn found.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) windows: Vec<Window>,
    pub(crate) record: Record,
}

/// Not all connections got an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "only {begun} of {wanted} connections got an answer in time\n  hint: is there a limit on connections or open files on the target's side?"
)]
pub struct NotOpen {
    /// Connections on which an answer has begun.
    pub begun: usize,
    /// Connections that the case wants.
    pub wanted: usize,
}

/// Runs one turn. `turn` counts the turns of a run, so that source addresses are not used twice in a row.
pub(crate) async fn play(
    stand: &Stand,
    case: &Case,
    request: &Request,
    turn: usize,
) -> Result<Turn, NotOpen> {
    let load = Conversations::new(
        Arc::clone(&stand.clock),
        recording::request(request, case, stand.address),
        recording::expected(case),
        !case.gap.is_zero(),
    );
    let idle = stand.process.and_then(process::resident);
    let mut connections = JoinSet::new();
    for n in 0..case.connections {
        let dial = Dial { address: stand.address, source: source(case, turn, n) };
        connections.spawn(keep(Arc::clone(&load), dial, delay(case, n)));
    }
    all_begun(&load, case).await?;
    stand.clock.sleep(case.warm_up).await;
    let held = stand.process.and_then(process::resident);
    let per_connection = memory_per_connection(case, idle, held).filter(|_| turn == 0);
    let mut windows = Vec::new();
    for _ in 0..case.windows {
        windows.push(measure(stand, case, &load).await);
    }
    if let (Some(bytes), Some(last)) = (per_connection, windows.last_mut()) {
        last.metrics.insert(Metric::RssKibPerConnection, bytes / 1024.0);
    }
    drain(&load, case, &mut connections).await;
    let record = std::mem::take(&mut *load.record());
    Ok(Turn { windows, record })
}

/// Waits until an answer has begun on all connections, so that windows see the whole load.
async fn all_begun(load: &Conversations, case: &Case) -> Result<(), NotOpen> {
    let limit = load.clock.now() + case.ramp + OPEN_MAX;
    loop {
        let begun = load.record().begun;
        if begun >= case.connections {
            return Ok(());
        }
        if load.clock.now() > limit {
            return Err(NotOpen { begun, wanted: case.connections });
        }
        load.clock.sleep(LOOK).await;
    }
}

/// Lets the answers under way end, if the case gives them time; the rest is cut.
async fn drain(load: &Conversations, case: &Case, connections: &mut JoinSet<()>) {
    load.stop();
    let all = async { while connections.join_next().await.is_some() {} };
    let ended = timeout(&*load.clock, case.drain, all).await.is_ok();
    let left = connections.len() as u64;
    connections.shutdown().await;
    if ended {
        return;
    }
    let mut record = load.record();
    if case.drain.is_zero() {
        record.unjudged += left;
    } else {
        *record.broken.entry(Broken::Unfinished).or_default() += left;
    }
}

/// Spreads the connections evenly over the ramp.
fn delay(case: &Case, n: usize) -> Duration {
    let share = |part: usize| u32::try_from(part).unwrap_or(u32::MAX);
    case.ramp * share(n) / share(case.connections)
}

/// Returns the source address of a connection to this machine; turns that follow each other use others.
fn source(case: &Case, turn: usize, n: usize) -> Ipv4Addr {
    let place = (turn * case.connections.div_ceil(PER_SOURCE) + n / PER_SOURCE) % SOURCES;
    Ipv4Addr::new(127, 0, 0, u8::try_from(place).unwrap_or(0) + 1)
}

/// How a connection is made.
#[derive(Clone, Copy, Debug)]
struct Dial {
    address: SocketAddr,
    source: Ipv4Addr,
}

impl Dial {
    async fn connect(self) -> io::Result<TcpStream> {
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        match self.address.ip() {
            // Some systems have 127.0.0.1 alone; there the system chooses, and ports are what they are.
            IpAddr::V4(address) if address.is_loopback() => _ = socket.bind((self.source, 0).into()),
            _ => {}
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Keeps one connection busy until the load is over.
async fn keep(load: Arc<Conversations>, dial: Dial, delay: Duration) {
    load.clock.sleep(delay).await;
    let (mut failures, mut begun) = (0, false);
    while !load.is_stopping() && failures < FAILURES_MAX {
        load.clock.sleep(PAUSE * failures).await;
        let Ok(Ok(mut socket)) = timeout(&*load.clock, CONNECT_MAX, dial.connect()).await else {
            load.record().break_with(Broken::Connect);
            failures += 1;
            continue;
        };
        let held = load.hold(&mut socket, &mut begun).await;
        match held.left {
            Ok(Left::Stopped) => return,
            Ok(Left::Closed) => {
                failures = 0;
                load.record().reopened += 1;
            }
            Err(broken) => {
                failures = if held.whole > 0 { 1 } else { failures + 1 };
                load.record().break_with(broken);
            }
        }
    }
}

/// What the system has counted up to one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    target: Option<Duration>,
    client: Option<Duration>,
    target_core: Option<Duration>,
    client_core: Option<Duration>,
}

impl Sample {
    fn take(stand: &Stand) -> Self {
        Self {
            at: stand.clock.now(),
            target: stand.process.and_then(process::cpu),
            client: process::cpu(std::process::id()),
            target_core: stand.cores.and_then(|cores| machine::core_busy(cores.target)),
            client_core: stand.cores.and_then(|cores| machine::core_busy(cores.client)),
        }
    }
}

/// Measures one window.
async fn measure(stand: &Stand, case: &Case, load: &Conversations) -> Window {
    let before = Sample::take(stand);
    load.record().window = Tally::default();
    stand.clock.sleep(case.window).await;
    let tally = std::mem::take(&mut load.record().window);
    let after = Sample::take(stand);
    let mut window = summary(case, &tally, before, after);
    if let Some(bytes) = stand.process.and_then(process::resident) {
        window.metrics.insert(Metric::RssMib, number(bytes) / 1024.0 / 1024.0);
    }
    window
}

fn summary(case: &Case, tally: &Tally, before: Sample, after: Sample) -> Window {
    let units = if case.stream { tally.chunks() } else { tally.answers };
    let seconds = after.at.since(before.at).as_secs_f64();
    let used =
        |get: fn(&Sample) -> Option<Duration>| Some(get(&after)?.checked_sub(get(&before)?)?.as_secs_f64());
    let (target, client) = (used(|sample| sample.target), used(|sample| sample.client));
    let taken = |core: Option<f64>, own: Option<f64>| Some(((core? - own?) / seconds).max(0.0));
    let per_unit = |seconds: Option<f64>| seconds.filter(|_| units > 0).map(|s| s * 1e6 / number(units));
    let [answer, first, gap] = [&tally.answer, &tally.first, &tally.gap];
    let time = |times: &crate::tally::Times, share| (times.count() > 0).then(|| times.quantile_ms(share));
    let metrics = [
        (Metric::CpuUsPerUnit, per_unit(target)),
        (Metric::UnitsPerSecond, Some(number(units) / seconds)),
        (Metric::AnswerP50Ms, time(answer, 0.5)),
        (Metric::AnswerP99Ms, time(answer, 0.99)),
        (Metric::AnswerP999Ms, time(answer, 0.999)),
        (Metric::FirstP50Ms, time(first, 0.5)),
        (Metric::FirstP99Ms, time(first, 0.99)),
        (Metric::GapP50Ms, time(gap, 0.5)),
        (Metric::GapP99Ms, time(gap, 0.99)),
        (Metric::TargetBusy, target.map(|target| target / seconds)),
        (Metric::ClientBusy, client.map(|client| client / seconds)),
        (Metric::ClientUsPerUnit, per_unit(client)),
        (Metric::TargetCoreTaken, taken(used(|sample| sample.target_core), target)),
        (Metric::ClientCoreTaken, taken(used(|sample| sample.client_core), client)),
    ];
    let metrics = metrics.into_iter().filter_map(|(metric, value)| Some((metric, value?))).collect();
    Window { seconds, units, metrics }
}

/// Memory per connection is known once, for a subject that had none before, and only where answers are
/// slow: elsewhere what is remembered of those that have ended drowns it.
fn memory_per_connection(case: &Case, idle: Option<u64>, held: Option<u64>) -> Option<f64> {
    let grown = held?.saturating_sub(idle?);
    (!case.gap.is_zero()).then(|| number(grown) / number(case.connections as u64))
}

/// Counts become figures here; they are exact up to 53 bits.
#[expect(clippy::cast_precision_loss, reason = "counts of one window stay far below 53 bits")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(text: &str) -> Case {
        let text = format!(
            "about = \"x\"\n[[cases]]\nname = \"a\"\ntitle = \"x\"\nstream = true\nchunks = 5\n\
             window = \"1s\"\nwarm_up = \"0s\"\n{text}"
        );
        crate::Profile::parse("x", &text).unwrap().cases.remove(0)
    }

    #[test]
    fn connections_are_spread_evenly_over_the_ramp() {
        let case = case("connections = 4\nramp = \"1s\"\n");

        assert_eq!((0..4).map(|n| delay(&case, n).as_millis()).collect::<Vec<_>>(), [0, 250, 500, 750]);
    }

    #[test]
    fn no_source_has_more_than_its_share_and_the_next_turn_takes_others_m18() {
        let case = case("connections = 10000\n");
        let sources = |turn| {
            let mut count = std::collections::BTreeMap::new();
            (0..10_000).for_each(|n| *count.entry(source(&case, turn, n)).or_insert(0) += 1);
            count
        };

        assert!(sources(0).values().all(|count| *count <= PER_SOURCE));
        assert!(sources(0).keys().all(|used| !sources(1).contains_key(used)));
        assert!(sources(124).keys().all(Ipv4Addr::is_loopback));
    }

    #[test]
    fn a_window_is_summed_up_per_unit() {
        let mut tally = Tally { events: 1010, done: 10, answers: 10, ..Tally::default() };
        tally.gap.record(Duration::from_millis(20));
        let sample = |second, cpu| Sample {
            at: Instant::from_origin(Duration::from_secs(second)),
            target: Some(Duration::from_millis(cpu)),
            client: Some(Duration::from_millis(cpu / 2)),
            target_core: Some(Duration::from_millis(cpu * 2)),
            client_core: None,
        };

        let window = summary(&case("connections = 1\n"), &tally, sample(1, 100), sample(3, 300));

        let found = |metric| window.metrics.get(&metric).copied();
        assert_eq!((window.units, found(Metric::CpuUsPerUnit)), (1000, Some(200.0)));
        assert_eq!((found(Metric::UnitsPerSecond), found(Metric::TargetBusy)), (Some(500.0), Some(0.1)));
        assert_eq!((found(Metric::TargetCoreTaken), found(Metric::ClientCoreTaken)), (Some(0.1), None));
        assert_eq!(found(Metric::AnswerP50Ms), None, "no answer, no percentile");
    }
}
