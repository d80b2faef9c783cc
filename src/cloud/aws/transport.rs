//! The HTTP client for the network: TLS, and the host names that the key-value store's endpoint
//! rules make up.

use std::net::{IpAddr, Ipv4Addr};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

/// Returns a client for `http` and `https` that takes proxies from the usual environment
/// variables (`HTTPS_PROXY`, `NO_PROXY` …). The system's certificates are loaded when it is first
/// used.
pub(super) fn network() -> SharedHttpClient {
    client(&ProxyConfig::from_env())
}

/// Returns a client that connects directly: for custom endpoints, which are mostly on this
/// machine, and for the host's metadata service, which no proxy can ask in our name.
pub(super) fn direct() -> SharedHttpClient {
    client(&ProxyConfig::disabled())
}

/// Returns a client that connects to nothing: a rehearsal without its embedded cloud must fail
/// rather than reach the real one.
pub(super) fn nowhere() -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Nowhere);
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug)]
struct Nowhere;

impl HttpConnector for Nowhere {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        HttpConnectorFuture::ready(Err(ConnectorError::io(refused.into())))
    }
}

fn client(proxies: &ProxyConfig) -> SharedHttpClient {
    let proxies = proxies.clone();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxies.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_with_resolver(Resolver)
    })
}

/// The system's resolver, except for an account number in front of a loopback host.
#[derive(Debug, Clone)]
struct Resolver;

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        if let Some(address) = loopback(name) {
            return DnsFuture::ready(Ok(vec![address]));
        }
        DnsFuture::new(async move {
            let addresses = tokio::net::lookup_host((name, 0))
                .await
                .map_err(ResolveDnsError::new)?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

/// The key-value store's endpoint rules put the account in front of a custom endpoint's host:
/// `http://127.0.0.1:4566` becomes `http://000000000000.127.0.0.1:4566`, which no resolver knows.
fn loopback(name: &str) -> Option<IpAddr> {
    let (account, host) = name.split_once('.')?;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    let address: IpAddr = host.parse().ok()?;
    address.is_loopback().then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_loopback_host_behind_an_account() {
        let local = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(loopback("000000000000.127.0.0.1"), local);
        assert_eq!(loopback("123456789012.localhost"), local);
        for other in [
            "localhost",
            "12345678901.127.0.0.1",
            "12345678901a.localhost",
            "123456789012.198.51.100.7",
            "123456789012.cloudfront-kvs.global.api.aws",
        ] {
            assert_eq!(loopback(other), None, "{other}");
        }
    }
}
