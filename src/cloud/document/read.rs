//! A configuration as the checks read it: typed, and read only. Members that nobody asks about are
//! left where they are.

use super::tree::{Element, Tree};
use super::{DistributionDocument, DocumentError};

/// What a distribution's configuration says, as far as checks ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DistributionView {
    pub(crate) enabled: bool,
    pub(crate) staging: bool,
    pub(crate) continuous_deployment_policy: Option<String>,
    /// Alternate domain names, as written.
    pub(crate) aliases: Vec<String>,
    /// `http1.1`, `http2`, `http3` or `http2and3`.
    pub(crate) http_version: String,
    pub(crate) ipv6: bool,
    pub(crate) web_acl: Option<String>,
    pub(crate) certificate: CertificateView,
    pub(crate) origins: Vec<OriginView>,
    pub(crate) groups: Vec<OriginGroupView>,
    /// In the order of precedence; the default one is last and has no pattern.
    pub(crate) behaviors: Vec<BehaviorView>,
    pub(crate) errors: Vec<ErrorResponseView>,
}

/// What viewers' TLS ends at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CertificateView {
    /// ARN in Certificate Manager; none for CloudFront's own certificate.
    pub(crate) acm: Option<String>,
    /// `TLSv1.2_2021` …
    pub(crate) minimum_protocol: String,
}

/// An origin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OriginView {
    pub(crate) id: String,
    pub(crate) domain: String,
    /// The region of Origin Shield, when it is on.
    pub(crate) shield: Option<String>,
    pub(crate) access_control: Option<String>,
    pub(crate) vpc_origin: Option<String>,
    /// Names only: the values may be secrets.
    pub(crate) header_names: Vec<String>,
    /// 1 to 3.
    pub(crate) attempts: u32,
    /// Seconds for each attempt to connect.
    pub(crate) connect_seconds: u32,
    /// Seconds until the first byte, and between packets; none for S3 origins.
    pub(crate) read_seconds: Option<u32>,
    /// `https-only`, `match-viewer` or `http-only`; none for S3 and VPC origins.
    pub(crate) protocol: Option<String>,
}

/// Two origins behind one name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OriginGroupView {
    pub(crate) id: String,
    /// Primary first.
    pub(crate) members: Vec<String>,
    /// HTTP statuses that go to the secondary.
    pub(crate) codes: Vec<u16>,
    /// `default` or `media-quality-based`.
    pub(crate) selection: String,
}

/// A cache behavior.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BehaviorView {
    /// None for the default one.
    pub(crate) pattern: Option<String>,
    /// An origin's id, or a group's.
    pub(crate) target: String,
    pub(crate) viewer_protocol: String,
    pub(crate) methods: Vec<String>,
    pub(crate) compress: bool,
    pub(crate) cache_policy: Option<String>,
    pub(crate) origin_request_policy: Option<String>,
    pub(crate) response_headers_policy: Option<String>,
    pub(crate) realtime_log_config: Option<String>,
    /// ARN and event type of each function.
    pub(crate) functions: Vec<(String, String)>,
    /// Event types of Lambda@Edge functions.
    pub(crate) lambdas: Vec<String>,
    /// Without a cache policy: least, default and most seconds.
    pub(crate) legacy_ttl: Option<(u64, u64, u64)>,
}

impl BehaviorView {
    /// The pattern as shown.
    pub(crate) fn name(&self) -> &str {
        self.pattern.as_deref().unwrap_or("default (*)")
    }

    /// The function that sees viewers' requests.
    pub(crate) fn viewer_request(&self) -> Option<&str> {
        self.functions
            .iter()
            .find(|(_, event)| event == "viewer-request")
            .map(|(arn, _)| arn.as_str())
    }
}

/// How long an error of the origin is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ErrorResponseView {
    pub(crate) code: u16,
    /// Seconds; CloudFront's default is 10.
    pub(crate) seconds: u64,
}

/// Seconds that an error is kept without a rule of its own (CloudFront Developer Guide, "How
/// CloudFront caches and processes HTTP 4xx and 5xx status codes").
pub(crate) const DEFAULT_ERROR_SECONDS: u64 = 10;

impl DistributionDocument {
    /// Reads what the checks ask about.
    pub(crate) fn view(&self) -> Result<DistributionView, DocumentError> {
        let tree = self.tree()?;
        let read = Reader { tree: &tree };
        let root = tree.root();
        let mut behaviors = Vec::new();
        for one in read.items(Some(root), "CacheBehaviors", "CacheBehavior")? {
            behaviors.push(read.behavior(one)?);
        }
        if let Some(default) = tree.child(root, "DefaultCacheBehavior")? {
            behaviors.push(read.behavior(default)?);
        }
        let mut view = DistributionView {
            enabled: read.flag(Some(root), "Enabled")?,
            staging: read.flag(Some(root), "Staging")?,
            continuous_deployment_policy: read.some(Some(root), "ContinuousDeploymentPolicyId")?,
            aliases: read.texts(Some(root), "Aliases", "CNAME")?,
            http_version: read
                .some(Some(root), "HttpVersion")?
                .unwrap_or_default()
                .to_ascii_lowercase(),
            ipv6: read.flag(Some(root), "IsIPV6Enabled")?,
            web_acl: read.some(Some(root), "WebACLId")?,
            certificate: read.certificate(tree.child(root, "ViewerCertificate")?)?,
            behaviors,
            ..DistributionView::default()
        };
        for one in read.items(Some(root), "Origins", "Origin")? {
            view.origins.push(read.origin(one)?);
        }
        for one in read.items(Some(root), "OriginGroups", "OriginGroup")? {
            view.groups.push(read.group(one)?);
        }
        for one in read.items(Some(root), "CustomErrorResponses", "CustomErrorResponse")? {
            view.errors.push(ErrorResponseView {
                code: read.number(Some(one), "ErrorCode")?.unwrap_or_default(),
                seconds: read
                    .number(Some(one), "ErrorCachingMinTTL")?
                    .unwrap_or(DEFAULT_ERROR_SECONDS),
            });
        }
        Ok(view)
    }
}

struct Reader<'t> {
    tree: &'t Tree<'t>,
}

impl<'t> Reader<'t> {
    fn at(
        &self,
        parent: Option<&'t Element>,
        name: &'static str,
    ) -> Result<Option<&'t Element>, DocumentError> {
        match parent {
            Some(parent) => self.tree.child(parent, name),
            None => Ok(None),
        }
    }

    /// A member's text, if it has any.
    fn some(
        &self,
        parent: Option<&'t Element>,
        name: &'static str,
    ) -> Result<Option<String>, DocumentError> {
        match self.at(parent, name)? {
            Some(element) => Ok(Some(self.tree.text(element)?).filter(|text| !text.is_empty())),
            None => Ok(None),
        }
    }

    fn text(
        &self,
        parent: Option<&'t Element>,
        name: &'static str,
    ) -> Result<String, DocumentError> {
        Ok(self.some(parent, name)?.unwrap_or_default())
    }

    fn flag(&self, parent: Option<&'t Element>, name: &'static str) -> Result<bool, DocumentError> {
        Ok(self.some(parent, name)?.as_deref() == Some("true"))
    }

    fn number<N: std::str::FromStr>(
        &self,
        parent: Option<&'t Element>,
        name: &'static str,
    ) -> Result<Option<N>, DocumentError> {
        Ok(self.some(parent, name)?.and_then(|text| text.parse().ok()))
    }

    /// The items of a `{Quantity, Items}` list.
    fn items(
        &self,
        parent: Option<&'t Element>,
        list: &'static str,
        item: &'static str,
    ) -> Result<Vec<&'t Element>, DocumentError> {
        let list = self.at(parent, list)?;
        Ok(match self.at(list, "Items")? {
            Some(items) => self.tree.children(items, item).collect(),
            None => Vec::new(),
        })
    }

    fn texts(
        &self,
        parent: Option<&'t Element>,
        list: &'static str,
        item: &'static str,
    ) -> Result<Vec<String>, DocumentError> {
        self.items(parent, list, item)?
            .into_iter()
            .map(|element| self.tree.text(element))
            .collect()
    }

    fn certificate(&self, element: Option<&'t Element>) -> Result<CertificateView, DocumentError> {
        Ok(CertificateView {
            acm: self.some(element, "ACMCertificateArn")?,
            minimum_protocol: self.text(element, "MinimumProtocolVersion")?,
        })
    }

    fn origin(&self, origin: &'t Element) -> Result<OriginView, DocumentError> {
        let origin = Some(origin);
        let custom = self.at(origin, "CustomOriginConfig")?;
        let vpc = self.at(origin, "VpcOriginConfig")?;
        let shield = self.at(origin, "OriginShield")?;
        let headers = self.items(origin, "CustomHeaders", "OriginCustomHeader")?;
        Ok(OriginView {
            id: self.text(origin, "Id")?,
            domain: self.text(origin, "DomainName")?,
            shield: if self.flag(shield, "Enabled")? {
                Some(self.text(shield, "OriginShieldRegion")?)
            } else {
                None
            },
            access_control: self.some(origin, "OriginAccessControlId")?,
            vpc_origin: self.some(vpc, "VpcOriginId")?,
            header_names: headers
                .into_iter()
                .map(|header| self.text(Some(header), "HeaderName"))
                .collect::<Result<_, _>>()?,
            attempts: self.number(origin, "ConnectionAttempts")?.unwrap_or(3),
            connect_seconds: self.number(origin, "ConnectionTimeout")?.unwrap_or(10),
            read_seconds: self.number(custom.or(vpc), "OriginReadTimeout")?,
            protocol: self.some(custom, "OriginProtocolPolicy")?,
        })
    }

    fn group(&self, group: &'t Element) -> Result<OriginGroupView, DocumentError> {
        let group = Some(group);
        let members = self.items(group, "Members", "OriginGroupMember")?;
        let criteria = self.at(group, "FailoverCriteria")?;
        Ok(OriginGroupView {
            id: self.text(group, "Id")?,
            members: members
                .into_iter()
                .map(|member| self.text(Some(member), "OriginId"))
                .collect::<Result<_, _>>()?,
            codes: self
                .texts(criteria, "StatusCodes", "StatusCode")?
                .iter()
                .filter_map(|code| code.parse().ok())
                .collect(),
            selection: self
                .some(group, "SelectionCriteria")?
                .unwrap_or_else(|| "default".to_owned()),
        })
    }

    fn behavior(&self, behavior: &'t Element) -> Result<BehaviorView, DocumentError> {
        let behavior = Some(behavior);
        let mut functions = Vec::new();
        for one in self.items(behavior, "FunctionAssociations", "FunctionAssociation")? {
            functions.push((
                self.text(Some(one), "FunctionARN")?,
                self.text(Some(one), "EventType")?,
            ));
        }
        let lambdas = self.items(
            behavior,
            "LambdaFunctionAssociations",
            "LambdaFunctionAssociation",
        )?;
        let legacy_ttl = match self.number(behavior, "MinTTL")? {
            Some(least) => Some((
                least,
                self.number(behavior, "DefaultTTL")?.unwrap_or(86_400),
                self.number(behavior, "MaxTTL")?.unwrap_or(31_536_000),
            )),
            None => None,
        };
        Ok(BehaviorView {
            pattern: self.some(behavior, "PathPattern")?,
            target: self.text(behavior, "TargetOriginId")?,
            viewer_protocol: self.text(behavior, "ViewerProtocolPolicy")?,
            methods: self.texts(behavior, "AllowedMethods", "Method")?,
            compress: self.flag(behavior, "Compress")?,
            cache_policy: self.some(behavior, "CachePolicyId")?,
            origin_request_policy: self.some(behavior, "OriginRequestPolicyId")?,
            response_headers_policy: self.some(behavior, "ResponseHeadersPolicyId")?,
            realtime_log_config: self.some(behavior, "RealtimeLogConfigArn")?,
            functions,
            lambdas: lambdas
                .into_iter()
                .map(|one| self.text(Some(one), "EventType"))
                .collect::<Result<_, _>>()?,
            legacy_ttl,
        })
    }
}
