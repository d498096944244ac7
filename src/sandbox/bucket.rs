//! The model store: enough of S3 for versions, a pointer, and the conditions that make both safe.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response};
use sha2::{Digest, Sha256};

use super::reply::{Fault, escape, respond};
use super::server::{Incoming, admit, http_date};
use super::world::{World, lock, now_ms};

/// One stored object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub bytes: Vec<u8>,
    pub etag: String,
    pub modified_ms: i64,
}

/// The objects of the one bucket, by key.
pub(super) type Objects = BTreeMap<String, Object>;

/// What the owner's deployment put there.
pub(super) fn furnished(now: i64) -> Objects {
    let params = br#"{"randomforest":{"n_estimators":138,"max_depth":8,"min_samples_split":3},"lightgbm":{},"xgboost":{},"last_updated":"2025-12-23T17:21:13.379947"}"#;
    let object = |bytes: &[u8]| Object {
        bytes: bytes.to_vec(),
        etag: etag(bytes),
        modified_ms: now,
    };
    BTreeMap::from([(
        "hyperparameters/best_params.json".to_owned(),
        object(params),
    )])
}

fn etag(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let hex = Sha256::digest(bytes)
        .iter()
        .take(16)
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
    format!("\"{hex}\"")
}

pub(super) fn serve(world: &World, incoming: &Incoming) -> Result<Response<Body>, Fault> {
    let path = decoded_path(incoming);
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path.trim_start_matches('/'), ""));
    let method = &incoming.parts.method;
    let action = match (method, key.is_empty()) {
        (&Method::PUT, _) => "s3:PutObject",
        (&Method::DELETE, _) => "s3:DeleteObject",
        (_, true) => "s3:ListBucket",
        (_, false) => "s3:GetObject",
    };
    admit(
        world,
        incoming,
        action,
        &format!("arn:aws:s3:::{bucket}/{key}"),
    )?;
    if bucket != world.options.bucket {
        return Err(Fault::new(
            404,
            "NoSuchBucket",
            "The specified bucket does not exist",
        ));
    }
    match (method, key.is_empty()) {
        (&Method::GET | &Method::HEAD, true) => Ok(list(world, incoming)),
        (&Method::GET | &Method::HEAD, false) => read(world, incoming, key),
        (&Method::PUT, false) => write(world, incoming, key),
        (&Method::DELETE, false) => {
            lock(&world.objects).remove(key);
            Ok(respond(204, "application/xml", ""))
        }
        _ => Err(Fault::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )),
    }
}

fn decoded_path(incoming: &Incoming) -> String {
    let query = format!("p={}", incoming.path().replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn read(world: &World, incoming: &Incoming, key: &str) -> Result<Response<Body>, Fault> {
    let object = lock(&world.objects)
        .get(key)
        .cloned()
        .ok_or_else(|| Fault::new(404, "NoSuchKey", "The specified key does not exist."))?;
    if incoming
        .header("if-match")
        .is_some_and(|wanted| wanted != object.etag)
    {
        return Err(precondition());
    }
    let length = object.bytes.len();
    let head = incoming.parts.method == Method::HEAD;
    let mut response = respond(
        200,
        "binary/octet-stream",
        if head { Vec::new() } else { object.bytes },
    );
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&object.etag) {
        headers.insert("etag", etag);
    }
    if head {
        headers.insert("content-length", HeaderValue::from(length));
    }
    if let Ok(modified) = HeaderValue::from_str(&http_date(object.modified_ms)) {
        headers.insert("last-modified", modified);
    }
    Ok(response)
}

fn write(world: &World, incoming: &Incoming, key: &str) -> Result<Response<Body>, Fault> {
    let chunked = incoming
        .header("content-encoding")
        .is_some_and(|encoding| encoding.contains("aws-chunked"))
        || incoming
            .header("x-amz-content-sha256")
            .is_some_and(|hash| hash.starts_with("STREAMING-"));
    let bytes = if chunked {
        unchunk(&incoming.body).ok_or_else(|| {
            Fault::new(
                400,
                "IncompleteBody",
                "The request body terminated unexpectedly",
            )
        })?
    } else {
        incoming.body.to_vec()
    };
    let mut objects = lock(&world.objects);
    let present = objects.get(key).map(|object| object.etag.as_str());
    let refused = incoming.header("if-none-match") == Some("*") && present.is_some()
        || incoming
            .header("if-match")
            .is_some_and(|wanted| present != Some(wanted));
    if refused {
        return Err(precondition());
    }
    let etag = etag(&bytes);
    let mut response = respond(200, "application/xml", "");
    if let Ok(value) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert("etag", value);
    }
    objects.insert(
        key.to_owned(),
        Object {
            bytes,
            etag,
            modified_ms: now_ms(),
        },
    );
    Ok(response)
}

fn precondition() -> Fault {
    Fault::new(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

/// Undo `aws-chunked`: `SIZE[;chunk-signature=…]\r\n DATA \r\n` until a chunk of size 0.
fn unchunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(body.len());
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let header = std::str::from_utf8(&body[..end]).ok()?;
        let size = usize::from_str_radix(header.split(';').next()?.trim(), 16).ok()?;
        body = &body[end + 2..];
        if size == 0 {
            return Some(bytes);
        }
        bytes.extend_from_slice(body.get(..size)?);
        body = body.get(size + 2..)?;
    }
}

fn list(world: &World, incoming: &Incoming) -> Response<Body> {
    let prefix = incoming.query("prefix").unwrap_or_default();
    let objects = lock(&world.objects);
    let contents: Vec<String> = objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix))
        .map(|(key, object)| {
            let modified = jiff::Timestamp::from_millisecond(object.modified_ms).unwrap_or_default();
            format!(
                "<Contents><Key>{}</Key><LastModified>{modified:.3}</LastModified><ETag>{}</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                escape(key),
                escape(&object.etag),
                object.bytes.len()
            )
        })
        .collect();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name><Prefix>{}</Prefix>\
         <KeyCount>{}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{}</ListBucketResult>",
        world.options.bucket,
        escape(&prefix),
        contents.len(),
        contents.concat()
    );
    respond(200, "application/xml", body)
}
