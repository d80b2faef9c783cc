//! Parquet objects of deliveries. Every column is a text, `-` where there is nothing, and named as in
//! CloudFront's own files.

use onair_audience::{Field, Request};

/// A file with the requests.
#[cfg(feature = "engine")]
pub(super) fn file<'a>(fields: &[Field], requests: impl Iterator<Item = Request<'a>>) -> Vec<u8> {
    write(fields, requests).expect("a vector takes all, and the columns are as long as each other")
}

/// The beginning and the end of a file: a build without the engine reads none.
#[cfg(not(feature = "engine"))]
pub(super) fn file<'a>(_: &[Field], _: impl Iterator<Item = Request<'a>>) -> Vec<u8> {
    b"PAR1PAR1".to_vec()
}

#[cfg(feature = "engine")]
fn write<'a>(
    fields: &[Field],
    requests: impl Iterator<Item = Request<'a>>,
) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    use std::sync::Arc;

    use onair_audience::Log;
    use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::types::Type;

    let columns = fields.iter().map(|field| {
        let name = crate::plan::log_table::column_name(field.name());
        Type::primitive_type_builder(&name, Physical::BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(LogicalType::String))
            .build()
            .map(Arc::new)
    });
    let schema = Type::group_type_builder("schema")
        .with_fields(columns.collect::<Result<_, _>>()?)
        .build()?;
    let mut values: Vec<Vec<ByteArray>> = vec![Vec::new(); fields.len()];
    let mut value = Vec::new();
    for request in requests {
        for (field, column) in fields.iter().zip(&mut values) {
            value.clear();
            onair_audience::write_value(&mut value, *field, &request, Log::Standard);
            column.push(ByteArray::from(value.clone()));
        }
    }
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let mut rest = values.iter();
    while let Some(mut column) = group.next_column()? {
        let values = rest.next().map_or(&[][..], Vec::as_slice);
        column
            .typed::<ByteArrayType>()
            .write_batch(values, None, None)?;
        column.close()?;
    }
    group.close()?;
    writer.into_inner()
}
