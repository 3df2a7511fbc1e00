//! What people read stays as it was meant: error texts, the README, and the tidy rules of the tree.

#![expect(clippy::expect_used, reason = "a test that cannot read the tree has failed")]
#![expect(clippy::case_sensitive_file_extension_comparisons, reason = "names in this tree are lower-case")]

mod api;
mod calendar;
mod capacity;
mod document;
mod errors;
mod faults;
mod readme;
mod show;
mod tidy;
mod tree;
mod workflows;
