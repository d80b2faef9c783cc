//! Reads what a change needs to know from the cloud, each thing once and side by side.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::{join_all, try_join_all};

use crate::cloud::{
    Cloud, CloudError, DistributionDocument, GeoKind, GeoRestriction, IpSetIdentity, StoreSummary,
    WebAclDocument,
};
use crate::event::cidr::{Cidr, Family};
use crate::event::country::Country;
use crate::ledger::body::{GeoMode, GeoState};

/// An IP set as it is now.
#[derive(Debug, Clone)]
pub(crate) struct ObservedSet {
    pub(crate) identity: IpSetIdentity,
    pub(crate) arn: String,
    pub(crate) addresses: Vec<Cidr>,
    /// Addresses that could not be read as prefixes; they go back as they came.
    pub(crate) unread: Vec<String>,
    pub(crate) lock_token: String,
}

/// A distribution's geo restriction as it is now.
#[derive(Debug, Clone)]
pub(crate) struct ObservedDistribution {
    pub(crate) document: DistributionDocument,
    pub(crate) etag: String,
    pub(crate) geo: GeoState,
    /// Codes that are not in our table of countries; they go back as they came.
    pub(crate) unread: Vec<String>,
}

/// A key value store as it is now, as far as it was asked about.
#[derive(Debug, Clone)]
pub(crate) struct ObservedStore {
    pub(crate) arn: String,
    pub(crate) items: u64,
    pub(crate) bytes: u64,
    pub(crate) etag: String,
    pub(crate) values: BTreeMap<String, String>,
}

/// A web ACL as it is now.
#[derive(Debug, Clone)]
pub(crate) struct ObservedAcl {
    pub(crate) document: WebAclDocument,
    pub(crate) lock_token: String,
}

/// Why something that the runbook names could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ObserveError {
    #[error("there is no IP set named {name} in the account ({scope})")]
    NoSuchSet { name: String, scope: &'static str },
    #[error("there is no web ACL named {0} in the account (scope CLOUDFRONT)")]
    NoSuchAcl(String),
    #[error("there is no key value store named {0} in the account")]
    NoSuchStore(String),
    #[error("distribution {id}: its configuration could not be read: {message}")]
    Document { id: String, message: String },
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// Reads the IP sets of these names; one listing serves both families.
pub(crate) async fn ip_sets(
    cloud: &Cloud,
    names: &BTreeMap<Family, String>,
) -> Result<BTreeMap<Family, ObservedSet>, ObserveError> {
    let listed = cloud.ip_sets().await?;
    let ids: HashMap<&str, &str> = listed
        .iter()
        .map(|set| (set.name.as_str(), set.id.as_str()))
        .collect();
    let mut found = Vec::new();
    for (family, name) in names {
        let id = ids
            .get(name.as_str())
            .ok_or_else(|| ObserveError::NoSuchSet {
                name: name.clone(),
                scope: "scope CLOUDFRONT",
            })?;
        found.push((*family, name.as_str(), *id));
    }
    let read = found.into_iter().map(|(family, name, id)| async move {
        let set = ip_set(cloud, name, id).await?;
        Ok::<_, ObserveError>((family, set))
    });
    Ok(try_join_all(read).await?.into_iter().collect())
}

/// Reads one IP set again.
pub(crate) async fn ip_set(
    cloud: &Cloud,
    name: &str,
    id: &str,
) -> Result<ObservedSet, ObserveError> {
    let set = cloud.ip_set(name, id).await?;
    let mut addresses = Vec::with_capacity(set.value.addresses.len());
    let mut unread = Vec::new();
    for text in &set.value.addresses {
        match text.parse::<Cidr>() {
            Ok(cidr) => addresses.push(cidr),
            Err(_) => unread.push(text.clone()),
        }
    }
    Ok(ObservedSet {
        identity: set.value.identity(),
        arn: set.value.arn,
        addresses,
        unread,
        lock_token: set.version,
    })
}

/// Finds the web ACL of this name and reads it.
pub(crate) async fn web_acl(cloud: &Cloud, name: &str) -> Result<ObservedAcl, ObserveError> {
    let found = cloud
        .web_acls()
        .await?
        .into_iter()
        .find(|acl| acl.name == name)
        .ok_or_else(|| ObserveError::NoSuchAcl(name.to_owned()))?;
    web_acl_again(cloud, name, &found.id).await
}

/// Reads one web ACL again.
pub(crate) async fn web_acl_again(
    cloud: &Cloud,
    name: &str,
    id: &str,
) -> Result<ObservedAcl, ObserveError> {
    let acl = cloud.web_acl(name, id).await?;
    Ok(ObservedAcl {
        document: acl.value,
        lock_token: acl.version,
    })
}

/// Reads the geo restriction of each distribution, keyed by id. One that cannot be read does not
/// hide the others.
pub(crate) async fn distributions(
    cloud: &Cloud,
    ids: &[String],
) -> BTreeMap<String, Result<ObservedDistribution, ObserveError>> {
    let read = ids
        .iter()
        .map(|id| async move { (id.clone(), distribution(cloud, id).await) });
    join_all(read).await.into_iter().collect()
}

/// Reads one distribution's configuration.
pub(crate) async fn distribution(
    cloud: &Cloud,
    id: &str,
) -> Result<ObservedDistribution, ObserveError> {
    let read = cloud.distribution_document(id).await?;
    observed_distribution(id, read.value, read.version)
}

/// Reads the geo restriction out of a distribution's configuration that was read with `etag`.
pub(crate) fn observed_distribution(
    id: &str,
    document: DistributionDocument,
    etag: String,
) -> Result<ObservedDistribution, ObserveError> {
    let restriction = document.geo().map_err(|error| ObserveError::Document {
        id: id.to_owned(),
        message: error.to_string(),
    })?;
    let mut countries = Vec::new();
    let mut unread = Vec::new();
    for code in &restriction.countries {
        match Country::parse(code) {
            Ok(country) if country.code() == code => countries.push(country),
            Ok(_) | Err(_) => unread.push(code.clone()),
        }
    }
    let mode = match restriction.kind {
        GeoKind::None => GeoMode::None,
        GeoKind::Allow => GeoMode::Allow,
        GeoKind::Block => GeoMode::Block,
    };
    Ok(ObservedDistribution {
        document,
        etag,
        geo: GeoState { mode, countries },
        unread,
    })
}

/// The restriction to write for `state`, with the codes we could not read put back.
pub(crate) fn restriction(state: &GeoState, unread: &[String]) -> GeoRestriction {
    let kind = match state.mode {
        GeoMode::None => GeoKind::None,
        GeoMode::Allow => GeoKind::Allow,
        GeoMode::Block => GeoKind::Block,
    };
    let codes = state
        .countries
        .iter()
        .map(|country| country.code().to_owned());
    GeoRestriction {
        countries: match kind {
            GeoKind::None => Vec::new(),
            GeoKind::Allow | GeoKind::Block => codes.chain(unread.iter().cloned()).collect(),
        },
        kind,
    }
}

/// Finds the key value store of this name.
pub(crate) async fn find_store(cloud: &Cloud, name: &str) -> Result<StoreSummary, ObserveError> {
    cloud
        .stores()
        .await?
        .into_iter()
        .find(|store| store.name == name)
        .ok_or_else(|| ObserveError::NoSuchStore(name.to_owned()))
}

/// Reads the values that `keys` have in the store: one by one when they are few, else the whole
/// store, whichever takes fewer calls.
pub(crate) async fn store(
    cloud: &Cloud,
    arn: &str,
    keys: &[String],
) -> Result<ObservedStore, ObserveError> {
    // The version comes first: whatever is written after it makes our own write fail and re-read.
    let store = cloud.store(arn).await?;
    let pages = store.value.items / 50 + 1;
    let values = if keys.is_empty() || store.value.items == 0 {
        BTreeMap::new()
    } else if keys.len() as u64 <= pages {
        let read = keys.iter().map(|key| async move {
            let value = cloud.store_item(arn, key).await?;
            Ok::<_, CloudError>(value.map(|value| (key.clone(), value)))
        });
        try_join_all(read).await?.into_iter().flatten().collect()
    } else {
        let mut all = cloud.store_items(arn).await?;
        let wanted: std::collections::HashSet<&String> = keys.iter().collect();
        all.retain(|key, _| wanted.contains(key));
        all
    };
    Ok(ObservedStore {
        arn: arn.to_owned(),
        items: store.value.items,
        bytes: store.value.bytes,
        etag: store.version,
        values,
    })
}
