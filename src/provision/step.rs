//! The values that parts exchange with the runner: steps, what was made, what is there.

use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};

pub(crate) use crate::ledger::body::Made;

/// When a part's steps run. What is listed first is made first, and removed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// What others refer to: IP sets, key value store, stream, bucket policy, workgroup, database.
    Ground,
    /// What refers to those: web ACL rules, edge function, real-time log configuration, tables.
    Built,
    /// What puts them to use: distributions, log deliveries, named queries.
    Attached,
    /// What watches all of it: dashboard, alarms.
    Watching,
}

impl Stage {
    pub(crate) const ALL: [Self; 4] = [Self::Ground, Self::Built, Self::Attached, Self::Watching];
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    /// It is not there yet.
    Create,
    /// It is there and differs.
    Change,
    /// It is as it should be.
    Keep,
    /// We made it and the runbook does not ask for it any more.
    Remove,
    /// It cannot be brought to what the runbook asks for, as [`Step::note`] says.
    Refused,
}

impl Action {
    pub(crate) fn is_pending(self) -> bool {
        matches!(self, Self::Create | Self::Change | Self::Remove)
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Keep => "keep",
            Self::Remove => "remove",
            Self::Refused => "REFUSED",
        }
    }
}

/// One field that differs; texts are safe to show and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Difference {
    /// The field's path in the service's own words, such as `rules.onair-cup-final-block-v4.action`.
    pub(crate) field: String,
    /// None: not there.
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

impl Difference {
    pub(crate) fn new(
        field: impl Into<String>,
        from: Option<impl Into<String>>,
        to: Option<impl Into<String>>,
    ) -> Self {
        Self {
            field: field.into(),
            from: from.map(Into::into),
            to: to.map(Into::into),
        }
    }

    /// Adds a difference to `changes` when `from` and `to` are not the same.
    pub(crate) fn between<T: PartialEq + ToString>(
        changes: &mut Vec<Self>,
        field: &str,
        from: Option<&T>,
        to: Option<&T>,
    ) {
        if from != to {
            changes.push(Self {
                field: field.to_owned(),
                from: from.map(T::to_string),
                to: to.map(T::to_string),
            });
        }
    }

    /// For who planned before somebody else wrote: what it is now, and what the plan wants.
    pub(crate) fn as_found(&self) -> String {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        format!(
            "{} is now {}, and the runbook wants {}",
            self.field,
            shown(&self.from),
            shown(&self.to)
        )
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        write!(
            f,
            "{}: {} → {}",
            self.field,
            shown(&self.from),
            shown(&self.to)
        )
    }
}

/// One resource's part of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Step {
    /// The part's kind.
    pub(crate) kind: &'static str,
    /// The resource's name; unique within the kind.
    pub(crate) name: String,
    pub(crate) action: Action,
    pub(crate) changes: Vec<Difference>,
    /// What is worth knowing; for a refused step, why and what to do.
    pub(crate) note: Option<String>,
    /// What it costs while it exists, in words; only where it costs by itself.
    pub(crate) costs: Option<String>,
    /// How infrastructure-as-code sees it, for resources that others may manage.
    pub(crate) managed: Option<Managed>,
    /// [`fingerprint`] of what was observed, as far as the part looks after it; empty: not there.
    #[serde(skip)]
    pub(crate) fingerprint: String,
    /// Whether carrying it out makes a resource that is then ours: the ledger's intent claims it
    /// before it is made. True for `Create` unless the part says otherwise.
    #[serde(skip)]
    pub(crate) claims: bool,
    /// Ids of distributions and names of web ACLs that the step writes to: what other events share.
    #[serde(skip)]
    pub(crate) touches: Vec<String>,
}

impl Step {
    /// A step that makes what is not there.
    pub(crate) fn create(kind: &'static str, name: impl Into<String>) -> Self {
        Self {
            claims: true,
            ..Self::new(kind, name.into(), Action::Create)
        }
    }

    /// A step for what is there: `Change` with differences, `Keep` without.
    pub(crate) fn existing(
        kind: &'static str,
        name: impl Into<String>,
        changes: Vec<Difference>,
        fingerprint: String,
    ) -> Self {
        let action = if changes.is_empty() {
            Action::Keep
        } else {
            Action::Change
        };
        Self {
            changes,
            fingerprint,
            ..Self::new(kind, name.into(), action)
        }
    }

    /// A step that cannot be done, and why.
    pub(crate) fn refused(
        kind: &'static str,
        name: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            note: Some(why.into()),
            ..Self::new(kind, name.into(), Action::Refused)
        }
    }

    fn new(kind: &'static str, name: String, action: Action) -> Self {
        Self {
            kind,
            name,
            action,
            changes: Vec::new(),
            note: None,
            costs: None,
            managed: None,
            fingerprint: String::new(),
            claims: false,
            touches: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    #[must_use]
    pub(crate) fn costing(mut self, costs: impl Into<String>) -> Self {
        self.costs = Some(costs.into());
        self
    }

    #[must_use]
    pub(crate) fn managed(mut self, managed: Managed) -> Self {
        self.managed = Some(managed);
        self
    }

    /// Names a distribution's id or a web ACL's name that the step writes to.
    #[must_use]
    pub(crate) fn touching(mut self, shared: impl Into<String>) -> Self {
        self.touches.push(shared.into());
        self
    }

    /// Shown and recorded as, such as `ip-set onair-cup-final-block-v4`.
    pub(crate) fn resource(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// How a resource looks to infrastructure-as-code, so that what would revert us can be told to leave
/// our fields alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Managed {
    /// What the resource's own marks say; none: no mark.
    pub(crate) by: Option<Iac>,
    /// Such as `aws_cloudfront_distribution`.
    pub(crate) terraform_type: &'static str,
    /// Attributes for `lifecycle { ignore_changes = [...] }`; empty: all of it is ours, leave it out.
    pub(crate) terraform_ignore: Vec<String>,
    /// What `import { id = "..." }` takes, where it could be imported.
    pub(crate) import_id: String,
    /// Such as `AWS::CloudFront::Distribution`.
    pub(crate) cloudformation_type: &'static str,
    /// Properties that a stack update would write over.
    pub(crate) cloudformation_properties: Vec<String>,
}

/// A tool that describes infrastructure as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Iac {
    Terraform,
    Cloudformation,
}

impl Iac {
    /// Whose marks a resource carries: tags that the tools set by themselves or that teams agree on,
    /// and the comment or description. `aws:` tags are set by AWS alone; the others are habits.
    pub(crate) fn of<'a>(
        tags: impl IntoIterator<Item = (&'a str, &'a str)>,
        comment: &str,
    ) -> Option<Self> {
        let says = |text: &str, word: &str| text.to_lowercase().contains(word);
        for (key, value) in tags {
            if key.starts_with("aws:cloudformation:") || says(key, "aws-cdk") {
                return Some(Self::Cloudformation);
            }
            if says(key, "terraform") || says(value, "terraform") || says(value, "opentofu") {
                return Some(Self::Terraform);
            }
            if says(value, "cloudformation") {
                return Some(Self::Cloudformation);
            }
        }
        if says(comment, "terraform") || says(comment, "opentofu") {
            return Some(Self::Terraform);
        }
        (says(comment, "cloudformation") || says(comment, "aws cdk"))
            .then_some(Self::Cloudformation)
    }
}

/// What came of carrying out one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Done {
    /// Whether this run wrote.
    pub(crate) changed: bool,
    /// Update and create calls made.
    pub(crate) writes: u32,
    /// What now exists because of us; for created resources.
    pub(crate) made: Option<Made>,
    /// What is worth telling.
    pub(crate) notes: Vec<String>,
}

impl Done {
    /// It was as meant already.
    pub(crate) fn unchanged() -> Self {
        Self::default()
    }

    /// Written with so many calls.
    pub(crate) fn changed(writes: u32) -> Self {
        Self {
            changed: true,
            writes,
            ..Self::default()
        }
    }

    /// Made anew.
    pub(crate) fn made(writes: u32, made: Made) -> Self {
        Self {
            made: Some(made),
            ..Self::changed(writes)
        }
    }
}

/// Something in the account that carries this event's mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Owned {
    /// The part's kind.
    pub(crate) kind: &'static str,
    /// As in the step that made it.
    pub(crate) name: String,
    /// ARN or id, where it has one.
    pub(crate) id: Option<String>,
    /// What it costs while it exists, in words; none: nothing.
    pub(crate) costs: Option<String>,
    /// Whether tags, or the name where there are no tags, say that it is this event's.
    pub(crate) marked: bool,
    /// What hangs on something that is not ours: it is detached, and the thing stays.
    pub(crate) attachment: bool,
    /// Why teardown must leave it whatever the ledger says, such as objects in a bucket.
    pub(crate) kept_because: Option<String>,
}

impl Owned {
    pub(crate) fn new(kind: &'static str, name: impl Into<String>, marked: bool) -> Self {
        Self {
            kind,
            name: name.into(),
            id: None,
            costs: None,
            marked,
            attachment: false,
            kept_because: None,
        }
    }

    /// What refers to the event's resources from something that is not the event's. Needs no claim in
    /// the ledger, for it is only ever taken off together with what it refers to.
    pub(crate) fn attachment(kind: &'static str, name: impl Into<String>) -> Self {
        Self {
            attachment: true,
            ..Self::new(kind, name, true)
        }
    }

    #[must_use]
    pub(crate) fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    #[must_use]
    pub(crate) fn costing(mut self, costs: impl Into<String>) -> Self {
        self.costs = Some(costs.into());
        self
    }

    pub(crate) fn resource(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// A short digest of `observed`, to tell whether it has moved. Hand in what the part looks after and
/// what its write would replace, in a stable form: a document's bytes, a lock token, an `ETag`.
pub(crate) fn fingerprint(observed: impl AsRef<[u8]>) -> String {
    hex::encode(&Sha256::digest(observed)[..8])
}
