//! How the model's answer, or its failure, becomes the end of a turn.

use super::{
    Machine, Presence,
    ending::{action, done, millis},
};
use crate::{
    chat::{
        effect::{Effect, Reply, Step},
        event::Wish,
        protocol::{Action, Code, Finish, Frame, Kind},
    },
    llm::{Failure, Route},
    storage::MessageKind,
};

impl Machine {
    pub(super) fn answered(&mut self, route: Route) -> Vec<Effect> {
        let Some(turn) = &mut self.turn else { return Vec::new() };
        let degraded = route == Route::Cheaper;
        turn.end = Some(Frame { degraded, ..done(&turn.said, Finish::Answered) });
        let (text, number) = (turn.text.clone(), turn.said.turn);
        let notice = turn.is_unstored.then(|| {
            let notice = Frame::text(number, Kind::Notice, self.voice.notice("unstored"));
            Effect::Send(Frame { code: Some(Code::NotStored), ..notice })
        });
        notice.into_iter().chain(self.keep(MessageKind::Answer, text)).collect()
    }

    pub(super) fn failed(&mut self, failure: &Failure) -> Vec<Effect> {
        let Some(turn) = &mut self.turn else { return Vec::new() };
        if turn.text.is_empty() {
            let frames = self.fallback(failure).unwrap_or_default();
            let text = frames.iter().find_map(|effect| match effect {
                Effect::Send(frame) => frame.content.clone(),
                _ => None,
            });
            return [frames, self.keep(MessageKind::Fallback, text.unwrap_or_default())].concat();
        }
        let notice = Frame::text(turn.said.turn, Kind::Notice, self.voice.notice("interrupted"));
        turn.end = Some(Frame {
            code: Some(Code::Interrupted),
            action: Some(action(failure, turn.said.meaning.intent)),
            retry_after_ms: millis(failure),
            degraded: true,
            ..done(&turn.said, Finish::Interrupted)
        });
        let text = turn.text.clone();
        let notice = Effect::Send(Frame { code: Some(Code::Interrupted), ..notice });
        [vec![notice], self.keep(MessageKind::Interrupted, text)].concat()
    }

    /// The user has not agreed to what the model would be told, or does not any more while it answers.
    pub(super) fn not_agreed(&mut self) -> Vec<Effect> {
        metrics::counter!("turns_without_consent_total").increment(1);
        let Some(turn) = &mut self.turn else { return Vec::new() };
        let (number, text) = (turn.said.turn, turn.text.clone());
        let (code, action) = (Some(Code::ConsentNeeded), Some(Action::Consent));
        if text.is_empty() {
            // Somebody in need was told what to do, and is not asked for a signature.
            let is_calm = turn.said.flag.is_none();
            let asks = action.filter(|_| is_calm);
            turn.end = Some(Frame { code, action: asks, ..done(&turn.said, Finish::Canned) });
            let asking = is_calm.then(|| {
                let asking = Frame::text(number, Kind::Canned, self.voice.consent("needed"));
                Effect::Send(Frame { code, action, ..asking })
            });
            let is_stored = turn.session.is_some();
            let then = if is_stored { self.learn() } else { self.finish() };
            return asking.into_iter().chain(then).collect();
        }
        turn.end = Some(Frame { code, action, degraded: true, ..done(&turn.said, Finish::Interrupted) });
        let notice = Frame::text(number, Kind::Notice, self.voice.consent("withdrawn"));
        let notice = Effect::Send(Frame { code, action, ..notice });
        [vec![notice], self.keep(MessageKind::Interrupted, text)].concat()
    }

    pub(super) fn fallback(&mut self, failure: &Failure) -> Option<Vec<Effect>> {
        let turn = self.turn.as_mut()?;
        let (intent, reason) = (turn.said.meaning.intent, failure.reason());
        metrics::counter!(
            "ai_fallback_total",
            "reason" => reason.name(),
            "intent" => intent.name(),
            "language" => self.voice.language(),
        )
        .increment(1);
        let action = Some(action(failure, intent));
        let text = Frame::text(turn.said.turn, Kind::Fallback, self.voice.fallback(failure, intent));
        let id = (!turn.is_unstored).then_some(turn.said.ids.reply);
        let frame = Frame { id, action, ..text };
        let retry_after_ms = millis(failure);
        turn.end =
            Some(Frame { action, retry_after_ms, degraded: true, ..done(&turn.said, Finish::Fallback) });
        Some(vec![Effect::Send(frame)])
    }

    /// Stores what the user got, or ends the turn where nothing of it can be stored.
    fn keep(&mut self, kind: MessageKind, text: String) -> Vec<Effect> {
        if let Some(store) = self.store(kind, text) {
            return vec![store];
        }
        if let Some(end) = self.turn.as_mut().and_then(|turn| turn.end.as_mut()) {
            (end.id, end.degraded) = (None, true);
            end.code = end.code.or(Some(Code::NotStored));
        }
        self.finish()
    }

    pub(super) fn store(&self, kind: MessageKind, text: String) -> Option<Effect> {
        let turn = self.turn.as_ref()?;
        let reply = Reply { id: turn.said.ids.reply, session: turn.session?, kind, text };
        Some(Effect::Run(Step::Reply(reply)))
    }

    /// There is nothing that the message could take the place of; it is not taken itself.
    pub(super) fn not_there(&mut self) -> Vec<Effect> {
        let Some(turn) = &mut self.turn else { return Vec::new() };
        let text = self.voice.error(Code::NotReplaceable);
        turn.end = Some(Frame::error(turn.said.turn, Code::NotReplaceable, &text));
        self.finish()
    }

    /// The store failed: before the question was stored, or when the reply should have been.
    pub(super) fn broken(&mut self) -> Vec<Effect> {
        let may_go_on = self.rules.answer_unstored && self.presence != Presence::Gone;
        let Some(turn) = &mut self.turn else { return Vec::new() };
        let is_unopened = turn.is_granted && turn.session.is_none() && turn.end.is_none();
        if may_go_on && is_unopened && turn.said.wish == Wish::Answer {
            metrics::counter!("turns_unstored_total").increment(1);
            turn.is_unstored = true;
            return vec![Effect::Run(Step::Ask(turn.said.clone(), None))];
        }
        let code = if turn.end.is_some() { Code::NotStored } else { Code::Internal };
        let frame = Frame::error(turn.said.turn, code, &self.voice.error(code));
        turn.end = Some(Frame { action: Some(Action::Retry), session: turn.session, ..frame });
        self.finish()
    }
}
