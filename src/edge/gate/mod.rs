//! The event's edge function: `event-templates/edge/gate.js` with the runbook's constants, cut to what
//! the runbook needs. Equal runbooks give equal code, so that it can be compared with what is live.

use serde_json::{Value, json};

use crate::runbook::{GeoMode, Runbook, TokenFormat, TokenMode, TokenSource, Tokens};
use crate::token::{RevocationKey, cat_label};

/// The readable source.
pub(crate) const SOURCE: &str = include_str!("../../../event-templates/edge/gate.js");
/// Most bytes of code that CloudFront takes (CloudFront Developer Guide, "Quotas").
pub(crate) const LARGEST_CODE: usize = 10 * 1024;
/// Where the constants go.
const MARK: &str = "{/*onair:constants*/}";
/// The claim names of the whole token, and of a session id in front of it.
const WHOLE_TOKEN: &str = "token";

/// The code for a runbook; without `[tokens]` it is one that lets every request pass.
pub(crate) fn render(runbook: &Runbook) -> String {
    let Some(tokens) = &runbook.tokens else {
        return "function handler(event) {\n  return event.request;\n}\n".to_owned();
    };
    let constants = constants(runbook, tokens);
    let code = cut(SOURCE, &sections(runbook, tokens));
    let event = &runbook.event.id;
    // Braces in JSON are literals in JavaScript; U+2028 and U+2029 are too, since ES2019, but not in
    // every engine.
    let constants = constants
        .to_string()
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    // CloudFront's guide wants the imports first.
    format!(
        "{}// onair: the gate of {event}, made from its runbook. Edits are overwritten.\n",
        code.replace(MARK, &constants)
    )
}

/// The sections of the source that this runbook has a use for.
fn sections(runbook: &Runbook, tokens: &Tokens) -> Vec<&'static str> {
    let gate = &tokens.gate;
    let jwt = tokens.format == TokenFormat::Jwt;
    let cat = tokens.format == TokenFormat::Cat;
    let geo = runbook.geo.as_ref();
    let has_rights = geo.is_some_and(|geo| !geo.states.is_empty() || geo.metros.is_some());
    [
        ("jwt", jwt),
        ("cat", cat),
        ("opaque", !jwt && !cat),
        ("signed", jwt || cat),
        ("rights", has_rights),
        ("open", !gate.open_paths.is_empty()),
        ("pathsource", gate.sources.contains(&TokenSource::Path)),
        ("path", gate.path_claim.is_some()),
        ("country", gate.country_claim.is_some()),
        ("network", cat || gate.network_claim.is_some()),
        ("agent", gate.user_agent_claim.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, wanted)| wanted.then_some(name))
    .collect()
}

fn constants(runbook: &Runbook, tokens: &Tokens) -> Value {
    let gate = &tokens.gate;
    let cat = tokens.format == TokenFormat::Cat;
    let event = runbook.event.id.as_str();
    let sources: Vec<Value> = gate
        .sources
        .iter()
        .map(|source| match source {
            TokenSource::Path => json!(["path", ""]),
            TokenSource::Query(name) => json!(["query", name]),
            TokenSource::Cookie(name) => json!(["cookie", name]),
            TokenSource::Header(name) => json!(["header", name.to_ascii_lowercase()]),
        })
        .collect();
    let whole = [WHOLE_TOKEN.to_owned()];
    let names: &[String] = match tokens.format {
        TokenFormat::Opaque => &whole,
        TokenFormat::Jwt | TokenFormat::Cat => &tokens.revocation_keys,
    };
    let claims: Vec<Value> = names
        .iter()
        .map(|name| {
            let (prefix, room) = RevocationKey::parts(event, name);
            let label = cat.then(|| cat_label(name)).flatten();
            let label = label.map_or_else(|| name.clone(), |label| label.to_string());
            json!([label, prefix, room])
        })
        .collect();
    let label = |jwt: &str, number: i64| {
        if cat {
            number.to_string()
        } else {
            jwt.to_owned()
        }
    };
    let geo = runbook.geo.as_ref();
    let states: Vec<Value> = geo
        .iter()
        .flat_map(|geo| &geo.states)
        .map(|rule| {
            json!([
                rule.country.code(),
                rule.mode == GeoMode::Allow,
                rule.states
            ])
        })
        .collect();
    let metros = geo
        .and_then(|geo| geo.metros.as_ref())
        .map(|metros| json!([metros.mode == GeoMode::Allow, metros.codes]));
    json!({
        "event": RevocationKey::event_field(event),
        "mode": mode_word(tokens.mode),
        "exp": label("exp", 4),
        "nbf": label("nbf", 5),
        "leeway": gate.leeway_seconds,
        "sources": sources,
        "claims": claims,
        "path": gate.path_claim,
        "country": gate.country_claim,
        "network": gate.network_claim,
        "agent": gate.user_agent_claim,
        "open": gate.open_paths,
        "states": states,
        "metros": metros,
    })
}

/// The mode as the store and the function spell it.
pub(crate) fn mode_word(mode: TokenMode) -> &'static str {
    match mode {
        TokenMode::Off => "off",
        TokenMode::Log => "log",
        TokenMode::Enforce => "enforce",
    }
}

/// The lines of the wanted sections, without comments, indents and empty lines.
fn cut(source: &str, wanted: &[&str]) -> String {
    let mut open: Vec<bool> = Vec::new();
    let mut code = String::new();
    for line in source.lines() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix("//#if ") {
            open.push(wanted.contains(&section));
        } else if line == "//#end" {
            open.pop();
        } else if open.iter().all(|is_wanted| *is_wanted)
            && !line.is_empty()
            && !line.starts_with("//")
        {
            if line.starts_with("import ") {
                code.push_str(line);
            } else {
                code.push_str(&squeezed(line));
            }
            code.push('\n');
        }
    }
    code
}

/// A line without the spaces that separate nothing. Texts are in single quotes, and no regular expression
/// of the source holds a space or a quote.
fn squeezed(line: &str) -> String {
    let is_word = |one: Option<char>| one.is_some_and(|one| one.is_alphanumeric() || one == '_');
    let mut out = String::with_capacity(line.len());
    let mut in_text = false;
    let mut rest = line.chars().peekable();
    while let Some(one) = rest.next() {
        if one == '\'' {
            in_text = !in_text;
        }
        let separates = is_word(out.chars().next_back()) && is_word(rest.peek().copied());
        if one != ' ' || in_text || separates {
            out.push(one);
        }
    }
    out
}

#[cfg(test)]
mod tests;
