//! A web ACL as far as it decides on requests, read from WAF's wire form. What this tool does not
//! know stays in place under its name: a rule that cannot be judged must not look like one that
//! lets everyone pass.

use std::collections::BTreeSet;

use serde_json::Value;

/// A web ACL.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct WebAcl {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// What no rule decides is let in.
    pub(crate) default_allow: bool,
    /// By priority, lowest first.
    pub(crate) rules: Vec<Rule>,
}

/// A rule of a web ACL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) metric: String,
    pub(crate) priority: u64,
    pub(crate) action: Action,
    pub(crate) statement: Statement,
    /// Labels that a match adds, as the rule spells them (without the ACL's namespace).
    pub(crate) labels: Vec<String>,
}

/// What a rule does with a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Allow,
    /// Refuses with this status; 403 unless the rule says otherwise.
    Block {
        status: u16,
    },
    Count,
    Challenge,
    Captcha,
    /// A rule group acts as its own rules say.
    OverrideNone,
    /// A rule group only counts.
    OverrideCount,
}

/// What a rule matches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    IpSet {
        arn: String,
        /// The address is taken from a header instead of the connection.
        forwarded: bool,
    },
    Geo {
        codes: BTreeSet<String>,
        forwarded: bool,
    },
    Managed {
        vendor: String,
        name: String,
        /// Rules of the group whose action is overridden.
        excluded: Vec<String>,
        scope_down: Option<Box<Statement>>,
    },
    RateBased {
        limit: u64,
        scope_down: Option<Box<Statement>>,
    },
    Label {
        /// The key is a namespace, not a whole label.
        namespace: bool,
        key: String,
    },
    ByteMatch(ByteMatch),
    And(Vec<Statement>),
    Or(Vec<Statement>),
    Not(Box<Statement>),
    /// Any other statement, by its name.
    Unknown(String),
}

/// A string looked for in one part of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ByteMatch {
    pub(crate) field: Field,
    pub(crate) search: Vec<u8>,
    /// `EXACTLY`, `STARTS_WITH`, `ENDS_WITH`, `CONTAINS` or `CONTAINS_WORD`.
    pub(crate) position: String,
    /// `NONE`, `LOWERCASE` and others, in order.
    pub(crate) transformations: Vec<String>,
}

/// A part of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    UriPath,
    Query,
    /// A header, lower case.
    Header(String),
    /// Any other part, by its name.
    Unknown(String),
}

/// Why a document is not a web ACL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the web ACL has no usable `{0}`")]
pub(crate) struct WebAclError(&'static str);

impl WebAcl {
    /// Reads the `WebACL` member of `GetWebACL`'s answer.
    pub(crate) fn from_json(wire: &Value) -> Result<Self, WebAclError> {
        let text = |member: &'static str| {
            wire[member]
                .as_str()
                .map(str::to_owned)
                .ok_or(WebAclError(member))
        };
        let default = wire["DefaultAction"]
            .as_object()
            .ok_or(WebAclError("DefaultAction"))?;
        let mut rules = match &wire["Rules"] {
            Value::Null => Vec::new(),
            Value::Array(rules) => rules.iter().map(rule).collect::<Result<_, _>>()?,
            _ => return Err(WebAclError("Rules")),
        };
        rules.sort_by_key(|rule| rule.priority);
        Ok(Self {
            name: text("Name")?,
            arn: text("ARN")?,
            default_allow: default.get("Allow").is_some_and(|allow| !allow.is_null()),
            rules,
        })
    }

    /// The ARNs of all IP sets that any rule asks.
    pub(crate) fn ip_set_arns(&self) -> BTreeSet<&str> {
        let mut arns = BTreeSet::new();
        for rule in &self.rules {
            collect_arns(&rule.statement, &mut arns);
        }
        arns
    }
}

fn collect_arns<'a>(statement: &'a Statement, arns: &mut BTreeSet<&'a str>) {
    match statement {
        Statement::IpSet { arn, .. } => {
            arns.insert(arn);
        }
        Statement::And(inner) | Statement::Or(inner) => {
            for inner in inner {
                collect_arns(inner, arns);
            }
        }
        Statement::Not(inner) => collect_arns(inner, arns),
        Statement::Managed { scope_down, .. } | Statement::RateBased { scope_down, .. } => {
            if let Some(inner) = scope_down {
                collect_arns(inner, arns);
            }
        }
        Statement::Geo { .. }
        | Statement::Label { .. }
        | Statement::ByteMatch(_)
        | Statement::Unknown(_) => {}
    }
}

fn rule(wire: &Value) -> Result<Rule, WebAclError> {
    let name = wire["Name"].as_str().ok_or(WebAclError("Rules.Name"))?;
    let metric = wire["VisibilityConfig"]["MetricName"].as_str();
    Ok(Rule {
        name: name.to_owned(),
        metric: metric.unwrap_or(name).to_owned(),
        priority: wire["Priority"]
            .as_u64()
            .ok_or(WebAclError("Rules.Priority"))?,
        action: action(wire)?,
        statement: statement(&wire["Statement"]),
        labels: wire["RuleLabels"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|label| label["Name"].as_str().map(str::to_owned))
            .collect(),
    })
}

fn action(wire: &Value) -> Result<Action, WebAclError> {
    let chosen = |member: &str| {
        wire[member]
            .as_object()
            .into_iter()
            .flatten()
            .find(|(_, value)| !value.is_null())
            .map(|(name, _)| name.clone())
    };
    let own = chosen("Action");
    let overriding = chosen("OverrideAction");
    match (own.as_deref(), overriding.as_deref()) {
        (Some("Allow"), _) => Ok(Action::Allow),
        (Some("Block"), _) => {
            let code = wire["Action"]["Block"]["CustomResponse"]["ResponseCode"].as_u64();
            let status = code.and_then(|code| u16::try_from(code).ok());
            Ok(Action::Block {
                status: status.unwrap_or(403),
            })
        }
        (Some("Count"), _) => Ok(Action::Count),
        (Some("Challenge"), _) => Ok(Action::Challenge),
        (Some("Captcha"), _) => Ok(Action::Captcha),
        (None, Some("None")) => Ok(Action::OverrideNone),
        (None, Some("Count")) => Ok(Action::OverrideCount),
        _ => Err(WebAclError("Rules.Action")),
    }
}

fn statement(wire: &Value) -> Statement {
    let Some((kind, inner)) = wire
        .as_object()
        .into_iter()
        .flatten()
        .find(|(_, value)| !value.is_null())
    else {
        return Statement::Unknown("none".to_owned());
    };
    let text = |member: &str| inner[member].as_str().unwrap_or_default().to_owned();
    let list = || {
        inner["Statements"]
            .as_array()
            .into_iter()
            .flatten()
            .map(statement)
            .collect()
    };
    match kind.as_str() {
        "IPSetReferenceStatement" => Statement::IpSet {
            arn: text("ARN"),
            forwarded: !inner["IPSetForwardedIPConfig"].is_null(),
        },
        "GeoMatchStatement" => Statement::Geo {
            codes: inner["CountryCodes"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|code| code.as_str().map(str::to_owned))
                .collect(),
            forwarded: !inner["ForwardedIPConfig"].is_null(),
        },
        "ManagedRuleGroupStatement" => Statement::Managed {
            vendor: text("VendorName"),
            name: text("Name"),
            excluded: ["ExcludedRules", "RuleActionOverrides"]
                .iter()
                .filter_map(|member| inner[*member].as_array())
                .flatten()
                .filter_map(|rule| rule["Name"].as_str().map(str::to_owned))
                .collect(),
            scope_down: scope_down(inner),
        },
        "RateBasedStatement" => Statement::RateBased {
            limit: inner["Limit"].as_u64().unwrap_or_default(),
            scope_down: scope_down(inner),
        },
        "LabelMatchStatement" => Statement::Label {
            namespace: inner["Scope"] == "NAMESPACE",
            key: text("Key"),
        },
        "ByteMatchStatement" => byte_match(inner).map_or_else(
            || Statement::Unknown("ByteMatchStatement".to_owned()),
            Statement::ByteMatch,
        ),
        "AndStatement" => Statement::And(list()),
        "OrStatement" => Statement::Or(list()),
        "NotStatement" => Statement::Not(Box::new(statement(&inner["Statement"]))),
        unknown => Statement::Unknown(unknown.to_owned()),
    }
}

fn scope_down(inner: &Value) -> Option<Box<Statement>> {
    let wire = &inner["ScopeDownStatement"];
    (!wire.is_null()).then(|| Box::new(statement(wire)))
}

fn byte_match(inner: &Value) -> Option<ByteMatch> {
    use base64::Engine as _;
    let search = base64::engine::general_purpose::STANDARD
        .decode(inner["SearchString"].as_str()?)
        .ok()?;
    let (field, content) = inner["FieldToMatch"].as_object()?.iter().next()?;
    let field = match field.as_str() {
        "UriPath" => Field::UriPath,
        "QueryString" => Field::Query,
        "SingleHeader" => Field::Header(content["Name"].as_str()?.to_ascii_lowercase()),
        unknown => Field::Unknown(unknown.to_owned()),
    };
    let mut transformations: Vec<(u64, String)> = inner["TextTransformations"]
        .as_array()?
        .iter()
        .filter_map(|one| Some((one["Priority"].as_u64()?, one["Type"].as_str()?.to_owned())))
        .collect();
    transformations.sort();
    Some(ByteMatch {
        field,
        search,
        position: inner["PositionalConstraint"].as_str()?.to_owned(),
        transformations: transformations.into_iter().map(|(_, kind)| kind).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_rules_by_priority_and_keeps_unknown_statements() {
        let acl = WebAcl::from_json(&json!({
            "Name": "acl",
            "ARN": "arn",
            "DefaultAction": {"Block": {}},
            "Rules": [
                {"Name": "later", "Priority": 7, "Action": {"Block": {"CustomResponse": {"ResponseCode": 429}}},
                 "Statement": {"QuantumMatchStatement": {}}},
                {"Name": "first", "Priority": 2, "OverrideAction": {"Count": {}},
                 "VisibilityConfig": {"MetricName": "m"},
                 "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "G",
                    "ScopeDownStatement": {"IPSetReferenceStatement": {"ARN": "set"}}}}},
            ],
        }))
        .unwrap();
        assert!(!acl.default_allow);
        assert_eq!(acl.rules[0].metric, "m");
        assert_eq!(acl.rules[0].action, Action::OverrideCount);
        assert_eq!(acl.rules[1].action, Action::Block { status: 429 });
        assert_eq!(
            acl.rules[1].statement,
            Statement::Unknown("QuantumMatchStatement".to_owned())
        );
        assert_eq!(acl.ip_set_arns(), BTreeSet::from(["set"]));
    }

    #[test]
    fn a_rule_without_an_action_is_no_rule() {
        let wire = json!({"Name": "a", "ARN": "b", "DefaultAction": {"Allow": {}},
            "Rules": [{"Name": "r", "Priority": 0, "Statement": {}}]});
        assert_eq!(WebAcl::from_json(&wire), Err(WebAclError("Rules.Action")));
    }
}
