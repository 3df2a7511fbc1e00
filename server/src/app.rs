//! The routes and what every request passes on its way to them.
//!
//! From the outside in: request id, log and security headers, panic guard, browser rules, limit per
//! address, then (where an account is needed) token and limit per user, then the handler.

pub(crate) mod guard;
pub(crate) mod limits;
mod observe;
pub(crate) mod trail;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::IntoResponse,
    routing::{delete, get, post, put},
};
use tower::ServiceBuilder;
use tower_http::cors::CorsLayer;

use crate::{
    config::Http,
    routes::{
        account, admin, consents, conversations, devices, document, factor, facts, feed, glossary, health,
        languages, page, preference, preferences, reminders, socket, suggestions, texts, words,
    },
    state::AppState,
};

/// Names a request that may be repeated.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks the answer to one that was repeated.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Builds the service of a whole server.
pub(crate) fn router(state: AppState) -> Router {
    // One stack, not a layer each: a router copies for each request what lies below each of its layers.
    let passed_by_all = ServiceBuilder::new()
        .layer(from_fn_with_state(state.clone(), observe::request))
        .layer(from_fn(observe::catch_panic))
        .layer(cors(&state.parts.config.http))
        .layer(from_fn_with_state(state.clone(), limits::per_address));
    Router::new()
        .merge(open_routes())
        .merge(user_routes(&state))
        .merge(admin_routes(&state))
        .merge(socket_route(&state))
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_route)
        .layer(passed_by_all)
        .with_state(state)
}

fn open_routes() -> Router<AppState> {
    Router::new()
        .route("/", get(page::index))
        .route("/page/{file}", get(page::part))
        .route("/health", get(health::healthy))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/api/openapi.json", get(document::api))
        .route("/api/asyncapi.json", get(document::socket))
        .route("/api/languages", get(languages::enabled))
        .route("/api/auth/register", post(account::register))
        .route("/api/auth/login", post(account::login))
        .route("/api/auth/refresh", post(devices::refresh))
        .route("/calendar/{secret}", get(feed::fetch))
}

fn user_routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .merge(ticket_route(state))
        .merge(reminder_routes(state))
        .route("/api/auth/me", get(account::me))
        .route("/api/auth/logout", post(devices::logout))
        .route("/api/auth/logout-all", post(devices::logout_all))
        .route("/api/auth/devices", get(devices::list))
        .route("/api/auth/devices/{id}", delete(devices::end))
        .route("/api/auth/second-factor", post(factor::offer))
        .route("/api/auth/second-factor/verify", post(factor::verify))
        .route("/api/suggestions", get(suggestions::pending))
        .route("/api/suggestions/{id}/dismiss", post(suggestions::dismiss))
        .route("/api/users/me/preferences", get(preferences::read).put(preferences::write))
        .route("/api/users/me/calendar-feed", get(feed::read).post(feed::open).delete(feed::close))
        .route("/api/users/me/consents", get(consents::list))
        .route(
            "/api/users/me/consents/{purpose}",
            get(consents::read).put(consents::give).delete(consents::withdraw),
        )
        .route("/api/users/me/language", get(preference::read).put(preference::write))
        .route("/api/users/me/facts", get(facts::list))
        .route("/api/users/me/facts/{key}", get(facts::read).put(facts::write).delete(facts::delete))
        .route("/api/users/me/facts/{key}/history", get(facts::history))
        .route("/api/conversations", get(conversations::list))
        .route("/api/conversations/{id}", delete(conversations::delete))
        .route("/api/conversations/{id}/messages", get(conversations::messages))
        .route("/api/conversations/current/end", post(conversations::end_current))
        .route_layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(state.clone(), guard::header_token))
                .layer(from_fn_with_state(state.clone(), limits::per_user))
                .layer(from_fn_with_state(state.clone(), trail::writes)),
        )
}

/// Tickets have a limit of their own beside the user's.
fn ticket_route(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/api/auth/ws-ticket", post(devices::ticket))
        .route_layer(from_fn_with_state(state.clone(), limits::per_ticket))
}

/// So have reminders that are made or changed.
fn reminder_routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/api/reminders", get(reminders::list).post(reminders::create))
        .route("/api/reminders/rollback", post(reminders::roll_back))
        .route("/api/reminders/{id}", put(reminders::update).delete(reminders::delete))
        .route("/api/reminders/{id}/restore", post(reminders::restore))
        .route_layer(from_fn_with_state(state.clone(), limits::per_reminder))
}

/// Every handler takes [`guard::Admin`].
fn admin_routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/api/admin/audit", get(admin::audit))
        .route("/api/admin/blocks", get(admin::blocks))
        .route("/api/admin/blocks/{user}", delete(admin::unblock))
        .route("/api/admin/users/{id}/role", put(admin::set_role))
        .route("/api/admin/users/{id}/language", put(preference::write_for))
        .route("/api/admin/suggestions", get(suggestions::received))
        .route("/api/admin/api-keys", get(admin::keys).post(admin::add_key))
        .route("/api/admin/api-keys/{id}", delete(admin::remove_key))
        .merge(language_routes())
        .route_layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(state.clone(), guard::admin_key))
                .layer(from_fn_with_state(state.clone(), limits::per_user))
                .layer(from_fn_with_state(state.clone(), limits::per_admin))
                .layer(from_fn_with_state(state.clone(), trail::admin)),
        )
}

/// What administrators do about languages and texts.
fn language_routes() -> Router<AppState> {
    Router::new()
        .route("/api/admin/languages", get(languages::list).post(languages::add))
        .route("/api/admin/languages/{code}", put(languages::change))
        .route("/api/admin/languages/{code}/glossary", get(glossary::list))
        .route("/api/admin/languages/{code}/glossary.csv", get(glossary::export).put(glossary::import))
        .route("/api/admin/languages/{code}/symptom-words", get(words::list))
        .route("/api/admin/languages/{code}/symptom-words/{word}", put(words::add).delete(words::remove))
        .route("/api/admin/languages/{code}/texts", get(texts::list))
        .route("/api/admin/languages/{code}/texts/{key}", get(texts::versions).put(texts::edit))
        .route("/api/admin/languages/{code}/texts/{key}/preview", post(texts::preview))
        .route("/api/admin/languages/{code}/texts/{key}/draft", post(texts::draft))
        .route("/api/admin/languages/{code}/texts/{key}/versions/{version}/approve", post(texts::approve))
        .route("/api/admin/languages/{code}/texts/{key}/versions/{version}/restore", post(texts::restore))
}

/// Sockets and their messages have limits of their own, in the place of that per user.
fn socket_route(state: &AppState) -> Router<AppState> {
    Router::new().route("/ws/chat", get(socket::open)).route_layer(
        ServiceBuilder::new()
            .layer(from_fn_with_state(state.clone(), guard::socket_key))
            .layer(from_fn_with_state(state.clone(), limits::per_socket)),
    )
}

/// Plain text, as existing clients know it.
async fn unknown_route() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, "404 page not found")
}

/// Any origin without credentials, or the listed ones with them.
fn cors(http: &Http) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            IDEMPOTENCY_KEY,
            observe::REQUEST_ID,
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            IDEMPOTENCY_REPLAYED,
            observe::REQUEST_ID,
        ]);
    if http.allowed_origins.is_empty() {
        return layer.allow_origin(tower_http::cors::Any);
    }
    let origins = http.allowed_origins.iter().filter_map(|origin| origin.parse::<HeaderValue>().ok());
    layer.allow_origin(origins.collect::<Vec<_>>()).allow_credentials(true)
}
