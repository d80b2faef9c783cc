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
    use parquet::file::properties::{EnabledStatistics, WriterProperties};
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
    // A column's values lie one behind the other, and each is a slice of them.
    let mut texts: Vec<(Vec<u8>, Vec<usize>)> = vec![(Vec::new(), vec![0]); fields.len()];
    for request in requests {
        for (field, (text, ends)) in fields.iter().zip(&mut texts) {
            onair_audience::write_value(text, *field, &request, Log::Standard);
            ends.push(text.len());
        }
    }
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let mut rest = texts.into_iter();
    while let Some(mut column) = group.next_column()? {
        let (text, ends) = rest.next().unwrap_or_default();
        let text = bytes::Bytes::from(text);
        let slices = ends.windows(2).map(|pair| text.slice(pair[0]..pair[1]));
        let values: Vec<ByteArray> = slices.map(ByteArray::from).collect();
        column
            .typed::<ByteArrayType>()
            .write_batch(&values, None, None)?;
        column.close()?;
    }
    group.close()?;
    writer.into_inner()
}

#[cfg(all(test, feature = "engine"))]
mod tests {
    use onair_audience::{Scene, VERSION_TWO};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;

    #[test]
    fn a_file_has_a_text_for_each_field_of_each_request() {
        let scene = Scene::example(1, 24);
        let minute = Scene::minute_of(scene.starts);
        let requests: Vec<_> = scene.minute(minute, "E1CUPFINAL0001").collect();
        let bytes = file(&VERSION_TWO, requests.iter().copied());
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let columns = reader
            .metadata()
            .file_metadata()
            .schema_descr()
            .columns()
            .to_vec();
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        assert_eq!(
            (names.len(), names[0], names[10], names[33]),
            (40, "date", "cs_user_agent", "timestamp_ms")
        );
        let rows: Vec<_> = reader
            .get_row_iter(None)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(rows.len(), requests.len());
        for (row, request) in rows.iter().zip(&requests) {
            assert_eq!(row.get_string(4).unwrap(), &request.address.to_string());
            assert_eq!(row.get_string(3).unwrap(), &request.bytes.to_string());
        }
    }
}
