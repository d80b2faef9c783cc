//! A distribution's web ACL set or taken away without sending the whole configuration.

use super::CloudFront;
use super::answers::{self, Refusal};
use super::config;
use super::document::{Edits, tag};
use crate::sandbox::service::{Answer, Call};

impl CloudFront {
    pub(super) fn associate(
        &mut self,
        call: &Call<'_>,
        id: &str,
        web_acl_exists: &dyn Fn(&str) -> bool,
    ) -> Result<Answer, Refusal> {
        self.check_write(call, id)?;
        let (_, request) = config::parse(call.body, "AssociateDistributionWebACLRequest")?;
        let arn = request
            .text_of("WebACLArn")
            .filter(|arn| !arn.is_empty())
            .ok_or_else(|| Refusal::missing("WebACLArn"))?;
        if !web_acl_exists(arn) {
            return Err(not_found(&format!("web ACL {arn}")));
        }
        let etag = self.set_web_acl(call, id, Some(arn))?;
        let content = tag("Id", id) + &tag("WebACLArn", arn);
        let document = answers::rooted("AssociateDistributionWebACLResult", &content);
        Ok(answers::with_etag(answers::changed(call, document), &etag))
    }

    pub(super) fn disassociate(&mut self, call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
        self.check_write(call, id)?;
        let etag = self.set_web_acl(call, id, None)?;
        let document = answers::rooted("DisassociateDistributionWebACLResult", &tag("Id", id));
        Ok(answers::with_etag(answers::changed(call, document), &etag))
    }

    fn check_write(&self, call: &Call<'_>, id: &str) -> Result<(), Refusal> {
        self.distribution(id)
            .map_err(|_| not_found(&format!("distribution {id}")))?
            .etag
            .check(call)
    }

    /// Returns the new version.
    fn set_web_acl(
        &mut self,
        call: &Call<'_>,
        id: &str,
        arn: Option<&str>,
    ) -> Result<String, Refusal> {
        let distribution = self.distribution(id)?;
        let config = distribution.parsed();
        let member = config
            .child("WebACLId")
            .expect("every document that was taken has one");
        let mut edits = Edits::default();
        edits.replace(
            member.outer.clone(),
            tag("WebACLId", arn.unwrap_or_default()),
        );
        let document = edits.apply(&distribution.document);
        let aliases = distribution.aliases.clone();
        let mut gate = distribution.gate.clone();
        gate.web_acl = arn.map(str::to_owned);
        let distribution = self.replace_document(call, id, document, gate, aliases)?;
        Ok(distribution.etag.current().to_owned())
    }
}

fn not_found(what: &str) -> Refusal {
    Refusal::new("EntityNotFound", format!("The {what} was not found."))
}
