//! What is in the objects of deliveries: the requests of a slot in the delivery's format and fields.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use onair_audience::{Field, Log, Request, Scene};

use super::Delivery;
use super::deliver::Slot;

/// The object of a slot.
pub(super) fn object(
    delivery: &Delivery,
    format: &str,
    scene: &Scene,
    distribution: &str,
    slot: Slot,
) -> Vec<u8> {
    let fields = fields(&delivery.fields);
    let scene = serving(scene, distribution);
    let requests = requests(&scene, distribution, slot);
    if format == "parquet" {
        return super::parquet::file(&fields, requests);
    }
    let mut text = Vec::new();
    if format == "w3c" {
        onair_audience::write_head(&mut text, &fields);
    }
    for request in requests {
        line(&mut text, delivery, format, &fields, &request);
    }
    gzip(&text)
}

/// Appends a request as the delivery writes it.
pub(super) fn line(
    text: &mut Vec<u8>,
    delivery: &Delivery,
    format: &str,
    fields: &[Field],
    request: &Request<'_>,
) {
    if format == "json" {
        onair_audience::write_json(text, fields, request);
    } else {
        let delimiter = delivery.delimiter.as_deref().unwrap_or("\t");
        onair_audience::write_line(text, fields, delimiter, request, Log::Standard);
    }
}

/// The fields of these names; the services have checked that there are such.
pub(super) fn fields(names: &[String]) -> Vec<Field> {
    names.iter().filter_map(|name| Field::named(name)).collect()
}

/// The requests of a slot, minute by minute.
pub(super) fn requests<'a>(
    scene: &'a Scene,
    distribution: &'a str,
    slot: Slot,
) -> impl Iterator<Item = Request<'a>> {
    slot.minutes()
        .flat_map(move |minute| scene.minute(minute, distribution))
}

/// The scene with a distribution that the event does not have: the probe alone asks it.
pub(super) fn serving(scene: &Scene, distribution: &str) -> Scene {
    let mut scene = scene.clone();
    if scene
        .distributions
        .iter()
        .all(|(id, _, _)| id != distribution)
    {
        let domain = format!("{}.example.com", distribution.to_lowercase());
        scene
            .distributions
            .push((distribution.to_owned(), domain, 0.0));
    }
    scene
}

/// As files are packed.
pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text).expect("a vector takes all");
    packed.finish().expect("a vector takes all")
}
