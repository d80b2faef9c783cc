//! How many watch at a time, as a part of the peak.

use jiff::Timestamp;

/// The viewers at a time, as a part (0 to 1) of the peak: few before doors, a rush up to kickoff, a
/// dip at half time, and home at the end.
pub fn present(doors: Timestamp, starts: Timestamp, ends: Timestamp, at: Timestamp) -> f64 {
    let minutes = |from: Timestamp| at.duration_since(from).as_secs_f64() / 60.0;
    let (since_doors, since_start, since_end) = (minutes(doors), minutes(starts), minutes(ends));
    let before = starts.duration_since(doors).as_secs_f64() / 60.0;
    let level = if since_end >= 0.0 {
        0.01 + 0.9 * (-since_end / 9.0).exp()
    } else if since_start >= 0.0 {
        let arrived = 0.86 + 0.14 * (1.0 - (-since_start / 6.0).exp());
        arrived - 0.08 * bell(since_start, 53.0, 5.0)
    } else if since_doors >= 0.0 {
        let part = (since_doors / before.max(1.0)).clamp(0.0, 1.0);
        0.02 + 0.84 * part.powf(2.2)
    } else {
        0.002 + 0.018 * (since_doors / 60.0).exp()
    };
    level.clamp(0.0, 1.0)
}

/// How much of the rush at kickoff there is (0 to 1): everyone comes at once, caches are cold and the
/// origin feels it.
pub fn rush(starts: Timestamp, at: Timestamp) -> f64 {
    let since_start = at.duration_since(starts).as_secs_f64() / 60.0;
    (-((since_start - 1.0) / 4.0).powi(2)).exp()
}

/// A bump of height 1 around `center`.
fn bell(at: f64, center: f64, width: f64) -> f64 {
    (-((at - center) / width).powi(2) / 2.0).exp()
}
