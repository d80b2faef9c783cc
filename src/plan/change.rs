//! A change as it is shown and confirmed: what is meant, what it does to each resource, what speaks
//! against it, how far-reaching it is.

use std::collections::BTreeSet;

use crate::event::cidr::{Cidr, Family};
use crate::ledger::body::{Asks, Drift, End, Intent, Kind, What};
use crate::ledger::view::View;

use super::guard::Finding;

/// What a command means to do, before it is held against the cloud.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) intent: Intent,
    /// The effect in words, one line each; the first is the headline.
    pub(crate) effect: Vec<String>,
    /// What is worth knowing and no reason to stop.
    pub(crate) notes: Vec<String>,
    pub(crate) warnings: Vec<String>,
    /// Those of the warnings that say that viewers will not feel the change as things stand.
    pub(crate) unfelt: Vec<String>,
    pub(crate) findings: Vec<Finding>,
    /// 0, 1 or 2 (contract, section 8).
    pub(crate) level: u8,
    /// What level 2 asks to be typed; the first is shown.
    pub(crate) typed: Vec<String>,
    /// It takes a refusal away from everybody: at a terminal level 1 asks for what `typed` says, too.
    pub(crate) opens_a_door: bool,
    /// What the JSON answer says of the values, one object each.
    pub(crate) values: Vec<serde_json::Value>,
    /// Nothing at all to do, not even in the ledger, and why.
    pub(crate) nothing_to_do: Option<String>,
}

impl Draft {
    /// Warns that viewers will not feel the change: in the plan, and again beside the result.
    pub(crate) fn will_not_be_felt(&mut self, why: String) {
        self.warnings.push(why.clone());
        self.unfelt.push(why);
    }

    pub(crate) fn new(intent: Intent, headline: String) -> Self {
        Self {
            intent,
            effect: vec![headline],
            notes: Vec::new(),
            warnings: Vec::new(),
            unfelt: Vec::new(),
            findings: Vec::new(),
            level: 0,
            typed: Vec::new(),
            opens_a_door: false,
            values: Vec::new(),
            nothing_to_do: None,
        }
    }
}

/// An intent that asks for nothing yet.
pub(crate) fn empty_intent(
    command: &str,
    summary: &str,
    kind: Kind,
    deadline: jiff::Timestamp,
) -> Intent {
    Intent {
        command: command.to_owned(),
        summary: summary.to_owned(),
        reason: None,
        end: End::Never,
        deadline,
        overrides: Vec::new(),
        undoes: None,
        kind,
        opens: Asks::default(),
        closes: Vec::new(),
        takes: Drift::default(),
        gives: Drift::default(),
        merge: false,
        geo_reset: Vec::new(),
        makes: Vec::new(),
        removes: Vec::new(),
        window: None,
    }
}

/// The resources that an intent touches, by itself or through what it closes or takes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) families: BTreeSet<Family>,
    pub(crate) distributions: BTreeSet<String>,
    pub(crate) keys: BTreeSet<String>,
    /// Names of web ACLs of which a rule is moved.
    pub(crate) web_acls: BTreeSet<String>,
}

impl Touched {
    pub(crate) fn by(view: &View, intent: &Intent) -> Self {
        let mut touched = Self::default();
        touched.add(view, intent);
        touched
    }

    fn add(&mut self, view: &View, intent: &Intent) {
        self.add_asks(intent, &What::All);
        for prefix in intent.takes.prefixes.iter().chain(&intent.gives.prefixes) {
            self.families.insert(prefix.family());
        }
        for (key, _) in intent.takes.keys.iter().chain(&intent.gives.keys) {
            self.keys.insert(key.clone());
        }
        for reset in &intent.geo_reset {
            self.distributions.insert(reset.distribution.clone());
        }
        for part in &intent.closes {
            if let Some(target) = view.get(&part.entry) {
                self.add_asks(target.intent(), &part.what);
            }
        }
        if let Some(undone) = intent.undoes.as_ref().and_then(|id| view.get(id)) {
            self.add(view, undone.intent());
        }
    }

    fn add_asks(&mut self, intent: &Intent, what: &What) {
        match what {
            What::Prefixes(prefixes) => self
                .families
                .extend(prefixes.iter().map(|prefix| prefix.family())),
            What::All => self
                .families
                .extend(intent.opens.prefixes.iter().map(|prefix| prefix.family())),
            What::Countries(_) | What::Keys(_) => {}
        }
        for ask in &intent.opens.countries {
            let meant = match what {
                What::All => true,
                What::Countries(countries) => countries.contains(&ask.country),
                What::Prefixes(_) | What::Keys(_) => false,
            };
            if meant {
                self.distributions.insert(ask.distribution.clone());
            }
        }
        match what {
            What::Keys(keys) => self.keys.extend(keys.iter().cloned()),
            What::All => self.keys.extend(
                intent
                    .opens
                    .keys
                    .iter()
                    .map(|ask| ask.key.clone())
                    .chain(intent.opens.settings.iter().map(|ask| ask.key.clone())),
            ),
            What::Prefixes(_) | What::Countries(_) => {}
        }
        if matches!(what, What::All) {
            let acls = intent.opens.rules.iter().map(|ask| ask.web_acl.clone());
            self.web_acls.extend(acls);
        }
    }
}

/// The prefixes a list of texts names, for one line of text: `203.0.113.7/32 and 4 more`.
pub(crate) fn some_of(prefixes: &[Cidr]) -> String {
    match prefixes {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        [one, two] => format!("{one} and {two}"),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}
