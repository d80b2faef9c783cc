//! Functions: their code and configuration in two stages. `crate::edge::engine` runs them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::CloudFront;
use super::answers::{self, Refusal};
use super::config;
use super::distributions::time;
use super::document::{Element, list, tag};
use super::etag::ETag;
use super::paging::Page;
use super::routes::query;
use super::stores::check_name;
use super::tags;
use crate::edge::engine;
use crate::sandbox::keyvaluestore::Stores;
use crate::sandbox::route::header;
use crate::sandbox::service::{Answer, Call};

/// Quotas (CloudFront Developer Guide, "Quotas").
const MOST_FUNCTIONS: usize = 100;
const MOST_FUNCTIONS_OF_A_STORE: usize = 10;
/// Bytes of code: 10 KB.
const LARGEST_CODE: usize = 10 * 1024;
/// Bytes of an event object (botocore's model of `TestFunction`).
const LARGEST_EVENT: usize = 40_960;

/// A function with its stage DEVELOPMENT and, once published, LIVE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) created: Timestamp,
    pub(crate) etag: ETag,
    pub(crate) development: Stage,
    pub(crate) live: Option<Stage>,
}

/// What a stage holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stage {
    pub(crate) comment: String,
    pub(crate) runtime: String,
    /// ARN of the associated key value store.
    pub(crate) store: Option<String>,
    pub(crate) code: String,
    pub(crate) modified: Timestamp,
    /// The version of DEVELOPMENT that this is.
    pub(crate) etag: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StageName {
    Development,
    Live,
}

impl StageName {
    /// DEVELOPMENT unless the query says otherwise.
    fn of(call: &Call<'_>) -> Result<Option<Self>, Refusal> {
        match query(call, "Stage").as_deref() {
            None => Ok(None),
            Some("DEVELOPMENT") => Ok(Some(Self::Development)),
            Some("LIVE") => Ok(Some(Self::Live)),
            Some(other) => Err(Refusal::invalid_argument(format!(
                "The stage {other} is not valid."
            ))),
        }
    }
}

impl Function {
    fn stage(&self, name: StageName) -> Option<&Stage> {
        match name {
            StageName::Development => Some(&self.development),
            StageName::Live => self.live.as_ref(),
        }
    }

    fn reads(&self, store: &str) -> bool {
        [Some(&self.development), self.live.as_ref()]
            .into_iter()
            .flatten()
            .any(|stage| stage.store.as_deref() == Some(store))
    }

    /// Returns the `FunctionSummary`, with the given attributes on its root.
    fn summary(&self, name: StageName, is_associated: bool) -> Option<String> {
        let stage = self.stage(name)?;
        let status = match (&self.live, is_associated) {
            (None, _) => "UNPUBLISHED",
            (Some(_), false) => "UNASSOCIATED",
            (Some(_), true) => "DEPLOYED",
        };
        let stores: Vec<String> = stage
            .store
            .iter()
            .map(|arn| {
                let arn = tag("KeyValueStoreARN", arn);
                format!("<KeyValueStoreAssociation>{arn}</KeyValueStoreAssociation>")
            })
            .collect();
        let config = tag("Comment", &stage.comment)
            + &tag("Runtime", &stage.runtime)
            + &list("KeyValueStoreAssociations", &stores);
        let stage_name = match name {
            StageName::Development => "DEVELOPMENT",
            StageName::Live => "LIVE",
        };
        let metadata = tag("FunctionARN", &self.arn)
            + &tag("Stage", stage_name)
            + &tag("CreatedTime", &time(self.created))
            + &tag("LastModifiedTime", &time(stage.modified));
        let head = tag("Name", &self.name) + &tag("Status", status);
        Some(format!(
            "{head}<FunctionConfig>{config}</FunctionConfig><FunctionMetadata>{metadata}</FunctionMetadata>"
        ))
    }
}

fn no_such_function() -> Refusal {
    Refusal::new("NoSuchFunctionExists", "The function does not exist.")
}

impl CloudFront {
    /// Returns the published stage of the function of this ARN.
    pub(crate) fn published_function(&self, arn: &str) -> Option<&Stage> {
        self.functions
            .values()
            .find(|function| function.arn == arn)?
            .live
            .as_ref()
    }

    /// Returns the names of the functions that read a store, in either stage.
    pub(super) fn readers_of(&self, store: &str) -> impl Iterator<Item = &str> {
        self.functions
            .values()
            .filter(move |function| function.reads(store))
            .map(|function| function.name.as_str())
    }

    fn is_associated(&self, function: &Function) -> bool {
        self.distributions
            .values()
            .any(|distribution| distribution.gate.functions.contains(&function.arn))
    }

    fn function(&self, name: &str) -> Result<&Function, Refusal> {
        self.functions.get(name).ok_or_else(no_such_function)
    }

    fn summary_of(&self, function: &Function, stage: StageName) -> Result<String, Refusal> {
        function
            .summary(stage, self.is_associated(function))
            .ok_or_else(no_such_function)
    }

    pub(super) fn create_function(
        &mut self,
        call: &Call<'_>,
        stores: &Stores,
    ) -> Result<Answer, Refusal> {
        let (_, request) = config::parse(call.body, "CreateFunctionRequest")?;
        let name = request
            .text_of("Name")
            .ok_or_else(|| Refusal::missing("Name"))?;
        check_name(name)?;
        let stage = self.stage_from(&request, name, call, stores)?;
        let tags = request.child("Tags").map(tags::parse).transpose()?;
        if self.functions.contains_key(name) {
            return Err(Refusal::new(
                "FunctionAlreadyExists",
                "A function with the same name already exists in this account.",
            ));
        }
        if self.functions.len() >= MOST_FUNCTIONS {
            return Err(Refusal::new(
                "TooManyFunctions",
                "You have reached the maximum number of functions for this account.",
            ));
        }
        let arn = format!("arn:aws:cloudfront::{}:function/{name}", call.account);
        let etag = ETag::first(&arn, self.next());
        let function = Function {
            name: name.to_owned(),
            arn: arn.clone(),
            created: call.now,
            development: Stage {
                etag: etag.current().to_owned(),
                ..stage
            },
            live: None,
            etag,
        };
        let etag = function.etag.current().to_owned();
        let summary = self.summary_of(&function, StageName::Development)?;
        self.functions.insert(name.to_owned(), function);
        self.tags.extend(tags.map(|tags| (arn, tags)));
        let document = answers::rooted("FunctionSummary", &summary);
        let created = answers::created(call, document, &format!("function/{name}"));
        Ok(answers::with_etag(created, &etag))
    }

    /// Reads a stage from a create or an update; its version is still to be set.
    fn stage_from(
        &self,
        request: &Element,
        name: &str,
        call: &Call<'_>,
        stores: &Stores,
    ) -> Result<Stage, Refusal> {
        let config = request
            .child("FunctionConfig")
            .ok_or_else(|| Refusal::missing("FunctionConfig"))?;
        let comment = config
            .text_of("Comment")
            .ok_or_else(|| Refusal::missing("Comment"))?;
        let runtime = config
            .text_of("Runtime")
            .ok_or_else(|| Refusal::missing("Runtime"))?;
        if !["cloudfront-js-1.0", "cloudfront-js-2.0"].contains(&runtime) {
            return Err(Refusal::invalid_argument(format!(
                "The runtime {runtime} is not valid."
            )));
        }
        let encoded: String = request
            .text_of("FunctionCode")
            .ok_or_else(|| Refusal::missing("FunctionCode"))?
            .split_whitespace()
            .collect();
        let code = STANDARD
            .decode(encoded)
            .map_err(|_| Refusal::malformed("FunctionCode is not base64"))?;
        if code.is_empty() {
            return Err(Refusal::missing("FunctionCode"));
        }
        if code.len() > LARGEST_CODE {
            return Err(Refusal::new(
                "FunctionSizeLimitExceeded",
                "The function is too large.",
            ));
        }
        let code = String::from_utf8(code)
            .map_err(|_| Refusal::invalid_argument("The function code is not UTF-8."))?;
        Ok(Stage {
            comment: comment.to_owned(),
            runtime: runtime.to_owned(),
            store: self.store_from(config, name, runtime, call, stores)?,
            code,
            modified: call.now,
            etag: String::new(),
        })
    }

    fn store_from(
        &self,
        config: &Element,
        name: &str,
        runtime: &str,
        call: &Call<'_>,
        stores: &Stores,
    ) -> Result<Option<String>, Refusal> {
        let Some(associations) = config.child("KeyValueStoreAssociations") else {
            return Ok(None);
        };
        let items = associations.items();
        if associations.text_of("Quantity") != Some(items.len().to_string().as_str()) {
            return Err(Refusal::invalid_argument(
                "The value of Quantity and the size of Items don't match.",
            ));
        }
        let [association] = items else {
            return match items.len() {
                0 => Ok(None),
                _ => Err(Refusal::invalid_argument(
                    "A function can be associated with one key value store.",
                )),
            };
        };
        let arn = association
            .text_of("KeyValueStoreARN")
            .ok_or_else(|| Refusal::missing("KeyValueStoreARN"))?;
        if runtime != "cloudfront-js-2.0" {
            return Err(Refusal::invalid_argument(
                "Key value stores need the runtime cloudfront-js-2.0.",
            ));
        }
        if !self.stores.values().any(|store| store.arn == arn) || !stores.is_ready(arn, call.now) {
            return Err(Refusal::invalid_argument(format!(
                "The key value store {arn} doesn't exist or isn't ready."
            )));
        }
        let others = self.readers_of(arn).filter(|reader| *reader != name);
        if others.count() >= MOST_FUNCTIONS_OF_A_STORE {
            return Err(Refusal::invalid_argument(
                "The key value store is associated with as many functions as it can be.",
            ));
        }
        Ok(Some(arn.to_owned()))
    }

    pub(super) fn describe_function(&self, call: &Call<'_>, name: &str) -> Result<Answer, Refusal> {
        let stage_name = StageName::of(call)?.unwrap_or(StageName::Development);
        let function = self.function(name)?;
        let summary = self.summary_of(function, stage_name)?;
        let stage = function.stage(stage_name).ok_or_else(no_such_function)?;
        let found = answers::found(call, answers::rooted("FunctionSummary", &summary));
        Ok(answers::with_etag(found, &stage.etag))
    }

    pub(super) fn get_function(&self, call: &Call<'_>, name: &str) -> Result<Answer, Refusal> {
        let stage_name = StageName::of(call)?.unwrap_or(StageName::Development);
        let stage = self
            .function(name)?
            .stage(stage_name)
            .ok_or_else(no_such_function)?;
        let mut found = answers::found(call, stage.code.clone());
        found.headers.retain(|(name, _)| *name != "Content-Type");
        found
            .headers
            .push(("Content-Type", "application/octet-stream".to_owned()));
        Ok(answers::with_etag(found, &stage.etag))
    }

    pub(super) fn update_function(
        &mut self,
        call: &Call<'_>,
        name: &str,
        stores: &Stores,
    ) -> Result<Answer, Refusal> {
        self.function(name)?.etag.check(call)?;
        let (_, request) = config::parse(call.body, "UpdateFunctionRequest")?;
        let stage = self.stage_from(&request, name, call, stores)?;
        let sequence = self.next();
        let function = self.functions.get_mut(name).ok_or_else(no_such_function)?;
        function.etag.advance(&function.arn, sequence);
        function.development = Stage {
            etag: function.etag.current().to_owned(),
            ..stage
        };
        let function = self.function(name)?;
        let summary = self.summary_of(function, StageName::Development)?;
        let etag = function.etag.current();
        let mut changed = answers::changed(call, answers::rooted("FunctionSummary", &summary));
        // The service's model misspells the header that SDKs read for this operation.
        changed.headers.push(("ETtag", etag.to_owned()));
        Ok(answers::with_etag(changed, etag))
    }

    /// Runs a stage on the event that comes with the call, with the store's items as the first edge has
    /// them. A function that throws is an answer, too.
    pub(super) fn test_function(
        &self,
        call: &Call<'_>,
        name: &str,
        stores: &Stores,
    ) -> Result<Answer, Refusal> {
        let function = self.function(name)?;
        let (_, request) = config::parse(call.body, "TestFunctionRequest")?;
        let stage_name = match request.text_of("Stage") {
            None | Some("DEVELOPMENT") => StageName::Development,
            Some("LIVE") => StageName::Live,
            Some(other) => {
                return Err(Refusal::invalid_argument(format!(
                    "The stage {other} is not valid."
                )));
            }
        };
        let stage = function.stage(stage_name).ok_or_else(no_such_function)?;
        let given = header(call.headers, "if-match");
        if given.is_none_or(|given| given != stage.etag) {
            function.etag.check(call)?;
        }
        let encoded: String = request
            .text_of("EventObject")
            .ok_or_else(|| Refusal::missing("EventObject"))?
            .split_whitespace()
            .collect();
        let event = STANDARD
            .decode(encoded)
            .map_err(|_| Refusal::malformed("EventObject is not base64"))?;
        if event.len() > LARGEST_EVENT {
            return Err(Refusal::invalid_argument("The event object is too large."));
        }
        let event: serde_json::Value = serde_json::from_slice(&event)
            .map_err(|_| Refusal::invalid_argument("The event object is not JSON."))?;
        if !event["request"].is_object() || !event["viewer"].is_object() {
            return Err(Refusal::invalid_argument(
                "The event object has no request or no viewer.",
            ));
        }
        let items = |key: &str| match &stage.store {
            None => Err("the function has no key value store".to_owned()),
            Some(arn) => Ok(stores.edge_item(arn, key, 0.0, call.now).map(str::to_owned)),
        };
        let ran = engine::run(&stage.code, &event, &items, call.now);
        let (utilization, logs, message, output) = match ran {
            Ok(ran) => {
                let output = match ran.output {
                    engine::Output::Request(request) => serde_json::json!({ "request": request }),
                    engine::Output::Response(response) => {
                        serde_json::json!({ "response": response })
                    }
                };
                (ran.utilization, ran.logs, String::new(), output.to_string())
            }
            Err(error) => (0, Vec::new(), error.to_string(), String::new()),
        };
        let lines: String = logs.iter().map(|line| tag("member", line)).collect();
        let summary = self.summary_of(function, stage_name)?;
        let result = format!("<FunctionSummary>{summary}</FunctionSummary>")
            + &tag("ComputeUtilization", &utilization.to_string())
            + &format!("<FunctionExecutionLogs>{lines}</FunctionExecutionLogs>")
            + &tag("FunctionErrorMessage", &message)
            + &tag("FunctionOutput", &output);
        Ok(answers::found(call, answers::rooted("TestResult", &result)))
    }

    pub(super) fn publish_function(
        &mut self,
        call: &Call<'_>,
        name: &str,
    ) -> Result<Answer, Refusal> {
        self.function(name)?.etag.check(call)?;
        let function = self.functions.get_mut(name).ok_or_else(no_such_function)?;
        function.live = Some(Stage {
            modified: call.now,
            ..function.development.clone()
        });
        let summary = self.summary_of(self.function(name)?, StageName::Live)?;
        Ok(answers::changed(
            call,
            answers::rooted("FunctionSummary", &summary),
        ))
    }

    pub(super) fn delete_function(
        &mut self,
        call: &Call<'_>,
        name: &str,
    ) -> Result<Answer, Refusal> {
        let function = self.function(name)?;
        function.etag.check(call)?;
        // Taken off a distribution, it is in use for as long as an edge runs it: the harsher reading.
        let is_running = self.distributions.values().any(|distribution| {
            distribution
                .log
                .somewhere(call.now)
                .any(|gate| gate.functions.contains(&function.arn))
        });
        if is_running || self.is_associated(function) {
            return Err(Refusal::new(
                "FunctionInUse",
                "Cannot delete the function because it's attached to one or more cache behaviors.",
            ));
        }
        let arn = function.arn.clone();
        self.tags.remove(&arn);
        self.functions.remove(name);
        Ok(answers::emptied(call))
    }

    /// Lists both stages of each function unless one is asked for; a page counts functions.
    pub(super) fn list_functions(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let stages = match StageName::of(call)? {
            Some(stage) => vec![stage],
            None => vec![StageName::Development, StageName::Live],
        };
        let page = Page::of(call)?;
        let in_stages = self
            .functions
            .values()
            .filter(|function| stages.iter().any(|stage| function.stage(*stage).is_some()));
        let (functions, next) = page.take(in_stages, |function| &function.name);
        let summaries: Vec<String> = functions
            .into_iter()
            .flat_map(|function| {
                let is_associated = self.is_associated(function);
                stages
                    .iter()
                    .filter_map(move |stage| function.summary(*stage, is_associated))
            })
            .map(|summary| format!("<FunctionSummary>{summary}</FunctionSummary>"))
            .collect();
        Ok(answers::found(
            call,
            answers::listed("FunctionList", &page, next.as_deref(), &summaries),
        ))
    }
}
