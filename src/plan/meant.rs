//! What the runbook says, as it is now, of what changes move for a time: where an end goes back to.
//! Not to what was there before the change: the runbook may have been edited since.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rules::{move_of, moved};
use super::web_acl::{Served, served, wanted_rules};
use crate::event::cidr::Family;
use crate::event::country::Country;
use crate::ledger::body::{Access, GeoMode, GeoState};
use crate::runbook::{Geo, GeoMode as RunbookMode, Runbook};

/// What the runbook says of countries and rules. Empty, it says nothing, and ends restore what was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meant<'a> {
    /// On each distribution of the runbook, by its id.
    pub(crate) geo: Option<GeoState>,
    pub(crate) distributions: BTreeSet<String>,
    runbook: Option<&'a Runbook>,
}

impl<'a> Meant<'a> {
    pub(crate) fn of(runbook: &'a Runbook) -> Self {
        Self {
            geo: runbook.geo.as_ref().map(geo_state),
            distributions: runbook
                .distributions
                .iter()
                .map(|one| one.id.clone())
                .collect(),
            runbook: Some(runbook),
        }
    }

    /// Whether the runbook has viewers of `country` served; none where it does not say.
    pub(crate) fn access(&self, distribution: &str, country: Country) -> Option<Access> {
        let geo = self.geo.as_ref()?;
        self.distributions
            .contains(distribution)
            .then(|| geo.access(country))
    }

    /// The action that the runbook names for rules of the web ACL that now is `document`, by the
    /// rule's name there.
    pub(crate) fn rules(&self, web_acl: &str, document: &Value) -> BTreeMap<String, Value> {
        let mut actions = BTreeMap::new();
        let Some(runbook) = self.runbook else {
            return actions;
        };
        let Some(waf) = runbook.waf.as_ref().filter(|waf| waf.web_acl == web_acl) else {
            return actions;
        };
        // Rules refer to IP sets by ARN, which has the set's name: no further read is needed.
        let arns: BTreeMap<Family, String> = [Family::V4, Family::V6]
            .into_iter()
            .map(|family| {
                let name = waf.ip_set(family);
                let arn = document["Rules"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|rule| rule["Statement"]["IPSetReferenceStatement"]["ARN"].as_str())
                    .find(|arn| crate::layers::set_name(arn) == name);
                (family, arn.unwrap_or_default().to_owned())
            })
            .collect();
        let states = runbook.geo.as_ref().map_or(&[][..], |geo| &geo.states);
        for wanted in wanted_rules(runbook.event.id.as_str(), waf, states, &arns) {
            match served(document, &wanted) {
                Served::Ours => {
                    actions.insert(wanted.name, wanted.action);
                }
                Served::Adopted(name) => {
                    // Its custom response is its owner's: the word alone is the runbook's.
                    let rule = super::rules::rule_of(document, &name);
                    let present = rule.map(super::rules::action_of);
                    if let (Some(present), Some(word)) = (present, move_of(&wanted.action)) {
                        actions.insert(name, moved(&present, word));
                    }
                }
                Served::Missing => {}
            }
        }
        actions
    }
}

/// The runbook's geo restriction, before any window or entry.
pub(crate) fn geo_state(geo: &Geo) -> GeoState {
    let mut countries = geo.countries.clone();
    countries.sort_unstable();
    countries.dedup();
    let mode = match (geo.mode, countries.is_empty()) {
        (RunbookMode::Allow, _) => GeoMode::Allow,
        (RunbookMode::Block, false) => GeoMode::Block,
        (RunbookMode::Block, true) => GeoMode::None,
    };
    GeoState { mode, countries }
}
