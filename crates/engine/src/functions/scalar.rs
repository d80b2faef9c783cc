//! What all scalar functions of ours share: how arguments are coerced, rows read and results given
//! back, so that a function is its name, its parameters and what it does.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Float64Array, Int64Array, ListArray,
    StringViewArray,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// What a parameter takes. Like Trino, no number is taken for text or text for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// `varchar`, as a string view.
    Text,
    /// `varchar` that has to be a literal: it decides on the result's type.
    Literal,
    /// Any integer, as 64 bits.
    Bigint,
    /// Any number, as a `double`.
    Double,
    /// Any number, as it is.
    Number,
    /// `varbinary`.
    Binary,
    /// `timestamp`, with or without a zone, or `date`.
    Time,
    /// `array`.
    List,
    /// `map`.
    Map,
    /// `json`, which is [`JSON`], or text of it.
    Json,
    /// `ipaddress`, which is [`ADDRESS`].
    Address,
    /// Anything.
    Any,
}

use Takes::{Address, Any, Bigint, Binary, Double, Json, List, Literal, Map, Number, Text, Time};

/// Trino's `json`: text in a type that nothing else has here.
pub(super) const JSON: DataType = DataType::LargeUtf8;

/// Trino's `ipaddress`: an IPv6 address, or an IPv4 address mapped into one.
pub(super) const ADDRESS: DataType = DataType::FixedSizeBinary(16);

/// Trino's `timestamp(3)`.
pub(super) const MILLISECONDS: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

/// Trino's `timestamp(3) with time zone`, here always of one zone for a column.
pub(super) fn milliseconds_in(zone: &str) -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some(zone.into()))
}

/// `array(element)`.
pub(super) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

/// `map(key, value)`.
pub(super) fn map_of(key: DataType, value: DataType) -> DataType {
    DataType::Map(
        Arc::new(Field::new(
            "entries",
            DataType::Struct(
                vec![
                    Field::new("key", key, false),
                    Field::new("value", value, true),
                ]
                .into(),
            ),
            false,
        )),
        false,
    )
}

/// Whether it is text; `json` is not.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// What a value of a type becomes for a parameter; none: it does not fit.
fn coerced(takes: Takes, given: &DataType) -> Option<DataType> {
    let null = given.is_null();
    match takes {
        // As it is: a cast around it would hide it from the planner.
        Literal => is_text(given).then(|| given.clone()),
        Bigint => (null || given.is_integer()).then_some(DataType::Int64),
        Double => (null || given.is_numeric()).then_some(DataType::Float64),
        Number if null => Some(DataType::Int64),
        Number => given.is_numeric().then(|| given.clone()),
        Binary => (null
            || matches!(
                given,
                DataType::Binary | DataType::LargeBinary | DataType::BinaryView
            ))
        .then_some(DataType::BinaryView),
        Time if null => Some(MILLISECONDS),
        Time => matches!(given, DataType::Timestamp(..) | DataType::Date32).then(|| given.clone()),
        List => match given {
            DataType::Null => Some(list_of(DataType::Null)),
            DataType::List(_) => Some(given.clone()),
            DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
                Some(DataType::List(Arc::clone(field)))
            }
            _ => None,
        },
        Map => matches!(given, DataType::Map(..)).then(|| given.clone()),
        Json if *given == JSON => Some(JSON),
        Text | Json => (null || is_text(given)).then_some(DataType::Utf8View),
        Address => (null || *given == ADDRESS).then_some(ADDRESS),
        Any => Some(given.clone()),
    }
}

/// One way to call a function.
pub(super) type Parameters = &'static [Takes];

type Returns = fn(&[DataType], &[Option<&ScalarValue>]) -> Result<DataType>;
/// What a function does for a batch.
pub(super) type Run = fn(&Call<'_>) -> Result<ArrayRef>;
type Simplify = fn(&[Expr], &SimplifyContext) -> Result<Option<Expr>>;

/// A scalar function.
pub(super) struct Scalar {
    name: &'static str,
    /// Ways to call it; the last parameter of one may repeat.
    ways: &'static [Parameters],
    repeats: bool,
    returns: Returns,
    run: Run,
    simplify: Option<Simplify>,
    signature: Signature,
}

impl Scalar {
    /// A function of a name, its ways to be called, its type and what it does for a batch.
    pub(super) fn new(
        name: &'static str,
        ways: &'static [Parameters],
        returns: Returns,
        run: Run,
    ) -> Self {
        Self {
            name,
            ways,
            repeats: false,
            returns,
            run,
            simplify: None,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// The last parameter may come any number of times, at least once.
    pub(super) fn repeating(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Becomes another expression once its types are known.
    pub(super) fn simplifying(mut self, simplify: Simplify) -> Self {
        self.simplify = Some(simplify);
        self
    }

    /// As a function of a session.
    pub(super) fn into_function(self) -> ScalarUDF {
        ScalarUDF::new_from_impl(self)
    }

    fn way(&self, given: &[DataType]) -> Option<Vec<DataType>> {
        self.ways.iter().find_map(|way| {
            let fits = if self.repeats {
                given.len() >= way.len()
            } else {
                given.len() == way.len()
            };
            let last = way.last().copied();
            fits.then(|| {
                given
                    .iter()
                    .enumerate()
                    .map(|(place, given)| coerced(way.get(place).copied().or(last)?, given))
                    .collect()
            })?
        })
    }
}

impl std::fmt::Debug for Scalar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

// A name is a function's identity: there is one of each.
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        (self.returns)(given, &vec![None; given.len()])
    }

    fn return_field_from_args(&self, given: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = given
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let data_type = (self.returns)(&types, given.scalar_arguments)?;
        Ok(Arc::new(Field::new(self.name, data_type, true)))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if let Some(types) = self.way(given) {
            return Ok(types);
        }
        let ways: Vec<String> = self
            .ways
            .iter()
            .map(|way| {
                let names: Vec<&str> = way.iter().map(|takes| name_of(*takes)).collect();
                let more = if self.repeats { ", …" } else { "" };
                format!("{}({}{more})", self.name, names.join(", "))
            })
            .collect();
        let given: Vec<String> = given.iter().map(super::types::name).collect();
        plan_err!(
            "{}({}) is not there: it is {}",
            self.name,
            given.join(", "),
            ways.join(" or ")
        )
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if let Some(simplify) = self.simplify
            && let Some(expression) = simplify(&args, info)?
        {
            return Ok(ExprSimplifyResult::Simplified(expression));
        }
        Ok(ExprSimplifyResult::Original(args))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args
            .args
            .iter()
            .all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let call = Call {
            values: &args.args,
            rows: if constant { 1 } else { args.number_rows },
            returns: args.return_field.data_type(),
        };
        let result = (self.run)(&call)?;
        if constant {
            ScalarValue::try_from_array(&result, 0).map(ColumnarValue::Scalar)
        } else {
            Ok(ColumnarValue::Array(result))
        }
    }
}

fn name_of(takes: Takes) -> &'static str {
    match takes {
        Text | Literal => "varchar",
        Bigint => "bigint",
        Double => "double",
        Number => "number",
        Binary => "varbinary",
        Time => "timestamp",
        List => "array",
        Map => "map",
        Json => "json",
        Address => "ipaddress",
        Any => "any",
    }
}

/// One batch of arguments.
pub(super) struct Call<'a> {
    values: &'a [ColumnarValue],
    /// Rows that the result must have.
    pub(super) rows: usize,
    /// The result's type.
    pub(super) returns: &'a DataType,
}

impl Call<'_> {
    /// How many arguments there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// An argument as a whole column.
    pub(super) fn array(&self, place: usize) -> Result<ArrayRef> {
        self.values[place].to_array(self.rows)
    }

    /// An argument's type.
    pub(super) fn kind(&self, place: usize) -> DataType {
        self.values[place].data_type()
    }

    /// An argument's rows; a constant is kept as one.
    pub(super) fn column(&self, place: usize) -> Result<(ArrayRef, bool)> {
        match &self.values[place] {
            ColumnarValue::Array(array) => Ok((Arc::clone(array), false)),
            ColumnarValue::Scalar(value) => Ok((value.to_array_of_size(1)?, true)),
        }
    }

    fn rows_of<A: Array + Clone + 'static>(&self, place: usize) -> Result<Rows<A>> {
        let (array, constant) = self.column(place)?;
        let array = array.as_any().downcast_ref::<A>().ok_or_else(|| {
            exec_datafusion_err!("argument {} came as {}", place + 1, array.data_type())
        })?;
        Ok(Rows {
            array: array.clone(),
            constant,
        })
    }

    /// An argument of [`Takes::Text`] or [`Takes::Literal`].
    pub(super) fn texts(&self, place: usize) -> Result<Rows<StringViewArray>> {
        match self.kind(place) {
            DataType::Utf8View => self.rows_of(place),
            _ => self.jsons(place),
        }
    }

    /// An argument of [`Takes::Bigint`].
    pub(super) fn integers(&self, place: usize) -> Result<Rows<Int64Array>> {
        self.rows_of(place)
    }

    /// An argument of [`Takes::Double`].
    pub(super) fn doubles(&self, place: usize) -> Result<Rows<Float64Array>> {
        self.rows_of(place)
    }

    /// An argument of [`Takes::Binary`].
    pub(super) fn bytes(&self, place: usize) -> Result<Rows<BinaryViewArray>> {
        self.rows_of(place)
    }

    /// An argument of [`Takes::List`].
    pub(super) fn lists(&self, place: usize) -> Result<Rows<ListArray>> {
        self.rows_of(place)
    }

    /// An argument of [`Takes::Json`], both of its types, as text.
    pub(super) fn jsons(&self, place: usize) -> Result<Rows<StringViewArray>> {
        let (array, constant) = self.column(place)?;
        let array = datafusion::arrow::compute::cast(&array, &DataType::Utf8View)?;
        Ok(Rows {
            array: array.as_string_view().clone(),
            constant,
        })
    }

    /// Text for each row.
    pub(super) fn each_text<T: AsRef<str>>(
        &self,
        mut row: impl FnMut(usize) -> Result<Option<T>>,
    ) -> Result<ArrayRef> {
        let mut builder = datafusion::arrow::array::StringViewBuilder::with_capacity(self.rows);
        for place in 0..self.rows {
            builder.append_option(row(place)?);
        }
        Ok(Arc::new(builder.finish()))
    }

    /// A `bigint` for each row.
    pub(super) fn each_integer(
        &self,
        row: impl FnMut(usize) -> Result<Option<i64>>,
    ) -> Result<ArrayRef> {
        let values = (0..self.rows).map(row).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(Int64Array::from(values)))
    }

    /// A `double` for each row.
    pub(super) fn each_double(
        &self,
        row: impl FnMut(usize) -> Result<Option<f64>>,
    ) -> Result<ArrayRef> {
        let values = (0..self.rows).map(row).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(Float64Array::from(values)))
    }

    /// A `boolean` for each row.
    pub(super) fn each_boolean(
        &self,
        row: impl FnMut(usize) -> Result<Option<bool>>,
    ) -> Result<ArrayRef> {
        let values = (0..self.rows).map(row).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(BooleanArray::from(values)))
    }

    /// Bytes for each row.
    pub(super) fn each_bytes<T: AsRef<[u8]>>(
        &self,
        mut row: impl FnMut(usize) -> Result<Option<T>>,
    ) -> Result<ArrayRef> {
        let mut builder = datafusion::arrow::array::BinaryViewBuilder::with_capacity(self.rows);
        for place in 0..self.rows {
            builder.append_option(row(place)?);
        }
        Ok(Arc::new(builder.finish()))
    }

    /// A list of text for each row.
    pub(super) fn each_texts<T: AsRef<str>>(
        &self,
        mut row: impl FnMut(usize) -> Result<Option<Vec<T>>>,
    ) -> Result<ArrayRef> {
        let mut builder = datafusion::arrow::array::ListBuilder::new(
            datafusion::arrow::array::StringViewBuilder::new(),
        );
        for place in 0..self.rows {
            match row(place)? {
                Some(texts) => {
                    for text in texts {
                        builder.values().append_value(text);
                    }
                    builder.append(true);
                }
                None => builder.append(false),
            }
        }
        Ok(Arc::new(builder.finish()))
    }

    /// Any value for each row, by way of single values: for what is not on a hot path.
    pub(super) fn each_value(
        &self,
        mut row: impl FnMut(usize) -> Result<ScalarValue>,
    ) -> Result<ArrayRef> {
        let values = (0..self.rows).map(&mut row).collect::<Result<Vec<_>>>()?;
        array_of(values, self.returns)
    }
}

/// Values of one type as a column; a type must be given for none.
pub(super) fn array_of(values: Vec<ScalarValue>, data_type: &DataType) -> Result<ArrayRef> {
    if values.is_empty() {
        return Ok(datafusion::arrow::array::new_empty_array(data_type));
    }
    let array = ScalarValue::iter_to_array(values)?;
    if array.data_type() == data_type {
        Ok(array)
    } else {
        Ok(datafusion::arrow::compute::cast(&array, data_type)?)
    }
}

/// Rows of an argument, where a constant has the same in each.
pub(super) struct Rows<A> {
    /// One row for a constant, else all.
    pub(super) array: A,
    /// Whether it is the same in each row.
    pub(super) constant: bool,
}

impl<A: Array> Rows<A> {
    /// The place of a row in `array`; none: NULL.
    pub(super) fn place(&self, row: usize) -> Option<usize> {
        let place = if self.constant { 0 } else { row };
        self.array.is_valid(place).then_some(place)
    }
}

impl Rows<StringViewArray> {
    /// The text of a row.
    pub(super) fn get(&self, row: usize) -> Option<&str> {
        self.place(row).map(|place| self.array.value(place))
    }

    /// The text where it is the same in each row.
    pub(super) fn same(&self) -> Option<&str> {
        if self.constant { self.get(0) } else { None }
    }
}

impl Rows<Int64Array> {
    /// The number of a row.
    pub(super) fn get(&self, row: usize) -> Option<i64> {
        self.place(row).map(|place| self.array.value(place))
    }
}

impl Rows<Float64Array> {
    /// The number of a row.
    pub(super) fn get(&self, row: usize) -> Option<f64> {
        self.place(row).map(|place| self.array.value(place))
    }
}

impl Rows<BinaryViewArray> {
    /// The bytes of a row.
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        self.place(row).map(|place| self.array.value(place))
    }
}

impl Rows<ListArray> {
    /// The elements of a row.
    pub(super) fn get(&self, row: usize) -> Option<ArrayRef> {
        self.place(row).map(|place| self.array.value(place))
    }
}

/// For [`Scalar::new`]: always `varchar`.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
pub(super) fn text(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::Utf8View)
}

/// For [`Scalar::new`]: always `bigint`.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
pub(super) fn bigint(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::Int64)
}

/// For [`Scalar::new`]: always `double`.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
pub(super) fn double(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::Float64)
}

/// For [`Scalar::new`]: always `boolean`.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
pub(super) fn boolean(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::Boolean)
}

/// For [`Scalar::new`]: always `varbinary`.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
pub(super) fn binary(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::BinaryView)
}

/// For [`Scalar::new`]: `array(varchar)`.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
pub(super) fn texts(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(list_of(DataType::Utf8View))
}

/// For [`Scalar::new`]: as the first argument.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
pub(super) fn as_first(given: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(given.first().cloned().unwrap_or(DataType::Null))
}

/// The element's type of a list.
pub(super) fn element_of(list: &DataType) -> DataType {
    match list {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            field.data_type().clone()
        }
        _ => DataType::Null,
    }
}

/// Numbers of a numeric column as `double`.
pub(super) fn as_doubles(array: &ArrayRef) -> Result<Float64Array> {
    let array = datafusion::arrow::compute::cast(array, &DataType::Float64)?;
    Ok(array.as_primitive::<Float64Type>().clone())
}

/// Numbers of an integer column as `bigint`.
pub(super) fn as_integers(array: &ArrayRef) -> Result<Int64Array> {
    let array = datafusion::arrow::compute::cast(array, &DataType::Int64)?;
    Ok(array.as_primitive::<Int64Type>().clone())
}
