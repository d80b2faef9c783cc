//! Checks a web ACL's rules and sums up what they cost.

use std::collections::HashSet;

use serde_json::Value;

use super::input::{is_metric, is_name};
use super::managed;
use super::model::Waf;
use super::refusal::Refusal;

/// WCU of a web ACL (Developer Guide, "AWS WAF quotas").
const MOST_CAPACITY: u64 = 5_000;
/// References to sets and groups in a web ACL (same source).
const MOST_REFERENCES: usize = 50;
/// Codes in one statement (botocore `wafv2`, `CountryCodes`).
const MOST_COUNTRIES: usize = 50;
/// Requests in the window (botocore `wafv2`, `RateLimit`).
const RATES: std::ops::RangeInclusive<u64> = 10..=2_000_000_000;

/// The codes of `CountryCode` in the API's model; unlike ISO 3166-1 with `XK`.
const COUNTRIES: &str = "AF AX AL DZ AS AD AO AI AQ AG AR AM AW AU AT AZ BS BH BD BB BY BE BZ BJ \
    BM BT BO BQ BA BW BV BR IO BN BG BF BI KH CM CA CV KY CF TD CL CN CX CC CO KM CG CD CK CR CI \
    HR CU CW CY CZ DK DJ DM DO EC EG SV GQ ER EE ET FK FO FJ FI FR GF PF TF GA GM GE DE GH GI GR \
    GL GD GP GU GT GG GN GW GY HT HM VA HN HK HU IS IN ID IR IQ IE IM IL IT JM JP JE JO KZ KE KI \
    KP KR KW KG LA LV LB LS LR LY LI LT LU MO MK MG MW MY MV ML MT MH MQ MR MU YT MX FM MD MC MN \
    ME MS MA MZ MM NA NR NP NL NC NZ NI NE NG NU NF MP NO OM PK PW PS PA PG PY PE PH PN PL PT PR \
    QA RE RO RU RW BL SH KN LC MF PM VC WS SM ST SA SN RS SC SL SG SX SK SI SB SO ZA GS SS ES LK \
    SD SR SJ SZ SE CH SY TW TJ TZ TH TL TG TK TO TT TN TR TM TC TV UG UA AE GB US UM UY UZ VU VE \
    VN VG VI WF EH YE ZM ZW XK";

/// Checks all rules; returns the capacity they use.
pub(super) fn check(rules: &[Value], state: &Waf) -> Result<u64, Refusal> {
    let mut names = HashSet::new();
    let mut priorities = HashSet::new();
    let mut checker = Checker {
        state,
        references: 0,
    };
    let mut capacity = 0;
    for (at, rule) in rules.iter().enumerate() {
        let place = format!("rules.{}.member", at + 1);
        let name = rule["Name"]
            .as_str()
            .ok_or_else(|| null(&format!("{place}.name")))?;
        if !is_name(name) || name.len() > 128 {
            return Err(Refusal::parameter(
                "RULE",
                name,
                "The rule name is not valid.",
            ));
        }
        let priority = rule["Priority"]
            .as_u64()
            .ok_or_else(|| null(&format!("{place}.priority")))?;
        check_visibility(&rule["VisibilityConfig"], &place)?;
        if !names.insert(name) {
            return Err(Refusal::parameter(
                "RULE",
                name,
                "Two rules have the same name.",
            ));
        }
        if !priorities.insert(priority) {
            return Err(Refusal::parameter(
                "RULE",
                priority.to_string(),
                "Two rules have the same priority.",
            ));
        }
        let statement = &rule["Statement"];
        if !statement.is_object() {
            return Err(null(&format!("{place}.statement")));
        }
        check_action(rule, statement)?;
        check_custom_response(rule)?;
        check_labels(rule)?;
        capacity += checker.statement(statement, Depth::Top)?;
    }
    if checker.references > MOST_REFERENCES {
        return Err(Refusal::limit("reference statements of a web ACL"));
    }
    if capacity > MOST_CAPACITY {
        return Err(Refusal::limit("capacity units of a web ACL"));
    }
    Ok(capacity)
}

/// Checks a `VisibilityConfig`, whose members are all required.
pub(super) fn check_visibility(config: &Value, place: &str) -> Result<(), Refusal> {
    if !config.is_object() {
        return Err(null(&format!("{place}.visibilityConfig")));
    }
    for (member, written) in [
        ("SampledRequestsEnabled", "sampledRequestsEnabled"),
        ("CloudWatchMetricsEnabled", "cloudWatchMetricsEnabled"),
    ] {
        if !config[member].is_boolean() {
            return Err(null(&format!("{place}.visibilityConfig.{written}")));
        }
    }
    match config["MetricName"].as_str() {
        None => Err(null(&format!("{place}.visibilityConfig.metricName"))),
        Some(metric) if !is_metric(metric) || metric.len() > 255 => Err(Refusal::parameter(
            "METRIC_NAME",
            metric,
            "The metric name is not valid.",
        )),
        // These stand for the sums in CloudWatch.
        Some(metric @ ("All" | "Default_Action")) => Err(Refusal::parameter(
            "METRIC_NAME",
            metric,
            "The metric name is reserved.",
        )),
        Some(_) => Ok(()),
    }
}

/// Rule groups take `OverrideAction`, everything else takes `Action`.
fn check_action(rule: &Value, statement: &Value) -> Result<(), Refusal> {
    let is_group = ["ManagedRuleGroupStatement", "RuleGroupReferenceStatement"]
        .iter()
        .any(|kind| statement.get(*kind).is_some());
    let (wanted, other, field, known): (_, _, _, &[&str]) = if is_group {
        (
            "OverrideAction",
            "Action",
            "OVERRIDE_ACTION",
            &["None", "Count"],
        )
    } else {
        (
            "Action",
            "OverrideAction",
            "RULE_ACTION",
            &["Allow", "Block", "Count", "Captcha", "Challenge"],
        )
    };
    let name = rule["Name"].as_str().unwrap_or_default();
    if !rule[other].is_null() {
        return Err(Refusal::parameter(
            "RULE",
            name,
            format!("A rule with this statement takes {wanted}, not {other}."),
        ));
    }
    let chosen: Vec<&String> = rule[wanted]
        .as_object()
        .into_iter()
        .flat_map(|members| members.iter())
        .filter(|(_, value)| !value.is_null())
        .map(|(name, _)| name)
        .collect();
    match chosen.as_slice() {
        [one] if known.contains(&one.as_str()) => Ok(()),
        _ => Err(Refusal::parameter(
            field,
            name,
            "You must specify exactly one action.",
        )),
    }
}

/// What a custom response may answer (Developer Guide, "Supported status codes for custom
/// responses"); 451 is not among them.
const RESPONSE_CODES: [u64; 33] = [
    200, 201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409,
    411, 412, 413, 414, 415, 416, 421, 429, 500, 501, 502, 503, 504, 505,
];

/// Checks the answer of a rule that blocks. That its body exists is checked with the web ACL.
fn check_custom_response(rule: &Value) -> Result<(), Refusal> {
    let response = &rule["Action"]["Block"]["CustomResponse"];
    if response.is_null() {
        return Ok(());
    }
    let refuse =
        |parameter: &str, reason| Err(Refusal::parameter("CUSTOM_RESPONSE", parameter, reason));
    let Some(code) = response["ResponseCode"].as_u64() else {
        return Err(null("rule.action.block.customResponse.responseCode"));
    };
    if !RESPONSE_CODES.contains(&code) {
        return refuse(&code.to_string(), "The response code is not supported.");
    }
    let mut names = HashSet::new();
    for header in response["ResponseHeaders"].as_array().into_iter().flatten() {
        let name = header["Name"].as_str().unwrap_or_default().to_lowercase();
        if name.is_empty() || header["Value"].as_str().is_none_or(str::is_empty) {
            return refuse(&name, "A header needs a name and a value.");
        }
        if name == "content-type" || !names.insert(name.clone()) {
            return refuse(&name, "The header is not allowed, or is given twice.");
        }
    }
    Ok(())
}

/// Words that no namespace of a rule's own labels may have (Developer Guide, "Label syntax and naming
/// requirements").
const RESERVED_LABELS: [&str; 7] = [
    "aws",
    "awswaf",
    "ipset",
    "managed",
    "regexpatternset",
    "rulegroup",
    "waf",
];

fn check_labels(rule: &Value) -> Result<(), Refusal> {
    for label in rule["RuleLabels"].as_array().into_iter().flatten() {
        let name = label["Name"].as_str().unwrap_or_default();
        let right = !name.is_empty()
            && name.len() <= 1024
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "_-:".contains(letter))
            && !name
                .split(':')
                .any(|part| RESERVED_LABELS.contains(&part) || part == "webacl" || part.is_empty());
        if !right {
            return Err(Refusal::parameter(
                "RULE",
                name,
                "The label is not valid, or its namespace is reserved.",
            ));
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// The statement of a rule.
    Top,
    /// Inside another.
    Nested,
}

struct Checker<'a> {
    state: &'a Waf,
    references: usize,
}

impl Checker<'_> {
    /// Checks one statement and returns its cost.
    fn statement(&mut self, statement: &Value, depth: Depth) -> Result<u64, Refusal> {
        let kinds: Vec<_> = statement
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
            .collect();
        let [(kind, inner)] = kinds.as_slice() else {
            return Err(Refusal::parameter(
                "STATEMENT",
                statement.to_string().chars().take(100).collect::<String>(),
                "You must specify exactly one statement.",
            ));
        };
        if depth == Depth::Nested
            && matches!(
                kind.as_str(),
                "RateBasedStatement" | "ManagedRuleGroupStatement" | "RuleGroupReferenceStatement"
            )
        {
            return Err(Refusal::parameter(
                "STATEMENT",
                kind.as_str(),
                "The statement can't be nested in another.",
            ));
        }
        match kind.as_str() {
            "IPSetReferenceStatement" => self.ip_set(inner),
            "GeoMatchStatement" => countries(inner).map(|()| 1),
            "LabelMatchStatement" => label(inner).map(|()| 1),
            "ByteMatchStatement" => byte_match(inner),
            "RateBasedStatement" => self.rate_based(inner),
            "ManagedRuleGroupStatement" => self.managed(inner),
            "AndStatement" => self.several(inner, "AND_STATEMENT"),
            "OrStatement" => self.several(inner, "OR_STATEMENT"),
            "NotStatement" => self.statement(&inner["Statement"], Depth::Nested),
            "SizeConstraintStatement" => Ok(1 + transformations(inner)),
            "RegexMatchStatement" => Ok(3 + transformations(inner)),
            "XssMatchStatement" => Ok(40 + transformations(inner)),
            "SqliMatchStatement" => {
                let sensitivity = inner["SensitivityLevel"].as_str();
                let high = sensitivity == Some("HIGH");
                Ok(if high { 30 } else { 20 } + transformations(inner))
            }
            "AsnMatchStatement" => Ok(1),
            // The embedded cloud has neither rule groups nor regex pattern sets of its own.
            "RuleGroupReferenceStatement" | "RegexPatternSetReferenceStatement" => {
                Err(Refusal::nonexistent())
            }
            unknown => Err(Refusal::parameter(
                "STATEMENT",
                unknown,
                "The statement is not known.",
            )),
        }
    }

    fn ip_set(&mut self, inner: &Value) -> Result<u64, Refusal> {
        self.references += 1;
        let arn = inner["ARN"].as_str().ok_or_else(|| null("statement.aRN"))?;
        if !self.state.ip_sets.values().any(|set| set.arn == arn) {
            return Err(Refusal::nonexistent());
        }
        let forwarded = &inner["IPSetForwardedIPConfig"];
        if forwarded.is_null() {
            return Ok(1);
        }
        for (member, field, known) in [
            (
                "FallbackBehavior",
                "FALLBACK_BEHAVIOR",
                &["MATCH", "NO_MATCH"][..],
            ),
            ("Position", "POSITION", &["FIRST", "LAST", "ANY"]),
        ] {
            let word = forwarded[member].as_str().unwrap_or_default();
            if !known.contains(&word) {
                return Err(Refusal::parameter(field, word, "The value is not known."));
            }
        }
        if forwarded["HeaderName"].as_str().is_none_or(str::is_empty) {
            return Err(Refusal::parameter(
                "HEADER_NAME",
                "",
                "The header has no name.",
            ));
        }
        Ok(if forwarded["Position"] == "ANY" { 5 } else { 1 })
    }

    fn rate_based(&mut self, inner: &Value) -> Result<u64, Refusal> {
        let limit = inner["Limit"]
            .as_u64()
            .ok_or_else(|| null("rateBasedStatement.limit"))?;
        let refuse = |parameter: String, reason| {
            Err(Refusal::parameter(
                "RATE_BASED_STATEMENT",
                parameter,
                reason,
            ))
        };
        if !RATES.contains(&limit) {
            return refuse(limit.to_string(), "The limit is out of range.");
        }
        let window = &inner["EvaluationWindowSec"];
        if !window.is_null() && !matches!(window.as_u64(), Some(60 | 120 | 300 | 600)) {
            return refuse(window.to_string(), "The window is not 60, 120, 300 or 600.");
        }
        match inner["AggregateKeyType"].as_str() {
            None => return Err(null("rateBasedStatement.aggregateKeyType")),
            Some("IP" | "FORWARDED_IP" | "CUSTOM_KEYS") => {}
            Some("CONSTANT") if inner["ScopeDownStatement"].is_object() => {}
            Some(other) => return refuse(other.to_owned(), "The aggregation is not valid."),
        }
        let keys = inner["CustomKeys"].as_array().map_or(0, Vec::len) as u64;
        Ok(2 + 30 * keys + self.scope_down(inner)?)
    }

    fn managed(&mut self, inner: &Value) -> Result<u64, Refusal> {
        self.references += 1;
        let text = |member: &str| inner[member].as_str().unwrap_or_default();
        let group =
            managed::find(text("VendorName"), text("Name")).ok_or_else(Refusal::nonexistent)?;
        Ok(group.capacity + self.scope_down(inner)?)
    }

    fn scope_down(&mut self, inner: &Value) -> Result<u64, Refusal> {
        match &inner["ScopeDownStatement"] {
            Value::Null => Ok(0),
            statement => self.statement(statement, Depth::Nested),
        }
    }

    fn several(&mut self, inner: &Value, field: &'static str) -> Result<u64, Refusal> {
        let statements = inner["Statements"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        if statements.len() < 2 {
            return Err(Refusal::parameter(
                field,
                statements.len().to_string(),
                "You must specify at least two statements.",
            ));
        }
        statements
            .iter()
            .map(|statement| self.statement(statement, Depth::Nested))
            .sum()
    }
}

fn countries(inner: &Value) -> Result<(), Refusal> {
    let codes = inner["CountryCodes"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let refuse = |parameter: String, reason| {
        Err(Refusal::parameter("GEO_MATCH_STATEMENT", parameter, reason))
    };
    if codes.is_empty() || codes.len() > MOST_COUNTRIES {
        return refuse(codes.len().to_string(), "A statement takes 1 to 50 codes.");
    }
    let unknown = codes.iter().find(|code| {
        code.as_str().is_none_or(|code| {
            !COUNTRIES
                .split_ascii_whitespace()
                .any(|known| known == code)
        })
    });
    match unknown {
        Some(code) => refuse(
            code.as_str().unwrap_or_default().to_owned(),
            "The country code is not known.",
        ),
        None => Ok(()),
    }
}

fn label(inner: &Value) -> Result<(), Refusal> {
    let scope = inner["Scope"].as_str().unwrap_or_default();
    let key = inner["Key"].as_str().unwrap_or_default();
    let characters = key
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "_-:".contains(letter));
    let right = matches!(scope, "LABEL" | "NAMESPACE")
        && !key.is_empty()
        && key.len() <= 1024
        && characters
        && (scope == "LABEL" || key.ends_with(':'));
    if right {
        Ok(())
    } else {
        Err(Refusal::parameter(
            "LABEL_MATCH_STATEMENT",
            key,
            "The label match is not valid.",
        ))
    }
}

fn byte_match(inner: &Value) -> Result<u64, Refusal> {
    let refuse = |parameter: &str, reason| {
        Err(Refusal::parameter(
            "BYTE_MATCH_STATEMENT",
            parameter,
            reason,
        ))
    };
    if inner["SearchString"].as_str().is_none_or(str::is_empty) {
        return refuse("SearchString", "The search string is empty.");
    }
    if !inner["FieldToMatch"].is_object() {
        return refuse("FieldToMatch", "The field to match is missing.");
    }
    if inner["TextTransformations"]
        .as_array()
        .is_none_or(Vec::is_empty)
    {
        return refuse(
            "TextTransformations",
            "At least one transformation is needed.",
        );
    }
    let cost = match inner["PositionalConstraint"].as_str() {
        Some("EXACTLY" | "STARTS_WITH" | "ENDS_WITH") => 2,
        Some("CONTAINS" | "CONTAINS_WORD") => 10,
        _ => return refuse("PositionalConstraint", "The constraint is not known."),
    };
    Ok(cost + transformations(inner))
}

/// Each transformation but `NONE` costs 10.
fn transformations(inner: &Value) -> u64 {
    let transformations = inner["TextTransformations"].as_array();
    transformations
        .into_iter()
        .flatten()
        .filter(|one| one["Type"] != "NONE")
        .map(|_| 10)
        .sum()
}

fn null(member: &str) -> Refusal {
    Refusal::new(
        "ValidationException",
        format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(name: &str, priority: u64, statement: &Value) -> Value {
        let is_group = statement.get("ManagedRuleGroupStatement").is_some();
        let (member, action) = if is_group {
            ("OverrideAction", json!({"None": {}}))
        } else {
            ("Action", json!({"Block": {}}))
        };
        json!({
            "Name": name,
            "Priority": priority,
            "Statement": statement,
            member: action,
            "VisibilityConfig": {
                "SampledRequestsEnabled": true,
                "CloudWatchMetricsEnabled": true,
                "MetricName": name,
            },
        })
    }

    fn geo(codes: &[&str]) -> Value {
        json!({"GeoMatchStatement": {"CountryCodes": codes}})
    }

    fn code(statement: &Value) -> Option<&'static str> {
        check(&[rule("r", 0, statement)], &Waf::default())
            .err()
            .map(|refusal| refusal.code())
    }

    #[test]
    fn statements_are_refused_as_waf_refuses_them() {
        let invalid = Some("WAFInvalidParameterException");
        let fifty_one: Vec<&str> = COUNTRIES
            .split(' ')
            .filter(|code| !code.is_empty())
            .take(51)
            .collect();
        for (statement, expected) in [
            (geo(&["AT", "XK"]), None),
            (geo(&fifty_one[..50]), None),
            (geo(&fifty_one), invalid),
            (geo(&[]), invalid),
            (geo(&["at"]), invalid),
            (geo(&["XX"]), invalid),
            (json!({}), invalid),
            (
                json!({"GeoMatchStatement": {"CountryCodes": ["AT"]}, "AsnMatchStatement": {}}),
                invalid,
            ),
            (
                json!({"IPSetReferenceStatement": {"ARN": "arn:aws:wafv2:us-east-1:1:global/ipset/a/b"}}),
                Some("WAFNonexistentItemException"),
            ),
            (
                json!({"AndStatement": {"Statements": [geo(&["AT"])]}}),
                invalid,
            ),
            (
                json!({"RateBasedStatement": {"Limit": 9, "AggregateKeyType": "IP"}}),
                invalid,
            ),
            (
                json!({"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP"}}),
                None,
            ),
            (
                json!({"RateBasedStatement": {"AggregateKeyType": "IP"}}),
                Some("ValidationException"),
            ),
            (
                json!({"NotStatement": {"Statement": {"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP"}}}}),
                invalid,
            ),
            (
                json!({"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesNothing"}}),
                Some("WAFNonexistentItemException"),
            ),
            (
                json!({"LabelMatchStatement": {"Scope": "LABEL", "Key": "awswaf:clientip:geo:country:AT"}}),
                None,
            ),
            (
                json!({"LabelMatchStatement": {"Scope": "NAMESPACE", "Key": "awswaf:clientip"}}),
                invalid,
            ),
        ] {
            assert_eq!(code(&statement), expected, "{statement}");
        }
    }

    #[test]
    fn names_and_priorities_are_unique() {
        let at = geo(&["AT"]);
        for (rules, right) in [
            ([rule("a", 0, &at), rule("b", 1, &at)], true),
            ([rule("a", 0, &at), rule("a", 1, &at)], false),
            ([rule("a", 0, &at), rule("b", 0, &at)], false),
        ] {
            assert_eq!(check(&rules, &Waf::default()).is_ok(), right);
        }
    }

    #[test]
    fn groups_take_an_override_and_nothing_else_does() {
        let mut wrong = rule("a", 0, &geo(&["AT"]));
        wrong["OverrideAction"] = json!({"None": {}});
        assert!(check(&[wrong], &Waf::default()).is_err());
        let group = json!({"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesAnonymousIpList"}});
        assert_eq!(check(&[rule("a", 0, &group)], &Waf::default()), Ok(50));
        let mut wrong = rule("a", 0, &group);
        wrong["OverrideAction"] = json!({});
        assert!(check(&[wrong], &Waf::default()).is_err());
    }

    #[test]
    fn answers_and_labels_are_checked() {
        let with = |member: &str, value: Value| {
            let mut one = rule("r", 0, &geo(&["AT"]));
            one[member] = value;
            check(&[one], &Waf::default()).is_ok()
        };
        for (code, right) in [(403, true), (429, true), (451, false), (499, false)] {
            let block = json!({"Block": {"CustomResponse": {"ResponseCode": code}}});
            assert_eq!(with("Action", block), right, "{code}");
        }
        let headers = json!([{"Name": "Content-Type", "Value": "text/plain"}]);
        let block =
            json!({"Block": {"CustomResponse": {"ResponseCode": 403, "ResponseHeaders": headers}}});
        assert!(!with("Action", block));
        for (label, right) in [
            ("team:seen", true),
            ("awswaf:clientip:geo:country:AT", false),
            ("no spaces", false),
        ] {
            assert_eq!(
                with("RuleLabels", json!([{"Name": label}])),
                right,
                "{label}"
            );
        }
    }

    #[test]
    fn capacity_is_limited() {
        let group = json!({"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}});
        let rules: Vec<Value> = (0..8)
            .map(|at| rule(&format!("r{at}"), at, &group))
            .collect();
        assert_eq!(check(&rules[..7], &Waf::default()), Ok(4_900));
        assert!(check(&rules, &Waf::default()).is_err());
    }
}
