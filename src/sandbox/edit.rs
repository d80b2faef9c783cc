//! Changes to the embedded cloud's state by hand, so that any fault can be rehearsed: a value at a
//! JSON pointer of a service's state, or an element of a distribution's document.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::account::Sandbox;
use super::cloudfront::DocumentEditError;
use super::state::{Held, StateError};
use crate::event::text::did_you_mean;

/// Why a change by hand is not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error("there is no service {0} in the embedded cloud{nearest}", nearest = meant(.0, &SERVICES))]
    Service(String),
    #[error("{pointer} is no place of the state{nearest}; {at} has {holds}")]
    Unknown {
        pointer: String,
        /// A question, or nothing.
        nearest: String,
        at: String,
        holds: String,
    },
    #[error("{pointer} leads nowhere; {at} holds {holds}")]
    Nowhere {
        pointer: String,
        at: String,
        holds: String,
    },
    #[error("the state would not be one any more")]
    Unfit(#[source] serde_json::Error),
    #[error(transparent)]
    Document(#[from] DocumentEditError),
    #[error(transparent)]
    State(#[from] StateError),
}

impl Sandbox {
    /// Puts `value` at `place` of a service's state; without a value, what is there is removed.
    ///
    /// For `distribution`, the place is an id and the path of an element (`E1/HttpVersion`,
    /// `E1/Origins/Items/Origin[2]/DomainName`, `E1/CacheBehaviors/Items/CacheBehavior[PathPattern=*.m4s]/Compress`),
    /// and the change is at all edges at once.
    pub(crate) fn edit(
        &self,
        service: &str,
        place: &str,
        value: Option<Value>,
    ) -> Result<(), EditError> {
        self.transact_or(|held, folder| {
            let Held {
                index,
                cloudfront,
                stores,
                waf,
                samples: _,
                acm,
                athena,
                cloudwatch,
                glue,
                iam,
                kinesis,
                logs,
                mediaconnect,
                medialive,
                mediapackage,
                mediatailor,
                s3,
                origin,
            } = held;
            match service {
                "settings" => {
                    let settings =
                        serde_json::to_value(&index.settings).map_err(EditError::Unfit)?;
                    index.settings = fitting(settings, place, value)?;
                    Ok(())
                }
                "distribution" => {
                    let text = value.map(|value| match value {
                        Value::String(text) => text,
                        other => other.to_string(),
                    });
                    cloudfront
                        .read(folder, index)?
                        .edit_document(place, text.as_deref())?;
                    cloudfront.touch();
                    Ok(())
                }
                "cloudfront" => cloudfront.edit(folder, index, place, value),
                "keyvaluestore" => stores.edit(folder, index, place, value),
                "wafv2" => waf.edit(folder, index, place, value),
                "acm" => acm.edit(folder, index, place, value),
                "athena" => athena.edit(folder, index, place, value),
                // The viewers whose requests are logged and counted.
                "audience" => {
                    cloudwatch.edit(folder, index, &format!("/audience/crowd{place}"), value)
                }
                "cloudwatch" => cloudwatch.edit(folder, index, place, value),
                "glue" => glue.edit(folder, index, place, value),
                "iam" => iam.edit(folder, index, place, value),
                "kinesis" => kinesis.edit(folder, index, place, value),
                "logs" => logs.edit(folder, index, place, value),
                "mediaconnect" => mediaconnect.edit(folder, index, place, value),
                "medialive" => medialive.edit(folder, index, place, value),
                "mediapackage" => mediapackage.edit(folder, index, place, value),
                "mediatailor" => mediatailor.edit(folder, index, place, value),
                "s3" => s3.edit(folder, index, place, value),
                "origin" => origin.edit(folder, index, place, value),
                other => Err(EditError::Service(other.to_owned())),
            }
        })
    }
}

/// What `sandbox set` takes.
const SERVICES: [&str; 18] = [
    "settings",
    "distribution",
    "cloudfront",
    "keyvaluestore",
    "wafv2",
    "acm",
    "athena",
    "cloudwatch",
    "glue",
    "iam",
    "kinesis",
    "logs",
    "mediaconnect",
    "medialive",
    "mediapackage",
    "mediatailor",
    "s3",
    "origin",
];

/// ` (did you mean …?)`, where one of the names is near.
fn meant<'n>(name: &str, known: impl IntoIterator<Item = &'n &'n str>) -> String {
    did_you_mean(name, known.into_iter().copied())
        .map_or_else(String::new, |nearest| format!(" (did you mean {nearest}?)"))
}

/// The state with `value` at `pointer`, as [`with`] puts it there. A place that the state does not know
/// would be forgotten by the next read: it is refused.
pub(super) fn fitting<T: Serialize + DeserializeOwned>(
    document: Value,
    pointer: &str,
    value: Option<Value>,
) -> Result<T, EditError> {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    let siblings: Vec<String> = document
        .pointer(parent)
        .and_then(Value::as_object)
        .map(|members| members.keys().cloned().collect())
        .unwrap_or_default();
    // Null is left out of the state by some fields.
    let is_put = key != "-" && value.as_ref().is_some_and(|value| !value.is_null());
    let edited = with(document, pointer, value)?;
    let state: T = serde_json::from_value(edited).map_err(EditError::Unfit)?;
    let kept = serde_json::to_value(&state).map_err(EditError::Unfit)?;
    let known = siblings.iter().any(|sibling| sibling == key);
    if is_put && !known && kept.pointer(pointer).is_none() {
        let names: Vec<&str> = siblings.iter().map(String::as_str).collect();
        return Err(EditError::Unknown {
            pointer: pointer.to_owned(),
            nearest: meant(key, &names),
            at: if parent.is_empty() { "it" } else { parent }.to_owned(),
            holds: names.join(", "),
        });
    }
    Ok(state)
}

/// The document with `value` at `pointer` (RFC 6901): replaced, added to an object, or with `-`
/// appended to a list; without a value, removed.
pub(super) fn with(
    mut document: Value,
    pointer: &str,
    value: Option<Value>,
) -> Result<Value, EditError> {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    let key = key.replace("~1", "/").replace("~0", "~");
    let nowhere = |at: &str, holds: &str| EditError::Nowhere {
        pointer: pointer.to_owned(),
        at: at.to_owned(),
        holds: holds.to_owned(),
    };
    let Some(target) = document.pointer_mut(parent) else {
        return Err(nowhere(parent, "nothing"));
    };
    match target {
        Value::Object(members) => match value {
            Some(value) => {
                members.insert(key, value);
            }
            None => {
                if members.shift_remove(&key).is_none() {
                    let names: Vec<&str> = members.keys().map(String::as_str).collect();
                    return Err(nowhere(parent, &names.join(", ")));
                }
            }
        },
        Value::Array(items) => match (key.parse::<usize>(), value) {
            (Ok(place), Some(value)) if place < items.len() => items[place] = value,
            (Ok(place), None) if place < items.len() => {
                items.remove(place);
            }
            (Err(_), Some(value)) if key == "-" => items.push(value),
            _ => return Err(nowhere(parent, &format!("{} items", items.len()))),
        },
        other => return Err(nowhere(parent, &other.to_string())),
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_that_the_state_does_not_know_is_refused() {
        #[derive(Debug, Default, PartialEq, Serialize, serde::Deserialize)]
        struct State {
            rates: bool,
            names: std::collections::BTreeMap<String, String>,
        }
        let put = |pointer: &str, value: Value| {
            let document = serde_json::to_value(State::default()).unwrap();
            fitting::<State>(document, pointer, Some(value))
        };
        assert!(put("/rates", json!(true)).unwrap().rates);
        assert_eq!(put("/names/a", json!("b")).unwrap().names["a"], "b");
        let error = put("/rate", json!(true)).unwrap_err().to_string();
        assert_eq!(
            error,
            "/rate is no place of the state (did you mean rates?); it has rates, names"
        );
        let error = EditError::Service("wafv".to_owned()).to_string();
        assert!(error.ends_with("(did you mean wafv2?)"), "{error}");
    }

    #[test]
    fn values_are_replaced_added_appended_and_removed() {
        let document = json!({ "a": { "b/c": 1, "list": [1, 2] } });
        let edited = |pointer: &str, value: Option<Value>| with(document.clone(), pointer, value);
        assert_eq!(edited("/a/b~1c", Some(json!(2))).unwrap()["a"]["b/c"], 2);
        assert_eq!(edited("/a/new", Some(json!(3))).unwrap()["a"]["new"], 3);
        assert_eq!(
            edited("/a/list/-", Some(json!(3))).unwrap()["a"]["list"],
            json!([1, 2, 3])
        );
        assert_eq!(edited("/a/list/0", None).unwrap()["a"]["list"], json!([2]));
        for (pointer, value) in [
            ("/x/y", Some(json!(1))),
            ("/a/gone", None),
            ("/a/list/9", None),
        ] {
            assert!(edited(pointer, value).is_err(), "{pointer}");
        }
    }
}
