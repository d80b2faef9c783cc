//! How much of the audience a change of countries concerns, as the forecast has it. Pure.

use crate::event::country::Country;
use crate::runbook::Forecast;

/// What the forecast says of the viewers of some countries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Audience {
    /// Percent of all viewers.
    pub(crate) percent: f64,
    /// How many of the countries the forecast does not name; their viewers come on top.
    pub(crate) unnamed: usize,
}

/// The viewers of `countries` on the distributions of these names.
pub(crate) fn audience<'a>(
    forecast: &Forecast,
    countries: &[Country],
    distributions: impl Iterator<Item = &'a str>,
) -> Audience {
    let shares: Vec<Option<f64>> = countries
        .iter()
        .map(|country| forecast.share_of(*country))
        .collect();
    let part: f64 = distributions.map(|name| forecast.part_of(name)).sum();
    Audience {
        percent: shares.iter().flatten().sum::<f64>() * part.min(1.0),
        unnamed: shares.iter().filter(|share| share.is_none()).count(),
    }
}

impl Audience {
    /// In words: `18.2% of forecast`. Never zero for what is not known.
    pub(crate) fn words(self, countries: usize) -> String {
        let percent = percent(self.percent);
        match self.unnamed {
            0 => format!("{percent} of forecast"),
            unnamed if unnamed == countries => "not named in the forecast".to_owned(),
            1 => format!("{percent} of forecast and one country it does not name"),
            unnamed => format!("{percent} of forecast and {unnamed} countries it does not name"),
        }
    }
}

/// With at most one decimal: `18.2%`, `24%`.
fn percent(value: f64) -> String {
    let text = format!("{value:.1}");
    format!("{}%", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast() -> Forecast {
        let country = |code| Country::parse(code).unwrap();
        Forecast {
            peak_viewers: 1_000,
            segment_seconds: 4.0,
            requests_per_segment: 3.0,
            ladder: Vec::new(),
            countries: vec![(country("AT"), 18.2), (country("DE"), 60.0)],
            distributions: vec![("main".to_owned(), 85.0), ("backup".to_owned(), 15.0)],
            revocations: 10,
            ad_requests_per_second: None,
            ad_break_spread_seconds: 10.0,
        }
    }

    #[test]
    fn shares_add_up_over_countries_and_distributions() {
        let words = |codes: &[&str], distributions: &[&str]| {
            let countries: Vec<Country> = codes
                .iter()
                .map(|code| Country::parse(code).unwrap())
                .collect();
            audience(&forecast(), &countries, distributions.iter().copied()).words(codes.len())
        };
        let both = ["main", "backup"];
        assert_eq!(words(&["AT"], &both), "18.2% of forecast");
        assert_eq!(words(&["DE"], &both), "60% of forecast");
        assert_eq!(words(&["DE"], &["backup"]), "9% of forecast");
        assert_eq!(words(&["PL"], &both), "not named in the forecast");
        assert_eq!(
            words(&["AT", "PL"], &both),
            "18.2% of forecast and one country it does not name"
        );
    }
}
