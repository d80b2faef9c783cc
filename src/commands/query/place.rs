//! Where a query runs: Athena, or the engine on this machine over the logs of some place.

use jiff::Timestamp;

use crate::clock::Clock;
use crate::context::{Context, Session};
use crate::error::Failure;
use crate::query::athena::Athena;
use crate::query::{QueryEngine, Source, Window};
use crate::runbook::Runbook;

/// What the local engine is asked for.
#[cfg_attr(
    not(feature = "engine"),
    expect(dead_code, reason = "what the local engine asks for")
)]
#[derive(Debug)]
pub(crate) struct LocalAsked<'a> {
    /// A path, `s3://bucket/prefix` or `logs://GROUP`.
    pub(crate) place: &'a str,
    /// Bytes; none: the default.
    pub(crate) memory: Option<u64>,
    /// Keep columns for the next query.
    pub(crate) caches: bool,
    pub(crate) source: Source,
    /// The time that is asked about: of a bucket or a log group no more is read.
    pub(crate) window: Option<Window>,
}

impl LocalAsked<'_> {
    /// Whether the place is a group of CloudWatch Logs.
    #[cfg(feature = "engine")]
    fn is_log_group(&self) -> bool {
        ["logs://", "cwl:"]
            .iter()
            .any(|scheme| self.place.starts_with(scheme))
    }

    /// Whether the place is one that AWS is asked for.
    pub(crate) fn is_remote(&self) -> bool {
        ["s3://", "logs://", "cwl:"]
            .iter()
            .any(|scheme| self.place.starts_with(scheme))
    }
}

/// The engine on this machine. Remote places need the session.
#[cfg(feature = "engine")]
pub(crate) fn local(
    asked: &LocalAsked<'_>,
    context: &Context,
    session: Option<&Session>,
    runbook: Option<&Runbook>,
    clock: Clock,
) -> Result<Box<dyn QueryEngine>, Failure> {
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::plan::log_delivery;
    use crate::query::local::{LocalEngine, LocalOptions, MEMORY};
    use crate::query::place::Opened;

    let Opened { objects, running } = if asked.is_remote() {
        remote(asked, session)?
    } else {
        let path = PathBuf::from(asked.place);
        if !path.exists() {
            return Err(Failure::usage(format!(
                "there is no {}",
                crate::event::text::shortened(asked.place, 200)
            ))
            .hint("--local takes a file or a folder of logs"));
        }
        Opened {
            objects: Arc::new(onair_engine::Folder(path)),
            running: None,
        }
    };
    let realtime = runbook.and_then(|runbook| runbook.logs.realtime.as_ref());
    let fields = match (asked.source, realtime) {
        (Source::Realtime, Some(realtime)) => realtime.fields.clone(),
        // An event of a log group has no head; these are what our deliveries write.
        (Source::Access, _) if asked.is_log_group() => log_delivery::FIELDS
            .iter()
            .map(|field| (*field).to_owned())
            .collect(),
        _ => Vec::new(),
    };
    let engine = LocalEngine::new(LocalOptions {
        objects,
        running,
        place: asked.place.to_owned(),
        memory: asked.memory.unwrap_or(MEMORY),
        cache: asked
            .caches
            .then(|| context.cache_folder())
            .flatten()
            .map(|folder| folder.join("logs")),
        fields,
        clock,
    })?;
    Ok(Box::new(engine))
}

/// Places that AWS is asked for.
#[cfg(feature = "engine")]
fn remote(
    asked: &LocalAsked<'_>,
    session: Option<&Session>,
) -> Result<crate::query::place::Opened, Failure> {
    use crate::query::place::{self, Place};

    let place = Place::parse(asked.place)?;
    let Some(session) = session else {
        return Err(Failure::usage("no event is chosen, so no account to ask").hint("add -e EVENT"));
    };
    place::open(
        &place,
        &session.cloud,
        &session.clock,
        &session.runbook.aws.region,
        asked.window,
    )
}

/// The engine on this machine, which this build has not.
#[cfg(not(feature = "engine"))]
pub(crate) fn local(
    _: &LocalAsked<'_>,
    _: &Context,
    _: Option<&Session>,
    _: Option<&Runbook>,
    _: Clock,
) -> Result<Box<dyn QueryEngine>, Failure> {
    Err(
        Failure::usage("this build has no local engine: it was made without the feature `engine`")
            .hint("leave --local out to ask Athena, or build with `cargo build --release`"),
    )
}

/// The time that a query is asked at.
pub(super) fn now(context: &Context, session: Option<&Session>) -> Timestamp {
    clock(context, session).now()
}

/// The clock that goes with the target.
pub(super) fn clock(context: &Context, session: Option<&Session>) -> Clock {
    session.map_or_else(|| context.world_clock(), |session| session.clock.clone())
}

/// Athena in the event's account.
pub(crate) fn athena(
    session: &Session,
    max_scan: Option<u64>,
) -> Result<Box<dyn QueryEngine + '_>, Failure> {
    let Session {
        context,
        runbook,
        cloud,
        clock,
        ..
    } = session;
    let athena = Athena::new(runbook, cloud, clock, &context.ui, max_scan)?;
    Ok(Box::new(athena))
}
