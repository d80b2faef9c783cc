//! `onair dashboard …`: the event's CloudWatch dashboard, from the runbook and the ledger.

mod apply;
mod diff;
mod open;
mod render;

use serde_json::Value;

use crate::cloud::{Cloud, CloudError};
use crate::context::{Context, Session};
use crate::dashboard::body::{self, Drawing};
use crate::dashboard::marks::{self, Mark};
use crate::error::Failure;
use crate::ledger::clock::EventState;
use crate::ledger::view::View;
use crate::render::Answer;
use crate::runbook::{Dashboard, Runbook};

pub(crate) use apply::{carry_on, is_drawing};

/// Draw, compare, store and open the event's CloudWatch dashboard
#[derive(Debug, clap::Subcommand)]
pub(crate) enum DashboardCommand {
    Apply(apply::ApplyArgs),
    Diff(diff::DiffArgs),
    Open(open::OpenArgs),
    Render(render::RenderArgs),
}

pub(crate) fn name(command: &DashboardCommand) -> &'static str {
    match command {
        DashboardCommand::Apply(_) => "dashboard apply",
        DashboardCommand::Diff(_) => "dashboard diff",
        DashboardCommand::Open(_) => "dashboard open",
        DashboardCommand::Render(_) => "dashboard render",
    }
}

pub(crate) async fn run(command: &DashboardCommand, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    match command {
        DashboardCommand::Apply(args) => apply::run(args, &session).await,
        DashboardCommand::Diff(args) => diff::run(args, &session).await,
        DashboardCommand::Open(args) => open::run(args, &session),
        DashboardCommand::Render(args) => render::run(args, &session).await,
    }
}

/// The runbook's dashboard.
fn section(runbook: &Runbook) -> Result<&Dashboard, Failure> {
    runbook.dashboard.as_ref().ok_or_else(|| {
        Failure::usage("the runbook has no dashboard").hint(format!(
            "add a section [dashboard] to {}",
            runbook.path.display()
        ))
    })
}

/// What the dashboard should be now, with what it was made from.
struct Wanted {
    name: String,
    body: Value,
    marks: Vec<Mark>,
}

fn wanted(session: &Session, view: &View, state: &EventState) -> Result<Wanted, Failure> {
    let runbook = &session.runbook;
    let dashboard = section(runbook)?;
    let marks = marks::marks(&runbook.event.kickoff_label, view, state);
    let body = body::body(Drawing {
        runbook,
        dashboard,
        state,
        marks: &marks,
    });
    Ok(Wanted {
        name: dashboard.name.clone(),
        body,
        marks,
    })
}

/// A stored body: the text, and what it says. None when there is no such dashboard.
async fn stored(cloud: &Cloud, name: &str) -> Result<Option<(String, Value)>, Failure> {
    let stored = match cloud.dashboard(name).await {
        Ok(stored) => stored,
        Err(CloudError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let value = serde_json::from_str(&stored.body).map_err(|error| {
        Failure::failed(
            "dashboard.unreadable",
            format!("dashboard {name} is not JSON"),
        )
        .because(error)
    })?;
    Ok(Some((stored.body, value)))
}
