//! Lists in pages, by `NextMarker` and `Limit`.

use serde_json::{Value, json};

use super::input::{Input, Text};
use super::refusal::Refusal;

/// The longest page, also when no limit is asked for (botocore `wafv2`, `PaginationLimit`).
const LONGEST: u64 = 100;

/// Which page is asked for.
#[derive(Debug)]
pub(super) struct Request {
    after: Option<String>,
    limit: usize,
}

impl Request {
    pub(super) fn read(input: &mut Input) -> Result<Self, Refusal> {
        let after = match input.optional("NextMarker", Text::Marker) {
            Some(marker) => Some(read_marker(&marker).ok_or_else(|| {
                Refusal::parameter("ENTITY_LIMIT", &marker, "The marker is not valid.")
            })?),
            None => None,
        };
        let limit = input.number("Limit", 1, LONGEST).unwrap_or(LONGEST);
        Ok(Self {
            after,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        })
    }

    /// The page of `items`, which are sorted by their names.
    pub(super) fn answer(&self, member: &str, items: Vec<(&str, Value)>) -> Value {
        let mut items = items
            .into_iter()
            .filter(|(name, _)| self.after.as_deref().is_none_or(|after| *name > after))
            .peekable();
        let mut page = Vec::new();
        let mut last = String::new();
        while page.len() < self.limit
            && let Some((name, item)) = items.next()
        {
            name.clone_into(&mut last);
            page.push(item);
        }
        let mut answer = json!({ member: page });
        if items.peek().is_some() {
            answer["NextMarker"] = hex::encode(last).into();
        }
        answer
    }
}

/// Opaque to clients, so that none comes to rely on names in it.
fn read_marker(marker: &str) -> Option<String> {
    String::from_utf8(hex::decode(marker).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_to_the_whole_list() {
        let names = ["a", "b", "c", "d", "e"];
        let mut seen = Vec::new();
        let mut marker = None;
        loop {
            let body = json!({"Limit": 2, "NextMarker": marker}).to_string();
            let request = Request::read(&mut Input::parse(body.as_bytes()).unwrap()).unwrap();
            let items = names.map(|name| (name, Value::from(name))).to_vec();
            let answer = request.answer("Items", items);
            seen.extend(answer["Items"].as_array().unwrap().iter().cloned());
            match answer.get("NextMarker") {
                Some(next) => marker = Some(next.as_str().unwrap().to_owned()),
                None => break,
            }
        }
        assert_eq!(seen, names);
    }
}
