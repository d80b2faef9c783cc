//! What the audience promises: the same rows for the same seed, any minute by itself, and in an event
//! everything that a query may look for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> i64 {
    Scene::minute_of(text.parse().unwrap())
}

fn event(scene: &Scene) -> impl Iterator<Item = Request<'_>> {
    let minutes = Scene::minute_of(scene.doors)..Scene::minute_of(scene.ends);
    minutes.flat_map(move |minute| {
        scene
            .distributions
            .iter()
            .flat_map(move |(id, _, _)| scene.minute(minute, id))
    })
}

#[test]
fn a_seed_stands_for_the_same_lines_everywhere() {
    let scene = Scene::example(7, 24);
    let mut text = Vec::new();
    for request in scene
        .minute(at("2026-06-14T19:00:00Z"), "E1CUPFINAL0001")
        .take(3)
    {
        write_line(&mut text, &STANDARD, "\t", &request, Log::Standard);
    }
    insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r"
    2026-06-14	19:00:01	FRA60-P4	3820	2001:db8:fb47:32fb:d487:3068:df6d:5d8c	GET	d1cupfinal0001.cloudfront.net	/cup-final/ads/master.m3u8	200	-	Mozilla/5.0%20(SMART-TV;%20Linux;%20Tizen%208.0)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20108.0.5359.1/8.0%20TV%20Safari/537.36	CMCD=cid%253D%2522cup-final%2522%252Cot%253Dm%252Csf%253Dd%252Csid%253D%25223e289e3a-29ea-4097-9a25-caefab0b5b20%2522%252Cst%253Dl%252Csta%253Dp%252Cv%253D2	-	Miss	pSdAHNKN4yOgQzdBjGrmwxtNaFQx94fLF5vdbGcIRPuMkGVHLSBfFX==	live.example.com	https	316	0.125	-	TLSv1.3	TLS_AES_128_GCM_SHA256	Miss	HTTP/2.0	-	-	43241	0.125	Miss	application/vnd.apple.mpegurl	3400	-	-
    2026-06-14	19:00:01	FRA60-P4	2437	2001:db8:fb47:32fb:d487:3068:df6d:5d8c	GET	d1cupfinal0001.cloudfront.net	/cup-final/manifest.mpd	200	-	Mozilla/5.0%20(SMART-TV;%20Linux;%20Tizen%208.0)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20108.0.5359.1/8.0%20TV%20Safari/537.36	CMCD=cid%253D%2522cup-final%2522%252Cot%253Dm%252Csf%253Dd%252Csid%253D%25223e289e3a-29ea-4097-9a25-caefab0b5b20%2522%252Cst%253Dl%252Csta%253Dp%252Cv%253D2	-	Hit	prKI8TMUi0OCuNgwIPGWOTG4-FLNGms53AniKc26yxFBMmm78b7bRI==	live.example.com	https	183	0.014	-	TLSv1.3	TLS_AES_128_GCM_SHA256	Hit	HTTP/2.0	-	-	43241	0.014	Hit	application/dash+xml	2017	-	-
    2026-06-14	19:00:01	FRA60-P4	63891	2001:db8:fb47:32fb:d487:3068:df6d:5d8c	GET	d1cupfinal0001.cloudfront.net	/cup-final/audio/segment-445365900.m4s	200	-	Mozilla/5.0%20(SMART-TV;%20Linux;%20Tizen%208.0)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20108.0.5359.1/8.0%20TV%20Safari/537.36	CMCD=bl%253D(18800)%252Cbr%253D(128%253Ba)%252Ccid%253D%2522cup-final%2522%252Cd%253D4000%252Cmtp%253D(137500)%252Cot%253Da%252Csf%253Dd%252Csid%253D%25223e289e3a-29ea-4097-9a25-caefab0b5b20%2522%252Cst%253Dl%252Csta%253Dp%252Ctb%253D(128%253Ba)%252Cv%253D2	-	Hit	U5spDnJ7kPkTTL5KhY3H8Rcdx6xGd9kBKlWJOVlMKv10MPCE1mg_QF==	live.example.com	https	371	0.012	-	TLSv1.3	TLS_AES_128_GCM_SHA256	Hit	HTTP/2.0	-	-	43241	0.008	Hit	audio/mp4	63471	-	-
    ");
    // All of an event in one number: whoever changes the audience changes this knowingly.
    let mut line = Vec::new();
    let sum = event(&scene).fold(0_u64, |sum, request| {
        line.clear();
        write_line(&mut line, &REALTIME, "\t", &request, Log::Realtime);
        line.iter().fold(sum, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    });
    insta::assert_snapshot!(format!("{sum:016x}"), @"8be0c249d429aff4");
}

#[test]
fn another_seed_is_another_audience() {
    let minute = at("2026-06-14T19:00:00Z");
    let addresses = |seed| -> BTreeSet<IpAddr> {
        Scene::example(seed, 200)
            .minute(minute, "E1CUPFINAL0001")
            .map(|request| request.address)
            .collect()
    };
    let (one, other) = (addresses(1), addresses(2));
    assert!(one.intersection(&other).count() * 10 < one.len());
}

#[test]
fn an_event_has_everything_that_queries_look_for() {
    let scene = Scene::example(1, 300);
    let mut statuses = BTreeMap::<u16, u64>::new();
    let mut details = BTreeSet::new();
    let mut methods = BTreeSet::new();
    let mut sessions = BTreeMap::<u128, BTreeSet<IpAddr>>::new();
    let mut tokens = BTreeMap::<u64, BTreeSet<IpAddr>>::new();
    let mut viewers = BTreeMap::<IpAddr, BTreeSet<u128>>::new();
    let mut by_own_name = 0;
    let (mut failovers, mut slow, mut starved, mut two, mut six) = (0, 0, 0, 0, 0);
    let incident = |from: i64, until: i64| {
        let starts = scene.starts.as_millisecond();
        starts + from * 60_000..starts + until * 60_000
    };
    for request in event(&scene) {
        *statuses.entry(request.status).or_default() += 1;
        details.insert(request.detailed_result);
        methods.insert(request.method);
        by_own_name += u64::from(request.by_own_name);
        six += u64::from(request.address.is_ipv6());
        if let Some(cmcd) = request.cmcd {
            sessions
                .entry(cmcd.session)
                .or_default()
                .insert(request.address);
            viewers
                .entry(request.address)
                .or_default()
                .insert(cmcd.session);
            starved += u64::from(cmcd.starved);
            two += u64::from(cmcd.telling == Telling::QueryTwo);
        }
        if let Some(note) = request.note {
            tokens
                .entry(note.keys[2])
                .or_default()
                .insert(request.address);
        }
        if request
            .origin
            .is_some_and(|origin| origin.failover.is_some())
        {
            failovers += 1;
            assert!(incident(67, 71).contains(&request.at));
        }
        if request.first_byte > 400 && request.origin.is_none() && request.status == 200 {
            slow += 1;
            let at = request.at;
            let is_far = !matches!(request.country, "AT" | "DE" | "CH");
            assert!(incident(36, 45).contains(&at) || is_far, "{request:?}");
        }
    }
    for status in [0, 200, 401, 403, 404, 451, 502, 503, 504] {
        assert!(statuses.contains_key(&status), "{status} of {statuses:?}");
    }
    for detail in [
        "Hit",
        "RefreshHit",
        "Miss",
        "OriginShieldHit",
        "ClientGeoBlocked",
        "OriginConnectError",
        "ClientHungUpRequest",
        "ClientCommError",
    ] {
        assert!(details.contains(detail), "{detail} of {details:?}");
    }
    assert_eq!(methods, BTreeSet::from(["GET", "HEAD", "OPTIONS", "POST"]));
    assert!(by_own_name > 1000, "{by_own_name}");
    assert!(failovers > 50 && slow > 100 && starved > 100 && two > 1000 && six > 1000);
    // Shared sessions are the pullers' alone; honest viewers change their address at most once.
    let shared: Vec<_> = sessions.values().filter(|from| from.len() >= 3).collect();
    assert!((2..30).contains(&shared.len()), "{}", shared.len());
    let is_rented =
        |address: &IpAddr| matches!(address, IpAddr::V4(four) if four.octets()[0] == 198);
    assert!(shared.iter().all(|from| from.iter().all(is_rented)));
    assert!(tokens.values().filter(|from| from.len() >= 3).count() >= 1);
    // A carrier's address has several viewers.
    assert!(viewers.values().any(|sessions| sessions.len() >= 3));
}

#[test]
fn a_rehearsals_audience_is_small_and_still_has_its_abusers() {
    let scene = Scene::example(1, 24);
    let rows = event(&scene).count();
    assert!((120_000..260_000).contains(&rows), "{rows}");
    assert!(event(&scene).any(|request| request.network == 64_496 || request.network == 64_497));
    assert!(event(&scene).any(|request| {
        scene
            .without_rights
            .iter()
            .any(|code| code == request.country)
    }));
    // Whatever the minute, the probe was there: there is always a row, and so a metric.
    let night = at("2026-06-12T03:00:00Z");
    assert_eq!(scene.requests_in(night, "E1CUPFINAL0002"), 1);
}

#[test]
fn nobody_asks_a_distribution_that_is_not_there() {
    let scene = Scene::example(1, 24);
    assert_eq!(scene.requests_in(at("2026-06-14T19:00:00Z"), "E9"), 0);
}

#[test]
fn a_short_stay_makes_many_sessions() {
    let sessions = |stay| {
        let mut scene = Scene::example(1, 100);
        scene.stay = stay;
        let sessions: BTreeSet<u128> = event(&scene)
            .filter_map(|request| request.cmcd.map(|cmcd| cmcd.session))
            .collect();
        sessions.len()
    };
    assert!(sessions(2) > 20 * sessions(100));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_minute_alone_is_the_minute_in_a_run(seed: u64, offset in -300_i64..400, viewers in 1_u64..60) {
        let scene = Scene::example(seed, viewers);
        let minute = Scene::minute_of(scene.starts) + offset;
        for (id, _, _) in &scene.distributions {
            let run: Vec<Request<'_>> = (minute - 3..minute + 2)
                .flat_map(|minute| scene.minute(minute, id))
                .filter(|request| request.at.div_euclid(60_000) == minute)
                .collect();
            let alone: Vec<Request<'_>> = scene.minute(minute, id).collect();
            prop_assert_eq!(&run, &alone);
            let summary = scene.summary(minute, id);
            prop_assert_eq!(scene.requests_in(minute, id), u64::try_from(alone.len()).unwrap());
            prop_assert_eq!(summary.requests, u64::try_from(alone.len()).unwrap());
            prop_assert_eq!(summary.bytes, alone.iter().map(|request| request.bytes).sum::<u64>());
            prop_assert!(alone.iter().all(|request| request.distribution == id));
        }
    }

    #[test]
    fn lines_have_their_fields_and_nothing_that_breaks_them(seed: u64, offset in -60_i64..200) {
        let scene = Scene::example(seed, 40);
        let minute = Scene::minute_of(scene.starts) + offset;
        let mut line = Vec::new();
        for request in scene.minute(minute, "E1CUPFINAL0001") {
            for (fields, log) in [(&STANDARD[..], Log::Standard), (&REALTIME[..], Log::Realtime)] {
                line.clear();
                write_line(&mut line, fields, "\t", &request, log);
                let (end, inner) = line.split_last().unwrap();
                prop_assert_eq!(*end, b'\n');
                prop_assert!(inner.iter().all(|byte| *byte == b'\t' || (b'!'..=b'~').contains(byte)));
                prop_assert_eq!(inner.split(|byte| *byte == b'\t').count(), fields.len());
                prop_assert!(inner.split(|byte| *byte == b'\t').all(|value| !value.is_empty()));
            }
            line.clear();
            write_json(&mut line, &VERSION_TWO, &request);
            prop_assert!(line.iter().all(|byte| *byte != b'\\'));
        }
    }
}
