//! Reads log objects on one core and says what they came to, to be timed from outside:
//! `cargo run --release -p onair-logs --example scan -- at,sc_status FILE…`. Without columns (`-`), and
//! with `inflate` instead of them, it shows what the reading costs beyond unpacking.

#![expect(
    clippy::print_stdout,
    reason = "what it came to is the example's answer"
)]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use flate2::bufread::MultiGzDecoder;
use onair_logs::scan::{Scan, Sink, scan};
use onair_logs::schema;

/// Adds up what it is told, so that no work is left out.
#[derive(Default)]
struct Sum {
    bytes: usize,
    values: u64,
}

impl Sink for Sum {
    fn null(&mut self, _: usize) {}

    fn text(&mut self, _: usize, value: &str) {
        self.values += 1;
        self.bytes += value.len();
    }

    fn integer(&mut self, _: usize, value: i64) {
        self.values += 1;
        self.bytes ^= value.unsigned_abs().leading_zeros() as usize;
    }

    fn double(&mut self, _: usize, value: f64) {
        self.values += u64::from(value > 0.0);
    }

    fn boolean(&mut self, _: usize, value: bool) {
        self.values += u64::from(value);
    }

    fn timestamp(&mut self, slot: usize, milliseconds: i64) {
        self.integer(slot, milliseconds);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let columns = arguments
        .next()
        .ok_or("name columns, comma between, or `inflate`")?;
    let files: Vec<String> = arguments.collect();
    if columns == "inflate" {
        let mut buffer = vec![0; 256 << 10];
        let mut bytes = 0;
        for file in &files {
            let mut gzip =
                MultiGzDecoder::new(BufReader::with_capacity(128 << 10, File::open(file)?));
            while let read @ 1.. = gzip.read(&mut buffer)? {
                bytes += read;
            }
        }
        println!("{bytes} bytes of text");
        return Ok(());
    }
    let named = columns.split(',').filter(|name| *name != "-");
    let columns: Option<Vec<usize>> = named
        .map(|name| schema::Table::Requests.position(name))
        .collect();
    let asked = Scan {
        columns: columns.ok_or("no such column")?,
        ..Scan::default()
    };
    let (mut sum, mut rows, mut bad) = (Sum::default(), 0, 0);
    for file in &files {
        let scanned = scan(File::open(file)?, file, &asked, &mut sum)?;
        rows += scanned.rows;
        bad += scanned.bad;
    }
    println!(
        "{rows} rows, {bad} bad lines, {} values, {} bytes",
        sum.values, sum.bytes
    );
    Ok(())
}
