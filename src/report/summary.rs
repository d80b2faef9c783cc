//! What is kept of an event when its logs are gone: the figures, the minutes and the lessons, in a
//! small file of its own schema, which `compare` and `new --from` read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::figures::Unit;

/// The schema of `summary.json`. Within it fields are added, never renamed.
pub(crate) const SCHEMA: &str = "onair-summary/1";

/// An event in figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Summary {
    pub(crate) schema: String,
    pub(crate) event: String,
    pub(crate) name: String,
    /// `live`, `endpoint` or `rehearsal`.
    pub(crate) target: String,
    /// The reported window.
    pub(crate) from: Timestamp,
    /// Exclusive.
    pub(crate) until: Timestamp,
    /// The same, and whether it is a part of the event; none: an older report, of which that is not known.
    #[serde(default)]
    pub(crate) window: Option<Reported>,
    pub(crate) kickoff: Timestamp,
    /// The end that the crew last agreed on.
    pub(crate) ends: Timestamp,
    /// When the report was made.
    pub(crate) made: Timestamp,
    pub(crate) provisional: bool,
    /// Rows of a hundred requests; none: not known.
    pub(crate) completeness: Option<f64>,
    /// One value a measure, in the order of [`Measure::ALL`].
    pub(crate) figures: Vec<Figure>,
    /// Minute by minute, oldest first.
    pub(crate) minutes: Vec<Minute>,
    /// What the crew wants to remember.
    #[serde(default)]
    pub(crate) lessons: Vec<String>,
}

/// The window of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Reported {
    pub(crate) from: Timestamp,
    /// Exclusive.
    pub(crate) until: Timestamp,
    /// Less than doors to end.
    pub(crate) is_part: bool,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: Option<f64>,
    pub(crate) unit: Unit,
    /// What a share or a rate is made of; none: it is neither, or an older report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counts: Option<Tally>,
}

/// So many of so many, or so many in so many hours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Tally {
    pub(crate) events: f64,
    pub(crate) of: f64,
}

/// One minute of the event, all distributions together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Minute {
    pub(crate) at: Timestamp,
    pub(crate) requests: f64,
    pub(crate) bytes: f64,
    /// Playback sessions, and pairs of address and user agent for requests without CMCD, that got media.
    pub(crate) viewers: Option<f64>,
    pub(crate) hit_percent: Option<f64>,
    pub(crate) percent_4xx: Option<f64>,
    pub(crate) percent_5xx: Option<f64>,
    pub(crate) first_byte_p95_ms: Option<f64>,
    /// Of the video segments, those asked for after the player had run dry.
    pub(crate) starved_percent: Option<f64>,
    /// Mean encoded bitrate.
    pub(crate) kilobits: Option<f64>,
}

impl Minute {
    /// The value that a measure's distribution is made of, minute by minute.
    pub(crate) fn value(&self, measure: Measure) -> Option<f64> {
        let a_viewer_hour = |value: f64| {
            self.viewers
                .filter(|viewers| *viewers > 0.0)
                .map(|viewers| value * 60.0 / viewers)
        };
        let errors = |percent: Option<f64>| {
            percent.and_then(|percent| a_viewer_hour(self.requests * percent / 100.0))
        };
        match measure {
            Measure::HitPercent => self.hit_percent,
            Measure::Percent4xx => self.percent_4xx,
            Measure::Percent5xx => self.percent_5xx,
            Measure::FirstByteP95 => self.first_byte_p95_ms,
            Measure::Starved => self.starved_percent,
            Measure::Bitrate => self.kilobits.map(|kilobits| kilobits * 1e3),
            Measure::RequestsPerViewerHour => a_viewer_hour(self.requests),
            Measure::BytesPerViewerHour => a_viewer_hour(self.bytes),
            Measure::ErrorsPerViewerHour => errors(self.percent_5xx),
            Measure::PeakViewers => self.viewers,
            _ => None,
        }
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Better {
    Higher,
    Lower,
    /// It follows the audience: neither is.
    Neither,
}

/// What is measured of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Measure {
    PeakViewers,
    MeanViewers,
    ViewerHours,
    Requests,
    Bytes,
    PeakBits,
    HitPercent,
    Percent4xx,
    Percent5xx,
    FirstByteP95,
    Starved,
    Bitrate,
    StartFailures,
    StartupP50,
    RequestsPerViewerHour,
    BytesPerViewerHour,
    ErrorsPerViewerHour,
    Cost,
    CostPerViewerHour,
}

impl Measure {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Self; 19] = [
        Self::PeakViewers,
        Self::MeanViewers,
        Self::ViewerHours,
        Self::Requests,
        Self::Bytes,
        Self::PeakBits,
        Self::HitPercent,
        Self::Percent4xx,
        Self::Percent5xx,
        Self::FirstByteP95,
        Self::Starved,
        Self::Bitrate,
        Self::StartFailures,
        Self::StartupP50,
        Self::RequestsPerViewerHour,
        Self::BytesPerViewerHour,
        Self::ErrorsPerViewerHour,
        Self::Cost,
        Self::CostPerViewerHour,
    ];

    /// Its stable name in files and options.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PeakViewers => "peak-viewers",
            Self::MeanViewers => "mean-viewers",
            Self::ViewerHours => "viewer-hours",
            Self::Requests => "requests",
            Self::Bytes => "bytes",
            Self::PeakBits => "peak-bitrate",
            Self::HitPercent => "cache-hit-ratio",
            Self::Percent4xx => "errors-4xx",
            Self::Percent5xx => "errors-5xx",
            Self::FirstByteP95 => "time-to-first-byte",
            Self::Starved => "rebuffering",
            Self::Bitrate => "bitrate",
            Self::StartFailures => "start-failures",
            Self::StartupP50 => "startup",
            Self::RequestsPerViewerHour => "requests-per-viewer-hour",
            Self::BytesPerViewerHour => "bytes-per-viewer-hour",
            Self::ErrorsPerViewerHour => "errors-per-viewer-hour",
            Self::Cost => "cost",
            Self::CostPerViewerHour => "cost-per-viewer-hour",
        }
    }

    /// What people call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::PeakViewers => "Most viewers at once",
            Self::MeanViewers => "Viewers on average",
            Self::ViewerHours => "Hours watched",
            Self::Requests => "Requests",
            Self::Bytes => "Data delivered",
            Self::PeakBits => "Peak throughput",
            Self::HitPercent => "Cache hit ratio",
            Self::Percent4xx => "Errors 4xx",
            Self::Percent5xx => "Errors 5xx",
            Self::FirstByteP95 => "Time to first byte, p95",
            Self::Starved => "Rebuffering",
            Self::Bitrate => "Mean bitrate",
            Self::StartFailures => "Exits before start",
            Self::StartupP50 => "Startup, median",
            Self::RequestsPerViewerHour => "Requests a viewer hour",
            Self::BytesPerViewerHour => "Data a viewer hour",
            Self::ErrorsPerViewerHour => "Errors 5xx a viewer hour",
            Self::Cost => "Cost, estimated",
            Self::CostPerViewerHour => "Cost a viewer hour",
        }
    }

    /// One line on how it is measured.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::PeakViewers => {
                "sessions (CMCD), and address with user agent where a request has none, that got manifests or segments in the fullest minute"
            }
            Self::MeanViewers => "the mean over the reported minutes between kickoff and end",
            Self::ViewerHours => "viewers of every minute, added up",
            Self::Requests => "all requests of the window",
            Self::Bytes => "bytes to viewers, headers included",
            Self::PeakBits => "the fullest minute",
            Self::HitPercent => {
                "of answers under 400 that the viewer stayed for: those that spared the origin, Origin Shield's hits included"
            }
            Self::Percent4xx => "of all requests; refusals by geo, WAF and token are among them",
            Self::Percent5xx => "of all requests; viewers who hung up are not among them",
            Self::FirstByteP95 => {
                "95% of the answers under 400 that the viewer stayed for were faster, over the whole window"
            }
            Self::Starved => {
                "video segments asked for after the player had run dry: CMCD tells that, not for how long"
            }
            Self::Bitrate => "what players asked for, weighted by playing time (CMCD)",
            Self::StartFailures => {
                "viewers who were not refused and left without one video segment"
            }
            Self::StartupP50 => {
                "from a session's first request to its first video segment, or the player's own word"
            }
            Self::RequestsPerViewerHour => "requests by hours watched",
            Self::BytesPerViewerHour => "bytes by hours watched",
            Self::ErrorsPerViewerHour => "answers 5xx by hours watched",
            Self::Cost => "list prices, not verified; see the report's table of assumptions",
            Self::CostPerViewerHour => "estimated cost by hours watched",
        }
    }

    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::PeakViewers
            | Self::MeanViewers
            | Self::Requests
            | Self::RequestsPerViewerHour => Unit::Count,
            Self::ViewerHours => Unit::Hours,
            Self::Bytes | Self::BytesPerViewerHour => Unit::Bytes,
            Self::PeakBits | Self::Bitrate => Unit::BitsPerSecond,
            Self::HitPercent
            | Self::Percent4xx
            | Self::Percent5xx
            | Self::Starved
            | Self::StartFailures => Unit::Percent,
            Self::FirstByteP95 | Self::StartupP50 => Unit::Milliseconds,
            Self::ErrorsPerViewerHour => Unit::Rate,
            Self::Cost => Unit::Dollars,
            Self::CostPerViewerHour => Unit::SmallDollars,
        }
    }

    pub(crate) fn better(self) -> Better {
        match self {
            Self::HitPercent | Self::Bitrate => Better::Higher,
            Self::Percent4xx
            | Self::Percent5xx
            | Self::FirstByteP95
            | Self::Starved
            | Self::StartFailures
            | Self::StartupP50
            | Self::ErrorsPerViewerHour
            | Self::CostPerViewerHour => Better::Lower,
            Self::PeakViewers
            | Self::MeanViewers
            | Self::ViewerHours
            | Self::Requests
            | Self::Bytes
            | Self::PeakBits
            | Self::RequestsPerViewerHour
            | Self::BytesPerViewerHour
            | Self::Cost => Better::Neither,
        }
    }

    /// The measure of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl Summary {
    /// Whether the figures are of a part of the event; none: not known.
    pub(crate) fn is_part(&self) -> Option<bool> {
        self.window.map(|window| window.is_part)
    }

    /// The counts behind a share or a rate; of an older report as its figures tell them.
    pub(crate) fn counts(&self, measure: Measure) -> Option<Tally> {
        let figure = self.figures.iter().find(|one| one.name == measure.name())?;
        let derived = || {
            let (whole, per) = match measure {
                Measure::Percent4xx | Measure::Percent5xx | Measure::HitPercent => {
                    (self.value(Measure::Requests)?, 100.0)
                }
                Measure::ErrorsPerViewerHour => (self.value(Measure::ViewerHours)?, 1.0),
                _ => return None,
            };
            Some(Tally {
                events: figure.value? * whole / per,
                of: whole,
            })
        };
        figure.counts.or_else(derived)
    }

    /// One line on how a measure was measured here.
    pub(crate) fn about(&self, measure: Measure) -> &'static str {
        let in_play = |minute: &Minute| (self.kickoff..self.ends).contains(&minute.at);
        match (measure, self.is_part()) {
            (Measure::MeanViewers, Some(true)) if self.minutes.iter().any(in_play) => {
                "the mean over the minutes between kickoff and end that this window has"
            }
            (Measure::MeanViewers, Some(true)) => {
                "the mean over this window's minutes: none of them is between kickoff and end"
            }
            (Measure::MeanViewers, _) => "the mean over the minutes from kickoff to the end",
            (measure, _) => measure.about(),
        }
    }

    /// The value of a measure; none: not known.
    pub(crate) fn value(&self, measure: Measure) -> Option<f64> {
        self.figures
            .iter()
            .find(|figure| figure.name == measure.name())
            .and_then(|figure| figure.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_again() {
        for measure in Measure::ALL {
            assert_eq!(Measure::named(measure.name()), Some(measure));
        }
    }

    #[test]
    fn a_minute_is_normalized_by_its_audience() {
        let minute = Minute {
            requests: 1_200.0,
            viewers: Some(60.0),
            percent_5xx: Some(1.0),
            ..Minute::default()
        };
        assert_eq!(
            minute.value(Measure::RequestsPerViewerHour),
            Some(1_200.0),
            "60 viewers of one minute are one hour"
        );
        assert_eq!(minute.value(Measure::ErrorsPerViewerHour), Some(12.0));
        let empty = Minute {
            viewers: Some(0.0),
            ..minute
        };
        assert_eq!(empty.value(Measure::RequestsPerViewerHour), None);
    }
}
