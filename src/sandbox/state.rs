//! The embedded cloud's state: a folder that many processes share.
//!
//! `index.json` names the generation of every service's file and holds all that is small. A
//! transaction takes the lock, reads the index, changes what it needs, writes new files under the
//! next generation, and commits by replacing the index: readers never see half of anything. A
//! service's state stays parsed in the process for as long as its generation stands.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cloudfront::CloudFront;
use super::edit::EditError;
use super::faults::Fault;
use super::keyvaluestore::Stores;
use super::rates::Buckets;
use super::settings::Settings;
use super::wafv2::{Samples, Waf};
use super::{
    acm, athena, cloudwatch, glue, iam, kinesis, logs, mediaconnect, medialive, mediapackage,
    mediatailor, origin, s3,
};

const INDEX: &str = "index.json";
const LOCK: &str = "lock";
const FORMAT: u32 = 1;

/// Why the state could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("use {path} of the embedded cloud's state")]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("read {path} of the embedded cloud's state; `onair sandbox reset` makes it anew")]
    Content {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("read the embedded cloud's state of format {found}; this version knows {FORMAT}")]
    Format { found: u32 },
}

/// All that is small, and where the rest is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Index {
    format: u32,
    /// Empty until seeded.
    pub(super) account: String,
    /// How far this cloud's clock is ahead of the process's.
    pub(super) offset: SignedDuration,
    pub(super) settings: Settings,
    pub(super) faults: Vec<Fault>,
    /// Calls received, by `service.Operation`.
    pub(super) calls: BTreeMap<String, u64>,
    /// With `record-requests`: requests by operation and a digest of what they say.
    #[serde(default)]
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) buckets: Buckets,
    /// The current generation of each part's file.
    parts: BTreeMap<String, u64>,
    /// The last generation given out.
    last: u64,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            format: FORMAT,
            account: String::new(),
            offset: SignedDuration::ZERO,
            settings: Settings::default(),
            faults: Vec::new(),
            calls: BTreeMap::new(),
            requests: BTreeMap::new(),
            buckets: Buckets::default(),
            parts: BTreeMap::new(),
            last: 0,
        }
    }
}

/// What a transaction works on.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) index: Index,
    pub(super) cloudfront: Part<CloudFront>,
    pub(super) stores: Part<Stores>,
    pub(super) waf: Part<Waf>,
    pub(super) samples: Part<Samples>,
    pub(super) acm: Part<acm::State>,
    pub(super) athena: Part<athena::State>,
    pub(super) cloudwatch: Part<cloudwatch::State>,
    pub(super) glue: Part<glue::State>,
    pub(super) iam: Part<iam::State>,
    pub(super) kinesis: Part<kinesis::State>,
    pub(super) logs: Part<logs::State>,
    pub(super) mediaconnect: Part<mediaconnect::State>,
    pub(super) medialive: Part<medialive::State>,
    pub(super) mediapackage: Part<mediapackage::State>,
    pub(super) mediatailor: Part<mediatailor::State>,
    pub(super) origin: Part<origin::State>,
    pub(super) s3: Part<s3::State>,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            index: Index::default(),
            cloudfront: Part::new("cloudfront"),
            stores: Part::new("keyvaluestore"),
            waf: Part::new("wafv2"),
            samples: Part::new("samples"),
            acm: Part::new("acm"),
            athena: Part::new("athena"),
            cloudwatch: Part::new("cloudwatch"),
            glue: Part::new("glue"),
            iam: Part::new("iam"),
            kinesis: Part::new("kinesis"),
            logs: Part::new("logs"),
            mediaconnect: Part::new("mediaconnect"),
            medialive: Part::new("medialive"),
            mediapackage: Part::new("mediapackage"),
            mediatailor: Part::new("mediatailor"),
            origin: Part::new("origin"),
            s3: Part::new("s3"),
        }
    }
}

/// One service's state, read when first needed.
#[derive(Debug)]
pub(super) struct Part<T> {
    name: &'static str,
    value: T,
    /// The generation that `value` is; none when it must be read.
    generation: Option<u64>,
    changed: bool,
}

impl<T: Default + Serialize + DeserializeOwned> Part<T> {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            value: T::default(),
            generation: None,
            changed: false,
        }
    }

    /// The state as of this transaction.
    pub(super) fn read(&mut self, folder: &Path, index: &Index) -> Result<&mut T, StateError> {
        let current = index.parts.get(self.name).copied().unwrap_or_default();
        if self.generation != Some(current) {
            self.value = if current == 0 {
                T::default()
            } else {
                let path = part_path(folder, self.name, current);
                let bytes = fs::read(&path).map_err(|source| file_error(&path, source))?;
                serde_json::from_slice(&bytes)
                    .map_err(|source| StateError::Content { path, source })?
            };
            self.generation = Some(current);
        }
        Ok(&mut self.value)
    }

    /// Replaces the state whole.
    pub(super) fn replace(&mut self, value: T, index: &Index) {
        self.value = value;
        self.generation = Some(index.parts.get(self.name).copied().unwrap_or_default());
        self.changed = true;
    }

    /// Changes one value in the state's JSON form; without a value it is removed.
    pub(super) fn edit(
        &mut self,
        folder: &Path,
        index: &Index,
        pointer: &str,
        value: Option<Value>,
    ) -> Result<(), EditError> {
        let state = serde_json::to_value(self.read(folder, index)?).map_err(EditError::Unfit)?;
        self.replace(super::edit::fitting(state, pointer, value)?, index);
        Ok(())
    }

    /// Says that the state was changed and must be saved.
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    fn forget(&mut self) {
        self.generation = None;
        self.changed = false;
    }

    /// Writes a changed state under the next generation; returns the file that it outdates.
    fn save(&mut self, folder: &Path, index: &mut Index) -> Result<Option<PathBuf>, StateError> {
        if !std::mem::take(&mut self.changed) {
            return Ok(None);
        }
        index.last += 1;
        let path = part_path(folder, self.name, index.last);
        write(&path, &self.value)?;
        let before = index.parts.insert(self.name.to_owned(), index.last);
        self.generation = Some(index.last);
        Ok(before.map(|generation| part_path(folder, self.name, generation)))
    }
}

/// The folder, and what this process remembers of it.
#[derive(Debug)]
pub(super) struct State {
    folder: PathBuf,
    held: Held,
    /// Nothing is written down: the state lives and dies with the value.
    in_memory: bool,
}

impl State {
    /// A state in memory alone, for an account that is put together before anybody sees it.
    pub(super) fn in_memory() -> Self {
        Self {
            folder: PathBuf::new(),
            held: Held::default(),
            in_memory: true,
        }
    }

    /// What a state in memory has come to.
    pub(super) fn into_held(self) -> Held {
        self.held
    }

    /// The index of a state in memory.
    pub(super) fn index_in_memory(&self) -> Option<&Index> {
        self.in_memory.then_some(&self.held.index)
    }

    /// Opens the folder and makes it when it is not there.
    pub(super) fn open(folder: &Path) -> Result<Self, StateError> {
        fs::create_dir_all(folder).map_err(|source| file_error(folder, source))?;
        Ok(Self {
            folder: folder.to_owned(),
            held: Held::default(),
            in_memory: false,
        })
    }

    /// Runs `work` alone among all processes. What it changed is committed when it succeeds, and
    /// forgotten when it fails.
    pub(super) fn transact<R, E: From<StateError>>(
        &mut self,
        work: impl FnOnce(&mut Held, &Path) -> Result<R, E>,
    ) -> Result<R, E> {
        if self.in_memory {
            return work(&mut self.held, &self.folder);
        }
        let lock = self.lock()?;
        // Only a transaction that ran to its end leaves something worth remembering.
        let mut held = std::mem::take(&mut self.held);
        held.index = read_index(&self.folder)?;
        let before = held.index.clone();
        let result = work(&mut held, &self.folder)?;
        let outdated = commit(&mut held, &before, &self.folder)?;
        for path in outdated {
            // A file that stays behind costs room, nothing else.
            drop(fs::remove_file(path));
        }
        self.held = held;
        drop(lock);
        Ok(result)
    }

    /// The index as last committed, without waiting for the lock.
    pub(super) fn index(folder: &Path) -> Result<Index, StateError> {
        read_index(folder)
    }

    /// Released when dropped, and by the system when the process ends.
    fn lock(&self) -> Result<File, StateError> {
        let path = self.folder.join(LOCK);
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| file_error(&path, source))
    }
}

fn commit(held: &mut Held, before: &Index, folder: &Path) -> Result<Vec<PathBuf>, StateError> {
    let Held {
        index,
        cloudfront,
        stores,
        waf,
        samples,
        acm,
        athena,
        cloudwatch,
        glue,
        iam,
        kinesis,
        logs,
        mediaconnect,
        medialive,
        mediapackage,
        mediatailor,
        origin,
        s3,
    } = held;
    let outdated = [
        cloudfront.save(folder, index)?,
        stores.save(folder, index)?,
        waf.save(folder, index)?,
        samples.save(folder, index)?,
        acm.save(folder, index)?,
        athena.save(folder, index)?,
        cloudwatch.save(folder, index)?,
        glue.save(folder, index)?,
        iam.save(folder, index)?,
        kinesis.save(folder, index)?,
        logs.save(folder, index)?,
        mediaconnect.save(folder, index)?,
        medialive.save(folder, index)?,
        mediapackage.save(folder, index)?,
        mediatailor.save(folder, index)?,
        origin.save(folder, index)?,
        s3.save(folder, index)?,
    ];
    if index != before {
        let path = folder.join(INDEX);
        let mut file =
            tempfile::NamedTempFile::new_in(folder).map_err(|source| file_error(&path, source))?;
        let bytes = serde_json::to_vec(index).map_err(|source| StateError::Content {
            path: path.clone(),
            source,
        })?;
        file.write_all(&bytes)
            .map_err(|source| file_error(&path, source))?;
        file.persist(&path)
            .map_err(|error| file_error(&path, error.error))?;
    }
    Ok(outdated.into_iter().flatten().collect())
}

fn read_index(folder: &Path) -> Result<Index, StateError> {
    let path = folder.join(INDEX);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Index::default()),
        Err(source) => return Err(file_error(&path, source)),
    };
    let index: Index =
        serde_json::from_slice(&bytes).map_err(|source| StateError::Content { path, source })?;
    if index.format == FORMAT {
        Ok(index)
    } else {
        Err(StateError::Format {
            found: index.format,
        })
    }
}

/// Not synced to the disk: a rehearsal may be lost with the machine, never with a process.
fn write(path: &Path, value: &impl Serialize) -> Result<(), StateError> {
    let bytes = serde_json::to_vec(value).map_err(|source| StateError::Content {
        path: path.to_owned(),
        source,
    })?;
    fs::write(path, bytes).map_err(|source| file_error(path, source))
}

fn part_path(folder: &Path, name: &str, generation: u64) -> PathBuf {
    folder.join(format!("{name}.{generation}.json"))
}

fn file_error(path: &Path, source: io::Error) -> StateError {
    StateError::File {
        path: path.to_owned(),
        source,
    }
}

impl Held {
    /// Takes over everything from `other`, which was put together in memory.
    pub(super) fn take_over(&mut self, other: Self) {
        let Self {
            index,
            cloudfront,
            stores,
            waf,
            samples,
            acm,
            athena,
            cloudwatch,
            glue,
            iam,
            kinesis,
            logs,
            mediaconnect,
            medialive,
            mediapackage,
            mediatailor,
            origin,
            s3,
        } = other;
        self.index = Index {
            parts: std::mem::take(&mut self.index.parts),
            last: self.index.last,
            ..index
        };
        let index = &self.index;
        self.cloudfront.replace(cloudfront.value, index);
        self.stores.replace(stores.value, index);
        self.waf.replace(waf.value, index);
        self.samples.replace(samples.value, index);
        self.acm.replace(acm.value, index);
        self.athena.replace(athena.value, index);
        self.cloudwatch.replace(cloudwatch.value, index);
        self.glue.replace(glue.value, index);
        self.iam.replace(iam.value, index);
        self.kinesis.replace(kinesis.value, index);
        self.logs.replace(logs.value, index);
        self.mediaconnect.replace(mediaconnect.value, index);
        self.medialive.replace(medialive.value, index);
        self.mediapackage.replace(mediapackage.value, index);
        self.mediatailor.replace(mediatailor.value, index);
        self.origin.replace(origin.value, index);
        self.s3.replace(s3.value, index);
    }

    /// Forgets everything but the files' generations, for a cloud made anew in the same folder.
    pub(super) fn clear(&mut self) {
        self.index = Index {
            parts: std::mem::take(&mut self.index.parts),
            last: self.index.last,
            ..Index::default()
        };
        self.cloudfront.forget();
        self.stores.forget();
        self.waf.forget();
        self.samples.forget();
        let index = &self.index;
        self.acm.replace(acm::State::default(), index);
        self.athena.replace(athena::State::default(), index);
        self.cloudwatch.replace(cloudwatch::State::default(), index);
        self.glue.replace(glue::State::default(), index);
        self.iam.replace(iam::State::default(), index);
        self.kinesis.replace(kinesis::State::default(), index);
        self.logs.replace(logs::State::default(), index);
        self.mediaconnect
            .replace(mediaconnect::State::default(), index);
        self.medialive.replace(medialive::State::default(), index);
        self.mediapackage
            .replace(mediapackage::State::default(), index);
        self.mediatailor
            .replace(mediatailor::State::default(), index);
        self.origin.replace(origin::State::default(), index);
        self.s3.replace(s3::State::default(), index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(state: &mut State) {
        state
            .transact(|held, _| {
                *held.index.calls.entry("a.B".to_owned()).or_default() += 1;
                Ok::<_, StateError>(())
            })
            .unwrap();
    }

    #[test]
    fn writers_at_the_same_time_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut state = State::open(folder.path()).unwrap();
                    (0..25).for_each(|_| count(&mut state));
                });
            }
        });
        assert_eq!(State::index(folder.path()).unwrap().calls["a.B"], 200);
    }

    #[test]
    fn a_failed_transaction_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = State::open(folder.path()).unwrap();
        let failed = state.transact(|held, _| {
            held.index.account = "111122223333".to_owned();
            Err::<(), _>(StateError::Format { found: 9 })
        });
        assert!(failed.is_err());
        assert_eq!(State::index(folder.path()).unwrap(), Index::default());
    }

    #[test]
    fn parts_survive_the_process_and_old_generations_go() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            let mut state = State::open(folder.path()).unwrap();
            state
                .transact(|held, folder| {
                    held.waf.read(folder, &held.index)?;
                    held.waf.touch();
                    Ok::<_, StateError>(())
                })
                .unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["index.json", "lock", "wafv2.3.json"]);
    }

    #[test]
    fn an_unknown_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index {
            format: FORMAT + 1,
            ..Index::default()
        };
        write(&folder.path().join(INDEX), &index).unwrap();
        assert!(matches!(
            State::index(folder.path()),
            Err(StateError::Format { found: 2 })
        ));
    }
}
