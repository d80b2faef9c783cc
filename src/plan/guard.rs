//! Reasons to refuse a change, or to ask more of the operator, before anything leaves the machine.
//! Pure: what the guards need to know is handed in.

use std::net::IpAddr;

use crate::event::cidr::{Cidr, CidrIndex, Family};
use crate::event::country::Country;
use crate::event::phase::Phase;
use crate::runbook::Allowed;

use super::cloudfront_ranges;

/// What a guard gives up when it is overridden. Each is a flag of its own, named for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Override {
    /// `--allow-never-block`: hits what the runbook promises never to block.
    NeverBlock,
    /// `--allow-own-address`: may cut off this very desk.
    OwnAddress,
    /// `--allow-cloudfront-range`: hits CloudFront's own servers.
    CloudFrontRange,
    /// `--allow-wide-prefix`: wider than the runbook's widest.
    WidePrefix,
    /// `--allow-audience`: shuts out more of the audience than the runbook's cap.
    Audience,
    /// `--break-glass`: the current phase does not allow the command.
    BreakGlass,
}

impl Override {
    /// The name in the ledger.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NeverBlock => "never-block",
            Self::OwnAddress => "own-address",
            Self::CloudFrontRange => "cloudfront-range",
            Self::WidePrefix => "wide-prefix",
            Self::Audience => "audience",
            Self::BreakGlass => "break-glass",
        }
    }

    /// The flag that gives it.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::NeverBlock => "--allow-never-block",
            Self::OwnAddress => "--allow-own-address",
            Self::CloudFrontRange => "--allow-cloudfront-range",
            Self::WidePrefix => "--allow-wide-prefix",
            Self::Audience => "--allow-audience",
            Self::BreakGlass => "--break-glass",
        }
    }
}

/// One reason to refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Stable name, such as `guard.never-block`.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// What lifts it; none where nothing does.
    pub(crate) lifted_by: Option<Override>,
}

/// What the guards of addresses go by.
#[derive(Debug, Clone, Default)]
pub(crate) struct AddressRules {
    /// The runbook's never-block prefixes with their names.
    pub(crate) never_block: Vec<(String, Cidr)>,
    /// The widest prefix lengths, in bits.
    pub(crate) widest_v4: u8,
    pub(crate) widest_v6: u8,
    /// The caller's own public address, where known.
    pub(crate) own_address: Option<IpAddr>,
}

/// Up to this many values go with Enter (contract, section 8).
pub(crate) const LEVEL_0_VALUES: usize = 20;

/// Finds what speaks against blocking `values`. At most `limit` findings of one kind are worded;
/// the rest are counted.
pub(crate) fn addresses(values: &[Cidr], rules: &AddressRules, limit: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |kind: Vec<Finding>| {
        let more = kind.len().saturating_sub(limit);
        let mut kept: Vec<Finding> = kind.into_iter().take(limit).collect();
        if more > 0
            && let Some(last) = kept.last_mut()
        {
            last.message
                .push_str(&format!(" (and {more} more of this kind)"));
        }
        findings.extend(kept);
    };
    add(values
        .iter()
        .filter(|value| value.length() == 0)
        .map(|value| impossible(*value))
        .collect());
    add(values
        .iter()
        .filter_map(|value| wide(*value, rules))
        .collect());

    let protected = CidrIndex::new(rules.never_block.iter().map(|(_, cidr)| *cidr));
    add(values
        .iter()
        .filter(|value| protected.overlapping(**value).is_some())
        .filter_map(|value| {
            let (name, cidr) = rules
                .never_block
                .iter()
                .find(|(_, cidr)| cidr.overlaps(*value))?;
            Some(Finding {
                code: "guard.never-block",
                message: format!(
                    "{value} overlaps {cidr} ({name}), which the runbook says never to block"
                ),
                hint: narrower(*value, *cidr),
                lifted_by: Some(Override::NeverBlock),
            })
        })
        .collect());

    if let Some(own) = rules.own_address {
        add(values
            .iter()
            .filter(|value| value.covers_address(own))
            .map(|value| Finding {
                code: "guard.own-address",
                message: format!("{value} holds {own}, the public address of this very machine"),
                hint: None,
                lifted_by: Some(Override::OwnAddress),
            })
            .collect());
    }

    let cloudfront = cloudfront_ranges::index();
    add(values
        .iter()
        .filter_map(|value| Some((value, cloudfront.overlapping(*value)?)))
        .map(|(value, range)| Finding {
            code: "guard.cloudfront-range",
            message: format!("{value} overlaps {range}, one of CloudFront's own ranges"),
            hint: None,
            lifted_by: Some(Override::CloudFrontRange),
        })
        .collect());
    findings
}

fn impossible(value: Cidr) -> Finding {
    Finding {
        code: "guard.impossible",
        message: format!(
            "{value} is every {} address, which AWS WAF cannot hold in an IP set",
            value.family()
        ),
        hint: Some("to stop serving everyone, disable the distribution instead".to_owned()),
        lifted_by: None,
    }
}

fn wide(value: Cidr, rules: &AddressRules) -> Option<Finding> {
    let widest = match value.family() {
        Family::V4 => rules.widest_v4,
        Family::V6 => rules.widest_v6,
    };
    (value.length() < widest && value.length() > 0).then(|| Finding {
        code: "guard.wide-prefix",
        message: format!(
            "{value} is wider than /{widest}, the widest {} prefix the runbook allows",
            value.family()
        ),
        hint: Some(format!(
            "block the part that is meant, at most a /{widest} at a time"
        )),
        lifted_by: Some(Override::WidePrefix),
    })
}

/// When the value reaches beyond what is protected, what would be left of it.
fn narrower(value: Cidr, protected: Cidr) -> Option<String> {
    if protected.covers(value) {
        return None;
    }
    let rest = crate::event::cidr::cut(value, &[protected]);
    let shown: Vec<String> = rest.iter().take(6).map(ToString::to_string).collect();
    (rest.len() <= 6).then(|| format!("without it: {}", shown.join(" ")))
}

/// Finds what speaks against refusing viewers of `blocked` countries.
pub(crate) fn countries(blocked: &[Country], never_block: &[Country]) -> Vec<Finding> {
    blocked
        .iter()
        .filter(|country| never_block.contains(country))
        .map(|country| Finding {
            code: "guard.never-block",
            message: format!(
                "{} ({country}) is a country the runbook says never to block",
                country.name()
            ),
            hint: None,
            lifted_by: Some(Override::NeverBlock),
        })
        .collect()
}

/// Finds whether a change shuts out more of the audience than `cap`, both in percent.
pub(crate) fn audience(shut_out: f64, cap: f64) -> Option<Finding> {
    (shut_out > cap).then(|| Finding {
        code: "guard.audience",
        message: format!(
            "it shuts out {shut_out:.1}% of the audience that the forecast expects; the runbook's cap is {cap}%"
        ),
        hint: None,
        lifted_by: Some(Override::Audience),
    })
}

/// Finds whether the phase speaks against `command`. Some commands are never refused because of time.
pub(crate) fn phase(command: &str, phase: Phase, allowed: &Allowed) -> Option<Finding> {
    if allowed.permits(command) {
        return None;
    }
    let listed = match allowed {
        Allowed::All => String::new(),
        Allowed::Listed(listed) => listed.join(", "),
    };
    Some(Finding {
        code: "guard.phase",
        message: format!("phase {phase} does not allow `{command}`"),
        hint: Some(format!(
            "besides block, revoke and undo it allows: {}",
            if listed.is_empty() {
                "nothing"
            } else {
                &listed
            }
        )),
        lifted_by: Some(Override::BreakGlass),
    })
}

/// The level that addresses ask for (contract, section 8).
pub(crate) fn address_level(values: &[Cidr], has_end: bool) -> u8 {
    let wide = values.iter().any(|value| match value.family() {
        Family::V4 => value.length() < 24,
        Family::V6 => value.length() < 48,
    });
    // A /64 is one household, as a /32 is: whom any other prefix hits is not known.
    let impact_unknown = values.iter().any(|value| match value.family() {
        Family::V4 => !value.is_single(),
        Family::V6 => value.length() < 64,
    });
    u8::from(wide || impact_unknown || !has_end || values.len() > LEVEL_0_VALUES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> AddressRules {
        AddressRules {
            never_block: vec![("studio".to_owned(), "198.51.100.0/24".parse().unwrap())],
            widest_v4: 16,
            widest_v6: 32,
            own_address: Some("192.0.2.7".parse().unwrap()),
        }
    }

    fn codes(values: &[&str]) -> Vec<&'static str> {
        let values: Vec<Cidr> = values.iter().map(|text| text.parse().unwrap()).collect();
        addresses(&values, &rules(), 5)
            .into_iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn one_fact_decides_each_finding() {
        assert_eq!(codes(&["203.0.113.7"]), Vec::<&str>::new());
        assert_eq!(codes(&["0.0.0.0/0"])[0], "guard.impossible");
        assert_eq!(codes(&["10.0.0.0/15"]), ["guard.wide-prefix"]);
        assert_eq!(codes(&["10.0.0.0/16"]), Vec::<&str>::new());
        assert_eq!(codes(&["2001:db8::/31"]), ["guard.wide-prefix"]);
        // From either side: inside what is protected, and around it.
        assert_eq!(codes(&["198.51.100.9"]), ["guard.never-block"]);
        assert_eq!(codes(&["198.51.0.0/16"]), ["guard.never-block"]);
        assert_eq!(codes(&["192.0.2.0/24"]), ["guard.own-address"]);
        assert_eq!(codes(&["120.52.22.100"]), ["guard.cloudfront-range"]);
    }

    #[test]
    fn says_what_is_left_beside_the_protected_part() {
        let values = ["198.51.100.0/23".parse().unwrap()];
        let findings = addresses(&values, &rules(), 5);
        assert_eq!(
            findings[0].hint.as_deref(),
            Some("without it: 198.51.101.0/24")
        );
    }

    #[test]
    fn the_cap_itself_is_allowed() {
        assert_eq!(audience(5.0, 5.0), None);
        let finding = audience(5.1, 5.0).unwrap();
        assert_eq!(finding.code, "guard.audience");
        assert_eq!(finding.lifted_by, Some(Override::Audience));
    }

    #[test]
    fn levels_follow_width_number_and_end() {
        let one = ["203.0.113.7".parse().unwrap()];
        assert_eq!(address_level(&one, true), 0);
        assert_eq!(address_level(&one, false), 1);
        assert_eq!(address_level(&["203.0.113.0/24".parse().unwrap()], true), 1);
        assert_eq!(
            address_level(&["2001:db8:1:2::/64".parse().unwrap()], true),
            0
        );
        assert_eq!(address_level(&["2001:db8::/47".parse().unwrap()], true), 1);
        let many: Vec<Cidr> = (1..=21)
            .map(|n| format!("203.0.113.{n}").parse().unwrap())
            .collect();
        assert_eq!(address_level(&many[..20], true), 0);
        assert_eq!(address_level(&many, true), 1);
    }

    #[test]
    fn a_phase_never_refuses_a_block_but_refuses_what_it_does_not_list() {
        let nothing = Allowed::Listed(Vec::new());
        let some = Allowed::Listed(vec!["geo block".to_owned()]);
        assert_eq!(phase("ip block", Phase::Freeze, &nothing), None);
        assert_eq!(phase("geo block", Phase::Freeze, &some), None);
        assert_eq!(
            phase("geo reset", Phase::Freeze, &some).map(|one| one.code),
            Some("guard.phase")
        );
        assert_eq!(phase("geo reset", Phase::Freeze, &Allowed::All), None);
    }
}
