//! The edges of the embedded cloud: named as CloudFront's are, each with its own place in line when
//! a change rolls out.

/// An edge location.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edge {
    /// As in the `x-amz-cf-pop` header.
    pub(crate) name: &'static str,
    /// Its share of the roll-out's skew: 0 is the first to have a change, 1 the last.
    pub(crate) fraction: f64,
}

/// All edges; neighbors are not served one after the other.
pub(crate) const EDGES: [Edge; 8] = [
    edge("FRA56-P1", 0.0),
    edge("LHR61-P2", 0.43),
    edge("VIE50-C1", 0.14),
    edge("IAD55-P3", 0.57),
    edge("JFK52-P4", 0.29),
    edge("NRT57-P1", 0.86),
    edge("GRU50-C2", 1.0),
    edge("SYD62-P1", 0.71),
];

/// The edge of this name, in any case; a prefix such as `VIE` is enough.
pub(crate) fn find(name: &str) -> Option<Edge> {
    let name = name.to_ascii_uppercase();
    EDGES
        .into_iter()
        .find(|edge| !name.is_empty() && edge.name.starts_with(&name))
}

const fn edge(name: &'static str, fraction: f64) -> Edge {
    Edge { name, fraction }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_an_edge_by_the_start_of_its_name() {
        assert_eq!(find("vie").map(|edge| edge.name), Some("VIE50-C1"));
        assert_eq!(find("NOWHERE1"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn one_edge_is_first_and_one_is_last() {
        let fractions = EDGES.map(|edge| edge.fraction);
        assert!(fractions.contains(&0.0) && fractions.contains(&1.0));
    }
}
