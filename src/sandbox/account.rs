//! The embedded cloud as others use it: opened on a folder, seeded, asked, moved in time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::cloudfront::CloudFront;
use super::cloudwatch;
use super::edges::EDGES;
use super::faults::{Directive, Fault};
use super::keyvaluestore::Stores;
use super::media::SeedMedia;

use super::seed::Seed;
use super::service::Answer;
use super::settings::Settings;
use super::state::{Held, Index, State, StateError};
use super::viewer::Sources;
use super::wafv2::{Samples, Waf};
use super::{acm, iam, mediaconnect, medialive, mediapackage, mediatailor, origin, s3, sts};
use crate::clock::Clock;
use crate::edge::{Decision, GeoKind, ViewerRequest, decide};

/// The embedded cloud. Clones and other processes on the same folder are the same cloud.
#[derive(Debug, Clone)]
pub(crate) struct Sandbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    base: Clock,
    state: Mutex<State>,
}

/// How a cloud is made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reset {
    /// What its clock shows; none: what the process's clock shows.
    pub(crate) at: Option<Timestamp>,
    pub(crate) settings: Settings,
}

/// Why a request got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("connect: the rehearsal makes the service unreachable")]
    Unreachable,
    #[error("read the answer: the rehearsal breaks the connection after the request landed")]
    AnswerLost,
    /// Whoever called is to die.
    #[error("go on: the rehearsal ends the caller here")]
    Crash,
}

impl Sandbox {
    /// Opens the cloud in `folder`, which is made when it is not there. `base` is the clock that
    /// this cloud's own runs along with.
    pub(crate) fn open(folder: &Path, base: Clock) -> Result<Self, StateError> {
        let state = State::open(folder)?;
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            base,
            state: Mutex::new(state),
        })))
    }

    /// A cloud in this process's memory, to be put together and then put in place whole, see
    /// [`Sandbox::put_in_place`].
    pub(crate) fn in_memory(base: Clock) -> Self {
        Self(Arc::new(Inner {
            folder: PathBuf::new(),
            base,
            state: Mutex::new(State::in_memory()),
        }))
    }

    /// Puts a cloud that was made in memory in place of whatever is here, or, unless `anew`, only
    /// where nothing is seeded yet; says whether it did. Nobody sees half of it. Its calls are
    /// forgotten, and its settings become `settings`.
    pub(crate) fn put_in_place(
        &self,
        draft: &Self,
        settings: &Settings,
        anew: bool,
    ) -> Result<bool, StateError> {
        let mut state = draft.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = std::mem::replace(&mut *state, State::in_memory()).into_held();
        held.index.calls.clear();
        held.index.buckets = super::rates::Buckets::default();
        held.index.settings = settings.clone();
        let Held { index, logs, .. } = &mut held;
        // The account is as if it had been provisioned a day ago, so that logs have come in since.
        logs.read(Path::new(""), index)?
            .age(SignedDuration::from_hours(24));
        self.transact(|current, folder| {
            let goes = anew || current.index.account.is_empty();
            if goes {
                s3::forget(folder);
                current.take_over(held);
            }
            Ok(goes)
        })
    }

    /// Whether the cloud holds an account.
    pub(crate) fn is_seeded(&self) -> Result<bool, StateError> {
        Ok(!self.index()?.account.is_empty())
    }

    /// Makes the cloud anew: nothing of before is left, and nobody sees half of either.
    pub(crate) fn reset(&self, seed: &Seed, reset: &Reset) -> Result<(), StateError> {
        let now = self.0.base.now();
        self.transact(|held, folder| {
            s3::forget(folder);
            plant(held, seed, reset, now);
            Ok(())
        })
    }

    /// The cloud's time.
    pub(crate) fn now(&self) -> Result<Timestamp, StateError> {
        Ok(shifted(self.0.base.now(), self.offset()?))
    }

    /// How far the cloud's clock is ahead of the process's.
    pub(crate) fn offset(&self) -> Result<SignedDuration, StateError> {
        Ok(self.index()?.offset)
    }

    /// Moves the cloud's clock to `at`, from where it runs on.
    pub(crate) fn set_time(&self, at: Timestamp) -> Result<(), StateError> {
        let offset = at.duration_since(self.0.base.now());
        self.transact(|held, _| {
            held.index.offset = offset;
            Ok(())
        })
    }

    /// Answers a request, after the latency that the settings ask for.
    pub(crate) async fn handle(&self, request: http::Request<Bytes>) -> Result<Answer, Broken> {
        let latency = self
            .index()
            .map(|index| index.settings.latency)
            .unwrap_or_default();
        if !latency.is_zero() {
            self.0.base.wait(latency).await;
        }
        super::dispatch::answer(self, request)
    }

    /// Adds a fault.
    pub(crate) fn inject(&self, fault: Fault) -> Result<(), StateError> {
        self.transact(|held, _| {
            held.index.faults.push(fault);
            Ok(())
        })
    }

    /// Carries out a word of a rehearsal's script: adds the fault or changes the setting.
    pub(crate) fn direct(&self, directive: Directive) -> Result<(), StateError> {
        match directive {
            Directive::Fault(fault) => self.inject(fault),
            setting => self.configure(|settings| setting.set(settings)),
        }
    }

    /// Removes all faults; settings stay.
    #[cfg(test)]
    pub(crate) fn clear_faults(&self) -> Result<(), StateError> {
        self.transact(|held, _| {
            held.index.faults.clear();
            Ok(())
        })
    }

    /// Changes the settings.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut Settings)) -> Result<(), StateError> {
        self.transact(|held, _| {
            change(&mut held.index.settings);
            Ok(())
        })
    }

    /// The settings.
    pub(crate) fn settings(&self) -> Result<Settings, StateError> {
        Ok(self.index()?.settings)
    }

    /// How many calls were received since the last reset, by `service.Operation`.
    #[cfg(test)]
    pub(crate) fn calls(&self) -> Result<BTreeMap<String, u64>, StateError> {
        Ok(self.index()?.calls)
    }

    /// Asks every edge to decide on `request`, as of the cloud's time; edges that have not heard of
    /// the distribution are left out.
    pub(crate) fn ask_edges(
        &self,
        distribution: &str,
        request: &ViewerRequest,
    ) -> Result<Vec<(&'static str, Decision)>, StateError> {
        let base = self.0.base.now();
        self.transact(|held, folder| {
            let Held {
                index,
                cloudfront,
                stores,
                waf,
                ..
            } = held;
            let now = shifted(base, index.offset);
            let sources = Sources {
                cloudfront: cloudfront.read(folder, index)?,
                stores: stores.read(folder, index)?,
                waf: waf.read(folder, index)?,
                rollout: index.settings.rollout,
                now,
            };
            let request = ViewerRequest {
                now,
                ..request.clone()
            };
            Ok(EDGES
                .into_iter()
                .filter_map(|edge| {
                    let view = sources.view(distribution, edge, &request)?;
                    Some((edge.name, decide(&view, &request)))
                })
                .collect())
        })
    }

    /// What the cloud holds, in summary.
    pub(crate) fn show(&self) -> Result<Snapshot, StateError> {
        let base = self.0.base.now();
        self.transact(|held, folder| {
            let Held {
                index,
                cloudfront,
                stores,
                waf,
                ..
            } = held;
            let now = shifted(base, index.offset);
            let cloudfront: &CloudFront = cloudfront.read(folder, index)?;
            let waf: &Waf = waf.read(folder, index)?;
            Ok(Snapshot {
                account: index.account.clone(),
                now,
                distributions: cloudfront
                    .distribution_ids()
                    .filter_map(|id| {
                        let (kind, countries, web_acl) =
                            cloudfront.edge_geo(id, EDGES[0].fraction, now)?;
                        Some(DistributionSummary {
                            id: id.to_owned(),
                            geo: kind,
                            countries: countries.into_iter().collect(),
                            web_acl,
                        })
                    })
                    .collect(),
                web_acls: waf.web_acl_capacities(),
                ip_sets: waf.set_sizes(),
                stores: stores
                    .read(folder, index)?
                    .counts()
                    .map(|(arn, count)| (arn.to_owned(), count))
                    .collect(),
                settings: index.settings.clone(),
                faults: index.faults.iter().map(ToString::to_string).collect(),
                calls: index.calls.clone(),
            })
        })
    }

    /// Runs `work` on the state, alone among all processes.
    pub(super) fn transact<R>(
        &self,
        work: impl FnOnce(&mut Held, &Path) -> Result<R, StateError>,
    ) -> Result<R, StateError> {
        // A panic inside a transaction leaves nothing half done: it commits at its end.
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.transact(work)
    }

    /// The same with an error of one's own.
    pub(super) fn transact_or<R, E: From<StateError>>(
        &self,
        work: impl FnOnce(&mut Held, &Path) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.transact(work)
    }

    /// The process's clock, without this cloud's offset.
    pub(super) fn base(&self) -> &Clock {
        &self.0.base
    }

    fn index(&self) -> Result<Index, StateError> {
        if self.0.folder.as_os_str().is_empty() {
            let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(index) = state.index_in_memory() {
                return Ok(index.clone());
            }
        }
        State::index(&self.0.folder)
    }
}

/// What the cloud holds, in summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Snapshot {
    /// Empty until seeded.
    pub(crate) account: String,
    pub(crate) now: Timestamp,
    pub(crate) distributions: Vec<DistributionSummary>,
    /// WCU by name.
    pub(crate) web_acls: BTreeMap<String, u64>,
    /// Addresses by name.
    pub(crate) ip_sets: BTreeMap<String, usize>,
    /// Items by ARN.
    pub(crate) stores: BTreeMap<String, usize>,
    pub(crate) settings: Settings,
    /// In the words that ask for them.
    pub(crate) faults: Vec<String>,
    /// Calls received by `service.Operation`.
    pub(crate) calls: BTreeMap<String, u64>,
}

/// A distribution, as its first edge has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct DistributionSummary {
    pub(crate) id: String,
    pub(crate) geo: GeoKind,
    pub(crate) countries: Vec<String>,
    /// The ARN.
    pub(crate) web_acl: Option<String>,
}

/// The cloud's time when the process's clock shows `base`.
pub(super) fn shifted(base: Timestamp, offset: SignedDuration) -> Timestamp {
    base.saturating_add(offset).unwrap_or(base)
}

/// Replaces everything in `held` by what the seed says.
fn plant(held: &mut Held, seed: &Seed, reset: &Reset, base: Timestamp) {
    let now = reset.at.unwrap_or(base);
    let account = seed.account.as_str();
    let mut waf = Waf::default();
    for set in &seed.ip_sets {
        waf.seed_ip_set(account, set);
    }
    for acl in &seed.web_acls {
        waf.seed_web_acl(account, acl);
    }
    let mut cloudfront = CloudFront::default();
    let mut stores = Stores::default();
    for store in &seed.stores {
        cloudfront.seed_store(account, store, now, &mut stores);
    }
    for function in &seed.functions {
        cloudfront.seed_function(account, function, now);
    }
    for distribution in &seed.distributions {
        cloudfront.seed_distribution(account, distribution, now);
    }
    let mut acm = acm::State::default();
    for distribution in seed
        .distributions
        .iter()
        .filter(|one| !one.aliases.is_empty())
    {
        let arn = distribution.certificate_arn(account);
        acm.seed(&arn, &distribution.aliases, now);
    }
    let mut iam = iam::State::default();
    iam.seed_role(account, sts::ROLE, "ec2.amazonaws.com");
    for role in &seed.roles {
        iam.seed_role(account, role, "cloudfront.amazonaws.com");
    }
    let mut buckets = s3::State::default();
    for bucket in &seed.buckets {
        buckets.plant(&bucket.name, &bucket.region, now);
    }
    held.clear();
    held.acm.replace(acm, &held.index);
    held.iam.replace(iam, &held.index);
    account.clone_into(&mut held.index.account);
    held.index.offset = now.duration_since(base);
    held.index.settings = reset.settings.clone();
    held.cloudfront.replace(cloudfront, &held.index);
    held.stores.replace(stores, &held.index);
    held.waf.replace(waf, &held.index);
    held.samples.replace(Samples::default(), &held.index);
    held.s3.replace(buckets, &held.index);
    held.cloudwatch
        .replace(cloudwatch::State::about(seed.audience.clone()), &held.index);
    plant_media(held, &seed.media);
}

/// Replaces the live workflow by a healthy one.
fn plant_media(held: &mut Held, seed: &SeedMedia) {
    let mut mediaconnect = mediaconnect::State::default();
    for flow in &seed.flows {
        mediaconnect.seed(flow, &seed.event, seed.doors);
    }
    let mut medialive = medialive::State::default();
    medialive.seed(seed);
    let mut mediapackage = mediapackage::State::default();
    mediapackage.seed(seed);
    let mut mediatailor = mediatailor::State::default();
    mediatailor.seed(seed);
    held.mediaconnect.replace(mediaconnect, &held.index);
    held.medialive.replace(medialive, &held.index);
    held.mediapackage.replace(mediapackage, &held.index);
    held.mediatailor.replace(mediatailor, &held.index);
    held.origin.replace(origin::State::new(seed), &held.index);
}
