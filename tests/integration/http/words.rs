//! Words that administrators keep for a language, over HTTP.

use reqwest::Method;
use serde_json::json;

use super::start;
use crate::support::server::{answer, reply};

const WORDS: &str = "/api/admin/languages/fr/symptom-words";

#[tokio::test]
async fn words_of_symptoms_are_added_listed_and_removed_by_administrators_f64() {
    let server = start().await;
    let (user, admin) = (server.register("ana@a.org", "en").await, server.register_admin("root@a.org").await);
    let french = json!({"code": "fr", "name": "French", "native_name": "Français"});
    let put = async |word: &str, token: &str| server.put(&format!("{WORDS}/{word}"), token, json!({})).await;

    let early = put("naus%C3%A9e", &admin).await;
    server.post("/api/admin/languages", &admin, french).await;
    let answers = [
        early,
        put("naus%C3%A9e", "").await,
        put("naus%C3%A9e", &user).await,
        put("%20Naus%C3%A9e%20", &admin).await,
        put("NAUSEE", &admin).await,
        put("jambes%20agit%C3%A9es", &admin).await,
        put("je", &admin).await,
        put("%ff", &admin).await,
        server.get(WORDS, &admin).await,
        server.delete(&format!("{WORDS}/naus%C3%A9e"), &admin).await,
        server.delete(&format!("{WORDS}/nausee"), &admin).await,
        server.get(WORDS, &admin).await,
        server.get("/api/admin/languages/pt/symptom-words", &admin).await,
    ];

    let said: Vec<_> = answers.iter().map(|(status, body)| format!("{status} {body}")).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    404 {"error":"language not found","code":"not_found"}
    401 {"error":"a token is missing; send `Authorization: Bearer TOKEN` with the token of POST /api/auth/login","code":"no_token"}
    403 {"error":"this is for administrators; log in with an account that is one","code":"admin_only"}
    201 {"word":"Nausée","folded":"nausee"}
    200 {"word":"NAUSEE","folded":"nausee"}
    201 {"word":"jambes agitées","folded":"jambes agitees"}
    422 {"error":"`je` stands in messages of every kind; write a word that names a symptom","code":"bad_word"}
    400 {"error":"path cannot be read; what follows each `%` must be the bytes of UTF-8 text","code":"bad_request"}
    200 {"words":["jambes agitées","Nausée"]}
    200 {"message":"word removed"}
    404 {"error":"word not found","code":"not_found"}
    200 {"words":["jambes agitées"]}
    404 {"error":"language not found","code":"not_found"}
    "#);
    server.stop().await;
}

const GLOSSARY: &str = "/api/admin/languages/es/glossary";

#[tokio::test]
async fn a_glossary_is_imported_read_and_exported_equal_f63() {
    let server = start().await;
    let admin = server.register_admin("root@a.org").await;
    let csv = format!("{GLOSSARY}.csv");
    let import = async |table: &str| {
        let request = server.request(Method::PUT, &csv, &admin).header("content-type", "text/csv");
        answer(request.body(table.to_owned())).await
    };
    let table =
        "\u{feff}term,preferred,avoid\r\nÚtero,\"útero, o matriz\",vientre ; barriga\r\ncuello,cérvix,\r\n";

    let imported = import(table).await;
    let read = server.get(GLOSSARY, &admin).await;
    let exported = reply(server.request(Method::GET, &csv, &admin)).await;
    let text = exported.body.as_str().unwrap().to_owned();
    let again = import(&text).await;

    assert_eq!((&imported, &again), (&(200, json!({"terms": 2})), &imported));
    insta::assert_snapshot!(read.1, @r#"{"terms":[{"term":"cuello","preferred":"cérvix","avoid":[]},{"term":"Útero","preferred":"útero, o matriz","avoid":["vientre","barriga"]}]}"#);
    insta::assert_snapshot!(text, @r#"
    term,preferred,avoid
    cuello,cérvix,
    Útero,"útero, o matriz",vientre; barriga
    "#);
    assert_eq!(exported.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(server.get(GLOSSARY, &admin).await, read);
    assert_eq!(reply(server.request(Method::GET, &csv, &admin)).await.body, text);
    server.stop().await;
}

#[tokio::test]
async fn a_table_with_a_wrong_line_changes_nothing_and_the_line_is_named_f63() {
    let server = start().await;
    let (user, admin) = (server.register("ana@a.org", "en").await, server.register_admin("root@a.org").await);
    let csv = format!("{GLOSSARY}.csv");
    let import = async |token: &str, table: &[u8]| {
        answer(server.request(Method::PUT, &csv, token).body(table.to_vec())).await
    };
    import(&admin, b"term,preferred,avoid\nutero,matriz,\n").await;

    let answers = [
        import(&admin, b"term,preferred,avoid\ncuello,c\xc3\xa9rvix,\nbarriga\n\n=1,x,\n").await,
        import(&admin, b"{}").await,
        import(&admin, b"term,preferred,avoid\n\xff,x,\n").await,
        import(&user, b"term,preferred,avoid\n").await,
        import("", b"term,preferred,avoid\n").await,
        answer(server.request(Method::PUT, "/api/admin/languages/pt/glossary.csv", &admin).body("")).await,
        import(&admin, &vec![b'x'; 2 * 1024 * 1024]).await,
    ];

    let said: Vec<_> = answers.iter().map(|(status, body)| format!("{status} {body}")).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    422 {"error":"line 3: needs 3 fields and has 1: term, preferred, avoid; put what holds a comma in quotes; line 5: `term` begins with `=`, which spreadsheets take for a formula; begin with a word","code":"bad_glossary","lines":[{"line":3,"problem":"needs 3 fields and has 1: term, preferred, avoid; put what holds a comma in quotes"},{"line":5,"problem":"`term` begins with `=`, which spreadsheets take for a formula; begin with a word"}]}
    422 {"error":"line 1: the first line must be `term,preferred,avoid`, parted by commas","code":"bad_glossary","lines":[{"line":1,"problem":"the first line must be `term,preferred,avoid`, parted by commas"}]}
    422 {"error":"line 2: is not UTF-8; save the table as UTF-8","code":"bad_glossary","lines":[{"line":2,"problem":"is not UTF-8; save the table as UTF-8"}]}
    403 {"error":"this is for administrators; log in with an account that is one","code":"admin_only"}
    401 {"error":"a token is missing; send `Authorization: Bearer TOKEN` with the token of POST /api/auth/login","code":"no_token"}
    404 {"error":"language not found","code":"not_found"}
    413 {"error":"body is larger than 65536 bytes; send less","code":"too_large"}
    "#);
    assert_eq!(server.get(GLOSSARY, &admin).await.1["terms"][0]["term"], "utero");
    server.stop().await;
}
