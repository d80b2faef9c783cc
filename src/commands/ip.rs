//! `onair ip …`: the WAF blocklist, both families at once.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;

use super::change::{self, Basis, Intention, Needs, Seen};
use super::values::{self, ValueArgs};
use crate::context::{Context, Session};
use crate::edge::WebAcl;
use crate::error::{Exit, Failure};
use crate::event::cidr::{Cidr, Family, ParsedCidr, merged};
use crate::event::import::{Imported, parse_prefixes};
use crate::event::text::printable;
use crate::layers::Lookup;
use crate::ledger::body::{End, Kind, Part, What};
use crate::ledger::view::{Change, Standing};
use crate::observe::{ObserveError, ObservedAcl};
use crate::plan::change::{Draft, empty_intent, some_of};
use crate::plan::guard::{self, AddressRules};
use crate::plan::ip_set::{Demand, SET_LIMIT, plan_set};
use crate::render::{Answer, Sheet};
use crate::runbook::Waf;

/// Block, unblock and list addresses in the event's WAF IP sets
#[derive(Debug, clap::Subcommand)]
pub(crate) enum IpCommand {
    Block(BlockArgs),
    Export(ExportArgs),
    Import(ImportArgs),
    List(ListArgs),
    Status(StatusArgs),
    Unblock(UnblockArgs),
}

/// Block addresses or prefixes, IPv4 and IPv6 alike
///
/// Everything blocked has an end (the runbook's default, or --for and --until), an owner and a
/// reason, and goes in one word: onair undo.
///
/// Example: onair block 203.0.113.7 2001:db8:1:2::/64 --for 2h -m "re-stream on site X"
#[expect(clippy::doc_markdown, reason = "the help, printed as it stands")]
#[derive(Debug, clap::Args)]
pub(crate) struct BlockArgs {
    #[command(flatten)]
    values: ValueArgs,
    /// Send adjacent prefixes as one wider prefix that holds exactly the same addresses
    #[arg(long)]
    merge: bool,
}

/// Lift a block, whoever made it
///
/// What other open entries still ask for stays blocked. An address that someone else's tool put in
/// the set is named, and asked about, before it is removed.
///
/// Example: onair unblock 203.0.113.7
#[derive(Debug, clap::Args)]
pub(crate) struct UnblockArgs {
    #[command(flatten)]
    values: ValueArgs,
}

/// Block a list from a file, leaving out the lines that are no addresses
///
/// Plain text with comments, CSV (--column), JSON, ranges. Bad lines are named with their number and
/// the rest is taken.
///
/// Example: onair ip import drop.txt --for 4h -m "Spamhaus DROP"
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// The file, or - for standard input
    file: String,
    /// Column of a CSV file: its name or number
    #[arg(long)]
    column: Option<String>,
    /// Send adjacent prefixes as one wider prefix that holds exactly the same addresses
    #[arg(long)]
    merge: bool,
}

/// List what is blocked: by whom, why, until when
///
/// Example: onair ip list -o csv
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only entries of this operator
    #[arg(long)]
    by: Option<String>,
}

/// Print the blocked prefixes, one a line, as import reads them
///
/// Example: onair ip export > blocked.txt
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {}

/// Show the IP sets: how full, what is ours, what is not
///
/// Example: onair ip status
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {}

pub(crate) async fn run(command: &IpCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        IpCommand::Block(args) => block(args, context).await,
        IpCommand::Unblock(args) => unblock(args, context).await,
        IpCommand::Import(args) => import(args, context).await,
        IpCommand::List(args) => list(args, &context.session().await?).await,
        IpCommand::Export(_) => export(&context.session().await?).await,
        IpCommand::Status(_) => status(&context.session().await?).await,
    }
}

pub(crate) async fn block(args: &BlockArgs, context: &Context) -> Result<Answer, Failure> {
    let values = prefixes(&args.values, context)?;
    let session = context.session().await?;
    let block = Block {
        command: "ip block",
        values,
        merge: args.merge,
        bad: Vec::new(),
        imported: None,
    };
    change::run(&session, &block).await
}

pub(crate) async fn unblock(args: &UnblockArgs, context: &Context) -> Result<Answer, Failure> {
    let values = prefixes(&args.values, context)?;
    let session = context.session().await?;
    change::run(&session, &Unblock { values }).await
}

async fn import(args: &ImportArgs, context: &Context) -> Result<Answer, Failure> {
    let lines = values::lines_of_file(&args.file, args.column.as_deref(), context)?;
    let imported = parse_prefixes(&lines);
    let bad: Vec<serde_json::Value> = imported
        .bad
        .iter()
        .map(|bad| json!({ "line": bad.line, "text": crate::event::text::printable(&bad.text), "reason": bad.reason }))
        .collect();
    if imported.prefixes.is_empty() {
        let first = imported
            .bad
            .first()
            .map(|bad| format!("; line {}: {}", bad.line, bad.reason))
            .unwrap_or_default();
        return Err(Failure::usage(format!(
            "{} holds no address that could be read{first}",
            args.file
        ))
        .with_data(json!({ "bad-lines": bad })));
    }
    for bad in imported.bad.iter().take(10) {
        context
            .ui
            .warn(&format!("line {}: {}", bad.line, bad.reason));
    }
    if imported.bad.len() > 10 {
        context.ui.warn(&format!(
            "and {} more lines that could not be read; -o json names them all",
            imported.bad.len() - 10
        ));
    }
    let values = imported
        .prefixes
        .iter()
        .map(|prefix| ParsedCidr {
            cidr: prefix.cidr,
            normalized_from: None,
        })
        .collect();
    let session = context.session().await?;
    let block = Block {
        command: "ip import",
        values,
        merge: args.merge,
        bad,
        imported: Some(imported),
    };
    change::run(&session, &block).await
}

/// The prefixes of the arguments; one that is malformed refuses them all.
fn prefixes(args: &ValueArgs, context: &Context) -> Result<Vec<ParsedCidr>, Failure> {
    let imported = parse_prefixes(&args.read(context)?);
    if let Some(first) = imported.bad.first() {
        let mut failure = Failure::new(Exit::Usage, "value.malformed", &first.reason);
        for bad in imported.bad.iter().skip(1).take(20) {
            failure
                .causes
                .push(format!("value {}: {}", bad.line, bad.reason));
        }
        return Err(if imported.prefixes.is_empty() {
            failure
        } else {
            failure.hint("nothing was changed; `onair ip import` takes the good lines of a file and names the bad ones")
        });
    }
    if imported.prefixes.is_empty() {
        return Err(Failure::usage("there is no address among the values"));
    }
    let from = |cidr: Cidr| {
        imported
            .normalized
            .iter()
            .find(|(_, _, one)| *one == cidr)
            .map(|(_, text, _)| text.clone())
    };
    Ok(imported
        .prefixes
        .iter()
        .map(|prefix| ParsedCidr {
            cidr: prefix.cidr,
            normalized_from: from(prefix.cidr),
        })
        .collect())
}

/// A block of these prefixes.
pub(crate) fn block_of(prefixes: Vec<Cidr>) -> Block {
    let values = prefixes
        .into_iter()
        .map(|cidr| ParsedCidr {
            cidr,
            normalized_from: None,
        })
        .collect();
    Block {
        command: "ip block",
        values,
        merge: false,
        bad: Vec::new(),
        imported: None,
    }
}

/// A block of addresses, from arguments or a file.
pub(crate) struct Block {
    command: &'static str,
    values: Vec<ParsedCidr>,
    merge: bool,
    bad: Vec<serde_json::Value>,
    imported: Option<Imported>,
}

impl Intention for Block {
    fn command(&self) -> &'static str {
        self.command
    }

    fn goes_on_without_store(&self) -> bool {
        self.command == "ip block"
    }

    fn needs(&self, basis: &Basis<'_>) -> Result<Needs, Failure> {
        basis.session.sets()?;
        let families: HashSet<Family> = self
            .values
            .iter()
            .map(|value| value.cidr.family())
            .collect();
        Ok(Needs {
            families: families.into_iter().collect(),
            felt_by: basis
                .session
                .runbook
                .waf
                .iter()
                .map(|waf| waf.web_acl.clone())
                .collect(),
            own_address: true,
            ..Needs::default()
        })
    }

    fn draft(&self, basis: &Basis<'_>, seen: &Seen) -> Result<Draft, Failure> {
        let session = basis.session;
        let waf = session
            .runbook
            .waf
            .as_ref()
            .ok_or_else(|| Failure::usage("the runbook has no [waf] section"))?;
        let prefixes: Vec<Cidr> = self.values.iter().map(|value| value.cidr).collect();
        let (end, explicit) = super::end_of(session, basis, waf.default_duration)?;
        let summary = format!("BLOCK {}", some_of(&prefixes));
        let mut intent = empty_intent(self.command, &summary, Kind::Change, basis.now);
        intent.end = end;
        intent.merge = self.merge;
        intent.opens.prefixes.clone_from(&prefixes);

        let headline = format!(
            "{summary} · {} · impact unknown",
            super::until_words(session, &basis.state, end)
        );
        let mut draft = Draft::new(intent, headline);
        draft.level = guard::address_level(&prefixes, end != End::Never);
        let rules = AddressRules {
            never_block: waf
                .never_block
                .iter()
                .map(|one| (one.name.clone(), one.cidr))
                .collect(),
            widest_v4: waf.widest_v4,
            widest_v6: waf.widest_v6,
            own_address: seen
                .own_address
                .as_ref()
                .and_then(|known| known.as_ref().ok())
                .copied(),
        };
        draft.findings = guard::addresses(&prefixes, &rules, 10);
        if let Some(Err(why)) = &seen.own_address {
            draft.warnings.push(format!(
                "this machine's own public address is not known ({why}), so it was not checked"
            ));
        }
        if basis.state.closed_at.is_some() && end == End::Event {
            draft.warnings.push(
                "the event is closed: this ends only by `onair undo` or another `onair event close`; --for gives it an end"
                    .to_owned(),
            );
        }
        if let Some(read) = seen.felt_by.get(&waf.web_acl) {
            for why in self.unfelt(waf, read) {
                draft.will_not_be_felt(why);
            }
        }
        self.note_values(&mut draft);
        self.note_entries(basis, &mut draft, explicit);
        Ok(draft)
    }
}

impl Block {
    /// Why viewers whose address is blocked are served all the same.
    fn unfelt(&self, waf: &Waf, read: &Result<ObservedAcl, ObserveError>) -> Vec<String> {
        let acl = match read {
            Ok(acl) => match WebAcl::from_json(&acl.document.json) {
                Ok(acl) => acl,
                Err(_) => return Vec::new(),
            },
            Err(error @ ObserveError::NoSuchAcl(_)) => {
                return vec![format!(
                    "{error}: blocked addresses are served; make it, then: onair provision"
                )];
            }
            // Not being able to look is not a fault: the block goes in all the same.
            Err(_) => return Vec::new(),
        };
        [Family::V4, Family::V6]
            .into_iter()
            .filter(|family| self.values.iter().any(|value| value.cidr.family() == *family))
            .filter_map(|family| {
                let set = waf.ip_set(family);
                match crate::layers::lookup(&acl, set) {
                    Lookup::Blocks => None,
                    Lookup::Counts(rule) => Some(format!(
                        "rule {} only counts: addresses in {set} are served; to block by it: onair rule block {}",
                        printable(&rule),
                        printable(&rule)
                    )),
                    Lookup::Missing => Some(format!(
                        "no rule of {} blocks by {set}: addresses in it are served; the rule is made by: onair provision",
                        waf.web_acl
                    )),
                }
            })
            .collect()
    }

    fn note_values(&self, draft: &mut Draft) {
        for value in &self.values {
            if let Some(from) = &value.normalized_from {
                draft.notes.push(format!(
                    "{from} has host bits; it is the network {}",
                    value.cidr
                ));
            }
            if self.values.len() <= 20 {
                if let Some(kind) = value.cidr.is_special() {
                    draft.warnings.push(format!(
                        "{} is a {kind} range; no viewer on the internet comes from it",
                        value.cidr
                    ));
                }
                if value.cidr.is_single()
                    && let Some(household) = value.cidr.household()
                {
                    draft.notes.push(format!(
                        "one IPv6 address is easily changed; its household is {household}: onair block {household}"
                    ));
                }
            }
        }
        draft.values = self
            .values
            .iter()
            .map(|value| json!({ "value": value.cidr, "family": value.cidr.family() }))
            .collect();
        if let Some(imported) = &self.imported {
            let v4 = self
                .values
                .iter()
                .filter(|value| value.cidr.family() == Family::V4)
                .count();
            let plain: Vec<Cidr> = self.values.iter().map(|value| value.cidr).collect();
            let saved = plain.len() - merged(plain.clone()).len();
            draft.effect.push(format!(
                "{} prefixes ({v4} IPv4, {} IPv6) · {} lines left out · {} duplicates · {} with host bits cleared · merging would save {saved}",
                plain.len(),
                plain.len() - v4,
                imported.bad.len(),
                imported.duplicates,
                imported.normalized.len(),
            ));
            for (line, from, cidr) in imported.normalized.iter().take(5) {
                draft.notes.push(format!(
                    "line {line}: {from} has host bits; it is the network {cidr}"
                ));
            }
            draft.values = vec![json!({
                "prefixes": plain.len(),
                "ipv4": v4,
                "ipv6": plain.len() - v4,
                "duplicates": imported.duplicates,
                "normalized": imported.normalized.len(),
                "saved-by-merging": saved,
                "bad-lines": self.bad,
            })];
        }
    }

    /// Holds the values against open entries: what is blocked already, and until when.
    fn note_entries(&self, basis: &Basis<'_>, draft: &mut Draft, explicit_end: bool) {
        let mut standing: BTreeMap<Cidr, Vec<&Change>> = BTreeMap::new();
        for change in basis.view.open() {
            for piece in basis.view.pieces(change) {
                if piece.standing == Standing::Open {
                    standing.entry(piece.cidr).or_default().push(change);
                }
            }
        }
        let wanted = rank(draft.intent.end);
        let mut already = 0;
        for value in &self.values {
            let Some(changes) = standing.get(&value.cidr) else {
                continue;
            };
            let longest = changes
                .iter()
                .max_by_key(|change| rank(change.intent().end))
                .copied();
            let Some(longest) = longest else { continue };
            let lasts = rank(longest.intent().end);
            if lasts > wanted && explicit_end && basis.session.options().until.is_some() {
                for change in changes {
                    if change.operator() != basis.operator {
                        draft.level = draft.level.max(1);
                    }
                    draft.intent.closes.push(Part {
                        entry: *change.id(),
                        what: What::Prefixes(vec![value.cidr]),
                    });
                }
                draft.notes.push(format!(
                    "{} ends sooner than {} had it",
                    value.cidr,
                    longest.name()
                ));
                continue;
            }
            if lasts >= wanted {
                already += 1;
                let until = super::until_words(basis.session, &basis.state, longest.intent().end);
                if self.values.len() <= 20 {
                    draft.notes.push(format!(
                        "{} is blocked already by {}, {until}",
                        value.cidr,
                        longest.name()
                    ));
                }
            } else if self.values.len() <= 20 {
                draft.notes.push(format!(
                    "{} is blocked already by {}; this extends it",
                    value.cidr,
                    longest.name()
                ));
            }
        }
        if already == self.values.len() {
            draft.nothing_to_do =
                Some("all of it is blocked already, and for at least as long".to_owned());
        }
    }
}

/// Orders ends: later is more. The event's own end is taken as later than any time, since overtime
/// moves it; never is the latest.
pub(super) fn rank(end: End) -> (u8, i64) {
    match end {
        End::At(at) => (0, at.as_second()),
        End::Event => (1, 0),
        End::Never => (2, 0),
    }
}

/// Lifting of blocks.
struct Unblock {
    values: Vec<ParsedCidr>,
}

impl Intention for Unblock {
    fn command(&self) -> &'static str {
        "ip unblock"
    }

    fn goes_on_without_store(&self) -> bool {
        false
    }

    fn needs(&self, _: &Basis<'_>) -> Result<Needs, Failure> {
        let families: HashSet<Family> = self
            .values
            .iter()
            .map(|value| value.cidr.family())
            .collect();
        Ok(Needs {
            families: families.into_iter().collect(),
            ..Needs::default()
        })
    }

    fn draft(&self, basis: &Basis<'_>, seen: &Seen) -> Result<Draft, Failure> {
        let prefixes: Vec<Cidr> = self.values.iter().map(|value| value.cidr).collect();
        let summary = format!("UNBLOCK {}", some_of(&prefixes));
        let mut intent = empty_intent("ip unblock", &summary, Kind::Change, basis.now);
        let options = basis.session.options();
        let lasting = options.lasting.is_some() || options.until.is_some();
        if lasting {
            intent.end = super::end_of(
                basis.session,
                basis,
                crate::event::duration::Lasting::Forever,
            )?
            .0;
        }
        let headline = if lasting {
            let until = super::until_words(basis.session, &basis.state, intent.end);
            format!("{summary} · {until}, then blocked again")
        } else {
            summary
        };
        let mut draft = Draft::new(intent, headline);
        let index = crate::event::cidr::CidrIndex::new(prefixes.iter().copied());
        let mut named = Vec::new();
        let mut lifted: HashSet<Cidr> = HashSet::new();
        for change in basis.view.open() {
            let mut holes = Vec::new();
            for piece in basis.view.pieces(change) {
                if piece.standing == Standing::Closing || index.overlapping(piece.cidr).is_none() {
                    continue;
                }
                for value in &prefixes {
                    if value.overlaps(piece.cidr) {
                        // A prefix that reaches beyond the value is split, and the rest stays.
                        holes.push(if piece.cidr.covers(*value) {
                            *value
                        } else {
                            piece.cidr
                        });
                        lifted.insert(*value);
                    }
                }
            }
            if !holes.is_empty() {
                let whole = basis
                    .view
                    .pieces(change)
                    .iter()
                    .all(|piece| index.covering(piece.cidr).is_some());
                named.push(format!(
                    "{} {}",
                    if whole { "lifts" } else { "narrows" },
                    change.name()
                ));
                if change.operator() != basis.operator {
                    draft.level = 1;
                    draft.notes.push(format!(
                        "{} is {}'s: {}",
                        change.name(),
                        change.operator(),
                        change
                            .intent()
                            .reason
                            .as_deref()
                            .unwrap_or("no reason given")
                    ));
                }
                draft.intent.closes.push(Part {
                    entry: *change.id(),
                    what: What::Prefixes(holes),
                });
            }
        }
        for set in seen.sets.values() {
            let family = set.addresses.first().map_or(Family::V4, |one| one.family());
            let demand = Demand::of(&basis.view, None, family);
            for element in &set.addresses {
                let someone_elses =
                    !demand.explains(*element) || demand.is_marked_foreign(*element);
                if !someone_elses || index.overlapping(*element).is_none() {
                    continue;
                }
                if let Some(whole) = index.covering(*element) {
                    draft.intent.takes.prefixes.push(*element);
                    draft.level = 1;
                    lifted.insert(whole);
                    draft.warnings.push(format!(
                        "{element} is not in the ledger: someone else put it in {}",
                        set.identity.name
                    ));
                } else {
                    draft.warnings.push(format!(
                        "someone else's {element} in {} covers it and stays: unblock {element} to lift that, too",
                        set.identity.name
                    ));
                    draft.level = 1;
                }
            }
        }
        draft.intent.takes.prefixes.sort_unstable();
        draft.intent.takes.prefixes.dedup();
        if prefixes.len() > guard::LEVEL_0_VALUES {
            draft.level = draft.level.max(1);
        }
        draft.values = prefixes
            .iter()
            .map(|value| json!({ "value": value, "family": value.family(), "was-blocked": lifted.contains(value) }))
            .collect();
        for value in prefixes
            .iter()
            .filter(|value| !lifted.contains(value))
            .take(20)
        {
            draft.notes.push(format!("{value} is not blocked"));
        }
        if draft.intent.closes.is_empty() && draft.intent.takes.prefixes.is_empty() {
            draft.nothing_to_do = Some("none of it is blocked".to_owned());
        } else if !named.is_empty() {
            draft.effect[0] = format!("{} · {}", draft.effect[0], named.join(", "));
        }
        Ok(draft)
    }
}

async fn list(args: &ListArgs, session: &Session) -> Result<Answer, Failure> {
    let (read, sets) = futures_util::join!(session.read_ledger(), read_sets(session));
    let read = read?;
    let sets = sets?;
    let view = read.view;
    let state = session.state(&view);
    let columns = ["entry", "prefix", "by", "until", "reason"];
    // The table is for people; the rows for CSV and Markdown carry times as programs read them.
    let mut table = Sheet::new(&columns);
    let mut sheet = Sheet::new(&columns);
    let mut entries = Vec::new();
    for change in view.open() {
        if args.by.as_ref().is_some_and(|by| by != change.operator()) {
            continue;
        }
        for piece in view.pieces(change) {
            let until = super::until_words(session, &state, change.intent().end);
            let reason = change.intent().reason.clone().unwrap_or_default();
            entries.push(json!({
                "entry": change.name(),
                "id": change.id().to_string(),
                "prefix": piece.cidr,
                "operator": change.operator(),
                "since": change.at().to_string(),
                "until": super::end_value(change.intent().end),
                "reason": change.intent().reason,
                "already-there": piece.already_there,
                "standing": format!("{:?}", piece.standing).to_lowercase(),
            }));
            table.push([
                change.name(),
                piece.cidr.to_string(),
                change.operator().to_owned(),
                until,
                reason,
            ]);
            let end = super::end_value(change.intent().end);
            sheet.push([
                change.name(),
                piece.cidr.to_string(),
                change.operator().to_owned(),
                end.as_str().unwrap_or("never").to_owned(),
                change.intent().reason.clone().unwrap_or_default(),
            ]);
        }
    }
    if args.by.is_none() {
        for (family, set) in &sets {
            let demand = Demand::of(&view, None, *family);
            for element in set
                .addresses
                .iter()
                .filter(|element| !demand.explains(**element))
            {
                entries.push(json!({ "entry": null, "prefix": element, "operator": null, "reason": "not in the ledger", "drift": true }));
                table.push([
                    "—".to_owned(),
                    element.to_string(),
                    "someone else".to_owned(),
                    "not known".to_owned(),
                    "not in the ledger".to_owned(),
                ]);
                sheet.push([
                    String::new(),
                    element.to_string(),
                    "someone else".to_owned(),
                    String::new(),
                    "not in the ledger".to_owned(),
                ]);
            }
        }
    }
    let text = if sheet.is_empty() {
        format!(
            "{}nothing is blocked\n",
            super::header(session, &state, None)
        )
    } else {
        format!(
            "{}{}",
            super::header(session, &state, None),
            table.table(session.ui().width())
        )
    };
    Ok(Answer::new("ip list", json!({ "entries": entries }), text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet))
}

async fn read_sets(
    session: &Session,
) -> Result<BTreeMap<Family, crate::observe::ObservedSet>, Failure> {
    let names = session.sets()?;
    crate::observe::ip_sets(&session.cloud, &names)
        .await
        .map_err(Failure::from)
}

async fn export(session: &Session) -> Result<Answer, Failure> {
    let sets = read_sets(session).await?;
    let mut prefixes: Vec<Cidr> = sets
        .values()
        .flat_map(|set| set.addresses.iter().copied())
        .collect();
    prefixes.sort_unstable();
    let mut sheet = Sheet::new(&["prefix"]);
    let mut text = String::new();
    for prefix in &prefixes {
        sheet.push([prefix.to_string()]);
        text.push_str(&format!("{prefix}\n"));
    }
    let entries: Vec<_> = prefixes
        .iter()
        .map(|prefix| json!({ "prefix": prefix }))
        .collect();
    Ok(
        Answer::new("ip export", json!({ "entries": entries }), text)
            .with_head(session.head(None, None))
            .with_sheet(sheet),
    )
}

async fn status(session: &Session) -> Result<Answer, Failure> {
    let (read, sets) = futures_util::join!(session.read_ledger(), read_sets(session));
    let (read, sets) = (read?, sets?);
    let state = session.state(&read.view);
    let mut sheet = Sheet::new(&[
        "set",
        "addresses",
        "free",
        "ours",
        "not in the ledger",
        "missing",
    ]);
    let mut list = Vec::new();
    for (family, set) in &sets {
        let demand = Demand::of(&read.view, None, *family);
        let plan = plan_set(&set.addresses, &demand, *family);
        let (foreign, missing) = match &plan {
            Ok(plan) => (plan.foreign.clone(), plan.missing.clone()),
            Err(_) => (Vec::new(), Vec::new()),
        };
        let held = set.addresses.len() + set.unread.len();
        sheet.push([
            set.identity.name.clone(),
            held.to_string(),
            SET_LIMIT.saturating_sub(held).to_string(),
            (set.addresses.len() - foreign.len()).to_string(),
            foreign.len().to_string(),
            missing.len().to_string(),
        ]);
        list.push(json!({
            "set": set.identity.name,
            "family": family,
            "arn": set.arn,
            "addresses": held,
            "limit": SET_LIMIT,
            "foreign": foreign,
            "missing": missing,
        }));
    }
    let mut text = super::header(session, &state, None);
    text.push_str(&sheet.table(session.ui().width()));
    for set in &list {
        if let Some(foreign) = set["foreign"].as_array()
            && !foreign.is_empty()
        {
            let some: Vec<&str> = foreign
                .iter()
                .take(5)
                .filter_map(serde_json::Value::as_str)
                .collect();
            text.push_str(&format!(
                "not in the ledger, kept: {}{}\n",
                some.join(" "),
                if foreign.len() > 5 { " …" } else { "" }
            ));
        }
        if let Some(missing) = set["missing"].as_array()
            && !missing.is_empty()
        {
            let some: Vec<&str> = missing
                .iter()
                .take(5)
                .filter_map(serde_json::Value::as_str)
                .collect();
            text.push_str(&format!(
                "in the ledger and missing here: {} · the next change puts it back\n",
                some.join(" ")
            ));
        }
    }
    Ok(Answer::new("ip status", json!({ "sets": list }), text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet))
}
