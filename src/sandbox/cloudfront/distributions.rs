//! Distributions: created, read, replaced, listed, deleted. Web ACLs by the short way are in
//! `web_acl`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::CloudFront;
use super::answers::{self, Refusal};
use super::config::{self, Demand, Facts, Surroundings};
use super::defaults;
use super::document::{self, Element, NAMESPACE, tag};
use super::etag::ETag;
use super::paging::Page;
use super::rollout::{Gate, RolloutLog};
use super::tags;
use crate::sandbox::seed::letters;
use crate::sandbox::service::{Answer, Call};

/// Distributions of an account (CloudFront Developer Guide, "Quotas").
const MOST_DISTRIBUTIONS: usize = 500;
/// Distributions that one function may be associated with.
const MOST_DISTRIBUTIONS_OF_A_FUNCTION: usize = 100;

/// The members of a `DistributionSummary` that come from the configuration as they are.
const SUMMARIZED: [&str; 16] = [
    "Aliases",
    "Origins",
    "OriginGroups",
    "DefaultCacheBehavior",
    "CacheBehaviors",
    "CustomErrorResponses",
    "Comment",
    "PriceClass",
    "Enabled",
    "ViewerCertificate",
    "Restrictions",
    "WebACLId",
    "HttpVersion",
    "IsIPV6Enabled",
    "Staging",
    "ConnectionMode",
];

/// A distribution and how far its newest configuration has spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Distribution {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) domain_name: String,
    /// The `DistributionConfig` element as sent, with defaults filled in.
    pub(crate) document: String,
    pub(crate) etag: ETag,
    pub(crate) last_modified: Timestamp,
    pub(crate) caller_reference: String,
    pub(crate) staging: bool,
    /// Lower case.
    pub(crate) aliases: Vec<String>,
    /// What the newest configuration says.
    pub(crate) gate: Gate,
    pub(crate) log: RolloutLog,
    /// Additional metrics; none without a monitoring subscription.
    pub(crate) realtime_metrics: Option<bool>,
}

impl Distribution {
    /// What the edge with this share of the skew (0 to 1) holds now.
    pub(crate) fn at_edge(&self, fraction: f64, now: Timestamp) -> Option<&Gate> {
        self.log.at_edge(fraction, now)
    }

    fn status(&self, now: Timestamp) -> &'static str {
        if self.log.is_deployed(now) {
            "Deployed"
        } else {
            "InProgress"
        }
    }

    /// What `Distribution` and `DistributionSummary` begin with.
    fn head(&self, now: Timestamp) -> String {
        [
            tag("Id", &self.id),
            tag("ARN", &self.arn),
            tag("Status", self.status(now)),
            tag("LastModifiedTime", &time(self.last_modified)),
            tag("DomainName", &self.domain_name),
        ]
        .concat()
    }

    fn alias_registrations(&self) -> String {
        let records = self
            .aliases
            .iter()
            .map(|alias| {
                let record = tag("CNAME", alias) + &tag("ICPRecordalStatus", "APPROVED");
                format!("<AliasICPRecordal>{record}</AliasICPRecordal>")
            })
            .collect::<Vec<_>>()
            .concat();
        if records.is_empty() {
            records
        } else {
            format!("<AliasICPRecordals>{records}</AliasICPRecordals>")
        }
    }

    fn full(&self, now: Timestamp) -> String {
        let signers = "<Enabled>false</Enabled><Quantity>0</Quantity>";
        answers::rooted(
            "Distribution",
            &[
                self.head(now).as_str(),
                "<InProgressInvalidationBatches>0</InProgressInvalidationBatches>",
                &format!("<ActiveTrustedSigners>{signers}</ActiveTrustedSigners>"),
                &format!("<ActiveTrustedKeyGroups>{signers}</ActiveTrustedKeyGroups>"),
                &self.document,
                &self.alias_registrations(),
            ]
            .concat(),
        )
    }

    fn summary(&self, now: Timestamp) -> String {
        let config = self.parsed();
        let members: String = SUMMARIZED
            .iter()
            .filter_map(|name| config.child(name))
            .map(|member| &self.document[member.outer.clone()])
            .collect();
        let head = self.head(now) + &tag("ETag", self.etag.current());
        let registrations = self.alias_registrations();
        format!("<DistributionSummary>{head}{members}{registrations}</DistributionSummary>")
    }

    /// The root element of the document.
    pub(crate) fn parsed(&self) -> Element {
        document::parse_text(&self.document).expect("the document was parsed when it was taken")
    }
}

/// A time as the service writes it.
pub(crate) fn time(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}

pub(crate) fn no_such_distribution() -> Refusal {
    Refusal::new(
        "NoSuchDistribution",
        "The specified distribution does not exist.",
    )
}

impl CloudFront {
    pub(super) fn create_distribution(
        &mut self,
        call: &Call<'_>,
        web_acl_exists: &dyn Fn(&str) -> bool,
    ) -> Result<Answer, Refusal> {
        let (text, config) = config::parse(call.body, "DistributionConfig")?;
        let facts = self.checked(&config, Demand::Create, None, web_acl_exists)?;
        self.check_realtime_logs(&config, call.account)?;
        let document = own_document(text, &config);
        Ok(self.add_distribution(call, &document, facts).1)
    }

    pub(super) fn create_distribution_with_tags(
        &mut self,
        call: &Call<'_>,
        web_acl_exists: &dyn Fn(&str) -> bool,
    ) -> Result<Answer, Refusal> {
        let (text, both) = config::parse(call.body, "DistributionConfigWithTags")?;
        let config = both
            .child("DistributionConfig")
            .ok_or_else(|| Refusal::missing("DistributionConfig"))?;
        let tags = tags::parse(both.child("Tags").ok_or_else(|| Refusal::missing("Tags"))?)?;
        let facts = self.checked(config, Demand::Create, None, web_acl_exists)?;
        self.check_realtime_logs(config, call.account)?;
        let document = own_document(text, config);
        let (arn, answer) = self.add_distribution(call, &document, facts);
        self.tags.insert(arn, tags);
        Ok(answer)
    }

    /// Returns the ARN and what to answer.
    fn add_distribution(
        &mut self,
        call: &Call<'_>,
        document: &str,
        facts: Facts,
    ) -> (String, Answer) {
        let sequence = self.next();
        let unique = format!("{}/{sequence}", call.now);
        let id = format!("E{}", letters("distribution", call.account, &unique, 13));
        let label = letters("domain", call.account, &unique, 13).to_lowercase();
        let arn = format!("arn:aws:cloudfront::{}:distribution/{id}", call.account);
        let mut log = RolloutLog::default();
        log.push(facts.gate.clone(), call.now, call.rollout.distribution);
        let distribution = Distribution {
            id: id.clone(),
            domain_name: format!("d{label}.cloudfront.net"),
            document: document.to_owned(),
            etag: ETag::first(&arn, sequence),
            arn,
            last_modified: call.now,
            caller_reference: facts.caller_reference,
            staging: facts.staging,
            aliases: facts.aliases,
            gate: facts.gate,
            log,
            realtime_metrics: None,
        };
        let created = answers::created(
            call,
            distribution.full(call.now),
            &format!("distribution/{id}"),
        );
        let created = answers::with_etag(created, distribution.etag.current());
        let arn = distribution.arn.clone();
        self.distributions.insert(id, distribution);
        (arn, created)
    }

    /// Checks a configuration for a new distribution, or for the one of `own_id`.
    fn checked(
        &self,
        config: &Element,
        demand: Demand,
        own_id: Option<&str>,
        web_acl_exists: &dyn Fn(&str) -> bool,
    ) -> Result<Facts, Refusal> {
        let others = || {
            self.distributions
                .values()
                .filter(|distribution| Some(distribution.id.as_str()) != own_id)
        };
        let facts = config::check(
            config,
            demand,
            &Surroundings {
                web_acl_exists,
                function_is_published: &|arn| self.published_function(arn).is_some(),
                alias_is_taken: &|alias| {
                    others().any(|other| other.aliases.iter().any(|taken| taken == alias))
                },
            },
        )?;
        if own_id.is_none() {
            if others().any(|other| other.caller_reference == facts.caller_reference) {
                return Err(Refusal::new(
                    "DistributionAlreadyExists",
                    "The caller reference that you are using to create a distribution is associated with another distribution.",
                ));
            }
            if self.distributions.len() >= MOST_DISTRIBUTIONS {
                return Err(Refusal::new(
                    "TooManyDistributions",
                    "Processing your request would cause you to exceed the maximum number of distributions allowed.",
                ));
            }
        }
        for function in &facts.gate.functions {
            let users = others().filter(|other| other.gate.functions.contains(function));
            if users.count() >= MOST_DISTRIBUTIONS_OF_A_FUNCTION {
                return Err(Refusal::new(
                    "TooManyDistributionsWithSingleFunctionARN",
                    "The maximum number of distributions have been associated with the specified function.",
                ));
            }
        }
        Ok(facts)
    }

    pub(super) fn distribution(&self, id: &str) -> Result<&Distribution, Refusal> {
        self.distributions.get(id).ok_or_else(no_such_distribution)
    }

    pub(super) fn get_distribution(&self, call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
        let distribution = self.distribution(id)?;
        let found = answers::found(call, distribution.full(call.now));
        Ok(answers::with_etag(found, distribution.etag.current()))
    }

    pub(super) fn get_distribution_config(
        &self,
        call: &Call<'_>,
        id: &str,
    ) -> Result<Answer, Refusal> {
        let distribution = self.distribution(id)?;
        let found = answers::found(call, answers::declared(&distribution.document));
        Ok(answers::with_etag(found, distribution.etag.current()))
    }

    pub(super) fn update_distribution(
        &mut self,
        call: &Call<'_>,
        id: &str,
        web_acl_exists: &dyn Fn(&str) -> bool,
    ) -> Result<Answer, Refusal> {
        let old = self.distribution(id)?;
        old.etag.check(call)?;
        let (text, config) = config::parse(call.body, "DistributionConfig")?;
        let facts = self.checked(&config, Demand::Update, Some(id), web_acl_exists)?;
        self.check_realtime_logs(&config, call.account)?;
        if facts.caller_reference != old.caller_reference || facts.staging != old.staging {
            return Err(Refusal::new(
                "IllegalUpdate",
                "The update contains modifications that are not allowed: CallerReference and Staging stay.",
            ));
        }
        let document = own_document(text, &config);
        let distribution = self.replace_document(call, id, document, facts.gate, facts.aliases)?;
        let changed = answers::changed(call, distribution.full(call.now));
        Ok(answers::with_etag(changed, distribution.etag.current()))
    }

    /// Puts a checked document in place of the one before; it then spreads to the edges.
    pub(super) fn replace_document(
        &mut self,
        call: &Call<'_>,
        id: &str,
        document: String,
        gate: Gate,
        aliases: Vec<String>,
    ) -> Result<&Distribution, Refusal> {
        let sequence = self.next();
        let distribution = self
            .distributions
            .get_mut(id)
            .ok_or_else(no_such_distribution)?;
        distribution.document = document;
        distribution.etag.advance(&distribution.arn, sequence);
        distribution.last_modified = call.now;
        distribution.aliases = aliases;
        distribution
            .log
            .push(gate.clone(), call.now, call.rollout.distribution);
        distribution.gate = gate;
        Ok(distribution)
    }

    pub(super) fn delete_distribution(
        &mut self,
        call: &Call<'_>,
        id: &str,
    ) -> Result<Answer, Refusal> {
        let distribution = self.distribution(id)?;
        distribution.etag.check(call)?;
        if distribution.gate.enabled || !distribution.log.is_deployed(call.now) {
            return Err(Refusal::new(
                "DistributionNotDisabled",
                "The distribution you are trying to delete has not been disabled, everywhere.",
            ));
        }
        let arn = distribution.arn.clone();
        self.tags.remove(&arn);
        self.distributions.remove(id);
        Ok(answers::emptied(call))
    }

    pub(super) fn list_distributions(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        listed(call, self.distributions.values())
    }

    /// Lists by ARN; `null` for those without a web ACL.
    pub(super) fn list_distributions_by_web_acl(
        &self,
        call: &Call<'_>,
        web_acl: &str,
        web_acl_exists: &dyn Fn(&str) -> bool,
    ) -> Result<Answer, Refusal> {
        let wanted = Some(web_acl).filter(|web_acl| *web_acl != "null");
        if let Some(arn) = wanted {
            config::existing_web_acl(arn, web_acl_exists)?;
        }
        let behind = self
            .distributions
            .values()
            .filter(|distribution| distribution.gate.web_acl.as_deref() == wanted);
        listed(call, behind)
    }
}

fn listed<'a>(
    call: &Call<'_>,
    distributions: impl Iterator<Item = &'a Distribution>,
) -> Result<Answer, Refusal> {
    let page = Page::of(call)?;
    let (distributions, next) = page.take(distributions, |distribution| &distribution.id);
    let summaries: Vec<String> = distributions
        .into_iter()
        .map(|distribution| distribution.summary(call.now))
        .collect();
    let is_truncated = if next.is_some() { "true" } else { "false" };
    let document = answers::listed("DistributionList", &page, next.as_deref(), &summaries);
    let document = document.replacen(
        "<MaxItems>",
        &(tag("Marker", &page.marker) + &tag("IsTruncated", is_truncated) + "<MaxItems>"),
        1,
    );
    Ok(answers::found(call, document))
}

/// Cuts the configuration out of what was sent and fills in what is missing.
fn own_document(text: &str, config: &Element) -> String {
    let mut filled = if config.outer == (0..text.len()) {
        defaults::fill(text, config)
    } else {
        let own = &text[config.outer.clone()];
        let root = document::parse_text(own).expect("a part of a document that was parsed");
        defaults::fill(own, &root)
    };
    if config.namespace.is_none() {
        // A member of a larger document has its namespace from there.
        filled = filled.replacen(
            "<DistributionConfig",
            &format!("<DistributionConfig xmlns=\"{NAMESPACE}\""),
            1,
        );
    }
    filled
}
