//! The embedded cloud's Certificate Manager: what certificates there are and how long they hold.
//! AWS JSON 1.1, API version 2015-12-08.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::service::{Answer, Call};

/// How long a seeded certificate holds; Certificate Manager's own run for 198 days to 13 months.
const HOLDS: SignedDuration = SignedDuration::from_hours(198 * 24);

/// What Certificate Manager holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// By ARN.
    certificates: BTreeMap<String, Certificate>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Certificate {
    /// The first is the certificate's domain name.
    names: Vec<String>,
    status: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl State {
    /// Adds an issued certificate.
    pub(super) fn seed(&mut self, arn: &str, names: &[String], now: Timestamp) {
        let certificate = Certificate {
            names: names.to_vec(),
            status: "ISSUED".to_owned(),
            not_before: now,
            not_after: now.saturating_add(HOLDS).unwrap_or(now),
        };
        self.certificates.insert(arn.to_owned(), certificate);
    }
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    let target = call.headers.get("x-amz-target")?.to_str().ok()?;
    (target == "CertificateManager.DescribeCertificate").then_some("DescribeCertificate")
}

/// Answers a call whose operation is known.
pub(super) fn handle(call: &Call<'_>, state: &mut State) -> Answer {
    let body: Value = serde_json::from_slice(call.body).unwrap_or_default();
    let Some(arn) = body["CertificateArn"].as_str() else {
        return refuse(call, "ValidationException", "CertificateArn is required");
    };
    let is_arn = arn.starts_with("arn:aws:acm:") && arn.contains(":certificate/");
    if !is_arn {
        return refuse(call, "InvalidArnException", "This is no certificate's ARN");
    }
    // A certificate is known in its own region only.
    let here = arn.split(':').nth(3) == call.region;
    let Some(certificate) = state.certificates.get(arn).filter(|_| here) else {
        let message = format!("Could not find certificate {arn}.");
        return refuse(call, "ResourceNotFoundException", &message);
    };
    let names = &certificate.names;
    let detail = json!({
        "CertificateArn": arn,
        "DomainName": names.first(),
        "SubjectAlternativeNames": names,
        "Status": certificate.status,
        "Type": "AMAZON_ISSUED",
        "KeyAlgorithm": "RSA-2048",
        "NotBefore": certificate.not_before.as_second(),
        "NotAfter": certificate.not_after.as_second(),
        "RenewalEligibility": "ELIGIBLE",
        "InUseBy": [],
    });
    answer(call, 200, &json!({ "Certificate": detail }))
}

fn refuse(call: &Call<'_>, code: &str, message: &str) -> Answer {
    answer(call, 400, &json!({ "__type": code, "message": message }))
}

fn answer(call: &Call<'_>, status: u16, body: &Value) -> Answer {
    Answer {
        status,
        headers: vec![
            ("x-amzn-requestid", call.request_id.to_owned()),
            ("content-type", "application/x-amz-json-1.1".to_owned()),
        ],
        body: body.to_string().into_bytes(),
        changed: false,
    }
}
