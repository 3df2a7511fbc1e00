//! What decides during a turn: the breaker, the conversation machine, and what becomes of a fact.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use clock::{Instant, Timestamp};
use criterion::Criterion;
use server::{
    Config,
    breaker::{Breaker, Verdict},
    chat::{
        Machine, Rules, Voice,
        effect::Effect,
        event::{Event, Ids, Outcome, Said, Wish},
    },
    classify::{Intent, Meaning},
    facts::Statement,
    ids::{MessageId, SessionId, UserId},
    llm::Route,
    storage::{Expected, FactSource},
    texts::FluentTexts,
};

use crate::{beside::Theme, prompt::fact};

pub(crate) fn bench(c: &mut Criterion) {
    breaker(c);
    conversation(c);
    merge(c);
}

/// The floor asks a number whether the time has come, and sets a number back: less cannot be remembered of a call.
fn breaker(c: &mut Criterion) {
    let mut breaker = Breaker::new(Config::default().llm.breaker);
    let now = Instant::from_origin(Duration::from_mins(1));
    let (open_until, failures) = (AtomicU64::new(0), AtomicU64::new(0));

    let mut theme = Theme::new(c, "breaker");
    theme.ours("a call let through and told", || {
        let permit = breaker.admit(black_box(now)).unwrap();
        breaker.report(&permit, black_box(Verdict::Success), now);
    });
    theme.floor("a call let through and told", "two numbers", || {
        let is_open = black_box(60) < open_until.load(Relaxed);
        failures.store(u64::from(is_open), Relaxed);
        is_open
    });
}

/// A whole turn of a hundred pieces: events in, effects out. The floor copies the effects of such a turn, for whoever
/// decides about them has to make them.
fn conversation(c: &mut Criterion) {
    let rules = Rules {
        message_characters: 4000,
        suggestions: true,
        answer_unstored: true,
        asks_consent: true,
        holds_refusals: true,
    };
    let mut machine = Machine::new(Voice::new(Arc::new(FluentTexts::built_in()), "en"), rules);
    let (said, session) = (Arc::new(said()), SessionId::random());
    let effects = turn(&mut machine, &said, session);
    assert!(matches!(effects.last(), Some(Effect::Send(_))), "the turn ends with a frame");

    let mut theme = Theme::new(c, "machine");
    theme.ours("a turn of 100 pieces", || turn(&mut machine, black_box(&said), session));
    theme.floor("a turn of 100 pieces", "a copy of the effects", || black_box(&effects).clone());
}

fn turn(machine: &mut Machine, said: &Arc<Said>, session: SessionId) -> Vec<Effect> {
    const PIECES: usize = 100;
    let before = [
        Event::Heard(Arc::clone(said)),
        Event::Admitted(Arc::clone(said)),
        Event::Did(Outcome::Granted),
        Event::Did(Outcome::Agreed),
        Event::Did(Outcome::Opened(session, None)),
    ];
    let pieces = (0..PIECES).map(|_| Event::Text(" word".to_owned()));
    let after = [Outcome::Answered(Route::Main), Outcome::Stored, Outcome::Learned].map(Event::Did);
    before.into_iter().chain(pieces).chain(after).flat_map(|event| machine.on(event)).collect()
}

fn said() -> Said {
    Said {
        turn: 1,
        text: "May I eat soft cheese in week 22?".to_owned(),
        wish: Wish::Answer,
        meaning: Meaning { intent: Intent::PregnancyQuestion, confidence: 0.8, small_talk: None },
        flag: None,
        read_at: Instant::ZERO,
        at: Timestamp::UNIX_EPOCH,
        ids: Ids { question: MessageId::random(), safety: MessageId::random(), reply: MessageId::random() },
        replaces: None,
        is_named: false,
    }
}

/// The floor copies key and value, which the row that is written has to own.
fn merge(c: &mut Criterion) {
    let settings = Config::default().conversation;
    let stored = fact(UserId::random(), 1);
    let statement = Statement {
        user: stored.user,
        key: stored.key.clone(),
        value: "fish now and then".to_owned(),
        confidence: 0.9,
        source: FactSource::UserEdit,
        at: Timestamp::UNIX_EPOCH + Duration::from_mins(1),
    };
    assert!(statement.supersedes(&stored), "it is the newer one");

    let mut theme = Theme::new(c, "facts");
    theme.ours("a statement over a fact", || {
        let (statement, stored) = (black_box(&statement), black_box(&stored));
        let expected = Expected::Version(stored.version);
        statement.supersedes(stored).then(|| statement.write(expected, &settings))
    });
    theme.floor("a statement over a fact", "a copy of both texts", || {
        let statement = black_box(&statement);
        (statement.key.clone(), statement.value.clone())
    });
}
