//! The engine on this machine behind the port: log objects of a folder, or of wherever else there are
//! [`Objects`], read as the tables `requests` and `waf`.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use onair_engine::{Engine, EngineError, Logs, Objects, Ran, Read, Settings};
use onair_logs::schema::Table;
use tempfile::TempDir;

use super::catalog;
use super::place::Running;
use super::port::{Answered, Asked, BadObject, QueryEngine, Window};
use super::text;
use crate::clock::Clock;
use crate::error::{Exit, Failure};
use crate::event::text::{printable, shortened};
use crate::ui::Interrupt;

/// What the cache may hold.
const CACHE_LIMIT: u64 = 10_000_000_000;
/// What a query may hold in memory when nobody says, bytes.
pub(crate) const MEMORY: u64 = 512 << 20;

/// How the engine works.
#[derive(Debug)]
pub(crate) struct LocalOptions {
    pub(crate) objects: Arc<dyn Objects>,
    /// What may run in the account for them.
    pub(crate) running: Option<Running>,
    /// What to call the place.
    pub(crate) place: String,
    /// What grouping and sorting may hold in memory, bytes.
    pub(crate) memory: u64,
    /// Where columns are kept for the next query; none: nowhere.
    pub(crate) cache: Option<PathBuf>,
    /// The fields of real-time lines, which say nothing of them; empty: told by their number.
    pub(crate) fields: Vec<String>,
    pub(crate) clock: Clock,
}

/// The engine on this machine.
#[derive(Debug)]
pub(crate) struct LocalEngine {
    options: LocalOptions,
    /// What spills goes with it.
    spill: TempDir,
    /// The session, whose table has the requests of one window.
    session: RefCell<Option<Rc<Session>>>,
    announced: RefCell<Vec<&'static str>>,
}

#[derive(Debug)]
struct Session {
    window: Option<Window>,
    engine: Engine,
}

impl LocalEngine {
    /// Makes ready; nothing is read yet.
    pub(crate) fn new(options: LocalOptions) -> Result<Self, Failure> {
        let spill = tempfile::Builder::new()
            .prefix("onair-")
            .tempdir()
            .map_err(|error| {
                Failure::failed("query.spill", "no folder could be made to spill to").because(error)
            })?;
        Ok(Self {
            options,
            spill,
            session: RefCell::default(),
            announced: RefCell::default(),
        })
    }

    /// The session of a window, made on first need.
    async fn session(&self, window: Option<Window>) -> Result<Rc<Session>, Failure> {
        let known = self.session.borrow().clone();
        if let Some(session) = known.filter(|session| session.window == window) {
            return Ok(session);
        }
        let engine = Engine::new(Settings {
            memory: usize::try_from(self.options.memory).unwrap_or(usize::MAX),
            spill: self.spill.path().to_owned(),
            threads: 0,
            cache: self.options.cache.clone(),
            cache_limit: CACHE_LIMIT,
        })
        .map_err(|error| self.failure(error))?;
        for table in Table::ALL {
            let logs = Logs {
                table,
                objects: self.options.objects.clone(),
                window: window.map(Window::civil),
                fields: self.options.fields.clone(),
            };
            engine
                .add_logs(table.name(), logs)
                .map_err(|error| self.failure(error))?;
        }
        let columns = self.announced.take();
        if !columns.is_empty() {
            engine
                .warm(Table::Requests.name(), &columns)
                .await
                .map_err(|error| self.failure(error))?;
        }
        let session = Rc::new(Session { window, engine });
        *self.session.borrow_mut() = Some(session.clone());
        Ok(session)
    }

    async fn answer(&self, asked: &Asked) -> Result<Answered, Failure> {
        let begun = self.options.clock.now();
        let session = self.session(asked.window).await?;
        let ran = session
            .engine
            .run(&asked.text, &asked.parameters)
            .await
            .map_err(|error| self.failure(error))?;
        let elapsed = self.options.clock.now().duration_since(begun);
        Ok(self.answered(asked, ran, elapsed))
    }

    fn answered(&self, asked: &Asked, ran: Ran, elapsed: SignedDuration) -> Answered {
        let Ran {
            columns,
            mut rows,
            read,
        } = ran;
        let truncated = asked.most_rows.is_some_and(|most| rows.len() > most);
        rows.truncate(asked.most_rows.unwrap_or(usize::MAX));
        let reads_logs = Table::ALL
            .iter()
            .any(|table| text::has_name(&asked.text, table.name()).unwrap_or(true));
        let notes = if reads_logs {
            notes(&read, &self.options.place)
        } else {
            Vec::new()
        };
        Answered {
            columns,
            rows,
            truncated,
            engine: "local",
            // How much a log group holds is not known.
            scanned_bytes: self.options.running.is_none().then(|| read.bytes()),
            rows_read: Some(read.rows()),
            objects_read: u64::try_from(read.objects.len()).ok(),
            bad: read
                .objects
                .into_iter()
                .filter(|(_, found)| found.bad > 0 || found.truncated.is_some())
                .map(|(name, found)| BadObject {
                    name,
                    bad: found.bad,
                    samples: found.samples,
                    truncated: found.truncated,
                })
                .collect(),
            execution: None,
            reused: false,
            elapsed,
            cost: None,
            notes,
        }
    }

    fn failure(&self, error: EngineError) -> Failure {
        match error {
            EngineError::Query { message, at } => {
                let place = at.map_or(String::new(), |(line, column)| {
                    format!("line {line}, column {column}: ")
                });
                Failure::new(
                    Exit::Usage,
                    "query.sql",
                    format!("the query cannot be run: {place}{}", printable(&message)),
                )
            }
            EngineError::Memory { .. } => Failure::failed("query.memory", &error)
                .hint("--memory '2 GB' gives it more, and --since and --until make it read less"),
            EngineError::Object { name, source } => {
                let is_denied = source.kind() == std::io::ErrorKind::PermissionDenied;
                let failure = Failure::new(
                    Exit::Usage,
                    "query.place",
                    format!(
                        "{} cannot be read: {}",
                        shortened(&self.options.place, 200),
                        shortened(&name, 200)
                    ),
                )
                .because(source);
                match (is_denied, rights(&self.options.place)) {
                    (true, Some(rights)) => failure.hint(rights),
                    _ => failure,
                }
            }
            EngineError::Stopped => Failure::interrupted(),
            EngineError::Internal(why) => {
                Failure::failed("query.engine", "the local engine failed").because(printable(&why))
            }
        }
    }
}

/// What reading a place of the account takes: `iam-policy` grants it for the runbook's own bucket alone.
fn rights(place: &str) -> Option<&'static str> {
    if place.starts_with("s3://") {
        return Some("it takes s3:ListBucket on the bucket and s3:GetObject on its objects");
    }
    let is_group = place.starts_with("logs://") || place.starts_with("cwl:");
    is_group.then_some(
        "it takes logs:StartQuery, logs:GetQueryResults and logs:StopQuery on the log group",
    )
}

/// What whoever asked should know of the logs.
fn notes(read: &Read, place: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let outside: u64 = read.objects.iter().map(|(_, found)| found.outside).sum();
    if read.objects.is_empty() && read.others > 0 {
        notes.push(format!(
            "{place} holds no such logs: the table `requests` has CloudFront's, `waf` has AWS WAF's"
        ));
    } else if read.objects.is_empty() {
        notes.push(format!("{place} holds no log objects"));
    } else if read.rows() == 0 && outside > 0 {
        notes.push(format!(
            "all {outside} requests of {place} are outside of the window; --since and --until say another"
        ));
    } else if !read.without_values.is_empty() && read.rows() > 0 {
        notes.push(format!(
            "the logs have nothing in {}, which is NULL",
            read.without_values.join(", ")
        ));
    }
    let with_rows = || read.objects.iter().filter(|(_, found)| found.rows > 0);
    let realtime = with_rows().filter(|(_, found)| found.is_realtime).count();
    if realtime > 0 && realtime < with_rows().count() {
        notes.push(format!(
            "{place} holds standard and real-time logs: a request that is in both counts twice; \
             give --local the folder of one kind"
        ));
    }
    notes
}

/// Nobody waits for the answer any more: stops what still runs in the account, and tells what does not stop.
async fn stopped(failure: Failure, running: &Running) -> Failure {
    let left = running.stop().await;
    left.into_iter().fold(failure, |failure, (id, error)| {
        failure.hint(format!(
            "query {} of Logs Insights may still run, it could not be stopped: {error}",
            printable(&id)
        ))
    })
}

#[async_trait(?Send)]
impl QueryEngine for LocalEngine {
    async fn run(&self, asked: &Asked, stop: &Interrupt) -> Result<Answered, Failure> {
        // A Ctrl-C waits until what runs in the account is stopped.
        let _stopping = self.options.running.as_ref().map(|_| stop.writing());
        let answered = tokio::select! {
            biased;
            () = stop.requested() => Err(Failure::interrupted()),
            answered = self.answer(asked) => answered,
        };
        match (answered, &self.options.running) {
            // After any other failure a report goes on with its next query.
            (Err(failure), Some(running)) if failure.exit == Exit::Interrupted => {
                Err(stopped(failure, running).await)
            }
            (answered, _) => answered,
        }
    }

    fn announce(&self, texts: &[&str]) {
        let mut announced = self.announced.borrow_mut();
        for column in texts.iter().flat_map(|text| catalog::columns(text)) {
            if !announced.contains(&column) {
                announced.push(column);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_rights_that_the_place_takes() {
        let told = |place: &str| rights(place).unwrap_or_default();
        assert!(told("s3://logs/access").contains("s3:GetObject"));
        assert!(told("logs:///event/logs").contains("logs:StartQuery"));
        assert!(told("cwl:/event/logs").contains("logs:StopQuery"));
        assert_eq!(rights("./logs"), None);
    }
}
