//! What the run's player has fetched: presentations share segments and playlists, and no address is
//! asked twice for the same.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};

use crate::cloud::fetch::{Fetch, Fetched};
use crate::cloud::{Cloud, CloudError};

/// An answer that several tours wait for.
type Pending = Shared<LocalBoxFuture<'static, Result<Rc<Fetched>, CloudError>>>;

/// Address and headers. They may hold a token: no `Debug`.
type Asked = (String, Vec<(String, String)>);

/// The player's memory of one run.
pub(crate) struct Fetches {
    cloud: Cloud,
    made: RefCell<HashMap<Asked, Pending>>,
}

impl Fetches {
    pub(super) fn new(cloud: Cloud) -> Self {
        Self {
            cloud,
            made: RefCell::default(),
        }
    }

    /// Fetches once; whoever asks for the same with the same headers has the same answer.
    pub(crate) async fn fetch(&self, fetch: Fetch) -> Result<Rc<Fetched>, CloudError> {
        let asked = (fetch.url.clone(), fetch.headers.clone());
        let known = self.made.borrow().get(&asked).cloned();
        let pending = known.unwrap_or_else(|| {
            let cloud = self.cloud.clone();
            let pending: Pending = async move { cloud.fetch(fetch).await.map(Rc::new) }
                .boxed_local()
                .shared();
            self.made.borrow_mut().insert(asked, pending.clone());
            pending
        });
        pending.await
    }
}
