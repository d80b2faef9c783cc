//! Lines of every form, and what they come to. Rows of real files are in the main crate's
//! `tests/data`.

mod damage;
mod forms;
mod json;
mod laws;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::collect::Collected;
use crate::fields::{REALTIME, STANDARD, VERSION_2};
use crate::schema;
use crate::value::Value;

/// Reads `columns` of an object.
fn read(object: &[u8], columns: &[&str]) -> (Scanned, Vec<Vec<Value>>) {
    read_as(object, columns, Scan::default())
}

fn read_as(object: &[u8], columns: &[&str], mut asked: Scan) -> (Scanned, Vec<Vec<Value>>) {
    asked.columns = columns
        .iter()
        .map(|name| {
            schema::Table::Requests
                .position(name)
                .unwrap_or_else(|| panic!("no column {name}"))
        })
        .collect();
    let mut sink = Collected::default();
    let name = "logs/E2KG6TMBAL2PBU.2026-06-14-17.aaaa.gz";
    let scanned = scan(object, name, &asked, &mut sink).unwrap();
    assert_eq!(scanned.rows, sink.rows.len() as u64);
    (scanned, sink.rows)
}

/// Reads one column of an object that has nothing wrong.
fn column(object: &[u8], name: &str) -> Vec<Value> {
    let (scanned, rows) = read(object, &[name]);
    assert_eq!(
        (scanned.bad, scanned.truncated),
        (0, None),
        "{:?}",
        scanned.samples
    );
    rows.into_iter().flatten().collect()
}

fn words(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn time(text: &str) -> Value {
    Value::Timestamp(text.parse().unwrap())
}

const AT: [(&str, &str); 2] = [("date", "2026-06-14"), ("time", "17:00:01")];

/// A line of `names`: a date, what is set, `-` else.
fn line(names: &[&str], delimiter: &str, set: &[(&str, &str)]) -> String {
    for (name, _) in set {
        assert!(names.contains(name), "no field {name}");
    }
    let realtime = [("timestamp", "1781456401.250")];
    let value = |name: &&str| {
        let mut all = set.iter().chain(&AT).chain(&realtime);
        all.find(|(known, _)| known == name)
            .map_or("-", |(_, value)| value)
    };
    names.iter().map(value).collect::<Vec<_>>().join(delimiter)
}

/// A line of the 33 fields.
fn standard(set: &[(&str, &str)]) -> String {
    line(&STANDARD, "\t", set)
}

fn realtime(set: &[(&str, &str)]) -> String {
    line(&REALTIME, "\t", set)
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}
