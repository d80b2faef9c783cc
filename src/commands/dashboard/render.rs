//! `onair dashboard render`: the body as it would be stored, or a picture of it.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{section, wanted};
use crate::context::Session;
use crate::dashboard::body::to_text;
use crate::dashboard::picture;
use crate::dashboard::validate::validate;
use crate::error::{Exit, Failure};
use crate::render::Answer;

const COMMAND: &str = "dashboard render";

/// Print the dashboard's body, or draw it with simulated data
///
/// The body goes to standard output as CloudWatch takes it. With --picture it is drawn as an SVG
/// instead, with the curves that the embedded cloud simulates for the runbook's event.
///
/// Example: onair dashboard render --picture dashboard.svg
#[derive(Debug, clap::Args)]
pub(crate) struct RenderArgs {
    /// Draw it into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
}

/// The picture is an SVG, so a file name that promises something else is a mistake.
fn check_picture(path: &Path) -> Result<(), Failure> {
    let extension = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    if extension.is_some_and(|one| one == "svg") {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--picture draws an SVG, and {} is not called so",
        path.display()
    ))
    .hint(format!(
        "onair dashboard render --picture {}",
        path.with_extension("svg").display()
    )))
}

pub(super) async fn run(args: &RenderArgs, session: &Session) -> Result<Answer, Failure> {
    section(&session.runbook)?;
    if let Some(path) = &args.picture {
        check_picture(path)?;
    }
    let read = session.read_ledger().await?;
    let state = session.state(&read.view);
    let wanted = wanted(session, &read.view, &state)?;
    let body = to_text(&wanted.body);
    let findings = validate(&body);
    let counts = json!({
        "widgets": wanted.body["widgets"].as_array().map_or(0, Vec::len),
        "bytes": body.len(),
        "annotations": wanted.marks.len(),
    });
    let mut data = json!({
        "dashboard": wanted.name,
        "body": wanted.body,
        "counts": counts,
        "problems": findings.errors,
        "picture": args.picture,
    });
    let text = match &args.picture {
        None => format!("{body}\n"),
        Some(path) => {
            let drawn = picture::svg(&session.runbook, &state, &wanted.body);
            std::fs::write(path, &drawn).map_err(|error| {
                Failure::failed("file", format!("write {}", path.display())).because(error)
            })?;
            data["picture-bytes"] = json!(drawn.len());
            format!(
                "{} widgets drawn to {} with simulated data\n",
                counts["widgets"],
                path.display()
            )
        }
    };
    let mut answer = Answer::new(COMMAND, data, text).with_head(session.head(Some(&state), None));
    answer.warnings = findings
        .warnings
        .iter()
        .map(|warning| format!("{}: {}", warning.path, warning.message))
        .collect();
    if let Some(first) = findings.errors.first() {
        let message = format!(
            "CloudWatch would refuse this body: {} at {}",
            first.message, first.path
        );
        answer = answer.exiting(Exit::Failed, "dashboard.invalid", &message);
    }
    Ok(answer)
}
