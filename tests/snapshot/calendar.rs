//! What is promised about the calendar, and that the code and the documents keep to it.

use super::tree::{Source, rust};

/// What the product promises about its calendar, in the words of the seed document.
const RULE: &str = "The AI never creates entries";

#[test]
fn that_the_ai_never_creates_entries_is_told_wherever_somebody_looks_f72() {
    let places = [
        ("the guide for front ends and of the API", include_str!("../../docs/CALENDAR.md")),
        ("the flow of the chat", include_str!("../../server/src/chat/protocol.rs")),
        ("the routes of reminders", include_str!("../../server/src/routes/reminders.rs")),
        ("the back end", include_str!("../../server/src/calendar.rs")),
    ];

    for (place, text) in places {
        assert!(text.contains(RULE), "{place} does not say: {RULE}");
    }
}

#[test]
fn nothing_but_the_users_request_and_standing_wish_makes_reminders_f70_f71() {
    let makes = |source: &Source| source.code().any(|line| line.contains(".create_reminder("));
    let server = rust().into_iter().filter(|source| source.path.starts_with("server/src/"));
    let found = server.filter(makes).map(|source| source.path);
    let places = found.filter(|path| !path.starts_with("server/src/storage/")).collect::<Vec<_>>();

    assert_eq!(places, ["server/src/chat/steps/offer.rs", "server/src/routes/reminders.rs"]);
}

#[test]
fn every_route_of_the_calendar_stands_in_its_guide_f71() {
    let guide = include_str!("../../docs/CALENDAR.md");
    let app = include_str!("../../server/src/app.rs");
    let paths = app.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let of_the_calendar = |path: &&str| {
        ["reminder", "suggestion", "calendar", "preferences"].iter().any(|word| path.contains(word))
    };
    let paths: Vec<_> = paths.filter(of_the_calendar).collect();

    assert_eq!(paths.len(), 10, "{paths:?}");
    for path in paths {
        assert!(guide.contains(&format!(" {path}`")), "`{path}` is not in the guide");
    }
}
