//! GitHub Actions over REST: start a workflow.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Map, Value, json};
use url::Url;

use super::predict::without_secrets;
use super::signed::{is_loopback, read_limited, root_cause};

/// GitHub's own API.
pub const API: &str = "https://api.github.com";

/// The version of the API spoken here.
const API_VERSION: &str = "2022-11-28";

/// `OWNER/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    owner: String,
    name: String,
}

impl FromStr for Repository {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((owner, name)) if is_name(owner) && is_name(name) => Ok(Self {
                owner: owner.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err("a repository is written OWNER/NAME".to_owned()),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// Reads the file name of a workflow, or its number.
pub fn workflow(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("a workflow is named by its file, such as retrain-and-deploy.yml".to_owned())
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && !text.starts_with('.') && text.chars().all(plain)
}

/// Why a workflow was not started.
#[derive(Debug, thiserror::Error)]
pub enum GithubError {
    /// An address a token must not be sent to.
    #[error(
        "{0} is no address for a token: it must be https:// (GitHub Enterprise: https://HOST/api/v3)"
    )]
    Address(String),
    /// No answer.
    #[error("GitHub at {api} cannot be reached: {cause}")]
    Unreachable {
        /// Where.
        api: String,
        /// Why.
        cause: String,
    },
    /// An answer that is an error.
    #[error("GitHub did not start {workflow} of {repository}: {status} {message}; {}", remedy(*status))]
    Refused {
        /// The repository.
        repository: String,
        /// The workflow.
        workflow: String,
        /// The HTTP status.
        status: u16,
        /// GitHub's own words.
        message: String,
    },
}

fn remedy(status: u16) -> &'static str {
    match status {
        301 | 302 | 307 | 308 => "the repository has moved: give its new name",
        401 => "the token in GH_TOKEN or GITHUB_TOKEN is wrong or has expired: make a new one",
        403 => {
            "the token needs the permission Actions: write (a classic one the scope repo); after too many calls, wait an hour"
        }
        404 => {
            "check repository and workflow file; GitHub says the same when the token may not see them"
        }
        422 => {
            "the workflow must have `on: workflow_dispatch` on the default branch, --ref must exist, and the inputs must be the workflow's"
        }
        429 => "too many calls: wait and try again",
        _ => "try again later",
    }
}

/// GitHub, with a token that is shown nowhere.
pub struct Github {
    http: reqwest::Client,
    api: Url,
    token: String,
}

impl fmt::Debug for Github {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Github({})", without_secrets(self.api.as_str()))
    }
}

/// A workflow to start.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// Whose.
    pub repository: Repository,
    /// Its file.
    pub workflow: String,
    /// Branch or tag it runs on.
    pub reference: String,
    /// Its inputs; those left out have the workflow's defaults.
    pub inputs: Map<String, Value>,
}

impl Github {
    /// The API at an address; plain HTTP only on this machine.
    pub fn new(api: &str, token: String) -> Result<Self, GithubError> {
        let wrong = || GithubError::Address(without_secrets(api));
        let url = Url::parse(api).map_err(|_| wrong())?;
        let local = is_loopback(api);
        if url.cannot_be_a_base() || url.scheme() != "https" && !local {
            return Err(wrong());
        }
        let builder = reqwest::Client::builder()
            .user_agent(concat!("vintner/", env!("CARGO_PKG_VERSION")))
            .timeout(Duration::from_secs(20))
            .connect_timeout(Duration::from_secs(5))
            // A redirected POST would become a GET, or carry the token elsewhere.
            .redirect(reqwest::redirect::Policy::none());
        let builder = if local { builder.no_proxy() } else { builder };
        Ok(Self {
            http: builder.build().unwrap_or_default(),
            api: url,
            token,
        })
    }

    /// Starts the workflow; gives the run's page, where the server tells it.
    pub async fn dispatch(&self, dispatch: &Dispatch) -> Result<Option<String>, GithubError> {
        let body = json!({ "ref": dispatch.reference, "inputs": dispatch.inputs });
        let mut asking = body.clone();
        asking["return_run_details"] = json!(true);
        match self.post(dispatch, &asking).await {
            // An older GitHub Enterprise does not know the question.
            Err(GithubError::Refused {
                status: 400 | 422,
                message,
                ..
            }) if message.contains("return_run_details") => self.post(dispatch, &body).await,
            other => other,
        }
    }

    async fn post(&self, dispatch: &Dispatch, body: &Value) -> Result<Option<String>, GithubError> {
        let answer = self
            .http
            .post(self.address(dispatch))
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", API_VERSION)
            .bearer_auth(&self.token)
            .json(body)
            .send()
            .await
            .map_err(|error| self.unreachable(root_cause(&error)))?;
        let status = answer.status();
        let content = read_limited(answer)
            .await
            .map_err(|cause| self.unreachable(cause))?;
        let content: Value = serde_json::from_str(&content).unwrap_or_default();
        if status.is_success() {
            return Ok(content["html_url"].as_str().map(ToOwned::to_owned));
        }
        let message = content["message"].as_str().unwrap_or("without a message");
        Err(GithubError::Refused {
            repository: dispatch.repository.to_string(),
            workflow: dispatch.workflow.clone(),
            status: status.as_u16(),
            message: message
                .chars()
                .filter(|c| !c.is_control())
                .take(300)
                .collect(),
        })
    }

    fn address(&self, dispatch: &Dispatch) -> Url {
        let mut url = self.api.clone();
        let Repository { owner, name } = &dispatch.repository;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            path.extend(["repos", owner, name, "actions", "workflows"]);
            path.extend([dispatch.workflow.as_str(), "dispatches"]);
        }
        url
    }

    fn unreachable(&self, cause: String) -> GithubError {
        GithubError::Unreachable {
            api: without_secrets(self.api.as_str()),
            cause,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_in_the_path() {
        assert_eq!(
            "a-b/c.d".parse::<Repository>().unwrap().to_string(),
            "a-b/c.d"
        );
        for text in ["a", "a/b/c", "a/..", "../a", "a/b?x", "a/ b", "/"] {
            assert!(text.parse::<Repository>().is_err(), "{text}");
        }
        assert!(workflow("../../x.yml").is_err() && workflow("retrain-and-deploy.yml").is_ok());
    }

    #[test]
    fn a_token_goes_only_over_tls_and_is_not_shown() {
        let github = |api: &str| Github::new(api, "hunter2".to_owned());
        assert!(github("http://api.github.com").is_err());
        assert!(github("data:x").is_err());
        for api in ["http://me:hunter2@ghe.example", "me:hunter2@ghe.example"] {
            let why = github(api).unwrap_err().to_string();
            assert!(!why.contains("hunter2"), "{why}");
        }
        let masked = Github::new("https://me:pw@ghe.example", String::new()).unwrap();
        let away = masked.unreachable("refused".to_owned());
        let shown = format!("{masked:?} {away} {away:?}");
        assert!(!shown.contains("pw"), "{shown}");
        let enterprise = github("https://ghe.example/api/v3/").unwrap();
        assert!(!format!("{enterprise:?}").contains("hunter2"));
        let dispatch = Dispatch {
            repository: "o/r".parse().unwrap(),
            workflow: "w.yml".to_owned(),
            reference: "main".to_owned(),
            inputs: Map::new(),
        };
        assert_eq!(
            enterprise.address(&dispatch).as_str(),
            "https://ghe.example/api/v3/repos/o/r/actions/workflows/w.yml/dispatches"
        );
    }
}
