//! Embeds the data files: adding `faults/<id>.toml`, `latency/<name>.toml` or `profiles/<name>.toml` is all
//! it takes to have it.

use std::{env, fmt::Write as _, fs, io, path::Path};

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folders by the environment")]
fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let output = env::var("OUT_DIR").map_err(io::Error::other)?;
    for folder in ["faults", "latency", "profiles"] {
        println!("cargo::rerun-if-changed={folder}");
        let code = embedded(&Path::new(&root).join(folder))?;
        fs::write(Path::new(&output).join(folder).with_extension("rs"), code)?;
    }
    Ok(())
}

/// Writes the list of all files of a folder: stem and text.
fn embedded(folder: &Path) -> io::Result<String> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();

    let mut code = String::from("&[\n");
    for path in paths {
        println!("cargo::rerun-if-changed={}", path.display());
        let file = path.to_string_lossy();
        let id = path.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(code, "    ({id:?}, include_str!({file:?})),").map_err(io::Error::other)?;
    }
    code.push_str("]\n");
    Ok(code)
}
