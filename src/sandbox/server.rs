//! The embedded cloud on a socket, for the AWS CLI and other SDKs: HTTP/1.1 in origin form and,
//! as a proxy is asked, in absolute form.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::account::{Broken, Sandbox};

/// More than any of the services takes in one call.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// Serves `sandbox` on `listener` until `shutdown` is done; open connections end with it.
pub(crate) async fn serve(
    listener: TcpListener,
    sandbox: Sandbox,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                let sandbox = sandbox.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| answer(sandbox.clone(), request));
                    let connection = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    // A broken connection is the client's to notice.
                    drop(connection.await);
                });
            }
            // Ended connections are let go of.
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// An error drops the connection without an answer, which is what it stands for.
async fn answer(
    sandbox: Sandbox,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Broken> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Ok(failed(413, &error.to_string())),
    };
    let answer = sandbox
        .handle(http::Request::from_parts(parts, body))
        .await?;
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    Ok(response
        .body(Full::new(Bytes::from(answer.body)))
        .unwrap_or_else(|error| failed(500, &error.to_string())))
}

fn failed(status: u16, reason: &str) -> http::Response<Full<Bytes>> {
    let mut response = http::Response::new(Full::new(Bytes::from(reason.to_owned())));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
