//! The platform's calls about deployed functions.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    App,
    http::{Call, segment},
};
use crate::{output::CommandError, project::BundleFile};

/// How long the platform may build one function.
const DEPLOY: Duration = Duration::from_secs(300);

/// How long the list of all functions, with their files, may take; the official tool waits as long.
const LIST: Duration = Duration::from_secs(30);

/// What is sent of a function.
#[derive(Debug, Serialize)]
pub(crate) struct Deployment<'a> {
    pub(crate) entry: &'a str,
    pub(crate) files: Vec<RemoteFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) automations: Option<Vec<Value>>,
}

/// One file of a function, its path relative to the function's folder.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct RemoteFile {
    pub(crate) path: String,
    pub(crate) content: String,
}

impl From<BundleFile> for RemoteFile {
    fn from(file: BundleFile) -> Self {
        Self {
            path: file.path,
            content: file.content,
        }
    }
}

/// What a deployment changed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Deployed {
    Deployed,
    Unchanged,
}

/// A deployed function.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RemoteFunction {
    pub(crate) name: String,
    pub(crate) entry: String,
    #[serde(default)]
    pub(crate) files: Vec<RemoteFile>,
    #[serde(default)]
    pub(crate) automations: Vec<Value>,
}

#[derive(Deserialize)]
struct Status {
    status: Deployed,
}

#[derive(Deserialize)]
struct List {
    functions: Vec<RemoteFunction>,
}

impl App {
    /// Deploys one function.
    ///
    /// # Errors
    ///
    /// As [`super::Platform::send`].
    pub(crate) async fn deploy_function(
        &self,
        name: &str,
        deployment: &Deployment<'_>,
    ) -> Result<Deployed, CommandError> {
        let path = format!("backend-functions/{}", segment(name));
        let call = Call::new(Method::PUT, path, format!("deploy the function `{name}`"));
        let answer = self.send(call.json(deployment).within(DEPLOY)).await?;
        answer.json::<Status>().map(|answer| answer.status)
    }

    /// All deployed functions with their files.
    ///
    /// # Errors
    ///
    /// As [`super::Platform::send`].
    pub(crate) async fn deployed_functions(&self) -> Result<Vec<RemoteFunction>, CommandError> {
        let call = Call::get("backend-functions", "list the deployed functions").within(LIST);
        let list: List = self.send(call).await?.json()?;
        Ok(list.functions)
    }

    /// Deletes a deployed function; false when there was none of that name.
    ///
    /// # Errors
    ///
    /// As [`super::Platform::send`].
    pub(crate) async fn delete_function(&self, name: &str) -> Result<bool, CommandError> {
        let path = format!("backend-functions/{}", segment(name));
        let call = Call::new(
            Method::DELETE,
            path,
            format!("delete the function `{name}`"),
        );
        match self.send(call).await {
            Ok(_) => Ok(true),
            Err(error) if error.status_code == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
