//! How secrets are printed: not.

use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;

/// Prints that there is something to hide.
pub(super) fn hidden<S: Serializer>(_: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("[hidden]")
}

/// Prints the scheme of a URL, and nothing of one that is empty.
pub(super) fn hidden_url<S: Serializer>(url: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    match url.expose_secret().split_once(':') {
        Some((scheme, _)) => serializer.serialize_str(&format!("{scheme}:[hidden]")),
        None if url.expose_secret().is_empty() => serializer.serialize_str(""),
        None => serializer.serialize_str("[hidden]"),
    }
}
