//! Countries by ISO 3166-1 alpha-2 code, and the named groups of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::country_table::{ALIASES, COUNTRIES, GROUPS};
use crate::event::text::{did_you_mean, shortened};

/// A country that CloudFront and WAF can know: ISO 3166-1 alpha-2, or `XK` (Kosovo).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Country([u8; 2]);

/// A text that names no country, and which ones may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CountryError {
    pub(crate) text: String,
    /// The likeliest first; empty when nothing is near.
    pub(crate) suggestions: Vec<Country>,
}

impl fmt::Display for CountryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an ISO 3166-1 country code", self.text)?;
        let shown: Vec<String> = self
            .suggestions
            .iter()
            .map(|country| format!("{country} ({})", country.name()))
            .collect();
        if shown.is_empty() {
            return Ok(());
        }
        write!(f, "; did you mean {}?", shown.join(" or "))
    }
}

impl std::error::Error for CountryError {}

impl Country {
    /// Parses a code in either case, or a country's full English name.
    ///
    /// Aliases such as `UK` are answered with the code to write: what goes to the edge is never
    /// guessed.
    pub(crate) fn parse(text: &str) -> Result<Self, CountryError> {
        let text = text.trim();
        if let Some(country) = Self::by_code(text) {
            return Ok(country);
        }
        let wanted = text.to_lowercase();
        if let Some((code, _)) = COUNTRIES
            .iter()
            .find(|(_, name)| text.len() > 2 && name.to_lowercase() == wanted)
        {
            return Ok(Self::of(code));
        }
        Err(CountryError {
            text: shortened(text, 60),
            suggestions: suggestions(&wanted),
        })
    }

    /// Every country, in order of code.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        COUNTRIES.iter().map(|(code, _)| Self::of(code))
    }

    /// The upper-case code.
    pub(crate) fn code(self) -> &'static str {
        self.entry().0
    }

    /// The English short name.
    pub(crate) fn name(self) -> &'static str {
        self.entry().1
    }

    fn entry(self) -> (&'static str, &'static str) {
        let at = COUNTRIES
            .binary_search_by(|(code, _)| code.as_bytes().cmp(&self.0))
            .expect("a country is made from the table alone");
        COUNTRIES[at]
    }

    fn by_code(text: &str) -> Option<Self> {
        let bytes: [u8; 2] = text.as_bytes().try_into().ok()?;
        let upper = bytes.map(|byte| byte.to_ascii_uppercase());
        COUNTRIES
            .binary_search_by(|(code, _)| code.as_bytes().cmp(&upper))
            .ok()
            .map(|_| Self(upper))
    }

    fn of(code: &str) -> Self {
        Self::by_code(code).expect("the tables name known codes alone")
    }
}

/// Whom a text that is no country may have meant, the likeliest first.
fn suggestions(wanted: &str) -> Vec<Country> {
    if let Some((_, code)) = ALIASES.iter().find(|(alias, _)| *alias == wanted) {
        return vec![Country::of(code)];
    }
    if wanted.chars().count() == 2 {
        let swapped: String = wanted.chars().rev().collect();
        let by_name = COUNTRIES
            .iter()
            .filter(|(_, name)| name.to_lowercase().starts_with(wanted))
            .map(|(code, _)| Country::of(code));
        return Country::by_code(&swapped)
            .into_iter()
            .chain(by_name)
            .take(3)
            .collect();
    }
    let names = COUNTRIES.iter().map(|(_, name)| *name);
    let aliases = ALIASES.iter().map(|(alias, _)| *alias);
    let Some(near) = did_you_mean(wanted, names.chain(aliases.filter(|alias| alias.len() > 3)))
    else {
        return COUNTRIES
            .iter()
            .filter(|(_, name)| wanted.len() > 3 && name.to_lowercase().contains(wanted))
            .map(|(code, _)| Country::of(code))
            .take(3)
            .collect();
    };
    COUNTRIES
        .iter()
        .map(|(code, name)| (*name, *code))
        .chain(ALIASES.iter().copied())
        .find(|(name, _)| *name == near)
        .map(|(_, code)| vec![Country::of(code)])
        .unwrap_or_default()
}

/// A named group of countries, such as `EU`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CountryGroup {
    pub(crate) name: &'static str,
    /// Who is in it, in words.
    pub(crate) description: &'static str,
    members: &'static [&'static str],
}

impl CountryGroup {
    /// Every group that can be named.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        GROUPS.iter().map(|(name, description, members)| Self {
            name,
            description,
            members,
        })
    }

    /// Finds a group by its name, case aside.
    pub(crate) fn find(text: &str) -> Option<Self> {
        Self::all().find(|group| group.name.eq_ignore_ascii_case(text.trim()))
    }

    /// The group's countries in order of code.
    pub(crate) fn members(self) -> Vec<Country> {
        self.members.iter().map(|code| Country::of(code)).collect()
    }
}

/// The countries that a code, a name or a group stands for.
pub(crate) fn expand(text: &str) -> Result<Vec<Country>, CountryError> {
    match CountryGroup::find(text) {
        Some(group) => Ok(group.members()),
        None => Country::parse(text).map(|country| vec![country]),
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Self, CountryError> {
        Self::parse(text)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sound() {
        assert_eq!(COUNTRIES.len(), 250);
        assert!(COUNTRIES.is_sorted_by(|left, right| left.0 < right.0));
        for country in Country::all() {
            assert_eq!(Country::parse(country.name()), Ok(country));
        }
        for (alias, code) in ALIASES {
            assert!(Country::by_code(code).is_some(), "{code}");
            assert!(Country::parse(alias).is_err(), "{alias}");
        }
        for group in CountryGroup::all() {
            let members = group.members();
            assert!(members.is_sorted(), "{}", group.name);
            assert!(Country::by_code(group.name).is_none(), "{}", group.name);
        }
        assert_eq!(CountryGroup::find("eu").unwrap().members().len(), 27);
        assert_eq!(CountryGroup::find("EEA").unwrap().members().len(), 30);
    }

    #[test]
    fn takes_codes_and_full_names() {
        assert_eq!(Country::parse("at").unwrap().code(), "AT");
        assert_eq!(Country::parse(" Austria ").unwrap().code(), "AT");
        assert_eq!(Country::parse("XK").unwrap().name(), "Kosovo");
        assert_eq!(expand("DACH").unwrap().len(), 3);
        assert_eq!(expand("france").unwrap()[0].code(), "FR");
    }

    #[test]
    fn answers_the_rest_with_what_may_be_meant() {
        let answer = |text: &str| expand(text).unwrap_err().to_string();
        insta::assert_snapshot!(answer("UK"), @"`UK` is not an ISO 3166-1 country code; did you mean GB (United Kingdom)?");
        insta::assert_snapshot!(answer("Austira"), @"`Austira` is not an ISO 3166-1 country code; did you mean AT (Austria)?");
        insta::assert_snapshot!(answer("Turkey"), @"`Turkey` is not an ISO 3166-1 country code; did you mean TR (Türkiye)?");
        insta::assert_snapshot!(answer("SW"), @"`SW` is not an ISO 3166-1 country code; did you mean WS (Samoa) or CH (Switzerland) or SE (Sweden)?");
        insta::assert_snapshot!(answer("Korea"), @"`Korea` is not an ISO 3166-1 country code; did you mean KR (South Korea)?");
        insta::assert_snapshot!(answer("XX"), @"`XX` is not an ISO 3166-1 country code");
        insta::assert_snapshot!(answer("\u{1b}[2J"), @r"`\u{1b}[2J` is not an ISO 3166-1 country code");
    }
}
