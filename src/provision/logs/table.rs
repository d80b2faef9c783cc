//! The tables over the logs. One of another owner is never altered: its queries would break.

use async_trait::async_trait;

use super::{gone, made, not_now, there, words};
use crate::cloud::{Approved, CatalogTable, Column, TableDefinition};
use crate::plan::log_table::{self, TableScene};
use crate::provision::{
    Action, Difference, Done, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};

const KIND: &str = "table";

pub(super) struct TablePart;

#[async_trait(?Send)]
impl Part for TablePart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Built
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let mut steps = Vec::new();
        for wanted in wanted(scene) {
            let observed = observe(scene, &wanted.name).await?;
            steps.push(step(scene, &wanted, observed.as_ref()));
        }
        Ok(steps)
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        planned: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let asked = wanted(scene);
        let Some(wanted) = asked
            .iter()
            .find(|one| full_name(scene, &one.name) == planned.name)
        else {
            return Ok(Done::unchanged());
        };
        let observed = observe(scene, &wanted.name).await?;
        let now = step(scene, wanted, observed.as_ref());
        match now.action {
            Action::Keep => return Ok(Done::unchanged()),
            Action::Refused => return Err(not_now(&now)),
            _ => scene.check_unmoved(planned, &now.fingerprint, || words(&now))?,
        }
        let (region, database) = (&scene.runbook.aws.region, database(scene));
        if let Some(before) = observed {
            scene
                .cloud
                .update_catalog_table(approved, region, database, &before, wanted)
                .await?;
            Ok(Done::changed(1))
        } else {
            scene
                .cloud
                .create_catalog_table(approved, region, database, wanted)
                .await?;
            let id = format!(
                "arn:aws:glue:{region}:{}:table/{database}/{}",
                scene.account, wanted.name
            );
            Ok(Done::made(1, made(scene, planned, Some(id))))
        }
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        if scene.runbook.athena.is_none() {
            return Ok(Vec::new());
        }
        let region = &scene.runbook.aws.region;
        let tables = there(scene.cloud.catalog_tables(region, database(scene)).await)?;
        Ok(tables
            .into_iter()
            .flatten()
            .filter_map(|table| {
                let name = full_name(scene, &table.definition.name);
                let is_marked = is_marked(scene, &table.definition);
                (is_marked || scene.claims(KIND, &name)).then(|| Owned::new(KIND, name, is_marked))
            })
            .collect())
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        let region = &scene.runbook.aws.region;
        let (database, table) = owned.name.split_once('.').unwrap_or(("", &owned.name));
        gone(
            scene
                .cloud
                .delete_catalog_table(approved, region, database, table)
                .await,
        )?;
        Ok(())
    }
}

fn database<'a>(scene: &'a Scene<'_>) -> &'a str {
    let athena = scene.runbook.athena.as_ref();
    athena.map_or("", |athena| athena.database.as_str())
}

fn full_name(scene: &Scene<'_>, table: &str) -> String {
    format!("{}.{table}", database(scene))
}

/// The tables that the runbook asks for. Real-time logs are kept beside the access logs; without
/// these there is no place to look for them.
pub(crate) fn wanted(scene: &Scene<'_>) -> Vec<TableDefinition> {
    let runbook = scene.runbook;
    let (Some(athena), Some(access)) = (&runbook.athena, &runbook.logs.access) else {
        return Vec::new();
    };
    let tables = TableScene::of(runbook);
    let mut wanted = vec![log_table::access(&tables, &athena.access_table, access)];
    if let Some(realtime) = &runbook.logs.realtime {
        wanted.push(log_table::realtime(
            &tables,
            &athena.realtime_table,
            &access.bucket,
            &realtime.fields,
        ));
    }
    for table in &mut wanted {
        table.parameters.extend(scene.tags());
    }
    wanted
}

async fn observe(scene: &Scene<'_>, name: &str) -> Result<Option<CatalogTable>, PartError> {
    let region = &scene.runbook.aws.region;
    let read = scene
        .cloud
        .catalog_table(region, database(scene), name)
        .await;
    Ok(there(read)?)
}

/// Parameters of the catalog take the place of tags.
pub(super) fn is_marked(scene: &Scene<'_>, table: &TableDefinition) -> bool {
    super::is_marked(scene, &table.parameters)
}

/// What provisioning does to a table that is there like this, or not there.
pub(crate) fn step(
    scene: &Scene<'_>,
    wanted: &TableDefinition,
    observed: Option<&CatalogTable>,
) -> Step {
    let name = full_name(scene, &wanted.name);
    let Some(found) = observed else {
        return Step::create(KIND, name).noting(format!(
            "{} columns over {}",
            wanted.columns.len(),
            wanted.location
        ));
    };
    let found = &found.definition;
    let changes = differences(found, wanted);
    if !is_marked(scene, found) && !scene.claims(KIND, &name) {
        return if changes
            .iter()
            .all(|one| one.field.starts_with("Parameters.onair:"))
        {
            Step::existing(KIND, name, Vec::new(), fingerprint(format!("{found:?}")))
                .noting("adopted: it was not made by onair")
        } else {
            Step::refused(
                KIND,
                name,
                "another owner's table has this name and is another one: name ours otherwise in \
                 [athena.tables]",
            )
        };
    }
    Step::existing(KIND, name, changes, fingerprint(format!("{found:?}")))
}

/// What differs of all that is ours; parameters of other keys are not.
fn differences(found: &TableDefinition, wanted: &TableDefinition) -> Vec<Difference> {
    let columns = |columns: &[Column]| {
        let columns = columns.iter();
        columns
            .map(|column| format!("{} {}", column.name, column.kind))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut changes = Vec::new();
    for (field, from, to) in [
        ("Columns", columns(&found.columns), columns(&wanted.columns)),
        (
            "PartitionKeys",
            columns(&found.partition_keys),
            columns(&wanted.partition_keys),
        ),
        ("Location", found.location.clone(), wanted.location.clone()),
        (
            "InputFormat",
            found.input_format.clone(),
            wanted.input_format.clone(),
        ),
        (
            "OutputFormat",
            found.output_format.clone(),
            wanted.output_format.clone(),
        ),
        (
            "SerializationLibrary",
            found.serde.clone(),
            wanted.serde.clone(),
        ),
    ] {
        Difference::between(&mut changes, field, Some(&from), Some(&to));
    }
    for (group, found, wanted) in [
        (
            "SerdeInfo",
            &found.serde_parameters,
            &wanted.serde_parameters,
        ),
        ("Parameters", &found.parameters, &wanted.parameters),
    ] {
        for (key, value) in wanted {
            let field = format!("{group}.{key}");
            Difference::between(&mut changes, &field, found.get(key), Some(value));
        }
    }
    changes
}
