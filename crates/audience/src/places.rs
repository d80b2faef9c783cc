//! Countries, networks and addresses, and the edges that serve them.
//!
//! Addresses are nobody's. Those for documentation are few, so that viewers have addresses of
//! 10.0.0.0/8 (fixed lines) and of 100.64.0.0/10 (behind a carrier's translation, many viewers on
//! one), data centers of 198.18.0.0/15 (set aside for benchmarks); IPv6 addresses are those for
//! documentation. Network numbers are from those for private use, and for data centers from those for
//! documentation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::random::{below, mix};

/// Networks a country has, the bigger first.
const NETWORKS: u64 = 4;
/// The first network number for private use (RFC 6996).
const FIRST_NETWORK: u32 = 64_512;
/// Network numbers for documentation (RFC 5398), as data centers have them.
pub(crate) const DATA_CENTERS: [u32; 4] = [64_496, 64_497, 64_498, 64_499];
/// The network of the broadcaster's probe.
pub(crate) const PROBE_NETWORK: u32 = 64_500;

/// Where requests come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place<'a> {
    pub(crate) address: IpAddr,
    pub(crate) country: &'a str,
    pub(crate) network: u32,
    pub(crate) edge: &'static str,
    /// Milliseconds to the edge and back.
    pub(crate) distance: f64,
}

/// The number of a country's network.
pub(crate) fn network(country: &str, place: u64) -> u32 {
    let letters = country.bytes().take(2).fold(0_u32, |code, byte| {
        code * 26 + u32::from(byte.wrapping_sub(b'A') % 26)
    });
    // 676 codes of two letters and four networks each are more than there are: countries may share one.
    FIRST_NETWORK + (letters * 4 + u32::try_from(place % NETWORKS).unwrap_or_default()) % 1023
}

/// Which of a country's networks a viewer is in: half are in the biggest.
pub(crate) fn network_place(number: u64) -> u64 {
    match below(number, 100) {
        0..50 => 0,
        50..75 => 1,
        75..90 => 2,
        _ => 3,
    }
}

/// The edges near a country, and the milliseconds there and back.
pub(crate) fn edges(country: &str) -> (&'static [&'static str], f64) {
    match country {
        "AT" => (&["VIE50-C1", "VIE50-C2", "VIE50-P1"], 6.0),
        "DE" => (
            &[
                "FRA56-P1", "FRA60-P4", "FRA2-C1", "MUC50-P1", "DUS51-P3", "TXL50-P2", "HAM50-C1",
            ],
            8.0,
        ),
        "CH" | "LI" => (&["ZRH55-P1", "ZRH50-C1"], 6.0),
        "NL" => (&["AMS1-P1", "AMS54-C1", "AMS58-P2"], 5.0),
        "BE" | "LU" => (&["BRU50-C1", "AMS54-C1"], 8.0),
        "SE" | "FI" => (&["ARN54-C1", "HEL51-P1"], 9.0),
        "DK" => (&["CPH50-C1"], 7.0),
        "NO" | "IS" => (&["OSL50-P1", "ARN54-C1"], 13.0),
        "IT" => (&["MXP63-P1", "FCO50-P1"], 10.0),
        "CZ" | "SK" => (&["PRG50-C1", "VIE50-C1"], 8.0),
        "SI" | "HR" => (&["VIE50-C2", "ZAG50-P1"], 12.0),
        "GB" | "IE" => (&["LHR61-P2", "LHR50-P1", "DUB56-P1"], 9.0),
        "FR" => (&["CDG50-P1", "CDG52-P2", "MRS52-P1"], 9.0),
        "ES" | "PT" => (&["MAD56-P1", "LIS50-P1"], 12.0),
        "PL" => (&["WAW51-P1"], 10.0),
        "US" | "CA" => (&["IAD55-P3", "JFK52-P4", "ORD58-P2", "LAX53-P1"], 14.0),
        "BR" | "AR" => (&["GRU50-C2"], 24.0),
        "JP" | "KR" => (&["NRT57-P1", "ICN57-P1"], 12.0),
        "AU" | "NZ" => (&["SYD62-P1"], 20.0),
        "IN" => (&["BOM78-P1", "DEL51-P1"], 28.0),
        _ => (&["FRA56-P1", "CDG50-P1", "LHR61-P2"], 35.0),
    }
}

/// A household's address in IPv4.
pub(crate) fn home(viewer: u64) -> IpAddr {
    let bits = mix(&[viewer, 4]).to_le_bytes();
    // Neither the network's own address nor that for all.
    IpAddr::V4(Ipv4Addr::new(10, bits[0], bits[1], bits[2].clamp(1, 254)))
}

/// An address of a household in IPv6; `session` changes its end, as devices do for privacy.
pub(crate) fn home_six(viewer: u64, session: u64) -> IpAddr {
    let net = mix(&[viewer, 6]);
    let end = mix(&[session, 66]);
    let word =
        |value: u64, place: u32| u16::try_from((value >> (place * 16)) & 0xffff).unwrap_or(0);
    IpAddr::V6(Ipv6Addr::new(
        0x2001,
        0x0db8,
        word(net, 0),
        word(net, 1),
        word(end, 0),
        word(end, 1),
        word(end, 2),
        word(end, 3),
    ))
}

/// One of the addresses that a carrier's viewers share.
pub(crate) fn shared(network: u32, pool: u64, viewer: u64) -> IpAddr {
    let place = below(mix(&[viewer, 64]), pool.max(1));
    let bits = mix(&[u64::from(network), place, 100]).to_le_bytes();
    IpAddr::V4(Ipv4Addr::new(
        100,
        64 | (bits[0] & 63),
        bits[1],
        bits[2].clamp(1, 254),
    ))
}

/// A machine in a data center.
pub(crate) fn data_center(machine: u64) -> (IpAddr, u32) {
    let bits = mix(&[machine, 18]).to_le_bytes();
    let network = DATA_CENTERS[usize::from(bits[4]) % DATA_CENTERS.len()];
    let address = Ipv4Addr::new(198, 0x12 | (bits[0] & 1), bits[1], bits[2].clamp(1, 254));
    (IpAddr::V4(address), network)
}
