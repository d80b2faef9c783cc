//! The embedded cloud's IAM: roles and their trust, and what a principal may do. Query protocol, API
//! version 2010-05-08.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use quick_xml::escape::escape;
use serde::{Deserialize, Serialize};

use super::service::{Answer, Call};
use super::sts::action;

/// The operations there are.
const OPERATIONS: [&str; 2] = ["GetRole", "SimulatePrincipalPolicy"];

/// What IAM holds. Everything is allowed that is not denied.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Trust policies by the role's name.
    roles: BTreeMap<String, String>,
    /// Actions, such as `wafv2:UpdateIPSet`, or `wafv2:*`.
    denied: BTreeSet<String>,
}

impl State {
    /// Adds a role that a service may assume for this account.
    pub(super) fn seed_role(&mut self, account: &str, name: &str, service: &str) {
        let trust = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": service },
                "Action": "sts:AssumeRole",
                "Condition": { "StringEquals": { "aws:SourceAccount": account } },
            }],
        });
        self.roles.insert(name.to_owned(), trust.to_string());
    }

    fn allows(&self, action: &str) -> bool {
        let service = action.split(':').next().unwrap_or_default();
        !self.denied.contains(action) && !self.denied.contains(&format!("{service}:*"))
    }
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    let action = action(call.body).or_else(|| action(call.query.as_bytes()))?;
    OPERATIONS.into_iter().find(|known| *known == action)
}

/// Answers a call whose operation is known.
pub(super) fn handle(call: &Call<'_>, state: &mut State) -> Answer {
    let form: BTreeMap<String, String> = String::from_utf8_lossy(call.body)
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| {
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8_lossy().into_owned();
            (name.to_owned(), value)
        })
        .collect();
    match operation(call) {
        Some("GetRole") => get_role(call, state, &form),
        _ => simulate(call, state, &form),
    }
}

fn get_role(call: &Call<'_>, state: &State, form: &BTreeMap<String, String>) -> Answer {
    let Some(name) = form.get("RoleName") else {
        return refuse(call, 400, "ValidationError", "RoleName is required");
    };
    let account = call.account;
    let Some(trust) = state.roles.get(name) else {
        let message = format!("The role with name {name} cannot be found.");
        return refuse(call, 404, "NoSuchEntity", &message);
    };
    let role = format!(
        "<Role><Path>/</Path><RoleName>{name}</RoleName><RoleId>AROAREHEARSALREHEARSA</RoleId>\
         <Arn>arn:aws:iam::{account}:role/{name}</Arn><CreateDate>{:.0}</CreateDate>\
         <AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument></Role>",
        call.now,
        utf8_percent_encode(trust, NON_ALPHANUMERIC),
        name = escape(name.as_str()),
    );
    answer(call, "GetRole", &role)
}

fn simulate(call: &Call<'_>, state: &State, form: &BTreeMap<String, String>) -> Answer {
    let source = form.get("PolicySourceArn").map_or("", String::as_str);
    let is_principal = [":role/", ":user/", ":group/"]
        .iter()
        .any(|kind| source.starts_with("arn:aws:iam::") && source.contains(kind));
    if !is_principal {
        // An assumed role's session is no principal here, as with AWS.
        let message = "Invalid Entity Arn: it must be of a user, group or role";
        return refuse(call, 400, "InvalidInput", message);
    }
    let listed = |list: &str| -> Vec<&String> {
        (1..)
            .map_while(|index| form.get(&format!("{list}.member.{index}")))
            .collect()
    };
    let actions = listed("ActionNames");
    if actions.is_empty() {
        return refuse(call, 400, "InvalidInput", "ActionNames is required");
    }
    let resource = listed("ResourceArns")
        .first()
        .map_or("*", |resource| resource.as_str());
    let results: Vec<String> = actions
        .iter()
        .map(|action| {
            let decision = if state.allows(action) {
                "allowed"
            } else {
                "explicitDeny"
            };
            format!(
                "<member><EvalActionName>{}</EvalActionName><EvalResourceName>{}</EvalResourceName>\
                 <EvalDecision>{decision}</EvalDecision><MatchedStatements/>\
                 <MissingContextValues/></member>",
                escape(action.as_str()),
                escape(resource)
            )
        })
        .collect();
    let content = format!(
        "<EvaluationResults>{}</EvaluationResults><IsTruncated>false</IsTruncated>",
        results.concat()
    );
    answer(call, "SimulatePrincipalPolicy", &content)
}

fn answer(call: &Call<'_>, operation: &str, content: &str) -> Answer {
    let body = format!(
        "<{operation}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <{operation}Result>{content}</{operation}Result><ResponseMetadata><RequestId>{}\
         </RequestId></ResponseMetadata></{operation}Response>",
        call.request_id
    );
    xml(call, 200, body)
}

fn refuse(call: &Call<'_>, status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error><RequestId>{}\
         </RequestId></ErrorResponse>",
        escape(message),
        call.request_id
    );
    xml(call, status, body)
}

fn xml(call: &Call<'_>, status: u16, body: String) -> Answer {
    Answer {
        status,
        headers: vec![
            ("x-amzn-requestid", call.request_id.to_owned()),
            ("content-type", "text/xml".to_owned()),
        ],
        body: body.into_bytes(),
        changed: false,
    }
}
