//! Any text as CMCD, by every way in.
//! `cargo +nightly fuzz run cmcd -- -max_total_time=60`, in `crates/logs`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use onair_logs::cmcd::{Cmcd, Seeker};

fuzz_target!(|text: &str| {
    let read = Cmcd::parse(text);
    for (key, _) in read.items() {
        read.integer(key);
        read.decimal(key);
        read.text(key);
        read.boolean(key);
    }
    Cmcd::parse(&read.to_list());
    Cmcd::of_query(text);
    Cmcd::of_query(&format!("CMCD={text}"));
    Cmcd::of_logged_headers(text);
    Cmcd::of_json(text);
    Seeker::new("sid").seek(text.as_bytes());
});
