//! Checks what decides over viewers: `[geo]`, `[waf]` and `[tokens]`.

use std::path::Path;

use crate::event::cidr::Cidr;
use crate::event::country::{Country, expand};
use crate::event::duration::Lasting;
use crate::event::text::shortened;
use crate::runbook::check::{Notes, aws_name, gate, is_percentage, rights, web_acl};
use crate::runbook::model::{
    GeoMode, GeoSection, KeyReference, NeverBlockSection, TokenFormat, TokensSection, WafSection,
};
use crate::runbook::note::Problem;
use crate::runbook::resolved::{Event, Geo, KeySource, NeverBlock, Percent, Tokens, Waf};

/// The longest name of a WAF IP set or web ACL; aws-facts, section 3.
const LONGEST_WAF_NAME: usize = 128;
/// The longest name of a CloudFront function or KeyValueStore.
const LONGEST_FUNCTION_NAME: usize = 64;

pub(super) fn geo(section: &GeoSection, event: Option<&Event>, notes: &mut Notes) -> Option<Geo> {
    let listed = countries("geo.countries", &section.countries, notes);
    let protected = section.never_block.as_deref().unwrap_or_default();
    let never_block = countries("geo.never-block", protected, notes);
    if section.mode == GeoMode::Allow && section.countries.is_empty() {
        notes.error("geo.countries", Problem::AllowNobody);
        return None;
    }
    let states = rights::states(section.states.as_deref().unwrap_or_default(), notes);
    let metros = section
        .metros
        .as_ref()
        .map(|metros| rights::metros(metros, notes));
    let windows = rights::windows(section.windows.as_deref().unwrap_or_default(), event, notes);
    let geo = Geo {
        mode: section.mode,
        countries: sorted(listed.as_ref()?),
        never_block: sorted(never_block.as_ref()?),
        states,
        metros,
        windows,
    };
    rights::against_the_list(&geo, section, notes);
    let mut is_sound = true;
    for (expanded, index) in never_block?.iter().zip(0..) {
        for country in expanded.iter().filter(|country| geo.blocks(**country)) {
            let path = format!("geo.never-block[{index}]");
            notes.error(path, Problem::NeverBlockBlocked { country: *country });
            is_sound = false;
        }
    }
    is_sound.then_some(geo)
}

/// What each text stands for; none if one of them stands for nothing.
pub(super) fn countries(
    path: &str,
    texts: &[String],
    notes: &mut Notes,
) -> Option<Vec<Vec<Country>>> {
    let expanded: Vec<Option<Vec<Country>>> = texts
        .iter()
        .zip(0..)
        .map(|(text, index)| notes.take(format!("{path}[{index}]"), expand(text), Problem::Country))
        .collect();
    expanded.into_iter().collect()
}

pub(super) fn sorted(expanded: &[Vec<Country>]) -> Vec<Country> {
    let mut countries: Vec<Country> = expanded.iter().flatten().copied().collect();
    countries.sort_unstable();
    countries.dedup();
    countries
}

pub(super) fn waf(section: &WafSection, id: &str, notes: &mut Notes) -> Option<Waf> {
    let ip_set = |given: &Option<String>, family: &str| {
        given
            .clone()
            .unwrap_or_else(|| format!("onair-{id}-block-{family}"))
    };
    let ip_set_v4 = ip_set(&section.ip_set_v4, "v4");
    let ip_set_v6 = ip_set(&section.ip_set_v6, "v6");
    aws_name(&section.web_acl, LONGEST_WAF_NAME, "waf.web-acl", notes);
    if section.ip_set_v4.is_some() {
        aws_name(&ip_set_v4, LONGEST_WAF_NAME, "waf.ip-set-v4", notes);
    }
    if section.ip_set_v6.is_some() {
        aws_name(&ip_set_v6, LONGEST_WAF_NAME, "waf.ip-set-v6", notes);
    }
    if ip_set_v4 == ip_set_v6 {
        let problem = Problem::Duplicate {
            what: "IP set",
            name: shortened(&ip_set_v6, 60),
        };
        notes.error("waf.ip-set-v6", problem);
    }
    let networks = section.never_block.as_deref().unwrap_or_default();
    let never_block: Vec<Option<NeverBlock>> = networks
        .iter()
        .zip(0..)
        .map(|(network, index)| never_block(network, index, notes))
        .collect();
    let widest_v4 = prefix_length("waf.widest-v4", section.widest_v4.unwrap_or(16), 32, notes);
    let widest_v6 = prefix_length("waf.widest-v6", section.widest_v6.unwrap_or(32), 128, notes);
    let default_duration = lasting(
        "waf.default-duration",
        section.default_duration.as_deref(),
        notes,
    );
    if section.audience_cap.is_some_and(|cap| !is_percentage(cap)) {
        notes.error("waf.audience-cap", Problem::Percentage);
    }
    Some(Waf {
        web_acl: section.web_acl.clone(),
        ip_set_v4,
        ip_set_v6,
        never_block: never_block.into_iter().collect::<Option<_>>()?,
        widest_v4: widest_v4?,
        widest_v6: widest_v6?,
        default_duration: default_duration?,
        audience_cap: section.audience_cap.map(Percent),
        blocklist: section.blocklist.unwrap_or_default(),
        managed: web_acl::managed(section.managed.as_deref().unwrap_or_default(), notes),
        rate: section
            .rate
            .as_ref()
            .and_then(|rate| web_acl::rate(rate, notes)),
    })
}

fn never_block(network: &NeverBlockSection, index: usize, notes: &mut Notes) -> Option<NeverBlock> {
    let path = format!("waf.never-block[{index}].cidr");
    let parsed = notes.take(path.clone(), Cidr::parse(&network.cidr), Problem::Cidr)?;
    if let Some(written) = parsed.normalized_from {
        notes.warning(path, Problem::HostBits(written, parsed.cidr.to_string()));
    }
    Some(NeverBlock {
        name: network.name.clone(),
        cidr: parsed.cidr,
    })
}

fn prefix_length(path: &str, value: u32, longest: u32, notes: &mut Notes) -> Option<u8> {
    if !(1..=longest).contains(&value) {
        notes.error(path, Problem::PrefixLength { value, longest });
        return None;
    }
    u8::try_from(value).ok()
}

fn lasting(path: &str, text: Option<&str>, notes: &mut Notes) -> Option<Lasting> {
    text.map_or(Some(Lasting::Event), |text| {
        notes.take(path, Lasting::parse(text), Problem::Duration)
    })
}

pub(super) fn tokens(
    section: &TokensSection,
    id: &str,
    folder: &Path,
    notes: &mut Notes,
) -> Option<Tokens> {
    let revocation_keys = match (&section.revocation_keys, section.format) {
        (Some(claims), TokenFormat::Opaque) if !claims.is_empty() => {
            notes.error("tokens.revocation-keys", Problem::OpaqueClaims);
            Vec::new()
        }
        (Some(claims), _) => claims.clone(),
        (None, TokenFormat::Jwt) => ["sub", "sid", "jti"].map(str::to_owned).to_vec(),
        (None, TokenFormat::Cat) => ["sub", "cti"].map(str::to_owned).to_vec(),
        (None, TokenFormat::Opaque) => Vec::new(),
    };
    if revocation_keys.is_empty() && section.format != TokenFormat::Opaque {
        notes.error("tokens.revocation-keys", Problem::Empty);
    }
    for (claim, index) in revocation_keys.iter().zip(0..) {
        let path = format!("tokens.revocation-keys[{index}]");
        if claim.is_empty() {
            notes.error(path, Problem::Empty);
        } else if revocation_keys[..index].contains(claim) {
            let name = shortened(claim, 60);
            notes.error(
                path,
                Problem::Duplicate {
                    what: "claim",
                    name,
                },
            );
        }
    }
    let store = section
        .store
        .clone()
        .unwrap_or_else(|| format!("onair-{id}-revocations"));
    let function = section
        .function
        .clone()
        .unwrap_or_else(|| format!("onair-{id}-gate"));
    if section.store.is_some() {
        aws_name(&store, LONGEST_FUNCTION_NAME, "tokens.store", notes);
    }
    if section.function.is_some() {
        aws_name(&function, LONGEST_FUNCTION_NAME, "tokens.function", notes);
    }
    let default_duration = lasting(
        "tokens.default-duration",
        section.default_duration.as_deref(),
        notes,
    );
    let gate = gate::gate(section.gate.as_ref(), section.format, notes);
    let key = match &section.key {
        None => None,
        Some(reference) => Some(key_source(reference, folder, notes)?),
    };
    Some(Tokens {
        format: section.format,
        revocation_keys,
        store,
        function,
        mode: section.mode.unwrap_or_default(),
        default_duration: default_duration?,
        key,
        gate: gate?,
    })
}

fn key_source(reference: &KeyReference, folder: &Path, notes: &mut Notes) -> Option<KeySource> {
    match (&reference.env, &reference.file, &reference.secret) {
        (Some(name), None, None) => Some(KeySource::Env(name.clone())),
        (None, Some(file), None) => Some(KeySource::File(folder.join(file))),
        (None, None, Some(arn)) => Some(KeySource::Secret(arn.clone())),
        _ => {
            notes.error("tokens.key", Problem::KeySources);
            None
        }
    }
}
