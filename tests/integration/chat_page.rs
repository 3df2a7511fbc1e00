//! The page to talk to the server by, in a real browser, with a model that does what its script says.

use std::sync::Arc;

use clock::SystemClock;
use mock_deepseek::{MockDeepSeek, Script};
use serde_json::json;

use crate::support::{
    browser::{Browser, Page},
    server::{PASSWORD, Server},
};

/// What is asked of the page in words: nothing an assistive technology stumbles over.
const ACCESSIBLE: &str = include_str!("../support/accessible.js");

/// Answers that take a while, that break off, and that do not come.
const SCRIPT: &str = r#"
    [[rules]]
    match = { contains = "figs" }
    reply = { pieces = ["Figs ", "are ", "rich ", "in ", "fibre."] }
    pace = { first_token = "50ms", gap = "150ms" }

    [[rules]]
    match = { contains = "endless" }
    reply = { pieces = ["It ", "goes ", "on ", "and ", "on."] }
    pace = { first_token = "10ms", gap = "2s" }

    [[rules]]
    match = { contains = "cut" }
    reply = { pieces = ["This ", "is ", "cut"] }
    faults = [{ id = "tcp-rst-mid-stream", after_events = 3 }]
"#;

/// A server, its model and a browser.
struct House {
    server: Server,
    llm: MockDeepSeek,
    browser: Browser,
}

impl House {
    /// Starts all of them; `None` where no browser is installed and none is required.
    async fn start() -> Option<Self> {
        Self::with("").await
    }

    /// The same with further settings.
    async fn with(more: &str) -> Option<Self> {
        let browser = Browser::start()?;
        let llm = MockDeepSeek::builder().script(Script::from_toml(SCRIPT).unwrap()).start().await.unwrap();
        let settings = format!(
            "limits.http.mode = \"off\"\nllm.api_key = \"sk-test\"\nllm.base_url = \"{}\"\n{more}",
            llm.url()
        );
        let settings = settings.parse().unwrap();
        let server = Server::whole(Arc::new(SystemClock::new()), settings).await;
        Some(Self { server, llm, browser })
    }

    /// Opens the page and creates an account.
    async fn enter(&self, name: &str) -> Page {
        let mut page = self.browser.page().await;
        page.go(&format!("http://{}/", self.server.address)).await;
        page.eval("document.querySelector('[name=email]').focus()").await;
        page.write(&format!("{name}@example.org")).await;
        page.eval("document.querySelector('[name=password]').focus()").await;
        page.write(PASSWORD).await;
        page.eval("document.querySelector('[value=register]').click()").await;
        open(&mut page).await;
        page
    }
}

async fn open(page: &mut Page) {
    page.await_text("document.getElementById('line').dataset.state === 'open'").await;
}

async fn say(page: &mut Page, text: &str) {
    page.eval("document.getElementById('text').focus()").await;
    page.write(text).await;
    page.press("Enter", "Enter").await;
}

/// Waits until the newest message of a role is this and stands still.
async fn newest(page: &mut Page, role: &str, text: &str) {
    let last = format!("[...document.querySelectorAll('#talk li[data-role={role}]')].at(-1)");
    page.await_text(&format!("{last}?.firstChild.textContent === {text:?} && !{last}.dataset.state")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_watched_and_survives_the_loss_of_the_network_f89() {
    let Some(house) = House::start().await else { return };
    let mut page = house.enter("ana").await;

    say(&mut page, "Are figs good?").await;
    page.await_text("document.querySelector('#talk li[data-state=running]')?.textContent.includes('Figs')")
        .await;
    page.eval("dispatchEvent(new Event('offline'))").await;
    page.await_text("document.getElementById('line').dataset.state === 'lost'").await;
    page.eval("dispatchEvent(new Event('online'))").await;
    newest(&mut page, "assistant", "Figs are rich in fibre.").await;

    assert_eq!(page.eval("document.querySelectorAll('#talk li').length").await, 2);
    assert_eq!(house.llm.journal().len(), 1, "the model was asked again");
    let own = format!("http://{}/", house.server.address);
    let foreign: Vec<_> = page.requests().iter().filter(|url| !url.starts_with(&own)).collect();
    assert!(foreign.iter().all(|url| url.as_str() == "about:blank"), "the page asks others: {foreign:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_show_one_conversation_also_after_a_reload_f90() {
    let Some(house) = House::start().await else { return };
    let mut first = house.enter("ana").await;
    let mut second = house.browser.page().await;
    second.go(&format!("http://{}/", house.server.address)).await;
    open(&mut second).await;

    say(&mut first, "Are figs good?").await;
    newest(&mut second, "user", "Are figs good?").await;
    newest(&mut second, "assistant", "Figs are rich in fibre.").await;
    second.go(&format!("http://{}/", house.server.address)).await;
    open(&mut second).await;

    newest(&mut second, "assistant", "Figs are rich in fibre.").await;
    first.eval("document.getElementById('leave').click()").await;
    second.await_text("!document.getElementById('door').hidden").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_stopped_and_one_that_broke_off_is_asked_for_again_f24() {
    let Some(house) = House::start().await else { return };
    let mut page = house.enter("ana").await;

    say(&mut page, "An endless story?").await;
    page.await_text("document.querySelector('#talk li[data-state=running]')?.textContent.includes('It')")
        .await;
    page.eval("document.getElementById('stop').click()").await;
    page.await_text(
        "document.getElementById('stop').hidden && document.querySelectorAll('#talk small').length === 1",
    )
    .await;
    say(&mut page, "Was it cut?").await;
    page.await_text("document.querySelector('#talk li button') !== null").await;
    let asked = house.llm.journal().len();
    house.llm.set_script(Script::default());
    page.eval("document.querySelector('#talk li button').click()").await;

    page.await_text("[...document.querySelectorAll('#talk li')].at(-1).dataset.kind === 'answer' && !document.querySelector('[data-state]:not(#line)')").await;
    assert_eq!(house.llm.journal().len(), asked + 1);
    let questions =
        "[...document.querySelectorAll('#talk li')].filter((li) => li.textContent.includes('cut')).length";
    assert_eq!(page.eval(questions).await, 1, "the torso stands there still");
    page.go(&format!("http://{}/", house.server.address)).await;
    open(&mut page).await;
    newest(&mut page, "user", "Was it cut?").await;
    assert_eq!(page.eval(questions).await, 1, "the torso came back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suggestion_is_confirmed_in_one_tab_cleared_in_the_other_and_taken_back_f79() {
    let Some(house) = House::start().await else { return };
    let mut first = house.enter("ana").await;
    let mut second = house.browser.page().await;
    second.go(&format!("http://{}/", house.server.address)).await;
    open(&mut second).await;

    say(&mut first, "I have a headache").await;
    second.await_text("document.querySelector('.offer button') !== null").await;
    first.await_text("document.querySelector('.offer button') !== null").await;
    first.eval("document.querySelector('.offer button').click()").await;
    let told = second.await_text("document.querySelector('.offer [role=status]') !== null").await;
    assert!(told.contains("Done on another device."), "{told}");
    first.await_text("document.querySelector('.offer button')?.textContent === 'Undo'").await;
    first.eval("document.querySelector('.offer button').click()").await;

    first.await_text("document.querySelector('.offer')?.textContent === 'Taken back.'").await;
    let reminders = "fetch('/api/reminders', { headers: { authorization: \
        'Bearer ' + JSON.parse(localStorage.getItem('companion.account')).token } }).then((answer) => answer.json())";
    assert_eq!(first.eval(reminders).await, serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_is_told_first_and_the_page_speaks_the_users_language_f22() {
    let Some(house) = House::start().await else { return };
    let mut page = house.enter("ana").await;

    say(&mut page, "I am bleeding heavily").await;
    page.await_text("!document.getElementById('alarm').hidden").await;
    page.eval("{ const l = document.getElementById('language'); l.value = 'es'; l.dispatchEvent(new Event('change')) }")
        .await;

    let text = page.await_text("document.getElementById('send').textContent === 'Enviar'").await;
    assert!(text.contains("conectado"), "{text}");
    assert_eq!(page.eval("document.documentElement.lang").await, "es");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_chosen_or_deleted_on_another_device_is_seen_at_once_f90_f149() {
    let Some(house) = House::start().await else { return };
    let mut page = house.enter("ana").await;
    say(&mut page, "Are figs good?").await;
    newest(&mut page, "assistant", "Figs are rich in fibre.").await;
    let account = json!({"email": "ana@example.org", "password": PASSWORD});
    let (_, other) = house.server.post("/api/auth/login", "", account).await;
    let token = other["token"].as_str().unwrap();

    house.server.put("/api/users/me/language", token, json!({"language": "es"})).await;
    page.await_text("document.getElementById('send').textContent === 'Enviar'").await;
    assert_eq!(page.eval("document.getElementById('language').value").await, "es");

    let (_, all) = house.server.get("/api/conversations", token).await;
    house.server.delete(&format!("/api/conversations/{}", all[0]["id"].as_str().unwrap()), token).await;
    page.await_text("document.querySelectorAll('#talk li').length === 0").await;
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_asks_for_consent_and_lets_it_be_taken_back_f114() {
    const BUTTON: &str = "document.querySelector('[data-purpose=ai_provider_transfer] button')";
    let Some(house) = House::with("privacy.ask_consent = true").await else { return };
    let mut page = house.enter("ana").await;

    let asked = page.await_text(&format!("{BUTTON}?.textContent === 'I agree'")).await;
    assert!(asked.contains("DeepSeek"), "{asked}");
    say(&mut page, "Are figs good?").await;
    page.await_text("document.getElementById('text').value === 'Are figs good?'").await;
    assert_eq!(house.llm.journal().len(), 0, "the model was asked before");
    let focused = "document.activeElement.closest('.consent')?.dataset.purpose";
    page.await_text(&format!("{focused} === 'ai_provider_transfer'")).await;
    page.look(360, "light").await;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("consent.png"), page.picture().await).unwrap();
    page.eval(&format!("{BUTTON}.click()")).await;
    page.await_text(&format!("{BUTTON}.textContent === 'Withdraw'")).await;
    page.eval("document.getElementById('say').requestSubmit()").await;
    newest(&mut page, "assistant", "Figs are rich in fibre.").await;

    say(&mut page, "An endless story?").await;
    page.await_text("document.querySelector('#talk li[data-state=running]')?.textContent.includes('It')")
        .await;
    let found = page.eval(ACCESSIBLE).await;
    assert_eq!(found["found"].as_array().map(Vec::len), Some(0), "{found}");
    page.eval(&format!("{BUTTON}.click()")).await;

    let told = page.await_text("document.getElementById('stop').hidden").await;
    assert!(told.contains("You have withdrawn your consent"), "{told}");
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_is_accessible_at_any_width_dark_and_light() {
    let Some(house) = House::start().await else { return };
    let mut page = house.enter("ana").await;
    say(&mut page, "Are figs good?").await;
    newest(&mut page, "assistant", "Figs are rich in fibre.").await;

    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    std::fs::create_dir_all(&folder).unwrap();
    for (width, scheme) in [(360, "light"), (360, "dark"), (1200, "light"), (1200, "dark")] {
        page.look(width, scheme).await;
        let found = page.eval(ACCESSIBLE).await;
        assert_eq!(found["found"].as_array().map(Vec::len), Some(0), "{width} {scheme}: {found}");
        assert!(page.eval("document.documentElement.scrollWidth <= innerWidth").await.as_bool().unwrap());
        std::fs::write(folder.join(format!("{width}-{scheme}.png")), page.picture().await).unwrap();
    }
    house.server.stop().await;
}
