//! Rules of a web ACL, moved between count and block.

use sha2::{Digest, Sha256};

use super::{Applier, Done, Progress, Stopped, Tries, WAF_WRITE_INTERVAL};
use crate::cloud::Approved;
use crate::ledger::EntryId;
use crate::observe::{self, ObserveError, ObservedAcl};
use crate::plan::rules::{RulePlan, RuleWish, plan_rules};

impl Applier<'_> {
    /// Brings the rules that the change `id` names to what the ledger asks. As with IP sets the web
    /// ACL is read first and the ledger after it, and a conflict means all of that again.
    pub(super) async fn web_acl(
        &self,
        approved: &Approved,
        id: &EntryId,
        name: &str,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Done, Stopped> {
        let (_turn, waited) = self.turn(&format!("web-acl-{name}"), tell).await;
        let mut tries = Tries::new(self);
        let known = self.known.observed_acls.get(name);
        let mut first_read = known.filter(|_| !waited).cloned();
        let mut acl_id = known.map(|acl| acl.document.id().to_owned());
        let mut slot = false;
        let mut writes = 0;
        let mut before = None;
        let mut sent: Option<RulePlan> = None;
        let mut idle: Option<String> = None;
        loop {
            let observed = if let Some(observed) = first_read.take() {
                observed
            } else {
                let read = match &acl_id {
                    Some(acl_id) => observe::web_acl_again(self.cloud, name, acl_id).await,
                    None => observe::web_acl(self.cloud, name).await,
                };
                match read {
                    Ok(observed) => observed,
                    Err(ObserveError::Cloud(error)) => {
                        tries.again(error, writes, tell, name).await?;
                        continue;
                    }
                    Err(error) => return Err(Stopped::after(error.into(), writes)),
                }
            };
            acl_id = Some(observed.document.id().to_owned());
            let view = self
                .view()
                .await
                .map_err(|error| Stopped::after(error, writes))?;
            let document = &observed.document.json;
            let meant = self.meant.rules(name, document);
            let plan = plan_rules(document, &RuleWish::of(&view, id, name), &meant);
            let present = digest(&observed);
            let before = before.get_or_insert_with(|| present.clone()).clone();
            if !plan.changes_something() && !plan.must_write {
                // A colleague's change may have landed and be told between our read and the ledger's:
                // only a web ACL that has not moved since is as meant.
                if idle.as_ref() != Some(&observed.lock_token) {
                    idle = Some(observed.lock_token);
                    continue;
                }
                // What an earlier attempt of ours sent and this read shows as meant, we did.
                let ours = sent.take().filter(|_| tries.may_have_landed);
                return Ok(Done {
                    writes,
                    before: Some(before),
                    after: Some(present),
                    ..ours.map_or_else(Done::default, |sent| done(&sent))
                });
            }
            if !slot {
                slot = true;
                if self.pace("wafv2-update-web-acl", WAF_WRITE_INTERVAL).await {
                    continue;
                }
            }
            slot = false;
            let mut document = observed.document.clone();
            document.json = plan.after.clone();
            writes += 1;
            let after = ObservedAcl {
                document,
                lock_token: observed.lock_token,
            };
            match self
                .cloud
                .update_web_acl(approved, &after.document, &after.lock_token)
                .await
            {
                Ok(_) => {
                    return Ok(Done {
                        writes,
                        before: Some(before),
                        after: Some(digest(&after)),
                        ..done(&plan)
                    });
                }
                Err(error) => {
                    // A touch that changes nothing must not hide what an earlier attempt changed.
                    if plan.changes_something() || sent.is_none() {
                        sent = Some(plan);
                    }
                    tries.again(error, writes, tell, name).await?;
                }
            }
        }
    }
}

fn done(plan: &RulePlan) -> Done {
    Done {
        changed: plan.changes_something(),
        added: plan
            .moved
            .iter()
            .map(|moved| format!("{}: {}", moved.rule, moved.to))
            .collect(),
        removed: plan
            .moved
            .iter()
            .map(|moved| format!("{}: {}", moved.rule, moved.from))
            .collect(),
        ..Done::default()
    }
}

/// SHA-256 of the whole web ACL.
fn digest(acl: &ObservedAcl) -> String {
    hex::encode(Sha256::digest(acl.document.json.to_string()))
}
