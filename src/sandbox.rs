//! The embedded AWS: a loopback server that speaks the real wire protocols.
//!
//! One port carries everything a cockpit needs: the prediction endpoint behind an API Gateway, CloudWatch Logs
//! (with Live Tail and Insights), Lambda, CloudWatch metrics, STS, and the reads Doctor makes. A prediction made here
//! runs a real model in an imitated execution environment; its log lines, its metrics and its cost all follow from that
//! one event, so that every tab tells the same story. [`Incident`]s change the facts, never the answers of one page.
//!
//! ```text
//! server ── gateway ──┐
//!        ── lambda  ──┴─ function ── handler ── model
//!        ── logs ─────── streams ◄──────┘ lines, delivered late as CloudWatch does
//!        ── metrics ──── ledger  ◄──────┘ one entry per call
//! ```

mod apigateway;
mod bucket;
mod ecr;
mod flood;
mod function;
mod gateway;
mod handler;
mod iam;
mod incident;
mod job;
mod lag;
mod lambda;
mod latency;
mod ledger;
mod lines;
mod logs;
mod metrics;
mod model;
mod reply;
mod server;
mod streams;
mod sts;
mod traffic;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

pub use incident::{Incident, UnknownIncident};
pub use lag::Lag;
pub use model::{ModelSlot, Predictor, ServedModel};

use crate::domain::schema::Schema;
use world::World;

/// The access key every client of the sandbox uses. It opens nothing.
pub const ACCESS_KEY_ID: &str = "AKIASANDBOXSANDBOX00";
/// The secret that goes with [`ACCESS_KEY_ID`]; signatures are not verified.
pub const SECRET_ACCESS_KEY: &str = "sandbox-secret-that-opens-nothing";

/// What a sandbox is like. The defaults are the production service of the wine-quality profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// TCP port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Seed of every random draw: the same seed and the same calls give the same session.
    pub seed: u64,
    /// Background predictions per second.
    pub rate: f64,
    /// How much faster than the service to wait. It shortens waits only: log lines, metrics and cost keep the service's own durations.
    pub speed: f64,
    /// How far back the traffic recorded before the start reaches; zero starts with empty logs and metrics.
    pub history: Duration,
    /// What is broken from the start.
    pub incident: Option<Incident>,
    /// How late log lines become visible.
    pub lag: Lag,
    /// Share of `FilterLogEvents` pages that come back empty with a token, as CloudWatch's do.
    pub empty_pages: f64,
    /// How long a Live Tail session lasts before the service ends it (AWS: three hours), at speed 1.
    pub live_tail_session: Duration,
    /// The model's inputs and bands.
    pub schema: Arc<Schema>,
    /// AWS region the sandbox pretends to be.
    pub region: String,
    /// Twelve-digit account number.
    pub account: String,
    /// Name of the Lambda function.
    pub function: String,
    /// Bucket that holds the models.
    pub bucket: String,
    /// Identifier of the HTTP API.
    pub api_id: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 42,
            rate: 0.5,
            speed: 1.0,
            history: Duration::from_hours(24),
            incident: None,
            lag: Lag::Realistic,
            empty_pages: 0.02,
            live_tail_session: Duration::from_hours(3),
            schema: Arc::new(Schema::wine_quality().clone()),
            region: "us-east-2".into(),
            account: "123456789012".into(),
            function: "wine-quality-predictor".into(),
            bucket: "wine-quality-mlops".into(),
            api_id: "sandbox0api".into(),
        }
    }
}

impl Options {
    /// A sandbox where nothing happens but what the caller does: no background traffic, no history, a hundredfold speed.
    pub fn quiet() -> Self {
        Self {
            rate: 0.0,
            speed: 100.0,
            history: Duration::ZERO,
            empty_pages: 0.0,
            ..Self::default()
        }
    }
}

/// A running sandbox. Dropping it stops the server.
#[derive(Debug)]
pub struct Sandbox {
    world: Arc<World>,
    address: SocketAddr,
    server: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Sandbox {
    /// Bind 127.0.0.1 and serve. Returns as soon as the port is open; history is filled in and the model may arrive
    /// later (a call that needs either waits for it).
    ///
    /// # Errors
    /// When the port cannot be bound, naming it.
    pub async fn start(options: Options, model: ServedModel) -> io::Result<Self> {
        let wanted = SocketAddr::from(([127, 0, 0, 1], options.port));
        let listener = TcpListener::bind(wanted).await.map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("the sandbox cannot listen on {wanted}: {error}"),
            )
        })?;
        let address = listener.local_addr()?;
        let world = Arc::new(World::new(options, model, address));
        tokio::spawn(traffic::run(Arc::clone(&world)));
        tokio::spawn(flood::run(Arc::clone(&world)));
        tokio::spawn(server::cut_the_network(Arc::clone(&world)));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&world)));
        Ok(Self {
            world,
            address,
            server: std::sync::Mutex::new(Some(server)),
        })
    }

    /// Deploy another model. As after a Lambda deploy, warm environments are retired: the next call is a cold start
    /// that loads the new version.
    pub fn serve(&self, version: impl Into<String>, predictor: Predictor) {
        self.world.model.deploy(version, predictor);
        world::lock(&self.world.function).retire_all();
    }

    /// The version in service; `None` while the first model loads.
    pub fn version(&self) -> Option<String> {
        self.world.model.current().map(|served| served.version)
    }

    /// Where to `POST` a prediction.
    pub fn endpoint(&self) -> Url {
        let mut url = Url::parse("http://127.0.0.1/")
            .unwrap_or_else(|_| unreachable!("a constant URL parses"));
        let _ = url.set_port(Some(self.address.port()));
        url
    }

    /// The value for `AWS_ENDPOINT_URL`.
    pub fn aws_endpoint(&self) -> String {
        self.world.origin()
    }

    /// Credentials the sandbox accepts (it accepts any, but not their absence).
    pub fn credentials(&self) -> aws_credential_types::Credentials {
        aws_credential_types::Credentials::new(
            ACCESS_KEY_ID,
            SECRET_ACCESS_KEY,
            None,
            None,
            "sandbox",
        )
    }

    /// The region it pretends to be.
    pub fn region(&self) -> &str {
        &self.world.options.region
    }

    /// The account it pretends to be.
    pub fn account(&self) -> &str {
        &self.world.options.account
    }

    /// Name of the Lambda function.
    pub fn function(&self) -> &str {
        &self.world.options.function
    }

    /// The inputs and bands it was started with.
    pub fn schema(&self) -> &Schema {
        &self.world.options.schema
    }

    /// Log group of the Lambda function.
    pub fn log_group(&self) -> String {
        self.world.log_group()
    }

    /// `NAME=value` lines that point `aws`, `curl` and any SDK here.
    pub fn env_lines(&self) -> Vec<String> {
        vec![
            format!("AWS_ENDPOINT_URL={}", self.aws_endpoint()),
            format!("AWS_ACCESS_KEY_ID={ACCESS_KEY_ID}"),
            format!("AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}"),
            format!("AWS_REGION={}", self.region()),
            format!("AWS_DEFAULT_REGION={}", self.region()),
            "AWS_EC2_METADATA_DISABLED=true".into(),
            // So that another vintner comes here too, and not to production with these credentials.
            "VINTNER_TARGET=aws".into(),
            format!("VINTNER_ENDPOINT={}", self.endpoint()),
        ]
    }

    /// What is broken now.
    pub fn incident(&self) -> Option<Incident> {
        self.world.incident()
    }

    /// Break something, or repair it with `None`. Takes effect with the next request.
    pub fn set_incident(&self, incident: Option<Incident>) {
        self.world.set_incident(incident);
    }

    /// Take exactly these permissions (`lambda:GetPolicy`, …) from the caller; an empty list gives all back.
    pub fn deny(&self, actions: Vec<String>) {
        self.world.deny(actions);
    }

    /// Pull the network cable (`true`): open connections are reset and new ones refused until it is back in.
    pub fn unplug(&self, out: bool) {
        self.world.unplug(out);
    }

    /// Stop serving: no new requests, running ones get a moment, streams end.
    pub async fn shutdown(&self) {
        self.world.stop.cancel();
        let server = world::lock(&self.server).take();
        if let Some(mut server) = server
            && tokio::time::timeout(Duration::from_millis(250), &mut server)
                .await
                .is_err()
        {
            server.abort();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.world.stop.cancel();
    }
}

#[cfg(test)]
mod tests;
