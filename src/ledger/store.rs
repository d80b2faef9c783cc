//! Where a ledger's objects are kept: a folder or an S3 bucket, behind the same four operations.
//!
//! Objects are small and immutable, but for the heartbeat. Every call is bounded in time, so that
//! a store that is away never holds up a block. What the objects mean is not known here.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};

use super::folder;
use super::s3::S3Options;

/// How long one write may take (design, section 9): past that, urgent commands go on without.
pub(crate) const WRITE_BOUND: Duration = Duration::from_secs(2);

/// How long one listing or one object's read may take.
pub(crate) const READ_BOUND: Duration = Duration::from_secs(10);

/// Objects fetched at once from S3.
const GETS_AT_ONCE: usize = 32;

/// The name of an object within a store, with `/` between its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(String);

impl Key {
    /// A key of `text`.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The whole key.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last part.
    pub(crate) fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a store would not do.
#[derive(Debug, thiserror::Error)]
#[error("{doing} `{key}` in the ledger at {store}: {kind}")]
pub(crate) struct StoreError {
    /// What went wrong.
    pub(crate) kind: StoreErrorKind,
    doing: &'static str,
    store: String,
    key: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The ways in which a store fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreErrorKind {
    /// It did not answer, or is not there.
    #[error("the store cannot be reached")]
    Unreachable,
    /// It refuses us, or there are no credentials.
    #[error("access denied")]
    Denied,
    /// No space, or over quota.
    #[error("the disk is full")]
    Full,
    /// On a read-only file system.
    #[error("the store is read-only")]
    ReadOnly,
    /// The key is taken; objects are never overwritten.
    #[error("there already is such an object")]
    AlreadyExists,
    /// The bucket or the object is not there.
    #[error("not found")]
    Missing,
    /// No answer in time. A write may still have landed.
    #[error("no answer in time")]
    TimedOut,
    /// It answered with something else.
    #[error("the store refused")]
    Refused,
}

impl StoreErrorKind {
    /// What an I/O error says about a folder.
    fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::AlreadyExists,
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Unreachable,
        }
    }

    /// What an error of the S3 client says.
    fn of_s3(error: &object_store::Error) -> Self {
        match error {
            object_store::Error::AlreadyExists { .. } => Self::AlreadyExists,
            object_store::Error::NotFound { .. } => Self::Missing,
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => Self::Denied,
            other => {
                let mut cause: Option<&(dyn Error + 'static)> = Some(other);
                while let Some(error) = cause {
                    if error.is::<object_store::client::HttpError>() {
                        return Self::Unreachable;
                    }
                    cause = error.source();
                }
                // A refused listing comes without a type of its own: its text has the status.
                let text = other.to_string();
                let status = |code: &str| text.contains(&format!("status code: {code}"));
                if status("401") || status("403") {
                    Self::Denied
                } else if status("404") {
                    Self::Missing
                } else {
                    Self::Refused
                }
            }
        }
    }
}

/// A place for a ledger's objects.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    place: Place,
    write_bound: Duration,
    read_bound: Duration,
}

#[derive(Debug, Clone)]
enum Place {
    Folder(Arc<PathBuf>),
    S3(Arc<Bucket>),
    /// Stands in for a store that fails in one way.
    #[cfg(test)]
    Away(StoreErrorKind),
}

#[derive(Debug)]
struct Bucket {
    client: AmazonS3,
    name: String,
    prefix: String,
}

impl Bucket {
    fn path(&self, key: &str) -> ObjectPath {
        ObjectPath::from(format!("{}/{key}", self.prefix))
    }
}

impl Store {
    /// The store in the folder `path`, which is made by the first write.
    pub(crate) fn folder(path: &Path) -> Self {
        Self::at(Place::Folder(Arc::new(path.to_owned())))
    }

    /// The store in a bucket.
    ///
    /// # Errors
    /// When the options do not fit together. Nothing is asked yet.
    pub(crate) fn s3(options: &S3Options) -> Result<Self, StoreError> {
        let client = options.client().map_err(|source| StoreError {
            kind: StoreErrorKind::Refused,
            doing: "open",
            store: options.name(),
            key: options.prefix.clone(),
            source: Some(Box::new(source)),
        })?;
        Ok(Self::at(Place::S3(Arc::new(Bucket {
            client,
            name: options.name(),
            prefix: options.prefix.trim_matches('/').to_owned(),
        }))))
    }

    /// A store that fails every call.
    #[cfg(test)]
    pub(crate) fn away(kind: StoreErrorKind) -> Self {
        Self::at(Place::Away(kind))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            write_bound: WRITE_BOUND,
            read_bound: READ_BOUND,
        }
    }

    /// The same store with other bounds on one write and one read.
    #[must_use]
    #[cfg(test)]
    pub(crate) fn with_bounds(self, write_bound: Duration, read_bound: Duration) -> Self {
        Self {
            write_bound,
            read_bound,
            ..self
        }
    }

    /// How messages name the store: a path, or an S3 address.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::Folder(path) => path.display().to_string(),
            Place::S3(bucket) => bucket.name.clone(),
            #[cfg(test)]
            Place::Away(_) => "nowhere".to_owned(),
        }
    }

    /// Whether reading is worth a local cache.
    pub(crate) fn is_remote(&self) -> bool {
        !matches!(self.place, Place::Folder(_))
    }

    /// Writes a new object, durably.
    ///
    /// # Errors
    /// `AlreadyExists` when the key is taken; after `TimedOut` it may have landed.
    pub(crate) async fn create(&self, key: &Key, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.put(key, bytes, PutMode::Create).await
    }

    /// Writes an object in place of what was there: for what is not a record, such as the
    /// heartbeat.
    pub(crate) async fn replace(&self, key: &Key, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.put(key, bytes, PutMode::Overwrite).await
    }

    async fn put(&self, key: &Key, bytes: Vec<u8>, mode: PutMode) -> Result<(), StoreError> {
        let doing = "write";
        match &self.place {
            Place::Folder(folder) => {
                let path = folder.join(key.as_str());
                let write = blocking(move || match mode {
                    PutMode::Create => folder::create(&path, &bytes),
                    _ => folder::replace(&path, &bytes),
                });
                let written = self.bounded(doing, key.as_str(), self.write_bound, write);
                written
                    .await?
                    .map_err(|error| self.io_error(doing, key.as_str(), error))
            }
            Place::S3(bucket) => {
                let path = bucket.path(key.as_str());
                let options = PutOptions::from(mode);
                let put = bucket
                    .client
                    .put_opts(&path, PutPayload::from(bytes), options);
                let written = self.bounded(doing, key.as_str(), self.write_bound, put);
                match written.await? {
                    Ok(_) => Ok(()),
                    Err(error) => Err(self.s3_error(doing, key.as_str(), error)),
                }
            }
            #[cfg(test)]
            Place::Away(kind) => Err(self.error(*kind, doing, key.as_str(), None)),
        }
    }

    /// The object's content, or `None` when there is none.
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        let doing = "read";
        match &self.place {
            Place::Folder(folder) => {
                let path = folder.join(key.as_str());
                let read = blocking(move || folder::read(&path));
                let read = self.bounded(doing, key.as_str(), self.read_bound, read);
                match read.await? {
                    Ok(found) => Ok(found.map(Bytes::from)),
                    Err(error) => Err(self.io_error(doing, key.as_str(), error)),
                }
            }
            Place::S3(bucket) => {
                let path = bucket.path(key.as_str());
                let get = async { bucket.client.get(&path).await?.bytes().await };
                let got = self.bounded(doing, key.as_str(), self.read_bound, get);
                match got.await? {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(object_store::Error::NotFound { .. }) => Ok(None),
                    Err(error) => Err(self.s3_error(doing, key.as_str(), error)),
                }
            }
            #[cfg(test)]
            Place::Away(kind) => Err(self.error(*kind, doing, key.as_str(), None)),
        }
    }

    /// The objects of `keys`, each with its own outcome, in no particular order.
    pub(crate) async fn get_all(
        &self,
        keys: Vec<Key>,
    ) -> Vec<(Key, Result<Option<Bytes>, StoreError>)> {
        if let Place::Folder(folder) = &self.place {
            // One trip to the thread pool for all: a thousand would cost more than the reading.
            let folder = Arc::clone(folder);
            let results = blocking(move || {
                keys.into_iter()
                    .map(|key| {
                        let read = folder::read(&folder.join(key.as_str()));
                        (key, read)
                    })
                    .collect::<Vec<_>>()
            });
            return results
                .await
                .into_iter()
                .map(|(key, read)| {
                    let read = read
                        .map(|found| found.map(Bytes::from))
                        .map_err(|error| self.io_error("read", key.as_str(), error));
                    (key, read)
                })
                .collect();
        }
        futures_util::stream::iter(keys)
            .map(|key| async move {
                let got = self.get(&key).await;
                (key, got)
            })
            .buffer_unordered(GETS_AT_ONCE)
            .collect()
            .await
    }

    /// The keys directly under `prefix` (which ends with `/`), sorted. None when nothing was
    /// written yet.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<Key>, StoreError> {
        let doing = "list";
        match &self.place {
            Place::Folder(folder) => {
                let path = folder.join(prefix);
                let names = blocking(move || folder::names(&path));
                let names = self.bounded(doing, prefix, self.read_bound, names);
                let names = names
                    .await?
                    .map_err(|error| self.io_error(doing, prefix, error))?;
                Ok(names
                    .into_iter()
                    .map(|name| Key(format!("{prefix}{name}")))
                    .collect())
            }
            Place::S3(bucket) => {
                let path = bucket.path(prefix);
                let listing = bucket.client.list(Some(&path));
                let found = listing
                    .map_ok(|object| object.location)
                    .try_collect::<Vec<_>>();
                let found = self.bounded(doing, prefix, self.read_bound, found);
                let found = found
                    .await?
                    .map_err(|error| self.s3_error(doing, prefix, error))?;
                let mut keys: Vec<_> = found
                    .iter()
                    .filter_map(ObjectPath::filename)
                    .map(|name| Key(format!("{prefix}{name}")))
                    .collect();
                keys.sort_unstable();
                Ok(keys)
            }
            #[cfg(test)]
            Place::Away(kind) => Err(self.error(*kind, doing, prefix, None)),
        }
    }

    async fn bounded<T>(
        &self,
        doing: &'static str,
        key: &str,
        bound: Duration,
        call: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(bound, call)
            .await
            .map_err(|_| self.error(StoreErrorKind::TimedOut, doing, key, None))
    }

    fn error(
        &self,
        kind: StoreErrorKind,
        doing: &'static str,
        key: &str,
        source: Option<Box<dyn Error + Send + Sync>>,
    ) -> StoreError {
        StoreError {
            kind,
            doing,
            store: self.name(),
            key: key.to_owned(),
            source,
        }
    }

    fn io_error(&self, doing: &'static str, key: &str, error: io::Error) -> StoreError {
        let kind = StoreErrorKind::of_io(&error);
        self.error(kind, doing, key, Some(Box::new(error)))
    }

    fn s3_error(&self, doing: &'static str, key: &str, error: object_store::Error) -> StoreError {
        let kind = StoreErrorKind::of_s3(&error);
        self.error(kind, doing, key, Some(Box::new(error)))
    }
}

/// Runs file work off the runtime's one thread, so that it can be given up on.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // The work is never aborted, so all that can have happened is a panic in it.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::SharedCredentialsProvider;

    fn key(text: &str) -> Key {
        Key::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_folder_keeps_the_first_object_of_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::folder(&folder.path().join("ledger"));
        assert!(store.list("entries/").await.unwrap().is_empty());
        assert!(!folder.path().join("ledger").exists());

        store.create(&key("entries/b"), b"1".into()).await.unwrap();
        store.create(&key("entries/a"), b"2".into()).await.unwrap();
        let error = store.create(&key("entries/a"), b"3".into()).await;
        assert_eq!(error.unwrap_err().kind, StoreErrorKind::AlreadyExists);
        assert_eq!(
            store.list("entries/").await.unwrap(),
            [key("entries/a"), key("entries/b")]
        );
        let got = store.get(&key("entries/a")).await.unwrap();
        assert_eq!(got.unwrap(), b"2"[..]);
        assert!(store.get(&key("entries/c")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_file_in_the_folders_place_is_a_store_that_is_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        std::fs::write(&path, "not a folder").unwrap();
        let store = Store::folder(&path);
        let error = store.create(&key("entries/a"), b"1".into()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unreachable);
        let shown = error.to_string().replace(path.to_str().unwrap(), "PATH");
        insta::assert_snapshot!(shown, @"write `entries/a` in the ledger at PATH: the store cannot be reached");
    }

    #[test]
    fn full_and_read_only_disks_are_told_apart() {
        for (error, kind) in [
            (io::ErrorKind::StorageFull, StoreErrorKind::Full),
            (io::ErrorKind::QuotaExceeded, StoreErrorKind::Full),
            (io::ErrorKind::ReadOnlyFilesystem, StoreErrorKind::ReadOnly),
            (io::ErrorKind::PermissionDenied, StoreErrorKind::Denied),
        ] {
            assert_eq!(StoreErrorKind::of_io(&error.into()), kind);
        }
    }

    fn s3(endpoint: &str) -> Store {
        let credentials =
            aws_credential_types::Credentials::new("AKIAEXAMPLE", "example", None, None, "test");
        Store::s3(&S3Options {
            bucket: "bucket".into(),
            prefix: "event".into(),
            region: "eu-central-1".into(),
            endpoint: Some(endpoint.into()),
            allow_http: true,
            path_style: true,
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            connector: None,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn an_s3_write_is_conditional_and_signed() {
        let server = wiremock::MockServer::start().await;
        let put = wiremock::Mock::given(wiremock::matchers::method("PUT"))
            .and(wiremock::matchers::path("/bucket/event/entries/a"))
            .and(wiremock::matchers::header("if-none-match", "*"))
            .and(wiremock::matchers::header_exists("authorization"))
            .respond_with(wiremock::ResponseTemplate::new(412))
            .expect(1);
        server.register(put).await;
        let error = s3(&server.uri())
            .create(&key("entries/a"), b"1".into())
            .await;
        assert_eq!(error.unwrap_err().kind, StoreErrorKind::AlreadyExists);
    }

    #[tokio::test]
    async fn s3_errors_are_told_apart() {
        for (status, kind) in [
            (401, StoreErrorKind::Denied),
            (403, StoreErrorKind::Denied),
            (404, StoreErrorKind::Missing),
            (400, StoreErrorKind::Refused),
        ] {
            let server = wiremock::MockServer::start().await;
            let answer = wiremock::ResponseTemplate::new(status);
            let any = wiremock::Mock::given(wiremock::matchers::any()).respond_with(answer);
            server.register(any).await;
            let store = s3(&server.uri());
            let error = store.create(&key("a"), b"1".into()).await.unwrap_err();
            assert_eq!(error.kind, kind, "write, {status}");
            let error = store.list("entries/").await.unwrap_err();
            assert_eq!(error.kind, kind, "list, {status}");
        }
    }

    #[tokio::test]
    async fn a_silent_store_is_given_up_on() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let store = s3(&format!("http://{}", silent.local_addr().unwrap()))
            .with_bounds(Duration::from_millis(30), Duration::from_millis(30));
        let error = store.create(&key("a"), b"1".into()).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::TimedOut);
        let error = store.list("entries/").await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_dead_endpoint_is_unreachable() {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = gone.local_addr().unwrap();
        drop(gone);
        let error = s3(&format!("http://{address}"))
            .create(&key("a"), b"1".into())
            .await;
        assert_eq!(error.unwrap_err().kind, StoreErrorKind::Unreachable);
    }
}
