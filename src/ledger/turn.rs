//! Processes on one machine take turns per resource, in order of arrival, and share a pace.
//!
//! An aid that spares conflicts and throttling, never the guarantee: that is the service's
//! optimistic locking. So a turn is waited for only so long, and a killed process holds up nobody:
//! its ticket is a locked file, and the lock goes with the process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::folder;
use crate::clock::Clock;

/// How often a waiting process looks again. Short against a write to the cloud (some 100 ms), long
/// against looking (some 20 µs).
const POLL: Duration = Duration::from_millis(5);

/// Where the last number and the pace are kept within a resource's folder. The dot keeps it from
/// being taken for a ticket.
const COUNTER: &str = ".counter";

/// A turn was not had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    /// Others were still ahead when the time was up.
    #[error("wait for a turn at {resource}: {ahead} ahead after {waited:?}")]
    TimedOut {
        /// What was waited for.
        resource: String,
        /// How many were ahead.
        ahead: usize,
        /// How long.
        waited: Duration,
    },
    /// The folder of the turns cannot be used.
    #[error("take a turn in {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A turn at a resource, until dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    ticket: PathBuf,
    /// Locked; the lock is what others wait for.
    _lock: File,
}

impl Turn {
    /// Waits in line for `resource`, no longer than `timeout`. All who share `folder` stand in the
    /// same line.
    pub(crate) async fn take(
        folder: &Path,
        resource: &str,
        timeout: Duration,
        clock: &Clock,
    ) -> Result<Self, TurnError> {
        let folder = folder.join(file_name(resource));
        let wrap = |source| TurnError::Folder {
            path: folder.clone(),
            source,
        };
        let give_up = later(clock.now(), timeout);
        let timed_out = |ahead| TurnError::TimedOut {
            resource: resource.to_owned(),
            ahead,
            waited: timeout,
        };
        // Numbers are given out under a lock, so a lower ticket can never appear after a higher.
        let Some(mut counter) = counter(&folder, give_up, clock).await.map_err(wrap)? else {
            return Err(timed_out(1));
        };
        let turn = Self::join(&folder, &mut counter).map_err(wrap)?;
        drop(counter);
        loop {
            let ahead = turn.ahead(&folder).map_err(wrap)?;
            if ahead == 0 {
                return Ok(turn);
            }
            if clock.now() >= give_up {
                return Err(timed_out(ahead));
            }
            clock.wait(POLL).await;
        }
    }

    /// Takes the next number. The ticket gets its name when it is already locked.
    fn join(folder: &Path, counter: &mut File) -> io::Result<Self> {
        let number = read_number(counter)? + 1;
        write_number(counter, number)?;
        let ticket = folder.join(format!("{number:020}"));
        let hidden = folder.join(format!(".{number:020}"));
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&hidden)?;
        lock.lock()?;
        fs::rename(&hidden, &ticket)?;
        Ok(Self {
            ticket,
            _lock: lock,
        })
    }

    /// How many live tickets are before this one; dead ones are cleared away.
    fn ahead(&self, folder: &Path) -> io::Result<usize> {
        let own = self.ticket.file_name().unwrap_or_default();
        let mut before = folder::names(folder)?;
        before.retain(|name| name.as_str() < own.to_string_lossy().as_ref());
        // The nearest one first: nearly always it is alive, and one look is enough.
        while let Some(name) = before.last() {
            let path = folder.join(name);
            let file = match File::open(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    before.pop();
                    continue;
                }
                opened => opened?,
            };
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(before.len()),
                Err(TryLockError::Error(error)) => return Err(error),
                // Its process has ended. A gone ticket may be another's work, too.
                Ok(()) => folder::remove_if_there(&path)?,
            }
            before.pop();
        }
        Ok(0)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // If it cannot be removed, the next in line finds it unlocked and does.
        folder::remove_if_there(&self.ticket).ok();
    }
}

/// Waits until `interval` has passed since the last call of any process for `name`, in order of
/// asking: WAF takes one write a second an account, for example. Returns how long it waited.
///
/// # Errors
/// When the folder cannot be used.
pub(crate) async fn pace(
    folder: &Path,
    name: &str,
    interval: Duration,
    clock: &Clock,
) -> Result<Duration, TurnError> {
    let folder = folder.join(format!("{}.pace", file_name(name)));
    let wrap = |source| TurnError::Folder {
        path: folder.clone(),
        source,
    };
    let Some(mut slot) = counter(&folder, Timestamp::MAX, clock)
        .await
        .map_err(wrap)?
    else {
        return Ok(Duration::ZERO);
    };
    let now = clock.now();
    let kept = read_number(&mut slot).map_err(wrap)?;
    let free = Timestamp::from_millisecond(i64::try_from(kept).unwrap_or(0)).unwrap_or(now);
    // A slot further off than any queue could be is from a clock that has been set back since.
    let furthest = later(now, interval.saturating_mul(1_000));
    let mine = if free > furthest { now } else { free.max(now) };
    let next = later(mine, interval).as_millisecond();
    write_number(&mut slot, u64::try_from(next).unwrap_or(0)).map_err(wrap)?;
    drop(slot);
    let wait = Duration::try_from(mine.duration_since(now)).unwrap_or_default();
    if !wait.is_zero() {
        clock.wait(wait).await;
    }
    Ok(wait)
}

/// The locked counter of `folder`, or `None` when it was not had until `give_up`.
async fn counter(folder: &Path, give_up: Timestamp, clock: &Clock) -> io::Result<Option<File>> {
    fs::create_dir_all(folder)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(COUNTER))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if clock.now() >= give_up => return Ok(None),
            Err(TryLockError::WouldBlock) => clock.wait(Duration::from_millis(1)).await,
        }
    }
}

/// The number in `file`; zero when there is none yet, or one that was cut short.
fn read_number(file: &mut File) -> io::Result<u64> {
    let mut text = String::new();
    file.rewind()?;
    match file.read_to_string(&mut text) {
        Err(error) if error.kind() != ErrorKind::InvalidData => Err(error),
        _ => Ok(text.parse().unwrap_or(0)),
    }
}

/// Writes `number` at a fixed width, so that no longer one's end stays behind.
fn write_number(file: &mut File, number: u64) -> io::Result<()> {
    file.rewind()?;
    file.write_all(format!("{number:020}").as_bytes())
}

/// `resource` as one file name. Different resources that become the same one share a line.
fn file_name(resource: &str) -> String {
    let plain = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => letter,
        _ => '-',
    };
    resource.chars().map(plain).collect()
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const LONG: Duration = Duration::from_mins(1);

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn one_at_a_time_and_in_order_of_arrival() {
        let folder = tempfile::tempdir().unwrap();
        let inside = AtomicUsize::new(0);
        let served = Mutex::new(Vec::new());
        let first = block_on(Turn::take(folder.path(), "set", LONG, &Clock::system())).unwrap();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (path, inside, served) = (folder.path(), &inside, &served);
                scope.spawn(move || {
                    let clock = Clock::system();
                    let turn = block_on(Turn::take(path, "set", LONG, &clock)).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    served.lock().unwrap().push(number);
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(turn);
                });
                // The next one arrives when this one stands in line.
                while folder::names(&folder.path().join("set")).unwrap().len() < number + 2 {
                    std::thread::yield_now();
                }
            }
            drop(first);
        });
        assert_eq!(served.into_inner().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn the_ticket_of_a_killed_process_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let killed = block_on(Turn::take(folder.path(), "set", LONG, &clock)).unwrap();
        let ticket = killed.ticket.clone();
        drop(killed);
        // What a killed process leaves: its ticket, and no lock on it.
        fs::write(&ticket, "").unwrap();
        block_on(Turn::take(folder.path(), "set", LONG, &clock)).unwrap();
        assert!(!ticket.exists());
    }

    #[test]
    fn a_waiting_process_that_is_killed_does_not_let_the_next_one_pass() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let holder = block_on(Turn::take(folder.path(), "set", LONG, &clock)).unwrap();
        fs::write(folder.path().join("set/00000000000000000002"), "").unwrap();
        fs::write(
            folder.path().join("set").join(COUNTER),
            format!("{:020}", 2),
        )
        .unwrap();
        let soon = Duration::from_millis(20);
        let error = block_on(Turn::take(folder.path(), "set", soon, &clock)).unwrap_err();
        assert!(
            matches!(error, TurnError::TimedOut { ahead: 1, .. }),
            "{error}"
        );
        drop(holder);
        block_on(Turn::take(folder.path(), "set", soon, &clock)).unwrap();
    }

    #[test]
    fn resources_do_not_wait_for_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let _one = block_on(Turn::take(folder.path(), "one", LONG, &clock)).unwrap();
        let _two = block_on(Turn::take(folder.path(), "two/../one", LONG, &clock)).unwrap();
        let error = block_on(Turn::take(folder.path(), "one", LONG, &clock)).unwrap_err();
        insta::assert_snapshot!(error, @"wait for a turn at one: 1 ahead after 60s");
    }

    #[test]
    fn writes_keep_their_distance_even_from_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp::from_second(1_000).unwrap());
        let second = Duration::from_secs(1);
        let waits: Vec<_> = [clock.clone(), clock.clone()]
            .iter()
            .map(|clock| block_on(pace(folder.path(), "wafv2-write", second, clock)).unwrap())
            .collect();
        assert_eq!(waits, [Duration::ZERO, second]);
        // Another process asks while the clock stands at the second write.
        let other = Clock::manual(Timestamp::from_second(1_000).unwrap());
        let wait = block_on(pace(folder.path(), "wafv2-write", second, &other)).unwrap();
        assert_eq!(wait, 2 * second);
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_pace() {
        let folder = tempfile::tempdir().unwrap();
        let second = Duration::from_secs(1);
        let ahead = Clock::manual(Timestamp::from_second(1_000_000).unwrap());
        block_on(pace(folder.path(), "w", second, &ahead)).unwrap();
        let back = Clock::manual(Timestamp::from_second(1_000).unwrap());
        let wait = block_on(pace(folder.path(), "w", second, &back)).unwrap();
        assert_eq!(wait, Duration::ZERO);
    }
}
