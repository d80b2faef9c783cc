//! Network prefixes and sets of them: parsing what operators paste, and the set arithmetic that
//! keeps a blocklist canonical without ever widening it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The two address families; an IP set holds one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Family {
    V4,
    V6,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// A network prefix in canonical form: host bits are zero, the length is always written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Cidr(IpNet);

/// Why a text is not a usable prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CidrError {
    #[error("`{0}` is not an IP address or a prefix such as 203.0.113.0/24")]
    Malformed(String),
    #[error(
        "`{text}` is an IPv4-mapped IPv6 address, which CloudFront never sees; write {plain} instead"
    )]
    Mapped { text: String, plain: String },
}

/// A parsed prefix and what had to be changed to make it canonical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParsedCidr {
    pub(crate) cidr: Cidr,
    /// The text as given when host bits were set, so that the change can be told.
    pub(crate) normalized_from: Option<String>,
}

impl Cidr {
    /// The prefix of `address` with `length` bits; host bits are cleared.
    pub(crate) fn new(address: IpAddr, length: u8) -> Option<Self> {
        IpNet::new(address, length)
            .ok()
            .map(|net| Self(net.trunc()))
    }

    /// The single address as a prefix (/32 or /128).
    pub(crate) fn single(address: IpAddr) -> Self {
        Self(IpNet::from(address))
    }

    /// Parses an address or a prefix as people write it.
    pub(crate) fn parse(text: &str) -> Result<ParsedCidr, CidrError> {
        let text = text.trim();
        let malformed = || CidrError::Malformed(shorten(text));
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        let net = match bare.split_once('/') {
            None => IpNet::from(IpAddr::from_str(bare).map_err(|_| malformed())?),
            Some((address, length)) => {
                let address = IpAddr::from_str(address).map_err(|_| malformed())?;
                if length.is_empty()
                    || length.len() > 3
                    || !length.bytes().all(|byte| byte.is_ascii_digit())
                {
                    return Err(malformed());
                }
                let length = length.parse().map_err(|_| malformed())?;
                IpNet::new(address, length).map_err(|_| malformed())?
            }
        };
        if let IpNet::V6(v6) = net
            && let Some(v4) = v6.addr().to_ipv4_mapped()
            && v6.prefix_len() >= 96
        {
            let length = v6.prefix_len() - 96;
            let plain = if length == 32 {
                v4.to_string()
            } else {
                format!("{v4}/{length}")
            };
            return Err(CidrError::Mapped {
                text: shorten(text),
                plain,
            });
        }
        let cidr = Self(net.trunc());
        let normalized_from = (cidr.0.addr() != net.addr()).then(|| bare.to_owned());
        Ok(ParsedCidr {
            cidr,
            normalized_from,
        })
    }

    pub(crate) fn family(self) -> Family {
        match self.0 {
            IpNet::V4(_) => Family::V4,
            IpNet::V6(_) => Family::V6,
        }
    }

    /// The prefix length in bits.
    pub(crate) fn length(self) -> u8 {
        self.0.prefix_len()
    }

    /// The first address.
    pub(crate) fn address(self) -> IpAddr {
        self.0.addr()
    }

    pub(crate) fn is_single(self) -> bool {
        self.0.prefix_len() == self.0.max_prefix_len()
    }

    /// Whether `other` lies in this prefix, or is it.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    pub(crate) fn covers_address(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether the two share an address: then one covers the other.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// The enclosing /64 of an IPv6 prefix: what one household or phone usually holds.
    pub(crate) fn household(self) -> Option<Self> {
        match self.0 {
            IpNet::V6(net) if net.prefix_len() > 64 => Ipv6Net::new(net.addr(), 64)
                .ok()
                .map(|net| Self(IpNet::V6(net.trunc()))),
            _ => None,
        }
    }

    /// Whether the range is one that no viewer on the internet comes from: private, loopback,
    /// link-local, shared, or kept for documentation (RFC 6890).
    pub(crate) fn is_special(self) -> Option<&'static str> {
        const SPECIAL: &[(&str, &str)] = &[
            ("10.0.0.0/8", "private"),
            ("172.16.0.0/12", "private"),
            ("192.168.0.0/16", "private"),
            ("127.0.0.0/8", "loopback"),
            ("169.254.0.0/16", "link-local"),
            ("100.64.0.0/10", "carrier-grade NAT"),
            ("192.0.2.0/24", "documentation"),
            ("198.51.100.0/24", "documentation"),
            ("203.0.113.0/24", "documentation"),
            ("2001:db8::/32", "documentation"),
            ("3fff::/20", "documentation"),
            ("fc00::/7", "private"),
            ("fe80::/10", "link-local"),
            ("::1/128", "loopback"),
        ];
        SPECIAL.iter().find_map(|(range, kind)| {
            let range = range.parse::<IpNet>().ok()?;
            range.contains(&self.0).then_some(*kind)
        })
    }
}

impl Ord for Cidr {
    /// By family, then first address, then the wider prefix first.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.family()
            .cmp(&other.family())
            .then_with(|| self.address().cmp(&other.address()))
            .then_with(|| self.length().cmp(&other.length()))
    }
}

impl PartialOrd for Cidr {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        Self::parse(text).map(|parsed| parsed.cidr)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Sorts, removes duplicates and everything that another prefix of the list covers.
pub(crate) fn without_covered(mut prefixes: Vec<Cidr>) -> Vec<Cidr> {
    prefixes.sort_unstable();
    let mut kept: Vec<Cidr> = Vec::with_capacity(prefixes.len());
    for prefix in prefixes {
        if !kept.last().is_some_and(|last| last.covers(prefix)) {
            kept.push(prefix);
        }
    }
    kept
}

/// The fewest prefixes that hold exactly the same addresses.
pub(crate) fn merged(prefixes: Vec<Cidr>) -> Vec<Cidr> {
    let nets: Vec<IpNet> = prefixes.into_iter().map(|prefix| prefix.0).collect();
    let mut merged: Vec<Cidr> = IpNet::aggregate(&nets).into_iter().map(Cidr).collect();
    merged.sort_unstable();
    merged
}

/// What is left of `whole` when `holes` are cut out: the fewest prefixes that hold exactly the rest.
pub(crate) fn cut(whole: Cidr, holes: &[Cidr]) -> Vec<Cidr> {
    let holes: Vec<Cidr> = holes
        .iter()
        .copied()
        .filter(|hole| hole.overlaps(whole))
        .collect();
    let mut rest = Vec::new();
    cut_into(whole, &holes, &mut rest);
    rest
}

fn cut_into(whole: Cidr, holes: &[Cidr], rest: &mut Vec<Cidr>) {
    if holes.iter().any(|hole| hole.covers(whole)) {
        return;
    }
    let inside: Vec<Cidr> = holes
        .iter()
        .copied()
        .filter(|hole| whole.covers(*hole))
        .collect();
    if inside.is_empty() {
        rest.push(whole);
        return;
    }
    for half in halves(whole) {
        cut_into(half, &inside, rest);
    }
}

fn halves(whole: Cidr) -> Vec<Cidr> {
    let length = whole.length() + 1;
    whole
        .0
        .subnets(length)
        .map(|subnets| subnets.map(Cidr).collect())
        .unwrap_or_default()
}

/// A sorted set of prefixes that answers overlap questions in logarithmic time.
#[derive(Debug, Clone, Default)]
pub(crate) struct CidrIndex {
    /// Maximal prefixes only, so that bounds do not overlap.
    maximal: Vec<Cidr>,
}

impl CidrIndex {
    pub(crate) fn new(prefixes: impl IntoIterator<Item = Cidr>) -> Self {
        Self {
            maximal: without_covered(prefixes.into_iter().collect()),
        }
    }

    /// The prefix of the set that covers `prefix`, if any.
    pub(crate) fn covering(&self, prefix: Cidr) -> Option<Cidr> {
        let at = self.maximal.partition_point(|one| *one <= prefix);
        let before = self.maximal.get(at.checked_sub(1)?)?;
        before.covers(prefix).then_some(*before)
    }

    /// A prefix of the set that shares an address with `prefix`, if any.
    pub(crate) fn overlapping(&self, prefix: Cidr) -> Option<Cidr> {
        if let Some(covering) = self.covering(prefix) {
            return Some(covering);
        }
        let at = self.maximal.partition_point(|one| *one < prefix);
        self.maximal
            .get(at)
            .copied()
            .filter(|one| prefix.covers(*one))
    }
}

/// The prefixes that hold exactly the addresses from `first` to `last`.
pub(crate) fn range(first: IpAddr, last: IpAddr) -> Option<Vec<Cidr>> {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => Some(
            ipnet::Ipv4Subnets::new(first, last, 0)
                .map(|net: Ipv4Net| Cidr(IpNet::V4(net)))
                .collect(),
        ),
        (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => Some(
            ipnet::Ipv6Subnets::new(first, last, 0)
                .map(|net: Ipv6Net| Cidr(IpNet::V6(net)))
                .collect(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use proptest::prelude::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn clears_host_bits_and_tells() {
        let parsed = Cidr::parse("203.0.113.9/24").unwrap();
        assert_eq!(parsed.cidr.to_string(), "203.0.113.0/24");
        assert_eq!(parsed.normalized_from.as_deref(), Some("203.0.113.9/24"));
        assert_eq!(Cidr::parse("203.0.113.9").unwrap().normalized_from, None);
    }

    #[test]
    fn refuses_mapped_addresses_naming_the_plain_one() {
        let error = Cidr::parse("::ffff:203.0.113.9").unwrap_err();
        assert!(error.to_string().contains("write 203.0.113.9 instead"));
        assert!(
            Cidr::parse("::ffff:203.0.113.0/120")
                .unwrap_err()
                .to_string()
                .contains("203.0.113.0/24")
        );
    }

    #[test]
    fn refuses_what_is_no_prefix() {
        for text in [
            "",
            "x",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/",
            "1.2.3.4/-1",
            "::/129",
            "1.2.3.4/+8",
            "01.2.3.4",
        ] {
            assert!(Cidr::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn suggests_the_household_of_one_ipv6_address() {
        assert_eq!(
            cidr("2001:db8:1:2::5").household(),
            Some(cidr("2001:db8:1:2::/64"))
        );
        assert_eq!(cidr("2001:db8:1:2::/64").household(), None);
        assert_eq!(cidr("203.0.113.1").household(), None);
    }

    #[test]
    fn turns_ranges_into_prefixes() {
        let range = range("10.0.0.1".parse().unwrap(), "10.0.0.4".parse().unwrap()).unwrap();
        assert_eq!(
            range,
            [
                cidr("10.0.0.1/32"),
                cidr("10.0.0.2/31"),
                cidr("10.0.0.4/32")
            ]
        );
    }

    /// Prefixes inside 10.0.0.0/24, where every address can be counted.
    fn small() -> impl Strategy<Value = Cidr> {
        (0u8..=255, 24u8..=32).prop_map(|(host, length)| {
            Cidr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), length).unwrap()
        })
    }

    fn members(prefixes: &[Cidr]) -> Vec<bool> {
        (0..=255u8)
            .map(|host| {
                let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, host));
                prefixes.iter().any(|prefix| prefix.covers_address(address))
            })
            .collect()
    }

    proptest! {
        #[test]
        fn merging_and_dropping_covered_keep_the_addresses(prefixes in prop::collection::vec(small(), 0..40)) {
            prop_assert_eq!(members(&merged(prefixes.clone())), members(&prefixes));
            prop_assert_eq!(members(&without_covered(prefixes.clone())), members(&prefixes));
        }

        #[test]
        fn cutting_removes_the_holes_and_nothing_else(whole in small(), holes in prop::collection::vec(small(), 0..10)) {
            let rest = cut(whole, &holes);
            let hole_members = members(&holes);
            let expected: Vec<bool> = members(&[whole]).iter().zip(hole_members).map(|(kept, hole)| *kept && !hole).collect();
            prop_assert_eq!(members(&rest), expected);
        }

        #[test]
        fn the_index_agrees_with_a_scan(prefixes in prop::collection::vec(small(), 0..40), probe in small()) {
            let index = CidrIndex::new(prefixes.clone());
            prop_assert_eq!(index.covering(probe).is_some(), prefixes.iter().any(|one| one.covers(probe)));
            prop_assert_eq!(index.overlapping(probe).is_some(), prefixes.iter().any(|one| one.overlaps(probe)));
        }
    }

    #[test]
    fn ipv6_loopback_is_special() {
        assert_eq!(
            Cidr::single(IpAddr::V6(Ipv6Addr::LOCALHOST)).is_special(),
            Some("loopback")
        );
        assert_eq!(cidr("8.8.8.8").is_special(), None);
    }
}
