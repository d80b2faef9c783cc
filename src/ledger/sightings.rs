//! Which runbook each operator works with: one small object each, replaced whole, so that two
//! versions of it are noticed before the event.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::append::Ledger;
use super::store::{Key, StoreError};

/// Where they are within a store.
const FOLDER: &str = "runbooks";

/// What an operator's preflight saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Sighting {
    pub(crate) at: Timestamp,
    pub(crate) operator: String,
    /// SHA-256 of the runbook's text, in hex.
    pub(crate) digest: String,
}

impl<B: Serialize + DeserializeOwned + Clone> Ledger<B> {
    /// Notes what runbook its operator has, in place of what was noted before.
    pub(crate) async fn leave_sighting(&self, sighting: &Sighting) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(sighting).expect("a sighting has text keys only");
        let key = Key::new(format!("{FOLDER}/{}.json", sighting.operator));
        self.options.store.replace(&key, bytes).await
    }

    /// What was noted of all operators; one that cannot be understood is left out.
    pub(crate) async fn sightings(&self) -> Result<Vec<Sighting>, StoreError> {
        let mut found = Vec::new();
        for key in self.options.store.list(FOLDER).await? {
            let bytes = self.options.store.get(&key).await?;
            found.extend(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()));
        }
        Ok(found)
    }
}
