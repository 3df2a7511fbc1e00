//! The sentences that are left when every file fails. English, without variables.

/// Returns the sentence for a key, by what the key is about.
pub fn sentence(key: &str) -> &'static str {
    let (message, attribute) = key.split_once('.').unwrap_or((key, ""));
    match (message, attribute) {
        ("safety", _) => {
            "This may be an emergency. Please call your emergency number or your doctor right now."
        }
        (_, "symptom_report") => {
            "I cannot answer right now. If this feels urgent, please call your doctor or emergency number."
        }
        ("canned", "thanks") => "You are welcome.",
        ("canned", "goodbye") => "Goodbye, and take care.",
        ("canned", _) => "Hello! How can I help you?",
        ("error", "rate_limited") => "You are sending messages too quickly. Please wait a moment.",
        ("error", _) => "That did not work. Please try again.",
        ("notice", "ended") => "This conversation has ended. Your next message begins a new one.",
        ("notice", "unstored") => "I cannot keep this conversation right now and will not remember it later.",
        ("notice", _) => "My answer was interrupted. Please try again.",
        ("consent", "needed") => "Before I can answer, I need your consent. Please give it in this app.",
        ("consent", "withdrawn") => "You have withdrawn your consent, and I have stopped.",
        ("suggestion", _) => "Calendar entry",
        ("date", _) => "the time shown",
        _ => "I cannot answer right now. Please try again in a moment.",
    }
}
