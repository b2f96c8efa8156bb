//! `backlot functions invoke`: one call of a function through the gateway, with the headers that apps' calls have.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use owo_colors::OwoColorize as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proto::v1::{MintTokenRequest, RunnerStatusRequest, mint_token_request::Subject};
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    args::InvokeArgs,
    commands::running::{self, Running, refused},
    output::{CommandError, Done, ErrorCode, Output},
};

/// How long a function may be silent: before its answer begins, and between two pieces of it.
const SILENCE: Duration = Duration::from_secs(300);

/// What a name's part of a path may hold as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// A call's body and what it is.
type Body = Option<(Bytes, &'static str)>;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    status: u16,
    /// From the call to the end of its answer.
    milliseconds: u128,
    /// As it is where it is JSON; else as text.
    body: Value,
}

pub(super) async fn invoke(args: &InvokeArgs, output: Output) -> Result<Done, CommandError> {
    let body = body(args.data.as_deref())?;
    let server = Running::of(&args.dir)?;
    let request = request(args, &server, body).await?;
    let line = format!("{} {}", request.method(), request.uri().path());
    let begin = Instant::now();
    let answer = answer(request).await?;
    let status = answer.status();
    if let Some(place) = answer.headers().get(header::LOCATION) {
        output.note(&format!(
            "location: {}",
            String::from_utf8_lossy(place.as_bytes())
        ));
    }
    if status == StatusCode::NOT_FOUND {
        check_name(&args.name, &server).await?;
    }
    let body = match output {
        Output::Json => collect(answer.into_body()).await?,
        Output::Text => {
            copy(answer.into_body()).await?;
            Value::Null
        }
    };
    let milliseconds = begin.elapsed().as_millis();
    let done = match output {
        Output::Json => Done::new(
            "",
            &Report {
                status: status.as_u16(),
                milliseconds,
                body,
            },
        ),
        Output::Text => {
            let line = format!("{status} in {milliseconds} ms, {line}");
            output.note(&line.dimmed().to_string());
            Done::silent()
        }
    };
    Ok(done.with_exit(u8::from(!status.is_success())))
}

/// A function may answer 404 itself; that there is none of this name is another matter.
async fn check_name(name: &str, server: &Running) -> Result<(), CommandError> {
    let status = server.runner()?.runner_status(RunnerStatusRequest {}).await;
    let functions = status.map_err(|failure| refused(&failure))?.functions;
    let is_meant = |known: &str| {
        name.strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if functions.iter().any(|known| is_meant(&known.name)) {
        return Ok(());
    }
    let names: Vec<_> = functions.iter().map(|known| known.name.as_str()).collect();
    let hint = match names.as_slice() {
        [] => "the project has no functions; `backlot new function` writes one".to_owned(),
        names => format!("the project has: {}", names.join(", ")),
    };
    Err(CommandError::input(format!("there is no function `{name}`")).with_hint(hint))
}

async fn request(
    args: &InvokeArgs,
    server: &Running,
    body: Body,
) -> Result<Request<Full<Bytes>>, CommandError> {
    let method: Method = args.method.to_uppercase().parse().map_err(|_error| {
        CommandError::input(format!("`{}` is not a method", args.method))
            .with_hint("give one like GET or POST")
    })?;
    let mut request = Request::builder().method(method).uri(uri(args, server)?);
    if let Some(token) = token(args, server).await? {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let (body, kind) = body.map_or_else(|| (Bytes::new(), None), |(body, kind)| (body, Some(kind)));
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    request
        .body(Full::new(body))
        .map_err(|error| CommandError::input(format!("there is no such request: {error}")))
}

fn uri(args: &InvokeArgs, server: &Running) -> Result<Uri, CommandError> {
    let tail = match args.path.as_str() {
        tail if tail.is_empty() || tail.starts_with(['/', '?']) => tail.to_owned(),
        tail => format!("/{tail}"),
    };
    let url = format!(
        "{}/api/apps/{}/functions/{}{tail}",
        server.descriptor.url,
        utf8_percent_encode(&server.descriptor.app_id, PLAIN),
        utf8_percent_encode(&args.name, PLAIN),
    );
    url.parse().map_err(|error| {
        CommandError::input(format!("`{}` is not the end of a URL: {error}", args.path))
            .with_hint("write it as in a URL, with %20 for a space")
    })
}

/// Who calls, as a session of this server; the developer where nobody else is named.
async fn token(args: &InvokeArgs, server: &Running) -> Result<Option<String>, CommandError> {
    if args.anonymous {
        return Ok(None);
    }
    let subject = if args.service {
        Subject::Service(true)
    } else if let Some(email) = &args.user {
        server.check_account(email).await?;
        Subject::Email(email.clone())
    } else {
        Subject::Email(running::developer(&args.dir).email)
    };
    let request = MintTokenRequest {
        subject: Some(subject),
    };
    let minted = server.gateway()?.mint_token(request).await;
    minted
        .map(|minted| Some(minted.token))
        .map_err(|failure| refused(&failure))
}

/// JSON where it is typed; whatever it is where it is read.
fn body(data: Option<&str>) -> Result<Body, CommandError> {
    let Some(data) = data else { return Ok(None) };
    let read = |text: io::Result<Vec<u8>>, from: &str| {
        text.map_err(|error| CommandError::input(format!("cannot read {from}: {error}")))
    };
    let bytes = if data == "-" {
        let mut bytes = Vec::new();
        let count = io::stdin().lock().read_to_end(&mut bytes);
        read(count.map(|_count| bytes), "standard input")?
    } else if let Some(file) = data.strip_prefix('@') {
        read(fs::read(file), file)?
    } else {
        is_json(data.as_bytes()).map_err(|error| {
            CommandError::input(format!("`--data` is not JSON: {error}")).with_hint(
                "quote it for the shell, as in --data '{\"name\": \"Ada\"}'; @FILE takes any file",
            )
        })?;
        data.as_bytes().to_owned()
    };
    let kind = match (is_json(&bytes), std::str::from_utf8(&bytes)) {
        (Ok(()), _) => "application/json",
        (Err(_), Ok(_text)) => "text/plain; charset=utf-8",
        (Err(_), Err(_)) => "application/octet-stream",
    };
    Ok(Some((bytes.into(), kind)))
}

fn is_json(bytes: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map(drop)
}

async fn answer(request: Request<Full<Bytes>>) -> Result<Response<Incoming>, CommandError> {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    match timeout(SILENCE, client.request(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(format!("the server does not answer: {error}"))
            .with_hint("see what `backlot dev` says in its terminal")),
        Err(_elapsed) => Err(silent()),
    }
}

/// The next piece of an answer; nothing at its end.
async fn piece(body: &mut Incoming) -> Result<Option<Bytes>, CommandError> {
    loop {
        let frame = timeout(SILENCE, body.frame()).await;
        let Some(frame) = frame.map_err(|_elapsed| silent())? else {
            return Ok(None);
        };
        let frame = frame.map_err(|error| {
            failed(format!("the answer broke off: {error}"))
                .with_hint("see what `backlot dev` says in its terminal")
        })?;
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
}

/// Prints the pieces as they come.
async fn copy(mut body: Incoming) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    let mut last = b'\n';
    while let Some(piece) = piece(&mut body).await? {
        last = piece.last().copied().unwrap_or(last);
        // A reader that has gone away has read enough.
        if out.write_all(&piece).and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
    }
    if last != b'\n' {
        let _ = writeln!(out);
    }
    Ok(())
}

async fn collect(mut body: Incoming) -> Result<Value, CommandError> {
    let mut whole = Vec::new();
    while let Some(piece) = piece(&mut body).await? {
        whole.extend_from_slice(&piece);
    }
    let text = || Value::from(String::from_utf8_lossy(&whole));
    Ok(serde_json::from_slice(&whole).unwrap_or_else(|_no_json| text()))
}

fn failed(message: String) -> CommandError {
    CommandError::new(ErrorCode::Internal, message)
}

fn silent() -> CommandError {
    failed(format!(
        "the function was silent for {} s",
        SILENCE.as_secs()
    ))
    .with_command("see what it printed", "backlot logs")
}
