//! Lists the scenario files of `library/`, so that adding one takes one file.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=library");
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("library");
    let mut files: Vec<_> = fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    files.sort();
    let rows: String = files
        .iter()
        .map(|name| format!("    ({name:?}, include_str!({:?})),\n", folder.join(name)))
        .collect();
    let target = Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("library.rs");
    fs::write(target, format!("&[\n{rows}]\n"))
}
