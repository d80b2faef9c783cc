//! Tests of the service as its clients see it, and the account they send calls to.

mod distributions;
mod functions;

use std::cell::RefCell;

use http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};

use super::document::{self, Element, NAMESPACE};
use super::{CloudFront, Stores, handle, operation};
use crate::edge::{GeoKind, GeoRestriction};
use crate::sandbox::seed::{SeedDistribution, SeedFunction, SeedStore, web_acl_arn};
use crate::sandbox::service::{Answer, Call, Rollout};

pub(in crate::sandbox::cloudfront) const ACCOUNT: &str = "111122223333";

/// An account whose web ACLs are `main` and `other`.
pub(in crate::sandbox::cloudfront) struct Account {
    pub(in crate::sandbox::cloudfront) state: RefCell<CloudFront>,
    pub(in crate::sandbox::cloudfront) stores: RefCell<Stores>,
    pub(in crate::sandbox::cloudfront) now: RefCell<Timestamp>,
    pub(in crate::sandbox::cloudfront) rollout: Rollout,
}

impl Account {
    /// Holds nothing; changes are everywhere at once.
    pub(in crate::sandbox::cloudfront) fn empty() -> Self {
        Self {
            state: RefCell::default(),
            stores: RefCell::default(),
            now: RefCell::new("2026-06-01T18:00:00Z".parse().unwrap()),
            rollout: Rollout::IMMEDIATE,
        }
    }

    /// Holds the distribution `E1`, the function `guard` on it, and the store `revoked`.
    pub(in crate::sandbox::cloudfront) fn seeded() -> Self {
        let account = Self::empty();
        let now = account.now();
        {
            let mut state = account.state.borrow_mut();
            let store = SeedStore {
                name: "revoked".to_owned(),
                ..SeedStore::default()
            };
            state.seed_store(ACCOUNT, &store, now, &mut account.stores.borrow_mut());
            let function = SeedFunction {
                name: "guard".to_owned(),
                store: Some("revoked".to_owned()),
                code: String::new(),
            };
            state.seed_function(ACCOUNT, &function, now);
            let distribution = SeedDistribution {
                id: "E1".to_owned(),
                name: "main & more".to_owned(),
                domain: "d1.cloudfront.net".to_owned(),
                aliases: vec!["live.example.com".to_owned(), "*.example.net".to_owned()],
                web_acl: Some("main".to_owned()),
                geo: GeoRestriction {
                    kind: GeoKind::Allow,
                    countries: ["AT", "DE"].map(str::to_owned).into(),
                },
                behaviors: vec!["/live/*".to_owned(), "*.key".to_owned()],
                function: Some("guard".to_owned()),
                ..SeedDistribution::default()
            };
            state.seed_distribution(ACCOUNT, &distribution, now);
        }
        account
    }

    pub(in crate::sandbox::cloudfront) fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    pub(in crate::sandbox::cloudfront) fn pass(&self, seconds: i64) {
        let mut now = self.now.borrow_mut();
        *now += SignedDuration::from_secs(seconds);
    }

    /// Sends a call; the target is the path below the version.
    pub(in crate::sandbox::cloudfront) fn send(
        &self,
        method: &str,
        target: &str,
        if_match: &str,
        body: &str,
    ) -> Answer {
        let before = (self.state.borrow().clone(), self.stores.borrow().clone());
        let method: Method = method.parse().unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = format!("/2020-05-31/{path}");
        let mut headers = HeaderMap::new();
        if !if_match.is_empty() {
            headers.insert("If-Match", if_match.parse().unwrap());
        }
        let call = Call {
            method: &method,
            path: &path,
            query,
            headers: &headers,
            body: body.as_bytes(),
            now: self.now(),
            account: ACCOUNT,
            region: Some("us-east-1"),
            request_id: "request-1",
            rollout: self.rollout,
        };
        assert!(operation(&call).is_some(), "{method} {target}");
        let answer = handle(
            &call,
            &mut self.state.borrow_mut(),
            &mut self.stores.borrow_mut(),
            &|arn| {
                ["main", "other"]
                    .iter()
                    .any(|name| web_acl_arn(ACCOUNT, name) == arn)
            },
        );
        let after = (self.state.borrow().clone(), self.stores.borrow().clone());
        assert_eq!(answer.changed, before != after, "{method} {target}");
        answer
    }

    pub(in crate::sandbox::cloudfront) fn get(&self, target: &str) -> Answer {
        self.send("GET", target, "", "")
    }

    /// The configuration of `E1` as it is read, and its version.
    pub(in crate::sandbox::cloudfront) fn config(&self) -> (String, String) {
        let answer = self.get("distribution/E1/config");
        let etag = etag(&answer);
        (text(&answer), etag)
    }

    /// Sends `config` with the current version.
    pub(in crate::sandbox::cloudfront) fn update(&self, config: &str) -> Answer {
        let (_, etag) = self.config();
        self.send("PUT", "distribution/E1/config", &etag, config)
    }
}

pub(in crate::sandbox::cloudfront) fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

pub(in crate::sandbox::cloudfront) fn etag(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_default().to_owned()
}

pub(in crate::sandbox::cloudfront) fn root(answer: &Answer) -> Element {
    document::parse_text(&text(answer)).unwrap()
}

/// Status and error code; an empty code when the call went well.
pub(in crate::sandbox::cloudfront) fn outcome(answer: &Answer) -> (u16, String) {
    let code = if answer.status < 300 {
        String::new()
    } else {
        let error = root(answer);
        assert_eq!(error.name, "ErrorResponse");
        assert_eq!(error.namespace.as_deref(), Some(NAMESPACE));
        assert_eq!(error.text_of("RequestId"), Some("request-1"));
        error.at(&["Error", "Code"]).unwrap().text.clone()
    };
    (answer.status, code)
}

/// A request document of this service.
pub(in crate::sandbox::cloudfront) fn request(name: &str, content: &str) -> String {
    format!("<{name} xmlns=\"{NAMESPACE}\">{content}</{name}>")
}

/// The least that a create takes.
pub(in crate::sandbox::cloudfront) fn least_config(reference: &str) -> String {
    request(
        "DistributionConfig",
        &format!(
            "<CallerReference>{reference}</CallerReference>\
             <Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>o.example.com</DomainName>\
             <CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort>\
             <OriginProtocolPolicy>https-only</OriginProtocolPolicy></CustomOriginConfig></Origin></Items></Origins>\
             <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId>\
             <ViewerProtocolPolicy>https-only</ViewerProtocolPolicy>\
             <CachePolicyId>08627262-05a9-4f76-9ded-b50ca2e3a84f</CachePolicyId></DefaultCacheBehavior>\
             <Comment></Comment><Enabled>true</Enabled>"
        ),
    )
}
