//! The prompt builder beside a copy of the same bytes: every text of a prompt has to be owned by it.

use std::hint::black_box;

use clock::Timestamp;
use criterion::Criterion;
use server::{
    ids::{MessageId, SessionId, UserId},
    llm::prompt::{Bounds, Material, build},
    storage::{Fact, FactSource, Message, MessageKind, Role},
};

use crate::beside::Theme;

const SENTENCE: &str = "May I eat soft cheese in week 22, and how much of it a day? ";

pub(crate) fn bench(c: &mut Criterion) {
    let mut theme = Theme::new(c, "prompt");
    // What people write in a few sentences, and the longest message that is taken.
    for (characters, name) in [(300, "short"), (4000, "long")] {
        for (mask, how) in [(true, "masked"), (false, "as it is")] {
            build_10_and_10(
                &mut theme,
                characters,
                (&format!("10 {name} messages and 10 facts, {how}"), mask),
            );
        }
    }
}

fn build_10_and_10(theme: &mut Theme<'_>, characters: usize, (what, mask): (&str, bool)) {
    let (user, session) = (UserId::random(), SessionId::random());
    let text: String = SENTENCE.chars().cycle().take(characters).collect();
    let history: Vec<_> = (1..=10).map(|position| message((user, session), position, &text)).collect();
    let facts: Vec<_> = (0..10).map(|n| fact(user, n)).collect();
    let (current, at) = (text.as_str(), Timestamp::UNIX_EPOCH);
    let material = Material { language: "en", facts: &facts, terms: &[], history: &history, current, at };
    let bounds = Bounds { tokens: 30_000, confidence: 0.7, mask };
    let bytes: Vec<_> = build(&material, &bounds).into_iter().map(|turn| turn.content).collect();
    assert_eq!(bytes.len(), 12, "nothing is left out");

    theme.bytes(bytes.iter().map(String::len).sum());
    theme.ours(what, || build(black_box(&material), &bounds));
    theme.floor(what, "a copy of the bytes", || black_box(&bytes).clone());
}

fn message((user, session): (UserId, SessionId), position: u32, text: &str) -> Message {
    let (role, kind) = match position % 2 {
        1 => (Role::User, MessageKind::Said),
        _ => (Role::Assistant, MessageKind::Answer),
    };
    Message {
        id: MessageId::random(),
        session,
        user,
        position,
        role,
        kind,
        language: "en".to_owned(),
        text: text.to_owned(),
        at: Timestamp::UNIX_EPOCH,
        replaced_by: None,
    }
}

pub(crate) fn fact(user: UserId, n: u32) -> Fact {
    Fact {
        user,
        key: format!("preference_{n}"),
        value: "no meat, little salt".to_owned(),
        confidence: 0.9,
        source: FactSource::UserEdit,
        version: 1,
        updated_at: Timestamp::UNIX_EPOCH,
        expires_at: None,
    }
}
