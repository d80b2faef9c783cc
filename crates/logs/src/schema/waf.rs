//! The columns of AWS WAF's logs. What standard logs have too is named as there, so that the two join,
//! by `x_edge_request_id` for one. AWS WAF Developer Guide, "Log fields for protection pack (web ACL)
//! traffic".

use super::Kind::{Boolean, Integer, Text, Timestamp};
use super::{Column, derived};

/// All columns of the table `waf`, in the order of `SELECT *`.
pub const WAF: &[Column] = &[
    derived(
        "at",
        Timestamp,
        "when the request was inspected, UTC: `timestamp`",
    ),
    derived(
        "action",
        Text,
        "ALLOW, BLOCK, CAPTCHA or CHALLENGE: `action`",
    ),
    derived("web_acl_id", Text, "the web ACL's ARN: `webaclId`"),
    derived(
        "terminating_rule",
        Text,
        "the rule that decided, Default_Action if none did: `terminatingRuleId`",
    ),
    derived(
        "terminating_rule_type",
        Text,
        "REGULAR, RATE_BASED, GROUP or MANAGED_RULE_GROUP: `terminatingRuleType`",
    ),
    derived(
        "rule_group",
        Text,
        "the group of the rule that decided: `ruleGroupList[].ruleGroupId`",
    ),
    derived(
        "rule_in_group",
        Text,
        "the rule in that group: `ruleGroupList[].terminatingRule.ruleId`",
    ),
    derived("is_rate_based", Boolean, "a rate-based rule decided"),
    derived(
        "rate_limits",
        Text,
        "the rate-based rules that the request counted for, comma between: `rateBasedRuleList[].rateBasedRuleName`",
    ),
    derived(
        "counting_rules",
        Text,
        "rules that matched without deciding, comma between, those of groups included: `nonTerminatingMatchingRules[].ruleId`",
    ),
    derived("labels", Text, "labels, comma between: `labels[].name`"),
    derived(
        "response_code_sent",
        Integer,
        "the status of a custom response: `responseCodeSent`",
    ),
    derived(
        "source_name",
        Text,
        "what asked, CF for CloudFront: `httpSourceName`",
    ),
    derived(
        "distribution_id",
        Text,
        "the distribution: `httpSourceId` where CloudFront asked",
    ),
    derived(
        "distribution_tenant_id",
        Text,
        "the tenant: `cfDistributionTenantId`",
    ),
    derived("c_ip", Text, "the viewer's address: `httpRequest.clientIp`"),
    derived(
        "c_country",
        Text,
        "the viewer's country: `httpRequest.country`",
    ),
    derived(
        "asn",
        Integer,
        "the viewer's network, where a rule asked for it: `clientAsn`",
    ),
    derived(
        "cs_method",
        Text,
        "the request's method: `httpRequest.httpMethod`",
    ),
    derived(
        "viewer_host",
        Text,
        "the host that the viewer asked for: `httpRequest.host`, else the header Host",
    ),
    derived("cs_uri_stem", Text, "the path: `httpRequest.uri`"),
    derived("cs_uri_query", Text, "the query string: `httpRequest.args`"),
    derived(
        "cs_protocol_version",
        Text,
        "such as HTTP/2.0: `httpRequest.httpVersion`",
    ),
    derived("cs_user_agent", Text, "the header User-Agent"),
    derived(
        "x_edge_request_id",
        Text,
        "the request's id, as in standard logs where CloudFront asked: `httpRequest.requestId`",
    ),
    derived("ja3", Text, "JA3 fingerprint: `ja3Fingerprint`"),
    derived("ja4", Text, "JA4 fingerprint: `ja4Fingerprint`"),
];
