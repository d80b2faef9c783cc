//! Inflates gzip files and does nothing else, on so many threads: what no reader of them can beat.
//!
//! `inflate THREADS FOLDER`

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use flate2::read::MultiGzDecoder;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let threads: usize = arguments
        .next()
        .and_then(|threads| threads.parse().ok())
        .unwrap_or(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.len(), entry.path()));
    }
    files.sort();
    files.reverse();
    let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| all(&files, &next, &bytes)))
            .collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| io::Error::other("a panic"))?)
    })?;
    writeln!(io::stdout(), "{}", bytes.load(Ordering::Relaxed))
}

fn all(files: &[(u64, PathBuf)], next: &AtomicUsize, bytes: &AtomicU64) -> io::Result<()> {
    let mut buffer = vec![0; 2 << 20];
    while let Some((_, path)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut decoder = MultiGzDecoder::new(File::open(path)?);
        loop {
            let read = decoder.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            bytes.fetch_add(read as u64, Ordering::Relaxed);
        }
    }
    Ok(())
}
