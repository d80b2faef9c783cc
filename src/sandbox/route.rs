//! Which service is a request for, and on whose behalf? By host, target header, path or form, and
//! by the scope of its credentials. Signature and date are not checked, so that clients on wall
//! time work; the scope is.

use http::HeaderMap;
use http::request::Parts;

/// An AWS service that the embedded cloud has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Acm,
    Athena,
    CloudFront,
    CloudWatch,
    Glue,
    Iam,
    Kinesis,
    Logs,
    MediaConnect,
    MediaLive,
    MediaPackage,
    MediaTailor,
    S3,
    Store,
    Sts,
    Waf,
}

/// How a service writes its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// XML with `ErrorResponse` around the error.
    Xml,
    /// S3's XML, the error alone.
    S3,
    /// JSON with `__type`.
    Json,
    /// JSON, the error's code in a header.
    RestJson,
}

impl Service {
    const ALL: [Self; 16] = [
        Self::Acm,
        Self::Athena,
        Self::CloudFront,
        Self::CloudWatch,
        Self::Glue,
        Self::Iam,
        Self::Kinesis,
        Self::Logs,
        Self::MediaConnect,
        Self::MediaLive,
        Self::MediaPackage,
        Self::MediaTailor,
        Self::S3,
        Self::Store,
        Self::Sts,
        Self::Waf,
    ];

    /// The name in credential scopes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Acm => "acm",
            Self::Athena => "athena",
            Self::CloudFront => "cloudfront",
            Self::CloudWatch => "monitoring",
            Self::Glue => "glue",
            Self::Iam => "iam",
            Self::Kinesis => "kinesis",
            Self::Logs => "logs",
            Self::MediaConnect => "mediaconnect",
            Self::MediaLive => "medialive",
            Self::MediaPackage => "mediapackagev2",
            Self::MediaTailor => "mediatailor",
            Self::S3 => "s3",
            Self::Store => "cloudfront-keyvaluestore",
            Self::Sts => "sts",
            Self::Waf => "wafv2",
        }
    }

    /// The name before operations, in faults, counts and IAM actions.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::CloudWatch => "cloudwatch",
            other => other.name(),
        }
    }

    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::CloudFront | Self::Sts | Self::Iam => Protocol::Xml,
            Self::S3 => Protocol::S3,
            Self::Acm
            | Self::Athena
            | Self::CloudWatch
            | Self::Glue
            | Self::Kinesis
            | Self::Logs
            | Self::Waf => Protocol::Json,
            Self::Store
            | Self::MediaConnect
            | Self::MediaLive
            | Self::MediaPackage
            | Self::MediaTailor => Protocol::RestJson,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The service whose operations this header names before the dot.
    fn from_target(target: &str) -> Option<Self> {
        let (prefix, _) = target.split_once('.')?;
        Some(match prefix {
            "AWSWAF_20190729" => Self::Waf,
            "CertificateManager" => Self::Acm,
            "AmazonAthena" => Self::Athena,
            "GraniteServiceVersion20100801" => Self::CloudWatch,
            "AWSGlue" => Self::Glue,
            "Kinesis_20131202" => Self::Kinesis,
            "Logs_20140328" => Self::Logs,
            _ => return None,
        })
    }
}

/// The host that a request is for, lower case and without port: of the absolute form, else of the
/// `Host` header.
pub(super) fn host(parts: &Parts) -> String {
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = authority
        .or_else(|| header(&parts.headers, "host"))
        .unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.to_ascii_lowercase()
}

/// The service that a request is for; none when it is for none that is here.
pub(super) fn service(parts: &Parts, host: &str, body: &[u8]) -> Option<Service> {
    by_host(host)
        .or_else(|| {
            let target = header(&parts.headers, "x-amz-target")?;
            Service::from_target(target)
        })
        .or_else(|| {
            // Loopback hosts name no service: there the credentials say which.
            let scope = Scope::read(&parts.headers)?;
            is_loopback(host).then(|| Service::from_name(&scope.service))?
        })
        .or_else(|| {
            let path = parts.uri.path();
            if path.starts_with("/2020-05-31/") {
                Some(Service::CloudFront)
            } else if path.starts_with("/key-value-stores/") {
                Some(Service::Store)
            } else {
                None
            }
        })
        .or_else(|| {
            let query = parts.uri.query().unwrap_or_default().as_bytes();
            let action = super::sts::action(query).or_else(|| super::sts::action(body));
            action.is_some().then_some(Service::Sts)
        })
}

fn by_host(host: &str) -> Option<Service> {
    if is_store_host(host) {
        return Some(Service::Store);
    }
    let first = host.split('.').next().unwrap_or_default();
    let is_aws = [".amazonaws.com", ".api.aws", ".aws"]
        .iter()
        .any(|suffix| host.ends_with(suffix));
    match first {
        "cloudfront" | "cloudfront-fips" if is_aws => Some(Service::CloudFront),
        "sts" | "sts-fips" if is_aws => Some(Service::Sts),
        "wafv2" | "wafv2-fips" if is_aws => Some(Service::Waf),
        "api" if host.starts_with("api.mediatailor.") && is_aws => Some(Service::MediaTailor),
        "acm" | "athena" | "glue" | "iam" | "kinesis" | "logs" | "mediaconnect" | "medialive"
        | "mediapackagev2" | "monitoring" | "s3"
            if is_aws =>
        {
            Service::from_name(first)
        }
        _ if is_aws && (host.contains(".s3.") || host.contains(".s3-")) => Some(Service::S3),
        _ => None,
    }
}

/// The endpoint rules put the account in front of the host, also of a custom endpoint.
fn is_store_host(host: &str) -> bool {
    host.split_once('.').is_some_and(|(account, rest)| {
        account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && (rest == "cloudfront-kvs.global.api.aws" || is_loopback(rest))
    })
}

fn is_loopback(host: &str) -> bool {
    host.is_empty() || host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

/// Says whether a host belongs to AWS, so that "not here" can be told from "nowhere".
pub(super) fn is_aws(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".api.aws")
}

/// The scope of a request's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// None for SigV4A, whose signatures hold in many regions.
    pub(super) region: Option<String>,
    pub(super) service: String,
}

impl Scope {
    /// Reads `Authorization: AWS4-… Credential=KEY/DATE[/REGION]/SERVICE/aws4_request, …`.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let header = header(headers, "authorization")?;
        let (algorithm, rest) = header.split_once(' ')?;
        let credential = rest
            .split(',')
            .find_map(|part| part.trim().strip_prefix("Credential="))?;
        // Key ids have no slash, but nothing says that they never will: count from the end.
        let mut parts = credential.rsplit('/');
        if parts.next()? != "aws4_request" {
            return None;
        }
        let service = parts.next()?.to_owned();
        let region = match algorithm {
            "AWS4-HMAC-SHA256" => Some(parts.next()?.to_owned()),
            "AWS4-ECDSA-P256-SHA256" => None,
            _ => return None,
        };
        // The date and the key.
        parts.next()?;
        parts.next().filter(|key| !key.is_empty())?;
        Some(Self { region, service })
    }

    /// Refuses a scope that the service would not accept, in the service's words.
    pub(super) fn check(&self, service: Service, host: &str) -> Result<(), String> {
        if self.service != service.name() {
            return Err(format!(
                "Credential should be scoped to correct service: '{}'.",
                service.name()
            ));
        }
        let region = self.region.as_deref();
        let wanted = match service {
            Service::Store => {
                return match region {
                    None => Ok(()),
                    Some(_) => Err("The request must be signed with SigV4A.".to_owned()),
                };
            }
            Service::CloudFront | Service::Iam => Some("us-east-1"),
            // The host names the region, where it is AWS's.
            _ => host
                .split('.')
                .nth(1)
                .filter(|label| label.contains('-') && is_aws(host)),
        };
        match (wanted, region) {
            (_, None) => Err("Credential should be scoped to a valid region.".to_owned()),
            (Some(wanted), Some(region)) if wanted != region => Err(format!(
                "Credential should be scoped to a valid region, not '{region}'."
            )),
            _ => Ok(()),
        }
    }
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn routed(uri: &str, headers: &[(&str, &str)], body: &str) -> Option<Service> {
        let parts = parts(uri, headers);
        service(&parts, &host(&parts), body.as_bytes())
    }

    #[test]
    fn a_request_finds_its_service() {
        let kvs = "http://111122223333.cloudfront-kvs.global.api.aws/key-value-stores/x";
        let v4 = "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/wafv2/aws4_request, SignedHeaders=host, Signature=0";
        for (uri, headers, body, expected) in [
            (
                "https://cloudfront.amazonaws.com/2020-05-31/x",
                &[][..],
                "",
                Some(Service::CloudFront),
            ),
            (
                "https://cloudfront.global.api.aws/x",
                &[],
                "",
                Some(Service::CloudFront),
            ),
            (kvs, &[], "", Some(Service::Store)),
            (
                "http://111122223333.localhost:4566/key-value-stores/x",
                &[],
                "",
                Some(Service::Store),
            ),
            (
                "/key-value-stores/x",
                &[("host", "111122223333.127.0.0.1:4566")],
                "",
                Some(Service::Store),
            ),
            (
                "http://127.0.0.1:4566/2020-05-31/x",
                &[],
                "",
                Some(Service::CloudFront),
            ),
            (
                "http://127.0.0.1:4566/",
                &[("x-amz-target", "AWSWAF_20190729.GetIPSet")],
                "",
                Some(Service::Waf),
            ),
            (
                "http://127.0.0.1:4566/",
                &[("authorization", v4)],
                "",
                Some(Service::Waf),
            ),
            (
                "http://127.0.0.1:4566/",
                &[],
                "Action=GetCallerIdentity&Version=2011-06-15",
                Some(Service::Sts),
            ),
            (
                "https://sts.eu-west-1.amazonaws.com/",
                &[],
                "",
                Some(Service::Sts),
            ),
            (
                "https://wafv2.us-east-1.amazonaws.com/",
                &[],
                "",
                Some(Service::Waf),
            ),
            (
                "https://s3.amazonaws.com/",
                &[("authorization", v4)],
                "",
                Some(Service::S3),
            ),
            ("https://example.com/", &[], "", None),
        ] {
            assert_eq!(routed(uri, headers, body), expected, "{uri}");
        }
    }

    #[test]
    fn scopes_are_checked() {
        let scope = |text: &str| Scope::read(&parts("/", &[("authorization", text)]).headers);
        let v4 = |region: &str, service: &str| {
            scope(&format!(
                "AWS4-HMAC-SHA256 Credential=A/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
            ))
            .unwrap()
        };
        let v4a = scope("AWS4-ECDSA-P256-SHA256 Credential=A/20260101/cloudfront-keyvaluestore/aws4_request, Signature=0").unwrap();
        assert_eq!(v4a.region, None);
        for (scope, service, host, right) in [
            (
                v4("us-east-1", "wafv2"),
                Service::Waf,
                "wafv2.us-east-1.amazonaws.com",
                true,
            ),
            (
                v4("eu-west-1", "wafv2"),
                Service::Waf,
                "wafv2.us-east-1.amazonaws.com",
                false,
            ),
            (v4("eu-west-1", "wafv2"), Service::Waf, "127.0.0.1", true),
            (v4("us-east-1", "sts"), Service::Waf, "127.0.0.1", false),
            (
                v4("eu-west-1", "cloudfront"),
                Service::CloudFront,
                "127.0.0.1",
                false,
            ),
            (
                v4("us-east-1", "cloudfront"),
                Service::CloudFront,
                "127.0.0.1",
                true,
            ),
            (
                v4("eu-west-1", "sts"),
                Service::Sts,
                "sts.amazonaws.com",
                true,
            ),
            (
                v4("us-east-1", "cloudfront-keyvaluestore"),
                Service::Store,
                "127.0.0.1",
                false,
            ),
            (v4a, Service::Store, "127.0.0.1", true),
        ] {
            assert_eq!(
                scope.check(service, host).is_ok(),
                right,
                "{scope:?} {host}"
            );
        }
        for wrong in [
            "Bearer x",
            "AWS4-HMAC-SHA256 Signature=0",
            "AWS4-HMAC-SHA256 Credential=A/wafv2/aws4_request",
        ] {
            assert_eq!(scope(wrong), None, "{wrong}");
        }
    }
}
