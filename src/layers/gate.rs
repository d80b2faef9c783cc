//! The event's gate as it stands: the function's code, run on a viewer's request with the items of its
//! store. The engine is the one of the embedded cloud's edges, so that `why` and the edges say the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::{Line, State, Viewer};
use crate::cloud::{Cloud, CloudError, FunctionStage};
use crate::edge::engine::Output;
use crate::edge::{
    self, EdgeView, FunctionAnswer, Layer, Verdict, ViewerRequest, engine, event, gate,
};
use crate::observe::{ObserveError, find_store};
use crate::runbook::{Runbook, TokenMode};
use crate::token::{keys_key, log_key_key, mode_key};

/// Keys that a function is given in one decision; ours asks for a dozen at most.
const MOST_KEYS: usize = 64;

/// The gate's code, and what of its store was read. Signing keys are among it: no `Debug`, no way out.
pub(crate) struct Gate {
    name: String,
    code: String,
    /// Which code that is, in words.
    source: String,
    store: String,
    /// By key; none: not in the store. `Err`: why nothing could be read.
    items: Result<BTreeMap<String, Option<String>>, String>,
}

/// What the gate did with a request.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) answer: FunctionAnswer,
    /// Which code was run, in words.
    pub(crate) source: String,
    /// Whether the path is the asker's; else it is a sample of the runbook's.
    pub(crate) is_path_known: bool,
}

/// The gate's part in a decision.
#[derive(Debug, Clone)]
pub(crate) enum Function {
    NotAsked(&'static str),
    CouldNotAsk(String),
    Answered(Answered),
}

impl Gate {
    /// Reads the live code, or makes it from the runbook, and the items that the gate always asks for,
    /// with `keys`. None without `[tokens]`.
    pub(crate) async fn read(cloud: &Cloud, runbook: &Runbook, keys: &[String]) -> Option<Self> {
        let tokens = runbook.tokens.as_ref()?;
        let event = runbook.event.id.as_str();
        let settings = [mode_key(event), keys_key(event), log_key_key(event)];
        let wanted = settings.into_iter().chain(keys.iter().cloned()).collect();
        let (live, items) = futures_util::join!(
            cloud.function_code(&tokens.function, FunctionStage::Live),
            fetch(cloud, &tokens.store, wanted)
        );
        let (code, source) = match live.map(String::from_utf8) {
            Ok(Ok(code)) => (code, "the live code".to_owned()),
            Ok(Err(_)) => (
                gate::render(runbook),
                "this runbook's code; the live one is no text".to_owned(),
            ),
            Err(error) => (
                gate::render(runbook),
                format!("this runbook's code; the live one could not be read: {error}"),
            ),
        };
        Some(Self {
            name: tokens.function.clone(),
            code,
            source,
            store: tokens.store.clone(),
            items: items.map_err(|error| error.to_string()),
        })
    }

    /// Runs the gate on a request at a distribution of this domain. What it asks for and was not read
    /// yet is read, and it is run again.
    pub(crate) async fn ask(
        &mut self,
        cloud: &Cloud,
        request: &ViewerRequest,
        domain: &str,
        is_path_known: bool,
    ) -> Function {
        let event = event::viewer_request(request, domain);
        let items = match &mut self.items {
            Ok(items) => items,
            Err(error) => return Function::CouldNotAsk(error.clone()),
        };
        while items.len() <= MOST_KEYS {
            let unread = RefCell::new(BTreeSet::new());
            let get = |key: &str| {
                items.get(key).cloned().ok_or_else(|| {
                    unread.borrow_mut().insert(key.to_owned());
                    "not read yet".to_owned()
                })
            };
            let ran = engine::run(&self.code, &event, &get, request.now);
            let unread = unread.into_inner();
            if unread.is_empty() {
                return Function::Answered(Answered {
                    answer: FunctionAnswer {
                        name: self.name.clone(),
                        ran,
                    },
                    source: self.source.clone(),
                    is_path_known,
                });
            }
            match fetch(cloud, &self.store, unread).await {
                Ok(read) => items.extend(read),
                Err(error) => return Function::CouldNotAsk(error.to_string()),
            }
        }
        Function::CouldNotAsk("the function asks for more keys than are read here".to_owned())
    }
}

async fn fetch(
    cloud: &Cloud,
    store: &str,
    keys: BTreeSet<String>,
) -> Result<BTreeMap<String, Option<String>>, ObserveError> {
    let found = find_store(cloud, store).await?;
    let read = keys.into_iter().take(MOST_KEYS).map(|key| async {
        let value = cloud.store_item(&found.arn, &key).await?;
        Ok::<_, CloudError>((key, value))
    });
    let mut items = BTreeMap::new();
    for read in join_all(read).await {
        let (key, value) = read?;
        items.insert(key, value);
    }
    Ok(items)
}

impl Function {
    /// Whether the gate says that the token is revoked; none where it did not come to that question.
    pub(super) fn says_revoked(&self) -> Option<bool> {
        let Self::Answered(answered) = self else {
            return None;
        };
        let answer = &answered.answer;
        let ran = answer.ran.as_ref().ok()?;
        let passes = answer.reason().is_none() && matches!(ran.output, Output::Request(_));
        (answer.is_revoked() || passes).then_some(!passes)
    }

    /// The gate's line in a decision.
    pub(super) fn line(&self, viewer: &Viewer) -> Line {
        let answered = match self {
            Self::NotAsked(why) => return Line::of(Layer::Function, State::NotEvaluated, why),
            Self::CouldNotAsk(why) => return Line::of(Layer::Function, State::CouldNotAsk, why),
            Self::Answered(answered) => answered,
        };
        let view = EdgeView {
            function: Some(answered.answer.clone()),
            ..EdgeView::default()
        };
        let decision = edge::decide(&view, &viewer.request);
        let Some(finding) = decision.of(Layer::Function).next() else {
            return Line::of(Layer::Function, State::NotEvaluated, "it was not asked");
        };
        let mut line = Line::from_finding(finding);
        if let Some(why) = depends(answered, viewer) {
            line.state = State::NotEvaluated;
            line.status = None;
            why.clone_into(&mut line.reason);
        } else if matches!(finding.verdict, Verdict::Allowed { .. })
            && viewer.mode == TokenMode::Off
        {
            "the mode is off: no token is looked at".clone_into(&mut line.reason);
        }
        line.reason = format!("{} ({})", line.reason, answered.source);
        line
    }
}

/// What the answer hangs on that is not known of the viewer.
fn depends(answered: &Answered, viewer: &Viewer) -> Option<&'static str> {
    let request = &viewer.request;
    match answered.answer.reason()? {
        "path" if !answered.is_path_known => {
            Some("the token is not for the runbook's sample path; a URL with it tells")
        }
        "network" if request.address.is_none() || viewer.prefix.is_some() => {
            Some("depends on the viewer's address (--address ADDRESS)")
        }
        "country" if request.country.is_none() => {
            Some("depends on the viewer's country (--country CODE)")
        }
        "state" | "metro" if request.region.is_none() && request.metro.is_none() => {
            Some("depends on the viewer's state or metro area, which is not known here")
        }
        "user-agent" if request.user_agent.is_none() => {
            Some("depends on the viewer's player, which is not known here")
        }
        _ => None,
    }
}
