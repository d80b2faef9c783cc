//! What a distribution's geo restriction should be. Changes are named by their effect on viewers
//! and work on whatever mode and list is there now, so that a colleague's edit in between survives.

use std::collections::BTreeSet;

use super::meant::Meant;
use crate::event::country::Country;
use crate::ledger::body::{Access, GeoMode, GeoState, What};
use crate::ledger::entry::EntryId;
use crate::ledger::view::{Progress, Standing, View};

/// What one change means for one distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// The effect wanted for each country the change touches, in order.
    countries: Vec<(Country, Access)>,
    /// The whole restriction, where the change sets it.
    whole: Option<GeoState>,
    /// Countries that an end leaves as the change had them, since the runbook says so by now.
    pub(crate) kept: Vec<(Country, Access)>,
    /// A colleague's opposite change is on its way: write even when nothing changes.
    must_write: bool,
}

/// What to write to one distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GeoPlan {
    pub(crate) before: GeoState,
    pub(crate) after: GeoState,
    /// Countries whose viewers are refused after and not before, and the other way round.
    pub(crate) newly_blocked: Vec<Country>,
    pub(crate) newly_allowed: Vec<Country>,
    pub(crate) must_write: bool,
}

impl GeoPlan {
    pub(crate) fn changes_something(&self) -> bool {
        self.before != self.after
    }
}

/// The change cannot be expressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GeoImpossible {
    #[error("the allow list would become empty, and CloudFront would have nobody left to serve")]
    EmptyAllowList,
}

impl GeoState {
    /// Whether viewers of `country` are served.
    pub(crate) fn access(&self, country: Country) -> Access {
        let listed = self.countries.contains(&country);
        match (self.mode, listed) {
            (GeoMode::None, _) | (GeoMode::Allow, true) | (GeoMode::Block, false) => {
                Access::Allowed
            }
            (GeoMode::Allow, false) | (GeoMode::Block, true) => Access::Blocked,
        }
    }

    /// The same restriction with this one country served or refused.
    fn with(&self, country: Country, access: Access) -> Self {
        if self.access(country) == access {
            return self.clone();
        }
        let mut next = self.clone();
        match (self.mode, access) {
            (GeoMode::None, _) => {
                next.mode = GeoMode::Block;
                next.countries = vec![country];
            }
            (GeoMode::Block, Access::Blocked) | (GeoMode::Allow, Access::Allowed) => {
                next.countries.push(country);
            }
            (GeoMode::Block, Access::Allowed) | (GeoMode::Allow, Access::Blocked) => {
                next.countries.retain(|listed| *listed != country);
            }
        }
        // An empty block list refuses nobody; CloudFront writes that as no restriction.
        if next.mode == GeoMode::Block && next.countries.is_empty() {
            next.mode = GeoMode::None;
        }
        next.countries.sort_unstable();
        next.countries.dedup();
        next
    }
}

impl Wish {
    /// What the change `own` of the ledger means for `distribution`. What ends goes to what the
    /// runbook says by now, and to what was before where it does not say.
    pub(crate) fn of(view: &View, own: &EntryId, distribution: &str, meant: &Meant<'_>) -> Self {
        let Some(change) = view.get(own) else {
            return Self::default();
        };
        let intent = change.intent();
        let after = view.assuming(own, Progress::Settled);
        let before = view.assuming(own, Progress::Void);
        let mut wish = Self {
            whole: intent
                .geo_reset
                .iter()
                .find(|reset| reset.distribution == distribution)
                .map(|reset| reset.after.clone()),
            ..Self::default()
        };
        for ask in &intent.opens.countries {
            if ask.distribution == distribution {
                wish.want(&before, own, ask.country, distribution, ask.wanted);
            }
        }
        if wish.whole.is_some() {
            // The closed entries' countries are part of the whole.
            return wish;
        }
        let undone = intent.undoes.as_ref().map(|entry| (entry, &What::All));
        let closed = intent.closes.iter().map(|part| (&part.entry, &part.what));
        for (entry, what) in undone.into_iter().chain(closed) {
            let Some(target) = view.get(entry) else {
                continue;
            };
            for ask in &target.intent().opens.countries {
                let included = match what {
                    What::All => true,
                    What::Countries(countries) => countries.contains(&ask.country),
                    What::Prefixes(_) | What::Keys(_) => false,
                };
                if ask.distribution != distribution || !included {
                    continue;
                }
                let own_ask = intent.opens.countries.iter().any(|other| {
                    other.distribution == distribution && other.country == ask.country
                });
                if own_ask {
                    continue;
                }
                match latest(&after, ask.country, distribution) {
                    // A colleague's change of the same country is on its way: it decides.
                    Some((_, Standing::Opening | Standing::Closing)) => {}
                    Some((access, Standing::Open)) => {
                        wish.want(&before, own, ask.country, distribution, access);
                    }
                    None if ask.already => {}
                    None => {
                        let base = meant
                            .access(distribution, ask.country)
                            .unwrap_or(ask.wanted.opposite());
                        if base == ask.wanted {
                            wish.kept.push((ask.country, base));
                        }
                        wish.want(&before, own, ask.country, distribution, base);
                    }
                }
            }
            // Undoing a change that lifted others' blocks brings those back.
            if let (What::All, true) = (what, intent.undoes.as_ref() == Some(entry)) {
                for part in &target.intent().closes {
                    wish.restore_closed(&before, &after, own, distribution, part);
                }
            }
        }
        wish
    }

    /// Why an end leaves countries as the change had them, in words.
    pub(crate) fn notes(&self, distribution: &str) -> Vec<String> {
        let mut words: Vec<String> = self
            .kept
            .iter()
            .map(|(country, access)| {
                let stays = match access {
                    Access::Blocked => "stays closed: the runbook's countries leave it out now",
                    Access::Allowed => "stays served: the runbook's countries have it now",
                };
                format!("{} on {distribution} {stays}", country.code())
            })
            .collect();
        words.dedup();
        words
    }

    fn restore_closed(
        &mut self,
        before: &View,
        after: &View,
        own: &EntryId,
        distribution: &str,
        part: &crate::ledger::body::Part,
    ) {
        let Some(lifted) = after.get(&part.entry) else {
            return;
        };
        for (ask, _) in after.countries(lifted) {
            let handled = self
                .countries
                .iter()
                .any(|(country, _)| *country == ask.country);
            if ask.distribution == distribution
                && !handled
                && let Some((access, Standing::Open)) = latest(after, ask.country, distribution)
            {
                self.want(before, own, ask.country, distribution, access);
            }
        }
    }

    fn want(
        &mut self,
        before: &View,
        own: &EntryId,
        country: Country,
        distribution: &str,
        access: Access,
    ) {
        let opposed = before.changes().iter().any(|change| {
            change.id() != own
                && before.countries(change).iter().any(|(ask, standing)| {
                    ask.country == country
                        && ask.distribution == distribution
                        && match standing {
                            Standing::Closing => ask.wanted == access,
                            Standing::Opening => ask.wanted != access,
                            Standing::Open => false,
                        }
                })
        });
        self.must_write |= opposed;
        self.countries.push((country, access));
    }
}

/// What the newest entry that still asks about `country` wants.
fn latest(view: &View, country: Country, distribution: &str) -> Option<(Access, Standing)> {
    view.changes().iter().rev().find_map(|change| {
        view.countries(change)
            .into_iter()
            .find(|(ask, _)| ask.country == country && ask.distribution == distribution)
            .map(|(ask, standing)| (ask.wanted, standing))
    })
}

/// The restriction that `base`, such as the runbook's, comes to with what the ledger's open entries
/// ask of this distribution. What a change on its way is about stays as `observed`: it decides.
pub(crate) fn with_open_entries(
    base: &GeoState,
    observed: &GeoState,
    view: &View,
    distribution: &str,
) -> GeoState {
    let mut after = base.clone();
    let asked: BTreeSet<Country> = view
        .changes()
        .iter()
        .flat_map(|change| view.countries(change))
        .filter(|(ask, _)| ask.distribution == distribution)
        .map(|(ask, _)| ask.country)
        .collect();
    for country in asked {
        let access = match latest(view, country, distribution) {
            Some((access, Standing::Open)) => access,
            Some((_, Standing::Opening | Standing::Closing)) => observed.access(country),
            None => continue,
        };
        after = after.with(country, access);
    }
    after
}

/// Plans the restriction of the distribution that now has `observed`, and `unread` further codes
/// that are not in our table and stay in its list.
pub(crate) fn plan_geo(
    observed: &GeoState,
    unread: usize,
    wish: &Wish,
) -> Result<GeoPlan, GeoImpossible> {
    let mut after = wish.whole.clone().unwrap_or_else(|| observed.clone());
    for (country, access) in &wish.countries {
        after = after.with(*country, *access);
    }
    if after.mode == GeoMode::None
        && observed.mode == GeoMode::Block
        && unread > 0
        && wish.whole.is_none()
    {
        after.mode = GeoMode::Block;
    }
    if after.mode == GeoMode::Allow && after.countries.is_empty() && unread == 0 {
        return Err(GeoImpossible::EmptyAllowList);
    }
    let mut listed: Vec<Country> = observed
        .countries
        .iter()
        .chain(&after.countries)
        .copied()
        .collect();
    listed.sort_unstable();
    listed.dedup();
    let turned = |from, to| {
        listed
            .iter()
            .copied()
            .filter(|country| observed.access(*country) == from && after.access(*country) == to)
            .collect()
    };
    let same = observed.mode == after.mode && {
        let mut before = observed.countries.clone();
        before.sort_unstable();
        let mut sorted = after.countries.clone();
        sorted.sort_unstable();
        before == sorted
    };
    Ok(GeoPlan {
        newly_blocked: turned(Access::Allowed, Access::Blocked),
        newly_allowed: turned(Access::Blocked, Access::Allowed),
        before: observed.clone(),
        after: if same { observed.clone() } else { after },
        must_write: wish.must_write,
    })
}
