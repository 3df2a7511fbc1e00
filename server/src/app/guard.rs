//! Who may pass: whoever has a good token.

use axum::{
    extract::{FromRequestParts, Query, Request, State},
    http::{HeaderMap, StatusCode, header, request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    accounts::{AccountError, Pass, is_api_key, scope},
    error::ApiError,
    limit::Caller,
    state::AppState,
    storage::User,
};

/// What a subprotocol begins with that is a ticket.
const TICKET_PROTOCOL: &str = "ticket.";

/// The user whose token came with the request.
pub(crate) struct CurrentUser(pub(crate) User);

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().map(Self).ok_or_else(ApiError::internal)
    }
}

/// What the user was let in with.
pub(crate) struct CurrentPass(pub(crate) Pass);

impl<S: Sync> FromRequestParts<S> for CurrentPass {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().map(Self).ok_or_else(ApiError::internal)
    }
}

/// Somebody who has not proved anything yet.
pub(crate) struct Stranger {
    pub(crate) caller: Caller,
    /// What the client calls itself.
    pub(crate) agent: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Stranger {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get().copied().ok_or_else(ApiError::internal)?;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Self { caller, agent: agent.map(str::to_owned) })
    }
}

/// What the user was let in with, and how the limits know that user.
pub(crate) struct Visitor {
    pub(crate) pass: Pass,
    pub(crate) caller: Caller,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, ApiError> {
        let pass = parts.extensions.get().cloned().ok_or_else(ApiError::internal)?;
        let caller = parts.extensions.get().copied().ok_or_else(ApiError::internal)?;
        Ok(Self { pass, caller })
    }
}

/// An administrator: whoever the database calls so now, whatever the token says, and who has given the second factor
/// where there is one. A program comes with an API key, which opens what its scopes name. Others get 403.
pub(crate) struct Admin(pub(crate) User);

impl FromRequestParts<AppState> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, state: &AppState) -> Result<Self, ApiError> {
        let pass: &Pass = parts.extensions.get().ok_or_else(ApiError::internal)?;
        if !pass.user.is_admin {
            let text = "this is for administrators; log in with an account that is one";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "admin_only", text));
        }
        match &pass.scopes {
            Some(scopes) => within(scopes, parts)?,
            None => state.accounts.check_factor(pass).await?,
        }
        Ok(Self(pass.user.clone()))
    }
}

/// Refuses what the scopes of a key do not open.
fn within(scopes: &[String], request: &request::Parts) -> Result<(), ApiError> {
    match scope::lacking(scopes, &request.method, request.uri.path()) {
        None => Ok(()),
        Some(scope) => {
            let text = format!("this key does not open `{scope}`; use one that does, or log in");
            Err(ApiError::new(StatusCode::FORBIDDEN, "scope_missing", text))
        }
    }
}

/// Lets pass who has a token in the header `Authorization`.
pub(super) async fn header_token(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let pass = state.accounts.authenticate(bearer(request.headers())).await;
    admit(pass, request, next).await
}

/// Lets pass who has a token or an API key in the header `Authorization`. Whether that makes an administrator is asked
/// by [`Admin`].
pub(super) async fn admin_key(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let pass = match bearer(request.headers()) {
        Some(key) if is_api_key(key) => state.accounts.redeem_key(key).await,
        token => state.accounts.authenticate(token).await,
    };
    admit(pass, request, next).await
}

/// Lets pass who may open a socket. What is looked at, the first that is there: the header `Authorization`, a ticket
/// among the subprotocols (`ticket.TICKET`, for browsers, which cannot set headers), `?ticket=`, and `?token=` where
/// the settings allow that.
pub(super) async fn socket_key(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let accounts = &state.accounts;
    let pass = match SocketKey::of(&request, state.parts.config.auth.query_token) {
        Some(SocketKey::Ticket(ticket)) => accounts.redeem(&ticket).await,
        Some(SocketKey::Token(token)) => accounts.authenticate(Some(&token)).await,
        None => accounts.authenticate(None).await,
    };
    admit(pass, request, next).await
}

async fn admit(pass: Result<Pass, AccountError>, mut request: Request, next: Next) -> Response {
    let pass = match pass {
        Ok(pass) => pass,
        Err(error) => return ApiError::from(error).into_response(),
    };
    if let Some(caller) = request.extensions_mut().get_mut::<Caller>() {
        caller.user = Some(pass.user.id);
    }
    request.extensions_mut().insert(pass.user.clone());
    request.extensions_mut().insert(pass);
    next.run(request).await
}

/// What opens a socket.
#[derive(Debug, PartialEq, Eq)]
enum SocketKey {
    Token(String),
    Ticket(String),
}

impl SocketKey {
    /// Finds the first key that came with a request.
    fn of(request: &Request, query_token: bool) -> Option<Self> {
        #[derive(Default, Deserialize)]
        struct Keys {
            ticket: Option<String>,
            token: Option<String>,
        }
        if let Some(token) = bearer(request.headers()) {
            return Some(Self::Token(token.to_owned()));
        }
        if let Some(ticket) = offered_ticket(request.headers()) {
            return Some(Self::Ticket(ticket.to_owned()));
        }
        let keys: Keys = Query::try_from_uri(request.uri()).map(|query| query.0).unwrap_or_default();
        let ticket = keys.ticket.filter(|ticket| !ticket.is_empty()).map(Self::Ticket);
        let token = keys.token.filter(|token| query_token && !token.is_empty()).map(Self::Token);
        ticket.or(token)
    }
}

/// Returns the ticket among the subprotocols that a client offers, such as `chat.v1, ticket.TICKET`.
fn offered_ticket(headers: &HeaderMap) -> Option<&str> {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let names = offers.filter_map(|offer| offer.to_str().ok()).flat_map(|offer| offer.split(','));
    names.filter_map(|name| name.trim().strip_prefix(TICKET_PROTOCOL)).find(|ticket| !ticket.is_empty())
}

/// Returns the token of `Authorization: Bearer TOKEN`; old clients send it bare.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        Some(_) => return None,
        None => value,
    };
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_behind_its_scheme_or_bare() {
        let token = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            bearer(&headers).map(str::to_owned)
        };

        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(token("abc").as_deref(), Some("abc"));
        assert_eq!(token("Basic abc"), None);
        assert_eq!(token("Bearer "), Some("Bearer".to_owned()));
        assert_eq!(token(""), None);
    }

    #[test]
    fn the_first_key_of_a_socket_counts_in_a_fixed_order_f145() {
        let key = |headers: &[(&str, &str)], uri: &str, query_token| {
            let mut request = Request::builder().uri(uri);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            SocketKey::of(&request.body(axum::body::Body::empty()).unwrap(), query_token)
        };
        let token = |text: &str| Some(SocketKey::Token(text.to_owned()));
        let ticket = |text: &str| Some(SocketKey::Ticket(text.to_owned()));
        let offer = ("sec-websocket-protocol", "chat.v1, ticket.b");
        let all = "/ws/chat?token=d&ticket=c";

        assert_eq!(key(&[("authorization", "Bearer a"), offer], all, true), token("a"));
        assert_eq!(key(&[offer], all, true), ticket("b"));
        assert_eq!(key(&[("sec-websocket-protocol", "chat.v1")], all, true), ticket("c"));
        assert_eq!(key(&[], "/ws/chat?token=d", true), token("d"));
        assert_eq!(key(&[], "/ws/chat?token=d", false), None);
        assert_eq!(key(&[("sec-websocket-protocol", "ticket.")], "/ws/chat?ticket=", true), None);
    }
}
