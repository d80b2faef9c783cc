//! A place from which the event may be watched, for requests of ours that must not fail by the rights.

use crate::event::country::Country;
use crate::runbook::{Geo, GeoMode};

/// A place with rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) country: Country,
    /// ISO 3166-2 without the country, where the runbook lets some states in alone.
    pub(crate) region: Option<String>,
    /// Nielsen's code, where the runbook lets some metro areas in alone.
    pub(crate) metro: Option<String>,
}

impl Home {
    /// A country, state and metro area that the rights let in; none where the runbook names no country
    /// with rights. Where states and areas are only kept out, an unknown one is in.
    pub(crate) fn of(geo: &Geo) -> Option<Self> {
        let allowed = geo.countries.iter().filter(|_| geo.mode == GeoMode::Allow);
        let country = *geo.never_block.iter().chain(allowed).next()?;
        let states = geo.states.iter().find(|states| states.country == country);
        let states = states.filter(|states| states.mode == GeoMode::Allow);
        // The codes are of the United States.
        let metros = geo.metros.as_ref().filter(|_| country.code() == "US");
        let metros = metros.filter(|metros| metros.mode == GeoMode::Allow);
        Some(Self {
            country,
            region: states.and_then(|states| states.states.first().cloned()),
            metro: metros.and_then(|metros| metros.codes.first().cloned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::runbook::load::parse;

    fn home(text: &str) -> Option<Home> {
        let loaded = parse(text, Path::new("runbooks/event.toml")).unwrap();
        Home::of(loaded.runbook.geo.as_ref()?)
    }

    #[test]
    fn it_is_a_country_and_a_state_with_rights() {
        let regional = include_str!("../../event-templates/regional-sports-home-game.toml");
        let found = home(regional).unwrap();
        assert_eq!(found.country.code(), "US");
        assert_eq!(found.region.as_deref(), Some("CT"));
        assert_eq!(found.metro, None, "areas are only kept out");
        let cup = home(include_str!("../../runbooks/cup-final.toml")).unwrap();
        assert_eq!((cup.country.code(), cup.region), ("AT", None));
    }
}
