//! Lists the scenario files of `library/`, `completions/` and `processes/` and of their folders, so that adding one takes one file.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folders by the environment")]
fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let output = env::var("OUT_DIR").map_err(io::Error::other)?;
    for name in ["library", "completions", "processes"] {
        let code = list(&Path::new(&root).join(name))?;
        fs::write(Path::new(&output).join(name).with_extension("rs"), code)?;
    }
    Ok(())
}

/// Returns names and texts of the scenarios of a folder, as Rust.
fn list(folder: &Path) -> io::Result<String> {
    let mut paths = files(folder)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();

    let mut code = String::from("&[\n");
    for path in paths {
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy();
        let file = path.to_string_lossy();
        writeln!(code, "    ({name:?}, include_str!({file:?})),").map_err(io::Error::other)?;
    }
    code.push_str("]\n");
    Ok(code)
}

/// Returns the files of a folder and of the folders in it.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}
