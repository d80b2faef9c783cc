//! What of the event hangs on a distribution that is not ours: the function on the behaviors that
//! serve the sample paths, the real-time log configuration, the web ACL, the geo restriction. All of it
//! is one update of the document that was read; every other byte of it goes back as it came.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::{every, function_arn, if_there, realtime};
use crate::cloud::{
    Approved, Behavior, DistributionDocument, DistributionStatus, DocumentError, serving,
};
use crate::ledger::body::{GeoMode, GeoState};
use crate::observe::{self, ObservedDistribution};
use crate::plan::geo::with_open_entries;
use crate::plan::meant::geo_state;
use crate::provision::{
    Difference, Done, Iac, Managed, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};
use crate::runbook::Distribution;

pub(super) const KIND: &str = "distribution";

pub(crate) struct DistributionPart;

/// What a distribution should have, as far as the runbook speaks of it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Wanted {
    /// ARN.
    function: Option<String>,
    /// ARN.
    realtime_logs: Option<String>,
    web_acl: Option<WebAcl>,
    geo: Option<GeoState>,
    /// The sample paths; those behaviors are meant.
    paths: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum WebAcl {
    Arn(String),
    /// By name: this run makes it before it gets to the distributions.
    ToBeMade(String),
}

/// The document as it should be, what that changes, and what is in the way.
#[derive(Debug)]
struct Draft {
    document: DistributionDocument,
    changes: Vec<Difference>,
    in_the_way: Vec<String>,
    notes: Vec<String>,
}

#[async_trait(?Send)]
impl Part for DistributionPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Attached
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let planned = scene.runbook.distributions.iter();
        let planned = join_all(planned.map(|one| plan_one(scene, one))).await;
        planned.into_iter().collect()
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let one = scene
            .runbook
            .distributions
            .iter()
            .find(|one| one.id == step.name)
            .ok_or_else(|| PartError::Other(format!("{} is not in the runbook", step.name)))?;
        let _turn = scene.turn(&format!("distribution-{}", one.id)).await;
        scene.forget_distribution(&one.id);
        let read = scene.document(&one.id).await?;
        let observed = observed(&one.id, &read.value, &read.version)?;
        let wanted = wanted(scene, one, &observed.geo).await?;
        if let Some(WebAcl::ToBeMade(name)) = &wanted.web_acl {
            return Err(PartError::refused(
                format!("there is no web ACL {name}, which {} should have", one.id),
                "make it first, or name another in waf.web-acl",
            ));
        }
        let draft = draft(&observed, &wanted)?;
        if let Some(why) = draft.in_the_way.first() {
            return Err(PartError::refused(why, "onair provision --dry-run"));
        }
        if draft.changes.is_empty() {
            return Ok(Done::unchanged());
        }
        let now = fingerprint(observed.document.bytes());
        scene.check_unmoved(step, &now, || {
            let expected = &step.changes;
            let other: Vec<String> = draft
                .changes
                .iter()
                .filter(|change| !expected.contains(change))
                .map(Difference::as_found)
                .collect();
            if other.is_empty() {
                format!("its configuration is another now (ETag {})", observed.etag)
            } else {
                other.join("; ")
            }
        })?;
        let written = scene
            .cloud
            .update_distribution(approved, &one.id, &draft.document, &observed.etag)
            .await;
        scene.forget_distribution(&one.id);
        written?;
        scene.wrote(&step.resource(), fingerprint(draft.document.bytes()));
        let mut done = Done::changed(1);
        done.notes.push(format!(
            "{} rolls out within minutes; `onair status` follows it",
            one.id
        ));
        Ok(done)
    }

    /// What refers to resources of ours: it comes off before they are deleted.
    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let mut owned = Vec::new();
        for one in &scene.runbook.distributions {
            let Some(read) = if_there(scene.document(&one.id).await)? else {
                continue;
            };
            let after = detached(scene, &one.id, &read.value)?;
            if after != read.value {
                owned.push(Owned::attachment(KIND, &one.id));
            }
        }
        Ok(owned)
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        let id = owned.name.as_str();
        let turn = scene.turn(&format!("distribution-{id}")).await;
        scene.forget_distribution(id);
        let read = scene.document(id).await?;
        let after = detached(scene, id, &read.value)?;
        if after != read.value {
            let written = scene
                .cloud
                .update_distribution(approved, id, &after, &read.version)
                .await;
            scene.forget_distribution(id);
            written?;
        }
        drop(turn);
        scene
            .wait_until(&owned.resource(), every(scene), async || {
                let status = scene.cloud.distribution(id).await?.status;
                Ok(
                    (status != DistributionStatus::Deployed)
                        .then(|| "still rolling out".to_owned()),
                )
            })
            .await
    }
}

async fn plan_one(scene: &Scene<'_>, one: &Distribution) -> Result<Step, PartError> {
    let read = scene.document(&one.id).await?;
    let observed = observed(&one.id, &read.value, &read.version)?;
    let wanted = wanted(scene, one, &observed.geo).await?;
    let draft = draft(&observed, &wanted)?;
    if !draft.in_the_way.is_empty() {
        return Ok(Step::refused(KIND, &one.id, draft.in_the_way.join("; ")));
    }
    let now = fingerprint(observed.document.bytes());
    let mut step = Step::existing(KIND, &one.id, draft.changes, now).touching(&one.id);
    if !draft.notes.is_empty() {
        step = step.noting(draft.notes.join("; "));
    }
    let comment = read.value.comment().unwrap_or_default();
    let tags = if step.action.is_pending() {
        let arn = format!(
            "arn:aws:cloudfront::{}:distribution/{}",
            scene.account, one.id
        );
        scene.cloud.cloudfront_tags(&arn).await.unwrap_or_default()
    } else {
        // Whose it is matters only when it is changed.
        Vec::new()
    };
    let marks = tags.iter().map(|(key, value)| (&**key, &**value));
    step = step.managed(managed(&one.id, Iac::of(marks, &comment)));
    Ok(step)
}

fn observed(
    id: &str,
    document: &DistributionDocument,
    etag: &str,
) -> Result<ObservedDistribution, PartError> {
    observe::observed_distribution(id, document.clone(), etag.to_owned())
        .map_err(|error| PartError::Other(error.to_string()))
}

fn unreadable(id: &str, error: &dyn std::error::Error) -> PartError {
    PartError::Other(format!(
        "distribution {id}: its configuration could not be read: {error}"
    ))
}

async fn wanted(
    scene: &Scene<'_>,
    one: &Distribution,
    observed: &GeoState,
) -> Result<Wanted, PartError> {
    let runbook = scene.runbook;
    let web_acl = match &runbook.waf {
        None => None,
        Some(waf) => {
            let known = scene.web_acls().await?;
            let found = known.iter().find(|acl| acl.name == waf.web_acl);
            Some(match found {
                Some(acl) => WebAcl::Arn(acl.arn.clone()),
                None => WebAcl::ToBeMade(waf.web_acl.clone()),
            })
        }
    };
    let samples = &one.samples;
    let paths = [
        &samples.manifest,
        &samples.segment,
        &samples.key,
        &samples.ad_manifest,
    ];
    Ok(Wanted {
        function: runbook
            .tokens
            .as_ref()
            .map(|tokens| function_arn(scene, &tokens.function)),
        realtime_logs: runbook
            .logs
            .realtime
            .as_ref()
            .map(|logs| realtime::arn(scene, &logs.config)),
        web_acl,
        geo: runbook
            .geo
            .as_ref()
            .map(|geo| with_open_entries(&geo_state(geo), observed, &scene.view, &one.id)),
        paths: paths.into_iter().flatten().cloned().collect(),
    })
}

/// Pure: the document that was read and what is wanted in, the document to send out.
fn draft(observed: &ObservedDistribution, wanted: &Wanted) -> Result<Draft, PartError> {
    let mut draft = Draft {
        document: observed.document.clone(),
        changes: Vec::new(),
        in_the_way: Vec::new(),
        notes: Vec::new(),
    };
    let broken = |error: &dyn std::error::Error| PartError::Other(error.to_string());
    let behaviors = observed
        .document
        .behaviors()
        .map_err(|error| broken(&error))?;
    let mut meant: BTreeSet<Option<String>> = wanted
        .paths
        .iter()
        .filter_map(|path| serving(&behaviors, path))
        .map(|behavior| behavior.pattern.clone())
        .collect();
    if wanted.paths.is_empty() {
        meant.insert(None);
        draft
            .notes
            .push("no sample paths in the runbook: the default behavior is meant".to_owned());
    }
    for behavior in &behaviors {
        if !meant.contains(&behavior.pattern) {
            continue;
        }
        attach_function(&mut draft, behavior, wanted).map_err(|error| broken(&error))?;
        attach_logs(&mut draft, behavior, wanted).map_err(|error| broken(&error))?;
    }
    if let Some(web_acl) = &wanted.web_acl {
        let now = draft.document.web_acl().map_err(|error| broken(&error))?;
        let (to, arn) = match web_acl {
            WebAcl::Arn(arn) => (arn.clone(), Some(arn)),
            WebAcl::ToBeMade(name) => (format!("{name}, made by this run"), None),
        };
        if now.as_ref() != arn || arn.is_none() {
            draft
                .changes
                .push(Difference::new("WebACLId", now, Some(to)));
            if let Some(arn) = arn {
                draft.document = draft
                    .document
                    .with_web_acl(arn)
                    .map_err(|error| broken(&error))?;
            }
        }
    }
    if let Some(geo) = &wanted.geo {
        let sorted = |state: &GeoState| {
            let mut countries = state.countries.clone();
            countries.sort_unstable();
            (state.mode, countries)
        };
        if geo.mode == GeoMode::Allow && geo.countries.is_empty() {
            draft
                .in_the_way
                .push("the allow list would be empty, and nobody would be served".to_owned());
        } else if sorted(&observed.geo) != sorted(geo) {
            // Codes that are not in our table go back as they came.
            let restriction = observe::restriction(geo, &observed.unread);
            draft.changes.push(Difference::new(
                "Restrictions.GeoRestriction",
                Some(geo_words(&observed.geo, &observed.unread)),
                Some(geo_words(geo, &observed.unread)),
            ));
            draft.document = draft
                .document
                .with_geo(&restriction)
                .map_err(|error| broken(&error))?;
        }
    }
    Ok(draft)
}

fn attach_function(
    draft: &mut Draft,
    behavior: &Behavior,
    wanted: &Wanted,
) -> Result<(), DocumentError> {
    let Some(arn) = &wanted.function else {
        return Ok(());
    };
    let field = behavior.field();
    match &behavior.function {
        Some(now) if now == arn => return Ok(()),
        Some(other) => {
            draft.in_the_way.push(format!(
                "{field} has another function on viewer requests ({other}), and CloudFront takes one"
            ));
            return Ok(());
        }
        None if behavior.has_viewer_lambda => {
            draft.in_the_way.push(format!(
                "{field} has a Lambda@Edge function on a viewer event, which keeps CloudFront functions out"
            ));
            return Ok(());
        }
        None => {}
    }
    draft.changes.push(Difference::new(
        format!("{field}.FunctionAssociations.viewer-request"),
        None::<&str>,
        Some(arn.clone()),
    ));
    draft.document = draft
        .document
        .with_function(behavior.pattern.as_deref(), Some(arn))?;
    Ok(())
}

fn attach_logs(
    draft: &mut Draft,
    behavior: &Behavior,
    wanted: &Wanted,
) -> Result<(), DocumentError> {
    let Some(arn) = &wanted.realtime_logs else {
        return Ok(());
    };
    match &behavior.realtime_logs {
        Some(now) if now == arn => return Ok(()),
        Some(other) => {
            draft.in_the_way.push(format!(
                "{} sends real-time logs elsewhere ({other}), and CloudFront takes one configuration",
                behavior.field()
            ));
            return Ok(());
        }
        None => {}
    }
    draft.changes.push(Difference::new(
        format!("{}.RealtimeLogConfigArn", behavior.field()),
        None::<&str>,
        Some(arn.clone()),
    ));
    draft.document = draft
        .document
        .with_realtime_logs(behavior.pattern.as_deref(), Some(arn))?;
    Ok(())
}

fn geo_words(state: &GeoState, unread: &[String]) -> String {
    let mut codes: Vec<&str> = state.countries.iter().map(|one| one.code()).collect();
    codes.extend(unread.iter().map(String::as_str));
    codes.sort_unstable();
    match state.mode {
        GeoMode::None => "no restriction".to_owned(),
        GeoMode::Allow => format!("only {}", codes.join(" ")),
        GeoMode::Block => format!("all but {}", codes.join(" ")),
    }
}

/// The document without what refers to resources that the ledger says are ours.
fn detached(
    scene: &Scene<'_>,
    id: &str,
    document: &DistributionDocument,
) -> Result<DistributionDocument, PartError> {
    let claims = scene.view.claims();
    let is_ours = |kind: &str, arn: &str, name: &dyn Fn(&str) -> String| {
        claims
            .iter()
            .filter(|claim| claim.kind == kind)
            .any(|claim| arn.starts_with(&name(&claim.name)))
    };
    let mut after = document.clone();
    let behaviors = document
        .behaviors()
        .map_err(|error| unreadable(id, &error))?;
    for behavior in behaviors {
        let pattern = behavior.pattern.as_deref();
        if let Some(arn) = &behavior.function
            && claims
                .iter()
                .any(|claim| claim.kind == "function" && *arn == function_arn(scene, &claim.name))
        {
            after = after
                .with_function(pattern, None)
                .map_err(|error| unreadable(id, &error))?;
        }
        if let Some(arn) = &behavior.realtime_logs
            && claims.iter().any(|claim| {
                claim.kind == "realtime-log-config" && *arn == realtime::arn(scene, &claim.name)
            })
        {
            after = after
                .with_realtime_logs(pattern, None)
                .map_err(|error| unreadable(id, &error))?;
        }
    }
    let web_acl = document.web_acl().map_err(|error| unreadable(id, &error))?;
    if let Some(arn) = web_acl
        && is_ours("web-acl", &arn, &|name| {
            format!(
                "arn:aws:wafv2:us-east-1:{}:global/webacl/{name}/",
                scene.account
            )
        })
    {
        after = after
            .with_web_acl("")
            .map_err(|error| unreadable(id, &error))?;
    }
    Ok(after)
}

/// How infrastructure-as-code sees the distribution. Tags that cannot be read leave it unknown.
/// How infrastructure-as-code sees a distribution, of which only some fields are ours.
fn managed(id: &str, by: Option<Iac>) -> Managed {
    Managed {
        by,
        terraform_type: "aws_cloudfront_distribution",
        terraform_ignore: [
            "web_acl_id",
            "restrictions",
            "default_cache_behavior[0].function_association",
            "default_cache_behavior[0].realtime_log_config_arn",
            "ordered_cache_behavior",
        ]
        .map(str::to_owned)
        .to_vec(),
        import_id: id.to_owned(),
        cloudformation_type: "AWS::CloudFront::Distribution",
        cloudformation_properties: [
            "DistributionConfig.WebACLId",
            "DistributionConfig.Restrictions",
            "DistributionConfig.DefaultCacheBehavior.FunctionAssociations",
            "DistributionConfig.DefaultCacheBehavior.RealtimeLogConfigArn",
            "DistributionConfig.CacheBehaviors",
        ]
        .map(str::to_owned)
        .to_vec(),
    }
}
