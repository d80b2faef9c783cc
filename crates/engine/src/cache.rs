//! Columns that were read, kept as Parquet: the next query reads them ten times as fast as text.
//!
//! An entry holds rows of one object: those of the window it was read for, or all if none was left
//! out. It always has the column `at`, so that it serves any window inside of its own. A query that
//! needs columns which an entry lacks reads the object again, for the columns of both; the new entry
//! takes the place of the old.
//!
//! Several processes may share a folder. An entry is written under a temporary name and renamed once
//! it is whole, with the checksum of its bytes in its name; one that does not match its name, or
//! cannot be read, is dropped. Beside an entry lies a `.used` file that is rewritten at each use: what
//! was not used for longest goes first when the folder holds more than it may.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{filter_record_batch, max, min};
use datafusion::arrow::datatypes::{SchemaRef, TimestampMillisecondType};
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::arrow::{ArrowWriter, ProjectionMask};
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use onair_logs::scan::{BadLine, Scanned};
use onair_logs::schema::Table;
use serde_json::{Value as Json, json};
use tempfile::NamedTempFile;

use crate::batches::{self, ROWS};
use crate::logs::Logs;
use crate::objects::Object;

/// Raised whenever readers give other values for the same bytes.
const VERSION: u32 = 2;

/// Rows of a row group: what a writer holds in memory.
const GROUP: usize = 1 << 16;

/// The place of `at` in every table.
const AT: usize = 0;

/// The key of our metadata in an entry's foot.
const ABOUT: &str = "onair";

/// A folder of entries.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    limit: u64,
    is_filled_by_queries: bool,
    is_changed: AtomicBool,
}

/// What a cache holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Objects of which columns are kept.
    pub entries: u64,
    /// Their bytes on disk.
    pub bytes: u64,
}

impl Cache {
    /// The cache in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(folder: impl Into<PathBuf>, limit: u64) -> io::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            limit,
            is_filled_by_queries: true,
            is_changed: AtomicBool::new(false),
        })
    }

    /// One that only [`crate::Engine::warm`] fills.
    pub(crate) fn filled_by_warming(folder: PathBuf) -> Self {
        Self {
            folder,
            limit: u64::MAX,
            is_filled_by_queries: false,
            is_changed: AtomicBool::new(false),
        }
    }

    /// What it holds.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn size(&self) -> io::Result<Size> {
        let files = self.files()?;
        Ok(Size {
            entries: files.values().filter(|file| file.is_entry).count() as u64,
            bytes: files.values().map(|file| file.bytes).sum(),
        })
    }

    /// Drops everything, and says what that was.
    ///
    /// # Errors
    /// The folder cannot be read, or a file not be removed.
    pub fn clear(&self) -> io::Result<Size> {
        let size = self.size()?;
        for path in self.files()?.into_keys() {
            dropped(&path)?;
        }
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension() == Some(OsStr::new("used")) {
                dropped(&path)?;
            }
        }
        Ok(size)
    }

    /// Brings it back under its limit, if something was added since.
    pub(crate) fn trim(&self) {
        if !self.is_changed.swap(false, Ordering::Relaxed) {
            return;
        }
        let Ok(files) = self.files() else {
            return;
        };
        let mut bytes: u64 = files.values().map(|file| file.bytes).sum();
        let mut oldest: Vec<(&PathBuf, &Kept)> = files.iter().collect();
        oldest.sort_by_key(|(path, file)| (file.used, *path));
        for (path, file) in oldest {
            if bytes <= self.limit {
                break;
            }
            // Another process may have been faster.
            if dropped(path).is_ok() {
                bytes = bytes.saturating_sub(file.bytes);
            }
        }
    }

    /// Entries, and what writers that died have left, by path.
    fn files(&self) -> io::Result<BTreeMap<PathBuf, Kept>> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let is_entry = path.extension() == Some(OsStr::new("parquet"));
            let is_temporary = path.extension() == Some(OsStr::new("tmp"));
            if !is_entry && !is_temporary {
                continue;
            }
            let Ok(about) = fs::metadata(&path) else {
                continue;
            };
            let used = fs::metadata(used(&path))
                .unwrap_or_else(|_| about.clone())
                .modified()?;
            files.insert(
                path,
                Kept {
                    bytes: about.len(),
                    used,
                    is_entry,
                },
            );
        }
        Ok(files)
    }
}

#[derive(Debug)]
struct Kept {
    bytes: u64,
    used: SystemTime,
    is_entry: bool,
}

/// The file whose time says when an entry was used.
fn used(entry: &Path) -> PathBuf {
    entry.with_extension("used")
}

fn dropped(entry: &Path) -> io::Result<()> {
    match fs::remove_file(used(entry)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match fs::remove_file(entry) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The entries of one table's objects, as they were when a pass began.
#[derive(Debug)]
pub(crate) struct Shelf {
    cache: Arc<Cache>,
    table: Table,
    place: String,
    fields: String,
    window: Option<(i64, i64)>,
    entries: BTreeMap<String, Vec<PathBuf>>,
}

impl Shelf {
    pub(crate) fn new(cache: Arc<Cache>, source: &Logs) -> Self {
        let mut entries: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for (path, file) in cache.files().unwrap_or_default() {
            if let Some(name) = path.file_stem().and_then(OsStr::to_str)
                && let Some((object, _)) = name.split_once('-')
                && file.is_entry
            {
                entries.entry(object.to_owned()).or_default().push(path);
            }
        }
        Self {
            cache,
            table: source.table,
            place: source.objects.place(),
            fields: source.fields.join(" "),
            window: source.window.map(milliseconds),
            entries,
        }
    }

    /// An entry that has these columns for the window.
    pub(crate) fn find(&self, object: &Object, columns: &[usize]) -> Option<Entry> {
        let key = self.key(object);
        self.entries.get(&name(&key))?.iter().find_map(|path| {
            let entry = self.opened(path, &key)?;
            let has_all = columns.iter().all(|column| entry.columns.contains(column));
            has_all.then_some(entry)
        })
    }

    /// Whether a query that reads an object keeps what it reads.
    pub(crate) fn is_filled_by_queries(&self) -> bool {
        self.cache.is_filled_by_queries
    }

    /// Begins an entry for an object with these columns and those of older entries. None: it cannot be
    /// written.
    pub(crate) fn write(&self, object: &Object, columns: &[usize]) -> Option<Writing> {
        let key = self.key(object);
        let older = self.entries.get(&name(&key)).cloned().unwrap_or_default();
        let mut all = columns.to_vec();
        all.push(AT);
        for path in &older {
            // Also those of an entry of another window: who asked for them will ask again.
            if let Some(entry) = Entry::open(path, self.table, &key) {
                all.extend(entry.columns);
            }
        }
        all.sort_unstable();
        all.dedup();
        Writing::new((self.cache.clone(), self.table), key, all, older).ok()
    }

    /// An entry that is whole, is about this object and covers the window.
    fn opened(&self, path: &Path, key: &Json) -> Option<Entry> {
        let entry = Entry::open(path, self.table, key);
        if entry.is_none() {
            // Damaged, or of another object with the same name: either way of no use to anybody.
            drop(dropped(path));
        }
        let entry = entry?;
        let covers = match (entry.window, self.window) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((from, until)), Some((since, to))) => from <= since && to <= until,
        };
        covers.then(|| Entry {
            asked: self.window,
            ..entry
        })
    }

    /// What an entry must be about to be of this object.
    fn key(&self, object: &Object) -> Json {
        json!({
            "version": VERSION,
            "package": env!("CARGO_PKG_VERSION"),
            "table": self.table.name(),
            "place": self.place,
            "fields": self.fields,
            "name": object.name,
            "size": object.size,
            "modified": object.modified.to_string(),
        })
    }
}

fn milliseconds(window: (DateTime, DateTime)) -> (i64, i64) {
    let point = |time: DateTime| {
        TimeZone::UTC
            .to_timestamp(time)
            .map_or(i64::MAX, Timestamp::as_millisecond)
    };
    (point(window.0), point(window.1))
}

/// The first part of an entry's file name: FNV-1a of its key, 128 bits.
fn name(key: &Json) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in key.to_string().bytes() {
        hash ^= u128::from(byte);
        hash = hash.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    format!("{hash:032x}")
}

/// An entry, opened.
#[derive(Debug)]
pub(crate) struct Entry {
    path: PathBuf,
    file: File,
    foot: ArrowReaderMetadata,
    columns: Vec<usize>,
    /// Of which it has all rows; none: of any.
    window: Option<(i64, i64)>,
    /// The first and the last `at`.
    range: Option<(i64, i64)>,
    scanned: Scanned,
    /// The window that its reader wants.
    asked: Option<(i64, i64)>,
}

impl Entry {
    fn open(path: &Path, table: Table, key: &Json) -> Option<Self> {
        let sum = path.file_stem()?.to_str()?.split_once('-')?.1;
        let mut file = File::open(path).ok()?;
        if checksum(&mut file).ok()? != sum {
            return None;
        }
        let foot = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).ok()?;
        let about = foot
            .metadata()
            .file_metadata()
            .key_value_metadata()?
            .iter()
            .find(|entry| entry.key == ABOUT)?
            .value
            .clone()?;
        let about: Json = serde_json::from_str(&about).ok()?;
        if about.get("key") != Some(key) {
            return None;
        }
        Some(Self {
            path: path.to_owned(),
            file,
            columns: about
                .get("columns")?
                .as_array()?
                .iter()
                .map(|name| table.position(name.as_str()?))
                .collect::<Option<_>>()?,
            window: pair(about.get("window")?),
            range: pair(about.get("range")?),
            scanned: scanned_from(about.get("scanned")?)?,
            foot,
            asked: None,
        })
    }

    /// What was found when the object was read.
    pub(crate) fn into_scanned(self) -> Scanned {
        self.scanned
    }

    /// Hands its rows over, those of the window, in batches of `columns`, and says what was found when
    /// the object was read.
    ///
    /// # Errors
    /// It is damaged in a way that its checksum does not show.
    pub(crate) fn read(
        self,
        columns: &[usize],
        schema: &SchemaRef,
        give: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>,
    ) -> Result<Scanned, ParquetError> {
        drop(fs::write(used(&self.path), b"1"));
        let cut = self.asked.filter(|(since, to)| match self.range {
            Some((first, last)) => first < *since || last >= *to,
            None => false,
        });
        let mut places: Vec<usize> = columns
            .iter()
            .filter_map(|column| self.columns.iter().position(|kept| kept == column))
            .collect();
        if cut.is_some() {
            places.extend(self.columns.iter().position(|kept| *kept == AT));
        }
        places.sort_unstable();
        places.dedup();
        let order: Vec<usize> = columns
            .iter()
            .map(|column| {
                places
                    .iter()
                    .position(|place| self.columns[*place] == *column)
                    .ok_or_else(|| ParquetError::General("a column is missing".to_owned()))
            })
            .collect::<Result<_, _>>()?;
        let at = places.iter().position(|place| self.columns[*place] == AT);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.foot);
        let mask = ProjectionMask::roots(builder.parquet_schema(), places);
        let batches = builder
            .with_projection(mask)
            .with_batch_size(ROWS)
            .build()?;
        let mut scanned = self.scanned;
        for batch in batches {
            let mut batch = batch?;
            if let (Some((since, to)), Some(at)) = (cut, at) {
                let rows = batch.num_rows();
                batch = filter_record_batch(&batch, &within(&batch, at, since, to))?;
                let gone = (rows - batch.num_rows()) as u64;
                scanned.rows -= gone.min(scanned.rows);
                scanned.outside += gone;
            }
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let picked = order
                .iter()
                .map(|place| batch.column(*place).clone())
                .collect();
            let batch = RecordBatch::try_new_with_options(schema.clone(), picked, &options)?;
            if batch.num_rows() > 0 && give(batch).is_break() {
                break;
            }
        }
        Ok(scanned)
    }
}

/// Which rows are of the window. Without a time a row is of none.
fn within(batch: &RecordBatch, at: usize, since: i64, to: i64) -> BooleanArray {
    let at = batch.column(at).as_primitive::<TimestampMillisecondType>();
    at.iter()
        .map(|at| Some(at.is_some_and(|at| (since..to).contains(&at))))
        .collect()
}

/// An entry that is being written.
#[derive(Debug)]
pub(crate) struct Writing {
    cache: Arc<Cache>,
    table: Table,
    key: Json,
    columns: Vec<usize>,
    schema: SchemaRef,
    older: Vec<PathBuf>,
    writer: ArrowWriter<Summed>,
    range: Option<(i64, i64)>,
}

impl Writing {
    fn new(
        (cache, table): (Arc<Cache>, Table),
        key: Json,
        columns: Vec<usize>,
        older: Vec<PathBuf>,
    ) -> io::Result<Self> {
        let file = tempfile::Builder::new()
            .suffix(".tmp")
            .tempfile_in(&cache.folder)?;
        let schema = batches::schema(columns.iter().map(|column| &table.columns()[*column]));
        let properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(Some(GROUP))
            .build();
        let writer = ArrowWriter::try_new(
            Summed {
                file,
                sum: crc32fast::Hasher::new(),
            },
            schema.clone(),
            Some(properties),
        )?;
        Ok(Self {
            cache,
            table,
            key,
            columns,
            schema,
            older,
            writer,
            range: None,
        })
    }

    /// The columns it wants, in the order of its batches.
    pub(crate) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Of its batches.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds rows; false if that failed, as on a full disk: then nothing will be kept.
    #[must_use]
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> bool {
        if let Some(at) = self.columns.iter().position(|column| *column == AT) {
            let at = batch.column(at).as_primitive::<TimestampMillisecondType>();
            if let (Some(first), Some(last)) = (min(at), max(at)) {
                let (from, until) = self.range.unwrap_or((first, last));
                self.range = Some((from.min(first), until.max(last)));
            }
            if at.null_count() > 0 {
                // Rows without a time are of no window: any window cuts them off.
                self.range = Some((i64::MIN, i64::MAX));
            }
        }
        self.writer.write(batch).is_ok()
    }

    /// The object is read to its end: keeps the entry in place of the older ones. That it cannot be
    /// kept is no error: it will be read again.
    pub(crate) fn keep(mut self, scanned: &Scanned, window: Option<(DateTime, DateTime)>) {
        let names: Vec<&str> = self
            .columns
            .iter()
            .map(|column| self.table.columns()[*column].name)
            .collect();
        // A window that left nothing out is as good as none; a line without a time is bad in a window.
        let window = window
            .filter(|_| scanned.outside + scanned.bad > 0)
            .map(milliseconds)
            .map(|(from, until)| json!([from, until]));
        let about = json!({
            "key": self.key,
            "columns": names,
            "window": window,
            "range": self.range.map(|(from, until)| json!([from, until])),
            "scanned": scanned_as(scanned),
        });
        self.writer
            .append_key_value_metadata(KeyValue::new(ABOUT.to_owned(), about.to_string()));
        let Ok(Summed { file, sum }) = self.writer.into_inner() else {
            return;
        };
        let path = self.cache.folder.join(format!(
            "{}-{:08x}.parquet",
            name(&self.key),
            sum.finalize()
        ));
        if file.persist(&path).is_err() {
            return;
        }
        drop(fs::write(used(&path), b"1"));
        self.cache.is_changed.store(true, Ordering::Relaxed);
        for older in self.older.iter().filter(|older| **older != path) {
            drop(dropped(older));
        }
    }
}

/// A file that sums what is written to it.
struct Summed {
    file: NamedTempFile,
    sum: crc32fast::Hasher,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl std::fmt::Debug for Summed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Summed").field(&self.file).finish()
    }
}

fn checksum(file: &mut File) -> io::Result<String> {
    let mut sum = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        sum.update(&buffer[..read]);
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(format!("{:08x}", sum.finalize()))
}

fn pair(value: &Json) -> Option<(i64, i64)> {
    Some((value.get(0)?.as_i64()?, value.get(1)?.as_i64()?))
}

fn scanned_as(scanned: &Scanned) -> Json {
    let samples: Vec<Json> = scanned
        .samples
        .iter()
        .map(|bad| json!([bad.line, bad.reason, bad.excerpt]))
        .collect();
    json!({
        "rows": scanned.rows,
        "outside": scanned.outside,
        "bad": scanned.bad,
        "skipped": scanned.skipped,
        "bytes": scanned.bytes,
        "realtime": scanned.is_realtime,
        "samples": samples,
    })
}

fn scanned_from(value: &Json) -> Option<Scanned> {
    let number = |key: &str| value.get(key)?.as_u64();
    let samples = value
        .get("samples")?
        .as_array()?
        .iter()
        .map(|bad| {
            Some(BadLine {
                line: bad.get(0)?.as_u64()?,
                reason: bad.get(1)?.as_str()?.to_owned(),
                excerpt: bad.get(2)?.as_str()?.to_owned(),
            })
        })
        .collect::<Option<_>>()?;
    Some(Scanned {
        rows: number("rows")?,
        outside: number("outside")?,
        bad: number("bad")?,
        skipped: number("skipped")?,
        samples,
        bytes: number("bytes")?,
        is_realtime: value.get("realtime")?.as_bool()?,
        ..Scanned::default()
    })
}
