//! The embedded cloud's answers to name look-ups: the distributions' names lead to CloudFront, and
//! what the settings say leads where they say.

use std::net::{IpAddr, Ipv4Addr};

use super::service::Answer;
use super::settings::Settings;

/// Where names are asked for; the path is the name.
pub(super) const HOST: &str = "resolver.onair.invalid";

/// An address in CloudFront's published ranges.
const EDGE: IpAddr = IpAddr::V4(Ipv4Addr::new(13, 224, 0, 10));

/// Answers with one address a line; with none for a name that is not known.
pub(super) fn answer(path: &str, settings: &Settings, is_served: impl Fn(&str) -> bool) -> Answer {
    let name = path.trim_start_matches('/').to_ascii_lowercase();
    let address = match settings.names.get(&name) {
        Some(address) => address.parse().ok(),
        None => is_served(&name).then_some(EDGE),
    };
    let body = address.map(|address: IpAddr| format!("{address}\n"));
    Answer {
        status: 200,
        headers: vec![("content-type", "text/plain".to_owned())],
        body: body.unwrap_or_default().into_bytes(),
        changed: false,
    }
}
