//! What is asked: a query of the catalog, a file, or a text; its parameters; the window.

use std::path::Path;

use jiff::Timestamp;
use onair_logs::value::Value;

use crate::commands::window::{FAR, Times};
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::event::text::{did_you_mean, printable, shortened};
use crate::event::time::When;
use crate::query::catalog::{self, CatalogQuery, HeadError, Origin, OwnError};
use crate::query::parameters::{self, Given, Parameter};
use crate::query::text::{self, Bound};
use crate::query::{Window, named};
use crate::runbook::Runbook;

/// The runbook, where one is chosen. One that is asked for by name must be there; without that, queries
/// over files need none.
pub(super) fn runbook(context: &Context) -> Result<Option<Runbook>, Failure> {
    let is_named = context.options.runbook.is_some()
        || context.options.event.is_some()
        || context.environment.get("ONAIR_EVENT").is_some();
    match context.chosen() {
        Ok(chosen) => Ok(Some(chosen.loaded.runbook)),
        Err(failure) if is_named || failure.code == "runbook" => Err(failure),
        Err(_) => Ok(None),
    }
}

/// The catalog, the runbook's own queries included.
pub(super) fn all(runbook: Option<&Runbook>) -> Result<Vec<CatalogQuery>, Failure> {
    let folder = runbook.and_then(|runbook| runbook.queries.as_deref());
    catalog::with_own(folder).map_err(|error| own_failure(&error))
}

fn own_failure(error: &OwnError) -> Failure {
    Failure::new(
        Exit::Usage,
        "query.file",
        "one of the runbook's own queries cannot be used",
    )
    .caused_by(error)
    .hint("`onair query show countries` shows what a file looks like")
}

/// The query of that name.
pub(super) fn find(queries: Vec<CatalogQuery>, name: &str) -> Result<CatalogQuery, Failure> {
    let names: Vec<String> = queries.iter().map(|query| query.name.clone()).collect();
    if let Some(found) = queries.into_iter().find(|query| query.name == name) {
        return Ok(found);
    }
    let near = did_you_mean(name, names.iter().map(String::as_str));
    let meant = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Err(Failure::new(
        Exit::Usage,
        "query.unknown",
        format!("there is no query `{}`{meant}", shortened(name, 64)),
    )
    .hint("`onair query list` names them"))
}

/// The query that the command line means: a name, `@FILE`, or a text of the caller's own.
pub(super) fn of(
    name: Option<&str>,
    sql: Option<&str>,
    runbook: Option<&Runbook>,
) -> Result<CatalogQuery, Failure> {
    match (name, sql) {
        (_, Some(sql)) => plain(sql, "sql", Origin::Shipped),
        (Some(name), None) => match name.strip_prefix('@') {
            Some(file) => of_file(Path::new(file)),
            None => find(all(runbook)?, name),
        },
        (None, None) => Err(Failure::usage("there is no query to run")
            .hint("onair query run countries, or: onair query run --sql 'SELECT count(*) FROM requests'")
            .hint("`onair query list` names the queries there are")),
    }
}

fn of_file(path: &Path) -> Result<CatalogQuery, Failure> {
    let wrong = |error: &dyn std::error::Error| {
        Failure::new(
            Exit::Usage,
            "query.file",
            format!("{} cannot be used", path.display()),
        )
        .caused_by(error)
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let origin = Origin::Own(path.to_owned());
    // A file needs no head to be run once; one that has begun a head must have it right.
    match CatalogQuery::parse(&text, origin.clone()) {
        Ok(query) => Ok(query),
        Err(HeadError::Missing("name") | HeadError::Key { .. } | HeadError::Text(_))
            if !text.trim_start().starts_with("-- name:") =>
        {
            let name = path
                .file_stem()
                .map_or("sql".into(), |stem| stem.to_string_lossy());
            plain(&text, &name, origin)
        }
        Err(error) => Err(wrong(&error)),
    }
}

/// A text without a head: its parameters are whatever it names.
fn plain(sql: &str, name: &str, origin: Origin) -> Result<CatalogQuery, Failure> {
    let unusable = |error: &text::TextError| {
        Failure::new(Exit::Usage, "query.sql", "the text cannot be run").caused_by(error)
    };
    text::statement(sql).map_err(|error| unusable(&error))?;
    text::parameters(sql).map_err(|error| unusable(&error))?;
    Ok(CatalogQuery {
        name: name.to_owned(),
        purpose: String::new(),
        about: Vec::new(),
        parameters: Vec::new(),
        needs: Vec::new(),
        text: sql.to_owned(),
        origin,
    })
}

/// The query with its values.
pub(super) struct Ready {
    pub(super) bound: Bound,
    /// Each parameter's value, for who reads the answer.
    pub(super) values: Vec<(String, Value)>,
    /// What the answer does not look at.
    pub(super) warnings: Vec<String>,
}

/// Binds the parameters.
pub(super) fn ready(
    query: &CatalogQuery,
    given: &[Given],
    times: &Times<'_>,
    window: Option<Window>,
    runbook: Option<&Runbook>,
) -> Result<Ready, Failure> {
    let wrong = |why: String| Failure::new(Exit::Usage, "query.parameter", why);
    let inferred;
    let known: &[Parameter] = if query.parameters.is_empty() && query.purpose.is_empty() {
        inferred = parameters::inferred(&query.text, given).map_err(wrong)?;
        &inferred
    } else {
        &query.parameters
    };
    let mut values =
        parameters::values(known, given, |moment| times.place(moment)).map_err(|why| {
            let hint = format!("onair query show {}", query.name);
            wrong(why).hint(hint)
        })?;
    let changing = parameters::put_rights(&mut values, runbook, window);
    let whole = window.unwrap_or(Window {
        from: Timestamp::UNIX_EPOCH,
        until: FAR,
    });
    let bound = text::bind(query.statement(), |name| {
        named::value_of(name, &values, whole)
    })
    .map_err(|error| wrong(error.to_string()).hint("give it with -p NAME=VALUE"))?;
    let warnings = if changing.is_empty() {
        Vec::new()
    } else {
        vec![format!(
            "the runbook changes the rights within this time ({}); has_rights goes by its list alone, \
             and --since and --until cut the time",
            printable(&changing.join(", "))
        )]
    };
    Ok(Ready {
        bound,
        values,
        warnings,
    })
}

/// The query with its values in the text.
pub(super) fn inline(
    query: &CatalogQuery,
    ready: &Ready,
    window: Option<Window>,
) -> Result<String, Failure> {
    let whole = window.unwrap_or(Window {
        from: Timestamp::UNIX_EPOCH,
        until: FAR,
    });
    text::inline(query.statement(), |name| {
        named::value_of(name, &ready.values, whole)
    })
    .map_err(Failure::usage)
}

/// Whether a value is looked up in the ledger.
pub(super) fn names_an_action(query: &CatalogQuery, given: &[Given]) -> bool {
    given.iter().any(|one| {
        query.parameter(&one.name).is_some_and(|parameter| {
            parameter.kind == parameters::ParameterKind::Action && When::parse(&one.value).is_err()
        })
    })
}

/// Where a query comes from, in words.
pub(super) fn origin(query: &CatalogQuery) -> String {
    match &query.origin {
        Origin::Shipped => "onair".to_owned(),
        Origin::Own(path) => path.display().to_string(),
    }
}
