//! The event itself, its ledger, and the crew.

use jiff::SignedDuration;

use crate::event::cidr::Family;
use crate::event::duration::human;
use crate::event::phase::Phase;
use crate::event::time;
use crate::ledger::sightings::Sighting;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking, checks};
use crate::runbook::LedgerStore;

/// Shorter than any event, and longer than any: a slip of the date.
const SHORTEST: SignedDuration = SignedDuration::from_mins(10);
const LONGEST: SignedDuration = SignedDuration::from_hours(72);
/// Noted by a preflight longer ago than this, a runbook says nothing of the operator's one now.
const FRESH: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How much later than promised a sign of life may come.
const LATE: SignedDuration = SignedDuration::from_secs(60);

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "event.window",
        title: "the event's times make sense, and it is not over",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "the runbook and the event's clock in the ledger",
        run: asking!(window),
    },
    Check {
        id: "event.phases",
        title: "there is a phase for letting viewers in",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "the runbook",
        run: asking!(phases),
    },
    Check {
        id: "event.operators",
        title: "you are one of the runbook's operators",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "the runbook; ONAIR_OPERATOR or the session's name",
        run: asking!(operators),
    },
    Check {
        id: "event.runbook",
        title: "all operators have the same runbook",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "what each operator's preflight noted beside the ledger",
        run: asking!(runbook),
    },
    Check {
        id: "event.waivers",
        title: "every waiver names a check and has not expired",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "the runbook",
        run: asking!(waivers),
    },
    Check {
        id: "ledger.readable",
        title: "the ledger can be read",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "the ledger's store",
        run: asking!(readable),
    },
    Check {
        id: "ledger.writable",
        title: "the ledger can be written",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "the ledger's store: a note of this runbook is written",
        run: asking!(writable),
    },
    Check {
        id: "ledger.shared",
        title: "the ledger is where the whole crew sees it",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "the runbook",
        run: asking!(shared),
    },
    Check {
        id: "ledger.sound",
        title: "no entry was altered, and none is missing",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "the entries' seals and chains",
        run: asking!(sound),
    },
    Check {
        id: "ledger.synced",
        title: "no entry waits on this machine",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "the spool",
        run: asking!(synced),
    },
    Check {
        id: "crew.cut-off",
        title: "no change was cut off",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "the ledger: an intent past its deadline without an outcome",
        run: asking!(cut_off),
    },
    Check {
        id: "crew.due",
        title: "nothing that has expired is still in force",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "the ledger",
        run: asking!(due),
    },
    Check {
        id: "crew.tending",
        title: "somebody tends the event",
        severity: Severity::Error,
        from: Phase::Live,
        source: "the sign of life that `onair tend` leaves beside the ledger",
        run: asking!(tending),
    },
    Check {
        id: "crew.earlier-event",
        title: "nothing of an earlier event is left on what this one uses",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "wafv2.GetWebACL: blocklists of other events",
        run: asking!(earlier_event),
    },
];

async fn window(facts: &Facts<'_>) -> Outcome {
    let times = &facts.state.times;
    let zone = &facts.runbook.event.zone;
    let length = times.ends.duration_since(times.starts);
    if facts.state.closed_at.is_some() {
        return Ok(Verdict::fail(
            "the event is closed",
            "onair event phase setup opens it again",
        ));
    }
    if length < SHORTEST || length > LONGEST {
        return Ok(Verdict::fail(
            format!("it lasts {}", human(length)),
            "mend event.starts and event.ends in the runbook",
        ));
    }
    let words = format!(
        "{} to {}",
        time::local(times.starts, zone),
        time::local(times.ends, zone)
    );
    if facts.now > times.closes() {
        return Ok(Verdict::fail(
            format!("{words}: its window is over"),
            "mend event.starts and event.ends in the runbook, or `onair event extend`",
        ));
    }
    Ok(Verdict::pass(words))
}

async fn phases(facts: &Facts<'_>) -> Outcome {
    let phases = &facts.runbook.phases;
    let live = phases.iter().find(|start| start.phase == Phase::Live);
    Ok(match live {
        Some(live) if live.from > facts.state.times.starts => Verdict::fail(
            "the live phase begins after kickoff",
            "mend `from` of phase live in the runbook",
        ),
        Some(_) => Verdict::pass(format!("{} phases", phases.len())),
        None => Verdict::fail(
            "no phase is live",
            "add [[phases]] name = \"live\" to the runbook",
        ),
    })
}

async fn operators(facts: &Facts<'_>) -> Outcome {
    let operators = &facts.runbook.event.operators;
    if operators.is_empty() {
        return Ok(Verdict::not_applicable("the runbook names no operators"));
    }
    // A rehearsal has whoever sits at the machine.
    if facts.session.sandbox.is_some() {
        return Ok(Verdict::not_applicable("a rehearsal is anybody's"));
    }
    let operator = operator(facts).await?;
    Ok(if operators.contains(&operator) {
        Verdict::pass(operator)
    } else {
        Verdict::fail(
            format!("{operator} is none of {}", operators.join(", ")),
            format!("set ONAIR_OPERATOR, or add {operator} to event.operators in the runbook"),
        )
    })
}

async fn operator(facts: &Facts<'_>) -> Result<String, Gap> {
    facts
        .session
        .operator()
        .await
        .map_err(|failure| Gap::Unknown(failure.message.clone()))
}

async fn runbook(facts: &Facts<'_>) -> Outcome {
    let sightings = facts
        .session
        .ledger
        .sightings()
        .await
        .map_err(|error| Gap::Unknown(error.to_string()))?;
    let operator = operator(facts).await?;
    let digest = &facts.runbook.digest;
    let fresh: Vec<&Sighting> = sightings
        .iter()
        .filter(|one| one.operator != operator && facts.now.duration_since(one.at) < FRESH)
        .collect();
    let others: Vec<String> = fresh
        .iter()
        .filter(|one| one.digest != *digest)
        .map(|one| {
            format!(
                "{} ({}, noted {})",
                one.operator,
                &one.digest.get(..8).unwrap_or(&one.digest),
                time::local(one.at, &facts.runbook.event.zone)
            )
        })
        .collect();
    let own = &digest.get(..8).unwrap_or(digest);
    Ok(if others.is_empty() {
        Verdict::pass(format!("{own}, as {} others", fresh.len()))
    } else {
        Verdict::fail(
            format!("yours is {own}, and other is that of {}", others.join(", ")),
            "take the same runbook from version control, then run `onair preflight` each",
        )
    })
}

async fn waivers(facts: &Facts<'_>) -> Outcome {
    let ids: Vec<&str> = checks::all().iter().map(|check| check.id).collect();
    let verdicts = facts.runbook.waivers.iter().map(|waiver| {
        if !ids.contains(&waiver.check.as_str()) {
            Verdict::fail(
                format!("no check is named {}", waiver.check),
                "mend [[waivers]] in the runbook; `onair preflight --list` has the names",
            )
        } else if waiver.expires <= facts.now {
            Verdict::fail(
                format!("the waiver of {} expired", waiver.check),
                "mend what it accepted, or agree on it anew in the runbook",
            )
        } else {
            Verdict::pass(format!("{} by {}", waiver.check, waiver.owner))
        }
    });
    Ok(Verdict::across(verdicts, "the runbook has no waivers"))
}

async fn readable(facts: &Facts<'_>) -> Outcome {
    Ok(match &facts.ledger {
        Ok(ledger) if ledger.newer > 0 => Verdict::fail(
            format!("{} entries are of a newer onair", ledger.newer),
            "update this onair",
        ),
        Ok(ledger) => Verdict::pass(format!("{} changes", ledger.view.changes().len())),
        Err(why) => Verdict::could_not_ask(why.clone()),
    })
}

async fn writable(facts: &Facts<'_>) -> Outcome {
    let sighting = Sighting {
        at: facts.now,
        operator: operator(facts).await?,
        digest: facts.runbook.digest.clone(),
    };
    Ok(match facts.session.ledger.leave_sighting(&sighting).await {
        Ok(()) => Verdict::pass("a note of this runbook was written"),
        Err(error) => Verdict::fail(
            error.to_string(),
            "check the permissions of the ledger's store (s3:PutObject, or the folder's)",
        ),
    })
}

async fn shared(facts: &Facts<'_>) -> Outcome {
    let operators = facts.runbook.event.operators.len();
    Ok(match &facts.runbook.ledger.store {
        LedgerStore::S3 { bucket, prefix } => Verdict::pass(format!("s3://{bucket}/{prefix}")),
        LedgerStore::Folder(_) if operators <= 1 => Verdict::pass("a folder, for one operator"),
        LedgerStore::Folder(folder) => Verdict::fail(
            format!(
                "{operators} operators, and a ledger in {}",
                folder.display()
            ),
            "set ledger.store in the runbook to an s3:// address",
        ),
    })
}

async fn sound(facts: &Facts<'_>) -> Outcome {
    let records = facts
        .session
        .ledger
        .read_anew()
        .await
        .map_err(|error| Gap::Unknown(error.to_string()))?;
    let findings = crate::ledger::chain::verify(&records);
    Ok(if findings.is_empty() {
        Verdict::pass(format!("{} entries", records.entries.len()))
    } else {
        Verdict::fail(
            format!("{} entries are not as they were written", findings.len()),
            "onair ledger verify",
        )
    })
}

async fn synced(facts: &Facts<'_>) -> Outcome {
    Ok(match &facts.ledger {
        Ok(ledger) if ledger.spooled == 0 => Verdict::pass("none"),
        Ok(ledger) => Verdict::fail(
            format!("{} entries are on this machine only", ledger.spooled),
            "onair ledger sync",
        ),
        Err(why) => Verdict::could_not_ask(why.clone()),
    })
}

async fn cut_off(facts: &Facts<'_>) -> Outcome {
    let names: Vec<String> = facts
        .view()?
        .cut_off(facts.now)
        .into_iter()
        .map(crate::ledger::view::Change::name)
        .collect();
    Ok(if names.is_empty() {
        Verdict::pass("none")
    } else {
        Verdict::fail(
            format!("cut off: {}", names.join(", ")),
            "onair ledger resume",
        )
    })
}

async fn due(facts: &Facts<'_>) -> Outcome {
    let names: Vec<String> = facts
        .view()?
        .due(facts.now)
        .into_iter()
        .map(crate::ledger::view::Change::name)
        .collect();
    Ok(if names.is_empty() {
        Verdict::pass("none")
    } else {
        Verdict::fail(
            format!("past their end: {}", names.join(", ")),
            "onair tend --once",
        )
    })
}

async fn tending(facts: &Facts<'_>) -> Outcome {
    let beat = facts
        .session
        .ledger
        .last_heartbeat()
        .await
        .map_err(|error| Gap::Unknown(error.to_string()))?;
    let fix = "onair tend (or `onair tend --once` every minute from a scheduler)";
    let Some(beat) = beat else {
        return Ok(Verdict::fail("nobody has tended it yet", fix));
    };
    let ago = human(facts.now.duration_since(beat.at));
    let promised = beat.next.unwrap_or(beat.at);
    let words = format!("{} {ago} ago", beat.operator);
    Ok(if facts.now.duration_since(promised) <= LATE {
        Verdict::pass(words)
    } else {
        Verdict::fail(format!("the last sign of life is of {words}"), fix)
    })
}

async fn earlier_event(facts: &Facts<'_>) -> Outcome {
    let Some(waf) = &facts.runbook.waf else {
        return Ok(Verdict::not_applicable("the runbook has no [waf]"));
    };
    let document = facts.web_acl(&waf.web_acl).await?;
    let acl = crate::edge::WebAcl::from_json(&document.json)
        .map_err(|error| Gap::Unknown(error.to_string()))?;
    let ours = [waf.ip_set(Family::V4), waf.ip_set(Family::V6)];
    let mut left = Vec::new();
    for arn in acl.ip_set_arns() {
        let name = crate::layers::set_name(arn).to_owned();
        let is_an_events = name.starts_with("onair-") && !ours.contains(&name.as_str());
        if !is_an_events {
            continue;
        }
        let Some((_, id)) = arn.rsplit_once('/') else {
            continue;
        };
        let (wanted, id) = (name.clone(), id.to_owned());
        let set = facts
            .read("wafv2.GetIPSet", &name, |cloud| async move {
                let set = cloud.ip_set(&wanted, &id).await?;
                Ok::<_, crate::cloud::CloudError>(set.value)
            })
            .await?;
        if !set.addresses.is_empty() {
            left.push(format!("{name} holds {} addresses", set.addresses.len()));
        }
    }
    Ok(if left.is_empty() {
        Verdict::pass("nothing")
    } else {
        Verdict::fail(
            left.join(", "),
            "`onair event close` of that event, then `onair teardown`",
        )
    })
}
