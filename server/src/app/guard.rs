//! Who may pass: whoever has a good token.

use axum::{
    extract::{FromRequestParts, Query, Request, State},
    http::{HeaderMap, StatusCode, header, request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    accounts::{AccountError, Pass},
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

/// An administrator: whoever the database calls so now, whatever the token says. Others get 403.
#[cfg_attr(not(test), expect(dead_code, reason = "taken by the routes under /api/admin"))]
pub(crate) struct Admin(pub(crate) User);

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, ApiError> {
        let user: User = parts.extensions.get().cloned().ok_or_else(ApiError::internal)?;
        if !user.is_admin {
            let text = "this is for administrators; log in with an account that is one";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "admin_only", text));
        }
        Ok(Self(user))
    }
}

/// Lets pass who has a token in the header `Authorization`.
pub(super) async fn header_token(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let pass = state.accounts.authenticate(bearer(request.headers())).await;
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
    use crate::ids::UserId;

    #[tokio::test]
    async fn only_an_administrator_is_taken_for_one_f144() {
        let admin = async |is_admin| {
            let user = User {
                id: UserId::random(),
                email: "ana@example.org".to_owned(),
                display_name: String::new(),
                language: "en".to_owned(),
                is_admin,
                created_at: clock::Timestamp::UNIX_EPOCH,
            };
            let request = Request::builder().extension(user).body(()).unwrap();
            Admin::from_request_parts(&mut request.into_parts().0, &()).await.map(|admin| admin.0.email)
        };

        assert_eq!(admin(true).await.unwrap(), "ana@example.org");
        assert_eq!(admin(false).await.unwrap_err().status(), StatusCode::FORBIDDEN);
    }

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
