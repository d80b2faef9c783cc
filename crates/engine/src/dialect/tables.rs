//! The tables that a query may read: those of the session.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::common::TableReference;
use datafusion::execution::context::SessionContext;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, Statement, Visit, Visitor};

use super::messages;
use crate::error::EngineError;
use crate::functions;

/// Refuses tables that are not there, and names those that are.
pub(super) fn known(context: &SessionContext, statement: &Statement) -> Result<(), EngineError> {
    let mut reader = Reader::default();
    let _flow: ControlFlow<()> = statement.visit(&mut reader);
    for parts in &reader.tables {
        let reference = match parts.as_slice() {
            [table] if reader.defined.contains(table) => continue,
            [table] => TableReference::bare(table.as_str()),
            [schema, table] => TableReference::partial(schema.as_str(), table.as_str()),
            [catalog, schema, table] => {
                TableReference::full(catalog.as_str(), schema.as_str(), table.as_str())
            }
            _ => return Err(messages::plain("a table's name has three parts at most")),
        };
        if !context.table_exist(reference).unwrap_or(false) {
            let name = parts.join(".");
            let names = names(context);
            let nearest = names
                .iter()
                .find(|other| functions::distance(other, &name) <= 2)
                .map(|other| format!("; did you mean {other}?"));
            return Err(messages::plain(match nearest {
                Some(hint) => format!("there is no table {name}{hint}"),
                None => format!("there is no table {name}; there are: {}", names.join(", ")),
            }));
        }
    }
    Ok(())
}

/// Tables of the session, with their schema where it is not the usual one.
fn names(context: &SessionContext) -> Vec<String> {
    let state = context.state_ref();
    let state = state.read();
    let usual = state.config_options().catalog.default_schema.clone();
    let catalogs = state.catalog_list();
    let mut names = Vec::new();
    for catalog in catalogs
        .catalog_names()
        .into_iter()
        .filter_map(|name| catalogs.catalog(&name))
    {
        for schema in catalog.schema_names() {
            let Some(tables) = catalog.schema(&schema) else {
                continue;
            };
            names.extend(tables.table_names().into_iter().map(|table| {
                if schema == usual {
                    table
                } else {
                    format!("{schema}.{table}")
                }
            }));
        }
    }
    names.sort();
    // A table may be found by several ways.
    names.dedup();
    names
}

#[derive(Default)]
struct Reader {
    tables: BTreeSet<Vec<String>>,
    defined: BTreeSet<String>,
}

impl Visitor for Reader {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.defined.insert(table.alias.name.value.to_lowercase());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.tables.insert(
            relation
                .0
                .iter()
                .map(|part| {
                    part.as_ident()
                        .map_or_else(|| part.to_string(), |ident| ident.value.to_lowercase())
                })
                .collect(),
        );
        ControlFlow::Continue(())
    }
}
