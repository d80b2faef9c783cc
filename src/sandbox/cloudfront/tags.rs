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
        let items = self
            .tags
            .get(&resource)
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("<Tag>{}{}</Tag>", tag("Key", key), tag("Value", value)))
            .collect::<Vec<_>>()
            .concat();
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

#[cfg(test)]
mod tests {
    use crate::sandbox::cloudfront::tests::{ACCOUNT, Account, outcome, request, text};

    fn tags(pairs: &[(&str, &str)]) -> String {
        let items = pairs
            .iter()
            .map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"))
            .collect::<Vec<_>>()
            .concat();
        request("Tags", &format!("<Items>{items}</Items>"))
    }

    #[test]
    fn tags_are_joined_and_taken_away() {
        let account = Account::seeded();
        let resource =
            format!("Resource=arn%3Aaws%3Acloudfront%3A%3A{ACCOUNT}%3Adistribution%2FE1");
        let send = |operation: &str, body: &str| {
            account.send(
                "POST",
                &format!("tagging?Operation={operation}&{resource}"),
                "",
                body,
            )
        };
        assert_eq!(send("Tag", &tags(&[("a", "1"), ("b", "2")])).status, 204);
        assert_eq!(send("Tag", &tags(&[("b", "3")])).status, 204);
        let keys = request("TagKeys", "<Items><Key>a</Key></Items>");
        assert_eq!(send("Untag", &keys).status, 204);
        let listed = text(&account.get(&format!("tagging?{resource}")));
        assert!(
            listed.contains("<Items><Tag><Key>b</Key><Value>3</Value></Tag></Items>"),
            "{listed}"
        );
    }

    #[test]
    fn refuses_tags_that_cloudfront_refuses() {
        let account = Account::seeded();
        let own = format!("arn:aws:cloudfront::{ACCOUNT}:distribution/E1");
        let send = |resource: &str, body: &str| {
            let target = format!("tagging?Operation=Tag&Resource={resource}");
            outcome(&account.send("POST", &target, "", body)).1
        };
        let many: Vec<String> = (0..51).map(|number| number.to_string()).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "")).collect();
        assert_eq!(send(&own, &tags(&[("aws:x", "1")])), "InvalidTagging");
        assert_eq!(send(&own, &tags(&[("", "1")])), "InvalidTagging");
        assert_eq!(
            send(&own, &tags(&[("a", "1"), ("a", "2")])),
            "InvalidTagging"
        );
        assert_eq!(send(&own, &tags(&[("a", "!")])), "InvalidTagging");
        assert_eq!(send(&own, &tags(&many)), "InvalidTagging");
        assert_eq!(send(&own, &tags(&many[..50])), "");
        assert_eq!(send(&own.replace("E1", "E2"), &tags(&[])), "NoSuchResource");
        assert_eq!(send("E1", &tags(&[])), "InvalidArgument");
    }
}
