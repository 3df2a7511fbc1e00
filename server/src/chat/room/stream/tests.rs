//! What is kept for those who are away, and what they are told.

use std::time::Duration;

use clock::{Clock, ManualClock};
use proptest::prelude::*;

use super::*;
use crate::{
    chat::{protocol::Code, room::tests::done},
    exchange::LOG_BYTES_MAX,
};

const WINDOW: Window = Window { frames: 10, life: Duration::from_mins(1) };

fn notice(text: &str) -> Outgoing {
    Outgoing::Notice { code: None, text: text.to_owned(), action: None }
}

fn chunk(message_id: MessageId, index: usize, text: &str) -> Outgoing {
    Outgoing::Chunk { message_id, index, text: text.to_owned() }
}

fn stream(window: Window) -> (ManualClock, Stream) {
    let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
    (clock.clone(), Stream::new(window, Arc::new(clock), false))
}

fn tell(stream: &Stream, frame: &Outgoing) {
    stream.tell(frame, None);
}

/// What somebody is told who was away since this offset; nothing if that cannot be told.
fn missed(stream: &Stream, offset: u64) -> Option<Vec<String>> {
    let epoch = stream.attach(None).epoch;
    let attached = stream.attach(Some((&epoch, offset)));
    attached.recovered.then(|| attached.missed.iter().map(|told| told.json.to_string()).collect())
}

#[test]
fn whoever_was_away_is_told_all_or_nothing_f89() {
    let (_, stream) = stream(WINDOW);
    (1..=12).for_each(|n| tell(&stream, &notice(&n.to_string())));

    assert_eq!(missed(&stream, 12).map(|all| all.len()), Some(0));
    assert_eq!(missed(&stream, 2).map(|all| all.len()), Some(10));
    assert_eq!(missed(&stream, 1), None, "the second is gone");
    assert_eq!(missed(&stream, 13), None, "there is no thirteenth");
    assert!(!stream.attach(Some(("another epoch", 12))).recovered);
    assert!(!stream.attach(None).recovered);
}

#[test]
fn what_is_too_old_is_not_told_f89() {
    let (clock, stream) = stream(WINDOW);
    tell(&stream, &notice("a"));

    clock.jump(clock.now() + WINDOW.life);
    assert!(missed(&stream, 0).is_some());
    clock.jump(clock.now() + Duration::from_millis(1));
    assert_eq!(missed(&stream, 0), None);
    assert!(missed(&stream, 1).is_some(), "nothing was missed");
}

#[test]
fn a_running_answer_is_told_as_it_stands_and_an_ended_one_before_its_end_f89() {
    let ((_, stream), answer) = (stream(WINDOW), MessageId::random());
    tell(&stream, &chunk(answer, 0, "né"));
    tell(&stream, &chunk(answer, stream.next_index(answer), "w"));

    let running = missed(&stream, 0).unwrap();
    tell(&stream, &done(answer));
    let ended = missed(&stream, 0).unwrap();

    let snapshot = format!(r#"{{"type":"snapshot","message_id":"{answer}","text":"néw","next_index":3}}"#);
    assert_eq!(running, std::slice::from_ref(&snapshot));
    assert_eq!(ended[0], snapshot);
    assert!(ended[1].starts_with(r#"{"type":"done""#) && ended[1].ends_with(r#""offset":1}"#), "{ended:?}");
}

#[test]
fn whoever_cannot_be_told_what_another_version_said_is_welcomed_anew_f89() {
    let (_, stream) = stream(WINDOW);
    let mut words = stream.attach(None).words;

    stream.settle(&mut stream.inner(), 0, [Telling::Note(None)]);

    assert!(matches!(words.try_recv(), Ok(Word::Anew)));
}

#[test]
fn what_is_for_one_device_is_not_kept() {
    let (_, stream) = stream(WINDOW);
    let error = Outgoing::Error {
        code: Code::BadRequest,
        text: "no".to_owned(),
        retry_after_ms: None,
        client_msg_id: None,
        action: None,
    };
    stream.tell(&error, Some(1));

    assert_eq!(missed(&stream, 0).map(|all| all.len()), Some(0));
}

#[test]
fn bytes_that_are_kept_are_bounded() {
    let (_, stream) = stream(Window { frames: usize::MAX, ..WINDOW });
    let text = "x".repeat(LOG_BYTES_MAX / 4);
    (0..20).for_each(|_| tell(&stream, &notice(&text)));

    let (frames, bytes) = stream.inner().view.kept();
    assert!(bytes <= LOG_BYTES_MAX && frames == 3, "{frames}");
}

/// What a client makes of frames: durable ones in order, and the text of answers.
#[derive(Debug, Default, PartialEq)]
struct Client {
    offset: u64,
    answers: Vec<(String, String)>,
}

impl Client {
    fn take(&mut self, told: &Told) {
        let frame: serde_json::Value = serde_json::from_str(&told.json).unwrap();
        let text = |key: &str| frame[key].as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str() {
            Some("chunk") => {
                let answer = self.answer(&text("message_id"));
                assert_eq!(
                    Some(answer.chars().count() as u64),
                    frame["index"].as_u64(),
                    "a gap or a piece twice"
                );
                answer.push_str(&text("text"));
            }
            Some("snapshot") => *self.answer(&text("message_id")) = text("text"),
            _ => {}
        }
        if let Some(offset) = told.offset {
            assert_eq!(offset, self.offset + 1, "a gap or a frame twice");
            self.offset = offset;
        }
    }

    fn answer(&mut self, id: &str) -> &mut String {
        let place = self.answers.iter().position(|(known, _)| known == id);
        let place = place.unwrap_or_else(|| {
            self.answers.push((id.to_owned(), String::new()));
            self.answers.len() - 1
        });
        &mut self.answers[place].1
    }
}

proptest! {
    /// Wherever a client loses the line, it knows the same in the end as one that never did.
    #[test]
    fn a_client_that_is_cut_anywhere_ends_with_the_same_f89(cuts in proptest::collection::vec(any::<bool>(), 60)) {
        let (_, stream) = stream(Window { frames: 100, ..WINDOW });
        let mut steady = (Client::default(), stream.attach(None).words);
        let mut cut = Client::default();
        let mut words = Some(stream.attach(None).words);
        for (n, away) in cuts.iter().enumerate() {
            let answer = MessageId::named(crate::ids::UserId(uuid::Uuid::nil()), &(n / 5).to_string());
            tell(&stream, &match n % 5 {
                0 => notice("begins"),
                4 => done(answer),
                _ => chunk(answer, stream.next_index(answer), "né "),
            });
            while let Ok(Word::Told(told)) = steady.1.try_recv() {
                steady.0.take(&told);
            }
            if *away {
                words = None;
                continue;
            }
            let listening = words.get_or_insert_with(|| {
                let epoch = stream.attach(None).epoch;
                let attached = stream.attach(Some((&epoch, cut.offset)));
                assert!(attached.recovered);
                attached.missed.iter().for_each(|told| cut.take(told));
                attached.words
            });
            while let Ok(Word::Told(told)) = listening.try_recv() {
                cut.take(&told);
            }
        }
        let epoch = stream.attach(None).epoch;
        let last = stream.attach(Some((&epoch, cut.offset)));
        last.missed.iter().for_each(|told| cut.take(told));

        prop_assert_eq!(cut, steady.0);
    }
}
