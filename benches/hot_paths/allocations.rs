//! Counts of memory allocations, for which criterion has no place.
//!
//! They do not depend on the machine. Each count is a line of `criterion/allocations.tsv` in the target folder, beside
//! the figures of criterion: group, bench, allocations and allocated bytes, with tabs between. A later line for the
//! same bench counts; `ci/bench-compare` reads them.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

/// Counts what one call allocates, and notes it where benches are measured and not only tried.
pub(crate) fn note<T>(group: &str, bench: &str, run: impl FnOnce() -> T) {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(run())));
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("criterion");
    let line = format!("{group}\t{bench}\t{}\t{}\n", counted.count_total, counted.bytes_total);
    let noted = fs::create_dir_all(&folder)
        .and_then(|()| OpenOptions::new().create(true).append(true).open(folder.join("allocations.tsv")))
        .and_then(|mut file| file.write_all(line.as_bytes()));
    noted.unwrap_or_else(|error| panic!("cannot note allocations in {}: {error}", folder.display()));
}
