//! Clients that hardly read: what they hold up, and for how long.

use std::time::Duration;

use clock::{SystemClock, timeout};

use super::rig::{Act, answer, with_rig};

/// Text that is six times as long in a frame: with it, a frame fits into no buffer.
const PIECE: usize = 20_000;

/// So long, in real time, what must happen now may take.
const REAL_LIMIT: Duration = Duration::from_secs(10);

/// A dozen long pieces, and then nothing.
fn long_pieces() -> Vec<Act> {
    let text = "\\u0001".repeat(PIECE);
    let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
    let piece = [Act::Raw(event), Act::Pause(Duration::from_millis(10))];
    let pieces = std::iter::repeat_n(piece, 12).flatten();
    [Act::Head].into_iter().chain(pieces).chain([Act::Hold]).collect()
}

#[test]
fn a_client_that_takes_a_frame_now_and_then_holds_neither_the_model_nor_its_users_turn_s8() {
    let small = |config: &mut crate::Config| {
        config.http.send_buffer_bytes = 8192;
        // Nobody here answers pings.
        config.http.ping_interval = Duration::from_hours(100);
    };
    with_rig(small, async |rig| {
        rig.upstream.script(long_pieces());
        rig.upstream.script(answer("Yes"));
        let (mut slow, mut other) = (rig.connect_small().await, rig.connect().await);
        slow.say("I am 20 weeks, can I fly?").await;
        rig.asked(1).await;

        // Each frame is taken just in time.
        for _ in 0..2 {
            rig.advance(7.0).await;
            slow.frame().await;
        }
        assert_eq!(rig.upstream.closed(), 1, "the model was silent for longer than its gap");

        other.say("Is rye bread good?").await;
        for _ in 0..3 {
            rig.advance(7.0).await;
            slow.frame().await;
        }
        rig.advance(3.1).await;
        let asked = timeout(&SystemClock::new(), REAL_LIMIT, rig.asked(2)).await;
        assert!(asked.is_ok(), "the turn is not over some seconds after its total time");
    });
}
