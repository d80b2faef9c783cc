//! Log objects in a bucket. Large ones come in parts, some of them ahead of their reader, so that a
//! thread holds a few megabytes whatever an object's size and a cut costs one part.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::OnceLock;

use bytes::Bytes;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use onair_engine::{Object, Objects};

use super::{Bridge, Coming};
use crate::query::port::Window;

/// Bytes of a part.
const PART: u64 = 8 << 20;
/// Parts that are on their way at a time.
const AHEAD: usize = 2;
/// Pages of a list: 5 million objects.
const PAGES: usize = 5000;

/// Log files come up to a day late; legacy ones are named by when they were written.
const LATE: SignedDuration = SignedDuration::from_hours(24);
const EARLY: SignedDuration = SignedDuration::from_hours(1);

/// A place in a bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    bridge: Bridge,
    /// Where the bucket is, once that was asked.
    region: OnceLock<String>,
    name: String,
    /// Up to and with the last slash, or empty: names of objects are what follows.
    folder: String,
    /// What keys begin with.
    prefix: String,
    window: Option<(DateTime, DateTime)>,
}

impl Bucket {
    pub(super) fn new(bridge: Bridge, bucket: &str, prefix: &str, window: Option<Window>) -> Self {
        let end = prefix.rfind('/').map_or(0, |at| at + 1);
        let padded = window.map(|Window { from, until }| Window {
            from: from.saturating_sub(EARLY).unwrap_or(from),
            until: until.saturating_add(LATE).unwrap_or(until),
        });
        Self {
            bridge,
            region: OnceLock::new(),
            name: bucket.to_owned(),
            folder: prefix[..end].to_owned(),
            prefix: prefix.to_owned(),
            window: padded.map(Window::civil),
        }
    }

    /// The bucket's region, asked for once.
    fn region(&self) -> io::Result<String> {
        if let Some(region) = self.region.get() {
            return Ok(region.clone());
        }
        let (cloud, bucket) = (self.bridge.cloud.clone(), self.name.clone());
        let region = self
            .bridge
            .ask(async move { cloud.bucket_region(&bucket).await })?;
        Ok(self.region.get_or_init(|| region).clone())
    }
}

impl Objects for Bucket {
    fn list(&self) -> io::Result<Vec<Object>> {
        let cloud = self.bridge.cloud.clone();
        let (region, bucket, prefix) = (self.region()?, self.name.clone(), self.prefix.clone());
        let (found, is_whole) = self
            .bridge
            .ask(async move { cloud.objects_below(&region, &bucket, &prefix, PAGES).await })?;
        if !is_whole {
            return Err(io::Error::other(format!(
                "{} has more than {} objects below it; name a narrower prefix",
                self.place(),
                PAGES * 1000
            )));
        }
        let objects = found.into_iter().filter(|object| {
            let name = object.key.rsplit('/').next().unwrap_or_default();
            object.size > 0
                && !name.is_empty()
                && !name.starts_with(['_', '.'])
                && self
                    .window
                    .is_none_or(|window| may_hold(&object.key, window))
        });
        Ok(objects
            .map(|object| Object {
                name: object.key[self.folder.len()..].to_owned(),
                size: object.size,
                modified: object.modified,
            })
            .collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let mut parts = Parts {
            bridge: self.bridge.clone(),
            region: self.region()?,
            bucket: self.name.clone(),
            key: format!("{}{name}", self.folder),
            coming: VecDeque::new(),
            next: 0,
            current: Bytes::new(),
        };
        // The first part now, so that what cannot be read is told here.
        parts.begin();
        parts.advance()?;
        Ok(Box::new(parts))
    }

    fn place(&self) -> String {
        format!("s3://{}/{}", self.name, self.prefix)
    }
}

/// Whether an object may hold requests of a window, by the hour that its name tells: the file's
/// `.2026-06-14-17.`, as CloudFront names all of them. Other names may hold anything.
fn may_hold(key: &str, (from, until): (DateTime, DateTime)) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    let stamp = name.split('.').find_map(|piece| {
        let (date, hour) = piece.rsplit_once('-')?;
        let date: jiff::civil::Date = date.parse().ok()?;
        let hour: i8 = hour.parse().ok().filter(|hour| (0..24).contains(hour))?;
        Some(date.at(hour, 0, 0, 0))
    });
    stamp.is_none_or(|hour| {
        let end = hour.saturating_add(SignedDuration::from_hours(1));
        end > from && hour < until
    })
}

/// An object that is being read.
struct Parts {
    bridge: Bridge,
    region: String,
    bucket: String,
    key: String,
    coming: VecDeque<Coming<(Bytes, bool)>>,
    /// Where the next part to ask for begins.
    next: u64,
    current: Bytes,
}

impl Parts {
    fn begin(&mut self) {
        let cloud = self.bridge.cloud.clone();
        let (region, bucket, key) = (self.region.clone(), self.bucket.clone(), self.key.clone());
        let start = self.next;
        self.next += PART;
        self.coming
            .push_back(self.bridge.begin(async move {
                cloud.object_part(&region, &bucket, &key, start, PART).await
            }));
    }

    /// Takes the next part; an empty one is the end.
    fn advance(&mut self) -> io::Result<()> {
        let Some(coming) = self.coming.pop_front() else {
            return Ok(());
        };
        let (part, is_last) = coming.wait()?;
        self.current = part;
        if is_last {
            self.coming.clear();
        } else {
            while self.coming.len() < AHEAD {
                self.begin();
            }
        }
        Ok(())
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.coming.is_empty() {
            self.advance()?;
        }
        let length = self.current.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_hour() {
        let window = (
            "2026-06-14T17:30:00".parse().unwrap(),
            "2026-06-14T20:00:00".parse().unwrap(),
        );
        for (key, expected) in [
            ("access/E1/2026/06/14/17/E1.2026-06-14-17.abcd.gz", true),
            ("access/E1.2026-06-14-16.abcd.gz", false),
            ("access/E1.2026-06-14-19.abcd.parquet", true),
            ("access/E1.2026-06-14-20.abcd.gz", false),
            ("access/whatever.gz", true),
            ("access/E1.2026-06-14-99.abcd.gz", true),
        ] {
            assert_eq!(may_hold(key, window), expected, "{key}");
        }
    }
}
