//! Findings as Markdown for a CI run's summary page: the verdict, what stands in the way with its
//! fix, and the rest folded away.

use super::Severity;
use super::judge::{Finding, Status, Tally};
use crate::render::Sheet;

/// The page.
pub(crate) fn page(event: &str, line: &str, findings: &[Finding]) -> String {
    let tally = Tally::of(findings);
    let mark = if tally.is_go() { "✅" } else { "❌" };
    let mut text = format!(
        "## {mark} {} · preflight of {event}\n\n{line}\n\n",
        tally.headline()
    );
    let blocking: Vec<&Finding> = findings.iter().filter(|one| one.blocks()).collect();
    let warnings: Vec<&Finding> = findings
        .iter()
        .filter(|one| one.fails_as(Severity::Warning))
        .collect();
    let waived: Vec<&Finding> = with(findings, &[Status::Waived]);
    for (title, list) in [
        ("In the way", &blocking),
        ("Warnings", &warnings),
        ("Waived", &waived),
    ] {
        if list.is_empty() {
            continue;
        }
        let mut sheet = Sheet::new(&["check", "what was seen", "fix"]);
        for finding in list {
            let fix = match (&finding.waiver, finding.status) {
                (Some(waiver), Status::Waived) => format!(
                    "accepted by {} until {}: {}",
                    waiver.owner, waiver.expires, waiver.reason
                ),
                _ => finding.fix.clone().unwrap_or_default(),
            };
            sheet.push([finding.check.id.to_owned(), finding.evidence.clone(), fix]);
        }
        text.push_str(&format!("### {title}\n\n{}\n", sheet.markdown()));
    }
    let rest = with(
        findings,
        &[Status::Pass, Status::NotYetDue, Status::NotApplicable],
    );
    let mut sheet = Sheet::new(&["check", "status", "what was seen"]);
    for finding in &rest {
        sheet.push([
            finding.check.id.to_owned(),
            finding.status.name().to_owned(),
            finding.evidence.clone(),
        ]);
    }
    text.push_str(&format!(
        "<details><summary>{} more checks</summary>\n\n{}\n</details>\n",
        rest.len(),
        sheet.markdown()
    ));
    text
}

fn with<'a>(findings: &'a [Finding], statuses: &[Status]) -> Vec<&'a Finding> {
    findings
        .iter()
        .filter(|one| statuses.contains(&one.status))
        .collect()
}
