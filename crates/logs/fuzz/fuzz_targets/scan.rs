//! Any bytes as a log object, read by both readers: every row whole, and in a window no row without a
//! time. `cargo +nightly fuzz run scan -- -max_total_time=60`, in `crates/logs`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use onair_logs::collect::Collected;
use onair_logs::scan::{Scan, scan};
use onair_logs::schema::{REQUESTS, WAF};
use onair_logs::value::Value;
use onair_logs::waf;

fuzz_target!(|object: &[u8]| {
    let mut asked = Scan {
        columns: (0..REQUESTS.len()).collect(),
        ..Scan::default()
    };
    let mut whole = Collected::default();
    let scanned = scan(object, "", &asked, &mut whole).expect("a slice can be read");
    assert_eq!(scanned.rows, whole.rows.len() as u64);
    assert!(whole.rows.iter().all(|row| row.len() == REQUESTS.len()));
    let (from, until) = ("2026-06-14T17:00", "2026-06-14T18:00");
    asked.window = from.parse().ok().zip(until.parse().ok());
    let mut windowed = Collected::default();
    scan(object, "", &asked, &mut windowed).expect("a slice can be read");
    assert!(windowed.rows.len() <= whole.rows.len());
    assert!(windowed.rows.iter().all(|row| row[0] != Value::Null));
    asked.columns = (0..WAF.len()).collect();
    waf::scan(object, &asked, &mut Collected::default()).expect("a slice can be read");
});
