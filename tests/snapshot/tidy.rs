//! The rules of the tree that no compiler checks. Each test names the files that break one.

use std::path::Path;

use super::tree::{Source, root, rust, sources};

/// Longest file, tests included; a module of tests inside a file does not count.
const LINES_MAX: usize = 400;

/// Fails with a list of offenders.
fn none(rule: &str, offenders: impl IntoIterator<Item = String>) {
    let list: Vec<_> = offenders.into_iter().collect();
    assert!(list.is_empty(), "{rule}:\n  {}", list.join("\n  "));
}

fn under<'a>(folders: &'a [&str]) -> impl Iterator<Item = Source> + use<'a> {
    sources().into_iter().filter(|source| folders.iter().any(|folder| source.path.starts_with(folder)))
}

#[test]
fn no_file_is_longer_than_400_lines_of_code() {
    let long = rust().into_iter().filter_map(|source| {
        let lines = source.code().count();
        (lines > LINES_MAX).then(|| format!("{}: {lines} lines", source.path))
    });

    none("split these", long);
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent =
        rust().into_iter().filter(|source| !source.text.starts_with("//!")).map(|source| source.path);

    none("these begin without `//!`", silent);
}

#[test]
fn every_module_is_compiled() {
    let forgotten = rust().into_iter().map(|source| source.path).filter(|path| !is_declared(path));

    none("no parent declares these as `mod`", forgotten);
}

/// Returns whether a file is a root of a crate, or the file above it declares it.
fn is_declared(path: &str) -> bool {
    let path = Path::new(path);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new(""));
    if ["main", "lib", "build"].contains(&stem)
        || ["benches", "examples"].iter().any(|name| folder.ends_with(name))
    {
        return true;
    }
    let (name, folder) = match stem {
        "mod" => (folder.file_name().and_then(|name| name.to_str()).unwrap_or_default(), folder.join("..")),
        _ => (stem, folder.to_owned()),
    };
    let declaration = format!("mod {name};");
    let declares = |file: &Path| {
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        text.lines().any(|line| {
            line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub ") == declaration
        }) || text.contains(&format!("{name}.rs\"]"))
    };
    let above = folder.with_extension("rs");
    [folder.join("main.rs"), folder.join("lib.rs"), folder.join("mod.rs"), above].iter().any(|file| declares(file))
        // The root of a test binary lies beside the shared folder, not above it.
        || folder.starts_with("tests/..") || folder.starts_with("tests/support")
}

#[test]
fn every_scenario_and_every_fault_is_part_of_the_program() {
    let count = |folder: &str| under(&[folder]).filter(|source| source.path.ends_with(".toml")).count();

    let library = scenarios::library().expect("the library is valid").len();
    let catalogue = mock_deepseek::catalogue().iter().count();

    assert_eq!(count("scenarios/library/"), library, "scenario files and scenarios");
    assert_eq!(count("mock-deepseek/faults/"), catalogue, "fault files and faults");
    none(
        "these are in a folder of data and are no data",
        under(&["scenarios/library/", "mock-deepseek/faults/"])
            .map(|source| source.path)
            .filter(|path| !path.ends_with(".toml") && !path.ends_with(".md")),
    );
}

#[test]
fn nothing_is_left_open() {
    // Put together here, so that this file does not find itself.
    let words = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat()];

    let open = rust().into_iter().flat_map(|source| {
        let words = words.clone();
        let found = |line: &str| {
            line.split(|c: char| !c.is_alphanumeric()).any(|word| words.iter().any(|w| w == word))
        };
        let lines = source.text.lines().enumerate().filter(|(_, line)| found(line));
        lines.map(|(number, _)| format!("{}:{}", source.path, number + 1)).collect::<Vec<_>>()
    });

    none("finish these", open);
}

#[test]
fn no_file_speaks_of_a_machine_or_of_how_it_was_made() {
    let words = [
        ["/wo", "rk/"].concat(),
        ["/fa", "rm/"].concat(),
        ["/home", "/"].concat(),
        ["coding ", "agent"].concat(),
        ["AI ", "assistant"].concat(),
        ["Cla", "ude"].concat(),
        ["Chat", "GPT wrote"].concat(),
    ];

    let found = sources().into_iter().filter(|source| source.path != "Cargo.lock").flat_map(|source| {
        let found = words.iter().filter(|word| source.text.contains(word.as_str()));
        found.map(|word| format!("{}: `{word}`", source.path)).collect::<Vec<_>>()
    });

    none("these words do not belong here", found);
}

#[test]
fn the_server_and_the_mock_know_of_no_sabotage() {
    let knowing = under(&["server/", "mock-deepseek/"])
        .filter(|source| source.text.to_lowercase().contains("sabotage"))
        .map(|source| source.path);

    none("sabotage is done from outside", knowing);
}

#[test]
fn dependencies_point_one_way() {
    let depends = |of: &str, on: &str| {
        let manifest =
            std::fs::read_to_string(root().join(of).join("Cargo.toml")).expect("a member has a manifest");
        manifest
            .lines()
            .any(|line| line.starts_with(&format!("{on}.")) || line.starts_with(&format!("{on} ")))
    };

    let wrong = [
        ("clock", "server"),
        ("clock", "mock-deepseek"),
        ("clock", "scenarios"),
        ("server", "mock-deepseek"),
        ("server", "scenarios"),
        ("mock-deepseek", "server"),
        ("mock-deepseek", "scenarios"),
        ("clock", "loadtest"),
        ("server", "loadtest"),
        ("mock-deepseek", "loadtest"),
        ("scenarios", "loadtest"),
    ];

    none(
        "these must not know each other",
        wrong.iter().filter(|(of, on)| depends(of, on)).map(|(of, on)| format!("{of} on {on}")),
    );
}

#[test]
fn scenarios_know_the_server_only_in_the_built_in_target() {
    let names = |line: &str| {
        let code = line.trim_start();
        !code.starts_with("//")
            && (code.contains("use server") || code.contains(" server::") || code.contains("(server::"))
    };

    let knowing = under(&["scenarios/src/"])
        .filter(|source| !source.path.starts_with("scenarios/src/target/builtin"))
        .filter(|source| source.text.lines().any(names))
        .map(|source| source.path);

    none("these name the crate `server`", knowing);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let broken = sources().into_iter().filter(|source| source.path.ends_with(".md")).flat_map(|source| {
        let folder = root().join(&source.path).parent().map(Path::to_owned).unwrap_or_default();
        let leads = |link: &&str| {
            link.contains("://")
                || link.starts_with('#')
                || folder.join(link.split('#').next().unwrap_or_default()).exists()
        };
        let links = source.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        links.filter(|link| !leads(link)).map(|link| format!("{}: {link}", source.path)).collect::<Vec<_>>()
    });

    none("these lead nowhere", broken);
}

#[test]
fn only_the_clock_and_the_command_line_are_excused_from_the_bans() {
    let ban = ["disallowed", "_methods"].concat();

    let excused = rust()
        .into_iter()
        .filter(|source| {
            !["clock/", "cli/", "tests/"].iter().any(|folder| source.path.starts_with(folder))
                && !source.path.ends_with("build.rs")
        })
        .filter(|source| source.code().any(|line| line.contains(&ban)))
        .map(|source| source.path);

    none("time and environment are handed in", excused);
}
