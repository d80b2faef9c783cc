//! Functions that take an expression and not its value: `try`, and those of arrays.
//! <https://trino.io/docs/current/functions/conditional.html#try>
//! <https://trino.io/docs/current/functions/lambda.html>

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDF, HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda,
    Volatility,
};

use super::scalar::{array_of, element_of, list_of};

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<HigherOrderUDF>> {
    [
        ("$try", Kind::Try),
        ("transform", Kind::Transform),
        ("filter", Kind::Filter),
        ("any_match", Kind::Any),
        ("all_match", Kind::All),
        ("none_match", Kind::None),
        ("$reduce", Kind::Reduce),
    ]
    .into_iter()
    .map(|(name, kind)| {
        Arc::new(HigherOrderUDF::new_from_impl(Lambda {
            name,
            kind,
            signature: HigherOrderSignature::user_defined(Volatility::Immutable),
        }))
    })
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// `$try(0, x -> expression)`: the parameter is there for the form alone.
    Try,
    Transform,
    Filter,
    Any,
    All,
    None,
    /// `$reduce(array, start, (state, x) -> …)`, without the last function.
    Reduce,
}

#[derive(Debug)]
struct Lambda {
    name: &'static str,
    kind: Kind,
    signature: HigherOrderSignature,
}

impl PartialEq for Lambda {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Lambda {}

impl Hash for Lambda {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl HigherOrderUDFImpl for Lambda {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let value = |place: usize| {
            if let Some(ValueOrLambda::Value(field)) = fields.get(place) {
                Ok(field.data_type().clone())
            } else {
                plan_err!("{} takes a value, then a lambda x -> …", self.name)
            }
        };
        let named = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
        let parameters = match self.kind {
            Kind::Try => vec![named("x", value(0)?)],
            Kind::Reduce => vec![
                named("state", value(1)?),
                named("x", element_of(&value(0)?)),
            ],
            _ => vec![named("x", element_of(&value(0)?))],
        };
        Ok(LambdaParametersProgress::Complete(vec![parameters]))
    }

    fn coerce_value_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let is_list = matches!(given.first(), Some(DataType::List(_)));
        match (self.kind, given.len()) {
            (Kind::Try, 1) => Ok(given.to_vec()),
            (Kind::Reduce, 2) if is_list => Ok(given.to_vec()),
            (Kind::Try | Kind::Reduce, _) => plan_err!("{} takes an array", self.name),
            (_, 1) if is_list => Ok(given.to_vec()),
            _ => plan_err!("{} takes an array and a lambda x -> …", self.name),
        }
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        let of_lambda = args.arg_fields.iter().find_map(|field| match field {
            ValueOrLambda::Lambda(field) => Some(field.data_type().clone()),
            ValueOrLambda::Value(_) => None,
        });
        let of_value = |place: usize| match args.arg_fields.get(place) {
            Some(ValueOrLambda::Value(field)) => field.data_type().clone(),
            _ => DataType::Null,
        };
        let Some(of_lambda) = of_lambda else {
            return plan_err!("{} takes a lambda x -> …", self.name);
        };
        let data_type = match self.kind {
            Kind::Try => of_lambda,
            Kind::Transform => list_of(of_lambda),
            Kind::Filter => of_value(0),
            Kind::Any | Kind::All | Kind::None => DataType::Boolean,
            Kind::Reduce => of_value(1),
        };
        Ok(Arc::new(Field::new(self.name, data_type, true)))
    }

    // Null lists are handled here, row by row.
    fn clear_null_values(&self) -> bool {
        false
    }

    // What stands in `try` may not be computed ahead of it.
    fn short_circuits(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let lambda = args.args.iter().find_map(|arg| match arg {
            ValueOrLambda::Lambda(lambda) => Some(lambda),
            ValueOrLambda::Value(_) => None,
        });
        let Some(lambda) = lambda else {
            return plan_err!("{} takes a lambda x -> …", self.name);
        };
        let value = |place: usize| {
            if let Some(ValueOrLambda::Value(value)) = args.args.get(place) {
                value.to_array(rows)
            } else {
                exec_err!("{} takes an array", self.name)
            }
        };
        let result = match self.kind {
            Kind::Try => tried(lambda, &value(0)?, 0, rows, args.return_type())?,
            Kind::Transform => transform(lambda, value(0)?.as_list(), args.return_type())?,
            Kind::Filter => filter(lambda, value(0)?.as_list(), args.return_type())?,
            Kind::Any | Kind::All | Kind::None => matches(self.kind, lambda, value(0)?.as_list())?,
            Kind::Reduce => reduce(lambda, value(0)?.as_list(), &value(1)?, args.return_type())?,
        };
        Ok(ColumnarValue::Array(result))
    }
}

/// The expression over some rows; where it fails, over each half, down to the row that is at fault,
/// which becomes NULL. Without errors it is evaluated once.
fn tried(
    lambda: &LambdaArgument,
    unused: &ArrayRef,
    from: usize,
    rows: usize,
    kind: &DataType,
) -> Result<ArrayRef> {
    let parameter = || Ok(unused.slice(from, rows));
    let evaluated = lambda
        .evaluate(&[&parameter], |captured| {
            Ok(captured
                .iter()
                .map(|column| column.slice(from, rows))
                .collect())
        })
        .and_then(|value| value.into_array(rows));
    match evaluated {
        Ok(array) => Ok(array),
        Err(_) if rows <= 1 => Ok(datafusion::arrow::array::new_null_array(kind, rows)),
        Err(_) => {
            let half = rows / 2;
            let first = tried(lambda, unused, from, half, kind)?;
            let second = tried(lambda, unused, from + half, rows - half, kind)?;
            Ok(compute::concat(&[&first, &second])?)
        }
    }
}

/// Elements of all lists one after the other, with the row that each is of.
fn spread(lists: &ListArray) -> Result<(ArrayRef, Vec<u64>)> {
    let mut places: Vec<u64> = Vec::new();
    let mut of: Vec<u64> = Vec::new();
    for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
        let start = lists.value_offsets()[row];
        for place in start..start + lists.value_length(row) {
            places.push(u64::try_from(place).unwrap_or(0));
            of.push(u64::try_from(row).unwrap_or(0));
        }
    }
    let places = datafusion::arrow::array::PrimitiveArray::<UInt64Type>::from(places);
    Ok((compute::take(lists.values(), &places, None)?, of))
}

/// The lambda over elements.
fn over(lambda: &LambdaArgument, elements: &ArrayRef, of: &[u64]) -> Result<ArrayRef> {
    let of = datafusion::arrow::array::PrimitiveArray::<UInt64Type>::from(of.to_vec());
    let parameter = || Ok(Arc::clone(elements));
    lambda
        .evaluate(&[&parameter], |captured| {
            Ok(compute::take_arrays(captured, &of, None)?)
        })?
        .into_array(elements.len())
}

fn rebuilt(
    lists: &ListArray,
    lengths: Vec<usize>,
    values: ArrayRef,
    kind: &DataType,
) -> Result<ArrayRef> {
    let DataType::List(field) = kind else {
        return exec_err!("an array was to be made as {kind}");
    };
    Ok(Arc::new(ListArray::try_new(
        Arc::clone(field),
        datafusion::arrow::buffer::OffsetBuffer::from_lengths(lengths),
        values,
        lists.nulls().cloned(),
    )?))
}

fn transform(lambda: &LambdaArgument, lists: &ListArray, kind: &DataType) -> Result<ArrayRef> {
    let (elements, of) = spread(lists)?;
    let values = over(lambda, &elements, &of)?;
    let lengths = (0..lists.len())
        .map(|row| {
            if lists.is_valid(row) {
                length(lists, row)
            } else {
                0
            }
        })
        .collect();
    rebuilt(lists, lengths, values, kind)
}

fn length(lists: &ListArray, row: usize) -> usize {
    usize::try_from(lists.value_length(row)).unwrap_or(0)
}

fn filter(lambda: &LambdaArgument, lists: &ListArray, kind: &DataType) -> Result<ArrayRef> {
    let (elements, of) = spread(lists)?;
    let kept = compute::prep_null_mask_filter(over(lambda, &elements, &of)?.as_boolean());
    let values = compute::filter(&elements, &kept)?;
    let mut lengths = vec![0; lists.len()];
    for (row, kept) in of.iter().zip(kept.values()) {
        if kept {
            lengths[usize::try_from(*row).unwrap_or(0)] += 1;
        }
    }
    rebuilt(lists, lengths, values, kind)
}

/// Three-valued: what is NULL leaves the answer open.
fn matches(kind: Kind, lambda: &LambdaArgument, lists: &ListArray) -> Result<ArrayRef> {
    let (elements, of) = spread(lists)?;
    let found = over(lambda, &elements, &of)?;
    let found = found.as_boolean();
    let mut seen = vec![(false, false, false); lists.len()];
    for (place, row) in of.iter().enumerate() {
        let seen = &mut seen[usize::try_from(*row).unwrap_or(0)];
        if found.is_null(place) {
            seen.2 = true;
        } else if found.value(place) {
            seen.0 = true;
        } else {
            seen.1 = true;
        }
    }
    let answers: datafusion::arrow::array::BooleanArray = seen
        .into_iter()
        .enumerate()
        .map(|(row, (yes, no, open))| {
            if lists.is_null(row) {
                return None;
            }
            match kind {
                Kind::All if no => Some(false),
                Kind::Any if yes => Some(true),
                Kind::None if yes => Some(false),
                _ if open => None,
                Kind::Any => Some(false),
                _ => Some(true),
            }
        })
        .collect();
    Ok(Arc::new(answers))
}

/// One element after the other, all rows side by side as long as they have one.
fn reduce(
    lambda: &LambdaArgument,
    lists: &ListArray,
    start: &ArrayRef,
    kind: &DataType,
) -> Result<ArrayRef> {
    let mut states = (0..lists.len())
        .map(|row| ScalarValue::try_from_array(start, row))
        .collect::<Result<Vec<_>>>()?;
    let longest = (0..lists.len())
        .filter(|row| lists.is_valid(*row))
        .map(|row| length(lists, row))
        .max()
        .unwrap_or(0);
    for step in 0..longest {
        let rows: Vec<usize> = (0..lists.len())
            .filter(|row| lists.is_valid(*row) && step < length(lists, *row))
            .collect();
        let places: Int64Array = rows
            .iter()
            .map(|row| Some(i64::from(lists.value_offsets()[*row]) + super::number_of(step)))
            .collect();
        let elements = compute::take(lists.values(), &places, None)?;
        let before = array_of(rows.iter().map(|row| states[*row].clone()).collect(), kind)?;
        let of = Int64Array::from_iter_values(rows.iter().map(|row| super::number_of(*row)));
        let state = || Ok(Arc::clone(&before));
        let element = || Ok(Arc::clone(&elements));
        let after = lambda
            .evaluate(&[&state, &element], |captured| {
                Ok(compute::take_arrays(captured, &of, None)?)
            })?
            .into_array(rows.len())?;
        let after = compute::cast(&after, kind)?;
        for (place, row) in rows.iter().enumerate() {
            states[*row] = ScalarValue::try_from_array(&after, place)?;
        }
    }
    for (row, state) in states.iter_mut().enumerate() {
        if lists.is_null(row) {
            *state = ScalarValue::try_from(kind)?;
        }
    }
    array_of(states, kind)
}
