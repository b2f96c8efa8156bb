//! HTTP as far as the stand-in needs it: one request a connection, and answers that may break off anywhere.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};

use super::APP;

/// What came in.
#[derive(Clone, Debug)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// The path with its query, as sent.
    pub target: String,
    /// Names in lower case, in the order of the request.
    pub headers: Vec<(String, String)>,
    /// As text.
    pub body: String,
}

/// What goes out.
#[derive(Debug)]
pub enum Reply {
    /// A status and a JSON body.
    Json(u16, Value),
    /// A status, more headers (`Name: value`), and a body that is whatever it is.
    Text(u16, &'static [&'static str], &'static str),
    /// The connection ends without an answer.
    Cut,
    /// The connection ends within the body of a good answer.
    CutInside(Value),
    /// A stream of events: every message is a piece, and the end of the sender that of the stream.
    Events(mpsc::UnboundedReceiver<String>),
}

impl Request {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is something else.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Method and target, the latter without the app's path.
    #[must_use]
    pub fn call(&self) -> String {
        let app = format!("/api/apps/{APP}/");
        let target = self.target.strip_prefix(&app).unwrap_or(&self.target);
        format!("{} {target}", self.method)
    }

    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Method and path.
    pub(super) fn route(&self) -> String {
        format!("{} {}", self.method, self.path())
    }
}

/// Reads one request; nothing when the client goes away.
pub(super) async fn read(mut stream: TcpStream) -> Option<(TcpStream, Request)> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_lowercase(), value.trim().to_owned()))
    };
    let mut request = Request {
        method,
        target,
        headers: lines.filter_map(header).collect(),
        body: String::new(),
    };
    let length = request.header("content-length");
    let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some((stream, request))
}

/// Answers; a client that has gone away is no concern of the platform.
pub(super) async fn write(mut stream: TcpStream, request: &Request, reply: Reply) {
    let id = request.header("x-request-id").unwrap_or_default();
    let head = |status: u16, more: &str, length: usize| {
        format!(
            "HTTP/1.1 {status} Status\r\nX-Request-ID: {id}\r\nConnection: close\r\n{more}Content-Length: {length}\r\n\r\n"
        )
    };
    let json = "Content-Type: application/json\r\n";
    match reply {
        Reply::Json(status, body) => {
            let body = body.to_string();
            let answer = head(status, json, body.len()) + &body;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Reply::Text(status, headers, body) => {
            let more: String = headers
                .iter()
                .map(|header| format!("{header}\r\n"))
                .collect();
            let answer = head(status, &more, body.len()) + body;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Reply::Cut => {}
        Reply::CutInside(body) => {
            let body = body.to_string();
            let half = &body[..body.floor_char_boundary(body.len() / 2)];
            let answer = head(200, json, body.len()) + half;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Reply::Events(mut pieces) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nX-Request-ID: {id}\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes()).await;
            while let Some(piece) = pieces.recv().await {
                if stream.write_all(piece.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
    let _ = stream.shutdown().await;
}
