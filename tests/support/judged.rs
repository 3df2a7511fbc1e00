//! What tests need that let a whole run judge somebody's back end.

use scenarios::{
    Options, Scenario, Target,
    result::{Check, Run, ScenarioResult},
};
use tempfile::TempDir;

/// Reads a target file, which lies in the folder that is returned with it.
pub(crate) fn target(file: String) -> (TempDir, Target) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("target.toml");
    std::fs::write(&path, file).unwrap();
    let target = Target::load(&path, &|_| None).unwrap();
    (folder, target)
}

/// Judges what this target file describes by these scenarios.
pub(crate) async fn judge(file: String, chosen: Vec<Scenario>) -> Run {
    let (_folder, target) = target(file);
    tokio::task::spawn_blocking(move || scenarios::run(&chosen, &target, &Options::default(), &|_| {}))
        .await
        .unwrap()
}

/// Returns the check by which a run accuses a defect, if it says these words of it.
pub(crate) fn accused<'a>(run: &'a Run, check: &str, words: &str) -> Option<&'a Check> {
    let names_it = |broken: &&Check| broken.id == check && broken.observed.contains(words);
    run.scenarios.iter().flat_map(ScenarioResult::broken).find(names_it)
}

/// Tells what a run found, for whoever reads why a test failed.
pub(crate) fn told(run: &Run) -> String {
    let broken = run.scenarios.iter().flat_map(|scenario| {
        let checks =
            scenario.broken().map(|check| format!("{}: {} ({})", scenario.id, check.id, check.observed));
        checks.chain([format!("{}: {:?} {}", scenario.id, scenario.verdict, scenario.reason)])
    });
    broken.collect::<Vec<_>>().join("\n")
}
