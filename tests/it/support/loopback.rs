//! A server on this machine that hears every request and answers as a test wants it to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response};
use tokio::net::TcpListener;

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Heard {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// The server. It stops with the runtime it was started on.
pub struct Loopback {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Loopback {
    /// Starts a server whose every answer `answer` gives.
    pub async fn start<F: Future<Output = Response<Body>> + Send>(
        answer: impl Fn(Heard) -> F + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        let app = Router::new().fallback(move |request: Request| {
            let (answer, notes) = (answer.clone(), Arc::clone(&notes));
            async move {
                let (parts, body) = request.into_parts();
                let heard = Heard {
                    method: parts.method,
                    path: parts
                        .uri
                        .path_and_query()
                        .map_or_else(String::new, ToString::to_string),
                    headers: parts.headers,
                    body: to_bytes(body, 64 << 20).await.unwrap(),
                };
                notes.lock().unwrap().push(heard.clone());
                answer(heard).await
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, heard }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was heard so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

/// A JSON answer.
pub fn json(status: u16, body: &serde_json::Value) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}
