//! The mock's page in a real browser.

use mock_deepseek::MockDeepSeek;
use reqwest::Client;
use serde_json::json;

use crate::support::browser::Browser;

async fn mock() -> MockDeepSeek {
    MockDeepSeek::builder().control(([127, 0, 0, 1], 0).into()).start().await.unwrap()
}

async fn ask(mock: &MockDeepSeek, fault: &str) {
    let client = Client::builder().no_proxy().build().unwrap();
    let body = json!({"model": "deepseek-flash", "messages": [{"role": "user", "content": "<b>hi</b>"}]});
    let request = client.post(mock.url() + "/chat/completions").bearer_auth("sk-test").json(&body);
    request.header("x-mock-fault", fault).send().await.unwrap().bytes().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_a_request_that_was_made_on_both_ports_m17() {
    let Some(browser) = Browser::start() else { return };
    let mock = mock().await;
    ask(&mock, "too-busy-503").await;

    for url in [mock.url(), mock.control_url().unwrap()] {
        let mut page = browser.page().await;
        page.go(&url).await;
        let text = page.await_text("document.querySelectorAll('#log tr').length >= 1").await;

        assert!(text.contains("too-busy-503") && text.contains("503"), "{text}");
        assert!(text.contains(&format!("curl -N {}/chat/completions", mock.url())), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_live_and_a_row_opens_the_request_m17() {
    let Some(browser) = Browser::start() else { return };
    let mock = mock().await;
    let mut page = browser.page().await;
    page.go(&mock.url()).await;
    page.await_text("document.getElementById('state').textContent === 'live'").await;

    ask(&mock, "html-200").await;
    page.await_text("document.querySelector('#log td:nth-child(4)')?.textContent === 'completed'").await;
    page.eval("document.querySelector('#log button').click()").await;
    let text = page.await_text("document.getElementById('dialog-body').childElementCount >= 6").await;

    assert!(text.contains("<b>hi</b>") && text.contains("content-type: text/html"), "{text}");
    assert!(text.contains("Bearer ****"), "the key is shown: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_found_from_the_keyboard_and_shown_with_their_bytes_m17() {
    let Some(browser) = Browser::start() else { return };
    let mock = mock().await;
    let mut page = browser.page().await;
    page.go(&mock.url()).await;

    page.press("/", "Slash").await;
    assert_eq!(page.eval("document.activeElement.id").await, "search");
    page.eval("document.activeElement.value = 'crlf'; search()").await;
    assert_eq!(
        page.eval("document.querySelector('#faults tr:not([hidden])').innerText.split('\\t')[0]").await,
        "crlf"
    );
    page.eval("document.querySelector('#faults tr:not([hidden]) button').click()").await;
    let text = page.await_text("document.getElementById('dialog-body').childElementCount >= 10").await;

    assert!(text.contains("Seen at") && text.contains("data: "), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_control_api_the_page_says_how_to_get_the_log_m17() {
    let Some(browser) = Browser::start() else { return };
    let mock = MockDeepSeek::start().await.unwrap();
    let mut page = browser.page().await;

    page.go(&mock.url()).await;
    let text = page.await_text("document.getElementById('state').textContent === 'off'").await;

    assert!(text.contains("--control-port 4011"), "{text}");
    assert!(text.contains("keepalive-only-forever"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_fits_a_phone_and_a_dark_room_m17() {
    let Some(browser) = Browser::start() else { return };
    let mock = mock().await;
    ask(&mock, "too-busy-503").await;
    let mut page = browser.page().await;
    page.go(&mock.url()).await;
    page.await_text("document.querySelectorAll('#log tr').length >= 1").await;

    page.look(360, "dark").await;

    assert_eq!(page.eval("document.documentElement.scrollWidth <= 360").await, true);
    assert_eq!(page.eval("getComputedStyle(document.body).backgroundColor").await, "rgb(22, 23, 26)");
}
