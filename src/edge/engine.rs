//! Runs a CloudFront function (runtime cloudfront-js-2.0) in an embedded engine: the code that is, or
//! would be, live, on an event object, with the items of a key value store. The runtime's modules and
//! globals are in `runtime.js`.
//!
//! The code comes from an account, so it is not trusted: it has the limits that CloudFront's own has
//! (memory, time), no network, no files, no clock but the one it is given, and what it does wrong
//! is a value.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use rquickjs::prelude::Func;
use rquickjs::{Array, Promise, Value as Js};
use rquickjs::{CatchResultExt as _, CaughtError, Context, Ctx, Function, Module, Object, Runtime};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Memory of a function (CloudFront Developer Guide, "Quotas"), beside what the engine itself needs.
const MEMORY: usize = 2 * 1024 * 1024;
/// The engine's own memory: its built-in objects and `runtime.js`.
const ENGINE_MEMORY: usize = 2 * 1024 * 1024;
/// Interrupts (each some 10,000 steps) after which a function is stopped. CloudFront's own limit is not
/// published; a function that comes near this one is far beyond it.
const MOST_INTERRUPTS: u32 = 50;
/// Custom log data is cut here, after URL encoding (CloudFront Developer Guide, `cf.logCustomData`).
pub(crate) const MOST_CUSTOM_DATA: usize = 800;
/// Log output of one invocation is cut here (CloudFront Developer Guide, "Quotas").
const MOST_LOG: usize = 10 * 1024;
const PRELUDE: &str = include_str!("runtime.js");
const MODULES: [(&str, &str); 3] = [
    (
        "cloudfront",
        "const m = globalThis.onairModules.cloudfront; export default m;",
    ),
    (
        "crypto",
        "const m = globalThis.onairModules.crypto; export default m; export const createHash = m.createHash; export const createHmac = m.createHmac;",
    ),
    (
        "querystring",
        "const m = globalThis.onairModules.querystring; export default m; export const parse = m.parse; export const stringify = m.stringify; export const escape = m.escape; export const unescape = m.unescape;",
    ),
];

/// Where a function's reads of its key value store go.
pub(crate) trait Items {
    /// The value under `key`, or none; `Err` says why the store could not be read.
    fn get(&self, key: &str) -> Result<Option<String>, String>;
}

impl Items for std::collections::BTreeMap<String, String> {
    fn get(&self, key: &str) -> Result<Option<String>, String> {
        Ok(self.get(key).cloned())
    }
}

impl<F: Fn(&str) -> Result<Option<String>, String>> Items for F {
    fn get(&self, key: &str) -> Result<Option<String>, String> {
        self(key)
    }
}

/// What a function did with an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ran {
    pub(crate) output: Output,
    /// Lines that it logged.
    pub(crate) logs: Vec<String>,
    /// What it gave to `cf.logCustomData`, the last call's.
    pub(crate) custom: Option<String>,
    /// Percent of the allowed compute time. An estimate from what was called and how many steps it
    /// took: equal for equal runs, and only roughly what CloudFront would say.
    pub(crate) utilization: u8,
    /// Reads of the key value store.
    pub(crate) reads: u32,
}

/// What a function returned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    /// The request goes on, as it is here.
    Request(Value),
    /// The viewer gets this.
    Response(Value),
}

impl Output {
    /// The status of a response.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Request(_) => None,
            Self::Response(response) => response["statusCode"]
                .as_u64()
                .and_then(|status| status.try_into().ok()),
        }
    }

    /// The value of a response's header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        match self {
            Self::Request(_) => None,
            Self::Response(response) => response["headers"][name]["value"].as_str(),
        }
    }
}

/// Why a function did not end as one should. CloudFront answers such a request with an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RunError {
    #[error("the function cannot be read: {0}")]
    Unreadable(String),
    #[error("the function threw: {0}")]
    Threw(String),
    #[error("the function ran too long")]
    TooLong,
    #[error("the function waits for what never comes")]
    Stuck,
    #[error("the function returned neither a request nor a response")]
    NoAnswer,
    #[error("the engine failed: {0}")]
    Engine(String),
}

/// What is counted and kept in a run.
#[derive(Debug, Default)]
struct Notes {
    logs: Vec<String>,
    log_bytes: usize,
    custom: Option<String>,
    hashes: u32,
    hashed_bytes: usize,
}

/// Runs the function `code` on `event` (version 1.0 of the event structure) at `now`.
pub(crate) fn run(
    code: &str,
    event: &Value,
    items: &dyn Items,
    now: Timestamp,
) -> Result<Ran, RunError> {
    let interrupts = Arc::new(AtomicU32::new(0));
    let runtime = Runtime::new().map_err(engine)?;
    let counted = Arc::clone(&interrupts);
    runtime.set_interrupt_handler(Some(Box::new(move || {
        counted.fetch_add(1, Ordering::Relaxed) >= MOST_INTERRUPTS
    })));
    runtime.set_memory_limit(MEMORY + ENGINE_MEMORY);
    let context = Context::full(&runtime).map_err(engine)?;
    let notes = Rc::new(RefCell::new(Notes::default()));
    let mut reads = 0;
    let result = context.with(|ctx| {
        let native = prepare(&ctx, &notes, now).map_err(engine)?;
        drive(&ctx, &native, code, event, items, &mut reads)
    });
    let steps = interrupts.load(Ordering::Relaxed);
    let output = match result {
        Err(_) if steps > MOST_INTERRUPTS => return Err(RunError::TooLong),
        result => result?,
    };
    let notes = notes.take();
    let kilobytes = u32::try_from(notes.hashed_bytes / 1024).unwrap_or(u32::MAX);
    let percent = 4 + 3 * reads + 2 * notes.hashes + kilobytes + 10 * steps;
    Ok(Ran {
        output,
        logs: notes.logs,
        custom: notes.custom,
        utilization: u8::try_from(percent.min(100)).unwrap_or(100),
        reads,
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn engine(error: rquickjs::Error) -> RunError {
    RunError::Engine(error.to_string())
}

/// Puts the runtime's globals and modules in place.
fn prepare<'js>(
    ctx: &Ctx<'js>,
    notes: &Rc<RefCell<Notes>>,
    now: Timestamp,
) -> rquickjs::Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 are exact in a double for 285,000 years"
    )]
    native.set("now", now.as_millisecond() as f64)?;
    let edge = Object::new(ctx.clone())?;
    edge.set("name", "FRA56")?;
    edge.set("serverIp", "203.0.113.1")?;
    edge.set("region", "eu-central-1")?;
    native.set("edge", edge)?;
    native.set("decode", Func::from(decode))?;
    native.set("encode", Func::from(encode))?;
    let counted = Rc::clone(notes);
    native.set(
        "sha256",
        Func::from(move |keyed: u8, key: String, message: String| {
            let message = bytes(&message);
            let mut notes = counted.borrow_mut();
            notes.hashes += 1 + u32::from(keyed);
            notes.hashed_bytes += message.len();
            let digest = if keyed == 1 {
                hs256(&bytes(&key), &message)
            } else {
                Sha256::digest(&message).to_vec()
            };
            binary(&digest)
        }),
    )?;
    let counted = Rc::clone(notes);
    native.set(
        "cwt",
        Func::from(
            move |ctx: Ctx<'js>, token: String, key: String| -> rquickjs::Result<String> {
                counted.borrow_mut().hashes += 2;
                crate::token::validate_cwt(&bytes(&token), &bytes(&key))
                    .map(|read| read.to_string())
                    .map_err(|error| rquickjs::Exception::throw_message(&ctx, &error.to_string()))
            },
        ),
    )?;
    let kept = Rc::clone(notes);
    native.set(
        "log",
        Func::from(move |line: String| {
            let mut notes = kept.borrow_mut();
            notes.log_bytes += line.len();
            if notes.log_bytes <= MOST_LOG {
                notes.logs.push(line);
            }
        }),
    )?;
    let kept = Rc::clone(notes);
    native.set(
        "custom",
        Func::from(move |text: String| {
            let mut text = text;
            while encoded_length(&text) > MOST_CUSTOM_DATA {
                text.pop();
            }
            kept.borrow_mut().custom = Some(text);
        }),
    )?;
    let install: Function<'js> = ctx.eval(PRELUDE)?;
    install.call::<_, ()>((native.clone(),))?;
    ctx.globals()
        .set("onairModules", native.get::<_, Object<'js>>("modules")?)?;
    for (name, source) in MODULES {
        let (_, loaded) = Module::declare(ctx.clone(), name, source)?.eval()?;
        loaded.finish::<()>()?;
    }
    ctx.globals().remove("onairModules")?;
    Ok(native)
}

/// Evaluates the function, calls its handler, and answers what it asks of the store until it is done.
fn drive<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    code: &str,
    event: &Value,
    items: &dyn Items,
    reads: &mut u32,
) -> Result<Output, RunError> {
    // A function's handler is not exported; a module shows nothing else.
    let source = format!("{code}\nexport {{ handler as onairHandler }};\n");
    let module = Module::declare(ctx.clone(), "function", source)
        .catch(ctx)
        .map_err(|error| RunError::Unreadable(words(&error)))?;
    let (module, loaded) = module
        .eval()
        .catch(ctx)
        .map_err(|error| RunError::Unreadable(words(&error)))?;
    loaded
        .finish::<()>()
        .catch(ctx)
        .map_err(|error| RunError::Unreadable(words(&error)))?;
    let handler: Function<'js> = module
        .get("onairHandler")
        .catch(ctx)
        .map_err(|error| RunError::Unreadable(words(&error)))?;
    let event = ctx.json_parse(event.to_string()).map_err(engine)?;
    let returned: Js<'js> = handler
        .call((event,))
        .catch(ctx)
        .map_err(|error| RunError::Threw(words(&error)))?;
    let settled = match returned.clone().into_promise() {
        None => returned,
        Some(promise) => settle(ctx, native, &promise, items, reads)?,
    };
    let text = ctx
        .json_stringify(settled)
        .catch(ctx)
        .map_err(|error| RunError::Threw(words(&error)))?
        .ok_or(RunError::NoAnswer)?;
    let text = text.to_string().map_err(engine)?;
    let answer: Value = serde_json::from_str(&text).map_err(|_| RunError::NoAnswer)?;
    match (&answer["statusCode"], &answer["uri"]) {
        (Value::Number(status), _)
            if status
                .as_u64()
                .is_some_and(|status| (100..600).contains(&status)) =>
        {
            Ok(Output::Response(answer))
        }
        (Value::Null, Value::String(_)) => Ok(Output::Request(answer)),
        _ => Err(RunError::NoAnswer),
    }
}

fn settle<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    promise: &Promise<'js>,
    items: &dyn Items,
    reads: &mut u32,
) -> Result<Js<'js>, RunError> {
    loop {
        match promise.finish::<Js<'js>>() {
            Ok(value) => return Ok(value),
            Err(rquickjs::Error::WouldBlock) => {}
            Err(error) => {
                let caught = CaughtError::from_error(ctx, error);
                return Err(RunError::Threw(words(&caught)));
            }
        }
        if !answer_reads(ctx, native, items, reads).map_err(engine)? {
            return Err(RunError::Stuck);
        }
    }
}

/// Answers what is asked of the store; false when nothing is.
fn answer_reads<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    items: &dyn Items,
    reads: &mut u32,
) -> rquickjs::Result<bool> {
    let asked: Array<'js> = native.get("asked")?;
    let waiting: Vec<Object<'js>> = asked.iter().collect::<rquickjs::Result<_>>()?;
    asked.as_object().set("length", 0)?;
    for one in &waiting {
        *reads += 1;
        let kind: String = one.get("kind")?;
        let key: String = one.get("key")?;
        let resolve: Function<'js> = one.get("resolve")?;
        let reject: Function<'js> = one.get("reject")?;
        let fail = |why: &str| -> rquickjs::Result<()> {
            let error = rquickjs::Exception::from_message(ctx.clone(), why)?;
            reject.call((error,))
        };
        match (kind.as_str(), items.get(&key)) {
            (_, Err(why)) => fail(&why)?,
            ("exists", Ok(value)) => resolve.call((value.is_some(),))?,
            ("get", Ok(Some(value))) => resolve.call((value,))?,
            ("get", Ok(None)) => fail("KVS key not found")?,
            (_, Ok(_)) => resolve.call((r#"{"keyCount":0}"#,))?,
        }
    }
    Ok(!waiting.is_empty())
}

fn words(error: &CaughtError<'_>) -> String {
    match error {
        CaughtError::Exception(exception) => exception
            .message()
            .unwrap_or_else(|| "an exception".to_owned()),
        CaughtError::Value(value) => value
            .as_string()
            .and_then(|text| text.to_string().ok())
            .unwrap_or_else(|| "a value that is no error".to_owned()),
        CaughtError::Error(error) => error.to_string(),
    }
}

/// The bytes of a text with one character a byte.
fn bytes(binary: &str) -> Vec<u8> {
    binary
        .chars()
        .map(|one| (u32::from(one) & 0xff) as u8)
        .collect()
}

fn binary(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Text in an encoding to bytes; like the runtime's it never fails and skips what does not belong.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands over owned texts"
)]
fn decode(text: String, encoding: String) -> String {
    let lenient = |text: &str| {
        let config = GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let mut clean: String = text
            .chars()
            .take_while(|one| *one != '=')
            .map(|one| match one {
                '-' => '+',
                '_' => '/',
                other => other,
            })
            .filter(|one| one.is_ascii_alphanumeric() || matches!(one, '+' | '/'))
            .collect();
        if clean.len() % 4 == 1 {
            clean.pop();
        }
        GeneralPurpose::new(&alphabet::STANDARD, config)
            .decode(clean)
            .unwrap_or_default()
    };
    let decoded = match encoding.to_ascii_lowercase().as_str() {
        "hex" => {
            let digits: String = text.chars().take_while(char::is_ascii_hexdigit).collect();
            hex::decode(&digits[..digits.len() / 2 * 2]).unwrap_or_default()
        }
        "base64" | "base64url" => lenient(&text),
        _ => text.into_bytes(),
    };
    binary(&decoded)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands over owned texts"
)]
fn encode(text: String, encoding: String) -> String {
    let bytes = bytes(&text);
    match encoding.to_ascii_lowercase().as_str() {
        "hex" => hex::encode(bytes),
        "base64" => STANDARD.encode(bytes),
        "base64url" => URL_SAFE_NO_PAD.encode(bytes),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

fn hs256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes any key length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn encoded_length(text: &str) -> usize {
    text.bytes()
        .map(|byte| {
            let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            if plain { 1 } else { 3 }
        })
        .sum()
}
