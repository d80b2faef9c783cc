//! `onair iam-policy`: the policy of each role holds what the role's commands call, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::harness::Desk;

/// What an operator does on a night, each line a run; `!` marks one that may end with another code.
const OPERATOR: &[&str] = &[
    "status",
    "why 203.0.113.9",
    "why FR",
    "ip status",
    "ip list",
    "ip block 192.0.2.7 --yes",
    "ip unblock 192.0.2.7 --yes",
    "geo status",
    "geo block IT --confirm Italy",
    "undo --yes",
    "token list",
    "token revoke --by sub 8841 --yes",
    "undo --yes",
    "!token mode log --confirm cup-final",
    "!token mode enforce --confirm cup-final",
    "!token keys status",
    "!token selftest --on aws",
    "!rule list",
    "!rule block AWSManagedRulesAnonymousIpList --confirm cup-final",
    "!undo --yes",
    "!dashboard diff",
    "!dashboard apply --yes",
    "tend --once",
    "!preflight",
    "ledger list",
    "!query run countries --since ko --until ko+5m",
];

/// What a pipeline does around an event.
const CI: &[&str] = &[
    "runbook check",
    "sandbox reset --bare --rates off --fault rollout=0s --fault rollout-skew=0s",
    "!provision --dry-run",
    "!provision --yes",
    "!provision --dry-run",
    "!preflight",
    "!dashboard diff",
    "!dashboard apply --yes",
    "!provision --yes",
    "!query run countries --since ko --until ko+5m",
    "!teardown --confirm cup-final",
    "!teardown --leftovers",
];

/// What somebody does who only looks.
const ANALYST: &[&str] = &[
    "status",
    "why 203.0.113.9",
    "why sub:8841",
    "ip status",
    "ip list",
    "geo status",
    "token list",
    "ledger list",
    "!dashboard diff",
    "!query run countries --since ko --until ko+5m",
    "sandbox reset --at end+3h --rates off",
    "!report --since ko --until ko+5m",
];

/// An operator reads these for preflight alone.
const NOT_CHECKED_YET: &str = "for checks that preflight has yet to make";

/// Athena reads tables and logs, and writes results, with the rights of whoever asks.
const FOR_ATHENA: &str = "Athena asks for it in the caller's name; it is no call";

/// What a policy holds although the commands above do not call it, and why.
const UNCOUNTED: &[(&str, &str)] = &[
    ("s3:GetObject", "a rehearsal's ledger is a folder"),
    ("s3:PutObject", "a rehearsal's ledger is a folder"),
    ("s3:ListBucket", "a rehearsal's ledger is a folder"),
    (
        "iam:PassRole",
        "AWS asks for it when the role is handed on; it is no call",
    ),
    (
        "cloudfront:AllowVendedLogDeliveryForResource",
        "AWS asks for it when a delivery source is put; it is no call",
    ),
    (
        "wafv2:TagResource",
        "AWS asks for it when something is made with tags",
    ),
    (
        "kinesis:AddTagsToStream",
        "AWS asks for it when something is made with tags",
    ),
    (
        "logs:TagResource",
        "AWS asks for it when something is made with tags",
    ),
    (
        "athena:TagResource",
        "AWS asks for it when something is made with tags",
    ),
    (
        "cloudwatch:TagResource",
        "AWS asks for it when something is made with tags",
    ),
    (
        "cloudfront:GetVpcOrigin",
        "only where an origin is a VPC origin",
    ),
    (
        "cloudfront:GetContinuousDeploymentPolicy",
        "only where a distribution has one",
    ),
    (
        "cloudfront:GetResponseHeadersPolicy",
        "only where a behavior has one",
    ),
    (
        "kinesis:UpdateStreamMode",
        "only where the stream is on demand",
    ),
    (
        "kinesis:UpdateShardCount",
        "only where the forecast has grown",
    ),
    (
        "cloudfront:UpdateFunction",
        "only where its code has changed",
    ),
    (
        "cloudfront:UpdateRealtimeLogConfig",
        "only where its fields have changed",
    ),
    (
        "logs:UpdateDeliveryConfiguration",
        "only where its fields have changed",
    ),
    ("cloudfront:GetRealtimeLogConfig", NOT_CHECKED_YET),
    ("kinesis:DescribeStreamSummary", NOT_CHECKED_YET),
    ("logs:DescribeDeliveries", NOT_CHECKED_YET),
    ("logs:DescribeDeliveryDestinations", NOT_CHECKED_YET),
    ("logs:DescribeDeliverySources", NOT_CHECKED_YET),
    ("s3:GetBucketLocation", NOT_CHECKED_YET),
    ("s3:GetBucketPolicy", NOT_CHECKED_YET),
    ("athena:GetWorkGroup", NOT_CHECKED_YET),
    ("glue:GetDatabase", NOT_CHECKED_YET),
    ("glue:GetTable", NOT_CHECKED_YET),
    ("cloudwatch:DescribeAlarms", NOT_CHECKED_YET),
    ("athena:UpdateNamedQuery", "only where its text has changed"),
    (
        "athena:UpdateWorkGroup",
        "only where its limits have changed",
    ),
    ("glue:UpdateTable", "only where its columns have changed"),
    ("athena:StopQueryExecution", "only on Ctrl-C"),
    ("glue:GetPartitions", FOR_ATHENA),
    ("s3:AbortMultipartUpload", FOR_ATHENA),
    ("s3:ListMultipartUploadParts", FOR_ATHENA),
    ("s3:ListBucketMultipartUploads", FOR_ATHENA),
];

fn policy(desk: &Desk, role: &str) -> Value {
    let run = desk
        .onair(&["-o", "json", "iam-policy", "--role", role])
        .expect_success();
    run.json()["data"].clone()
}

/// The actions of the policy document itself, statement by statement.
fn granted(data: &Value) -> BTreeSet<String> {
    let statements = data["policy"]["Statement"].as_array().into_iter().flatten();
    statements
        .flat_map(|statement| match &statement["Action"] {
            Value::Array(actions) => actions.clone(),
            one => vec![one.clone()],
        })
        .filter_map(|action| action.as_str().map(str::to_owned))
        .collect()
}

/// The IAM action of a call as the embedded cloud counts it; none where AWS asks for no permission.
fn action(call: &str) -> Option<String> {
    let (service, operation) = call.split_once('.')?;
    let operation = match (service, operation) {
        ("viewer" | "probe" | "origin" | "dns" | "sts", _) => return None,
        ("s3", "HeadBucket" | "ListObjects" | "ListObjectsV2") => "ListBucket",
        ("s3", "HeadObject") => "GetObject",
        (_, operation) => operation,
    };
    Some(format!("{service}:{operation}"))
}

fn calls(desk: &Desk) -> BTreeMap<String, u64> {
    let run = desk
        .onair(&["-o", "json", "sandbox", "show"])
        .expect_success();
    serde_json::from_value(run.json()["data"]["calls"].clone()).expect("calls are counted by name")
}

/// Whether the binary has the command already.
fn is_there(desk: &Desk, command: &str) -> bool {
    let words = command
        .split(' ')
        .take_while(|word| !word.starts_with('-'))
        .chain(["--help"]);
    desk.onair(&words.collect::<Vec<_>>()).code == 0
}

fn check_role(role: &str, script: &[&str]) {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    let mut called = BTreeSet::new();
    // A reset forgets the counts, so they are added up after every run.
    for line in script {
        let may_fail = line.starts_with('!');
        let words: Vec<&str> = line.trim_start_matches('!').split(' ').collect();
        let run = desk.onair(&words);
        assert!(may_fail || run.code == 0, "{line}: {run}");
        called.extend(calls(&desk).into_keys().filter_map(|call| action(&call)));
    }
    let data = policy(&desk, role);
    let granted = granted(&data);
    if role == "ci" {
        // Where there are real viewers, `provision` puts nothing in the store it makes; a rehearsal's gets
        // throwaway keys, so that the gate lets somebody in.
        called.remove("cloudfront-keyvaluestore:UpdateKeys");
        called.remove("cloudfront-keyvaluestore:ListKeys");
    }
    let missing: Vec<&String> = called.difference(&granted).collect();
    assert!(
        missing.is_empty(),
        "{role} calls what it may not: {missing:?}"
    );

    let permissions = data["permissions"].as_array().expect("a list");
    let mut unused = Vec::new();
    for permission in permissions {
        let action = permission["action"].as_str().expect("a text");
        let commands = permission["commands"].as_array().into_iter().flatten();
        let mut commands = commands.filter_map(Value::as_str).peekable();
        let excepted = UNCOUNTED.iter().any(|(known, _)| *known == action);
        let is_of_this_binary = commands.peek().is_some()
            && commands.all(|command| command.starts_with("every") || is_there(&desk, command));
        if !called.contains(action) && !excepted && is_of_this_binary {
            unused.push(action.to_owned());
        }
    }
    assert!(
        unused.is_empty(),
        "{role} may do what it never does: {unused:?}"
    );
}

#[test]
fn an_operators_policy_holds_what_a_night_calls_and_nothing_else() {
    check_role("operator", OPERATOR);
}

#[test]
fn a_pipelines_policy_holds_what_it_calls_and_nothing_else() {
    check_role("ci", CI);
}

#[test]
fn an_analysts_policy_holds_what_looking_calls_and_nothing_else() {
    check_role("analyst", ANALYST);
}

#[test]
fn the_plain_answer_is_the_policy_itself() {
    let desk = Desk::new().always(&["-e", "cup-final"]);
    let run = desk
        .onair(&["iam-policy", "--role", "analyst"])
        .expect_success();
    let policy: Value = serde_json::from_str(&run.stdout).expect("the policy is JSON");
    assert_eq!(policy["Version"], "2012-10-17");
    assert_eq!(policy, self::policy(&desk, "analyst")["policy"]);
}

#[test]
fn a_policy_that_is_too_long_comes_in_parts() {
    let desk = Desk::new().always(&["-e", "cup-final"]);
    let run = desk
        .onair(&["-o", "json", "iam-policy", "--role", "ci"])
        .expect_success();
    let data = &run.json()["data"];
    let parts = data["parts"].as_array().expect("a list").len();
    assert!(parts > 1, "{run}");
    assert!(
        run.json()["warnings"][0]
            .as_str()
            .is_some_and(|warning| warning.contains("--part 2")),
        "{run}"
    );
    let part = desk
        .onair(&["-o", "json", "iam-policy", "--role", "ci", "--part", "2"])
        .expect_success();
    assert_eq!(part.json()["data"]["policy"], data["parts"][1]);
    desk.onair(&["iam-policy", "--role", "ci", "--part", "99"])
        .expect_code(2);
}
