//! `google.rpc.Status`, in which gRPC clients of every language expect the details of an error.
//!
//! Those that find anything else in its place read a wrong code out of it. Written out here because it is two small
//! messages, fixed for good: <https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto>.

use bytes::Bytes;
use prost::Message;
use tonic::Code;

/// What names the type of a detail, before the message's full name.
const TYPE_URL: &str = "type.googleapis.com/";

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// The binary details of a status with one detail, a message of the type `name`.
pub(crate) fn encode(code: Code, message: &str, name: &str, detail: &impl Message) -> Bytes {
    let status = Status {
        code: code.into(),
        message: message.to_owned(),
        details: vec![Any {
            type_url: format!("{TYPE_URL}{name}"),
            value: detail.encode_to_vec(),
        }],
    };
    status.encode_to_vec().into()
}

/// The detail of the type `name` in the binary details of a status, if there is one.
pub(crate) fn detail<M: Message + Default>(details: &[u8], name: &str) -> Option<M> {
    let status = Status::decode(details).ok()?;
    let is_wanted = |any: &&Any| any.type_url.rsplit('/').next() == Some(name);
    let found = status.details.iter().find(is_wanted)?;
    M::decode(found.value.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::{detail, encode};
    use crate::v1::FailureDetail;

    #[test]
    fn a_detail_is_found_by_its_name_only() {
        let wanted = FailureDetail {
            code: "NOT_FOUND".to_owned(),
            ..FailureDetail::default()
        };
        let details = encode(Code::NotFound, "gone", "backlot.v1.FailureDetail", &wanted);
        assert_eq!(detail(&details, "backlot.v1.FailureDetail"), Some(wanted));
        assert_eq!(detail::<FailureDetail>(&details, "another.Detail"), None);
        assert_eq!(
            detail::<FailureDetail>(b"nonsense", "backlot.v1.FailureDetail"),
            None
        );
        // The first field is the numeric code, which other clients read.
        assert_eq!(&details[..2], [0x08, 5]);
    }
}
