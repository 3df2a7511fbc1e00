//! What an API key opens: `AREA:read` or `AREA:write`, where the area is the folder below `/api/admin`.
//!
//! Writing includes reading. Keys and roles are given by people alone: no key opens them.

use axum::http::Method;

/// What stands before the area in a path.
const ADMIN: &str = "/api/admin/";

/// Areas that no key opens.
const RESERVED: [&str; 2] = ["api-keys", "users"];

/// Most scopes of one key.
const SCOPES_MAX: usize = 20;

/// Longest scope, in characters.
const SCOPE_MAX: usize = 40;

/// Checks what a key is to open, or says what is wrong with it.
pub(crate) fn checked(scopes: Vec<String>) -> Result<Vec<String>, String> {
    if scopes.is_empty() || scopes.len() > SCOPES_MAX {
        return Err(format!("`scopes` must have 1 to {SCOPES_MAX} entries, such as `audit:read`"));
    }
    for scope in &scopes {
        let (area, right) = scope.split_once(':').unwrap_or_default();
        let plain = area.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let known =
            matches!(right, "read" | "write") && !area.is_empty() && plain && scope.len() <= SCOPE_MAX;
        if !known {
            return Err(format!(
                "`{scope}` is not a scope; write `AREA:read` or `AREA:write`, such as `audit:read`"
            ));
        }
        if RESERVED.contains(&area) {
            return Err(format!("no key opens `{area}`; leave `{scope}` out and log in for that"));
        }
    }
    Ok(scopes)
}

/// Returns the scope that a request lacks; `None` when these are enough.
pub(crate) fn lacking(scopes: &[String], method: &Method, path: &str) -> Option<String> {
    let area = path.strip_prefix(ADMIN).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let has = |right: &str| scopes.iter().any(|scope| scope.split_once(':') == Some((area, right)));
    let opened = !area.is_empty() && !RESERVED.contains(&area) && (has("write") || (reads && has("read")));
    let right = if reads { "read" } else { "write" };
    (!opened).then(|| format!("{area}:{right}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owned(scopes: &[&str]) -> Vec<String> {
        scopes.iter().map(|scope| (*scope).to_owned()).collect()
    }

    #[test]
    fn a_key_opens_its_area_and_no_other_f144() {
        let lacks = |scopes: &[&str], method: Method, path: &str| lacking(&owned(scopes), &method, path);

        assert_eq!(lacks(&["audit:read"], Method::GET, "/api/admin/audit"), None);
        assert_eq!(lacks(&["blocks:write"], Method::GET, "/api/admin/blocks"), None);
        assert_eq!(lacks(&["blocks:write"], Method::DELETE, "/api/admin/blocks/7"), None);
        assert_eq!(
            lacks(&["blocks:read"], Method::DELETE, "/api/admin/blocks/7").as_deref(),
            Some("blocks:write")
        );
        assert_eq!(lacks(&["audit:read"], Method::GET, "/api/admin/blocks").as_deref(), Some("blocks:read"));
        assert_eq!(
            lacks(&["audit:read"], Method::GET, "/api/admin/auditors").as_deref(),
            Some("auditors:read")
        );
        assert_eq!(
            lacks(&["users:write"], Method::PUT, "/api/admin/users/7/role").as_deref(),
            Some("users:write")
        );
        assert_eq!(lacks(&["audit:read"], Method::GET, "/api/auth/me").as_deref(), Some(":read"));
    }

    #[test]
    fn what_is_no_scope_is_refused_by_name_f144() {
        let refusal = |scopes: &[&str]| checked(owned(scopes)).unwrap_err();

        assert_eq!(checked(owned(&["audit:read", "texts:write"])).unwrap().len(), 2);
        insta::assert_snapshot!([
            refusal(&[]),
            refusal(&["audit"]),
            refusal(&["audit:all"]),
            refusal(&["Audit:read"]),
            refusal(&["audit:read", "api-keys:write"]),
        ].join("\n"), @"
        `scopes` must have 1 to 20 entries, such as `audit:read`
        `audit` is not a scope; write `AREA:read` or `AREA:write`, such as `audit:read`
        `audit:all` is not a scope; write `AREA:read` or `AREA:write`, such as `audit:read`
        `Audit:read` is not a scope; write `AREA:read` or `AREA:write`, such as `audit:read`
        no key opens `api-keys`; leave `api-keys:write` out and log in for that
        ");
    }

    proptest! {
        #[test]
        fn a_key_without_write_changes_nothing_f144(area in "[a-z]{1,8}", other in "[a-z]{1,8}", rest in "[a-z0-9/]{0,12}") {
            let scopes = vec![format!("{area}:read"), format!("{other}:write")];
            prop_assume!(area != other);

            let lacks = lacking(&scopes, &Method::POST, &format!("/api/admin/{area}/{rest}"));

            prop_assert_eq!(lacks, Some(format!("{area}:write")));
        }
    }
}
