//! Chooses the rule that answers a request, and counts how often each has answered.
//!
//! Invariant: rules are tried in the order of the script, and a rule whose `times` are used up is
//! passed over. Counters begin anew with each script.

use crate::{
    fault::Fault,
    headers::Headers,
    request::ChatRequest,
    script::{Match, Pace, Reply, Script},
};

/// A script and its counters.
#[derive(Debug, Default)]
pub(crate) struct Selector {
    script: Script,
    /// How often each rule has answered.
    used: Vec<u32>,
    /// Chat requests seen.
    requests: u64,
}

/// What the script says about one request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    /// Name of the rule, or its position (`rule 1`, …), or `None` for the default.
    pub(crate) rule: Option<String>,
    pub(crate) reply: Reply,
    pub(crate) faults: Vec<Fault>,
    pub(crate) pace: Pace,
}

impl Selector {
    pub(crate) fn new(script: Script) -> Self {
        Self { used: vec![0; script.rules.len()], script, requests: 0 }
    }

    /// Begins to count anew.
    pub(crate) fn reset(&mut self) {
        self.used.fill(0);
        self.requests = 0;
    }

    /// Returns the faults of the default.
    pub(crate) fn default_faults(&self) -> Vec<Fault> {
        self.script.default.faults.clone()
    }

    /// Counts the request and chooses its rule.
    pub(crate) fn choose(&mut self, request: &ChatRequest, headers: &Headers) -> Choice {
        self.requests += 1;
        let (nth, default) = (self.requests, &self.script.default);
        let found = self.script.rules.iter().zip(&mut self.used).enumerate().find(|(_, (rule, used))| {
            rule.times.is_none_or(|times| **used < times) && rule.matches.holds(nth, request, headers)
        });
        let base = default.pace.unwrap_or_default();
        match found {
            None => Choice {
                rule: None,
                reply: default.reply.clone(),
                faults: default.faults.clone(),
                pace: base,
            },
            Some((position, (rule, used))) => {
                *used += 1;
                Choice {
                    rule: Some(rule.name.clone().unwrap_or_else(|| format!("rule {}", position + 1))),
                    reply: rule.reply.clone(),
                    faults: rule.faults.clone(),
                    pace: rule.pace.unwrap_or(base),
                }
            }
        }
    }
}

impl Match {
    fn holds(&self, nth: u64, request: &ChatRequest, headers: &Headers) -> bool {
        self.nth.is_none_or(|wanted| wanted == nth)
            && self.model.as_deref().is_none_or(|model| model == request.base_model())
            && self.user_id.as_deref().is_none_or(|user| request.user_id.as_deref() == Some(user))
            && self.contains.as_deref().is_none_or(|text| request.last_user_text().contains(text))
            && self
                .header
                .iter()
                .all(|(name, value)| headers.get(&name.to_lowercase()) == Some(value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> ChatRequest {
        let body = serde_json::json!({
            "model": "deepseek-flash", "user_id": "u1",
            "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "week"}],
        });
        serde_json::from_value(body).unwrap()
    }

    fn chosen(script: &str, texts: &[&str]) -> Vec<Option<String>> {
        let mut selector = Selector::new(Script::from_toml(script).unwrap());
        let mut headers = Headers::default();
        headers.push("x-a", b"b", &mut crate::headers::Credentials::default());
        texts.iter().map(|text| selector.choose(&request(text), &headers).rule).collect()
    }

    #[test]
    fn only_the_last_user_message_is_looked_at() {
        let script = "[[rules]]\nmatch = { contains = \"week\" }\n";

        assert_eq!(chosen(script, &["which week", "which day"]), [Some("rule 1".to_owned()), None]);
    }

    #[test]
    fn a_rule_answers_so_many_times_and_then_the_next_is_tried() {
        let script = "[[rules]]\nname = \"a\"\ntimes = 2\n[[rules]]\nname = \"b\"\ntimes = 1\n";

        let names = chosen(script, &["", "", "", ""]);

        assert_eq!(names, [Some("a".to_owned()), Some("a".to_owned()), Some("b".to_owned()), None]);
    }

    #[test]
    fn all_conditions_must_hold() {
        let with =
            |extra: &str| format!("[[rules]]\nname = \"a\"\nmatch = {{ user_id = \"u1\", {extra} }}\n");

        assert_eq!(chosen(&with("nth = 2"), &["", ""]), [None, Some("a".to_owned())]);
        assert_eq!(chosen(&with("header = { X-A = \"b\" }"), &[""]), [Some("a".to_owned())]);
        assert_eq!(chosen(&with("header = { X-A = \"c\" }"), &[""]), [None]);
        assert_eq!(chosen(&with("model = \"deepseek-chat\""), &[""]), [None]);
    }

    #[test]
    fn a_rule_without_a_pace_takes_the_default_one() {
        let script = "[[rules]]\n[default]\npace = { gap = \"5ms\" }\n";
        let mut selector = Selector::new(Script::from_toml(script).unwrap());

        let choice = selector.choose(&request(""), &Headers::default());

        assert_eq!(choice.pace.gap.as_millis(), 5);
    }
}
