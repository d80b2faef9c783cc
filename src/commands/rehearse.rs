//! `onair rehearse`: a short event on the embedded cloud, played by the same commands that an
//! operator would type, each measure proved at the edge. It never asks and touches nothing real.

use std::net::IpAddr;
use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::change;
use crate::context::{Context, Options, Session, sandbox_failure};
use crate::edge::{Outcome, ViewerRequest};
use crate::error::{Exit, Failure};
use crate::event::cidr::Cidr;
use crate::event::country::Country;
use crate::event::time;
use crate::ledger::body::{Body, ClockChange};
use crate::render::{Answer, Sheet};
use crate::runbook::Runbook;
use crate::sandbox::Sandbox;
use crate::ui::Answers;

/// The worked runbook, for a rehearsal anywhere.
const CUP_FINAL: &str = include_str!("../../runbooks/cup-final.toml");

/// Play a short event on the embedded cloud: no account, no network, nothing real
///
/// Blocks a re-streamer, undoes a country blocked by mistake, revokes a token, meets a colleague's
/// edit and goes into overtime; each step is proved at the simulated edge, and the ledger tells it
/// all at the end. Fresh state and ledger, gone afterwards unless --keep.
///
/// Example: onair rehearse runbooks/cup-final.toml
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The runbook to rehearse; without one, the chosen event's, or the worked example
    #[arg(value_name = "RUNBOOK")]
    runbook_file: Option<PathBuf>,
    /// Keep the rehearsal's state and ledger, and say where
    #[arg(long)]
    keep: bool,
}

/// What one step showed.
struct Step {
    title: &'static str,
    typed: String,
    happened: Vec<String>,
    proved: bool,
    evidence: String,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("onair-rehearsal-")
        .tempdir()
        .map_err(|error| {
            Failure::failed(
                "rehearse.folder",
                "no folder for the rehearsal could be made",
            )
            .because(error)
        })?;
    let runbook = runbook(args, context)?;
    let mut play = Play::open(runbook, folder.path().to_owned(), context).await?;
    let steps = play.all().await?;
    let account = play.account().await?;

    let failed = steps.iter().filter(|step| !step.proved).count();
    let mut text = play.opening();
    let mut sheet = Sheet::new(&["step", "typed", "proved", "evidence"]);
    let mut list: Vec<Value> = Vec::new();
    for (number, step) in (1..).zip(&steps) {
        text.push_str(&format!(
            "\n{number}. {}\n   $ {}\n",
            step.title, step.typed
        ));
        for line in &step.happened {
            text.push_str(&format!("     {line}\n"));
        }
        let mark = if step.proved {
            "✓ proved"
        } else {
            "✗ NOT PROVED"
        };
        text.push_str(&format!("   {mark}: {}\n", step.evidence));
        sheet.push([
            step.title.to_owned(),
            step.typed.clone(),
            step.proved.to_string(),
            step.evidence.clone(),
        ]);
        list.push(json!({
            "step": step.title,
            "typed": step.typed,
            "proved": step.proved,
            "evidence": step.evidence,
            "happened": step.happened,
        }));
    }
    text.push_str("\nThe ledger's account of it:\n");
    text.push_str(&account.table(context.ui.width()));
    let kept = if args.keep {
        let kept = folder.keep();
        text.push_str(&format!("\nkept in {}\n", kept.display()));
        Some(kept)
    } else {
        None
    };
    text.push_str(&format!(
        "\n{} of {} steps proved. The same commands, without --rehearsal, work on AWS.\n",
        steps.len() - failed,
        steps.len()
    ));
    let data = json!({
        "steps": list,
        "proved": steps.len() - failed,
        "ledger": account.rows,
        "kept": kept,
    });
    let state = play.session.state(&play.session.read_ledger().await?.view);
    let mut answer = Answer::new("rehearse", data, text)
        .with_head(play.session.head(Some(&state), None))
        .with_sheet(sheet);
    answer.changed = true;
    Ok(if failed == 0 {
        answer
    } else {
        answer.exiting(
            Exit::Difference,
            "check.failed",
            "a step of the rehearsal was not proved",
        )
    })
}

fn runbook(args: &Args, context: &Context) -> Result<Runbook, Failure> {
    if let Some(path) = &args.runbook_file {
        return crate::runbook::load(path)
            .map(|loaded| loaded.runbook)
            .map_err(|error| crate::context::invalid(&error));
    }
    match context.rehearsing().chosen() {
        Ok(chosen) => Ok(chosen.loaded.runbook),
        Err(failure) if context.options.runbook.is_some() || context.options.event.is_some() => {
            Err(failure)
        }
        Err(_) => crate::runbook::load::parse(CUP_FINAL, std::path::Path::new("cup-final.toml"))
            .map(|loaded| loaded.runbook)
            .map_err(|error| crate::context::invalid(&error)),
    }
}

/// The rehearsal as it goes.
struct Play {
    runbook: Runbook,
    folder: PathBuf,
    context: Context,
    session: Session,
    sandbox: Sandbox,
}

impl Play {
    /// Opens a fresh cloud at kickoff plus 20 minutes, with roll-outs that take no time: what is
    /// proved is who decides, not how long AWS takes.
    async fn open(runbook: Runbook, folder: PathBuf, context: &Context) -> Result<Self, Failure> {
        let context = acting(context, "jess");
        let session = open(&context, &runbook, &folder).await?;
        let sandbox = session
            .sandbox
            .clone()
            .expect("a rehearsal has an embedded cloud");
        let failed = |error: crate::sandbox::StateError| sandbox_failure(&error);
        let kickoff = runbook.event.starts;
        let at = kickoff
            .saturating_add(SignedDuration::from_mins(20))
            .unwrap_or(kickoff);
        sandbox.set_time(at).map_err(failed)?;
        sandbox
            .configure(|settings| {
                settings.rates = false;
                settings.rollout = crate::sandbox::service::Rollout::IMMEDIATE;
            })
            .map_err(failed)?;
        // Opened anew, so that the session's clock is the cloud's.
        let session = open(&context, &runbook, &folder).await?;
        Ok(Self {
            runbook,
            folder,
            context,
            session,
            sandbox,
        })
    }

    fn opening(&self) -> String {
        format!(
            "REHEARSAL of {} ({}) on the embedded cloud: no network, no credentials, nothing real.\n\
             It is {} there, 20 minutes into the event. Two operators, jess and tom, are on shift.\n",
            self.runbook.event.name,
            self.runbook.event.id,
            time::local(
                self.runbook
                    .event
                    .starts
                    .saturating_add(SignedDuration::from_mins(20))
                    .unwrap_or(self.runbook.event.starts),
                &self.runbook.event.zone
            ),
        )
    }

    async fn all(&mut self) -> Result<Vec<Step>, Failure> {
        let mut steps = Vec::new();
        if self.runbook.waf.is_some() {
            steps.push(self.block_a_re_streamer().await?);
        }
        if self.country_to_block().is_some() && !self.runbook.distributions.is_empty() {
            steps.push(self.block_a_country_by_mistake().await?);
            steps.push(self.undo_it().await?);
        }
        if self.runbook.tokens.is_some() {
            steps.push(self.revoke_a_token().await?);
        }
        if self.runbook.waf.is_some() {
            steps.push(self.meet_a_colleague().await?);
            steps.push(self.overtime().await?);
        }
        Ok(steps)
    }

    /// A session of `operator` on the same cloud and ledger.
    async fn session_of(&self, operator: &str) -> Result<Session, Failure> {
        open(
            &acting(&self.context, operator),
            &self.runbook,
            &self.folder,
        )
        .await
    }

    fn distribution(&self) -> &str {
        self.runbook
            .distributions
            .first()
            .map_or("", |one| one.id.as_str())
    }

    /// How many edges refuse the viewer, of how many, and which layer does.
    fn refused(&self, viewer: &ViewerRequest) -> Result<(usize, usize, String), Failure> {
        let decisions = self
            .sandbox
            .ask_edges(self.distribution(), viewer)
            .map_err(|error| sandbox_failure(&error))?;
        let all = decisions.len();
        let refusals: Vec<_> = decisions
            .iter()
            .filter(|(_, decision)| matches!(decision.outcome(), Outcome::Refused(_)))
            .collect();
        let by = refusals
            .first()
            .and_then(|(_, decision)| decision.refusal())
            .map_or_else(String::new, |finding| finding.layer.name().to_owned());
        Ok((refusals.len(), all, by))
    }

    fn viewer(&self) -> ViewerRequest {
        let path = self
            .runbook
            .distributions
            .first()
            .and_then(|one| one.samples.manifest.clone())
            .unwrap_or_else(|| "/live/index.m3u8".to_owned());
        let mut viewer = ViewerRequest::new(&path, self.session.clock.now());
        // They stand for a valid token of somebody whom nobody revoked.
        if self.runbook.tokens.is_some() {
            let event = self.runbook.event.id.as_str();
            let key = crate::token::RevocationKey::new(event, "sub", "viewer-of-the-rehearsal");
            viewer.revocation_keys.push(key.to_string());
        }
        viewer.country = self
            .country_to_block()
            .or_else(|| self.served_countries().first().copied())
            .map(|country| country.code().to_owned());
        viewer
    }

    fn viewer_from(&self, address: &str) -> ViewerRequest {
        ViewerRequest {
            address: address.parse::<IpAddr>().ok(),
            ..self.viewer()
        }
    }

    /// The countries with rights.
    fn served_countries(&self) -> Vec<Country> {
        let Some(geo) = &self.runbook.geo else {
            return Vec::new();
        };
        Country::all()
            .filter(|country| !geo.blocks(*country))
            .collect()
    }

    /// A country with rights that may be blocked without an override; the only one may not.
    fn country_to_block(&self) -> Option<Country> {
        let geo = self.runbook.geo.as_ref()?;
        let served = self.served_countries();
        if served.len() < 2 {
            return None;
        }
        let cap = self.runbook.waf.as_ref().and_then(|waf| waf.audience_cap);
        let share = |country| self.runbook.forecast.as_ref()?.share_of(country);
        served.into_iter().find(|country| {
            let is_too_many = cap
                .zip(share(*country))
                .is_some_and(|(cap, share)| share > cap.0);
            !geo.never_block.contains(country) && !is_too_many
        })
    }

    async fn block_a_re_streamer(&mut self) -> Result<Step, Failure> {
        let (address, other) = ("20.40.60.80", "20.40.60.81");
        let before = self.refused(&self.viewer_from(address))?;
        let block = super::ip::block_of(vec![cidr(address)]);
        let answer = self.run("re-stream on a social network", &block).await?;
        let (refused, all, by) = self.refused(&self.viewer_from(address))?;
        let (others, _, _) = self.refused(&self.viewer_from(other))?;
        Ok(Step {
            title: "A re-streamer is found: block the address until the event ends",
            typed: format!("onair block {address} -m 're-stream on a social network'"),
            happened: effect(&answer),
            proved: before.0 == 0 && refused == all && others == 0,
            evidence: format!(
                "before, {} of {all} edges refused {address}; now {refused} do ({by}), and its neighbor {other} still watches",
                before.0
            ),
        })
    }

    async fn block_a_country_by_mistake(&mut self) -> Result<Step, Failure> {
        let country = self
            .country_to_block()
            .ok_or_else(|| Failure::usage("the runbook leaves no country to rehearse with"))?;
        self.session.context.options.answers.confirm = Some(country.name().to_owned());
        let block = super::geo::block_of(&self.session, country)?;
        let answer = self.run("rights end at the border", &block).await?;
        self.session.context.options.answers.confirm = None;
        let (refused, all, by) = self.refused(&self.viewer())?;
        Ok(Step {
            title: "A country is blocked by mistake: the name had to be typed for it",
            typed: format!(
                "onair geo block {} --confirm '{}'",
                country.code(),
                country.name()
            ),
            happened: effect(&answer),
            proved: refused == all,
            evidence: format!(
                "{refused} of {all} edges refuse viewers from {} ({by})",
                country.name()
            ),
        })
    }

    async fn undo_it(&mut self) -> Result<Step, Failure> {
        let answer = self
            .run("wrong country", &super::undo::Undo::last())
            .await?;
        let (refused, all, _) = self.refused(&self.viewer())?;
        let equal = super::geo::equals_runbook(&self.session).await?;
        Ok(Step {
            title: "One word takes it back",
            typed: "onair undo".to_owned(),
            happened: effect(&answer),
            proved: refused == 0 && equal,
            evidence: format!(
                "{refused} of {all} edges refuse them now; every distribution is as the runbook says again"
            ),
        })
    }

    async fn revoke_a_token(&mut self) -> Result<Step, Failure> {
        let claim = self
            .runbook
            .tokens
            .as_ref()
            .and_then(|tokens| tokens.revocation_keys.first().cloned())
            .unwrap_or_else(|| "sub".to_owned());
        let value = "viewer-8841";
        let revoke = super::token::revoke_of(&self.runbook, &claim, value);
        let answer = self.run("token shared on a forum", &revoke).await?;
        let key = |value: &str| {
            crate::token::RevocationKey::new(self.runbook.event.id.as_str(), &claim, value)
                .to_string()
        };
        let viewer = |value: &str| ViewerRequest {
            revocation_keys: vec![key(value)],
            ..self.viewer()
        };
        let (refused, all, by) = self.refused(&viewer(value))?;
        let (others, _, _) = self.refused(&viewer("viewer-8842"))?;
        Ok(Step {
            title: "A token is shared on a forum: revoke it by its claim, never by its text",
            typed: format!("onair revoke --by {claim} {value} -m 'token shared on a forum'"),
            happened: effect(&answer),
            proved: refused == all && others == 0,
            evidence: format!(
                "{refused} of {all} edges refuse that viewer ({by}); viewer-8842 still watches"
            ),
        })
    }

    async fn meet_a_colleague(&mut self) -> Result<Step, Failure> {
        let (ours, theirs) = ("20.40.61.7", "20.40.62.9");
        // Each sits at a machine of their own, so they do not take turns: both read the set, one
        // writes first, and the other's write is refused and planned again on what is there then.
        let mut tom = self.session_of("tom").await?;
        tom.turns = self.folder.join("tom");
        tom.context.options.reason = Some("second re-stream".to_owned());
        self.session.context.options.reason = Some("first re-stream".to_owned());
        let (block_ours, block_theirs) = (
            super::ip::block_of(vec![cidr(ours)]),
            super::ip::block_of(vec![cidr(theirs)]),
        );
        let (jess, tom) = futures_util::join!(
            change::run(&self.session, &block_ours),
            change::run(&tom, &block_theirs)
        );
        let (jess, tom) = (jess?, tom?);
        let writes = |answer: &Answer| {
            answer.data["outcomes"][0]["writes"]
                .as_u64()
                .unwrap_or_default()
        };
        let writes = writes(&jess) + writes(&tom);
        let (one, all, _) = self.refused(&self.viewer_from(ours))?;
        let (two, _, _) = self.refused(&self.viewer_from(theirs))?;
        let mut happened = effect(&jess);
        happened.extend(effect(&tom));
        Ok(Step {
            title: "Two operators edit the same list at once: nobody's change is lost",
            typed: format!("onair block {ours}   (jess)   and   onair block {theirs}   (tom)"),
            happened,
            proved: one == all && two == all && writes == 3,
            evidence: format!(
                "one write met the other's and was planned anew ({writes} writes for 2 changes): {one} of {all} edges refuse jess's address, {two} tom's"
            ),
        })
    }

    async fn overtime(&mut self) -> Result<Step, Failure> {
        let ends = self.runbook.event.ends;
        let later = ends
            .saturating_add(SignedDuration::from_mins(25))
            .unwrap_or(ends);
        self.sandbox
            .set_time(later)
            .map_err(|error| sandbox_failure(&error))?;
        self.session = self.session_of("jess").await?;
        let swept = super::tend::sweep(&self.session).await?;
        let (refused, all, _) = self.refused(&self.viewer_from("20.40.60.80"))?;
        let extend = Body::Clock(ClockChange::Extend {
            ends: later
                .saturating_add(SignedDuration::from_mins(10))
                .unwrap_or(later),
            reason: Some("penalties".to_owned()),
        });
        self.session.ledger.append(extend).await.map_err(|error| {
            Failure::failed("ledger.write", "the ledger could not be written").caused_by(&error)
        })?;
        Ok(Step {
            title: "Overtime: the planned end passes, and nothing that was meant to last expires",
            typed: "onair event extend 35m -m penalties".to_owned(),
            happened: vec![format!(
                "25 min past the planned end, tending ends {swept} entries"
            )],
            proved: swept == 0 && refused == all,
            evidence: format!("{refused} of {all} edges still refuse the re-streamer"),
        })
    }

    /// The whole ledger as a table.
    async fn account(&self) -> Result<Sheet, Failure> {
        let read = self.session.read_ledger().await?;
        let mut sheet = Sheet::new(&["entry", "when", "who", "what", "why", "state"]);
        let event = &self.runbook.event;
        for change in read.view.changes() {
            let state = if read.view.undone_by(change).is_some() {
                "taken back".to_owned()
            } else {
                change.outcome().map_or_else(
                    || "running".to_owned(),
                    |outcome| format!("{:?}", outcome.result).to_lowercase(),
                )
            };
            sheet.push([
                change.name(),
                time::since_kickoff(change.at(), event.starts, &event.kickoff_label),
                change.operator().to_owned(),
                change.intent().summary.clone(),
                change.intent().reason.clone().unwrap_or_default(),
                state,
            ]);
        }
        Ok(sheet)
    }

    /// Runs one change as jess, with her reason.
    async fn run(
        &mut self,
        reason: &str,
        intention: &dyn change::Intention,
    ) -> Result<Answer, Failure> {
        self.session.context.options.reason = Some(reason.to_owned());
        change::run(&self.session, intention).await
    }
}

async fn open(
    context: &Context,
    runbook: &Runbook,
    folder: &std::path::Path,
) -> Result<Session, Failure> {
    Session::rehearsal(
        context.clone(),
        runbook.clone(),
        folder,
        &context.world_clock(),
    )
    .await
}

/// The context of an operator who has confirmed everything, as a rehearsal never asks.
fn acting(context: &Context, operator: &str) -> Context {
    let options = Options {
        answers: Answers {
            yes: true,
            confirm: None,
        },
        dry_run: false,
        wait: Some(false),
        verify: Some(false),
        rehearsal: true,
        ..context.options.clone()
    };
    let environment = context.environment.with("ONAIR_OPERATOR", operator);
    Context::with(context.ui.clone(), environment, options)
}

fn cidr(text: &str) -> Cidr {
    text.parse().expect("the script's addresses are addresses")
}

/// What the command said: the effect and what it did.
fn effect(answer: &Answer) -> Vec<String> {
    answer
        .text
        .lines()
        .skip(1)
        .filter(|line| {
            !line.trim_start().starts_with("note:") && !line.trim_start().starts_with("warning:")
        })
        .map(|line| line.trim().to_owned())
        .collect()
}
