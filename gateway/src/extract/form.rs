//! Multipart forms, piece by piece.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header;
use multer::{Field, Multipart};
use proto::{Code, Failure};

use crate::{error::Problem, layers::broken_off};

/// Bytes of the largest file: 50 MiB, exactly.
pub(crate) const FILE_LIMIT: usize = 50 * 1024 * 1024;

/// A multipart form.
#[derive(Debug)]
pub(crate) struct Form(Multipart<'static>);

/// The file in a form.
#[derive(Debug)]
pub(crate) struct Upload {
    field: Field<'static>,
    taken: usize,
}

impl Form {
    /// The part `file`; others before it are passed over.
    ///
    /// # Errors
    ///
    /// When there is none, or the form is broken.
    pub(crate) async fn file(&mut self) -> Result<Upload, Failure> {
        while let Some(field) = step(self.0.next_field()).await? {
            if field.name() == Some("file") && field.file_name().is_some() {
                return Ok(Upload { field, taken: 0 });
            }
        }
        Err(no_file())
    }
}

impl Upload {
    /// As the sender calls it; empty when it does not.
    pub(crate) fn name(&self) -> &str {
        self.field.file_name().unwrap_or_default()
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    ///
    /// `TOO_LARGE` beyond [`FILE_LIMIT`].
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(piece) = step(self.field.chunk()).await? else {
            return Ok(None);
        };
        self.taken += piece.len();
        if self.taken > FILE_LIMIT {
            return Err(Failure::new(Code::TooLarge, "File too large"));
        }
        Ok(Some(piece))
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind)
            .map_err(|error| no_file().with_detail(error.to_string()))?;
        let stream = request.into_body().into_data_stream();
        Ok(Self(Multipart::new(stream, boundary)))
    }
}

fn no_file() -> Failure {
    Failure::new(Code::BadRequest, "No file uploaded")
}

async fn step<T>(step: impl Future<Output = multer::Result<T>>) -> Result<T, Failure> {
    step.await.map_err(|error| match error {
        multer::Error::StreamReadFailed(error) => broken_off(&*error),
        error => {
            Failure::new(Code::BadRequest, "The form is malformed").with_detail(error.to_string())
        }
    })
}
