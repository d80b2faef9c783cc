//! Bad runbooks and what is said of them.

use proptest::prelude::*;

use super::*;

/// The least that a runbook must hold.
pub(crate) const MINIMAL: &str = r#"format = 1

[event]
id = "cup"
name = "Cup"
starts = "2026-06-14 20:30"
ends = "ko+3h"
zone = "Europe/Vienna"

[aws]
account = "111122223333"

[[distributions]]
name = "main"
id = "E1EXAMPLE00001"
domain = "live.example.com"
"#;

fn messages(text: &str) -> String {
    match parse(text, Path::new("runbooks/cup.toml")) {
        Ok(loaded) => render_notes(&loaded.notes, text, "cup.toml"),
        Err(LoadError::Invalid { notes, .. }) => render_notes(&notes, text, "cup.toml"),
        Err(error) => panic!("{error}"),
    }
}

/// MINIMAL with more at its end.
fn with(more: &str) -> String {
    messages(&format!("{MINIMAL}{more}"))
}

/// MINIMAL with one part exchanged.
fn changed(from: &str, to: &str) -> String {
    assert!(MINIMAL.contains(from), "{from}");
    messages(&MINIMAL.replace(from, to))
}

#[test]
fn the_least_runbook_gets_its_defaults() {
    let loaded = parse(MINIMAL, Path::new("runbooks/cup.toml")).unwrap();
    assert_eq!(loaded.notes, []);
    insta::assert_snapshot!(loaded.runbook.to_toml(), @r##"
        format = 1

        [event]
        id = "cup"
        name = "Cup"
        starts = "2026-06-14T20:30:00+02:00"
        ends = "2026-06-14T23:30:00+02:00"
        doors = "2026-06-14T20:30:00+02:00"
        grace = "2h"
        zone = "Europe/Vienna"
        kickoff-label = "KO"
        operators = []

        [aws]
        account = "111122223333"
        region = "us-east-1"

        [[distributions]]
        name = "main"
        id = "E1EXAMPLE00001"
        domain = "live.example.com"
        role = "video"

        [distributions.samples]

        [ledger]
        store = ".onair/cup"

        [[phases]]
        name = "setup"
        from = "2026-05-15T20:30:00+02:00"
        allow = ["all"]
        break-glass = true

        [[phases]]
        name = "freeze"
        from = "2026-06-14T18:30:00+02:00"
        allow = [
            "apply",
            "dashboard",
            "event",
            "geo",
            "ip",
            "ledger",
            "origin",
            "play",
            "rule",
            "tend",
            "token",
        ]
        break-glass = true

        [[phases]]
        name = "live"
        from = "2026-06-14T20:30:00+02:00"
        allow = [
            "apply",
            "dashboard",
            "event",
            "geo",
            "ip",
            "ledger",
            "origin",
            "play",
            "rule",
            "tend",
            "token",
        ]
        break-glass = true

        [[phases]]
        name = "cooldown"
        from = "2026-06-14T23:30:00+02:00"
        allow = ["all"]
        break-glass = true

        [[phases]]
        name = "post"
        from = "2026-06-15T23:30:00+02:00"
        allow = ["all"]
        break-glass = true

        [targets]
        cache-hit-ratio = 95.0
        errors-4xx = 2.0
        errors-5xx = 0.1
        time-to-first-byte = "400ms"
        origin-latency = "500ms"
        rebuffering = 0.5
        function-utilization = 70.0
        "##);
}

#[test]
fn the_worked_runbook_is_clean_and_shows_as_one_that_loads_to_the_same() {
    let text = include_str!("../../../runbooks/cup-final.toml");
    let path = Path::new("runbooks/cup-final.toml");
    let loaded = parse(text, path).unwrap_or_else(|error| panic!("{}", error.details()));
    assert_eq!(loaded.notes, []);
    let again = parse(&loaded.runbook.to_toml(), path)
        .unwrap_or_else(|error| panic!("{}", error.details()))
        .runbook;
    assert_eq!(
        Runbook {
            digest: loaded.runbook.digest.clone(),
            ..again
        },
        loaded.runbook
    );
}

#[test]
fn all_structural_and_value_problems_come_at_once() {
    insta::assert_snapshot!(messages(r#"format = 1
colour = "red"

[event]
id = "cup"
name = "Cup"
strats = "2026-06-14 20:30"
ends = "ko+3h"
zone = "Vienna"

[aws]
account = 111122223333

[[distributions]]
name = "main"
id = "E1EXAMPLE00001"
domain = "live.example.com"
role = "vido"

[geo]
mode = "allow"
countries = ["UK", 7]
"#), @r##"
        error: colour: unknown key `colour`
         --> cup.toml:2:1
          |
        2 | colour =…
          | ^^^^^^

        error: event: missing key `starts`
         --> cup.toml:4:1
          |
        4 | [event]
          | ^^^^^^^

        error: event.strats: unknown key `strats`
         --> cup.toml:7:1
          |
        7 | strats =…
          | ^^^^^^
          = did you mean `starts`?

        error: event.zone: `Vienna` is not an IANA time zone such as Europe/Vienna
         --> cup.toml:9:8
          |
        9 | zone = "Vienna"
          |        ^^^^^^^^
          = did you mean `Europe/Vienna`?

        error: aws.account: expected a text in quotes, found a number
          --> cup.toml:12:11
           |
        12 | account = 111122223333
           |           ^^^^^^^^^^^^

        error: distributions[0].role: `vido` is none of: video, backup, ads, keys, site
          --> cup.toml:18:8
           |
        18 | role = "vido"
           |        ^^^^^^
           = did you mean `video`?

        error: geo.countries[0]: `UK` is not an ISO 3166-1 country code; did you mean GB (United Kingdom)?
          --> cup.toml:22:14
           |
        22 | countries = ["UK", 7]
           |              ^^^^

        error: geo.countries[1]: expected a text in quotes, found a number
          --> cup.toml:22:20
           |
        22 | countries = ["UK", 7]
           |                    ^
        "##);
}

#[test]
fn broken_toml_is_told_with_its_place() {
    insta::assert_snapshot!(changed("id = \"cup\"", "id = \"cup"), @r##"
        error: not valid TOML: invalid basic string, expected `"`
         --> cup.toml:4:10
          |
        4 | id = "cup
          |          ^
        "##);
    insta::assert_snapshot!(with("[event]\nid = \"x\"\n"), @r##"
        error: not valid TOML: duplicate key
          --> cup.toml:17:2
           |
        17 | [event]
           |  ^^^^^

        error: not valid TOML: duplicate key
          --> cup.toml:18:1
           |
        18 | id = "x"
           | ^^
        "##);
}

#[test]
fn times_must_be_in_order() {
    insta::assert_snapshot!(changed("ends = \"ko+3h\"", "ends = \"ko-3h\"\ndoors = \"ko+1m\""), @r##"
        error: event.ends: ends at 2026-06-14T15:30:00Z, which is not after the start at 2026-06-14T18:30:00Z
         --> cup.toml:7:8
          |
        7 | ends = "ko-3h"
          |        ^^^^^^^

        error: event.doors: doors open at 2026-06-14T18:31:00Z, after the start at 2026-06-14T18:30:00Z
         --> cup.toml:8:9
          |
        8 | doors = "ko+1m"
          |         ^^^^^^^
        "##);
    insta::assert_snapshot!(changed("starts = \"2026-06-14 20:30\"", "starts = \"ko\""), @r##"
        error: event.starts: the start cannot be relative to itself; write a date and time
         --> cup.toml:6:10
          |
        6 | starts = "ko"
          |          ^^^^
        "##);
    insta::assert_snapshot!(changed("starts = \"2026-06-14 20:30\"", "starts = \"20:30\""), @r##"
        error: event.starts: `20:30:00` is not usable here; write a date and time
         --> cup.toml:6:10
          |
        6 | starts = "20:30"
          |          ^^^^^^^
        "##);
    insta::assert_snapshot!(changed("2026-06-14 20:30", "2026-03-29 02:30"), @r##"
        error: event.starts: 2026-03-29T02:30:00 does not exist in Europe/Vienna: the clocks go forward over it; write the time with an offset
         --> cup.toml:6:10
          |
        6 | starts = "2026-03-29 02:30"
          |          ^^^^^^^^^^^^^^^^^^
        "##);
}

#[test]
fn bare_dates_are_taken_like_quoted_ones() {
    assert_eq!(
        changed("\"2026-06-14 20:30\"", "2026-06-14T20:30:00+02:00"),
        ""
    );
    assert_eq!(changed("\"2026-06-14 20:30\"", "2026-06-14 20:30:00"), "");
}

#[test]
fn names_and_accounts_are_checked() {
    insta::assert_snapshot!(changed("id = \"cup\"", "id = \"Cup 1\"\ngrace = \"5\""), @r##"
        error: event.id: `Cup 1` is not an event id: use 1 to 31 lower-case letters, digits and hyphens, starting with a letter or digit; `cup-1` would do
         --> cup.toml:4:6
          |
        4 | id = "Cup 1"
          |      ^^^^^^^

        error: event.grace: `5` has no unit; write 5s, 5m, 5h or 5d
         --> cup.toml:5:9
          |
        5 | grace = "5"
          |         ^^^
        "##);
    insta::assert_snapshot!(changed("\"111122223333\"", "\"1111-2222\""), @r##"
        error: aws.account: an account is 12 digits, in quotes
          --> cup.toml:11:11
           |
        11 | account = "1111-2222"
           |           ^^^^^^^^^^^
        "##);
    insta::assert_snapshot!(with("\n[[distributions]]\nname = \"main\"\nid = \"X1\"\ndomain = \"https://x\"\n[distributions.samples]\nkey = \"k\"\n"), @r##"
        error: distributions[1].name: the distribution name `main` is there twice
          --> cup.toml:19:8
           |
        19 | name = "main"
           |        ^^^^^^

        warning: distributions[1].id: `X1` does not look like a CloudFront id such as E2QWRUHAPOMQZL
          --> cup.toml:20:6
           |
        20 | id = "X1"
           |      ^^^^

        error: distributions[1].domain: `https://x` is not a host name
          --> cup.toml:21:10
           |
        21 | domain = "https://x"
           |          ^^^^^^^^^^^

        error: distributions[1].samples.key: a sample path begins with `/`
          --> cup.toml:23:7
           |
        23 | key = "k"
           |       ^^^
        "##);
    insta::assert_snapshot!(changed("format = 1", "format = 2"), @r##"
        error: format: format 2 is not known; this onair reads format 1
         --> cup.toml:1:10
          |
        1 | format = 2
          |          ^
        "##);
}

#[test]
fn geo_lists_are_held_against_each_other() {
    insta::assert_snapshot!(with("[geo]\nmode = \"allow\"\ncountries = []\n"), @r##"
        error: geo.countries: an allow list without countries would let nobody in
          --> cup.toml:19:13
           |
        19 | countries = []
           |             ^^
        "##);
    insta::assert_snapshot!(with("[geo]\nmode = \"block\"\ncountries = [\"EU\", \"XQ\"]\n"), @r##"
        error: geo.countries[1]: `XQ` is not an ISO 3166-1 country code
          --> cup.toml:19:20
           |
        19 | countries = ["EU", "XQ"]
           |                    ^^^^
        "##);
    insta::assert_snapshot!(with("[geo]\nmode = \"block\"\ncountries = [\"EU\"]\nnever-block = [\"GB\", \"AT\"]\n"), @r##"
        error: geo.never-block[1]: AT (Austria) must never be blocked, but this list blocks it
          --> cup.toml:20:22
           |
        20 | never-block = ["GB", "AT"]
           |                      ^^^^
        "##);
    insta::assert_snapshot!(with("[geo]\nmode = \"allow\"\ncountries = [\"DACH\"]\nnever-block = [\"IT\"]\n"), @r##"
        error: geo.never-block[0]: IT (Italy) must never be blocked, but this list blocks it
          --> cup.toml:20:16
           |
        20 | never-block = ["IT"]
           |                ^^^^
        "##);
}

#[test]
fn waf_values_are_checked() {
    insta::assert_snapshot!(with("[waf]\nweb-acl = \"a b\"\nwidest-v4 = 33\naudience-cap = 0\ndefault-duration = \"soon\"\n[[waf.never-block]]\nname = \"a\"\ncidr = \"203.0.113.9/24\"\n[[waf.never-block]]\nname = \"b\"\ncdir = \"x\"\n[[waf.never-block]]\nname = \"c\"\ncidr = \"1.2.3\"\n"), @r##"
        error: waf.web-acl: `a b` is not a name that AWS takes: 1 to 128 letters, digits, hyphens and underscores
          --> cup.toml:18:11
           |
        18 | web-acl = "a b"
           |           ^^^^^

        error: waf.widest-v4: 33 is not a prefix length from 1 to 32
          --> cup.toml:19:13
           |
        19 | widest-v4 = 33
           |             ^^

        error: waf.audience-cap: a percentage is more than 0 and at most 100
          --> cup.toml:20:16
           |
        20 | audience-cap = 0
           |                ^

        error: waf.default-duration: `soon` is not a duration such as 90s, 15m, 2h 30m or 1d
          --> cup.toml:21:20
           |
        21 | default-duration = "soon"
           |                    ^^^^^^

        warning: waf.never-block[0].cidr: 203.0.113.9/24 has host bits set; taken as 203.0.113.0/24
          --> cup.toml:24:8
           |
        24 | cidr = "203.0.113.9/24"
           |        ^^^^^^^^^^^^^^^^

        error: waf.never-block[1]: missing key `cidr`
          --> cup.toml:25:1
           |
        25 | [[waf.never-block]]
           | ^^^^^^^^^^^^^^^^^^^

        error: waf.never-block[1].cdir: unknown key `cdir`
          --> cup.toml:27:1
           |
        27 | cdir =…
           | ^^^^
           = did you mean `cidr`?

        error: waf.never-block[2].cidr: `1.2.3` is not an IP address or a prefix such as 203.0.113.0/24
          --> cup.toml:30:8
           |
        30 | cidr = "1.2.3"
           |        ^^^^^^^
        "##);
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    for secret in [
        "key = \"hunter2hunter2\"\n",
        "key = { value = \"hunter2hunter2\" }\n",
        "key = { env = \"A\", file = \"hunter2hunter2\" }\n",
        "key = {}\nsecret = \"hunter2hunter2\"\n",
        "key = [\"hunter2hunter2\"]\n",
        "key = \"hunter2hunter2\n",
    ] {
        let answer = with(&format!("[tokens]\nformat = \"jwt\"\n{secret}"));
        assert!(answer.contains("error"), "{secret}");
        assert!(!answer.contains("hunter2"), "{answer}");
    }
    insta::assert_snapshot!(with("[tokens]\nformat = \"jwt\"\nkey = \"hunter2hunter2\"\n"), @r##"
        error: tokens.key: a secret never stands in a runbook: write key = { env = "NAME" }, { file = "PATH" } or { secret = "ARN" }
          --> cup.toml:19:7
           |
        19 | key =…
           |      ^
        "##);
}

#[test]
fn token_claims_are_checked() {
    insta::assert_snapshot!(with("[tokens]\nformat = \"opaque\"\nrevocation-keys = [\"sub\"]\n"), @r##"
        error: tokens.revocation-keys: opaque tokens have no claims; leave revocation-keys out
          --> cup.toml:19:19
           |
        19 | revocation-keys = ["sub"]
           |                   ^^^^^^^
        "##);
    insta::assert_snapshot!(with("[tokens]\nformat = \"jwt\"\nrevocation-keys = [\"sub\", \"sub\", 4]\n"), @r##"
        error: tokens.revocation-keys[1]: the claim `sub` is there twice
          --> cup.toml:19:27
           |
        19 | revocation-keys = ["sub", "sub", 4]
           |                           ^^^^^

        error: tokens.revocation-keys[2]: expected a text in quotes, found a number
          --> cup.toml:19:34
           |
        19 | revocation-keys = ["sub", "sub", 4]
           |                                  ^
        "##);
}

#[test]
fn phases_must_not_overlap() {
    insta::assert_snapshot!(with("[[phases]]\nname = \"live\"\nfrom = \"doors\"\n[[phases]]\nname = \"freeze\"\nfrom = \"ko\"\nallow = [\"ipp\"]\n[[phases]]\nname = \"live\"\nfrom = \"ko\"\n"), @r##"
        error: phases[1].from: phase live begins at 2026-06-14T18:30:00Z, not after freeze, which comes before it: they overlap
          --> cup.toml:22:8
           |
        22 | from = "ko"
           |        ^^^^

        warning: phases[1].allow[0]: `ipp` is not a command that changes things
          --> cup.toml:23:10
           |
        23 | allow = ["ipp"]
           |          ^^^^^
           = did you mean `ip`?

        error: phases[2].name: the phase `live` is there twice
          --> cup.toml:25:8
           |
        25 | name = "live"
           |        ^^^^^^
        "##);
}

#[test]
fn a_crew_on_a_local_ledger_is_warned() {
    let answer = changed("[aws]", "operators = [\"jess\", \"sam\"]\n\n[aws]");
    assert!(answer.starts_with("warning"), "{answer}");
}

#[test]
fn nothing_at_all_names_what_is_missing() {
    insta::assert_snapshot!(messages(""), @r##"
        error: missing key `format`
         --> cup.toml:1:1

        error: missing key `event`
         --> cup.toml:1:1

        error: missing key `aws`
         --> cup.toml:1:1

        error: missing key `distributions`
         --> cup.toml:1:1
        "##);
}

proptest! {
    /// Whatever an editor's slip makes of a runbook is answered, and a refusal names a place.
    #[test]
    fn every_slip_is_answered(
        line in 0usize..260,
        slip in prop::sample::select(vec!["", "[]", "7", "-7", "1e9", "nan", "true", "\"x\"", "{}", "[{}]", "[\"\"]", "1979-05-27", "07:32:00"]),
        cut in any::<bool>(),
    ) {
        let text = include_str!("../../../runbooks/cup-final.toml");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let line = line % lines.len();
        if cut {
            lines.truncate(line);
        } else if let Some((key, _)) = lines[line].clone().split_once('=') {
            lines[line] = format!("{key}= {slip}");
        }
        if let Err(error) = parse(&lines.join("\n"), Path::new("cup-final.toml")) {
            prop_assert!(error.notes().iter().all(|note| note.line > 0), "{}", error.details());
            prop_assert!(!error.details().is_empty());
        }
    }
}
