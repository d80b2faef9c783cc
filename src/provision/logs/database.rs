//! The database of the Glue catalog that the tables are in. One that is there already is used.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{gone, made, there};
use crate::cloud::{Approved, CatalogDatabase, Tags};
use crate::provision::{Done, Owned, Part, PartError, Scene, Stage, Step, fingerprint};

const KIND: &str = "database";

pub(super) struct DatabasePart;

#[async_trait(?Send)]
impl Part for DatabasePart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Ground
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(athena) = &scene.runbook.athena else {
            return Ok(Vec::new());
        };
        let found = observe(scene, &athena.database).await?;
        Ok(vec![match found {
            None => Step::create(KIND, &athena.database),
            Some(found) => {
                let step =
                    Step::existing(KIND, &athena.database, Vec::new(), fingerprint(&found.name));
                if is_marked(scene, &found.parameters) {
                    step
                } else {
                    step.noting("adopted: it was not made by onair")
                }
            }
        }])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        if observe(scene, &step.name).await?.is_some() {
            return Ok(Done::unchanged());
        }
        let database = CatalogDatabase {
            name: step.name.clone(),
            description: Some(format!("Logs of {}; made by onair", scene.event())),
            parameters: scene.tags().into_iter().collect(),
        };
        let region = &scene.runbook.aws.region;
        scene
            .cloud
            .create_catalog_database(approved, region, &database)
            .await?;
        let id = format!(
            "arn:aws:glue:{region}:{}:database/{}",
            scene.account, step.name
        );
        Ok(Done::made(1, made(scene, step, Some(id))))
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let Some(athena) = &scene.runbook.athena else {
            return Ok(Vec::new());
        };
        let Some(found) = observe(scene, &athena.database).await? else {
            return Ok(Vec::new());
        };
        let is_marked = is_marked(scene, &found.parameters);
        if !is_marked && !scene.claims(KIND, &athena.database) {
            return Ok(Vec::new());
        }
        let mut owned = Owned::new(KIND, &athena.database, is_marked);
        let region = &scene.runbook.aws.region;
        let tables = there(scene.cloud.catalog_tables(region, &athena.database).await)?;
        // Deleting a database takes its tables along, also those that others made.
        owned.kept_because = tables
            .into_iter()
            .flatten()
            .find(|table| !super::table::is_marked(scene, &table.definition))
            .map(|table| {
                format!(
                    "it holds the table {}, which onair did not make",
                    table.definition.name
                )
            });
        Ok(vec![owned])
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        let region = &scene.runbook.aws.region;
        gone(
            scene
                .cloud
                .delete_catalog_database(approved, region, &owned.name)
                .await,
        )?;
        Ok(())
    }
}

async fn observe(scene: &Scene<'_>, name: &str) -> Result<Option<CatalogDatabase>, PartError> {
    let region = &scene.runbook.aws.region;
    Ok(there(scene.cloud.catalog_database(region, name).await)?)
}

/// Parameters of the catalog take the place of tags.
fn is_marked(scene: &Scene<'_>, parameters: &BTreeMap<String, String>) -> bool {
    let tags: &Tags = parameters;
    super::is_marked(scene, tags)
}
