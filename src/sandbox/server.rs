//! The listener and the switchboard: one port, told apart as AWS's own front doors are, by target, path and credential scope.

mod cable;
mod gate;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response};
use tokio::net::TcpListener;

use super::incident::Incident;
use super::reply::{Fault, Protocol};
use super::world::{World, lock, now_ms};
use super::{apigateway, bucket, ecr, gateway, iam, lambda, logs, metrics, sts};

pub(super) use cable::cut_the_network;
pub(super) use gate::{admit, http_date};

/// API Gateway's and Lambda's limits are below this.
const MOST_BYTES: usize = 32 << 20;

/// A pickle of the largest preset has some 50 MB; S3 itself would take 5 GB.
const MOST_OBJECT_BYTES: usize = 256 << 20;

/// A request whose body has been read.
#[derive(Debug)]
pub(super) struct Incoming {
    pub parts: Parts,
    pub body: Bytes,
}

impl Incoming {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    }

    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// One decoded query parameter.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.parts.uri.query()?;
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Service name in the signature's credential scope.
    fn scope(&self) -> Option<&str> {
        self.credential(3)
    }

    /// Region in the signature's credential scope.
    fn signed_region(&self) -> Option<&str> {
        self.credential(2)
    }

    /// A part of the credential and its scope: `AKIA…/20261123/us-east-2/logs/aws4_request`.
    fn credential(&self, part: usize) -> Option<&str> {
        self.header("authorization")?
            .split("Credential=")
            .nth(1)?
            .split([',', ' '])
            .next()?
            .split('/')
            .nth(part)
    }

    /// Operation named after the dot of `X-Amz-Target`.
    pub fn target(&self) -> Option<&str> {
        self.header("x-amz-target")?.rsplit('.').next()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Gateway,
    Logs,
    Lambda,
    Metrics,
    Sts,
    Iam,
    Ecr,
    ApiGateway,
    Bucket,
}

pub(super) async fn serve(listener: TcpListener, world: Arc<World>) {
    let stop = world.stop.clone();
    let listener = cable::Socket::new(listener, Arc::clone(&world));
    let router = Router::new().fallback(dispatch).with_state(world);
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::warn!(%error, "the sandbox stopped serving");
    }
}

async fn dispatch(State(world): State<Arc<World>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let request_id = lock(&world.function).request_id().to_string();
    let mut incoming = Incoming {
        parts,
        body: Bytes::new(),
    };
    // S3's requests are known by their head; only forms are told apart by their body.
    let stores = service(&world, &incoming) == Service::Bucket;
    let most = if stores {
        MOST_OBJECT_BYTES
    } else {
        MOST_BYTES
    };
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let read = match announced {
        // Nothing of it is read.
        _ if announced > most => None,
        _ => axum::body::to_bytes(body, most).await.ok(),
    };
    let Some(body) = read else {
        return too_large(stores, &request_id);
    };
    incoming.body = body;
    let service = service(&world, &incoming);
    let mut response = match service {
        Service::Gateway => gateway::answer(&world, incoming).await,
        _ => match serve_aws(&world, service, &incoming).await {
            Ok(response) => response,
            Err(fault) => fault.render(protocol(service, &incoming), &request_id),
        },
    };
    if service != Service::Gateway {
        let name = if service == Service::Bucket {
            "x-amz-request-id"
        } else {
            "x-amzn-requestid"
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(name, id);
        }
    }
    if world.is(Incident::ClockSkew) {
        let skewed = http_date(now_ms() + gate::SKEW_MS);
        if let Ok(date) = HeaderValue::from_str(&skewed) {
            response.headers_mut().insert("date", date);
        }
    }
    response
}

/// The answer to a body beyond what is read, as S3 or the others word it.
fn too_large(stores: bool, request_id: &str) -> Response<Body> {
    if stores {
        let said = "Your proposed upload exceeds the maximum allowed size";
        Fault::new(400, "EntityTooLarge", said).render(Protocol::RestXml, request_id)
    } else {
        let (code, said) = ("RequestEntityTooLargeException", "Request is too large");
        Fault::new(413, code, said).render(Protocol::RestJson, request_id)
    }
}

async fn serve_aws(
    world: &Arc<World>,
    service: Service,
    incoming: &Incoming,
) -> Result<Response<Body>, Fault> {
    match service {
        Service::Logs => logs::serve(world, incoming).await,
        Service::Lambda => lambda::serve(world, incoming).await,
        Service::Metrics => metrics::serve(world, incoming).await,
        Service::Sts => sts::serve(world, incoming),
        Service::Iam => iam::serve(world, incoming),
        Service::Ecr => ecr::serve(world, incoming),
        Service::ApiGateway => apigateway::serve(world, incoming),
        Service::Bucket => bucket::serve(world, incoming),
        Service::Gateway => Err(Fault::new(500, "InternalFailure", "not an AWS service")),
    }
}

fn service(world: &World, incoming: &Incoming) -> Service {
    let path = incoming.path();
    match incoming
        .header("x-amz-target")
        .and_then(|target| target.split(['_', '.']).next())
    {
        Some("Logs") => return Service::Logs,
        Some("GraniteServiceVersion20100801") => return Service::Metrics,
        Some("AmazonEC2ContainerRegistry") => return Service::Ecr,
        _ => {}
    }
    if path.starts_with("/service/GraniteServiceVersion20100801/") {
        return Service::Metrics;
    }
    match incoming.scope() {
        Some("logs") => return Service::Logs,
        Some("lambda") => return Service::Lambda,
        Some("monitoring") => return Service::Metrics,
        Some("sts") => return Service::Sts,
        Some("iam") => return Service::Iam,
        Some("ecr") => return Service::Ecr,
        Some("apigateway") => return Service::ApiGateway,
        Some("s3") => return Service::Bucket,
        _ => {}
    }
    if path.starts_with("/20") {
        Service::Lambda
    } else if path.starts_with("/v2/") {
        Service::ApiGateway
    } else if path
        .strip_prefix('/')
        .and_then(|rest| rest.strip_prefix(world.options.bucket.as_str()))
        .is_some()
    {
        Service::Bucket
    } else if incoming
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        && incoming.body.windows(7).any(|window| window == b"Action=")
    {
        if incoming
            .body
            .windows(10)
            .any(|window| window == b"2010-05-08")
        {
            Service::Iam
        } else {
            Service::Sts
        }
    } else {
        Service::Gateway
    }
}

fn protocol(service: Service, incoming: &Incoming) -> Protocol {
    match service {
        Service::Logs | Service::Ecr => Protocol::AwsJson("1.1"),
        Service::Metrics if incoming.path().starts_with("/service/") => Protocol::Cbor,
        Service::Metrics => Protocol::AwsJson("1.0"),
        Service::Sts | Service::Iam => Protocol::Query,
        Service::Bucket => Protocol::RestXml,
        Service::Lambda | Service::ApiGateway | Service::Gateway => Protocol::RestJson,
    }
}
