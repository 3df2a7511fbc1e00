//! A headless Chromium, driven over its own protocol: opens a page, waits for what scripts do, asks about it.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::absence;

/// So long a page may take to show what is awaited, in milliseconds.
const WAIT_MS: u32 = 120_000;

/// What the browser is started with: it stays alone and asks nobody anything.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-port=0",
];
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A running browser. Killed when dropped.
pub(crate) struct Browser {
    child: Child,
    address: String,
    _profile: TempDir,
}

/// An open page.
pub(crate) struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    asked: u64,
    requests: Vec<String>,
}

impl Browser {
    /// Starts a browser; `None` where none is installed and none is required.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = find() else {
            absence::skip("chromium", "no Chromium", "install Debian's package `chromium`");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new(program)
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stderr.take().unwrap());
        let line = told.lines().map_while(Result::ok).find(|line| line.contains("ws://")).unwrap();
        let address = line.split("ws://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        Some(Self { child, address, _profile: profile })
    }

    /// Opens an empty page.
    pub(crate) async fn page(&self) -> Page {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let opened =
            client.put(format!("http://{}/json/new?about:blank", self.address)).send().await.unwrap();
        let target: Value = opened.json().await.unwrap();
        let (socket, _) = connect_async(target["webSocketDebuggerUrl"].as_str().unwrap()).await.unwrap();
        Page { socket, asked: 0, requests: Vec::new() }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Page {
    /// Goes to a URL and returns when it has loaded.
    pub(crate) async fn go(&mut self, url: &str) {
        self.call("Page.enable", json!({})).await;
        self.call("Network.enable", json!({})).await;
        let went = self.call("Page.navigate", json!({"url": url})).await;
        if went.get("loaderId").is_none() {
            // Only the fragment is another one: nothing is loaded.
            return;
        }
        while let Some(told) = self.told().await {
            if told["method"] == "Page.loadEventFired" {
                return;
            }
        }
        panic!("`{url}` did not load");
    }

    /// Returns the URLs that the page has asked for so far, its own among them.
    pub(crate) fn requests(&self) -> &[String] {
        &self.requests
    }

    /// Evaluates an expression in the page; a promise is awaited.
    pub(crate) async fn eval(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let outcome = self.call("Runtime.evaluate", parameters).await;
        assert!(outcome.get("exceptionDetails").is_none(), "{expression}: {outcome}");
        outcome["result"]["value"].clone()
    }

    /// Waits until an expression is true, looking again at each change of the page, and returns its text. After
    /// [`WAIT_MS`] it fails with the text that is there.
    pub(crate) async fn await_text(&mut self, expression: &str) -> String {
        let script = format!(
            "new Promise((done, failed) => {{
                const look = () => ({expression}) && (done(document.body.innerText), true);
                if (look()) return;
                setTimeout(() => failed(`not within {WAIT_MS} ms: ${{document.body.innerText}}`), {WAIT_MS});
                const seer = new MutationObserver(() => look() && seer.disconnect());
                seer.observe(document.body, {{childList: true, subtree: true, characterData: true, attributes: true}});
            }})"
        );
        self.eval(&script).await.as_str().unwrap().to_owned()
    }

    /// Shows the page in a window so many pixels wide, dark or light.
    pub(crate) async fn look(&mut self, width: u32, scheme: &str) {
        let window = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
        self.call("Emulation.setDeviceMetricsOverride", window).await;
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Shows the page as it would be printed.
    pub(crate) async fn print(&mut self) {
        self.call("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
    }

    /// Lets no script of the page run from here on; `eval` still works.
    pub(crate) async fn forbid_scripts(&mut self) {
        self.call("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    }

    /// Presses a key.
    pub(crate) async fn press(&mut self, key: &str, code: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.call("Input.dispatchKeyEvent", json!({"type": kind, "key": key, "code": code})).await;
        }
    }

    /// Writes into what has the focus.
    pub(crate) async fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Returns a picture of what is shown, as PNG.
    pub(crate) async fn picture(&mut self) -> Vec<u8> {
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        base64::engine::general_purpose::STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        let text = json!({"id": id, "method": method, "params": parameters}).to_string();
        self.socket.send(Message::text(text)).await.unwrap();
        while let Some(answer) = self.told().await {
            if answer["id"] == id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
        panic!("the browser went away during `{method}`");
    }

    /// Waits for the next thing that the browser tells, and keeps what the page asks for.
    async fn told(&mut self) -> Option<Value> {
        let message = self.socket.next().await?.ok()?;
        let told: Value = serde_json::from_str(message.to_text().unwrap_or_default()).unwrap_or_default();
        if told["method"] == "Network.requestWillBeSent" {
            self.requests.extend(told["params"]["request"]["url"].as_str().map(ToOwned::to_owned));
        }
        Some(told)
    }
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    places.find(|place| place.is_file())
}
