//! What the stand-in answers when it is not told to fail.

use serde_json::{Value, json};

use super::{APP, Reply, Request, State, WORKSPACE_KEY};

impl State {
    pub(super) fn answer(&mut self, request: &Request) -> Reply {
        let path = request.path().to_owned();
        match path.strip_prefix("/oauth/") {
            Some(path) => self.oauth(path, request),
            None if !self.knows(request) => {
                Reply::Json(401, json!({ "message": "Invalid token", "detail": "no" }))
            }
            None => match path.strip_prefix(&format!("/api/apps/{APP}/")) {
                Some(path) => self.app(path, request),
                None if path == format!("/api/apps/platform/{APP}/published-url") => {
                    Reply::Json(200, json!({ "url": "https://tasks.example.com" }))
                }
                None => missing("App not found"),
            },
        }
    }

    fn knows(&self, request: &Request) -> bool {
        let bearer = format!("Bearer {}", self.access_token);
        request.header("authorization") == Some(&bearer)
            || request.header("api_key") == Some(WORKSPACE_KEY)
    }

    fn oauth(&mut self, path: &str, request: &Request) -> Reply {
        match (request.method.as_str(), path) {
            ("POST", "device/code") => Reply::Json(
                200,
                json!({
                    "device_code": "device", "user_code": "ABCD-EFGH",
                    "verification_uri": "https://app.example.com/device", "expires_in": 600, "interval": 1,
                }),
            ),
            ("POST", "token") if request.body.contains("grant_type=refresh_token&") => {
                self.renew(request)
            }
            ("POST", "token") => self.grant(),
            ("GET", "userinfo") if self.knows(request) => {
                Reply::Json(200, json!({ "email": "ada@example.com", "name": "Ada" }))
            }
            _ => Reply::Json(401, json!({ "error": "invalid_token" })),
        }
    }

    fn renew(&mut self, request: &Request) -> Reply {
        let known = format!("refresh_token={}&", self.refresh_token);
        if request.body.contains(&known) {
            return self.grant();
        }
        let refusal = json!({ "error": "invalid_grant", "error_description": "Token was revoked" });
        Reply::Json(400, refusal)
    }

    fn grant(&mut self) -> Reply {
        self.renewals += 1;
        self.access_token = format!("access-{}", self.renewals);
        self.refresh_token = format!("refresh-{}", self.renewals);
        Reply::Json(
            200,
            json!({
                "access_token": self.access_token, "refresh_token": self.refresh_token,
                "token_type": "Bearer", "expires_in": 3600,
            }),
        )
    }

    fn app(&mut self, path: &str, request: &Request) -> Reply {
        let parts: Vec<String> = path.split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["auth", "token"]) => Reply::Json(200, json!({ "token": "app-user-token" })),
            ("GET", ["backend-functions"]) => {
                Reply::Json(200, json!({ "functions": self.functions }))
            }
            ("PUT", ["backend-functions", name]) => {
                let status = self.deploy(name, &request.json());
                Reply::Json(200, json!({ "status": status }))
            }
            ("DELETE", ["backend-functions", name]) => self.delete(name),
            ("GET", ["secrets"]) => {
                let masked = self
                    .secrets
                    .keys()
                    .map(|name| (name.clone(), json!("****")));
                Reply::Json(200, Value::Object(masked.collect()))
            }
            ("POST", ["secrets"]) => {
                let given = request.json();
                let given = given.as_object().into_iter().flatten();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                self.secrets
                    .extend(given.map(|(name, value)| (name.clone(), text(value))));
                Reply::Json(200, json!({ "success": true }))
            }
            ("DELETE", ["secrets"]) => {
                let name = request.target.split("?secret_name=").nth(1);
                let known = self.secrets.remove(&decoded(name.unwrap_or_default()));
                match known {
                    Some(_) => Reply::Json(200, json!({ "success": true })),
                    None => missing("Secret not found"),
                }
            }
            ("GET", ["functions-mgmt", name, "logs"]) => match self.logs.get(*name) {
                Some(lines) => Reply::Json(200, lines.clone()),
                None => missing("Function not found"),
            },
            _ => missing("Not found"),
        }
    }

    /// Stores a function and says what that changed.
    pub(super) fn deploy(&mut self, name: &str, body: &Value) -> &'static str {
        let function = json!({
            "name": name, "deployment_id": format!("deployment-{name}"), "entry": body["entry"],
            "files": body["files"], "automations": body.get("automations").unwrap_or(&json!([])),
        });
        match self
            .functions
            .iter_mut()
            .find(|known| known["name"] == name)
        {
            Some(known) if *known == function => "unchanged",
            Some(known) => {
                *known = function;
                "deployed"
            }
            None => {
                self.functions.push(function);
                "deployed"
            }
        }
    }

    fn delete(&mut self, name: &str) -> Reply {
        let before = self.functions.len();
        self.functions.retain(|known| known["name"] != name);
        if self.functions.len() < before {
            Reply::Json(200, json!({ "success": true }))
        } else {
            missing("Function not found")
        }
    }
}

fn missing(message: &str) -> Reply {
    Reply::Json(404, json!({ "message": message }))
}

/// A part of a path or query, without its percent signs.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = part.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
