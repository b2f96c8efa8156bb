//! A platform for tests, in the test's own process: it writes down what reaches it, gives out tokens, and answers calls.
//!
//! | route | answer |
//! | --- | --- |
//! | `POST /oauth/token` | another access token, for the current refresh token |
//! | `GET /api/apps/{app}/auth/token` | another token of the app's user, for the current access token |
//! | `GET /api/apps/{app}/entities/User/me` | the visitor, for [`VISITOR_TOKEN`] |
//! | a path that ends in `/echo` | the request's body, piece by piece |
//! | everything else | `{"from":"afar"}`; 401 for a token of the app's user that has been revoked |

use std::sync::Arc;

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::http;

/// A token of the platform for somebody who signed in through it, good until 2100: `{"sub":"far@example.com"}`.
pub const VISITOR_TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.\
    eyJzdWIiOiJmYXJAZXhhbXBsZS5jb20iLCJleHAiOjQxMDI0NDQ4MDB9.c29tZWJvZHkgZWxzZSdz";

/// Whose it is.
pub const VISITOR: &str = "far@example.com";

/// What reached the platform.
#[derive(Clone, Debug)]
pub struct Call {
    /// `METHOD /path?query`
    pub line: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as text; empty for a path that ends in `/echo`.
    pub body: String,
}

impl Call {
    /// A header as text; empty when there is none.
    ///
    /// # Panics
    ///
    /// When it is no text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| {
            value.to_str().expect("a header of tests is text")
        })
    }
}

#[derive(Debug)]
struct Shared {
    calls: Mutex<Vec<Call>>,
    tokens: Mutex<Tokens>,
}

/// The tokens that are good now; their numbers tell how often each was given out.
#[derive(Debug)]
struct Tokens {
    access: String,
    refresh: String,
    app: Option<String>,
    refuses_app: bool,
    given: u32,
}

/// The running platform; it ends when dropped.
#[derive(Debug)]
pub struct Upstream {
    url: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Upstream {
    /// Starts it; `a` and `r` are the access and the refresh token that it takes at first, as in
    /// [`crate::project::Project::login`].
    ///
    /// # Panics
    ///
    /// When the system has no free port.
    pub async fn start() -> Self {
        let tokens = Tokens {
            access: "a".to_owned(),
            refresh: "r".to_owned(),
            app: None,
            refuses_app: false,
            given: 0,
        };
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            tokens: Mutex::new(tokens),
        });
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let (url, serving) = http::serve(app).await;
        Self {
            url,
            shared,
            serving,
        }
    }

    /// `http://127.0.0.1:…`
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What has reached it since this was last asked.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.shared.calls.lock())
    }

    /// The one call that has reached it since then.
    ///
    /// # Panics
    ///
    /// When there were more, or none.
    pub fn one(&self) -> Call {
        let mut calls = self.take();
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls.remove(0)
    }

    /// The token of the app's user that is good now.
    #[must_use]
    pub fn app_token(&self) -> Option<String> {
        self.shared.tokens.lock().app.clone()
    }

    /// From now on the token of the app's user is no good.
    pub fn revoke_app_token(&self) {
        self.shared.tokens.lock().app = Some("revoked".to_owned());
    }

    /// From now on no token of the app's user is any good, whenever it was given out.
    pub fn refuse_app_tokens(&self) {
        self.shared.tokens.lock().refuses_app = true;
    }

    /// From now on the access token is no good, and only a refresh gives another.
    pub fn revoke_access_token(&self) {
        "revoked".clone_into(&mut self.shared.tokens.lock().access);
    }

    /// From now on nobody is logged in.
    pub fn end_login(&self) {
        self.revoke_access_token();
        "revoked".clone_into(&mut self.shared.tokens.lock().refresh);
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri);
    let path = parts.uri.path().to_owned();
    let record = |body: &str| {
        shared.calls.lock().push(Call {
            line: line.clone(),
            headers: parts.headers.clone(),
            body: body.to_owned(),
        });
    };
    if path.ends_with("/echo") {
        record("");
        return Response::new(Body::new(body));
    }
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    record(&body);
    let bearer = parts.headers.get("authorization");
    let bearer = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let mut tokens = shared.tokens.lock();
    if path == "/oauth/token" {
        return tokens.refresh(&body);
    }
    if path.ends_with("/auth/token") {
        return tokens.app_token(bearer);
    }
    if path.ends_with("/entities/User/me") {
        return match bearer == Some(VISITOR_TOKEN) {
            true => ok(json!({ "email": VISITOR, "full_name": "Far Away" })),
            false => unauthorized(),
        };
    }
    let is_good = |bearer: &str, good: &String| bearer == good && !tokens.refuses_app;
    match (bearer, &tokens.app) {
        (Some(bearer), Some(good)) if bearer != VISITOR_TOKEN && !is_good(bearer, good) => {
            unauthorized()
        }
        _ => ok(json!({ "from": "afar" })),
    }
}

impl Tokens {
    fn refresh(&mut self, form: &str) -> Response {
        let field = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name));
        let is_good = field("grant_type=") == Some("refresh_token")
            && field("refresh_token=") == Some(&self.refresh);
        if !is_good {
            let error = json!({ "error": "invalid_grant" });
            return (StatusCode::BAD_REQUEST, Json(error)).into_response();
        }
        self.given += 1;
        self.access = format!("access-{}", self.given);
        self.refresh = format!("refresh-{}", self.given);
        ok(json!({
            "access_token": self.access, "refresh_token": self.refresh, "token_type": "Bearer", "expires_in": 3600,
        }))
    }

    fn app_token(&mut self, bearer: Option<&str>) -> Response {
        if bearer != Some(&self.access) {
            return unauthorized();
        }
        self.given += 1;
        let claims = json!({ "sub": "ada@example.com", "exp": 4_102_444_800_u64, "n": self.given });
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        let token = format!("eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl");
        self.app = Some(token.clone());
        ok(json!({ "token": token }))
    }
}

fn ok(body: Value) -> Response {
    Json(body).into_response()
}

fn unauthorized() -> Response {
    (
        StatusCode::UNAUTHORIZED,
        Json(json!({ "message": "Unauthorized" })),
    )
        .into_response()
}
