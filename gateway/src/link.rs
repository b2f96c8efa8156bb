//! One stream to the store for the many small operations on single records, in place of a call for each.
//!
//! A call costs headers both ways; an operation on the stream costs its message. The stream is opened by the first
//! operation and again by the first after a break. Nothing is sent that nobody waits for any more: a write whose caller was
//! told of a failure must not be done later, when that caller has tried again.

use std::{collections::HashMap, pin::pin, sync::Arc};

use proto::{
    Code, Failure,
    client::{CALL, StoreClient},
    request_id::{self, RequestId},
    v1::{
        Operation, OperationResult, RecordResponse, operation::Request,
        operation_result::Result as Outcome,
    },
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::timeout,
};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Streaming;

type Reply = oneshot::Sender<Result<Outcome, Failure>>;

struct Job {
    request: Request,
    request_id: Option<RequestId>,
    reply: Reply,
}

/// Dropping it ends the stream.
#[derive(Debug)]
pub(crate) struct Link {
    // Unbounded, and yet not much longer than there are requests: each waits for its own answer, and those whose callers
    // have given up are passed over.
    jobs: mpsc::UnboundedSender<Job>,
    /// Told of by whoever has waited too long for an answer.
    stall: Arc<Notify>,
    _driving: DropGuard,
}

impl Link {
    /// A link that is opened when it is first used, until this is dropped. An order to end does not close it: requests
    /// that have begun still need it.
    pub(crate) fn new(store: StoreClient) -> Self {
        let (jobs, queue) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let stall = Arc::new(Notify::new());
        let driving = drive(store, queue, Arc::clone(&stall));
        tokio::spawn(stop.clone().run_until_cancelled_owned(driving));
        Self {
            jobs,
            stall,
            _driving: stop.drop_guard(),
        }
    }

    /// Does an operation whose answer is a record, or nothing.
    ///
    /// # Errors
    ///
    /// What the store answered, or `UNAVAILABLE` and `TIMEOUT` when it did not.
    pub(crate) async fn record(&self, request: Request) -> Result<RecordResponse, Failure> {
        let (reply, answer) = oneshot::channel();
        // A queue that is closed drops the reply, which is told below.
        let _ = self.jobs.send(Job {
            request,
            request_id: request_id::current(),
            reply,
        });
        let answer = timeout(CALL, answer).await;
        let answer = answer.map_err(|_elapsed| {
            self.stall.notify_waiters();
            let message = format!("The store did not answer within {} s", CALL.as_secs());
            Failure::new(Code::Timeout, message)
        })?;
        match answer.map_err(|_dropped| broken())?? {
            Outcome::Record(record) => Ok(record),
            Outcome::Failure(_) => Err(broken()),
        }
    }
}

fn broken() -> Failure {
    Failure::new(Code::Unavailable, "The store is not available right now")
        .with_detail("the stream of operations broke off")
}

async fn drive(store: StoreClient, mut queue: mpsc::UnboundedReceiver<Job>, stall: Arc<Notify>) {
    while let Some(first) = queue.recv().await {
        if first.reply.is_closed() {
            continue;
        }
        let (operations, sent) = mpsc::unbounded_channel();
        match store.operate(UnboundedReceiverStream::new(sent)).await {
            Ok(results) => {
                let mut stream = Stream {
                    operations,
                    results,
                    waiting: HashMap::new(),
                    tag: 0,
                };
                stream.send(first);
                stream.run(&mut queue, &stall).await;
            }
            // Nobody who is gone minds.
            Err(failure) => drop(first.reply.send(Err(failure))),
        }
    }
}

/// One opening of the stream. Replies that are still waiting when it ends are dropped with it.
struct Stream {
    operations: mpsc::UnboundedSender<Operation>,
    results: Streaming<OperationResult>,
    waiting: HashMap<u64, Reply>,
    tag: u64,
}

impl Stream {
    async fn run(&mut self, queue: &mut mpsc::UnboundedReceiver<Job>, stall: &Notify) {
        let mut stalled = pin!(stall.notified());
        loop {
            tokio::select! {
                biased;
                () = &mut stalled => {
                    // What has not left yet goes with the stream, instead of being done late.
                    tracing::debug!("the stream of operations stalled");
                    return;
                }
                result = self.results.message() => match result {
                    Ok(Some(result)) => self.answer(result),
                    Ok(None) => return,
                    Err(status) => {
                        tracing::debug!(%status, "the stream of operations broke off");
                        return;
                    }
                },
                job = queue.recv() => match job {
                    Some(job) => self.send(job),
                    None => return,
                },
            }
        }
    }

    fn send(&mut self, job: Job) {
        if job.reply.is_closed() {
            return;
        }
        self.tag += 1;
        self.waiting.insert(self.tag, job.reply);
        // A stream that is gone says so on its other side.
        let _ = self.operations.send(Operation {
            tag: self.tag,
            request: Some(job.request),
            request_id: job.request_id.as_deref().unwrap_or_default().to_owned(),
        });
    }

    fn answer(&mut self, result: OperationResult) {
        let Some(reply) = self.waiting.remove(&result.tag) else {
            return;
        };
        let outcome = match result.result {
            None => Err(broken()),
            Some(Outcome::Failure(failure)) => {
                Err(Failure::try_from(failure).unwrap_or_else(|_unknown| broken()))
            }
            Some(outcome) => Ok(outcome),
        };
        let _ = reply.send(outcome);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use proto::{
        Code,
        client::StoreClient,
        v1::{CreateRequest, GetRequest, operation::Request, store_server::StoreServer},
    };
    use tokio::{
        net::TcpListener,
        time::{pause, resume},
    };
    use tonic::transport::{Server, server::TcpIncoming};

    use super::Link;
    use crate::tests::fake_store::FakeStore;

    fn get(entity: &str) -> Request {
        Request::Get(GetRequest {
            entity: entity.to_owned(),
            ..GetRequest::default()
        })
    }

    fn create() -> Request {
        Request::Create(CreateRequest {
            entity: "Task".to_owned(),
            ..CreateRequest::default()
        })
    }

    /// A store that has an address and does not answer there yet.
    async fn bind() -> (TcpListener, Link) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (
            listener,
            Link::new(StoreClient::new(&address, None).unwrap()),
        )
    }

    fn serve(listener: TcpListener, store: &FakeStore) {
        let serving = Server::builder()
            .add_service(StoreServer::new(store.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(serving);
    }

    #[tokio::test]
    async fn answers_find_their_askers_and_a_store_that_is_gone_is_unavailable() {
        let (listener, link) = bind().await;
        serve(listener, &FakeStore::default());
        let asked = (0..50).map(|n| link.record(get(if n % 2 == 0 { "Task" } else { "Missing" })));
        for (n, answer) in join_all(asked).await.into_iter().enumerate() {
            assert_eq!(answer.is_ok(), n % 2 == 0, "{n}");
        }

        drop(link);
        let gone = StoreClient::new("127.0.0.1:0", None).unwrap();
        let link = Link::new(gone);
        for _ in 0..2 {
            let failure = link.record(get("Task")).await.unwrap_err();
            assert_eq!(failure.code(), Code::Unavailable);
        }
    }

    #[tokio::test]
    async fn a_write_whose_caller_has_given_up_is_not_done_when_the_store_recovers() {
        let store = FakeStore::default();
        let (listener, link) = bind().await;
        pause();
        // The first waits for the stream, and the others for the first.
        for answer in join_all((0..3).map(|_| link.record(create()))).await {
            answer.unwrap_err();
        }
        resume();
        serve(listener, &store);
        link.record(get("Task")).await.unwrap();
        assert_eq!(store.calls(), ["get Task nobody "]);

        pause();
        let late = join_all([get("Stalled"), create(), create()].map(|one| link.record(one)));
        for answer in late.await {
            answer.unwrap_err();
        }
        resume();
        link.record(get("Task")).await.unwrap();
        assert_eq!(store.calls(), ["get Task nobody "]);
    }
}
