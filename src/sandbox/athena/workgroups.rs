//! Operations on workgroups.

use serde_json::{Value, json};

use super::{DIALECT, PRIMARY, Region, WorkGroup, missing_workgroup, paging, workgroup_name};
use crate::sandbox::json::{self, Members, Refusal, Reply, changed, found};
use crate::sandbox::service::Call;

/// Workgroups of an account in a region (General Reference).
const MOST: usize = 1000;
/// The least that a query may be allowed to scan: 10 MB.
const LEAST_CUTOFF: i64 = 10_000_000;

/// What a workgroup has when nothing is said.
pub(super) fn initial() -> Value {
    json!({
        "ResultConfiguration": {},
        "EnforceWorkGroupConfiguration": true,
        "PublishCloudWatchMetricsEnabled": true,
        "RequesterPaysEnabled": false,
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    })
}

pub(super) fn create(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let name = workgroup_name(input, "Name")?;
    let description = input.optional_text("Description", 0..=1024)?;
    let tags = super::tags::read(input)?.unwrap_or_default();
    let mut configuration = initial();
    if let Some(asked) = input.structure("Configuration")? {
        settle(&mut configuration, &asked, "ResultConfiguration")?;
    }
    if region.workgroups.contains_key(&name) {
        return Err(DIALECT.invalid("WorkGroup is already created"));
    }
    if region.workgroups.len() >= MOST {
        return Err(DIALECT.invalid("The limit of workgroups of the account is reached."));
    }
    region.workgroups.insert(
        name,
        WorkGroup {
            created: Some(call.now),
            enabled: true,
            description,
            configuration,
            tags,
        },
    );
    changed(call, &json!({}))
}

/// Changes what is named and keeps the rest.
pub(super) fn update(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let name = workgroup_name(input, "WorkGroup")?;
    let description = input.optional_text("Description", 0..=1024)?;
    let state = input.word("State", &["ENABLED", "DISABLED"])?;
    let workgroup = region
        .workgroups
        .get_mut(&name)
        .ok_or_else(missing_workgroup)?;
    let mut configuration = workgroup.configuration.clone();
    if let Some(asked) = input.structure("ConfigurationUpdates")? {
        settle(&mut configuration, &asked, "ResultConfigurationUpdates")?;
        if asked.flag("RemoveBytesScannedCutoffPerQuery")? == Some(true)
            && let Some(members) = configuration.as_object_mut()
        {
            members.shift_remove("BytesScannedCutoffPerQuery");
        }
    }
    workgroup.configuration = configuration;
    if let Some(description) = description {
        workgroup.description = Some(description);
    }
    if let Some(state) = state {
        workgroup.enabled = state == "ENABLED";
    }
    changed(call, &json!({}))
}

pub(super) fn get(call: &Call<'_>, region: &Region, input: &Members) -> Reply {
    let name = workgroup_name(input, "WorkGroup")?;
    let workgroup = region.workgroups.get(&name).ok_or_else(missing_workgroup)?;
    let mut shown = summary(&name, workgroup);
    shown["Configuration"] = workgroup.configuration.clone();
    found(call, &json!({"WorkGroup": shown}))
}

pub(super) fn list(call: &Call<'_>, region: &Region, input: &Members) -> Reply {
    let (limit, token) = paging(input)?;
    let items = region.workgroups.iter().map(|(name, workgroup)| {
        let mut shown = summary(name, workgroup);
        shown["EngineVersion"] = workgroup.configuration["EngineVersion"].clone();
        (name.clone(), shown)
    });
    let (page, next) = json::page(items, token.as_deref(), limit, DIALECT)?;
    let mut answer = json!({"WorkGroups": page});
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    found(call, &answer)
}

pub(super) fn delete(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let name = workgroup_name(input, "WorkGroup")?;
    let takes_all = input.flag("RecursiveDeleteOption")?.unwrap_or(false);
    if name == PRIMARY {
        return Err(DIALECT.invalid("The primary workgroup cannot be deleted."));
    }
    if !region.workgroups.contains_key(&name) {
        return Err(missing_workgroup());
    }
    let holds = region.queries.values().any(|query| query.workgroup == name);
    if holds && !takes_all {
        return Err(DIALECT.invalid(format!("WorkGroup {name} is not empty")));
    }
    region.queries.retain(|_, query| query.workgroup != name);
    region
        .executions
        .retain(|_, execution| execution.workgroup != name);
    region.workgroups.remove(&name);
    changed(call, &json!({}))
}

fn summary(name: &str, workgroup: &WorkGroup) -> Value {
    let state = if workgroup.enabled {
        "ENABLED"
    } else {
        "DISABLED"
    };
    let mut shown = json!({"Name": name, "State": state});
    if let Some(description) = &workgroup.description {
        shown["Description"] = description.as_str().into();
    }
    if let Some(created) = workgroup.created {
        shown["CreationTime"] = json::time(created);
    }
    shown
}

/// Takes the members of a call over into a configuration. `results` is the member for the place of
/// the results, which creating and updating name differently.
fn settle(configuration: &mut Value, asked: &Members, results: &str) -> Result<(), Refusal> {
    for name in [
        "EnforceWorkGroupConfiguration",
        "PublishCloudWatchMetricsEnabled",
        "RequesterPaysEnabled",
    ] {
        if let Some(flag) = asked.flag(name)? {
            configuration[name] = flag.into();
        }
    }
    if let Some(cutoff) = asked.number("BytesScannedCutoffPerQuery", LEAST_CUTOFF..=i64::MAX)? {
        configuration["BytesScannedCutoffPerQuery"] = cutoff.into();
    }
    if let Some(place) = asked.structure(results)? {
        if let Some(location) = place.optional_text("OutputLocation", 0..=2048)? {
            if !location.starts_with("s3://") {
                return Err(DIALECT.invalid("outputLocation is not a valid S3 path."));
            }
            configuration["ResultConfiguration"]["OutputLocation"] = location.into();
        }
        if place.flag("RemoveOutputLocation")? == Some(true)
            && let Some(members) = configuration["ResultConfiguration"].as_object_mut()
        {
            members.shift_remove("OutputLocation");
        }
        if let Some(encryption) = place.raw("EncryptionConfiguration") {
            configuration["ResultConfiguration"]["EncryptionConfiguration"] = encryption.clone();
        }
    }
    Ok(())
}
