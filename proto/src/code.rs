//! The closed set of error codes, with what each means in gRPC, in HTTP and as an exit status.

use tonic::Code as Grpc;

/// Why something failed, as far as a caller has to tell cases apart.
///
/// Adding one means a line in [`Code::ALL`] and a row below it; the compiler finds the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request makes no sense, whatever the state of the server.
    BadRequest,
    /// A record does not fit its schema.
    Invalid,
    /// Nobody is signed in, or the token is no good.
    Unauthenticated,
    /// Signed in, but not allowed.
    Forbidden,
    /// Not there, or hidden from this caller.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The request does not fit the present state.
    Conflict,
    /// A body, a file or a message over its limit.
    TooLarge,
    /// The request was meant for another host.
    Misdirected,
    /// Too many, or too far behind.
    RateLimited,
    /// Something did not answer in time.
    Timeout,
    /// A part of the server is not up; trying again soon makes sense.
    Unavailable,
    /// Somebody else's server did not answer as it should.
    BadGateway,
    /// The request has been here before.
    Loop,
    /// The user's function is broken.
    FunctionFailed,
    /// Part of the contract, not yet of this server.
    Unimplemented,
    /// Our own fault.
    Internal,
}

/// One code's meaning in the outside world.
struct Row {
    name: &'static str,
    grpc: Grpc,
    http: u16,
    error_type: &'static str,
}

const fn row(name: &'static str, grpc: Grpc, http: u16, error_type: &'static str) -> Row {
    Row {
        name,
        grpc,
        http,
        error_type,
    }
}

impl Code {
    /// Every code, in the order of the declaration.
    pub const ALL: [Self; 17] = [
        Self::BadRequest,
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::TooLarge,
        Self::Misdirected,
        Self::RateLimited,
        Self::Timeout,
        Self::Unavailable,
        Self::BadGateway,
        Self::Loop,
        Self::FunctionFailed,
        Self::Unimplemented,
        Self::Internal,
    ];

    const fn row(self) -> Row {
        match self {
            Self::BadRequest => row("BAD_REQUEST", Grpc::InvalidArgument, 400, "HTTPException"),
            Self::Invalid => row("INVALID", Grpc::InvalidArgument, 422, "ValidationError"),
            Self::Unauthenticated => row(
                "UNAUTHENTICATED",
                Grpc::Unauthenticated,
                401,
                "HTTPException",
            ),
            Self::Forbidden => row("FORBIDDEN", Grpc::PermissionDenied, 403, "HTTPException"),
            Self::NotFound => row("NOT_FOUND", Grpc::NotFound, 404, "HTTPException"),
            Self::MethodNotAllowed => row(
                "METHOD_NOT_ALLOWED",
                Grpc::InvalidArgument,
                405,
                "HTTPException",
            ),
            Self::Conflict => row("CONFLICT", Grpc::FailedPrecondition, 409, "HTTPException"),
            Self::TooLarge => row("TOO_LARGE", Grpc::ResourceExhausted, 413, "HTTPException"),
            Self::Misdirected => row("MISDIRECTED", Grpc::InvalidArgument, 421, "HTTPException"),
            Self::RateLimited => row(
                "RATE_LIMITED",
                Grpc::ResourceExhausted,
                429,
                "HTTPException",
            ),
            Self::Timeout => row("TIMEOUT", Grpc::DeadlineExceeded, 504, "TimeoutError"),
            Self::Unavailable => row("UNAVAILABLE", Grpc::Unavailable, 503, "ServiceUnavailable"),
            Self::BadGateway => row("BAD_GATEWAY", Grpc::Unavailable, 502, "BadGateway"),
            Self::Loop => row("LOOP", Grpc::FailedPrecondition, 508, "LoopDetected"),
            Self::FunctionFailed => row("FUNCTION_FAILED", Grpc::Aborted, 500, "FunctionError"),
            Self::Unimplemented => row(
                "UNIMPLEMENTED",
                Grpc::Unimplemented,
                501,
                "NotImplementedError",
            ),
            Self::Internal => row("INTERNAL", Grpc::Internal, 500, "InternalError"),
        }
    }

    /// Stable name, `NOT_FOUND`: what travels between processes and stands in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The gRPC status code.
    #[must_use]
    pub const fn grpc(self) -> Grpc {
        self.row().grpc
    }

    /// The HTTP status code.
    #[must_use]
    pub const fn http(self) -> u16 {
        self.row().http
    }

    /// `error_type` of an HTTP error body, in the words that the platform's own errors use.
    #[must_use]
    pub const fn error_type(self) -> &'static str {
        self.row().error_type
    }

    /// Exit status of a command that ends with this code: 2 for what the user can mend on the command line or in the
    /// configuration, 1 for everything else.
    #[must_use]
    pub const fn exit(self) -> u8 {
        match self.http() {
            400..=499 => 2,
            _ => 1,
        }
    }

    /// The code of that [`Code::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// The closest code for a status that carries no failure of ours, because the transport or a library made it.
    #[must_use]
    pub const fn from_grpc(code: Grpc) -> Self {
        match code {
            Grpc::InvalidArgument | Grpc::OutOfRange => Self::BadRequest,
            Grpc::Unauthenticated => Self::Unauthenticated,
            Grpc::PermissionDenied => Self::Forbidden,
            Grpc::NotFound => Self::NotFound,
            Grpc::AlreadyExists | Grpc::FailedPrecondition => Self::Conflict,
            Grpc::ResourceExhausted => Self::TooLarge,
            Grpc::DeadlineExceeded => Self::Timeout,
            Grpc::Unavailable | Grpc::Cancelled => Self::Unavailable,
            Grpc::Unimplemented => Self::Unimplemented,
            Grpc::Ok | Grpc::Unknown | Grpc::Aborted | Grpc::Internal | Grpc::DataLoss => {
                Self::Internal
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_is_found_by_its_name() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(code));
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::HashSet<_> =
            Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
