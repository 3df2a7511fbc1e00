//! The two limits of HTTP: per address for everything, per user where an account is needed.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    config::Limits,
    error::{ApiError, Problem, whole_seconds},
    ids::UserId,
    limit::{Caller, Decision, LimitKey, Policy, PolicyName},
    serve::Connection,
    state::{AppState, Door},
    storage::User,
};

/// What a refusal is, as draft-ietf-httpapi-ratelimit-headers-10 registers it.
static QUOTA_EXCEEDED: Problem = Problem {
    kind: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    title: "Request cannot be satisfied as assigned quota has been exceeded",
};

/// The key of the text for users who are too fast.
const TEXT_KEY: &str = "error.rate_limited";

/// Finds out who calls, and turns away who calls too often (F1, F8).
pub(super) async fn per_address(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let Some(connection) = request.extensions().get::<Connection>().copied() else {
        tracing::error!("request without a connection");
        return ApiError::internal().into_response();
    };
    let address = state.proxies.client(connection.peer.ip(), request.headers());
    let caller = Caller { address, user: None, connection: connection.number };
    let policy = &state.parts.config.limits.http;
    match state.parts.limits.take(PolicyName::Http, policy, &caller).await {
        Decision::Allowed => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Decision::Refused { retry_after } => {
            let text =
                format!("too many requests from this address; try again in {} s", whole_seconds(retry_after));
            refusal(&state.parts.config.limits, (PolicyName::Http, policy), (text, retry_after))
                .into_response()
        }
    }
}

/// Turns away a user who calls too often, in the user's language (F2).
pub(super) async fn per_user(State(state): State<AppState>, request: Request, next: Next) -> Response {
    within(&state, PolicyName::User, request, next).await
}

/// The same for what administrators ask for (F109).
pub(super) async fn per_admin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    within(&state, PolicyName::Admin, request, next).await
}

/// The same for tickets (F109).
pub(super) async fn per_ticket(State(state): State<AppState>, request: Request, next: Next) -> Response {
    within(&state, PolicyName::Tickets, request, next).await
}

/// The same for sockets (F89).
pub(super) async fn per_socket(State(state): State<AppState>, request: Request, next: Next) -> Response {
    within(&state, PolicyName::Sockets, request, next).await
}

/// The same for whoever makes or changes reminders (F109).
pub(super) async fn per_reminder(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    within(&state, PolicyName::Reminders, request, next).await
}

/// Turns away a user who calls too often under one of the policies.
async fn within(state: &AppState, name: PolicyName, request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let (Some(caller), Some(user)) = (extensions.get::<Caller>(), extensions.get::<User>()) else {
        tracing::error!("request without a caller");
        return ApiError::internal().into_response();
    };
    let limits = &state.parts.config.limits;
    let policy = match name {
        PolicyName::Admin => &limits.admin,
        PolicyName::Tickets => &limits.tickets,
        PolicyName::Sockets => &limits.sockets,
        PolicyName::Reminders => &limits.reminders,
        _ => &limits.user,
    };
    match state.parts.limits.take(name, policy, caller).await {
        Decision::Allowed => next.run(request).await,
        Decision::Refused { retry_after } => {
            let seconds = whole_seconds(retry_after).to_string();
            let text = state.parts.texts.text(TEXT_KEY, &user.language, &[("seconds", seconds)]).text;
            refusal(limits, (name, policy), (text, retry_after)).into_response()
        }
    }
}

/// Turns away whoever tries an account too often from one address (F9). Other accounts, and other addresses, are not
/// concerned: nobody can lock somebody else out.
pub(crate) async fn per_try(door: &Door, caller: Caller, account: &str) -> Result<(), ApiError> {
    // The account may not exist, so that its name stands for it.
    let digest = Sha256::digest(account.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
    let caller = Caller { user: Some(UserId(Uuid::from_bytes(id))), ..caller };
    let (limits, name) = (&door.config.limits, PolicyName::Login);
    match door.limits.take(name, &limits.login, &caller).await {
        Decision::Allowed => Ok(()),
        Decision::Refused { retry_after } => {
            let seconds = whole_seconds(retry_after);
            let text = format!("too many tries with this account; try again in {seconds} s");
            Err(refusal(limits, (name, &limits.login), (text, retry_after)))
        }
    }
}

/// Turns away whoever tries one-time passwords too often, from wherever (F144): there are only a million of them.
pub(crate) async fn per_code(door: &Door, caller: Caller) -> Result<(), ApiError> {
    let (limits, name) = (&door.config.limits, PolicyName::SecondFactor);
    let policy = Policy { key: LimitKey::User, ..limits.login.clone() };
    match door.limits.take(name, &policy, &caller).await {
        Decision::Allowed => Ok(()),
        Decision::Refused { retry_after } => {
            let text = format!("too many one-time passwords; try again in {} s", whole_seconds(retry_after));
            Err(refusal(limits, (name, &policy), (text, retry_after)))
        }
    }
}

/// Returns the refusal by a policy: the text for its user, and how long to wait (F7).
fn refusal(
    limits: &Limits,
    (name, policy): (PolicyName, &Policy),
    (text, retry_after): (String, Duration),
) -> ApiError {
    let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", text)
        .after(retry_after)
        .problem(&QUOTA_EXCEEDED)
        .field("policy", name)
        .field("violated-policies", [name]);
    if limits.rate_limit_fields {
        for (field, value) in rate_limit_fields((name, policy), retry_after) {
            error = error.header(field, value);
        }
    }
    error
}

/// Returns a policy, and what is left under it, as fields of HTTP: so many at once, so many seconds until an empty bucket
/// is full; none left, and so many seconds until there is one.
fn rate_limit_fields(
    (name, policy): (PolicyName, &Policy),
    retry_after: Duration,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let (name, burst) = (name.label(), policy.burst);
    let filled = whole_seconds(policy.period.saturating_mul(burst.get()) / policy.rate.get());
    let fields = [
        ("ratelimit-policy", format!("\"{name}\";q={burst};w={filled}")),
        ("ratelimit", format!("\"{name}\";r=0;t={}", whole_seconds(retry_after))),
    ];
    fields
        .into_iter()
        .filter_map(|(field, value)| Some((HeaderName::from_static(field), value.try_into().ok()?)))
}
