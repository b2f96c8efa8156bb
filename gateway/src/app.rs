//! Every route there is, on one screen.

use axum::{
    Router, middleware,
    routing::{any, get, patch, post},
};

use crate::{
    api::{auth, entities, fallback, functions, integrations, invitations, login, media, settings},
    layers, realtime,
    state::AppState,
};

/// The whole HTTP side: routes within, what every request passes around them.
pub(crate) fn router(state: AppState) -> Router {
    Router::new()
        .merge(entity_routes())
        .merge(account_routes())
        .merge(function_routes())
        .merge(local_routes())
        .merge(realtime_routes())
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .fallback(fallback::not_found)
        .layer(middleware::from_fn_with_state(state.clone(), layers::edge))
        .with_state(state)
}

fn entity_routes() -> Router<AppState> {
    const ROOT: &str = "/api/apps/{app}/entities/{entity}";
    let at = |tail: &str| format!("{ROOT}{tail}");
    let collection = || {
        get(entities::list)
            .post(entities::create)
            .delete(entities::delete_where)
    };
    Router::new()
        .route(ROOT, collection())
        .route(&at("/"), collection())
        .route(&at("/v2/list"), get(entities::page))
        .route(&at("/count"), get(entities::count))
        .route(
            &at("/bulk"),
            post(entities::create_many).put(entities::update_many),
        )
        .route(&at("/update-many"), patch(entities::update_where))
        .route(&at("/aggregate"), post(entities::aggregate))
        .route(&at("/upsert"), post(entities::upsert))
        .route(&at("/import"), post(entities::import))
        .route(
            &at("/{id}"),
            get(entities::get)
                .put(entities::update)
                .delete(entities::delete),
        )
}

fn account_routes() -> Router<AppState> {
    Router::new()
        .route("/api/apps/{app}/auth/login", post(auth::login))
        .route("/api/apps/{app}/auth/register", post(auth::register))
        .route("/api/apps/{app}/auth/verify-otp", post(auth::verify_code))
        .route("/api/apps/{app}/auth/resend-otp", post(auth::resend_code))
        .route(
            "/api/apps/{app}/auth/reset-password-request",
            post(auth::request_password_reset),
        )
        .route(
            "/api/apps/{app}/auth/reset-password",
            post(auth::reset_password),
        )
        .route(
            "/api/apps/{app}/auth/change-password",
            post(auth::change_password),
        )
        .route("/api/apps/{app}/auth/sso/login", get(auth::provider_login))
        .route(
            "/api/apps/{app}/users/invite-user",
            post(invitations::invite),
        )
        .route(
            "/api/apps/{app}/runtime/users/invite-user",
            post(invitations::invite),
        )
        .route("/api/apps/auth", any(auth::provider_login))
        .route("/api/apps/auth/{*rest}", any(auth::provider_login))
        .route("/api/apps/auth/logout", get(auth::logout))
}

fn function_routes() -> Router<AppState> {
    Router::new()
        .route("/api/apps/{app}/functions/{*rest}", any(functions::in_app))
        .route("/api/functions/{*rest}", any(functions::at_api_root))
        .route("/functions/{*rest}", any(functions::at_site_root))
}

/// What is answered here although nothing here is behind it, so that development neither needs the platform nor writes to it.
fn local_routes() -> Router<AppState> {
    const CORE: &str = "/api/apps/{app}/integration-endpoints/Core";
    let core = |endpoint: &str| format!("{CORE}/{endpoint}");
    Router::new()
        .route(
            "/api/apps/public/prod/public-settings/by-id/{app}",
            get(settings::public_settings),
        )
        .route("/api/apps/{app}/analytics/{*rest}", any(settings::swallow))
        .route("/api/app-logs/{*rest}", any(settings::swallow))
        .route("/api/apps/{app}/actors", any(settings::actors))
        .route("/api/apps/{app}/actors/{*rest}", any(settings::actors))
        .route(&core("UploadFile"), post(integrations::upload_file))
        .route(
            &core("UploadPrivateFile"),
            post(integrations::upload_private_file),
        )
        .route(
            &core("CreateFileSignedUrl"),
            post(integrations::sign_file_url),
        )
        .route("/login", get(login::page))
        .route("/login/", get(login::page))
        .route("/login/login.js", get(login::script))
        .route("/login/login.css", get(login::style))
        .route("/media/{name}", get(media::public))
        .route("/media/private/{name}", get(media::private))
}

fn realtime_routes() -> Router<AppState> {
    Router::new()
        .route(realtime::PATH, any(realtime::serve))
        .route(&format!("{}/", realtime::PATH), any(realtime::serve))
}
