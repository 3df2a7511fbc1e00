//! What the client sees and the file must not hold.

use super::{both, raw_upstream};
use crate::wire_tests::{ends::in_lab, observe::post};

const CANARIES: [&str; 8] = [
    "sk-CANARY0123456789abcd",
    "own-gateway-key",
    "canary.bird@example.org",
    "+49 171 2345678",
    "4111 1111 1111 1111",
    "session-CANARY",
    "user-CANARY",
    "cookie-of-the-answer",
];

#[test]
fn no_canary_reaches_the_file_and_each_reaches_the_client_m14() {
    let [key, own, mail, phone, card, session, user, cookie] = CANARIES;
    let said = format!("Bearer {key}, {mail}, {phone}, {card}, {session}, {user}, {own}");
    let request = post(
        &format!(r#"{{"model":"m","user_id":"{user}","messages":[{{"content":"{said}"}}],"stream":true}}"#),
        &format!("x-api-key: {own}\r\ncookie: a=b; s={session}\r\nx-other-token: {key}\r\n"),
    );
    let event =
        |text: &str| format!("data: {}\n\n", serde_json::json!({"choices": [{"delta": {"content": text}}]}));
    let deltas: String =
        said.as_bytes().chunks(5).map(|token| event(std::str::from_utf8(token).unwrap())).collect();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nset-cookie: id={cookie}; Secure\r\nx-mail: {mail}\r\n\r\n"
    );
    in_lab(|lab| async move {
        let echo = format!("{}data: {cookie}\n\n", event(&said));
        let parts = [head, deltas.clone(), echo].map(|text| (10, text.into_bytes())).into();
        let (address, asked) = raw_upstream(&lab, parts).await;

        let (recorded, replayed, file) = both(&lab, &format!("http://{address}"), &[request]).await;

        let (asked, seen) = (asked.await.unwrap(), recorded[0].seen.text());
        assert!(seen.contains(&deltas) && seen.contains(cookie), "{seen}");
        for canary in &CANARIES[..7] {
            assert!(asked.contains(canary) && seen.contains(canary), "{canary}");
        }
        for canary in CANARIES {
            assert!(!file.contains(canary), "{canary} in {file}");
        }
        let deltas = |text: &str| -> String {
            let payloads = text.lines().filter_map(|line| {
                serde_json::from_str::<serde_json::Value>(line.strip_prefix("data: ")?).ok()
            });
            payloads.map(|json| json["choices"][0]["delta"]["content"].as_str().unwrap().to_owned()).collect()
        };
        let replayed = deltas(&replayed[0].seen.text());
        assert_eq!(replayed.matches("<email-1>").count(), 2, "{replayed}");
        assert!(CANARIES.iter().all(|canary| !replayed.contains(canary)), "{replayed}");
    });
}
