//! `onair geo …`: who may watch, by country, on the event's distributions.

use serde_json::json;

use super::change::{self, Basis, Intention, Needs, Seen};
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::country::{self, Country};
use crate::event::duration::Lasting;
use crate::event::text::printable;
use crate::event::time;
use crate::ledger::body::{Access, CountryAsk, End, GeoMode, GeoReset, GeoState, Kind, Part, What};
use crate::ledger::view::{Change, Standing};
use crate::plan::audience::{Audience, audience};
use crate::plan::change::{Draft, empty_intent};
use crate::plan::{guard, windows};
use crate::render::{Answer, Sheet};
use crate::runbook::model;

/// Block, unblock and show countries on the event's distributions
#[derive(Debug, clap::Subcommand)]
pub(crate) enum GeoCommand {
    /// Keep viewers of these countries out
    ///
    /// Named by the effect on viewers: with an allow list it takes the country off the list, with a
    /// block list it puts it on. A roll-out takes minutes, and so does undoing it.
    ///
    /// Example: onair geo block CZ --confirm Czechia -m "rights withdrawn"
    Block(CountryArgs),
    Reset(ResetArgs),
    Status(StatusArgs),
    /// Let viewers of these countries in
    ///
    /// Named by the effect on viewers: with an allow list it puts the country on the list, with a
    /// block list it takes it off. A roll-out takes minutes, and so does undoing it.
    ///
    /// Example: onair geo unblock PL --confirm Poland -m "rights bought at half-time"
    Unblock(CountryArgs),
}

/// Countries, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct CountryArgs {
    /// Countries: ISO 3166-1 codes, names, or groups such as EU
    #[arg(required = true, value_name = "COUNTRY")]
    countries: Vec<String>,
    /// Only this distribution, by its name in the runbook or its id
    #[arg(short, long, value_name = "NAME")]
    distribution: Vec<String>,
}

/// Bring the geo restriction back to what the runbook says
///
/// Sets mode and countries as a whole, so what others changed at the restriction goes, too.
///
/// Example: onair geo reset --to runbook --confirm cup-final
#[derive(Debug, clap::Args)]
pub(crate) struct ResetArgs {
    /// To what
    #[arg(long, value_enum)]
    to: ResetTo,
    /// Only this distribution, by its name in the runbook or its id
    #[arg(short, long, value_name = "NAME")]
    distribution: Vec<String>,
}

/// What a reset goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ResetTo {
    /// The runbook's mode and countries
    Runbook,
}

/// Show each distribution's geo restriction, held against the runbook and the ledger
///
/// CloudFront answers 403 to viewers of a country that is kept out. Rights by state and metro area are
/// the runbook's: the edge function answers 451, the web ACL's rules 403, since WAF's responses do not
/// take 451; both say why in the header x-onair-gate.
///
/// Example: onair geo status
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {}

pub(crate) async fn run(command: &GeoCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        GeoCommand::Block(args) => turn(args, Access::Blocked, context).await,
        GeoCommand::Unblock(args) => turn(args, Access::Allowed, context).await,
        GeoCommand::Reset(args) => {
            let ResetTo::Runbook = args.to;
            let session = context.session().await?;
            let distributions = chosen(&session, &args.distribution)?;
            change::run(&session, &Reset { distributions }).await
        }
        GeoCommand::Status(_) => status(&context.session().await?).await,
    }
}

async fn turn(args: &CountryArgs, wanted: Access, context: &Context) -> Result<Answer, Failure> {
    let mut countries = Vec::new();
    for text in &args.countries {
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let expanded = country::expand(part)
                .map_err(|error| Failure::new(Exit::Usage, "value.malformed", error))?;
            countries.extend(expanded);
        }
    }
    countries.sort_unstable();
    countries.dedup();
    let session = context.session().await?;
    let distributions = chosen(&session, &args.distribution)?;
    change::run(
        &session,
        &Turn {
            countries,
            wanted,
            distributions,
        },
    )
    .await
}

/// The distributions meant: all of the runbook, or those named.
fn chosen(session: &Session, names: &[String]) -> Result<Vec<String>, Failure> {
    let all = &session.runbook.distributions;
    if all.is_empty() {
        return Err(Failure::usage("the runbook has no [[distributions]]"));
    }
    if names.is_empty() {
        return Ok(all.iter().map(|one| one.id.clone()).collect());
    }
    names
        .iter()
        .map(|name| {
            all.iter()
                .find(|one| one.name == *name || one.id == *name)
                .map(|one| one.id.clone())
                .ok_or_else(|| {
                    let known: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
                    Failure::usage(format!("the runbook has no distribution `{name}`"))
                        .hint(format!("it has: {}", known.join(", ")))
                })
        })
        .collect()
}

/// A block of one country on all of the event's distributions.
pub(crate) fn block_of(session: &Session, country: Country) -> Result<Turn, Failure> {
    Ok(Turn {
        countries: vec![country],
        wanted: Access::Blocked,
        distributions: chosen(session, &[])?,
    })
}

/// Whether every distribution's restriction is the runbook's.
pub(crate) async fn equals_runbook(session: &Session) -> Result<bool, Failure> {
    let planned = runbook_state(session)?;
    let observed = crate::observe::distributions(&session.cloud, &chosen(session, &[])?).await;
    Ok(observed.into_values().all(|read| {
        read.is_ok_and(|observed| {
            let mut now = observed.geo;
            now.countries.sort_unstable();
            now == planned
        })
    }))
}

/// Countries served or refused from now on.
pub(crate) struct Turn {
    countries: Vec<Country>,
    wanted: Access,
    distributions: Vec<String>,
}

impl Intention for Turn {
    fn command(&self) -> &'static str {
        match self.wanted {
            Access::Blocked => "geo block",
            Access::Allowed => "geo unblock",
        }
    }

    fn goes_on_without_store(&self) -> bool {
        false
    }

    fn needs(&self, _: &Basis<'_>) -> Result<Needs, Failure> {
        Ok(Needs {
            distributions: self.distributions.clone(),
            ..Needs::default()
        })
    }

    fn draft(&self, basis: &Basis<'_>, seen: &Seen) -> Result<Draft, Failure> {
        let session = basis.session;
        let verb = match self.wanted {
            Access::Blocked => "BLOCK",
            Access::Allowed => "UNBLOCK",
        };
        let summary = format!("{verb} {}", names(&self.countries));
        let mut intent = empty_intent(self.command(), &summary, Kind::Change, basis.now);
        intent.end = match self.wanted {
            Access::Blocked => super::end_of(session, basis, Lasting::Event)?.0,
            Access::Allowed => super::end_of(session, basis, Lasting::Forever)?.0,
        };
        let mut closed: Vec<Country> = Vec::new();
        for change in basis.view.open() {
            let mut these: Vec<Country> = basis
                .view
                .countries(change)
                .into_iter()
                .filter(|(ask, standing)| {
                    *standing != Standing::Closing
                        && ask.wanted != self.wanted
                        && self.countries.contains(&ask.country)
                        && self.distributions.contains(&ask.distribution)
                })
                .map(|(ask, _)| ask.country)
                .collect();
            these.sort_unstable();
            these.dedup();
            if !these.is_empty() {
                closed.extend(&these);
                intent.closes.push(Part {
                    entry: *change.id(),
                    what: What::Countries(these),
                });
            }
        }
        for distribution in &self.distributions {
            for country in &self.countries {
                intent.opens.countries.push(CountryAsk {
                    distribution: distribution.clone(),
                    country: *country,
                    wanted: self.wanted,
                    already: false,
                });
            }
        }
        let until = match self.wanted {
            Access::Blocked => format!(
                " · {}",
                super::until_words(session, &basis.state, intent.end)
            ),
            Access::Allowed if intent.end != End::Never => format!(
                " · {}",
                super::until_words(session, &basis.state, intent.end)
            ),
            Access::Allowed => String::new(),
        };
        let concerned = self.audience(session, &self.countries);
        let share = concerned.map_or_else(
            || "share of the audience unknown".to_owned(),
            |audience| audience.words(self.countries.len()),
        );
        let headline = format!(
            "{summary}{until} · {share} · {}{}",
            self.rights(session),
            last_rollout(basis)
        );
        let mut draft = Draft::new(intent, headline);
        draft.level = 2;
        if let [one] = self.countries.as_slice() {
            draft
                .typed
                .extend([one.name().to_owned(), one.code().to_owned()]);
        }
        draft.typed.push(session.runbook.event.id.to_string());
        if self.wanted == Access::Blocked {
            let protected = session
                .runbook
                .geo
                .as_ref()
                .map_or(&[][..], |geo| &geo.never_block);
            draft.findings = guard::countries(&self.countries, protected);
            draft.findings.extend(self.over_the_cap(session, seen));
        }
        draft.values = self
            .countries
            .iter()
            .map(|country| {
                let share = self
                    .audience(session, &[*country])
                    .filter(|audience| audience.unnamed == 0)
                    .map(|audience| audience.percent);
                json!({ "country": country.code(), "name": country.name(), "forecast-percent": share })
            })
            .collect();
        let unchanged = self
            .distributions
            .iter()
            .all(|id| match seen.distributions.get(id) {
                Some(Ok(observed)) => self
                    .countries
                    .iter()
                    .all(|country| observed.geo.access(*country) == self.wanted),
                _ => false,
            });
        if unchanged && draft.intent.closes.is_empty() {
            draft.nothing_to_do = Some(match self.wanted {
                Access::Blocked => "it is blocked already".to_owned(),
                Access::Allowed => "it is served already".to_owned(),
            });
        }
        Ok(draft)
    }
}

impl Turn {
    /// The forecast's viewers of `countries` on the distributions meant; none without a forecast.
    fn audience(&self, session: &Session, countries: &[Country]) -> Option<Audience> {
        let names = session
            .runbook
            .distributions
            .iter()
            .filter(|one| self.distributions.contains(&one.id))
            .map(|one| one.name.as_str());
        let forecast = session.runbook.forecast.as_ref()?;
        Some(audience(forecast, countries, names))
    }

    /// What the runbook's cap says against it. Who is refused already is not shut out by this.
    fn over_the_cap(&self, session: &Session, seen: &Seen) -> Option<guard::Finding> {
        let cap = session.runbook.waf.as_ref()?.audience_cap?;
        let served: Vec<Country> = self
            .countries
            .iter()
            .filter(|country| {
                self.distributions
                    .iter()
                    .any(|id| match seen.distributions.get(id) {
                        Some(Ok(observed)) => observed.geo.access(**country) == Access::Allowed,
                        _ => true,
                    })
            })
            .copied()
            .collect();
        guard::audience(self.audience(session, &served)?.percent, cap.0)
    }

    fn rights(&self, session: &Session) -> String {
        let Some(geo) = &session.runbook.geo else {
            return "no rights in the runbook".to_owned();
        };
        let outside = self
            .countries
            .iter()
            .filter(|country| geo.blocks(**country))
            .count();
        match (outside, self.countries.len()) {
            (0, _) => "in the rights list".to_owned(),
            (outside, all) if outside == all => "not in the rights list".to_owned(),
            (outside, all) => format!("{outside} of {all} not in the rights list"),
        }
    }
}

/// How long the last geo change took to reach the edges, for the next one's plan.
fn last_rollout(basis: &Basis<'_>) -> String {
    let seconds = basis.view.changes().iter().rev().find_map(|change| {
        let intent = change.intent();
        let geo = !intent.opens.countries.is_empty() || !intent.geo_reset.is_empty();
        change.proof().filter(|_| geo)?.seconds
    });
    match seconds {
        None => " · undo takes minutes, as this does".to_owned(),
        Some(seconds) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole seconds of a roll-out fit"
            )]
            let duration = jiff::SignedDuration::from_secs(seconds.round() as i64);
            format!(
                " · last roll-out {} · undo takes as long",
                crate::event::duration::human(duration)
            )
        }
    }
}

/// The runbook's restriction, set as a whole.
struct Reset {
    distributions: Vec<String>,
}

impl Intention for Reset {
    fn command(&self) -> &'static str {
        "geo reset"
    }

    fn goes_on_without_store(&self) -> bool {
        false
    }

    fn needs(&self, _: &Basis<'_>) -> Result<Needs, Failure> {
        Ok(Needs {
            distributions: self.distributions.clone(),
            ..Needs::default()
        })
    }

    fn draft(&self, basis: &Basis<'_>, seen: &Seen) -> Result<Draft, Failure> {
        let session = basis.session;
        let after = runbook_state(session)?;
        let summary = format!("RESET geo to the runbook: {}", state_words(&after));
        let mut intent = empty_intent("geo reset", &summary, Kind::Change, basis.now);
        for change in basis.view.open() {
            let touched = basis.view.countries(change).iter().any(|(ask, standing)| {
                *standing != Standing::Closing && self.distributions.contains(&ask.distribution)
            });
            if touched {
                intent.closes.push(Part {
                    entry: *change.id(),
                    what: What::All,
                });
            }
        }
        let mut same = true;
        for id in &self.distributions {
            if let Some(Ok(observed)) = seen.distributions.get(id) {
                same &= state_words(&observed.geo) == state_words(&after);
                intent.geo_reset.push(GeoReset {
                    distribution: id.clone(),
                    before: observed.geo.clone(),
                    after: after.clone(),
                });
            }
        }
        let mut draft = Draft::new(intent, summary);
        draft.level = 2;
        draft.typed.push(session.runbook.event.id.to_string());
        if same && draft.intent.closes.is_empty() {
            draft.nothing_to_do = Some("it is as the runbook says already".to_owned());
        }
        Ok(draft)
    }
}

/// The restriction that the runbook asks for.
pub(crate) fn runbook_state(session: &Session) -> Result<GeoState, Failure> {
    let geo = session
        .runbook
        .geo
        .as_ref()
        .ok_or_else(|| Failure::usage("the runbook has no [geo] section"))?;
    let mut countries = geo.countries.clone();
    countries.sort_unstable();
    countries.dedup();
    Ok(GeoState {
        mode: match (geo.mode, countries.is_empty()) {
            (model::GeoMode::Allow, _) => GeoMode::Allow,
            (model::GeoMode::Block, false) => GeoMode::Block,
            (model::GeoMode::Block, true) => GeoMode::None,
        },
        countries,
    })
}

/// A restriction in words: `only AT CH DE are served`.
pub(crate) fn state_words(state: &GeoState) -> String {
    let mut codes: Vec<&str> = state
        .countries
        .iter()
        .map(|country| country.code())
        .collect();
    codes.sort_unstable();
    let codes = if codes.len() > 12 {
        format!("{} countries", codes.len())
    } else {
        codes.join(" ")
    };
    match state.mode {
        GeoMode::None => "every country is served".to_owned(),
        GeoMode::Allow => format!("only {codes} served"),
        GeoMode::Block => format!("all but {codes} served"),
    }
}

fn names(countries: &[Country]) -> String {
    match countries {
        [one] => format!("{} ({})", one.name(), one.code()),
        many if many.len() <= 8 => many
            .iter()
            .map(|one| one.code())
            .collect::<Vec<_>>()
            .join(" "),
        many => format!("{} countries", many.len()),
    }
}

async fn status(session: &Session) -> Result<Answer, Failure> {
    let ids: Vec<String> = session
        .runbook
        .distributions
        .iter()
        .map(|one| one.id.clone())
        .collect();
    let (read, observed) = futures_util::join!(
        session.read_ledger(),
        crate::observe::distributions(&session.cloud, &ids)
    );
    let view = read?.view;
    let state = session.state(&view);
    let planned = runbook_state(session).ok();
    let mut sheet = Sheet::new(&["distribution", "served", "against the runbook"]);
    let mut list = Vec::new();
    let mut failures = Vec::new();
    for one in &session.runbook.distributions {
        let read = observed
            .get(&one.id)
            .expect("every distribution was asked about");
        match read {
            Ok(observed) => {
                let mut now = observed.geo.clone();
                now.countries.sort_unstable();
                let differs = planned.as_ref().map(|planned| *planned != now);
                let words = match differs {
                    None => "the runbook says nothing",
                    Some(false) => "equal",
                    Some(true) => "different",
                };
                sheet.push([one.name.clone(), state_words(&now), words.to_owned()]);
                list.push(json!({
                    "distribution": one.name,
                    "id": one.id,
                    "mode": now.mode,
                    "countries": now.countries,
                    "equals-runbook": differs.map(|differs| !differs),
                }));
            }
            Err(error) => {
                sheet.push([
                    one.name.clone(),
                    "could not ask".to_owned(),
                    error.to_string(),
                ]);
                list.push(
                    json!({ "distribution": one.name, "id": one.id, "error": error.to_string() }),
                );
                failures.push(error.clone());
            }
        }
    }
    if failures.len() == observed.len()
        && let Some(first) = failures.into_iter().next()
    {
        return Err(first.into());
    }
    let mut text = super::header(session, &state, None);
    text.push_str(&sheet.table(session.ui().width()));
    let mut open = Vec::new();
    for change in view.open() {
        let asks = view.countries(change);
        if asks.is_empty() {
            continue;
        }
        let until = super::until_words(session, &state, change.intent().end);
        text.push_str(&format!(
            "{} · {} · {} · {until}\n",
            change.name(),
            change.intent().summary,
            change.operator()
        ));
        open.push(json!({ "entry": change.name(), "summary": change.intent().summary, "operator": change.operator(), "until": super::end_value(change.intent().end) }));
    }
    let now = session.clock.now();
    let zone = &session.runbook.event.zone;
    let mut windows = Vec::new();
    for window in session.runbook.geo.iter().flat_map(|geo| &geo.windows) {
        let standing = windows::standing(&view, window, now).word();
        let verb = match window.mode {
            model::GeoMode::Allow => "lets in",
            model::GeoMode::Block => "keeps out",
        };
        let codes: Vec<&str> = window.countries.iter().map(|one| one.code()).collect();
        text.push_str(&format!(
            "window {} · {standing} · {} to {} · {verb} {}\n",
            printable(&window.name),
            time::local(window.from, zone),
            time::local(window.until, zone),
            codes.join(" ")
        ));
        windows.push(json!({
            "name": window.name,
            "state": standing,
            "from": window.from.to_string(),
            "until": window.until.to_string(),
            "mode": window.mode,
            "countries": codes,
            "entry": windows::opened(&view, window).map(Change::name),
        }));
    }
    Ok(Answer::new(
        "geo status",
        json!({ "distributions": list, "entries": open, "windows": windows }),
        text,
    )
    .with_head(session.head(Some(&state), None))
    .with_sheet(sheet))
}
