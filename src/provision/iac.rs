//! What to write in Terraform or `CloudFormation` so that the next run of those does not take back what
//! onair keeps on resources that they describe. Text only; nothing is read or run.

use super::step::{Iac, Managed, Step};

/// What an infrastructure tool knows a step's resource by.
struct Foreign<'a> {
    /// Shown as, such as `web-acl cup-final-viewers`.
    resource: String,
    name: &'a str,
    managed: &'a Managed,
}

/// The resources that somebody else may manage, each once: the rules of a web ACL are one.
fn foreign(steps: &[Step]) -> Vec<Foreign<'_>> {
    let mut found: Vec<Foreign<'_>> = Vec::new();
    for step in steps {
        let Some(managed) = &step.managed else {
            continue;
        };
        let is_same = |other: &Foreign<'_>| {
            other.managed.terraform_type == managed.terraform_type
                && other.managed.import_id == managed.import_id
        };
        if found.iter().any(is_same) {
            continue;
        }
        let (resource, name) = match step.touches.first() {
            Some(acl) if step.kind == "web-acl-rule" => (format!("web-acl {acl}"), acl.as_str()),
            _ => (step.resource(), step.name.as_str()),
        };
        found.push(Foreign {
            resource,
            name,
            managed,
        });
    }
    found
}

/// The lines for every resource that somebody else may manage, whether or not this run would change
/// it; empty when there is none.
pub(crate) fn lines(steps: &[Step], tool: Iac) -> String {
    let mut text = String::new();
    for one in foreign(steps) {
        let block = match tool {
            Iac::Terraform => terraform(&one),
            Iac::Cloudformation => cloudformation(&one),
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&block);
    }
    text
}

fn terraform(foreign: &Foreign<'_>) -> String {
    let managed = foreign.managed;
    let kind = managed.terraform_type;
    let label = label(foreign.name);
    if managed.terraform_ignore.is_empty() {
        return format!(
            "# {}: onair keeps all of it; leave it out of the configuration, or take it out:\nremoved {{\n  from = {kind}.{label}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n",
            foreign.resource
        );
    }
    let ignore: Vec<String> = managed
        .terraform_ignore
        .iter()
        .map(|attribute| format!("      {attribute},\n"))
        .collect();
    format!(
        "# {}\nimport {{\n  to = {kind}.{label}\n  id = \"{}\"\n}}\n\nresource \"{kind}\" \"{label}\" {{\n  # ... your configuration\n  lifecycle {{\n    ignore_changes = [\n{}    ]\n  }}\n}}\n",
        foreign.resource,
        managed.import_id,
        ignore.concat()
    )
}

fn cloudformation(foreign: &Foreign<'_>) -> String {
    let managed = foreign.managed;
    if managed.cloudformation_properties.is_empty() {
        return format!(
            "# {}: onair keeps all of it; leave {} out of the template, or set DeletionPolicy: Retain and take it out\n",
            foreign.resource, managed.cloudformation_type
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
        foreign.resource,
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

/// What a plan says of the resources that somebody else's tool describes and that it would change:
/// one line each.
pub(crate) fn warnings(steps: &[Step]) -> Vec<String> {
    let pending: Vec<Step> = steps
        .iter()
        .filter(|step| step.action.is_pending())
        .cloned()
        .collect();
    let words = foreign(&pending).into_iter().filter_map(|foreign| {
        let (tool, flag) = match foreign.managed.by? {
            Iac::Terraform => ("Terraform", "terraform"),
            Iac::Cloudformation => ("CloudFormation", "cloudformation"),
        };
        Some(format!(
            "{} looks managed by {tool}, whose next run would take this back; the lines that prevent it: onair provision --dry-run --iac {flag}",
            foreign.resource
        ))
    });
    words.collect()
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
        let words = warnings(&[step(), step()]);
        assert_eq!(words.len(), 1, "{words:?}");
        assert!(words[0].contains("--iac terraform"), "{words:?}");
    }

    #[test]
    fn the_rules_of_a_web_acl_are_one_resource_and_what_is_kept_is_listed_too() {
        let rule = |name: &str| {
            Step::existing("web-acl-rule", name, Vec::new(), String::new())
                .touching("viewers")
                .managed(Managed {
                    by: None,
                    terraform_type: "aws_wafv2_web_acl",
                    terraform_ignore: vec!["rule".to_owned()],
                    import_id: "id/viewers/CLOUDFRONT".to_owned(),
                    cloudformation_type: "AWS::WAFv2::WebACL",
                    cloudformation_properties: vec!["Rules".to_owned()],
                })
        };
        let text = lines(&[rule("a"), rule("b")], Iac::Terraform);
        assert!(text.starts_with("# web-acl viewers\n"), "{text}");
        assert_eq!(text.matches("import {").count(), 1, "{text}");
        assert!(text.contains("to = aws_wafv2_web_acl.viewers\n"), "{text}");
        assert!(warnings(&[rule("a")]).is_empty());
    }
}
