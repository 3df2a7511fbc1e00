//! What a run says to the CI system that it runs in: annotations, and the summary of the job.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use scenarios::{
    report::{Format, Service, annotations},
    result::Run,
};

use crate::output;

/// Which CI system to speak to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wish {
    /// The one whose environment this is, if any
    #[default]
    Auto,
    /// GitHub Actions, and what speaks its commands
    Github,
    /// Azure Pipelines
    Azure,
    /// `TeamCity`
    Teamcity,
    /// None
    Never,
}

/// Tells the CI system what did not hold, and where the report lies.
pub(crate) fn tell(wish: Wish, run: &Run, files: &[PathBuf]) {
    let Some(service) = service(wish, |name| variable(name).is_some()) else { return };
    output::print(&annotations(run, service));
    match service {
        Service::GitHub => {
            if let (Some(summary), Some(page)) = (variable(SUMMARY), file(files, Format::Markdown))
                && let Err(error) = append(Path::new(&summary), page)
            {
                output::warn(&format!("the job's summary `{summary}` was not written: {error}"));
            }
        }
        Service::Azure => {
            if let Some(page) = file(files, Format::Markdown).and_then(|page| page.canonicalize().ok()) {
                output::print(&format!("##vso[task.uploadsummary]{}\n", page.display()));
            }
        }
        Service::TeamCity => {
            if let Some(junit) = file(files, Format::Junit) {
                output::print(&format!("##teamcity[importData type='junit' path='{}']\n", junit.display()));
            }
        }
    }
}

/// Where GitHub Actions lets a step write the summary of its job.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Returns the system to speak to; each names itself by a variable.
fn service(wish: Wish, is_set: impl Fn(&str) -> bool) -> Option<Service> {
    match wish {
        Wish::Auto if is_set("GITHUB_ACTIONS") => Some(Service::GitHub),
        Wish::Auto if is_set("TF_BUILD") => Some(Service::Azure),
        Wish::Auto if is_set("TEAMCITY_VERSION") => Some(Service::TeamCity),
        Wish::Auto | Wish::Never => None,
        Wish::Github => Some(Service::GitHub),
        Wish::Azure => Some(Service::Azure),
        Wish::Teamcity => Some(Service::TeamCity),
    }
}

fn file(files: &[PathBuf], format: Format) -> Option<&Path> {
    files.iter().find(|file| file.ends_with(format.file_name())).map(PathBuf::as_path)
}

fn append(summary: &Path, page: &Path) -> std::io::Result<()> {
    let text = std::fs::read(page)?;
    OpenOptions::new().create(true).append(true).open(summary)?.write_all(&text)
}

#[expect(clippy::disallowed_methods, reason = "the CLI reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_unless_somebody_does_s16() {
        let within = |set: &'static str| move |name: &str| name == set;

        assert_eq!(service(Wish::Auto, within("GITHUB_ACTIONS")), Some(Service::GitHub));
        assert_eq!(service(Wish::Auto, within("TF_BUILD")), Some(Service::Azure));
        assert_eq!(service(Wish::Auto, within("TEAMCITY_VERSION")), Some(Service::TeamCity));
        assert_eq!(service(Wish::Auto, within("HOME")), None);
        assert_eq!(service(Wish::Never, within("GITHUB_ACTIONS")), None);
        assert_eq!(service(Wish::Azure, within("GITHUB_ACTIONS")), Some(Service::Azure));
    }
}
