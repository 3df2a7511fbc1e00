//! What tests need that let a whole run judge somebody's back end.

use scenarios::{Options, Scenario, Target, result::Run};

/// Judges what this target file describes by these scenarios.
pub(crate) async fn judge(file: String, chosen: Vec<Scenario>) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("target.toml");
    std::fs::write(&path, file).unwrap();
    let target = Target::load(&path, &|_| None).unwrap();
    tokio::task::spawn_blocking(move || scenarios::run(&chosen, &target, &Options::default(), &|_| {}))
        .await
        .unwrap()
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
