//! CMCD in all the forms that it is sent and logged in.

use proptest::prelude::*;

use super::*;

/// Percent-encodes all but letters and digits, as a player does.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What CloudFront makes of it in a log.
fn logged(text: &str) -> String {
    text.replace('%', "%25")
}

const VERSION_1: &str = concat!(
    r#"bl=21300,br=3200,bs,cid="film-7",com.example-exists,com.example-quote="\"said\" \\ so","#,
    r#"com.example-token=s,d=4004,dl=18500,mtp=48100,nor="..%2F300kbps%2Ftrack.m4v","#,
    r#"nrr="12323-48763",ot=v,pr=1.08,rtp=12000,sf=d,sid="6e2fb550-c457-11e9-bb97-0800200c9a66","#,
    r"st=v,su,tb=6000"
);

const VERSION_2: &str = concat!(
    r#"ab=(2500),bg,bl=(5000;v 4000;a),br=(128;a 200;v),bs,bsd=(2000 300),cdn="cdn-one","#,
    r#"cid="film-7",dfa=5,ec=("ERR 001" "ERR,002"),ltc=1500,msd=2500,mtp=(9000 10000),"#,
    r#"nor=("../one.m4v" "../two.m4v";r="0-99"),ot=m,pt=45000,sid="s-1",sn=1,sta=p,tbl=(8000),v=2"#
);

#[test]
fn version_1_is_read_with_strings_tokens_and_keys_of_others() {
    let cmcd = Cmcd::parse(VERSION_1);
    assert_eq!(cmcd.integer("br"), Some(3200));
    assert_eq!(cmcd.decimal("pr"), Some(1.08));
    assert_eq!(
        cmcd.text("sid").as_deref(),
        Some("6e2fb550-c457-11e9-bb97-0800200c9a66")
    );
    assert_eq!(
        cmcd.text("nor").as_deref(),
        Some("..%2F300kbps%2Ftrack.m4v")
    );
    assert_eq!(
        cmcd.text("com.example-quote").as_deref(),
        Some(r#""said" \ so"#)
    );
    assert_eq!(cmcd.get("ot"), Some(&Data::Token("v".to_owned())));
    assert_eq!(cmcd.get("com.example-exists"), Some(&Data::Boolean(true)));
    assert!(cmcd.boolean("bs") && cmcd.boolean("su") && !cmcd.boolean("bg"));
    assert_eq!(cmcd.version(), 1);
    assert_eq!(cmcd.items().len(), 20);
    assert_eq!(cmcd.to_list(), VERSION_1);
}

#[test]
fn version_2_has_lists_with_identifiers() {
    let cmcd = Cmcd::parse(VERSION_2);
    assert_eq!(cmcd.version(), 2);
    // The video's, though the audio's comes first.
    assert_eq!(cmcd.integer("br"), Some(200));
    assert_eq!(cmcd.integer("bl"), Some(5000));
    // No video: the highest.
    assert_eq!(cmcd.integer("mtp"), Some(10_000));
    assert_eq!(cmcd.integer("tbl"), Some(8000));
    assert_eq!(list::integer(b"(2000 300)", Reduced::Sum), Some(2300));
    assert_eq!(cmcd.text("ec").as_deref(), Some("ERR 001,ERR,002"));
    assert_eq!(cmcd.text("nor").as_deref(), Some("../one.m4v,../two.m4v"));
    assert_eq!(cmcd.text("sta").as_deref(), Some("p"));
    assert_eq!(
        cmcd.get("nor"),
        Some(&Data::List(vec![
            (Data::Text("../one.m4v".to_owned()), None),
            (
                Data::Text("../two.m4v".to_owned()),
                Some(r#"r="0-99""#.to_owned())
            ),
        ]))
    );
    assert_eq!(cmcd.to_list(), VERSION_2);
}

#[test]
fn a_query_is_read_as_sent_and_as_logged() {
    for list in [VERSION_1, VERSION_2] {
        // The path that is asked for next is encoded in the list itself; twice is the limit, so that
        // as sent, with one encoding less, it comes out decoded.
        let as_logged = Cmcd::of_query(&format!("a=b&CMCD={}&c=d", logged(&encoded(list))));
        assert_eq!(as_logged.as_ref().map(Cmcd::to_list).as_deref(), Some(list));
        let as_sent = Cmcd::of_query(&format!("CMCD={}", encoded(list))).unwrap();
        assert_eq!(as_sent.text("sid"), Cmcd::parse(list).text("sid"));
        assert_eq!(as_sent.integer("br"), Cmcd::parse(list).integer("br"));
    }
    for query in ["", "a=b", "xCMCD=br%3D1", "a=CMCD=br%3D1", "cmcd=br%3D1"] {
        assert_eq!(Cmcd::of_query(query), None, "{query}");
    }
    assert_eq!(
        Cmcd::of_query("CMCD=").map(|cmcd| cmcd.items().len()),
        Some(0)
    );
}

#[test]
fn an_ampersand_in_a_value_does_not_end_it() {
    let query = format!("CMCD={}", logged(&encoded(r#"cid="a&b",sid="c""#)));
    let cmcd = Cmcd::of_query(&query).unwrap();
    assert_eq!(cmcd.text("cid").as_deref(), Some("a&b"));
    assert_eq!(cmcd.text("sid").as_deref(), Some("c"));
}

#[test]
fn headers_are_joined() {
    let cmcd = Cmcd::of_headers([
        ("CMCD-Object", "br=200,d=325,ot=v"),
        ("cmcd-session", r#"cid="film,7",sid="s-1",v=2"#),
        ("Accept", "sid=no"),
        ("CMCD-Status", "bs"),
    ])
    .unwrap();
    assert_eq!(cmcd.integer("br"), Some(200));
    assert_eq!(cmcd.text("cid").as_deref(), Some("film,7"));
    assert!(cmcd.boolean("bs"));
    assert_eq!(Cmcd::of_headers([("Accept", "br=1")]), None);
}

#[test]
fn logged_headers_are_joined_and_a_cut_one_loses_its_last_item() {
    let field = "Host:live.example.com%0ACMCD-Session:cid=%22film%207%22,sid=%22s-1%22%0ACMCD-Object:br=3200,d=4004%0A";
    let cmcd = Cmcd::of_logged_headers(field).unwrap();
    assert_eq!(cmcd.text("cid").as_deref(), Some("film 7"));
    assert_eq!(cmcd.integer("d"), Some(4004));
    assert_eq!(Cmcd::of_logged_headers("Host:a%0AAccept:b%0A"), None);

    let long = format!("Host:{}%0ACMCD-Object:br=3200,d=40", "a".repeat(800));
    let cmcd = Cmcd::of_logged_headers(&long).unwrap();
    assert_eq!(cmcd.integer("br"), Some(3200));
    assert_eq!(cmcd.get("d"), None, "40 is but the beginning of 4004");
}

#[test]
fn json_is_read() {
    let json = r#"{"br": 3200,"bs":true,"pr":1.08,"sid":"s-1","ec":["a","b"],"x":null,"y":{}}"#;
    let cmcd = Cmcd::of_json(json).unwrap();
    assert_eq!(cmcd.integer("br"), Some(3200));
    assert_eq!(cmcd.decimal("pr"), Some(1.08));
    assert_eq!(cmcd.text("ec").as_deref(), Some("a,b"));
    assert!(cmcd.boolean("bs"));
    assert_eq!(cmcd.items().len(), 5);
    for text in ["", "[]", "3", "{", r#"{"a":}"#] {
        assert_eq!(Cmcd::of_json(text), None, "{text}");
    }
    let in_query = Cmcd::of_query(&format!("CMCD={}", logged(&encoded(json)))).unwrap();
    assert_eq!(in_query.integer("br"), Some(3200));
}

#[test]
fn what_is_not_as_it_should_be_is_read_as_far_as_it_goes() {
    for (text, key, expected) in [
        // Quotes that are missing.
        ("sid=abc-1,ot=v", "sid", Some("abc-1")),
        (r#"sid="abc,ot=v"#, "ot", Some("v")),
        (r#"sid="abc,ot=v"#, "sid", Some("abc")),
        (r#"sid=abc",ot=v"#, "sid", Some("abc")),
        // Brackets that are.
        ("br=(200;v,ot=v", "ot", Some("v")),
        // Any order, blanks, empty items.
        (" ot = v , , sid=\"a\" ,", "sid", Some("a")),
        (" ot = v , , sid=\"a\" ,", "ot", Some("v")),
        // The first counts.
        ("ot=v,ot=a", "ot", Some("v")),
        // No key in a string.
        (r#"cid="a,sid=b",sid="c""#, "sid", Some("c")),
        (r#"cid="a\",sid=b",sid="c""#, "sid", Some("c")),
        ("=v,sid=", "sid", Some("")),
        ("sid", "sid", None),
    ] {
        assert_eq!(Cmcd::parse(text).text(key).as_deref(), expected, "{text}");
    }
    assert_eq!(Cmcd::parse("br=200.0,bl=x,d=1.5").integer("br"), Some(200));
    assert_eq!(Cmcd::parse("br=200.0,bl=x,d=1.5").integer("bl"), None);
    assert_eq!(Cmcd::parse("br=200.0,bl=x,d=1.5").integer("d"), None);
    assert_eq!(Cmcd::parse("br=\"200\"").integer("br"), Some(200));
    assert!(!Cmcd::parse("bs=?0").boolean("bs"));
}

#[test]
fn unclosed_quotes_and_brackets_take_no_time() {
    // Each would be looked for to the end from each of them, if it were not remembered that there is
    // none: a quarter of a million times half a mebibyte.
    for part in ["a=\"", "a=(,", "a=(\"\\"] {
        let text = part.repeat(250_000);
        assert!(!Cmcd::parse(&text).items().is_empty());
    }
}

/// What a search gives, in words; an error: it is not sure.
fn sought(argument: &str, key: &str) -> Result<Option<String>, ()> {
    match Seeker::new(key).seek(argument.as_bytes()) {
        Sought::Unsure => Err(()),
        Sought::Absent => Ok(None),
        Sought::Flag => Ok(Some("true".to_owned())),
        Sought::Value(value) => {
            let value = std::str::from_utf8(value).unwrap();
            Ok(Some(crate::decode::text(value).into_owned()))
        }
    }
}

#[test]
fn one_key_is_found_where_it_stands() {
    let once = encoded(VERSION_1);
    for argument in [
        VERSION_1.replace("com.example-quote", "x=1,y"),
        logged(&once),
        once,
    ] {
        let is_plain = !argument.contains('\\') && !argument.contains("5C");
        for (key, expected) in [
            ("br", Some("3200")),
            ("bs", Some("true")),
            ("bl", Some("21300")),
        ] {
            assert_eq!(
                sought(&argument, key),
                Ok(expected.map(str::to_owned)),
                "{key} of {argument}"
            );
        }
        // Behind an escape nothing is certain.
        assert_eq!(sought(&argument, "sid").is_ok(), is_plain);
    }
    let argument = logged(&encoded(r#"br=1,cid="sid=x",ot=v,sid="6e2f",st=v"#));
    assert_eq!(sought(&argument, "sid"), Ok(Some("6e2f".to_owned())));
    assert_eq!(sought(&argument, "st"), Ok(Some("v".to_owned())));
    assert_eq!(sought(&argument, "t"), Ok(None));
    assert_eq!(sought(&logged(&encoded("br=(5000;v)")), "br"), Err(()));
    assert_eq!(sought(&logged(&encoded(r#"{"br":1}"#)), "br"), Err(()));
}

fn value() -> impl Strategy<Value = Data> {
    prop_oneof![
        Just(Data::Boolean(true)),
        any::<i32>().prop_map(|number| Data::Integer(number.into())),
        "[ -~äß]{0,12}".prop_map(Data::Text),
        "[a-z]{1,3}".prop_map(Data::Token),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(items in proptest::collection::vec(("[a-z]{1,3}", value()), 0..8)) {
        let cmcd = Cmcd { items };
        prop_assert_eq!(Cmcd::parse(&cmcd.to_list()), cmcd);
    }

    #[test]
    fn seeking_finds_what_reading_finds(
        items in proptest::collection::vec(("[a-c]{1,2}", value()), 0..6),
        key in "[a-c]{1,2}",
        times in 1..3,
    ) {
        let cmcd = Cmcd { items };
        let mut argument = cmcd.to_list();
        // As it is, without any encoding, a text may look encoded; it never is in a log.
        for _ in 0..times {
            argument = encoded(&argument);
        }
        let read = Cmcd::of_query(&format!("CMCD={argument}")).unwrap();
        if let Ok(found) = sought(&argument, &key) {
            let expected = read.get(&key).map(|data| match data {
                Data::Boolean(true) => "true".to_owned(),
                _ => read.text(&key).unwrap(),
            });
            prop_assert_eq!(found, expected, "{}", argument);
        }
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let cmcd = Cmcd::parse(&text);
        for (key, _) in cmcd.items() {
            drop((cmcd.integer(key), cmcd.decimal(key), cmcd.text(key), cmcd.boolean(key)));
        }
        drop((Cmcd::of_query(&text), Cmcd::of_logged_headers(&text), Cmcd::of_json(&text)));
        let _ = Seeker::new("a").seek(&bytes);
    }

    #[test]
    fn nothing_panics_on_what_looks_like_a_list(text in r#"[a-c=,;"()\\ %250123ABC{}]{0,60}"#) {
        let cmcd = Cmcd::parse(&text);
        for (key, _) in cmcd.items() {
            drop((cmcd.integer(key), cmcd.decimal(key), cmcd.text(key)));
        }
        drop(Cmcd::of_query(&format!("CMCD={text}")));
        let _ = Seeker::new("a").seek(text.as_bytes());
    }
}
