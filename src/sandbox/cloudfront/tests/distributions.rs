//! Distributions: what is kept, refused, rolled out and listed.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{ACCOUNT, Account, etag, least_config, outcome, request, root, text};
use crate::edge::{GeoKind, GeoRestriction};
use crate::sandbox::seed::{SeedDistribution, web_acl_arn};
use crate::sandbox::service::{Delay, Rollout};

#[test]
fn what_is_read_can_be_sent_back_and_comes_back_byte_for_byte() {
    let account = Account::seeded();
    let (config, first) = account.config();
    let answer = account.send("PUT", "distribution/E1/config", &first, &config);
    assert_eq!(outcome(&answer), (200, String::new()));
    let (again, second) = account.config();
    assert_eq!(again, config);
    assert_ne!(
        second, first,
        "also an update that alters nothing has a new version"
    );
    assert_eq!(etag(&answer), second);
    assert!(first.len() == 14 && first.starts_with('E'));
}

#[test]
fn members_that_no_sdk_knows_survive_byte_for_byte() {
    let account = Account::seeded();
    let (config, _) = account.config();
    let unknown = "<Future  a='1'><!-- x --><Deep>&#x41;&lt; \n\t</Deep><Empty /></Future>";
    let config = config
        .replace("<Comment>", &format!("{unknown}<Comment>"))
        .replace("<Origin>", &format!("<Origin>\n {unknown}"));
    assert_eq!(account.update(&config).status, 200);
    assert_eq!(account.config().0, config);
    let whole = text(&account.get("distribution/E1"));
    assert!(whole.contains(unknown));
}

proptest! {
    #[test]
    fn any_comment_survives(comment in "[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\r\\ufffe\\uffff]{0,100}") {
        let account = Account::seeded();
        let (config, _) = account.config();
        let escaped = quick_xml::escape::escape(comment.as_str());
        let config = config.replace(
            "<Comment>main &amp; more</Comment>",
            &format!("<Comment>{escaped}</Comment>"),
        );
        prop_assert_eq!(account.update(&config).status, 200);
        prop_assert_eq!(account.config().0, config);
        let whole = root(&account.get("distribution/E1"));
        let read = &whole.at(&["DistributionConfig", "Comment"]).unwrap().text;
        prop_assert_eq!(read, &comment);
    }
}

#[test]
fn a_create_may_leave_out_what_an_update_needs() {
    let account = Account::empty();
    let created = account.send("POST", "distribution", "", &least_config("r1"));
    assert_eq!(outcome(&created), (201, String::new()));
    let id = root(&created).text_of("Id").unwrap().to_owned();
    assert_eq!(
        created.header("Location"),
        Some(format!("https://cloudfront.amazonaws.com/2020-05-31/distribution/{id}").as_str())
    );
    let path = format!("distribution/{id}/config");
    let read = account.get(&path);
    assert_eq!(etag(&read), etag(&created));
    assert!(text(&read).starts_with("<?xml version=\"1.0\"?>\n<DistributionConfig xmlns="));
    let updated = account.send("PUT", &path, &etag(&read), &text(&read));
    assert_eq!(outcome(&updated), (200, String::new()));
    let refused = account.send("PUT", &path, &etag(&updated), &least_config("r1"));
    assert_eq!(outcome(&refused), (400, "InvalidArgument".to_owned()));
}

#[test]
fn a_caller_reference_is_used_once() {
    let account = Account::empty();
    account.send("POST", "distribution", "", &least_config("r1"));
    let again = account.send("POST", "distribution", "", &least_config("r1"));
    assert_eq!(
        outcome(&again),
        (409, "DistributionAlreadyExists".to_owned())
    );
}

#[test]
fn tags_given_at_creation_are_there() {
    let account = Account::empty();
    let config = least_config("r1").replace(
        " xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"",
        "",
    );
    let tags = "<Tags><Items><Tag><Key>event</Key><Value>final</Value></Tag></Items></Tags>";
    let body = request("DistributionConfigWithTags", &format!("{config}{tags}"));
    let created = account.send("POST", "distribution?WithTags", "", &body);
    assert_eq!(outcome(&created), (201, String::new()));
    let arn = root(&created).text_of("ARN").unwrap().to_owned();
    let listed = text(&account.get(&format!("tagging?Resource={arn}")));
    assert!(
        listed.contains("<Tag><Key>event</Key><Value>final</Value></Tag>"),
        "{listed}"
    );
    let id = root(&created).text_of("Id").unwrap().to_owned();
    let read = account.get(&format!("distribution/{id}/config"));
    let updated = account.send(
        "PUT",
        &format!("distribution/{id}/config"),
        &etag(&read),
        &text(&read),
    );
    assert_eq!(outcome(&updated), (200, String::new()));
}

#[test]
fn versions_are_conditions() {
    let account = Account::seeded();
    let (config, old) = account.config();
    let send = |etag: &str| outcome(&account.send("PUT", "distribution/E1/config", etag, &config));
    assert_eq!(send(""), (400, "InvalidIfMatchVersion".to_owned()));
    assert_eq!(
        send("EAAAAAAAAAAAAA"),
        (400, "InvalidIfMatchVersion".to_owned())
    );
    assert_eq!(send("*"), (400, "InvalidIfMatchVersion".to_owned()));
    assert_eq!(send(&old), (200, String::new()));
    assert_eq!(send(&old), (412, "PreconditionFailed".to_owned()));
    let unknown = account.send("PUT", "distribution/E2/config", &old, &config);
    assert_eq!(outcome(&unknown), (404, "NoSuchDistribution".to_owned()));
}

#[test]
fn refuses_what_cloudfront_refuses() {
    let account = Account::seeded();
    account.send(
        "POST",
        "distribution",
        "",
        &least_config("other").replace(
            "<Comment>",
            "<Aliases><Quantity>1</Quantity><Items><CNAME>taken.example.org</CNAME></Items></Aliases>\
             <ViewerCertificate><ACMCertificateArn>arn:c</ACMCertificateArn></ViewerCertificate><Comment>",
        ),
    );
    let countries =
        "<Quantity>2</Quantity><Items><Location>AT</Location><Location>DE</Location></Items>";
    let many = |count: usize, item: &dyn Fn(usize) -> String| -> String {
        let items: String = (0..count).map(item).collect();
        format!("<Quantity>{count}</Quantity><Items>{items}")
    };
    let (config, _) = account.config();
    let cache_behavior = {
        let start = config.find("<CacheBehavior>").unwrap();
        let end = config.find("</CacheBehavior>").unwrap() + "</CacheBehavior>".len();
        config[start..end].to_owned()
    };
    let behaviors = {
        let start = config.find("<CacheBehaviors>").unwrap();
        let end = config.find("</CacheBehaviors>").unwrap() + "</CacheBehaviors>".len();
        config[start..end].to_owned()
    };
    let with_behaviors = |count| {
        let list = many(count, &|number| {
            cache_behavior.replace("/live/*", &format!("/{number}/*"))
        });
        format!("<CacheBehaviors>{list}</Items></CacheBehaviors>")
    };
    let aliases = "<Aliases><Quantity>2</Quantity><Items><CNAME>live.example.com</CNAME><CNAME>*.example.net</CNAME></Items></Aliases>";
    assert!(config.contains(aliases));
    let with_aliases = |count| {
        let list = many(count, &|number| {
            format!("<CNAME>a{number}.example.com</CNAME>")
        });
        format!("<Aliases>{list}</Items></Aliases>")
    };
    for (from, to, code) in [
        ("<Location>DE", "<Location>de", "InvalidLocationCode"),
        ("<Location>DE", "<Location>XX", "InvalidLocationCode"),
        (
            "<Location>DE",
            "<Location>AT",
            "InvalidGeoRestrictionParameter",
        ),
        (">whitelist<", ">allow<", "InvalidGeoRestrictionParameter"),
        (
            ">whitelist<",
            ">Whitelist<",
            "InvalidGeoRestrictionParameter",
        ),
        (">whitelist<", ">none<", "InvalidGeoRestrictionParameter"),
        (
            countries,
            "<Quantity>0</Quantity>",
            "InvalidGeoRestrictionParameter",
        ),
        (
            countries,
            "<Items><Location>AT</Location></Items>",
            "InvalidArgument",
        ),
        (
            countries,
            "<Quantity>3</Quantity><Items><Location>AT</Location></Items>",
            "InconsistentQuantities",
        ),
        (
            countries,
            "<Quantity>2</Quantity>",
            "InconsistentQuantities",
        ),
        (
            "<Quantity>3</Quantity><Items><Method>",
            "<Quantity>2</Quantity><Items><Method>",
            "InconsistentQuantities",
        ),
        (
            "<Quantity>5</Quantity><Items><StatusCode>",
            "<Quantity>4</Quantity><Items><StatusCode>",
            "InconsistentQuantities",
        ),
        (countries, "<Quantity>two</Quantity>", "MalformedXML"),
        (
            "<TargetOriginId>failover",
            "<TargetOriginId>nowhere",
            "NoSuchOrigin",
        ),
        ("<OriginId>primary", "<OriginId>nowhere", "NoSuchOrigin"),
        ("<OriginId>primary", "<OriginId>failover", "NoSuchOrigin"),
        (
            "<CallerReference>onair-E1",
            "<CallerReference>another",
            "IllegalUpdate",
        ),
        ("<Staging>false", "<Staging>true", "IllegalUpdate"),
        ("<WebACLId>arn", "<WebACLId>nrn", "InvalidWebACLId"),
        (
            "<CNAME>live.example.com",
            "<CNAME>Taken.example.org",
            "CNAMEAlreadyExists",
        ),
        (
            "<CNAME>*.example.net",
            "<CNAME>LIVE.example.com",
            "CNAMEAlreadyExists",
        ),
        ("ACMCertificateArn>", "Other>", "InvalidViewerCertificate"),
        (
            "<Enabled>true</Enabled><ViewerCertificate>",
            "<ViewerCertificate>",
            "InvalidArgument",
        ),
        (
            "<Enabled>true</Enabled><ViewerCertificate>",
            "<Enabled>yes</Enabled><ViewerCertificate>",
            "MalformedXML",
        ),
        ("<Comment>main &amp; more</Comment>", "", "InvalidArgument"),
        (
            "<WebACLId>",
            "<WebACLId></WebACLId><WebACLId>",
            "MalformedXML",
        ),
        (
            "<HttpVersion>http2and3",
            "<HttpVersion>http4",
            "InvalidArgument",
        ),
        ("PriceClass_All", "PriceClass_300", "InvalidArgument"),
        (
            "<DefaultRootObject>",
            "<DefaultRootObject>/",
            "InvalidDefaultRootObject",
        ),
        (
            "function/guard",
            "function/other",
            "InvalidFunctionAssociation",
        ),
        (
            ">viewer-request<",
            ">origin-request<",
            "InvalidFunctionAssociation",
        ),
        (
            "<OriginReadTimeout>3",
            "<OriginReadTimeout>121",
            "InvalidOriginReadTimeout",
        ),
        (
            "<ConnectionAttempts>2",
            "<ConnectionAttempts>4",
            "InvalidArgument",
        ),
        (
            "<PathPattern>*.key",
            "<PathPattern>/live/*",
            "InvalidArgument",
        ),
        (
            "</DistributionConfig>",
            "</DistributionConfi>",
            "MalformedXML",
        ),
        (
            "DistributionConfig",
            "StreamingDistributionConfig",
            "MalformedXML",
        ),
        ("doc/2020-05-31/", "doc/2010-11-01/", "MalformedXML"),
        (&config, "", "MissingBody"),
        (&config, "hello", "MalformedXML"),
        (aliases, &with_aliases(101), "TooManyDistributionCNAMEs"),
        (&behaviors, &with_behaviors(76), "TooManyCacheBehaviors"),
    ] {
        let changed = config.replace(from, to);
        assert_ne!(changed, config, "{from}");
        let answer = account.update(&changed);
        assert_eq!(
            outcome(&answer).1,
            code,
            "{from} -> {to}: {}",
            text(&answer)
        );
    }
    for name in [
        "Aliases",
        "DefaultRootObject",
        "CacheBehaviors",
        "CustomErrorResponses",
        "Logging",
        "PriceClass",
        "ViewerCertificate",
        "Restrictions",
        "WebACLId",
        "HttpVersion",
        "Origins",
        "DefaultCacheBehavior",
        "CallerReference",
    ] {
        let changed = config
            .replace(&format!("<{name}>"), "<Unknown>")
            .replace(&format!("</{name}>"), "</Unknown>");
        assert_eq!(
            outcome(&account.update(&changed)).1,
            "InvalidArgument",
            "{name}"
        );
    }
    for (from, to) in [
        (aliases, with_aliases(100)),
        (behaviors.as_str(), with_behaviors(75)),
        (
            countries,
            "<Quantity>1</Quantity><Items><Location>AT</Location></Items>".to_owned(),
        ),
    ] {
        let answer = account.update(&config.replace(from, &to));
        assert_eq!(outcome(&answer), (200, String::new()), "{from}");
    }
}

#[test]
fn status_and_edges_follow_the_roll_out() {
    let mut account = Account::seeded();
    account.rollout = Rollout {
        distribution: Delay::seconds(180, 120),
        ..Rollout::IMMEDIATE
    };
    let (config, _) = account.config();
    let status = || {
        root(&account.get("distribution/E1"))
            .text_of("Status")
            .unwrap()
            .to_owned()
    };
    let countries = |fraction| {
        let state = account.state.borrow();
        let (_, countries, _) = state.edge_geo("E1", fraction, account.now()).unwrap();
        countries.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(status(), "Deployed");
    account.update(&config.replace("<Location>DE", "<Location>CH"));
    assert_eq!(
        (status().as_str(), countries(0.0).as_str()),
        ("InProgress", "AT DE")
    );
    account.pass(180);
    assert_eq!(
        (countries(0.0).as_str(), countries(1.0).as_str()),
        ("AT CH", "AT DE")
    );
    account.pass(119);
    assert_eq!(status(), "InProgress");
    account.pass(1);
    assert_eq!(
        (status().as_str(), countries(1.0).as_str()),
        ("Deployed", "AT CH")
    );
}

#[test]
fn deletes_only_what_is_disabled_everywhere() {
    let mut account = Account::seeded();
    account.rollout = Rollout::default();
    let delete = || {
        let (_, etag) = account.config();
        outcome(&account.send("DELETE", "distribution/E1", &etag, ""))
    };
    assert_eq!(delete(), (409, "DistributionNotDisabled".to_owned()));
    let (config, _) = account.config();
    let disabled = config.replace(
        "<Enabled>true</Enabled><ViewerCertificate>",
        "<Enabled>false</Enabled><ViewerCertificate>",
    );
    assert_eq!(account.update(&disabled).status, 200);
    assert_eq!(delete(), (409, "DistributionNotDisabled".to_owned()));
    account.pass(300);
    assert!(
        account
            .state
            .borrow()
            .edge_geo("E1", 1.0, account.now())
            .is_none()
    );
    assert_eq!(delete(), (204, String::new()));
    assert_eq!(account.get("distribution/E1").status, 404);
}

#[test]
fn lists_in_pages() {
    let account = Account::empty();
    for number in 0..5 {
        account.send(
            "POST",
            "distribution",
            "",
            &least_config(&number.to_string()),
        );
    }
    let mut marker = String::new();
    let mut ids = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let list = root(&account.get(&format!("distribution?MaxItems=2&Marker={marker}")));
        assert_eq!(list.text_of("Marker"), Some(marker.as_str()));
        assert_eq!(list.text_of("MaxItems"), Some("2"));
        sizes.push(list.text_of("Quantity").unwrap().to_owned());
        ids.extend(
            list.items()
                .iter()
                .map(|item| item.text_of("Id").unwrap().to_owned()),
        );
        match list.text_of("NextMarker") {
            Some(next) => marker = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(sizes, ["2", "2", "1"]);
    ids.dedup();
    assert_eq!(ids.len(), 5);
    assert_eq!(
        outcome(&account.get("distribution?MaxItems=0")).1,
        "InvalidArgument"
    );
}

#[test]
fn finds_distributions_by_web_acl() {
    let account = Account::seeded();
    let count = |arn: &str| {
        let arn = arn.replace('/', "%2F").replace(':', "%3A");
        let answer = account.get(&format!("distributionsByWebACLId/{arn}"));
        match outcome(&answer) {
            (200, _) => root(&answer).text_of("Quantity").unwrap().to_owned(),
            (_, code) => code,
        }
    };
    assert_eq!(count(&web_acl_arn(ACCOUNT, "main")), "1");
    assert_eq!(count(&web_acl_arn(ACCOUNT, "other")), "0");
    assert_eq!(count("null"), "0");
    assert_eq!(count(&web_acl_arn(ACCOUNT, "gone")), "InvalidWebACLId");
}

#[test]
fn a_web_acl_can_be_set_alone() {
    let account = Account::seeded();
    let (before, etag_before) = account.config();
    let arn = web_acl_arn(ACCOUNT, "other");
    let body = request(
        "AssociateDistributionWebACLRequest",
        &format!("<WebACLArn>{arn}</WebACLArn>"),
    );
    let path = "distribution/E1/associate-web-acl";
    assert_eq!(
        outcome(&account.send("PUT", path, "", &body)).1,
        "InvalidIfMatchVersion"
    );
    let answer = account.send("PUT", path, &etag_before, &body);
    assert_eq!(outcome(&answer), (200, String::new()));
    assert_eq!(root(&answer).text_of("WebACLArn"), Some(arn.as_str()));
    let (after, etag_after) = account.config();
    assert_eq!(etag(&answer), etag_after);
    assert_eq!(after, before.replace(&web_acl_arn(ACCOUNT, "main"), &arn));
    assert_eq!(account.state.borrow().distributions_behind(&arn), ["E1"]);
    let stale = account.send("PUT", path, &etag_before, &body);
    assert_eq!(outcome(&stale).1, "PreconditionFailed");
    let unknown = account.send("PUT", path, &etag_after, &body.replace("other", "gone"));
    assert_eq!(outcome(&unknown), (404, "EntityNotFound".to_owned()));
    let gone = account.send(
        "PUT",
        "distribution/E1/disassociate-web-acl",
        &etag_after,
        "",
    );
    assert_eq!(outcome(&gone), (200, String::new()));
    assert!(account.config().0.contains("<WebACLId></WebACLId>"));
}

#[test]
fn finds_a_distribution_by_its_names() {
    let account = Account::seeded();
    let state = account.state.borrow();
    for (host, found) in [
        ("d1.cloudfront.net", true),
        ("LIVE.example.com", true),
        ("any.example.net", true),
        ("a.b.example.net", false),
        ("example.net", false),
        ("other.example.com", false),
    ] {
        assert_eq!(state.find_by_domain(host).is_some(), found, "{host}");
    }
}

#[test]
fn additional_metrics_are_a_subscription() {
    let account = Account::seeded();
    let path = "distributions/E1/monitoring-subscription";
    assert_eq!(
        outcome(&account.get(path)),
        (404, "NoSuchMonitoringSubscription".to_owned())
    );
    let body = request(
        "MonitoringSubscription",
        "<RealtimeMetricsSubscriptionConfig><RealtimeMetricsSubscriptionStatus>Enabled</RealtimeMetricsSubscriptionStatus></RealtimeMetricsSubscriptionConfig>",
    );
    assert_eq!(account.send("POST", path, "", &body).status, 200);
    assert!(text(&account.get(path)).contains(">Enabled<"));
    assert_eq!(outcome(&account.send("POST", path, "", &body)).0, 409);
    assert_eq!(account.send("DELETE", path, "", "").status, 200);
    assert_eq!(account.get(path).status, 404);
}

#[test]
fn an_account_has_five_hundred_distributions_and_a_function_serves_a_hundred() {
    let account = Account::seeded();
    let (config, _) = account.config();
    let copy_until = |count: usize, with_function: bool| {
        let mut state = account.state.borrow_mut();
        let mut copy = state.distributions["E1"].clone();
        copy.aliases.clear();
        if !with_function {
            copy.gate.functions.clear();
        }
        for number in state.distributions.len()..count {
            copy.id = format!("C{number}");
            state.distributions.insert(copy.id.clone(), copy.clone());
        }
    };
    copy_until(100, true);
    assert_eq!(outcome(&account.update(&config)), (200, String::new()));
    copy_until(101, true);
    let refused = account.update(&config);
    assert_eq!(
        outcome(&refused).1,
        "TooManyDistributionsWithSingleFunctionARN"
    );
    copy_until(499, false);
    let create =
        |reference| outcome(&account.send("POST", "distribution", "", &least_config(reference)));
    assert_eq!(create("r1"), (201, String::new()));
    assert_eq!(create("r2"), (400, "TooManyDistributions".to_owned()));
}

#[test]
fn a_distribution_has_a_hundred_origins() {
    let account = Account::empty();
    let config = least_config("r");
    let start = config.find("<Origin>").unwrap();
    let end = config.find("</Items></Origins>").unwrap();
    let with = |count: usize, reference: &str| {
        let origins: Vec<String> = (0..count)
            .map(|number| config[start..end].replace("<Id>o<", &format!("<Id>o{number}<")))
            .collect();
        let body = config
            .replace(&config[start..end], &origins.concat())
            .replace("<Quantity>1<", &format!("<Quantity>{count}<"))
            .replace("<TargetOriginId>o", "<TargetOriginId>o0")
            .replace(">r<", &format!(">{reference}<"));
        outcome(&account.send("POST", "distribution", "", &body)).1
    };
    assert_eq!(with(100, "a"), "");
    assert_eq!(with(101, "b"), "TooManyOrigins");
    assert_eq!(with(0, "c"), "InvalidArgument");
}

#[test]
fn an_origin_is_of_one_kind_and_a_behavior_has_one_way_to_cache() {
    let account = Account::seeded();
    let (config, _) = account.config();
    let policy = "<CachePolicyId>08627262-05a9-4f76-9ded-b50ca2e3a84f</CachePolicyId>";
    let forwarded = "<ForwardedValues><QueryString>false</QueryString><Cookies><Forward>none</Forward></Cookies></ForwardedValues>";
    for (from, to, code) in [
        ("CustomOriginConfig>", "OtherConfig>".to_owned(), "InvalidOrigin"),
        (
            "<CustomOriginConfig>",
            "<S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig><CustomOriginConfig>".to_owned(),
            "InvalidOrigin",
        ),
        (policy, String::new(), "InvalidArgument"),
        (policy, format!("{policy}{forwarded}"), "InvalidArgument"),
        (policy, format!("{forwarded}<MinTTL>9</MinTTL><MaxTTL>8</MaxTTL>"), "InvalidTTLOrder"),
        (policy, format!("{forwarded}<MinTTL>0</MinTTL>"), ""),
    ] {
        let answer = account.update(&config.replace(from, &to));
        assert_eq!(outcome(&answer).1, code, "{to}");
    }
}

#[test]
fn what_is_seeded_is_what_cloudfront_would_take() {
    let account = Account::seeded();
    for (alias, acl, function, geo) in [
        (None, None, None, GeoKind::None),
        (
            Some("a.example.org"),
            Some("other"),
            Some("guard"),
            GeoKind::Block,
        ),
    ] {
        let seed = SeedDistribution {
            name: "a <second> \"one\"".to_owned(),
            aliases: alias.into_iter().map(str::to_owned).collect(),
            web_acl: acl.map(str::to_owned),
            geo: GeoRestriction {
                countries: if geo == GeoKind::None {
                    BTreeSet::new()
                } else {
                    ["RU".to_owned()].into()
                },
                kind: geo,
            },
            function: function.map(str::to_owned),
            ..SeedDistribution::default()
        };
        let now = account.now();
        account
            .state
            .borrow_mut()
            .seed_distribution(ACCOUNT, &seed, now);
        let path = format!("distribution/{}/config", seed.id(ACCOUNT));
        let read = account.get(&path);
        let updated = account.send("PUT", &path, &etag(&read), &text(&read));
        assert_eq!(
            outcome(&updated),
            (200, String::new()),
            "{}",
            text(&updated)
        );
        assert_eq!(text(&account.get(&path)), text(&read));
        assert_eq!(
            root(&updated).text_of("DomainName"),
            Some(seed.domain(ACCOUNT).as_str())
        );
    }
}

#[test]
fn the_state_outlives_the_process() {
    let account = Account::seeded();
    account.send("POST", "distribution", "", &least_config("r1"));
    let state = account.state.borrow();
    let saved = serde_json::to_string(&*state).unwrap();
    let read: crate::sandbox::cloudfront::CloudFront = serde_json::from_str(&saved).unwrap();
    assert_eq!(read, *state);
}
