//! A platform over TLS: trusted when the machine's certificates say so, and only then.

use std::{fs, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tests::{http::Answer, project::Project, server::Server};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use super::{linked, project};

/// Answers everything over TLS; its address and its certificate.
async fn platform() -> (String, String) {
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let CertifiedKey { cert, signing_key } = made;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let answer =
                    b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nfrom afar";
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (format!("https://localhost:{port}"), cert.pem())
}

async fn served(project: &Project, url: &str, certificates: &str) -> Server {
    let file = project.user("tmp").join("certificates.pem");
    fs::write(&file, certificates).unwrap();
    linked(project, url)
        .env("SSL_CERT_FILE", file)
        .start()
        .await
}

#[tokio::test]
async fn a_certificate_that_this_machine_trusts_is_trusted_and_no_other() {
    let (url, certificate) = platform().await;
    let (_, another) = platform().await;
    let project = project();
    let ask = async |server: &Server| -> Answer { server.get("/api/apps/app-1/agents").await };

    let server = served(&project, &url, &certificate).await;
    let answer = ask(&server).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "from afar"));
    drop(server);

    let server = served(&project, &url, &another).await;
    let message = ask(&server).await.expect(502)["message"].to_string();
    assert!(
        message.contains("could not be reached: invalid peer certificate"),
        "{message}"
    );
    drop(server);

    let nowhere = project.user("nowhere");
    let server = linked(&project, &url)
        .env("SSL_CERT_FILE", &nowhere)
        .env("SSL_CERT_DIR", &nowhere)
        .start()
        .await;
    let message = ask(&server).await.expect(502)["message"].to_string();
    assert!(message.contains("could not be reached"), "{message}");
    server.says("no https upstream can be trusted").await;
}
