//! Lists in pages: `Marker` and `MaxItems` in, `NextMarker` out.

use super::answers::Refusal;
use super::routes::query;
use crate::sandbox::service::Call;

/// The default and the most that one page holds.
const LARGEST_PAGE: usize = 100;

/// What page is asked for.
#[derive(Debug)]
pub(crate) struct Page {
    /// The last name of the page before; empty for the first.
    pub(crate) marker: String,
    pub(crate) max_items: usize,
}

impl Page {
    pub(crate) fn of(call: &Call<'_>) -> Result<Self, Refusal> {
        let max_items = match query(call, "MaxItems") {
            None => LARGEST_PAGE,
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|count| *count > 0)
                .ok_or_else(|| {
                    Refusal::invalid_argument(format!("The MaxItems value {text} is not valid."))
                })?
                .min(LARGEST_PAGE),
        };
        Ok(Self {
            marker: query(call, "Marker").unwrap_or_default(),
            max_items,
        })
    }

    /// Takes this page of `all`, which are in the order of `name`; with the marker of the next one.
    pub(crate) fn take<'a, T>(
        &self,
        all: impl Iterator<Item = &'a T>,
        name: impl Fn(&T) -> &str,
    ) -> (Vec<&'a T>, Option<String>) {
        let mut items: Vec<_> = all
            .filter(|item| name(item) > self.marker.as_str())
            .take(self.max_items + 1)
            .collect();
        let is_truncated = items.len() > self.max_items;
        items.truncate(self.max_items);
        let next = items
            .last()
            .filter(|_| is_truncated)
            .map(|last| name(last).to_owned());
        (items, next)
    }
}
