//! `gauntlet target init`: a commented target file to start from.

use std::{
    fmt::{self, Display, Write as _},
    fs,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
};

use clap::{Args, ValueEnum};

use crate::{exit_code::ExitCode, failure::Failure, output};

/// What is known of the back end; what is not is asked, where somebody can answer, or takes its default.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// File to write
    #[arg(value_name = "FILE", default_value = "target.toml")]
    file: PathBuf,
    /// Protocol of the chat
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<Kind>,
    /// Clients ask for whole answers, not for streams (`openai`)
    #[arg(long)]
    whole: bool,
    /// Address where the back end listens
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Address where gauntlet lets the mock listen; the back end's model URL must point there
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    llm: Option<SocketAddr>,
    /// How users prove who they are
    #[arg(long, value_enum, value_name = "WAY")]
    auth: Option<Way>,
    /// Command that starts the back end, in one word for a shell; it runs already if this is left out
    #[arg(long, value_name = "COMMAND")]
    start: Option<String>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Chat completions over HTTP, as OpenAI's API has them: a gateway, a proxy, a back end
    Openai,
    /// A WebSocket chat: `{"content"}` in; `message`, `error`, `done` out
    ChatV0,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    /// Nobody asks
    None,
    /// One token for everybody
    Token,
    /// A JSON Web Token for each user, signed by gauntlet
    Jwt,
    /// Calls that register or log in
    Calls,
}

/// Whether clients of chat completions ask for streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Answers {
    /// Piece by piece
    Streamed,
    /// As one JSON object
    Whole,
}

/// Words of `ValueEnum`s are those that are written.
macro_rules! shown_as_typed {
    ($($name:ty),*) => {$(
        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
            }
        }
    )*};
}
shown_as_typed!(Kind, Way, Answers);

/// What a chat may be able to do beyond the chat itself.
const CAPABILITIES: [&str; 10] = [
    "facts",
    "reminders",
    "calendar",
    "conversations",
    "accounts",
    "consents",
    "safety",
    "kinds",
    "addresses",
    "chat-v1",
];

/// All that the file is made of.
#[derive(Debug)]
struct Known {
    kind: Kind,
    answers: Answers,
    listen: SocketAddr,
    llm: SocketAddr,
    auth: Way,
    start: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = arguments.file.display();
    if arguments.file.exists() && !arguments.force {
        return Err(Failure::usage(format!(
            "`{path}` is there already\n  hint: choose another name, or write over it with `--force`"
        )));
    }
    if arguments.whole && arguments.kind == Some(Kind::ChatV0) {
        let hint = "leave `--whole` out, or choose `--kind openai`";
        return Err(Failure::usage(format!("`--whole` is for chat completions\n  hint: {hint}")));
    }
    let known = ask(arguments, io::stdin().is_terminal())?;
    fs::write(&arguments.file, text(&known)).map_err(Failure::environment)?;
    output::print(&format!(
        "wrote `{path}`; mend what is marked with `CHANGE`, then: gauntlet target check {path}\n"
    ));
    Ok(ExitCode::Held)
}

/// Completes what was given by questions, or by defaults where nobody can be asked.
fn ask(arguments: &Arguments, somebody: bool) -> Result<Known, Failure> {
    let kind = one("Which protocol (openai, chat-v0)?", arguments.kind, Kind::Openai, somebody)?;
    let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
    let llm = SocketAddr::from(([127, 0, 0, 1], 4090));
    let usual = if kind == Kind::Openai { Way::None } else { Way::Calls };
    let answers = match arguments.whole.then_some(Answers::Whole) {
        None if kind == Kind::Openai => {
            one("How do its clients want answers (streamed, whole)?", None, Answers::Streamed, somebody)?
        }
        given => given.unwrap_or(Answers::Streamed),
    };
    let start = match &arguments.start {
        None if somebody => answer("Which command starts it (nothing: it runs already)?", "")?,
        given => given.clone().unwrap_or_default(),
    };
    Ok(Known {
        kind,
        answers,
        listen: one("Where does it listen?", arguments.listen, listen, somebody)?,
        llm: one("Where does its model URL point?", arguments.llm, llm, somebody)?,
        auth: one(
            "How do users prove who they are (none, token, jwt, calls)?",
            arguments.auth,
            usual,
            somebody,
        )?,
        start: Some(start).filter(|start| !start.is_empty()),
    })
}

/// A value that can be typed.
trait Typed: Sized + Display {
    fn typed(text: &str) -> Option<Self>;
}

impl Typed for Kind {
    fn typed(text: &str) -> Option<Self> {
        Self::from_str(text, true).ok()
    }
}

impl Typed for Way {
    fn typed(text: &str) -> Option<Self> {
        Self::from_str(text, true).ok()
    }
}

impl Typed for Answers {
    fn typed(text: &str) -> Option<Self> {
        Self::from_str(text, true).ok()
    }
}

impl Typed for SocketAddr {
    fn typed(text: &str) -> Option<Self> {
        address(text).ok()
    }
}

/// Reads an address and a port; `localhost` is an address.
fn address(text: &str) -> Result<SocketAddr, String> {
    let numbers = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let hint = || "write a number for the address or `localhost`, and a port: `127.0.0.1:8080`".to_owned();
    numbers.as_deref().unwrap_or(text).parse().map_err(|_| hint())
}

fn one<T: Typed>(question: &str, given: Option<T>, usual: T, somebody: bool) -> Result<T, Failure> {
    match given {
        Some(given) => Ok(given),
        None if !somebody => Ok(usual),
        None => loop {
            let text = answer(question, &usual.to_string())?;
            if let Some(value) = T::typed(&text) {
                return Ok(value);
            }
            output::warn(&format!("`{text}` is none of these"));
        },
    }
}

/// Asks on standard error, and reads a line; an empty one, or the end of the input, takes the default.
fn answer(question: &str, usual: &str) -> Result<String, Failure> {
    let mut screen = io::stderr().lock();
    write!(screen, "{question} [{usual}] ").and_then(|()| screen.flush()).map_err(Failure::environment)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(Failure::environment)?;
    let line = line.trim();
    Ok(if line.is_empty() { usual } else { line }.to_owned())
}

fn text(known: &Known) -> String {
    let Known { kind, listen, llm, .. } = known;
    let mut text = format!(
        "# A back end as gauntlet sees it; docs/TARGETS.md tells what each line means.\n\
         #   gauntlet target check FILE     says step by step what works\n\
         #   gauntlet run --target FILE     judges it\n\
         schema = 1\n\
         name = \"my back end\"              # shown in reports\n\
         kind = \"{kind}\"\n\
         url = \"http://{listen}\"\n\
         llm = \"{llm}\"          # the mock listens here: the model URL of the back end must point to it\n\
         slack = \"500ms\"                   # what network and machine may add to every time limit\n"
    );
    text.push_str(match kind {
        Kind::Openai => "# chat = \"/v1/chat/completions\"\n# model = \"deepseek-flash\"\n",
        Kind::ChatV0 => "# chat = \"/ws/chat\"               # `{token}` in it stands for the user's token\n",
    });
    match (kind, known.answers) {
        (Kind::Openai, Answers::Streamed) => {
            text.push_str(
                "# stream = false                   # if clients want each answer as one JSON object\n",
            );
        }
        (Kind::Openai, Answers::Whole) => {
            text.push_str(
                "stream = false                     # clients want each answer as one JSON object\n",
            );
        }
        (Kind::ChatV0, _) => {
            _ = write!(
                text,
                "# What it can do beyond the chat, of: {}.\ncapabilities = []\n",
                CAPABILITIES.join(", ")
            );
        }
    }
    if known.auth == Way::None {
        text.push_str("auth = \"none\"                     # nobody asks who the users are; or `token`, `jwt`, `calls`\n");
    }
    text.push_str(start(known.start.as_deref()).as_str());
    text.push_str(auth(known.auth));
    text.push_str(
        "\n# Where its times and limits differ from those of `gauntlet config reference`; a scenario that needs\n\
         # others is skipped, and says so.\n\
         [settings]\n\
         # llm.first_token = \"10s\"\n\
         # llm.gap = \"10s\"\n\
         # llm.total = \"30s\"\n",
    );
    text
}

fn start(command: Option<&str>) -> String {
    let mut text = String::from("\n# It is started for each run, and stopped with all that it started.\n");
    let (mark, command) = if let Some(command) = command {
        ("", command)
    } else {
        text.push_str("# Without this it must be running already.\n");
        ("# ", "./my-back-end --port {port}")
    };
    let command = toml::Value::from(command);
    _ = write!(
        text,
        "{mark}[start]\n\
         {mark}command = [\"sh\", \"-c\", {command}]\n\
         {mark}env = {{ OPENAI_BASE_URL = \"{{llm}}/v1\", OPENAI_API_KEY = \"sk-test\" }}   # CHANGE to the names that it reads\n\
         {mark}health = \"/\"                     # answers below 400 when it is ready\n\
         {mark}within = \"30s\"\n"
    );
    text
}

fn auth(way: Way) -> &'static str {
    match way {
        Way::None => "",
        Way::Token => {
            "\n# Everybody comes with the same token, taken from the environment.\n[auth]\ntoken = \"{env.BACK_END_TOKEN}\"   # CHANGE\n"
        }
        Way::Jwt => {
            "\n# Each user has a token of their own, signed with the secret of the back end (HS256); `iat` and `exp` are added.\n[auth.jwt]\nsecret = \"{env.JWT_SECRET}\"   # CHANGE\nclaims = { sub = \"{user}\", email = \"{email}\" }\n"
        }
        Way::Calls => {
            "\n# Each user registers, or logs in; the token stands in the answer.\n[auth.calls.register]   # CHANGE\npath = \"/api/auth/register\"\nbody = { email = \"{email}\", password = \"{password}\" }\ntoken = \"/token\"\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use scenarios::Target;

    use super::*;

    fn file(kind: Kind, auth: Way, start: Option<&str>) -> String {
        let (listen, llm) =
            (SocketAddr::from(([127, 0, 0, 1], 8080)), SocketAddr::from(([127, 0, 0, 1], 4090)));
        let answers = if start.is_some() { Answers::Streamed } else { Answers::Whole };
        text(&Known { kind, answers, listen, llm, auth, start: start.map(ToOwned::to_owned) })
    }

    #[test]
    fn every_file_that_is_written_can_be_read_s5() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target.toml");
        for kind in Kind::value_variants() {
            for way in Way::value_variants() {
                for start in [None, Some("./server \"a b\"")] {
                    let text = file(*kind, *way, start);
                    fs::write(&path, &text).unwrap();

                    let target = Target::load(&path, &|_| Some("secret".to_owned()));

                    assert!(target.is_ok(), "{}\n{text}", target.unwrap_err());
                }
            }
        }
    }

    #[test]
    fn every_capability_that_it_names_is_one_and_the_reference_server_has_them_s5() {
        let reference = include_str!("../../docs/targets/process.toml");
        let (before, after) = (Path::new("target.toml"), |_: &str| None);
        let written = file(Kind::ChatV0, Way::None, None)
            .replace("capabilities = []", &format!("capabilities = {CAPABILITIES:?}"));

        let (ours, theirs) = (
            scenarios::TargetFile::parse(before, &written, &after).unwrap(),
            scenarios::TargetFile::parse(before, reference, &after).unwrap(),
        );

        assert_eq!(ours.capabilities, theirs.capabilities);
    }

    #[test]
    fn an_address_is_a_number_or_this_machine_s5() {
        assert_eq!(address("localhost:80").unwrap(), SocketAddr::from(([127, 0, 0, 1], 80)));
        assert_eq!(address("[::1]:80").unwrap(), "[::1]:80".parse().unwrap());
        assert!(address("example.org:80").unwrap_err().contains("write a number"));
    }
}
