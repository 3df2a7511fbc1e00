//! Log-ins: refresh tokens, devices, and tickets for sockets.

use std::time::Duration;

use clock::SystemClock;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use server::storage::{AccessStorage, Storage};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message},
};

use super::{in_the_lab, redacted, start};
use crate::support::server::{PASSWORD, Server, answer};

/// How long a frame may be on its way: no verdict rests on it.
const PATIENCE: Duration = Duration::from_secs(20);

async fn sign_up(server: &Server) -> Value {
    let form = json!({"email": "ana@example.org", "password": PASSWORD, "device": "phone"});
    let (status, body) = server.post("/api/auth/register", "", form).await;
    assert_eq!(status, 201, "{body}");
    body
}

fn text<'a>(body: &'a Value, key: &str) -> &'a str {
    body[key].as_str().unwrap()
}

#[tokio::test]
async fn a_log_in_brings_more_keys_beside_those_of_v0_f143() {
    let server = start().await;

    let body = sign_up(&server).await;

    let hidden = ["/token", "/user/id", "/access_token", "/refresh_token", "/device_id"];
    insta::assert_snapshot!(redacted(body, &hidden), @r#"{"token":"…","user":{"id":"…","email":"ana@example.org","language":"en","is_admin":false},"access_token":"…","expires_in":900,"refresh_token":"…","refresh_expires_in":2592000,"device_id":"…"}"#);
    server.stop().await;
}

#[test]
fn a_device_goes_on_by_refreshing_and_no_longer_than_that_f143() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let body = sign_up(&server).await;
        let access = text(&body, "access_token");
        lab.advance(Duration::from_mins(15)).await.unwrap();
        assert_eq!(server.get("/api/auth/me", access).await.1["code"], "token_expired");

        let form = json!({"refresh_token": text(&body, "refresh_token")});
        let (status, renewed) = server.post("/api/auth/refresh", "", form).await;

        assert_eq!(status, 200, "{renewed}");
        assert_eq!(server.get("/api/auth/me", text(&renewed, "access_token")).await.0, 200);
        lab.advance(Duration::from_hours(30 * 24)).await.unwrap();
        let form = json!({"refresh_token": text(&renewed, "refresh_token")});
        let (status, refused) = server.post("/api/auth/refresh", "", form).await;
        assert_eq!(status, 401);
        insta::assert_snapshot!(refused, @r#"{"error":"refresh token is not valid; log in again with POST /api/auth/login","code":"bad_refresh_token"}"#);
    });
}

#[tokio::test]
async fn logging_out_ends_every_token_of_the_device_f143() {
    let server = start().await;
    let (first, form) = (sign_up(&server).await, json!({"email": "ana@example.org", "password": PASSWORD}));
    let (_, second) = server.post("/api/auth/login", "", form).await;
    let (_, devices) = server.get("/api/auth/devices", text(&first, "token")).await;
    let shown = ["/0/id", "/0/created_at", "/0/last_seen_at", "/0/expires_at"];
    insta::assert_snapshot!(redacted(json!([devices[1]]), &shown), @r#"[{"id":"…","name":"phone","created_at":"…","last_seen_at":"…","expires_at":"…","current":true}]"#);

    let (status, body) = server.post("/api/auth/logout", text(&first, "token"), json!({})).await;

    assert_eq!((status, body), (200, json!({"message": "logged out"})));
    for key in ["token", "access_token"] {
        let (status, body) = server.get("/api/auth/me", text(&first, key)).await;
        assert_eq!((status, &body["code"]), (401, &json!("logged_out")), "{key}");
    }
    let form = json!({"refresh_token": text(&first, "refresh_token")});
    assert_eq!(server.post("/api/auth/refresh", "", form).await.0, 401);
    let (status, body) = server.post("/api/auth/logout-all", text(&second, "access_token"), json!({})).await;
    assert_eq!((status, body), (200, json!({"message": "logged out everywhere", "devices": 1})));
    assert_eq!(server.get("/api/auth/me", text(&second, "token")).await.0, 401);
    server.stop().await;
}

#[tokio::test]
async fn another_users_device_is_not_found_f143() {
    let server = start().await;
    let (ana, bea) = (sign_up(&server).await, server.register("bea@example.org", "en").await);
    let path = format!("/api/auth/devices/{}", text(&ana, "device_id"));

    assert_eq!(server.delete(&path, &bea).await.0, 404);
    assert_eq!(server.delete("/api/auth/devices/x", &bea).await.0, 404);
    assert_eq!(server.delete(&path, text(&ana, "token")).await.0, 200);
    server.stop().await;
}

/// Opens a socket and returns the status, 101 if it opened.
async fn knock(server: &Server, query: &str) -> u16 {
    match connect_async(format!("ws://{}/ws/chat?{query}", server.address)).await {
        Ok((_, response)) => response.status().as_u16(),
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_ticket_opens_one_socket_f145() {
    let server = start().await;
    let token = server.register("ana@example.org", "en").await;

    let (status, body) = server.post("/api/auth/ws-ticket", &token, json!({})).await;

    assert_eq!((status, &body["expires_in"]), (200, &json!(30)));
    let query = format!("ticket={}", text(&body, "ticket"));
    assert_eq!([knock(&server, &query).await, knock(&server, &query).await], [101, 401]);
    let (_, body) = answer(server.request(Method::GET, &format!("/ws/chat?{query}"), "")).await;
    insta::assert_snapshot!(body, @r#"{"error":"ticket is not valid; each is good once and for a short time: get a new one with POST /api/auth/ws-ticket","code":"bad_ticket"}"#);
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_among_the_subprotocols_is_taken_f145() {
    let server = start().await;
    let token = server.register("ana@example.org", "en").await;
    let (_, body) = server.post("/api/auth/ws-ticket", &token, json!({})).await;
    let offer = format!("chat.v1, ticket.{}", text(&body, "ticket"));
    let knock = async || {
        let request = server.request(Method::GET, "/ws/chat", "").header("sec-websocket-protocol", &offer);
        answer(request).await.0
    };

    assert_eq!([knock().await, knock().await], [426, 401], "let in, and then asked for a WebSocket");
    server.stop().await;
}

#[tokio::test]
async fn a_ticket_of_a_device_that_was_logged_out_opens_nothing_f145() {
    let server = start().await;
    let body = sign_up(&server).await;
    let (_, ticket) = server.post("/api/auth/ws-ticket", text(&body, "token"), json!({})).await;

    server.post("/api/auth/logout", text(&body, "token"), json!({})).await;

    assert_eq!(knock(&server, &format!("ticket={}", text(&ticket, "ticket"))).await, 401);
    server.stop().await;
}

#[test]
fn a_socket_whose_device_ended_elsewhere_is_closed_within_a_minute_f143() {
    // The client reads nothing, and so answers no pings.
    in_the_lab(toml::toml! { http.ping_interval = "1h" }, async |lab, server| {
        let body = sign_up(&server).await;
        let url = format!("ws://{}/ws/chat?token={}", server.address, text(&body, "token"));
        let (mut socket, _) = connect_async(url).await.unwrap();
        let user = server.db.credentials("ana@example.org").await.unwrap().unwrap().user;

        // As another replica would: past this server.
        server.db.remove_devices(user.id).await.unwrap();
        lab.advance(Duration::from_mins(1)).await.unwrap();

        assert_eq!(close_code(&mut socket).await, 4501);
    });
}

/// Reads to the end of a socket that the server closes, and returns how.
async fn close_code(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> u16 {
    let reading = async {
        loop {
            if let Message::Close(frame) = socket.next().await.unwrap().unwrap() {
                return u16::from(frame.unwrap().code);
            }
        }
    };
    let ended = clock::timeout(&SystemClock::new(), PATIENCE, reading).await;
    ended.unwrap_or_else(|_| panic!("the socket is still open"))
}

#[test]
fn logging_out_everywhere_closes_the_sockets_of_all_devices_at_once_f143() {
    in_the_lab(toml::Table::new(), async |_, server| {
        let phone = sign_up(&server).await;
        let login = json!({"email": "ana@example.org", "password": PASSWORD, "device": "tablet"});
        let (_, tablet) = server.post("/api/auth/login", "", login).await;
        let other = server.register("bea@example.org", "en").await;
        let open = async |token: &str| {
            connect_async(format!("ws://{}/ws/chat?token={token}", server.address)).await.unwrap().0
        };
        let mut sockets = [open(text(&phone, "token")).await, open(text(&tablet, "token")).await];
        let mut stays = open(&other).await;

        let (status, _) = server.post("/api/auth/logout-all", text(&tablet, "token"), json!({})).await;

        // The clock stands still: nobody is waited for.
        assert_eq!(status, 200);
        assert_eq!([close_code(&mut sockets[0]).await, close_code(&mut sockets[1]).await], [4501, 4501]);
        stays.send(Message::text(json!({"content": "hello"}).to_string())).await.unwrap();
        let answer = clock::timeout(&SystemClock::new(), PATIENCE, stays.next()).await;
        assert!(answer.unwrap().unwrap().unwrap().is_text(), "somebody else is not concerned");
    });
}

#[test]
fn ending_one_device_closes_its_sockets_at_once_and_no_others_f143() {
    in_the_lab(toml::Table::new(), async |_, server| {
        let phone = sign_up(&server).await;
        let login = json!({"email": "ana@example.org", "password": PASSWORD, "device": "tablet"});
        let (_, tablet) = server.post("/api/auth/login", "", login).await;
        let open = async |token: &str| {
            connect_async(format!("ws://{}/ws/chat?token={token}", server.address)).await.unwrap().0
        };
        let (mut ends, mut stays) = (open(text(&phone, "token")).await, open(text(&tablet, "token")).await);

        let path = format!("/api/auth/devices/{}", text(&phone, "device_id"));
        assert_eq!(server.delete(&path, text(&tablet, "token")).await.0, 200);

        assert_eq!(close_code(&mut ends).await, 4501);
        stays.send(Message::text(json!({"content": "hello"}).to_string())).await.unwrap();
        let answer = clock::timeout(&SystemClock::new(), PATIENCE, stays.next()).await;
        assert!(answer.unwrap().unwrap().unwrap().is_text());
    });
}

#[test]
fn tokens_of_before_there_were_devices_are_accepted_by_setting_f143() {
    // What the first version signed: {"user_id", "email", "is_admin", "exp", "iat"}.
    let settings = |accepted: bool| toml::toml! { auth.tokens_without_device = accepted };
    for (accepted, expected) in [(true, 200), (false, 401)] {
        in_the_lab(old_tokens(settings(accepted)), async |_, server| {
            server.register("ana@example.org", "en").await;
            let user = server.db.credentials("ana@example.org").await.unwrap().unwrap().user;

            let (status, body) = server.get("/api/auth/me", &old_token(&user.id.to_string())).await;

            assert_eq!(status, expected, "{body}");
        });
    }
}

const SECRET: &str = "0123456789-0123456789-0123456789";

fn old_tokens(mut settings: toml::Table) -> toml::Table {
    settings.insert("auth.secret".to_owned(), SECRET.into());
    settings
}

fn old_token(user: &str) -> String {
    let claims = json!({"user_id": user, "email": "ana@example.org", "is_admin": false, "exp": 1_800_000_900, "iat": 0});
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}
