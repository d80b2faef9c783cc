//! `onair compare`: event against event, by the summaries that their reports left.

use std::path::PathBuf;

use serde_json::json;

use crate::compare::{Comparison, Limits, Verdict, compare, markdown, sheet, text};
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::event::text::printable;
use crate::render::{Answer, Head};
use crate::report::{Summary, kept};

/// Compare an event with an earlier one: what changed, beyond noise, and is it allowed
///
/// A and B are events (whose `onair report` is in the reports folder), reports' folders, or their
/// summary.json; the logs themselves are not needed any more. Figures are taken a viewer hour where
/// they follow the audience.
///
/// Noise: each event is cut into stretches of ten minutes between kickoff and end. Up to twice the spread
/// that the means of so many stretches have by chance counts as the same, and so does anything below
/// 2% (5% for figures without a course over the minutes), and what chance gives 99 times of a hundred for
/// the counts behind a share or a rate. The spread comes from the median absolute deviation, so that one
/// incident counts as a change and not as noise.
///
/// Whatever gets worse beyond noise makes exit 3, unless a --limit allows it. So does a pair of reports
/// of which nothing can be compared.
///
/// Example: onair compare cup-semi-final cup-final --limit errors-4xx=20% --limit time-to-first-byte=30
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The earlier event, its report's folder, or a summary.json
    #[arg(value_name = "A", add = clap_complete::ArgValueCompleter::new(super::complete::events))]
    a: String,
    /// The event that is held against it
    #[arg(value_name = "B", add = clap_complete::ArgValueCompleter::new(super::complete::events))]
    b: String,
    /// Allow a figure to get worse by this much: errors-5xx=10%, or in its own unit (milliseconds,
    /// percent points, bit/s, USD)
    #[arg(long, value_name = "FIGURE=AMOUNT")]
    limit: Vec<String>,
    /// Where reports are
    #[arg(long, value_name = "DIR", default_value = "reports")]
    reports: PathBuf,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let mut limits = Limits::default();
    for given in &args.limit {
        limits
            .set(given)
            .map_err(|error| Failure::usage(error).hint("onair compare --help"))?;
    }
    let a = read(&args.a, args, context)?;
    let b = read(&args.b, args, context)?;
    Ok(answer(&compare(&a, &b, &limits), context.ui.width()))
}

fn answer(comparison: &Comparison, width: usize) -> Answer {
    let data = json!(comparison);
    let mut answer = Answer::new("compare", data, text(comparison, width))
        .with_head(Head {
            event: Some(comparison.b.event.clone()),
            ..Head::default()
        })
        .with_sheet(sheet(comparison));
    answer.markdown = Some(markdown(comparison));
    answer.warnings.clone_from(&comparison.cautions);
    if comparison.verdict == Verdict::NotComparable {
        answer = answer.exiting(Exit::Difference, "not-comparable", &comparison.headline);
    } else if comparison.beyond_limits {
        answer = answer.exiting(Exit::Difference, "difference", &comparison.headline);
    }
    answer
}

/// The summary of an event, of a report's folder, or of a file.
fn read(what: &str, args: &Args, context: &Context) -> Result<Summary, Failure> {
    let given = PathBuf::from(what);
    let place = if context.is_rehearsal()? {
        "rehearsal"
    } else {
        "local"
    };
    let own = context.runbooks().join(".onair").join(place).join(what);
    let folders = [given.clone(), args.reports.join(what), own];
    let path = if given.is_file() {
        given
    } else {
        kept::find(&folders).ok_or_else(|| {
            Failure::usage(format!(
                "there is no report of {}: {} is not there",
                printable(what),
                folders[1].join(kept::FILE).display()
            ))
            .hint(format!(
                "onair report {}, or name a report's folder or its {}",
                printable(what),
                kept::FILE
            ))
        })?
    };
    kept::read(&path).map_err(|error| {
        Failure::usage(format!("{} cannot be compared", printable(what))).caused_by(&error)
    })
}
