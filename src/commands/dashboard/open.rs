//! `onair dashboard open`: the console's address of the dashboard.

use serde_json::json;

use super::section;
use crate::cloud::Target;
use crate::context::Session;
use crate::dashboard::console::dashboard_url;
use crate::error::Failure;
use crate::render::Answer;

/// Print the dashboard's address and open it in a browser
///
/// A browser is opened from a terminal alone, and never in rehearsal: there is no console to show it.
///
/// Example: onair dashboard open --no-browser
#[derive(Debug, clap::Args)]
pub(crate) struct OpenArgs {
    /// Only print the address
    #[arg(long)]
    no_browser: bool,
}

pub(super) fn run(args: &OpenArgs, session: &Session) -> Result<Answer, Failure> {
    let name = &section(&session.runbook)?.name;
    let url = dashboard_url(name);
    let mut answer = Answer::new(
        "dashboard open",
        json!({ "dashboard": name, "url": url, "opened": false }),
        format!("{url}\n"),
    )
    .with_head(session.head(None, None));
    if session.target != Target::Live {
        answer.warnings.push(
            "the console shows the real account, not this target; a picture of it: onair dashboard render --picture FILE.svg".to_owned(),
        );
    } else if !args.no_browser && session.ui().is_interactive() && !session.ui().is_json() {
        match open::that_detached(&url) {
            Ok(()) => answer.data["opened"] = json!(true),
            Err(error) => answer
                .warnings
                .push(format!("no browser could be opened: {error}")),
        }
    }
    Ok(answer)
}
