//! The embedded cloud's own viewers: few enough that every request of theirs is logged and counted.
//! Logs and CloudFront's metrics are made of the same requests, so that the one can be held against
//! the other.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jiff::Timestamp;
use onair_audience::{Scene, Summary};
use serde::{Deserialize, Serialize};

use super::cloudwatch::Audience;

/// Viewers at the peak unless said otherwise: some 170,000 requests an event.
pub(crate) const VIEWERS: u64 = 24;

/// Who the viewers are. When they come, and to which distributions, the [`Audience`] says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Crowd {
    /// Another seed gives another audience of the same kind.
    pub(crate) seed: u64,
    /// At the peak.
    pub(crate) viewers: u64,
    /// Milliseconds of a segment.
    pub(crate) segment: u32,
    /// Minutes that a session lasts, about.
    pub(crate) stay: u32,
    /// Kilobits a second of the video, ascending.
    pub(crate) ladder: Vec<u32>,
    /// Codes, and the part (0 to 1) of the viewers that is there.
    pub(crate) countries: Vec<(String, f64)>,
    /// Countries from where some try, and are refused.
    pub(crate) without_rights: Vec<String>,
    /// The folder of all that is served, such as `/cup-final`.
    pub(crate) folder: String,
    /// The viewers' names of the distributions, in the audience's order.
    pub(crate) domains: Vec<String>,
}

impl Crowd {
    /// What the crowd does at the event.
    fn scene(&self, audience: &Audience) -> Scene {
        let domains = self.domains.iter().map(String::as_str);
        let domains = domains.chain(std::iter::repeat("live.example.com"));
        Scene {
            seed: self.seed,
            doors: audience.doors,
            starts: audience.starts,
            ends: audience.ends,
            viewers: self.viewers,
            segment: self.segment,
            ladder: self.ladder.clone(),
            countries: self.countries.clone(),
            without_rights: self.without_rights.clone(),
            distributions: audience
                .distributions
                .iter()
                .zip(domains)
                .map(|((id, part), domain)| (id.clone(), domain.to_owned(), *part))
                .collect(),
            folder: self.folder.clone(),
            stay: self.stay,
        }
    }
}

/// What is logged of an audience: of one of curves, the probe's requests alone.
pub(in crate::sandbox) fn scene(audience: &Audience) -> Scene {
    let nobody = Crowd {
        seed: 1,
        viewers: 0,
        segment: 4000,
        stay: 100,
        ladder: Vec::new(),
        countries: Vec::new(),
        without_rights: Vec::new(),
        folder: String::new(),
        domains: Vec::new(),
    };
    audience.crowd.as_ref().unwrap_or(&nobody).scene(audience)
}

/// Minutes by their start, counted from 1970, and distribution.
type Counted = HashMap<(i64, String), Rc<Summary>>;

/// What the crowd's minutes come to, each counted once: many metrics are about the same minutes.
#[derive(Debug)]
pub(crate) struct Tally {
    scene: Scene,
    counted: RefCell<Counted>,
}

impl Tally {
    /// None of an audience of curves.
    pub(crate) fn of(audience: &Audience) -> Option<Self> {
        audience.crowd.as_ref().map(|crowd| Self {
            scene: crowd.scene(audience),
            counted: RefCell::default(),
        })
    }

    /// One of CloudFront's metrics of a distribution, or of all, for a minute.
    pub(crate) fn cloudfront(
        &self,
        name: &str,
        distribution: Option<&str>,
        at: Timestamp,
    ) -> Option<f64> {
        let Some(distribution) = distribution else {
            return (name == "FunctionInvocations").then(|| self.requests(at));
        };
        let minute = self.minute(distribution, at);
        if minute.requests == 0 {
            return None;
        }
        let of_statuses = |place: usize| Some(minute.percent(minute.statuses[place]));
        match name {
            "Requests" => Some(float(minute.requests)),
            "BytesDownloaded" => Some(float(minute.bytes)),
            "BytesUploaded" => Some(float(minute.bytes_up)),
            "TotalErrorRate" => Some(minute.percent(minute.errors_4xx + minute.errors_5xx)),
            "4xxErrorRate" => Some(minute.percent(minute.errors_4xx)),
            "5xxErrorRate" => Some(minute.percent(minute.errors_5xx)),
            "CacheHitRate" => minute.hit_percent(),
            // A minute has one value here, from which percentiles are guessed: this one is such that
            // the 90th, which is asked for, is right.
            "OriginLatency" => minute
                .origin_percentile(90.0)
                .map(|latency| float(latency) / super::cloudwatch::curves::tail(90.0)),
            "401ErrorRate" => of_statuses(0),
            "403ErrorRate" => of_statuses(1),
            "404ErrorRate" => of_statuses(2),
            "502ErrorRate" => of_statuses(3),
            "503ErrorRate" => of_statuses(4),
            "504ErrorRate" => of_statuses(5),
            _ => None,
        }
    }

    /// All requests of a minute.
    pub(crate) fn requests(&self, at: Timestamp) -> f64 {
        let all: u64 = self
            .scene
            .distributions
            .iter()
            .map(|(id, _, _)| self.minute(id, at).requests)
            .sum();
        float(all)
    }

    fn minute(&self, distribution: &str, at: Timestamp) -> Rc<Summary> {
        let minute = Scene::minute_of(at);
        let key = (minute, distribution.to_owned());
        let mut counted = self.counted.borrow_mut();
        let summary = counted
            .entry(key)
            .or_insert_with(|| Rc::new(self.scene.summary(minute, distribution)));
        Rc::clone(summary)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a minute are far below 2^52"
)]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn audience(seed: u64, viewers: u64) -> Audience {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        Audience {
            doors: at("2026-06-14T17:00:00Z"),
            starts: at("2026-06-14T18:30:00Z"),
            ends: at("2026-06-14T21:30:00Z"),
            // The forecast's: it has no say here.
            viewers: 180_000.0,
            requests_per_viewer: 0.75,
            distributions: vec![("E1".to_owned(), 0.85), ("E2".to_owned(), 0.15)],
            crowd: Some(Crowd {
                seed,
                viewers,
                segment: 4000,
                stay: 100,
                ladder: vec![900, 3400, 6200],
                countries: vec![("AT".to_owned(), 0.4), ("DE".to_owned(), 0.6)],
                without_rights: vec!["GB".to_owned()],
                folder: "/cup-final".to_owned(),
                domains: vec!["live.example.com".to_owned()],
            }),
            ..Audience::default()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn metrics_count_the_requests_that_are_logged(seed: u64, viewers in 1_u64..60, offset in -120_i64..420) {
            let audience = audience(seed, viewers);
            let tally = Tally::of(&audience).unwrap();
            let scene = scene(&audience);
            let at = audience.doors + jiff::SignedDuration::from_mins(offset);
            let mut all = 0.0;
            for id in ["E1", "E2"] {
                let rows: Vec<_> = scene.minute(Scene::minute_of(at), id).collect();
                let metric = |name| tally.cloudfront(name, Some(id), at);
                let count = |keep: &dyn Fn(u16) -> bool| {
                    rows.iter().filter(|row| keep(row.status)).fold(0.0, |sum, _| sum + 1.0)
                };
                let requests = count(&|_| true);
                all += requests;
                prop_assert_eq!(metric("Requests"), Some(requests));
                let bytes: u64 = rows.iter().map(|row| row.bytes).sum();
                prop_assert_eq!(metric("BytesDownloaded"), Some(float(bytes)));
                let failed = count(&|status| (500..600).contains(&status)) * 100.0 / requests;
                prop_assert_eq!(metric("5xxErrorRate"), Some(failed));
                let refused = count(&|status| status == 403) * 100.0 / requests;
                prop_assert_eq!(metric("403ErrorRate"), Some(refused));
            }
            prop_assert!((tally.requests(at) - all).abs() < 0.5);
            prop_assert_eq!(tally.cloudfront("FunctionInvocations", None, at), Some(all));
        }
    }

    #[test]
    fn an_audience_of_curves_has_no_tally_and_leaves_the_probe_alone() {
        let curves = Audience {
            crowd: None,
            ..audience(1, 24)
        };
        assert!(Tally::of(&curves).is_none());
        let minute = Scene::minute_of(curves.starts);
        let rows: Vec<_> = scene(&curves)
            .minute(minute, "E1")
            .map(|row| row.country.to_owned())
            .collect();
        assert!((1..4).contains(&rows.len()), "{rows:?}");
    }
}
