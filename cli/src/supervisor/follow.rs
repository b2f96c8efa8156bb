//! Brings what services stream to the terminal: functions' output and, when asked for, requests.

use std::sync::Arc;

use proto::{
    client::{GatewayClient, RunnerClient},
    v1::{
        CredentialRequestsRequest, LogLine, LogsRequest, RequestLogEntry, RequestLogRequest,
        log_line,
    },
};

use serde_json::Map;
use tokio::sync::mpsc;

use crate::ui::{Entry, Level, Terminal};

/// Shows the output of all functions until the runner ends.
pub(crate) async fn function_output(runner: RunnerClient, terminal: Arc<Terminal>) {
    let request = LogsRequest {
        function: String::new(),
        follow: true,
        recent: None,
    };
    let Ok(mut lines) = runner.logs(request).await else {
        return;
    };
    while let Ok(Some(line)) = lines.message().await {
        terminal.entry(&output_entry(line));
    }
}

/// Shows every request as it ends until the gateway does.
pub(crate) async fn requests(gateway: GatewayClient, terminal: Arc<Terminal>) {
    let Ok(mut entries) = gateway.request_log(RequestLogRequest {}).await else {
        return;
    };
    while let Ok(Some(request)) = entries.message().await {
        terminal.entry(&request_entry(request));
    }
}

/// Passes on that the gateway needs the developer's token until the gateway ends. One request stands for all that come
/// before it is worked off.
pub(crate) async fn credential_requests(gateway: GatewayClient, wanting: mpsc::Sender<()>) {
    let request = CredentialRequestsRequest {};
    let Ok(mut requests) = gateway.credential_requests(request).await else {
        return;
    };
    while let Ok(Some(_request)) = requests.message().await {
        let _ = wanting.try_send(());
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
    Entry {
        time: line.time,
        level,
        component: "function".to_owned(),
        function: Some(line.function),
        request_id: (!line.request_id.is_empty()).then_some(line.request_id),
        message: line.message,
        facts: Map::new(),
        code: None,
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
