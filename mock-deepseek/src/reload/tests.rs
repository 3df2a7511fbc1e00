//! Files that change while they are watched.

use std::fs;

use super::*;

const GOOD: &str = "[[rules]]\nname = \"a\"\n";
const BETTER: &str = "[[rules]]\nname = \"a\"\n[[rules]]\nname = \"b\"\n";

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// Looks until the file has been seen alike twice; says what came of it.
fn looks(watched: &mut Watched) -> Vec<Result<usize, String>> {
    let rules = |text: String| Script::from_toml(&text).map_err(|error| error.to_string());
    let news = (0..4).filter_map(|_| watched.look());
    news.map(|news| news.and_then(rules).map(|script| script.rules.len())).collect()
}

#[test]
fn an_unchanged_file_is_no_news() {
    let (_folder, path) = file(GOOD);
    let (mut watched, script) = Watched::open(&path).unwrap();

    assert_eq!((script.rules.len(), looks(&mut watched)), (1, vec![]));
}

#[test]
fn a_new_version_is_news_once_m10() {
    let (_folder, path) = file(GOOD);
    let (mut watched, _) = Watched::open(&path).unwrap();

    fs::write(&path, BETTER).unwrap();

    assert_eq!(looks(&mut watched), [Ok(2)]);
    assert_eq!(looks(&mut watched), []);
}

#[test]
fn a_version_of_the_same_length_is_seen() {
    let (_folder, path) = file(GOOD);
    let (mut watched, _) = Watched::open(&path).unwrap();
    looks(&mut watched);

    fs::write(&path, GOOD.replace("name", "nama")).unwrap();

    assert!(looks(&mut watched)[0].as_ref().unwrap_err().contains("did you mean `name`"));
}

#[test]
fn a_file_that_is_still_being_written_is_not_played_m10() {
    let (_folder, path) = file(GOOD);
    let (mut watched, _) = Watched::open(&path).unwrap();
    looks(&mut watched);

    fs::write(&path, "").unwrap();
    let at_first = watched.look().is_some();
    fs::write(&path, BETTER).unwrap();

    assert!(!at_first, "an empty file was seen once only");
    assert_eq!(looks(&mut watched), [Ok(2)]);
}

#[test]
fn a_wrong_version_is_told_with_its_place_and_a_repaired_one_is_news_m10() {
    let (_folder, path) = file(GOOD);
    let (mut watched, _) = Watched::open(&path).unwrap();

    fs::write(&path, "[[rules]]\ntmes = 1\n").unwrap();
    let problem = looks(&mut watched).remove(0).unwrap_err();
    fs::write(&path, GOOD).unwrap();

    insta::assert_snapshot!(problem, @r#"
    script cannot be read, line 2, column 1: key `tmes` is not known here
      |
    2 | tmes = 1
      | ^^^^ did you mean `times`?
    known here: `name`, `match`, `times`, `chance`, `burst`, `reply`, `faults`, `pace`, `sequence`, `then`, `choose`
    "#);
    assert_eq!(looks(&mut watched), [Ok(1)]);
}

#[test]
fn a_file_that_is_gone_is_told_and_seen_when_it_is_back() {
    let (_folder, path) = file(GOOD);
    let (mut watched, _) = Watched::open(&path).unwrap();

    fs::remove_file(&path).unwrap();
    let problems = looks(&mut watched);
    fs::write(&path, BETTER).unwrap();

    assert!(
        problems.len() == 1 && problems[0].as_ref().unwrap_err().contains("cannot be read"),
        "{problems:?}"
    );
    assert_eq!(looks(&mut watched), [Ok(2)]);
}

#[test]
fn a_file_that_is_not_there_or_wrong_at_the_start_is_an_error() {
    let missing = Watched::open(Path::new("no/such/script.toml")).unwrap_err();
    let (_folder, path) = file("[defualt]\n");
    let wrong = Watched::open(&path).unwrap_err();

    assert!(missing.to_string().starts_with("script `no/such/script.toml` cannot be read: "), "{missing}");
    assert!(wrong.to_string().contains("did you mean `default`?"), "{wrong}");
}
