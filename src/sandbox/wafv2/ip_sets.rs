//! IP sets: create, read, replace, delete, list, and what an address in one must look like.

use std::collections::HashSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::input::{Input, Text};
use super::model::{Addresses, IpSet, Waf};
use super::refusal::Refusal;
use super::{Context, Reply, page, tags};
use crate::event::cidr::{Cidr, Family};
use crate::sandbox::ids::random_uuid;

/// Per set (Developer Guide, "AWS WAF quotas").
const MOST_ADDRESSES: usize = 10_000;
/// Per account and region (same source).
const MOST_SETS: usize = 100;
/// Characters (botocore `wafv2`, `IPAddress`).
const LONGEST_ADDRESS: usize = 50;

pub(super) fn create(context: &Context<'_>, state: &mut Waf, mut input: Input) -> Reply {
    let name = input.required("Name", Text::Name);
    let scope = input.scope();
    let description = input.optional("Description", Text::Description);
    let version = input.word("IPAddressVersion", &["IPV4", "IPV6"]);
    let addresses = input.texts("Addresses");
    let tags = tags::initial(&mut input);
    input.finish()?;
    context.check_scope(scope)?;
    let family = if version == "IPV4" {
        Family::V4
    } else {
        Family::V6
    };
    let addresses = check_addresses(&addresses, family)?;
    if state.ip_sets.values().any(|set| set.name == name) {
        return Err(Refusal::duplicate(&name));
    }
    if state.ip_sets.len() >= MOST_SETS {
        return Err(Refusal::limit("IP sets of an account and region"));
    }
    let id = random_uuid();
    let arn = context.arn("ipset", &name, &id);
    let mut set = IpSet::new(&name, id, arn, family);
    set.description = description.unwrap_or_default();
    set.replace(addresses, context.call.now, context.call.rollout.waf);
    if let Some(tags) = tags? {
        state.tags.insert(set.arn.clone(), tags);
    }
    let answer = json!({"Summary": summary(&set)});
    state.ip_sets.insert(set.id.clone(), set);
    context.changed(&answer)
}

pub(super) fn get(context: &Context<'_>, state: &Waf, mut input: Input) -> Reply {
    let (name, id) = named(context, &mut input)?;
    let set = find(state, &name, &id)?;
    context.found(&json!({
        "IPSet": {
            "Name": set.name,
            "Id": set.id,
            "ARN": set.arn,
            "Description": set.description,
            "IPAddressVersion": version(set.family),
            "Addresses": set.addresses.iter().collect::<Vec<_>>(),
        },
        "LockToken": set.lock_token,
    }))
}

pub(super) fn update(context: &Context<'_>, state: &mut Waf, mut input: Input) -> Reply {
    let description = input.optional("Description", Text::Description);
    let addresses = input.texts("Addresses");
    let token = input.required("LockToken", Text::Id);
    let (name, id) = named(context, &mut input)?;
    let family = find(state, &name, &id)?.family;
    let addresses = check_addresses(&addresses, family)?;
    let set = state
        .ip_sets
        .get_mut(&id)
        .ok_or_else(Refusal::nonexistent)?;
    if set.lock_token != token {
        return Err(Refusal::stale_lock());
    }
    // Whether an omitted description is kept is not documented: the harsher reading.
    set.description = description.unwrap_or_default();
    set.replace(addresses, context.call.now, context.call.rollout.waf);
    let answer = json!({"NextLockToken": set.lock_token});
    context.changed(&answer)
}

pub(super) fn delete(context: &Context<'_>, state: &mut Waf, mut input: Input) -> Reply {
    let token = input.required("LockToken", Text::Id);
    let (name, id) = named(context, &mut input)?;
    let set = find(state, &name, &id)?;
    if set.lock_token != token {
        return Err(Refusal::stale_lock());
    }
    let user = state.web_acls.values().find(|acl| {
        acl.document
            .get("Rules")
            .is_some_and(|rules| mentions(rules, &set.arn))
    });
    if let Some(acl) = user {
        return Err(Refusal::associated(&acl.arn));
    }
    if let Some(set) = state.ip_sets.remove(&id) {
        state.tags.remove(&set.arn);
        // Edges that still ask it have let go of it long before as many others are deleted.
        while state.departed.len() >= MOST_SETS {
            state.departed.pop_first();
        }
        state.departed.insert(set.arn.clone(), set);
    }
    context.changed(&json!({}))
}

pub(super) fn list(context: &Context<'_>, state: &Waf, mut input: Input) -> Reply {
    let page = page::Request::read(&mut input)?;
    let scope = input.scope();
    input.finish()?;
    context.check_scope(scope)?;
    let mut summaries: Vec<_> = state
        .ip_sets
        .values()
        .map(|set| (set.name.as_str(), summary(set)))
        .collect();
    summaries.sort_by_key(|(name, _)| *name);
    context.found(&page.answer("IPSets", summaries))
}

/// Reads name, scope and id, which all calls on one set carry.
fn named(context: &Context<'_>, input: &mut Input) -> Result<(String, String), Refusal> {
    let name = input.required("Name", Text::Name);
    let scope = input.scope();
    let id = input.required("Id", Text::Id);
    input.finish()?;
    context.check_scope(scope)?;
    Ok((name, id))
}

fn find<'a>(state: &'a Waf, name: &str, id: &str) -> Result<&'a IpSet, Refusal> {
    state
        .ip_sets
        .get(id)
        .filter(|set| set.name == name)
        .ok_or_else(Refusal::nonexistent)
}

fn summary(set: &IpSet) -> Value {
    json!({
        "Name": set.name,
        "Id": set.id,
        "Description": set.description,
        "LockToken": set.lock_token,
        "ARN": set.arn,
    })
}

fn version(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPV4",
        Family::V6 => "IPV6",
    }
}

/// Says whether any rule refers to this ARN.
fn mentions(rules: &Value, arn: &str) -> bool {
    match rules {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| (name == "ARN" && value == arn) || mentions(value, arn)),
        Value::Array(items) => items.iter().any(|item| mentions(item, arn)),
        _ => false,
    }
}

/// Checks every address and returns them in canonical form, each once, in the order given.
fn check_addresses(texts: &[String], family: Family) -> Result<Addresses, Refusal> {
    if let Some(long) = texts.iter().find(|text| text.len() > LONGEST_ADDRESS) {
        return Err(Refusal::new(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{long}' at 'addresses' failed to satisfy \
                 constraint: Member must have length less than or equal to {LONGEST_ADDRESS}"
            ),
        ));
    }
    if texts.len() > MOST_ADDRESSES {
        return Err(Refusal::limit("addresses of an IP set"));
    }
    let mut seen = HashSet::with_capacity(texts.len());
    let mut canonical = Vec::with_capacity(texts.len());
    for text in texts {
        let prefix = check_address(text, family)?;
        if seen.insert(prefix) {
            canonical.push(prefix.to_string());
        }
    }
    Ok(Addresses::from_iter(canonical))
}

fn check_address(text: &str, family: Family) -> Result<Cidr, Refusal> {
    let refuse = |reason: &str| Err(Refusal::parameter("IP_ADDRESS", text, reason));
    let malformed = "The parameter contains formatting that is not valid.";
    let parsed = text.split_once('/').and_then(|(address, length)| {
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        Some((
            address.parse::<IpAddr>().ok()?,
            length.parse::<u8>().ok().filter(|_| digits)?,
        ))
    });
    let Some((address, length)) = parsed else {
        return refuse(malformed);
    };
    if address.is_ipv4() != (family == Family::V4) {
        return refuse("The address is not of the IP set's IP address version.");
    }
    if length == 0 {
        return refuse("The prefix length 0 is not supported.");
    }
    match Cidr::new(address, length) {
        None => refuse(malformed),
        // Whether AWS clears host bits or refuses them is not documented: the harsher reading.
        Some(prefix) if prefix.address() != address => {
            refuse("The address has bits set beyond its prefix length.")
        }
        Some(prefix) => Ok(prefix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_refused_as_waf_refuses_them() {
        for (text, family, right) in [
            ("192.0.2.0/24", Family::V4, true),
            ("192.0.2.1/32", Family::V4, true),
            ("0.0.0.0/1", Family::V4, true),
            ("2001:DB8:0::/48", Family::V6, true),
            ("0.0.0.0/0", Family::V4, false),
            ("::/0", Family::V6, false),
            ("192.0.2.1", Family::V4, false),
            ("192.0.2.1/24", Family::V4, false),
            ("192.0.2.0/33", Family::V4, false),
            ("192.0.2.0/+24", Family::V4, false),
            ("192.0.2.0/", Family::V4, false),
            ("192.0.2.0/24", Family::V6, false),
            ("2001:db8::/32", Family::V4, false),
            ("example.com/32", Family::V4, false),
            ("", Family::V4, false),
        ] {
            assert_eq!(
                check_address(text, family).is_ok(),
                right,
                "{text} {family}"
            );
        }
    }

    #[test]
    fn ipv6_comes_back_compressed_and_doubles_once() {
        let texts = ["2001:DB8:0:0::/64", "2001:db8::/64"].map(str::to_owned);
        let addresses = check_addresses(&texts, Family::V6).unwrap();
        assert_eq!(addresses.iter().collect::<Vec<_>>(), ["2001:db8::/64"]);
    }

    #[test]
    fn a_set_holds_ten_thousand() {
        let texts = |count: u32| -> Vec<String> {
            (0..count)
                .map(|number| format!("{}/32", std::net::Ipv4Addr::from(0x0a00_0000 + number)))
                .collect()
        };
        assert!(check_addresses(&texts(10_000), Family::V4).is_ok());
        let refusal = check_addresses(&texts(10_001), Family::V4).unwrap_err();
        assert_eq!(refusal.code(), "WAFLimitsExceededException");
    }
}
