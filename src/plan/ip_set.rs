//! What an IP set should hold: others' entries as they stand, joined with the canonical form of
//! what the ledger's open entries ask for. Pure, and the same whoever computes it, so that writers
//! who lose a race compute it again and lose nothing.

use std::collections::HashSet;

use crate::event::cidr::{Cidr, CidrIndex, Family, merged, without_covered};
use crate::ledger::body::What;
use crate::ledger::entry::EntryId;
use crate::ledger::view::{Change, Progress, Standing, View};

/// AWS WAF holds this many addresses in one IP set (aws-facts: WAFDG quotas).
pub(crate) const SET_LIMIT: usize = 10_000;

/// What to send to one IP set for one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetPlan {
    /// The whole list to send, in order, without duplicates.
    pub(crate) target: Vec<Cidr>,
    pub(crate) added: Vec<Cidr>,
    pub(crate) removed: Vec<Cidr>,
    /// Elements of `target` that stand for several adjacent prefixes.
    pub(crate) merged: Vec<Cidr>,
    /// The set must be written although nothing changes: a colleague's removal is on its way, and
    /// only a new lock token makes it look again.
    pub(crate) must_write: bool,
    /// Elements that no ledger entry explains: someone else's, kept.
    pub(crate) foreign: Vec<Cidr>,
    /// Open entries' prefixes that were missing from the set and come back with this write.
    pub(crate) missing: Vec<Cidr>,
}

impl SetPlan {
    pub(crate) fn changes_something(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty()
    }
}

/// The set cannot hold what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(crate) family: Family,
    /// Addresses that would be needed, without merging.
    pub(crate) needed: usize,
    /// The same after merging adjacent prefixes.
    pub(crate) after_merging: usize,
}

/// What one family of the ledger asks for, seen by one change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demand {
    /// Open once the change has landed.
    wanted: Vec<Cidr>,
    /// On its way by others: left as it stands.
    in_flight: HashSet<Cidr>,
    /// In flight and closing, by others.
    closing: HashSet<Cidr>,
    /// In flight and opening, by others, as far as this change leaves them.
    opening: Vec<Cidr>,
    /// What this change ends. When a colleague's change ends another claim to the same element at
    /// the same moment, either removes it: each leaving it to the other would leave it for good.
    ending: HashSet<Cidr>,
    /// This change turns round what a colleague's is doing at this moment: without a write of its
    /// own, theirs would land as if this one had never been.
    crosses_one_in_flight: bool,
    /// Every element that may be ours: what an entry asked for before or after the change.
    ours: HashSet<Cidr>,
    /// What other changes ask for, however far they are.
    others: HashSet<Cidr>,
    /// What the change itself asks for.
    own: Vec<Cidr>,
    merged_before: Vec<Cidr>,
    takes: HashSet<Cidr>,
    merge: bool,
}

impl Demand {
    /// Reads the demand of `family` from the ledger, with the change `own` in it (as if settled).
    pub(crate) fn of(view: &View, own: Option<&EntryId>, family: Family) -> Self {
        let mut demand = Self::default();
        let after = own.map_or_else(|| view.clone(), |id| view.assuming(id, Progress::Settled));
        let before = own.map_or_else(|| view.clone(), |id| view.assuming(id, Progress::Void));
        let mut opening_before: HashSet<Cidr> = HashSet::new();
        let mut closing_before: HashSet<Cidr> = HashSet::new();
        for change in view.changes() {
            demand.note_merges(change, family);
            if Some(change.id()) != own {
                for piece in before.pieces(change) {
                    if piece.cidr.family() == family {
                        match piece.standing {
                            Standing::Open => {}
                            Standing::Opening => drop(opening_before.insert(piece.cidr)),
                            Standing::Closing => drop(closing_before.insert(piece.cidr)),
                        }
                    }
                    if piece.cidr.family() != family || piece.already_there {
                        continue;
                    }
                    demand.others.insert(piece.cidr);
                    if piece.standing == Standing::Open {
                        demand.ours.insert(piece.cidr);
                    }
                }
            }
            for piece in after.pieces(change) {
                if piece.cidr.family() != family {
                    continue;
                }
                match piece.standing {
                    Standing::Open => {
                        demand.wanted.push(piece.cidr);
                        if !piece.already_there {
                            demand.ours.insert(piece.cidr);
                        }
                    }
                    Standing::Opening => {
                        demand.in_flight.insert(piece.cidr);
                        demand.opening.push(piece.cidr);
                    }
                    Standing::Closing => {
                        demand.in_flight.insert(piece.cidr);
                        demand.closing.insert(piece.cidr);
                    }
                }
                if Some(change.id()) == own {
                    demand.own.push(piece.cidr);
                }
            }
        }
        demand.crosses_one_in_flight = opening_before
            .iter()
            .any(|one| !demand.in_flight.contains(one) && !demand.wanted.contains(one))
            || demand.wanted.iter().any(|one| closing_before.contains(one));
        if let Some(own) = own.and_then(|id| view.get(id)) {
            demand.close_own(&before, own, family);
            let intent = own.intent();
            demand.merge = intent.merge;
            demand.takes = of_family(&intent.takes.prefixes, family).collect();
            demand
                .wanted
                .extend(of_family(&intent.gives.prefixes, family));
        }
        demand
    }

    /// Whether the ledger explains `element`: an entry asks for it, or did and is on its way out.
    pub(crate) fn explains(&self, element: Cidr) -> bool {
        self.ours.contains(&element)
            || self.others.contains(&element)
            || self.merged_before.contains(&element)
    }

    /// The elements of the set that lie within `prefixes` and that the ledger does not explain: they
    /// are someone else's, and so is what is left of a prefix when all but them is lifted.
    pub(crate) fn not_ours_within(&self, prefixes: &[Cidr], observed: &[Cidr]) -> Vec<Cidr> {
        let index = CidrIndex::new(prefixes.iter().copied());
        observed
            .iter()
            .copied()
            .filter(|element| index.covering(*element).is_some() && !self.explains(*element))
            .collect()
    }

    /// Leaves these elements as they stand: they turned out to be someone else's.
    pub(crate) fn leave(&mut self, theirs: &HashSet<Cidr>) {
        self.ours.retain(|element| !theirs.contains(element));
    }

    /// Whether a change other than the one looked at accounts for `element`.
    pub(crate) fn is_explained_by_others(&self, element: Cidr) -> bool {
        self.others.contains(&element)
    }

    /// Whether an entry asks for `element` that was someone else's before.
    pub(crate) fn is_marked_foreign(&self, element: Cidr) -> bool {
        self.wanted.contains(&element) && !self.ours.contains(&element)
    }

    /// What the change ends may be ours even where its entry never settled (it was cut off).
    fn close_own(&mut self, before: &View, own: &Change, family: Family) {
        let intent = own.intent();
        let undone = intent.undoes.as_ref().map(|entry| (entry, &What::All));
        let closed = intent.closes.iter().map(|part| (&part.entry, &part.what));
        for (entry, what) in undone.into_iter().chain(closed) {
            let Some(target) = before.get(entry) else {
                continue;
            };
            let holes = match what {
                What::All => None,
                What::Prefixes(prefixes) => Some(CidrIndex::new(prefixes.iter().copied())),
                What::Countries(_) | What::Keys(_) => continue,
            };
            for piece in before.pieces(target) {
                let meant = holes
                    .as_ref()
                    .is_none_or(|holes| holes.overlapping(piece.cidr).is_some());
                if piece.cidr.family() == family && !piece.already_there && meant {
                    self.ours.insert(piece.cidr);
                    self.ending.insert(piece.cidr);
                }
            }
        }
    }

    fn note_merges(&mut self, change: &Change, family: Family) {
        let parts = change.outcomes().flat_map(|outcome| &outcome.parts);
        self.merged_before
            .extend(parts.flat_map(|part| of_family(&part.merged, family)));
    }
}

fn of_family(prefixes: &[Cidr], family: Family) -> impl Iterator<Item = Cidr> + '_ {
    prefixes
        .iter()
        .copied()
        .filter(move |prefix| prefix.family() == family)
}

/// Plans the whole content of the set that now holds `observed`.
pub(crate) fn plan_set(
    observed: &[Cidr],
    demand: &Demand,
    family: Family,
) -> Result<SetPlan, TooMany> {
    let present: HashSet<Cidr> = observed.iter().copied().collect();
    let wanted: HashSet<Cidr> = demand.wanted.iter().copied().collect();
    let wanted_index = CidrIndex::new(demand.wanted.iter().copied());
    let standing_merges: Vec<Cidr> = demand
        .merged_before
        .iter()
        .copied()
        .filter(|form| present.contains(form) && !wanted.contains(form))
        .collect();
    let opening: HashSet<Cidr> = demand.opening.iter().copied().collect();
    let left_to_others = |element: &Cidr| {
        demand.in_flight.contains(element)
            && (opening.contains(element) || !demand.ending.contains(element))
    };
    let ours = |element: &Cidr| {
        (demand.ours.contains(element) || standing_merges.contains(element))
            && !left_to_others(element)
    };
    let kept: Vec<Cidr> = observed
        .iter()
        .copied()
        .filter(|element| !ours(element) && !demand.takes.contains(element))
        .collect();

    // A merged form in the set stays while everything under it is still asked for.
    let mut asked = demand.wanted.clone();
    if !standing_merges.is_empty() {
        let whole = CidrIndex::new(merged(demand.wanted.clone()));
        asked.extend(
            standing_merges
                .iter()
                .filter(|form| whole.covering(**form).is_some()),
        );
    }
    // Where a prefix that holds more than it should goes, what a colleague's change on its way asks
    // for within it was in force and stays in force.
    let leaving = CidrIndex::new(present.iter().copied().filter(|element| ours(element)));
    let in_force = |one: &&Cidr| leaving.covering(**one).is_some();
    asked.extend(demand.opening.iter().filter(in_force));
    let plain = without_covered(asked);
    let together = |canonical: &[Cidr]| -> Vec<Cidr> {
        let mut target: Vec<Cidr> = kept.iter().chain(canonical).copied().collect();
        target.sort_unstable();
        target.dedup();
        target
    };
    let mut canonical = plain;
    let mut target = together(&canonical);
    if demand.merge || target.len() > SET_LIMIT {
        let needed = target.len();
        let compact = merged(demand.wanted.clone());
        let smaller = together(&compact);
        if smaller.len() > SET_LIMIT {
            return Err(TooMany {
                family,
                needed,
                after_merging: smaller.len(),
            });
        }
        canonical = compact;
        target = smaller;
    }

    let target_set: HashSet<Cidr> = target.iter().copied().collect();
    let added: Vec<Cidr> = target
        .iter()
        .copied()
        .filter(|one| !present.contains(one))
        .collect();
    let mut removed: Vec<Cidr> = present
        .iter()
        .copied()
        .filter(|one| !target_set.contains(one))
        .collect();
    removed.sort_unstable();
    let merged = canonical
        .iter()
        .copied()
        .filter(|one| !wanted.contains(one) && !opening.contains(one))
        .collect();
    let own: HashSet<Cidr> = demand.own.iter().copied().collect();
    let split = CidrIndex::new(removed.iter().copied());
    let missing = added
        .iter()
        .copied()
        .filter(|one| wanted.contains(one) && !own.contains(one))
        // Parts of a prefix that this very change splits were never missing.
        .filter(|one| split.covering(*one).is_none())
        .collect();
    let closing_index = CidrIndex::new(demand.closing.iter().copied());
    let relies_on_what_goes = demand.own.iter().any(|one| {
        closing_index.overlapping(*one).is_some() && wanted_index.covering(*one).is_some()
    });
    let must_write = relies_on_what_goes || demand.crosses_one_in_flight;
    let foreign = observed
        .iter()
        .copied()
        .filter(|one| {
            !demand.ours.contains(one)
                && !demand.in_flight.contains(one)
                && !standing_merges.contains(one)
        })
        .collect();
    Ok(SetPlan {
        target,
        added,
        removed,
        merged,
        must_write,
        foreign,
        missing,
    })
}
