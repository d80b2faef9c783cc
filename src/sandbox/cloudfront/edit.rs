//! A distribution's document changed by hand, at all edges at once.

use super::CloudFront;
use super::config::{self, Demand, Surroundings};
use super::document::{self, Edits, Element};
use super::rollout::RolloutLog;

/// Why a document is not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentEditError {
    #[error("there is no distribution {0} in the embedded cloud")]
    NoSuchDistribution(String),
    #[error("{element} is not in the document; {parent} has {has}")]
    NoSuchElement {
        element: String,
        parent: String,
        has: String,
    },
    #[error("{0} is no path: ELEMENT/ELEMENT[2]/ELEMENT[Id=main]")]
    Path(String),
    #[error("CloudFront would refuse that document: {0}")]
    Refused(String),
}

impl CloudFront {
    /// Replaces what is between the tags of an element (`ID/ELEMENT/…`), adds the last element of the
    /// path where it is missing, or removes it without a text. A text that begins with `<` is XML.
    pub(crate) fn edit_document(
        &mut self,
        place: &str,
        text: Option<&str>,
    ) -> Result<(), DocumentEditError> {
        let path_error = || DocumentEditError::Path(place.to_owned());
        let (id, path) = place.split_once('/').ok_or_else(path_error)?;
        let old = self
            .distributions
            .get(id)
            .ok_or_else(|| DocumentEditError::NoSuchDistribution(id.to_owned()))?;
        let edited = edited(&old.document, path, text)?;
        let root = document::parse_text(&edited)
            .map_err(|error| DocumentEditError::Refused(error.to_string()))?;
        let facts = config::check(
            &root,
            Demand::Update,
            &Surroundings {
                web_acl_exists: &|_| true,
                function_is_published: &|_| true,
                alias_is_taken: &|_| false,
            },
        )
        .map_err(|refusal| DocumentEditError::Refused(refusal.to_string()))?;
        let sequence = self.next();
        let distribution = self
            .distributions
            .get_mut(id)
            .expect("it was there a moment ago");
        distribution.document = edited;
        distribution.etag.advance(&distribution.arn, sequence);
        distribution.aliases = facts.aliases;
        distribution.staging = facts.staging;
        distribution.log = RolloutLog::settled(facts.gate.clone());
        distribution.gate = facts.gate;
        Ok(())
    }
}

/// A step of a path: a name, and which one of several.
struct Step<'a> {
    name: &'a str,
    which: Which<'a>,
}

enum Which<'a> {
    Nth(usize),
    /// With a child of this name and text.
    With(&'a str, &'a str),
}

/// Splits at slashes outside brackets.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let (mut depth, mut from, mut parts) = (0_i32, 0, Vec::new());
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            b'/' if depth == 0 => {
                parts.push(&path[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&path[from..]);
    parts
        .into_iter()
        .map(|part| {
            let Some((name, rest)) = part.split_once('[') else {
                return (!part.is_empty()).then_some(Step {
                    name: part,
                    which: Which::Nth(1),
                });
            };
            let inside = rest.strip_suffix(']')?;
            let which = match inside.split_once('=') {
                Some((child, text)) => Which::With(child, text),
                None => Which::Nth(inside.parse().ok()?),
            };
            Some(Step { name, which })
        })
        .collect()
}

fn find<'e>(parent: &'e Element, step: &Step<'_>) -> Option<&'e Element> {
    let mut named = parent
        .children
        .iter()
        .filter(|child| child.name == step.name);
    match step.which {
        Which::Nth(number) => named.nth(number.checked_sub(1)?),
        Which::With(child, text) => named.find(|one| one.text_of(child) == Some(text)),
    }
}

fn edited(text: &str, path: &str, with: Option<&str>) -> Result<String, DocumentEditError> {
    let steps = steps(path).ok_or_else(|| DocumentEditError::Path(path.to_owned()))?;
    let root = document::parse_text(text)
        .map_err(|error| DocumentEditError::Refused(error.to_string()))?;
    let missing = |parent: &Element, name: &str| {
        let has: Vec<&str> = parent
            .children
            .iter()
            .map(|child| child.name.as_str())
            .collect();
        DocumentEditError::NoSuchElement {
            element: name.to_owned(),
            parent: parent.name.clone(),
            has: has.join(", "),
        }
    };
    let (last, before) = steps
        .split_last()
        .ok_or_else(|| DocumentEditError::Path(path.to_owned()))?;
    let mut parent = &root;
    for step in before {
        parent = find(parent, step).ok_or_else(|| missing(parent, step.name))?;
    }
    let content = with.map(|text| {
        if text.starts_with('<') {
            text.to_owned()
        } else {
            quick_xml::escape::escape(text).into_owned()
        }
    });
    let mut edits = Edits::default();
    match (find(parent, last), content) {
        (Some(element), Some(content)) => {
            let name = &element.name;
            let opening = element
                .namespace
                .as_ref()
                .map(|namespace| format!(" xmlns=\"{namespace}\""))
                .unwrap_or_default();
            edits.replace(
                element.outer.clone(),
                format!("<{name}{opening}>{content}</{name}>"),
            );
        }
        (Some(element), None) => edits.replace(element.outer.clone(), String::new()),
        (None, Some(content)) => {
            let name = last.name;
            edits.append(parent, &format!("<{name}>{content}</{name}>"));
        }
        (None, None) => return Err(missing(parent, last.name)),
    }
    Ok(edits.apply(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_number_and_by_what_they_hold() {
        let text =
            "<A><L><Items><I><Id>x</Id><V>1</V></I><I><Id>y/z</Id><V>2</V></I></Items></L></A>";
        let set = |path: &str, with: Option<&str>| edited(text, path, with).unwrap();
        assert!(set("L/Items/I[2]/V", Some("3")).contains("<Id>y/z</Id><V>3</V>"));
        assert!(set("L/Items/I[Id=y/z]/V", Some("3")).contains("<Id>y/z</Id><V>3</V>"));
        assert!(set("L/Items/I[Id=x]", None).contains("<Items><I><Id>y/z</Id>"));
        assert!(set("L/New", Some("<a/>")).contains("</Items><New><a/></New></L>"));
        assert!(edited(text, "L/Gone/V", Some("1")).is_err());
    }
}
