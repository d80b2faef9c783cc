//! Viewer tokens: inspected, made for tests, revoked, let in again, and never shown whole.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{Desk, Run};

const SECRET: &str = "a-shared-secret-of-the-rehearsal";
const STORE: &str = "key-value-store onair-cup-final-revocations";

fn desk() -> Desk {
    Desk::new().rehearsing().fake_env("SIGNING_KEY", SECRET)
}

/// A JWT whose signature nobody made: revoking needs none.
fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({ "alg": "HS256", "typ": "JWT" }));
    let signature = URL_SAFE_NO_PAD.encode([7; 32]);
    format!("{header}.{}.{signature}", part(claims))
}

fn mint(desk: &Desk, arguments: &[&str]) -> String {
    let mut all = vec!["token", "mint", "--key-env", "SIGNING_KEY"];
    all.extend(arguments);
    desk.onair(&all).expect_success().stdout.trim().to_owned()
}

/// What the embedded cloud counted of one operation.
fn calls(desk: &Desk, operation: &str) -> u64 {
    let shown = desk
        .onair(&["-o", "json", "sandbox", "show"])
        .expect_success()
        .json();
    let calls = shown["data"]["calls"]
        .as_object()
        .expect("calls are an object")
        .clone();
    calls
        .iter()
        .filter(|(name, _)| name.ends_with(&format!(".{operation}")))
        .filter_map(|(_, count)| count.as_u64())
        .sum()
}

/// A rehearsal's store holds the signing keys and the key of the log digests from the start.
const SETTINGS: u64 = 2;

fn keys_in_store(desk: &Desk) -> u64 {
    let shown = desk
        .onair(&["-o", "json", "sandbox", "show"])
        .expect_success()
        .json();
    let stores = shown["data"]["stores"]
        .as_object()
        .expect("stores are an object")
        .clone();
    let all: u64 = stores.values().filter_map(Value::as_u64).sum();
    all - SETTINGS
}

fn listed(desk: &Desk) -> Vec<Value> {
    let answer = desk
        .onair(&["-o", "json", "token", "list"])
        .expect_success()
        .json();
    answer["data"]["entries"]
        .as_array()
        .expect("entries are a list")
        .clone()
}

#[track_caller]
fn assert_hides(run: &Run, secret: &str) {
    assert!(
        !run.stdout.contains(secret) && !run.stderr.contains(secret),
        "it shows {secret}:\n{run}"
    );
}

#[test]
fn bad_tokens_are_refused_with_the_exact_reason() {
    let desk = desk();
    let whole = jwt(&json!({ "sub": "8841" }));
    let cat = mint(&desk, &["--format", "cat", "--claim", "sub=8841"]);
    let half = whole[..whole.len() / 2].to_owned();
    let cases = [
        (half, "token.malformed", "cut off"),
        (
            cat,
            "token.malformed",
            "the token is cat, and the event's tokens are jwt",
        ),
        (
            jwt(&json!({ "plan": "gold" })),
            "token.no-claim",
            "its claims: plan",
        ),
        (
            "a".repeat(3 << 20),
            "token.malformed",
            "3145728 bytes are too many for a token",
        ),
        (
            "8841".to_owned(),
            "token.malformed",
            "neither a jwt token nor CLAIM:VALUE",
        ),
        (whole.replace('.', "!"), "token.malformed", ""),
    ];
    for (token, code, reason) in cases {
        let run = desk
            .onair_with_input(&["-o", "json", "revoke", "-", "--yes"], &token)
            .expect_code(2);
        let error = &run.json()["error"];
        assert_eq!(error["code"], code, "{error}");
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|message| message.contains(reason)),
            "{error}"
        );
        if token.len() > 8 {
            assert_hides(&run, &token);
        }
    }
    assert_eq!(calls(&desk, "UpdateKeys"), 0);
    assert_eq!(listed(&desk).len(), 0);
}

#[test]
fn one_bad_value_refuses_them_all_and_is_named_by_its_line() {
    let desk = desk();
    let good = jwt(&json!({ "sub": "8841" }));
    let cut = &good[..good.len() - 50];
    desk.write(
        "tokens.txt",
        format!("# from the player team\n{good}\n{cut}\nsub:9012\nnonsense\n"),
    );
    let run = desk
        .onair(&["revoke", "@tokens.txt", "--yes"])
        .expect_code(2);
    assert!(run.stderr.contains("line 3 of tokens.txt"), "{run}");
    assert!(run.stderr.contains("line 5 of tokens.txt"), "{run}");
    assert!(run.stderr.contains("2 of 4 values are good"), "{run}");
    assert_hides(&run, cut);
    assert_eq!(keys_in_store(&desk), 0);
}

#[test]
fn a_token_as_an_argument_works_and_is_answered_with_the_advice() {
    let desk = desk();
    let token = jwt(&json!({ "sub": "8841", "sid": "s-1" }));
    for command in [&["token", "inspect"][..], &["revoke", "--yes"]] {
        let mut arguments = vec!["-o", "json"];
        arguments.extend(command);
        arguments.push(&token);
        let run = desk.onair(&arguments).expect_success();
        let warnings = run.json()["warnings"].to_string();
        assert!(warnings.contains("shell's history"), "{run}");
        assert!(run.stderr.contains("shell's history"), "{run}");
        assert_hides(&run, &token);
        arguments.pop();
        arguments.push("-");
        let run = desk.onair_with_input(&arguments, &token).expect_success();
        assert!(!run.to_string().contains("shell's history"), "{run}");
    }
    let value = desk
        .onair(&["revoke", "sub:9012", "--yes"])
        .expect_success();
    assert!(!value.stderr.contains("shell's history"), "{value}");
}

#[test]
fn a_token_is_found_in_what_people_paste() {
    let desk = desk();
    let token = jwt(&json!({ "sub": "8841" }));
    let pastes = [
        format!("Authorization: Bearer {token}"),
        format!("https://live.example.com/cup-final/master.m3u8?token={token}&x=1"),
        format!("Cookie: theme=dark; CTA-Common-Access-Token={token}"),
        format!("  \"{token}\"  "),
    ];
    for paste in pastes {
        let run = desk
            .onair_with_input(&["-o", "json", "revoke", "-", "--dry-run"], &paste)
            .expect_code(3);
        assert_eq!(
            run.json()["data"]["values"][0]["key"],
            "cup-final:sub:8841",
            "{run}"
        );
    }
}

#[test]
fn a_token_is_revoked_by_its_first_configured_claim_or_by_the_one_named() {
    let desk = desk();
    let token = jwt(&json!({ "jti": "t-1", "sid": "s-1", "plan": "gold" }));
    let key = |arguments: &[&str], input: &str| {
        let mut all = vec!["-o", "json", "revoke", "--dry-run"];
        all.extend(arguments);
        desk.onair_with_input(&all, input).expect_code(3).json()
    };
    assert_eq!(
        key(&["-"], &token)["data"]["values"][0]["key"],
        "cup-final:sid:s-1"
    );
    assert_eq!(
        key(&["-", "--by", "jti"], &token)["data"]["values"][0]["key"],
        "cup-final:jti:t-1"
    );
    let unchecked = key(&["-", "--by", "plan"], &token);
    assert_eq!(unchecked["data"]["values"][0]["key"], "cup-final:plan:gold");
    assert!(
        unchecked["warnings"]
            .to_string()
            .contains("the edge does NOT look up `plan`"),
        "{unchecked}"
    );
    let values = key(&["--by", "sub", "8841", "user 9"], "");
    assert_eq!(values["data"]["values"][0]["key"], "cup-final:sub:8841");
    let digest = values["data"]["values"][1]["key"]
        .as_str()
        .expect("a key")
        .to_owned();
    assert!(digest.starts_with("cup-final:sub:sha256="), "{digest}");
}

#[test]
fn a_whole_token_is_never_taken_for_a_claims_value() {
    let desk = desk();
    let token = jwt(&json!({ "sub": "8841" }));
    let run = desk
        .onair(&["-o", "json", "revoke", "--by", "sub", &token, "--dry-run"])
        .expect_code(3);
    assert_eq!(run.json()["data"]["values"][0]["key"], "cup-final:sub:8841");
    assert_hides(&run, &token);
    let run = desk
        .onair(&["revoke", &format!("sub:{token}"), "--yes"])
        .expect_code(2);
    assert!(
        run.stderr
            .contains("a whole token stands where the value of `sub` should"),
        "{run}"
    );
    assert_hides(&run, &token);
    let cut = &token[..30];
    let run = desk
        .onair(&["revoke", "--by", "sub", cut, "--yes"])
        .expect_code(2);
    assert_hides(&run, cut);
}

#[test]
fn revoke_extend_restore_and_undo_go_round() {
    let desk = desk();
    let revoked = desk
        .onair(&[
            "-o", "json", "revoke", "sub:8841", "--for", "1h", "-m", "shared", "--yes",
        ])
        .expect_success()
        .json();
    assert_eq!(revoked["command"], "token revoke");
    assert_eq!(revoked["changed"], true);
    assert_eq!(keys_in_store(&desk), 1);
    let before = listed(&desk)[0]["store-until"].clone();

    let again = desk
        .onair(&["-o", "json", "revoke", "sub:8841", "--for", "30m", "--yes"])
        .expect_success()
        .json();
    assert_eq!(again["changed"], false, "it was revoked for longer already");
    desk.onair(&["revoke", "sub:8841", "--for", "2h", "--yes"])
        .expect_success();
    assert_ne!(listed(&desk)[0]["store-until"], before);
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(
        listed(&desk)[0]["store-until"],
        before,
        "the undo brings the earlier end back"
    );

    let restored = desk
        .onair(&["-o", "json", "token", "restore", "sub:8841", "--yes"])
        .expect_success()
        .json();
    assert_eq!(restored["changed"], true);
    assert_eq!(keys_in_store(&desk), 0);
    assert_eq!(listed(&desk).len(), 0);
    let nothing = desk
        .onair(&["-o", "json", "token", "restore", "sub:8841", "--yes"])
        .expect_success()
        .json();
    assert_eq!(nothing["changed"], false);
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(
        keys_in_store(&desk),
        1,
        "the undo of a restore revokes again"
    );
}

#[test]
fn a_colleagues_revocation_is_named_and_lifted_by_its_entry_or_by_a_token() {
    let jess = desk();
    let tom = jess.as_operator("tom");
    tom.onair(&["revoke", "--by", "sid", "s-1", "s-2", "-m", "leak", "--yes"])
        .expect_success();
    let token = jwt(&json!({ "sub": "8841", "sid": "s-1" }));
    let run = jess
        .onair_with_input(&["token", "restore", "-", "--yes"], &token)
        .expect_success();
    assert!(
        run.stdout.contains("RESTORE sid s-1 · lifts tom-1"),
        "{run}"
    );
    assert!(run.stdout.contains("tom-1 is tom's: leak"), "{run}");
    assert_eq!(keys_in_store(&jess), 1);
    jess.onair(&["token", "restore", "tom-1", "--yes"])
        .expect_success();
    assert_eq!(keys_in_store(&jess), 0);
    jess.onair(&["token", "restore", "tom-77", "--yes"])
        .expect_code(2);
}

#[test]
fn what_no_entry_explains_is_shown_kept_and_removed_only_by_name() {
    let desk = desk();
    desk.onair(&["revoke", "sub:8841", "--for", "forever", "--yes"])
        .expect_success();
    // Without its ledger the key is like one that another tool wrote.
    std::fs::remove_dir_all(desk.path("runbooks/../.onair/rehearsal/cup-final/ledger"))
        .or_else(|_| {
            std::fs::remove_dir_all(desk.path("runbooks/.onair/rehearsal/cup-final/ledger"))
        })
        .expect("the rehearsal's ledger is there");
    let drift = listed(&desk);
    assert_eq!(drift[0]["drift"], true, "{drift:?}");
    let theirs = drift[0]["store-until"].clone();

    desk.onair(&["revoke", "sub:8841", "--for", "1h", "--yes"])
        .expect_success();
    assert_eq!(
        listed(&desk)[0]["store-until"],
        theirs,
        "someone else's longer end is not shortened"
    );
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(
        keys_in_store(&desk),
        1,
        "an undo leaves what was someone else's"
    );

    // An entry of ours over theirs does not hide that it stays theirs.
    desk.onair(&["revoke", "sub:8841", "--for", "1h", "--yes"])
        .expect_success();
    desk.onair(&["revoke", "sub:8841", "--for", "2h", "--yes"])
        .expect_success();
    let run = desk
        .onair(&["token", "restore", "sub:8841", "--yes"])
        .expect_success();
    assert!(
        run.stdout
            .contains("someone else put it in onair-cup-final-revocations"),
        "{run}"
    );
    assert_eq!(keys_in_store(&desk), 0);
}

#[test]
fn five_thousand_tokens_are_a_hundred_calls() {
    let desk = desk();
    let tokens: Vec<String> = (0..5_000)
        .map(|number| jwt(&json!({ "sub": format!("viewer-{number}") })))
        .collect();
    desk.write(
        "leaked.csv",
        format!(
            "when,token\n{}\n",
            tokens
                .iter()
                .map(|token| format!("now,{token}"))
                .collect::<Vec<_>>()
                .join("\n")
        ),
    );
    desk.onair(&["revoke", "@leaked.csv", "--column", "token"])
        .expect_code(4);
    let answer = desk
        .onair(&[
            "-o",
            "json",
            "revoke",
            "@leaked.csv",
            "--column",
            "token",
            "--yes",
        ])
        .expect_success()
        .json();
    assert_eq!(answer["data"]["level"], 1);
    assert_eq!(answer["data"]["outcomes"][0]["resource"], STORE);
    assert_eq!(answer["data"]["outcomes"][0]["writes"], 100);
    assert_eq!(calls(&desk, "UpdateKeys"), 100);
    assert_eq!(keys_in_store(&desk), 5_000);
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(calls(&desk, "UpdateKeys"), 200);
    assert_eq!(keys_in_store(&desk), 0);
}

#[test]
fn inspect_needs_no_runbook_and_no_cloud() {
    let desk = desk();
    let token = mint(
        &desk,
        &["--claim", "sub=8841", "--claim", "level:=3", "--kid", "k1"],
    );
    let bare = Desk::new()
        .fake_env("SIGNING_KEY", SECRET)
        .fake_env("WRONG_KEY", "another");
    std::fs::remove_file(bare.path("runbooks/cup-final.toml")).expect("the runbook can be removed");
    let inspect = |arguments: &[&str], code: i32| {
        let mut all = vec!["-o", "json", "token", "inspect"];
        all.extend(arguments);
        bare.onair_with_input(&all, &token).expect_code(code).json()
    };
    let plain = inspect(&[], 0);
    assert_eq!(plain["data"]["format"], "jwt");
    assert_eq!(plain["data"]["key-id"], "k1");
    assert_eq!(
        plain["data"]["claims"][1],
        json!({ "name": "level", "label": null, "value": 3 })
    );
    assert_eq!(plain["data"]["verification"]["state"], "not-checked");
    assert_eq!(plain["event"], Value::Null);
    assert_eq!(
        inspect(&["--key-env", "SIGNING_KEY"], 0)["data"]["verification"]["state"],
        "verified"
    );
    let wrong = inspect(&["--key-env", "WRONG_KEY"], 3);
    assert_eq!(wrong["data"]["verification"]["state"], "wrong");
    assert_eq!(wrong["error"]["code"], "check.failed");
    assert_eq!(
        inspect(&["--key-env", "NO_SUCH_KEY"], 2)["error"]["code"],
        "key.missing"
    );
    assert_eq!(bare.files().len(), 0, "it leaves nothing behind");
}

#[test]
fn minted_tokens_are_short_lived_and_on_the_record() {
    let desk = desk();
    let token = mint(&desk, &["--claim", "sub=canary", "--for", "10m"]);
    let inspected = desk
        .onair_with_input(
            &[
                "-o",
                "json",
                "token",
                "inspect",
                "-",
                "--key-env",
                "SIGNING_KEY",
            ],
            &token,
        )
        .expect_success()
        .json();
    assert_eq!(inspected["data"]["state"], "valid");
    let digest = inspected["data"]["digest"].as_str().expect("a digest");
    let recorded = desk.files().iter().any(|file| {
        std::fs::read(file).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(digest))
    });
    assert!(recorded, "the ledger has the digest");
    for (arguments, reason) in [
        (&["--for", "2h"][..], "one second to one hour"),
        (&["--for", "event"], "one second to one hour"),
        (&["--claim", "exp:=12"], "`exp` is set by the lifetime"),
        (
            &["--format", "cat", "--claim", "plan=x"],
            "not the name or the number",
        ),
        (
            &["--format", "opaque"],
            "opaque tokens are made by their issuer",
        ),
    ] {
        let mut all = vec!["token", "mint", "--key-env", "SIGNING_KEY"];
        all.extend(arguments);
        let run = desk.onair(&all).expect_code(2);
        assert!(run.stderr.contains(reason), "{run}");
        assert_eq!(run.stdout, "");
    }
    let run = desk
        .onair(&["token", "mint", "--claim", "sub=x"])
        .expect_code(2);
    assert!(
        run.stderr.contains("$CUP_FINAL_SIGNING_KEY is not set"),
        "{run}"
    );
}

#[test]
fn no_output_log_ledger_or_state_holds_a_token_or_a_key() {
    let desk = desk();
    let minted = mint(&desk, &["--claim", "sub=8841", "--claim", "jti=t-1"]);
    let other = jwt(&json!({ "sub": "9012", "note": jwt(&json!({ "sub": "inner" })) }));
    let aside = tempfile::tempdir().expect("a temporary folder can be made");
    let key_file = aside.path().join("signing.key").display().to_string();
    std::fs::write(&key_file, SECRET).expect("the key can be written");
    let both = format!("@{}", aside.path().join("both.txt").display());
    std::fs::write(&both[1..], format!("{minted}\n{other}\n")).expect("the tokens can be written");
    let runs = [
        desk.onair(&[
            "-vvv",
            "token",
            "inspect",
            &minted,
            "--key-env",
            "SIGNING_KEY",
        ]),
        desk.onair(&[
            "-vvv",
            "-o",
            "json",
            "token",
            "inspect",
            &other,
            "--key-file",
            &key_file,
        ]),
        desk.onair(&["-vvv", "revoke", &both, "--dry-run"]),
        desk.onair(&["-vvv", "revoke", &both, "--yes"]),
        desk.onair(&["-vvv", "revoke", "--by", "token", &minted, "--yes"]),
        desk.onair(&["-vvv", "token", "list"]),
        desk.onair(&["-vvv", "-o", "csv", "token", "list"]),
        desk.onair(&["-vvv", "token", "restore", &other, "--yes"]),
        desk.onair(&["-vvv", "ledger", "list"]),
        desk.onair(&["-vvv", "undo", "--yes"]),
        desk.onair(&["-vvv", "token", "inspect", &minted, &other]),
        desk.onair(&[
            "-vvv",
            "token",
            "inspect",
            &minted,
            "--key-env",
            &format!("{SECRET}="),
        ]),
    ];
    // A run that fails early would hide by saying nothing. The second token is signed with no key of ours.
    let codes: Vec<i32> = runs.iter().map(|run| run.code).collect();
    assert_eq!(codes, [0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 2, 2]);
    let signature = |token: &str| token.rsplit('.').next().unwrap_or_default().to_owned();
    let secrets = [
        minted.clone(),
        other.clone(),
        signature(&minted),
        signature(&other),
        SECRET.to_owned(),
    ];
    for secret in &secrets {
        for run in &runs {
            assert_hides(run, secret);
        }
        for file in desk.files() {
            let bytes = std::fs::read(&file).expect("the file can be read");
            assert!(
                !String::from_utf8_lossy(&bytes).contains(secret),
                "{} holds {secret}",
                file.display()
            );
        }
    }
}
