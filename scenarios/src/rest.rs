//! REST calls of the harness and of the people in a scenario.

use std::net::IpAddr;

use reqwest::{
    Method, RequestBuilder,
    header::{HOST, HeaderMap},
};
use serde_json::Value;

use crate::record::Answer;

/// Real time after which a call that got no answer is given up: a safety net, never part of a verdict.
const CALL_LIMIT: std::time::Duration = std::time::Duration::from_mins(1);

/// A client that comes from one address of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    client: reqwest::Client,
    base: String,
}

/// A call to be made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    /// A body that is no JSON.
    pub(crate) text: Option<String>,
}

impl Rest {
    /// Makes a client of `base`; `host` is what its requests name as their host, if that is not the address.
    pub(crate) fn new(base: &str, host: Option<&str>, from: IpAddr) -> Result<Self, String> {
        Ok(Self { client: client(base, host, from)?, base: base.to_owned() })
    }

    /// Returns a client from the same address to somewhere else.
    pub(crate) fn at(&self, base: &str) -> Self {
        Self { client: self.client.clone(), base: base.to_owned() }
    }

    /// Makes the call. An error says that there was no answer at all.
    pub(crate) async fn call(&self, request: Request) -> Result<Answer, String> {
        let call = format!("{} {}", request.method, request.path);
        let silent = |error: reqwest::Error| {
            let (base, cause) = (&self.base, root(&error));
            format!("`{call}` got no answer from `{base}`: {cause}; check that the target runs there")
        };
        let response = self.build(request).send().await.map_err(silent)?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let text = response.text().await.map_err(|error| format!("`{call}` broke off: {}", root(&error)))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { step: String::new(), call, status, headers, body })
    }

    fn build(&self, request: Request) -> RequestBuilder {
        let mut builder = self.client.request(request.method, format!("{}{}", self.base, request.path));
        if let Some(token) = request.token {
            builder = builder.bearer_auth(token);
        }
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        match (request.body, request.text) {
            (Some(body), _) => builder.json(&body),
            (None, Some(text)) => builder.body(text),
            (None, None) => builder,
        }
    }
}

/// Makes a client of `base` that comes from one address of this machine, and names this host.
pub(crate) fn client(base: &str, host: Option<&str>, from: IpAddr) -> Result<reqwest::Client, String> {
    let is_local = base.contains("://127.") || base.contains("://localhost");
    let mut headers = HeaderMap::new();
    if let Some(host) = host {
        let value = host.parse().map_err(|_| format!("`{host}` is no name of a host"))?;
        headers.insert(HOST, value);
    }
    reqwest::Client::builder()
        .default_headers(headers)
        .no_proxy()
        .timeout(CALL_LIMIT)
        .retry(reqwest::retry::never())
        .local_address(is_local.then_some(from))
        .build()
        .map_err(|error| format!("cannot make an HTTP client: {error}"))
}

/// Returns the innermost cause of an error, in its words.
pub(crate) fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
