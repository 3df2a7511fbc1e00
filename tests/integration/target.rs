//! Somebody's back end by its target file: started, checked, judged, killed, and never left behind (S5, S6).

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::support::port;

/// A target file for the reference server as a process.
struct Described {
    folder: TempDir,
    address: SocketAddr,
}

impl Described {
    fn new() -> Self {
        let address = port::free();
        let described = Self { folder: tempfile::tempdir().unwrap(), address };
        described.write("{llm}", env!("CARGO_BIN_EXE_gauntlet"));
        described
    }

    fn write(&self, llm: &str, program: &str) {
        let text = format!(
            r#"
            schema = 1
            name = "reference"
            kind = "chat-v0"
            url = "http://{}"
            capabilities = ["facts", "reminders", "conversations", "kinds"]
            slack = "2s"
            settings = {{ limits.user.mode = "off", limits.http.mode = "off" }}
            [start]
            command = ["{program}", "serve", "--listen", "{{address}}", "--database", "sqlite:{{scratch}}/chat.db"]
            health = "/health/ready"
            [start.env]
            DEEPSEEK_BASE_URL = "{llm}"
            DEEPSEEK_API_KEY = "sk-test"
            JWT_SECRET = "a secret that outlives the process, 32 bytes"
            GAUNTLET__AUTH__ARGON2_MEMORY_KIB = "8"
            GAUNTLET__AUTH__ARGON2_PASSES = "1"
            GAUNTLET__LIMITS__USER__MODE = "off"
            GAUNTLET__LIMITS__HTTP__MODE = "off"
            "#,
            self.address
        );
        fs::write(self.path(), text).unwrap();
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("target.toml")
    }

    fn gauntlet(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn check(&self) -> (Option<i32>, String) {
        told(&self.gauntlet(&["target", "check", "target.toml"]).output().unwrap())
    }

    /// Says whether somebody listens.
    fn is_up(&self) -> bool {
        TcpStream::connect(self.address).is_ok()
    }
}

fn signal(name: &str, id: &str) {
    assert!(Command::new("kill").args(["-s", name, id]).status().unwrap().success());
}

fn told(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_target_is_started_killed_paused_and_judged_and_none_is_left_s6() {
    let target = Described::new();

    let run =
        target.gauntlet(&["run", "process", "--target", "target.toml", "--format", "json"]).output().unwrap();

    let (code, text) = told(&run);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("7 of 12 scenarios held, 5 were skipped"), "{text}");
    assert!(!target.is_up());
}

/// As in a container: what is started is not what signals to the command reach, and the command that kills it comes back
/// before it is dead.
#[test]
fn a_target_that_no_signal_reaches_is_killed_and_paused_by_commands_s6() {
    let target = Described::new();
    let usual = fs::read_to_string(target.path()).unwrap();
    let out_of_reach = r#"command = ["sh", "-c", "setsid \"$@\" & echo $! >{scratch}/id; wait", "sh", "#;
    let commands = r#"
            kill = ["sh", "-c", "id=$(cat {scratch}/id); (sleep 1.5; kill -s KILL $id) &"]
            pause = ["sh", "-c", "kill -s STOP $(cat {scratch}/id)"]
            resume = ["sh", "-c", "kill -s CONT $(cat {scratch}/id)"]
            health ="#;
    fs::write(target.path(), usual.replace("command = [", out_of_reach).replace("health =", commands))
        .unwrap();
    let names = ["server_that_stood_still_goes_on", "killed_server_keeps_what_was_said"];

    let run =
        target.gauntlet(&[&["run"], &names[..], &["--target", "target.toml"]].concat()).output().unwrap();

    let (code, text) = told(&run);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("all 2 scenarios held"), "{text}");
    assert!(!target.is_up(), "the one out of reach lives on");
}

#[test]
fn a_run_that_is_interrupted_leaves_no_target_behind_s6() {
    let target = Described::new();
    // The first is skipped, which is told at once; the second waits for the model.
    let names = ["comment_that_comes_as_data_is_skipped", "stall_after_some_words_ends_at_the_gap_limit"];
    let arguments = [&["run"], &names[..], &["--target", "target.toml"]].concat();
    let mut run = target.gauntlet(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(run.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(told.any(|line| line.starts_with("skipped")), "the run ended before its target was up");
    assert!(target.is_up());

    signal("INT", &run.id().to_string());

    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(!target.is_up());
    let report = serde_json::from_str::<serde_json::Value>(&report(target.folder.path())).unwrap();
    assert_eq!(report["unjudged"], serde_json::json!([names[1]]), "the report is written");
}

/// It is up and never ready, and stands still when it is asked to end.
#[test]
fn a_run_that_is_interrupted_while_its_target_starts_kills_it_s6() {
    let target = Described::new();
    let usual = fs::read_to_string(target.path()).unwrap();
    let known = r#"command = ["sh", "-c", "echo $$ >{folder}/id; exec \"$@\"", "sh", "#;
    let changed = usual.replace("command = [", known).replace("/health/ready", "/nowhere");
    fs::write(target.path(), changed).unwrap();
    let arguments = ["run", "stall_after_some_words_ends_at_the_gap_limit", "--target", "target.toml"];
    let mut run = target.gauntlet(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !target.is_up() {
        assert!(run.try_wait().unwrap().is_none(), "the run ended before its target was up");
        std::thread::yield_now();
    }
    let id = fs::read_to_string(target.folder.path().join("id")).unwrap();

    signal("STOP", id.trim());
    signal("INT", &run.id().to_string());

    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(!target.is_up());
}

#[test]
fn a_target_that_works_is_told_step_by_step_s5() {
    let (code, text) = Described::new().check();

    assert_eq!(code, Some(0), "{text}");
    let steps: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("ok    ")?.split_whitespace().next()).collect();
    assert_eq!(steps, ["mock", "target", "sign-in", "chat", "answer", "model"], "{text}");
}

#[test]
fn what_does_not_work_is_named_with_the_way_out_s5() {
    let target = Described::new();

    target.write("http://127.0.0.1:9", env!("CARGO_BIN_EXE_gauntlet"));
    let (code, elsewhere) = target.check();
    assert_eq!(code, Some(1), "{elsewhere}");
    assert!(elsewhere.contains("FAIL  model    the mock was asked 0 times"), "{elsewhere}");
    assert!(elsewhere.contains("hint: the model URL of your back end must point at `llm`"), "{elsewhere}");
    target.write("{llm}", "./nobody");
    let (code, absent) = target.check();
    assert_eq!(code, Some(1), "{absent}");
    assert!(
        absent.contains("cannot start `./nobody`") && absent.contains("hint: try `start.command` by hand"),
        "{absent}"
    );
    assert!(!target.is_up());
}

#[test]
fn a_target_that_dies_half_way_is_told_and_started_anew_s6() {
    let target = Described::new();
    let scenario = r#"
        schema = 1
        name = "it dies"
        hypothesis = "Nobody lives for ever."
        needs = ["process"]
        users = [{ name = "ana" }]
        steps = [{ process = { do = "pause" } }, { process = { do = "resume" } }]
        [[expect]]
        id = "silence"
        never = { on = { frame = { device = "ana.phone", type = "done" } } }
    "#;
    fs::write(target.folder.path().join("a_first.toml"), scenario).unwrap();
    let dying = fs::read_to_string(target.path()).unwrap();
    // It dies as soon as it is let go on.
    let shell = r#"command = ["sh", "-c", "trap 'kill -9 $!; kill -9 $$' CONT; \"$@\" & wait", "sh", "#;
    fs::write(target.path(), dying.replace("command = [", shell)).unwrap();
    let late = scenario.replace(
        r#"{ process = { do = "resume" } }"#,
        r#"{ process = { do = "resume" } }, { advance = { by = "2s" } }"#,
    );
    fs::write(target.folder.path().join("b_second.toml"), late).unwrap();
    let names = ["run", "b_second.toml", "a_first.toml", "--target", "target.toml", "--format", "json"];

    let (code, text) = told(&target.gauntlet(&names).output().unwrap());

    assert_eq!(code, Some(1), "{text}");
    assert_eq!(text.matches("observed  it ended with signal: 9 (SIGKILL)").count(), 2, "{text}");
    assert!(text.contains("0 of 2 scenarios held, 2 failed"), "{text}");
    assert!(report(target.folder.path()).contains("b_second"));
}

fn report(folder: &Path) -> String {
    fs::read_to_string(folder.join("target/gauntlet/report/run.json")).unwrap()
}

/// Runs the scenarios for chat completions against what is or is not at this address.
fn judged(url: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let (llm, file) = (port::free(), folder.path().join("target.toml"));
    let text = format!(
        "schema = 1\nname = \"gateway\"\nkind = \"openai\"\nurl = \"{url}\"\nllm = \"{llm}\"\nslack = \"1s\""
    );
    fs::write(&file, text).unwrap();
    let names = ["run", "answers_come_as_they_are_made", "client_that_leaves_frees_the_model"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command.args(names).arg("--target").arg(&file).current_dir(folder.path()).stdin(Stdio::null());
    told(&command.output().unwrap())
}

#[test]
fn a_target_that_is_not_there_is_told_at_once_s5() {
    let nobody = port::free();

    let (code, text) = judged(&format!("http://localhost:{}", nobody.port()));

    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains(&format!("the target cannot be reached at http://{nobody}")), "{text}");
}

#[test]
fn a_target_that_was_never_sound_is_not_waited_for_s5() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the test process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ =
                stream.write_all(b"HTTP/1.1 500 Broken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });

    // A breaker cools down for five minutes; what was never sound does not get them.
    let (code, text) = judged(&url);

    assert_eq!(code, Some(3), "{text}");
}

#[test]
fn every_target_file_that_is_shipped_can_be_read_s5() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        // The others are settings of the server.
        if text.contains("schema = 1") {
            scenarios::TargetFile::parse(&path, &text, &|name| Some(name.to_owned())).unwrap();
            names.push(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }

    names.sort_unstable();
    assert_eq!(names, ["container", "load", "process"]);
}
