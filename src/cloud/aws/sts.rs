//! STS: who we are.

use super::Cloud;
use crate::cloud::{Caller, CloudError};

impl Cloud {
    /// Asks whom the credentials belong to. Needs no permission.
    pub(crate) async fn caller(&self) -> Result<Caller, CloudError> {
        let call = self.reading("sts.GetCallerIdentity", "the caller");
        let output = self
            .sts
            .get_caller_identity()
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let arn = call.required(output.arn, "Arn")?;
        Ok(Caller {
            account: call.required(output.account, "Account")?,
            session: session(&arn),
            arn,
        })
    }
}

/// The last part of `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
fn session(arn: &str) -> Option<String> {
    let (_, rest) = arn.split_once(":assumed-role/")?;
    let (_, session) = rest.split_once('/')?;
    (!session.is_empty()).then(|| session.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_session_of_an_assumed_role_only() {
        let role = "arn:aws:sts::111122223333:assumed-role/Admin/jess@example.com";
        assert_eq!(session(role).as_deref(), Some("jess@example.com"));
        assert_eq!(session("arn:aws:iam::111122223333:user/jess"), None);
        assert_eq!(
            session("arn:aws:sts::111122223333:assumed-role/Admin"),
            None
        );
    }
}
