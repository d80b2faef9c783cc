//! `onair query list`: which queries there are.

use onair_logs::schema::Table;
use serde_json::json;

use super::subject;
use crate::context::Context;
use crate::error::Failure;
use crate::query::catalog::{CatalogQuery, Origin};
use crate::query::view::type_name;
use crate::render::{Answer, Head, Sheet};

pub(super) const COMMAND: &str = "query list";

/// Show the queries there are, with their parameters
///
/// Those of the runbook's folder (its section queries) are marked. With --columns, what the table
/// `requests` has, which all of them read; --columns waf is the table of AWS WAF's logs, which a text of
/// your own may read with --local. Nothing is asked from AWS.
///
/// Example: onair query list
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Show the columns of this table instead: requests (as by default), or waf
    #[arg(long, value_name = "TABLE", num_args = 0..=1, default_missing_value = "requests", value_parser = table)]
    columns: Option<Table>,
}

pub(super) fn run(args: &ListArgs, context: &Context) -> Result<Answer, Failure> {
    if let Some(table) = args.columns {
        return Ok(columns(table, context));
    }
    let runbook = subject::runbook(context)?;
    let queries = subject::all(runbook.as_ref())?;
    let mut sheet = Sheet::new(&["name", "purpose", "parameters"]);
    let mut text = String::new();
    for query in &queries {
        let own = match &query.origin {
            Origin::Shipped => String::new(),
            Origin::Own(path) => format!(" · the runbook's own: {}", path.display()),
        };
        text.push_str(&format!("{}{own}\n  {}\n", query.name, query.purpose));
        for parameter in &query.parameters {
            text.push_str(&format!(
                "  -p {}={} ({}): {}\n",
                parameter.name,
                parameter.default,
                parameter.kind.name(),
                parameter.about
            ));
        }
        let parameters: Vec<String> = query
            .parameters
            .iter()
            .map(|one| format!("{} {} = {}", one.name, one.kind.name(), one.default))
            .collect();
        sheet.push([
            query.name.clone(),
            query.purpose.clone(),
            parameters.join(", "),
        ]);
    }
    text.push_str("All of them take --since and --until. Run one: onair query run NAME\n");
    let data = json!({ "queries": queries.iter().map(described).collect::<Vec<_>>() });
    let head = Head {
        event: runbook.map(|runbook| runbook.event.id.to_string()),
        ..Head::default()
    };
    Ok(Answer::new(COMMAND, data, text)
        .with_head(head)
        .with_sheet(sheet))
}

fn table(text: &str) -> Result<Table, String> {
    let named = Table::ALL.into_iter().find(|table| table.name() == text);
    named.ok_or_else(|| "there are requests and waf".to_owned())
}

/// The columns of a table.
fn columns(table: Table, context: &Context) -> Answer {
    let mut sheet = Sheet::new(&["column", "type", "about"]);
    for column in table.columns() {
        sheet.push([column.name, type_name(column.kind), column.about].map(str::to_owned));
    }
    let data = json!({
        "table": table.name(),
        "columns": table.columns().iter().map(|column| json!({
            "name": column.name,
            "type": type_name(column.kind),
            "about": column.about,
        })).collect::<Vec<_>>(),
    });
    let text = sheet.table(context.ui.width());
    Answer::new(COMMAND, data, text).with_sheet(sheet)
}

/// A query as JSON.
pub(super) fn described(query: &CatalogQuery) -> serde_json::Value {
    json!({
        "name": query.name,
        "purpose": query.purpose,
        "about": query.about,
        "parameters": query.parameters.iter().map(|one| json!({
            "name": one.name,
            "type": one.kind.name(),
            "default": one.default,
            "about": one.about,
        })).collect::<Vec<_>>(),
        "needs": query.needs.iter().map(|need| need.name()).collect::<Vec<_>>(),
        "columns": query.columns(),
        "origin": subject::origin(query),
    })
}
