//! Who may pass: whoever has a good token.

use axum::{
    extract::{FromRequestParts, Query, Request, State},
    http::{HeaderMap, StatusCode, Uri, header, request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{error::ApiError, limit::Caller, state::AppState, storage::User};

/// The user whose token came with the request.
pub(crate) struct CurrentUser(pub(crate) User);

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().map(Self).ok_or_else(ApiError::internal)
    }
}

/// The user whose token came with the request, and how the limits know that user.
pub(crate) struct Visitor {
    pub(crate) user: User,
    pub(crate) caller: Caller,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, ApiError> {
        let user = parts.extensions.get().cloned().ok_or_else(ApiError::internal)?;
        let caller = parts.extensions.get().copied().ok_or_else(ApiError::internal)?;
        Ok(Self { user, caller })
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
    let token = bearer(request.headers()).map(str::to_owned);
    admit(&state, token, request, next).await
}

/// Lets pass who has a token in the header, or in `?token=` where the settings allow that.
pub(super) async fn any_token(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let allowed = state.parts.config.auth.query_token;
    let in_query = if allowed { query_token(request.uri()) } else { None };
    let token = in_query.or_else(|| bearer(request.headers()).map(str::to_owned));
    admit(&state, token, request, next).await
}

async fn admit(state: &AppState, token: Option<String>, mut request: Request, next: Next) -> Response {
    let user = match state.accounts.authenticate(token.as_deref()).await {
        Ok(user) => user,
        Err(error) => return ApiError::from(error).into_response(),
    };
    if let Some(caller) = request.extensions_mut().get_mut::<Caller>() {
        caller.user = Some(user.id);
    }
    request.extensions_mut().insert(user);
    next.run(request).await
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

fn query_token(uri: &Uri) -> Option<String> {
    #[derive(Deserialize)]
    struct WithToken {
        token: String,
    }
    let query: Query<WithToken> = Query::try_from_uri(uri).ok()?;
    Some(query.0.token).filter(|token| !token.is_empty())
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
}
