//! What the event cost, estimated from list prices. Pure.
//!
//! The prices are assumptions, each with its name, so that a crew can put its own contract in their
//! place. None of them was checked against an invoice: the report says so beside the figures.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{Unit, figure};

/// One price: its name in `--price`, US dollars, what it is for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ListPrice {
    name: &'static str,
    dollars: f64,
    about: &'static str,
}

/// On-demand list prices of November 2026, not verified; regions and commitments differ.
const LIST: &[ListPrice] = &[
    ListPrice {
        name: "egress-gb",
        dollars: 0.085,
        about: "a GB to viewers, first tier of Europe and North America",
    },
    ListPrice {
        name: "https-10k",
        dollars: 0.012,
        about: "10,000 HTTPS requests, Europe",
    },
    ListPrice {
        name: "function-million",
        dollars: 0.10,
        about: "a million calls of the edge function",
    },
    ListPrice {
        name: "waf-million",
        dollars: 0.60,
        about: "a million requests through AWS WAF",
    },
    ListPrice {
        name: "realtime-log-million",
        dollars: 0.01,
        about: "a million real-time log lines, Kinesis aside",
    },
    ListPrice {
        name: "athena-tb",
        dollars: 5.0,
        about: "a TB that Athena scanned",
    },
];

/// What things cost, with the crew's own prices in place of the list's.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Prices(BTreeMap<String, f64>);

/// A price that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no price: write NAME=USD with one of {}", names())]
pub(crate) struct PriceError {
    given: String,
}

fn names() -> String {
    let names: Vec<&str> = LIST.iter().map(|price| price.name).collect();
    names.join(", ")
}

impl Prices {
    /// Takes `NAME=USD`, such as `egress-gb=0.02`.
    pub(crate) fn set(&mut self, given: &str) -> Result<(), PriceError> {
        let error = || PriceError {
            given: crate::event::text::shortened(given, 60),
        };
        let (name, dollars) = given.split_once('=').ok_or_else(error)?;
        let dollars: f64 = dollars.trim().parse().map_err(|_| error())?;
        let known = LIST.iter().any(|price| price.name == name.trim());
        if !known || !dollars.is_finite() || dollars < 0.0 {
            return Err(error());
        }
        self.0.insert(name.trim().to_owned(), dollars);
        Ok(())
    }

    fn of(&self, name: &str) -> (f64, bool) {
        match self.0.get(name) {
            Some(dollars) => (*dollars, true),
            None => (
                LIST.iter()
                    .find(|price| price.name == name)
                    .map_or(0.0, |price| price.dollars),
                false,
            ),
        }
    }
}

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Used {
    pub(crate) bytes: Option<f64>,
    pub(crate) requests: Option<f64>,
    /// Calls of the edge function; none: as many as requests, where there is a function.
    pub(crate) invocations: Option<f64>,
    pub(crate) has_function: bool,
    pub(crate) has_waf: bool,
    /// Percent of the requests that go to real-time logs.
    pub(crate) realtime_percent: Option<f64>,
    pub(crate) scanned_bytes: Option<f64>,
}

/// The estimate.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Cost {
    /// US dollars; none where nothing is known.
    pub(crate) total: Option<f64>,
    pub(crate) lines: Vec<CostLine>,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CostLine {
    pub(crate) what: String,
    /// With its unit.
    pub(crate) amount: String,
    /// The price's name.
    pub(crate) price: String,
    /// US dollars.
    pub(crate) unit_price: f64,
    pub(crate) about: String,
    /// The crew's own price, not the list's.
    pub(crate) is_own: bool,
    pub(crate) dollars: f64,
}

/// Works out what was used at these prices.
pub(crate) fn estimate(prices: &Prices, used: &Used) -> Cost {
    let mut lines = Vec::new();
    let mut add = |what: &str, amount: Option<f64>, unit: Unit, price: &str, per: f64| {
        let Some(amount) = amount else { return };
        let (unit_price, is_own) = prices.of(price);
        lines.push(CostLine {
            what: what.to_owned(),
            amount: figure(amount, unit),
            price: price.to_owned(),
            unit_price,
            about: LIST
                .iter()
                .find(|known| known.name == price)
                .map_or("", |known| known.about)
                .to_owned(),
            is_own,
            dollars: amount / per * unit_price,
        });
    };
    add("Data to viewers", used.bytes, Unit::Bytes, "egress-gb", 1e9);
    add(
        "HTTPS requests",
        used.requests,
        Unit::Count,
        "https-10k",
        1e4,
    );
    if used.has_function {
        let calls = used.invocations.or(used.requests);
        add("Edge function", calls, Unit::Count, "function-million", 1e6);
    }
    if used.has_waf {
        add("AWS WAF", used.requests, Unit::Count, "waf-million", 1e6);
    }
    let lines_logged = used
        .realtime_percent
        .and_then(|percent| Some(used.requests? * percent / 100.0));
    add(
        "Real-time logs",
        lines_logged,
        Unit::Count,
        "realtime-log-million",
        1e6,
    );
    add(
        "Athena, for this report",
        used.scanned_bytes,
        Unit::Bytes,
        "athena-tb",
        1e12,
    );
    Cost {
        total: (!lines.is_empty()).then(|| lines.iter().map(|line| line.dollars).sum()),
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crews_own_price_takes_the_lists_place() {
        let used = Used {
            bytes: Some(2e12),
            requests: Some(1e6),
            has_waf: true,
            ..Used::default()
        };
        let list = estimate(&Prices::default(), &used);
        assert_eq!(list.lines.len(), 3);
        assert!((list.total.unwrap() - (170.0 + 1.2 + 0.6)).abs() < 1e-9);
        let mut own = Prices::default();
        own.set("egress-gb=0.01").unwrap();
        let cost = estimate(&own, &used);
        assert!(cost.lines[0].is_own);
        assert!((cost.total.unwrap() - 21.8).abs() < 1e-9);
    }

    #[test]
    fn nothing_known_costs_nothing_known() {
        assert_eq!(estimate(&Prices::default(), &Used::default()).total, None);
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for given in ["egress-gb", "egress=1", "egress-gb=-1", "egress-gb=nan"] {
            assert!(Prices::default().set(given).is_err(), "{given}");
        }
    }
}
