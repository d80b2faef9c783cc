//! Tags of distributions, functions and key value stores.

use std::collections::BTreeMap;

use super::CloudFront;
use super::answers::{self, Refusal};
use super::config;
use super::document::{Element, tag};
use super::routes::query;
use crate::sandbox::service::{Answer, Call};

/// Tags of one resource (AWS General Reference, "Tagging").
const MOST_TAGS: usize = 50;
/// Characters of a key and a value (service model).
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

fn invalid(why: impl Into<String>) -> Refusal {
    Refusal::new("InvalidTagging", why)
}

/// Reads a `Tags` element.
pub(super) fn parse(element: &Element) -> Result<BTreeMap<String, String>, Refusal> {
    let mut tags = BTreeMap::new();
    for item in element.items() {
        let key = item.text_of("Key").ok_or_else(|| Refusal::missing("Key"))?;
        let value = item.text_of("Value").unwrap_or_default();
        if key.is_empty() || key.chars().count() > LONGEST_KEY || key.starts_with("aws:") {
            return Err(invalid(format!("The tag key {key:?} is not valid.")));
        }
        if value.chars().count() > LONGEST_VALUE {
            return Err(invalid(format!("The value of tag {key:?} is too long.")));
        }
        let is_allowed = |character: char| {
            character.is_alphanumeric()
                || character.is_whitespace()
                || "_.:/=+-@".contains(character)
        };
        if !key.chars().chain(value.chars()).all(is_allowed) {
            return Err(invalid(format!(
                "The tag {key:?} has characters that are not allowed."
            )));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(format!("The tag key {key:?} is given twice.")));
        }
    }
    check_number(&tags)?;
    Ok(tags)
}

fn check_number(tags: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if tags.len() > MOST_TAGS {
        return Err(invalid(format!("A resource has at most {MOST_TAGS} tags.")));
    }
    Ok(())
}

impl CloudFront {
    /// Returns the tagged resource's ARN from the query, if there is such a resource.
    fn resource(&self, call: &Call<'_>) -> Result<String, Refusal> {
        let arn = query(call, "Resource").ok_or_else(|| Refusal::missing("Resource"))?;
        if !arn.starts_with("arn:aws:cloudfront::") {
            return Err(Refusal::invalid_argument(format!(
                "The resource ARN {arn:?} is not valid."
            )));
        }
        let distributions = self.distributions.values().map(|known| &known.arn);
        let functions = self.functions.values().map(|known| &known.arn);
        let stores = self.stores.values().map(|known| &known.arn);
        if distributions
            .chain(functions)
            .chain(stores)
            .any(|known| *known == arn)
        {
            Ok(arn)
        } else {
            Err(Refusal::new(
                "NoSuchResource",
                "A resource that was specified is not valid.",
            ))
        }
    }

    pub(super) fn list_tags(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let resource = self.resource(call)?;
        let items: String = self
            .tags
            .get(&resource)
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("<Tag>{}{}</Tag>", tag("Key", key), tag("Value", value)))
            .collect();
        let document = answers::rooted("Tags", &format!("<Items>{items}</Items>"));
        Ok(answers::found(call, document))
    }

    pub(super) fn tag(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let resource = self.resource(call)?;
        let (_, root) = config::parse(call.body, "Tags")?;
        let mut tags = self.tags.get(&resource).cloned().unwrap_or_default();
        tags.extend(parse(&root)?);
        check_number(&tags)?;
        self.tags.insert(resource, tags);
        Ok(answers::emptied(call))
    }

    pub(super) fn untag(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let resource = self.resource(call)?;
        let (_, root) = config::parse(call.body, "TagKeys")?;
        if let Some(tags) = self.tags.get_mut(&resource) {
            for key in root.item_texts() {
                tags.remove(key);
            }
        }
        Ok(answers::emptied(call))
    }
}
