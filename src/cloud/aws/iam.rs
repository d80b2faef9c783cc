//! IAM: what the caller may do (simulated), and whether a role trusts a service. Query protocol,
//! API version 2010-05-08, one endpoint for all regions, signed for us-east-1.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Cloud;
use super::call::Call;
use super::plain::{Plain, PlainRequest};
use crate::cloud::{CloudError, Role, Simulated};

/// Actions of one simulation; the API's page size allows more, the answer stays small.
const ACTIONS_AT_ONCE: usize = 100;

impl Cloud {
    /// Asks what IAM would say to these actions of the principal (a user's or a role's ARN).
    ///
    /// Needs `iam:SimulatePrincipalPolicy`, which many crews are not given: then it is denied.
    pub(crate) async fn simulate(
        &self,
        principal: &str,
        actions: &[String],
        resources: &[String],
    ) -> Result<Vec<Simulated>, CloudError> {
        let mut simulated = Vec::new();
        for actions in actions.chunks(ACTIONS_AT_ONCE) {
            let mut marker: Option<String> = None;
            loop {
                let what = format!("principal {principal}");
                let call = self.reading("iam.SimulatePrincipalPolicy", what);
                let mut form = Form::new("SimulatePrincipalPolicy");
                form.push("PolicySourceArn", principal);
                form.list("ActionNames", actions);
                form.list("ResourceArns", resources);
                if let Some(marker) = &marker {
                    form.push("Marker", marker);
                }
                let text = self.ask_form(&call, form).await?;
                for member in elements(&text, "EvaluationResults")
                    .first()
                    .map_or_else(Vec::new, |results| members(results))
                {
                    let decision = first(member, "EvalDecision");
                    let action = first(member, "EvalActionName");
                    let (Some(decision), Some(action)) = (decision, action) else {
                        return Err(call.unreadable("a result without action or decision"));
                    };
                    simulated.push(Simulated {
                        allowed: decision == "allowed",
                        action,
                    });
                }
                let next = first(&text, "Marker");
                marker = call.next_page(marker.as_deref(), next.as_deref())?;
                if marker.is_none() {
                    break;
                }
            }
        }
        Ok(simulated)
    }

    /// Reads a role: its ARN with its path, and who may assume it.
    pub(crate) async fn role(&self, name: &str) -> Result<Role, CloudError> {
        let call = self.reading("iam.GetRole", format!("role {name}"));
        let mut form = Form::new("GetRole");
        form.push("RoleName", name);
        let text = self.ask_form(&call, form).await?;
        let policy = call.required(
            first(&text, "AssumeRolePolicyDocument"),
            "AssumeRolePolicyDocument",
        )?;
        Ok(Role {
            arn: call.required(first(&text, "Arn"), "Arn")?,
            trust: percent_decode_str(&policy).decode_utf8_lossy().into_owned(),
        })
    }

    async fn ask_form(&self, call: &Call, form: Form) -> Result<String, CloudError> {
        let request = PlainRequest {
            service: Plain::Iam,
            region: "us-east-1".to_owned(),
            method: "POST",
            path: "/".to_owned(),
            headers: vec![(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
            )],
            body: form.0.into_bytes(),
        };
        let body = self.ask(call, request).await?;
        String::from_utf8(body.to_vec()).map_err(|_| call.unreadable("not UTF-8"))
    }
}

struct Form(String);

impl Form {
    fn new(action: &str) -> Self {
        Self(format!("Action={action}&Version=2010-05-08"))
    }

    fn push(&mut self, name: &str, value: &str) {
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        self.0.push_str(&format!("&{name}={value}"));
    }

    fn list(&mut self, name: &str, values: &[String]) {
        for (index, value) in values.iter().enumerate() {
            self.push(&format!("{name}.member.{}", index + 1), value);
        }
    }
}

/// What is between the tags of each element of this name, in order; elements of one name are not
/// nested in what is asked here.
fn elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once(&open) {
        let Some((inner, after)) = behind.split_once(&close) else {
            break;
        };
        found.push(inner);
        rest = after;
    }
    found
}

/// The `member` elements directly inside; each may hold lists with members of their own.
fn members(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut depth, mut begins, mut at) = (0_usize, 0, 0);
    while let Some(next) = text[at..].find('<') {
        let start = at + next;
        if text[start..].starts_with("<member>") {
            at = start + "<member>".len();
            if depth == 0 {
                begins = at;
            }
            depth += 1;
        } else if text[start..].starts_with("</member>") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                found.push(&text[begins..start]);
            }
            at = start + "</member>".len();
        } else {
            at = start + 1;
        }
    }
    found
}

fn first(text: &str, name: &str) -> Option<String> {
    let inner = elements(text, name).into_iter().next()?;
    let text = quick_xml::escape::unescape(inner).ok()?;
    Some(text.into_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_within_members_belong_to_the_outer_one() {
        let text = "<member><A>1</A><L><member>x</member></L></member>\n<member><A>2</A></member>";
        let found: Vec<_> = members(text)
            .into_iter()
            .map(|member| first(member, "A").unwrap())
            .collect();
        assert_eq!(found, ["1", "2"]);
    }
}
