//! Certificate Manager: what a distribution's certificate is good for. CloudFront's certificates
//! live in us-east-1 (CloudFront Developer Guide, "Requirements for using SSL/TLS certificates").

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Cloud;
use super::plain::{Plain, PlainRequest};
use crate::cloud::{Certificate, CloudError};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    certificate_arn: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    certificate: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    #[serde(default)]
    status: String,
    domain_name: Option<String>,
    #[serde(default)]
    subject_alternative_names: Vec<String>,
    /// Epoch seconds with a fraction, as AWS JSON 1.1 writes times.
    not_after: Option<f64>,
    #[serde(default)]
    renewal_eligibility: String,
}

impl Cloud {
    /// Reads a certificate by its ARN.
    pub(crate) async fn certificate(&self, arn: &str) -> Result<Certificate, CloudError> {
        let call = self.reading("acm.DescribeCertificate", format!("certificate {arn}"));
        let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
        let body = Request {
            certificate_arn: arn,
        };
        let request = PlainRequest::json(Plain::Acm, region.unwrap_or("us-east-1"), &call, &body);
        let detail = self.ask_json::<Response>(&call, request).await?.certificate;
        let mut names = detail.subject_alternative_names;
        if let Some(name) = detail.domain_name
            && !names.contains(&name)
        {
            names.insert(0, name);
        }
        Ok(Certificate {
            status: detail.status,
            not_after: detail.not_after.and_then(epoch),
            names,
            renewal: detail.renewal_eligibility,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a certificate's seconds fit; what does not saturates and is refused"
)]
fn epoch(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_second(seconds as i64).ok()
}
