//! Priorities: our leading rules before every other, in their order, with as few numbers changed as
//! can be. Other rules keep theirs unless there is no room left in front of them.

use std::collections::{BTreeMap, BTreeSet};

/// A rule as far as its place matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) name: String,
    /// None for a rule that is to be made.
    pub(super) priority: Option<u64>,
}

/// Gives every rule a priority: `leading` in this order before all of `others` that are there, and
/// those of `others` without a priority at the end. Returns the priorities by name.
pub(super) fn place(leading: &[Placed], others: &[Placed]) -> BTreeMap<String, u64> {
    let mut present: Vec<(u64, &str)> = others
        .iter()
        .filter_map(|rule| Some((rule.priority?, rule.name.as_str())))
        .collect();
    present.sort_unstable();
    let bound = present.first().map(|(priority, _)| *priority);
    let mut placed: BTreeMap<String, u64> = BTreeMap::new();
    let front = in_gaps(leading, bound).unwrap_or_else(|| (0..leading.len() as u64).collect());
    for (rule, priority) in leading.iter().zip(&front) {
        placed.insert(rule.name.clone(), *priority);
    }
    // Whoever stands where ours must be moves up, and pushes only those that are in its way.
    let mut next = front.last().map_or(0, |last| last + 1);
    for (priority, name) in present {
        let at = priority.max(next);
        placed.insert(name.to_owned(), at);
        next = at + 1;
    }
    for rule in others.iter().filter(|rule| rule.priority.is_none()) {
        placed.insert(rule.name.clone(), next);
        next += 1;
    }
    placed
}

/// The priorities of the leading rules when those that are there may keep theirs: rising, below
/// `bound`, with room for the missing ones between. None when that cannot be.
fn in_gaps(leading: &[Placed], bound: Option<u64>) -> Option<Vec<u64>> {
    let known: Vec<u64> = leading.iter().filter_map(|rule| rule.priority).collect();
    let distinct: BTreeSet<u64> = known.iter().copied().collect();
    if !known.is_sorted() || distinct.len() != known.len() {
        return None;
    }
    // From behind: each as high as it may be, so that the first of all keep the most room before
    // them; then from the front, each as low as it may be where it is free to choose.
    let mut highest = vec![0; leading.len()];
    let mut ceiling = bound;
    for (at, rule) in leading.iter().enumerate().rev() {
        let most = match ceiling {
            Some(ceiling) => ceiling.checked_sub(1)?,
            None => u64::from(u32::MAX >> 1),
        };
        highest[at] = match rule.priority {
            Some(priority) if priority <= most => priority,
            Some(_) => return None,
            None => most,
        };
        ceiling = Some(highest[at]);
    }
    let mut floor = 0;
    let mut chosen = Vec::with_capacity(leading.len());
    for (rule, highest) in leading.iter().zip(highest) {
        let priority = rule.priority.unwrap_or(floor);
        if priority < floor || priority > highest {
            return None;
        }
        chosen.push(priority);
        floor = priority + 1;
    }
    Some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(rules: &[(&str, Option<u64>)]) -> Vec<Placed> {
        rules
            .iter()
            .map(|(name, priority)| Placed {
                name: (*name).to_owned(),
                priority: *priority,
            })
            .collect()
    }

    #[test]
    fn ours_come_first_and_others_move_only_when_they_must() {
        type Case<'a> = (
            &'a [(&'a str, Option<u64>)],
            &'a [(&'a str, Option<u64>)],
            &'a [(&'a str, u64)],
        );
        let cases: [Case<'_>; 8] = [
            // An empty web ACL.
            (
                &[("a", None), ("b", None)],
                &[("t", None)],
                &[("a", 0), ("b", 1), ("t", 2)],
            ),
            // Room in front of the other.
            (
                &[("a", None), ("b", None)],
                &[("x", Some(10))],
                &[("a", 0), ("b", 1), ("x", 10)],
            ),
            // No room: the other moves up by as little as will do, its follower stays.
            (
                &[("a", None), ("b", None)],
                &[("x", Some(1)), ("y", Some(5))],
                &[("a", 0), ("b", 1), ("x", 2), ("y", 5)],
            ),
            // Pushing goes on only as far as it must.
            (
                &[("a", None), ("b", None)],
                &[("x", Some(0)), ("y", Some(1)), ("z", Some(9))],
                &[("a", 0), ("b", 1), ("x", 2), ("y", 3), ("z", 9)],
            ),
            // What stands right keeps its number, and the missing one goes between.
            (
                &[("a", Some(3)), ("b", None), ("c", Some(7))],
                &[("x", Some(10))],
                &[("a", 3), ("b", 4), ("c", 7), ("x", 10)],
            ),
            // Another rule was put before ours by hand.
            (
                &[("a", Some(5)), ("b", Some(6))],
                &[("x", Some(2))],
                &[("a", 0), ("b", 1), ("x", 2)],
            ),
            // Ours were swapped.
            (
                &[("a", Some(1)), ("b", Some(0))],
                &[("x", Some(2))],
                &[("a", 0), ("b", 1), ("x", 2)],
            ),
            // A new rule that may come anywhere comes last.
            (
                &[("a", Some(0))],
                &[("t", None), ("x", Some(4))],
                &[("a", 0), ("t", 5), ("x", 4)],
            ),
        ];
        for (leading, others, expected) in cases {
            let placed = place(&rules(leading), &rules(others));
            let expected: BTreeMap<String, u64> = expected
                .iter()
                .map(|(name, priority)| ((*name).to_owned(), *priority))
                .collect();
            assert_eq!(placed, expected, "{leading:?} {others:?}");
        }
    }
}
