//! Operations on named queries. Their names need not be unique; their ids are.

use serde_json::{Value, json};

use super::{
    DIALECT, NamedQuery, PRIMARY, Region, missing, missing_workgroup, paging, workgroup_name,
};
use crate::sandbox::ids::random_uuid;
use crate::sandbox::json::{self, Members, Refusal, Reply, changed, found};
use crate::sandbox::service::Call;

const LONGEST_TEXT: usize = 262_144;

pub(super) fn create(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let query = NamedQuery {
        name: input.text("Name", 1..=128)?,
        description: input.optional_text("Description", 1..=1024)?,
        database: input.text("Database", 1..=255)?,
        text: input.text("QueryString", 1..=LONGEST_TEXT)?,
        workgroup: workgroup_of(input)?,
        token: input.optional_text("ClientRequestToken", 32..=128)?,
    };
    if !region.workgroups.contains_key(&query.workgroup) {
        return Err(missing_workgroup());
    }
    let before = region
        .queries
        .iter()
        .find(|(_, known)| known.token.is_some() && known.token == query.token);
    let id = match before {
        Some((id, known)) if *known == query => id.clone(),
        Some(_) => {
            return Err(DIALECT.invalid(
                "Idempotent parameters do not match: the token was used with other parameters.",
            ));
        }
        None => {
            let id = random_uuid();
            region.queries.insert(id.clone(), query);
            id
        }
    };
    changed(call, &json!({"NamedQueryId": id}))
}

pub(super) fn update(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let id = input.text("NamedQueryId", 1..=128)?;
    let name = input.text("Name", 1..=128)?;
    let description = input.optional_text("Description", 0..=1024)?;
    let text = input.text("QueryString", 1..=LONGEST_TEXT)?;
    let query = region
        .queries
        .get_mut(&id)
        .ok_or_else(|| missing_query(&id))?;
    query.name = name;
    query.text = text;
    if description.is_some() {
        query.description = description.filter(|text| !text.is_empty());
    }
    changed(call, &json!({}))
}

pub(super) fn get(call: &Call<'_>, region: &Region, input: &Members) -> Reply {
    let id = input.text("NamedQueryId", 1..=128)?;
    let query = region.queries.get(&id).ok_or_else(|| missing_query(&id))?;
    found(call, &json!({"NamedQuery": show(&id, query)}))
}

pub(super) fn get_many(call: &Call<'_>, region: &Region, input: &Members) -> Reply {
    let ids = input
        .texts("NamedQueryIds")?
        .ok_or_else(|| input.missing("namedQueryIds"))?;
    if !(1..=50).contains(&ids.len()) {
        return Err(DIALECT.invalid("namedQueryIds has 1 to 50 members"));
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for id in &ids {
        match region.queries.get(id) {
            Some(query) => known.push(show(id, query)),
            None => unknown.push(json!({
                "NamedQueryId": id,
                "ErrorCode": "NAMED_QUERY_NOT_FOUND",
                "ErrorMessage": format!("Named query {id} is not found."),
            })),
        }
    }
    found(
        call,
        &json!({"NamedQueries": known, "UnprocessedNamedQueryIds": unknown}),
    )
}

pub(super) fn list(call: &Call<'_>, region: &Region, input: &Members) -> Reply {
    let (limit, token) = paging(input)?;
    let workgroup = workgroup_of(input)?;
    if !region.workgroups.contains_key(&workgroup) {
        return Err(missing_workgroup());
    }
    let items = region
        .queries
        .iter()
        .filter(|(_, query)| query.workgroup == workgroup)
        .map(|(id, _)| (id.clone(), Value::from(id.as_str())));
    let (page, next) = json::page(items, token.as_deref(), limit, DIALECT)?;
    let mut answer = json!({"NamedQueryIds": page});
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    found(call, &answer)
}

pub(super) fn delete(call: &Call<'_>, region: &mut Region, input: &Members) -> Reply {
    let id = input.text("NamedQueryId", 1..=128)?;
    region
        .queries
        .remove(&id)
        .ok_or_else(|| missing_query(&id))?;
    changed(call, &json!({}))
}

fn workgroup_of(input: &Members) -> Result<String, Refusal> {
    match input.raw("WorkGroup") {
        Some(_) => workgroup_name(input, "WorkGroup"),
        None => Ok(PRIMARY.to_owned()),
    }
}

fn missing_query(id: &str) -> Refusal {
    missing(&format!("NamedQuery {id}"))
}

fn show(id: &str, query: &NamedQuery) -> Value {
    let mut shown = json!({
        "NamedQueryId": id,
        "Name": query.name,
        "Database": query.database,
        "QueryString": query.text,
        "WorkGroup": query.workgroup,
    });
    if let Some(description) = &query.description {
        shown["Description"] = description.as_str().into();
    }
    shown
}
