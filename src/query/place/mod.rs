//! Where the local engine finds logs that are not on this machine: a bucket, a log group.
//!
//! The engine reads on threads of its own that may wait; the clients work on the main thread's
//! runtime. [`Bridge`] is between them.

mod bucket;
mod group;
mod running;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use onair_engine::{Folder, Objects};
use tokio::runtime::Handle;

use bucket::Bucket;
use group::LogGroup;
pub(crate) use running::Running;

use super::port::Window;
use crate::clock::Clock;
use crate::cloud::{Cloud, CloudError};
use crate::error::Failure;

/// What `--local` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file or a folder here.
    Folder(PathBuf),
    /// `s3://BUCKET/PREFIX`
    Bucket { bucket: String, prefix: String },
    /// `logs://GROUP`, with `?region=…` where it is not in the runbook's region.
    Group {
        name: String,
        region: Option<String>,
    },
}

impl Place {
    /// Reads what `--local` says.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(Failure::usage(format!("`{text}` names no bucket"))
                    .hint("write it as s3://BUCKET/PREFIX"));
            }
            return Ok(Self::Bucket {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
            });
        }
        let Some(rest) = text
            .strip_prefix("logs://")
            .or_else(|| text.strip_prefix("cwl:"))
        else {
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        let (name, options) = rest.split_once('?').unwrap_or((rest, ""));
        let fits =
            |character: char| character.is_ascii_alphanumeric() || "._-/#".contains(character);
        if name.is_empty() || name.len() > 512 || !name.chars().all(fits) {
            return Err(Failure::usage(format!("`{text}` names no log group"))
                .hint("write it as logs://GROUP or logs://GROUP?region=us-east-1"));
        }
        let region = match options {
            "" => None,
            _ => Some(
                options
                    .strip_prefix("region=")
                    .filter(|region| {
                        !region.is_empty()
                            && region
                                .chars()
                                .all(|one| one.is_ascii_alphanumeric() || one == '-')
                    })
                    .ok_or_else(|| {
                        Failure::usage(format!("`?{options}` is not understood"))
                            .hint("logs://GROUP?region=us-east-1")
                    })?
                    .to_owned(),
            ),
        };
        Ok(Self::Group {
            name: name.to_owned(),
            region,
        })
    }
}

/// A place in the account, opened.
pub(crate) struct Opened {
    pub(crate) objects: Arc<dyn Objects>,
    /// What may run in the account on our behalf.
    pub(crate) running: Option<Running>,
}

/// Opens a place in the account; nothing is asked yet. `home` is the region of log groups that name
/// none; a log group is read within `window` alone, and of a bucket what its names place outside of
/// it is left out.
pub(crate) fn open(
    place: &Place,
    cloud: &Cloud,
    clock: &Clock,
    home: &str,
    window: Option<Window>,
) -> Result<Opened, Failure> {
    let bridge = Bridge {
        cloud: cloud.clone(),
        clock: clock.clone(),
        runtime: Handle::current(),
    };
    let mut running = None;
    let objects: Arc<dyn Objects> = match place {
        Place::Folder(path) => Arc::new(Folder(path.clone())),
        Place::Bucket { bucket, prefix } => Arc::new(Bucket::new(bridge, bucket, prefix, window)),
        Place::Group { name, region } => {
            let Some(window) = window else {
                return Err(Failure::usage("a log group is read for a time")
                    .hint("add --since and --until, or -e EVENT for the event's own"));
            };
            let region = region.clone().unwrap_or_else(|| home.to_owned());
            let queries = running.insert(Running::new(cloud, &region)).clone();
            Arc::new(LogGroup::new(bridge, region, name, window, queries))
        }
    };
    Ok(Opened { objects, running })
}

/// From the engine's threads to the clients and back.
#[derive(Clone)]
struct Bridge {
    cloud: Cloud,
    clock: Clock,
    runtime: Handle,
}

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bridge")
    }
}

/// An answer that is on its way.
struct Coming<T>(Receiver<Result<T, CloudError>>);

impl Bridge {
    /// Begins a call; the answer is waited for later.
    fn begin<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, CloudError>> + Send + 'static,
    ) -> Coming<T> {
        let (sender, receiver) = channel();
        drop(self.runtime.spawn(async move {
            // Whoever asked may be gone.
            drop(sender.send(call.await));
        }));
        Coming(receiver)
    }

    /// Makes a call and waits for its answer.
    fn ask<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, CloudError>> + Send + 'static,
    ) -> io::Result<T> {
        self.begin(call).wait()
    }
}

impl<T> Coming<T> {
    fn wait(self) -> io::Result<T> {
        match self.0.recv() {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(io::Error::new(kind(&error), error)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the process is ending",
            )),
        }
    }
}

fn kind(error: &CloudError) -> io::ErrorKind {
    match error {
        CloudError::NotFound { .. } => io::ErrorKind::NotFound,
        CloudError::Denied { .. } | CloudError::NoCredentials { .. } => {
            io::ErrorKind::PermissionDenied
        }
        CloudError::Unreachable { .. } => io::ErrorKind::ConnectionRefused,
        _ => io::ErrorKind::Other,
    }
}
