//! Real-time logs in a bucket, as a delivery stream keeps them there: below `realtime/`, for every
//! table that is over such a place. A column is named as its field, so that the table says which
//! fields there are.

use jiff::{Timestamp, tz::TimeZone};
use onair_audience::{Field, Log, REALTIME};
use serde_json::Value;

use super::deliver::{Occasion, Slot, slots};
use super::{State, content};
use crate::plan::log_table::column_name;
use crate::sandbox::s3;
use crate::sandbox::seed::uuid;

/// A table over real-time logs.
struct Table {
    bucket: String,
    /// Without a slash at its end.
    folder: String,
    fields: Vec<Field>,
}

/// Writes what is due; says whether anything was written.
pub(super) fn deliver(state: &State, buckets: &mut s3::State, occasion: &Occasion<'_>) -> bool {
    let mut wrote = false;
    for table in tables(occasion) {
        for slot in slots(state, occasion, Timestamp::UNIX_EPOCH) {
            let key = key(&table.folder, slot);
            if !occasion.sees(&table.bucket, &key) || buckets.has_object(&table.bucket, &key) {
                continue;
            }
            let body = body(&table.fields, occasion, slot);
            wrote |= buckets.deliver(&table.bucket, &key, &body, slot.arrives);
        }
    }
    wrote
}

fn tables(occasion: &Occasion<'_>) -> Vec<Table> {
    let databases = occasion.catalog.regions.0.values().flatten();
    databases
        .flat_map(|(_, database)| database.tables.values())
        .filter_map(|table| read(&Value::Object(table.input.clone())))
        .collect()
}

fn read(table: &Value) -> Option<Table> {
    let descriptor = &table["StorageDescriptor"];
    let place = descriptor["Location"].as_str()?.strip_prefix("s3://")?;
    let (bucket, folder) = place.trim_end_matches('/').split_once('/')?;
    if !folder.starts_with("realtime/") {
        return None;
    }
    let columns = descriptor["Columns"].as_array()?.iter();
    let names = columns.filter_map(|column| column["Name"].as_str());
    let fields = names
        .filter_map(|name| {
            REALTIME
                .into_iter()
                .find(|one| column_name(one.name()) == name)
        })
        .collect();
    Some(Table {
        bucket: bucket.to_owned(),
        folder: folder.to_owned(),
        fields,
    })
}

fn key(folder: &str, slot: Slot) -> String {
    let begin = slot.begin().to_zoned(TimeZone::UTC);
    let hour = begin.strftime("%Y/%m/%d/%H");
    let stamp = begin.strftime("%Y-%m-%d-%H-%M-%S");
    let id = uuid("realtime object", folder, &slot.end.as_second().to_string());
    format!("{folder}/{hour}/realtime-1-{stamp}-{id}.gz")
}

/// Of all distributions, since one stream serves them.
fn body(fields: &[Field], occasion: &Occasion<'_>, slot: Slot) -> Vec<u8> {
    let mut text = Vec::new();
    for (distribution, _, _) in &occasion.scene.distributions {
        for request in content::requests(occasion.scene, distribution, slot) {
            onair_audience::write_line(&mut text, fields, "\t", &request, Log::Realtime);
        }
    }
    content::gzip(&text)
}
