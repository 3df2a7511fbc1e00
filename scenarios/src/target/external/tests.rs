//! What target files may say, and what is said of those that may not.

use super::*;

const BASE: &str = "schema = 1\nname = \"n\"\nkind = \"openai\"\nurl = \"http://127.0.0.1:1\"\n";

fn load_text(text: &str) -> Result<TargetFile, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("target.toml");
    std::fs::write(&path, text).unwrap();
    let environment = |name: &str| (name == "KEY").then(|| "sk-of-mine".to_owned());
    load(&path, &environment).map_err(|error| error.to_string())
}

fn refused(rest: &str) -> String {
    load_text(&format!("{BASE}{rest}")).unwrap_err()
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_way_out_s5() {
    for (rest, wanted) in [
        ("", "`llm` is missing; write the `address:port`"),
        ("[start]\ncommand = []\n", "`start.command` is empty; write `[\"program\", \"argument\"]`"),
        (
            "llm = \"127.0.0.1:2\"\n[seed]\ncommand = [\"x\", \"{scratch}/db\"]\n",
            "`{scratch}` in `seed.command` is a folder of a back end that is started by `[start]`",
        ),
        ("llm = \"127.0.0.1:2\"\ncapabilities = [\"fact\"]\n", "unknown capability `fact`; there is: "),
        (
            "llm = \"127.0.0.1:2\"\n[settings]\nllm.gapp = \"1s\"\n",
            "unknown setting `llm.gapp`; did you mean `llm.gap`?",
        ),
        (
            "llm = \"127.0.0.1:2\"\nauth = { token = \"{env.NONE}\" }\n",
            "the environment has no `NONE`; set it",
        ),
        (
            "llm = \"127.0.0.1:2\"\nauth = { calls = {} }\n",
            "`auth.calls` has no call; add `[auth.calls.login]`",
        ),
        (
            "llm = \"127.0.0.1:2\"\nauth = \"nobody\"\n",
            "unknown variant `nobody`, expected one of `none`, `token`, `jwt`, `calls`",
        ),
        ("llm = \"127.0.0.1:2\"\n[start]\ncommand = [\"x\"]\nhelth = \"/\"\n", "unknown field `helth`"),
    ] {
        let error = refused(rest);

        assert!(error.contains(wanted), "{error}\n{rest}");
    }
    for url in ["https://example.org", "http://nobody.invalid:8080", "http://localhost"] {
        let elsewhere = BASE.replace("http://127.0.0.1:1", url);
        let error = load_text(&format!("{elsewhere}llm = \"127.0.0.1:2\"\n")).unwrap_err();
        assert!(
            error.contains("write `http://host:port`, with a host whose address can be found"),
            "{error}"
        );
    }
}

#[test]
fn a_secret_is_taken_from_the_environment_s5() {
    let file =
        load_text(&format!("{BASE}llm = \"127.0.0.1:2\"\nauth = {{ token = \"{{env.KEY}}\" }}\n")).unwrap();

    assert_eq!(file.entrance().auth, Auth::Token("sk-of-mine".to_owned()));
}

#[test]
fn each_kind_has_its_usual_entrance_s5() {
    let gateway = load_text(&format!("{BASE}llm = \"127.0.0.1:2\"\n")).unwrap().entrance();
    let (path, model) = (COMPLETIONS.to_owned(), MODEL.to_owned());
    let chat = Chat::Completions(Completions { path, model, stream: true });
    assert_eq!(gateway, Entrance { auth: Auth::None, chat, host: None });

    let chat = BASE.replace("openai", "chat-v0");
    let chat = load_text(&format!("{chat}llm = \"127.0.0.1:2\"\nchat = \"/chat?t={{token}}\"\n"))
        .unwrap()
        .entrance();
    assert_eq!(
        chat,
        Entrance { auth: Auth::reference(), chat: Chat::Socket("/chat?t={token}".to_owned()), host: None }
    );
}
