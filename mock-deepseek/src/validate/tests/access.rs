//! Who may ask at all: keys, and the type of the body.

use crate::{
    profile::ApiProfile,
    validate::{content_type, key},
};

#[test]
fn a_missing_key_is_31_bytes_of_text_without_a_type_m2() {
    let notice = key(None, ApiProfile::Current).unwrap_err();

    assert_eq!((notice.status, notice.content_type, notice.body(Some("x")).len()), (401, None, 31));
}

#[test]
fn a_bad_key_is_echoed_by_its_last_four_characters_m2() {
    let body = |profile| key(Some("Bearer nonsense-cd15"), profile).unwrap_err().body(None);

    insta::assert_snapshot!(body(ApiProfile::Current), @r#"{"error":{"message":"Authentication Fails, Your api key: ****cd15 is invalid","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#);
    insta::assert_snapshot!(body(ApiProfile::Y2025), @r#"{"error":{"message":"Authentication Fails (no such user)","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#);
}

#[test]
fn a_message_may_end_with_the_id_of_the_request_m2() {
    let notice = key(Some("Basic abc"), ApiProfile::Current).unwrap_err();

    insta::assert_snapshot!(notice.body(Some("1-2-3")), @r#"{"error":{"message":"Authentication Fails (auth header format should be Bearer sk-...) (request_id: 1-2-3)","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#);
}

#[test]
fn any_key_of_the_right_form_is_good() {
    assert_eq!(key(Some("Bearer sk-test"), ApiProfile::Current), Ok("sk-test"));
    assert_eq!(key(Some("Basic abc"), ApiProfile::Current).unwrap_err().status, 401);
    assert_eq!(key(Some("Bearer sk-"), ApiProfile::Current).unwrap_err().status, 401);
}

#[test]
fn a_body_that_is_not_json_by_its_type_is_refused() {
    assert_eq!(content_type(Some("text/plain")).unwrap_err().status, 415);
    assert_eq!(content_type(Some("application/json; charset=utf-8")), Ok(()));
}
