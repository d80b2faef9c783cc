//! Writes log files of a simulated event: seeded, so that a benchmark reads the same everywhere.
//!
//! `cargo run --release -p onair-audience --example generate -- --lines 10000000 --files 40 --out DIR`

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::{Compression, write::GzEncoder};
use onair_audience::{
    Field, Log, REALTIME, STANDARD, Scene, VERSION_TWO, write_head, write_json, write_line,
};

const USAGE: &str = "\
usage: generate --out DIR [--lines N | --minutes N [--viewers N]] [--files N] [--seed N]
                [--format w3c|v2|v2-json|realtime] [--level 0-9] [--plain] [--stay N]
  --lines N     exactly so many rows of the whole event (default 100000)
  --minutes N   all rows of so many minutes from kickoff on, of --viewers (default 200)
  --files N     in so many files (default 40); one file is of one distribution
  --stay N      minutes that a session lasts, about (default 100; 2 from a million lines on, so that
                there are as many sessions as in the logs of a big event)
  --level N     gzip's level (default 1); --plain: no gzip
";

/// What is asked for.
struct Asked {
    out: PathBuf,
    lines: Option<u64>,
    minutes: Option<i64>,
    viewers: u64,
    files: u64,
    seed: u64,
    format: Format,
    level: u32,
    plain: bool,
    stay: Option<u32>,
}

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Standard,
    Two,
    Json,
    Realtime,
}

impl Format {
    fn fields(self) -> &'static [Field] {
        match self {
            Self::Standard => &STANDARD,
            Self::Two | Self::Json => &VERSION_TWO,
            Self::Realtime => &REALTIME,
        }
    }
}

fn read() -> Option<Asked> {
    let mut asked = Asked {
        out: PathBuf::new(),
        lines: None,
        minutes: None,
        viewers: 200,
        files: 40,
        seed: 1,
        format: Format::Standard,
        level: 1,
        plain: false,
        stay: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--plain" {
            asked.plain = true;
            continue;
        }
        let value = words.next()?;
        match word.as_str() {
            "--out" => asked.out = PathBuf::from(value),
            "--lines" => asked.lines = Some(value.parse().ok()?),
            "--minutes" => asked.minutes = Some(value.parse().ok()?),
            "--viewers" => asked.viewers = value.parse().ok()?,
            "--stay" => asked.stay = Some(value.parse().ok()?),
            "--files" => asked.files = value.parse().ok().filter(|files| *files > 0)?,
            "--seed" => asked.seed = value.parse().ok()?,
            "--level" => asked.level = value.parse().ok().filter(|level| *level <= 9)?,
            "--format" => {
                asked.format = match value.as_str() {
                    "w3c" => Format::Standard,
                    "v2" => Format::Two,
                    "v2-json" => Format::Json,
                    "realtime" => Format::Realtime,
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
    (!asked.out.as_os_str().is_empty()).then_some(asked)
}

/// Rows of one file: of a distribution, from a place in its sequence of all rows on.
struct Piece {
    distribution: String,
    skip: u64,
    rows: u64,
    number: u64,
}

fn main() -> ExitCode {
    let Some(asked) = read() else {
        return tell(USAGE, ExitCode::from(2));
    };
    match write_all(&asked) {
        Ok(text) => tell(&text, ExitCode::SUCCESS),
        Err(error) => tell(
            &format!("error: {}: {error}\n", asked.out.display()),
            ExitCode::FAILURE,
        ),
    }
}

fn tell(text: &str, code: ExitCode) -> ExitCode {
    let told = std::io::stderr().write_all(text.as_bytes());
    if told.is_ok() {
        code
    } else {
        ExitCode::FAILURE
    }
}

fn write_all(asked: &Asked) -> std::io::Result<String> {
    std::fs::create_dir_all(&asked.out)?;
    let (scene, minutes, wanted) = if let Some(count) = asked.minutes {
        let mut scene = Scene::example(asked.seed, asked.viewers);
        scene.stay = asked.stay.unwrap_or(scene.stay);
        let first = Scene::minute_of(scene.starts);
        (scene, first..first + count, None)
    } else {
        let lines = asked.lines.unwrap_or(100_000);
        let (scene, minutes) = scene_for(lines, asked);
        (scene, minutes, Some(lines))
    };
    let counts: Vec<Vec<u64>> = scene
        .distributions
        .iter()
        .map(|(id, _, _)| {
            minutes
                .clone()
                .map(|minute| scene.requests_in(minute, id))
                .collect()
        })
        .collect();
    let totals: Vec<u64> = counts.iter().map(|minutes| minutes.iter().sum()).collect();
    let pieces = pieces(&scene, &totals, wanted, asked.files);
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let place = scene
                        .distributions
                        .iter()
                        .position(|(id, _, _)| *id == piece.distribution)
                        .unwrap_or_default();
                    let written = write_piece(asked, &scene, minutes.start, &counts[place], piece);
                    if let Err(error) = written
                        && let Ok(mut failed) = failed.lock()
                    {
                        *failed = Some(error);
                        return;
                    }
                }
            });
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or(None) {
        return Err(error);
    }
    let rows: u64 = pieces.iter().map(|piece| piece.rows).sum();
    Ok(format!(
        "{rows} rows of {} viewers at the peak in {} files in {}\n",
        scene.viewers,
        pieces.len(),
        asked.out.display()
    ))
}

/// A scene whose whole event, doors to end, has at least so many rows.
fn scene_for(lines: u64, asked: &Asked) -> (Scene, std::ops::Range<i64>) {
    const MANY: u64 = 1_000_000;
    let usual = if lines < MANY { 100 } else { 2 };
    let mut viewers = lines / 6_500 + 8;
    loop {
        let mut scene = Scene::example(asked.seed, viewers);
        scene.stay = asked.stay.unwrap_or(usual);
        let minutes = Scene::minute_of(scene.doors)..Scene::minute_of(scene.ends);
        let rows: u64 = scene
            .distributions
            .iter()
            .flat_map(|(id, _, _)| minutes.clone().map(move |minute| (minute, id)))
            .map(|(minute, id)| scene.requests_in(minute, id))
            .sum();
        if rows >= lines {
            return (scene, minutes);
        }
        viewers += viewers * (lines - rows) / lines + viewers / 100 + 1;
    }
}

/// Shares the rows among the files, and the files among the distributions.
fn pieces(scene: &Scene, totals: &[u64], wanted: Option<u64>, files: u64) -> Vec<Piece> {
    let all: u64 = totals.iter().sum();
    let wanted = wanted.unwrap_or(all).min(all);
    let mut left = wanted;
    let mut pieces = Vec::new();
    for (place, (total, (id, _, _))) in totals.iter().zip(&scene.distributions).enumerate() {
        let is_last = place + 1 == totals.len();
        let rows = if is_last {
            left
        } else {
            wanted * total / all.max(1)
        };
        let rows = rows.min(*total).min(left);
        left -= rows;
        let used = u64::try_from(pieces.len()).unwrap_or_default();
        let share = if is_last {
            files.saturating_sub(used).max(1)
        } else {
            (files * total / all.max(1)).max(1)
        };
        for number in 0..share {
            let (from, until) = (rows * number / share, rows * (number + 1) / share);
            if until > from {
                pieces.push(Piece {
                    distribution: id.clone(),
                    skip: from,
                    rows: until - from,
                    number,
                });
            }
        }
    }
    pieces
}

fn write_piece(
    asked: &Asked,
    scene: &Scene,
    first: i64,
    counts: &[u64],
    piece: &Piece,
) -> std::io::Result<()> {
    let mut skip = piece.skip;
    let mut minute = first;
    for count in counts {
        if skip < *count {
            break;
        }
        skip -= count;
        minute += 1;
    }
    let hour = jiff::Timestamp::from_second(minute * 60)
        .map(|at| at.strftime("%Y-%m-%d-%H").to_string())
        .unwrap_or_default();
    let extension = if asked.plain { "txt" } else { "gz" };
    let unique = 0x1000_0000 + piece.number * 0x9e37 + asked.seed % 0xffff;
    let name = format!("{}.{hour}.{unique:08x}.{extension}", piece.distribution);
    let file = File::create(asked.out.join(Path::new(&name)))?;
    if asked.plain {
        let mut file = file;
        write_rows(&mut file, asked, scene, minute, skip, piece)
    } else {
        let mut packed = GzEncoder::new(file, Compression::new(asked.level));
        write_rows(&mut packed, asked, scene, minute, skip, piece)?;
        packed.finish().map(drop)
    }
}

fn write_rows(
    out: &mut impl Write,
    asked: &Asked,
    scene: &Scene,
    first: i64,
    skip: u64,
    piece: &Piece,
) -> std::io::Result<()> {
    const FULL: usize = 1 << 20;
    let fields = asked.format.fields();
    let mut buffer = Vec::with_capacity(FULL + (1 << 16));
    if matches!(asked.format, Format::Standard | Format::Two) {
        write_head(&mut buffer, fields);
    }
    let requests = (first..)
        .flat_map(|minute| scene.minute(minute, &piece.distribution))
        .skip(usize::try_from(skip).unwrap_or(usize::MAX))
        .take(usize::try_from(piece.rows).unwrap_or(usize::MAX));
    for request in requests {
        match asked.format {
            Format::Standard | Format::Two => {
                write_line(&mut buffer, fields, "\t", &request, Log::Standard);
            }
            Format::Realtime => write_line(&mut buffer, fields, "\t", &request, Log::Realtime),
            Format::Json => write_json(&mut buffer, fields, &request),
        }
        if buffer.len() >= FULL {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)
}
