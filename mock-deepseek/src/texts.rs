//! What the mock says when the script does not tell it what to say.
//!
//! Invariant: the same seed and message give the same text, and no word of the message is quoted.
//! Each text has a character of several bytes, so that faults that split one find it.

/// The mock's own thinking.
pub(crate) const THINKING: &str =
    "The user asks for help. I’ll keep it short, friendly and practical, and answer in their language.";

const REPLIES: [&str; 4] = [
    "That’s a good question. Take it one step at a time, and note down what you see. Tell me more and we’ll go on from there.",
    "Thanks for telling me. It’s quite common, and there’s usually a simple way through. Would you like a short list of options?",
    "I’m glad you asked. The short answer is yes, with a little care. Let’s look at what matters most to you first.",
    "Here’s how I’d begin: rest, drink enough, and write down your questions. We’ll sort them together, one by one.",
];

/// Returns a few sentences, chosen by the seed and the message.
pub(crate) fn reply(seed: u64, message: &str) -> String {
    let hash = message.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The low bits depend on the last characters only; the fold lets all of them count.
    let choice = usize::try_from((hash ^ (hash >> 29)) % REPLIES.len() as u64).unwrap_or_default();
    REPLIES[choice].to_owned()
}

/// Puts a text into a JSON object; what the client has written of that already is not said again.
pub(crate) fn as_json(text: &str, prefix: Option<&str>) -> String {
    let whole = serde_json::json!({ "answer": text }).to_string();
    let rest = prefix.and_then(|prefix| whole.strip_prefix(prefix.trim_start()));
    rest.map_or_else(|| whole.clone(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_message_give_the_same_text() {
        assert_eq!(reply(1, "hello"), reply(1, "hello"));
    }

    #[test]
    fn messages_get_different_texts() {
        let texts: std::collections::BTreeSet<_> =
            (0..50).map(|n| reply(0, &format!("message {n}"))).collect();

        assert_eq!(texts.len(), REPLIES.len());
    }

    #[test]
    fn each_text_has_a_character_of_several_bytes() {
        assert!(REPLIES.iter().chain([&THINKING]).all(|text| !text.is_ascii()));
    }
}
