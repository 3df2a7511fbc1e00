//! The control API as a client meets it, and its description compared with it.

mod description;
mod expectations;
mod faults;
mod journal;
mod script;
mod service;
mod time;

use axum::http::Method;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{Builder, MockDeepSeek};

/// A mock with its control API, and a client of both.
struct Stage {
    mock: MockDeepSeek,
    client: Client,
    control: String,
}

impl Stage {
    async fn new() -> Self {
        Self::with(MockDeepSeek::builder()).await
    }

    async fn with(builder: Builder) -> Self {
        let mock = builder.control(([127, 0, 0, 1], 0).into()).start().await.unwrap();
        let control = mock.control_url().unwrap();
        Self { mock, client: Client::builder().no_proxy().build().unwrap(), control }
    }

    async fn call(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let url = format!("{}{path}", self.control);
        let answer = self.client.request(method, url).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, "").await
    }

    /// Asks the model something and reads the answer to its end.
    async fn ask(&self, text: &str) -> StatusCode {
        let body = json!({"model": "deepseek-flash", "messages": [{"role": "user", "content": text}]});
        let url = format!("{}/chat/completions", self.mock.url());
        let answer = self.client.post(url).bearer_auth("sk-test").json(&body).send().await.unwrap();
        let status = answer.status();
        // A fault may have cut it; what was asked counts here.
        drop(answer.bytes().await);
        status
    }
}
