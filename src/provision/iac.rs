//! What to write in Terraform or `CloudFormation` so that the next run of those does not take back what
//! onair keeps on resources that they describe. Text only; nothing is read or run.

use super::step::{Iac, Managed, Step};

/// The lines for every step whose resource somebody else may manage; empty when there is none.
pub(crate) fn lines(steps: &[Step], tool: Iac) -> String {
    let mut text = String::new();
    for step in steps {
        let Some(managed) = &step.managed else {
            continue;
        };
        let block = match tool {
            Iac::Terraform => terraform(step, managed),
            Iac::Cloudformation => cloudformation(step, managed),
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&block);
    }
    text
}

fn terraform(step: &Step, managed: &Managed) -> String {
    let kind = managed.terraform_type;
    let label = label(&step.name);
    if managed.terraform_ignore.is_empty() {
        return format!(
            "# {}: onair keeps all of it; leave it out of the configuration, or take it out:\nremoved {{\n  from = {kind}.{label}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n",
            step.resource()
        );
    }
    let ignore: Vec<String> = managed
        .terraform_ignore
        .iter()
        .map(|attribute| format!("      {attribute},\n"))
        .collect();
    format!(
        "# {}\nimport {{\n  to = {kind}.{label}\n  id = \"{}\"\n}}\n\nresource \"{kind}\" \"{label}\" {{\n  # ... your configuration\n  lifecycle {{\n    ignore_changes = [\n{}    ]\n  }}\n}}\n",
        step.resource(),
        managed.import_id,
        ignore.concat()
    )
}

fn cloudformation(step: &Step, managed: &Managed) -> String {
    if managed.cloudformation_properties.is_empty() {
        return format!(
            "# {}: onair keeps all of it; leave {} out of the template, or set DeletionPolicy: Retain and take it out\n",
            step.resource(),
            managed.cloudformation_type
        );
    }
    // CloudFormation has nothing like ignore_changes: an update of the resource sends all of it.
    let properties: Vec<String> = managed
        .cloudformation_properties
        .iter()
        .map(|property| format!("#   {property}\n"))
        .collect();
    format!(
        "# {} ({})\n# A stack update that touches this resource writes these properties over; until the event is closed\n# keep a stack policy on it, or take the values from `onair provision --dry-run -o json`:\n{}{{\"Statement\":[{{\"Effect\":\"Deny\",\"Action\":\"Update:Modify\",\"Principal\":\"*\",\"Resource\":\"LogicalResourceId/*\",\"Condition\":{{\"StringEquals\":{{\"ResourceType\":[\"{}\"]}}}}}}]}}\n",
        step.resource(),
        managed.import_id,
        properties.concat(),
        managed.cloudformation_type
    )
}

/// A name that Terraform takes as a resource's label.
fn label(name: &str) -> String {
    let label: String = name
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    match label.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => label,
        _ => format!("onair_{label}"),
    }
}

/// What a plan says of a resource that somebody else's tool describes: one line, or none.
pub(crate) fn warning(step: &Step) -> Option<String> {
    let managed = step.managed.as_ref()?;
    let (tool, flag) = match managed.by? {
        Iac::Terraform => ("Terraform", "terraform"),
        Iac::Cloudformation => ("CloudFormation", "cloudformation"),
    };
    step.action.is_pending().then(|| {
        format!(
            "{} looks managed by {tool}, whose next run would take this back; the lines that prevent it: onair provision --dry-run --iac {flag}",
            step.resource()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::step::Difference;

    fn step() -> Step {
        let changes = vec![Difference::new("WebACLId", None::<&str>, Some("arn"))];
        Step::existing("distribution", "main (E2)", changes, String::new()).managed(Managed {
            by: Some(Iac::Terraform),
            terraform_type: "aws_cloudfront_distribution",
            terraform_ignore: vec!["web_acl_id".to_owned()],
            import_id: "E2".to_owned(),
            cloudformation_type: "AWS::CloudFront::Distribution",
            cloudformation_properties: vec!["DistributionConfig.WebACLId".to_owned()],
        })
    }

    #[test]
    fn terraform_is_told_to_ignore_our_attributes() {
        insta::assert_snapshot!(lines(&[step()], Iac::Terraform), @r#"
        # distribution main (E2)
        import {
          to = aws_cloudfront_distribution.main__e2_
          id = "E2"
        }

        resource "aws_cloudfront_distribution" "main__e2_" {
          # ... your configuration
          lifecycle {
            ignore_changes = [
              web_acl_id,
            ]
          }
        }
        "#);
        assert!(lines(&[step()], Iac::Cloudformation).contains("DistributionConfig.WebACLId"));
    }

    #[test]
    fn marks_are_read_from_tags_and_comments() {
        let of =
            |tags: &[(&'static str, &'static str)], comment| Iac::of(tags.iter().copied(), comment);
        assert_eq!(
            of(&[("aws:cloudformation:stack-name", "s")], ""),
            Some(Iac::Cloudformation)
        );
        assert_eq!(of(&[("ManagedBy", "Terraform")], ""), Some(Iac::Terraform));
        assert_eq!(
            of(&[("team", "video")], "Managed by Terraform"),
            Some(Iac::Terraform)
        );
        assert_eq!(of(&[("team", "video")], "main"), None);
        assert!(warning(&step()).unwrap().contains("--iac terraform"));
    }
}
