//! `onair sandbox …`: the embedded cloud by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::clock::Clock;
use crate::context::{Context, sandbox_failure};
use crate::edge::{GeoKind, GeoRestriction};
use crate::error::Failure;
use crate::event::cidr::Family;
use crate::event::time::When;
use crate::render::{Answer, Sheet};
use crate::runbook::model::GeoMode;
use crate::runbook::{OriginAccess, Runbook, Samples};
use crate::sandbox::seed::{
    Seed, SeedAccess, SeedBucket, SeedCaching, SeedDelivery, SeedDistribution, SeedFunction,
    SeedIpSet, SeedStore, SeedWebAcl,
};
use crate::sandbox::{Directive, Reset, Sandbox, Settings};
use crate::token::KeySet;

/// In a new embedded cloud it is this long before doors.
const BEFORE_DOORS: SignedDuration = SignedDuration::from_hours(24);

/// Serve, reset and show the embedded cloud
#[derive(Debug, clap::Subcommand)]
pub(crate) enum SandboxCommand {
    Reset(ResetArgs),
    Serve(ServeArgs),
    Set(SetArgs),
    Show(ShowArgs),
}

/// Make the embedded cloud anew: provisioned as the runbook says, 24 h before doors
///
/// The rehearsal's ledger starts anew with it.
///
/// Example: onair sandbox reset --at ko+20m --rates off
#[derive(Debug, clap::Args)]
pub(crate) struct ResetArgs {
    /// What its clock shows: ko, ko+20m, doors-1h, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = when)]
    at: Option<When>,
    /// Only what the runbook presumes to exist: distributions and web ACL
    #[arg(long)]
    bare: bool,
    /// AWS's call rates on or off
    #[arg(long, value_name = "on|off")]
    rates: Option<String>,
    /// A fault or a setting: throttle:wafv2.UpdateIPSet:nth=2, lost-answer:…, latency=200ms, rollout=30s
    #[arg(long, value_name = "WORDS", value_parser = directive)]
    fault: Vec<Directive>,
    /// Keep state and ledger; change only the clock, rates and faults given
    #[arg(long)]
    keep: bool,
}

/// Serve the embedded cloud on a loopback port, for the AWS CLI and SDKs
///
/// Use it with --endpoint-url, or as HTTP_PROXY for the key value stores. Stops with Ctrl-C.
///
/// Example: onair sandbox serve --port 4599
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 4599)]
    port: u16,
    /// AWS's call rates on or off
    #[arg(long, value_name = "on|off")]
    rates: Option<String>,
    /// A fault or a setting, as for reset
    #[arg(long, value_name = "WORDS", value_parser = directive)]
    fault: Vec<Directive>,
}

/// Change a value of the embedded cloud's state, to rehearse a fault
///
/// SERVICE is one of the embedded cloud's (wafv2, iam, medialive, settings …) and PLACE a JSON pointer
/// into its state; or SERVICE is `distribution` and PLACE an id with the path of an element of its
/// document; or SERVICE is `audience`, the few viewers whose requests are logged and counted
/// (`/viewers`, `/seed`): change them before the event, since logs that were delivered stay. Logs
/// that come late or never are `logs /late` and `logs /missing`. Nothing is checked but that the
/// state stays one.
///
/// Example: onair sandbox set distribution E1CUPFINAL0001/HttpVersion http1.1
///
/// Example: onair sandbox set audience /viewers 60
///
/// Example: onair sandbox set logs /missing '["2026-06-14T19:10:00Z"]'
#[derive(Debug, clap::Args)]
#[expect(clippy::doc_link_with_quotes, reason = "help, shown as it stands")]
pub(crate) struct SetArgs {
    /// Whose state: a service, settings, distribution, or audience
    service: String,
    #[arg(help = "/json/pointer, or ID/Element/Element[2]/Element[Name=text]")]
    place: String,
    /// JSON, or else a text
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    value: Option<String>,
    /// Remove what is there
    #[arg(long)]
    remove: bool,
}

/// Show what the embedded cloud holds
///
/// Example: onair sandbox show
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {}

fn when(text: &str) -> Result<When, String> {
    When::parse(text).map_err(|error| error.to_string())
}

fn directive(text: &str) -> Result<Directive, String> {
    text.parse::<Directive>().map_err(|error| error.to_string())
}

pub(crate) fn name(command: &SandboxCommand) -> &'static str {
    match command {
        SandboxCommand::Reset(_) => "sandbox reset",
        SandboxCommand::Serve(_) => "sandbox serve",
        SandboxCommand::Set(_) => "sandbox set",
        SandboxCommand::Show(_) => "sandbox show",
    }
}

pub(crate) async fn run(command: &SandboxCommand, context: &Context) -> Result<Answer, Failure> {
    let context = context.rehearsing();
    match command {
        SandboxCommand::Reset(args) => reset(args, &context).await,
        SandboxCommand::Serve(args) => serve(args, &context).await,
        SandboxCommand::Set(args) => edit(args, &context).await,
        SandboxCommand::Show(_) => show(&context).await,
    }
}

/// Opens the embedded cloud in `folder`, seeding it as `runbook` says on first use.
pub(crate) async fn open(
    runbook: &Runbook,
    folder: &Path,
    world: &Clock,
) -> Result<Sandbox, Failure> {
    let sandbox = Sandbox::open(folder, world.clone()).map_err(|error| sandbox_failure(&error))?;
    let reset = Reset {
        at: Some(day_before(runbook)),
        settings: Settings::default(),
    };
    let seeded = sandbox
        .is_seeded()
        .map_err(|error| sandbox_failure(&error))?;
    if !seeded {
        let place = folder.parent().unwrap_or(folder);
        super::provisioned::settle(&sandbox, runbook, place, &reset, world, false).await?;
    }
    Ok(sandbox)
}

fn day_before(runbook: &Runbook) -> Timestamp {
    runbook
        .event
        .doors
        .saturating_sub(BEFORE_DOORS)
        .unwrap_or(runbook.event.doors)
}

/// What the runbook presumes, for `provision`'s code to bring up. What no part of it makes is seeded.
pub(super) fn seed_to_provision(runbook: &Runbook) -> Seed {
    let mut presumed = seed(runbook, true);
    let parts = crate::provision::all();
    if !parts.iter().any(|part| part.kind() == "ip-set") {
        let whole = seed(runbook, false);
        presumed.ip_sets = whole.ip_sets;
        presumed.web_acls = whole.web_acls;
    }
    presumed
}

/// The account that the runbook describes, already provisioned; with `bare`, only what it presumes.
pub(crate) fn seed(runbook: &Runbook, bare: bool) -> Seed {
    let geo = runbook
        .geo
        .as_ref()
        .map_or_else(GeoRestriction::default, |geo| GeoRestriction {
            kind: match (geo.mode, geo.countries.is_empty()) {
                (GeoMode::Allow, _) => GeoKind::Allow,
                (GeoMode::Block, false) => GeoKind::Block,
                (GeoMode::Block, true) => GeoKind::None,
            },
            countries: geo
                .countries
                .iter()
                .map(|country| country.code().to_owned())
                .collect(),
        });
    let tokens = runbook.tokens.as_ref().filter(|_| !bare);
    let distributions = runbook.distributions.iter().map(|one| SeedDistribution {
        id: one.id.clone(),
        name: one.name.clone(),
        // Viewers' names are aliases; CloudFront gives a name of its own.
        domain: Some(one.domain.clone())
            .filter(|domain| domain.ends_with(".cloudfront.net"))
            .unwrap_or_default(),
        aliases: Some(one.domain.clone())
            .filter(|domain| !domain.ends_with(".cloudfront.net"))
            .into_iter()
            .collect(),
        caching: caching(&one.samples).into_iter().collect(),
        delivery: delivery(runbook),
        metrics: !bare,
        web_acl: runbook.waf.as_ref().map(|waf| waf.web_acl.clone()),
        geo: geo.clone(),
        behaviors: caching(&one.samples)
            .into_iter()
            .map(|(pattern, _)| pattern)
            .collect(),
        function: tokens.map(|tokens| tokens.function.clone()),
    });
    let ip_sets = runbook.waf.iter().filter(|_| !bare).flat_map(|waf| {
        [Family::V4, Family::V6].map(|family| SeedIpSet {
            name: waf.ip_set(family).to_owned(),
            family,
            addresses: Vec::new(),
        })
    });
    let web_acls = runbook.waf.iter().map(|waf| SeedWebAcl {
        name: waf.web_acl.clone(),
        blocklists: if bare {
            Vec::new()
        } else {
            vec![waf.ip_set_v4.clone(), waf.ip_set_v6.clone()]
        },
        ..SeedWebAcl::default()
    });
    Seed {
        account: runbook.aws.account.clone(),
        distributions: distributions.collect(),
        web_acls: web_acls.collect(),
        ip_sets: ip_sets.collect(),
        stores: tokens
            .map(|tokens| SeedStore {
                name: tokens.store.clone(),
                items: rehearsal_items(runbook, day_before(runbook)),
            })
            .into_iter()
            .collect(),
        functions: tokens
            .map(|tokens| SeedFunction {
                name: tokens.function.clone(),
                store: Some(tokens.store.clone()),
                code: crate::edge::gate::render(runbook),
            })
            .into_iter()
            .collect(),
        audience: crate::sandbox::cloudwatch::Audience {
            crowd: Some(super::sandbox_crowd::crowd(runbook)),
            ..crate::dashboard::audience::audience(runbook)
        },
        buckets: buckets(runbook),
        roles: runbook
            .logs
            .realtime
            .iter()
            .map(|realtime| realtime.role.id().to_owned())
            .collect(),
        // The workflow is presumed to exist, so that it is there in a bare account, too.
        media: super::sandbox_media::seed(runbook),
    }
}

/// The path patterns that serve the sample paths, the more special first, and how they are cached.
fn caching(samples: &Samples) -> Vec<(String, SeedCaching)> {
    let mut patterns: Vec<(String, SeedCaching)> = Vec::new();
    // Manifests with ads differ by viewer, so their folder stands before all playlists.
    let ads = samples.ad_manifest.as_deref().and_then(|path| {
        let (folder, _) = path.rsplit_once('/')?;
        (!folder.is_empty()).then(|| (format!("{folder}/*"), SeedCaching::Uncached))
    });
    let by_extension = [
        (&samples.manifest, SeedCaching::Manifest),
        (&samples.dash, SeedCaching::Manifest),
        (&samples.segment, SeedCaching::Segment),
        (&samples.key, SeedCaching::Segment),
    ]
    .into_iter()
    .filter_map(|(path, caching)| Some((behavior(path.as_ref()?), caching)));
    for (pattern, caching) in ads.into_iter().chain(by_extension) {
        if patterns.iter().all(|(known, _)| *known != pattern) {
            patterns.push((pattern, caching));
        }
    }
    patterns
}

/// Where the distributions get their content from, as the runbook has it.
fn delivery(runbook: &Runbook) -> SeedDelivery {
    let Some(origins) = &runbook.origins else {
        return SeedDelivery::default();
    };
    let group = origins.groups.first();
    let name = |given: Option<&String>, default: &str| {
        given.cloned().unwrap_or_else(|| default.to_owned())
    };
    let ids = [
        name(group.and_then(|group| group.primary.as_ref()), "primary"),
        name(
            group.and_then(|group| group.secondary.as_ref()),
            "secondary",
        ),
    ];
    // The packagers of the workflow, in their regions; two of the home region without one.
    let regions: Vec<&str> = runbook
        .workflow
        .endpoints
        .iter()
        .map(crate::runbook::Arn::region)
        .chain(std::iter::repeat(runbook.aws.region.as_str()))
        .take(2)
        .collect();
    SeedDelivery {
        origins: ids
            .into_iter()
            .zip(regions)
            .enumerate()
            .map(|(index, (id, region))| {
                let domain = format!(
                    "a1b2c{index}.egress.onair{index}.mediapackagev2.{region}.amazonaws.com"
                );
                (id, domain)
            })
            .collect(),
        shield: origins.shield_region.clone(),
        group: group.map(|group| (group.id.clone(), group.failover_codes.clone())),
        media_quality: group.is_some_and(|group| group.media_quality),
        access: match &origins.access {
            OriginAccess::Open => SeedAccess::Open,
            OriginAccess::Oac => SeedAccess::AccessControl,
            OriginAccess::Vpc => SeedAccess::Vpc,
            OriginAccess::SecretHeader(name) => SeedAccess::Header(name.clone()),
        },
    }
}

/// The buckets that the runbook presumes: for logs, and for the results of queries.
fn buckets(runbook: &Runbook) -> Vec<SeedBucket> {
    let logs = runbook.logs.access.as_ref().map(|logs| &logs.bucket[..]);
    let results = runbook.athena.as_ref().and_then(|athena| {
        let place = athena.output.as_deref()?.strip_prefix("s3://")?;
        place.split('/').next()
    });
    let names: BTreeSet<&str> = logs.into_iter().chain(results).collect();
    names
        .into_iter()
        .map(|name| SeedBucket {
            name: name.to_owned(),
            region: runbook.aws.region.clone(),
        })
        .collect()
}

/// What a rehearsal's store holds from the start: a signing key that is random and opens nothing real, and
/// the key of the log digests. The mode is the runbook's.
pub(crate) fn rehearsal_items(runbook: &Runbook, now: Timestamp) -> BTreeMap<String, String> {
    let event = runbook.event.id.as_str();
    let keys = KeySet::for_rehearsal(now);
    BTreeMap::from([
        (
            crate::token::keys_key(event),
            keys.expose_secret().to_owned(),
        ),
        (crate::token::log_key_key(event), crate::token::random_key()),
    ])
}

/// The path pattern that serves a sample path: its file extension.
fn behavior(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((_, extension)) if !extension.contains('/') => format!("*.{extension}"),
        _ => path.to_owned(),
    }
}

/// The cloud of the chosen runbook, and where it is.
async fn chosen(context: &Context) -> Result<(Runbook, Sandbox, std::path::PathBuf), Failure> {
    let runbook = context.chosen()?.loaded.runbook;
    let place = runbook
        .folder()
        .join(".onair")
        .join("rehearsal")
        .join(runbook.event.id.as_str());
    let sandbox = open(&runbook, &place.join("cloud"), &context.world_clock()).await?;
    Ok((runbook, sandbox, place))
}

async fn reset(args: &ResetArgs, context: &Context) -> Result<Answer, Failure> {
    let (runbook, sandbox, place) = chosen(context).await?;
    if context.options.dry_run {
        let what = if args.keep {
            "a run without --dry-run changes its clock, rates or faults"
        } else {
            "a run without --dry-run makes the embedded cloud and the rehearsal's ledger anew"
        };
        let mut answer = Answer::new(
            "sandbox reset",
            json!({ "pending": true, "folder": place }),
            format!("{what}; dry run: nothing was changed\n"),
        );
        answer.head.event = Some(runbook.event.id.to_string());
        answer.head.target = Some("rehearsal".to_owned());
        return Ok(answer.exiting(crate::error::Exit::Difference, "difference", what));
    }
    let failed = |error: crate::sandbox::StateError| sandbox_failure(&error);
    let now = sandbox.now().map_err(failed)?;
    let at = args
        .at
        .as_ref()
        .map(|at| at.resolve(&runbook.event.times(), now))
        .transpose()
        .map_err(|error| Failure::usage("--at is not usable").because(error))?;
    if args.keep {
        if let Some(at) = at {
            sandbox.set_time(at).map_err(failed)?;
        }
    } else {
        let reset = Reset {
            at: Some(at.unwrap_or_else(|| day_before(&runbook))),
            settings: Settings::default(),
        };
        for folder in ["ledger", "spool", "turns"] {
            match std::fs::remove_dir_all(place.join(folder)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::failed(
                        "sandbox",
                        "the rehearsal's ledger could not be removed",
                    )
                    .because(error));
                }
                _ => {}
            }
        }
        if args.bare {
            sandbox
                .reset(&seed(&runbook, true), &reset)
                .map_err(failed)?;
        } else {
            let world = context.world_clock();
            super::provisioned::settle(&sandbox, &runbook, &place, &reset, &world, true).await?;
        }
    }
    set(&sandbox, args.rates.as_deref(), &args.fault)?;
    let now = sandbox.now().map_err(failed)?;
    let shown = crate::event::time::local(now, &runbook.event.zone);
    let text = format!(
        "the embedded cloud of {} is ready; it is {shown} there\n",
        runbook.event.id
    );
    let mut answer = Answer::new(
        "sandbox reset",
        json!({ "now": now.to_string(), "folder": place }),
        text,
    );
    answer.head.event = Some(runbook.event.id.to_string());
    answer.head.target = Some("rehearsal".to_owned());
    Ok(answer)
}

/// Applies rates, settings and faults.
fn set(sandbox: &Sandbox, rates: Option<&str>, directives: &[Directive]) -> Result<(), Failure> {
    let failed = |error: crate::sandbox::StateError| sandbox_failure(&error);
    match rates {
        None => {}
        Some("on") => sandbox.direct(Directive::Rates(true)).map_err(failed)?,
        Some("off") => sandbox.direct(Directive::Rates(false)).map_err(failed)?,
        Some(other) => {
            return Err(Failure::usage(format!(
                "--rates is `{other}`; it can be on or off"
            )));
        }
    }
    for directive in directives {
        sandbox.direct(directive.clone()).map_err(failed)?;
    }
    Ok(())
}

async fn serve(args: &ServeArgs, context: &Context) -> Result<Answer, Failure> {
    let (runbook, sandbox, _) = chosen(context).await?;
    set(&sandbox, args.rates.as_deref(), &args.fault)?;
    let address = SocketAddr::from(([127, 0, 0, 1], args.port));
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| {
            Failure::failed(
                "sandbox.port",
                format!("{address} could not be listened on"),
            )
            .because(error)
            .hint("another port: --port 0 takes a free one")
        })?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::failed("sandbox.port", "the port is not known").because(error))?;
    let url = format!("http://{address}");
    let ready = json!({ "url": url, "event": runbook.event.id, "account": runbook.aws.account });
    if context.ui.is_json() {
        context.ui.answer(&format!("{ready}\n"));
    } else {
        context.ui.answer(&format!(
            "the embedded cloud of {} listens on {url}\n  aws --endpoint-url {url} wafv2 list-ip-sets --scope CLOUDFRONT --region us-east-1\n  key value stores: HTTP_PROXY={url}, endpoint http://{}.cloudfront-kvs.global.api.aws\nCtrl-C stops it\n",
            runbook.event.id, runbook.aws.account
        ));
    }
    let interrupt = context.ui.interrupt().clone();
    // Ctrl-C is the way to stop it, so it is no failure: the writing mark keeps `main` from leaving.
    let writing = interrupt.writing();
    let stopped = crate::sandbox::serve(
        listener,
        sandbox,
        async move { interrupt.requested().await },
    )
    .await;
    drop(writing);
    stopped.map_err(|error| Failure::failed("sandbox.serve", "serving failed").because(error))?;
    Ok(Answer::new("sandbox serve", ready, "stopped\n".to_owned()))
}

async fn edit(args: &SetArgs, context: &Context) -> Result<Answer, Failure> {
    let (runbook, sandbox, _) = chosen(context).await?;
    // A distribution's document holds texts only; elsewhere what is no JSON is a text.
    let value = args.value.as_ref().map(|text| {
        if args.service == "distribution" {
            return json!(text);
        }
        serde_json::from_str(text).unwrap_or_else(|_| json!(text))
    });
    let what = format!("{} {}", args.service, args.place);
    if context.options.dry_run {
        return Ok(Answer::new(
            "sandbox set",
            json!({ "pending": true }),
            format!("{what} would be changed; dry run: nothing was changed\n"),
        )
        .exiting(
            crate::error::Exit::Difference,
            "difference",
            "a run without --dry-run changes it",
        ));
    }
    sandbox
        .edit(&args.service, &args.place, value)
        .map_err(|error| {
            Failure::usage("the embedded cloud was not changed")
                .caused_by(&error)
                .hint("`onair sandbox show` tells what it holds")
        })?;
    let mut answer = Answer::new(
        "sandbox set",
        json!({ "service": args.service, "place": args.place }),
        format!("{what} is changed\n"),
    );
    answer.head.event = Some(runbook.event.id.to_string());
    answer.head.target = Some("rehearsal".to_owned());
    Ok(answer)
}

async fn show(context: &Context) -> Result<Answer, Failure> {
    let (runbook, sandbox, _) = chosen(context).await?;
    let snapshot = sandbox.show().map_err(|error| sandbox_failure(&error))?;
    let mut sheet = Sheet::new(&["what", "name", "holds"]);
    for distribution in &snapshot.distributions {
        let countries = distribution.countries.join(" ");
        sheet.push([
            "distribution".to_owned(),
            distribution.id.clone(),
            format!("{:?} {countries}", distribution.geo).to_lowercase(),
        ]);
    }
    for (name, capacity) in &snapshot.web_acls {
        sheet.push([
            "web ACL".to_owned(),
            name.clone(),
            format!("{capacity} WCU"),
        ]);
    }
    for (name, addresses) in &snapshot.ip_sets {
        sheet.push([
            "IP set".to_owned(),
            name.clone(),
            format!("{addresses} addresses"),
        ]);
    }
    for (arn, items) in &snapshot.stores {
        sheet.push([
            "key value store".to_owned(),
            arn.clone(),
            format!("{items} keys"),
        ]);
    }
    for fault in &snapshot.faults {
        sheet.push(["fault".to_owned(), fault.clone(), "armed".to_owned()]);
    }
    for (operation, calls) in &snapshot.calls {
        sheet.push(["calls".to_owned(), operation.clone(), calls.to_string()]);
    }
    let shown = crate::event::time::local(snapshot.now, &runbook.event.zone);
    let text = format!(
        "embedded cloud of {} · account {} · {shown} there · rates {}\n{}",
        runbook.event.id,
        snapshot.account,
        if snapshot.settings.rates {
            "as AWS's"
        } else {
            "off"
        },
        sheet.table(context.ui.width())
    );
    let data = serde_json::to_value(&snapshot).map_err(|error| sandbox_failure(&error))?;
    let mut answer = Answer::new("sandbox show", data, text).with_sheet(sheet);
    answer.head.event = Some(runbook.event.id.to_string());
    answer.head.target = Some("rehearsal".to_owned());
    Ok(answer)
}
