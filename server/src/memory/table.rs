//! The rules of memory, told to people as a table.

use super::MemoryPolicy;
use crate::{
    config::span,
    facts::{KEYS, Life},
};

impl MemoryPolicy {
    /// Returns the rules as two tables of Markdown: of conversations, and of facts.
    pub fn table(&self) -> String {
        format!("{}\n{}", self.conversation_table(), self.fact_table())
    }

    fn conversation_table(&self) -> String {
        let trimmed = if self.trim_on_new_intent { "empty" } else { "as it was, only labelled" };
        let shift = match self.shift.messages {
            0 => "never".to_owned(),
            messages => format!("{messages} in a row, of a confidence of {} or more", self.shift.confidence),
        };
        let rows = [
            (
                "The model sees so many messages of the session",
                "window_messages",
                self.max_messages.to_string(),
            ),
            ("None that is older", "window_age", span::print(self.max_age)),
            ("A new session begins after more silence than", "idle", span::print(self.idle)),
            ("A session holds so many messages", "session_messages", self.session_messages.to_string()),
            ("Messages about another matter begin a new session", "shift_messages", shift),
            ("The memory of such a session begins", "trim_on_new_intent", trimmed.to_owned()),
            (
                "The whole prompt has so many tokens, estimated",
                "prompt_tokens",
                self.prompt_tokens.to_string(),
            ),
            (
                "Facts are in the prompt from a confidence of",
                "fact_confidence",
                self.fact_confidence.to_string(),
            ),
            (
                "A fact that has ended stays in the history for",
                "fact_retention",
                span::print(self.fact_retention),
            ),
        ];
        let row =
            |(rule, setting, value): (&str, &str, String)| format!("| {rule} | `{setting}` | {value} |\n");
        let rows: String = rows.into_iter().map(row).collect();
        format!("| rule | setting of `[conversation]` | in force |\n|---|---|---|\n{rows}")
    }

    fn fact_table(&self) -> String {
        let row = |life: Life| {
            let holds = match life {
                Life::Transient => span::print(self.transient_life),
                Life::Preference => span::print(self.preference_life),
                Life::Anchor => "until something ends it; a week moves with the calendar".to_owned(),
                Life::Critical => "until its user says otherwise".to_owned(),
            };
            let keys: Vec<_> = KEYS.iter().filter(|key| key.life == life).collect();
            let named: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
            let named = if named.is_empty() { "every other key".to_owned() } else { named.join(", ") };
            let ends: Vec<_> = keys
                .iter()
                .flat_map(|key| key.ends.iter().map(|end| format!("`{}` ends `{end}`", key.name)))
                .collect();
            format!("| {} | {holds} | {named} | {} |\n", life.name(), ends.join(", "))
        };
        let rows: String = Life::ALL.into_iter().map(row).collect();
        format!("| class of facts | holds for | keys | ends |\n|---|---|---|---|\n{rows}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Conversation;

    const DOCUMENT: &str = include_str!("../../../docs/MEMORY.md");

    #[test]
    fn the_document_tells_the_rules_that_are_in_force_f48() {
        let table = MemoryPolicy::new(&Conversation::default()).table();

        assert!(DOCUMENT.contains(&table), "docs/MEMORY.md has to hold this:\n\n{table}");
    }

    #[test]
    fn each_rule_is_told_as_it_is_set_f48() {
        let settings = Conversation { shift_messages: 0, trim_on_new_intent: false, ..Default::default() };

        let table = MemoryPolicy::new(&settings).table();

        assert!(table.contains("| `shift_messages` | never |"), "{table}");
        assert!(table.contains("| `trim_on_new_intent` | as it was, only labelled |"), "{table}");
    }
}
