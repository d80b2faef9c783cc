//! Does a statement match a request? Yes, no, or: that cannot be known from here.

use std::collections::BTreeSet;

use super::acl::{ByteMatch, Field, Statement};
use super::request::{EdgeView, ViewerRequest};

/// Whether a statement matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    /// With what there was to find.
    Yes(String),
    No,
    /// With the reason.
    Unknown(String),
}

/// Asks `statement`; labels that it adds go to `labels`, as a geo match labels every request that
/// it inspects (WAF Developer Guide, "Geographic match rule statement").
pub(super) fn ask(
    statement: &Statement,
    view: &EdgeView,
    request: &ViewerRequest,
    labels: &mut BTreeSet<String>,
) -> Match {
    match statement {
        Statement::IpSet { arn, forwarded } => ip_set(arn, *forwarded, view, request),
        Statement::Geo { codes, forwarded } => geo(codes, *forwarded, request, labels),
        Statement::Label { namespace, key } => label(*namespace, key, request, labels),
        Statement::ByteMatch(wanted) => byte_match(wanted, request),
        Statement::Managed {
            vendor,
            name,
            scope_down,
            ..
        } => scoped(scope_down.as_deref(), view, request, labels, || {
            format!("only {vendor} knows what {name} matches")
        }),
        Statement::RateBased { limit, scope_down } => {
            scoped(scope_down.as_deref(), view, request, labels, || {
                format!("depends on whether the address is above {limit} requests")
            })
        }
        Statement::And(inner) => {
            let mut answer = Match::Yes(String::new());
            for statement in inner {
                answer = and(answer, ask(statement, view, request, labels));
            }
            answer
        }
        Statement::Or(inner) => {
            let mut answer = Match::No;
            for statement in inner {
                answer = or(answer, ask(statement, view, request, labels));
            }
            answer
        }
        Statement::Not(inner) => match ask(inner, view, request, labels) {
            Match::Yes(_) => Match::No,
            Match::No => Match::Yes("outside what the rule exempts".to_owned()),
            unknown @ Match::Unknown(_) => unknown,
        },
        Statement::Unknown(name) => Match::Unknown(format!("{name} is not judged here")),
    }
}

fn ip_set(arn: &str, forwarded: bool, view: &EdgeView, request: &ViewerRequest) -> Match {
    if forwarded {
        return Match::Unknown("the set is asked for an address from a header".to_owned());
    }
    let Some(set) = view.ip_sets.get(arn) else {
        return Match::Unknown(format!("the IP set {arn} could not be read"));
    };
    if set.is_empty() {
        return Match::No;
    }
    let Some(address) = request.address else {
        return Match::Unknown("the address is not known".to_owned());
    };
    // An edge has one blocklist of 10,000 and one address at a time: no index pays off.
    set.iter()
        .filter(|prefix| prefix.covers_address(address))
        .max_by_key(|prefix| prefix.length())
        .map_or(Match::No, |prefix| {
            let name = arn.split('/').rev().nth(1).unwrap_or(arn);
            Match::Yes(format!("{prefix} is in IP set {name}"))
        })
}

fn geo(
    codes: &BTreeSet<String>,
    forwarded: bool,
    request: &ViewerRequest,
    labels: &mut BTreeSet<String>,
) -> Match {
    if forwarded {
        return Match::Unknown("the country is that of an address from a header".to_owned());
    }
    let country = request.country.as_deref().unwrap_or("XX");
    labels.insert(format!("awswaf:clientip:geo:country:{country}"));
    if let Some(region) = &request.region {
        labels.insert(format!("awswaf:clientip:geo:region:{country}-{region}"));
    }
    if codes.contains(country) {
        Match::Yes(format!("country {country}"))
    } else {
        Match::No
    }
}

fn label(namespace: bool, key: &str, request: &ViewerRequest, labels: &BTreeSet<String>) -> Match {
    let found = labels.iter().find(|label| {
        if namespace {
            label.starts_with(key)
        } else {
            // A key may leave out the namespaces in front.
            *label == key || label.ends_with(&format!(":{key}"))
        }
    });
    if let Some(label) = found {
        return Match::Yes(format!("label {label}"));
    }
    if let Some((_, region)) = key.split_once("clientip:geo:region:") {
        let inspected = labels
            .iter()
            .any(|label| label.starts_with("awswaf:clientip:geo:"));
        let country = request.country.as_deref().unwrap_or("XX");
        if request.region.is_some() {
            return Match::No;
        }
        return if inspected && (region.is_empty() || region.starts_with(&format!("{country}-"))) {
            Match::Unknown("the viewer's region is not known".to_owned())
        } else {
            Match::No
        };
    }
    if key.contains("awswaf:managed:") {
        return Match::Unknown(format!("only the rule group knows when it adds {key}"));
    }
    Match::No
}

/// A statement whose own answer is unknown matches nothing outside its scope.
fn scoped(
    scope: Option<&Statement>,
    view: &EdgeView,
    request: &ViewerRequest,
    labels: &mut BTreeSet<String>,
    why: impl Fn() -> String,
) -> Match {
    match scope.map(|scope| ask(scope, view, request, labels)) {
        Some(Match::No) => Match::No,
        Some(Match::Yes(_) | Match::Unknown(_)) | None => Match::Unknown(why()),
    }
}

fn byte_match(wanted: &ByteMatch, request: &ViewerRequest) -> Match {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let text = match &wanted.field {
        Field::UriPath => Some(path),
        Field::Query => Some(query),
        Field::Header(name) if name == "host" => request.host.as_deref(),
        Field::Header(name) if name == "user-agent" => request.user_agent.as_deref(),
        Field::Header(name) => return Match::Unknown(format!("header {name} is not known")),
        Field::Unknown(name) => return Match::Unknown(format!("{name} is not judged here")),
    };
    let Some(text) = text else {
        return Match::Unknown("that part of the request is not known".to_owned());
    };
    let mut text = text.as_bytes().to_vec();
    for transformation in &wanted.transformations {
        match transformation.as_str() {
            "NONE" => {}
            "LOWERCASE" => text.make_ascii_lowercase(),
            other => return Match::Unknown(format!("transformation {other} is not judged here")),
        }
    }
    let search = wanted.search.as_slice();
    let matches = match wanted.position.as_str() {
        "EXACTLY" => text == search,
        "STARTS_WITH" => text.starts_with(search),
        "ENDS_WITH" => text.ends_with(search),
        "CONTAINS" => {
            search.is_empty() || text.windows(search.len()).any(|window| window == search)
        }
        other => return Match::Unknown(format!("constraint {other} is not judged here")),
    };
    if matches {
        Match::Yes(format!("matches {}", String::from_utf8_lossy(search)))
    } else {
        Match::No
    }
}

fn and(left: Match, right: Match) -> Match {
    match (left, right) {
        (Match::No, _) | (_, Match::No) => Match::No,
        (unknown @ Match::Unknown(_), _) | (_, unknown @ Match::Unknown(_)) => unknown,
        (Match::Yes(left), Match::Yes(right)) if left.is_empty() => Match::Yes(right),
        (Match::Yes(left), Match::Yes(right)) => Match::Yes(format!("{left}, {right}")),
    }
}

fn or(left: Match, right: Match) -> Match {
    match (left, right) {
        (yes @ Match::Yes(_), _) | (_, yes @ Match::Yes(_)) => yes,
        (unknown @ Match::Unknown(_), _) | (_, unknown @ Match::Unknown(_)) => unknown,
        (Match::No, Match::No) => Match::No,
    }
}
