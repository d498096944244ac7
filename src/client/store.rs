//! The model store: four S3 verbs with conditions, signed by hand, so that a push can neither overwrite a version nor
//! win a race unseen.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;

use super::endpoints::endpoint_of;
use super::signed::{is_loopback, root_cause};

/// Condition of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Only if there is no object yet (`If-None-Match: *`).
    Absent,
    /// Only if the object is still this one (`If-Match`).
    Still(String),
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Stored, with this `ETag`.
    Stored(String),
    /// The condition did not hold.
    Refused,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No credentials.
    #[error("no AWS credentials for s3://{bucket}: {cause}")]
    NoCredentials {
        /// The bucket.
        bucket: String,
        /// Why.
        cause: String,
    },
    /// No answer.
    #[error("s3://{bucket}/{key} cannot be reached: {cause}")]
    Unreachable {
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
        /// Why.
        cause: String,
    },
    /// An answer that is an error.
    #[error("S3 refused {method} s3://{bucket}/{key}: {status} {code}{}", remedy(*status))]
    Refused {
        /// The verb.
        method: &'static str,
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
        /// The HTTP status.
        status: u16,
        /// S3's code.
        code: String,
    },
}

fn remedy(status: u16) -> &'static str {
    match status {
        403 => "; the identity needs s3:GetObject and s3:PutObject on it",
        404 => "; name the bucket with --bucket",
        _ => "",
    }
}

/// One bucket.
#[derive(Debug)]
pub struct Store {
    http: reqwest::Client,
    config: SdkConfig,
    bucket: String,
}

impl Store {
    /// A bucket with the region, credentials and endpoint of `config`; a custom endpoint is addressed by path.
    pub fn new(config: &SdkConfig, bucket: impl Into<String>) -> Self {
        let builder = reqwest::Client::builder()
            .timeout(Duration::from_mins(2))
            .connect_timeout(Duration::from_secs(5));
        let local = endpoint_of(config, "S3").is_some_and(|url| is_loopback(&url));
        // A proxy set for the world must not swallow the sandbox.
        let builder = if local { builder.no_proxy() } else { builder };
        Self {
            http: builder.build().unwrap_or_default(),
            config: config.clone(),
            bucket: bucket.into(),
        }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// An object with its `ETag`; `None` when there is none.
    pub async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, StoreError> {
        let answer = self.send("GET", key, Vec::new(), &[]).await?;
        if answer.status().as_u16() == 404 {
            let error = self.refused("GET", key, answer).await;
            return match &error {
                StoreError::Refused { code, .. } if code == "NoSuchBucket" => Err(error),
                _ => Ok(None),
            };
        }
        if !answer.status().is_success() {
            return Err(self.refused("GET", key, answer).await);
        }
        let etag = etag_of(&answer);
        let bytes = answer
            .bytes()
            .await
            .map_err(|error| self.unreachable(key, &error))?;
        Ok(Some((bytes.to_vec(), etag)))
    }

    /// An object's `ETag`; `None` when there is none.
    pub async fn etag(&self, key: &str) -> Result<Option<String>, StoreError> {
        let answer = self.send("HEAD", key, Vec::new(), &[]).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(Some(etag_of(&answer))),
            404 => Ok(None),
            _ => Err(self.refused("HEAD", key, answer).await),
        }
    }

    /// Writes an object if the condition holds.
    pub async fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        let headers: Vec<(&str, &str)> = match condition {
            Condition::Absent => vec![("if-none-match", "*")],
            Condition::Still(etag) => vec![("if-match", etag)],
        };
        let answer = self.send("PUT", key, bytes, &headers).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(Written::Stored(etag_of(&answer))),
            // 409: a conditional write raced with another; the other won.
            412 | 409 => Ok(Written::Refused),
            _ => Err(self.refused("PUT", key, answer).await),
        }
    }

    fn url(&self, key: &str) -> String {
        let region = self.config.region().map_or("us-east-1", AsRef::as_ref);
        match endpoint_of(&self.config, "S3") {
            Some(base) => format!("{}/{}/{key}", base.trim_end_matches('/'), self.bucket),
            None => format!("https://{}.s3.{region}.amazonaws.com/{key}", self.bucket),
        }
    }

    async fn send(
        &self,
        method: &'static str,
        key: &str,
        bytes: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Result<reqwest::Response, StoreError> {
        let credentials = self.credentials().await?;
        let request = self
            .prepare(method, key, bytes, headers, credentials)
            .map_err(|cause| self.failed(key, cause))?;
        self.http
            .execute(request)
            .await
            .map_err(|error| self.unreachable(key, &error))
    }

    async fn credentials(&self) -> Result<Credentials, StoreError> {
        let missing = |cause: String| StoreError::NoCredentials {
            bucket: self.bucket.clone(),
            cause,
        };
        let provider = self
            .config
            .credentials_provider()
            .ok_or_else(|| missing("none are configured".to_owned()))?;
        provider
            .provide_credentials()
            .await
            .map_err(|error| missing(error.to_string()))
    }

    fn prepare(
        &self,
        method: &str,
        key: &str,
        bytes: Vec<u8>,
        headers: &[(&str, &str)],
        credentials: Credentials,
    ) -> Result<reqwest::Request, String> {
        let url = self.url(key);
        let identity = credentials.into();
        // S3 signs the path as it is, once encoded, and wants the payload's hash as a header.
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.config.region().map_or("us-east-1", AsRef::as_ref))
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let signable = SignableRequest::new(
            method,
            &url,
            headers.iter().copied(),
            SignableBody::Bytes(&bytes),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &params)
            .map_err(|error| error.to_string())?
            .into_parts();
        let method =
            reqwest::Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
        let mut builder = self.http.request(method, &url).body(bytes);
        for (name, value) in headers.iter().copied().chain(instructions.headers()) {
            builder = builder.header(name, value);
        }
        builder.build().map_err(|error| error.to_string())
    }

    async fn refused(
        &self,
        method: &'static str,
        key: &str,
        answer: reqwest::Response,
    ) -> StoreError {
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap_or_default();
        let code = body
            .split_once("<Code>")
            .and_then(|(_, rest)| rest.split_once("</Code>"))
            .map_or("", |(code, _)| code);
        let code = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(60)
            .collect();
        StoreError::Refused {
            method,
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            status,
            code,
        }
    }

    fn failed(&self, key: &str, cause: String) -> StoreError {
        StoreError::Unreachable {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
            cause,
        }
    }

    fn unreachable(&self, key: &str, error: &reqwest::Error) -> StoreError {
        self.failed(key, root_cause(error))
    }
}

fn etag_of(answer: &reqwest::Response) -> String {
    answer
        .headers()
        .get("etag")
        .and_then(|etag| etag.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}
