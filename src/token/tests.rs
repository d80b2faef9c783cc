//! Whole tokens: the RFCs' examples, Common Access Tokens, and what must be refused.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::mint::MAX_LIFETIME;
use super::*;

/// RFC 7515, A.1.
const HS256: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const HS256_JWK: &str = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
/// RFC 7515, A.3.
const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const ES256_JWK: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
/// RFC 7515, A.5: unsecured.
const UNSECURED: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
/// RFC 8392, A.3: `COSE_Sign1`, ES256.
const CWT_SIGNED: &str = "d28443a10126a05850a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b7158405427c1ff28d23fbad1f29c4c7c6a555e601d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee743a52b9b63632c57209120e1c9e30";
/// RFC 8392, A.4: `COSE_Mac0`, HS256/64.
const CWT_MACED: &str = "d18443a10104a05850a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b7148093101ef6d789200";
const CWT_KEY: &str = "403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388";
/// RFC 8392, A.6: encrypted.
const CWT_ENCRYPTED: &str = "d08343a1010aa1054d86bbd41cc32604396324b7f38058a372439fbff538aa7b601ebfb29454050a3c99fd13b27216d084556496c7355c4bb462510f8e0e8479dbe08722d620e96bcb7764d75140d96220f062679b46b897e7abe0c325dc2c96d8bb2c8334e3b92a42c0078983e753c054e647ad5387ed149f802f52b5a95ebf5f153c4fd64854ab7531e082b7f22721f939d257c94f8bc248e1d9cf04f9dd4e5de7ab62df37842fabec230a657d4abf7162bc786345ebb8eb3af0";

fn read(text: &str) -> Token {
    Token::read(text, None).unwrap()
}

fn refusal(text: &str) -> TokenError {
    Token::read(text, None).unwrap_err()
}

fn jwt(header: &str, payload: &str) -> String {
    let mac = encoding::to_base64url(&[7; 32]);
    let [header, payload] = [header, payload].map(|text| encoding::to_base64url(text.as_bytes()));
    format!("{header}.{payload}.{mac}")
}

fn hex_key(text: &str) -> Key {
    Key::secret(hex::decode(text).unwrap()).unwrap()
}

/// A CAT with these claims (CBOR as hex) and a MAC that is not checked.
fn cat(claims: &str) -> String {
    let payload = hex::decode(claims).unwrap();
    let mut bytes = hex::decode("d83dd18443a10105a0").unwrap();
    bytes.extend([0x58, u8::try_from(payload.len()).unwrap()]);
    bytes.extend(payload);
    bytes.extend([0x58, 32]);
    bytes.extend([7; 32]);
    encoding::to_base64url(&bytes)
}

#[test]
fn reads_and_verifies_the_jwt_of_the_rfc() {
    let token = read(HS256);
    assert_eq!(token.format(), Format::Jwt);
    assert_eq!(token.algorithm(), Some(Algorithm::Hs256));
    let names: Vec<_> = token.claims().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["iss", "exp", "http://example.com/is_root"]);
    assert_eq!(
        token.expires(),
        Some("2011-03-22T18:43:00Z".parse().unwrap())
    );
    assert_eq!(
        token.verify(&Key::from_jwk(HS256_JWK).unwrap()),
        Verdict::Verified
    );
    assert_eq!(token.verify(&hex_key(CWT_KEY)), Verdict::Wrong);
}

#[test]
fn verifies_es256_and_notices_a_change() {
    let key = Key::from_jwk(ES256_JWK).unwrap();
    assert_eq!(read(ES256).verify(&key), Verdict::Verified);
    let changed = ES256.replace(".DtEh", ".EtEh");
    assert_eq!(read(&changed).verify(&key), Verdict::Wrong);
}

/// Made for this test with openssl; the private key was not kept.
const RSA_PEM: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsNn73Zormap4trIxFeXE
JdBRTWTN3MR86pArfbOWFYNUHFryVecpFGZL3Ed8QTUQwFG9JFqcVIgxh9805h0/
XHfN6mR1k9E/xFr6ejGzAI2mutJKuN5I9T3gWmgWjP0zANCLqXY3X8bIt0QOOmCi
zB+PSO65Cs824gXKRx557pyUf5jhAMENQ8DlrQSJCv7bZ6zvoFVQf+MIY5pHeK+e
SamYeHMIdWgzWhgyRiYsonmZaprkYCY6WNhTrCJfUQ5iX2C4OxortZtVkMtw55DZ
bAiy9Yn9NZmNbN/dfP36H5+bVpzm2ThHyS4LliFxJQd0Sc/ZtGyJiXawhnCUuC7m
PQIDAQAB
-----END PUBLIC KEY-----";
const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.breNVT6BFskdAjRzHIEV7ldSpa8d3C3V-jvwbx9GO4b0W7QoFW300Pstrtj5bB6c7by2V_0rL_RLdCXC9GvnbkSyhPdnPhlGZHu63C_YsyYQstckvB6pJ6DPFldw_BqfCwm6LZ80ObxR84WQ997kj_HCjcK0o_RpPuvkqLzUL2Yqm2Tx6EJgRwhEt5IdUKte1RZz1AkS_anSf2FQ3uAEFMxU5HRYV9Qg2hWw8-8r3G4EVsx2qptvXKUyUWjwsQshheEvi_1RpW33LHX9kfQUS5Xj97NHsI0WkCLnkkfDIS7Jea17PKzXu9VSXfOWEgys6-oBrk_WkhWap9ieedXWeg";
const PS256: &str = "eyJhbGciOiJQUzI1NiJ9.eyJzdWIiOiJhIn0.IHA6CDh-jSNEVLMhbc3ymOMmwYHmNjWfrabSsiUXNmUQBxxBaLB1QuTnvdged5nvRSxaZsO5swx0rJGMxWW3-ILKj4EGWlPNWQt_Z-hNvBw6HVRvn9WF156JWPbypiRPQ6rOrXzfzklYKj9pntuc2YHT00V5i4-1CdH7JUSTyvdgDz12JX8kdOqIGFCFm1IDWxAnL3tummohqj9gL55uAzpfk8tVcT60wxUPa8VAR9PX8Q3zzKT3CJmrEK-jyuik-FQ9bHVUSmLOeaFUX54xSzHE1qWY7beSS75VNTHL387qWjOQjRxGOkW-7yZVsDuCasAo-ScxzHC5-yXNBG8pEg";

#[test]
fn verifies_rsa_with_a_pem_key() {
    let key = Key::from_text(&RSA_PEM.into()).unwrap();
    assert_eq!(read(RS256).verify(&key), Verdict::Verified);
    assert_eq!(read(PS256).verify(&key), Verdict::Verified);
    let (_, signature) = RS256.rsplit_once('.').unwrap();
    let (signed, _) = PS256.rsplit_once('.').unwrap();
    let swapped = format!("{signed}.{signature}");
    assert_eq!(read(&swapped).verify(&key), Verdict::Wrong);
    assert!(matches!(read(ES256).verify(&key), Verdict::OtherKind(_)));
}

#[test]
fn verifies_es256_with_a_pem_key() {
    let jwk: serde_json::Value = serde_json::from_str(ES256_JWK).unwrap();
    // The SubjectPublicKeyInfo of an uncompressed P-256 point.
    let mut der = hex::decode("3059301306072a8648ce3d020106082a8648ce3d03010703420004").unwrap();
    for coordinate in ["x", "y"] {
        der.extend(encoding::base64url(Part::Whole, jwk[coordinate].as_str().unwrap()).unwrap());
    }
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n",
        &body[..64],
        &body[64..]
    );
    let key = Key::from_text(&pem.as_str().into()).unwrap();
    assert_eq!(read(ES256).verify(&key), Verdict::Verified);
    assert_eq!(Key::from_pem(&pem[..60]).unwrap_err(), KeyError::NotPem);
}

#[test]
fn a_public_key_is_never_taken_for_a_secret() {
    let key = Key::from_jwk(ES256_JWK).unwrap();
    assert!(matches!(read(HS256).verify(&key), Verdict::OtherKind(_)));
    let secret = Key::from_jwk(HS256_JWK).unwrap();
    assert!(matches!(read(ES256).verify(&secret), Verdict::OtherKind(_)));
}

#[test]
fn obeys_what_a_jwk_is_for() {
    let encryption = HS256_JWK.replace("\"kty\"", "\"use\":\"enc\",\"kty\"");
    assert_eq!(
        Key::from_jwk(&encryption).unwrap_err(),
        KeyError::OtherUse { member: "use" }
    );
    let other = HS256_JWK.replace("\"kty\"", "\"alg\":\"HS512\",\"kty\"");
    let verdict = read(HS256).verify(&Key::from_jwk(&other).unwrap());
    assert!(matches!(verdict, Verdict::OtherKind(_)));
}

#[test]
fn reads_and_verifies_the_cwts_of_the_rfc() {
    let signed = read(CWT_SIGNED);
    assert_eq!(signed.algorithm(), Some(Algorithm::Es256));
    assert_eq!(
        signed.claim("cti"),
        Ok(&ClaimValue::Bytes(vec![0x0b, 0x71]))
    );
    let maced = read(CWT_MACED);
    assert_eq!(maced.algorithm(), Some(Algorithm::Hs256Of64));
    assert_eq!(maced.verify(&hex_key(CWT_KEY)), Verdict::Verified);
    assert_eq!(maced.claims(), signed.claims());
    assert_eq!(
        refusal(CWT_ENCRYPTED),
        TokenError::Encrypted {
            kind: "COSE_Encrypt"
        }
    );
}

#[test]
fn verifies_a_signed_cwt() {
    let bytes = |hex_text: &str| encoding::to_base64url(&hex::decode(hex_text).unwrap());
    let jwk = format!(
        r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#,
        bytes("143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f"),
        bytes("60f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9"),
    );
    let key = Key::from_jwk(&jwk).unwrap();
    assert_eq!(read(CWT_SIGNED).verify(&key), Verdict::Verified);
    let changed = CWT_SIGNED.replace("656572696b", "65657269aa");
    assert!(Token::read(&changed, None).is_err(), "no longer UTF-8");
    let changed = CWT_SIGNED.replace("656572696b", "656572696c");
    assert_eq!(read(&changed).verify(&key), Verdict::Wrong);
}

#[test]
fn names_what_is_inside_a_cat() {
    // {1: "cdn", 311: [52([24, h'c0a801']), 54(h'2001:db8::1'), 64512],
    //  312: 259({3: {1: "/live"}, 8: {0: ".m3u8"}}), 323: {0: 1, 1: 120}, 999: true}
    let token = read(&cat(
        "a5016363646e19013783d834821818 43c0a801d8365020010db800000000000000000000000119fc00190138d90103a203a101652f6c69766508a100652e6d337538190143a200010118781903e7f5"
            .replace(' ', "")
            .as_str(),
    ));
    let shown: Vec<_> = token
        .claims()
        .iter()
        .map(|claim| format!("{}={}", claim.name, claim.value.readable()))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    iss=cdn
    catnip=[192.168.1.0/24, 2001:db8::1, AS64512]
    catu={path: {prefix: /live}, extension: {exact: .m3u8}}
    catr={type: 1, expadd: 120}
    999=true
    ");
}

#[test]
fn a_token_in_another_base64_or_in_hex_is_the_same_token() {
    let text = cat("a1026161");
    let bytes = encoding::base64_of_either_kind(&text).unwrap();
    let hexadecimal = read(&hex::encode(&bytes));
    assert_eq!(hexadecimal.claims(), read(&text).claims());
    assert_eq!(read(&format!("{text}=")).claims(), hexadecimal.claims());
}

#[test]
fn reads_and_verifies_claims_written_as_hex_text() {
    let key = Key::secret(b"secret".to_vec()).unwrap();
    let protected = hex::decode("a10105").unwrap();
    let claims = coset::cbor::value::Value::from("d90103a1026161");
    let signed = cose::signed("MAC0", &protected, claims);
    let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(b"secret").unwrap();
    hmac::Mac::update(&mut mac, &signed);
    let mac = hex::encode(hmac::Mac::finalize(mac).into_bytes());
    let text = hex::encode("d90103a1026161");
    let token = read(&format!("d18443a10105a06e{text}5820{mac}"));
    assert!(token.claims_as_hex());
    assert_eq!(token.claim("sub"), Ok(&"a".into()));
    assert_eq!(token.verify(&key), Verdict::Verified);
}

#[test]
fn reads_the_dot_joined_kind_of_cat() {
    // {1: -4, 16: "CAT"} . {2: "a"} . MAC
    let parts = ["a201231063434154", "a1026161", &"07".repeat(32)];
    let text = parts
        .map(|part| encoding::to_base64url(&hex::decode(part).unwrap()))
        .join(".");
    let token = read(&text);
    assert_eq!(
        (token.form(), token.format()),
        (Form::DotJoinedCwt, Format::Cat)
    );
    assert_eq!(token.claim("sub"), Ok(&"a".into()));
    assert_eq!(token.verify(&hex_key(CWT_KEY)), Verdict::Wrong);
}

#[test]
fn reads_a_session_id_in_front() {
    let token = read(&format!("a9Xk2-_bQ7pL.{HS256}"));
    assert_eq!(token.session(), Some("a9Xk2-_bQ7pL"));
    assert_eq!(token.form(), Form::JwsWithSession);
    assert_eq!(
        token.verify(&Key::from_jwk(HS256_JWK).unwrap()),
        Verdict::Verified
    );
    let keys = token.revocation_keys("cup-final", &["session", "iss", "sid"]);
    assert_eq!(
        keys[0].key.as_ref().unwrap().as_str(),
        "cup-final:session:a9Xk2-_bQ7pL"
    );
    assert_eq!(keys[1].key.as_ref().unwrap().as_str(), "cup-final:iss:joe");
    assert_eq!(
        (&keys[2].key, keys[2].display.as_str()),
        (&None, "no such claim")
    );
}

#[test]
fn says_what_is_missing_of_a_token_cut_off() {
    let refused = |text: &str| refusal(text).to_string();
    assert_eq!(
        refused("eyJ0eXAiOiJKV1QiLA0KICJhbGc"),
        "the token is cut off: its payload is missing"
    );
    let dot = HS256.rfind('.').unwrap();
    assert_eq!(
        refused(&HS256[..dot]),
        "the token is cut off: its signature is missing"
    );
    assert_eq!(
        refused(&HS256[..=dot]),
        "the token is cut off: its signature is missing"
    );
    assert_eq!(
        refused(&HS256[..HS256.len() - 3]),
        "the signature has 30 bytes; HS256 makes 32"
    );
    let whole = cat("a1026161");
    assert_eq!(
        refused(&whole[..whole.len() - 4]),
        "the token's CBOR is cut off after 46 bytes"
    );
    assert!(matches!(
        refusal(&whole[..whole.len() - 1]),
        TokenError::TruncatedCbor { .. }
            | TokenError::TruncatedBase64 { .. }
            | TokenError::UncanonicalBase64 { .. }
    ));
}

#[test]
fn names_both_formats_when_they_differ() {
    let as_format = |text: &str, format| Token::read(text, Some(format)).unwrap_err().to_string();
    assert_eq!(
        as_format(HS256, Format::Cat),
        "the token is jwt, and the event's tokens are cat"
    );
    assert_eq!(
        as_format(&cat("a1026161"), Format::Jwt),
        "the token is cat, and the event's tokens are jwt"
    );
    assert_eq!(
        as_format("k3j2h4g5k3j2h4g5", Format::Jwt),
        "the token is opaque, and the event's tokens are jwt"
    );
    assert_eq!(
        as_format(HS256, Format::Opaque),
        "the token is jwt, and the event's tokens are opaque"
    );
    let claims_alone = Token::read("a1026161", Some(Format::Cat)).unwrap_err();
    assert!(matches!(claims_alone, TokenError::BadCose { .. }));
    assert!(Token::read("eyJust-looks-like-it", Some(Format::Opaque)).is_ok());
}

#[test]
fn refuses_with_the_exact_reason() {
    let table: Vec<String> = [
        String::new(),
        "short".to_owned(),
        "k3j2h4g5 k3j2h4g5".to_owned(),
        UNSECURED.to_owned(),
        jwt(r#"{"alg":"NoNe"}"#, "{}"),
        jwt(r#"{"alg":"HS257"}"#, "{}"),
        jwt(r#"{"alg":"HS257\u001b[31m"}"#, "{}"),
        jwt(r#"{"typ":"JWT"}"#, "{}"),
        jwt(r#"{"alg":"HS256"}"#, "[1]"),
        jwt(r#"{"alg":"HS256"}"#, "It is a letter."),
        jwt(r#"{"alg":"HS256"}"#, "{\"sub\":1,\n\"a\":x}"),
        jwt(r#"{"alg":"HS256"}"#, r#"{"sub":"#),
        jwt(r#"{"alg":"HS256"}"#, r#"{"sub":1,"sub":2}"#),
        jwt(r#"{"alg":"HS256"}"#, r#"{"exp":"soon"}"#),
        jwt(r#"{"alg":"HS256"}"#, r#"{"exp":1e17}"#),
        jwt(r#"{"alg":"HS256"}"#, &"[".repeat(9000)),
        format!("{HS256}.a.b"),
        format!("{HS256}.more"),
        HS256.replace(".eyJpc3", ".ey?pc3"),
        r#"{"payload":"Zm9v","signatures":[]}"#.to_owned(),
        cat("83010203"),
        cat("a20201026161"),
        cat("a104f5"),
        cat(&"81".repeat(200)),
        cat("a10261ff"),
    ]
    .iter()
    .map(|text| refusal(text).to_string())
    .collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    the token is empty
    the text is too short for a token (5 bytes)
    a character that no token has is at byte 8
    the token is unsecured (`alg` is none)
    the token is unsecured (`alg` is none)
    the algorithm `HS257` is not known
    the algorithm `HS257\u{1b}[31m` is not known
    the token names no algorithm
    the payload is not a map
    the payload is not JSON: unexpected text at byte 0
    the payload is not JSON: unexpected text at byte 14
    the payload's JSON is cut off after 7 bytes
    the payload has `sub` twice
    the claim `exp` is not a number
    the claim `exp` is not a time that can be
    the payload is nested too deeply (the limit is 128)
    the token is encrypted (JWE); what it says cannot be read without its key
    the token has 4 dot-separated parts; a JWT has 3
    the payload is not base64url: bad character at byte 2
    the token is in the JSON serialization; players carry the compact one
    the payload is not a map
    the payload has `sub` twice
    the claim `exp` is not a number
    the payload is nested too deeply (the limit is 32)
    the payload is not CBOR: unexpected byte at 2
    ");
}

#[test]
fn refuses_three_megabytes_by_their_size() {
    assert_eq!(
        refusal(&"a".repeat(3 << 20)).to_string(),
        "3145728 bytes are too many for a token (the limit is 16384)"
    );
}

#[test]
fn tells_the_time_of_a_token() {
    let token = read(&jwt(r#"{"alg":"HS256"}"#, r#"{"nbf":1000,"exp":2000.5}"#));
    let at = |second| token.state(Timestamp::from_second(second).unwrap());
    let time = |second| Timestamp::from_second(second).unwrap();
    assert_eq!(at(999), State::NotYetValid { from: time(1000) });
    assert_eq!(
        at(1000),
        State::Valid {
            until: Some(time(2001))
        }
    );
    assert_eq!(
        at(2000),
        State::Valid {
            until: Some(time(2001))
        }
    );
    assert_eq!(at(2001), State::Expired { at: time(2001) });
    assert_eq!(read("k3j2h4g5k3j2").state(time(0)), State::Unknown);
}

#[test]
fn never_shows_itself() {
    let token = read(HS256);
    let key = Key::from_jwk(HS256_JWK).unwrap();
    let shown = format!("{token} {token:?} {key:?}");
    for part in HS256.split('.').chain(["AyM1SysP"]) {
        assert!(!shown.contains(part), "{shown}");
    }
    assert!(shown.contains(token.digest()));
}

#[test]
fn mints_what_it_reads_and_verifies() {
    let key = Key::secret(b"rehearsal-secret-of-32-bytes-len".to_vec()).unwrap();
    let now: Timestamp = "2026-07-19T18:42:07Z".parse().unwrap();
    for format in [Format::Jwt, Format::Cat] {
        let path = vec![("prefix".to_owned(), "/live/".into())];
        let request = MintRequest {
            format,
            claims: vec![
                ("sub".to_owned(), "canary".into()),
                (
                    "catu".to_owned(),
                    ClaimValue::Map(vec![("path".to_owned(), ClaimValue::Map(path))]),
                ),
            ],
            lifetime: DEFAULT_LIFETIME,
            key_id: Some("k1".to_owned()),
        };
        let minted = mint(&request, &key, now).unwrap();
        let token = Token::parse_as(&minted, format).unwrap();
        assert_eq!(token.verify(&key), Verdict::Verified);
        assert_eq!(token.key_id(), Some("k1"));
        assert_eq!(
            token.claim("catu").unwrap().readable(),
            "{path: {prefix: /live/}}"
        );
        assert_eq!(token.expires(), Some(now + SignedDuration::from_mins(5)));
        let again = mint(&request, &key, now).unwrap();
        assert_eq!(Token::parse(&again).unwrap().digest(), token.digest());
    }
}

#[test]
fn refuses_to_mint_what_lives_long_or_sets_its_own_end() {
    let key = Key::secret(b"secret".to_vec()).unwrap();
    let now = Timestamp::from_second(1000).unwrap();
    let request = MintRequest {
        format: Format::Cat,
        claims: Vec::new(),
        lifetime: MAX_LIFETIME,
        key_id: None,
    };
    assert!(mint(&request, &key, now).is_ok());
    let refused = |request: MintRequest| mint(&request, &key, now).unwrap_err();
    let longer = MAX_LIFETIME + SignedDuration::from_secs(1);
    assert_eq!(
        refused(MintRequest {
            lifetime: longer,
            ..request.clone()
        }),
        MintError::Lifetime
    );
    let with = |name: &str| MintRequest {
        claims: vec![(name.to_owned(), "x".into())],
        ..request.clone()
    };
    assert_eq!(refused(with("exp")), MintError::Reserved { name: "exp" });
    assert_eq!(refused(with("cti")), MintError::TokenId);
    assert!(matches!(
        refused(with("plan")),
        MintError::UnknownClaim { .. }
    ));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let coded = encoding::to_base64url(&bytes);
        for input in [text.clone(), coded.clone(), format!("2D3RhEOhAQWg{coded}"), format!("eyJhbGciOiJIUzI1NiJ9.{coded}.{text}")] {
            for expected in [None, Some(Format::Jwt), Some(Format::Cat), Some(Format::Opaque)] {
                if let Err(error) = Token::read(&input, expected) {
                    prop_assert!(!error.to_string().contains(char::is_control));
                }
            }
        }
    }

    #[test]
    fn no_cut_of_a_token_is_read_as_whole(at in 1..HS256.len()) {
        prop_assert!(Token::read(&HS256[..at], Some(Format::Jwt)).is_err());
    }
}

/// Over Wycheproof's vectors: what is valid verifies, and nothing else does.
#[cfg(feature = "shared-data")]
#[test]
fn wycheproofs_signatures_are_told_apart() {
    let folder = std::env::var_os("ONAIR_SHARED_DATA").expect("ONAIR_SHARED_DATA names a folder");
    let path = std::path::Path::new(&folder).join("tokens/wycheproof-json-web-signature.json");
    let text = std::fs::read_to_string(&path).expect("the vectors can be read");
    let file: serde_json::Value = serde_json::from_str(&text).expect("the vectors are JSON");
    let mut verified = 0;
    for group in file["testGroups"].as_array().expect("a list") {
        let jwk = group.get("public").unwrap_or(&group["private"]);
        let key = Key::from_jwk(&jwk.to_string());
        for vector in group["tests"].as_array().expect("a list") {
            let jws = vector["jws"].as_str().unwrap_or_default();
            let verdict = super::jws::Jws::read(jws)
                .ok()
                .zip(key.as_ref().ok())
                .map(|(jws, key)| key.check(jws.algorithm, jws.signed.as_bytes(), &jws.signature));
            // 367 and 370 lost the padding that made them invalid: they are the valid 357.
            let valid =
                vector["result"] == "valid" || [367, 370].iter().any(|one| vector["tcId"] == *one);
            match verdict {
                Some(Verdict::Verified) => {
                    assert!(valid, "{vector}");
                    verified += 1;
                }
                // A signature that is called wrong must be wrong. What is not even looked at, such as
                // a token of another algorithm than its key names, is refused more strictly than
                // Wycheproof asks.
                Some(Verdict::Wrong) => assert!(!valid, "{vector}"),
                Some(Verdict::Unsupported(_) | Verdict::OtherKind(_)) | None => {}
            }
        }
    }
    assert!(verified > 30, "{verified}");
}
