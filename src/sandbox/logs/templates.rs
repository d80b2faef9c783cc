//! What deliveries of CloudFront's access logs may hold: fields, formats, delimiters, variables of
//! the path (Developer Guide, standard logging v2).

use serde_json::json;

use super::{DIALECT, page};
use crate::sandbox::json::{Members, Refusal, Reply};
use crate::sandbox::service::Call;

/// The 33 fields of the standard logs, in their order.
pub(super) const STANDARD: [&str; 33] = [
    "date",
    "time",
    "x-edge-location",
    "sc-bytes",
    "c-ip",
    "cs-method",
    "cs(Host)",
    "cs-uri-stem",
    "sc-status",
    "cs(Referer)",
    "cs(User-Agent)",
    "cs-uri-query",
    "cs(Cookie)",
    "x-edge-result-type",
    "x-edge-request-id",
    "x-host-header",
    "cs-protocol",
    "cs-bytes",
    "time-taken",
    "x-forwarded-for",
    "ssl-protocol",
    "ssl-cipher",
    "x-edge-response-result-type",
    "cs-protocol-version",
    "fle-status",
    "fle-encrypted-fields",
    "c-port",
    "time-to-first-byte",
    "x-edge-detailed-result-type",
    "sc-content-type",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
];

/// Fields that only v2 has.
const MORE: [&str; 9] = [
    "timestamp(ms)",
    "origin-fbl",
    "origin-lbl",
    "asn",
    "c-country",
    "cache-behavior-path-pattern",
    "connection-id",
    "viewer-request-log-data",
    "viewer-response-log-data",
];

/// Sent when a call names no fields: the 33 and these.
const DEFAULT_MORE: [&str; 2] = ["c-country", "cache-behavior-path-pattern"];

/// The path of a delivery that names none.
pub(super) const DEFAULT_SUFFIX: &str = "{DistributionId}/{yyyy}/{MM}/{dd}/{HH}";

const VARIABLES: [&str; 8] = [
    "DistributionId",
    "distributionid",
    "yyyy",
    "MM",
    "dd",
    "HH",
    "accountid",
    "aws-account-id",
];

const DELIMITERS: [&str; 5] = ["", "\t", " ", ",", "|"];

pub(super) fn default_fields() -> Vec<String> {
    let fields = STANDARD.into_iter().chain(DEFAULT_MORE);
    fields.map(str::to_owned).collect()
}

/// The delimiter of a format that has one.
pub(super) fn default_delimiter(format: Option<&str>) -> Option<&'static str> {
    matches!(format, Some("plain" | "w3c" | "raw")).then_some("\t")
}

/// Refuses fields that CloudFront does not log, or twice.
pub(super) fn check_fields(fields: &[String]) -> Result<(), Refusal> {
    if fields.len() > 128 {
        return Err(DIALECT.invalid("recordFields has more than 128 members."));
    }
    for (index, field) in fields.iter().enumerate() {
        let known = STANDARD.iter().chain(&MORE).any(|known| known == field);
        if !known {
            return Err(DIALECT.invalid(format!(
                "The record field {field} is not supported for cloudfront ACCESS_LOGS."
            )));
        }
        if fields[..index].contains(field) {
            return Err(DIALECT.invalid(format!("The record field {field} is given twice.")));
        }
    }
    Ok(())
}

/// Refuses a path with a variable that is none.
pub(super) fn check_suffix(suffix: &str) -> Result<(), Refusal> {
    let mut rest = suffix;
    while let Some((_, inner)) = rest.split_once('{') {
        let variable = inner.split_once('}').map(|(name, after)| {
            rest = after;
            name
        });
        match variable {
            Some(name) if VARIABLES.contains(&name) => {}
            _ => {
                return Err(DIALECT.invalid(format!(
                    "The suffix path {suffix} has a variable that is not supported."
                )));
            }
        }
    }
    Ok(())
}

pub(super) fn describe(call: &Call<'_>, input: &Members) -> Reply {
    let service = input.optional_text("service", 1..=255)?;
    let kinds = input.texts("deliveryDestinationTypes")?;
    let log_types = input.texts("logTypes")?;
    let asked = service.as_deref().is_none_or(|one| one == "cloudfront")
        && log_types.is_none_or(|types| types.iter().any(|one| one == "ACCESS_LOGS"));
    let allowed: Vec<_> = STANDARD
        .iter()
        .chain(&MORE)
        .map(|name| json!({"name": name, "mandatory": false}))
        .collect();
    let items = ["CWL", "FH", "S3"]
        .into_iter()
        .filter(|kind| {
            asked
                && kinds
                    .as_ref()
                    .is_none_or(|kinds| kinds.iter().any(|one| one == kind))
        })
        .map(|kind| {
            let mut formats = vec!["json", "plain", "w3c", "raw"];
            let mut defaults = json!({"recordFields": default_fields(), "fieldDelimiter": "\t"});
            if kind == "S3" {
                formats.push("parquet");
                defaults["s3DeliveryConfiguration"] =
                    json!({"suffixPath": DEFAULT_SUFFIX, "enableHiveCompatiblePath": false});
            }
            let mut template = json!({
                "service": "cloudfront",
                "logType": "ACCESS_LOGS",
                "resourceType": "distribution",
                "deliveryDestinationType": kind,
                "defaultDeliveryConfigValues": defaults,
                "allowedFields": allowed,
                "allowedOutputFormats": formats,
                "allowedActionForAllowVendedLogsDeliveryForResource":
                    "cloudfront:AllowVendedLogDeliveryForResource",
                "allowedFieldDelimiters": DELIMITERS,
            });
            if kind == "S3" {
                template["allowedSuffixPathFields"] = json!(VARIABLES);
            }
            (kind.to_owned(), template)
        });
    page(call, input, "configurationTemplates", items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_of_known_variables() {
        for (suffix, right) in [
            (DEFAULT_SUFFIX, true),
            ("plain/{yyyy}", true),
            ("{yyyy}/{mm}", false),
            ("{yyyy", false),
        ] {
            assert_eq!(check_suffix(suffix).is_ok(), right, "{suffix}");
        }
    }

    #[test]
    fn fields_are_known_and_given_once() {
        let fields = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert!(check_fields(&fields(&["date", "timestamp(ms)"])).is_ok());
        assert!(check_fields(&fields(&["cmcd-session-id"])).is_err());
        assert!(check_fields(&fields(&["date", "date"])).is_err());
    }
}
