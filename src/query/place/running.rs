//! Queries of Logs Insights that run, so that whoever gives up waiting leaves none behind.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::RwLock;

use crate::cloud::{Cloud, CloudError};

/// The queries that one reader of a log group has started.
#[derive(Clone)]
pub(crate) struct Running {
    cloud: Cloud,
    region: String,
    ids: Arc<Mutex<BTreeSet<String>>>,
    /// Whether none may be started any more. Starting holds it for reading, so that whoever closes it
    /// has seen the id of each.
    closed: Arc<RwLock<bool>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Running").field(&*self.ids()).finish()
    }
}

impl Running {
    pub(super) fn new(cloud: &Cloud, region: &str) -> Self {
        Self {
            cloud: cloud.clone(),
            region: region.to_owned(),
            ids: Arc::default(),
            closed: Arc::default(),
        }
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a query and keeps its id. Once stopped, it waits forever: nobody reads the answer.
    pub(super) async fn started(
        &self,
        starting: impl Future<Output = Result<String, CloudError>>,
    ) -> Result<String, CloudError> {
        let closed = self.closed.read().await;
        if *closed {
            drop(closed);
            return std::future::pending().await;
        }
        let id = starting.await?;
        self.ids().insert(id.clone());
        Ok(id)
    }

    pub(super) fn ended(&self, id: &str) {
        self.ids().remove(id);
    }

    /// Stops what runs. Returns the ids of those that could not be stopped, and why.
    pub(crate) async fn stop(&self) -> Vec<(String, CloudError)> {
        *self.closed.write().await = true;
        let ids = std::mem::take(&mut *self.ids());
        let mut left = Vec::new();
        for id in ids {
            if let Err(error) = self.cloud.stop_log_query(&self.region, &id).await {
                left.push((id, error));
            }
        }
        left
    }
}
