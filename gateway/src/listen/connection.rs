//! One connection: served until it ends, the server stops, its client takes too long, or others need its place more.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, extract::Request, response::Response};
use http::StatusCode;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::{
    Patience,
    wire::{Turn, Wire},
};
use crate::held::Held;

/// What a connection hears from the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    /// No more requests.
    pub(super) stop: CancellationToken,
    /// Somebody waits for a place.
    pub(super) crowd: Arc<Notify>,
}

/// Serves what comes over `stream`.
pub(super) async fn serve<S>(stream: S, router: Router, signals: Signals, patience: Patience)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let turn = Arc::new(Turn::default());
    let wire = Wire::new(stream, Arc::clone(&turn), patience.stall);
    let answering = Arc::clone(&turn);
    let service = hyper::service::service_fn(move |request| {
        answer(router.clone(), Arc::clone(&answering), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .serve_connection(TokioIo::new(wire), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = signals.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = idle_in_a_crowd(&signals.crowd, &turn, patience.crowd) => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Waits until somebody needs the place of a client who has asked for nothing for `patience`, or has not finished asking.
async fn idle_in_a_crowd(crowd: &Notify, turn: &Turn, patience: Duration) {
    loop {
        crowd.notified().await;
        if turn.rest().is_some_and(|rest| rest >= patience) {
            return;
        }
    }
}

async fn answer(
    mut router: Router,
    turn: Arc<Turn>,
    request: Request<Incoming>,
) -> Result<Response<Held<Option<TurnEnd>>>, Infallible> {
    turn.begin();
    let response = router.call(request).await?;
    // What follows a switch of protocols is no answer of ours any more.
    let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let end = (!switched).then(|| TurnEnd(turn));
    Ok(response.map(|body| Held::new(body, end)))
}

/// Ends a turn when dropped.
struct TurnEnd(Arc<Turn>);

impl Drop for TurnEnd {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{Router, routing::get};
    use serde_json::Value;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        task::{JoinHandle, yield_now},
        time::timeout,
    };

    use super::{Patience, Signals, serve};

    const LIMIT: Duration = Duration::from_secs(60);

    fn connected(patience: Patience) -> (DuplexStream, JoinHandle<()>) {
        let app = Router::new()
            .route("/small", get(|| async { "small" }))
            .route("/large", get(|| async { "x".repeat(1 << 20) }));
        let (client, server) = duplex(16 * 1024);
        let serving = serve(server, app, Signals::default(), patience);
        (client, tokio::spawn(serving))
    }

    async fn rest(client: &mut DuplexStream) -> String {
        let mut text = String::new();
        timeout(LIMIT, client.read_to_string(&mut text))
            .await
            .unwrap()
            .unwrap();
        text
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_in_the_shape_of_every_error() {
        let long = "x".repeat(70_000);
        let headers = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(1 << 20));
        let small = "GET /small HTTP/1.1\r\n\r\n";
        for (before, request, status) in [
            (
                "",
                "GET /?a=\" HTTP/1.1\r\n\r\n".to_owned(),
                "400 Bad Request",
            ),
            ("", "nonsense\r\n\r\n".to_owned(), "400 Bad Request"),
            (
                "",
                format!("GET /{long} HTTP/1.1\r\n\r\n"),
                "414 URI Too Long",
            ),
            ("", headers, "431 Request Header Fields Too Large"),
            (small, "nonsense\r\n\r\n".to_owned(), "400 Bad Request"),
        ] {
            let (client, serving) = connected(Patience::default());
            let (mut reader, mut writer) = tokio::io::split(client);
            let asking = async {
                writer.write_all(before.as_bytes()).await.unwrap();
                let mut first = Vec::new();
                while !before.is_empty() && !first.ends_with(b"small") {
                    reader.read_buf(&mut first).await.unwrap();
                }
                // The server stops reading when it has seen enough.
                let sending = writer.write_all(request.as_bytes());
                let mut text = Vec::new();
                let _ = tokio::join!(sending, reader.read_to_end(&mut text));
                String::from_utf8(text).unwrap()
            };
            let text = timeout(LIMIT, asking).await.expect(status);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{head}"
            );
            assert!(
                head.contains(&format!("content-length: {}", body.len())),
                "{head}"
            );
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["message"], body["error"]);
            assert_eq!(
                (&body["error_type"], &body["traceback"]),
                (&"HTTPException".into(), &"".into())
            );
            assert!(
                head.contains(body["request_id"].as_str().unwrap()),
                "{head}"
            );
            timeout(LIMIT, serving).await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn whoever_takes_too_long_is_let_go() {
        let brief = Duration::from_millis(50);
        let impatient = Patience {
            head: brief,
            stall: brief,
            ..Patience::default()
        };
        // Half a head, nothing at all, and an answer that is not read.
        for request in [
            "GET /small HTTP/1.1\r\nhost: ",
            "",
            "GET /large HTTP/1.1\r\n\r\n",
        ] {
            let (mut client, serving) = connected(impatient);
            client.write_all(request.as_bytes()).await.unwrap();
            timeout(LIMIT, serving).await.expect(request).unwrap();
            assert!(!rest(&mut client).await.contains(" 500 "));
        }
    }

    /// Whether the connection ends when others need its place.
    async fn yields(request: &str, answered: &str, patience: Duration) -> bool {
        let signals = Signals::default();
        let patience = Patience {
            crowd: patience,
            ..Patience::default()
        };
        let slow = Router::new()
            .route("/small", get(|| async { "small" }))
            .route("/never", get(std::future::pending::<()>));
        let (mut client, server) = duplex(16 * 1024);
        let serving = tokio::spawn(serve(server, slow, signals.clone(), patience));
        client.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        while !said.ends_with(answered.as_bytes()) {
            timeout(LIMIT, client.read_buf(&mut said))
                .await
                .unwrap()
                .unwrap();
        }
        for _ in 0..100 {
            yield_now().await;
            signals.crowd.notify_waiters();
        }
        yield_now().await;
        serving.is_finished()
    }

    #[tokio::test]
    async fn in_a_crowd_those_make_room_who_ask_for_nothing() {
        let hour = Duration::from_secs(3600);
        let small = "GET /small HTTP/1.1\r\n\r\n";
        for (request, answered, patience, expected) in [
            ("", "", Duration::ZERO, true),
            ("GET /small HTTP/1.1\r\nhost: ", "", Duration::ZERO, true),
            (small, "small", Duration::ZERO, true),
            (small, "small", hour, false),
            ("", "", hour, false),
            ("GET /never HTTP/1.1\r\n\r\n", "", Duration::ZERO, false),
        ] {
            let yielded = yields(request, answered, patience).await;
            assert_eq!(yielded, expected, "{request:?} {patience:?}");
        }
    }
}
