//! Names to addresses: by the system's resolver, or in a rehearsal by the embedded cloud.

use std::net::IpAddr;
use std::time::Duration;

use super::Cloud;
use crate::cloud::{CloudError, Probe};

/// How the look-up is named in errors.
const OPERATION: &str = "dns.Resolve";

/// Where the embedded cloud answers for names. RFC 2606 keeps `.invalid` from meaning anything else.
const REHEARSED: &str = "http://resolver.onair.invalid/";

/// Longer than resolvers take that will answer at all.
const LIMIT: Duration = Duration::from_secs(5);

impl Cloud {
    /// The addresses of a host; [`CloudError::NotFound`] when it has none.
    pub(crate) async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, CloudError> {
        let unreachable = |message: String| CloudError::Unreachable {
            operation: OPERATION.to_owned(),
            endpoint: host.to_owned(),
            message,
        };
        let addresses: Vec<IpAddr> = if self.rehearses {
            let probe = Probe {
                url: format!("{REHEARSED}{host}"),
                headers: Vec::new(),
                timeout: LIMIT,
            };
            let answer = self.probe(probe).await?;
            String::from_utf8_lossy(&answer.body)
                .lines()
                .filter_map(|line| line.parse().ok())
                .collect()
        } else {
            let found = tokio::time::timeout(LIMIT, tokio::net::lookup_host((host, 443))).await;
            match found {
                Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
                Ok(Err(error)) => return Err(unreachable(error.to_string())),
                Err(_) => return Err(unreachable("the resolver did not answer".to_owned())),
            }
        };
        if addresses.is_empty() {
            return Err(CloudError::NotFound {
                operation: OPERATION.to_owned(),
                what: format!("an address of {host}"),
                request_id: None,
            });
        }
        Ok(addresses)
    }
}
