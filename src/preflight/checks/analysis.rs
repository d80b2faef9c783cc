//! What the logs are queried with: catalog, tables, workgroup.

use std::rc::Rc;

use super::watching::{equal, present};
use crate::cloud::CatalogTable;
use crate::event::phase::Phase;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::provision::Step;
use crate::provision::logs::table;
use crate::runbook::Athena;

const TABLES: &str = "glue.GetTable";
const WORKGROUP: &str = "athena.GetWorkGroup";
const NO_TABLES: &str = "the runbook asks for no tables";
/// The hours of a day as a projection has them; a range is taken as it stands, so an hour outside of
/// it is never found.
const ALL_HOURS: (&str, &str) = ("projection.hour.range", "00,23");

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "athena.database",
        title: "the catalog has the database of the logs",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "glue.GetDatabase",
        run: asking!(database),
    },
    Check {
        id: "athena.tables",
        title: "the tables over the logs are there",
        severity: Severity::Error,
        from: Phase::Setup,
        source: TABLES,
        run: asking!(tables_present),
    },
    Check {
        id: "athena.columns",
        title: "the tables read what is logged, where it is",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "glue.GetTable against what `onair provision` makes",
        run: asking!(tables_equal),
    },
    Check {
        id: "athena.hours",
        title: "queries find all 24 hours of a day",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "glue.GetTable: partition projection",
        run: asking!(hours),
    },
    Check {
        id: "athena.workgroup",
        title: "the workgroup of the queries is there and on",
        severity: Severity::Error,
        from: Phase::Setup,
        source: WORKGROUP,
        run: asking!(workgroup),
    },
    Check {
        id: "athena.scan-limit",
        title: "no query may scan more than max-scan",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "athena.GetWorkGroup: BytesScannedCutoffPerQuery, enforced",
        run: asking!(scan_limit),
    },
    Check {
        id: "athena.output",
        title: "results go to a place of ours",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "athena.GetWorkGroup: OutputLocation",
        run: asking!(output),
    },
];

fn section<'f>(facts: &'f Facts<'_>) -> Result<&'f Athena, Gap> {
    let section = facts.runbook.athena.as_ref();
    section.ok_or_else(|| Gap::Absent("the runbook has no [athena]".to_owned()))
}

async fn database(facts: &Facts<'_>) -> Outcome {
    let (region, name) = (
        facts.runbook.aws.region.clone(),
        section(facts)?.database.clone(),
    );
    let (there, wanted) = (region.clone(), name.clone());
    let found = facts
        .read("glue.GetDatabase", &name, |cloud| async move {
            cloud.catalog_database(&there, &wanted).await
        })
        .await;
    match found {
        Ok(found) => Ok(Verdict::pass(found.name.clone())),
        Err(Gap::Absent(_)) => Ok(Verdict::fail(
            format!("there is no database {name} in {region}"),
            "onair provision --only database",
        )),
        Err(gap) => Err(gap),
    }
}

/// Each table that the runbook asks for: as it is, and what provisioning would do to it.
async fn tables(facts: &Facts<'_>) -> Result<Vec<(Step, Option<Rc<CatalogTable>>)>, Gap> {
    let database = &section(facts)?.database;
    let scene = facts.scene()?;
    let mut tables = Vec::new();
    for wanted in table::wanted(scene) {
        let found = match facts.table(database, &wanted.name).await {
            Ok(found) => Some(found),
            Err(Gap::Absent(_)) => None,
            Err(gap) => return Err(gap),
        };
        tables.push((table::step(scene, &wanted, found.as_deref()), found));
    }
    Ok(tables)
}

async fn steps(facts: &Facts<'_>) -> Result<Vec<Step>, Gap> {
    Ok(tables(facts)
        .await?
        .into_iter()
        .map(|(step, _)| step)
        .collect())
}

async fn tables_present(facts: &Facts<'_>) -> Outcome {
    Ok(present(&steps(facts).await?, NO_TABLES))
}

async fn tables_equal(facts: &Facts<'_>) -> Outcome {
    Ok(equal(&steps(facts).await?, NO_TABLES))
}

async fn hours(facts: &Facts<'_>) -> Outcome {
    let verdicts = tables(facts).await?.into_iter().map(|(_, found)| {
        let Some(found) = found else {
            return Verdict::not_applicable("no table");
        };
        let table = &found.definition;
        let (key, wanted) = ALL_HOURS;
        match table.parameters.get(key).map(String::as_str) {
            Some(range) if range == wanted => Verdict::pass(format!("{}: {range}", table.name)),
            // Without projection partitions are added one by one; then no range leaves hours out.
            None => Verdict::not_applicable(format!("{} has no hours projected", table.name)),
            Some(range) => Verdict::fail(
                format!("{} has the hours {range} alone", table.name),
                format!("onair provision --only table, or alter {key} to '{wanted}'"),
            ),
        }
    });
    Ok(Verdict::across(verdicts, NO_TABLES))
}

async fn workgroup(facts: &Facts<'_>) -> Outcome {
    let name = &section(facts)?.workgroup;
    match facts.workgroup(name).await {
        Ok(found) if found.enabled => Ok(Verdict::pass(found.name.clone())),
        Ok(_) => Ok(Verdict::fail(
            format!("workgroup {name} is disabled"),
            format!("aws athena update-work-group --work-group {name} --state ENABLED"),
        )),
        Err(Gap::Absent(_)) => Ok(Verdict::fail(
            format!("there is no workgroup {name}"),
            "onair provision --only workgroup",
        )),
        Err(gap) => Err(gap),
    }
}

async fn scan_limit(facts: &Facts<'_>) -> Outcome {
    let athena = section(facts)?;
    let found = facts.workgroup(&athena.workgroup).await?;
    let most = athena.max_scan;
    let fix = "onair provision --only workgroup, or set the limit of a workgroup that is not ours";
    Ok(match found.scan_limit {
        Some(limit) if limit <= most && found.enforced => {
            Verdict::pass(format!("{limit} of at most {most} bytes"))
        }
        Some(limit) if limit <= most => Verdict::fail(
            format!("{limit} bytes, and a query's own settings win over the workgroup's"),
            fix,
        ),
        Some(limit) => Verdict::fail(
            format!("a query may scan {limit} bytes, more than max-scan ({most})"),
            fix,
        ),
        None => Verdict::fail("a query may scan everything", fix),
    })
}

async fn output(facts: &Facts<'_>) -> Outcome {
    let athena = section(facts)?;
    let found = facts.workgroup(&athena.workgroup).await?;
    let plain = |place: &str| place.trim_end_matches('/').to_owned();
    Ok(match (&found.output, &athena.output) {
        (Some(has), Some(wanted)) if plain(has) != plain(wanted) => Verdict::fail(
            format!("results go to {has}, not to {wanted}"),
            "onair provision --only workgroup",
        ),
        (Some(has), _) => Verdict::pass(has.clone()),
        (None, _) => Verdict::fail(
            format!("workgroup {} has no place for results", athena.workgroup),
            "onair provision --only workgroup, with [athena] output in the runbook",
        ),
    })
}
