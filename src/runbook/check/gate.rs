//! Checks `[tokens.gate]`: what the edge function looks at.

use crate::event::duration::parse_duration;
use crate::event::text::shortened;
use crate::runbook::check::{Notes, unique};
use crate::runbook::model::{GateSection, TokenFormat};
use crate::runbook::note::Problem;
use crate::runbook::resolved::{Gate, TokenSource};

const DEFAULT_LEEWAY_SECONDS: u32 = 30;
/// More would let expired tokens watch for minutes.
const LONGEST_LEEWAY_SECONDS: u32 = 300;

pub(super) fn gate(
    section: Option<&GateSection>,
    format: TokenFormat,
    notes: &mut Notes,
) -> Option<Gate> {
    let default = GateSection::default();
    let section = section.unwrap_or(&default);
    let sources = section.sources.as_ref().map_or_else(
        || {
            let query = TokenSource::Query("token".to_owned());
            Some(vec![query, TokenSource::Header("authorization".to_owned())])
        },
        |texts| sources(texts, notes),
    );
    for (key, claim) in [
        ("path-claim", &section.path_claim),
        ("country-claim", &section.country_claim),
        ("network-claim", &section.network_claim),
        ("user-agent-claim", &section.user_agent_claim),
    ] {
        let path = format!("tokens.gate.{key}");
        let Some(claim) = claim else { continue };
        if format != TokenFormat::Jwt {
            notes.error(path, Problem::ClaimOfOther);
        } else if claim.trim().is_empty() {
            notes.error(path, Problem::Empty);
        }
    }
    let open_paths = section.open_paths.clone().unwrap_or_default();
    for (path, index) in open_paths.iter().zip(0..) {
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            notes.error(
                format!("tokens.gate.open-paths[{index}]"),
                Problem::OpenPath,
            );
        }
    }
    let leeway = section
        .leeway
        .as_deref()
        .map_or(Some(DEFAULT_LEEWAY_SECONDS), |leeway| {
            let path = "tokens.gate.leeway";
            let parsed = notes.take(path, parse_duration(leeway), Problem::Duration)?;
            let seconds = u32::try_from(parsed.as_secs())
                .ok()
                .filter(|seconds| *seconds <= LONGEST_LEEWAY_SECONDS);
            if seconds.is_none() {
                notes.error(path, Problem::AtMost("5m"));
            }
            seconds
        });
    Some(Gate {
        sources: sources?,
        path_claim: section.path_claim.clone(),
        country_claim: section.country_claim.clone(),
        network_claim: section.network_claim.clone(),
        user_agent_claim: section.user_agent_claim.clone(),
        open_paths,
        leeway_seconds: leeway?,
    })
}

fn sources(texts: &[String], notes: &mut Notes) -> Option<Vec<TokenSource>> {
    let path = |index: usize| format!("tokens.gate.sources[{index}]");
    if texts.is_empty() {
        notes.error("tokens.gate.sources", Problem::Empty);
    }
    let written = texts.iter().enumerate();
    unique(
        "source",
        written.map(|(index, text)| (path(index), text.as_str())),
        notes,
    );
    let parsed: Vec<Option<TokenSource>> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let source = TokenSource::parse(text);
            if source.is_none() {
                notes.error(path(index), Problem::TokenSource(shortened(text, 60)));
            }
            source
        })
        .collect();
    parsed.into_iter().collect()
}
