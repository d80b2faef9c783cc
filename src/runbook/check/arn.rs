//! Checks Amazon Resource Names: their service, account and kind of resource.

use crate::event::text::shortened;
use crate::runbook::check::Notes;
use crate::runbook::note::Problem;
use crate::runbook::resolved::{Arn, Aws};

/// A kind of resource that runbooks name.
pub(super) struct Kind {
    service: &'static str,
    /// What the resource part looks like, with `*` for each name in it.
    form: &'static str,
    /// Whether it has a region.
    regional: bool,
    /// Whether what `*` stands for may be written instead of the whole ARN, with the runbook's
    /// account and region meant. Names are then separated by slashes.
    short: bool,
    expected: &'static str,
}

pub(super) const FLOW: Kind = Kind {
    service: "mediaconnect",
    form: "flow:*:*",
    regional: true,
    short: false,
    expected: "a MediaConnect flow's ARN such as arn:aws:mediaconnect:eu-central-1:111122223333:flow:1-ABC:NAME",
};
pub(super) const CHANNEL: Kind = Kind {
    service: "medialive",
    form: "channel:*",
    regional: true,
    short: true,
    expected: "a MediaLive channel's id or ARN such as arn:aws:medialive:eu-central-1:111122223333:channel:1234567",
};
pub(super) const ENDPOINT: Kind = Kind {
    service: "mediapackagev2",
    form: "channelGroup/*/channel/*/originEndpoint/*",
    regional: true,
    short: true,
    expected: "a MediaPackage v2 endpoint: GROUP/CHANNEL/ENDPOINT or an ARN such as arn:aws:mediapackagev2:eu-central-1:111122223333:channelGroup/G/channel/C/originEndpoint/E",
};
pub(super) const ADS: Kind = Kind {
    service: "mediatailor",
    form: "playbackConfiguration/*",
    regional: true,
    short: true,
    expected: "a MediaTailor configuration's name or ARN such as arn:aws:mediatailor:eu-central-1:111122223333:playbackConfiguration/NAME",
};
pub(super) const ROLE: Kind = Kind {
    service: "iam",
    form: "role/*",
    regional: false,
    short: false,
    expected: "an IAM role's ARN such as arn:aws:iam::111122223333:role/NAME",
};
pub(super) const TOPIC: Kind = Kind {
    service: "sns",
    form: "*",
    regional: true,
    short: false,
    expected: "an SNS topic's ARN such as arn:aws:sns:us-east-1:111122223333:NAME",
};

/// The ARN, completed where a short form was written. A wrong one is noted and comes back as it
/// stands, so that the rest of its list can be checked.
pub(super) fn arn(path: &str, text: &str, kind: &Kind, aws: &Aws, notes: &mut Notes) -> Arn {
    let text = text.trim();
    let wrong = |notes: &mut Notes| {
        let found = shortened(text, 120);
        let expected = kind.expected;
        notes.error(path, Problem::Arn { found, expected });
        Arn(text.to_owned())
    };
    if kind.short && !text.starts_with("arn:") {
        return match completed(text, kind.form) {
            Some(resource) => Arn(format!(
                "arn:aws:{}:{}:{}:{resource}",
                kind.service, aws.region, aws.account
            )),
            None => wrong(notes),
        };
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return wrong(notes);
    };
    let is_kind = matches!(partition, "aws" | "aws-cn" | "aws-us-gov")
        && service == kind.service
        && region.is_empty() != kind.regional
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && matches_form(resource, kind);
    if !is_kind {
        return wrong(notes);
    }
    // A wrong account of the runbook itself has been noted already.
    if account != aws.account && aws.account.len() == 12 {
        let (found, expected) = (account.to_owned(), aws.account.clone());
        notes.error(path, Problem::ForeignAccount { found, expected });
    }
    Arn(text.to_owned())
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.+=,@".contains(&byte))
}

fn matches_form(resource: &str, kind: &Kind) -> bool {
    // A role may have a path in front of its name.
    if kind.service == "iam" {
        return resource
            .strip_prefix("role/")
            .is_some_and(|name| name.split('/').all(is_name));
    }
    let separators = [':', '/'];
    let names = resource.split(separators);
    let wanted = kind.form.split(separators);
    let between =
        |text: &str| -> String { text.chars().filter(|c| separators.contains(c)).collect() };
    between(resource) == between(kind.form)
        && names.zip(wanted).all(|(name, wanted)| {
            if wanted == "*" {
                is_name(name)
            } else {
                name == wanted
            }
        })
}

/// The resource part with the names of a short form put in.
fn completed(text: &str, form: &str) -> Option<String> {
    let names: Vec<&str> = text.split('/').collect();
    let slots = form.matches('*').count();
    if names.len() != slots || !names.iter().all(|name| is_name(name)) {
        return None;
    }
    let mut names = names.into_iter();
    let mut resource = String::new();
    for piece in form.split_inclusive('*') {
        match piece.strip_suffix('*') {
            Some(before) => {
                resource.push_str(before);
                resource.push_str(names.next()?);
            }
            None => resource.push_str(piece),
        }
    }
    Some(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws() -> Aws {
        Aws {
            account: "111122223333".to_owned(),
            profile: None,
            region: "eu-central-1".to_owned(),
        }
    }

    fn checked(text: &str, kind: &Kind) -> Result<String, String> {
        let mut notes = Notes::default();
        let arn = arn("here", text, kind, &aws(), &mut notes);
        match notes.0.first() {
            None => Ok(arn.0),
            Some(note) => Err(note.problem.to_string()),
        }
    }

    #[test]
    fn short_forms_are_completed() {
        assert_eq!(
            checked("1234567", &CHANNEL).unwrap(),
            "arn:aws:medialive:eu-central-1:111122223333:channel:1234567"
        );
        assert_eq!(
            checked("cup/main/hls", &ENDPOINT).unwrap(),
            "arn:aws:mediapackagev2:eu-central-1:111122223333:channelGroup/cup/channel/main/originEndpoint/hls"
        );
        assert!(checked("cup/main", &ENDPOINT).is_err());
        assert!(checked("stadium", &FLOW).is_err());
    }

    #[test]
    fn service_kind_and_account_are_checked() {
        let role = "arn:aws:iam::111122223333:role/path/onair";
        assert_eq!(checked(role, &ROLE).as_deref(), Ok(role));
        for (text, kind) in [
            ("arn:aws:iam::111122223333:user/onair", &ROLE),
            ("arn:aws:iam:us-east-1:111122223333:role/onair", &ROLE),
            ("arn:aws:iam::111122223333:role/", &ROLE),
            ("arn:aws:medialive::111122223333:channel:1", &CHANNEL),
            ("arn:aws:medialive:eu-west-1:111122223333:input:1", &CHANNEL),
            (
                "arn:aws:mediatailor:eu-west-1:1:playbackConfiguration/a",
                &ADS,
            ),
            ("arn:aws:sns:us-east-1:111122223333:a:b", &TOPIC),
        ] {
            assert!(checked(text, kind).is_err(), "{text}");
        }
        insta::assert_snapshot!(checked("arn:aws:iam::444455556666:role/onair", &ROLE).unwrap_err(), @"account 444455556666 is not the runbook's, 111122223333");
    }
}
