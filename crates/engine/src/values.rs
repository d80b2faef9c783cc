//! Arrow's arrays as values of a result, and Arrow's types under Trino's names.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalUnit, TimeUnit, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::Result;
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, ToSpan};
use onair_logs::value::Value;

/// Trino's name of a type.
pub(crate) fn kind(of: &DataType) -> String {
    match of {
        DataType::Null => "unknown".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint".to_owned(),
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(_, None) => "timestamp(3)".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp(3) with time zone".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "interval day to second".to_owned(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "varbinary".to_owned(),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => format!("array({})", kind(field.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => format!(
                "map({}, {})",
                kind(fields[0].data_type()),
                kind(fields[1].data_type())
            ),
            other => kind(other),
        },
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{} {}", field.name(), kind(field.data_type())))
                .collect();
            format!("row({})", fields.join(", "))
        }
        DataType::Dictionary(_, inner) => kind(inner),
        DataType::RunEndEncoded(_, inner) => kind(inner.data_type()),
        _ => "varchar".to_owned(),
    }
}

/// A column of a batch as values.
///
/// # Errors
/// An array that Arrow cannot turn to its plainer form.
pub(crate) fn column(array: &ArrayRef) -> Result<Vec<Value>> {
    let plain = plainer(array)?;
    (0..plain.len()).map(|row| value(&plain, row)).collect()
}

/// Encodings of the same values brought to one.
fn plainer(array: &ArrayRef) -> Result<ArrayRef> {
    let to = match array.data_type() {
        DataType::Dictionary(_, inner) => inner.as_ref().clone(),
        DataType::RunEndEncoded(_, inner) => inner.data_type().clone(),
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => {
            DataType::BinaryView
        }
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, _) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => {
            DataType::Decimal128(38, *scale)
        }
        DataType::Decimal256(_, _) => DataType::Float64,
        _ => return Ok(array.clone()),
    };
    let plain = cast(array, &to)?;
    if matches!(to, DataType::Utf8View) || plain.data_type() == array.data_type() {
        return Ok(plain);
    }
    plainer(&plain)
}

fn value(array: &ArrayRef, row: usize) -> Result<Value> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => Value::Integer(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Value::Integer(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Value::Integer(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Value::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Value::Integer(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => Value::Integer(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => Value::Integer(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => unsigned(array.as_primitive::<UInt64Type>().value(row)),
        DataType::Float32 => Value::Double(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Value::Double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)
        }
        DataType::Date32 => Value::Date(
            Date::new(1970, 1, 1)
                .expect("a date that there is")
                .saturating_add(i64::from(array.as_primitive::<Date32Type>().value(row)).days()),
        ),
        DataType::Timestamp(_, _) => Value::Timestamp(moment(
            array.as_primitive::<TimestampMicrosecondType>().value(row),
        )),
        DataType::Utf8View => Value::Text(array.as_string_view().value(row).to_owned()),
        DataType::BinaryView => Value::Text(
            array
                .as_binary_view()
                .value(row)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<Vec<_>>()
                .join(" "),
        ),
        DataType::List(_) => Value::List(column(&array.as_list::<i32>().value(row))?),
        DataType::LargeList(_) => Value::List(column(&array.as_list::<i64>().value(row))?),
        DataType::ListView(_) => Value::List(column(&array.as_list_view::<i32>().value(row))?),
        DataType::LargeListView(_) => Value::List(column(&array.as_list_view::<i64>().value(row))?),
        DataType::FixedSizeList(_, _) => {
            Value::List(column(&array.as_fixed_size_list().value(row))?)
        }
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            Value::Map(
                column(entries.column(0))?
                    .into_iter()
                    .zip(column(entries.column(1))?)
                    .collect(),
            )
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct();
            let mut entries = Vec::with_capacity(fields.len());
            for (field, column) in fields.iter().zip(columns.columns()) {
                entries.push((
                    Value::Text(field.name().clone()),
                    value(&plainer(column)?, row)?,
                ));
            }
            Value::Map(entries)
        }
        _ => Value::Text(
            ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())?
                .value(row)
                .to_string(),
        ),
    })
}

fn unsigned(value: u64) -> Value {
    i64::try_from(value).map_or_else(
        // Beyond Trino's bigint: what row numbers and counts never reach.
        |_| Value::Text(value.to_string()),
        Value::Integer,
    )
}

/// A decimal as the nearest double.
fn decimal(value: i128, scale: i8) -> Value {
    let mut text = value.to_string();
    text.push('e');
    text.push_str(&(-i32::from(scale)).to_string());
    Value::Double(text.parse().unwrap_or(f64::NAN))
}

/// A moment; one that no calendar has becomes the nearest that there is.
fn moment(microseconds: i64) -> DateTime {
    let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    epoch.saturating_add(SignedDuration::from_micros(microseconds))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        DictionaryArray, Float64Array, Int32Array, ListArray, MapBuilder, StringArray,
        StringBuilder, StructArray, TimestampMillisecondArray, UInt64Array,
    };
    use datafusion::arrow::datatypes::{Field, Int32Type};

    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    #[test]
    fn nested_values_keep_their_nulls_and_their_order() {
        let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ]));
        assert_eq!(kind(list.data_type()), "array(integer)");
        assert_eq!(
            column(&list).unwrap(),
            [
                Value::List(vec![Value::Integer(1), Value::Null]),
                Value::Null,
                Value::List(vec![]),
            ]
        );

        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        map.keys().append_value("sid");
        map.values().append_value("\u{1b}[31m");
        map.append(true).unwrap();
        let map: ArrayRef = Arc::new(map.finish());
        assert_eq!(kind(map.data_type()), "map(varchar, varchar)");
        assert_eq!(
            column(&map).unwrap(),
            [Value::Map(vec![(text("sid"), text("\u{1b}[31m"))])]
        );

        let row: ArrayRef = Arc::new(StructArray::from(vec![(
            Arc::new(Field::new("a", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("x"), None])) as ArrayRef,
        )]));
        assert_eq!(kind(row.data_type()), "row(a varchar)");
        assert_eq!(
            column(&row).unwrap(),
            [
                Value::Map(vec![(text("a"), text("x"))]),
                Value::Map(vec![(text("a"), Value::Null)]),
            ]
        );
    }

    #[test]
    fn encodings_times_and_numbers_come_out_plain() {
        let coded: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::from_iter([
            Some("VIE50"),
            None,
            Some("VIE50"),
        ]));
        assert_eq!(kind(coded.data_type()), "varchar");
        assert_eq!(
            column(&coded).unwrap(),
            [text("VIE50"), Value::Null, text("VIE50")]
        );

        let at: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![-1, 1_781_456_400_250]));
        assert_eq!(kind(at.data_type()), "timestamp(3)");
        assert_eq!(
            column(&at).unwrap(),
            [
                Value::Timestamp("1969-12-31T23:59:59.999".parse().unwrap()),
                Value::Timestamp("2026-06-14T17:00:00.25".parse().unwrap()),
            ]
        );

        let numbers: ArrayRef = Arc::new(UInt64Array::from(vec![7, u64::MAX]));
        assert_eq!(
            column(&numbers).unwrap(),
            [Value::Integer(7), text("18446744073709551615")]
        );
        assert_eq!(decimal(12_345, 2), Value::Double(123.45));
        let doubles: ArrayRef = Arc::new(Float64Array::from(vec![0.1]));
        assert_eq!(column(&doubles).unwrap(), [Value::Double(0.1)]);
        let dates: ArrayRef = cast(&Int32Array::from(vec![20_618]), &DataType::Date32).unwrap();
        assert_eq!(
            column(&dates).unwrap(),
            [Value::Date(Date::constant(2026, 6, 14))]
        );
    }
}
