//! The sign of life of whoever tends the event: one small object, replaced whole.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::append::Ledger;
use super::store::{Key, StoreError};

/// Where it is within a store.
const HEARTBEAT: &str = "tend.json";

/// One sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Beat {
    /// When.
    pub(crate) at: Timestamp,
    /// Whose process tends.
    pub(crate) operator: String,
    /// The process, as people can find it: host and process id.
    pub(crate) process: String,
    /// When the next one is due; none when it tended once and ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Timestamp>,
}

impl<B: Serialize + DeserializeOwned + Clone> Ledger<B> {
    /// Leaves a sign of life in place of the last one.
    pub(crate) async fn heartbeat(&self, beat: &Beat) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(beat).expect("a beat has text keys only");
        let key = Key::new(HEARTBEAT.to_owned());
        self.options.store.replace(&key, bytes).await
    }

    /// The last sign of life; none when there was none, or when it cannot be understood.
    pub(crate) async fn last_heartbeat(&self) -> Result<Option<Beat>, StoreError> {
        let key = Key::new(HEARTBEAT.to_owned());
        let bytes = self.options.store.get(&key).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}
