//! Findings as a JUnit report, as CI systems read it: a suite for each group, a case for each check.
//! What fails with severity error is a failure, what could not be asked is an error, a warning
//! passes with its text as output, and what was waived, is not yet due or does not apply is skipped.

use std::fmt::Write;

use quick_xml::escape::escape;

use super::Severity;
use super::judge::{Finding, Status};

/// The whole report; `suite` names it.
pub(crate) fn report(suite: &str, findings: &[Finding]) -> String {
    let mut groups: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        match groups.last_mut() {
            Some((group, list)) if *group == finding.check.group() => list.push(finding),
            _ => groups.push((finding.check.group(), vec![finding])),
        }
    }
    let all: Vec<&Finding> = findings.iter().collect();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text.push_str(&format!("<testsuites {}>\n", attributes(suite, &all)));
    for (group, list) in &groups {
        text.push_str(&format!("  <testsuite {}>\n", attributes(group, list)));
        for finding in list {
            text.push_str(&case(finding));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn attributes(name: &str, findings: &[&Finding]) -> String {
    let count = |test: &dyn Fn(&Finding) -> bool| findings.iter().filter(|one| test(one)).count();
    let seconds: f64 = findings.iter().map(|one| one.seconds).sum();
    format!(
        "name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{seconds:.3}\"",
        attribute(name),
        findings.len(),
        count(&|one| one.fails_as(Severity::Error)),
        count(&Finding::is_unknown),
        count(&is_skipped),
    )
}

fn is_skipped(finding: &Finding) -> bool {
    match finding.status {
        Status::Waived | Status::NotYetDue | Status::NotApplicable => true,
        Status::CouldNotAsk => finding.unknown_is_allowed,
        Status::Pass | Status::Fail => false,
    }
}

fn case(finding: &Finding) -> String {
    let mut text = format!(
        "    <testcase classname=\"{}\" name=\"{}: {}\" time=\"{:.3}\">",
        attribute(finding.check.group()),
        attribute(finding.check.id),
        attribute(finding.check.title),
        finding.seconds
    );
    let evidence = attribute(&finding.evidence);
    let fix = finding.fix.as_deref().unwrap_or_default();
    // Writing to a text cannot fail.
    let written = if finding.fails_as(Severity::Error) {
        write!(
            text,
            "<failure type=\"{}\" message=\"{evidence}\">{}</failure>",
            finding.check.id,
            content(&format!("fix: {fix}\nsource: {}", finding.check.source))
        )
    } else if finding.is_unknown() {
        write!(
            text,
            "<error type=\"could-not-ask\" message=\"{evidence}\"/>"
        )
    } else if is_skipped(finding) {
        let status = finding.status.name();
        write!(text, "<skipped message=\"{status}: {evidence}\"/>")
    } else if finding.status == Status::Fail {
        let warning = format!("warning: {}\nfix: {fix}", finding.evidence);
        write!(text, "<system-out>{}</system-out>", content(&warning))
    } else {
        write!(
            text,
            "<system-out>{}</system-out>",
            content(&finding.evidence)
        )
    };
    debug_assert!(written.is_ok());
    text.push_str("</testcase>\n");
    text
}

/// Text for an attribute, without the characters that XML 1.0 cannot hold.
fn attribute(text: &str) -> String {
    escape(sound(text)).into_owned()
}

fn content(text: &str) -> String {
    escape(sound(text)).into_owned()
}

fn sound(text: &str) -> String {
    text.chars()
        .filter(|one| matches!(one, '\t' | '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
        .collect()
}
