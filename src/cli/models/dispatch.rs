//! `vintner models dispatch`: let GitHub Actions retrain and deploy.

use std::io::{IsTerminal, Write, stderr, stdin};

use anyhow::anyhow;
use serde_json::{Map, Value, json};

use super::super::{Exit, Failure, Run, print_json};
use crate::client::github::{self, Dispatch, Github, GithubError, Repository};
use crate::ui::text::clean;

/// Arguments of `vintner models dispatch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The repository, OWNER/NAME
    #[arg(long, env = "GITHUB_REPOSITORY", value_name = "OWNER/NAME")]
    pub repo: Repository,
    /// The workflow's file
    #[arg(long, value_name = "FILE", default_value = "retrain-and-deploy.yml", value_parser = github::workflow)]
    pub workflow: String,
    /// Branch or tag to run on
    #[arg(long = "ref", value_name = "BRANCH", default_value = "main")]
    pub reference: String,
    /// The workflow's input `model_name` [default: the workflow's own]
    #[arg(long, value_name = "NAME")]
    pub model_name: Option<String>,
    /// The workflow's input `deploy_threshold` [default: the workflow's own]
    #[arg(long, value_name = "MSE")]
    pub deploy_threshold: Option<f64>,
    /// GitHub's API; GitHub Enterprise: <https://HOST/api/v3>
    #[arg(long, env = "GITHUB_API_URL", hide_env_values = true, value_name = "URL", default_value = github::API)]
    pub api_url: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Starts the workflow after a question; 1 when it was not started, 3 when GitHub cannot be reached.
pub(super) async fn run(args: &Args, json: bool, out: &mut impl Write) -> Run {
    let token = ["GH_TOKEN", "GITHUB_TOKEN"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|token| !token.is_empty()))
        .ok_or_else(|| {
            Failure::usage(anyhow!(
                "put a token with the permission Actions: write into GH_TOKEN or GITHUB_TOKEN (`export GH_TOKEN=$(gh auth token)`)"
            ))
        })?;
    let github = Github::new(&args.api_url, token).map_err(Failure::usage)?;
    let dispatch = Dispatch {
        repository: args.repo.clone(),
        workflow: args.workflow.clone(),
        reference: args.reference.clone(),
        inputs: inputs(args),
    };
    if !args.yes && !agreed(&dispatch)? {
        return Err(Failure::failed(anyhow!("nothing was started")));
    }
    let page = github
        .dispatch(&dispatch)
        .await
        .map_err(|error| match error {
            GithubError::Unreachable { .. } => Failure::unreachable(error),
            error => Failure::failed(error),
        })?;
    if json {
        print_json(
            out,
            &json!({
                "repository": dispatch.repository.to_string(), "workflow": dispatch.workflow, "ref": dispatch.reference,
                "inputs": dispatch.inputs, "run": page,
            }),
        )?;
        return Ok(Exit::Fine);
    }
    writeln!(out, "started {}", sentence(&dispatch))?;
    match page {
        Some(page) => writeln!(out, "{}", clean(&page))?,
        None => writeln!(
            out,
            "see `gh run list --repo {} --workflow {}`",
            dispatch.repository, dispatch.workflow
        )?,
    }
    Ok(Exit::Fine)
}

/// What the workflow is told; GitHub takes text only.
fn inputs(args: &Args) -> Map<String, Value> {
    let name = args.model_name.clone();
    let threshold = args.deploy_threshold.map(|threshold| threshold.to_string());
    [("model_name", name), ("deploy_threshold", threshold)]
        .into_iter()
        .filter_map(|(input, value)| Some((input.to_owned(), value?.into())))
        .collect()
}

/// Asks on the terminal; without one, `--yes` is needed.
fn agreed(dispatch: &Dispatch) -> Result<bool, Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::usage(anyhow!(
            "this starts {}: say --yes where nobody can be asked",
            sentence(dispatch)
        )));
    }
    let mut screen = stderr();
    write!(
        screen,
        "start {}? It retrains and may deploy. [y/N] ",
        sentence(dispatch)
    )?;
    screen.flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn sentence(dispatch: &Dispatch) -> String {
    let inputs: Vec<String> = dispatch
        .inputs
        .iter()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
        .collect();
    let with = if inputs.is_empty() {
        String::new()
    } else {
        format!(" with {}", inputs.join(", "))
    };
    clean(&format!(
        "{} of {} on {}{with}",
        dispatch.workflow, dispatch.repository, dispatch.reference
    ))
}
