//! A resolved runbook back in the shape of the file, for `runbook show` and for machines.

use std::path::Path;

use jiff::SignedDuration;
use serde::{Serialize, Serializer};

use crate::event::bytes::exact_bytes;
use crate::event::country::Country;
use crate::event::duration::{compact, short};
use crate::event::time::{rfc3339, zone_name};
use crate::runbook::model::{self, TokenFormat};
use crate::runbook::resolved::{
    Allowed, Arn, Athena, Forecast, Gate, KeySource, LedgerStore, Logs, OriginAccess, Origins,
    Runbook, Targets, Waf, Workflow,
};

impl Runbook {
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
                states: listed(&geo.states, |rights| model::StatesSection {
                    country: rights.country.to_string(),
                    mode: rights.mode,
                    states: rights.states.clone(),
                }),
                metros: geo.metros.as_ref().map(|metros| model::MetrosSection {
                    mode: metros.mode,
                    codes: metros.codes.clone(),
                }),
                windows: listed(&geo.windows, |window| model::GeoWindowSection {
                    name: window.name.clone(),
                    from: rfc3339(window.from, zone),
                    until: rfc3339(window.until, zone),
                    mode: window.mode,
                    countries: codes(&window.countries),
                }),
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
                gate: Some(tokens.gate.to_section()),
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
            forecast: self.forecast.as_ref().map(Forecast::to_section),
            origins: self.origins.as_ref().map(Origins::to_section),
            workflow: (self.workflow != Workflow::default()).then(|| self.workflow.to_section()),
            logs: (self.logs != Logs::default()).then(|| self.logs.to_section()),
            athena: self.athena.as_ref().map(Athena::to_section),
            queries: self.queries.as_ref().map(|folder| model::QueriesSection {
                folder: relative(folder),
            }),
            dashboard: self
                .dashboard
                .as_ref()
                .map(|dashboard| model::DashboardSection {
                    name: Some(dashboard.name.clone()),
                    panels: Some(dashboard.panels.clone()),
                    alarms: Some(dashboard.alarms),
                    topic: dashboard.topic.as_ref().map(|topic| topic.0.clone()),
                }),
            targets: Some(self.targets.to_section()),
            waivers: listed(&self.waivers, |waiver| model::WaiverSection {
                check: waiver.check.clone(),
                reason: waiver.reason.clone(),
                owner: waiver.owner.clone(),
                expires: rfc3339(waiver.expires, zone),
            }),
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
            blocklist: Some(self.blocklist),
            managed: listed(&self.managed, |rules| model::ManagedRulesSection {
                group: rules.group.clone(),
                action: Some(rules.action),
            }),
            rate: self.rate.as_ref().map(|rate| model::RateSection {
                limit: u32::try_from(rate.limit).unwrap_or(u32::MAX),
                window: Some(compact(SignedDuration::from_secs(
                    rate.window_seconds.into(),
                ))),
                action: Some(rate.action),
            }),
        }
    }
}

impl Gate {
    fn to_section(&self) -> model::GateSection {
        let seconds = SignedDuration::from_secs(self.leeway_seconds.into());
        model::GateSection {
            sources: Some(self.sources.iter().map(ToString::to_string).collect()),
            path_claim: self.path_claim.clone(),
            country_claim: self.country_claim.clone(),
            network_claim: self.network_claim.clone(),
            user_agent_claim: self.user_agent_claim.clone(),
            open_paths: Some(self.open_paths.clone()),
            leeway: Some(compact(seconds)),
        }
    }
}

impl Forecast {
    fn to_section(&self) -> model::ForecastSection {
        let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let countries = self.countries.iter();
        let countries = countries.map(|(country, share)| (country.to_string(), *share));
        model::ForecastSection {
            peak_viewers: number(self.peak_viewers),
            segment: short_seconds(self.segment_seconds),
            requests_per_segment: Some(self.requests_per_segment),
            ladder: self
                .ladder
                .iter()
                .map(|rung| model::RungSection {
                    name: rung.name.clone(),
                    megabits: rung.megabits,
                    share: rung.share,
                })
                .collect(),
            countries: (!self.countries.is_empty()).then(|| countries.collect()),
            distributions: Some(self.distributions.iter().cloned().collect()),
            revocations: Some(number(self.revocations)),
            ad_requests_per_second: self.ad_requests_per_second.map(number),
            ad_break_spread: Some(short_seconds(self.ad_break_spread_seconds)),
        }
    }
}

impl Origins {
    fn to_section(&self) -> model::OriginsSection {
        let access = match &self.access {
            OriginAccess::Open => model::AccessSection::Word(model::AccessWord::Open),
            OriginAccess::Oac => model::AccessSection::Word(model::AccessWord::Oac),
            OriginAccess::Vpc => model::AccessSection::Word(model::AccessWord::Vpc),
            OriginAccess::SecretHeader(name) => {
                model::AccessSection::Header(model::SecretHeaderSection {
                    secret_header: name.clone(),
                })
            }
        };
        model::OriginsSection {
            shield_region: self.shield_region.clone(),
            access: Some(access),
            budget: Some(short_seconds(self.budget_seconds)),
            direct_probes: Some(self.direct_probes.clone()),
            groups: listed(&self.groups, |group| model::OriginGroupSection {
                id: group.id.clone(),
                primary: group.primary.clone(),
                secondary: group.secondary.clone(),
                failover_codes: Some(
                    group
                        .failover_codes
                        .iter()
                        .map(|code| (*code).into())
                        .collect(),
                ),
                media_quality: Some(group.media_quality),
            }),
        }
    }
}

impl Workflow {
    fn to_section(&self) -> model::WorkflowSection {
        let arns = |arns: &[Arn]| listed(arns, |arn| arn.0.clone());
        model::WorkflowSection {
            flows: listed(&self.flows, |flow| model::FlowSection {
                arn: flow.arn.0.clone(),
                min_latency: flow.min_latency_ms.map(short),
                encrypted: Some(flow.encrypted),
                sources: Some(flow.sources),
            }),
            channels: arns(&self.channels),
            endpoints: arns(&self.endpoints),
            ads: arns(&self.ads),
            drm_probe: self.drm_probe.clone(),
        }
    }
}

impl Logs {
    fn to_section(&self) -> model::LogsSection {
        model::LogsSection {
            access: self.access.as_ref().map(|access| model::AccessLogsSection {
                store: format!("s3://{}/{}", access.bucket, access.prefix),
                format: Some(access.format),
            }),
            realtime: self
                .realtime
                .as_ref()
                .map(|realtime| model::RealtimeLogsSection {
                    stream: Some(realtime.stream.clone()),
                    region: Some(realtime.region.clone()),
                    config: Some(realtime.config.clone()),
                    role: realtime.role.0.clone(),
                    sampling: Some(realtime.sampling.into()),
                    fields: Some(realtime.fields.clone()),
                }),
        }
    }
}

impl Athena {
    fn to_section(&self) -> model::AthenaSection {
        model::AthenaSection {
            workgroup: Some(self.workgroup.clone()),
            database: Some(self.database.clone()),
            tables: Some(model::TablesSection {
                access: Some(self.access_table.clone()),
                realtime: Some(self.realtime_table.clone()),
            }),
            output: self.output.clone(),
            max_scan: Some(exact_bytes(self.max_scan)),
        }
    }
}

impl Targets {
    fn to_section(self) -> model::TargetsSection {
        model::TargetsSection {
            cache_hit_ratio: Some(self.cache_hit_ratio),
            errors_4xx: Some(self.errors_4xx),
            errors_5xx: Some(self.errors_5xx),
            time_to_first_byte: Some(short_seconds(self.time_to_first_byte_ms / 1_000.0)),
            origin_latency: Some(short_seconds(self.origin_latency_ms / 1_000.0)),
            rebuffering: Some(self.rebuffering),
            function_utilization: Some(self.function_utilization),
        }
    }
}

/// The list in the file's shape; an empty one is left out.
fn listed<T, S>(list: &[T], section: impl Fn(&T) -> S) -> Option<Vec<S>> {
    (!list.is_empty()).then(|| list.iter().map(section).collect())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "parsed from at most an hour in milliseconds"
)]
fn short_seconds(seconds: f64) -> String {
    short((seconds * 1_000.0).round() as u32)
}

impl Serialize for Runbook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_file().serialize(serializer)
    }
}
