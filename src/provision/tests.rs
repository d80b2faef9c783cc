//! Provisioning against the embedded cloud in memory: converges, tells a hand edit, touches nothing
//! foreign, and leaves what it did not make.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;

use super::{
    Action, Applied, Choice, Part, PartError, Scene, Step, all, apply, find, plan, take_down,
};
use crate::clock::Clock;
use crate::cloud::{Approved, Cloud, ConnectOptions, Target};
use crate::ledger::body::{Body, Seeded};
use crate::ledger::entry::{Draft, EntryId, FORMAT, RunId};
use crate::ledger::view::View;
use crate::runbook::Runbook;
use crate::sandbox::service::Rollout;
use crate::sandbox::{Reset, Sandbox, Settings};

const MAIN: &str = "E1CUPFINAL0001";

struct Account {
    runbook: Runbook,
    sandbox: Sandbox,
    clock: Clock,
    cloud: Cloud,
    parts: Vec<Box<dyn Part>>,
    view: View,
}

impl Account {
    /// What the runbook presumes, and nothing of ours.
    async fn bare() -> Self {
        let path = Path::new("runbooks/cup-final.toml");
        let runbook = crate::runbook::load(path)
            .expect("the worked runbook loads")
            .runbook;
        let clock = Clock::manual("2026-06-13T17:00:00Z".parse::<Timestamp>().unwrap());
        let sandbox = Sandbox::in_memory(clock.clone());
        let reset = Reset {
            at: None,
            settings: Settings {
                rates: false,
                rollout: Rollout::IMMEDIATE,
                ..Settings::default()
            },
        };
        sandbox
            .reset(&crate::commands::sandbox::seed(&runbook, true), &reset)
            .unwrap();
        let mut connect = ConnectOptions::new(Target::Rehearsal);
        connect.http_client = Some(sandbox.http_client());
        connect.attempts = 1;
        connect.region = Some(runbook.aws.region.clone());
        let cloud = Cloud::connect(connect, clock.clone()).await.unwrap();
        Self {
            runbook,
            sandbox,
            clock,
            cloud,
            parts: all(),
            view: View::default(),
        }
    }

    fn scene(&self) -> Scene<'_> {
        let mut scene = Scene::unattended(&self.runbook, &self.cloud, &self.clock);
        scene.view = self.view.clone();
        scene
    }

    async fn plan(&self) -> Vec<Step> {
        plan(&self.scene(), &self.parts, &Choice::default())
            .await
            .unwrap()
    }

    async fn pending(&self) -> Vec<Step> {
        let mut steps = self.plan().await;
        steps.retain(|step| step.action != Action::Keep);
        steps
    }

    /// Carries the plan out and remembers what was made, as the ledger would.
    async fn provision(&mut self) -> Applied {
        let steps = self.plan().await;
        let applied = {
            let scene = self.scene();
            apply(
                &scene,
                &self.parts,
                &steps,
                &Approved::by_confirmation(),
                &|_| {},
            )
            .await
        };
        let draft = Draft {
            format: FORMAT,
            id: EntryId::new(self.clock.now(), None),
            at: self.clock.now(),
            event: String::new(),
            operator: "onair".to_owned(),
            target: "rehearsal".to_owned(),
            run: RunId::new(self.clock.now()),
            sequence: 0,
            previous: None,
            heads: Vec::new(),
            body: Body::Seeded(Seeded {
                made: applied.made.clone(),
            }),
        };
        let (entry, _) = draft.seal().unwrap();
        self.view = View::build(
            [std::sync::Arc::new(entry)],
            &HashMap::new(),
            &HashSet::new(),
        );
        applied
    }

    async fn bytes(&self, id: &str) -> Vec<u8> {
        let read = self.cloud.distribution_document(id).await.unwrap();
        read.value.bytes().to_vec()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_bare_account_is_brought_up_once_and_then_kept() {
    let mut account = Account::bare().await;
    let before = account.pending().await;
    assert!(before.iter().any(|step| step.action == Action::Create));
    assert!(
        before.iter().all(|step| step.action != Action::Refused),
        "{before:#?}"
    );
    let applied = account.provision().await;
    assert!(applied.errors.is_empty(), "{:?}", applied.errors);
    let after = account.pending().await;
    assert!(after.is_empty(), "{after:#?}");
    let made: HashSet<&str> = applied.made.iter().map(|made| made.kind.as_str()).collect();
    for kind in ["key-value-store", "function", "additional-metrics"] {
        assert!(made.contains(kind), "{made:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_hand_edit_is_exactly_the_difference() {
    let mut account = Account::bare().await;
    account.provision().await;
    let read = account.cloud.distribution_document(MAIN).await.unwrap();
    let edited = read.value.with_function(Some("*.m3u8"), None).unwrap();
    let approved = Approved::by_confirmation();
    account
        .cloud
        .update_distribution(&approved, MAIN, &edited, &read.version)
        .await
        .unwrap();
    let pending = account.pending().await;
    let [step] = pending.as_slice() else {
        panic!("{pending:#?}");
    };
    assert_eq!((step.kind, step.name.as_str()), ("distribution", MAIN));
    let fields: Vec<&str> = step.changes.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(
        fields,
        ["behaviors.*.m3u8.FunctionAssociations.viewer-request"]
    );
    account.provision().await;
    assert!(account.pending().await.is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn another_function_in_the_way_is_refused_and_left() {
    let account = Account::bare().await;
    let approved = Approved::by_confirmation();
    let foreign = crate::cloud::FunctionCode {
        name: "theirs".to_owned(),
        comment: String::new(),
        store: None,
        code: b"function handler(event) { return event.request; }".to_vec(),
    };
    let cloud = &account.cloud;
    let made = cloud
        .create_function(&approved, &foreign, &[])
        .await
        .unwrap();
    cloud
        .publish_function(&approved, "theirs", &made.version)
        .await
        .unwrap();
    let read = cloud.distribution_document(MAIN).await.unwrap();
    let edited = read
        .value
        .with_function(Some("*.m3u8"), Some(&made.value.arn))
        .unwrap();
    cloud
        .update_distribution(&approved, MAIN, &edited, &read.version)
        .await
        .unwrap();
    let pending = account.pending().await;
    let step = pending
        .iter()
        .find(|step| (step.kind, step.name.as_str()) == ("distribution", MAIN))
        .unwrap();
    assert_eq!(step.action, Action::Refused);
    assert!(step.note.as_deref().unwrap().contains("theirs"), "{step:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn what_moved_since_the_plan_stops_the_step() {
    let account = Account::bare().await;
    let steps = account.plan().await;
    let read = account.cloud.distribution_document(MAIN).await.unwrap();
    let edited = read
        .value
        .with_geo(&crate::cloud::GeoRestriction {
            kind: crate::cloud::GeoKind::Block,
            countries: vec!["KP".to_owned()],
        })
        .unwrap();
    let approved = Approved::by_confirmation();
    account
        .cloud
        .update_distribution(&approved, MAIN, &edited, &read.version)
        .await
        .unwrap();
    let scene = account.scene();
    let applied = apply(&scene, &account.parts, &steps, &approved, &|_| {}).await;
    assert!(
        matches!(applied.errors.as_slice(), [PartError::Moved { resource, .. }] if resource.contains(MAIN)),
        "{:?}",
        applied.errors
    );
    assert_eq!(account.bytes(MAIN).await, edited.bytes());
}

#[tokio::test(flavor = "current_thread")]
async fn teardown_restores_every_byte_and_removes_all_that_was_made() {
    let mut account = Account::bare().await;
    let before = account.bytes(MAIN).await;
    account.provision().await;
    assert_ne!(account.bytes(MAIN).await, before);
    let scene = account.scene();
    let found = find(&scene, &account.parts, &Choice::default())
        .await
        .unwrap();
    assert!(found.iter().all(|one| one.stays.is_none()), "{found:#?}");
    let approved = Approved::by_confirmation();
    let applied = take_down(&scene, &account.parts, &found, &approved, &|_| {}).await;
    assert!(applied.errors.is_empty(), "{:?}", applied.errors);
    let left = find(&account.scene(), &account.parts, &Choice::default())
        .await
        .unwrap();
    assert!(left.is_empty(), "{left:#?}");
    assert_eq!(account.bytes(MAIN).await, before);
}

#[tokio::test(flavor = "current_thread")]
async fn what_the_ledger_does_not_know_stays() {
    let mut account = Account::bare().await;
    account.provision().await;
    account.view = View::default();
    let found = find(&account.scene(), &account.parts, &Choice::default())
        .await
        .unwrap();
    assert!(!found.is_empty());
    assert!(found.iter().all(|one| one.stays.is_some()), "{found:#?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_lost_answer_is_looked_for() {
    let mut account = Account::bare().await;
    for operation in [
        "CreateKeyValueStore",
        "CreateFunction",
        "UpdateDistribution",
    ] {
        let fault = format!("lost-answer:cloudfront.{operation}");
        account.sandbox.direct(fault.parse().unwrap()).unwrap();
    }
    let applied = account.provision().await;
    assert!(applied.errors.is_empty(), "{:?}", applied.errors);
    let made: HashSet<&str> = applied.made.iter().map(|made| made.kind.as_str()).collect();
    assert!(
        made.contains("function") && made.contains("key-value-store"),
        "{made:?}"
    );
    assert!(account.pending().await.is_empty());
}
