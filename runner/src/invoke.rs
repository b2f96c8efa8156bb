//! One call of a function with its whole answer in memory, for debugging by hand.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use http::{Request, Response, header::HOST};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use proto::{
    Code, Failure,
    v1::{InvokeRequest, InvokeResponse},
};
use tokio::{net::TcpStream, time::timeout};

use crate::{pool::Endpoint, url};

/// Bytes of a body, either way.
const BODY: usize = 1024 * 1024;

/// How long the function may take.
const ANSWER: Duration = Duration::from_secs(60);

/// Calls the function behind `endpoint`.
///
/// # Errors
///
/// `TOO_LARGE` for a body over the limit, `BAD_REQUEST` for what is no HTTP, `BAD_GATEWAY` when the process breaks off,
/// `TIMEOUT` when it does not answer.
pub(crate) async fn invoke(
    endpoint: &Endpoint,
    request: InvokeRequest,
) -> Result<InvokeResponse, Failure> {
    let function = request.function.clone();
    let request = outgoing(endpoint, request)?;
    match timeout(ANSWER, exchange(endpoint, request)).await {
        Ok(answered) => answered,
        Err(_) => Err(Failure::new(
            Code::Timeout,
            format!(
                "Function \"{function}\" did not answer within {} s",
                ANSWER.as_secs()
            ),
        )),
    }
}

fn outgoing(endpoint: &Endpoint, request: InvokeRequest) -> Result<Request<Full<Bytes>>, Failure> {
    if request.body.len() > BODY {
        return Err(Failure::new(
            Code::TooLarge,
            "the body is larger than 1 MiB",
        ));
    }
    let method = match request.method.as_str() {
        "" => "POST",
        method => method,
    };
    let slash = match request.path_and_query.as_bytes().first() {
        None | Some(b'/' | b'?') => "",
        Some(_) => "/",
    };
    let name = url::path(request.function.as_bytes());
    let path = format!("/{name}{slash}{}", request.path_and_query);
    let mut outgoing = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, endpoint.address.to_string());
    for (name, value) in &request.headers {
        if !name.eq_ignore_ascii_case("host") && !name.eq_ignore_ascii_case("content-length") {
            outgoing = outgoing.header(name, value);
        }
    }
    outgoing
        .body(Full::new(request.body))
        .map_err(|error| Failure::new(Code::BadRequest, format!("not a request: {error}")))
}

async fn exchange(
    endpoint: &Endpoint,
    request: Request<Full<Bytes>>,
) -> Result<InvokeResponse, Failure> {
    let stream = TcpStream::connect(endpoint.address).await.map_err(broken)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // Ends with the exchange: the sender is dropped, or the answer has been read.
    let driving = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(broken)?;
    let answer = incoming(response).await;
    driving.abort();
    answer
}

async fn incoming(response: Response<Incoming>) -> Result<InvokeResponse, Failure> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, BODY).collect().await.map_err(|error| {
        if error.downcast_ref::<LengthLimitError>().is_some() {
            Failure::new(Code::TooLarge, "the function's answer is larger than 1 MiB")
        } else {
            broken(error)
        }
    })?;
    let mut headers = HashMap::<String, String>::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.to_string())
            .and_modify(|values| {
                values.push_str(", ");
                values.push_str(&value);
            })
            .or_insert_with(|| value.to_string());
    }
    Ok(InvokeResponse {
        status: u32::from(head.status.as_u16()),
        headers,
        body: body.to_bytes(),
    })
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(Code::BadGateway, "Failed to proxy request to function")
        .with_detail(error.into().to_string())
}

#[cfg(test)]
mod tests {
    use proto::v1::InvokeRequest;

    use super::outgoing;
    use crate::pool::{Endpoint, Generation};

    #[test]
    fn a_function_is_called_by_its_name_whatever_is_in_it() {
        for (function, path, expected) in [
            ("a", "", "/a"),
            ("mail/send", "x?y=1", "/mail/send/x?y=1"),
            ("a b#c?d", "/x", "/a%20b%23c%3Fd/x"),
        ] {
            let endpoint = Endpoint {
                function: function.to_owned(),
                address: ([127, 0, 0, 1], 1).into(),
                generation: Generation(1),
            };
            let request = InvokeRequest {
                function: function.to_owned(),
                path_and_query: path.to_owned(),
                ..InvokeRequest::default()
            };
            let request = outgoing(&endpoint, request).unwrap();
            assert_eq!(request.uri(), expected);
        }
    }
}
