//! The catalog's queries as Athena's named queries, filled in for the event, so that anybody with the
//! console finds them. Athena gives them no tags: the name's prefix is the mark.

use async_trait::async_trait;

use super::{gone, made, there, words};
use crate::cloud::{Approved, NamedQuery};
use crate::provision::{
    Action, Difference, Done, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};
use crate::query::{self, CatalogQuery};

const KIND: &str = "named-query";

pub(super) struct NamedQueryPart;

/// A query as it should be.
struct Wanted {
    name: String,
    description: String,
    text: String,
}

#[async_trait(?Send)]
impl Part for NamedQueryPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Attached
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let wanted = wanted(scene);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let observed = observe(scene).await?;
        Ok(wanted.iter().map(|one| step(one, &observed)).collect())
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        planned: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        // One text alone is made: each is long, and there is a step for each.
        let asked = query::all()
            .iter()
            .filter(|query| name(scene, query) == planned.name)
            .find_map(|query| wanted_of(scene, query));
        let Some((wanted, athena)) = asked.zip(scene.runbook.athena.as_ref()) else {
            return Ok(Done::unchanged());
        };
        let observed = observe(scene).await?;
        let now = step(&wanted, &observed);
        match now.action {
            Action::Keep | Action::Refused => return Ok(Done::unchanged()),
            _ => scene.check_unmoved(planned, &now.fingerprint, || words(&now))?,
        }
        let (cloud, text) = (scene.cloud, wanted.text.as_str());
        let (name, description) = (wanted.name.as_str(), wanted.description.as_str());
        if let Some(found) = observed.iter().find(|one| one.name == *name) {
            cloud
                .update_named_query(approved, &found.id, name, description, text)
                .await?;
            Ok(Done::changed(1))
        } else {
            let id = cloud
                .create_named_query(
                    approved,
                    &athena.workgroup,
                    &athena.database,
                    name,
                    description,
                    text,
                )
                .await?;
            Ok(Done::made(1, made(scene, planned, Some(id))))
        }
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let prefix = scene.prefix();
        let observed = observe(scene).await?;
        Ok(observed
            .into_iter()
            .filter(|query| query.name.starts_with(&prefix))
            .map(|query| Owned::new(KIND, query.name, true).with_id(query.id))
            .collect())
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        if let Some(id) = &owned.id {
            gone(scene.cloud.delete_named_query(approved, id).await)?;
        }
        Ok(())
    }
}

/// None while the workgroup is not there yet.
async fn observe(scene: &Scene<'_>) -> Result<Vec<NamedQuery>, PartError> {
    let Some(athena) = &scene.runbook.athena else {
        return Ok(Vec::new());
    };
    let found = there(scene.cloud.named_queries(&athena.workgroup).await)?;
    Ok(found.unwrap_or_default())
}

fn wanted(scene: &Scene<'_>) -> Vec<Wanted> {
    let queries = query::all();
    queries
        .iter()
        .filter_map(|query| wanted_of(scene, query))
        .collect()
}

/// None when the runbook keeps no logs that the query could read.
fn wanted_of(scene: &Scene<'_>, query: &CatalogQuery) -> Option<Wanted> {
    Some(Wanted {
        name: name(scene, query),
        description: format!("{}; made by onair", query.purpose),
        text: query::named::filled(query, scene.runbook)?,
    })
}

fn name(scene: &Scene<'_>, query: &CatalogQuery) -> String {
    format!("{}{}", scene.prefix(), query.name)
}

fn step(wanted: &Wanted, observed: &[NamedQuery]) -> Step {
    let Some(found) = observed.iter().find(|one| one.name == wanted.name) else {
        return Step::create(KIND, &wanted.name);
    };
    let mut changes = Vec::new();
    if found.text != wanted.text {
        // The texts are long: where they part says more than both.
        changes.push(Difference::new(
            "QueryString",
            Some(parting(&found.text, &wanted.text)),
            Some(parting(&wanted.text, &found.text)),
        ));
    }
    Difference::between(
        &mut changes,
        "Description",
        found.description.as_ref(),
        Some(&wanted.description),
    );
    let print = format!("{}/{:?}/{}", found.text, found.description, found.database);
    Step::existing(KIND, &wanted.name, changes, fingerprint(print))
}

/// The first line of `text` that is not in the same place in `other`.
fn parting(text: &str, other: &str) -> String {
    let mut others = other.lines();
    text.lines()
        .enumerate()
        .find(|(_, line)| others.next() != Some(line))
        .map_or_else(
            || format!("{} lines", text.lines().count()),
            |(number, line)| {
                format!(
                    "line {}: {}",
                    number + 1,
                    crate::event::text::printable(line.trim())
                )
            },
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_first_line_that_parts() {
        assert_eq!(parting("a\nb\nc", "a\nx\nc"), "line 2: b");
        assert_eq!(parting("a", "a\nb"), "1 lines");
        assert_eq!(parting("a\nb", "a"), "line 2: b");
    }
}
