//! Addresses and networks. <https://trino.io/docs/current/functions/ipaddress.html>

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryBuilder};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::scalar::Takes::{Address, Bigint, Text};
use super::scalar::{ADDRESS, Call, Rows, Scalar, text};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        Scalar::new(
            "$address",
            &[&[Text], &[Address]],
            |_, _| Ok(ADDRESS),
            |call| from_text(call, true),
        ),
        Scalar::new(
            "$try_address",
            &[&[Text], &[Address]],
            |_, _| Ok(ADDRESS),
            |call| from_text(call, false),
        ),
        Scalar::new("$address_text", &[&[Address]], text, to_text),
        Scalar::new(
            "ip_prefix",
            &[&[Address, Bigint], &[Text, Bigint]],
            text,
            prefix,
        ),
        Scalar::new(
            "ip_subnet_min",
            &[&[Text]],
            |_, _| Ok(ADDRESS),
            |call| bound(call, false),
        ),
        Scalar::new(
            "ip_subnet_max",
            &[&[Text]],
            |_, _| Ok(ADDRESS),
            |call| bound(call, true),
        ),
        Scalar::new(
            "is_subnet_of",
            &[&[Text, Address], &[Text, Text]],
            super::scalar::boolean,
            contains,
        ),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

/// As the column holds it.
pub(super) fn bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// As people write it: IPv4 where it is one.
pub(super) fn written(bytes: &[u8]) -> String {
    let bytes: [u8; 16] = bytes.try_into().unwrap_or([0; 16]);
    Ipv6Addr::from(bytes).to_canonical().to_string()
}

fn from_text(call: &Call<'_>, strict: bool) -> Result<ArrayRef> {
    if call.kind(0) == ADDRESS {
        return call.array(0);
    }
    let texts = call.texts(0)?;
    let mut builder = FixedSizeBinaryBuilder::with_capacity(call.rows, 16);
    for row in 0..call.rows {
        let text = texts.get(row);
        match text.and_then(|text| text.parse::<IpAddr>().ok()) {
            Some(address) => builder.append_value(bytes(address))?,
            None if strict && text.is_some() => {
                return exec_err!(
                    "{:?} is no address; try_cast gives NULL",
                    text.unwrap_or_default()
                );
            }
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn to_text(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let addresses = array.as_fixed_size_binary();
    call.each_text(|row| {
        Ok(addresses
            .is_valid(row)
            .then(|| written(addresses.value(row))))
    })
}

/// A network: the bits that count, of 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    bits: u128,
    mask: u128,
    /// Bits of the prefix as written, of 32 or 128.
    is_v4: bool,
    length: u32,
}

impl Network {
    fn new(address: [u8; 16], length: i64) -> Option<Self> {
        let is_v4 = Ipv6Addr::from(address).to_ipv4_mapped().is_some();
        let most = if is_v4 { 32 } else { 128 };
        let length = u32::try_from(length)
            .ok()
            .filter(|length| *length <= most)?;
        let counted = length + 128 - most;
        let mask = u128::MAX.checked_shl(128 - counted).unwrap_or(0);
        Some(Self {
            bits: u128::from_be_bytes(address) & mask,
            mask,
            is_v4,
            length,
        })
    }

    fn parse(text: &str) -> Result<Self> {
        let network = text.split_once('/').and_then(|(address, length)| {
            Self::new(bytes(address.parse().ok()?), length.parse().ok()?)
        });
        network.ok_or_else(|| {
            exec_datafusion_err!("{text:?} is no network: write 192.0.2.0/24 or 2001:db8::/32")
        })
    }

    fn holds(&self, address: &[u8]) -> bool {
        let bytes: [u8; 16] = address.try_into().unwrap_or([0; 16]);
        // A network of IPv6 such as ::/0 does not hold addresses of IPv4.
        Ipv6Addr::from(bytes).to_ipv4_mapped().is_some() == self.is_v4
            && u128::from_be_bytes(bytes) & self.mask == self.bits
    }

    fn written(&self) -> String {
        format!("{}/{}", written(&self.bits.to_be_bytes()), self.length)
    }
}

/// Whether a network holds an address, or another network.
pub(super) fn contains(call: &Call<'_>) -> Result<ArrayRef> {
    let networks = call.texts(0)?;
    let same = networks.same().map(Network::parse).transpose()?;
    let network = |row| match same {
        Some(same) => Ok(Some(same)),
        None => networks.get(row).map(Network::parse).transpose(),
    };
    if call.kind(1) == ADDRESS {
        let array = call.array(1)?;
        let addresses = array.as_fixed_size_binary();
        return call.each_boolean(|row| {
            Ok(match network(row)? {
                Some(network) if addresses.is_valid(row) => {
                    Some(network.holds(addresses.value(row)))
                }
                _ => None,
            })
        });
    }
    let others: Rows<_> = call.texts(1)?;
    call.each_boolean(|row| {
        let (Some(network), Some(other)) = (network(row)?, others.get(row)) else {
            return Ok(None);
        };
        let other = Network::parse(other)?;
        Ok(Some(
            network.length <= other.length && network.holds(&other.bits.to_be_bytes()),
        ))
    })
}

fn prefix(call: &Call<'_>) -> Result<ArrayRef> {
    let addresses = from_text(call, true)?;
    let addresses = addresses.as_fixed_size_binary();
    let lengths = call.integers(1)?;
    call.each_text(|row| {
        let (Some(length), true) = (lengths.get(row), addresses.is_valid(row)) else {
            return Ok(None);
        };
        let address = addresses.value(row).try_into().unwrap_or([0; 16]);
        Network::new(address, length)
            .map(|network| Some(network.written()))
            .ok_or_else(|| exec_datafusion_err!("an address has no prefix of {length} bits"))
    })
}

fn bound(call: &Call<'_>, last: bool) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let mut builder = FixedSizeBinaryBuilder::with_capacity(call.rows, 16);
    for row in 0..call.rows {
        match texts.get(row).map(Network::parse).transpose()? {
            None => builder.append_null(),
            Some(network) => {
                let bits = if last {
                    network.bits | !network.mask
                } else {
                    network.bits
                };
                builder.append_value(bits.to_be_bytes())?;
            }
        }
    }
    Ok(Arc::new(builder.finish()))
}
