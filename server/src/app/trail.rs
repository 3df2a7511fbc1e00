//! What requests leave in the audit log.

use axum::{
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use uuid::Uuid;

use crate::{
    accounts::Pass,
    audit::{Act, Audit},
    ids::UserId,
    limit::Caller,
    state::AppState,
    storage::Actor,
};

/// Whose data a request was about, where it is not the caller's own. A handler puts it into its response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject(pub(crate) UserId);

/// What a request has come to, beside its status: what was changed to what, what it cost; no word of a user. A handler puts it
/// into its response.
#[derive(Clone, Debug)]
pub(crate) struct Told(pub(crate) String);

/// Keeps what a user has written, or tried to. Stands behind the limits, so that nobody fills the log beyond them.
pub(super) async fn writes(state: State<AppState>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let user = |pass: &Pass| (Actor::User(pass.user.id), Some(pass.user.id));
    keep(&state.audit, request, next, user).await
}

/// Keeps all that administrators ask for, and whoever takes himself for one.
pub(super) async fn admin(state: State<AppState>, request: Request, next: Next) -> Response {
    let actor = |pass: &Pass| match (pass.user.is_admin, pass.scopes.is_some()) {
        (_, true) => (Actor::ApiKey(pass.user.id), None),
        (true, false) => (Actor::Admin(pass.user.id), None),
        (false, false) => (Actor::User(pass.user.id), None),
    };
    keep(&state.audit, request, next, actor).await
}

async fn keep(
    audit: &Audit,
    request: Request,
    next: Next,
    who: impl Fn(&Pass) -> (Actor, Option<UserId>),
) -> Response {
    let extensions = request.extensions();
    let (actor, own) = extensions.get::<Pass>().map_or((Actor::Nobody, None), who);
    let address = extensions.get::<Caller>().map(|caller| caller.address);
    let route = extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let action = format!("{} {route}", request.method());
    let (path, masked) = (request.uri().path().to_owned(), target(route, request.uri().path()));
    let response = next.run(request).await;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        // The store that did not take the deed would not take the row either.
        metrics::counter!("audit_lost_total").increment(1);
        return response;
    }
    let subject = response.extensions().get::<Subject>().map(|subject| subject.0).or(own);
    let target = if response.status().is_success() { path } else { masked };
    let status = response.status().as_u16();
    let outcome = match response.extensions().get::<Told>() {
        Some(Told(what)) => format!("{status}, {what}"),
        None => status.to_string(),
    };
    audit.record(Act { actor, subject, action, target, outcome, address }).await;
    response
}

/// Returns a path in which only ids stand in the place of parameters: what was refused may be anything that a user has
/// typed, and the log outlives its users.
fn target(route: &str, path: &str) -> String {
    let part = |(pattern, part): (&str, &str)| {
        let is_kept = !pattern.starts_with('{') || part.parse::<Uuid>().is_ok();
        if is_kept { part.to_owned() } else { pattern.to_owned() }
    };
    route.split('/').zip(path.split('/')).map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_leaves_its_ids_and_no_words_f107() {
        let id = "0190a8c4-0000-7000-8000-000000000001";

        assert_eq!(
            target("/api/users/me/facts/{key}", "/api/users/me/facts/ana@a.org"),
            "/api/users/me/facts/{key}"
        );
        assert_eq!(
            target("/api/reminders/{id}", &format!("/api/reminders/{id}")),
            format!("/api/reminders/{id}")
        );
        assert_eq!(target("", "/whatever"), "");
    }
}
