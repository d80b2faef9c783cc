//! The reads that checks of several groups share, each by its name.

use std::future::Future;
use std::rc::Rc;

use secrecy::SecretString;

use super::{Facts, Gap, Outcome, Verdict};
use crate::cloud::{
    BehaviorView, CachePolicy, Caller, CatalogTable, Certificate, CloudError,
    Distribution as State, DistributionView, EdgeFunction, FunctionStage, IpSet, IpSetSummary,
    OriginAccessControl, OriginRequestPolicy, RealtimeLogConfig, Role, StoreSummary, Stream,
    Versioned, WebAclDocument, WorkGroup,
};
use crate::event::cidr::Family;
use crate::observe::ObservedDistribution;
use crate::preflight::paths;
use crate::runbook::Distribution;

impl Facts<'_> {
    /// Whom the credentials belong to; asked before the run, since the operator's name may hang on it.
    pub(crate) fn caller(&self) -> Result<&Caller, Gap> {
        self.caller.as_ref().map_err(Gap::clone)
    }

    /// An IAM role.
    pub(crate) async fn role(&self, name: &str) -> Result<Rc<Role>, Gap> {
        let wanted = name.to_owned();
        self.read("iam.GetRole", name, |cloud| async move {
            cloud.role(&wanted).await
        })
        .await
    }

    /// A distribution's configuration, with its geo restriction.
    pub(crate) async fn observed(&self, id: &str) -> Result<Rc<ObservedDistribution>, Gap> {
        let wanted = id.to_owned();
        self.read("cloudfront.GetDistributionConfig", id, |cloud| async move {
            crate::observe::distribution(&cloud, &wanted)
                .await
                .map_err(|error| match error {
                    crate::observe::ObserveError::Cloud(error) => error.into(),
                    other => Gap::Unknown(other.to_string()),
                })
        })
        .await
    }

    /// A distribution's configuration as checks read it.
    pub(crate) async fn view_of(&self, id: &str) -> Result<DistributionView, Gap> {
        let observed = self.observed(id).await?;
        observed
            .document
            .view()
            .map_err(|error| Gap::Unknown(error.to_string()))
    }

    /// A distribution's state.
    pub(crate) async fn state_of(&self, id: &str) -> Result<Rc<State>, Gap> {
        let wanted = id.to_owned();
        self.read("cloudfront.GetDistribution", id, |cloud| async move {
            cloud.distribution(&wanted).await
        })
        .await
    }

    pub(crate) async fn cache_policy(&self, id: &str) -> Result<Rc<CachePolicy>, Gap> {
        let wanted = id.to_owned();
        self.read("cloudfront.GetCachePolicy", id, |cloud| async move {
            cloud.cache_policy(&wanted).await
        })
        .await
    }

    pub(crate) async fn request_policy(&self, id: &str) -> Result<Rc<OriginRequestPolicy>, Gap> {
        let wanted = id.to_owned();
        self.read(
            "cloudfront.GetOriginRequestPolicy",
            id,
            |cloud| async move { cloud.origin_request_policy(&wanted).await },
        )
        .await
    }

    pub(crate) async fn access_control(&self, id: &str) -> Result<Rc<OriginAccessControl>, Gap> {
        let wanted = id.to_owned();
        self.read(
            "cloudfront.GetOriginAccessControl",
            id,
            |cloud| async move { cloud.origin_access_control(&wanted).await },
        )
        .await
    }

    pub(crate) async fn certificate(&self, arn: &str) -> Result<Rc<Certificate>, Gap> {
        let wanted = arn.to_owned();
        self.read("acm.DescribeCertificate", arn, |cloud| async move {
            cloud.certificate(&wanted).await
        })
        .await
    }

    /// A function's configuration in a stage, and its version.
    pub(crate) async fn stage(
        &self,
        name: &str,
        stage: FunctionStage,
    ) -> Result<Rc<Versioned<EdgeFunction>>, Gap> {
        let wanted = name.to_owned();
        let key = format!("{name}/{stage:?}");
        self.read("cloudfront.DescribeFunction", &key, |cloud| async move {
            cloud.function(&wanted, stage).await
        })
        .await
    }

    /// The code of a stage of a function.
    pub(crate) async fn code(&self, name: &str, stage: FunctionStage) -> Result<Rc<Vec<u8>>, Gap> {
        let wanted = name.to_owned();
        let key = format!("{name}/{stage:?}");
        self.read("cloudfront.GetFunction", &key, |cloud| async move {
            cloud.function_code(&wanted, stage).await
        })
        .await
    }

    /// The real-time log configuration of this name.
    pub(crate) async fn realtime_log_config(
        &self,
        name: &str,
    ) -> Result<Rc<RealtimeLogConfig>, Gap> {
        let wanted = name.to_owned();
        self.read(
            "cloudfront.GetRealtimeLogConfig",
            name,
            |cloud| async move { cloud.realtime_log_config(&wanted).await },
        )
        .await
    }

    /// The event's web ACL, by its name.
    pub(crate) async fn web_acl(&self, name: &str) -> Result<Rc<WebAclDocument>, Gap> {
        let wanted = name.to_owned();
        self.read("wafv2.GetWebACL", name, |cloud| async move {
            let listed = cloud.web_acls().await?;
            let found = listed.into_iter().find(|acl| acl.name == wanted);
            let Some(summary) = found else {
                return Err(CloudError::NotFound {
                    operation: "wafv2.ListWebACLs".to_owned(),
                    what: format!("web ACL {wanted}"),
                    request_id: None,
                });
            };
            let acl = cloud.web_acl(&summary.name, &summary.id).await?;
            Ok(acl.value)
        })
        .await
    }

    /// All IP sets for CloudFront.
    pub(crate) async fn ip_sets(&self) -> Result<Rc<Vec<IpSetSummary>>, Gap> {
        self.read("wafv2.ListIPSets", "", |cloud| async move {
            cloud.ip_sets().await
        })
        .await
    }

    /// One of the event's IP sets.
    pub(crate) async fn ip_set(&self, family: Family) -> Result<Rc<IpSet>, Gap> {
        let Some(waf) = &self.runbook.waf else {
            return Err(Gap::Absent("the runbook has no [waf]".to_owned()));
        };
        let listed = self.ip_sets().await?;
        let name = waf.ip_set(family).to_owned();
        let Some(summary) = listed.iter().find(|set| set.name == name).cloned() else {
            return Err(Gap::Absent(format!("there is no IP set {name}")));
        };
        self.read("wafv2.GetIPSet", &name, |cloud| async move {
            let set = cloud.ip_set(&summary.name, &summary.id).await?;
            Ok::<_, CloudError>(set.value)
        })
        .await
    }

    /// The event's key value store.
    pub(crate) async fn store(&self) -> Result<StoreSummary, Gap> {
        let Some(tokens) = &self.runbook.tokens else {
            return Err(Gap::Absent("the runbook has no [tokens]".to_owned()));
        };
        let stores = self
            .read("cloudfront.ListKeyValueStores", "", |cloud| async move {
                cloud.stores().await
            })
            .await?;
        stores
            .iter()
            .find(|store| store.name == tokens.store)
            .cloned()
            .ok_or_else(|| Gap::Absent(format!("there is no key value store {}", tokens.store)))
    }

    /// One value of the event's key value store; never to be shown where it may be a key.
    pub(crate) async fn store_secret(&self, key: &str) -> Result<Rc<Option<SecretString>>, Gap> {
        let arn = self.store().await?.arn;
        let wanted = key.to_owned();
        self.read("cloudfront-keyvaluestore.GetKey", key, |cloud| async move {
            let value = cloud.store_item(&arn, &wanted).await;
            value.map(|value| value.map(SecretString::from))
        })
        .await
    }

    /// The region of a bucket.
    pub(crate) async fn bucket_region(&self, bucket: &str) -> Result<Rc<String>, Gap> {
        let wanted = bucket.to_owned();
        self.read("s3.GetBucketLocation", bucket, |cloud| async move {
            cloud.bucket_region(&wanted).await
        })
        .await
    }

    /// A bucket's policy, in its region; none where it has none.
    pub(crate) async fn bucket_policy(&self, bucket: &str) -> Result<Rc<Option<String>>, Gap> {
        let region = self.bucket_region(bucket).await?;
        let wanted = bucket.to_owned();
        self.read("s3.GetBucketPolicy", bucket, |cloud| async move {
            cloud.bucket_policy(&region, &wanted).await
        })
        .await
    }

    /// A Kinesis data stream.
    pub(crate) async fn stream(&self, region: &str, name: &str) -> Result<Rc<Stream>, Gap> {
        let (there, wanted) = (region.to_owned(), name.to_owned());
        let key = format!("{region}/{name}");
        self.read("kinesis.DescribeStreamSummary", &key, |cloud| async move {
            cloud.stream(&there, &wanted).await
        })
        .await
    }

    /// An Athena workgroup.
    pub(crate) async fn workgroup(&self, name: &str) -> Result<Rc<WorkGroup>, Gap> {
        let wanted = name.to_owned();
        self.read("athena.GetWorkGroup", name, |cloud| async move {
            cloud.workgroup(&wanted).await
        })
        .await
    }

    /// A table of the catalog.
    pub(crate) async fn table(&self, database: &str, name: &str) -> Result<Rc<CatalogTable>, Gap> {
        let region = self.runbook.aws.region.clone();
        let (database, wanted) = (database.to_owned(), name.to_owned());
        self.read("glue.GetTable", name, |cloud| async move {
            cloud.catalog_table(&region, &database, &wanted).await
        })
        .await
    }

    /// Asks the same of each distribution; what is said of one begins with its name.
    pub(crate) async fn each_distribution<'s, F>(
        &'s self,
        ask: impl Fn(&'s Distribution, DistributionView) -> F,
    ) -> Outcome
    where
        F: Future<Output = Outcome>,
    {
        let verdicts = self.runbook.distributions.iter().map(|distribution| {
            let ask = &ask;
            async move {
                let verdict = match self.view_of(&distribution.id).await {
                    Ok(view) => ask(distribution, view).await,
                    Err(gap) => Err(gap),
                };
                named(&distribution.name, verdict.unwrap_or_else(Verdict::from))
            }
        });
        let verdicts = futures_util::future::join_all(verdicts).await;
        Ok(Verdict::across(verdicts, "there is no distribution"))
    }
}

/// The verdict with the name of what it is about before each text.
pub(crate) fn named(name: &str, verdict: Verdict) -> Verdict {
    let with = |text: String| format!("{name}: {text}");
    match verdict {
        Verdict::Pass { evidence } => Verdict::pass(with(evidence)),
        Verdict::Fail { evidence, fix } => Verdict::fail(with(evidence), fix),
        Verdict::Risk {
            evidence,
            fix,
            grave_from,
        } => Verdict::Risk {
            evidence: with(evidence),
            fix,
            grave_from,
        },
        Verdict::CouldNotAsk { why } => Verdict::could_not_ask(with(why)),
        Verdict::NotApplicable { why } => Verdict::not_applicable(with(why)),
    }
}

/// A kind of sample path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Manifest,
    Segment,
    Key,
    AdManifest,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Segment => "segment",
            Self::Key => "key",
            Self::AdManifest => "ad manifest",
        }
    }
}

/// The sample paths of a distribution, each with the behavior that serves it.
pub(crate) fn sampled<'v>(
    distribution: &Distribution,
    view: &'v DistributionView,
) -> Vec<(Kind, String, &'v BehaviorView)> {
    let samples = &distribution.samples;
    [
        (Kind::Manifest, &samples.manifest),
        (Kind::Segment, &samples.segment),
        (Kind::Key, &samples.key),
        (Kind::AdManifest, &samples.ad_manifest),
    ]
    .into_iter()
    .filter_map(|(kind, path)| {
        let path = path.clone()?;
        let behavior = serving(view, &path)?;
        Some((kind, path, behavior))
    })
    .collect()
}

/// The behavior that serves a path: the first whose pattern fits, else the default one.
pub(crate) fn serving<'v>(view: &'v DistributionView, path: &str) -> Option<&'v BehaviorView> {
    view.behaviors.iter().find(|behavior| {
        behavior
            .pattern
            .as_deref()
            .is_none_or(|pattern| paths::serves(pattern, path))
    })
}
