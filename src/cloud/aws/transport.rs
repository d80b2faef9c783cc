//! The HTTP client for the network: TLS, and the host names that the key-value store's endpoint
//! rules make up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// Returns a client for `http` and `https`. The system's certificates are loaded when it is first
/// used; proxies are taken from the usual environment variables.
pub(super) fn network() -> SharedHttpClient {
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_with_resolver(Resolver)
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
    let is_loopback = address.is_loopback() && address != IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    is_loopback.then_some(address)
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
