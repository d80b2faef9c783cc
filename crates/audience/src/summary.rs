//! A minute as the delivery network's metrics have it.

use crate::request::Request;

/// Counts of a minute's requests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// All.
    pub requests: u64,
    /// To viewers.
    pub bytes: u64,
    /// From viewers.
    pub bytes_up: u64,
    /// With these statuses; `errors_4xx` and `errors_5xx` are all of their kind.
    pub errors_4xx: u64,
    /// See `errors_4xx`.
    pub errors_5xx: u64,
    /// Of 401, 403, 404, 502, 503 and 504, in this order.
    pub statuses: [u64; 6],
    /// GET and HEAD that were no errors, and those of them that the cache answered.
    pub cacheable: u64,
    /// See `cacheable`.
    pub hits: u64,
    /// Milliseconds to the origin's first byte, of each request that it was asked for, ascending.
    pub origin: Vec<u64>,
}

/// Statuses that have a metric of their own.
pub const STATUSES: [u16; 6] = [401, 403, 404, 502, 503, 504];

impl Summary {
    pub(crate) fn of<'a>(requests: impl Iterator<Item = Request<'a>>) -> Self {
        let mut sum = Self::default();
        for request in requests {
            sum.add(&request);
        }
        sum.origin.sort_unstable();
        sum
    }

    fn add(&mut self, request: &Request<'_>) {
        self.requests += 1;
        self.bytes += request.bytes;
        self.bytes_up += request.request_bytes;
        match request.status {
            400..500 => self.errors_4xx += 1,
            500..600 => self.errors_5xx += 1,
            _ => {}
        }
        if let Some(place) = STATUSES.iter().position(|one| *one == request.status) {
            self.statuses[place] += 1;
        }
        let is_good = (200..400).contains(&request.status);
        if is_good && matches!(request.method, "GET" | "HEAD") {
            self.cacheable += 1;
            let is_hit = matches!(request.response_result, "Hit" | "RefreshHit");
            self.hits += u64::from(is_hit);
        }
        if let Some(origin) = request.origin {
            self.origin.push(origin.first_byte);
        }
    }

    /// Of all requests, percent.
    pub fn percent(&self, count: u64) -> f64 {
        crate::random::float(count) * 100.0 / crate::random::float(self.requests.max(1))
    }

    /// Of the requests that a cache may answer, those that it did, percent; none without such.
    pub fn hit_percent(&self) -> Option<f64> {
        let percent = crate::random::float(self.hits) * 100.0;
        (self.cacheable > 0).then(|| percent / crate::random::float(self.cacheable))
    }

    /// A percentile of the milliseconds to the origin's first byte; none when it was not asked.
    pub fn origin_percentile(&self, percentile: f64) -> Option<u64> {
        let last = crate::random::float(u64::try_from(self.origin.len()).ok()?.checked_sub(1)?);
        let place = crate::random::whole(last * percentile / 100.0);
        self.origin.get(usize::try_from(place).ok()?).copied()
    }
}
