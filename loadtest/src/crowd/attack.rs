//! goose: it starts the users, calls their transactions and keeps its own count of them.
//!
//! What it does badly is kept out of its hands: the clients are one client, no transaction waits without a limit, a panic
//! in one is caught and told, no controller listens, and the end comes by its killswitch, of which a process has one: one
//! attack at a time.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use goose::{
    GooseAttack, GooseError,
    client::GooseClientBuilder,
    config::GooseConfiguration,
    goose::{GooseUser, Scenario, Transaction, TransactionError, TransactionFunction, TransactionResult},
    metrics::GooseMetrics,
};
use tokio::sync::Mutex;

use super::{
    cast::{Cast, Player},
    facts,
    figures::whole,
    flood,
    profile::{Does, Facts, Flood, Group, Profile},
    recorder::Ended,
    seat::Seat,
    stage::Stage,
    turn,
};

/// How often a user who has nothing more to do looks whether goose lets it go.
const LOOK: Duration = Duration::from_millis(20);
/// Under which goose's reports list what we do.
const METHOD: &str = "WS";
/// goose starts so many users a second at least; when each of them comes is our matter.
const START_RATE: f64 = 1000.0;

/// A user in goose's hands, which wants to be able to copy it.
type Kept = Arc<Mutex<Seat>>;

type Deed<'a> = Pin<Box<dyn Future<Output = TransactionResult> + Send + 'a>>;

/// Prepares the attack of a profile. `report` is where goose writes its own report.
pub(crate) fn prepare(
    (profile, cast): (&Profile, &Cast),
    stage: &Arc<Stage>,
    report: Option<String>,
) -> Result<GooseAttack, GooseError> {
    let users = cast.users();
    let mut configuration = GooseConfiguration::default();
    configuration.host = Some(format!("http://{}", stage.target));
    configuration.users = Some(users);
    configuration.increase_rate = Some(START_RATE.max(whole(users as u64)).to_string());
    configuration.report_file = report.into_iter().collect();
    configuration.no_print_metrics = true;
    configuration.no_reset_metrics = true;
    configuration.no_telnet = true;
    // What users did stands among the requests.
    configuration.no_transaction_metrics = true;
    configuration.no_scenario_metrics = true;
    configuration.quiet = 2;
    let mut attack = GooseAttack::initialize_with_config(configuration)?
        .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?;
    for (n, group) in profile.groups.iter().enumerate() {
        let players = cast.group(n);
        if !players.is_empty() {
            attack = attack.register_scenario(scenario(group, stage, players)?);
        }
    }
    Ok(attack)
}

/// Ends the attack that runs in this process.
pub(crate) fn end() {
    goose::trigger_killswitch("it is over");
}

/// Runs it until [`end`].
pub(crate) async fn run(attack: GooseAttack) -> Result<GooseMetrics, GooseError> {
    Box::pin(attack.execute()).await
}

/// Returns a group as goose's scenario, with those who play it.
fn scenario(group: &Group, stage: &Arc<Stage>, players: &[Player]) -> Result<Scenario, GooseError> {
    let (weight, next) = (players.len(), AtomicUsize::new(0));
    let (players, does) = (players.to_vec(), group.does.clone());
    let come = deed(stage, move |user, stage| {
        // goose calls this once for each user that it was told of.
        let player = players.get(next.fetch_add(1, Ordering::Relaxed)).copied();
        Box::pin(come(user, stage, (player, does.clone())))
    });
    let go_on = match group.does.clone() {
        Does::Chat(_) => deed(stage, |user, stage| Box::pin(chat(user, stage))),
        Does::Idle(_) => deed(stage, |user, stage| Box::pin(idle(user, stage))),
        Does::Flood(wanted) => deed(stage, move |user, stage| Box::pin(flood(user, stage, wanted.clone()))),
        Does::Facts(wanted) => deed(stage, move |user, stage| Box::pin(facts(user, stage, wanted.clone()))),
    };
    let leave = deed(stage, |user, stage| Box::pin(leave(user, stage)));
    Ok(Scenario::new(&group.name)
        .set_weight(weight)?
        .register_transaction(Transaction::new(come).set_name("connect").set_on_start())
        .register_transaction(Transaction::new(go_on).set_name("go on"))
        .register_transaction(Transaction::new(leave).set_name("leave").set_on_stop()))
}

/// Makes a function that goose calls. Its panics are caught: goose would let the user end without a word.
fn deed(
    stage: &Arc<Stage>,
    does: impl for<'a> Fn(&'a mut GooseUser, Arc<Stage>) -> Deed<'a> + Send + Sync + 'static,
) -> TransactionFunction {
    let stage = Arc::clone(stage);
    Arc::new(move |user| {
        let done = AssertUnwindSafe(does(user, Arc::clone(&stage))).catch_unwind();
        let stage = Arc::clone(&stage);
        Box::pin(async move {
            done.await.unwrap_or_else(|_| {
                stage.recorder.seen().panics += 1;
                Err(Box::new(TransactionError::Custom("the generator panicked".to_owned())))
            })
        })
    })
}

/// Lets a user in when the time has come. Whoever is not let in any more has no seat, and does nothing.
async fn come(
    user: &mut GooseUser,
    stage: Arc<Stage>,
    (player, does): (Option<Player>, Does),
) -> TransactionResult {
    let Some(player) = player else { return Ok(()) };
    if stage.turns_away(player).await {
        return Ok(());
    }
    let mut seat = Seat::new(&stage, &does, player);
    stage.recorder.seen().talkers += usize::from(seat.pace.is_some());
    if !seat.has_socket {
        stage.recorder.seen().came += 1;
        user.set_session_data::<Kept>(Arc::new(Mutex::new(seat)));
        return Ok(());
    }
    let begun = stage.recorder.now();
    let connected = seat.connect(&stage).await;
    stage.recorder.seen().came += 1;
    user.set_session_data::<Kept>(Arc::new(Mutex::new(seat)));
    let took = stage.recorder.now().since(begun);
    let error = connected.err();
    user.record_custom_request_duration(METHOD, "connect", took, error.is_none(), None, error.as_deref())
        .await
}

/// Returns the seat of a user. Whoever has none waits a while, for goose asks again at once.
async fn seat_of(user: &GooseUser, stage: &Stage) -> Option<Kept> {
    let kept = user.get_session_data::<Kept>().cloned();
    if kept.is_none() {
        stage.clock().sleep(LOOK).await;
    }
    kept
}

async fn chat(user: &mut GooseUser, stage: Arc<Stage>) -> TransactionResult {
    let Some(kept) = seat_of(user, &stage).await else { return Ok(()) };
    let mut seat = kept.lock().await;
    let Some(turn) = turn::play(&stage, &mut seat).await else {
        seat.linger(&stage, LOOK).await;
        return Ok(());
    };
    drop(seat);
    let error = match &turn.how {
        Ended::Whole => None,
        Ended::Instead => Some("another text than the model's"),
        Ended::Refused(_) | Ended::Left => turn.how.refusal(),
        Ended::Broken => Some("a promise was broken"),
    };
    let took = turn.end.since(turn.sent);
    user.record_custom_request_duration(METHOD, "turn", took, error.is_none(), None, error).await
}

async fn idle(user: &mut GooseUser, stage: Arc<Stage>) -> TransactionResult {
    let Some(kept) = seat_of(user, &stage).await else { return Ok(()) };
    let mut seat = kept.lock().await;
    if seat.come_back(&stage).await {
        seat.listen(&stage).await;
    }
    seat.linger(&stage, LOOK).await;
    Ok(())
}

/// Floods once, and is idle from then on.
async fn flood(user: &mut GooseUser, stage: Arc<Stage>, wanted: Flood) -> TransactionResult {
    let Some(kept) = seat_of(user, &stage).await else { return Ok(()) };
    let mut seat = kept.lock().await;
    let flooded = if seat.is_done { None } else { flood::play(&stage, &mut seat, &wanted).await };
    seat.is_done = true;
    if let Some((took, account)) = flooded {
        let error = (account.broken > 0).then_some("messages had no proper end");
        user.record_custom_request_duration(METHOD, "flood", took, error.is_none(), None, error).await?;
    }
    drop(seat);
    idle(user, stage).await
}

/// Writes once all that there is to write, and waits for the end from then on.
async fn facts(user: &mut GooseUser, stage: Arc<Stage>, wanted: Facts) -> TransactionResult {
    let Some(kept) = seat_of(user, &stage).await else { return Ok(()) };
    let mut seat = kept.lock().await;
    if !seat.is_done {
        facts::write_all(user, &stage, (&seat, &wanted)).await?;
        seat.is_done = true;
    }
    stage.over.cancelled().await;
    stage.clock().sleep(LOOK).await;
    Ok(())
}

async fn leave(user: &mut GooseUser, stage: Arc<Stage>) -> TransactionResult {
    if let Some(kept) = user.get_session_data::<Kept>().cloned() {
        kept.lock().await.leave(&stage).await;
    }
    Ok(())
}
