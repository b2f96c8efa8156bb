//! How much is being served, and the log of requests as they end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{body::Body, extract::Request, response::Response};
use hyper::body::Body as _;
use proto::{request_id::RequestId, v1::RequestLogEntry};
use tokio::sync::broadcast;

use crate::{held::Held, state::AppState};

/// Entries that a slow reader of the log may be behind before it misses some.
const BACKLOG: usize = 1024;

/// Counts and the log's readers.
#[derive(Debug)]
pub(crate) struct Traffic {
    requests: AtomicU64,
    in_flight: AtomicU64,
    entries: broadcast::Sender<RequestLogEntry>,
}

impl Traffic {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            requests: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            entries: broadcast::Sender::new(BACKLOG),
        })
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Entries from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<RequestLogEntry> {
        self.entries.subscribe()
    }
}

/// Set on a response by whoever knows who really answered.
#[derive(Clone, Debug)]
pub(crate) struct AnsweredBy(pub(crate) Arc<str>);

/// Set on a response that came from the platform: its address.
#[derive(Clone, Debug)]
pub(crate) struct ForwardedTo(pub(crate) Arc<str>);

/// One request, from its arrival to the last byte of its answer. Counted out and logged when dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    traffic: Arc<Traffic>,
    begun: Instant,
    /// None when nobody reads the log.
    entry: Option<Box<RequestLogEntry>>,
}

impl Visit {
    pub(crate) fn begin(state: &AppState, id: &RequestId, request: &Request) -> Self {
        let traffic = state.traffic().clone();
        traffic.requests.fetch_add(1, Ordering::Relaxed);
        traffic.in_flight.fetch_add(1, Ordering::Relaxed);
        let read = traffic.entries.receiver_count() > 0;
        let entry = read.then(|| {
            Box::new(RequestLogEntry {
                time: format!("{:.3}", jiff::Timestamp::now()),
                request_id: id.as_str().to_owned(),
                method: request.method().to_string(),
                path: request.uri().path().to_owned(),
                ..RequestLogEntry::default()
            })
        });
        Self {
            traffic,
            begun: Instant::now(),
            entry,
        }
    }

    /// Ends with the last byte of the response's body, or with the response when it has none. That the length is known
    /// does not mean that the body has arrived: a function's may be minutes away.
    pub(crate) fn end(mut self, response: Response) -> Response {
        if let Some(entry) = &mut self.entry {
            entry.status = response.status().as_u16().into();
            if let Some(AnsweredBy(function)) = response.extensions().get() {
                function.as_ref().clone_into(&mut entry.function);
            }
            if let Some(ForwardedTo(upstream)) = response.extensions().get() {
                upstream.as_ref().clone_into(&mut entry.forwarded_to);
            }
        }
        if response.body().is_end_stream() {
            return response;
        }
        response.map(|body| Body::new(Held::new(body, self)))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.traffic.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(mut entry) = self.entry.take() {
            let micros = self.begun.elapsed().as_micros();
            entry.duration_microseconds = u64::try_from(micros).unwrap_or(u64::MAX);
            // No reader left is no error.
            let _ = self.traffic.entries.send(*entry);
        }
    }
}
