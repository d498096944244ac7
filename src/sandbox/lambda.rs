//! Lambda over restJson1.

pub(super) mod facts;
mod invoke;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Response};
use serde_json::{Value, json};

use super::incident::Incident;
use super::job;
use super::reply::{self, Fault};
use super::server::{Incoming, admit};
use super::world::{World, lock, now_ms};

/// Serve one request.
pub(super) async fn serve(
    world: &Arc<World>,
    incoming: &Incoming,
) -> Result<Response<Body>, Fault> {
    let path = percent_decode(incoming.path());
    let parts: Vec<&str> = path.trim_matches('/').splitn(4, '/').collect();
    let get = incoming.parts.method == Method::GET;
    let (operation, function, qualifier) = match parts.as_slice() {
        [_, "account-settings"] if get => ("GetAccountSettings", None, None),
        [_, "event-source-mappings"] if get => ("ListEventSourceMappings", None, None),
        [_, "tags", rest @ ..] if get => ("ListTags", rest.first().copied(), None),
        [_, "functions"] if get => ("ListFunctions", None, None),
        [_, "functions", name] if get => named("GetFunction", name),
        [_, "functions", name, "configuration"] if get => named("GetFunctionConfiguration", name),
        [_, "functions", name, "policy"] if get => named("GetPolicy", name),
        [_, "functions", name, "versions"] if get => named("ListVersionsByFunction", name),
        [_, "functions", name, "aliases"] if get => named("ListAliases", name),
        [_, "functions", name, "concurrency"] if get => named("GetFunctionConcurrency", name),
        [_, "functions", name, "provisioned-concurrency"] if get => {
            named("ListProvisionedConcurrencyConfigs", name)
        }
        [_, "functions", name, "url"] if get => named("GetFunctionUrlConfig", name),
        [_, "functions", name, "invocations"] if incoming.parts.method == Method::POST => {
            named("Invoke", name)
        }
        _ => {
            return Err(Fault::new(
                404,
                "UnknownOperationException",
                "Unknown operation",
            ));
        }
    };
    let action = if operation == "Invoke" {
        "lambda:InvokeFunction".to_owned()
    } else {
        format!("lambda:{operation}")
    };
    admit(world, incoming, &action, &world.function_arn())?;
    let qualifier = qualifier.or_else(|| incoming.query("Qualifier"));
    if let Some(function) = function.filter(|_| operation != "ListTags") {
        exists(world, function, qualifier.as_deref())?;
    }
    if operation == "Invoke" && function == Some(job::NAME) {
        let verdict = job::run(world, now_ms(), &mut lock(&world.dice));
        return Ok(reply::json(200, &verdict));
    }
    if operation == "Invoke" {
        return invoke::serve(world, incoming, qualifier.as_deref()).await;
    }
    let output = if function == Some(job::NAME) {
        describe_job(world, operation)?
    } else {
        describe(world, operation, qualifier.as_deref())?
    };
    Ok(reply::json(200, &output))
}

fn describe(world: &World, operation: &str, qualifier: Option<&str>) -> Result<Value, Fault> {
    Ok(match operation {
        "GetFunction" => facts::function(world, qualifier),
        "GetFunctionConfiguration" => {
            facts::configuration(world, qualifier.unwrap_or(facts::LATEST))
        }
        "GetPolicy" => facts::policy(world, qualifier).ok_or_else(no_resource)?,
        "ListFunctions" => json!({"Functions": facts::functions(world)}),
        "ListVersionsByFunction" => json!({"Versions": facts::versions(world)}),
        "ListAliases" => json!({"Aliases": facts::aliases(world)}),
        "GetFunctionConcurrency" if world.is(Incident::ReservedZero) => {
            json!({"ReservedConcurrentExecutions": 0})
        }
        "GetFunctionConcurrency" => json!({}),
        "ListProvisionedConcurrencyConfigs" => json!({"ProvisionedConcurrencyConfigs": []}),
        "GetAccountSettings" => facts::account(world),
        "ListEventSourceMappings" => json!({"EventSourceMappings": []}),
        "ListTags" => json!({"Tags": facts::tags()}),
        _ => return Err(no_resource()),
    })
}

fn describe_job(world: &World, operation: &str) -> Result<Value, Fault> {
    Ok(match operation {
        "GetFunction" => job::function(world),
        "GetFunctionConfiguration" => job::configuration(world),
        "ListVersionsByFunction" => json!({"Versions": [job::configuration(world)]}),
        "ListAliases" => json!({"Aliases": []}),
        "GetPolicy" | "GetFunctionUrlConfig" => return Err(no_resource()),
        "GetFunctionConcurrency" => json!({}),
        other => describe(world, other, None)?,
    })
}

fn named<'a>(
    operation: &'static str,
    name: &'a str,
) -> (&'static str, Option<&'a str>, Option<String>) {
    // `name:qualifier` and `arn:aws:lambda:region:account:function:name:qualifier`
    let qualifier = match name.strip_prefix("arn:") {
        Some(_) => name.split(':').nth(7),
        None => name.split_once(':').map(|(_, qualifier)| qualifier),
    };
    let bare = match name.strip_prefix("arn:") {
        Some(_) => name.split(':').nth(6).unwrap_or(name),
        None => name.split(':').next().unwrap_or(name),
    };
    (operation, Some(bare), qualifier.map(str::to_owned))
}

fn exists(world: &World, function: &str, qualifier: Option<&str>) -> Result<(), Fault> {
    let known = qualifier.is_none_or(facts::is_qualifier);
    let ours = function == world.options.function || function == job::NAME;
    if ours && known && !world.is(Incident::WrongRegion) {
        return Ok(());
    }
    let suffix = qualifier
        .map(|qualifier| format!(":{qualifier}"))
        .unwrap_or_default();
    let arn = format!(
        "arn:aws:lambda:{}:{}:function:{function}{suffix}",
        world.options.region, world.options.account
    );
    Err(Fault {
        detail: None,
        ..Fault::new(
            404,
            "ResourceNotFoundException",
            format!("Function not found: {arn}"),
        )
    })
}

fn no_resource() -> Fault {
    Fault::new(
        404,
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    )
}

fn percent_decode(path: &str) -> String {
    // A `+` in a path is a plus sign, so the form decoder must not see one.
    let query = format!("p={}", path.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes())
        .next()
        .map_or_else(|| path.to_owned(), |(_, value)| value.into_owned())
}
