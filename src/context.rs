//! What a command is given: the chosen runbook and target, the clock, the cloud, the ledger, who is
//! acting. Opening a session reads files and the environment, and asks no service yet.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::apply::Resource;
use crate::clock::Clock;
use crate::cloud::{Caller, Cloud, ConnectOptions, EndpointUrls, Probe, Target};
use crate::error::{Exit, Failure};
use crate::event::cidr::Family;
use crate::event::duration::Lasting;
use crate::event::name::EventId;
use crate::event::phase::Phase;
use crate::event::time::When;
use crate::ledger::body::Body;
use crate::ledger::clock::EventState;
use crate::ledger::view::View;
use crate::ledger::{self, Ledger, ReadLedger, S3Options, Store};
use crate::plan::guard::Override;
use crate::render::Head;
use crate::runbook::{LedgerStore, LoadError, Runbook, source};
use crate::sandbox::Sandbox;
use crate::ui::{Answers, Ui};

/// Asks for the caller's own public address; any service that answers it as plain text will do.
const ADDRESS_URL: &str = "https://checkip.amazonaws.com/";

/// The environment, read once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment(HashMap<String, String>);

impl Environment {
    /// The process's own; names and values that are not UTF-8 are left out.
    pub(crate) fn of_process() -> Self {
        let readable = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self(readable.collect())
    }

    /// The same with one variable set.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.0.insert(name.to_owned(), value.to_owned());
        changed
    }

    /// The value of a variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// The options that every command takes, as values.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) runbook: Option<PathBuf>,
    pub(crate) event: Option<EventId>,
    pub(crate) rehearsal: bool,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) dry_run: bool,
    pub(crate) answers: Answers,
    pub(crate) lasting: Option<Lasting>,
    pub(crate) until: Option<When>,
    pub(crate) reason: Option<String>,
    /// What was asked for, or none for the default.
    pub(crate) wait: Option<bool>,
    pub(crate) verify: Option<bool>,
    pub(crate) timeout: SignedDuration,
    pub(crate) overrides: BTreeSet<Override>,
    pub(crate) now: Option<Timestamp>,
}

/// What every command is given.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) ui: Ui,
    pub(crate) environment: Environment,
    pub(crate) options: Options,
    /// As much of who and where as became known, for a failure's JSON.
    known: Rc<RefCell<Head>>,
    /// The AWS calls of the sessions that have ended.
    calls: Rc<RefCell<BTreeMap<String, u32>>>,
}

impl Context {
    pub(crate) fn with(ui: Ui, environment: Environment, options: Options) -> Self {
        Self {
            ui,
            environment,
            options,
            known: Rc::default(),
            calls: Rc::default(),
        }
    }

    /// The AWS calls made, every attempt counted, by operation.
    pub(crate) fn calls(&self) -> BTreeMap<String, u32> {
        self.calls.borrow().clone()
    }

    /// Who and where, as far as it is known.
    pub(crate) fn head(&self) -> Head {
        self.known.borrow().clone()
    }

    /// The same context for the embedded cloud.
    pub(crate) fn rehearsing(&self) -> Self {
        let mut context = self.clone();
        context.options.rehearsal = true;
        context
    }

    fn learn(&self, head: Head) {
        *self.known.borrow_mut() = head;
    }

    /// The clock of the real world, or the time that a test set.
    pub(crate) fn world_clock(&self) -> Clock {
        match self.options.now {
            Some(now) => Clock::started_at(now),
            None => Clock::system(),
        }
    }

    /// Where this machine keeps what can be had again, by the platform's custom; none: it says nowhere.
    pub(crate) fn cache_folder(&self) -> Option<PathBuf> {
        let folder = |name: &str| {
            self.environment
                .get(name)
                .map(PathBuf::from)
                .filter(|folder| folder.is_absolute())
        };
        let caches = if cfg!(target_os = "macos") {
            folder("HOME").map(|home| home.join("Library/Caches"))
        } else if cfg!(windows) {
            folder("LOCALAPPDATA")
        } else {
            folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
        };
        caches.map(|folder| folder.join("onair"))
    }

    /// Where runbooks are looked for.
    pub(crate) fn runbooks(&self) -> PathBuf {
        PathBuf::from("runbooks")
    }

    /// Whether this run is a rehearsal: the flag, or a rehearsal shell.
    pub(crate) fn is_rehearsal(&self) -> Result<bool, Failure> {
        match self.environment.get("ONAIR_TARGET") {
            None => Ok(self.options.rehearsal),
            Some("rehearsal") => {
                if self.endpoints().is_some() && self.options.endpoint_url.is_some() {
                    return Err(Failure::refused(
                        "target.shell",
                        "this is a rehearsal shell; --endpoint-url is refused in it",
                    ));
                }
                Ok(true)
            }
            Some("live") => {
                if self.options.rehearsal {
                    return Err(Failure::refused(
                        "target.shell",
                        "this is a live shell; --rehearsal is refused in it",
                    )
                    .hint("open another terminal for the rehearsal, or unset ONAIR_TARGET"));
                }
                if let Some(endpoints) = self.endpoints() {
                    let (name, url) = endpoints.first();
                    return Err(Failure::refused(
                        "target.shell",
                        format!("this is a live shell, but {name} points at {url}"),
                    )
                    .hint(format!("unset {name}, or leave the live shell")));
                }
                Ok(false)
            }
            Some(other) => Err(Failure::usage(format!(
                "ONAIR_TARGET is `{other}`; it can be live or rehearsal"
            ))),
        }
    }

    /// Custom endpoints, from the option and the environment.
    fn endpoints(&self) -> Option<Endpoints> {
        let mut named = Vec::new();
        if let Some(url) = &self.options.endpoint_url {
            named.push(("--endpoint-url", url.clone()));
        }
        let ignored = self
            .environment
            .get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .is_some_and(|value| value == "true");
        if !ignored {
            for name in [
                "AWS_ENDPOINT_URL",
                "AWS_ENDPOINT_URL_CLOUDFRONT",
                "AWS_ENDPOINT_URL_WAFV2",
                "AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE",
                "AWS_ENDPOINT_URL_STS",
                "AWS_ENDPOINT_URL_S3",
                "AWS_ENDPOINT_URL_ACM",
                "AWS_ENDPOINT_URL_ATHENA",
                "AWS_ENDPOINT_URL_CLOUDWATCH",
                "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
                "AWS_ENDPOINT_URL_GLUE",
                "AWS_ENDPOINT_URL_IAM",
                "AWS_ENDPOINT_URL_KINESIS",
                "AWS_ENDPOINT_URL_MEDIACONNECT",
                "AWS_ENDPOINT_URL_MEDIALIVE",
                "AWS_ENDPOINT_URL_MEDIAPACKAGEV2",
                "AWS_ENDPOINT_URL_MEDIATAILOR",
            ] {
                if let Some(url) = self.environment.get(name) {
                    named.push((name, url.to_owned()));
                }
            }
        }
        (!named.is_empty()).then_some(Endpoints(named))
    }

    /// Chooses the runbook by the contract's order and loads it.
    pub(crate) fn chosen(&self) -> Result<source::Chosen, Failure> {
        let select = source::Select {
            file: self.options.runbook.clone(),
            event: self.options.event.as_ref().map(ToString::to_string),
            env_event: self.environment.get("ONAIR_EVENT").map(str::to_owned),
            any_time: self.is_rehearsal()?,
        };
        let now = self.world_clock().now();
        match source::choose(&select, &self.runbooks(), now) {
            Ok(chosen) => Ok(chosen),
            Err(source::ChooseError::Load(error)) => Err(invalid(&error)),
            Err(error) => {
                let list: Vec<_> = error
                    .list()
                    .iter()
                    .map(|one| serde_json::json!({ "event": one.id }))
                    .collect();
                Err(Failure::new(Exit::Usage, "event", &error)
                    .hint("name one: -e ID, or -r FILE")
                    .with_data(serde_json::json!({ "events": list })))
            }
        }
    }

    /// Opens the chosen event on the chosen target.
    pub(crate) async fn session(&self) -> Result<Session, Failure> {
        let rehearsal = self.is_rehearsal()?;
        let chosen = self.chosen()?;
        let runbook = chosen.loaded.runbook;
        let elsewhere = if chosen.in_window {
            Vec::new()
        } else {
            chosen.others_in_window
        };
        let folder = runbook.folder().join(".onair");
        let id = runbook.event.id.to_string();
        if rehearsal {
            let place = folder.join("rehearsal").join(&id);
            return Session::rehearsal(self.clone(), runbook, &place, &self.world_clock()).await;
        }
        let endpoints = self.endpoints();
        if let Some((name, url)) = endpoints.as_ref().and_then(Endpoints::malformed) {
            return Err(Failure::usage(format!(
                "{name} is `{}`, which is no http:// or https:// address",
                crate::event::text::shortened(url, 80)
            )));
        }
        let (target, local) = match &endpoints {
            None => (Target::Live, folder.join("local").join(&id)),
            Some(endpoints) => (
                Target::Endpoint(endpoints.urls()),
                folder.join("endpoint").join(&id),
            ),
        };
        let s3_endpoint = endpoints
            .as_ref()
            .and_then(|endpoints| endpoints.own("AWS_ENDPOINT_URL_S3"));
        let ledger = match (&runbook.ledger.store, &endpoints, s3_endpoint) {
            (LedgerStore::Folder(folder), None, _) => LedgerPlace::Folder(folder.clone()),
            (LedgerStore::S3 { bucket, prefix }, None, _) => LedgerPlace::s3(bucket, prefix, None),
            // The bucket at S3's own custom endpoint is not the real event's ledger. An endpoint for
            // everything says nothing of S3, and `sandbox serve` has none: then it is a folder.
            (LedgerStore::S3 { bucket, prefix }, Some(_), Some(url)) => {
                LedgerPlace::s3(bucket, prefix, Some(url))
            }
            (_, Some(_), _) => LedgerPlace::Folder(local.join("ledger")),
        };
        let mut connect = ConnectOptions::new(target);
        connect.profile = self
            .options
            .profile
            .clone()
            .or_else(|| runbook.aws.profile.clone());
        connect.region = Some(runbook.aws.region.clone());
        let parts = Parts {
            runbook,
            connect,
            ledger,
            turns: local.with_file_name("turns"),
            local,
            clock: self.world_clock(),
            sandbox: None,
            elsewhere,
        };
        Session::open(self.clone(), parts).await
    }
}

/// Where the ledger of this target is.
enum LedgerPlace {
    Folder(PathBuf),
    S3 {
        bucket: String,
        prefix: String,
        endpoint: Option<String>,
    },
}

impl LedgerPlace {
    fn s3(bucket: &str, prefix: &str, endpoint: Option<String>) -> Self {
        Self::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint,
        }
    }

    fn open(self, runbook: &Runbook, cloud: &Cloud) -> Result<Store, Failure> {
        match self {
            Self::Folder(folder) => Ok(Store::folder(&folder)),
            Self::S3 {
                bucket,
                prefix,
                endpoint,
            } => {
                let options = S3Options {
                    bucket,
                    prefix,
                    region: runbook.aws.region.clone(),
                    allow_http: endpoint
                        .as_deref()
                        .is_some_and(|url| url.starts_with("http://")),
                    path_style: endpoint.is_some(),
                    endpoint,
                    credentials: cloud.credentials(),
                    connector: None,
                };
                Store::s3(&options).map_err(|error| {
                    Failure::failed("ledger.store", "the ledger's store could not be opened")
                        .caused_by(&error)
                })
            }
        }
    }
}

/// All that is wrong with a runbook, as one failure.
pub(crate) fn invalid(error: &LoadError) -> Failure {
    let mut failure = Failure::new(Exit::Usage, "runbook", error);
    let details = error.details();
    if !details.is_empty() {
        failure.message = format!("{error}\n{}", details.trim_end());
    }
    failure.with_data(serde_json::json!({ "problems": error.notes() }))
}

/// Custom endpoints with where each came from.
#[derive(Debug, Clone)]
struct Endpoints(Vec<(&'static str, String)>);

impl Endpoints {
    fn first(&self) -> (&'static str, &str) {
        let (name, url) = &self.0[0];
        (name, url)
    }

    fn malformed(&self) -> Option<(&'static str, &str)> {
        let sound = |url: &str| {
            url.parse::<http::Uri>().is_ok_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https"))
                    && uri.host().is_some_and(|host| !host.is_empty())
            })
        };
        let (name, url) = self.0.iter().find(|(_, url)| !sound(url))?;
        Some((name, url))
    }

    fn own(&self, name: &str) -> Option<String> {
        self.0
            .iter()
            .find(|(one, _)| *one == name)
            .map(|(_, url)| url.clone())
    }

    fn urls(&self) -> EndpointUrls {
        EndpointUrls {
            general: self
                .own("--endpoint-url")
                .or_else(|| self.own("AWS_ENDPOINT_URL")),
            cloudfront: self.own("AWS_ENDPOINT_URL_CLOUDFRONT"),
            wafv2: self.own("AWS_ENDPOINT_URL_WAFV2"),
            keyvaluestore: self.own("AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE"),
            sts: self.own("AWS_ENDPOINT_URL_STS"),
            athena: self.own("AWS_ENDPOINT_URL_ATHENA"),
            cloudwatch: self.own("AWS_ENDPOINT_URL_CLOUDWATCH"),
            plain: self
                .0
                .iter()
                .filter_map(|(name, url)| {
                    let id = name.strip_prefix("AWS_ENDPOINT_URL_")?;
                    Some((id.to_lowercase(), url.clone()))
                })
                .collect(),
        }
    }
}

/// One event on one target.
pub(crate) struct Session {
    pub(crate) context: Context,
    pub(crate) runbook: Runbook,
    pub(crate) target: Target,
    pub(crate) clock: Clock,
    pub(crate) cloud: Cloud,
    pub(crate) ledger: Ledger<Body>,
    /// The embedded cloud, in a rehearsal.
    pub(crate) sandbox: Option<Sandbox>,
    /// Where processes of this machine take turns and keep AWS's pace, whatever the event.
    pub(crate) turns: PathBuf,
    /// Where this machine keeps what belongs to the event on this target and is no ledger.
    pub(crate) local: PathBuf,
    /// Events that are in their window now while this one is not.
    pub(crate) elsewhere: Vec<String>,
    operator: Option<String>,
    caller: OnceCell<Caller>,
}

impl Session {
    /// Opens the embedded cloud that is kept at `place`, seeding it on first use.
    pub(crate) async fn rehearsal(
        context: Context,
        runbook: Runbook,
        place: &Path,
        world: &Clock,
    ) -> Result<Self, Failure> {
        let sandbox = crate::commands::sandbox::open(&runbook, &place.join("cloud"), world).await?;
        let offset = sandbox.offset().map_err(|error| sandbox_failure(&error))?;
        let mut connect = ConnectOptions::new(Target::Rehearsal);
        connect.region = Some(runbook.aws.region.clone());
        connect.http_client = Some(sandbox.http_client());
        connect.first_pause = Duration::from_millis(300);
        connect.attempts = 5;
        let parts = Parts {
            runbook,
            connect,
            ledger: LedgerPlace::Folder(place.join("ledger")),
            turns: place.join("turns"),
            local: place.to_owned(),
            clock: world.shifted_by(offset),
            sandbox: Some(sandbox),
            elsewhere: Vec::new(),
        };
        Self::open(context, parts).await
    }

    async fn open(context: Context, parts: Parts) -> Result<Self, Failure> {
        let target = parts.connect.target.clone();
        let cloud = Cloud::connect(parts.connect, parts.clock.clone()).await?;
        let caller = OnceCell::new();
        let mut operator = operator_name(&context, &target);
        if operator.is_none()
            && let Ok(known) = cloud.caller().await
        {
            // Entries carry the name from the first one on. Without credentials there is none, and
            // whoever changes something is told so.
            operator = known
                .session
                .as_deref()
                .map(slug)
                .filter(|name| !name.is_empty());
            caller.get_or_init(|| known);
        }
        let store = parts.ledger.open(&parts.runbook, &cloud)?;
        let ledger = Ledger::open(ledger::Options {
            cache: store.is_remote().then(|| parts.local.join("cache")),
            store,
            spool: parts.local.join("spool"),
            event: parts.runbook.event.id.to_string(),
            operator: operator.clone().unwrap_or_default(),
            target: target_name(&target).to_owned(),
            clock: parts.clock.clone(),
        });
        let session = Self {
            context,
            runbook: parts.runbook,
            target,
            clock: parts.clock,
            cloud,
            ledger,
            sandbox: parts.sandbox,
            turns: parts.turns,
            local: parts.local,
            elsewhere: parts.elsewhere,
            operator,
            caller,
        };
        session.context.learn(session.head(None, None));
        Ok(session)
    }

    /// Whether writes keep to AWS's published rates: always on AWS, in a rehearsal when its cloud
    /// enforces them, and not on a loopback endpoint, which says so itself when it throttles.
    pub(crate) fn paces(&self) -> bool {
        match (&self.target, &self.sandbox) {
            (_, Some(sandbox)) => sandbox.settings().is_ok_and(|settings| settings.rates),
            (Target::Endpoint(urls), None) => {
                let url = urls
                    .wafv2
                    .as_deref()
                    .or(urls.general.as_deref())
                    .unwrap_or_default();
                !["//127.", "//localhost", "//[::1]"]
                    .iter()
                    .any(|local| url.contains(local))
            }
            _ => true,
        }
    }

    pub(crate) fn ui(&self) -> &Ui {
        &self.context.ui
    }

    pub(crate) fn options(&self) -> &Options {
        &self.context.options
    }

    /// Who the credentials belong to; asked once.
    pub(crate) async fn caller(&self) -> Result<&Caller, Failure> {
        if let Some(caller) = self.caller.get() {
            return Ok(caller);
        }
        let caller = self.cloud.caller().await.map_err(Failure::from)?;
        Ok(self.caller.get_or_init(|| caller))
    }

    /// The caller as far as it has been asked for.
    pub(crate) fn known_caller(&self) -> Option<&Caller> {
        self.caller.get()
    }

    /// Who acts: the environment's word, or the session name of the credentials.
    pub(crate) async fn operator(&self) -> Result<String, Failure> {
        if let Some(operator) = &self.operator {
            return Ok(operator.clone());
        }
        let caller = self.caller().await?;
        caller
            .session
            .as_deref()
            .map(slug)
            .filter(|name| !name.is_empty())
            .ok_or_else(|| {
                Failure::refused(
                    "operator.unknown",
                    format!("{} has no session name to tell who you are", caller.arn),
                )
                .hint("set ONAIR_OPERATOR to your name")
            })
    }

    /// Refuses the wrong account before anything is changed.
    pub(crate) async fn check_account(&self) -> Result<(), Failure> {
        let caller = self.caller().await?;
        if caller.account == self.runbook.aws.account {
            return Ok(());
        }
        Err(Failure::refused(
            "guard.account",
            format!(
                "the credentials are for account {}, and the runbook is for {}",
                caller.account, self.runbook.aws.account
            ),
        )
        .hint("choose the profile with --profile, or mend aws.account in the runbook"))
    }

    /// Everything in the ledger.
    pub(crate) async fn read_ledger(&self) -> Result<ReadLedger, Failure> {
        ledger::read_all(&self.ledger)
            .await
            .map_err(|error| Failure::failed("ledger.read", "read the ledger").caused_by(&error))
    }

    /// Where the event stands by the ledger and the clock.
    pub(crate) fn state(&self, view: &View) -> EventState {
        let planned: Vec<(Phase, Timestamp)> = self
            .runbook
            .phases
            .iter()
            .map(|phase| (phase.phase, phase.from))
            .collect();
        EventState::at(
            &self.runbook.event.times(),
            &planned,
            view,
            self.clock.now(),
        )
    }

    /// What the JSON document says about who and where.
    pub(crate) fn head(&self, state: Option<&EventState>, operator: Option<&str>) -> Head {
        Head {
            event: Some(self.runbook.event.id.to_string()),
            target: Some(target_name(&self.target).to_owned()),
            account: Some(self.known_caller().map_or_else(
                || self.runbook.aws.account.clone(),
                |caller| caller.account.clone(),
            )),
            phase: state.map(|state| state.phase.to_string()),
            operator: operator
                .map(str::to_owned)
                .or_else(|| self.operator.clone()),
        }
    }

    /// The IP sets that the event blocks with.
    pub(crate) fn sets(&self) -> Result<BTreeMap<Family, String>, Failure> {
        let waf = self
            .runbook
            .waf
            .as_ref()
            .ok_or_else(|| missing_section("waf", "blocks addresses"))?;
        Ok([Family::V4, Family::V6]
            .into_iter()
            .map(|family| (family, waf.ip_set(family).to_owned()))
            .collect())
    }

    /// The key value store that revocations go to.
    pub(crate) fn store_name(&self) -> Result<&str, Failure> {
        let tokens = self
            .runbook
            .tokens
            .as_ref()
            .ok_or_else(|| missing_section("tokens", "revokes tokens"))?;
        Ok(&tokens.store)
    }

    /// The distribution resource of this id.
    pub(crate) fn distribution(&self, id: &str) -> Resource {
        let named = self.runbook.distributions.iter().find(|one| one.id == id);
        Resource::Distribution {
            name: named.map_or_else(|| id.to_owned(), |one| one.name.clone()),
            id: id.to_owned(),
        }
    }

    /// The caller's own public address, or why it is not known. Bounded to a second.
    pub(crate) async fn own_address(&self) -> Result<std::net::IpAddr, String> {
        let url = self
            .context
            .environment
            .get("ONAIR_ADDRESS_URL")
            .unwrap_or(ADDRESS_URL);
        if url == "none" {
            return Err("switched off by ONAIR_ADDRESS_URL".to_owned());
        }
        let probe = Probe {
            url: url.to_owned(),
            headers: Vec::new(),
            timeout: Duration::from_secs(1),
        };
        match self.cloud.probe(probe).await {
            Ok(answer) => answer
                .address()
                .ok_or_else(|| "the answer was not an address".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Events of other runbooks beside this one that share a distribution or a web ACL.
    pub(crate) fn neighbors(&self) -> Vec<Neighbor> {
        let Some(folder) = self.runbook.path.parent() else {
            return Vec::new();
        };
        let now = self.clock.now();
        let ours: HashSet<&str> = self
            .runbook
            .distributions
            .iter()
            .map(|one| one.id.as_str())
            .collect();
        let mut neighbors = Vec::new();
        for found in source::discover(folder) {
            let Ok(other) = crate::runbook::load(&found.path).map(|loaded| loaded.runbook) else {
                continue;
            };
            // In another account the same names are other things.
            if other.event.id == self.runbook.event.id
                || other.aws.account != self.runbook.aws.account
            {
                continue;
            }
            let distributions: Vec<String> = other
                .distributions
                .iter()
                .filter(|one| ours.contains(one.id.as_str()))
                .map(|one| one.id.clone())
                .collect();
            let web_acl = match (&self.runbook.waf, &other.waf) {
                (Some(ours), Some(theirs)) if ours.web_acl == theirs.web_acl => {
                    Some(ours.web_acl.clone())
                }
                _ => None,
            };
            if !distributions.is_empty() || web_acl.is_some() {
                neighbors.push(Neighbor {
                    event: other.event.id.to_string(),
                    live: other.event.times().holds(now),
                    distributions,
                    web_acl,
                });
            }
        }
        neighbors
    }

    /// Whether `--wait` is on, given or by default.
    pub(crate) fn waits(&self, state: &EventState) -> bool {
        self.options()
            .wait
            .unwrap_or_else(|| self.proves_by_default(state))
    }

    /// Whether `--verify` is on, given or by default.
    pub(crate) fn verifies(&self, state: &EventState) -> bool {
        self.options()
            .verify
            .unwrap_or_else(|| self.proves_by_default(state))
    }

    fn proves_by_default(&self, state: &EventState) -> bool {
        state.is_live() && self.ui().answers_a_terminal()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut calls = self.context.calls.borrow_mut();
        for (operation, count) in self.cloud.calls() {
            *calls.entry(operation).or_default() += count;
        }
    }
}

/// What a session is made of.
struct Parts {
    runbook: Runbook,
    connect: ConnectOptions,
    ledger: LedgerPlace,
    local: PathBuf,
    turns: PathBuf,
    clock: Clock,
    sandbox: Option<Sandbox>,
    elsewhere: Vec<String>,
}

/// Another event behind the same resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neighbor {
    pub(crate) event: String,
    /// Whether it is in its window now.
    pub(crate) live: bool,
    pub(crate) distributions: Vec<String>,
    pub(crate) web_acl: Option<String>,
}

/// The name of a target in JSON and in the ledger.
pub(crate) fn target_name(target: &Target) -> &'static str {
    match target {
        Target::Live => "live",
        Target::Endpoint(_) => "endpoint",
        Target::Rehearsal => "rehearsal",
    }
}

pub(crate) fn sandbox_failure(error: &dyn std::error::Error) -> Failure {
    Failure::failed("sandbox", "the embedded cloud could not be used").caused_by(error)
}

fn missing_section(section: &str, purpose: &str) -> Failure {
    Failure::usage(format!(
        "the runbook has no [{section}] section, which {purpose}"
    ))
    .hint(format!(
        "add [{section}]; `onair runbook schema` tells what it holds"
    ))
}

/// In a rehearsal the system user's name stands in for the session name.
fn operator_name(context: &Context, target: &Target) -> Option<String> {
    let environment = &context.environment;
    let named = environment
        .get("ONAIR_OPERATOR")
        .map(slug)
        .filter(|name| !name.is_empty());
    named.or_else(|| match target {
        Target::Rehearsal => {
            let user = environment
                .get("USER")
                .or_else(|| environment.get("LOGNAME"))
                .map(slug);
            Some(
                user.filter(|name| !name.is_empty())
                    .unwrap_or_else(|| "operator".to_owned()),
            )
        }
        Target::Live | Target::Endpoint(_) => None,
    })
}

/// A name that can be said and typed: lower-case letters, digits and dashes.
fn slug(name: &str) -> String {
    let before_at = name.split('@').next().unwrap_or(name);
    let mut slug = String::new();
    for character in before_at.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(24);
    slug.trim_end_matches('-').to_owned()
}

impl From<crate::cloud::CloudError> for Failure {
    fn from(error: crate::cloud::CloudError) -> Self {
        use crate::cloud::CloudError;
        let exit = match &error {
            CloudError::Conflict { .. } | CloudError::Throttled { .. } => Exit::Conflict,
            CloudError::Lost { .. } => Exit::Partly,
            _ => Exit::Failed,
        };
        let mut failure = Failure::new(exit, format!("aws.{}", error.code()), &error);
        failure.retryable = error.is_retryable();
        failure.request_id = error.request_id().map(str::to_owned);
        match &error {
            CloudError::Denied { action, .. } => failure.hint(format!(
                "the credentials need {action}; another profile: --profile NAME"
            )),
            CloudError::NoCredentials { .. } => failure.hint(
                "`aws sso login`, or set AWS_PROFILE; to practice without an account: --rehearsal",
            ),
            CloudError::Unreachable { endpoint, .. } => failure.hint(format!(
                "check the network and that {endpoint} is up, then run it again"
            )),
            _ => failure,
        }
    }
}
