//! The HTML report of a real run, in a real browser.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, LazyLock},
};

use scenarios::result::{Run, Verdict};
use serde_json::json;

use crate::support::browser::{Browser, Page};

/// What is asked of the page in words: nothing an assistive technology stumbles over.
const ACCESSIBLE: &str = include_str!("../support/accessible.js");

const CANARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/canary.toml");
const FLOOD: &str = "flood_of_100_messages_gets_ten_answers";
const SILENT: &str = "silent_model_ends_at_the_first_token_limit";

/// Points at the mark of what a user says.
const POINT: &str = "{
    const svg = document.querySelector(':target svg.timeline');
    const [, x, y] = svg.querySelector('.ts').getAttribute('d').match(/M([\\d.]+) ([\\d.]+)/).map(Number);
    const box = svg.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    svg.dispatchEvent(new PointerEvent('pointermove', { clientX: box.left + x * scale, clientY: box.top + y * scale }));
}";

/// The folder of a proof of a few scenarios, one of which must fail. Pictures are kept there.
static REPORT: LazyLock<Arc<PathBuf>> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).unwrap();
    let report = folder.display().to_string();
    let names = [
        "prove",
        FLOOD,
        SILENT,
        "emergency_is_seen_through_a_flood",
        "thinking_that_stalls_is_not_an_answer",
    ];
    let command = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(names)
        .args([CANARY, "--report", &report])
        .output()
        .unwrap();
    assert_eq!(command.status.code(), Some(1), "{}", String::from_utf8_lossy(&command.stdout));
    Arc::new(folder)
});

fn run() -> Run {
    serde_json::from_str(&fs::read_to_string(REPORT.join("run.json")).unwrap()).unwrap()
}

fn url() -> String {
    format!("file://{}", REPORT.join("index.html").display())
}

/// Opens the report, at a fragment.
async fn open(browser: &Browser, fragment: &str) -> Page {
    let mut page = browser.page().await;
    page.go(&format!("{}{fragment}", url())).await;
    page
}

async fn shown(page: &mut Page, selector: &str) -> Vec<String> {
    let script = format!(
        "[...document.querySelectorAll({})].filter((it) => it.checkVisibility()).map((it) => it.id || it.textContent)",
        json!(selector)
    );
    serde_json::from_value(page.eval(&script).await).unwrap()
}

async fn keep(page: &mut Page, name: &str) -> Vec<u8> {
    let picture = page.picture().await;
    fs::write(REPORT.join(name), &picture).unwrap();
    picture
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_is_filtered_from_the_keyboard_s13() {
    let Some(browser) = Browser::start() else { return };
    let mut page = open(&browser, "").await;
    assert_eq!(shown(&mut page, ".list tbody tr").await.len(), 5);

    page.press("/", "Slash").await;
    assert_eq!(page.eval("document.activeElement.id").await, "filter");
    page.write("flood F127").await;
    assert_eq!(shown(&mut page, ".list tbody a").await.len(), 1);
    assert_eq!(page.eval("document.getElementById('shown').textContent").await, "1 of 5 shown");

    page.press("Escape", "Escape").await;
    page.eval("document.getElementById('verdict').value = 'fail'").await;
    page.eval("document.getElementById('verdict').dispatchEvent(new Event('input'))").await;
    let failed = shown(&mut page, ".list tbody a").await;
    assert_eq!(failed, ["a question is never answered (this scenario must fail)"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_go_from_scenario_to_scenario_and_back_s13() {
    let Some(browser) = Browser::start() else { return };
    let mut page = open(&browser, "").await;

    page.press("j", "KeyJ").await;
    page.press("j", "KeyJ").await;
    let chosen = page.eval("document.activeElement.hash").await;
    page.eval("document.activeElement.click()").await;
    let opened = shown(&mut page, "article").await;
    assert_eq!(json!(format!("#{}", opened[0])), chosen);

    page.press("k", "KeyK").await;
    assert_eq!(shown(&mut page, "article").await, [format!("s-{FLOOD}")], "the first gap stands first");
    assert_eq!(page.eval("document.activeElement.tagName").await, "H2", "the focus is on its title");
    page.press("Escape", "Escape").await;
    assert_eq!(shown(&mut page, "article, .overview").await, ["overview"]);
    assert_eq!(page.eval("document.activeElement.hash").await, format!("#s-{FLOOD}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fragment_opens_its_scenario_alone_also_without_scripts_s13() {
    let Some(browser) = Browser::start() else { return };
    let mut page = browser.page().await;
    page.forbid_scripts().await;

    page.go(&format!("{}#s-{SILENT}", url())).await;
    assert_eq!(shown(&mut page, "article, .overview").await, [format!("s-{SILENT}")]);

    let evidence = run().scenarios.iter().find(|it| it.id == "canary").unwrap().checks[0].evidence[0];
    page.go(&format!("{}#s-canary-{evidence}", url())).await;
    assert_eq!(shown(&mut page, "article, .overview").await, ["s-canary"], "evidence opens its scenario");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_of_each_transcript_has_one_mark_s13() {
    let Some(browser) = Browser::start() else { return };
    let mut page = open(&browser, "").await;

    for scenario in run().scenarios {
        let script = format!(
            "[...document.querySelectorAll('#s-{} [data-l]')].flatMap((path) => {{
                const lines = path.dataset.l.split(' ').flatMap((range) => {{
                    const [first, last = first] = range.split('-').map(Number);
                    return Array.from({{ length: last - first + 1 }}, (_, n) => first + n);
                }});
                if (path.getAttribute('d').match(/M/g).length !== lines.length) throw new Error('marks and lines differ');
                return lines;
            }}).sort((a, b) => a - b)",
            scenario.id
        );
        let marked: Vec<usize> = serde_json::from_value(page.eval(&script).await).unwrap();
        assert!(!marked.is_empty());
        assert_eq!(marked, (0..scenario.transcript.len()).collect::<Vec<_>>(), "{}", scenario.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scenario_shows_what_was_seen_how_to_repeat_it_and_its_proof_s13() {
    let Some(browser) = Browser::start() else { return };
    let mut page = open(&browser, "#s-canary").await;

    let text = page.eval("document.querySelector('#s-canary').innerText").await;
    let text = text.as_str().unwrap();
    assert!(text.contains("nobody answers") && text.contains("wanted") && text.contains("seen"), "{text}");
    page.eval("document.querySelector('#s-canary .checks .log a').click()").await;
    assert_eq!(
        page.eval("document.querySelector(':target').className").await,
        "p",
        "evidence leads to its line"
    );

    page.eval(&format!("location.hash = 's-{SILENT}'")).await;
    page.eval(POINT).await;
    let told = page.eval("document.querySelector(':target .seen').textContent").await;
    assert_eq!(told, "2 0.000s ana.phone sent says “How much folic acid do I need in pregnancy?”");
    page.eval("document.querySelector(':target .command button').click()").await;
    assert_eq!(
        page.eval("getSelection().toString()").await,
        format!("gauntlet run {SILENT} --seed 1"),
        "the command is selected"
    );
    let rows = run().proof.unwrap().rows.into_iter().filter(|row| row.scenario == SILENT).count();
    assert!(rows > 0);
    assert_eq!(shown(&mut page, ":target tbody tr").await.len(), rows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_asks_nobody_anything_s13() {
    let Some(browser) = Browser::start() else { return };
    let mut page = open(&browser, "").await;
    page.eval(&format!("location.hash = 's-{FLOOD}'")).await;
    page.eval("fetch('http://127.0.0.1:9/').catch(() => 0)").await;

    assert!(!page.requests().is_empty());
    for request in page.requests() {
        assert!(request.starts_with(&url()), "the page asked for {request}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_can_read_the_report_s13() {
    let Some(browser) = Browser::start() else { return };
    let mut page = open(&browser, "").await;

    for (width, scheme) in [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")] {
        page.look(width, scheme).await;
        for fragment in ["overview", "s-canary", &format!("s-{FLOOD}"), &format!("s-{SILENT}")] {
            page.eval(&format!("location.hash = '{fragment}'")).await;
            page.eval("document.querySelectorAll('details').forEach((it) => { it.open = true; })").await;
            let told = page.eval(ACCESSIBLE).await;
            assert_eq!(told["found"], json!([]), "{fragment}, {width} pixels, {scheme}");
            assert!(told["texts"].as_u64().unwrap() > 20, "{fragment} shows little: {told}");
            assert_eq!(
                page.eval(&format!("document.documentElement.scrollWidth <= {width}")).await,
                true,
                "{fragment} scrolls sideways at {width} pixels"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_of_the_report_are_kept_s13() {
    let Some(browser) = Browser::start() else { return };
    let mut page = open(&browser, "").await;
    let mut pictures = Vec::new();

    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light")] {
        page.look(width, scheme).await;
        for (fragment, name) in
            [("overview", "overview"), ("s-canary", "failed"), (&format!("s-{SILENT}"), "passed")]
        {
            page.eval(&format!("location.hash = '{fragment}'; window.scrollTo(0, 0)")).await;
            pictures.push(keep(&mut page, &format!("{name}-{scheme}-{width}.png")).await);
        }
    }

    let least = pictures.iter().map(Vec::len).min().unwrap();
    assert!(least > 15_000, "a picture has {least} bytes");
    page.look(1280, "dark").await;
    assert_eq!(page.eval("getComputedStyle(document.body).backgroundColor").await, "rgb(20, 22, 26)");
    pictures.sort();
    pictures.dedup();
    assert_eq!(pictures.len(), 9, "no two are alike");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_paper_there_is_one_scenario_or_what_did_not_hold_s13() {
    let Some(browser) = Browser::start() else { return };
    let mut page = open(&browser, "").await;
    page.print().await;

    let run = run();
    let broken: Vec<_> =
        run.scenarios.iter().filter(|it| it.verdict != Verdict::Pass).map(|it| &it.id).collect();
    let expected: Vec<_> =
        ["overview".to_owned()].into_iter().chain(broken.iter().map(|id| format!("s-{id}"))).collect();
    assert_eq!(shown(&mut page, "article, .overview").await, expected);
    page.eval(&format!("location.hash = 's-{SILENT}'")).await;
    assert_eq!(shown(&mut page, "article, .overview").await, [format!("s-{SILENT}")]);
}
