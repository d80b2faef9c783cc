//! The account of a fresh rehearsal: what the runbook presumes, brought up by `provision`'s own code.
//!
//! All of that happens in memory, at no pace and without roll-outs; then it is put in place whole, so
//! that no other process sees half of it.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::cloud::{Approved, Cloud, CloudError, ConnectOptions, Target};
use crate::context::sandbox_failure;
use crate::error::Failure;
use crate::ledger::body::{Body, Made, Seeded};
use crate::ledger::{self, Ledger, Store};
use crate::observe::ObserveError;
use crate::provision::{self, Choice, Scene};
use crate::runbook::Runbook;
use crate::sandbox::service::Rollout;
use crate::sandbox::{Reset, Sandbox, Settings};

/// Who stands in the ledger for what nobody of the crew did.
const OPERATOR: &str = "onair";

/// How long the store may take to become ready, and how often it is asked meanwhile.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(250);

/// An account in memory that holds everything the runbook asks for, and what was made for that.
pub(super) async fn account(
    runbook: &Runbook,
    reset: &Reset,
    world: &Clock,
) -> Result<(Sandbox, Vec<Made>), Failure> {
    let failed = |error: crate::sandbox::StateError| sandbox_failure(&error);
    let draft = Sandbox::in_memory(world.clone());
    let quiet = Reset {
        at: reset.at,
        settings: Settings {
            rates: false,
            rollout: Rollout::IMMEDIATE,
            ..Settings::default()
        },
    };
    draft
        .reset(&super::sandbox::seed_to_provision(runbook), &quiet)
        .map_err(failed)?;
    let clock = world.shifted_by(draft.offset().map_err(failed)?);
    let mut connect = ConnectOptions::new(Target::Rehearsal);
    connect.region = Some(runbook.aws.region.clone());
    connect.http_client = Some(draft.http_client());
    connect.attempts = 1;
    let cloud = Cloud::connect(connect, clock.clone()).await?;
    let scene = Scene::unattended(runbook, &cloud, &clock);
    let parts = provision::all();
    let steps = provision::plan(&scene, &parts, &Choice::default())
        .await
        .map_err(|error| super::provision::failure(&error, false))?;
    // An account in this process's memory: there is nobody to ask.
    let approved = Approved::by_confirmation();
    let applied = provision::apply(&scene, &parts, &steps, &approved, &|_| {}).await;
    if let Some(error) = applied.errors.first() {
        return Err(super::provision::failure(error, false)
            .hint("what the runbook presumes alone: onair sandbox reset --bare"));
    }
    put_keys_in(runbook, &cloud, &approved, &clock).await?;
    Ok((draft, applied.made))
}

/// Puts made-up signing keys in the store, as `token keys add` would: `provision` makes it empty, and
/// the gate lets nobody in without them. A store that was given any is left alone, so that each run may
/// ask for it. For rehearsals alone: a real event's keys are its crew's.
pub(super) async fn put_keys_in(
    runbook: &Runbook,
    cloud: &Cloud,
    approved: &Approved,
    clock: &Clock,
) -> Result<(), Failure> {
    let Some(tokens) = &runbook.tokens else {
        return Ok(());
    };
    let items = super::sandbox::rehearsal_items(runbook, clock.now());
    let names: Vec<String> = items.keys().cloned().collect();
    let puts: Vec<(String, String)> = items.into_iter().collect();
    let until = clock.now().saturating_add(LONGEST_WAIT);
    let until = until.unwrap_or(Timestamp::MAX);
    loop {
        let tried = async {
            let found = crate::observe::find_store(cloud, &tokens.store).await?;
            let store = crate::observe::store(cloud, &found.arn, &names).await?;
            if names.iter().any(|name| store.values.contains_key(name)) {
                return Ok(());
            }
            cloud
                .update_store(approved, &found.arn, &store.etag, &puts, &[])
                .await?;
            Ok::<_, ObserveError>(())
        };
        match tried.await {
            Ok(()) | Err(ObserveError::NoSuchStore(_)) => return Ok(()),
            // A colleague's run writes, too, or the store they made is not ready yet.
            Err(ObserveError::Cloud(CloudError::Conflict { .. })) if clock.now() < until => {
                clock.wait(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Puts a fresh account in place where there is none yet, and says in the rehearsal's ledger what in it
/// is ours.
pub(super) async fn settle(
    sandbox: &Sandbox,
    runbook: &Runbook,
    folder: &Path,
    reset: &Reset,
    world: &Clock,
    anew: bool,
) -> Result<(), Failure> {
    let failed = |error: crate::sandbox::StateError| sandbox_failure(&error);
    let (draft, made) = account(runbook, reset, world).await?;
    let is_ours = sandbox
        .put_in_place(&draft, &reset.settings, anew)
        .map_err(failed)?;
    if is_ours {
        let offset = sandbox.offset().map_err(failed)?;
        note(runbook, folder, made, world.shifted_by(offset)).await?;
    }
    Ok(())
}

async fn note(
    runbook: &Runbook,
    folder: &Path,
    made: Vec<Made>,
    clock: Clock,
) -> Result<(), Failure> {
    let ledger: Ledger<Body> = Ledger::open(ledger::Options {
        store: Store::folder(&folder.join("ledger")),
        cache: None,
        spool: folder.join("spool"),
        event: runbook.event.id.to_string(),
        operator: OPERATOR.to_owned(),
        target: "rehearsal".to_owned(),
        clock,
    });
    ledger
        .append(Body::Seeded(Seeded { made }))
        .await
        .map_err(|error| {
            Failure::failed("ledger.write", "write to the rehearsal's ledger").caused_by(&error)
        })?;
    Ok(())
}
