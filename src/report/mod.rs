//! The post-mortem. What was read (`gathered`) becomes one value (`model::Report`), and every form is
//! rendered from that value alone: `html`, `markdown`, JSON by serde, CSV of the tables. All of it is
//! pure but for `files`, which puts a finished report into its place.

mod abuse;
mod alarms;
mod build;
mod chart;
mod completeness;
mod cost;
mod figures;
mod files;
mod gathered;
mod goals;
mod html;
pub(crate) mod kept;
mod lessons;
mod markdown;
mod model;
mod sections;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod timeline;

pub(crate) use alarms::spans as alarm_spans;
pub(crate) use build::{Account, report};
pub(crate) use completeness::{Completeness, Counted, Counts};
pub(crate) use cost::Prices;
pub(crate) use figures::{Unit, figure, known};
pub(crate) use files::{InTheWay, PlaceError, check, files, place};
pub(crate) use gathered::{AlarmSpan, EventFacts, Gathered, RightsTable, SourceFacts};
pub(crate) use goals::Kept;
pub(crate) use markdown::{escaped as escaped_markdown, page as markdown_page};
pub(crate) use model::Report;
pub(crate) use sections::{completeness_words, summary_sheet, unit_word};
pub(crate) use summary::{Better, Measure, Summary};
#[cfg(test)]
pub(crate) use summary::{Figure, Minute, Reported, SCHEMA as SUMMARY_SCHEMA, Tally};
pub(crate) use table::Table;
pub(crate) use timeline::timeline;
