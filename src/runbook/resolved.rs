//! The runbook as the rest of onair uses it: every value parsed, every default filled in.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use crate::event::cidr::{Cidr, Family};
use crate::event::country::Country;
use crate::event::duration::{Lasting, compact};
use crate::event::name::EventId;
use crate::event::phase::Phase;
use crate::event::time::{rfc3339, zone_name};
use crate::event::window::EventTimes;
use crate::runbook::model::{self, GeoMode, Role, TokenFormat, TokenMode};

/// A sound runbook. It serializes in the shape of the file, defaults included.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Runbook {
    pub(crate) event: Event,
    pub(crate) aws: Aws,
    /// At least one; the first is the main one.
    pub(crate) distributions: Vec<Distribution>,
    pub(crate) geo: Option<Geo>,
    pub(crate) waf: Option<Waf>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) ledger: Ledger,
    /// In order of time, at least one.
    pub(crate) phases: Vec<PhaseStart>,
    /// The file it was loaded from.
    pub(crate) path: PathBuf,
    /// SHA-256 of the file's text, in hex.
    pub(crate) digest: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) name: String,
    pub(crate) starts: Timestamp,
    /// As planned; the crew may have extended the event since.
    pub(crate) ends: Timestamp,
    pub(crate) doors: Timestamp,
    pub(crate) grace: SignedDuration,
    pub(crate) zone: TimeZone,
    /// What relative times are labeled with: `KO`.
    pub(crate) kickoff_label: String,
    pub(crate) operators: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aws {
    /// 12 digits.
    pub(crate) account: String,
    pub(crate) profile: Option<String>,
    /// The home region of regional resources; CloudFront's own are in us-east-1.
    pub(crate) region: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Distribution {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) domain: String,
    pub(crate) role: Role,
    pub(crate) samples: Samples,
}

/// Paths that checks and probes ask for.
pub(crate) type Samples = model::SamplesSection;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Geo {
    pub(crate) mode: GeoMode,
    /// Groups expanded, in order of code, each once.
    pub(crate) countries: Vec<Country>,
    pub(crate) never_block: Vec<Country>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Waf {
    /// The web ACL's name.
    pub(crate) web_acl: String,
    pub(crate) ip_set_v4: String,
    pub(crate) ip_set_v6: String,
    pub(crate) never_block: Vec<NeverBlock>,
    /// The shortest prefix length that needs no override.
    pub(crate) widest_v4: u8,
    pub(crate) widest_v6: u8,
    pub(crate) default_duration: Lasting,
    pub(crate) audience_cap: Option<Percent>,
}

/// A network that no command may block without an override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeverBlock {
    pub(crate) name: String,
    pub(crate) cidr: Cidr,
}

/// More than 0 and at most 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub(crate) struct Percent(pub(crate) f64);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) format: TokenFormat,
    /// The claims that are looked up at the edge; none for opaque tokens.
    pub(crate) revocation_keys: Vec<String>,
    /// The KeyValueStore's name.
    pub(crate) store: String,
    /// The CloudFront function's name.
    pub(crate) function: String,
    pub(crate) mode: TokenMode,
    pub(crate) default_duration: Lasting,
    pub(crate) key: Option<KeySource>,
}

/// Where the signing key lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// An environment variable.
    Env(String),
    /// A file; relative names have been joined to the runbook's folder.
    File(PathBuf),
    /// A Secrets Manager ARN.
    Secret(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) store: LedgerStore,
}

/// Where the ledger's entries are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LedgerStore {
    /// A folder; relative names have been joined to the runbook's folder.
    Folder(PathBuf),
    /// `prefix` has no slash at either end, and may be empty.
    S3 { bucket: String, prefix: String },
}

/// From when a phase runs, and what may be changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhaseStart {
    pub(crate) phase: Phase,
    pub(crate) from: Timestamp,
    pub(crate) allow: Allowed,
    /// Whether what is not allowed may still be done with a reason.
    pub(crate) break_glass: bool,
}

/// The commands that may change things in a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowed {
    All,
    /// Full names (`geo block`), or first words (`geo`) for all that begin so.
    Listed(Vec<String>),
}

/// What protects the event is never refused because of time.
const ALWAYS: &[&str] = &[
    "ip block",
    "token revoke",
    "ledger undo",
    "token mode",
    "origin",
];

impl Allowed {
    /// Whether a command that changes things may run, by its full name such as `ip block`.
    pub(crate) fn permits(&self, command: &str) -> bool {
        let command = full_name(command);
        let matches = |listed: &str| {
            command
                .strip_prefix(full_name(listed))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        match self {
            Self::All => true,
            Self::Listed(listed) => {
                ALWAYS.iter().any(|always| matches(always))
                    || listed.iter().any(|listed| matches(listed))
            }
        }
    }
}

/// The full name of a short verb.
fn full_name(command: &str) -> &str {
    match command {
        "block" => "ip block",
        "unblock" => "ip unblock",
        "revoke" => "token revoke",
        "undo" => "ledger undo",
        other => other,
    }
}

impl Event {
    /// The event's times as planned.
    pub(crate) fn times(&self) -> EventTimes {
        EventTimes {
            starts: self.starts,
            ends: self.ends,
            doors: self.doors,
            grace: self.grace,
            zone: self.zone.clone(),
        }
    }
}

impl Geo {
    /// Whether a viewer from `country` is kept out as the runbook has it.
    pub(crate) fn blocks(&self, country: Country) -> bool {
        let listed = self.countries.contains(&country);
        match self.mode {
            GeoMode::Allow => !listed,
            GeoMode::Block => listed,
        }
    }
}

impl Waf {
    /// The blocklist's name for a family.
    pub(crate) fn ip_set(&self, family: Family) -> &str {
        match family {
            Family::V4 => &self.ip_set_v4,
            Family::V6 => &self.ip_set_v6,
        }
    }
}

impl Runbook {
    /// The folder that the runbook is in.
    pub(crate) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// The runbook as TOML with all defaults: a runbook that loads to the same.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string_pretty(&self.to_file()).expect("the model holds only what TOML can")
    }

    /// The runbook in the shape of the file.
    pub(crate) fn to_file(&self) -> model::File {
        let zone = &self.event.zone;
        let relative = |path: &Path| {
            let within = path.strip_prefix(self.folder()).unwrap_or(path);
            within.to_string_lossy().into_owned()
        };
        let codes = |countries: &[Country]| countries.iter().map(Country::to_string).collect();
        model::File {
            format: 1,
            event: model::EventSection {
                id: self.event.id.to_string(),
                name: self.event.name.clone(),
                starts: rfc3339(self.event.starts, zone),
                ends: rfc3339(self.event.ends, zone),
                doors: Some(rfc3339(self.event.doors, zone)),
                grace: Some(compact(self.event.grace)),
                zone: zone_name(zone),
                kickoff_label: Some(self.event.kickoff_label.clone()),
                operators: Some(self.event.operators.clone()),
            },
            aws: model::AwsSection {
                account: self.aws.account.clone(),
                profile: self.aws.profile.clone(),
                region: Some(self.aws.region.clone()),
            },
            distributions: self
                .distributions
                .iter()
                .map(|distribution| model::DistributionSection {
                    name: distribution.name.clone(),
                    id: distribution.id.clone(),
                    domain: distribution.domain.clone(),
                    role: Some(distribution.role),
                    samples: Some(distribution.samples.clone()),
                })
                .collect(),
            geo: self.geo.as_ref().map(|geo| model::GeoSection {
                mode: geo.mode,
                countries: codes(&geo.countries),
                never_block: Some(codes(&geo.never_block)),
            }),
            waf: self.waf.as_ref().map(Waf::to_section),
            tokens: self.tokens.as_ref().map(|tokens| model::TokensSection {
                format: tokens.format,
                revocation_keys: (tokens.format != TokenFormat::Opaque)
                    .then(|| tokens.revocation_keys.clone()),
                store: Some(tokens.store.clone()),
                function: Some(tokens.function.clone()),
                mode: Some(tokens.mode),
                default_duration: Some(tokens.default_duration.to_string()),
                key: tokens.key.as_ref().map(|key| {
                    let mut reference = model::KeyReference::default();
                    match key {
                        KeySource::Env(name) => reference.env = Some(name.clone()),
                        KeySource::File(path) => reference.file = Some(relative(path)),
                        KeySource::Secret(arn) => reference.secret = Some(arn.clone()),
                    }
                    reference
                }),
            }),
            ledger: Some(model::LedgerSection {
                store: match &self.ledger.store {
                    LedgerStore::Folder(path) => relative(path),
                    LedgerStore::S3 { bucket, prefix } => format!("s3://{bucket}/{prefix}"),
                },
            }),
            phases: Some(
                self.phases
                    .iter()
                    .map(|start| model::PhaseSection {
                        name: start.phase,
                        from: rfc3339(start.from, zone),
                        allow: Some(match &start.allow {
                            Allowed::All => vec!["all".to_owned()],
                            Allowed::Listed(listed) => listed.clone(),
                        }),
                        break_glass: Some(start.break_glass),
                    })
                    .collect(),
            ),
        }
    }
}

impl Waf {
    fn to_section(&self) -> model::WafSection {
        model::WafSection {
            web_acl: self.web_acl.clone(),
            ip_set_v4: Some(self.ip_set_v4.clone()),
            ip_set_v6: Some(self.ip_set_v6.clone()),
            never_block: Some(
                self.never_block
                    .iter()
                    .map(|network| model::NeverBlockSection {
                        name: network.name.clone(),
                        cidr: network.cidr.to_string(),
                    })
                    .collect(),
            ),
            widest_v4: Some(self.widest_v4.into()),
            widest_v6: Some(self.widest_v6.into()),
            default_duration: Some(self.default_duration.to_string()),
            audience_cap: self.audience_cap.map(|percent| percent.0),
        }
    }
}

impl Serialize for Runbook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_file().serialize(serializer)
    }
}

/// The folder of a file; the current one for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_protects_the_event_is_always_permitted() {
        let allowed = Allowed::Listed(vec!["geo".to_owned(), "unblock".to_owned()]);
        for command in [
            "ip block",
            "block",
            "undo",
            "token mode",
            "origin prefer",
            "geo block",
            "ip unblock",
        ] {
            assert!(allowed.permits(command), "{command}");
        }
        for command in ["provision", "geofence", "ip import", "ip blocker", "token"] {
            assert!(!allowed.permits(command), "{command}");
        }
        assert!(Allowed::All.permits("provision"));
    }
}
