//! Files: uploaded in a form, listed, told and deleted (DEEPSEEK A1).

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{
    observe::{observe, observe_api, script},
    surfaces::status_of,
};
use crate::{ApiProfile, UPLOAD_MAX};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    object: String,
    bytes: usize,
    created_at: u64,
    filename: String,
    purpose: String,
    expires_at: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    object: String,
    data: Vec<File>,
    first_id: Option<String>,
    last_id: Option<String>,
    has_more: bool,
}

fn call(method: &str, path: &str, key: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer {key}\r\n\r\n")
}

fn field(name: &str, value: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn file(bytes: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n{bytes}\r\n"
    )
}

fn upload(form: &str) -> String {
    let body = format!("{form}--b--\r\n");
    let head = "POST /files HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-a\r\ncontent-type: multipart/form-data; boundary=b\r\n";
    format!("{head}content-length: {}\r\n\r\n{body}", body.len())
}

fn image() -> String {
    upload(&(field("purpose", "user_data") + &file("12345")))
}

/// Sends requests on one connection and returns status and body of each answer.
fn answers(requests: &[String]) -> Vec<(u16, String)> {
    let text = observe(script(""), &requests.concat(), SECOND).seen.text();
    let each = text.split("HTTP/1.1 ").skip(1);
    let answers = each.map(|answer| {
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status_of(&format!("HTTP/1.1 {answer}")), body.to_owned())
    });
    answers.collect()
}

fn read<T: for<'a> Deserialize<'a>>((status, body): &(u16, String)) -> T {
    assert_eq!(*status, 200, "{body}");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn refused(request: String) -> (u16, String) {
    let (status, body) = answers(&[request]).remove(0);
    let error: Value = serde_json::from_str(&body).unwrap();
    (status, error["error"]["message"].as_str().unwrap().to_owned())
}

#[test]
fn an_uploaded_file_is_told_m1() {
    let (_, body) = answers(&[image()]).remove(0);

    insta::assert_snapshot!(body, @r#"{"id":"file-api-8a4c4226689b408286ed469596321078","object":"file","bytes":5,"created_at":1790000000,"filename":"a.png","purpose":"user_data"}"#);
}

#[test]
fn files_are_listed_told_and_deleted_each_key_its_own_m1() {
    let first: File = read(&answers(&[image()])[0]);
    let path = format!("/v1/files/{}", first.id);

    let answers = answers(&[
        image(),
        image(),
        call("GET", "/files", "sk-a"),
        call("GET", &path, "sk-a"),
        call("GET", "/files", "sk-b"),
        call("GET", &path, "sk-b"),
        call("DELETE", &path, "sk-a"),
        call("GET", &path, "sk-a"),
        call("GET", "/files", "sk-a"),
    ]);

    let ids = |page: Page| page.data.into_iter().map(|file| file.id).collect::<Vec<_>>();
    let second: File = read(&answers[1]);
    assert_eq!(ids(read(&answers[2])), [second.id.as_str(), first.id.as_str()]);
    assert_eq!(read::<File>(&answers[3]), first);
    assert_eq!(ids(read(&answers[4])), [""; 0]);
    assert_eq!(answers[5].0, 404);
    assert_eq!(
        read::<Value>(&answers[6]),
        serde_json::json!({"id": first.id, "object": "file", "deleted": true})
    );
    assert_eq!((answers[7].0, ids(read(&answers[8]))), (404, vec![second.id]));
}

#[test]
fn a_list_comes_in_pages_m1() {
    let page = |query: &str| {
        let requests = [image(), image(), image(), call("GET", &format!("/files?{query}"), "sk-a")];
        let answers = answers(&requests);
        let ids: Vec<_> = answers[..3].iter().map(|answer| read::<File>(answer).id).collect();
        let page: Page = read(&answers[3]);
        assert_eq!(page.object, "list");
        assert_eq!(page.first_id.as_ref(), page.data.first().map(|file| &file.id));
        assert_eq!(page.last_id.as_ref(), page.data.last().map(|file| &file.id));
        let place = |file: &File| ids.iter().position(|id| *id == file.id).unwrap();
        (page.data.iter().map(place).collect::<Vec<_>>(), page.has_more, ids)
    };

    let (places, more, ids) = page("limit=2");
    assert_eq!((places, more), (vec![2, 1], true));
    let (places, more, _) = page(&format!("limit=2&order=asc&after={}", ids[0]));
    assert_eq!((places, more), (vec![1, 2], false));
    let (places, ..) = page("purpose=text_recognition");
    assert_eq!(places, [0; 0]);
}

#[test]
fn a_file_may_be_larger_than_a_body_and_is_not_kept_m1() {
    let large = crate::BODY_MAX * 3;
    let observed =
        observe(script(""), &upload(&(field("purpose", "user_data") + &file(&"x".repeat(large)))), SECOND);

    let text = observed.seen.text();
    assert!(text.contains(&format!(r#""bytes":{large}"#)), "{text}");
    assert!(observed.journal[0].body.is_empty());
}

#[test]
fn an_upload_in_chunks_is_read_too_m1() {
    let form = field("purpose", "user_data") + &file("12345") + "--b--";
    let (first, second) = form.split_at(60);
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let request = format!(
        "POST /v1/files HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-a\r\ncontent-type: multipart/form-data; boundary=b\r\ntransfer-encoding: chunked\r\n\r\n{}{}0\r\n\r\n",
        chunk(first),
        chunk(second)
    );

    assert_eq!(read::<File>(&answers(&[request])[0]).bytes, 5);
}

#[test]
fn an_upload_over_the_limit_is_refused_before_it_is_read_m1() {
    let head = format!(
        "POST /files HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-a\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\r\n",
        UPLOAD_MAX + 1024 * 1024
    );

    let (status, message) = refused(head);

    assert_eq!(status, 413);
    assert!(message.contains("length limit exceeded (134217728 bytes)"), "{message}");
}

#[test]
fn a_file_ends_when_its_time_has_come_m1() {
    let form = |seconds: &str, anchor: &str| {
        upload(
            &(field("purpose", "user_data")
                + &field("expires_after[anchor]", anchor)
                + &field("expires_after[seconds]", seconds)
                + &file("1")),
        )
    };

    let kept: File = read(&answers(&[form("3600", "created_at")])[0]);
    assert_eq!(kept.expires_at, Some(kept.created_at + 3600));
    assert!(refused(form("3599", "created_at")).1.contains("is [3600, 2592000]"));
    assert!(refused(form("3600", "now")).1.contains("expires_after[anchor] must be created_at"));
}

#[test]
fn what_is_wrong_with_an_upload_is_told_m2() {
    let no_form = "POST /files HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-a\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    let purpose = field("purpose", "user_data");
    let late = file("1") + &field("purpose", "text_recognition");
    let name = file("1").replace("a.png", &"n".repeat(513));
    let table = [
        (no_form.to_owned(), "Expected a body of type multipart/form-data"),
        (upload("nothing"), "Failed to parse the request body as a form"),
        (upload(&purpose), "Missing required field: file"),
        (upload(&file("1")), "Missing required field: purpose"),
        (
            upload(&(field("purpose", "batch") + &file("1"))),
            "the valid values of purpose are user_data, text_recognition",
        ),
        (upload(&late), "purpose text_recognition must be before the file"),
        (upload(&(purpose.clone() + &name)), "The name of a file may have 512 bytes"),
        (call("GET", "/files?limit=1001", "sk-a"), "the valid range of limit is [1, 1000]"),
        (call("GET", "/files?order=up", "sk-a"), "the valid values of order are asc, desc"),
    ];

    for (request, wanted) in table {
        let (status, message) = refused(request);
        assert!(status == 400 && message.contains(wanted), "{status} {message}");
    }
    assert_eq!(refused(call("GET", "/files?after=x", "sk-a")).0, 404);
    assert_eq!(refused(call("DELETE", "/files", "sk-a")).0, 405);
    assert_eq!(refused(call("GET", "/files", "nonsense")).0, 401);
}

#[test]
fn in_2025_there_were_no_files_m1() {
    let text = observe_api(ApiProfile::Y2025, script(""), &image(), SECOND).seen.text();

    assert_eq!(status_of(&text), 404, "{text}");
}
