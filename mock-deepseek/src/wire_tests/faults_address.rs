//! Faults before the connection: dead ends that real clients run into, and requests that may not name them.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use clock::{Lab, SystemClock, Timestamp};
use tokio::net::TcpStream;

use super::observe::{chat, observe, script};
use crate::{DeadEnd, DeadEndError, Fault, Layer, MockDeepSeek, Script, StartError, catalogue, transcript};

async fn open(id: &str) -> DeadEnd {
    let fault = Fault::new(id).unwrap();
    DeadEnd::open(&fault, "127.0.0.1:0".parse().unwrap()).await.unwrap()
}

fn address(dead_end: &DeadEnd) -> &str {
    dead_end.url().strip_prefix("http://").unwrap()
}

/// Asks as an SDK would, with a limit on connecting.
async fn ask(url: &str) -> reqwest::Error {
    let client =
        reqwest::Client::builder().no_proxy().connect_timeout(Duration::from_millis(300)).build().unwrap();
    client.post(format!("{url}/chat/completions")).body("{}").send().await.unwrap_err()
}

#[tokio::test]
async fn a_name_that_does_not_resolve_fails_before_there_is_a_connection_m4() {
    let dead_end = open("dns-failure").await;

    let lookup = tokio::net::lookup_host((address(&dead_end), 80)).await.map(Iterator::count);
    let error = ask(dead_end.url()).await;

    assert!(lookup.is_err(), "{lookup:?}");
    assert!(error.is_connect() && format!("{error:?}").contains("dns"), "{error:?}");
}

#[tokio::test]
async fn a_dead_port_refuses_and_is_held_m4() {
    let dead_end = open("connect-refused").await;

    let refused = TcpStream::connect(address(&dead_end)).await.unwrap_err();
    let error = ask(dead_end.url()).await;
    let taken = MockDeepSeek::builder().address(address(&dead_end).parse().unwrap()).start().await;

    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(error.is_connect() && !error.is_timeout(), "{error:?}");
    assert!(matches!(taken, Err(StartError::Taken(_))), "{taken:?}");
}

#[tokio::test]
async fn a_silent_port_lets_a_client_wait_until_its_own_limit_m4() {
    let dead_end = open("connect-timeout").await;

    let limit = Duration::from_millis(300);
    let connected = clock::timeout(&SystemClock::new(), limit, TcpStream::connect(address(&dead_end))).await;
    let error = ask(dead_end.url()).await;

    assert!(connected.is_err(), "{connected:?}");
    assert!(error.is_connect() && error.is_timeout(), "{error:?}");
}

#[test]
fn each_fault_of_an_address_has_a_dead_end_and_no_other_has_one() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for info in catalogue().iter() {
            let fault = Fault::new(info.id).unwrap();

            let opened = DeadEnd::open(&fault, "127.0.0.1:0".parse().unwrap()).await;

            match opened {
                Ok(_) => assert_eq!(info.layer, Layer::Address, "{}", info.id),
                Err(error) => assert!(
                    matches!(error, DeadEndError::Inside(id) if id == info.id)
                        && info.layer != Layer::Address,
                    "{error}"
                ),
            }
        }
    });
}

#[tokio::test]
async fn a_taken_port_cannot_become_a_dead_end() {
    let mock = MockDeepSeek::start().await.unwrap();

    let error = DeadEnd::open(&Fault::new("connect-timeout").unwrap(), mock.address()).await.unwrap_err();

    assert_eq!(
        error.to_string(),
        format!(
            "address `{}` is taken; stop what listens there, or choose port 0 for a free one",
            mock.address()
        )
    );
}

#[test]
fn a_request_that_names_a_fault_of_an_address_is_told_where_to_go_m4() {
    let named = [
        chat("", "x-mock-fault: crlf, dns-failure\r\n"),
        chat("", "").replace("sk-test", "sk-test+connect-refused"),
        super::observe::post(
            r#"{"model":"deepseek-flash+connect-timeout","messages":[{"role":"user","content":"hi"}]}"#,
            "",
        ),
    ];
    for (request, id) in named.iter().zip(["dns-failure", "connect-refused", "connect-timeout"]) {
        let text = observe(script(""), request, Duration::ZERO).seen.text();

        let message = format!(
            "mock-deepseek: fault `{id}` strikes before there is a connection, so it cannot be part of an answer; \
             point the client at the address that `gauntlet mock --fault {id}` prints, or at that of a `DeadEnd`"
        );
        assert!(text.starts_with("HTTP/1.1 400 ") && text.contains(&message), "{text}");
    }
}

#[test]
fn a_script_with_a_fault_of_an_address_is_refused_at_its_line() {
    for fault in [r#""dns-failure""#, r#"{ id = "dns-failure" }"#] {
        let error = Script::from_toml(&format!("[[rules]]\nfaults = [{fault}]\n")).unwrap_err().to_string();

        assert!(error.contains("line 2") && error.contains("`gauntlet mock --fault dns-failure`"), "{error}");
    }
}

#[test]
fn a_script_of_values_plans_it_and_it_never_fires() {
    let (runtime, lab) = Lab::new(Timestamp::UNIX_EPOCH).unwrap();
    runtime.block_on(async move {
        let builder = MockDeepSeek::builder().clock(Arc::new(lab.clock().clone()));
        let script = Script::with_faults([Fault::new("connect-refused").unwrap()]);
        let mock = builder.script(script).start().await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();

        let body = r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"x"}]}"#;
        let answer =
            client.post(mock.url() + "/chat/completions").bearer_auth("sk-a").body(body).send().await;

        assert_eq!(answer.unwrap().status(), 200);
        assert!(!mock.journal()[0].faults[0].fired);
    });
}

#[test]
fn a_transcript_says_what_the_client_sees_instead_of_bytes() {
    let shown = |ids: [&str; 2]| transcript(&ids.map(|id| Fault::new(id).unwrap()));

    assert_eq!(
        shown(["crlf", "dns-failure"]),
        "-- no connection: the name `api.deepseek.invalid` has no address\n"
    );
    assert_eq!(shown(["dns-failure", "connect-refused"]), shown(["connect-refused", "dns-failure"]));
}
