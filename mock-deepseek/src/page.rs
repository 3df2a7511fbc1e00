//! The page at `/`: how to point a client here, how to break the answers, what can break, and what happens now.
//!
//! One HTML file that loads nothing. It stands on the API's port and on the control port; its live log comes from
//! the control API. Invariant: nothing that a client sent stands in the page unescaped.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::Html,
};
use serde_json::json;

use crate::{
    control::{Control, faults_for_the_page, host_name},
    shared::Shared,
};

const TEMPLATE: &str = include_str!("page.html");

/// Says whether the page is at this path of the API's port. DeepSeek has nothing there.
pub(crate) fn is_at(path: &str) -> bool {
    matches!(path.as_bytes(), [b'/'] | [b'/', b'?', ..])
}

/// Returns the page as the API's port shows it.
pub(crate) fn on_the_api_port(shared: &Shared, host: Option<&str>) -> String {
    let host = host.filter(|host| is_plain(host)).unwrap_or("127.0.0.1");
    let control = shared.control.map(|address| format!("http://{}:{}", host_name(host), address.port()));
    fill(&format!("{}://{host}", shared.scheme()), control.as_deref())
}

/// Returns the page as the control port shows it.
pub(crate) async fn on_the_control_port(
    State(control): State<Arc<Control>>,
    headers: HeaderMap,
) -> Html<String> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| is_plain(host)).unwrap_or("127.0.0.1");
    let api = control.api_url(host_name(host));
    Html(fill(&api, Some(&format!("http://{host}"))))
}

/// Says whether a host can stand in the page as it is.
fn is_plain(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}

fn fill(api: &str, control: Option<&str>) -> String {
    // `<` could end the script that the list stands in.
    let faults = json!(faults_for_the_page()).to_string().replace('<', "\\u003c");
    TEMPLATE
        .replace("{{api}}", api)
        .replace("{{control}}", control.unwrap_or_default())
        .replace("{{control_shown}}", control.unwrap_or("http://127.0.0.1:4011"))
        .replace("{{faults}}", &faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_from_elsewhere_m17() {
        let page = fill("http://localhost:4010", None);

        for tag in ["<link", "<img", "src=", "@import", "url("] {
            assert!(!page.contains(tag), "{tag}");
        }
        assert!(!page.contains("{{"));
    }

    #[test]
    fn a_host_that_is_no_host_does_not_get_into_the_page_m17() {
        assert!(!is_plain("<script>") && !is_plain("a\"b") && !is_plain(""));
        assert!(is_plain("localhost:4010") && is_plain("[::1]:4010"));
    }

    #[test]
    fn every_way_to_connect_shows_the_real_address_m17() {
        let page = fill("http://localhost:4010", Some("http://localhost:4011"));

        for client in [
            "curl",
            "OpenAI SDK for Python",
            "OpenAI SDK for Node",
            "LangChain",
            "LiteLLM",
            "Vercel AI SDK",
            "Anthropic SDK",
        ] {
            assert!(page.contains(client), "{client}");
        }
        assert!(page.matches("http://localhost:4010").count() >= 7);
    }
}
