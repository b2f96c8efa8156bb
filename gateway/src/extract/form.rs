//! Multipart forms, piece by piece.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header;
use multer::{Constraints, Field, Multipart, SizeLimit};
use proto::{Code, Failure};

use crate::{error::Problem, layers::broken_off};

/// Bytes of the largest file: 50 MiB, exactly.
pub(crate) const FILE_LIMIT: usize = 50 * 1024 * 1024;

/// Bytes of the largest form: a file and what stands around it.
const FORM_LIMIT: u64 = 51 * 1024 * 1024;

/// A multipart form.
#[derive(Debug)]
pub(crate) struct Form(Multipart<'static>);

/// The one file of a form.
#[derive(Debug)]
pub(crate) struct Upload {
    form: Multipart<'static>,
    /// Until it has been read.
    field: Option<Field<'static>>,
    name: String,
    taken: usize,
}

impl Form {
    /// The part `file`; fields before it are passed over.
    ///
    /// # Errors
    ///
    /// When there is none, another file comes first, or the form is broken.
    pub(crate) async fn file(mut self) -> Result<Upload, Failure> {
        while let Some(field) = step(self.0.next_field()).await? {
            let Some(name) = file_name(&field).map(str::to_owned) else {
                continue;
            };
            if field.name() != Some("file") {
                return Err(unexpected());
            }
            return Ok(Upload {
                form: self.0,
                field: Some(field),
                name,
                taken: 0,
            });
        }
        Err(no_file())
    }
}

/// Browsers send an empty name for a file that was not chosen.
fn file_name<'a>(field: &'a Field<'_>) -> Option<&'a str> {
    field.file_name().filter(|name| !name.is_empty())
}

impl Upload {
    /// As the sender calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The next bytes; none at the end, when the rest of the form has been seen to be one.
    ///
    /// # Errors
    ///
    /// `TOO_LARGE` beyond [`FILE_LIMIT`]; `BAD_REQUEST` when the form breaks off, or there is a second file: one of them
    /// would be lost without a word.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(field) = &mut self.field else {
            return Ok(None);
        };
        let Some(piece) = step(field.chunk()).await? else {
            self.field = None;
            return self.end().await.map(|()| None);
        };
        self.taken += piece.len();
        if self.taken > FILE_LIMIT {
            return Err(too_large());
        }
        Ok(Some(piece))
    }

    async fn end(&mut self) -> Result<(), Failure> {
        while let Some(field) = step(self.form.next_field()).await? {
            if file_name(&field).is_some() {
                return Err(unexpected());
            }
        }
        Ok(())
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
        let limit = SizeLimit::new().whole_stream(FORM_LIMIT);
        let limit = Constraints::new().size_limit(limit);
        Ok(Self(Multipart::with_constraints(stream, boundary, limit)))
    }
}

fn no_file() -> Failure {
    Failure::new(Code::BadRequest, "No file uploaded")
}

/// In the words of the official development server.
fn unexpected() -> Failure {
    Failure::new(Code::BadRequest, "Unexpected field").with_hint("send one file, as `file`")
}

fn too_large() -> Failure {
    Failure::new(Code::TooLarge, "File too large")
}

async fn step<T>(step: impl Future<Output = multer::Result<T>>) -> Result<T, Failure> {
    step.await.map_err(|error| match error {
        multer::Error::StreamReadFailed(error) => broken_off(&*error),
        multer::Error::StreamSizeExceeded { .. } => too_large(),
        error => {
            Failure::new(Code::BadRequest, "The form is malformed").with_detail(error.to_string())
        }
    })
}
