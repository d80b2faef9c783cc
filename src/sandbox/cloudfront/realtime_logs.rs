//! Real-time log configurations: which fields of which share of the requests go to which stream.

use serde::{Deserialize, Serialize};

use super::CloudFront;
use super::answers::{self, Refusal};
use super::config::{self, integer};
use super::document::{Element, tag};
use super::paging::Page;
use crate::event::log_field::REALTIME_FIELDS;
use crate::sandbox::service::{Answer, Call};

/// Configurations of an account (CloudFront Developer Guide, "Quotas").
const MOST_CONFIGS: usize = 150;
/// Characters of a name; the service's model has no limit, other names of CloudFront have this one.
const LONGEST_NAME: usize = 64;

/// A configuration with its one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RealtimeLogConfig {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// Percent, 1 to 100.
    pub(crate) sampling: u64,
    pub(crate) stream_arn: String,
    pub(crate) role_arn: String,
    /// In delivery order.
    pub(crate) fields: Vec<String>,
}

impl RealtimeLogConfig {
    fn content(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|field| tag("Field", field))
            .collect();
        let stream = tag("RoleARN", &self.role_arn) + &tag("StreamARN", &self.stream_arn);
        [
            tag("ARN", &self.arn),
            tag("Name", &self.name),
            tag("SamplingRate", &self.sampling.to_string()),
            format!(
                "<EndPoints><member>{}<KinesisStreamConfig>{stream}</KinesisStreamConfig></member></EndPoints>",
                tag("StreamType", "Kinesis")
            ),
            format!("<Fields>{}</Fields>", fields.concat()),
        ]
        .concat()
    }
}

fn no_such_config() -> Refusal {
    Refusal::new(
        "NoSuchRealtimeLogConfig",
        "The real-time log configuration does not exist.",
    )
}

fn answer(root: &str, config: &RealtimeLogConfig) -> String {
    let content = format!(
        "<RealtimeLogConfig>{}</RealtimeLogConfig>",
        config.content()
    );
    answers::rooted(root, &content)
}

/// The name from a request that gives a name, an ARN, or both; with both the name stands.
fn asked(request: &Element) -> Result<&str, Refusal> {
    let from_arn = || {
        request
            .text_of("ARN")
            .and_then(|arn| arn.split_once(":realtime-log-config/"))
            .map(|(_, name)| name)
    };
    request
        .text_of("Name")
        .filter(|name| !name.is_empty())
        .or_else(from_arn)
        .ok_or_else(|| Refusal::missing("Name"))
}

/// Reads sampling, stream and fields; an update may leave any of them out.
fn read(
    request: &Element,
    old: Option<&RealtimeLogConfig>,
    account: &str,
) -> Result<(u64, String, String, Vec<String>), Refusal> {
    let missing = |name: &str| Refusal::missing(name);
    let sampling = integer(request, "SamplingRate")?
        .or(old.map(|old| old.sampling))
        .ok_or_else(|| missing("SamplingRate"))?;
    if !(1..=100).contains(&sampling) {
        return Err(Refusal::invalid_argument(
            "The parameter SamplingRate is from 1 to 100.",
        ));
    }
    let (stream_arn, role_arn) = match request.child("EndPoints") {
        None => old
            .map(|old| (old.stream_arn.clone(), old.role_arn.clone()))
            .ok_or_else(|| missing("EndPoints"))?,
        Some(end_points) => {
            let [end_point] = end_points.children.as_slice() else {
                return Err(Refusal::invalid_argument(
                    "The parameter EndPoints holds one endpoint.",
                ));
            };
            if end_point.text_of("StreamType") != Some("Kinesis") {
                return Err(Refusal::invalid_argument(
                    "The parameter StreamType is Kinesis.",
                ));
            }
            let kinesis = end_point
                .child("KinesisStreamConfig")
                .ok_or_else(|| missing("KinesisStreamConfig"))?;
            let stream = kinesis.text_of("StreamARN").unwrap_or_default();
            let role = kinesis.text_of("RoleARN").unwrap_or_default();
            if !stream.starts_with("arn:aws:kinesis:")
                || !stream.contains(&format!(":{account}:stream/"))
            {
                return Err(Refusal::invalid_argument(format!(
                    "The stream ARN {stream:?} is not valid."
                )));
            }
            if !role.starts_with(&format!("arn:aws:iam::{account}:role/")) {
                return Err(Refusal::invalid_argument(format!(
                    "The role ARN {role:?} is not valid."
                )));
            }
            (stream.to_owned(), role.to_owned())
        }
    };
    let fields = match request.child("Fields") {
        None => old
            .map(|old| old.fields.clone())
            .ok_or_else(|| missing("Fields"))?,
        Some(list) => {
            let named: Vec<&str> = list
                .children
                .iter()
                .map(|field| field.text.trim())
                .collect();
            if let Some(unknown) = named.iter().find(|field| !REALTIME_FIELDS.contains(field)) {
                return Err(Refusal::invalid_argument(format!(
                    "The field {unknown:?} is not valid."
                )));
            }
            if named.is_empty() {
                return Err(missing("Fields"));
            }
            let in_order = REALTIME_FIELDS.iter().filter(|field| named.contains(field));
            in_order.map(|field| (*field).to_owned()).collect()
        }
    };
    Ok((sampling, stream_arn, role_arn, fields))
}

impl CloudFront {
    pub(super) fn create_realtime_log_config(
        &mut self,
        call: &Call<'_>,
    ) -> Result<Answer, Refusal> {
        let (_, request) = config::parse(call.body, "CreateRealtimeLogConfigRequest")?;
        let name = request
            .text_of("Name")
            .ok_or_else(|| Refusal::missing("Name"))?;
        let is_valid = (1..=LONGEST_NAME).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !is_valid {
            return Err(Refusal::invalid_argument(format!(
                "The name {name:?} is not valid."
            )));
        }
        let (sampling, stream_arn, role_arn, fields) = read(&request, None, call.account)?;
        if self.realtime_logs.contains_key(name) {
            return Err(Refusal::new(
                "RealtimeLogConfigAlreadyExists",
                "A real-time log configuration of this name already exists.",
            ));
        }
        if self.realtime_logs.len() >= MOST_CONFIGS {
            return Err(Refusal::new(
                "TooManyRealtimeLogConfigs",
                "You have reached the maximum number of real-time log configurations for this account.",
            ));
        }
        let made = RealtimeLogConfig {
            arn: format!(
                "arn:aws:cloudfront::{}:realtime-log-config/{name}",
                call.account
            ),
            name: name.to_owned(),
            sampling,
            stream_arn,
            role_arn,
            fields,
        };
        let document = answer("CreateRealtimeLogConfigResult", &made);
        let created = answers::created(call, document, "realtime-log-config");
        self.realtime_logs.insert(name.to_owned(), made);
        Ok(created)
    }

    pub(super) fn get_realtime_log_config(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (_, request) = config::parse(call.body, "GetRealtimeLogConfigRequest")?;
        let found = self
            .realtime_logs
            .get(asked(&request)?)
            .ok_or_else(no_such_config)?;
        Ok(answers::found(
            call,
            answer("GetRealtimeLogConfigResult", found),
        ))
    }

    pub(super) fn update_realtime_log_config(
        &mut self,
        call: &Call<'_>,
    ) -> Result<Answer, Refusal> {
        let (_, request) = config::parse(call.body, "UpdateRealtimeLogConfigRequest")?;
        let name = asked(&request)?;
        let found = self
            .realtime_logs
            .get_mut(name)
            .ok_or_else(no_such_config)?;
        let (sampling, stream_arn, role_arn, fields) = read(&request, Some(found), call.account)?;
        found.sampling = sampling;
        found.stream_arn = stream_arn;
        found.role_arn = role_arn;
        found.fields = fields;
        Ok(answers::changed(
            call,
            answer("UpdateRealtimeLogConfigResult", found),
        ))
    }

    pub(super) fn delete_realtime_log_config(
        &mut self,
        call: &Call<'_>,
    ) -> Result<Answer, Refusal> {
        let (_, request) = config::parse(call.body, "DeleteRealtimeLogConfigRequest")?;
        let name = asked(&request)?.to_owned();
        let arn = &self
            .realtime_logs
            .get(&name)
            .ok_or_else(no_such_config)?
            .arn;
        let attached = tag("RealtimeLogConfigArn", arn);
        let is_used = self
            .distributions
            .values()
            .any(|distribution| distribution.document.contains(&attached));
        if is_used {
            return Err(Refusal::new(
                "RealtimeLogConfigInUse",
                "Cannot delete the real-time log configuration because it's attached to one or more cache behaviors.",
            ));
        }
        self.realtime_logs.remove(&name);
        Ok(answers::emptied(call))
    }

    pub(super) fn list_realtime_log_configs(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let page = Page::of(call)?;
        let (shown, next) = page.take(self.realtime_logs.values(), |config| &config.name);
        let items: Vec<String> = shown
            .into_iter()
            .map(|config| format!("<member>{}</member>", config.content()))
            .collect();
        let content = [
            tag("MaxItems", &page.max_items.to_string()),
            format!("<Items>{}</Items>", items.concat()),
            tag("IsTruncated", if next.is_some() { "true" } else { "false" }),
            tag("Marker", &page.marker),
            next.map(|next| tag("NextMarker", &next))
                .unwrap_or_default(),
        ];
        let document = answers::rooted("RealtimeLogConfigs", &content.concat());
        Ok(answers::found(call, document))
    }

    /// Checks what a behavior refers to.
    pub(super) fn check_realtime_logs(
        &self,
        config: &Element,
        account: &str,
    ) -> Result<(), Refusal> {
        let behaviors = config.items_of("CacheBehaviors");
        let all = config
            .child("DefaultCacheBehavior")
            .into_iter()
            .chain(behaviors);
        for arn in all
            .filter_map(|behavior| behavior.text_of("RealtimeLogConfigArn"))
            .filter(|arn| !arn.is_empty())
        {
            if !arn.starts_with(&format!("arn:aws:cloudfront::{account}:")) {
                return Err(Refusal::new(
                    "RealtimeLogConfigOwnerMismatch",
                    "The specified real-time log configuration belongs to a different Amazon Web Services account.",
                ));
            }
            if !self.realtime_logs.values().any(|known| known.arn == arn) {
                return Err(no_such_config());
            }
        }
        Ok(())
    }
}
