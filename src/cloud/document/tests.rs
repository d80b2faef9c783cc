use proptest::prelude::*;

use super::*;

const PLAIN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><CallerReference>r</CallerReference><Aliases><Quantity>2</Quantity><Items><CNAME>live.example.com</CNAME><CNAME>a&amp;b</CNAME></Items></Aliases><Enabled>true</Enabled><ViewerCertificate><CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate></ViewerCertificate><Restrictions><GeoRestriction><RestrictionType>blacklist</RestrictionType><Quantity>2</Quantity><Items><Location>AT</Location><Location>ch</Location></Items></GeoRestriction></Restrictions><WebACLId>arn:aws:wafv2:us-east-1:111122223333:global/webacl/w/1</WebACLId><Staging>false</Staging><Unheard of="it"/></DistributionConfig>"#;

fn document(xml: &str) -> DistributionDocument {
    DistributionDocument::new(xml)
}

fn geo(kind: GeoKind, countries: &[&str]) -> GeoRestriction {
    GeoRestriction {
        kind,
        countries: countries
            .iter()
            .map(|&country| country.to_owned())
            .collect(),
    }
}

fn edited(xml: &str, wanted: &GeoRestriction) -> String {
    let result = document(xml).with_geo(wanted).unwrap();
    assert_eq!(result.geo().unwrap(), normalized(wanted));
    String::from_utf8(result.bytes().to_vec()).unwrap()
}

#[test]
fn reads_the_members_that_plans_need() {
    let document = document(PLAIN);
    assert_eq!(document.geo().unwrap(), geo(GeoKind::Block, &["AT", "CH"]));
    assert!(document.web_acl().unwrap().unwrap().ends_with("webacl/w/1"));
}

#[test]
fn changes_only_the_restriction() {
    let (before, rest) = PLAIN.split_once("<RestrictionType>").unwrap();
    let (_, after) = rest.split_once("</GeoRestriction>").unwrap();
    let result = edited(PLAIN, &geo(GeoKind::Allow, &["de", "DE", "FR"]));
    assert_eq!(
        result,
        format!(
            "{before}<RestrictionType>whitelist</RestrictionType><Quantity>2</Quantity><Items>\
             <Location>DE</Location><Location>FR</Location></Items></GeoRestriction>{after}"
        )
    );
}

#[test]
fn writes_no_items_without_countries() {
    let result = edited(PLAIN, &geo(GeoKind::None, &["AT"]));
    assert!(result.contains(
        "<GeoRestriction><RestrictionType>none</RestrictionType><Quantity>0</Quantity></GeoRestriction>"
    ));
}

#[test]
fn returns_the_same_bytes_when_nothing_is_to_do() {
    let wanted = geo(GeoKind::Block, &["at", "CH"]);
    assert_eq!(edited(PLAIN, &wanted), PLAIN);
}

#[test]
fn keeps_unknown_members_and_comments_inside_the_restriction() {
    let xml = "<DistributionConfig><Restrictions>\n <GeoRestriction x='1'>\n  <!-- ours -->\n  <Quantity>0</Quantity>\n  <RestrictionType>none</RestrictionType>\n  <City/>\n </GeoRestriction>\n</Restrictions></DistributionConfig>";
    assert_eq!(
        edited(xml, &geo(GeoKind::Block, &["AT"])),
        "<DistributionConfig><Restrictions>\n <GeoRestriction x='1'>\n  <!-- ours -->\n  <Quantity>1</Quantity><Items><Location>AT</Location></Items>\n  <RestrictionType>blacklist</RestrictionType>\n  <City/>\n </GeoRestriction>\n</Restrictions></DistributionConfig>"
    );
}

#[test]
fn inserts_a_missing_restriction_where_the_model_has_it() {
    let whole = "<Restrictions><GeoRestriction><RestrictionType>blacklist</RestrictionType><Quantity>1</Quantity><Items><Location>AT</Location></Items></GeoRestriction></Restrictions>";
    let wanted = geo(GeoKind::Block, &["AT"]);
    for (before, after) in [
        (
            "<DistributionConfig><ViewerCertificate/>",
            "<New/><WebACLId/></DistributionConfig>",
        ),
        (
            "<DistributionConfig><Enabled>true</Enabled>",
            "<WebACLId/><Staging/></DistributionConfig>",
        ),
        (
            "<DistributionConfig><Enabled>true</Enabled>",
            "</DistributionConfig>",
        ),
    ] {
        let result = edited(&format!("{before}{after}"), &wanted);
        assert_eq!(result, format!("{before}{whole}{after}"));
    }
    assert_eq!(
        edited("<DistributionConfig a='/'/>", &wanted),
        format!("<DistributionConfig a='/'>{whole}</DistributionConfig>")
    );
}

#[test]
fn opens_empty_elements() {
    for xml in [
        "<DistributionConfig><Restrictions/></DistributionConfig>",
        "<DistributionConfig><Restrictions><GeoRestriction /></Restrictions></DistributionConfig>",
        "<DistributionConfig><Restrictions><GeoRestriction><RestrictionType/><Quantity/><Items/></GeoRestriction></Restrictions></DistributionConfig>",
    ] {
        // A restriction without a type can be read as none only when the element is absent.
        let result = document(xml).with_geo(&geo(GeoKind::Block, &["AT"]));
        if xml.contains("<RestrictionType/>") {
            assert!(matches!(
                result,
                Err(DocumentError::UnknownRestriction { .. })
            ));
        } else {
            assert_eq!(
                result.unwrap().geo().unwrap(),
                geo(GeoKind::Block, &["AT"]),
                "{xml}"
            );
        }
    }
}

#[test]
fn follows_namespaces_rather_than_names() {
    let xml = "<cf:DistributionConfig xmlns:cf='urn:cf' xmlns:o='urn:o'><o:Restrictions/><cf:Restrictions><cf:GeoRestriction><cf:RestrictionType>none</cf:RestrictionType><cf:Quantity>0</cf:Quantity></cf:GeoRestriction></cf:Restrictions></cf:DistributionConfig>";
    assert_eq!(
        edited(xml, &geo(GeoKind::Block, &["AT"])),
        "<cf:DistributionConfig xmlns:cf='urn:cf' xmlns:o='urn:o'><o:Restrictions/><cf:Restrictions><cf:GeoRestriction><cf:RestrictionType>blacklist</cf:RestrictionType><cf:Quantity>1</cf:Quantity><cf:Items><cf:Location>AT</cf:Location></cf:Items></cf:GeoRestriction></cf:Restrictions></cf:DistributionConfig>"
    );
}

#[test]
fn refuses_what_it_would_have_to_guess() {
    let cases = [
        (
            "<DistributionConfig><Restrictions/><Restrictions/></DistributionConfig>",
            "more than one Restrictions",
        ),
        ("<StreamingDistributionConfig/>", "not a DistributionConfig"),
        (
            "<DistributionConfig><a></b></DistributionConfig>",
            "malformed at byte",
        ),
        ("<DistributionConfig><a>", "malformed at byte"),
        ("", "malformed at byte"),
        ("\u{feff}", "malformed at byte"),
    ];
    for (xml, expected) in cases {
        let error = document(xml)
            .with_geo(&geo(GeoKind::None, &[]))
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{xml}: {error}");
    }
    assert!(document("<DistributionConfig>\u{0}").geo().is_err());
    assert!(DistributionDocument::new(vec![0xff_u8]).geo().is_err());
}

#[test]
fn escapes_what_it_writes() {
    let result = edited(PLAIN, &geo(GeoKind::Block, &["<&"]));
    assert!(result.contains("<Location>&lt;&amp;</Location>"));
}

#[test]
fn copes_with_a_byte_order_mark() {
    let xml = format!("\u{feff}{PLAIN}");
    let (before, _) = xml.split_once("<RestrictionType>").unwrap();
    let result = edited(&xml, &geo(GeoKind::None, &[]));
    assert!(
        result.starts_with(before) && result.ends_with("<Unheard of=\"it\"/></DistributionConfig>")
    );
}

/// Anything that may stand between a configuration's members.
fn filler() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[ \n\t]{0,4}",
        "[a-z]{0,6}".prop_map(|text| format!("<!--{text} <Restrictions> -->")),
        "[A-Za-z &<>]{0,8}".prop_map(|text| {
            let text = quick_xml::escape::escape(text).into_owned();
            format!("<New b='{text}' a=\"/>\">{text}</New>")
        }),
        Just("<o:Restrictions xmlns:o='urn:o'><o:GeoRestriction/></o:Restrictions>".to_owned()),
        Just("<Restrictions xmlns='urn:other'/>".to_owned()),
        Just("<![CDATA[<Restrictions/>]]>".to_owned()),
        Just("<?pi <Restrictions?>".to_owned()),
        Just("<Empty   x='1'\n/>".to_owned()),
        Just("&amp;é\u{1f600}".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop::collection::vec(inner, 0..4)
            .prop_map(|pieces| format!("<Outer>{}</Outer>", pieces.concat()))
    })
}

fn fillers() -> impl Strategy<Value = String> {
    prop::collection::vec(filler(), 0..4).prop_map(|pieces| pieces.concat())
}

fn any_geo() -> impl Strategy<Value = GeoRestriction> {
    (
        prop_oneof![
            Just(GeoKind::None),
            Just(GeoKind::Allow),
            Just(GeoKind::Block)
        ],
        prop::collection::vec("[A-Za-z]{2}", 0..6),
    )
        .prop_map(|(kind, countries)| GeoRestriction { kind, countries })
}

proptest! {
    #[test]
    fn every_byte_outside_the_restriction_survives(
        before in fillers(), inside in fillers(), after in fillers(),
        prefix in prop_oneof![Just(""), Just("cf:")],
        old in any_geo(), wanted in any_geo(),
    ) {
        let root = if prefix.is_empty() { "xmlns='urn:cf'" } else { "xmlns:cf='urn:cf'" };
        let head = format!("<{prefix}DistributionConfig {root}>{before}<{prefix}Restrictions>{inside}<{prefix}GeoRestriction>");
        let tail = format!("</{prefix}GeoRestriction>{inside}</{prefix}Restrictions>{after}</{prefix}DistributionConfig>");
        let xml = format!("{head}{}{tail}", members(prefix, &normalized(&old)));
        let result = edited(&xml, &wanted);
        prop_assert_eq!(&result, &format!("{head}{}{tail}", members(prefix, &normalized(&wanted))));
        // Undo restores the very bytes.
        prop_assert_eq!(edited(&result, &old), xml);
    }

    #[test]
    fn inserting_changes_no_other_byte(before in fillers(), after in fillers(), wanted in any_geo()) {
        let head = format!("<DistributionConfig xmlns='urn:cf'>{before}<ViewerCertificate/>");
        let tail = format!("{after}<WebACLId/></DistributionConfig>");
        let whole = wrapped("", "Restrictions", &whole_geo("", &normalized(&wanted)));
        prop_assert_eq!(edited(&format!("{head}{tail}"), &wanted), format!("{head}{whole}{tail}"));
    }

    #[test]
    fn never_panics(xml in "[<>/a-zA-Z =\"'!&;:-]{0,60}") {
        let _result = document(&xml).with_geo(&geo(GeoKind::Block, &["AT"]));
    }
}
