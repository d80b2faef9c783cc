//! Key value stores as the control plane knows them: their names. What they hold is in
//! `crate::sandbox::keyvaluestore`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::CloudFront;
use super::answers::{self, Refusal};
use super::config;
use super::distributions::time;
use super::document::tag;
use super::etag::ETag;
use super::paging::Page;
use super::routes::query;
use super::tags;
use crate::sandbox::keyvaluestore::Stores;
use crate::sandbox::seed::uuid;
use crate::sandbox::service::{Answer, Call};

/// Stores of an account (CloudFront Developer Guide, "Quotas").
const MOST_STORES: usize = 50;
/// Characters of a store's or function's name, and of a store's comment (service model).
const LONGEST_NAME: usize = 64;
const LONGEST_COMMENT: usize = 128;

/// A store by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeyValueStore {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) comment: String,
    /// The control plane's; the data plane has another.
    pub(crate) etag: ETag,
    pub(crate) modified: Timestamp,
}

impl KeyValueStore {
    fn content(&self, stores: &Stores, now: Timestamp) -> String {
        [
            tag("Name", &self.name),
            tag("Id", &self.id),
            tag("Comment", &self.comment),
            tag("ARN", &self.arn),
            tag("Status", self.status(stores, now)),
            tag("LastModifiedTime", &time(self.modified)),
        ]
        .concat()
    }

    fn status(&self, stores: &Stores, now: Timestamp) -> &'static str {
        if stores.is_ready(&self.arn, now) {
            "READY"
        } else {
            "PROVISIONING"
        }
    }
}

/// Checks the name of a function or a store.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let is_valid = (1..=LONGEST_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if is_valid {
        Ok(())
    } else {
        Err(Refusal::invalid_argument(format!(
            "The name {name:?} is not valid."
        )))
    }
}

fn check_comment(comment: &str) -> Result<(), Refusal> {
    if comment.chars().count() > LONGEST_COMMENT {
        return Err(Refusal::invalid_argument(
            "The parameter Comment is too long.",
        ));
    }
    Ok(())
}

fn not_found(name: &str) -> Refusal {
    Refusal::new(
        "EntityNotFound",
        format!("The key value store {name} was not found."),
    )
}

impl CloudFront {
    pub(super) fn create_store(
        &mut self,
        call: &Call<'_>,
        stores: &mut Stores,
    ) -> Result<Answer, Refusal> {
        let (_, request) = config::parse(call.body, "CreateKeyValueStoreRequest")?;
        let name = request
            .text_of("Name")
            .ok_or_else(|| Refusal::missing("Name"))?;
        check_name(name)?;
        let comment = request.text_of("Comment").unwrap_or_default();
        check_comment(comment)?;
        if request.child("ImportSource").is_some() {
            return Err(Refusal::new(
                "UnsupportedOperation",
                "Import from S3 is not supported here.",
            ));
        }
        let tags = request.child("Tags").map(tags::parse).transpose()?;
        if self.stores.contains_key(name) {
            return Err(Refusal::new(
                "EntityAlreadyExists",
                "A key value store of this name already exists.",
            ));
        }
        if self.stores.len() >= MOST_STORES {
            return Err(Refusal::new(
                "EntityLimitExceeded",
                "The account has as many key value stores as it can have.",
            ));
        }
        let sequence = self.next();
        let id = uuid(
            "store",
            call.account,
            &format!("{name}/{sequence}/{}", call.now),
        );
        let arn = format!("arn:aws:cloudfront::{}:key-value-store/{id}", call.account);
        stores.create(&arn, call.now, call.rollout.store);
        let store = KeyValueStore {
            name: name.to_owned(),
            id,
            comment: comment.to_owned(),
            etag: ETag::first(&arn, sequence),
            arn: arn.clone(),
            modified: call.now,
        };
        let document = answers::rooted("KeyValueStore", &store.content(stores, call.now));
        let created = answers::created(call, document, &format!("key-value-store/{name}"));
        let created = answers::with_etag(created, store.etag.current());
        self.stores.insert(name.to_owned(), store);
        self.tags.extend(tags.map(|tags| (arn, tags)));
        Ok(created)
    }

    fn store(&self, name: &str) -> Result<&KeyValueStore, Refusal> {
        self.stores.get(name).ok_or_else(|| not_found(name))
    }

    pub(super) fn describe_store(
        &self,
        call: &Call<'_>,
        name: &str,
        stores: &Stores,
    ) -> Result<Answer, Refusal> {
        let store = self.store(name)?;
        let document = answers::rooted("KeyValueStore", &store.content(stores, call.now));
        let found = answers::found(call, document);
        Ok(answers::with_etag(found, store.etag.current()))
    }

    pub(super) fn update_store(
        &mut self,
        call: &Call<'_>,
        name: &str,
        stores: &Stores,
    ) -> Result<Answer, Refusal> {
        self.store(name)?.etag.check(call)?;
        let (_, request) = config::parse(call.body, "UpdateKeyValueStoreRequest")?;
        let comment = request
            .text_of("Comment")
            .ok_or_else(|| Refusal::missing("Comment"))?;
        check_comment(comment)?;
        let sequence = self.next();
        let store = self.stores.get_mut(name).ok_or_else(|| not_found(name))?;
        comment.clone_into(&mut store.comment);
        store.modified = call.now;
        store.etag.advance(&store.arn, sequence);
        let document = answers::rooted("KeyValueStore", &store.content(stores, call.now));
        let changed = answers::changed(call, document);
        Ok(answers::with_etag(changed, store.etag.current()))
    }

    pub(super) fn delete_store(
        &mut self,
        call: &Call<'_>,
        name: &str,
        stores: &mut Stores,
    ) -> Result<Answer, Refusal> {
        let store = self.store(name)?;
        store.etag.check(call)?;
        if self.readers_of(&store.arn).next().is_some() || !stores.is_ready(&store.arn, call.now) {
            return Err(Refusal::new(
                "CannotDeleteEntityWhileInUse",
                "The key value store is associated with a function, or is not ready yet.",
            ));
        }
        let arn = store.arn.clone();
        stores.remove(&arn);
        self.tags.remove(&arn);
        self.stores.remove(name);
        Ok(answers::emptied(call))
    }

    pub(super) fn list_stores(&self, call: &Call<'_>, stores: &Stores) -> Result<Answer, Refusal> {
        let page = Page::of(call)?;
        let wanted = query(call, "Status");
        let of_status = self.stores.values().filter(|store| {
            wanted
                .as_deref()
                .is_none_or(|status| status == store.status(stores, call.now))
        });
        let (shown, next) = page.take(of_status, |store| &store.name);
        let items: Vec<String> = shown
            .into_iter()
            .map(|store| {
                let content = store.content(stores, call.now);
                format!("<KeyValueStore>{content}</KeyValueStore>")
            })
            .collect();
        Ok(answers::found(
            call,
            answers::listed("KeyValueStoreList", &page, next.as_deref(), &items),
        ))
    }
}

#[cfg(test)]
mod tests {
    use crate::sandbox::cloudfront::tests::{Account, etag, outcome, request, root, text};
    use crate::sandbox::service::{Delay, Rollout};

    fn create(account: &Account, name: &str) -> String {
        let body = request(
            "CreateKeyValueStoreRequest",
            &format!("<Name>{name}</Name><Comment>a &lt; b</Comment>"),
        );
        outcome(&account.send("POST", "key-value-store", "", &body)).1
    }

    #[test]
    fn a_store_is_made_described_and_deleted() {
        let account = Account::empty();
        assert_eq!(create(&account, "one"), "");
        assert_eq!(create(&account, "one"), "EntityAlreadyExists");
        let described = account.get("key-value-store/one");
        let store = root(&described);
        assert_eq!(store.text_of("Comment"), Some("a < b"));
        assert_eq!(store.text_of("Status"), Some("READY"));
        let arn = store.text_of("ARN").unwrap();
        assert!(account.stores.borrow().is_ready(arn, account.now()));
        let update = request("UpdateKeyValueStoreRequest", "<Comment>new</Comment>");
        let old = etag(&described);
        let updated = account.send("PUT", "key-value-store/one", &old, &update);
        assert_eq!(root(&updated).text_of("Comment"), Some("new"));
        let stale = account.send("DELETE", "key-value-store/one", &old, "");
        assert_eq!(outcome(&stale), (412, "PreconditionFailed".to_owned()));
        let deleted = account.send("DELETE", "key-value-store/one", &etag(&updated), "");
        assert_eq!(outcome(&deleted), (204, String::new()));
        assert!(!account.stores.borrow().is_ready(arn, account.now()));
        let gone = account.get("key-value-store/one");
        assert_eq!(outcome(&gone), (404, "EntityNotFound".to_owned()));
    }

    #[test]
    fn a_store_takes_time_to_be_ready() {
        let mut account = Account::empty();
        account.rollout = Rollout {
            store: Delay::seconds(5, 10),
            ..Rollout::IMMEDIATE
        };
        create(&account, "one");
        let status = || {
            let described = account.get("key-value-store/one");
            root(&described).text_of("Status").unwrap().to_owned()
        };
        account.pass(14);
        assert_eq!(status(), "PROVISIONING");
        account.pass(1);
        assert_eq!(status(), "READY");
    }

    #[test]
    fn an_account_has_fifty_stores() {
        let account = Account::empty();
        for number in 0..50 {
            assert_eq!(create(&account, &format!("s{number}")), "");
        }
        assert_eq!(create(&account, "s50"), "EntityLimitExceeded");
        let list = account.get("key-value-store?MaxItems=20&Status=READY");
        assert_eq!(root(&list).items().len(), 20);
        assert!(text(&list).contains("<NextMarker>"));
    }
}
