//! Web ACLs: create, read, replace, delete, list, and what a set of rules costs.

use serde_json::{Map, Value, json};

use super::input::{Input, Text};
use super::model::{Waf, WebAcl};
use super::refusal::Refusal;
use super::{Context, Reply, page, rules, tags};
use crate::sandbox::ids::random_uuid;

/// Per account and region (Developer Guide, "AWS WAF quotas").
const MOST_WEB_ACLS: usize = 100;

/// What a client sets beside the name, as the API's structure has it; nothing else is kept.
const OPTIONAL_MEMBERS: [&str; 8] = [
    "DataProtectionConfig",
    "CustomResponseBodies",
    "CaptchaConfig",
    "ChallengeConfig",
    "TokenDomains",
    "AssociationConfig",
    "OnSourceDDoSProtectionConfig",
    "ApplicationConfig",
];

pub(super) fn create(context: &Context<'_>, state: &mut Waf, mut input: Input) -> Reply {
    let name = input.required("Name", Text::Name);
    let scope = input.scope();
    let document = document(&mut input);
    let tags = tags::initial(&mut input);
    input.finish()?;
    context.check_scope(scope)?;
    let tags = tags?;
    let capacity = check(&document, state)?;
    if state.web_acls.values().any(|acl| acl.name == name) {
        return Err(Refusal::duplicate(&name));
    }
    if state.web_acls.len() >= MOST_WEB_ACLS {
        return Err(Refusal::limit("web ACLs of an account and region"));
    }
    let id = random_uuid();
    let arn = context.arn("webacl", &name, &id);
    let mut acl = WebAcl::new(&name, id, arn);
    acl.replace(
        document,
        capacity,
        context.call.now,
        context.call.rollout.waf,
    );
    if let Some(tags) = tags {
        state.tags.insert(acl.arn.clone(), tags);
    }
    let answer = json!({"Summary": summary(&acl)});
    state.web_acls.insert(acl.id.clone(), acl);
    context.changed(&answer)
}

/// Finds the ACL by its ARN, or by name, id and scope.
pub(super) fn get(context: &Context<'_>, state: &Waf, mut input: Input) -> Reply {
    let acl = if let Some(arn) = input.optional("ARN", Text::Arn) {
        input.finish()?;
        state
            .web_acls
            .values()
            .find(|acl| acl.arn == arn)
            .ok_or_else(Refusal::nonexistent)?
    } else {
        let (name, id) = named(context, &mut input)?;
        find(state, &name, &id)?
    };
    let mut answer = acl.document.clone();
    answer.extend([
        ("Name".to_owned(), acl.name.as_str().into()),
        ("Id".to_owned(), acl.id.as_str().into()),
        ("ARN".to_owned(), acl.arn.as_str().into()),
        ("Capacity".to_owned(), acl.capacity.into()),
        ("ManagedByFirewallManager".to_owned(), false.into()),
        ("RetrofittedByFirewallManager".to_owned(), false.into()),
        (
            "LabelNamespace".to_owned(),
            format!("awswaf:{}:webacl:{}:", context.call.account, acl.name).into(),
        ),
    ]);
    context.found(&json!({"WebACL": answer, "LockToken": acl.lock_token}))
}

pub(super) fn update(context: &Context<'_>, state: &mut Waf, mut input: Input) -> Reply {
    let document = document(&mut input);
    let token = input.required("LockToken", Text::Id);
    let (name, id) = named(context, &mut input)?;
    find(state, &name, &id)?;
    let capacity = check(&document, state)?;
    let acl = state
        .web_acls
        .get_mut(&id)
        .ok_or_else(Refusal::nonexistent)?;
    if acl.lock_token != token {
        return Err(Refusal::stale_lock());
    }
    acl.replace(
        document,
        capacity,
        context.call.now,
        context.call.rollout.waf,
    );
    let answer = json!({"NextLockToken": acl.lock_token});
    context.changed(&answer)
}

pub(super) fn delete(
    context: &Context<'_>,
    state: &mut Waf,
    is_used: &dyn Fn(&str) -> bool,
    mut input: Input,
) -> Reply {
    let token = input.required("LockToken", Text::Id);
    let (name, id) = named(context, &mut input)?;
    let acl = find(state, &name, &id)?;
    if acl.lock_token != token {
        return Err(Refusal::stale_lock());
    }
    if is_used(&acl.arn) {
        return Err(Refusal::associated("a distribution"));
    }
    let arn = acl.arn.clone();
    state.tags.remove(&arn);
    state.web_acls.remove(&id);
    context.changed(&json!({}))
}

pub(super) fn list(context: &Context<'_>, state: &Waf, mut input: Input) -> Reply {
    let page = page::Request::read(&mut input)?;
    let scope = input.scope();
    input.finish()?;
    context.check_scope(scope)?;
    let mut summaries: Vec<_> = state
        .web_acls
        .values()
        .map(|acl| (acl.name.as_str(), summary(acl)))
        .collect();
    summaries.sort_by_key(|(name, _)| *name);
    context.found(&page.answer("WebACLs", summaries))
}

pub(super) fn check_capacity(context: &Context<'_>, state: &Waf, mut input: Input) -> Reply {
    let scope = input.scope();
    let rules = input.list("Rules").unwrap_or_default();
    input.finish()?;
    context.check_scope(scope)?;
    let capacity = rules::check(&rules, state)?;
    context.found(&json!({"Capacity": capacity}))
}

/// Takes what a create and an update have in common out of the call.
fn document(input: &mut Input) -> Map<String, Value> {
    let mut document = Map::new();
    let description = input.optional("Description", Text::Description);
    document.insert(
        "Description".to_owned(),
        description.unwrap_or_default().into(),
    );
    for member in ["DefaultAction", "VisibilityConfig"] {
        document.insert(member.to_owned(), input.structure(member));
    }
    let rules = input.take("Rules").unwrap_or_else(|| json!([]));
    document.insert("Rules".to_owned(), rules);
    for member in OPTIONAL_MEMBERS {
        if let Some(value) = input.take(member) {
            document.insert(member.to_owned(), value);
        }
    }
    document
}

/// Checks a document; returns the capacity of its rules.
pub(super) fn check(document: &Map<String, Value>, state: &Waf) -> Result<u64, Refusal> {
    let action: Vec<&str> = document["DefaultAction"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, _)| name.as_str())
        .collect();
    if !matches!(action.as_slice(), ["Allow" | "Block"]) {
        return Err(Refusal::parameter(
            "DEFAULT_ACTION",
            action.join(" "),
            "You must specify exactly one of Allow and Block.",
        ));
    }
    rules::check_visibility(&document["VisibilityConfig"], "webACL")?;
    let rules = document["Rules"]
        .as_array()
        .ok_or_else(|| Refusal::new("SerializationException", "Rules is not a list"))?;
    let bodies = document.get("CustomResponseBodies");
    for rule in rules {
        let key = &rule["Action"]["Block"]["CustomResponse"]["CustomResponseBodyKey"];
        if let Some(key) = key.as_str()
            && bodies.is_none_or(|bodies| bodies[key].is_null())
        {
            return Err(Refusal::parameter(
                "CUSTOM_RESPONSE_BODY",
                key,
                "The web ACL has no body of this key.",
            ));
        }
    }
    rules::check(rules, state)
}

fn named(context: &Context<'_>, input: &mut Input) -> Result<(String, String), Refusal> {
    let name = input.required("Name", Text::Name);
    let scope = input.scope();
    let id = input.required("Id", Text::Id);
    input.finish()?;
    context.check_scope(scope)?;
    Ok((name, id))
}

fn find<'a>(state: &'a Waf, name: &str, id: &str) -> Result<&'a WebAcl, Refusal> {
    state
        .web_acls
        .get(id)
        .filter(|acl| acl.name == name)
        .ok_or_else(Refusal::nonexistent)
}

fn summary(acl: &WebAcl) -> Value {
    json!({
        "Name": acl.name,
        "Id": acl.id,
        "Description": acl.document["Description"],
        "LockToken": acl.lock_token,
        "ARN": acl.arn,
    })
}
