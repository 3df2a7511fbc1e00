//! A load of users who speak `chat.v1`.

use super::{FLOOD_LIMIT, HEAD, IMPATIENT, SETTINGS, everybody, load, running, talkers};
use crate::support::{
    port::free,
    standin::{Defect, StandIn},
};

const NEWER: &str = "protocol = \"chat.v1\"\n";

#[test]
fn a_crowd_that_speaks_the_newer_protocol_breaks_no_promise_l1_l3() {
    let profile = format!("{NEWER}{HEAD}{SETTINGS}{FLOOD_LIMIT}{}", everybody());

    let loaded = load(&profile, None, &["--duration", "4s"]);

    assert!(loaded.told().contains("promises broken: 0\nverdict: held"), "{}", loaded.told());
    for figure in ["turns", "count(turn.gap)", "count(safety)", "count(connect)"] {
        assert!(loaded.figure(figure) > 0.0, "{figure}: {}", loaded.told());
    }
    let refused = &loaded.report()["refused"];
    let times = ["rate_limited", "queue_full"].map(|code| refused[code].as_u64().unwrap_or(0));
    assert_eq!(times.iter().sum::<u64>(), 170, "{}", loaded.told());
}

#[tokio::test]
async fn whoever_does_not_speak_it_is_told_so_l3() {
    let llm = free();
    let stranger = StandIn::start(llm, Defect::None).await;
    let silent_about_it = running(stranger.address, llm, "");
    let claims = running(stranger.address, llm, "capabilities = [\"chat-v1\"]\n");
    let profile = format!("{IMPATIENT}{HEAD}{}", talkers());
    let speak = |target: String| {
        let profile = profile.clone();
        tokio::task::spawn_blocking(move || load(&profile, Some(&target), &["--protocol", "chat.v1"]))
    };

    let unfit = speak(silent_about_it).await.unwrap();
    let refused = speak(claims).await.unwrap();

    assert_eq!(unfit.output.status.code(), Some(2), "{}", unfit.told());
    assert!(unfit.told().contains("hint: add `chat-v1` to `capabilities` of its file"), "{}", unfit.told());
    assert_eq!(refused.output.status.code(), Some(1), "{}", refused.told());
    assert!(refused.told().contains("the server does not speak `chat.v1`"), "{}", refused.told());
}
