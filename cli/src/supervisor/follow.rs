//! Brings what services stream to the terminal: functions' output and, when asked for, requests. Each goes on until it is
//! aborted, since a stream may break while its service lives.

use std::{convert::Infallible, sync::Arc, time::Duration};

use proto::{
    client::{GatewayClient, RunnerClient},
    v1::{
        CredentialRequestsRequest, LogLine, LogsRequest, RequestLogEntry, RequestLogRequest,
        log_line,
    },
};

use serde_json::Map;
use tokio::{sync::mpsc, time::sleep};

use crate::ui::{Entry, Level, Terminal};

/// Before a stream that broke, or could not be opened, is opened again.
const REOPEN: Duration = Duration::from_millis(500);

/// Shows the output of all functions.
pub(crate) async fn function_output(runner: RunnerClient, terminal: Arc<Terminal>) -> Infallible {
    let mut recent = None;
    loop {
        let request = LogsRequest {
            function: String::new(),
            follow: true,
            recent,
        };
        if let Ok(mut lines) = runner.logs(request).await {
            // What has been shown is not shown again.
            recent = Some(0);
            while let Ok(Some(line)) = lines.message().await {
                terminal.entry(&output_entry(line));
            }
        }
        sleep(REOPEN).await;
    }
}

/// Shows every request as it ends.
pub(crate) async fn requests(gateway: GatewayClient, terminal: Arc<Terminal>) -> Infallible {
    loop {
        if let Ok(mut entries) = gateway.request_log(RequestLogRequest {}).await {
            while let Ok(Some(request)) = entries.message().await {
                terminal.entry(&request_entry(request));
            }
        }
        sleep(REOPEN).await;
    }
}

/// Passes on that the gateway needs the developer's token. One request stands for all that come before it is worked off.
pub(crate) async fn credential_requests(
    gateway: GatewayClient,
    wanting: mpsc::Sender<()>,
) -> Infallible {
    loop {
        let request = CredentialRequestsRequest {};
        if let Ok(mut requests) = gateway.credential_requests(request).await {
            while let Ok(Some(_request)) = requests.message().await {
                let _ = wanting.try_send(());
            }
        }
        sleep(REOPEN).await;
    }
}

/// A line of a function as an entry.
pub(crate) fn output_entry(line: LogLine) -> Entry {
    let level = match line.level() {
        log_line::Level::Debug => Level::Debug,
        log_line::Level::Unspecified | log_line::Level::Info => Level::Info,
        log_line::Level::Warn => Level::Warn,
        log_line::Level::Error => Level::Error,
    };
    let mut entry = Entry {
        time: line.time,
        level,
        component: "function".to_owned(),
        function: Some(line.function),
        request_id: (!line.request_id.is_empty()).then_some(line.request_id),
        message: line.message,
        facts: Map::new(),
        code: None,
    };
    tell_place(&mut entry, &line.place);
    entry
}

/// As a mistake in any other file of the project is told. `place` may be empty.
fn tell_place(entry: &mut Entry, place: &str) {
    let mut parts = place.rsplitn(3, ':');
    let mut number = || parts.next()?.parse::<usize>().ok();
    let (column, line) = (number(), number());
    if let (Some(column), Some(line), Some(file)) = (column, line, parts.next()) {
        entry.tell_mistake(file, Some((line, column)));
    }
}

fn request_entry(request: RequestLogEntry) -> Entry {
    let milliseconds = request.duration_microseconds / 1000;
    let mut message = format!(
        "{} {} {} in {milliseconds} ms",
        request.method, request.path, request.status
    );
    let mut entry = Entry::new("gateway", Level::Debug, "");
    entry.tell("event", "request");
    entry.tell("method", request.method);
    entry.tell("path", request.path);
    entry.tell("status", request.status);
    entry.tell("milliseconds", milliseconds);
    if !request.function.is_empty() {
        message.push_str(&format!(", by {}", request.function));
        // Not `function`, which is whose output a line is.
        entry.tell("answered_by", request.function);
    }
    if !request.forwarded_to.is_empty() {
        message.push_str(&format!(", by {}", request.forwarded_to));
        entry.tell("forwarded_to", request.forwarded_to);
    }
    Entry {
        time: request.time,
        request_id: Some(request.request_id),
        message,
        ..entry
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use proto::{
        client::{GatewayClient, RunnerClient},
        telemetry::LogFormat,
    };
    use tokio::{net::TcpListener, sync::mpsc, task::JoinSet, time::timeout};

    use super::{Level, Terminal, credential_requests, function_output, requests};

    #[tokio::test]
    async fn a_stream_that_breaks_is_opened_again() {
        let terminal = Arc::new(Terminal::new(LogFormat::Text, Level::Error));
        for index in 0..3 {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let runner = RunnerClient::new(&address, None).unwrap();
            let gateway = GatewayClient::new(&address, None).unwrap();
            let mut following = JoinSet::new();
            match index {
                0 => following.spawn(function_output(runner, Arc::clone(&terminal))),
                1 => following.spawn(requests(gateway, Arc::clone(&terminal))),
                _ => following.spawn(credential_requests(gateway, mpsc::channel(1).0)),
            };
            for time in 0..3 {
                let came = timeout(Duration::from_secs(60), listener.accept()).await;
                assert!(came.is_ok(), "stream {index} is opened {time} times only");
            }
        }
    }
}
